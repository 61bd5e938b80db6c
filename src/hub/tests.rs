//! Names that lead to a model, and what is said about those that do not.

use super::*;

/// A cache with one model; returns it and the model's folder.
fn cache_with(id: &str) -> (tempfile::TempDir, ModelCache, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let cache = ModelCache::new(home.path().join("hub"));
    let folder = cache
        .folder()
        .join(format!("models--{}", id.replace('/', "--")));
    let snapshot = folder.join("snapshots/0123abcd");
    for part in ["refs", "blobs", "snapshots/0123abcd"] {
        std::fs::create_dir_all(folder.join(part)).unwrap();
    }
    std::fs::write(folder.join("refs/main"), "0123abcd\n").unwrap();
    for (blob, name) in [("b1", "config.json"), ("b2", "model.safetensors")] {
        std::fs::write(folder.join("blobs").join(blob), "{}").unwrap();
        std::os::unix::fs::symlink(format!("../../blobs/{blob}"), snapshot.join(name)).unwrap();
    }
    (home, cache, folder)
}

fn complaint(name: &str, cache: &ModelCache) -> String {
    resolve_in(name, None, cache)
        .expect_err("should not be found")
        .to_string()
}

#[test]
fn the_models_inside_the_program_are_found_by_name() {
    assert_eq!(
        resolve("classroom").unwrap(),
        ModelSource::Embedded(EmbeddedModel::Classroom4)
    );
    for model in EmbeddedModel::ALL {
        let files = ModelFiles::find(model.name()).unwrap();
        assert!(files.folder().is_none());
        assert!(
            files
                .checkpoint()
                .unwrap()
                .info("model.norm.weight")
                .is_some()
        );
        for name in [
            "config.json",
            "generation_config.json",
            "tokenizer.json",
            "tokenizer_config.json",
        ] {
            assert!(files.read(name).unwrap().is_some(), "{name}");
        }
        assert!(files.read("chat_template.jinja").unwrap().is_none());
        let generation = files.read("generation_config.json").unwrap();
        let (defaults, warnings) = GenerationDefaults::from_bytes(generation.as_deref());
        assert!(warnings.is_empty() && defaults.eos_token_id == [2, 0]);
    }
}

#[test]
fn a_folder_is_found_and_read_like_an_embedded_model() {
    let assets = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/classroom");
    let files = ModelFiles::find(assets).unwrap();
    assert_eq!(
        (files.label(), files.folder()),
        (assets, Some(Path::new(assets)))
    );
    let embedded = ModelFiles::embedded(EmbeddedModel::Classroom4);
    assert_eq!(
        files.read("config.json").unwrap(),
        embedded.read("config.json").unwrap()
    );
    assert!(files.read("chat_template.jinja").unwrap().is_none());
    assert!(files.read("../classroom/config.json").is_err());
    assert!(files.read("training").is_err());
    assert_eq!(
        files.checkpoint().unwrap().n_bytes(),
        embedded.checkpoint().unwrap().n_bytes()
    );
}

#[test]
fn a_tilde_stands_for_the_home_folder() {
    let (home, cache, _) = cache_with("org/name");
    let found = resolve_in("~/hub", Some(home.path()), &cache).unwrap();
    assert_eq!(
        found,
        ModelSource::Folder {
            path: home.path().join("hub"),
            label: "~/hub".to_owned()
        }
    );
    assert!(resolve_in("~", Some(home.path()), &cache).is_ok());
    assert!(complaint("~/hub", &cache).contains("no folder ~/hub"));
}

#[test]
fn a_downloaded_model_is_found_by_its_id() {
    let (_home, cache, folder) = cache_with("org/name");
    let found = resolve_in("org/name", None, &cache).unwrap();
    assert_eq!(
        found,
        ModelSource::Folder {
            path: folder.join("snapshots/0123abcd"),
            label: "org/name".to_owned()
        }
    );
    // A download of one fixed revision leaves no refs/main.
    std::fs::remove_file(folder.join("refs/main")).unwrap();
    assert!(resolve_in("org/name", None, &cache).is_ok());
    assert_eq!(cache.ids(), ["org/name"]);
}

