//! Sentences of the engine name the command line's flags; in the window they are settings.

/// Each flag, the longest first, and what it is called in the window.
const NAMES: [(&str, &str); 15] = [
    ("--kv-bits 4", "the KV cache setting 4 bits"),
    ("--kv-bits 8", "the KV cache setting 8 bits"),
    ("--kv-bits", "the bits of the KV cache"),
    ("--max-kv-size", "a rotating KV cache"),
    ("--repetition-penalty", "The repetition penalty"),
    ("--presence-penalty", "The presence penalty"),
    ("--frequency-penalty", "The frequency penalty"),
    ("--xtc-probability", "The setting “XTC, how often”"),
    ("--xtc-threshold", "The setting “XTC, above”"),
    ("--logit-bias", "The logit bias"),
    ("--extra-eos", "The end token"),
    ("--top-p", "Top-p"),
    ("--min-p", "Min-p"),
    ("--temp", "The temperature"),
    ("--prompt-cache", "the prompt cache"),
];

/// `text` with every flag called as the window calls it.
#[must_use]
pub fn without_flags(text: &str) -> String {
    let mut plain = text.to_owned();
    if plain.contains("--") {
        for (flag, name) in NAMES {
            plain = plain.replace(flag, name);
        }
    }
    let pull = "Get it with `vitrine models pull ";
    if let Some((before, rest)) = plain.split_once(pull)
        && let Some((_, after)) = rest.split_once('`')
    {
        plain = format!("{before}Get it in Models{after}");
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_is_called_as_the_window_calls_it() {
        let told = "Keep fewer positions with --max-kv-size, or in fewer bits with --kv-bits 4.";
        assert_eq!(
            without_flags(told),
            "Keep fewer positions with a rotating KV cache, or in fewer bits with the KV cache setting 4 bits."
        );
        assert_eq!(without_flags("a -- b"), "a -- b");
        let told = "x/y is not here. Get it with `vitrine models pull x/y`, or use classroom.";
        assert_eq!(
            without_flags(told),
            "x/y is not here. Get it in Models, or use classroom."
        );
    }
}
