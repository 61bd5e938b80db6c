//! What a picture is: one stage or view, one file, and the frame that all of them share.
//!
//! A picture draws from the [`Scene`] and sends commands; its own fields hold what belongs to its
//! widgets alone (a slider, a search text). To add one: write a file in `pictures/`, implement
//! [`Picture`], and name it in [`super::pictures::all`].

use std::sync::Arc;

use egui::{Rect, Ui, UiBuilder, pos2, vec2};

use super::answers::Asked;
use super::command::{Command, Pointing};
use super::controls::{Button, caption, card, format, paragraph, segmented};
use super::facts::ModelFacts;
use super::link::Link;
use super::spot::{PictureKind, Spot};
use super::state::{Depth, ViewState};
use super::theme::{Palette, Type, space};
use super::tokens::TokenLabel;
use super::walk;
use crate::engine::question::{Question, Told};
use crate::settings::Settings;
use crate::trace::debug::RunState;
use crate::trace::{Address, Hook, HostTensor, Place};

/// Everything a picture may look at, and the way to ask for more.
pub struct Scene<'a> {
    /// Where the run stands.
    pub run: &'a RunState,
    /// What the model is.
    pub facts: &'a ModelFacts,
    /// What is looked at; change it with [`Scene::send`].
    pub view: &'a ViewState,
    /// What people chose.
    pub settings: &'a Settings,
    /// How the text's tokens are written, position by position.
    pub labels: &'a [TokenLabel],
    /// Where questions go.
    pub link: &'a mut Link,
    /// Where wishes are collected.
    pub commands: &'a mut Vec<Command>,
}

impl Scene<'_> {
    /// Asks the engine; call it every frame, the question goes out once.
    pub fn ask(&mut self, question: &Question) -> Asked<Told> {
        self.link.ask(question)
    }

    /// The value at an address.
    pub fn value(&mut self, address: &Address) -> Asked<HostTensor> {
        self.link.value(address)
    }

    /// The value at `hook` of the pass on view.
    pub fn value_at(&mut self, hook: Hook) -> Asked<HostTensor> {
        self.link.value(&self.address(hook))
    }

    /// The address of `hook` in the pass on view.
    #[must_use]
    pub fn address(&self, hook: Hook) -> Address {
        Spot::at(Place::Hook(hook), Some(self.view.pass())).address
    }

    /// Asks for a change.
    pub fn send(&mut self, command: Command) {
        self.commands.push(command);
    }

    /// Points at something, in every picture.
    pub fn point(&mut self, pointing: Pointing) {
        self.commands.push(Command::Point(pointing));
    }

    /// Whether the run has come to `spot`.
    #[must_use]
    pub fn is_computed(&self, spot: &Spot) -> bool {
        walk::is_computed(self.run, spot)
    }

    /// How far a step goes from what is on view.
    #[must_use]
    pub fn depth(&self) -> Depth {
        walk::depth_at(self.view.depth, &self.view.spot)
    }

    /// First position of the pass on view, and how many it runs over.
    #[must_use]
    pub fn pass_range(&self) -> std::ops::Range<usize> {
        let pass = self.run.passes.get(self.view.pass());
        pass.map_or(0..0, |pass| pass.start..pass.start + pass.n_pos)
    }

    /// The row of the pass on view that the chosen token stands in; its last if the token stands
    /// in another pass.
    #[must_use]
    pub fn row(&self) -> usize {
        let range = self.pass_range();
        match range.contains(&self.view.token) {
            true => self.view.token - range.start,
            false => range.len().saturating_sub(1),
        }
    }

    /// The position of [`Scene::row`].
    #[must_use]
    pub fn position(&self) -> usize {
        self.pass_range().start + self.row()
    }

    /// How the token at `position` is written.
    #[must_use]
    pub fn name(&self, position: usize) -> String {
        self.labels
            .get(position)
            .map(TokenLabel::name)
            .unwrap_or_default()
    }

    /// The open one of a picture's tabs, as its place among them.
    #[must_use]
    pub fn tab(&self, tabs: &[&str]) -> usize {
        let picture = self.view.picture().unwrap_or(PictureKind::Text);
        self.view.tab(picture, tabs)
    }

    /// The same with another one before one was chosen.
    #[must_use]
    pub fn tab_or(&self, tabs: &[&str], default: usize) -> usize {
        let picture = self.view.picture().unwrap_or(PictureKind::Text);
        self.view.tab_or(picture, tabs, default)
    }
}

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

    /// What stands beside it.
    fn side(&mut self, scene: &mut Scene<'_>) -> Side;
}

