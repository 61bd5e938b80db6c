//! The network computes what mlx-lm (and for Mistral's window, transformers) computes.
//!
//! The references beside the tiny models are float32 arithmetic by another program in another
//! order of additions; 1e-3 on logits that spread over several units is far above its noise and
//! far below any mistake.

mod common;

use std::collections::HashMap;
use std::path::Path;

use common::{fixture, on_mlx};
use mlx_rs::Array;
use vitrine::engine::context::Context;
use vitrine::engine::pass::{LogitRows, Pass};
use vitrine::model::Model;
use vitrine::model::cache::CacheOptions;
use vitrine::model::config::ModelConfig;
use vitrine::model::linear::Kernels;
use vitrine::model::probe::Unwatched;
use vitrine::model::weights::Checkpoint;

const TOLERANCE: f32 = 1e-3;

/// Every model folder of the fixtures.
const MODELS: [&str; 27] = [
    "gpt2",
    "gpt2-4bit",
    "gpt2-hf",
    "gpt2-hf-prefixed",
    "llama",
    "llama-2bit",
    "llama-3bit",
    "llama-4bit",
    "llama-4bit-g128",
    "llama-4bit-g32",
    "llama-6bit",
    "llama-8bit",
    "llama-bf16",
    "llama-biased",
    "llama-f16",
    "llama-mixed",
    "llama-rope-linear",
    "llama-rope-llama3",
    "llama-rope-traditional",
    "llama-sharded",
    "mistral",
    "mistral-4bit",
    "qwen2",
    "qwen2-4bit",
    "qwen2-untied",
    "qwen3",
    "qwen3-4bit",
];

struct Case {
    model: Model,
    reference: HashMap<String, Array>,
}

impl Case {
    fn load(folder: &Path, kernels: Kernels) -> Self {
        let config = ModelConfig::load(folder).unwrap();
        let checkpoint = Checkpoint::open(folder).unwrap();
        let model = Model::load(config, &checkpoint, kernels).unwrap();
        let reference = Array::load_safetensors(folder.join("reference.safetensors")).unwrap();
        Self { model, reference }
    }

    fn ids(&self, key: &str) -> Vec<u32> {
        let ids = self.reference[key].to_vec_exact::<i32>().unwrap();
        ids.into_iter().map(|id| id as u32).collect()
    }

    fn rows(&self, key: &str) -> Vec<Vec<f32>> {
        let values = &self.reference[key];
        let width = values.dim(-1) as usize;
        let values = values.to_vec_cast::<f32>().unwrap();
        values.chunks(width).map(<[f32]>::to_vec).collect()
    }

    fn context(&self) -> Context {
        Context::new(self.model.n_layers(), CacheOptions::default())
    }

    /// Logits of every position of `ids`, after what `context` holds.
    fn logits(&self, context: &mut Context, ids: &[u32]) -> Vec<Vec<f32>> {
        let mut pass = Pass::new(&self.model, context.len(), ids.to_vec(), LogitRows::All);
        pass.run(&self.model, context, &mut Unwatched).unwrap();
        let logits = pass.logits().unwrap();
        let width = logits.dim(-1) as usize;
        let logits = logits.to_vec_cast::<f32>().unwrap();
        logits.chunks(width).map(<[f32]>::to_vec).collect()
    }

    /// Logits of `ids` fed one by one.
    fn decode(&self, context: &mut Context, ids: &[u32]) -> Vec<Vec<f32>> {
        ids.iter()
            .flat_map(|id| self.logits(context, &[*id]))
            .collect()
    }
}

fn argmax(row: &[f32]) -> usize {
    (0..row.len())
        .max_by(|a, b| row[*a].total_cmp(&row[*b]))
        .unwrap()
}

fn assert_same(what: &str, ours: &[Vec<f32>], theirs: &[Vec<f32>]) {
    assert_eq!(ours.len(), theirs.len(), "{what}: number of rows");
    for (pos, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
        let pairs = ours.iter().zip(theirs);
        let worst = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst <= TOLERANCE, "{what}, row {pos}: off by {worst}");
        assert_eq!(argmax(ours), argmax(theirs), "{what}, row {pos}: top token");
    }
}

