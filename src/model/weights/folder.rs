//! Which files of a model folder hold the weights.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::{Component, Path};

use serde::Deserialize;

use super::error::WeightsError;

const INDEX: &str = "model.safetensors.index.json";
/// The index of a 400-billion model has some 200 kB.
const MAX_INDEX_BYTES: u64 = 100_000_000;

/// The weight files of a folder.
#[derive(Debug)]
pub(super) struct WeightFiles {
    /// Their names within the folder, sorted.
    pub(super) names: BTreeSet<String>,
    /// Which file the index puts each tensor in; empty without an index.
    pub(super) promised: BTreeMap<String, String>,
}

/// The files the index lists, else every `model*.safetensors`.
pub(super) fn weight_files(folder: &Path) -> Result<WeightFiles, WeightsError> {
    let present = file_names(folder)?;
    if present.contains(INDEX) {
        return from_index(folder, &present);
    }
    let names: BTreeSet<String> = present
        .iter()
        .filter(|name| name.starts_with("model") && name.ends_with(".safetensors"))
        .cloned()
        .collect();
    if names.is_empty() {
        let hint = what_is_there_instead(&present);
        return Err(WeightsError::NoWeights {
            folder: folder.display().to_string(),
            hint,
        });
    }
    for name in &names {
        if let Some(absent) = absent_sibling(name, &names) {
            let because = format!(" ({name} is one part of several)");
            return Err(missing(folder, absent, because));
        }
    }
    Ok(WeightFiles {
        names,
        promised: BTreeMap::new(),
    })
}

/// Names of everything that lies directly in the folder.
fn file_names(folder: &Path) -> Result<BTreeSet<String>, WeightsError> {
    let entries = std::fs::read_dir(folder).map_err(|error| {
        let name = folder.display().to_string();
        match error.kind() {
            ErrorKind::NotFound => WeightsError::NotAFolder {
                folder: name,
                why: "it does not exist",
            },
            ErrorKind::NotADirectory => WeightsError::NotAFolder {
                folder: name,
                why: "it is a file",
            },
            _ => WeightsError::Unreadable {
                file: name,
                why: error.to_string(),
            },
        }
    })?;
    Ok(entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect())
}

/// The part of an index that matters here.
#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

fn from_index(folder: &Path, present: &BTreeSet<String>) -> Result<WeightFiles, WeightsError> {
    let path = folder.join(INDEX);
    let file = || path.display().to_string();
    let unusable = |why: String| WeightsError::Index { file: file(), why };
    let info = std::fs::metadata(&path).map_err(|error| unusable(error.to_string()))?;
    if !info.is_file() || info.len() > MAX_INDEX_BYTES {
        return Err(unusable("it is no file, or far too long".to_owned()));
    }
    let bytes = std::fs::read(&path).map_err(|error| unusable(error.to_string()))?;
    let index: Index =
        serde_json::from_slice(&bytes).map_err(|error| unusable(error.to_string()))?;
    if index.weight_map.is_empty() {
        return Err(unusable("its \"weight_map\" is empty".to_owned()));
    }
    for (tensor, entry) in &index.weight_map {
        if !stays_inside(entry) {
            let (tensor, entry) = (tensor.clone(), entry.clone());
            return Err(WeightsError::IndexEscapes {
                file: file(),
                tensor,
                entry,
            });
        }
    }
    let names: BTreeSet<String> = index.weight_map.values().cloned().collect();
    for name in &names {
        if !folder.join(name).exists() {
            let partial = present.iter().any(|other| other.ends_with(".incomplete"));
            let partial = if partial {
                ", and an unfinished *.incomplete lies beside it"
            } else {
                ""
            };
            return Err(missing(
                folder,
                name.clone(),
                format!(" (the index lists it{partial})"),
            ));
        }
    }
    Ok(WeightFiles {
        names,
        promised: index.weight_map,
    })
}

/// Whether an index entry is a plain safetensors file below the folder.
///
/// Judged by its text and not by where it leads: in the Hugging Face cache every file is a link to `../../blobs`.
fn stays_inside(entry: &str) -> bool {
    let foreign_separator = entry.contains(['\\', ':', '\0']);
    let mut components = Path::new(entry).components();
    !foreign_separator
        && entry.ends_with(".safetensors")
        && components.all(|component| matches!(component, Component::Normal(_)))
}

/// The first part that is absent, for `model-00002-of-00005.safetensors` and its siblings.
fn absent_sibling(name: &str, names: &BTreeSet<String>) -> Option<String> {
    let (head, total) = name.strip_suffix(".safetensors")?.rsplit_once("-of-")?;
    let (stem, part) = head.rsplit_once('-')?;
    let n_parts: usize = total.parse().ok()?;
    let width = part.len();
    // Not looked at beyond the files there are plus one: a made-up count must not keep us busy.
    (1..=n_parts.min(names.len() + 1))
        .map(|part| format!("{stem}-{part:0width$}-of-{total}.safetensors"))
        .find(|sibling| !names.contains(sibling))
}

/// What a folder without weights holds instead, and what to do.
fn what_is_there_instead(present: &BTreeSet<String>) -> String {
    const OTHER_FORMATS: [&str; 8] = [
        ".bin", ".gguf", ".ggml", ".npz", ".pt", ".pth", ".onnx", ".ckpt",
    ];
    let is_other = |name: &&String| OTHER_FORMATS.iter().any(|ending| name.ends_with(ending));
    if let Some(other) = present.iter().find(is_other) {
        return format!(
            "It has {other}, but only safetensors files are loaded, because other formats can carry programs \
             or other packings: choose an MLX version of the model."
        );
    }
    if let Some(partial) = present.iter().find(|name| name.ends_with(".incomplete")) {
        return format!(
            "It has {partial}, so the download was interrupted: fetch the model again."
        );
    }
    if let Some(other) = present.iter().find(|name| name.ends_with(".safetensors")) {
        return format!(
            "It has {other}, but the weights of an MLX model are named model*.safetensors."
        );
    }
    "Fetch the model again, or name another folder.".to_owned()
}

fn missing(folder: &Path, file: String, because: String) -> WeightsError {
    WeightsError::MissingFile {
        file,
        folder: folder.display().to_string(),
        because,
    }
}
