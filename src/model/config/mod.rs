//! What a model says about its own shape: `config.json`, read once and checked.
//!
//! Every number the rest of the program relies on is verified here, so that a wrong file is one clear
//! sentence at load time and never a strange shape, a division by zero or an absurd allocation later.
//! Unknown fields are ignored: every Hugging Face config carries many that have nothing to do with inference.

mod axes;
mod error;
mod fields;
mod quantization;
mod rope;
#[cfg(test)]
mod tests;

use std::path::Path;

use serde_json::Value;

pub use error::ConfigError;
pub use quantization::{LayerQuantization, Quantization};
pub use rope::RopeScaling;

use fields::Fields;

/// A config is a few kilobytes; anything beyond this is some other file.
const MAX_CONFIG_BYTES: u64 = 16 << 20;

/// The shape of a decoder, in Hugging Face's names, whatever names its `config.json` used.
///
/// A value of this type has been checked: counts are positive and plausible, the heads divide evenly,
/// and the scalings and quantizations named are ones the program can compute.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelConfig {
    /// The architecture's name, e.g. `qwen2`; which ones can run is for the families to say.
    pub model_type: String,
    /// Width of the residual stream (d_model).
    pub hidden_size: usize,
    /// Number of blocks (n_layers).
    pub num_hidden_layers: usize,
    /// Number of query heads (n_heads).
    pub num_attention_heads: usize,
    /// Number of key and value heads (n_kv_heads); fewer than query heads means they are shared (GQA).
    pub num_key_value_heads: usize,
    /// Width of one head; not always `hidden_size / num_attention_heads` (qwen3).
    pub head_dim: usize,
    /// Width of the MLP's inner layer (d_mlp).
    pub intermediate_size: usize,
    /// Number of tokens the embedding has rows for.
    pub vocab_size: usize,
    /// Longest context the model was made for; the number of learned positions in gpt2.
    pub max_position_embeddings: usize,
    /// Base of the rotary frequencies; unused where positions are learned.
    pub rope_theta: f64,
    /// How the rotary frequencies are stretched for longer contexts.
    pub rope_scaling: Option<RopeScaling>,
    /// Rotate neighbouring pairs (true) or the two halves of a head (false, the usual case).
    pub rope_traditional: bool,
    /// The small number inside the root of a norm: `rms_norm_eps`, or gpt2's `layer_norm_epsilon`.
    pub norm_eps: f64,
    /// The output head is the embedding, transposed, and has no tensor of its own.
    pub tie_word_embeddings: bool,
    /// The attention projections have biases (llama's switch; in qwen2 and gpt2 they always have).
    pub attention_bias: bool,
    /// The MLP's projections have biases (llama's switch).
    pub mlp_bias: bool,
    /// Width of the attention window as written in the file; [`Self::window_of`] says who uses it.
    pub sliding_window: Option<usize>,
    /// qwen's switch for the window.
    pub use_sliding_window: bool,
    /// qwen's first windowed layer, where the window is on.
    pub max_window_layers: usize,
    /// Kind of attention per layer where the file lists it; true: windowed.
    pub windowed_layers: Option<Vec<bool>>,
    /// Name of the MLP's activation: `silu`, `gelu_new`, …
    pub hidden_act: String,
    /// How the weights are quantized; `None` for 16- and 32-bit checkpoints.
    pub quantization: Option<Quantization>,
    /// Id of the token that begins a text, where there is one.
    pub bos_token_id: Option<u32>,
    /// Ids of the tokens that end an answer.
    pub eos_token_ids: Vec<u32>,
    /// Number type the checkpoint was saved in, e.g. `float16`: told, not relied on.
    pub torch_dtype: Option<String>,
}