/// Height of the formula strip.
const FORMULA_HEIGHT: f32 = 38.0;

/// Draws `picture` with its heading, tabs and formula into all the room of `ui`.
pub fn picture_ui(ui: &mut Ui, scene: &mut Scene<'_>, picture: &mut dyn Picture) {
    heading_ui(ui, scene, picture);
    ui.add_space(space::SMALL);
    let mut room = ui.available_rect_before_wrap();
    let spot = scene.view.spot.clone();
    if !scene.is_computed(&spot) {
        not_computed_ui(ui, scene, room, &spot);
        return;
    }
    if picture.has_formula() {
        let strip = Rect::from_min_max(pos2(room.left(), room.bottom() - FORMULA_HEIGHT), room.max);
        room.max.y = strip.top() - space::MEDIUM;
        let palette = Palette::of(ui);
        let line = palette.hairline();
        ui.painter()
            .rect(strip, 8.0, palette.surface, line, egui::StrokeKind::Inside);
        let inside = strip.shrink2(vec2(14.0, 0.0));
        let layout = egui::Layout::left_to_right(egui::Align::Center);
        ui.scope_builder(UiBuilder::new().max_rect(inside).layout(layout), |ui| {
            ui.spacing_mut().item_spacing.x = 10.0;
            ui.shrink_clip_rect(strip);
            picture.formula_ui(ui, scene);
        });
    }
    let opacity = fade_in(ui, scene, &spot);
    ui.scope_builder(UiBuilder::new().max_rect(room), |ui| {
        ui.shrink_clip_rect(room.expand(4.0));
        ui.set_opacity(opacity);
        picture.main_ui(ui, scene);
    });
    ui.advance_cursor_after_rect(ui.max_rect());
}

/// How much of a picture shows: one that has just come into view fades in, unless nothing may move.
fn fade_in(ui: &Ui, scene: &Scene<'_>, spot: &Spot) -> f32 {
    if !scene.settings.motion {
        return 1.0;
    }
    let now = ui.input(|input| input.time);
    let id = ui.scope_id().with("shown");
    let place = (spot.address.place, spot.pass());
    let shown: Option<((Place, usize), f64)> = ui.data(|data| data.get_temp(id));
    let since = match shown {
        Some((shown, since)) if shown == place => since,
        _ => {
            ui.data_mut(|data| data.insert_temp(id, (place, now)));
            now
        }
    };
    let share = ((now - since) as f32 / super::theme::MOTION_SECS).clamp(0.0, 1.0);
    if share < 1.0 {
        ui.ctx().request_repaint();
    }
    0.25 + 0.75 * share
}

fn heading_ui(ui: &mut Ui, scene: &mut Scene<'_>, picture: &dyn Picture) {
    let palette = Palette::of(ui);
    let heading = picture.heading(scene);
    let tabs = picture.tabs();
    ui.horizontal(|ui| {
        ui.set_min_height(space::TARGET + 2.0);
        ui.label(Type::Title.text(&heading.title, palette.text));
        if !tabs.is_empty() {
            let open = scene.tab_or(tabs, picture.default_tab());
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                if let Some(tab) = segmented(ui, "tabs", tabs, open) {
                    let tab = tabs.get(tab).copied().unwrap_or_default();
                    scene.send(Command::Tab(tab.to_lowercase()));
                }
                ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
                    detail_ui(ui, &heading.detail);
                });
            });
        } else {
            detail_ui(ui, &heading.detail);
        }
    });
    ui.add_space(-4.0);
    ui.add(egui::Label::new(Type::Body.text(&heading.sentence, palette.muted)).wrap());
}

