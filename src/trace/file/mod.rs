//! Trace files: a run in one safetensors file that opens without the model, here and in Python
//! (`safetensors.numpy.load_file`).
//!
//! Tensors are named by their hooks: the prefill's under the plain names, those of later passes
//! under `pass.{n}.`. Everything else lies in the metadata, as JSON under [`KEY`].

mod companion;
mod read;
mod sane;
mod write;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::HostTensor;
use super::answer::CacheSize;
use super::edit::Edit;

pub use companion::Companion;
pub use read::{TraceFile, regular};
pub use write::{destination, unfinished};

/// The metadata entry that holds a [`TraceMeta`].
pub const KEY: &str = "vitrine_trace";
/// Raised when a reader of older files would misunderstand a new one.
pub const VERSION: u32 = 1;
/// Most bytes of a file's header: names, shapes and the metadata.
const MAX_HEADER: usize = 64 << 20;
/// Most values in the header's JSON: a small file must not become gigabytes of them.
const MAX_JSON_VALUES: usize = 4 << 20;

/// What a trace says beside its tensors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TraceMeta {
    /// [`VERSION`] of the writer.
    pub version: u32,
    /// The model.
    pub model: ModelMeta,
    /// The prompt as the model read it, where it came from text.
    pub prompt: Option<String>,
    /// Every token of the text, prompt and answer.
    pub tokens: Vec<TokenMeta>,
    /// How the prompt's words were merged from bytes: one list of merges per word.
    pub merges: Vec<WordMeta>,
    /// Every pass, in order.
    pub passes: Vec<PassMeta>,
    /// The sampler's settings.
    pub sampling: Value,
    /// Start of the random numbers.
    pub seed: u64,
    /// What was changed.
    pub edits: Vec<Edit>,
    /// What was measured: logit lens, head labels, parity.
    pub measures: BTreeMap<String, Value>,
    /// What a window shows it with; empty in files of earlier versions.
    #[serde(default)]
    pub companion: Companion,
}

/// The model that ran.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelMeta {
    /// Its name.
    pub name: String,
    /// Its `config.json`, as the file has it.
    pub config: Value,
    /// Bytes of weights in its files.
    pub weight_bytes: u64,
    /// The hooks of a pass, in order of execution.
    pub hooks: Vec<String>,
}

/// A token of the text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenMeta {
    /// Row in the vocabulary.
    pub id: u32,
    /// Its text, with `<0xE4>` for bytes that are no whole character.
    pub text: String,
    /// The bytes of the prompt that it covers; none for generated tokens.
    pub bytes: Option<(usize, usize)>,
}

/// How a word became tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WordMeta {
    /// The pieces it began with.
    pub symbols: Vec<String>,
    /// Each merge: its rank, and the two pieces that became one.
    pub merges: Vec<(usize, String, String)>,
}

/// A pass.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PassMeta {
    /// Position of its first token.
    pub start: usize,
    /// Sizes of the pieces it ran in.
    pub boundaries: Vec<usize>,
    /// Seconds per stage.
    pub times: Vec<(String, f64)>,
    /// The draw that followed it: token, random numbers, share, and what the filters left out.
    pub draw: Option<Value>,
    /// The KV cache after it.
    pub cache: CacheSize,
}

/// A trace in memory.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    /// Everything but the tensors.
    pub meta: TraceMeta,
    /// Values by address: `blocks.0.attn.hook_q`, `pass.1.unembed.hook_out`.
    pub tensors: BTreeMap<String, HostTensor>,
}

/// How many bits a trace keeps per value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// Exactly as computed.
    #[default]
    F32,
    /// Half the size, three digits.
    F16,
}

impl Precision {
    /// Bytes of one value.
    #[must_use]
    pub fn n_bytes(self) -> u64 {
        match self {
            Self::F32 => 4,
            Self::F16 => 2,
        }
    }
}

impl Trace {
    /// Bytes of its tensors on disk.
    #[must_use]
    pub fn n_bytes(&self, precision: Precision) -> u64 {
        let n_values = self
            .tensors
            .values()
            .map(|tensor| tensor.values().len() as u64);
        n_values.sum::<u64>() * precision.n_bytes()
    }

    /// The tensor at `hook` of pass `pass`.
    #[must_use]
    pub fn tensor(&self, pass: usize, hook: super::Hook) -> Option<&HostTensor> {
        self.tensors.get(&key(pass, hook))
    }
}

/// The name of a tensor: the prefill's have the plain names.
#[must_use]
pub fn key(pass: usize, hook: super::Hook) -> String {
    match pass {
        0 => hook.to_string(),
        pass => format!("pass.{pass}.{hook}"),
    }
}

/// How many values a header's JSON can hold at most, counted by the signs that stand between them.
fn n_json_values(json: &[u8]) -> usize {
    let separates = |byte: &&u8| matches!(byte, b',' | b':' | b'[' | b'{');
    json.iter().filter(separates).count()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn small() -> Trace {
        let tensor = HostTensor::new(vec![1, 2], vec![0.5, -3.0]).unwrap();
        Trace {
            meta: TraceMeta {
                version: VERSION,
                model: ModelMeta {
                    name: "tiny".into(),
                    config: Value::Null,
                    weight_bytes: 0,
                    hooks: vec!["hook_embed".into()],
                },
                prompt: Some("héllo".into()),
                tokens: Vec::new(),
                merges: Vec::new(),
                passes: Vec::new(),
                sampling: Value::Null,
                seed: 7,
                edits: vec!["hook_embed=zero".parse().unwrap()],
                measures: BTreeMap::new(),
                companion: Companion::default(),
            },
            tensors: BTreeMap::from([("hook_embed".to_owned(), tensor)]),
        }
    }

    #[test]
    fn a_trace_is_read_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.safetensors");
        for precision in [Precision::F32, Precision::F16] {
            small().save(&path, precision).unwrap();
            assert_eq!(Trace::open(&path).unwrap(), small());
        }
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            1,
            "nothing else is left"
        );
    }

    #[test]
    fn a_trace_that_cannot_be_written_leaves_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let error = small().save(
            &folder.path().join("no/such/folder.safetensors"),
            Precision::F32,
        );
        assert!(
            error
                .unwrap_err()
                .to_string()
                .contains("cannot write the trace")
        );
    }

    #[test]
    fn what_is_no_trace_is_refused() {
        for bytes in [&b""[..], b"{}", &[0xFF; 64], &8_u64.to_le_bytes()] {
            assert!(Trace::from_bytes(bytes).is_err());
        }
    }
}
