//! Copies of the classroom model, and ways to break them.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

/// A copy of the classroom model, to be broken.
pub fn classroom() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/classroom");
    for entry in fs::read_dir(assets).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
        }
    }
    folder
}

/// Changes a JSON file of the folder.
pub fn edit(folder: &Path, file: &str, change: impl FnOnce(&mut Value)) {
    let path = folder.join(file);
    let mut value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    change(&mut value);
    fs::write(path, value.to_string()).unwrap();
}

/// Changes a field of a JSON file.
pub fn set(folder: &Path, file: &str, field: &str, value: Value) {
    edit(folder, file, |json| json[field] = value);
}

/// Changes a field of `config.json`.
pub fn set_config(folder: &Path, field: &str, value: Value) {
    set(folder, "config.json", field, value);
}

/// One tensor of a safetensors file.
pub struct Tensor {
    /// Name in the file.
    pub name: String,
    /// Type, as the header writes it.
    pub dtype: Value,
    /// Shape, as the header writes it.
    pub shape: Value,
    /// Its numbers.
    pub bytes: Vec<u8>,
}

/// The file of the weights.
pub fn weights(folder: &Path) -> PathBuf {
    folder.join("model.safetensors")
}

/// Takes the weights apart, changes them, and puts them together again.
pub fn edit_weights(folder: &Path, change: impl FnOnce(&mut Vec<Tensor>)) {
    let file = fs::read(weights(folder)).unwrap();
    let (length, rest) = file.split_at(8);
    let (header, data) = rest.split_at(u64::from_le_bytes(length.try_into().unwrap()) as usize);
    let header: serde_json::Map<String, Value> = serde_json::from_slice(header).unwrap();
    let tensors = header.iter().filter(|(name, _)| *name != "__metadata__");
    let tensors = tensors.map(|(name, entry)| {
        let at = |end: usize| entry["data_offsets"][end].as_u64().unwrap() as usize;
        Tensor {
            name: name.clone(),
            dtype: entry["dtype"].clone(),
            shape: entry["shape"].clone(),
            bytes: data[at(0)..at(1)].to_vec(),
        }
    });
    let mut tensors: Vec<Tensor> = tensors.collect();
    change(&mut tensors);
    let (mut header, mut data) = (serde_json::Map::new(), Vec::new());
    for tensor in tensors {
        let start = data.len();
        data.extend(tensor.bytes);
        let offsets = [start, data.len()];
        let entry = json!({"dtype": tensor.dtype, "shape": tensor.shape, "data_offsets": offsets});
        header.insert(tensor.name, entry);
    }
    let header = Value::Object(header).to_string();
    let length = (header.len() as u64).to_le_bytes();
    fs::write(
        weights(folder),
        [&length, header.as_bytes(), &data].concat(),
    )
    .unwrap();
}

/// Changes one tensor.
pub fn edit_tensor(folder: &Path, name: &str, change: impl FnOnce(&mut Tensor)) {
    edit_weights(folder, |tensors| {
        change(
            tensors
                .iter_mut()
                .find(|tensor| tensor.name == name)
                .unwrap(),
        );
    });
}
