//! The talk: the messages on view, one under the other.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use egui::Ui;

use super::markdown::Markdown;
use super::scroll::{Row, Scroll};
use super::{ChatCommand, ChatPage, ChatState, markdown, message, notices, tokens};
use crate::chat::{Message, MessageId, Role};
use crate::ui::picture::Scene;
use crate::ui::theme::space;

/// The widest that text is set: longer lines are hard to read.
pub const COLUMN: f32 = 640.0;

/// The messages as they were laid out.
#[derive(Default)]
pub struct Talk {
    /// The message being edited, with its text.
    pub editing: Option<Editing>,
    /// Answers whose reasoning is unfolded.
    pub unfolded: BTreeSet<MessageId>,
    /// Answers that are shown token by token.
    pub coloured: BTreeSet<MessageId>,
    scroll: Scroll<Part>,
    bodies: HashMap<MessageId, Body>,
    /// Whether an answer was being written in the frame before.
    was_writing: bool,
    /// The conversation that the above belongs to.
    of: Option<String>,
    /// How formatted text was laid out.
    pub(super) markdown: Markdown,
}

/// A message being edited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Editing {
    /// Which one.
    pub id: MessageId,
    /// Its text so far.
    pub text: String,
    /// Whether its field has had the keyboard.
    pub is_begun: bool,
}

/// A part of the talk that is laid out by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Part {
    /// What stands before the first message.
    Opening,
    /// The line under which the model reads.
    Dropped(MessageId),
    /// A question, or what is being edited.
    Whole(MessageId),
    /// What a model thought before it answered.
    Reasoning(MessageId),
    /// A piece of an answer, by its number.
    Piece(MessageId, usize),
    /// A line of an answer's tokens, by its number.
    Tokens(MessageId, usize),
    /// What stands under a message.
    Foot(MessageId),
    /// What stands after the last message: an answer about to come, a full context, a failure.
    Ending,
}

/// An answer's text, taken apart.
#[derive(Debug, Clone, Default)]
pub(super) struct Body {
    n_bytes: usize,
    /// What the model thought before it answered.
    pub reasoning: Option<Range<usize>>,
    /// Pieces that can be laid out by themselves.
    pub pieces: Vec<Range<usize>>,
}

/// Draws the talk.
pub fn talk_ui(ui: &mut Ui, scene: &mut Scene<'_>, page: &mut ChatPage) {
    let talk = &mut page.talk;
    let id = scene.chat.id().map(str::to_owned);
    if talk.of != id {
        // A new conversation gets its name with its first message: that is no other talk.
        let is_same = talk.of.is_none() && scene.chat.writing.is_some();
        if !is_same {
            talk.forget();
        }
        talk.of = id;
    }
    let chat = scene.chat;
    // Whoever asks wants to see the answer.
    if chat.writing.is_some() && !talk.was_writing {
        talk.scroll.show_end();
    }
    talk.was_writing = chat.writing.is_some();
    let branch = chat.branch();
    let rows = talk.rows(chat, &branch);
    let width = COLUMN.min(ui.available_width() - 2.0 * space::PICTURE);
    let goal = chat.goal.map(|goal| talk.start_of(goal));
    let mut scroll = std::mem::take(&mut talk.scroll);
    let by_id: HashMap<MessageId, &Message> = branch
        .iter()
        .map(|message| (message.id, *message))
        .collect();
    let of = talk.of.clone().unwrap_or_default();
    scroll.show(ui, (&of, width), &rows, goal, |ui, part| {
        ui.spacing_mut().item_spacing.y = space::TINY;
        match part {
            Part::Opening => notices::opening_ui(ui, scene, &mut page.composer),
            Part::Dropped(_) => notices::dropped_ui(ui, scene),
            Part::Ending => notices::ending_ui(ui, scene, talk),
            Part::Whole(id)
            | Part::Reasoning(id)
            | Part::Piece(id, _)
            | Part::Tokens(id, _)
            | Part::Foot(id) => {
                if let Some(message) = by_id.get(&id) {
                    message::part_ui(ui, scene, talk, message, part);
                }
            }
        }
    });
    talk.scroll = scroll;
    if scene.chat.goal.is_some() {
        scene.tell_chat(ChatCommand::Arrived);
    }
}

