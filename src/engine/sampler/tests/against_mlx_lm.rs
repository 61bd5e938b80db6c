//! Whole distributions, compared with those of mlx-lm's sampler (`tests/fixtures/sampler`).

use std::path::Path;

use safetensors::SafeTensors;
use serde::Deserialize;

use super::super::*;

/// Both compute in float32; nothing here is near a filter's border.
const TOLERANCE: f64 = 1e-5;

#[derive(Deserialize)]
struct Case {
    logits: String,
    params: SamplingParams,
}

#[test]
fn every_setting_draws_from_mlx_lms_distribution() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sampler");
    let settings = std::fs::read_to_string(folder.join("settings.json")).unwrap();
    let cases: Vec<Case> = serde_json::from_str(&settings).unwrap();
    let file = std::fs::read(folder.join("distributions.safetensors")).unwrap();
    let tensors = SafeTensors::deserialize(&file).unwrap();
    let history: Vec<u32> = words(&tensors, "history").map(u32::from_le_bytes).collect();
    let expected: Vec<f32> = floats(&tensors, "expected");

    for (i, case) in cases.iter().enumerate() {
        let logits = floats(&tensors, &case.logits);
        let expected = &expected[i * logits.len()..][..logits.len()];
        let drawn = choose(&case.params, &logits, &history, Some(0.5), Some(0.0)).unwrap();
        let seen = filtered(&case.params, &logits, &history, Some(&drawn), logits.len()).unwrap();
        for candidate in &seen.candidates {
            let theirs = f64::from(expected[candidate.token as usize]);
            assert!(
                (candidate.share - theirs).abs() < TOLERANCE,
                "setting {i} on {}: token {} has {} here and {theirs} in mlx-lm",
                case.logits,
                candidate.token,
                candidate.share,
            );
        }
    }
}

/// A tensor's 4-byte words.
fn words<'a>(tensors: &'a SafeTensors, name: &str) -> impl Iterator<Item = [u8; 4]> + 'a {
    let data = tensors.tensor(name).unwrap().data();
    data.chunks_exact(4).map(|word| word.try_into().unwrap())
}

fn floats(tensors: &SafeTensors, name: &str) -> Vec<f32> {
    words(tensors, name).map(f32::from_le_bytes).collect()
}
