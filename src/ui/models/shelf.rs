//! What the window knows of models: the list, what was found, downloads, and which one is looked at.

use std::collections::BTreeMap;

use super::entry::Entry;
use crate::hub::message::{
    DownloadEvent, DownloadPlan, DownloadProgress, Found, ModelList, ModelRow, ShelfEvent,
};

/// The context that memory is told for before one was chosen.
pub const USUAL_POSITIONS: usize = 4_096;

/// What is asked of the librarian.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShelfCommand {
    /// List every model, with its memory for so many positions.
    List(usize),
    /// Look at this model of the list.
    Choose(String),
    /// Look for a folder, an id, or part of a name.
    Find(String),
    /// Forget what was found.
    Unfind,
    /// Ask what a download would fetch.
    LookUp(String),
    /// Download, or go on with it.
    Pull(String),
    /// Let go of the connection.
    Pause(String),
    /// End the download; what arrived stays.
    Stop(String),
    /// Give the download up, with what arrived.
    Discard(String),
    /// Remove a model from the disk.
    Remove(String),
    /// Give a model a name of one's own, or forget the name.
    Name {
        /// The name.
        name: String,
        /// What it stands for; `None` forgets it.
        target: Option<String>,
    },
}

/// The state of what was asked for.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Search {
    /// Nothing was.
    #[default]
    None,
    /// The hub is asked.
    Waiting(String),
    /// What was found.
    Found {
        /// What was looked for.
        text: String,
        /// Called so and here.
        here: Option<Box<ModelRow>>,
        /// On the hub.
        models: Vec<Found>,
    },
    /// Why nothing was found.
    Failed {
        /// What was looked for.
        text: String,
        /// Why, and what to do.
        why: String,
    },
}

/// A download of this session.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Download {
    /// What is fetched, once known.
    pub plan: Option<DownloadPlan>,
    /// How far it is.
    pub progress: Option<DownloadProgress>,
    /// What it does.
    pub state: DownloadState,
    /// What it told lately.
    pub notice: Option<String>,
}

/// What a download does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum DownloadState {
    /// The hub is asked what there is to fetch.
    #[default]
    Begun,
    /// Files arrive.
    Running,
    /// It waits for whoever paused it.
    Paused,
    /// It was stopped; what arrived is here.
    Stopped,
    /// It failed, and why.
    Failed(String),
}

impl Download {
    /// Whether its thread is at work or waits.
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        matches!(
            self.state,
            DownloadState::Begun | DownloadState::Running | DownloadState::Paused
        )
    }

    /// The share that is here, 0 to 1.
    #[must_use]
    pub fn share(&self) -> f32 {
        let progress = self.progress.as_ref();
        progress.map_or(0.0, |progress| {
            progress.done_bytes as f32 / progress.total_bytes.max(1) as f32
        })
    }
}

/// What the window knows of models.
#[derive(Debug, Default)]
pub struct Shelf {
    /// Every model, once it was asked for.
    pub list: Option<ModelList>,
    /// What was looked for.
    pub search: Search,
    /// Downloads of this session that are not finished, by id.
    pub downloads: BTreeMap<String, Download>,
    /// What downloading a model would fetch, by id.
    pub plans: BTreeMap<String, DownloadPlan>,
    /// Why something failed that was asked about a model, by what it was asked about.
    pub failures: BTreeMap<String, String>,
    /// The model that is looked at; the one in use if `None`.
    pub chosen: Option<String>,
    /// The context that memory is told for.
    pub n_positions: usize,
    /// The model that is being loaded.
    pub loading: Option<String>,
    /// Whether the environment says that the network is not to be used.
    pub is_offline: bool,
    /// Answers that are awaited.
    n_awaited: usize,
    /// Whether the list is on its way.
    is_listing: bool,
}

/// What the window does next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// The list is old: ask for it again.
    List,
    /// Something to tell.
    Tell(String),
    /// Something went wrong that belongs to no model on view.
    Complain(String),
}

impl Shelf {
    /// A shelf of which nothing is known yet.
    #[must_use]
    pub fn new(is_offline: bool) -> Self {
        Self {
            n_positions: USUAL_POSITIONS,
            is_offline,
            ..Self::default()
        }
    }