impl Talk {
    /// Begins to edit a message.
    pub fn edit(&mut self, message: &Message) {
        self.editing = Some(Editing {
            id: message.id,
            text: message.text.clone(),
            is_begun: false,
        });
    }

    /// How an answer's text was taken apart.
    pub(super) fn body(&self, id: MessageId) -> Option<&Body> {
        self.bodies.get(&id)
    }

    fn forget(&mut self) {
        self.editing = None;
        self.unfolded.clear();
        self.coloured.clear();
        self.bodies.clear();
        self.scroll = Scroll::default();
        self.markdown.forget();
    }

    fn start_of(&self, id: MessageId) -> Part {
        match self.bodies.get(&id) {
            Some(body) if body.reasoning.is_some() => Part::Reasoning(id),
            Some(_) => Part::Piece(id, 0),
            None => Part::Whole(id),
        }
    }

    fn rows(&mut self, chat: &ChatState, branch: &[&Message]) -> Vec<Row<Part>> {
        let mut rows = vec![Row {
            key: Part::Opening,
            stamp: u64::from(branch.is_empty()),
            guess: if branch.is_empty() { 300.0 } else { 20.0 },
        }];
        let first = chat.setup().first;
        for message in branch {
            let id = message.id;
            if first == Some(id) {
                rows.push(row(Part::Dropped(id), 0, 44.0));
            }
            let editing = self.editing.as_ref().filter(|editing| editing.id == id);
            if let Some(editing) = editing {
                rows.push(row(Part::Whole(id), 1 + lines(&editing.text), 120.0));
                continue;
            }
            match message.role {
                Role::User => {
                    let is_open = self.unfolded.contains(&id);
                    let guess = guess(message::shown_of(&message.text, is_open));
                    rows.push(row(Part::Whole(id), u64::from(is_open), guess + 24.0));
                }
                Role::Assistant => self.rows_of(message, &mut rows),
            }
            let stamp = u64::from(chat.is_writing(id)) + 2 * u64::from(chat.writing.is_some());
            rows.push(row(Part::Foot(id), stamp, 44.0));
        }
        rows.push(row(Part::Ending, 0, 24.0));
        rows
    }

    fn rows_of(&mut self, message: &Message, rows: &mut Vec<Row<Part>>) {
        let id = message.id;
        if let Some(reply) = message
            .reply
            .as_ref()
            .filter(|_| self.coloured.contains(&id))
        {
            for (number, line) in tokens::lines(&reply.tokens).into_iter().enumerate() {
                rows.push(row(Part::Tokens(id, number), line.len() as u64, 26.0));
            }
            return;
        }
        let body = self.bodies.entry(id).or_default();
        body.take(&message.text);
        if let Some(reasoning) = &body.reasoning {
            let is_open = self.unfolded.contains(&id);
            let n_bytes = reasoning.len() as u64;
            rows.push(row(
                Part::Reasoning(id),
                if is_open { n_bytes } else { 0 },
                30.0,
            ));
        }
        for (number, piece) in body.pieces.iter().enumerate() {
            let text = message.text.get(piece.clone()).unwrap_or_default();
            rows.push(row(
                Part::Piece(id, number),
                piece.len() as u64,
                guess(text),
            ));
        }
    }
}

impl Body {
    /// Takes a text apart, unless it is the one that was.
    fn take(&mut self, text: &str) {
        if self.n_bytes == text.len() && !self.pieces.is_empty() {
            return;
        }
        self.n_bytes = text.len();
        let (reasoning, answer) = markdown::reasoning(text);
        self.reasoning = reasoning;
        self.pieces = markdown::pieces(text, answer);
    }
}

fn row(key: Part, stamp: u64, guess: f32) -> Row<Part> {
    Row { key, stamp, guess }
}

fn lines(text: &str) -> u64 {
    text.lines().count() as u64
}

/// About how high a text is.
fn guess(text: &str) -> f32 {
    const LETTERS: usize = 82;
    let lines: usize = text.lines().map(|line| 1 + line.len() / LETTERS).sum();
    lines.max(1) as f32 * 22.0 + 8.0
}
