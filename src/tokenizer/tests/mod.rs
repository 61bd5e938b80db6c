//! The whole tokenizer, against `transformers` and `tokenizers`, on the embedded model's vocabulary and two sentence vocabularies.

mod looking;

use std::fs;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/text");
const CLASSROOM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/classroom");

fn load(name: &str) -> Tokenizer {
    let folder = match name {
        "classroom" => CLASSROOM.to_owned(),
        other => format!("{FIXTURES}/{other}"),
    };
    Tokenizer::from_folder(folder).unwrap()
}

fn all() -> [(&'static str, Tokenizer); 3] {
    ["classroom", "sentence", "metaspace"].map(|name| (name, load(name)))
}

fn bytes_of(name: &str) -> Vec<u8> {
    fs::read(format!("{CLASSROOM}/{name}")).unwrap()
}

/// The classroom's files, with some of them replaced.
fn files_with(change: impl FnOnce(&mut TokenizerFiles<'static>)) -> TokenizerFiles<'static> {
    let mut files = TokenizerFiles {
        tokenizer_json: bytes_of("tokenizer.json").into(),
        ..TokenizerFiles::default()
    };
    change(&mut files);
    files
}

fn error_with(change: impl FnOnce(&mut TokenizerFiles<'static>)) -> String {
    match Tokenizer::from_files(&files_with(change)) {
        Ok(_) => panic!("the files are bad"),
        Err(e) => format!("{e:#}"),
    }
}

#[test]
fn ids_and_texts_equal_those_of_transformers() {
    let expected: Value =
        serde_json::from_str(&fs::read_to_string(format!("{FIXTURES}/encoded.json")).unwrap())
            .unwrap();
    for (name, tokenizer) in all() {
        for case in expected[name].as_array().unwrap() {
            let text = case["text"].as_str().unwrap();
            let ids = tokenizer.encode_ids(text, true).unwrap();
            let pieces: Vec<u32> = tokenizer
                .encode(text, true)
                .unwrap()
                .iter()
                .map(|p| p.id)
                .collect();
            assert_eq!(
                json!(tokenizer.encode_ids(text, false).unwrap()),
                case["bare"],
                "{name} {text:?}"
            );
            assert_eq!(json!(ids), case["framed"], "{name} {text:?}");
            assert_eq!(ids, pieces, "{name} {text:?}");
            assert_eq!(
                tokenizer.decode(&ids, false),
                case["decoded"],
                "{name} {text:?}"
            );
            assert_eq!(
                tokenizer.decode(&ids, true),
                case["decoded_without_specials"],
                "{name} {text:?}"
            );
        }
    }
}

/// Texts with the characters that tokenizers stumble over.
fn any_text() -> impl Strategy<Value = String> {
    let chunk = prop_oneof![
        3 => any::<String>(),
        3 => "[a-zA-Z ]{0,12}",
        2 => prop::sample::select(vec![
            " ", "  ", "\n", "\t", "▁", "é", "e\u{301}", "你好", "😀", "👨‍👩‍👧", "🇫🇷", "مرحبا", "\u{200d}", "\u{0}",
            "<0xE4>", "<s>", "</s>", "<|im_end|>", "Ġ", "\u{FFFD}",
        ]).prop_map(str::to_owned),
    ];
    prop::collection::vec(chunk, 0..8).prop_map(|chunks| chunks.concat())
}

/// What a stream gives out for `ids`, and whether it ever gave out half a character.
fn streamed(tokenizer: &Tokenizer, start: TextStart, skip: bool, ids: &[u32]) -> String {
    let mut stream = tokenizer.stream(start, skip);
    let mut text: String = ids.iter().map(|&id| stream.push(id)).collect();
    text.push_str(&stream.finish());
    text
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn decoding_what_was_encoded_gives_the_text_back(text in any_text()) {
        let tokenizer = load_once("classroom");
        let ids = tokenizer.encode_ids(&text, false).unwrap();
        prop_assert_eq!(tokenizer.decode(&ids, false), text);
    }

    #[test]
    fn any_ids_stream_to_what_the_library_decodes_at_once(
        ids in prop::collection::vec(prop_oneof![0_u32..20, 0_u32..300, 0_u32..5000], 0..40),
        skip in any::<bool>(),
    ) {
        for name in ["classroom", "sentence", "metaspace"] {
            let tokenizer = load_once(name);
            let at_once = tokenizer.decoding.inner.decode(&ids, skip).unwrap();
            prop_assert_eq!(streamed(tokenizer, TextStart::Fresh, skip, &ids), at_once);
        }
    }

    #[test]
    fn any_text_streams_to_what_the_library_decodes_at_once(text in any_text(), skip in any::<bool>()) {
        for name in ["classroom", "sentence", "metaspace"] {
            let tokenizer = load_once(name);
            let ids = tokenizer.encode_ids(&text, true).unwrap();
            let at_once = tokenizer.decoding.inner.decode(&ids, skip).unwrap();
            prop_assert_eq!(streamed(tokenizer, TextStart::Fresh, skip, &ids), at_once);
        }
    }

    #[test]
    fn merges_end_as_the_encoded_text(text in any_text()) {
        for name in ["classroom", "sentence", "metaspace"] {
            let tokenizer = load_once(name);
            let ids: Vec<u32> = tokenizer.merges(&text).unwrap().iter().flat_map(Word::ids).collect();
            prop_assert_eq!(ids, tokenizer.encode_ids(&text, false).unwrap());
        }
    }

    #[test]
    fn pieces_cover_the_text_byte_by_byte(text in any_text()) {
        for name in ["classroom", "sentence", "metaspace"] {
            let tokenizer = load_once(name);
            let mut end = 0;
            for piece in tokenizer.encode(&text, true).unwrap() {
                prop_assert!(piece.bytes.start == end, "{name}: {piece:?} after {end} in {text:?}");
                end = piece.bytes.end;
            }
            prop_assert_eq!(end, text.len());
        }
    }
}

/// A tokenizer that stays loaded over the cases of a property test.
fn load_once(name: &'static str) -> &'static Tokenizer {
    use std::collections::BTreeMap;
    use std::sync::LazyLock;
    static LOADED: LazyLock<BTreeMap<&str, Tokenizer>> =
        LazyLock::new(|| all().into_iter().collect());
    &LOADED[name]
}

#[test]
fn tokens_that_share_a_character_cover_their_own_bytes() {
    let tokenizer = load("sentence");
    let pieces = tokenizer.encode("a 你", true).unwrap();
    let ranges: Vec<_> = pieces
        .iter()
        .map(|p| (p.text.as_str(), p.bytes.clone()))
        .collect();
    assert_eq!(
        ranges,
        [
            ("<s>", 0..0),
            ("▁a", 0..1),
            ("▁", 1..2),
            ("<0xE4>", 2..3),
            ("<0xBD>", 3..4),
            ("<0xA0>", 4..5),
        ]
    );
    assert_eq!(tokenizer.token_text(pieces[3].id).unwrap(), "<0xE4>");
    assert_eq!(tokenizer.token_bytes(pieces[2].id).unwrap(), b" ");
}

#[test]
fn half_a_character_is_held_back() {
    let tokenizer = load("classroom");
    let ids = tokenizer.encode_ids("你", false).unwrap();
    assert!(ids.len() > 1);
    let mut stream = tokenizer.stream(TextStart::Fresh, true);
    for &id in &ids[..ids.len() - 1] {
        assert_eq!(stream.push(id), "");
        assert!(stream.is_holding());
    }
    assert_eq!(stream.push(ids[ids.len() - 1]), "你");
    assert!(!stream.is_holding());
}

#[test]
fn the_first_space_of_a_sentence_vocabulary_is_taken_away_only_at_the_start_of_a_text() {
    for name in ["sentence", "metaspace"] {
        let tokenizer = load(name);
        let ids = tokenizer.encode_ids("the capital", false).unwrap();
        assert_eq!(
            streamed(&tokenizer, TextStart::Fresh, true, &ids),
            "the capital"
        );
        assert_eq!(
            streamed(&tokenizer, TextStart::Continued, true, &ids),
            " the capital"
        );
        let framed = [&[1], ids.as_slice()].concat();
        assert_eq!(
            streamed(&tokenizer, TextStart::Fresh, true, &framed),
            "the capital"
        );
    }
}

#[test]
fn a_long_answer_streams_in_linear_time() {
    let tokenizer = load("classroom");
    let ids = tokenizer
        .encode_ids(&"The capital of France is Paris. ".repeat(5_000), false)
        .unwrap();
    let started = std::time::Instant::now();
    streamed(&tokenizer, TextStart::Fresh, true, &ids);
    assert!(
        started.elapsed().as_secs() < 5,
        "{:?} for {} ids",
        started.elapsed(),
        ids.len()
    );
}

#[test]
fn the_classroom_knows_its_special_tokens_and_ends() {
    let tokenizer = load("classroom");
    assert_eq!(tokenizer.vocab_size(), 4096);
    assert_eq!(tokenizer.eos_ids(), [2, 0]);
    assert_eq!(tokenizer.special_tokens()[1].content, "<|im_start|>");
    assert!(tokenizer.is_special(2) && !tokenizer.is_special(3));
    assert_eq!(tokenizer.id_of("<|im_end|>"), Some(2));
    assert!(tokenizer.has_template());
    assert_eq!(tokenizer.token_bytes(9999), None);
    let prompt = tokenizer
        .render_chat(&[Message::new("user", "Hi")], &TemplateArgs::for_answer())
        .unwrap();
    assert_eq!(
        prompt.text,
        "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
    );
    assert_eq!(tokenizer.encode_ids(&prompt.text, false).unwrap()[0], 1);
}

#[test]
fn end_tokens_of_all_files_are_joined() {
    let files = files_with(|files| {
        files.generation_config = Some(br#"{"eos_token_id": [7, 8]}"#.as_slice().into());
        files.config = Some(br#"{"eos_token_id": 8}"#.as_slice().into());
        files.tokenizer_config =
            Some(br#"{"eos_token": {"content": "<|im_end|>"}}"#.as_slice().into());
    });
    assert_eq!(Tokenizer::from_files(&files).unwrap().eos_ids(), [7, 8, 2]);
    let said =
        error_with(|files| files.config = Some(br#"{"eos_token_id": "x"}"#.as_slice().into()));
    assert!(
        said.contains("config.json has an eos_token_id that is no token number"),
        "{said}"
    );
}

#[test]
fn flags_of_tokenizer_config_decide_about_the_frame() {
    let config = |flags: &str| {
        let json = format!(r#"{{"bos_token": "<|endoftext|>", "eos_token": "<|im_end|>"{flags}}}"#);
        let files = files_with(|files| files.tokenizer_config = Some(json.into_bytes().into()));
        Tokenizer::from_files(&files)
            .unwrap()
            .encode_ids("", true)
            .unwrap()
    };
    assert!(config("").is_empty());
    assert_eq!(config(r#", "add_bos_token": true"#), [0]);
    assert_eq!(
        config(r#", "add_bos_token": true, "add_eos_token": true"#),
        [0, 2]
    );
}

#[test]
fn bad_files_are_named_in_one_sentence() {
    let tokenizer_json =
        |bytes: &'static [u8]| error_with(|files| files.tokenizer_json = bytes.into());
    assert!(tokenizer_json(b"").starts_with("tokenizer.json is empty; download"));
    assert!(tokenizer_json(b"{}").starts_with("tokenizer.json holds no tokenizer"));
    assert!(tokenizer_json(b"[1").starts_with("tokenizer.json holds no tokenizer"));
    assert!(
        tokenizer_json(br#"{"model": {"type": "BPE", "vocab": {}, "merges": []}}"#)
            .contains("empty vocabulary")
    );
    assert!(
        tokenizer_json(br#"{"model": {"type": "BPE", "vocab": {"a": 0}, "merges": [["a", "b"]]}}"#)
            .starts_with("tokenizer.json holds no tokenizer")
    );
    let said = error_with(|files| files.tokenizer_config = Some(b"".as_slice().into()));
    assert!(said.starts_with("tokenizer_config.json is empty"), "{said}");
    let said = error_with(|files| files.generation_config = Some(b"{".as_slice().into()));
    assert!(
        said.starts_with("generation_config.json is not valid JSON"),
        "{said}"
    );
    let said = error_with(|files| files.chat_template_jinja = Some(b"\xFF".as_slice().into()));
    assert!(
        said.starts_with("chat_template.jinja is not UTF-8"),
        "{said}"
    );
    let said = error_with(|files| {
        files.tokenizer_config = Some(br#"{"chat_template": 3}"#.as_slice().into())
    });
    assert!(said.contains("chat_template that is no template"), "{said}");
}
