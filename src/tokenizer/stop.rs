//! Stop strings: an answer ends just before the first of them.
//!
//! The first is the one that is complete first, letter by letter, so that the cut does not depend on how the text is divided into tokens; of
//! two that end at the same letter, the longer one counts.

/// Watches a text that grows, and cuts it before the first stop string.
///
/// The end of the text that may turn out to be the beginning of a stop string is held back until that is decided.
#[derive(Debug, Clone, Default)]
pub struct StopStrings {
    stops: Vec<String>,
    held: String,
    has_stopped: bool,
}

/// What [`StopStrings::push`] lets through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passed {
    /// Text that can be shown.
    pub text: String,
    /// Whether a stop string was found; nothing comes after `text` then.
    pub stopped: bool,
}

impl StopStrings {
    /// Stops at any of `stops`; empty ones are left out.
    #[must_use]
    pub fn new(stops: impl IntoIterator<Item = String>) -> Self {
        let stops = stops.into_iter().filter(|stop| !stop.is_empty()).collect();
        Self {
            stops,
            ..Self::default()
        }
    }

    /// Adds to the text and returns what is safe to show. After a stop, nothing more passes.
    pub fn push(&mut self, text: &str) -> Passed {
        if !self.has_stopped {
            self.held.push_str(text);
            if let Some(start) = self.first_stop() {
                self.has_stopped = true;
                self.held.truncate(start);
                return Passed {
                    text: std::mem::take(&mut self.held),
                    stopped: true,
                };
            }
        }
        let keep_from = self.open_stop();
        let waiting = self.held.split_off(keep_from);
        Passed {
            text: std::mem::replace(&mut self.held, waiting),
            stopped: self.has_stopped,
        }
    }

    /// Ends the text and returns what was held back: it did not become a stop string.
    pub fn finish(self) -> String {
        self.held
    }

    /// Whether a stop string was found.
    #[must_use]
    pub fn has_stopped(&self) -> bool {
        self.has_stopped
    }

    /// Where the first stop string begins in the held text.
    fn first_stop(&self) -> Option<usize> {
        self.stops
            .iter()
            .filter_map(|stop| {
                self.held
                    .find(stop.as_str())
                    .map(|at| (at + stop.len(), at))
            })
            .min()
            .map(|(_, start)| start)
    }

    /// Where the held text's end begins that is the beginning of a stop string; its length if there is none.
    fn open_stop(&self) -> usize {
        let longest = self.stops.iter().map(String::len).max().unwrap_or(0);
        let earliest = self.held.len().saturating_sub(longest);
        self.held
            .char_indices()
            .map(|(at, _)| at)
            .filter(|&at| at >= earliest)
            .find(|&at| self.stops.iter().any(|s| s.starts_with(&self.held[at..])))
            .unwrap_or(self.held.len())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What `StopStrings` has to equal: the whole text read letter by letter, up to the first stop string that is complete.
    fn cut(whole: &str, stops: &[String]) -> String {
        for (at, letter) in whole.char_indices() {
            let seen = &whole[..at + letter.len_utf8()];
            if let Some(longest) = stops
                .iter()
                .filter(|s| seen.ends_with(*s))
                .map(String::len)
                .max()
            {
                return seen[..seen.len() - longest].to_owned();
            }
        }
        whole.to_owned()
    }

    #[test]
    fn text_that_may_become_a_stop_string_waits() {
        let mut stops = StopStrings::new(["\nUser:".to_owned()]);
        assert_eq!(stops.push("Hi\nUs").text, "Hi");
        assert_eq!(stops.push("ual").text, "\nUsual");
        let end = stops.push(" way.\nUser: more");
        assert_eq!((end.text.as_str(), end.stopped), (" way.", true));
        assert_eq!(stops.push("more").text, "");
        assert_eq!(stops.finish(), "");
    }

    #[test]
    fn without_stop_strings_everything_passes_at_once() {
        let mut stops = StopStrings::new([String::new()]);
        assert_eq!(stops.push("abc").text, "abc");
        assert_eq!(stops.finish(), "");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_output_is_the_whole_text_cut_at_the_first_stop_string(
            parts in prop::collection::vec("[abé😀]{0,4}", 0..12),
            stops in prop::collection::vec("[abé😀]{1,4}", 0..4),
        ) {
            let mut watch = StopStrings::new(stops.clone());
            let mut out = String::new();
            for part in &parts {
                out.push_str(&watch.push(part).text);
            }
            let whole = parts.concat();
            let has_stop = stops.iter().any(|s| whole.contains(s.as_str()));
            prop_assert_eq!(watch.has_stopped(), has_stop);
            out.push_str(&watch.finish());
            prop_assert_eq!(out, cut(&whole, &stops));
        }
    }
}
