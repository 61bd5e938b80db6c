//! Merges and vocabulary, as the window shows them.

use super::*;

#[test]
fn merges_are_played_one_at_a_time_with_their_ranks() {
    let tokenizer = load("classroom");
    let words = tokenizer.merges("The capital<|im_end|>").unwrap();
    let split: Vec<_> = words
        .iter()
        .map(|w| (w.text.as_str(), w.bytes.clone(), w.kind))
        .collect();
    assert_eq!(
        split,
        [
            ("The", 0..3, WordKind::Merged),
            ("Ġcapital", 3..11, WordKind::Merged),
            ("<|im_end|>", 11..21, WordKind::Added),
        ]
    );
    let capital = &words[1];
    assert_eq!(capital.pieces_after(0).len(), 8);
    assert_eq!(capital.pieces_after(99).len(), 8 - capital.steps.len());
    for (n, step) in capital.steps.iter().enumerate() {
        let pieces = capital.pieces_after(n + 1);
        let (piece, symbols) = pieces
            .iter()
            .find(|(_, symbols)| symbols.start == step.symbols[0])
            .unwrap();
        assert_eq!(*piece, step.merged);
        assert_eq!(symbols.end, step.symbols[2]);
        assert_eq!(
            step.merged.text,
            format!("{}{}", step.left.text, step.right.text)
        );
    }
}

#[test]
fn a_model_that_looks_for_whole_words_first_plays_no_merges_for_them() {
    let json = br#"{"model": {"type": "BPE", "ignore_merges": true, "vocab": {"a": 0, "b": 1, "c": 2, "ab": 3, "abc": 4}, "merges": ["a b"]}}"#;
    let tokenizer = Tokenizer::from_files(&files_with(|files| {
        files.tokenizer_json = json.as_slice().into()
    }))
    .unwrap();
    assert_eq!(tokenizer.merges("abc").unwrap()[0].kind, WordKind::Whole);
    let word = &tokenizer.merges("abb").unwrap()[0];
    assert_eq!((word.ids(), word.steps[0].rank), (vec![3, 1], 0));
}

#[test]
fn a_long_text_without_words_is_merged_in_time() {
    let tokenizer = load("metaspace");
    let text = "The capital of France is Paris. ".repeat(3_000);
    let started = std::time::Instant::now();
    let words = tokenizer.merges(&text).unwrap();
    assert_eq!(words[0].ids(), tokenizer.encode_ids(&text, false).unwrap());
    assert!(started.elapsed().as_secs() < 5, "{:?}", started.elapsed());
}

#[test]
fn the_vocabulary_is_paged_and_searched() {
    let tokenizer = load("classroom");
    let vocabulary = tokenizer.vocabulary();
    assert_eq!(vocabulary.len(), 4096);
    assert_eq!(
        vocabulary
            .page(0..3)
            .iter()
            .map(|e| e.id)
            .collect::<Vec<_>>(),
        [0, 1, 2]
    );
    assert_eq!(vocabulary.page(4090..5000).len(), 6);
    assert!(vocabulary.page(5000..5010).is_empty());
    assert!(vocabulary.get(2).unwrap().is_special);
    assert_eq!(vocabulary.get(9999), None);

    let paris = vocabulary.search(" pARIS", 5);
    assert!(paris.entries.iter().any(|entry| entry.text == " Paris"));
    assert_eq!(vocabulary.search(" Paris", 5).entries[0].text, " Paris");
    assert_eq!(vocabulary.search("ĠParis", 1).entries[0].text, " Paris");
    assert_eq!(vocabulary.search("17", 1).entries[0].id, 17);
    assert!(vocabulary.search("<0xE4>", 5).n_found > 0);
    assert_eq!(vocabulary.search("a", 10).entries.len(), 10);
    assert_eq!(vocabulary.search("", 10), Found::default());
}

#[test]
fn a_word_is_shown_with_and_without_space_and_capital() {
    let variants = load("classroom").variants(" paris ").unwrap();
    let texts: Vec<_> = variants
        .iter()
        .map(|variant| variant.text.as_str())
        .collect();
    assert_eq!(
        texts,
        ["paris", " paris", "Paris", " Paris", "PARIS", " PARIS"]
    );
    assert_eq!(variants[3].pieces.len(), 1);
}
