//! What the palette finds in the glossary: each term with what it means.

use super::entries::{Entry, Kind};
use crate::ui::command::Command;
use crate::ui::state::Overlay;
use crate::ui::words::glossary;

/// Every term of the glossary; choosing one opens its entry.
pub fn terms() -> impl Iterator<Item = Entry> {
    glossary::all().map(|term| {
        let open = Command::Overlay(Some(Overlay::Term(term.name)));
        let entry = Entry::new(Kind::Term, term.name, term.text);
        Entry {
            also: term.also.join(" "),
            ..entry.doing(vec![open])
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::palette::fit;

    #[test]
    fn a_term_is_found_by_its_names_and_not_by_letters_of_its_explanation() {
        let found = |typed: &str| -> Vec<String> {
            let fits = |entry: &Entry| fit(typed, &entry.text()).is_some();
            terms().filter(fits).map(|entry| entry.title).collect()
        };
        assert!(found("attention sink").contains(&"attention sink".to_owned()));
        assert!(found("entropy").len() < 4, "{:?}", found("entropy"));
        assert!(found("entropy").contains(&"entropy".to_owned()));
    }
}
