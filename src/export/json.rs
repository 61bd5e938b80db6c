//! Data inside a page: numbers as base64, and JSON that no text can break out of.

use serde_json::{Value, json};

use crate::trace::HostTensor;

/// A tensor as its shape and its float32 values in little-endian order, in base64.
pub(super) fn tensor(value: &HostTensor) -> Value {
    let bytes: Vec<u8> = value
        .values()
        .iter()
        .flat_map(|x| x.to_le_bytes())
        .collect();
    json!({ "shape": value.shape(), "data": base64(&bytes) })
}

/// Bytes in base64, RFC 4648.
#[must_use]
pub fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let byte = |at: usize| u32::from(three.get(at).copied().unwrap_or_default());
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let six = (bits >> (18 - 6 * place)) as usize & 63;
            let is_there = place <= three.len();
            let letter = LETTERS.get(six).copied().unwrap_or_default();
            text.push(if is_there { char::from(letter) } else { '=' });
        }
    }
    text
}

/// JSON for a script element: no `<`, so that nothing in it closes the element.
pub(super) fn in_script(value: &Value) -> String {
    value.to_string().replace('<', "\\u003c")
}

/// Text for an HTML element or a quoted attribute.
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_standard() {
        for (plain, coded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }

    #[test]
    fn no_text_leaves_its_element() {
        let nasty = "</script><script>alert(1)</script>";
        assert!(!in_script(&json!({ "text": nasty })).contains('<'));
        assert_eq!(
            escaped("<a href='x'>&\""),
            "&lt;a href=&#39;x&#39;&gt;&amp;&quot;"
        );
    }
}
