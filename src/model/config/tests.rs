//! One test per way a config can be right, wrong or beyond us.

use serde_json::{Value, json};

use super::*;

fn llama() -> Value {
    json!({
        "model_type": "llama", "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 8,
        "num_key_value_heads": 4, "intermediate_size": 192, "vocab_size": 512, "rms_norm_eps": 1e-5,
        "some_future_field": {"nested": [1, 2]}
    })
}

fn with(name: &str, value: Value) -> Value {
    let mut config = llama();
    config[name] = value;
    config
}

fn read(config: &Value) -> Result<ModelConfig, ConfigError> {
    ModelConfig::from_bytes("tiny", Some(config.to_string().as_bytes()))
}

fn complaint(config: &Value) -> String {
    read(config).expect_err("should be refused").to_string()
}

#[test]
fn the_classroom_model_is_read() {
    let bytes = include_bytes!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/assets/classroom/config.json"
    ));
    let config = ModelConfig::from_bytes("classroom", Some(bytes)).unwrap();
    assert_eq!(
        (
            config.num_hidden_layers,
            config.hidden_size,
            config.head_dim
        ),
        (6, 192, 32)
    );
    let four_bits = LayerQuantization {
        group_size: 64,
        bits: 4,
    };
    assert_eq!(
        config.quantization_of("model.layers.0.self_attn.q_proj"),
        Some(four_bits)
    );
    assert_eq!(config.eos_token_ids, [2]);
    assert_eq!(config.window_of(0), None);
}

#[test]
fn absent_fields_get_the_familys_defaults() {
    let config = read(&llama()).unwrap();
    assert_eq!((config.head_dim, config.rope_theta), (8, 10_000.0));
    assert!(config.tie_word_embeddings && !config.attention_bias && config.quantization.is_none());
    assert_eq!(
        read(&with("model_type", json!("qwen2")))
            .unwrap()
            .rope_theta,
        1_000_000.0
    );
    assert_eq!(
        read(&with("num_key_value_heads", Value::Null))
            .unwrap()
            .num_key_value_heads,
        8
    );
}

#[test]
fn gpt2_is_read_in_its_own_names() {
    let mut config = json!({
        "model_type": "gpt2", "n_embd": 48, "n_layer": 3, "n_head": 4, "n_ctx": 128, "n_inner": null,
        "layer_norm_epsilon": 1e-5, "vocab_size": 100, "activation_function": "gelu_new", "eos_token_id": 99
    });
    let read_config = read(&config).unwrap();
    assert_eq!(
        (
            read_config.hidden_size,
            read_config.head_dim,
            read_config.intermediate_size
        ),
        (48, 12, 192)
    );
    assert_eq!(read_config.max_position_embeddings, 128);
    config["n_embd"] = json!(50);
    assert!(complaint(&config).contains("50 cannot be shared evenly by 4 heads"));
}

#[test]
fn a_wrong_field_is_named_with_what_was_found() {
    let cases = [
        (
            "hidden_size",
            json!("64"),
            "\"hidden_size\" is wrong: it should be a whole number",
        ),
        ("hidden_size", json!(64.5), "but is 64.5"),
        ("hidden_size", json!(-64), "but is -64"),
        (
            "hidden_size",
            json!(63),
            "63 cannot be shared evenly by 8 heads",
        ),
        (
            "num_attention_heads",
            json!(0),
            "\"num_attention_heads\" is wrong",
        ),
        (
            "num_key_value_heads",
            json!(3),
            "3 does not divide the 8 query heads",
        ),
        (
            "num_hidden_layers",
            json!(1_000_000_000),
            "but is 1000000000",
        ),
        ("vocab_size", json!(0), "\"vocab_size\" is wrong"),
        ("vocab_size", json!(1e300), "\"vocab_size\" is wrong"),
        ("head_dim", json!(7), "7 is odd"),
        ("rms_norm_eps", json!(-1), "\"rms_norm_eps\" is wrong"),
        ("rope_theta", json!(0), "a number above 0"),
        (
            "tie_word_embeddings",
            json!("yes"),
            "true or false, but is the text \"yes\"",
        ),
        (
            "eos_token_id",
            json!([2, "x"]),
            "a token id or a list of them",
        ),
        (
            "layer_types",
            json!(["full_attention"]),
            "lists 1 layers, but the model has 2",
        ),
        ("model_type", json!(7), "\"model_type\" is wrong"),
        (
            "quantization",
            json!(4),
            "\"quantization\" is wrong: it should be an object",
        ),
    ];
    for (name, value, expected) in cases {
        let message = complaint(&with(name, value));
        assert!(message.contains(expected), "{message}\nlacks: {expected}");
    }
}

