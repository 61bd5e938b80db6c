//! The Hugging Face cache that Python's tools fill: where it is, and what is in it.
//!
//! A model lies in `models--org--name/`: `refs/main` names a revision, and `snapshots/<revision>/` holds links
//! to `blobs/`, where the bytes are. A file still being downloaded is a blob ending in `.incomplete`.

use std::path::{Component, Path, PathBuf};

use hf_hub::{Cache, Repo};

/// The cache folder, which need not exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelCache {
    folder: PathBuf,
}

/// What the cache has of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cached {
    /// Its snapshot's folder; nothing that the snapshot names is missing.
    Complete(PathBuf),
    /// Some of it.
    Incomplete {
        /// The model's folder in the cache.
        folder: PathBuf,
        /// What is missing.
        why: String,
    },
    /// Nothing.
    Absent,
}

impl ModelCache {
    /// The cache in `folder`.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Where the environment puts it: `HF_HUB_CACHE`, else `HUGGINGFACE_HUB_CACHE`, else `hub` in `HF_HOME`, else
    /// in `huggingface` in `XDG_CACHE_HOME`, else in `~/.cache` (huggingface_hub `constants.py`).
    pub fn locate(variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let home = super::home_folder(variable);
        let get = |name: &str| {
            let value = variable(name).filter(|value| !value.is_empty())?;
            Some(super::expand_home(&value, home.as_deref()))
        };
        let folder = get("HF_HUB_CACHE")
            .or_else(|| get("HUGGINGFACE_HUB_CACHE"))
            .unwrap_or_else(|| hf_home(variable).join("hub"));
        Self::new(folder)
    }

    /// The cache's folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder of the model `id`, which need not exist.
    pub fn folder_of(&self, id: &str) -> PathBuf {
        self.folder.join(Repo::model(id.to_owned()).folder_name())
    }

    /// What is there of the model `id`, e.g. `mlx-community/Qwen2.5-0.5B-Instruct-4bit`.
    pub fn find(&self, id: &str) -> Cached {
        let folder = self.folder_of(id);
        if !is_id(id) || !folder.is_dir() {
            return Cached::Absent;
        }
        let incomplete = |why: String| Cached::Incomplete {
            folder: folder.clone(),
            why,
        };
        let Some(revision) = revision(&folder) else {
            return incomplete(match folder.join(super::download::STAGING).is_dir() {
                true => "the download has not finished".to_owned(),
                false => "it has no finished revision".to_owned(),
            });
        };
        let snapshot = Cache::new(self.folder.clone())
            .model(id.to_owned())
            .pointer_path(&revision);
        match what_is_missing(&snapshot, &folder) {
            Some(why) => incomplete(why),
            None => Cached::Complete(snapshot),
        }
    }

    /// Ids of every model in the cache, complete or not, sorted.
    pub fn ids(&self) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(&self.folder) else {
            return Vec::new();
        };
        let folders = entries
            .flatten()
            .filter_map(|entry| entry.file_name().into_string().ok());
        let mut ids: Vec<String> = folders
            .filter_map(|name| Some(name.strip_prefix("models--")?.replacen("--", "/", 1)))
            .collect();
        ids.sort();
        ids
    }
}

/// The folder of everything Hugging Face's: `HF_HOME`, else `huggingface` in `XDG_CACHE_HOME` or `~/.cache`.
pub(super) fn hf_home(variable: &dyn Fn(&str) -> Option<String>) -> PathBuf {
    let home = super::home_folder(variable);
    let get = |name: &str| {
        let value = variable(name).filter(|value| !value.is_empty())?;
        Some(super::expand_home(&value, home.as_deref()))
    };
    get("HF_HOME").unwrap_or_else(|| {
        let caches = get("XDG_CACHE_HOME");
        let caches = caches.unwrap_or_else(|| home.clone().unwrap_or_default().join(".cache"));
        caches.join("huggingface")
    })
}

/// Whether `name` can be a Hugging Face id, by the Hub's own rules: `name` or `org/name`, in ASCII letters,
/// digits, `-`, `_` and `.`, without `--` or `..`.
pub fn is_id(name: &str) -> bool {
    let is_part = |part: &str| {
        let is_edge_fine = !part.starts_with(['-', '.']) && !part.ends_with(['-', '.']);
        let is_letter = |letter: u8| letter.is_ascii_alphanumeric() || b"-_.".contains(&letter);
        (1..=96).contains(&part.len()) && is_edge_fine && part.bytes().all(is_letter)
    };
    let parts: Vec<&str> = name.split('/').collect();
    parts.len() <= 2
        && parts.iter().all(|part| is_part(part))
        && !name.contains("--")
        && !name.contains("..")
}

/// The revision `refs/main` names; without one, the only snapshot there is (a download of one fixed revision).
fn revision(folder: &Path) -> Option<String> {
    if let Ok(text) = std::fs::read_to_string(folder.join("refs/main")) {
        let revision = text.trim().to_owned();
        // A file that anything may have written must not lead out of the cache.
        let mut parts = Path::new(&revision).components();
        let is_plain = matches!(
            (parts.next(), parts.next()),
            (Some(Component::Normal(_)), None)
        );
        return is_plain.then_some(revision);
    }
    let mut snapshots = std::fs::read_dir(folder.join("snapshots")).ok()?.flatten();
    let only = snapshots.next()?;
    if snapshots.next().is_some() {
        return None;
    }
    only.file_name().into_string().ok()
}

/// What a snapshot lacks to be a model, as far as names tell.
fn what_is_missing(snapshot: &Path, folder: &Path) -> Option<String> {
    let Ok(entries) = std::fs::read_dir(snapshot) else {
        return Some("the revision that refs/main names is not there".to_owned());
    };
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    let name_of = |path: &Path| {
        path.file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default()
    };
    // `exists` follows the link: false where the blob is gone.
    if let Some(broken) = files.iter().find(|path| !path.exists()) {
        return Some(format!("the content of {} is missing", name_of(broken)));
    }
    let names: Vec<String> = files.iter().map(|path| name_of(path)).collect();
    if !names.iter().any(|name| name == "config.json") {
        return Some("config.json is missing".to_owned());
    }
    if let Some(shard) = missing_shard(snapshot, &names) {
        return Some(format!("{shard} is missing"));
    }
    let has_weights = names.iter().any(|name| name.ends_with(".safetensors"));
    if !has_weights && has_unfinished_blob(folder) {
        return Some("the download of its weights has not finished".to_owned());
    }
    None
}

/// A weight file that the index names and `names` lack; an index that makes no sense is told of at load.
fn missing_shard(snapshot: &Path, names: &[String]) -> Option<String> {
    let text = std::fs::read(snapshot.join("model.safetensors.index.json")).ok()?;
    let index: serde_json::Value = serde_json::from_slice(&text).ok()?;
    let mut shards = index.get("weight_map")?.as_object()?.values();
    let missing = shards.find_map(|shard| {
        let shard = shard.as_str()?;
        (!names.iter().any(|name| name == shard)).then_some(shard)
    });
    missing.map(str::to_owned)
}

fn has_unfinished_blob(folder: &Path) -> bool {
    let Ok(blobs) = std::fs::read_dir(folder.join("blobs")) else {
        return false;
    };
    blobs
        .flatten()
        .any(|blob| blob.file_name().to_string_lossy().ends_with(".incomplete"))
}
