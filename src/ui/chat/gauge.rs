//! How full the context is: system prompt, history, the newest answer, what one types, and what is free.

use egui::{Rect, Sense, Ui, WidgetInfo, pos2, vec2};

use super::ChatState;
use super::state::guess_tokens as guess;
use crate::chat::{Message, Role as Speaker};
use crate::engine::question::{Question, Told};
use crate::trace::units;
use crate::ui::answers::Asked;
use crate::ui::picture::Scene;
use crate::ui::theme::{Palette, Role, Type, corner};

/// From this share on it is amber.
const NEARLY: f32 = 0.75;

/// What fills the context, in tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Filling {
    /// The system prompt.
    pub system: usize,
    /// What was said before the newest answer.
    pub history: usize,
    /// The newest answer.
    pub answer: usize,
    /// What was said since, what is being typed, and what goes with it: about so many.
    pub next: usize,
    /// Of these, what one is about to send, as far as it is counted.
    pub sent_next: usize,
    /// The most that the model reads.
    pub context: usize,
    /// The most positions that a rotating cache keeps.
    pub kept: Option<usize>,
}

impl Filling {
    /// All that is taken.
    #[must_use]
    pub fn taken(&self) -> usize {
        self.system + self.history + self.answer + self.next
    }

    /// The share that is taken, 0 to 1.
    #[must_use]
    pub fn share(&self) -> f32 {
        (self.taken() as f32 / self.context.max(1) as f32).min(1.0)
    }

    /// Whether little is left. A rotating cache makes room as it goes.
    #[must_use]
    pub fn is_nearly_full(&self) -> bool {
        self.kept.is_none() && self.share() >= NEARLY
    }

    /// Why what one is about to send can get no answer, whatever is left out before it.
    #[must_use]
    pub fn too_long(&self) -> Option<&'static str> {
        let alone = self.system + self.sent_next;
        let is_too_long = self.context > 0 && alone >= self.context && self.kept.is_none();
        is_too_long.then_some("more than this model reads: send less of it")
    }

    /// How full it is, in a few signs.
    fn figures(&self) -> String {
        let taken = units::count(self.taken() as u64);
        match self.kept.filter(|kept| *kept < self.taken()) {
            Some(kept) => format!("{} of {taken} kept", units::count(kept as u64)),
            None => {
                let most = self.kept.unwrap_or(self.context);
                format!("{taken} / {}", units::count(most as u64))
            }
        }
    }
}

/// What fills the context now.
pub fn filling(scene: &mut Scene<'_>, typed: &str) -> Filling {
    let chat = scene.chat;
    let branch = chat.branch();
    let read = known(chat, &branch);
    let system = match chat.setup().system.trim() {
        "" => 0,
        system => count(scene, system),
    };
    let (n_prompt, answer, place) = read.unwrap_or((system, 0, 0));
    let since = branch.get(place..).unwrap_or_default();
    let (attached, is_counted) = chat.attached_tokens();
    let typed_tokens = count(scene, typed);
    let mut sent_next = if typed.len() > LONG_TEXT {
        0
    } else {
        typed_tokens
    };
    sent_next += if is_counted { attached } else { 0 };
    let mut next = typed_tokens + attached;
    for (at, message) in since.iter().rev().enumerate() {
        next += match (chat.counts.get(&message.id), at) {
            (Some(n), _) => *n,
            (None, 0..EXACT) => count(scene, &message.text),
            (None, _) => guess(&message.text),
        };
    }
    Filling {
        system: system.min(n_prompt),
        history: n_prompt.saturating_sub(system),
        answer,
        next,
        sent_next,
        kept: chat.setup().cache.max_size,
        context: scene.facts.n_context.unwrap_or_default() as usize,
    }
}

