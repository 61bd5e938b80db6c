//! Which files of a repository make the model, and whether there is room for them.

use std::path::Path;

use super::error::DownloadError;
use super::place::Place;
use crate::hub::message::{DownloadPlan, LeftOut, PlannedFile};
use crate::hub::remote::{Listing, RemoteFile};

/// Room that is left to the rest of the machine.
const RESERVE: u64 = 64 << 20;

/// The files of `listing` that a model needs, weights last: a wrong config is noticed before gigabytes arrived.
///
/// # Errors
/// If there is no config or there are no safetensors files among them.
pub fn needed(id: &str, listing: &Listing) -> Result<Vec<RemoteFile>, DownloadError> {
    let mut files: Vec<RemoteFile> = listing.files.clone();
    files.retain(|file| is_needed(&file.name));
    let not_a_model = |why: &str| DownloadError::NotAModel {
        id: id.to_owned(),
        why: why.to_owned(),
    };
    if !files.iter().any(|file| file.name == "config.json") {
        return Err(not_a_model("it has no config.json"));
    }
    if !files.iter().any(|file| is_weights(&file.name)) {
        let others = [".gguf", ".bin", ".pt", ".onnx"];
        let other = listing.files.iter().find_map(|file| {
            let kinds = others.iter().find(|kind| file.name.ends_with(*kind));
            kinds.map(|kind| format!("its weights are *{kind}, not *.safetensors"))
        });
        let why = other.unwrap_or_else(|| "it has no *.safetensors".to_owned());
        return Err(not_a_model(&why));
    }
    files.sort_by_key(|file| (is_weights(&file.name), file.name.clone()));
    Ok(files)
}

fn is_weights(name: &str) -> bool {
    name.ends_with(".safetensors")
}

/// Files beside the weights: config, tokenizer, templates, licence and card. Folders hold other formats.
fn is_needed(name: &str) -> bool {
    const ENDINGS: [&str; 6] = [".json", ".safetensors", ".jinja", ".txt", ".model", ".md"];
    const WORDS: [&str; 3] = ["LICENSE", "LICENCE", "NOTICE"];
    let is_at_top = !name.contains('/');
    // Mistral's own layout of the same weights, beside the usual one.
    let is_double = name.starts_with("consolidated");
    let has_ending = ENDINGS.iter().any(|ending| name.ends_with(ending));
    let is_legal = WORDS.iter().any(|word| name.starts_with(word));
    is_at_top && !is_double && (has_ending || is_legal)
}

/// The plan that people see.
pub fn plan(id: &str, listing: &Listing, files: &[RemoteFile], place: &Place) -> DownloadPlan {
    let planned: Vec<PlannedFile> = files
        .iter()
        .map(|file| PlannedFile {
            name: file.name.clone(),
            bytes: file.bytes,
            is_here: place.has(file),
        })
        .collect();
    let left_out = listing.files.iter().filter(|file| !is_needed(&file.name));
    let missing = planned.iter().filter(|file| !file.is_here);
    DownloadPlan {
        id: id.to_owned(),
        revision: listing.revision.clone(),
        folder: place.folder(),
        left_out: left_out
            .map(|file| LeftOut {
                name: file.name.clone(),
                bytes: file.bytes,
            })
            .collect(),
        total_bytes: planned.iter().map(|file| file.bytes).sum(),
        missing_bytes: missing.map(|file| file.bytes).sum(),
        free_bytes: free_bytes(&place.folder()),
        files: planned,
    }
}

/// Checks that what is missing fits on the disk; `staged` bytes of it are there already.
///
/// # Errors
/// If it does not.
pub fn check_room(plan: &DownloadPlan, staged: u64) -> Result<(), DownloadError> {
    let missing = plan.missing_bytes.saturating_sub(staged);
    match plan.free_bytes {
        Some(free) if missing > 0 && missing.saturating_add(RESERVE) > free => {
            Err(DownloadError::DiskFull {
                folder: plan.folder.display().to_string(),
                missing,
                free,
            })
        }
        _ => Ok(()),
    }
}

/// Bytes free on the disk of `folder`, which need not exist yet; `None` where the system does not say.
pub fn free_bytes(folder: &Path) -> Option<u64> {
    let existing = folder.ancestors().find(|path| path.exists())?;
    let disk = rustix::fs::statvfs(existing).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::remote::Expected;

    fn listing(names: &[&str]) -> Listing {
        let files = names.iter().map(|name| RemoteFile {
            name: (*name).to_owned(),
            bytes: 10,
            expected: Expected::GitSha1("0".repeat(40)),
        });
        Listing {
            revision: "0123456".to_owned(),
            needs_token: false,
            files: files.collect(),
        }
    }

    #[test]
    fn a_model_is_its_config_tokenizer_card_and_weights_and_nothing_else() {
        let all = [
            "model-00002-of-00002.safetensors",
            "model-00001-of-00002.safetensors",
            "README.md",
            "config.json",
            "model.safetensors.index.json",
            "tokenizer.json",
            "chat_template.jinja",
            "LICENSE",
            "original/params.json",
            "consolidated.safetensors",
            "pytorch_model.bin",
            "figure.png",
            ".gitattributes",
        ];
        let files = needed("org/name", &listing(&all)).unwrap();
        let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "LICENSE",
                "README.md",
                "chat_template.jinja",
                "config.json",
                "model.safetensors.index.json",
                "tokenizer.json",
                "model-00001-of-00002.safetensors",
                "model-00002-of-00002.safetensors"
            ]
        );
    }

    #[test]
    fn what_is_no_model_is_said_before_anything_is_fetched() {
        let said = |names: &[&str]| needed("org/name", &listing(names)).unwrap_err().to_string();
        assert!(said(&["model.safetensors"]).contains("no config.json"));
        assert!(said(&["config.json", "q4.gguf"]).contains("*.gguf"));
        assert!(said(&["config.json"]).contains("no *.safetensors"));
    }

    #[test]
    fn what_does_not_fit_on_the_disk_is_refused_with_the_figures() {
        let plan = DownloadPlan {
            id: "org/name".to_owned(),
            revision: "0123456".to_owned(),
            folder: "/models".into(),
            files: Vec::new(),
            left_out: Vec::new(),
            total_bytes: 5_000_000_000,
            missing_bytes: 5_000_000_000,
            free_bytes: Some(1_000_000_000),
        };
        let said = check_room(&plan, 0).unwrap_err().to_string();
        assert!(said.contains("5.0 GB") && said.contains("1.0 GB"), "{said}");
        // What a broken download left needs no room again.
        assert!(check_room(&plan, 4_500_000_000).is_ok());
        assert!(free_bytes(Path::new("/nowhere/yet")).unwrap() > 0);
    }
}
