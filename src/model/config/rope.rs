//! Rotary positions in `config.json`: the base of the frequencies and how they are stretched.

use super::error::ConfigError;
use super::fields::Fields;

/// How rotary frequencies are changed so that a model reads further than it was first trained to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RopeScaling {
    /// Every position is divided by `factor` (Code Llama's long variants).
    Linear {
        /// How many times longer the context becomes.
        factor: f64,
    },
    /// Slow frequencies are divided by `factor`, fast ones kept, those between blended (Llama 3.1 and later).
    Llama3 {
        /// How many times longer the context becomes.
        factor: f64,
        /// Wavelengths above `original_max_position_embeddings / low_freq_factor` are stretched in full.
        low_freq_factor: f64,
        /// Wavelengths below `original_max_position_embeddings / high_freq_factor` are left alone.
        high_freq_factor: f64,
        /// Context length of the first training.
        original_max_position_embeddings: usize,
    },
}

/// The base of the frequencies and their scaling.
///
/// Older files have `rope_theta` and `rope_scaling` side by side; transformers 5 writes one object,
/// `rope_parameters`, with both. Where a file has both forms the older goes first, as in mlx-lm's qwen3.py.
pub(super) fn read(
    fields: &Fields,
    model_type: &str,
) -> Result<(f64, Option<RopeScaling>), ConfigError> {
    let newer = object(fields, "rope_parameters")?;
    let older = object(fields, "rope_scaling")?;
    if let Some(newer) = &newer
        && newer.iter().any(|(_, value)| value.is_object())
    {
        return Err(fields.unsupported(
            "rope_parameters",
            "different rotary positions per kind of layer",
        ));
    }
    let nested_theta = match &newer {
        Some(newer) => newer.opt_positive("rope_theta")?,
        None => None,
    };
    let theta = match fields.opt_positive("rope_theta")?.or(nested_theta) {
        Some(theta) => theta,
        None => default_theta(model_type).ok_or_else(|| fields.missing("rope_theta"))?,
    };
    let scaling = match older.or(newer) {
        Some(scaling) => read_scaling(&scaling)?,
        None => None,
    };
    Ok((theta, scaling))
}

fn object<'a>(fields: &Fields<'a>, name: &'a str) -> Result<Option<Fields<'a>>, ConfigError> {
    fields
        .get(name)
        .map(|value| Fields::new(fields.label(), name, value))
        .transpose()
}

/// mlx-lm's default per family; qwen3 has none, and a wrong base gives fluent nonsense.
fn default_theta(model_type: &str) -> Option<f64> {
    match model_type {
        "qwen2" => Some(1_000_000.0),
        "qwen3" => None,
        _ => Some(10_000.0),
    }
}

fn read_scaling(fields: &Fields) -> Result<Option<RopeScaling>, ConfigError> {
    let kind = match fields.opt_text("rope_type")? {
        Some(kind) => kind,
        // Files from before Llama 3.1 say `type`.
        None => fields
            .opt_text("type")?
            .unwrap_or_else(|| "default".to_owned()),
    };
    match kind.as_str() {
        "default" => Ok(None),
        "linear" => Ok(Some(RopeScaling::Linear {
            factor: factor(fields)?,
        })),
        "llama3" => llama3(fields).map(Some),
        other => {
            Err(fields.unsupported("rope_type", &format!("rotary scaling of type \"{other}\"")))
        }
    }
}

fn factor(fields: &Fields) -> Result<f64, ConfigError> {
    fields
        .opt_positive("factor")?
        .ok_or_else(|| fields.missing("factor"))
}

/// The defaults are mlx-lm's (rope_utils.py).
fn llama3(fields: &Fields) -> Result<RopeScaling, ConfigError> {
    let low_freq_factor = fields.opt_positive("low_freq_factor")?.unwrap_or(1.0);
    let high_freq_factor = fields.opt_positive("high_freq_factor")?.unwrap_or(4.0);
    if high_freq_factor <= low_freq_factor {
        return Err(fields.wrong(
            "high_freq_factor",
            format!(
                "{high_freq_factor} should be above low_freq_factor, which is {low_freq_factor}"
            ),
        ));
    }
    Ok(RopeScaling::Llama3 {
        factor: factor(fields)?,
        low_freq_factor,
        high_freq_factor,
        original_max_position_embeddings: fields
            .opt_size("original_max_position_embeddings", 1 << 40)?
            .unwrap_or(8_192),
    })
}
