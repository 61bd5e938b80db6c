//! The models in the cache: how much room each takes, what removing one would free, and removing it.
//!
//! A file's content may be known under several names: by several revisions of a model, and, since
//! `huggingface_hub` 2, by several models, whose blobs are then links into a store of the cache. It is counted
//! once, and it is freed only when nobody else needs it.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::HubError;
use super::cache::{Cached, ModelCache};
use super::message::Removal;

/// A model in the cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shelved {
    /// Its Hugging Face id.
    pub id: String,
    /// Its folder in the cache.
    pub folder: PathBuf,
    /// What of it is there.
    pub state: Cached,
    /// Bytes on the disk, all revisions together.
    pub disk_bytes: u64,
    /// Bytes that removing it would free.
    pub freed_bytes: u64,
}

/// Every model in the cache, by id.
pub fn shelved(cache: &ModelCache) -> Vec<Shelved> {
    let ids = cache.ids();
    let models = ids.into_iter().filter_map(|id| one(cache, &id));
    models.collect()
}

/// The model `id`, if anything of it is in the cache.
pub fn one(cache: &ModelCache, id: &str) -> Option<Shelved> {
    let state = cache.find(id);
    if state == Cached::Absent {
        return None;
    }
    let folder = cache.folder_of(id);
    let contents = contents(&folder);
    Some(Shelved {
        id: id.to_owned(),
        state,
        disk_bytes: contents.values().map(|content| content.bytes).sum(),
        freed_bytes: freed(cache, &folder, &contents),
        folder,
    })
}

/// Removes the model `id` from the cache, every revision of it.
///
/// # Errors
/// If it is not there, is being downloaded, or the disk refuses.
pub fn remove(cache: &ModelCache, id: &str) -> Result<Removal, HubError> {
    let Some(found) = one(cache, id) else {
        return Err(HubError::NothingToRemove {
            id: id.to_owned(),
            cache_folder: cache.folder().display().to_string(),
        });
    };
    if is_being_downloaded(&found.folder) {
        return Err(HubError::InUse { id: id.to_owned() });
    }
    let contents = contents(&found.folder);
    let refused = |error: std::io::Error| HubError::Unremovable {
        path: found.folder.display().to_string(),
        why: error.to_string(),
    };
    let is_link = found.folder.is_symlink();
    if is_link {
        fs::remove_file(&found.folder).map_err(refused)?;
    } else {
        // In this order nothing is ever found that has lost its content.
        for part in ["snapshots", "refs", ""] {
            let part = found.folder.join(part);
            if part.exists() {
                fs::remove_dir_all(&part).map_err(refused)?;
            }
        }
    }
    for content in contents.values().filter(|_| !is_link) {
        remove_from_store(cache, content);
    }
    // Left by Python's downloads; empty files.
    if let Some(name) = found.folder.file_name() {
        let _ = fs::remove_dir_all(cache.folder().join(".locks").join(name));
    }
    Ok(Removal {
        id: id.to_owned(),
        folder: found.folder,
        freed_bytes: found.freed_bytes,
    })
}

/// What its makers call the licence of the model in `snapshot`: the field `license` at the head of its card.
pub fn licence(snapshot: &Path) -> Option<String> {
    const MAX_HEAD: u64 = 64 << 10;
    let mut text = Vec::new();
    let card = File::open(snapshot.join("README.md")).ok()?;
    card.take(MAX_HEAD).read_to_end(&mut text).ok()?;
    licence_in(&String::from_utf8_lossy(&text))
}

fn licence_in(card: &str) -> Option<String> {
    let mut lines = card.lines();
    if lines.next()?.trim() != "---" {
        return None;
    }
    let head = lines.take_while(|line| line.trim() != "---");
    let mut licence = None;
    for line in head {
        let Some((field, value)) = line.split_once(':') else {
            continue;
        };
        let value = value.trim().trim_matches(['"', '\'']);
        match field {
            // `other` only says that the name follows.
            "license_name" if !value.is_empty() => return Some(value.to_owned()),
            "license" if !value.is_empty() => licence = Some(value.to_owned()),
            _ => {}
        }
    }
    licence
}

/// A file's content: how much, and where it lies.
struct Content {
    bytes: u64,
    path: PathBuf,
    n_links: u64,
}

/// Device and number of a file: what two names of one content share.
type Identity = (u64, u64);

/// Every content that the model's folder leads to, once.
fn contents(folder: &Path) -> HashMap<Identity, Content> {
    let mut found = HashMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        let Ok(entries) = fs::read_dir(&folder) else {
            continue;
        };
        for path in entries.flatten().map(|entry| entry.path()) {
            let Ok(info) = fs::symlink_metadata(&path) else {
                continue;
            };
            if info.is_dir() {
                open.push(path);
                continue;
            }
            // Follows the links of a snapshot to the blobs, and those of blobs to the store.
            let (Ok(info), Ok(path)) = (fs::metadata(&path), fs::canonicalize(&path)) else {
                continue;
            };
            if info.is_file() {
                let content = Content {
                    bytes: info.len(),
                    path,
                    n_links: info.nlink(),
                };
                found.insert((info.dev(), info.ino()), content);
            }
        }
    }
    found
}

/// Bytes of `contents` that nobody else needs.
fn freed(cache: &ModelCache, folder: &Path, contents: &HashMap<Identity, Content>) -> u64 {
    let Ok(own) = fs::canonicalize(folder) else {
        return 0;
    };
    if folder.is_symlink() {
        return 0;
    }
    let is_shared = |content: &Content| !content.path.starts_with(&own);
    let has_shared = contents.values().any(is_shared);
    let needed = if has_shared {
        needed_by_others(cache, Some(folder))
    } else {
        HashSet::new()
    };
    let is_freed = |content: &&Content| {
        let is_alone = content.n_links <= 1;
        is_alone
            && (!is_shared(content) || is_in_store(cache, &content.path))
            && !needed.contains(&content.path)
    };
    let freed = contents.values().filter(is_freed);
    freed.map(|content| content.bytes).sum()
}

