//! The glossary: every term of the field that the window uses, in one or two exact sentences.

mod attention;
mod input;
mod looking;
mod network;
mod output;
mod storage;

/// One term.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    /// The term as it stands in a text.
    pub name: &'static str,
    /// Other spellings, plurals and words for the same thing.
    pub also: &'static [&'static str],
    /// What it is, in plain words.
    pub text: &'static str,
    /// Its hook, config name or tensor name, where it has one.
    pub code: Option<&'static str>,
}

/// A term without a name in code.
const fn word(name: &'static str, also: &'static [&'static str], text: &'static str) -> Term {
    Term {
        name,
        also,
        text,
        code: None,
    }
}

/// A term that code calls `code`.
const fn named(
    name: &'static str,
    also: &'static [&'static str],
    code: &'static str,
    text: &'static str,
) -> Term {
    Term {
        name,
        also,
        text,
        code: Some(code),
    }
}

/// Every term, in the order of the pass: text and tokens, the network, attention, output, storage,
/// ways of looking.
pub fn all() -> impl Iterator<Item = &'static Term> {
    input::TERMS
        .iter()
        .chain(network::TERMS)
        .chain(attention::TERMS)
        .chain(output::TERMS)
        .chain(storage::TERMS)
        .chain(looking::TERMS)
}

/// The entry called `name`, or known by it; small and capital letters are the same.
#[must_use]
pub fn term(name: &str) -> Option<&'static Term> {
    let is = |known: &str| known.to_lowercase() == name.to_lowercase();
    all()
        .find(|term| is(term.name))
        .or_else(|| all().find(|term| term.also.iter().any(|known| is(known))))
}

/// The entries that `query` finds, best first: names that begin with it, then names and codes that
/// hold it, then explanations that mention it. An empty query finds all, in the order of the pass.
#[must_use]
pub fn find(query: &str) -> Vec<&'static Term> {
    let query = query.trim().to_lowercase();
    let mut found: Vec<(u8, &Term)> = all()
        .filter_map(|term| Some((distance(term, &query)?, term)))
        .collect();
    found.sort_by_key(|(distance, _)| *distance);
    found.into_iter().map(|(_, term)| term).collect()
}

/// How far `term` is from `query`, in small letters; `None` if it does not hold it at all.
fn distance(term: &Term, query: &str) -> Option<u8> {
    let names = || std::iter::once(&term.name).chain(term.also);
    let any = |test: &dyn Fn(&str) -> bool| names().any(|name| test(&name.to_lowercase()));
    if any(&|name| name.starts_with(query)) {
        Some(0)
    } else if any(&|name| name.contains(query)) {
        Some(1)
    } else if term
        .code
        .is_some_and(|code| code.to_lowercase().contains(query))
    {
        Some(2)
    } else {
        (term.text.to_lowercase().contains(query)).then_some(3)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_name_stands_for_two_entries() {
        let mut seen = HashSet::new();
        for term in all() {
            for name in std::iter::once(&term.name).chain(term.also) {
                assert!(seen.insert(name.to_lowercase()), "{name} is there twice");
            }
        }
        assert!(seen.len() > 100);
    }

    #[test]
    fn an_entry_is_one_or_two_sentences() {
        for term in all() {
            assert!(term.text.ends_with('.'), "{}: no full stop", term.name);
            let sentences = term.text.matches(". ").count() + 1;
            assert!(sentences <= 3, "{}: {sentences} sentences", term.name);
            assert!(term.text.len() < 330, "{}: {}", term.name, term.text.len());
        }
    }

    #[test]
    fn the_best_entry_is_found_first() {
        for (query, expected) in [
            ("soft", "softmax"),
            ("hook_pattern", "pattern"),
            ("KV c", "KV cache"),
            ("num_key_value_heads", "KV head"),
            ("swiglu", "SwiGLU"),
        ] {
            assert_eq!(find(query).first().unwrap().name, expected, "{query}");
        }
        assert_eq!(find("").len(), all().count());
        assert!(find("no such word anywhere").is_empty());
    }

    #[test]
    fn the_words_that_pictures_need_are_there() {
        for name in [
            "token",
            "vocabulary",
            "merge",
            "embedding",
            "residual stream",
            "d_model",
            "RMSNorm",
            "LayerNorm",
            "query",
            "key",
            "value",
            "head",
            "GQA",
            "RoPE",
            "attention score",
            "pattern",
            "softmax",
            "mask",
            "z",
            "o_proj",
            "MLP",
            "SwiGLU",
            "gate",
            "up",
            "down",
            "activation",
            "neuron",
            "logit",
            "probability",
            "temperature",
            "top-k",
            "top-p",
            "min-p",
            "XTC",
            "entropy",
            "greedy",
            "draw",
            "prefill",
            "decode",
            "KV cache",
            "rotating cache",
            "quantization",
            "group",
            "scale",
            "bias",
            "parity",
            "logit lens",
            "ablation",
            "patching",
            "induction head",
            "previous-token head",
            "attention sink",
            "perplexity",
        ] {
            assert!(term(name).is_some(), "{name} has no entry");
        }
    }
}