    /// Whether an answer is on its way; downloads do not count.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.n_awaited > 0
    }

    /// Whether the list must be asked for now. One list is asked for at a time: who moves the slider asks for many.
    pub fn asks_for_list(&mut self, n_positions: usize) -> bool {
        self.n_positions = n_positions;
        let is_free = !self.is_listing;
        if is_free {
            self.is_listing = true;
            self.n_awaited += 1;
        }
        is_free
    }

    /// Notes that a question has gone out.
    pub fn asked(&mut self) {
        self.n_awaited += 1;
    }

    /// A download begins, or goes on.
    pub fn begin_download(&mut self, id: String) {
        let download = self.downloads.entry(id).or_default();
        if !download.is_under_way() {
            download.state = DownloadState::Begun;
            download.notice = None;
        }
    }

    /// Whether nobody has asked for the list yet.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.list.is_none() && !self.is_listing
    }

    /// The models to choose from that are known by name.
    pub fn rows(&self) -> impl Iterator<Item = &ModelRow> {
        self.list.iter().flat_map(|list| &list.models)
    }

    /// The entry called `key`: of the list, or of what was found.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<Entry> {
        let row = self.rows().find(|row| row.name == key);
        if let Some(row) = row {
            return Some(Entry::of_row(row));
        }
        let Search::Found { here, models, .. } = &self.search else {
            return None;
        };
        let here = here.iter().map(|row| Entry::of_row(row));
        let found = models.iter().map(Entry::of_found);
        here.chain(found).find(|entry| entry.key == key)
    }

    /// Takes in what the librarian told.
    pub fn take(&mut self, event: ShelfEvent) -> Vec<Next> {
        match event {
            ShelfEvent::Download { id, event } => return self.take_download(id, event),
            ShelfEvent::Listed(list) => {
                self.answered();
                self.is_listing = false;
                let is_old = list.n_positions != self.n_positions;
                self.list = Some(list);
                return is_old.then_some(Next::List).into_iter().collect();
            }
            ShelfEvent::Found { text, here, models } => {
                self.answered();
                self.found(text, here, models);
            }
            ShelfEvent::LookedUp(plan) => {
                self.answered();
                self.failures.remove(&plan.id);
                self.plans.insert(plan.id.clone(), plan);
            }
            ShelfEvent::Removed(removal) => {
                self.answered();
                self.downloads.remove(&removal.id);
                self.plans.remove(&removal.id);
                let freed = crate::trace::units::bytes(removal.freed_bytes);
                let told = format!("{} is removed: {freed} are free again.", removal.id);
                return vec![Next::List, Next::Tell(told)];
            }
            ShelfEvent::Named { .. } => {
                self.answered();
                return vec![Next::List];
            }
            ShelfEvent::Failed { about, why } => {
                self.answered();
                return self.failed(about, why);
            }
        }
        Vec::new()
    }

    fn answered(&mut self) {
        self.n_awaited = self.n_awaited.saturating_sub(1);
    }

    fn found(&mut self, text: String, here: Option<Box<ModelRow>>, models: Vec<Found>) {
        // Another text was typed meanwhile: its own answer will come.
        if self.search != Search::Waiting(text.clone()) {
            return;
        }
        let first = here.as_ref().map(|row| row.name.clone());
        let first = first.or_else(|| {
            let exact = models.iter().find(|found| found.hit.id == text);
            exact.map(|found| found.hit.id.clone())
        });
        self.chosen = first.or(self.chosen.take());
        self.search = Search::Found { text, here, models };
    }

    fn failed(&mut self, about: String, why: String) -> Vec<Next> {
        if self.search == Search::Waiting(about.clone()) {
            self.search = Search::Failed { text: about, why };
            return Vec::new();
        }
        // Where no model on view is meant, the sentence still has to be seen.
        let complaint = match self.entry_of_id(&about) {
            true => None,
            false => Some(Next::Complain(why.clone())),
        };
        self.failures.insert(about, why);
        complaint.into_iter().collect()
    }

    fn entry_of_id(&self, about: &str) -> bool {
        let is_it = |entry: Entry| entry.id.as_deref() == Some(about) || entry.key == about;
        let chosen = self.chosen.as_deref();
        chosen.and_then(|key| self.entry(key)).is_some_and(is_it)
    }

    fn take_download(&mut self, id: String, event: DownloadEvent) -> Vec<Next> {
        let download = self.downloads.entry(id.clone()).or_default();
        match event {
            DownloadEvent::Planned(plan) => {
                download.plan = Some(plan);
                download.state = DownloadState::Running;
            }
            DownloadEvent::Progress(progress) => download.progress = Some(progress),
            DownloadEvent::Notice(text) => download.notice = Some(text),
            DownloadEvent::Paused => download.state = DownloadState::Paused,
            DownloadEvent::Resumed => {
                download.state = match download.plan {
                    Some(_) => DownloadState::Running,
                    None => DownloadState::Begun,
                };
            }
            DownloadEvent::Finished { .. } => {
                self.downloads.remove(&id);
                let told = format!("{id} is here, and every file was checked.");
                return vec![Next::List, Next::Tell(told)];
            }
            DownloadEvent::Failed(why) => {
                download.state = DownloadState::Failed(why.clone());
                let complaint = Next::Complain(format!("download {id}: {why}"));
                return vec![Next::List, complaint];
            }
            DownloadEvent::Stopped => {
                download.state = DownloadState::Stopped;
                return vec![Next::List];
            }
            DownloadEvent::Discarded => {
                self.downloads.remove(&id);
                return vec![Next::List];
            }
        }
        Vec::new()
    }
}