/// Whether `path` lies in the store that models of the cache share (huggingface_hub `utils/_shared_blobs.py`).
fn is_in_store(cache: &ModelCache, path: &Path) -> bool {
    let store = fs::canonicalize(cache.folder().join("blobs"));
    store.is_ok_and(|store| path.starts_with(store))
}

/// Contents of the store that the blobs of models other than `except` are links to.
fn needed_by_others(cache: &ModelCache, except: Option<&Path>) -> HashSet<PathBuf> {
    let mut needed = HashSet::new();
    let entries = |folder: &Path| {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.path())
    };
    for repo in entries(cache.folder()).filter(|repo| Some(repo.as_path()) != except) {
        let links = entries(&repo.join("blobs")).filter(|blob| blob.is_symlink());
        needed.extend(links.filter_map(|blob| fs::canonicalize(blob).ok()));
    }
    needed
}

/// Removes a content of the store that nobody is left to need, with the list of its users.
fn remove_from_store(cache: &ModelCache, content: &Content) {
    if is_in_store(cache, &content.path) && !needed_by_others(cache, None).contains(&content.path) {
        // What cannot be removed stays; Python's tools sweep it later.
        let _ = fs::remove_file(&content.path);
        let _ = fs::remove_file(content.path.with_extension("refs"));
    }
}

/// Whether a download holds the staging folder.
fn is_being_downloaded(folder: &Path) -> bool {
    let lock = folder.join(super::download::STAGING).join("lock");
    let Ok(file) = File::open(lock) else {
        return false;
    };
    matches!(file.try_lock(), Err(fs::TryLockError::WouldBlock))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A model of two revisions that share a content.
    fn model(cache: &ModelCache, id: &str) -> PathBuf {
        let folder = cache.folder_of(id);
        for part in ["refs", "blobs", "snapshots/aaaa", "snapshots/bbbb"] {
            fs::create_dir_all(folder.join(part)).unwrap();
        }
        fs::write(folder.join("refs/main"), "bbbb").unwrap();
        for (blob, size) in [("b1", 100), ("b2", 1_000), ("b3", 2_000)] {
            fs::write(folder.join("blobs").join(blob), vec![0; size]).unwrap();
        }
        let link = |revision: &str, name: &str, blob: &str| {
            let target = format!("../../blobs/{blob}");
            let place = folder.join("snapshots").join(revision).join(name);
            std::os::unix::fs::symlink(target, place).unwrap();
        };
        for (revision, weights) in [("aaaa", "b2"), ("bbbb", "b3")] {
            link(revision, "config.json", "b1");
            link(revision, "model.safetensors", weights);
        }
        folder
    }

    #[test]
    fn shared_content_is_counted_once_and_removing_frees_it() {
        let home = tempfile::tempdir().unwrap();
        let cache = ModelCache::new(home.path().to_owned());
        let folder = model(&cache, "org/name");
        fs::create_dir_all(home.path().join(".locks/models--org--name")).unwrap();
        let found = shelved(&cache);
        let sizes: Vec<_> = found
            .iter()
            .map(|model| (model.disk_bytes, model.freed_bytes))
            .collect();
        // The contents, and the four letters of refs/main.
        assert_eq!(sizes, [(3_104, 3_104)]);
        let removal = remove(&cache, "org/name").unwrap();
        assert_eq!(removal.freed_bytes, 3_104);
        assert!(!folder.exists() && !home.path().join(".locks/models--org--name").exists());
        let said = remove(&cache, "org/name").unwrap_err().to_string();
        assert!(said.contains("org/name"), "{said}");
    }

    #[test]
    fn content_in_the_shared_store_is_freed_with_its_last_model() {
        let home = tempfile::tempdir().unwrap();
        let cache = ModelCache::new(home.path().to_owned());
        let store = home.path().join("blobs/ab");
        fs::create_dir_all(&store).unwrap();
        fs::write(store.join("abcd"), vec![0; 5_000]).unwrap();
        fs::write(store.join("abcd.refs"), "").unwrap();
        for id in ["org/one", "org/two"] {
            let folder = model(&cache, id);
            fs::remove_file(folder.join("blobs/b3")).unwrap();
            let target = "../../blobs/ab/abcd";
            std::os::unix::fs::symlink(target, folder.join("blobs/b3")).unwrap();
        }
        let found = one(&cache, "org/one").unwrap();
        assert_eq!((found.disk_bytes, found.freed_bytes), (6_104, 1_104));
        assert_eq!(remove(&cache, "org/one").unwrap().freed_bytes, 1_104);
        assert!(matches!(cache.find("org/two"), Cached::Complete(_)));
        assert_eq!(remove(&cache, "org/two").unwrap().freed_bytes, 6_104);
        assert_eq!(fs::read_dir(store).unwrap().count(), 0);
    }

    #[test]
    fn the_licence_stands_at_the_head_of_the_card() {
        let card =
            "---\nbase_model: x\nlicense: apache-2.0\ntags:\n- mlx\n---\n# Card\nlicense: mit\n";
        assert_eq!(licence_in(card).as_deref(), Some("apache-2.0"));
        let named = "---\nlicense: other\nlicense_name: \"llama3.2\"\n---\n";
        assert_eq!(licence_in(named).as_deref(), Some("llama3.2"));
        assert_eq!(licence_in("# No head\nlicense: mit\n"), None);
    }
}
