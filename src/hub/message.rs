//! What the hub tells the window and the commands: plain data that crosses threads freely.

use std::path::PathBuf;

use serde::Serialize;

/// What a download will fetch, known before its first byte.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DownloadPlan {
    /// The model's Hugging Face id.
    pub id: String,
    /// The commit that is fetched: every file is of this one.
    pub revision: String,
    /// Where the model will lie.
    pub folder: PathBuf,
    /// The files, in the order they are fetched.
    pub files: Vec<PlannedFile>,
    /// Files of the repository that a model does without, e.g. weights in other formats.
    pub left_out: Vec<LeftOut>,
    /// Bytes of all files.
    pub total_bytes: u64,
    /// Bytes that are not here yet.
    pub missing_bytes: u64,
    /// Bytes free on the disk; `None` where the system does not say.
    pub free_bytes: Option<u64>,
}

/// A file of a [`DownloadPlan`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlannedFile {
    /// Its name in the repository.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// Whether it is here already.
    pub is_here: bool,
}

/// A file that is not fetched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// Its name in the repository.
    pub name: String,
    /// Its size.
    pub bytes: u64,
}

/// How far a download is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DownloadProgress {
    /// The files, in the order of the plan.
    pub files: Vec<FileProgress>,
    /// Bytes of all files.
    pub total_bytes: u64,
    /// Bytes that are here.
    pub done_bytes: u64,
    /// Speed over the last seconds; `None` until there is one.
    pub bytes_per_s: Option<f64>,
    /// Seconds left at this speed.
    pub left_s: Option<f64>,
}

/// How far a file is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileProgress {
    /// Its name.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// Bytes that are here.
    pub done_bytes: u64,
    /// What is being done with it.
    pub state: FileState,
}

/// What is being done with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FileState {
    /// Its turn has not come.
    Waiting,
    /// It arrives.
    Arriving,
    /// It is here, and compared with what the hub said of it.
    Checking,
    /// It is here, and right.
    Here,
}

/// What happens to a download. Each ends in exactly one of those marked so.
#[derive(Clone, Debug, PartialEq)]
pub enum DownloadEvent {
    /// What will be fetched.
    Planned(DownloadPlan),
    /// How far it is, about ten times a second.
    Progress(DownloadProgress),
    /// Something the user should know; the download goes on.
    Notice(String),
    /// It was paused: no connection is held, and what is here stays.
    Paused,
    /// It goes on after a pause.
    Resumed,
    /// End: the whole model is here and was checked.
    Finished {
        /// Where it lies.
        folder: PathBuf,
    },
    /// End: why it failed and what to do. What arrived is kept, and the next try goes on from there.
    Failed(String),
    /// End: it was stopped. What arrived is kept.
    Stopped,
    /// End: it was given up, and what had arrived is gone.
    Discarded,
}

/// A model that a search on the hub found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SearchHit {
    /// Its Hugging Face id.
    pub id: String,
    /// `model_type` of its config, where the hub knows it.
    pub family: Option<String>,
    /// Bytes of its weights, where the hub knows them.
    pub weight_bytes: Option<u64>,
    /// Downloads of the last month.
    pub downloads: Option<u64>,
    /// People who liked it.
    pub likes: Option<u64>,
    /// Its licence, as its makers name it.
    pub licence: Option<String>,
    /// Whether its makers ask for an agreement first.
    pub is_gated: bool,
    /// Its page on the hub.
    pub page: String,
}

/// What removing a model did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Removal {
    /// The model's Hugging Face id.
    pub id: String,
    /// The folder that is gone.
    pub folder: PathBuf,
    /// Bytes that are free again; files that other models share are not among them.
    pub freed_bytes: u64,
}
