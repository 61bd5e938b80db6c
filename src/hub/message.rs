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

/// A model as the list of models shows it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ModelRow {
    /// What to ask for it by: a short name, else its id.
    pub name: String,
    /// Its Hugging Face id; `None` for models inside the program and folders.
    pub id: Option<String>,
    /// Whether that is a name of one's own.
    pub is_own: bool,
    /// What it is good for, where that is known.
    pub what: Option<String>,
    /// Where it is.
    pub place: ModelPlace,
    /// `model_type` of its config, where known.
    pub family: Option<String>,
    /// Why Vitrine cannot run it; `None` if it can.
    pub cannot_run: Option<String>,
    /// Its parameters.
    pub parameters: Option<u64>,
    /// Bits of a weight in its quantized layers; `None` where they are not known, or nothing is quantized.
    pub bits: Option<usize>,
    /// The longest context it was made for.
    pub context: Option<usize>,
    /// Bytes on the disk, or about how many would be downloaded.
    pub bytes: u64,
    /// Memory it needs.
    pub memory: Option<MemoryNote>,
    /// Its licence, as its makers name it.
    pub licence: Option<String>,
    /// Its page, with its card.
    pub page: Option<String>,
}

/// Where a model is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelPlace {
    /// Inside the program.
    Embedded,
    /// Here.
    Here {
        /// Where it lies.
        folder: PathBuf,
        /// Bytes that removing it would free; 0 for a folder, which Vitrine does not remove.
        freed_bytes: u64,
    },
    /// Part of it is here.
    Partial {
        /// Where it lies.
        folder: PathBuf,
        /// What is missing.
        why: String,
    },
    /// To be downloaded.
    Hub,
}

/// The memory a model needs, beside what there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct MemoryNote {
    /// The weights as they are held.
    pub weight_bytes: u64,
    /// The keys and values of `n_positions`.
    pub cache_bytes: u64,
    /// What computing takes for a moment.
    pub work_bytes: u64,
    /// The length the figures are for, in positions.
    pub n_positions: usize,
    /// What is free now; `None` where the system does not say.
    pub free_bytes: Option<u64>,
    /// Whether it fits.
    pub fit: Fit,
}

/// Whether a model fits in the memory that is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Fit {
    /// With room to spare.
    Fits,
    /// It will be tight: more than four fifths of what is free.
    Tight,
    /// It does not.
    TooLarge,
    /// The system does not say what is free.
    Unknown,
}

impl MemoryNote {
    /// All of it.
    pub fn total_bytes(&self) -> u64 {
        self.weight_bytes
            .saturating_add(self.cache_bytes)
            .saturating_add(self.work_bytes)
    }
}

/// Every model that has a name or is here, and the machine they are for.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ModelList {
    /// The models: those inside the program first, then short names, others of the cache, names of one's own.
    pub models: Vec<ModelRow>,
    /// The cache's folder.
    pub cache: PathBuf,
    /// Memory of this machine, or of the container it is; `None` where the system does not say.
    pub memory_bytes: Option<u64>,
    /// Memory that is free; `None` where the system does not say.
    pub free_memory_bytes: Option<u64>,
    /// Bytes free on the cache's disk.
    pub free_disk_bytes: Option<u64>,
    /// The length that memory is told for.
    pub n_positions: usize,
}

/// A model that a search found, and what this machine makes of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Found {
    /// What the hub says.
    #[serde(flatten)]
    pub hit: SearchHit,
    /// Why Vitrine cannot run it; `None` if it can, or the family is not known.
    pub cannot_run: Option<String>,
    /// Whether its weights fit in the memory that is free.
    pub fit: Fit,
    /// Whether it has been downloaded.
    pub is_here: bool,
}

/// What the librarian tells.
#[derive(Clone, Debug, PartialEq)]
pub enum ShelfEvent {
    /// Every model.
    Listed(ModelList),
    /// What a download would fetch.
    LookedUp(DownloadPlan),
    /// What a search found.
    Found {
        /// What was looked for.
        text: String,
        /// The model that is called so and is here: of one's own names, a folder, or in the cache.
        here: Option<Box<ModelRow>>,
        /// Models of the hub.
        models: Vec<Found>,
    },
    /// A model was removed.
    Removed(Removal),
    /// A name of one's own was given or forgotten.
    Named {
        /// The name.
        name: String,
    },
    /// Something happened to a download.
    Download {
        /// The model's Hugging Face id.
        id: String,
        /// What happened.
        event: DownloadEvent,
    },
    /// What was asked for did not work, and why.
    Failed {
        /// What it was about: a model's name, or what was looked for.
        about: String,
        /// Why, and what to do.
        why: String,
    },
}
