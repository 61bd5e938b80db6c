//! Random damage: whatever the bytes, opening ends soon, in an answer or a sentence, and never in a panic.

use proptest::prelude::*;

use super::{folder, safetensors_file, with_header};
use crate::model::weights::Checkpoint;

/// Opens a file of these bytes and reads every tensor it is said to hold.
fn open_and_read(name: &str, bytes: &[u8]) -> Result<(), String> {
    let folder = folder(&[(name, bytes)]);
    let checkpoint = Checkpoint::open(folder.path()).map_err(|error| error.to_string())?;
    for info in checkpoint.infos() {
        let read = checkpoint
            .read(&info.name)
            .map_err(|error| error.to_string())?;
        assert_eq!(read.len(), info.n_bytes);
    }
    assert!(checkpoint.n_bytes() <= bytes.len() as u64);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_are_refused_in_a_sentence(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        if let Err(message) = open_and_read("model.safetensors", &bytes) {
            prop_assert!(message.contains("model.safetensors"));
        }
    }

    #[test]
    fn random_header_text_is_refused_in_a_sentence(header in "[\\[\\]{}:,\"a-cF0-9_ ]{0,80}") {
        let _ = open_and_read("model.safetensors", &with_header(&header, &[0; 16]));
    }

    #[test]
    fn a_changed_byte_never_panics(at in 0usize..200, byte: u8) {
        let mut bytes = safetensors_file(&[("a.weight", &[2, 3]), ("b", &[4]), ("c", &[])]);
        let n_bytes = bytes.len();
        bytes[at % n_bytes] = byte;
        let _ = open_and_read("model.safetensors", &bytes);
    }

    #[test]
    fn any_cut_is_noticed(at in 0usize..200) {
        let bytes = safetensors_file(&[("a.weight", &[2, 3]), ("b", &[4])]);
        prop_assert!(open_and_read("model.safetensors", &bytes[..at % bytes.len()]).is_err());
    }

    #[test]
    fn made_up_places_and_shapes_never_panic(
        shape in proptest::collection::vec(any::<u64>(), 0..4), start: u64, end: u64
    ) {
        let header = serde_json::json!({"a": {"dtype": "F16", "shape": shape, "data_offsets": [start, end]}});
        let _ = open_and_read("model.safetensors", &with_header(&header.to_string(), &[0; 64]));
    }

    #[test]
    fn random_index_text_never_panics(text in "[\\[\\]{}:,\"a-c/.\\\\]{0,60}") {
        prop_assert!(open_and_read("model.safetensors.index.json", text.as_bytes()).is_err());
        let index = serde_json::json!({"weight_map": {"a": text}}).to_string();
        prop_assert!(open_and_read("model.safetensors.index.json", index.as_bytes()).is_err());
    }
}
