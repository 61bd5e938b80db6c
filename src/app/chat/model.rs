//! What the chat needs to know of the model that answers: the commit of its files, and how its makers
//! would have tokens chosen.

use std::path::Path;

use super::ChatDesk;
use crate::engine::message::SamplingChoice;
use crate::hub::{GenerationDefaults, ModelFiles};

impl ChatDesk {
    /// Notes that the model `name` answers from now on.
    pub(in crate::app) fn note_model(&mut self, name: &str) {
        name.clone_into(&mut self.state.model);
        let files = ModelFiles::find(name).ok();
        let folder = files.as_ref().and_then(ModelFiles::folder);
        self.revision = folder.and_then(revision);
        let bytes = files
            .as_ref()
            .and_then(|files| files.read("generation_config.json").ok());
        let (defaults, _) = GenerationDefaults::from_bytes(bytes.flatten().as_deref());
        let params = SamplingChoice::default().over(&defaults, Vec::new());
        self.state.model_sampling = SamplingChoice::of(&params);
    }
}

/// The commit of a model's files: the name of the snapshot that they are.
fn revision(folder: &Path) -> Option<String> {
    let is_snapshot = folder.parent()?.file_name()? == "snapshots";
    let revision = folder.file_name()?.to_string_lossy().into_owned();
    is_snapshot.then_some(revision)
}