impl ModelConfig {
    /// Reads `config.json` in `folder`.
    ///
    /// # Errors
    /// If there is none, or it cannot be read, or as [`ModelConfig::from_bytes`].
    pub fn load(folder: &Path) -> Result<Self, ConfigError> {
        let path = folder.join("config.json");
        let label = folder.display().to_string();
        let unreadable = |error: std::io::Error| ConfigError::Unreadable {
            path: path.display().to_string(),
            why: error.to_string(),
        };
        match std::fs::metadata(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(ConfigError::Missing { label });
            }
            Err(error) => return Err(unreadable(error)),
            Ok(info) if info.len() > MAX_CONFIG_BYTES => {
                return Err(ConfigError::TooLarge {
                    label,
                    n_bytes: info.len(),
                });
            }
            Ok(_) => {}
        }
        let bytes = std::fs::read(&path).map_err(unreadable)?;
        Self::from_bytes(&label, Some(&bytes))
    }

    /// Reads a config from the bytes of the file; `label` names the model in messages.
    ///
    /// `None` stands for a model without a `config.json`.
    ///
    /// # Errors
    /// If there are no bytes, the JSON is broken, or a field is missing, of the wrong type, implausible,
    /// or asks for something the program cannot compute. Each message names the field and what was found.
    pub fn from_bytes(label: &str, bytes: Option<&[u8]>) -> Result<Self, ConfigError> {
        let value = parse(label, bytes)?;
        let fields = Fields::new(label, "", &value)?;
        let config = match fields.text("model_type")?.as_str() {
            "gpt2" => gpt2(&fields)?,
            _ => llama_like(&fields)?,
        };
        config.check(&fields)?;
        Ok(config)
    }

    /// Only the architecture's name: what to ask first, since another architecture may lack every other field.
    ///
    /// # Errors
    /// If there are no bytes, the JSON is broken, or `model_type` is missing.
    pub fn model_type_in(label: &str, bytes: Option<&[u8]>) -> Result<String, ConfigError> {
        let value = parse(label, bytes)?;
        Fields::new(label, "", &value)?.text("model_type")
    }

    /// How the layer at `path` (e.g. `model.layers.0.self_attn.q_proj`) is quantized, as the config has it.
    ///
    /// A layer with no `scales` beside its weight is not quantized whatever the config says, unless it is
    /// listed by name: MLX leaves out layers whose width no group divides (mlx-lm `utils.py`).
    pub fn quantization_of(&self, path: &str) -> Option<LayerQuantization> {
        self.quantization.as_ref()?.of(path)
    }

    /// How many of the latest positions layer `layer_idx` may look at; `None`: all of them.
    ///
    /// mistral uses its window in every layer; qwen2 and qwen3 only where `use_sliding_window` is on, from
    /// layer `max_window_layers` (transformers' configuration classes). A list of layer types goes first.
    pub fn window_of(&self, layer_idx: usize) -> Option<usize> {
        let windowed = match &self.windowed_layers {
            Some(layers) => layers.get(layer_idx).copied().unwrap_or(false),
            None if self.model_type == "mistral" => true,
            None => self.use_sliding_window && layer_idx >= self.max_window_layers,
        };
        if windowed { self.sliding_window } else { None }
    }

    /// Relations between fields that no single field can violate alone.
    fn check(&self, fields: &Fields) -> Result<(), ConfigError> {
        let (heads, kv_heads) = (self.num_attention_heads, self.num_key_value_heads);
        if !heads.is_multiple_of(kv_heads) {
            return Err(fields.wrong(
                "num_key_value_heads",
                format!("{kv_heads} does not divide the {heads} query heads"),
            ));
        }
        let learned_positions = self.model_type == "gpt2";
        if !learned_positions && !self.head_dim.is_multiple_of(2) {
            return Err(fields.wrong(
                "head_dim",
                format!(
                    "{} is odd, and a rotary position turns pairs",
                    self.head_dim
                ),
            ));
        }
        if let Some(layers) = &self.windowed_layers
            && layers.len() != self.num_hidden_layers
        {
            let (n_listed, n_layers) = (layers.len(), self.num_hidden_layers);
            return Err(fields.wrong(
                "layer_types",
                format!("it lists {n_listed} layers, but the model has {n_layers}"),
            ));
        }
        Ok(())
    }
}

