//! What a model is made of, read from its config and the headers of its weight files.
//!
//! No weight is loaded and MLX is not asked: a model that is too large to run can be looked at too.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use serde::Serialize;

use super::loaded::read_config;
use crate::hub::ModelFiles;
use crate::model::config::{ModelConfig, RopeScaling};
use crate::model::families;
use crate::model::weights::{Checkpoint, Explained, Renamed, WeightReader};

pub use super::inspect_group::{Group, Half};

/// Everything `vitrine inspect` tells about a model.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Inspection {
    /// What the model is called.
    pub model: String,
    /// Its shape, as `config.json` has it.
    pub architecture: Architecture,
    /// Every tensor in order of execution; a quantized layer's three tensors are one row.
    pub tensors: Vec<TensorRow>,
    /// The rows added up.
    pub groups: Vec<GroupTotal>,
    /// Tensors of the files that the model does without, by reason.
    pub not_used: Vec<NotUsed>,
    /// Parameters of all rows.
    pub parameters: u64,
    /// Bytes of all rows.
    pub tensor_bytes: u64,
    /// Bytes of the weight files on disk: all tensors, used or not, and the headers.
    pub file_bytes: u64,
    /// The weight files.
    pub files: Vec<String>,
    /// `8 · tensor_bytes / parameters`.
    pub bits_per_weight: f64,
    /// The same of the quantized matrices alone, scales and biases included.
    pub quantized_bits_per_weight: Option<f64>,
}

/// The shape of a decoder, in the glossary's words.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Architecture {
    /// `model_type`.
    pub family: String,
    /// Number of blocks.
    pub n_layers: usize,
    /// Width of the residual stream.
    pub d_model: usize,
    /// Query heads of a block.
    pub n_heads: usize,
    /// Key and value heads of a block.
    pub n_kv_heads: usize,
    /// Width of a head.
    pub head_dim: usize,
    /// Width of the MLP's inner layer.
    pub d_mlp: usize,
    /// Rows of the token embedding.
    pub vocab_size: usize,
    /// The longest context the model was made for.
    pub context: usize,
    /// The MLP's activation.
    pub activation: String,
    /// Base of the rotary frequencies; `None` where positions are learned.
    pub rope_theta: Option<f64>,
    /// How the rotary frequencies are stretched, in words.
    pub rope_scaling: Option<String>,
    /// How many positions back a windowed layer looks.
    pub window: Option<usize>,
    /// How many layers have the window.
    pub windowed_layers: usize,
    /// Whether the output head is the token embedding.
    pub tied: bool,
    /// Bits and group size of layers that the config does not list one by one.
    pub quantization: Option<Packing>,
}

/// How the numbers of a quantized matrix are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Packing {
    /// Bits per weight.
    pub bits: usize,
    /// Weights that share a scale and a bias.
    pub group_size: usize,
}

/// One tensor, or the three of a quantized layer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TensorRow {
    /// Name in the model; of a quantized layer, its path.
    pub name: String,
    /// Name in the file, where it is another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stored_as: Option<String>,
    /// Whether the file has rows and columns the other way round.
    pub transposed: bool,
    /// The part of the model it belongs to.
    pub group: Group,
    /// The shape that is computed with.
    pub shape: Vec<usize>,
    /// The shape of the packed words, `[out, in · bits / 32]`.
    pub packed_shape: Option<Vec<usize>>,
    /// Type of its numbers; of a quantized layer, of the scales and biases.
    pub dtype: String,
    /// How it is quantized.
    pub packing: Option<Packing>,
    /// Bytes in the file, scales and biases included.
    pub bytes: u64,
    /// How many parameters it stands for.
    pub parameters: u64,
    /// The file it lies in.
    pub file: String,
}

/// A part of the model, added up.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GroupTotal {
    /// The part.
    pub group: Group,
    /// Its parameters.
    pub parameters: u64,
    /// Its bytes.
    pub bytes: u64,
    /// What the figures do not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<&'static str>,
}

/// Tensors that lie in the files for nothing, and why.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NotUsed {
    /// Their names in the file.
    pub names: Vec<String>,
    /// Why the model does without them.
    pub reason: String,
    /// Their bytes.
    pub bytes: u64,
}

