//! Data inside a page: numbers as base64, and JSON that no text can break out of.

use base64::Engine as _;
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
    base64::engine::general_purpose::STANDARD.encode(bytes)
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
