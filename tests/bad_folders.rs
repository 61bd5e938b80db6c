//! Broken model folders: each ends every command with one clear sentence and exit code 1, soon, and
//! never with a panic.

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use common::broken::{
    Tensor, classroom, edit, edit_tensor, edit_weights, set, set_config, weights,
};
use common::vitrine::{Ran, finish, run, run_with_stdin, vitrine};
use serde_json::json;

/// The commands that read everything, those that read config and headers only, and those that need
/// the tokenizer or the chat template.
const ALL: &[&str] = &["generate", "chat", "inspect", "bench"];
const LOADING: &[&str] = &["generate", "chat", "bench"];
const TALKING: &[&str] = &["generate", "chat"];

/// Breaks a copy of the classroom model with `breaks`, and expects each of `commands` to say why.
fn refused(commands: &[&str], says: &[&str], breaks: impl FnOnce(&Path)) {
    let folder = classroom();
    breaks(folder.path());
    for command in commands {
        let ran = ask(command, folder.path());
        println!("{command}: {}", ran.err.trim_end());
        ran.fails_saying(says);
        assert!(ran.out.trim().is_empty(), "nothing was answered: {ran:?}");
    }
}

fn ask(command: &str, model: &Path) -> Ran {
    let model = model.to_str().unwrap();
    match command {
        "generate" => run(&["generate", "--max-tokens", "3", "--model", model, "Hi"]),
        "chat" => run_with_stdin(&["chat", "--max-tokens", "3", "--model", model], "Hi\n"),
        "bench" => run(&[
            "bench",
            "--model",
            model,
            "--prompt-tokens",
            "4",
            "--gen-tokens",
            "1",
        ]),
        other => run(&[other, "--model", model]),
    }
}

const NORM: &str = "model.layers.3.input_layernorm.weight";

#[test]
fn the_copy_is_good_before_it_is_broken() {
    let folder = classroom();
    edit_weights(folder.path(), |_| {});
    for command in ALL {
        assert_eq!(ask(command, folder.path()).code, Some(0), "{command}");
    }
}

#[test]
fn no_config() {
    refused(ALL, &["config.json"], |folder| {
        fs::remove_file(folder.join("config.json")).unwrap();
    });
}

#[test]
fn an_empty_folder() {
    refused(ALL, &["config.json"], |folder| {
        fs::remove_dir_all(folder).unwrap();
        fs::create_dir(folder).unwrap();
    });
}

#[test]
fn an_empty_config() {
    refused(ALL, &["config.json", "empty"], |folder| {
        fs::write(folder.join("config.json"), "").unwrap();
    });
}

#[test]
fn broken_json() {
    refused(ALL, &["config.json", "line"], |folder| {
        fs::write(folder.join("config.json"), "{\"model_type\": \"qwen2\",").unwrap();
    });
}

#[test]
fn json_that_is_not_utf8() {
    refused(ALL, &["config.json"], |folder| {
        fs::write(
            folder.join("config.json"),
            b"{\"model_type\": \"qwen\xff\"}",
        )
        .unwrap();
    });
}

#[test]
fn json_that_nests_for_ever() {
    refused(ALL, &["config.json"], |folder| {
        fs::write(folder.join("config.json"), "[".repeat(1_000_000)).unwrap();
    });
}

#[test]
fn a_config_that_is_a_folder() {
    refused(ALL, &["config.json"], |folder| {
        fs::remove_file(folder.join("config.json")).unwrap();
        fs::create_dir(folder.join("config.json")).unwrap();
    });
}

#[test]
fn another_family() {
    refused(
        ALL,
        &["rwkv", "qwen2, qwen3, llama, mistral, gpt2"],
        |folder| {
            set_config(folder, "model_type", json!("rwkv"));
        },
    );
}

#[test]
fn a_billion_layers() {
    refused(ALL, &["num_hidden_layers", "1000000000"], |folder| {
        set_config(folder, "num_hidden_layers", json!(1_000_000_000));
    });
}

#[test]
fn more_layers_than_weights() {
    refused(LOADING, &["model.layers.6"], |folder| {
        set_config(folder, "num_hidden_layers", json!(10_000));
    });
}

#[test]
fn a_vocabulary_beyond_all_measure() {
    refused(ALL, &["vocab_size"], |folder| {
        set_config(folder, "vocab_size", json!(1_000_000_000_000_u64));
    });
}