impl Inspection {
    /// Looks at the model called `name`.
    ///
    /// # Errors
    /// If there is no such model, its family is unknown, or its config or headers are broken.
    pub fn of(name: &str) -> Result<Self> {
        Self::of_files(&ModelFiles::find(name)?)
    }

    /// Looks at a model that was found.
    ///
    /// # Errors
    /// As [`Self::of`].
    pub fn of_files(files: &ModelFiles) -> Result<Self> {
        let config = read_config(files)?;
        Self::new(files.label(), &config, &files.checkpoint()?)
    }

    fn new(label: &str, config: &ModelConfig, checkpoint: &Checkpoint) -> Result<Self> {
        let family = families::find(&config.model_type)?;
        let reader = WeightReader::new(checkpoint, |name| (family.clean_up)(config, name))?;
        let mut tensors = Vec::new();
        for name in reader.names() {
            tensors.extend(row(config, &reader, name)?);
        }
        tensors.sort_by_key(|row| (row.group.place(), super::inspect_group::order_in(&row.name)));
        // A family that drops a head of its own has it tied.
        let head = (family.clean_up)(config, "lm_head.weight");
        let tied = matches!(head, Renamed::Dropped(_));
        let sum = |of: fn(&TensorRow) -> u64| tensors.iter().map(of).sum::<u64>();
        let (parameters, tensor_bytes) = (sum(|row| row.parameters), sum(|row| row.bytes));
        let packed: Vec<_> = tensors.iter().filter(|row| row.packing.is_some()).collect();
        let packed_bytes = packed.iter().map(|row| row.bytes).sum();
        let packed_parameters = packed.iter().map(|row| row.parameters).sum();
        Ok(Self {
            model: label.to_owned(),
            architecture: Architecture::of(config, &tensors, tied),
            groups: totals(&tensors, tied),
            not_used: not_used(checkpoint, reader.explained()),
            parameters,
            tensor_bytes,
            file_bytes: checkpoint.file_bytes(),
            files: checkpoint.files().map(str::to_owned).collect(),
            bits_per_weight: bits_per_weight(tensor_bytes, parameters),
            quantized_bits_per_weight: (!packed.is_empty())
                .then(|| bits_per_weight(packed_bytes, packed_parameters)),
            tensors,
        })
    }
}

impl Architecture {
    fn of(config: &ModelConfig, tensors: &[TensorRow], tied: bool) -> Self {
        let learned_positions = tensors.iter().any(|row| row.name.contains(".wpe"));
        let windows = (0..config.num_hidden_layers).filter_map(|layer| config.window_of(layer));
        let windows: Vec<usize> = windows.collect();
        Self {
            family: config.model_type.clone(),
            n_layers: config.num_hidden_layers,
            d_model: config.hidden_size,
            n_heads: config.num_attention_heads,
            n_kv_heads: config.num_key_value_heads,
            head_dim: config.head_dim,
            d_mlp: config.intermediate_size,
            vocab_size: config.vocab_size,
            context: config.max_position_embeddings,
            activation: config.hidden_act.clone(),
            rope_theta: (!learned_positions).then_some(config.rope_theta),
            rope_scaling: config.rope_scaling.map(scaling_in_words),
            window: windows.first().copied(),
            windowed_layers: windows.len(),
            tied,
            quantization: config.quantization.as_ref().map(|general| Packing {
                bits: general.bits,
                group_size: general.group_size,
            }),
        }
    }
}

fn scaling_in_words(scaling: RopeScaling) -> String {
    match scaling {
        RopeScaling::Linear { factor } => format!("linear, {factor} times longer"),
        RopeScaling::Llama3 { factor, .. } => {
            format!("llama3, slow frequencies {factor} times longer")
        }
    }
}