/// JSON to a value, with the place of a syntax error.
fn parse(label: &str, bytes: Option<&[u8]>) -> Result<Value, ConfigError> {
    let Some(bytes) = bytes else {
        return Err(ConfigError::Missing {
            label: label.to_owned(),
        });
    };
    // Editors on Windows like to begin a file with a byte-order mark, which JSON does not know.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(ConfigError::Empty {
            label: label.to_owned(),
        });
    }
    serde_json::from_slice(bytes).map_err(|error| ConfigError::Json {
        label: label.to_owned(),
        line: error.line(),
        column: error.column(),
        why: fields::json_reason(&error),
    })
}

/// llama, mistral, qwen2, qwen3 and their kin, with the defaults mlx-lm and transformers give each.
fn llama_like(fields: &Fields) -> Result<ModelConfig, ConfigError> {
    let model_type = fields.text("model_type")?;
    let hidden_size = fields.size("hidden_size", 1 << 20)?;
    let num_attention_heads = fields.size("num_attention_heads", 1 << 14)?;
    let head_dim = match fields.opt_size("head_dim", 1 << 16)? {
        Some(head_dim) => head_dim,
        // qwen3's heads are wider than their share, so a guess would be wrong (mlx-lm qwen3.py).
        None if model_type == "qwen3" => return Err(fields.missing("head_dim")),
        None => even_share(fields, "hidden_size", hidden_size, num_attention_heads)?,
    };
    if fields
        .opt_number("partial_rotary_factor")?
        .is_some_and(|share| share != 1.0)
    {
        return Err(fields.unsupported("partial_rotary_factor", "turning only a part of each head"));
    }
    let (rope_theta, rope_scaling) = rope::read(fields, &model_type)?;
    // transformers' MistralConfig has a window of 4,096 where the file is silent; `null` turns it off.
    let sliding_window = match fields.opt_size("sliding_window", 1 << 40)? {
        None if model_type == "mistral" && !fields.has("sliding_window") => Some(4096),
        window => window,
    };
    Ok(ModelConfig {
        hidden_size,
        num_hidden_layers: fields.size("num_hidden_layers", 10_000)?,
        num_attention_heads,
        num_key_value_heads: fields
            .opt_size("num_key_value_heads", 1 << 14)?
            .unwrap_or(num_attention_heads),
        head_dim,
        intermediate_size: fields.size("intermediate_size", 1 << 24)?,
        vocab_size: fields.size("vocab_size", 1 << 26)?,
        max_position_embeddings: fields
            .opt_size("max_position_embeddings", 1 << 40)?
            .unwrap_or_else(|| default_context(&model_type)),
        rope_theta,
        rope_scaling,
        rope_traditional: fields.flag("rope_traditional", false)?,
        norm_eps: fields.epsilon("rms_norm_eps")?,
        // mlx-lm's default; transformers writes `false` where a llama has a head of its own.
        tie_word_embeddings: fields.flag("tie_word_embeddings", true)?,
        attention_bias: fields.flag("attention_bias", false)?,
        mlp_bias: fields.flag("mlp_bias", false)?,
        sliding_window,
        use_sliding_window: fields.flag("use_sliding_window", false)?,
        max_window_layers: fields.opt_count("max_window_layers")?.unwrap_or(28),
        windowed_layers: windowed_layers(fields)?,
        hidden_act: fields
            .opt_text("hidden_act")?
            .unwrap_or_else(|| "silu".to_owned()),
        quantization: quantization::read(fields)?,
        bos_token_id: fields.opt_token_ids("bos_token_id")?.first().copied(),
        eos_token_ids: fields.opt_token_ids("eos_token_id")?,
        torch_dtype: dtype_name(fields)?,
        model_type,
    })
}

