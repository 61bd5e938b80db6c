//! A conversation: what its lines add up to.

use std::collections::{BTreeMap, HashMap};

use super::line::{Line, MessageId, Role, Setup};
use crate::trace::answer::{Answer, GeneratedToken, Speed};

/// A conversation with all its branches.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Conversation {
    /// The title someone gave it; see [`Self::title`].
    pub given_title: Option<String>,
    /// Whether it is pinned to the top of the list.
    pub is_pinned: bool,
    /// When it began.
    pub began: String,
    /// When something was last said.
    pub changed: String,
    /// With what the next answer is made.
    pub setup: Setup,
    messages: BTreeMap<MessageId, Message>,
    shown: HashMap<Option<MessageId>, MessageId>,
}

/// A message.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Its number.
    pub id: MessageId,
    /// What it follows.
    pub parent: Option<MessageId>,
    /// Who speaks.
    pub role: Role,
    /// What is said.
    pub text: String,
    /// When.
    pub time: String,
    /// Whether it was removed.
    pub is_removed: bool,
    /// How it was made, if a model made it.
    pub reply: Option<Box<Reply>>,
}

/// How an answer was made.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// With what.
    pub setup: Setup,
    /// The prompt as ids.
    pub prompt_tokens: Vec<u32>,
    /// Its tokens so far, with their draws.
    pub tokens: Vec<GeneratedToken>,
    /// How it went, all of it; `None` while it is being written, or where a crash cut it off.
    pub answer: Option<Answer>,
    /// How it went until it was gone on with, as long as it is: of the tokens since, nothing is known yet.
    pub earlier: Option<Answer>,
}

impl Reply {
    /// What is known of how it went: all of it, or what was before it was gone on with.
    #[must_use]
    pub fn known(&self) -> Option<&Answer> {
        self.answer.as_ref().or(self.earlier.as_ref())
    }
}

/// Figures of an answer that was gone on with: of the prompt, and of the time to the first token, those of its
/// beginning are true; to the rest, what came since is added.
fn joined(first: &Answer, rest: &Answer) -> Answer {
    let (begun, since) = (first.speed, rest.speed);
    let speed = Speed {
        decode_s: begun.decode_s + since.decode_s,
        // The first token of each belongs to its prefill: one of both counts as such.
        generated: begun.generated + since.generated.saturating_sub(1),
        ..begun
    };
    Answer {
        speed,
        reused: first.reused,
        peak_memory_bytes: first.peak_memory_bytes.max(rest.peak_memory_bytes),
        ..rest.clone()
    }
}

