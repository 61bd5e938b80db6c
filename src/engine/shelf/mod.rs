//! The shelf: which models there are, whether they run here, and whether they fit.
//!
//! Files and figures alone: no weight is loaded, and MLX is not asked, so any thread but the window's may look.

mod find;

use std::path::Path;

use anyhow::Result;

use super::inspect::Inspection;
use super::loaded::read_config;
use super::memory::{self, MemoryNeed, PassSize};
use crate::hub::cache::Cached;
use crate::hub::download::free_bytes;
use crate::hub::environment::HubEnvironment;
use crate::hub::message::{Fit, MemoryNote, ModelList, ModelPlace, ModelRow};
use crate::hub::names::{self, OwnNames, ShortName};
use crate::hub::{EmbeddedModel, ModelFiles, ModelSource, shelf};
use crate::model::cache::CacheOptions;
use crate::model::config::ModelConfig;
use crate::model::families;
use crate::model::loader::Compute;

pub use find::{find, search};

/// The context that memory is told for where nobody chose another.
pub const USUAL_POSITIONS: usize = 4_096;

/// Every model that has a name or is here: those inside the program, those of the cache, those with a short name,
/// and those with a name of one's own. `n_positions` is the length their memory is told for.
pub fn list(environment: &HubEnvironment, n_positions: usize) -> ModelList {
    ModelList {
        models: rows(environment, n_positions),
        cache: environment.cache.folder().to_owned(),
        memory_bytes: memory::installed(),
        free_memory_bytes: memory::available(),
        free_disk_bytes: free_bytes(environment.cache.folder()),
        n_positions,
    }
}

fn rows(environment: &HubEnvironment, n_positions: usize) -> Vec<ModelRow> {
    let mut rows: Vec<ModelRow> = EmbeddedModel::ALL
        .into_iter()
        .map(|model| {
            let files = ModelFiles::embedded(model);
            row_of_files(&files, model.name(), n_positions)
        })
        .collect();
    let shelved = shelf::shelved(&environment.cache);
    for known in &names::SHORT_NAMES {
        let found = shelved.iter().find(|model| model.id == known.id);
        rows.push(match found {
            Some(found) => row_of_shelved(found, environment, n_positions),
            None => row_of_short(known, environment, n_positions),
        });
    }
    let others = shelved
        .iter()
        .filter(|model| names::short_of(&model.id).is_none());
    rows.extend(others.map(|model| row_of_shelved(model, environment, n_positions)));
    let own = OwnNames::path().and_then(|path| OwnNames::load(&path).ok());
    for (name, target) in own.iter().flat_map(OwnNames::iter) {
        rows.push(row_of_own(name, target, environment, &rows, n_positions));
    }
    rows
}

/// The model called `name`, whether it is here or not; `None` if nothing is known of it.
///
/// # Errors
/// If the file of one's own names cannot be read.
pub fn look(
    name: &str,
    environment: &HubEnvironment,
    n_positions: usize,
) -> Result<Option<ModelRow>> {
    let meaning = crate::hub::meaning(name)?;
    let rows = rows(environment, n_positions);
    let is_it = |row: &&ModelRow| row.name == meaning || row.id.as_deref() == Some(&meaning);
    if let Some(row) = rows.iter().find(is_it) {
        return Ok(Some(row.clone()));
    }
    let files = ModelFiles::find(&meaning).ok();
    Ok(files.map(|files| row_of_files(&files, &meaning, n_positions)))
}

/// Why a family does not run; `None` if it does.
fn why_it_cannot_run(family: &str) -> Option<String> {
    families::find(family).err().map(|error| error.to_string())
}

fn row_of_short(known: &ShortName, environment: &HubEnvironment, n_positions: usize) -> ModelRow {
    ModelRow {
        name: known.name.to_owned(),
        is_own: false,
        id: Some(known.id.to_owned()),
        what: Some(known.what.to_owned()),
        place: ModelPlace::Hub,
        family: Some(known.family.to_owned()),
        cannot_run: why_it_cannot_run(known.family),
        parameters: Some(known.parameters),
        bits: Some(4),
        context: Some(known.context),
        bytes: known.about_bytes(),
        memory: Some(presumed_memory(known, n_positions)),
        licence: None,
        page: Some(environment.page_of(known.id)),
    }
}

/// About what a model takes, from its published shape.
fn presumed_memory(known: &ShortName, n_positions: usize) -> MemoryNote {
    let compute = Compute::presumed();
    // On a CPU, scales and biases and all that is computed become float32.
    let (value, weights) = match compute.on_gpu {
        true => (2, known.about_bytes()),
        false => (4, known.parameters / 8 * 5),
    };
    let [layers, kv_heads, head_dim] = known.kv;
    let n_positions = n_positions.min(known.context);
    let values = 2 * layers * kv_heads * head_dim * n_positions;
    let work = presumed_work(known, n_positions, compute);
    note(weights, value * values as u64, work, n_positions)
}

