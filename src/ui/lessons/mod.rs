//! The page of lessons: the list, the step beside the live picture, and the way through it.
//!
//! | file | draws |
//! |---|---|
//! | `board.rs`, `command.rs` | what it is drawn from, and what it asks for |
//! | `beats.rs` | the same before a room, part by part |
//! | `list.rs` | every lesson, with how far one has come; help and folders |
//! | `panel.rs` | the step: text, where to look, what to try |
//! | `question.rs` | a question, and how it was answered |
//! | `choices.rs`, `number.rs` | the choices of a question, and the field for a number |
//! | `place.rs` | which picture a step asks for |
//! | `foot.rs` | from step to step |
//! | `text.rs` | Markdown with the model's values in it |

mod beats;
mod board;
mod choices;
mod command;
mod foot;
mod list;
mod number;
mod panel;
mod place;
mod question;
mod text;

use egui::{CentralPanel, Frame, Margin, Panel, Rect, ScrollArea, Ui, UiBuilder, vec2};

pub use board::{Attempt, Board, Card, OpenLesson};
pub use command::LessonCommand;
pub use number::catch_number;
pub use place::{spot_of, spot_of_go};
pub use question::right_in_words;

use super::controls;
use super::picture::{Picture, Scene, picture_ui, side_ui};
use super::strip;
use super::theme::{Palette, Type, space};
use text::Reader;

/// Below this width the list gives its room to the picture.
const NARROW: f32 = 1_100.0;

/// The page, with what belongs to its widgets alone.
#[derive(Default)]
pub struct LessonsPage {
    reader: Reader,
    /// The number that is being typed.
    typed: String,
    /// The question that it answers.
    typed_for: String,
    /// The folder that is being typed.
    folder: String,
    /// What was on view in the panel when it was drawn last: it scrolls when there is more.
    seen: (String, usize, usize),
    /// Whether the picture is explained beside it.
    explains: bool,
    /// Whether there is no room for the list beside the lesson.
    is_narrow: bool,
}

impl LessonsPage {
    /// Draws the page.
    pub fn show(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, picture: &mut dyn Picture) {
        if scene.board.open.is_none() {
            let page = CentralPanel::default().frame(margins(ui, 0, 0));
            page.show(ui, |ui| self.list_page_ui(ui, scene));
            return;
        }
        let foot = Panel::bottom("lesson foot").exact_size(62.0);
        foot.frame(margins(ui, 16, 0))
            .show(ui, |ui| foot::foot_ui(ui, scene, &mut self.explains));
        let room = ui.available_width();
        if room >= NARROW {
            let list = Panel::left("lesson list").default_size(200.0);
            list.size_range(160.0..=280.0)
                .frame(margins(ui, 0, 8))
                .show(ui, |ui| list::column_ui(ui, scene));
        }
        self.is_narrow = room < NARROW;
        let wide = if room >= NARROW { 286.0 } else { 264.0 };
        let panel = Panel::left("lesson").default_size(wide);
        panel
            .size_range(230.0..=480.0)
            .frame(margins(ui, 0, 0))
            .show(ui, |ui| self.panel_ui(ui, scene));
        if self.explains {
            let side = Panel::right("lesson side").default_size(270.0);
            side.size_range(220.0..=420.0)
                .frame(margins(ui, 16, 16))
                .show(ui, |ui| side_ui(ui, scene, picture));
        }
        let strip = Panel::top("lesson strip").exact_size(strip::height(scene));
        strip
            .frame(margins(ui, 16, 9))
            .show(ui, |ui| strip::strip_ui(ui, scene));
        let centre = margins(ui, space::PICTURE as i8, 12);
        CentralPanel::default()
            .frame(centre)
            .show(ui, |ui| beside_ui(ui, scene, picture));
    }
}

/// The picture; before a prediction it is covered, because it would give the answer away.
fn beside_ui(ui: &mut Ui, scene: &mut Scene<'_>, picture: &mut dyn Picture) {
    let hides = scene
        .board
        .open
        .as_ref()
        .is_some_and(OpenLesson::hides_picture);
    if !hides {
        picture_ui(ui, scene, picture);
        return;
    }
    covered_ui(ui, "The picture shows itself when you have answered.");
}

/// Covers a picture that would give the answer away; `how` says when it shows itself.
pub fn covered_ui(ui: &mut Ui, how: &str) {
    let palette = Palette::of(ui);
    let room = ui.available_rect_before_wrap();
    ui.painter().rect_filled(room, 9.0, palette.sunk);
    controls::outline(ui.painter(), room.shrink(1.0), palette.faint);
    let size = vec2(room.width().min(360.0), 64.0);
    let inside = Rect::from_center_size(room.center(), size);
    ui.scope_builder(UiBuilder::new().max_rect(inside), |ui| {
        ui.vertical_centered(|ui| {
            ui.label(Type::Heading.text("Predict first", palette.text));
            ui.add(egui::Label::new(Type::Body.text(how, palette.muted)).wrap());
        });
    });
}

fn margins(ui: &Ui, x: i8, y: i8) -> Frame {
    let fill = Palette::of(ui).background;
    Frame::new()
        .fill(fill)
        .inner_margin(Margin::symmetric(x, y))
}

impl LessonsPage {
    fn list_page_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let scroll = ScrollArea::vertical().auto_shrink([false, false]);
        scroll.show(ui, |ui| {
            Frame::new()
                .inner_margin(Margin::symmetric(28, 22))
                .show(ui, |ui| {
                    list::page_ui(ui, scene, &mut self.folder);
                });
        });
    }
}
