//! All conversations: a folder with one file each.

use std::collections::hash_map::RandomState;
use std::fs;
use std::hash::{BuildHasher, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::conversation::Conversation;
use super::journal;
use super::line::{Line, Setup, VERSION};
use super::open_chat::{OpenChat, now};

/// Where removed conversations wait to be brought back.
const REMOVED: &str = "removed";

/// The folder of conversations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatStore {
    folder: PathBuf,
}

/// A conversation as the list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// What it is opened by.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Whether it stays at the top.
    pub is_pinned: bool,
    /// When something was last said.
    pub changed: String,
    /// Messages of the branch that is shown.
    pub n_messages: usize,
}

impl ChatStore {
    /// The conversations in `folder`, which need not exist yet.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The platform's own place, or `chats` in `VITRINE_HOME`; `None` if there is none.
    pub fn locate() -> Option<Self> {
        let chosen = std::env::var_os("VITRINE_HOME").filter(|home| !home.is_empty());
        let folder = chosen.map(PathBuf::from).or_else(|| {
            let folders = directories::ProjectDirs::from("", "", "vitrine")?;
            Some(folders.data_dir().to_owned())
        });
        Some(Self::new(folder?.join("chats")))
    }

    /// Every conversation: pinned ones first, then the latest.
    pub fn list(&self) -> Vec<Summary> {
        let mut all: Vec<Summary> = self
            .ids()
            .into_iter()
            .filter_map(|id| {
                let conversation = self.read(&id).ok()?;
                Some(summary(id, &conversation))
            })
            .collect();
        all.sort_by(|a, b| {
            let order = (b.is_pinned, &b.changed, &b.id);
            order.cmp(&(a.is_pinned, &a.changed, &a.id))
        });
        all
    }

    /// Begins a conversation.
    ///
    /// # Errors
    /// If its file cannot be made.
    pub fn create(&self, setup: Setup) -> Result<OpenChat> {
        let mut chat = self.open_at(&fresh_id())?;
        let time = now();
        let version = VERSION;
        chat.append(Line::Began { version, time })?;
        chat.set_setup(setup)?;
        Ok(chat)
    }

    /// Opens a conversation to go on with it.
    ///
    /// # Errors
    /// If there is none of this name, its file cannot be read, or it is open elsewhere.
    pub fn open(&self, id: &str) -> Result<OpenChat> {
        if !self.path(id)?.is_file() {
            bail!("there is no conversation {id}: it may have been removed");
        }
        self.open_at(id)
    }

    /// Reads a conversation without opening it.
    ///
    /// # Errors
    /// If there is none, or it cannot be read.
    pub fn read(&self, id: &str) -> Result<Conversation> {
        let path = self.path(id)?;
        let lines = journal::read(&path)
            .with_context(|| format!("cannot read the conversation {}", path.display()))?;
        Ok(Conversation::of(&lines))
    }

    /// The lines of a conversation, e.g. for an export.
    ///
    /// # Errors
    /// If there is none, or it cannot be read.
    pub fn lines(&self, id: &str) -> Result<Vec<Line>> {
        journal::read(&self.path(id)?).context("cannot read the conversation")
    }

    /// The same conversation once more, under another name.
    ///
    /// # Errors
    /// If it cannot be read, or the copy cannot be written.
    pub fn duplicate(&self, id: &str) -> Result<String> {
        self.add(&self.lines(id)?)
    }

    /// A conversation made of `lines`, e.g. of an import; returns its name.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn add(&self, lines: &[Line]) -> Result<String> {
        let mut chat = self.open_at(&fresh_id())?;
        for line in lines {
            chat.append(line.clone())?;
        }
        Ok(chat.id().to_owned())
    }

    /// Removes a conversation; [`Self::restore`] brings it back.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn remove(&self, id: &str) -> Result<()> {
        let to = self.removed_path(id)?;
        fs::create_dir_all(self.folder.join(REMOVED)).context("cannot remove the conversation")?;
        fs::rename(self.path(id)?, to).context("cannot remove the conversation")
    }

    /// Brings a removed conversation back.
    ///
    /// # Errors
    /// If it is gone for good.
    pub fn restore(&self, id: &str) -> Result<()> {
        let from = self.removed_path(id)?;
        fs::rename(from, self.path(id)?).context("the conversation is gone for good")
    }

    /// Empties the place where removed conversations wait.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn forget_removed(&self) -> Result<()> {
        let folder = self.folder.join(REMOVED);
        match folder.exists() {
            true => fs::remove_dir_all(folder).context("cannot empty the removed conversations"),
            false => Ok(()),
        }
    }

    fn open_at(&self, id: &str) -> Result<OpenChat> {
        let path = self.path(id)?;
        fs::create_dir_all(&self.folder)
            .with_context(|| format!("cannot make the folder {}", self.folder.display()))?;
        OpenChat::at(id, &path)
    }

    fn ids(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        let ids = names.filter_map(|name| Some(name.strip_suffix(".jsonl")?.to_owned()));
        ids.collect()
    }

    fn path(&self, id: &str) -> Result<PathBuf> {
        file_in(&self.folder, id)
    }

    fn removed_path(&self, id: &str) -> Result<PathBuf> {
        file_in(&self.folder.join(REMOVED), id)
    }
}

/// The file of the conversation `id`; a name that leads elsewhere is none.
fn file_in(folder: &Path, id: &str) -> Result<PathBuf> {
    let is_plain = |letter: u8| letter.is_ascii_alphanumeric() || letter == b'-';
    if id.is_empty() || !id.bytes().all(is_plain) {
        bail!("{id:?} is no conversation's name");
    }
    Ok(folder.join(format!("{id}.jsonl")))
}

fn summary(id: String, conversation: &Conversation) -> Summary {
    Summary {
        id,
        title: conversation.title(),
        is_pinned: conversation.is_pinned,
        changed: conversation.changed.clone(),
        n_messages: conversation.branch().len(),
    }
}

/// A name that no other conversation has: the time, and some letters for those of the same moment.
fn fresh_id() -> String {
    let time = jiff::Zoned::now().strftime("%Y%m%d-%H%M%S");
    let random = RandomState::new().build_hasher().finish();
    format!("{time}-{:06x}", random & 0xff_ffff)
}