#[test]
fn a_missing_field_is_named() {
    for name in [
        "model_type",
        "hidden_size",
        "num_hidden_layers",
        "vocab_size",
        "rms_norm_eps",
    ] {
        let mut config = llama();
        config.as_object_mut().unwrap().remove(name);
        assert!(complaint(&config).contains(&format!("lacks \"{name}\"")));
    }
    // qwen3 has neither an implied head width nor an implied base.
    let mut qwen3 = with("model_type", json!("qwen3"));
    assert!(complaint(&qwen3).contains("lacks \"head_dim\""));
    qwen3["head_dim"] = json!(128);
    assert!(complaint(&qwen3).contains("lacks \"rope_theta\""));
    qwen3["rope_parameters"] = json!({"rope_type": "default", "rope_theta": 5e6});
    let config = read(&qwen3).unwrap();
    assert_eq!(
        (config.head_dim, config.rope_theta, config.rope_scaling),
        (128, 5e6, None)
    );
}

#[test]
fn broken_json_names_line_and_column() {
    let error =
        ModelConfig::from_bytes("tiny", Some(b"{\n  \"hidden_size\": 64,,\n}")).unwrap_err();
    let message = error.to_string();
    assert!(
        message.contains("not valid JSON at line 2, column 21"),
        "{message}"
    );
    assert_eq!(message.matches("line").count(), 1);
    assert!(matches!(
        ModelConfig::from_bytes("t", Some(b"")),
        Err(ConfigError::Empty { .. })
    ));
    assert!(matches!(
        ModelConfig::from_bytes("t", Some(b"[1]")),
        Err(ConfigError::NotAnObject { .. })
    ));
    let deep = "[".repeat(100_000);
    assert!(matches!(
        ModelConfig::from_bytes("t", Some(deep.as_bytes())),
        Err(ConfigError::Json { .. })
    ));
}

#[test]
fn a_folder_without_config_says_what_belongs_there() {
    let folder = tempfile::tempdir().unwrap();
    let message = ModelConfig::load(folder.path()).unwrap_err().to_string();
    assert!(
        message.contains("no config.json") && message.contains("*.safetensors"),
        "{message}"
    );
    std::fs::create_dir(folder.path().join("config.json")).unwrap();
    assert!(matches!(
        ModelConfig::load(folder.path()),
        Err(ConfigError::Unreadable { .. })
    ));
    std::fs::remove_dir(folder.path().join("config.json")).unwrap();
    std::fs::write(
        folder.path().join("config.json"),
        format!("\u{feff}{}", llama()),
    )
    .unwrap();
    assert_eq!(ModelConfig::load(folder.path()).unwrap().hidden_size, 64);
}

#[test]
fn rotary_scalings_are_read_in_both_forms() {
    let llama3 =
        json!({"rope_type": "llama3", "factor": 32, "original_max_position_embeddings": 4096});
    let expected = Some(RopeScaling::Llama3 {
        factor: 32.0,
        low_freq_factor: 1.0,
        high_freq_factor: 4.0,
        original_max_position_embeddings: 4096,
    });
    assert_eq!(
        read(&with("rope_scaling", llama3.clone()))
            .unwrap()
            .rope_scaling,
        expected
    );
    assert_eq!(
        read(&with("rope_parameters", llama3)).unwrap().rope_scaling,
        expected
    );
    let linear = with("rope_scaling", json!({"type": "linear", "factor": 4.0}));
    assert_eq!(
        read(&linear).unwrap().rope_scaling,
        Some(RopeScaling::Linear { factor: 4.0 })
    );
    let plain = with("rope_scaling", json!({"rope_type": "default"}));
    assert_eq!(read(&plain).unwrap().rope_scaling, None);
}

#[test]
fn rotary_scalings_beyond_us_are_refused_by_name() {
    for kind in ["yarn", "longrope", "dynamic", "su", "mrope"] {
        let message = complaint(&with("rope_scaling", json!({"type": kind, "factor": 2.0})));
        assert!(
            message.contains(kind) && message.contains("not supported"),
            "{message}"
        );
    }
    assert!(
        complaint(&with("rope_scaling", json!({"type": "linear"}))).contains("rope_scaling.factor")
    );
    let upside_down =
        json!({"rope_type": "llama3", "factor": 8, "low_freq_factor": 4, "high_freq_factor": 1});
    assert!(complaint(&with("rope_scaling", upside_down)).contains("high_freq_factor"));
    assert!(
        complaint(&with("partial_rotary_factor", json!(0.5))).contains("partial_rotary_factor")
    );
}

