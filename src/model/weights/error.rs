//! What can be wrong with a checkpoint: one sentence each, saying what was found and what to do.

use thiserror::Error;

/// Why a checkpoint could not be loaded.
#[derive(Debug, Error)]
pub enum WeightsError {
    /// The folder is not there, or is no folder.
    #[error(
        "{folder} is not a model folder: {why}. Name the folder that holds config.json and the *.safetensors."
    )]
    NotAFolder {
        /// What was named.
        folder: String,
        /// What it is instead.
        why: &'static str,
    },
    /// Nothing to load.
    #[error(
        "{folder} has no weights: there is no model.safetensors, and no model-….safetensors. {hint}"
    )]
    NoWeights {
        /// The folder.
        folder: String,
        /// What is there instead, and what to do.
        hint: String,
    },
    /// A file that should be there is not.
    #[error(
        "{file} is missing from {folder}{because}: the download is incomplete, so fetch the model again."
    )]
    MissingFile {
        /// The file.
        file: String,
        /// The folder.
        folder: String,
        /// How we know that it should be there.
        because: String,
    },
    /// The operating system would not hand a file over.
    #[error(
        "cannot read {file}: {why}. Check that you may read it and that it is of the right kind."
    )]
    Unreadable {
        /// The file.
        file: String,
        /// The system's reason.
        why: String,
    },
    /// A file with nothing in it.
    #[error("{file} is empty: the download was interrupted, so fetch it again.")]
    EmptyFile {
        /// The file.
        file: String,
    },
    /// Some other kind of file under this name.
    #[error("{file} is {what}, not a safetensors file: {advice}.")]
    OtherKind {
        /// The file.
        file: String,
        /// What it is.
        what: &'static str,
        /// What to do.
        advice: &'static str,
    },
    /// The header cannot be as long as the file says.
    #[error(
        "{file} is damaged or not a safetensors file: its header is damaged (it cannot be as long as it says). Fetch it again."
    )]
    HeaderLength {
        /// The file.
        file: String,
        /// The length the file claims.
        n_header: u64,
        /// What speaks against it.
        limit: String,
    },
    /// The header is there, but wrong.
    #[error("{file} is damaged or not a safetensors file: {why}. Fetch it again.")]
    Header {
        /// The file.
        file: String,
        /// What is wrong.
        why: String,
    },
    /// The data end before, or go on after, what the header says.
    #[error(
        "{file} is {found} bytes long, but its header describes {expected}: {verdict}, so fetch it again."
    )]
    FileLength {
        /// The file.
        file: String,
        /// Its length.
        found: u64,
        /// The length the header adds up to.
        expected: u64,
        /// `it is truncated`, or what else that means.
        verdict: &'static str,
    },
    /// The index cannot be used.
    #[error("{file} is not a usable index of weight files: {why}.")]
    Index {
        /// The index.
        file: String,
        /// What is wrong.
        why: String,
    },
    /// The index points where it has no business.
    #[error(
        "{file} is refused: it places tensor \"{tensor}\" in {entry:?}, and only *.safetensors files inside \
         the model's folder are read."
    )]
    IndexEscapes {
        /// The index.
        file: String,
        /// The tensor.
        tensor: String,
        /// The file it is said to be in.
        entry: String,
    },
    /// The same tensor twice.
    #[error(
        "tensor \"{name}\" is stored twice, in {first} and in {second}: remove the file that does not belong to the model."
    )]
    Duplicate {
        /// The tensor.
        name: String,
        /// One place.
        first: String,
        /// The other.
        second: String,
    },
    /// A tensor the model needs is not there.
    #[error(
        "tensor \"{name}\" ({purpose}) is missing from {files}: the checkpoint is incomplete or of another model."
    )]
    MissingTensor {
        /// The tensor, under the name the model uses.
        name: String,
        /// What it is for.
        purpose: String,
        /// Where it was looked for.
        files: String,
    },
    /// A tensor has another shape than the config implies.
    #[error(
        "tensor \"{name}\" ({purpose}) in {file} has shape {found:?}, but config.json asks for {expected:?}: \
         the two belong to different models."
    )]
    WrongShape {
        /// The tensor.
        name: String,
        /// What it is for.
        purpose: String,
        /// Its file.
        file: String,
        /// The shape in the file (after transposition, where there is one).
        found: Vec<usize>,
        /// The shape the model needs.
        expected: Vec<usize>,
    },
    /// A tensor has a number type that makes no sense there.
    #[error(
        "tensor \"{name}\" ({purpose}) in {file} holds {found} numbers, but {expected} are needed there."
    )]
    WrongType {
        /// The tensor.
        name: String,
        /// What it is for.
        purpose: String,
        /// Its file.
        file: String,
        /// The type in the file.
        found: String,
        /// The types that would do.
        expected: String,
    },
    /// Tensors nobody asked for.
    #[error(
        "the checkpoint {label} has {count} that this model does not use: {list}. \
         It belongs to another kind of model than its config.json says."
    )]
    LeftOver {
        /// The model.
        label: String,
        /// How many, in words: `1 tensor`, `7 tensors`.
        count: String,
        /// The first few by name and file.
        list: String,
    },
    /// Two tensors end up under one name.
    #[error(
        "tensors \"{first}\" and \"{second}\" both stand for \"{name}\": the checkpoint mixes two namings."
    )]
    SameName {
        /// The model's name for it.
        name: String,
        /// One tensor.
        first: String,
        /// The other.
        second: String,
    },
    /// The system has not the memory for one tensor.
    #[error(
        "there is no memory for tensor \"{name}\" ({n_bytes} bytes): close other programs or choose a smaller model."
    )]
    OutOfMemory {
        /// The tensor.
        name: String,
        /// Its size.
        n_bytes: usize,
    },
}