impl Conversation {
    /// What `lines` add up to.
    pub fn of<'a>(lines: impl IntoIterator<Item = &'a Line>) -> Self {
        let mut conversation = Self::default();
        for line in lines {
            conversation.apply(line);
        }
        conversation
    }

    /// Takes in one line. What does not fit, e.g. tokens of a message that is not there, changes nothing.
    pub fn apply(&mut self, line: &Line) {
        match line {
            Line::Began { time, .. } => {
                self.began.clone_from(time);
                self.changed.clone_from(time);
            }
            Line::Title { text } => {
                self.given_title = Some(text.clone()).filter(|text| !text.is_empty());
            }
            Line::Pin { is_pinned } => self.is_pinned = *is_pinned,
            Line::Setup { setup } => self.setup.clone_from(setup),
            Line::Said {
                id,
                parent,
                role,
                text,
                time,
            } => self.add(Message {
                id: *id,
                parent: *parent,
                role: *role,
                text: text.clone(),
                time: time.clone(),
                is_removed: false,
                reply: None,
            }),
            Line::Answering {
                id,
                parent,
                time,
                setup,
                prompt_tokens,
            } => self.add(Message {
                id: *id,
                parent: *parent,
                role: Role::Assistant,
                text: String::new(),
                time: time.clone(),
                is_removed: false,
                reply: Some(Box::new(Reply {
                    setup: (**setup).clone(),
                    prompt_tokens: prompt_tokens.clone(),
                    tokens: Vec::new(),
                    answer: None,
                    earlier: None,
                })),
            }),
            Line::Tokens { id, tokens } => self.add_tokens(*id, tokens),
            Line::Answered { id, answer } => self.end_answer(*id, answer),
            Line::Shown { parent, id } => {
                if self.messages.get(id).is_some_and(|of| of.parent == *parent) {
                    self.shown.insert(*parent, *id);
                }
            }
            Line::Removed { id } => self.set_removed(*id, true),
            Line::Restored { id } => self.set_removed(*id, false),
        }
    }

    fn add(&mut self, message: Message) {
        let follows_something = message
            .parent
            .is_none_or(|parent| self.messages.contains_key(&parent));
        if follows_something && !self.messages.contains_key(&message.id) {
            self.changed.clone_from(&message.time);
            // What was said last is what is seen.
            self.shown.insert(message.parent, message.id);
            self.messages.insert(message.id, message);
        }
    }

    fn add_tokens(&mut self, id: MessageId, tokens: &[GeneratedToken]) {
        if let Some(message) = self.messages.get_mut(&id)
            && let Some(reply) = &mut message.reply
        {
            // More tokens than the answer had: what is known of it is about its beginning.
            if !tokens.is_empty() && reply.answer.is_some() {
                reply.earlier = reply.answer.take();
            }
            for token in tokens {
                message.text.push_str(&token.text);
            }
            reply.tokens.extend_from_slice(tokens);
        }
    }

    fn end_answer(&mut self, id: MessageId, answer: &Answer) {
        if let Some(message) = self.messages.get_mut(&id)
            && let Some(reply) = &mut message.reply
        {
            message.text.clone_from(&answer.text);
            let earlier = reply.earlier.take().or_else(|| reply.answer.take());
            let all = earlier.map_or_else(|| answer.clone(), |first| joined(&first, answer));
            reply.answer = Some(Answer {
                tokens: reply.tokens.clone(),
                prompt_tokens: reply.prompt_tokens.clone(),
                ..all
            });
        }
    }

    fn set_removed(&mut self, id: MessageId, is_removed: bool) {
        let Some(message) = self.messages.get_mut(&id) else {
            return;
        };
        message.is_removed = is_removed;
        let parent = message.parent;
        let next = match is_removed {
            true => self.siblings_after(parent).last().copied(),
            false => Some(id),
        };
        match next {
            Some(next) => self.shown.insert(parent, next),
            None => self.shown.remove(&parent),
        };
    }

    /// The title: the one given, else the first words of the first question, else nothing.
    pub fn title(&self) -> String {
        const MAX_LETTERS: usize = 48;
        if let Some(title) = &self.given_title {
            return title.clone();
        }
        let first = self
            .messages
            .values()
            .find(|message| message.role == Role::User);
        let line =
            first.and_then(|message| message.text.lines().find(|line| !line.trim().is_empty()));
        let line = line.unwrap_or_default().trim();
        match line.char_indices().nth(MAX_LETTERS) {
            None => line.to_owned(),
            Some((at, _)) => {
                let start = line.get(..at).unwrap_or(line);
                // Whole words, where there are words.
                let start = start.rsplit_once(' ').map_or(start, |(words, _)| words);
                format!("{start} …")
            }
        }
    }

    /// The message of this number, removed or not.
    pub fn message(&self, id: MessageId) -> Option<&Message> {
        self.messages.get(&id)
    }

    /// Every message that was not removed, in the order it was said.
    pub fn messages(&self) -> impl Iterator<Item = &Message> {
        self.messages.values().filter(|message| !message.is_removed)
    }

    /// The branch that is shown, from the start to its last message.
    pub fn branch(&self) -> Vec<&Message> {
        let mut branch = Vec::new();
        let mut parent = None;
        while let Some(message) = self.shown.get(&parent).and_then(|id| self.messages.get(id)) {
            if message.is_removed {
                break;
            }
            parent = Some(message.id);
            branch.push(message);
        }
        branch
    }

    /// The messages that lead to `id`, from the start on, itself the last; whatever is shown.
    pub fn path(&self, id: MessageId) -> Vec<&Message> {
        let mut path = Vec::new();
        let mut next = self.messages.get(&id);
        while let Some(message) = next {
            path.push(message);
            next = message.parent.and_then(|parent| self.messages.get(&parent));
        }
        path.reverse();
        path
    }

    /// The messages that stand in for one another at the place of `id`, itself among them: ‹ 2/3 ›.
    pub fn siblings(&self, id: MessageId) -> Vec<MessageId> {
        match self.messages.get(&id) {
            Some(message) => self.siblings_after(message.parent),
            None => Vec::new(),
        }
    }

    fn siblings_after(&self, parent: Option<MessageId>) -> Vec<MessageId> {
        let siblings = self.messages().filter(|message| message.parent == parent);
        siblings.map(|message| message.id).collect()
    }

    /// A number that no message has had.
    pub fn next_id(&self) -> MessageId {
        let last = self.messages.keys().next_back();
        last.map_or(MessageId(1), |last| MessageId(last.0.saturating_add(1)))
    }
}