/// The row of the tensor called `name`; none for scales and biases, which belong to their matrix.
fn row(config: &ModelConfig, reader: &WeightReader<'_>, name: &str) -> Result<Option<TensorRow>> {
    let (Some(info), Some(shape)) = (reader.info(name), reader.shape(name)) else {
        return Ok(None);
    };
    let family = families::find(&config.model_type)?;
    let is_packed = |path: &str| reader.has(&format!("{path}.scales"));
    let packing_of = name
        .strip_suffix(".scales")
        .or(name.strip_suffix(".biases"));
    if packing_of.is_some_and(|path| is_packed(path) && reader.has(&format!("{path}.weight"))) {
        return Ok(None);
    }
    let path = name.strip_suffix(".weight").filter(|path| is_packed(path));
    let plain = TensorRow {
        name: name.to_owned(),
        stored_as: (info.name != name).then(|| info.name.clone()),
        transposed: matches!(
            (family.clean_up)(config, &info.name),
            Renamed::TransposedTo(_)
        ),
        group: Group::of(name),
        parameters: shape.iter().map(|dim| *dim as u64).product(),
        shape,
        packed_shape: None,
        dtype: info.dtype.to_string().to_lowercase(),
        packing: None,
        bytes: info.n_bytes as u64,
        file: info.file.to_string(),
    };
    match path {
        Some(path) => quantized(config, reader, path, plain).map(Some),
        None => Ok(Some(plain)),
    }
}

/// The row of a quantized layer, made from that of its packed words.
fn quantized(
    config: &ModelConfig,
    reader: &WeightReader<'_>,
    path: &str,
    words: TensorRow,
) -> Result<TensorRow> {
    let layout = config.quantization_of(path);
    let scales = reader.shape(&format!("{path}.scales")).unwrap_or_default();
    let (Some(layout), &[n_out, n_words], &[_, n_groups]) =
        (layout, words.shape.as_slice(), scales.as_slice())
    else {
        anyhow::bail!(
            "{path} has scales, but config.json or its shapes do not say how it is packed"
        );
    };
    let n_in = n_words * 32 / layout.bits;
    ensure!(
        n_groups * layout.group_size == n_in,
        "{path} does not fit config.json: its words hold {n_in} weights of {} bits in a row, \
         its scales {n_groups} groups of {}",
        layout.bits,
        layout.group_size
    );
    let parts = ["scales", "biases"].map(|part| reader.info(&format!("{path}.{part}")));
    let parts = parts.iter().flatten();
    let dtype = parts
        .clone()
        .next()
        .map(|info| info.dtype.to_string().to_lowercase());
    Ok(TensorRow {
        name: path.to_owned(),
        bytes: words.bytes + parts.map(|info| info.n_bytes as u64).sum::<u64>(),
        parameters: n_out as u64 * n_in as u64,
        shape: vec![n_out, n_in],
        packed_shape: Some(vec![n_out, n_words]),
        dtype: dtype.unwrap_or_default(),
        packing: Some(Packing {
            bits: layout.bits,
            group_size: layout.group_size,
        }),
        ..words
    })
}

/// The rows added up by group, in the groups' order; the head is told of even where it is tied.
fn totals(tensors: &[TensorRow], tied: bool) -> Vec<GroupTotal> {
    let mut sums: BTreeMap<_, (u64, u64)> = BTreeMap::new();
    if tied {
        sums.insert(Group::Head, (0, 0));
    }
    for row in tensors {
        let (parameters, bytes) = sums.entry(row.group).or_default();
        *parameters += row.parameters;
        *bytes += row.bytes;
    }
    let note = |group| match group {
        Group::Head if tied => Some("tied to the embedding and counted there"),
        Group::Other => Some("not known to this family: the model will not load"),
        _ => None,
    };
    let total = |(group, (parameters, bytes))| GroupTotal {
        group,
        parameters,
        bytes,
        note: note(group),
    };
    sums.into_iter().map(total).collect()
}

fn not_used(checkpoint: &Checkpoint, explained: &[Explained]) -> Vec<NotUsed> {
    let mut by_reason: BTreeMap<&str, NotUsed> = BTreeMap::new();
    for tensor in explained {
        let found = by_reason.entry(&tensor.reason).or_insert_with(|| NotUsed {
            names: Vec::new(),
            reason: tensor.reason.clone(),
            bytes: 0,
        });
        found.names.push(tensor.name.clone());
        found.bytes += checkpoint
            .info(&tensor.name)
            .map_or(0, |info| info.n_bytes as u64);
    }
    by_reason.into_values().collect()
}

fn bits_per_weight(bytes: u64, parameters: u64) -> f64 {
    if parameters == 0 {
        0.0
    } else {
        8.0 * bytes as f64 / parameters as f64
    }
}
