//! The clerk: a thread of its own for work on conversations' files that may take a while, so that
//! no frame waits for the disk. Jobs are done in the order they were given.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use anyhow::{Context as _, Result};

use super::files;
use crate::chat::{ChatStore, Hit, MessageId, OpenChat, Summary};
use crate::ui::chat::ExportForm;

/// Something to do.
#[derive(Debug)]
pub enum Job {
    /// List every conversation.
    List,
    /// List those in which a text is found.
    Search(String),
    /// Open a conversation; show a message of it.
    Open(String, Option<MessageId>),
    /// Close a conversation: what is not yet on the disk is written out.
    Close(Box<OpenChat>),
    /// Give a conversation that is not open a title.
    Rename(String, String),
    /// Pin a conversation that is not open, or not.
    Pin(String, bool),
    /// Copy a conversation.
    Duplicate(String),
    /// Remove a conversation that is not open.
    Remove(String),
    /// Bring one back.
    Restore(String),
    /// Write one to a file.
    Export(String, ExportForm, PathBuf),
    /// Bring one in from a file.
    Import(PathBuf),
}

/// What became of a job.
#[derive(Debug)]
pub enum Done {
    /// Every conversation.
    Listed(Vec<Summary>),
    /// Where a text is found.
    Found(String, Vec<Hit>),
    /// A conversation is open.
    Opened(Box<OpenChat>, Option<MessageId>),
    /// Something to tell.
    Told(String),
    /// The list has changed, and nothing needs to be told.
    Nothing,
    /// What did not work, and why.
    Failed(&'static str, String),
}

/// The way to the thread.
pub struct Clerk {
    jobs: Sender<Job>,
    done: Receiver<Done>,
    n_waiting: usize,
}

impl Clerk {
    /// Starts the thread; `wake` asks for a frame.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn start(store: ChatStore, wake: impl Fn() + Send + 'static) -> Result<Self> {
        let (jobs, inbox) = channel();
        let (outbox, done) = channel();
        let work = move || {
            for job in inbox {
                if outbox.send(settle(&store, job)).is_err() {
                    return;
                }
                wake();
            }
        };
        let thread = thread::Builder::new().name("conversations".to_owned());
        thread
            .spawn(work)
            .context("cannot start a thread for conversations")?;
        Ok(Self {
            jobs,
            done,
            n_waiting: 0,
        })
    }

    /// Gives the thread something to do.
    pub fn give(&mut self, job: Job) {
        if self.jobs.send(job).is_ok() {
            self.n_waiting += 1;
        }
    }

    /// Whether everything is done.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.n_waiting == 0
    }

    /// What was done since this was last asked.
    pub fn done(&mut self) -> Vec<Done> {
        let done: Vec<Done> = self.done.try_iter().collect();
        self.n_waiting = self.n_waiting.saturating_sub(done.len());
        done
    }
}

fn settle(store: &ChatStore, job: Job) -> Done {
    let what = what(&job);
    work(store, job).unwrap_or_else(|error| Done::Failed(what, format!("{error:#}")))
}

fn what(job: &Job) -> &'static str {
    match job {
        Job::List => "list the conversations",
        Job::Search(_) => "search the conversations",
        Job::Open(..) => "open the conversation",
        Job::Close(_) => "close the conversation",
        Job::Rename(..) => "rename the conversation",
        Job::Pin(..) => "pin the conversation",
        Job::Duplicate(_) => "copy the conversation",
        Job::Remove(_) => "remove the conversation",
        Job::Restore(_) => "bring the conversation back",
        Job::Export(..) => "export the conversation",
        Job::Import(_) => "import the conversation",
    }
}

fn work(store: &ChatStore, job: Job) -> Result<Done> {
    match job {
        Job::List => {}
        Job::Search(text) => {
            let hits = store.search(&text);
            return Ok(Done::Found(text, hits));
        }
        Job::Open(id, message) => {
            return Ok(Done::Opened(Box::new(store.open(&id)?), message));
        }
        Job::Close(chat) => {
            drop(chat);
            return Ok(Done::Nothing);
        }
        Job::Rename(id, title) => store.open(&id)?.rename(&title)?,
        Job::Pin(id, is_pinned) => store.open(&id)?.pin(is_pinned)?,
        Job::Duplicate(id) => {
            let copy = store.duplicate(&id)?;
            let mut chat = store.open(&copy)?;
            let title = format!("{} (copy)", chat.conversation().title());
            chat.rename(&title)?;
        }
        Job::Remove(id) => store.remove(&id)?,
        Job::Restore(id) => store.restore(&id)?,
        Job::Export(id, form, path) => {
            let path = files::export(store, &id, form, path)?;
            return Ok(Done::Told(format!("Saved as {}.", path.display())));
        }
        Job::Import(path) => {
            let id = files::import(store, &path)?;
            return Ok(Done::Opened(Box::new(store.open(&id)?), None));
        }
    }
    Ok(Done::Listed(store.list()))
}
