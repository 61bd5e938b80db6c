//! The step: text, where to look, what to try, and questions, up to the one that waits.

use egui::{Align, Frame, Margin, Rect, ScrollArea, Sense, Ui, WidgetInfo, pos2, vec2};

use super::{LessonCommand, LessonsPage, OpenLesson};
use crate::lesson::{ShownGo, ShownPart, ShownTry};
use crate::ui::command::Command;
use crate::ui::controls::{Button, caption, card, focus_ring, text_button, tile};
use crate::ui::icons::Icon;
use crate::ui::picture::Scene;
use crate::ui::theme::{Palette, Role, Type, corner, mix, space};

impl LessonsPage {
    /// Draws the step on view.
    pub(super) fn panel_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let Some(open) = &scene.board.open else {
            return;
        };
        let seen = (open.card.name.clone(), open.step, open.parts().len());
        let is_other_step = (&self.seen.0, self.seen.1) != (&seen.0, seen.1);
        // What the model tells first is the beginning, not more.
        let has_more = !is_other_step && self.seen.2 > 0 && seen.2 > self.seen.2;
        let mut scroll = ScrollArea::vertical()
            .id_salt(("lesson step", &seen.0, seen.1))
            .auto_shrink([false, false]);
        if is_other_step {
            scroll = scroll.vertical_scroll_offset(0.0);
        }
        scroll.show(ui, |ui| {
            let inside = Frame::new().inner_margin(Margin::symmetric(20, 18));
            inside.show(ui, |ui| {
                ui.spacing_mut().item_spacing.y = 10.0;
                self.step_ui(ui, scene, open);
            });
            if has_more {
                ui.scroll_to_cursor(Some(Align::BOTTOM));
            }
        });
        self.seen = seen;
    }

    fn step_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, open: &OpenLesson) {
        let palette = Palette::of(ui);
        if self.is_narrow && text_button(ui, "All lessons").clicked() {
            scene.commands.push(Command::Lesson(LessonCommand::Close));
        }
        let where_told = format!(
            "Lesson {} · {} minutes · step {} of {}",
            open.number,
            open.card.minutes,
            open.step + 1,
            open.titles.len()
        );
        ui.label(Type::Caption.text(where_told, palette.muted));
        if let Some(prompt) = &open.prompt {
            other_prompt_ui(ui, scene, &prompt.text);
        }
        for problem in &open.problems {
            ui.add(egui::Label::new(Type::MonoSmall.text(problem, palette.bad)).wrap());
        }
        if !open.problems.is_empty() {
            let told = "The file has a mistake now. This is the lesson as it was before; mend the file, and it comes back by itself.";
            ui.add(egui::Label::new(Type::Small.text(told, palette.muted)).wrap());
        }
        if open.is_over {
            self.end_ui(ui, scene, open);
            return;
        }
        let title = open.titles.get(open.step).map_or("", String::as_str);
        let font = egui::FontId::new(21.0, Type::Title.font().family);
        ui.add(egui::Label::new(egui::RichText::new(title).font(font).color(palette.text)).wrap());
        match &open.opening {
            None => {
                ui.label(Type::Body.text("Reading the model …", palette.muted));
                return;
            }
            Some(Err(why)) => return failed_ui(ui, why),
            Some(Ok(opening)) => {
                if let Some(lacks) = &opening.lacks {
                    card(ui).show(ui, |ui| {
                        ui.set_width(ui.available_width());
                        caption(ui, "Not on this model");
                        self.reader.show(ui, lacks);
                    });
                    return;
                }
                if open.step == 0 {
                    self.reader.show(ui, &opening.intro);
                }
            }
        }
        let Some(step) = open.shown() else {
            ui.label(Type::Body.text("Reading the model …", palette.muted));
            return;
        };
        if let Some(lacks) = &step.lacks {
            self.reader.show(ui, lacks);
        }
        for (at, part) in open.parts().iter().enumerate() {
            match part {
                ShownPart::Text(text) => self.reader.show(ui, text),
                ShownPart::Go(go) => self.go_ui(ui, scene, open, at, go),
                ShownPart::Try(attempt) => try_ui(ui, scene, at, attempt),
                ShownPart::Failed(why) => failed_ui(ui, why),
                ShownPart::Question(question) => self.question_ui(ui, scene, open, question),
            }
        }
    }

    /// Where to look: the place on view is marked; a click comes back to it.
    fn go_ui(
        &mut self,
        ui: &mut Ui,
        scene: &mut Scene<'_>,
        open: &OpenLesson,
        at: usize,
        go: &ShownGo,
    ) {
        if go.look.text.trim().is_empty() {
            return;
        }
        let palette = Palette::of(ui);
        let is_here = open.followed == Some(at);
        let hue = palette.role(Role::Attention);
        let fill = match is_here {
            true => mix(palette.background, hue, 0.10),
            false => palette.background,
        };
        let frame = Frame::new().fill(fill).corner_radius(corner::BUTTON);
        let shown = frame
            .inner_margin(Margin {
                left: 14,
                right: 10,
                top: 8,
                bottom: 8,
            })
            .show(ui, |ui| {
                ui.set_width(ui.available_width());
                ui.spacing_mut().item_spacing.y = 2.0;
                ui.label(Type::Caption.text("Look", if is_here { hue } else { palette.muted }));
                self.reader.show(ui, &go.look);
            });
        let rect = shown.response.rect;
        let id = ui.scope_id().with(("look", at));
        let response = ui.interact(rect, id, Sense::click());
        let label = format!("look at {}", go.to);
        response.widget_info(|| WidgetInfo::selected(egui::Role::Button, true, is_here, &label));
        focus_ring(ui, &response, rect);
        let bar = Rect::from_min_max(rect.min, pos2(rect.left() + 3.0, rect.bottom()));
        let line = if is_here { hue } else { palette.line };
        ui.painter().rect_filled(bar, 2.0, line);
        let response = response.on_hover_cursor(egui::CursorIcon::PointingHand);
        if response.clicked() {
            scene
                .commands
                .push(Command::Lesson(LessonCommand::Follow(at)));
        }
        response.on_hover_text(go.to.to_string());
    }

    fn end_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, open: &OpenLesson) {
        let palette = Palette::of(ui);
        let font = egui::FontId::new(21.0, Type::Title.font().family);
        let progress = &scene.board.progress;
        let is_done = progress.is_done(&open.card.name);
        let title = if is_done { "Done" } else { "Seen to its end" };
        ui.label(egui::RichText::new(title).font(font).color(palette.text));
        let went = progress.told(&open.card.name, open.n_asked());
        let told = format!("{}: {went}.", open.card.title);
        ui.add(egui::Label::new(Type::Body.text(told, palette.text)).wrap());
        if let Some(next) = scene.board.cards.get(open.number) {
            let told = format!("Next: {}, {}.", next.title, next.about);
            ui.add(egui::Label::new(Type::Body.text(told, palette.muted)).wrap());
        }
        if Button::new("Answer its questions anew")
            .show(ui, space::TARGET)
            .clicked()
        {
            scene.commands.push(Command::Lesson(LessonCommand::Again));
        }
    }
}

