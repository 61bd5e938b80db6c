//! The strict reader: nothing missing, misshapen or left over goes unnoticed.

use super::{floats, folder, index, safetensors_file};
use crate::model::weights::{Checkpoint, Dtype, Renamed, WeightReader, WeightsError};

fn checkpoint(tensors: &[(&str, &[usize])]) -> (tempfile::TempDir, Checkpoint) {
    let folder = folder(&[("model.safetensors", &safetensors_file(tensors))]);
    let checkpoint = Checkpoint::open(folder.path()).unwrap();
    (folder, checkpoint)
}

#[test]
fn a_load_that_takes_everything_ends_well() {
    let (_folder, checkpoint) = checkpoint(&[("a.weight", &[2, 2]), ("a.bias", &[2])]);
    let mut reader = WeightReader::new(&checkpoint, |_| Renamed::Keep).unwrap();
    assert_eq!(
        floats(&reader.take("a.weight", &[2, 2]).unwrap().bytes),
        [0.0, 1.0, 2.0, 3.0]
    );
    assert!(reader.take_optional("a.bias", &[2]).unwrap().is_some());
    assert!(reader.take_optional("b.bias", &[2]).unwrap().is_none());
    assert!(reader.finish().unwrap().is_empty());
}

#[test]
fn a_missing_tensor_is_named_with_its_purpose_and_file() {
    let (_folder, checkpoint) = checkpoint(&[("a", &[1])]);
    let mut reader = WeightReader::new(&checkpoint, |_| Renamed::Keep).unwrap();
    let message = reader
        .take("model.layers.3.self_attn.q_proj.scales", &[1])
        .unwrap_err()
        .to_string();
    for part in [
        "model.layers.3.self_attn.q_proj.scales",
        "scales of the query projection, block 3",
        "model.safetensors",
    ] {
        assert!(message.contains(part), "{message}\nlacks: {part}");
    }
}

#[test]
fn a_tensor_missing_from_the_file_the_index_promised_says_so() {
    let files = [
        ("part.safetensors", safetensors_file(&[("a", &[1])])),
        (
            "model.safetensors.index.json",
            index(&[
                ("a", "part.safetensors"),
                ("lm_head.weight", "part.safetensors"),
            ]),
        ),
    ];
    let folder = folder(
        &files
            .each_ref()
            .map(|(name, bytes)| (*name, bytes.as_slice())),
    );
    let checkpoint = Checkpoint::open(folder.path()).unwrap();
    let mut reader = WeightReader::new(&checkpoint, |_| Renamed::Keep).unwrap();
    let message = reader.take("lm_head.weight", &[1]).unwrap_err().to_string();
    assert!(
        message.contains("output head") && message.contains("where the index puts it"),
        "{message}"
    );
}

#[test]
fn a_wrong_shape_is_named_with_both_shapes() {
    let (_folder, checkpoint) = checkpoint(&[("lm_head.weight", &[2, 3])]);
    let mut reader = WeightReader::new(&checkpoint, |_| Renamed::Keep).unwrap();
    let message = reader
        .take("lm_head.weight", &[3, 2])
        .unwrap_err()
        .to_string();
    for part in ["lm_head.weight", "[2, 3]", "[3, 2]", "model.safetensors"] {
        assert!(message.contains(part), "{message}");
    }
    assert!(matches!(
        reader.take_optional("lm_head.weight", &[6]),
        Err(WeightsError::WrongShape { .. })
    ));
}

#[test]
fn left_over_tensors_are_named() {
    let names: Vec<String> = (0..8).map(|i| format!("extra.{i}")).collect();
    let tensors: Vec<(&str, &[usize])> =
        names.iter().map(|name| (name.as_str(), &[1][..])).collect();
    let (_folder, checkpoint) = checkpoint(&tensors);
    let mut reader = WeightReader::new(&checkpoint, |_| Renamed::Keep).unwrap();
    reader.take("extra.7", &[1]).unwrap();
    let message = reader.finish().unwrap_err().to_string();
    for part in [
        "7 tensors",
        "\"extra.0\" in ",
        "\"extra.4\"",
        "and 2 more",
        "model.safetensors",
    ] {
        assert!(message.contains(part), "{message}\nlacks: {part}");
    }
    assert!(!message.contains("extra.5") && !message.contains("extra.7"));
}