#[test]
fn a_vocabulary_larger_than_the_embedding() {
    refused(LOADING, &["model.embed_tokens", "4096"], |folder| {
        set_config(folder, "vocab_size", json!(60_000_000));
    });
}

#[test]
fn no_heads() {
    refused(ALL, &["num_attention_heads"], |folder| {
        set_config(folder, "num_attention_heads", json!(0));
    });
}

#[test]
fn unknown_bits() {
    refused(ALL, &["bits", "5"], |folder| {
        set_config(folder, "quantization", json!({"group_size": 64, "bits": 5}));
    });
}

#[test]
fn bits_other_than_the_weights_have() {
    refused(ALL, &["model."], |folder| {
        set_config(folder, "quantization", json!({"group_size": 64, "bits": 8}));
    });
}

#[test]
fn no_weights() {
    refused(ALL, &["no weights", "model.safetensors"], |folder| {
        fs::remove_file(weights(folder)).unwrap();
    });
}

#[test]
fn weights_in_another_format() {
    refused(ALL, &["pytorch_model.bin", "only safetensors"], |folder| {
        fs::rename(weights(folder), folder.join("pytorch_model.bin")).unwrap();
    });
}

#[test]
fn weights_of_no_bytes() {
    refused(ALL, &["model.safetensors", "empty"], |folder| {
        fs::write(weights(folder), "").unwrap();
    });
}

#[test]
fn truncated_weights() {
    refused(ALL, &["model.safetensors", "truncated"], |folder| {
        let bytes = fs::read(weights(folder)).unwrap();
        fs::write(weights(folder), &bytes[..bytes.len() - 1000]).unwrap();
    });
}

#[test]
fn a_header_of_two_to_the_sixtieth_bytes() {
    refused(
        ALL,
        &["model.safetensors", "its header is damaged"],
        |folder| {
            let mut bytes = fs::read(weights(folder)).unwrap();
            bytes[..8].copy_from_slice(&(1_u64 << 60).to_le_bytes());
            fs::write(weights(folder), bytes).unwrap();
        },
    );
}

#[test]
fn weights_that_are_a_folder() {
    refused(ALL, &["model.safetensors", "folder"], |folder| {
        fs::remove_file(weights(folder)).unwrap();
        fs::create_dir(weights(folder)).unwrap();
    });
}

#[test]
fn weights_that_are_a_pipe() {
    refused(ALL, &["model.safetensors", "regular file"], |folder| {
        fs::remove_file(weights(folder)).unwrap();
        let made = Command::new("mkfifo")
            .arg(weights(folder))
            .status()
            .unwrap();
        assert!(made.success());
    });
}

#[test]
fn a_missing_tensor() {
    refused(
        LOADING,
        &[NORM, "norm before attention, block 3"],
        |folder| {
            edit_weights(folder, |tensors| {
                tensors.retain(|tensor| tensor.name != NORM)
            });
        },
    );
}

#[test]
fn a_tensor_too_many() {
    refused(
        LOADING,
        &["model.surprise.weight", "model.safetensors"],
        |folder| {
            edit_weights(folder, |tensors| {
                tensors.push(Tensor {
                    name: "model.surprise.weight".to_owned(),
                    dtype: json!("F16"),
                    shape: json!([2]),
                    bytes: vec![0; 4],
                });
            });
        },
    );
}

#[test]
fn a_tensor_of_another_shape() {
    refused(LOADING, &[NORM, "[2, 96]", "[192]"], |folder| {
        edit_tensor(folder, NORM, |tensor| tensor.shape = json!([2, 96]));
    });
}

#[test]
fn a_tensor_of_an_unknown_type() {
    refused(ALL, &["model.safetensors", "F99"], |folder| {
        edit_tensor(folder, NORM, |tensor| tensor.dtype = json!("F99"));
    });
}

#[test]
fn a_tensor_of_a_type_that_weights_never_have() {
    refused(LOADING, &[NORM, "I16"], |folder| {
        edit_tensor(folder, NORM, |tensor| tensor.dtype = json!("I16"));
    });
}

#[test]
fn weights_that_are_no_numbers() {
    refused(TALKING, &["NaN"], |folder| {
        edit_tensor(folder, "model.norm.weight", |tensor| {
            tensor.bytes = [0x00, 0x7e].repeat(192); // float16's NaN
        });
    });
}

