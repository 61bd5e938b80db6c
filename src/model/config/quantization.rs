//! The quantization a `config.json` declares: MLX's affine scheme, with exceptions per layer.
//!
//! `w = scale * q + bias` per group of `group_size` weights, `q` an unsigned number of `bits` bits.

use std::collections::BTreeMap;

use serde_json::Value;

use super::error::ConfigError;
use super::fields::Fields;

/// How one layer's matrix is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerQuantization {
    /// Weights that share one scale and one bias: 32, 64 or 128.
    pub group_size: usize,
    /// Bits per weight: 2, 3, 4, 6 or 8.
    pub bits: usize,
}

impl LayerQuantization {
    /// What the shapes of a packed layer say: `packed_cols` words of 32 bits per row, `n_groups` scales per row.
    ///
    /// mlx-lm trusts the shapes over the config's general entry for layers the config does not list
    /// (`infer_quant_config` in `utils.py`). `None` where the shapes fit no supported packing.
    pub fn from_shapes(in_features: usize, packed_cols: usize, n_groups: usize) -> Option<Self> {
        let group_size = in_features.checked_div(n_groups)?;
        let bits = packed_cols.checked_mul(32)?.checked_div(in_features)?;
        let fits = group_size * n_groups == in_features && bits * in_features == packed_cols * 32;
        (fits && GROUP_SIZES.contains(&group_size) && BITS.contains(&bits))
            .then_some(Self { group_size, bits })
    }
}

/// The quantization of a whole model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quantization {
    /// Group size of layers that are not listed in `overrides`.
    pub group_size: usize,
    /// Bits of layers that are not listed in `overrides`.
    pub bits: usize,
    /// The scheme; always `affine` here, others are refused.
    pub mode: String,
    /// Layers with a packing of their own, by path; `None`: not quantized.
    pub overrides: BTreeMap<String, Option<LayerQuantization>>,
}

impl Quantization {
    /// How the layer at `path` is packed; `None`: not quantized.
    pub fn of(&self, path: &str) -> Option<LayerQuantization> {
        let general = LayerQuantization {
            group_size: self.group_size,
            bits: self.bits,
        };
        self.overrides.get(path).copied().unwrap_or(Some(general))
    }
}

const GROUP_SIZES: [usize; 3] = [32, 64, 128];
const BITS: [usize; 5] = [2, 3, 4, 6, 8];

/// `quantization`, else a `quantization_config` that is MLX's own: MLX writes the same object under both names.
pub(super) fn read(fields: &Fields) -> Result<Option<Quantization>, ConfigError> {
    for name in ["quantization", "quantization_config"] {
        match fields.get(name) {
            None | Some(Value::Bool(false)) => {}
            Some(value) => {
                return read_object(&Fields::new(fields.label(), name, value)?).map(Some);
            }
        }
    }
    Ok(None)
}

fn read_object(fields: &Fields) -> Result<Quantization, ConfigError> {
    if let Some(method) = fields.opt_text("quant_method")? {
        return Err(fields.unsupported(
            "quant_method",
            &format!(
                "weights quantized with \"{method}\"; this program runs MLX's own quantization"
            ),
        ));
    }
    let mode = read_mode(fields)?;
    let group_size = one_of(fields, "group_size", &GROUP_SIZES)?;
    let bits = one_of(fields, "bits", &BITS)?;
    let general = LayerQuantization {
        group_size: group_size.ok_or_else(|| fields.missing("group_size"))?,
        bits: bits.ok_or_else(|| fields.missing("bits"))?,
    };
    let mut overrides = BTreeMap::new();
    for (path, value) in fields.iter() {
        let layer = match value {
            Value::Bool(false) => None,
            Value::Bool(true) => Some(general),
            Value::Object(_) => Some(read_layer(fields.label(), path, value)?),
            // Anything else is no layer: `group_size`, `bits`, `mode` and fields of other tools.
            _ => continue,
        };
        overrides.insert(path.clone(), layer);
    }
    Ok(Quantization {
        group_size: general.group_size,
        bits: general.bits,
        mode,
        overrides,
    })
}

/// One layer's own packing; what it leaves out has MLX's defaults, not the model's (`nn.quantize`).
fn read_layer(label: &str, path: &str, value: &Value) -> Result<LayerQuantization, ConfigError> {
    let fields = Fields::new(label, path, value)?;
    read_mode(&fields)?;
    Ok(LayerQuantization {
        group_size: one_of(&fields, "group_size", &GROUP_SIZES)?.unwrap_or(64),
        bits: one_of(&fields, "bits", &BITS)?.unwrap_or(4),
    })
}

fn read_mode(fields: &Fields) -> Result<String, ConfigError> {
    match fields.opt_text("mode")? {
        None => Ok("affine".to_owned()),
        Some(mode) if mode == "affine" => Ok(mode),
        Some(mode) => Err(fields.unsupported("mode", &format!("quantization of mode \"{mode}\""))),
    }
}

fn one_of(fields: &Fields, name: &str, allowed: &[usize]) -> Result<Option<usize>, ConfigError> {
    let Some(found) = fields.opt_count(name)? else {
        return Ok(None);
    };
    if allowed.contains(&found) {
        return Ok(Some(found));
    }
    let list: Vec<String> = allowed.iter().map(usize::to_string).collect();
    Err(fields.wrong(
        name,
        format!("{found} is not among the supported {}", list.join(", ")),
    ))
}