/// About what loading it and computing with it takes for a moment, as for a folder of that shape.
fn presumed_work(known: &ShortName, n_positions: usize, compute: Compute) -> u64 {
    let [layers, kv_heads, head_dim] = known.kv;
    let [d_model, d_mlp, n_heads, n_vocab] = known.shape;
    // Of these figures alone the formula is made; which family it is makes no difference to it.
    let config = serde_json::json!({
        "model_type": "llama", "torch_dtype": "bfloat16", "rms_norm_eps": 1e-5,
        "hidden_size": d_model, "intermediate_size": d_mlp, "vocab_size": n_vocab,
        "num_hidden_layers": layers, "num_attention_heads": n_heads,
        "num_key_value_heads": kv_heads, "head_dim": head_dim,
        "max_position_embeddings": known.context,
    });
    let config = ModelConfig::from_bytes(known.name, Some(config.to_string().as_bytes()));
    let size = PassSize {
        n_before: n_positions.saturating_sub(1),
        n_new: 1,
        n_logit_rows: 1,
    };
    let cache = CacheOptions::default();
    let pass = config.map_or(0, |config| {
        memory::activation_bytes(&config, &cache, size, compute)
    });
    // While it loads, the largest tensor is there twice: four bits for each number of the embedding.
    pass.max((d_model * n_vocab / 2) as u64)
}

fn row_of_shelved(
    model: &shelf::Shelved,
    environment: &HubEnvironment,
    n_positions: usize,
) -> ModelRow {
    let known = names::short_of(&model.id);
    let name = known.map_or(model.id.as_str(), |known| known.name);
    let mut row = match &model.state {
        Cached::Complete(snapshot) => {
            let files = ModelFiles::new(ModelSource::Folder {
                path: snapshot.clone(),
                label: model.id.clone(),
            });
            let mut row = row_of_files(&files, name, n_positions);
            row.place = ModelPlace::Here {
                folder: snapshot.clone(),
                freed_bytes: model.freed_bytes,
            };
            row
        }
        Cached::Incomplete { folder, why } => ModelRow {
            place: ModelPlace::Partial {
                folder: folder.clone(),
                why: why.clone(),
            },
            ..match known {
                Some(known) => row_of_short(known, environment, n_positions),
                None => unknown_row(name),
            }
        },
        Cached::Absent => unknown_row(name),
    };
    row.bytes = model.disk_bytes;
    row.id = Some(model.id.clone());
    row.page = Some(environment.page_of(&model.id));
    row.what = known.map(|known| known.what.to_owned());
    row
}

/// A name of one's own: what it stands for, under that name.
fn row_of_own(
    name: &str,
    target: &str,
    environment: &HubEnvironment,
    rows: &[ModelRow],
    n_positions: usize,
) -> ModelRow {
    let is_it = |row: &&ModelRow| row.name == target || row.id.as_deref() == Some(target);
    let mut row = match rows.iter().find(is_it) {
        Some(row) => row.clone(),
        None => match ModelFiles::find(target) {
            Ok(files) => row_of_files(&files, name, n_positions),
            Err(_) => ModelRow {
                id: Some(target.to_owned()),
                page: Some(environment.page_of(target)),
                ..unknown_row(name)
            },
        },
    };
    row.name = name.to_owned();
    row.is_own = true;
    row.what = Some(format!("your name for {target}"));
    row
}

fn unknown_row(name: &str) -> ModelRow {
    ModelRow {
        name: name.to_owned(),
        is_own: false,
        id: None,
        what: None,
        place: ModelPlace::Hub,
        family: None,
        cannot_run: None,
        parameters: None,
        bits: None,
        context: None,
        bytes: 0,
        memory: None,
        licence: None,
        page: None,
    }
}

/// What a model's own files tell. A model that cannot run is told of too, with the reason.
fn row_of_files(files: &ModelFiles, name: &str, n_positions: usize) -> ModelRow {
    let mut row = unknown_row(name);
    row.place = match files.source() {
        ModelSource::Embedded(_) => ModelPlace::Embedded,
        ModelSource::Folder { path, .. } => ModelPlace::Here {
            folder: path.clone(),
            freed_bytes: 0,
        },
    };
    row.licence = match files.folder() {
        Some(folder) => shelf::licence(folder),
        None => Some("mit".to_owned()), // as the program itself; assets/licenses
    };
    row.bytes = files
        .folder()
        .map_or_else(|| embedded_bytes(files), bytes_in);
    if let Err(error) = fill(&mut row, files, n_positions) {
        row.cannot_run = Some(format!("{error:#}"));
        row.family = family_of(files);
    }
    row
}