#[test]
fn an_index_that_leaves_the_folder() {
    for entry in [
        "../model.safetensors",
        "/etc/model.safetensors",
        "a/../../model.safetensors",
    ] {
        refused(ALL, &["index", NORM, entry], |folder| {
            let index = json!({"weight_map": {NORM: entry}});
            fs::write(
                folder.join("model.safetensors.index.json"),
                index.to_string(),
            )
            .unwrap();
        });
    }
}

#[test]
fn an_index_of_files_that_are_missing() {
    refused(ALL, &["model-00002-of-00002.safetensors"], |folder| {
        let index = json!({"weight_map": {NORM: "model-00002-of-00002.safetensors"}});
        fs::write(
            folder.join("model.safetensors.index.json"),
            index.to_string(),
        )
        .unwrap();
    });
}

#[test]
fn no_tokenizer() {
    refused(TALKING, &["tokenizer.json"], |folder| {
        fs::remove_file(folder.join("tokenizer.json")).unwrap();
    });
}

#[test]
fn an_empty_tokenizer() {
    for empty in ["", "{}", "[]", "null", "{\"model\": {\"type\": \"BPE\"}}"] {
        refused(TALKING, &["tokenizer.json"], |folder| {
            fs::write(folder.join("tokenizer.json"), empty).unwrap();
        });
    }
}

#[test]
fn a_tokenizer_without_tokens() {
    refused(TALKING, &["tokenizer.json", "empty vocabulary"], |folder| {
        edit(folder, "tokenizer.json", |tokenizer| {
            tokenizer["added_tokens"] = json!([]);
            tokenizer["model"]["vocab"] = json!({});
            tokenizer["model"]["merges"] = json!([]);
        });
    });
}

#[test]
fn a_broken_tokenizer_config() {
    refused(TALKING, &["tokenizer_config.json"], |folder| {
        fs::write(folder.join("tokenizer_config.json"), b"{\"a\": \"\xff\"}").unwrap();
    });
}

#[test]
fn a_template_that_loops_for_ever() {
    refused(TALKING, &["chat template was stopped"], |folder| {
        let endless =
            "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}";
        set(
            folder,
            "tokenizer_config.json",
            "chat_template",
            json!(endless),
        );
    });
}

#[test]
fn a_template_that_is_broken_or_refuses() {
    refused(TALKING, &["chat template does not work"], |folder| {
        set(
            folder,
            "tokenizer_config.json",
            "chat_template",
            json!("{% if %}"),
        );
    });
    refused(TALKING, &["refuses these messages", "no chats"], |folder| {
        let refusing = json!("{{ raise_exception('no chats') }}");
        set(folder, "tokenizer_config.json", "chat_template", refusing);
    });
}

#[test]
fn a_broken_generation_config_is_only_a_note() {
    let folder = classroom();
    fs::write(folder.path().join("generation_config.json"), "{").unwrap();
    let ran = ask("generate", folder.path());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(
        ran.err.contains("note: generation_config.json is ignored"),
        "{ran:?}"
    );
}

/// Root may read everything, so the program runs as nobody there.
#[test]
fn a_folder_without_permission() {
    let folder = classroom();
    let outside = tempfile::tempdir().unwrap();
    for path in [folder.path(), outside.path()] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    for locked in [
        weights(folder.path()),
        folder.path().join("config.json"),
        folder.path().into(),
    ] {
        fs::set_permissions(&locked, fs::Permissions::from_mode(0o000)).unwrap();
        for command in ["generate", "inspect"] {
            let mut args = vec![command, "--model", folder.path().to_str().unwrap()];
            if command == "generate" {
                args.push("Hello!");
            }
            let mut command = vitrine(outside.path(), &args);
            // SAFETY: asks for a number.
            if unsafe { libc::geteuid() } == 0 {
                command.uid(65534).gid(65534);
                let reaches = Command::new(command.get_program())
                    .arg("--version")
                    .uid(65534)
                    .gid(65534)
                    .output();
                if !reaches.is_ok_and(|output| output.status.success()) {
                    println!("skipped: we are root, and nobody else may start the program here");
                    return;
                }
            }
            let ran = finish(command, "");
            println!("{}", ran.err);
            ran.fails_saying(&[folder.path().to_str().unwrap(), "ermission denied"]);
        }
        let mode = if locked.is_dir() { 0o755 } else { 0o644 };
        fs::set_permissions(&locked, fs::Permissions::from_mode(mode)).unwrap();
    }
}
