//! What can be wrong with a `config.json`: one sentence each, saying what was found and what to do.

use thiserror::Error;

/// Why a `config.json` was refused. `label` is the folder or the name of the model.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ConfigError {
    /// There is no config at all.
    #[error(
        "{label} is not an MLX model: it has no config.json. A model folder holds config.json, \
         one or more *.safetensors files, tokenizer.json and tokenizer_config.json."
    )]
    Missing {
        /// The model.
        label: String,
    },
    /// The operating system would not hand the file over.
    #[error("cannot read {path}: {why}. Check that it is a file and that you may read it.")]
    Unreadable {
        /// The file.
        path: String,
        /// The system's reason.
        why: String,
    },
    /// No config is this long.
    #[error(
        "config.json of {label} has {n_bytes} bytes, far more than any config: this is some other file."
    )]
    TooLarge {
        /// The model.
        label: String,
        /// Length of the file.
        n_bytes: u64,
    },
    /// A file with nothing in it: typically an interrupted download.
    #[error(
        "config.json of {label} is empty: the download was probably interrupted, so fetch it again."
    )]
    Empty {
        /// The model.
        label: String,
    },
    /// Not JSON.
    #[error("config.json of {label} is not valid JSON at line {line}, column {column}: {why}.")]
    Json {
        /// The model.
        label: String,
        /// Line of the fault, from 1.
        line: usize,
        /// Column of the fault, from 1 (0 at the end of a line).
        column: usize,
        /// The parser's reason, without the place.
        why: String,
    },
    /// JSON, but not an object.
    #[error("config.json of {label} should be an object of fields, but is {found}.")]
    NotAnObject {
        /// The model.
        label: String,
        /// What it is instead.
        found: String,
    },
    /// A field that must be there is not.
    #[error("config.json of {label} lacks \"{field}\", which is needed to build the model.")]
    MissingField {
        /// The model.
        label: String,
        /// The field, with the name of the object it belongs to.
        field: String,
    },
    /// A field holds something it cannot hold.
    #[error("config.json of {label}: \"{field}\" is wrong: {why}.")]
    WrongField {
        /// The model.
        label: String,
        /// The field.
        field: String,
        /// What was found and what was expected.
        why: String,
    },
    /// The file is in order, but asks for something the program does not compute.
    #[error(
        "{label} cannot be run: its config.json (\"{field}\") asks for {what}, which is not supported. \
         Choose another version of the model."
    )]
    Unsupported {
        /// The model.
        label: String,
        /// The field.
        field: String,
        /// What is asked for.
        what: String,
    },
}