/// What the newest answer has read and written, as counted by the engine, and how many messages that
/// covers.
fn known(chat: &ChatState, branch: &[&Message]) -> Option<(usize, usize, usize)> {
    let first = chat.setup().first;
    let start = branch.iter().position(|message| Some(message.id) == first);
    branch
        .iter()
        .enumerate()
        .rev()
        .find_map(|(place, message)| {
            let reply = message.reply.as_ref()?;
            // What was read before turns were dropped says nothing.
            let is_now = start.is_none_or(|start| place >= start && reply.setup.first == first);
            let counts = (reply.prompt_tokens.len(), reply.tokens.len(), place + 1);
            (message.role == Speaker::Assistant && is_now).then_some(counts)
        })
}

/// So many of the newest messages are counted exactly where no answer tells.
const EXACT: usize = 8;

/// The page counts no longer texts: splitting them takes a while, and what is typed changes with every key. Those of
/// messages the app has counted.
pub const LONG_TEXT: usize = 20_000;

/// The tokens of a text; a guess as long as the engine has not told.
pub(super) fn count(scene: &mut Scene<'_>, text: &str) -> usize {
    let guess = guess(text);
    if text.trim().is_empty() {
        return 0;
    }
    if text.len() > LONG_TEXT {
        return guess;
    }
    let question = Question::Tokens {
        model: None,
        text: text.to_owned(),
        with_begin: false,
    };
    match scene.ask(&question) {
        Asked::Ready(told) => match &*told {
            Told::Tokens(tokens) => tokens.pieces.len(),
            _ => guess,
        },
        _ => guess,
    }
}

/// Draws the gauge.
pub(super) fn gauge_ui(ui: &mut Ui, filling: &Filling) {
    let palette = Palette::of(ui);
    if filling.context == 0 {
        return;
    }
    let figures = filling.figures();
    let is_amber = filling.is_nearly_full();
    let amber = palette.role(Role::Logits);
    let colour = if is_amber { amber } else { palette.muted };
    let told = told(filling);
    let text = Type::MonoSmall.text(&figures, colour);
    ui.label(text).on_hover_text(&told);
    let (rect, response) = ui.allocate_exact_size(vec2(90.0, 8.0), Sense::hover());
    response.widget_info(|| {
        WidgetInfo::labeled(
            egui::Role::ProgressIndicator,
            true,
            format!("context {figures}"),
        )
    });
    ui.painter().rect_filled(rect, corner::CELL, palette.sunk);
    let parts = [
        (filling.system, palette.role(Role::Residual)),
        (
            filling.history,
            if is_amber {
                amber
            } else {
                palette.role(Role::Cache)
            },
        ),
        (
            filling.answer,
            if is_amber {
                amber
            } else {
                palette.role(Role::Value)
            },
        ),
        (filling.next, palette.muted),
    ];
    let whole = filling.context.max(match filling.kept {
        Some(_) => filling.taken(),
        None => 0,
    });
    let mut x = rect.left();
    for (n, fill) in parts {
        let width = rect.width() * n as f32 / whole as f32;
        let end = (x + width.max(if n > 0 { 2.0 } else { 0.0 })).min(rect.right());
        let part = Rect::from_min_max(pos2(x, rect.top()), pos2(end, rect.bottom()));
        ui.painter().rect_filled(part, corner::CELL, fill);
        x = end;
    }
    response.on_hover_text(&told);
    ui.label(Type::Small.text("context", palette.muted));
}

fn told(filling: &Filling) -> String {
    let free = filling.context.saturating_sub(filling.taken());
    let mut lines = vec![
        format!("system prompt: {} tokens", filling.system),
        format!("history: {}", filling.history),
        format!("newest answer: {}", filling.answer),
        format!("not yet read: about {}", filling.next),
    ];
    lines.push(match filling.kept {
        None => format!("free: {free} of {}", filling.context),
        Some(kept) => format!(
            "The cache rotates: it keeps {} positions, the first and the newest, and overwrites the others.",
            kept.min(filling.taken())
        ),
    });
    if filling.is_nearly_full() {
        lines
            .push("Little is left: soon the oldest turns must go, or a new chat begin.".to_owned());
    }
    lines.join("\n")
}