fn fill(row: &mut ModelRow, files: &ModelFiles, n_positions: usize) -> Result<()> {
    let config = read_config(files)?;
    let checkpoint = files.checkpoint()?;
    let inspection = Inspection::of_files(files)?;
    let compute = Compute::presumed();
    let n_positions = n_positions.clamp(1, config.max_position_embeddings.max(1));
    let size = PassSize {
        n_before: n_positions - 1,
        n_new: 1,
        n_logit_rows: 1,
    };
    let cache = CacheOptions::default();
    let load = MemoryNeed::of_load(&checkpoint, &config, compute);
    let work = memory::activation_bytes(&config, &cache, size, compute);
    row.memory = Some(note(
        load.weights,
        memory::cache_bytes(&config, &cache, n_positions, compute),
        work.max(load.activations),
        n_positions,
    ));
    row.family = Some(inspection.architecture.family);
    row.parameters = Some(inspection.parameters);
    row.bits = inspection
        .architecture
        .quantization
        .map(|packing| packing.bits);
    row.context = Some(inspection.architecture.context);
    Ok(())
}

/// `model_type` of a config that may make no other sense.
fn family_of(files: &ModelFiles) -> Option<String> {
    let bytes = files.read("config.json").ok()??;
    let config: serde_json::Value = serde_json::from_slice(&bytes).ok()?;
    Some(config.get("model_type")?.as_str()?.to_owned())
}

fn embedded_bytes(files: &ModelFiles) -> u64 {
    let ModelSource::Embedded(model) = files.source() else {
        return 0;
    };
    model.n_bytes()
}

/// Bytes of the files in a folder.
fn bytes_in(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let files = entries.filter_map(|entry| std::fs::metadata(entry.path()).ok());
    files
        .filter(|info| info.is_file())
        .map(|info| info.len())
        .sum()
}

fn note(weight_bytes: u64, cache_bytes: u64, work_bytes: u64, n_positions: usize) -> MemoryNote {
    let free_bytes = memory::available();
    let mut note = MemoryNote {
        weight_bytes,
        cache_bytes,
        work_bytes,
        n_positions,
        free_bytes,
        fit: Fit::Unknown,
    };
    note.fit = fit(note.total_bytes(), free_bytes);
    note
}

fn fit(bytes: u64, free: Option<u64>) -> Fit {
    match free {
        None => Fit::Unknown,
        // The same limit as at the load (`MemoryNeed::check`).
        Some(free) if bytes > free - free / 20 => Fit::TooLarge,
        Some(free) if bytes > free / 5 * 4 => Fit::Tight,
        Some(_) => Fit::Fits,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_told_before_it_is_loaded() {
        assert_eq!(fit(10, None), Fit::Unknown);
        assert_eq!(fit(80, Some(100)), Fit::Fits);
        assert_eq!(fit(90, Some(100)), Fit::Tight);
        assert_eq!(fit(96, Some(100)), Fit::TooLarge);
    }

    #[test]
    fn the_list_has_every_short_name_and_says_which_families_run() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().display().to_string();
        let environment = HubEnvironment::from_variables(&|name| {
            (name == "HF_HUB_CACHE").then(|| folder.clone())
        });
        let rows = list(&environment, 1_000_000).models;
        let row = |name: &str| rows.iter().find(|row| row.name == name).unwrap();
        assert_eq!(row("classroom").place, ModelPlace::Embedded);
        assert_eq!(row("classroom").parameters, Some(3_150_144));
        assert_eq!(row("classroom").bits, Some(4));
        assert_eq!(row("classroom").memory.unwrap().n_positions, 1_024);
        for known in &names::SHORT_NAMES {
            let row = row(known.name);
            assert_eq!(row.place, ModelPlace::Hub);
            assert_eq!(
                row.cannot_run.is_none(),
                families::find(known.family).is_ok()
            );
            let memory = row.memory.unwrap();
            assert!(memory.weight_bytes >= known.about_bytes() && memory.cache_bytes > 0);
            let embedding = (known.shape[0] * known.shape[3] / 2) as u64;
            assert!(memory.work_bytes >= embedding, "{}", known.name);
        }
        // What is said of a model beforehand is what its files say: 24 blocks, 2 heads of 64, float32 or 16.
        let tiny = row("tiny").memory.unwrap();
        let value = if cfg!(target_os = "macos") { 2 } else { 4 };
        assert_eq!(tiny.cache_bytes, 2 * 24 * 2 * 64 * 32_768 * value);
    }
}