fn check(name: &str, kernels: Kernels) {
    let case = Case::load(&fixture("models").join(name), kernels);
    let (prompt, decode) = (case.ids("prompt_ids"), case.ids("decode_ids"));
    let what = |part: &str| format!("{name} ({kernels:?} kernels), {part}");

    let mut context = case.context();
    let logits = case.logits(&mut context, &prompt);
    assert_same(&what("prefill"), &logits, &case.rows("logits"));
    let decoded = case.decode(&mut context, &decode);
    assert_same(&what("decode"), &decoded, &case.rows("decode_logits"));

    let mut context = case.context();
    let mut rest = prompt.as_slice();
    let mut chunked = Vec::new();
    for size in case.ids("chunk_sizes") {
        let (chunk, after) = rest.split_at(size as usize);
        chunked.extend(case.logits(&mut context, chunk));
        rest = after;
    }
    assert_same(
        &what("prefill in chunks"),
        &chunked,
        &case.rows("chunked_logits"),
    );
}

#[test]
fn every_family_and_width_gives_mlx_lms_logits() {
    for name in MODELS {
        on_mlx(move || check(name, Kernels::Auto));
    }
}

#[test]
fn mlx_kernels_give_mlx_lms_logits_too() {
    for name in MODELS {
        on_mlx(move || check(name, Kernels::Mlx));
    }
}

#[test]
fn our_kernels_and_mlx_agree_within_a_ten_thousandth_of_the_largest_logit() {
    for name in MODELS {
        on_mlx(move || {
            let folder = fixture("models").join(name);
            let ours = Case::load(&folder, Kernels::Auto);
            let mlx = Case::load(&folder, Kernels::Mlx);
            let (prompt, decode) = (ours.ids("prompt_ids"), ours.ids("decode_ids"));
            let all = |case: &Case| {
                let mut context = case.context();
                let mut rows = case.logits(&mut context, &prompt);
                rows.extend(case.decode(&mut context, &decode));
                rows.concat()
            };
            let (ours, mlx) = (all(&ours), all(&mlx));
            let largest = mlx
                .iter()
                .fold(0.0_f32, |largest, logit| largest.max(logit.abs()));
            let pairs = ours.iter().zip(&mlx);
            let worst = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(
                worst <= 1e-4 * largest,
                "{name}: off by {worst} of {largest}"
            );
        });
    }
}

/// MLX's library would otherwise use the reference BLAS it comes with, 30 to 70 times slower.
#[cfg(target_os = "linux")]
#[test]
fn mlx_multiplies_float32_matrices_with_our_sgemm() {
    use vitrine::model::kernels::sgemm_calls;
    on_mlx(|| {
        let a = Array::from_slice(&[1.0_f32, 2.0, 3.0, 4.0], &[2, 2]);
        let before = sgemm_calls();
        let product = a.matmul(&a).unwrap();
        assert_eq!(product.as_slice::<f32>(), [7.0, 10.0, 15.0, 22.0]);
        assert!(
            sgemm_calls() > before,
            "MLX did not call the program's cblas_sgemm"
        );
    });
}

#[test]
fn within_one_window_mistral_is_what_mlx_lm_computes() {
    on_mlx(|| {
        for name in ["mistral", "mistral-4bit"] {
            let case = Case::load(&fixture("models").join(name), Kernels::Auto);
            let mut context = case.context();
            let logits = case.logits(&mut context, &case.ids("short_prompt_ids"));
            assert_same(name, &logits, &case.rows("short_logits"));
            let decode = &case.ids("decode_ids")[..case.rows("short_decode_logits").len()];
            let decoded = case.decode(&mut context, decode);
            assert_same(name, &decoded, &case.rows("short_decode_logits"));
        }
    });
}
