//! A model as a row of the table shows it, wherever it is known from.

use crate::hub::message::{Fit, Found, MemoryNote, ModelPlace, ModelRow};

/// A row of the table.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// What tells it from the others: its name, or the id under which it was found.
    pub key: String,
    /// What to ask the engine for.
    pub load: String,
    /// Its Hugging Face id.
    pub id: Option<String>,
    /// What it is good for, or what is said of it on the hub.
    pub what: String,
    /// Where it is.
    pub place: ModelPlace,
    /// `model_type` of its config.
    pub family: Option<String>,
    /// Why it cannot run.
    pub cannot_run: Option<String>,
    /// Its parameters.
    pub parameters: Option<u64>,
    /// Bits of a weight.
    pub bits: Option<usize>,
    /// The longest context it was made for.
    pub context: Option<usize>,
    /// Bytes on the disk, or to fetch; 0 if nobody knows.
    pub bytes: u64,
    /// Whether `bytes` is about right only.
    pub is_about: bool,
    /// The memory it needs.
    pub memory: Option<MemoryNote>,
    /// Whether it fits.
    pub fit: Fit,
    /// Its licence.
    pub licence: Option<String>,
    /// Its page.
    pub page: Option<String>,
    /// Whether its name is one of one's own.
    pub is_own: bool,
}

impl Entry {
    /// A model of the list.
    #[must_use]
    pub fn of_row(row: &ModelRow) -> Self {
        Self {
            key: row.name.clone(),
            load: load_name(row),
            id: row.id.clone(),
            what: row.what.clone().unwrap_or_default(),
            place: row.place.clone(),
            family: row.family.clone(),
            cannot_run: row.cannot_run.clone(),
            parameters: row.parameters,
            bits: row.bits,
            context: row.context,
            bytes: row.bytes,
            is_about: row.place == ModelPlace::Hub,
            memory: row.memory,
            fit: row.memory.map_or(Fit::Unknown, |memory| memory.fit),
            licence: row.licence.clone(),
            page: row.page.clone(),
            is_own: row.is_own,
        }
    }

    /// A model of the hub.
    #[must_use]
    pub fn of_found(found: &Found) -> Self {
        let hit = &found.hit;
        let downloads = hit.downloads.map(|downloads| {
            let n = crate::trace::units::count(downloads);
            format!("{n} downloads last month")
        });
        let asks = hit.is_gated.then(|| "asks for an agreement".to_owned());
        Self {
            key: hit.id.clone(),
            load: hit.id.clone(),
            id: Some(hit.id.clone()),
            what: [downloads, asks]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(" · "),
            place: ModelPlace::Hub,
            family: hit.family.clone(),
            cannot_run: found.cannot_run.clone(),
            parameters: None,
            bits: None,
            context: None,
            bytes: hit.weight_bytes.unwrap_or(0),
            is_about: true,
            memory: None,
            fit: found.fit,
            licence: hit.licence.clone(),
            page: Some(hit.page.clone()),
            is_own: false,
        }
    }

    /// Whether all of it is on this machine.
    #[must_use]
    pub fn is_here(&self) -> bool {
        matches!(self.place, ModelPlace::Embedded | ModelPlace::Here { .. })
    }

    /// Whether it is the model that the engine calls `name`.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        !name.is_empty()
            && (self.id.as_deref() == Some(name) || self.key == name || self.load == name)
    }

    /// The part of the id that says which model, and the part that says whose.
    #[must_use]
    pub fn repository(&self) -> Option<(&str, &str)> {
        let id = self.id.as_deref()?;
        Some(
            id.split_once('/')
                .map_or((id, ""), |(org, name)| (name, org)),
        )
    }

    /// Whether `text` occurs in what it is called.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        let holds = |name: &str| name.to_lowercase().contains(text);
        holds(&self.key) || holds(&self.what) || self.id.as_deref().is_some_and(holds)
    }

    /// The memory it needs with the chosen context; of a model that is not known better, its weights.
    #[must_use]
    pub fn need(&self) -> Option<u64> {
        let weights = (self.bytes > 0).then_some(self.bytes);
        self.memory.map(|memory| memory.total_bytes()).or(weights)
    }
}

fn load_name(row: &ModelRow) -> String {
    match (&row.id, &row.place) {
        (Some(id), _) => id.clone(),
        (None, ModelPlace::Here { folder, .. }) => folder.display().to_string(),
        (None, _) => row.name.clone(),
    }
}