#[test]
fn what_is_explained_is_not_left_over() {
    let (_folder, checkpoint) = checkpoint(&[
        ("model.layers.0.self_attn.rotary_emb.inv_freq", &[4]),
        ("lm_head.weight", &[2, 2]),
        ("lm_head.scales", &[2, 1]),
        ("norm.weight", &[2]),
    ]);
    let drop_frequencies = |name: &str| match name {
        name if name.ends_with("rotary_emb.inv_freq") => {
            Renamed::Dropped("the frequencies are computed")
        }
        _ => Renamed::Keep,
    };
    let mut reader = WeightReader::new(&checkpoint, drop_frequencies).unwrap();
    reader.take("norm.weight", &[2]).unwrap();
    reader.explain("lm_head.*", "the head is tied to the embedding");
    reader.explain("norm.*", "already taken, so not explained again");
    let explained = reader.finish().unwrap();
    let names: Vec<&str> = explained.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "model.layers.0.self_attn.rotary_emb.inv_freq",
            "lm_head.scales",
            "lm_head.weight"
        ]
    );
    assert_eq!(explained[1].reason, "the head is tied to the embedding");
}

#[test]
fn a_transposed_matrix_arrives_in_the_models_order() {
    let (_folder, checkpoint) = checkpoint(&[("h.0.attn.c_attn.weight", &[2, 3])]);
    let transpose = |name: &str| Renamed::TransposedTo(format!("model.{name}"));
    let mut reader = WeightReader::new(&checkpoint, transpose).unwrap();
    let name = "model.h.0.attn.c_attn.weight";
    assert_eq!(reader.shape(name), Some(vec![3, 2]));
    let tensor = reader.take(name, &[3, 2]).unwrap();
    assert_eq!(floats(&tensor.bytes), [0.0, 3.0, 1.0, 4.0, 2.0, 5.0]);
    assert_eq!(tensor.info.name, "h.0.attn.c_attn.weight");
    assert!(tensor.expect_dtype(&[Dtype::F32, Dtype::F16]).is_ok());
    assert!(
        tensor
            .expect_dtype(&[Dtype::U32])
            .unwrap_err()
            .to_string()
            .contains("holds F32 numbers, but U32")
    );
    reader.finish().unwrap();
}

#[test]
fn two_tensors_under_one_name_are_refused() {
    let (_folder, checkpoint) = checkpoint(&[("norm.weight", &[2]), ("model.norm.weight", &[2])]);
    let strip = |name: &str| Renamed::To(name.trim_start_matches("model.").to_owned());
    let error = WeightReader::new(&checkpoint, strip).unwrap_err();
    assert!(matches!(error, WeightsError::SameName { .. }), "{error}");
}

#[test]
fn patterns_stand_for_any_text_at_each_star() {
    let all: &[(&str, &[usize])] = &[
        ("h.0.attn.bias", &[1]),
        ("h.0.attn.c_attn.bias", &[1]),
        ("h.10.attn.bias", &[1]),
    ];
    let explained_by = |pattern: &str| {
        let (_folder, checkpoint) = checkpoint(all);
        let mut reader = WeightReader::new(&checkpoint, |_| Renamed::Keep).unwrap();
        reader.explain(pattern, "");
        3 - all.iter().filter(|(name, _)| reader.has(name)).count()
    };
    let cases = [
        ("h.*.attn.bias", 2),
        ("*.bias", 3),
        ("h.0.*", 2),
        ("*", 3),
        ("h.0.attn.bias", 1),
        ("attn", 0),
        ("h.0", 0),
    ];
    for (pattern, expected) in cases {
        assert_eq!(explained_by(pattern), expected, "{pattern}");
    }
}