#[test]
fn half_a_download_is_not_taken_for_a_model() {
    let (_home, cache, folder) = cache_with("org/name");
    let snapshot = folder.join("snapshots/0123abcd");
    let index = snapshot.join("model.safetensors.index.json");
    std::fs::write(&index, r#"{"weight_map": {"a": "model-2.safetensors"}}"#).unwrap();
    assert!(complaint("org/name", &cache).contains("model-2.safetensors is missing"));
    std::fs::remove_file(index).unwrap();
    std::fs::remove_file(folder.join("blobs/b2")).unwrap();
    assert!(complaint("org/name", &cache).contains("the content of model.safetensors is missing"));
    std::fs::remove_file(snapshot.join("model.safetensors")).unwrap();
    std::fs::write(folder.join("blobs/b2.incomplete"), "").unwrap();
    assert!(complaint("org/name", &cache).contains("has not finished"));
    std::fs::remove_file(snapshot.join("config.json")).unwrap();
    assert!(complaint("org/name", &cache).contains("config.json is missing"));
    std::fs::write(folder.join("refs/main"), "../../../elsewhere").unwrap();
    assert!(complaint("org/name", &cache).contains("no finished revision"));
    std::fs::write(folder.join("refs/main"), "4567").unwrap();
    assert!(complaint("org/name", &cache).contains("refs/main"));
}

#[test]
fn an_unknown_name_is_told_what_is_possible() {
    let (_home, cache, folder) = cache_with("mlx-community/Tiny-4bit");
    let message = complaint("clasroom", &cache);
    assert!(
        message.contains("Did you mean classroom?") && message.contains("classroom-16bit"),
        "{message}"
    );
    let message = complaint("mlx-community/Tiny-8bit", &cache);
    assert!(
        message.contains("vitrine models pull mlx-community/Tiny-8bit"),
        "{message}"
    );
    assert!(
        message.contains("Did you mean mlx-community/Tiny-4bit?"),
        "{message}"
    );
    let message = complaint("tiny", &cache);
    assert!(
        message.contains("`vitrine models pull tiny`") && message.contains("Qwen2.5-0.5B"),
        "{message}"
    );
    assert!(complaint("", &cache).contains("no model called \"\""));
    assert!(complaint("./nowhere", &cache).contains("no folder ./nowhere"));
    let file = folder.join("refs/main").display().to_string();
    assert!(complaint(&file, &cache).contains("is a file"));
    for odd in [
        "a/b/c",
        "org/..",
        "a--b",
        "org/name\u{0}",
        "\u{1f600}",
        "-x/y",
    ] {
        assert!(
            !cache::is_id(odd) && complaint(odd, &cache).contains("no model called"),
            "{odd}"
        );
    }
}

#[test]
fn the_cache_is_where_the_environment_puts_it() {
    let located = |variables: &[(&str, &str)]| {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        ModelCache::locate(&variable).folder().display().to_string()
    };
    assert_eq!(located(&[("HOME", "/h")]), "/h/.cache/huggingface/hub");
    assert_eq!(
        located(&[("HOME", "/h"), ("XDG_CACHE_HOME", "/x")]),
        "/x/huggingface/hub"
    );
    assert_eq!(
        located(&[
            ("HOME", "/h"),
            ("XDG_CACHE_HOME", "/x"),
            ("HF_HOME", "~/hf")
        ]),
        "/h/hf/hub"
    );
    assert_eq!(
        located(&[("HF_HOME", "/hf"), ("HUGGINGFACE_HUB_CACHE", "/old")]),
        "/old"
    );
    assert_eq!(
        located(&[("HUGGINGFACE_HUB_CACHE", "/old"), ("HF_HUB_CACHE", "/new")]),
        "/new"
    );
    assert_eq!(
        located(&[("HOME", "/h"), ("HF_HUB_CACHE", "")]),
        "/h/.cache/huggingface/hub"
    );
}
