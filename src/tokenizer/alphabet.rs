//! The byte-level alphabet: how GPT-2 and its heirs write any byte as a printable character.
//!
//! A byte-level vocabulary may not hold control characters or blanks, so each of the 256 bytes has a stand-in: bytes that print
//! stand for themselves, the others are numbered on from U+0100. A space is `Ġ`, a line feed `Ċ`.

/// The first character that stands for a byte which does not print by itself.
const FIRST_STAND_IN: u32 = 0x100;

/// Whether a byte stands for itself in the alphabet (openai/gpt-2 `encoder.py`, `bytes_to_unicode`).
fn stands_for_itself(byte: u8) -> bool {
    matches!(byte, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF)
}

/// The character that a byte-level vocabulary writes for `byte`.
#[cfg(test)]
#[must_use]
pub fn char_of_byte(byte: u8) -> char {
    if stands_for_itself(byte) {
        return char::from(byte);
    }
    let stand_ins_before = (0..byte).filter(|&b| !stands_for_itself(b)).count();
    u32::try_from(stand_ins_before)
        .ok()
        .and_then(|n| char::from_u32(FIRST_STAND_IN + n))
        .unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// The byte that `c` stands for in a byte-level vocabulary, if it stands for one.
#[must_use]
pub fn byte_of_char(c: char) -> Option<u8> {
    let code = u32::from(c);
    if let Ok(byte) = u8::try_from(code) {
        return stands_for_itself(byte).then_some(byte);
    }
    let wanted = usize::try_from(code.checked_sub(FIRST_STAND_IN)?).ok()?;
    (0..=u8::MAX).filter(|&b| !stands_for_itself(b)).nth(wanted)
}

/// The bytes of a byte-level token; `None` if a character of it is not in the alphabet.
#[must_use]
pub fn bytes_of_token(token: &str) -> Option<Vec<u8>> {
    token.chars().map(byte_of_char).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_a_character_of_its_own_that_leads_back() {
        for byte in 0..=u8::MAX {
            assert_eq!(byte_of_char(char_of_byte(byte)), Some(byte));
        }
        assert_eq!(char_of_byte(b' '), 'Ġ');
        assert_eq!(char_of_byte(b'\n'), 'Ċ');
        assert_eq!(byte_of_char(' '), None);
        assert_eq!(byte_of_char('你'), None);
    }
}
