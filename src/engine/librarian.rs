//! The librarian: what a window asks about models, answered on other threads.
//!
//! Questions that read the disk or the network get a thread each, downloads keep theirs; the answers are
//! [`ShelfEvent`]s, plain data. Nothing here waits for anything.

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use anyhow::{Context as _, Result};

use super::shelf;
use crate::hub::download::{Control, Download, DownloadRequest, Target, look_up};
use crate::hub::environment::HubEnvironment;
use crate::hub::message::ShelfEvent;
use crate::hub::names::OwnNames;
use crate::hub::{ModelFiles, id_of, shelf as cached};

/// How many models a search shows.
const SEARCH_LIMIT: usize = 30;

/// Lists, finds, gets and removes models, and never waits.
pub struct Librarian {
    environment: HubEnvironment,
    report: Report,
    downloads: HashMap<String, Download>,
}

type Report = Arc<dyn Fn(ShelfEvent) + Send + Sync>;

impl Librarian {
    /// A librarian who tells everything to `report`, on whichever thread it happens; it must not wait.
    pub fn new(
        environment: HubEnvironment,
        report: impl Fn(ShelfEvent) + Send + Sync + 'static,
    ) -> Self {
        Self {
            environment,
            report: Arc::new(report),
            downloads: HashMap::new(),
        }
    }

    /// Asks for every model, with its memory for `n_positions`: [`ShelfEvent::Listed`].
    pub fn list(&self, n_positions: usize) {
        let environment = self.environment.clone();
        self.ask("the list of models", move || {
            let list = shelf::list(&environment, n_positions);
            Ok(ShelfEvent::Listed(list))
        });
    }

    /// Asks what downloading `name` would fetch: [`ShelfEvent::LookedUp`].
    pub fn look_up(&self, name: &str) {
        let (name, environment) = (name.to_owned(), self.environment.clone());
        self.ask(&name.clone(), move || {
            let request = DownloadRequest::new(&id_of(&name)?, environment);
            Ok(ShelfEvent::LookedUp(look_up(&request)?))
        });
    }

    /// Looks for the folder or model called `text`, and on the hub for models whose name holds it:
    /// [`ShelfEvent::Found`].
    pub fn find(&self, text: &str, n_positions: usize) {
        let (text, environment) = (text.trim().to_owned(), self.environment.clone());
        self.ask(&text.clone(), move || {
            let here = shelf::look(&text, &environment, n_positions)?.map(Box::new);
            // A path is nobody's name on the hub; who means one learns what is wrong with it.
            let is_path = text.starts_with(['.', '~', '/']);
            if is_path && here.is_none() {
                ModelFiles::find(&text)?;
            }
            let found = match is_path {
                true => Ok(Vec::new()),
                false => shelf::find(&environment, &text, SEARCH_LIMIT),
            };
            let models = match found {
                // It is here: the hub is not needed.
                Err(_) if here.is_some() => Vec::new(),
                found => found?,
            };
            Ok(ShelfEvent::Found { text, here, models })
        });
    }

    /// Removes the model `name` from the cache: [`ShelfEvent::Removed`].
    pub fn remove(&self, name: &str) {
        let (name, environment) = (name.to_owned(), self.environment.clone());
        self.ask(&name.clone(), move || {
            let removal = cached::remove(&environment.cache, &id_of(&name)?)?;
            Ok(ShelfEvent::Removed(removal))
        });
    }

    /// Gives `target` a name of one's own, or forgets the name: [`ShelfEvent::Named`].
    pub fn name(&self, name: &str, target: Option<&str>) {
        let (name, target) = (name.to_owned(), target.map(str::to_owned));
        self.ask(&name.clone(), move || {
            let path = OwnNames::path().context("there is no folder for settings")?;
            let mut names = OwnNames::load(&path)?;
            names.set(&name, target.as_deref())?;
            names.save(&path)?;
            Ok(ShelfEvent::Named { name })
        });
    }

    /// Starts to download `name` into the cache or a folder, or resumes it if it is paused; returns the id under
    /// which [`ShelfEvent::Download`] tells of it.
    ///
    /// # Errors
    /// If the name leads to no id, or the system gives no thread.
    pub fn pull(&mut self, name: &str, folder: Option<PathBuf>) -> Result<String> {
        let id = id_of(name)?;
        self.downloads.retain(|_, download| !download.is_over());
        if let Some(download) = self.downloads.get(&id) {
            download.control().resume();
            return Ok(id);
        }
        let mut request = DownloadRequest::new(&id, self.environment.clone());
        if let Some(folder) = folder {
            request.target = Target::Folder(folder);
        }
        let (report, told_id) = (Arc::clone(&self.report), id.clone());
        let download = Download::start(request, move |event| {
            let id = told_id.clone();
            report(ShelfEvent::Download { id, event });
        })?;
        self.downloads.insert(id.clone(), download);
        Ok(id)
    }

    /// Pauses, resumes, stops or gives up the download of the model `id`; `None` if there is none.
    pub fn download(&self, id: &str) -> Option<&Control> {
        let download = self
            .downloads
            .get(id)
            .filter(|download| !download.is_over());
        download.map(Download::control)
    }

    /// Does `work` on a thread of its own and tells what came of it.
    fn ask(&self, about: &str, work: impl FnOnce() -> Result<ShelfEvent> + Send + 'static) {
        let (report, subject) = (Arc::clone(&self.report), about.to_owned());
        let answer = move || {
            report(work().unwrap_or_else(|error| ShelfEvent::Failed {
                about: subject,
                why: format!("{error:#}"),
            }));
        };
        let thread = thread::Builder::new().name("librarian".to_owned());
        if let Err(error) = thread.spawn(answer) {
            (self.report)(ShelfEvent::Failed {
                about: about.to_owned(),
                why: format!("the system gives no thread ({error}): close other programs"),
            });
        }
    }
}

impl Drop for Librarian {
    /// Downloads stop; what arrived is kept.
    fn drop(&mut self) {
        for download in self.downloads.values() {
            download.control().stop();
        }
    }
}

impl fmt::Debug for Librarian {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut told = formatter.debug_struct("Librarian");
        told.field("downloads", &self.downloads.keys().collect::<Vec<_>>());
        told.finish_non_exhaustive()
    }
}