/// That the lesson reads another prompt than its own, and the way back.
fn other_prompt_ui(ui: &mut Ui, scene: &mut Scene<'_>, text: &str) {
    let palette = Palette::of(ui);
    let short: String = text.chars().take(60).collect();
    let told = format!("On your prompt “{short}”. Sentences that do not hold on it are marked.");
    ui.add(egui::Label::new(Type::Small.text(told, palette.muted)).wrap());
    if Button::new("The lesson's own prompt")
        .show(ui, 24.0)
        .clicked()
    {
        scene
            .commands
            .push(Command::Lesson(LessonCommand::Prompt(None)));
    }
}

/// Something to do: a button whose words wrap.
fn try_ui(ui: &mut Ui, scene: &mut Scene<'_>, at: usize, attempt: &ShownTry) {
    let palette = Palette::of(ui);
    let label = attempt.label.text.trim();
    let followed = scene.board.open.as_ref().map(|open| open.followed);
    let is_on = followed == Some(Some(at));
    let is_covered = (scene.board.open.as_ref()).is_some_and(OpenLesson::hides_picture);
    let room = (ui.available_width() - 44.0).max(80.0);
    let font = Type::Label.font();
    let words = ui
        .painter()
        .layout(label.to_owned(), font, palette.text, room);
    let size = vec2(words.size().x + 44.0, words.size().y + 14.0);
    let sense = if is_covered {
        Sense::hover()
    } else {
        Sense::click()
    };
    let (rect, response) = ui.allocate_exact_size(size, sense);
    response.widget_info(|| WidgetInfo::selected(egui::Role::Button, !is_covered, is_on, label));
    let colour = if is_covered {
        palette.muted
    } else {
        palette.text
    };
    let is_hovered = response.hovered() && !is_covered;
    tile(ui, rect, corner::BUTTON, is_on, is_hovered);
    focus_ring(ui, &response, rect);
    let mark = Rect::from_center_size(
        pos2(rect.left() + 18.0, rect.top() + 15.0),
        vec2(12.0, 12.0),
    );
    Icon::Play.paint(ui.painter(), mark, colour);
    let place = pos2(rect.left() + 32.0, rect.top() + 7.0);
    ui.painter()
        .galley_with_override_text_color(place, words, colour);
    if is_covered {
        response
            .on_hover_text("Answer the question first: this shows what it asks you to predict.");
        return;
    }
    let response = response.on_hover_cursor(egui::CursorIcon::PointingHand);
    if response.clicked() {
        scene
            .commands
            .push(Command::Lesson(LessonCommand::Follow(at)));
    }
}

/// A part that has no values here: why; who writes the lesson is told the place in its file.
fn failed_ui(ui: &mut Ui, why: &str) {
    let palette = Palette::of(ui);
    card(ui).show(ui, |ui| {
        ui.set_width(ui.available_width());
        caption(ui, "Not on this model");
        ui.add(egui::Label::new(Type::Body.text(why, palette.text)).wrap());
    });
}