fn detail_ui(ui: &mut Ui, detail: &str) {
    let palette = Palette::of(ui);
    let job = super::controls::words(detail, Type::Body, Type::Strong, palette.muted);
    ui.add(egui::Label::new(job).truncate());
}

/// In place of a picture whose values do not exist yet.
fn not_computed_ui(ui: &mut Ui, scene: &mut Scene<'_>, room: Rect, spot: &Spot) {
    let palette = Palette::of(ui);
    super::controls::outline(ui.painter(), room.shrink(1.0), palette.faint);
    let inside = Rect::from_center_size(room.center(), vec2(room.width().min(420.0), 90.0));
    ui.scope_builder(UiBuilder::new().max_rect(inside), |ui| {
        ui.vertical_centered(|ui| {
            ui.label(Type::Heading.text("Not computed yet", palette.text));
            let text = "The run has not come here. Nothing is shown that was not computed.";
            ui.label(Type::Body.text(text, palette.muted));
            let mut button = Button::new("Run to here");
            button.is_primary = true;
            if button.show(ui, space::TARGET + 4.0).clicked() {
                scene.send(Command::Go(spot.clone()));
            }
        });
    });
}

/// Draws what stands beside a picture.
pub fn side_ui(ui: &mut Ui, scene: &mut Scene<'_>, picture: &mut dyn Picture) {
    let side = picture.side(scene);
    let palette = Palette::of(ui);
    let section = |ui: &mut Ui, title: &str, text: &str| {
        if !text.is_empty() {
            caption(ui, title);
            ui.add_space(-2.0);
            super::widgets::prose_ui(ui, text);
            ui.add_space(space::TINY);
        }
    };
    let foot = side.meta.len() as f32 * 18.0 + space::LARGE;
    let height = (ui.available_height() - foot).max(80.0);
    egui::ScrollArea::vertical()
        .id_salt("side")
        .max_height(height)
        .auto_shrink([false, false])
        .show(ui, |ui| {
            section(ui, "What happens here", &side.happens);
            section(ui, "Look for", &side.look_for);
            section(ui, "What it does not say", &side.does_not_say);
            if !side.tries.is_empty() && scene.is_computed(&scene.view.spot.clone()) {
                caption(ui, "Try");
                ui.horizontal_wrapped(|ui| {
                    ui.spacing_mut().item_spacing = vec2(6.0, 6.0);
                    for (label, command) in &side.tries {
                        if Button::new(label).show(ui, space::TARGET).clicked() {
                            scene.send(command.clone());
                        }
                    }
                });
                ui.add_space(space::TINY);
            }
            if let Some(check) = &side.check {
                ui.add_space(space::TINY);
                check_ui(ui, check);
            }
        });
    ui.add_space(space::TINY);
    for line in &side.meta {
        ui.label(Type::MonoSmall.text(line, palette.muted));
        ui.add_space(-4.0);
    }
}