#[test]
fn layers_may_be_quantized_differently() {
    let config = read(&with(
        "quantization",
        json!({
            "group_size": 64, "bits": 4, "mode": "affine", "note": "ours",
            "model.layers.0.mlp.down_proj": {"group_size": 32, "bits": 6},
            "model.layers.1.mlp.down_proj": {"bits": 8},
            "lm_head": false, "model.embed_tokens": true
        }),
    ))
    .unwrap();
    let of = |path: &str| {
        config
            .quantization_of(path)
            .map(|layer| (layer.group_size, layer.bits))
    };
    assert_eq!(of("model.layers.0.mlp.up_proj"), Some((64, 4)));
    assert_eq!(of("model.layers.0.mlp.down_proj"), Some((32, 6)));
    assert_eq!(of("model.layers.1.mlp.down_proj"), Some((64, 8)));
    assert_eq!(of("model.embed_tokens"), Some((64, 4)));
    assert_eq!(of("lm_head"), None);
    assert_eq!(config.quantization.as_ref().unwrap().overrides.len(), 4);
}

#[test]
fn quantizations_beyond_us_are_refused_by_name() {
    let cases = [
        (
            json!({"group_size": 64, "bits": 5}),
            "5 is not among the supported 2, 3, 4, 6, 8",
        ),
        (
            json!({"group_size": 16, "bits": 4}),
            "16 is not among the supported 32, 64, 128",
        ),
        (
            json!({"group_size": 32, "bits": 4, "mode": "mxfp4"}),
            "mode \"mxfp4\"",
        ),
        (json!({"bits": 4}), "lacks \"quantization.group_size\""),
        (
            json!({"group_size": 64, "bits": 4, "lm_head": {"bits": 7}}),
            "\"lm_head.bits\" is wrong",
        ),
        (
            json!({"group_size": 64, "bits": 4, "lm_head": {"mode": "nvfp4"}}),
            "mode \"nvfp4\"",
        ),
    ];
    for (quantization, expected) in cases {
        let message = complaint(&with("quantization", quantization));
        assert!(message.contains(expected), "{message}\nlacks: {expected}");
    }
    for method in ["gptq", "awq", "bitsandbytes", "fp8"] {
        let foreign = json!({"quant_method": method, "bits": 4});
        let mut config = with("quantization_config", foreign);
        assert!(complaint(&config).contains(&format!("quantized with \"{method}\"")));
        // MLX's own object beside it wins.
        config["quantization"] = json!({"group_size": 32, "bits": 8});
        assert!(read(&config).is_ok());
    }
}

#[test]
fn the_packing_can_be_told_from_shapes() {
    let four_bits = Some(LayerQuantization {
        group_size: 64,
        bits: 4,
    });
    assert_eq!(LayerQuantization::from_shapes(192, 24, 3), four_bits);
    assert_eq!(
        LayerQuantization::from_shapes(64, 6, 2),
        Some(LayerQuantization {
            group_size: 32,
            bits: 3
        })
    );
    assert_eq!(LayerQuantization::from_shapes(192, 25, 3), None);
    assert_eq!(LayerQuantization::from_shapes(0, 0, 0), None);
}

#[test]
fn the_window_is_used_where_the_family_uses_it() {
    assert_eq!(
        read(&with("sliding_window", json!(16)))
            .unwrap()
            .window_of(0),
        None
    );
    let mut mistral = with("model_type", json!("mistral"));
    assert_eq!(read(&mistral).unwrap().window_of(1), Some(4096));
    mistral["sliding_window"] = Value::Null;
    assert_eq!(read(&mistral).unwrap().window_of(1), None);
    let mut qwen2 = with("model_type", json!("qwen2"));
    qwen2["sliding_window"] = json!(16);
    assert_eq!(read(&qwen2).unwrap().window_of(1), None);
    qwen2["use_sliding_window"] = json!(true);
    qwen2["max_window_layers"] = json!(1);
    let config = read(&qwen2).unwrap();
    assert_eq!((config.window_of(0), config.window_of(1)), (None, Some(16)));
    qwen2["layer_types"] = json!(["sliding_attention", "full_attention"]);
    let config = read(&qwen2).unwrap();
    assert_eq!((config.window_of(0), config.window_of(1)), (Some(16), None));
}