/// gpt2, whose fields have names of their own and whose positions are learned.
fn gpt2(fields: &Fields) -> Result<ModelConfig, ConfigError> {
    let hidden_size = fields.size("n_embd", 1 << 20)?;
    let num_attention_heads = fields.size("n_head", 1 << 14)?;
    if fields.flag("scale_attn_by_inverse_layer_idx", false)? {
        return Err(fields.unsupported(
            "scale_attn_by_inverse_layer_idx",
            "scaling attention by the layer's number",
        ));
    }
    // `n_ctx` is the older name of the same number.
    let n_positions = match fields.opt_size("n_positions", 1 << 30)? {
        Some(n_positions) => n_positions,
        None => fields
            .opt_size("n_ctx", 1 << 30)?
            .ok_or_else(|| fields.missing("n_positions"))?,
    };
    Ok(ModelConfig {
        model_type: "gpt2".to_owned(),
        hidden_size,
        num_hidden_layers: fields.size("n_layer", 10_000)?,
        num_attention_heads,
        num_key_value_heads: num_attention_heads,
        head_dim: even_share(fields, "n_embd", hidden_size, num_attention_heads)?,
        intermediate_size: fields
            .opt_size("n_inner", 1 << 24)?
            .unwrap_or(4 * hidden_size),
        vocab_size: fields.size("vocab_size", 1 << 26)?,
        max_position_embeddings: n_positions,
        rope_theta: 10_000.0,
        rope_scaling: None,
        rope_traditional: false,
        norm_eps: fields.epsilon("layer_norm_epsilon")?,
        tie_word_embeddings: fields.flag("tie_word_embeddings", true)?,
        attention_bias: true,
        mlp_bias: true,
        sliding_window: None,
        use_sliding_window: false,
        max_window_layers: 0,
        windowed_layers: None,
        hidden_act: fields
            .opt_text("activation_function")?
            .unwrap_or_else(|| "gelu_new".to_owned()),
        quantization: quantization::read(fields)?,
        bos_token_id: fields.opt_token_ids("bos_token_id")?.first().copied(),
        eos_token_ids: fields.opt_token_ids("eos_token_id")?,
        torch_dtype: dtype_name(fields)?,
    })
}

/// Width of a head where the file leaves it to division.
fn even_share(
    fields: &Fields,
    name: &str,
    hidden_size: usize,
    n_heads: usize,
) -> Result<usize, ConfigError> {
    if hidden_size.is_multiple_of(n_heads) {
        Ok(hidden_size / n_heads)
    } else {
        Err(fields.wrong(
            name,
            format!("{hidden_size} cannot be shared evenly by {n_heads} heads"),
        ))
    }
}

/// The context length transformers assumes where the file names none.
fn default_context(model_type: &str) -> usize {
    match model_type {
        "qwen2" | "qwen3" => 32_768,
        "mistral" => 131_072,
        _ => 2_048,
    }
}

/// `layer_types`, where there is one: newer files list the kind of attention of each layer.
fn windowed_layers(fields: &Fields) -> Result<Option<Vec<bool>>, ConfigError> {
    let Some(kinds) = fields.opt_texts("layer_types")? else {
        return Ok(None);
    };
    let windowed = kinds.iter().map(|kind| match kind.as_str() {
        "full_attention" => Ok(false),
        "sliding_attention" => Ok(true),
        other => Err(fields.unsupported("layer_types", &format!("a layer of type \"{other}\""))),
    });
    windowed.collect::<Result<_, _>>().map(Some)
}

/// `torch_dtype`, which transformers 5 calls `dtype`.
fn dtype_name(fields: &Fields) -> Result<Option<String>, ConfigError> {
    match fields.opt_text("torch_dtype")? {
        Some(name) => Ok(Some(name)),
        None => fields.opt_text("dtype"),
    }
}
