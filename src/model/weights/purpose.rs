//! What a tensor is for, told from its name, so that a complaint about it means something to its reader.

/// A few words on the tensor called `name`, e.g. `query projection, block 3`.
pub(super) fn of(name: &str) -> String {
    let parts: Vec<&str> = name.split('.').collect();
    let role = parts
        .iter()
        .rev()
        .find_map(|part| role(part))
        .unwrap_or("part of the model");
    let packing = match parts.last() {
        Some(&"scales") => "scales of the ",
        Some(&"biases") => "quantization biases of the ",
        Some(&"bias") => "bias of the ",
        _ => "",
    };
    let block = parts
        .windows(2)
        .find(|pair| matches!(pair, ["layers" | "h", _]))
        .and_then(|pair| pair.last()?.parse::<usize>().ok());
    match block {
        Some(block) => format!("{packing}{role}, block {block}"),
        None => format!("{packing}{role}"),
    }
}

/// Hugging Face's module names in the field's words.
fn role(module: &str) -> Option<&'static str> {
    Some(match module {
        "embed_tokens" | "wte" => "token embedding",
        "wpe" => "position embedding",
        "lm_head" => "output head",
        "q_proj" => "query projection",
        "k_proj" => "key projection",
        "v_proj" => "value projection",
        "c_attn" => "query, key and value projection",
        "o_proj" => "attention's output projection",
        "c_proj" => "output projection",
        "q_norm" => "norm of the queries",
        "k_norm" => "norm of the keys",
        "gate_proj" => "MLP's gate projection",
        "up_proj" => "MLP's up projection",
        "down_proj" => "MLP's down projection",
        "c_fc" => "MLP's first projection",
        "input_layernorm" | "ln_1" => "norm before attention",
        "post_attention_layernorm" | "ln_2" => "norm before the MLP",
        "norm" | "ln_f" => "final norm",
        _ => return None,
    })
}
