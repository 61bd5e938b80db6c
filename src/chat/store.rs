//! All conversations: a folder with one file each.

use std::collections::hash_map::RandomState;
use std::fs;
use std::hash::{BuildHasher, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::conversation::Conversation;
use super::journal::{self, Journal};
use super::line::{Line, MessageId, Role, Setup, VERSION};
use crate::trace::answer::{Answer, GeneratedToken};

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

/// A conversation that holds what was looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The conversation.
    pub summary: Summary,
    /// The message, if it is not the title.
    pub message: Option<MessageId>,
    /// The words around it.
    pub excerpt: String,
}

/// A conversation that is open: what is done to it is saved as it is done.
#[derive(Debug)]
pub struct OpenChat {
    id: String,
    conversation: Conversation,
    journal: Journal,
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
        Ok(chat.id.clone())
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

    /// Conversations with `text` in their title or in a message, whatever its case; one hit each, the latest first.
    pub fn search(&self, text: &str) -> Vec<Hit> {
        let text = text.trim().to_lowercase();
        if text.is_empty() {
            return Vec::new();
        }
        let hits = self.list().into_iter().filter_map(|summary| {
            if let Some(excerpt) = excerpt(&summary.title, &text) {
                let message = None;
                return Some(Hit {
                    summary,
                    message,
                    excerpt,
                });
            }
            let conversation = self.read(&summary.id).ok()?;
            let found = conversation.messages().find_map(|message| {
                let excerpt = excerpt(&message.text, &text)?;
                Some((message.id, excerpt))
            });
            let (id, excerpt) = found?;
            let message = Some(id);
            Some(Hit {
                summary,
                message,
                excerpt,
            })
        });
        hits.collect()
    }

    fn open_at(&self, id: &str) -> Result<OpenChat> {
        let path = self.path(id)?;
        fs::create_dir_all(&self.folder)
            .with_context(|| format!("cannot make the folder {}", self.folder.display()))?;
        let (journal, lines) = Journal::open(&path)?;
        Ok(OpenChat {
            id: id.to_owned(),
            conversation: Conversation::of(&lines),
            journal,
        })
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

impl OpenChat {
    /// What it is opened by.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What was said.
    pub fn conversation(&self) -> &Conversation {
        &self.conversation
    }

    /// Saves a line and takes it in.
    ///
    /// # Errors
    /// If the disk refuses; then nothing has changed.
    pub fn append(&mut self, line: Line) -> Result<()> {
        self.journal.append(&line)?;
        self.conversation.apply(&line);
        Ok(())
    }

    /// Someone says something, after `parent`; it is shown from now on. An edited message is a new one after the
    /// same parent: the old branch stays.
    ///
    /// # Errors
    /// As [`Self::append`].
    pub fn say(&mut self, parent: Option<MessageId>, role: Role, text: &str) -> Result<MessageId> {
        let id = self.conversation.next_id();
        let (text, time) = (text.to_owned(), now());
        self.append(Line::Said {
            id,
            parent,
            role,
            text,
            time,
        })?;
        Ok(id)
    }

    /// An answer begins, after `parent`; another answer after the same parent is its sibling.
    ///
    /// # Errors
    /// As [`Self::append`].
    pub fn begin_answer(
        &mut self,
        parent: Option<MessageId>,
        setup: Setup,
        prompt_tokens: Vec<u32>,
    ) -> Result<MessageId> {
        let (id, time, setup) = (self.conversation.next_id(), now(), Box::new(setup));
        self.append(Line::Answering {
            id,
            parent,
            time,
            setup,
            prompt_tokens,
        })?;
        Ok(id)
    }

    /// Tokens of an answer, as they come; several at a time are one line.
    ///
    /// # Errors
    /// As [`Self::append`].
    pub fn add_tokens(&mut self, id: MessageId, tokens: Vec<GeneratedToken>) -> Result<()> {
        match tokens.is_empty() {
            true => Ok(()),
            false => self.append(Line::Tokens { id, tokens }),
        }
    }

    /// The answer has ended. Tokens that were not saved yet are saved now.
    ///
    /// # Errors
    /// As [`Self::append`].
    pub fn end_answer(&mut self, id: MessageId, answer: &Answer) -> Result<()> {
        let message = self.conversation.message(id);
        let reply = message.and_then(|message| message.reply.as_ref());
        let n_saved = reply.map_or(0, |reply| reply.tokens.len());
        let rest = answer.tokens.get(n_saved..).unwrap_or_default().to_vec();
        self.add_tokens(id, rest)?;
        let answer = Box::new(Answer {
            tokens: Vec::new(),
            prompt_tokens: Vec::new(),
            ..answer.clone()
        });
        self.append(Line::Answered { id, answer })
    }

    /// Shows the message `id` among its siblings.
    ///
    /// # Errors
    /// As [`Self::append`].
    pub fn show(&mut self, id: MessageId) -> Result<()> {
        let parent = self
            .conversation
            .message(id)
            .and_then(|message| message.parent);
        self.append(Line::Shown { parent, id })
    }

    /// Removes a message with what follows it; [`Self::restore`] brings it back.
    ///
    /// # Errors
    /// As [`Self::append`].
    pub fn remove(&mut self, id: MessageId) -> Result<()> {
        self.append(Line::Removed { id })
    }

    /// Brings a removed message back.
    ///
    /// # Errors
    /// As [`Self::append`].
    pub fn restore(&mut self, id: MessageId) -> Result<()> {
        self.append(Line::Restored { id })
    }

    /// Gives it a title; an empty one is forgotten.
    ///
    /// # Errors
    /// As [`Self::append`].
    pub fn rename(&mut self, title: &str) -> Result<()> {
        let text = title.trim().to_owned();
        self.append(Line::Title { text })
    }

    /// Pins it to the top of the list, or not.
    ///
    /// # Errors
    /// As [`Self::append`].
    pub fn pin(&mut self, is_pinned: bool) -> Result<()> {
        self.append(Line::Pin { is_pinned })
    }

    /// With what the next answers are made.
    ///
    /// # Errors
    /// As [`Self::append`].
    pub fn set_setup(&mut self, setup: Setup) -> Result<()> {
        let setup = Box::new(setup);
        self.append(Line::Setup { setup })
    }
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

/// The words of `text` around `wanted`, which is in lower case.
fn excerpt(text: &str, wanted: &str) -> Option<String> {
    const AROUND: usize = 30;
    let lower: Vec<char> = text.chars().flat_map(char::to_lowercase).collect();
    let wanted: Vec<char> = wanted.chars().collect();
    let at = lower
        .windows(wanted.len().max(1))
        .position(|window| window == wanted)?;
    let from = at.saturating_sub(AROUND);
    let words = text.chars().skip(from).take(wanted.len() + 2 * AROUND);
    let words: String = words
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect();
    let dots = if from > 0 { "… " } else { "" };
    Some(format!("{dots}{}", words.trim()))
}

/// A name that no other conversation has: the time, and some letters for those of the same moment.
fn fresh_id() -> String {
    let time = jiff::Zoned::now().strftime("%Y%m%d-%H%M%S");
    let random = RandomState::new().build_hasher().finish();
    format!("{time}-{:06x}", random & 0xff_ffff)
}

fn now() -> String {
    jiff::Timestamp::now().to_string()
}
