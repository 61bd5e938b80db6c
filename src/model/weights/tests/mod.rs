//! Good checkpoints here; bad folders, the strict reader and random damage in files of their own.

mod bad_folders;
mod fuzz;
mod reader;

use std::path::Path;

use super::*;

/// A safetensors file of float32 tensors whose numbers count up from 0.
pub(super) fn safetensors_file(tensors: &[(&str, &[usize])]) -> Vec<u8> {
    let (mut header, mut data) = (serde_json::Map::new(), Vec::new());
    for (name, shape) in tensors {
        let start = data.len();
        for number in 0..shape.iter().product::<usize>() {
            data.extend_from_slice(&(number as f32).to_le_bytes());
        }
        let entry = serde_json::json!({"dtype": "F32", "shape": shape, "data_offsets": [start, data.len()]});
        header.insert((*name).to_owned(), entry);
    }
    with_header(&serde_json::Value::Object(header).to_string(), &data)
}

/// A file with this header, whatever it says, and these data.
pub(super) fn with_header(header: &str, data: &[u8]) -> Vec<u8> {
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend_from_slice(header.as_bytes());
    file.extend_from_slice(data);
    file
}

/// A folder with these files.
pub(super) fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    folder
}

/// An index that places each tensor in a file.
pub(super) fn index(entries: &[(&str, &str)]) -> Vec<u8> {
    let map: serde_json::Map<_, _> = entries
        .iter()
        .map(|(tensor, file)| ((*tensor).to_owned(), (*file).into()))
        .collect();
    serde_json::json!({"metadata": {"total_size": 1}, "weight_map": map})
        .to_string()
        .into_bytes()
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes
        .chunks_exact(4)
        .map(|word| f32::from_le_bytes(word.try_into().unwrap()))
        .collect()
}

#[test]
fn one_file_is_read_tensor_by_tensor() {
    let folder = folder(&[(
        "model.safetensors",
        &safetensors_file(&[("a", &[2, 3]), ("b", &[2])]),
    )]);
    let checkpoint = Checkpoint::open(folder.path()).unwrap();
    let info = checkpoint.info("a").unwrap();
    assert_eq!(
        (info.dtype, info.shape.as_slice(), info.n_bytes),
        (Dtype::F32, &[2, 3][..], 24)
    );
    assert_eq!(floats(&checkpoint.read("b").unwrap()), [0.0, 1.0]);
    let mut buffer = vec![7; 100];
    checkpoint.read_into("a", &mut buffer).unwrap();
    assert_eq!(floats(&buffer), [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]);
    assert_eq!(checkpoint.n_bytes(), 32);
    assert!(
        checkpoint
            .read("c")
            .unwrap_err()
            .to_string()
            .contains("\"c\"")
    );
}

#[test]
fn several_files_are_read_by_index_or_by_name() {
    let (first, second) = (
        safetensors_file(&[("a", &[1])]),
        safetensors_file(&[("b", &[2])]),
    );
    let names = [
        "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors",
    ];
    let by_name = folder(&[(names[0], &first), (names[1], &second)]);
    assert_eq!(Checkpoint::open(by_name.path()).unwrap().infos().count(), 2);
    let index = index(&[("a", "part-a.safetensors"), ("b", names[1])]);
    let by_index = folder(&[
        ("part-a.safetensors", &first),
        (names[1], &second),
        ("model-stray.safetensors", b"not listed, so never opened"),
        ("model.safetensors.index.json", &index),
    ]);
    let checkpoint = Checkpoint::open(by_index.path()).unwrap();
    assert_eq!(checkpoint.files().count(), 2);
    assert!(checkpoint.info("b").unwrap().file.ends_with(names[1]));
}

#[test]
fn links_into_the_hugging_face_cache_are_followed() {
    let cache = tempfile::tempdir().unwrap();
    let (blobs, snapshot) = (
        cache.path().join("blobs"),
        cache.path().join("snapshots/0123"),
    );
    std::fs::create_dir_all(&blobs).unwrap();
    std::fs::create_dir_all(&snapshot).unwrap();
    std::fs::write(blobs.join("abcd"), safetensors_file(&[("a", &[1])])).unwrap();
    let link = |name: &str, to: &str| std::os::unix::fs::symlink(to, snapshot.join(name)).unwrap();
    link("model-00001-of-00001.safetensors", "../../blobs/abcd");
    std::fs::write(
        snapshot.join("model.safetensors.index.json"),
        index(&[("a", "model-00001-of-00001.safetensors")]),
    )
    .unwrap();
    assert!(Checkpoint::open(&snapshot).unwrap().info("a").is_some());
    std::fs::remove_file(blobs.join("abcd")).unwrap();
    let message = Checkpoint::open(&snapshot).unwrap_err().to_string();
    assert!(message.contains("download is incomplete"), "{message}");
}

#[test]
fn the_embedded_model_and_its_folder_hold_the_same_tensors() {
    const BYTES: &[u8] = include_bytes!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/assets/classroom/model.safetensors"
    ));
    let embedded = Checkpoint::from_bytes("classroom", BYTES).unwrap();
    let folder = Checkpoint::open(Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/assets/classroom"
    )))
    .unwrap();
    assert!(embedded.infos().count() > 100);
    assert!(
        embedded
            .infos()
            .map(|info| &info.name)
            .eq(folder.infos().map(|info| &info.name))
    );
    let name = "model.layers.0.self_attn.q_proj.weight";
    assert!(matches!(embedded.read(name).unwrap(), Cow::Borrowed(_)));
    assert_eq!(embedded.read(name).unwrap(), folder.read(name).unwrap());
}
