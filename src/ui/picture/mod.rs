//! What a picture is: one stage or view, one file, and the frame that all of them share.
//!
//! A picture draws from the [`Scene`] and sends commands; its own fields hold what belongs to its
//! widgets alone (a slider, a search text). To add one: write a file in `pictures/`, implement
//! [`Picture`], and name it in `ui::pictures::all`.
mod around;
mod copying;
mod formula;
mod scene;
mod side;

use std::sync::Arc;

use egui::Ui;

use super::answers::Asked;
use super::command::Command;
use super::theme::{Palette, Role, Type};

pub use around::{picture_area, picture_ui};
pub use formula::{Term, formula_ui, times};
pub use scene::Scene;
pub use side::side_ui;

/// What stands over a picture.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Heading {
    /// What it is: `Attention`.
    pub title: String,
    /// Which one, beside the title: `L2.H3`.
    pub detail: String,
    /// What it is for, in one sentence under it.
    pub sentence: String,
}

/// What is said of a picture before a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spoken {
    /// One sentence about what is on view.
    pub sentence: String,
    /// The number behind it; `**words**` are set off in the colour of `role`.
    pub detail: String,
    /// Whose number it is.
    pub role: Role,
}

/// What stands beside a picture.
#[derive(Debug, Clone, Default)]
pub struct Side {
    /// What happens here; `**words**` are set off.
    pub happens: String,
    /// What to look for.
    pub look_for: String,
    /// What it does not say, where it is often misread.
    pub does_not_say: String,
    /// Buttons that try something.
    pub tries: Vec<(String, Command)>,
    /// A question that the values answer.
    pub check: Option<Check>,
    /// Shape, type, time, bytes, hook: one line each.
    pub meta: Vec<String>,
}

/// A question whose answer was computed from the values on view.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    /// The question.
    pub question: String,
    /// What one may answer.
    pub answers: Vec<String>,
    /// Which of them is right.
    pub right: usize,
    /// What is said beside the right one: the number that decides.
    pub because: String,
}

/// One picture.
pub trait Picture {
    /// What stands over it.
    fn heading(&self, scene: &Scene<'_>) -> Heading;

    /// Its tabs, if it has more than one side.
    fn tabs(&self) -> &'static [&'static str] {
        &[]
    }

    /// The tab that is open before one was chosen, as its place among them.
    fn default_tab(&self) -> usize {
        0
    }

    /// The picture itself, in all the room that `ui` has.
    fn main_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>);

    /// Whether a formula stands under it.
    fn has_formula(&self) -> bool {
        true
    }

    /// The formula under it, with the chosen cell's own numbers; drawn from left to right.
    fn formula_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>);

    /// What is said of it before a room, where it has more to say than what it is for.
    fn spoken(&mut self, _scene: &mut Scene<'_>) -> Option<Spoken> {
        None
    }

    /// What stands beside it.
    fn side(&mut self, scene: &mut Scene<'_>) -> Side;
}

/// Where pictures find whether the run that they show is a recorded one.
fn is_recorded_id() -> egui::Id {
    egui::Id::unique("is-recorded")
}

/// Where pictures find whether they are being saved.
fn is_still_id() -> egui::Id {
    egui::Id::unique("is-still")
}

/// Whether the picture is being saved: what one could type into stands as plain text then.
#[must_use]
pub fn is_still(ui: &Ui) -> bool {
    let is_still = ui.data(|data| data.get_temp(is_still_id()));
    is_still.unwrap_or(false)
}

/// Draws the state of a question that has no answer yet. Returns the answer if it has one.
pub fn ready_ui<A>(ui: &mut Ui, asked: Asked<A>) -> Option<Arc<A>> {
    let palette = Palette::of(ui);
    match asked {
        Asked::Ready(answer) => Some(answer),
        Asked::Waiting => {
            ui.label(Type::Body.text("Computing …", palette.muted));
            None
        }
        Asked::Failed(why) => {
            // What was not recorded is no fault.
            let is_recorded = ui.data(|data| data.get_temp(is_recorded_id()));
            let colour = match is_recorded.unwrap_or(false) {
                true => palette.muted,
                false => palette.bad,
            };
            let text = Type::Body.text(why.to_string(), colour);
            ui.add(egui::Label::new(text).wrap());
            None
        }
    }
}