fn check_ui(ui: &mut Ui, check: &Check) {
    let palette = Palette::of(ui);
    // The answer is forgotten when the question changes, so it cannot mark another one.
    let id = ui.scope_id().with(("check", &check.question));
    let mut chosen: Option<usize> = ui.data(|data| data.get_temp(id)).flatten();
    card(ui).show(ui, |ui| {
        ui.set_width(ui.available_width());
        caption(ui, "Check yourself");
        paragraph(ui, &check.question);
        for (at, answer) in check.answers.iter().enumerate() {
            let is_chosen = chosen == Some(at);
            let is_right = at == check.right;
            let line = match (is_chosen, is_right) {
                (true, true) => egui::Stroke::new(1.0, palette.good),
                (true, false) => egui::Stroke::new(1.0, palette.bad),
                (false, _) => palette.hairline(),
            };
            let size = vec2(ui.available_width(), space::TARGET + 2.0);
            let (rect, response) = ui.allocate_exact_size(size, egui::Sense::click());
            response.widget_info(|| {
                egui::WidgetInfo::selected(egui::Role::RadioButton, true, is_chosen, answer)
            });
            ui.painter().rect(
                rect,
                7.0,
                palette.background,
                line,
                egui::StrokeKind::Inside,
            );
            let mark = match (is_chosen, is_right) {
                (true, true) => "✓  ",
                (true, false) => "×  ",
                _ => "",
            };
            let at_left = pos2(rect.left() + 10.0, rect.center().y);
            let font = Type::Body.font();
            let text = format!("{mark}{answer}");
            ui.painter()
                .text(at_left, egui::Align2::LEFT_CENTER, text, font, palette.text);
            if is_chosen && is_right {
                let at_right = pos2(rect.right() - 10.0, rect.center().y);
                let font = Type::MonoSmall.font();
                ui.painter().text(
                    at_right,
                    egui::Align2::RIGHT_CENTER,
                    &check.because,
                    font,
                    palette.muted,
                );
            }
            if response
                .on_hover_cursor(egui::CursorIcon::PointingHand)
                .clicked()
            {
                chosen = Some(at);
            }
        }
    });
    ui.data_mut(|data| data.insert_temp(id, chosen));
}

/// One piece of a formula.
#[derive(Debug, Clone)]
pub struct Term {
    text: String,
    font: Type,
    role: Option<super::theme::Role>,
    is_muted: bool,
}

impl Term {
    /// Words: `softmax over 11`.
    pub fn words(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            font: Type::Body,
            role: None,
            is_muted: true,
        }
    }

    /// A name with a role's hue: `q`.
    pub fn of(role: super::theme::Role, text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            font: Type::Label,
            role: Some(role),
            is_muted: false,
        }
    }

    /// A number.
    pub fn number(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            font: Type::Mono,
            role: None,
            is_muted: false,
        }
    }

    /// The number that all of it comes to.
    pub fn result(role: super::theme::Role, text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            font: Type::MonoStrong,
            role: Some(role),
            is_muted: false,
        }
    }
}

/// Draws a formula from left to right, with the address of its cell at the right end.
pub fn formula_ui(ui: &mut Ui, terms: &[Term], address: &str) {
    let palette = Palette::of(ui);
    let mut job = egui::text::LayoutJob::default();
    for (at, term) in terms.iter().enumerate() {
        let colour = match (term.role, term.is_muted) {
            (Some(role), _) => palette.role(role),
            (None, true) => palette.muted,
            (None, false) => palette.text,
        };
        let gap = if at == 0 { 0.0 } else { 7.0 };
        job.append(&term.text, gap, format(term.font, colour));
    }
    let wide = ui.painter().layout_job(job.clone()).size().x;
    let address = fitting(ui, address, ui.available_width() - wide - space::MEDIUM);
    let room = ui.available_width() - address.size().x - space::MEDIUM;
    job.wrap = egui::text::TextWrapping::truncate_at_width(room.max(40.0));
    // Laid out here: a label in a row would take its own width.
    let formula = ui.painter().layout_job(job);
    ui.label(formula);
    ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
        ui.label(address);
    });
}

/// The address, its last part (`hook_pattern[3, 10, 9]`), or nothing: whatever fits into `room`.
fn fitting(ui: &Ui, address: &str, room: f32) -> Arc<egui::Galley> {
    let muted = Palette::of(ui).muted;
    let lay = |text: &str| {
        let font = Type::MonoSmall.font();
        ui.painter().layout_no_wrap(text.to_owned(), font, muted)
    };
    let short = address.rsplit('.').next().unwrap_or_default();
    let mut forms = [address, short].into_iter().map(lay);
    let found = forms.find(|galley| galley.size().x <= room);
    found.unwrap_or_else(|| lay(""))
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
            let text = Type::Body.text(why.to_string(), palette.bad);
            ui.add(egui::Label::new(text).wrap());
            None
        }
    }
}
