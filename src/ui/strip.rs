//! The token strip: the text as the model has it, one chip per token, its id below.

use egui::{Rect, Sense, StrokeKind, Ui, WidgetInfo, pos2, vec2};

use super::command::{Command, Pointing};
use super::controls::{Button, outline};
use super::picture::Scene;
use super::roles;
use super::spot::Spot;
use super::state::Overlay;
use super::theme::{Palette, Role, Type, corner, mix, space};
use super::tokens::{TokenLabel, label};
use crate::trace::debug::Next;
use crate::trace::{Place, View};

/// Height of a chip.
const CHIP: f32 = 30.0;
/// Space between chips.
const GAP: f32 = 5.0;
/// Width of the empty place after the last token.
const NEXT: f32 = 30.0;
/// A chip is never narrower, so that its id has room.
const MIN_WIDTH: f32 = 22.0;

/// Height of the strip before a room: the words have to do.
pub const PRESENTED: f32 = CHIP + 2.0;

/// Height of the strip; a chat has a line for the roles.
#[must_use]
pub fn height(scene: &Scene<'_>) -> f32 {
    match scene.settings.prompt.is_chat {
        _ if scene.view.is_presenting => PRESENTED,
        true => 82.0,
        false => 66.0,
    }
}

/// Draws the strip.
pub fn strip_ui(ui: &mut Ui, scene: &mut Scene<'_>) {
    let room = ui.available_rect_before_wrap();
    if scene.view.is_presenting {
        chips_ui(ui, scene);
        return;
    }
    let button = Rect::from_min_max(pos2(room.right() - 122.0, room.top()), room.max);
    let chips = Rect::from_min_max(room.min, pos2(button.left() - space::MEDIUM, room.bottom()));
    ui.scope_builder(egui::UiBuilder::new().max_rect(chips), |ui| {
        chips_ui(ui, scene)
    });
    let layout = egui::Layout::right_to_left(egui::Align::Center);
    ui.scope_builder(
        egui::UiBuilder::new().max_rect(button).layout(layout),
        |ui| {
            let mut edit = Button::new("Edit prompt");
            edit.key = "E";
            if edit.show(ui, 30.0).clicked() {
                scene.send(Command::Overlay(Some(Overlay::Prompt)));
            }
        },
    );
}

/// Chips in a row that scrolls; only those in sight are drawn.
fn chips_ui(ui: &mut Ui, scene: &mut Scene<'_>) {
    let widths = widths(ui, scene);
    let mut lefts = Vec::with_capacity(widths.len() + 1);
    let mut x = 0.0;
    for width in &widths {
        lefts.push(x);
        x += width + GAP;
    }
    let (spans, height) = match scene.view.is_presenting {
        true => (Vec::new(), PRESENTED),
        false => {
            let spans = roles::spans(scene);
            let below = if spans.is_empty() { 16.0 } else { 32.0 };
            (spans, CHIP + below)
        }
    };
    // The place of the next token.
    let next = (scene.run.next != Next::Ended && !lefts.is_empty()).then_some(x);
    let drawn = drawn_next(scene);
    let next_width = drawn
        .as_ref()
        .map_or(NEXT, |label| width_of(ui, label).max(NEXT));
    let total = x + if next.is_some() { next_width } else { 0.0 };
    let chosen = scene.view.token;
    let id = ui.scope_id().with("strip-chosen");
    // Where the window has become larger or smaller, the chosen one may be out of sight.
    let now = (chosen, ui.available_width() as i32);
    let shown: Option<(usize, i32)> = ui.data(|data| data.get_temp(id));
    egui::ScrollArea::horizontal()
        .auto_shrink([false, true])
        .show_viewport(ui, |ui, viewport| {
            let (area, _) = ui.allocate_exact_size(vec2(total, height), Sense::hover());
            let first = lefts.partition_point(|left| *left < viewport.left() - 200.0);
            for (at, (left, width)) in lefts.iter().zip(&widths).enumerate().skip(first) {
                if *left > viewport.right() {
                    break;
                }
                let rect = Rect::from_min_size(area.min + vec2(*left, 1.0), vec2(*width, CHIP));
                chip_ui(ui, scene, at, rect);
            }
            if let Some(left) = next.filter(|left| *left < viewport.right()) {
                let size = vec2(next_width, CHIP);
                let rect = Rect::from_min_size(area.min + vec2(left, 1.0), size);
                next_ui(ui, scene, rect, drawn.as_ref());
            }
            for span in &spans {
                let first = lefts.get(span.positions.start).copied().unwrap_or(total);
                let last = lefts.get(span.positions.end).copied().unwrap_or(total);
                let line = Rect::from_min_max(
                    area.min + vec2(first, CHIP + 18.0),
                    area.min + vec2(last - GAP, CHIP + 32.0),
                );
                role_ui(ui, &span.role, line);
            }
            if shown != Some(now)
                && let Some((left, width)) = lefts.get(chosen).zip(widths.get(chosen))
            {
                let rect = Rect::from_min_size(area.min + vec2(*left, 0.0), vec2(*width, CHIP));
                ui.scroll_to_rect(rect.expand2(vec2(40.0, 0.0)), None);
            }
        });
    ui.data_mut(|data| data.insert_temp(id, now));
}

/// The token that was drawn last, while it is not yet part of the text.
fn drawn_next(scene: &Scene<'_>) -> Option<TokenLabel> {
    let pass = scene.run.passes.last()?;
    let drawn = pass
        .draw
        .as_ref()
        .filter(|_| scene.run.next == Next::Append);
    drawn.map(|draw| label(&draw.text))
}

/// The place of the next token, which the last one predicts: empty until one was drawn.
fn next_ui(ui: &Ui, scene: &mut Scene<'_>, rect: Rect, drawn: Option<&TokenLabel>) {
    let palette = Palette::of(ui);
    let response = ui.interact(rect, ui.scope_id().with("next"), Sense::click());
    let label = match drawn {
        Some(drawn) => format!("the next token, drawn: {}", drawn.name()),
        None => "the next token, not drawn yet".to_owned(),
    };
    response.widget_info(|| WidgetInfo::labeled(egui::Role::Button, true, &label));
    outline(ui.painter(), rect.shrink(0.5), palette.faint);
    let font = Type::Label.font();
    let colour = if response.hovered() {
        palette.text
    } else {
        palette.muted
    };
    let text = drawn.map_or("?".to_owned(), TokenLabel::name);
    ui.painter().text(
        rect.center(),
        egui::Align2::CENTER_CENTER,
        text,
        font,
        colour,
    );
    let response = response.on_hover_cursor(egui::CursorIcon::PointingHand);
    if response.clicked() {
        let pass = scene.run.passes.len().saturating_sub(1);
        let place = Place::View(View::Screen);
        scene.send(Command::Go(Spot::at(place, Some(pass))));
    }
    response.on_hover_text(match drawn {
        Some(_) => "The next token: it was drawn, and joins the text with the next step.",
        None => {
            "The next token: what is computed at the last position predicts it. Click to run there."
        }
    });
}

/// Who speaks, under the tokens of one message.
fn role_ui(ui: &Ui, role: &str, rect: Rect) {
    let palette = Palette::of(ui);
    let hue = match role {
        "user" => Role::Query,
        "assistant" => Role::Attention,
        _ => Role::Residual,
    };
    let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
    let line = egui::Stroke::new(2.0, mix(palette.background, palette.role(hue), 0.6));
    painter.hline(rect.x_range(), rect.top() + 1.0, line);
    // The name stays in sight while any of its message does.
    let left = rect.left().max(ui.clip_rect().left());
    let font = Type::MonoSmall.font();
    painter.text(
        pos2(left, rect.top() + 3.0),
        egui::Align2::LEFT_TOP,
        role,
        font,
        palette.muted,
    );
}

/// How wide each chip is.
fn widths(ui: &Ui, scene: &Scene<'_>) -> Vec<f32> {
    let labels = scene.labels.iter();
    labels.map(|label| width_of(ui, label)).collect()
}

fn width_of(ui: &Ui, label: &TokenLabel) -> f32 {
    let font = Type::Label.font();
    // Letters are measured one by one: laying out 2,000 tokens every frame costs too much.
    let text: f32 = ui.fonts_mut(|fonts| {
        let letters = label.text.chars().take(40);
        letters.map(|letter| fonts.glyph_width(&font, letter)).sum()
    });
    let space = if label.has_space { 4.0 } else { 0.0 };
    let subscript = label
        .position
        .map_or(0.0, |at| 4.5 * at.to_string().len() as f32);
    (text + space + subscript + 17.0).max(MIN_WIDTH)
}

fn chip_ui(ui: &mut Ui, scene: &mut Scene<'_>, at: usize, rect: Rect) {
    let palette = Palette::of(ui);
    let Some(label) = scene.labels.get(at) else {
        return;
    };
    let (is_chosen, name) = (scene.view.token == at, label.name());
    let response = ui.interact(rect, ui.scope_id().with(("token", at)), Sense::click());
    response.widget_info(|| {
        WidgetInfo::selected(
            egui::Role::RadioButton,
            true,
            is_chosen,
            format!("token {at}: {name}"),
        )
    });
    let (fill, line) = colours(palette, scene, at);
    let fill = if response.hovered() {
        mix(fill, palette.text, 0.05)
    } else {
        fill
    };
    let painter = ui.painter();
    painter.rect(rect, corner::SMALL, fill, line, StrokeKind::Inside);
    if scene.view.marked.contains(&at) {
        // A lesson speaks of this one.
        let mark = egui::Stroke::new(2.0, palette.role(Role::Attention));
        painter.rect_stroke(rect, corner::SMALL, mark, StrokeKind::Inside);
    }
    if is_chosen {
        painter.rect_stroke(
            rect.expand(1.0),
            corner::BUTTON,
            palette.ring(),
            StrokeKind::Inside,
        );
    }
    let mut job = egui::text::LayoutJob::default();
    if label.has_space {
        job.append(
            "·",
            0.0,
            egui::TextFormat::simple(Type::Label.font(), palette.faint),
        );
    }
    let font = if is_chosen { Type::Strong } else { Type::Label };
    let is_special = label.text.starts_with("<|") && label.text.ends_with("|>");
    let colour = if is_special {
        palette.muted
    } else {
        palette.text
    };
    let text: String = label.text.chars().take(40).collect();
    job.append(&text, 0.0, egui::TextFormat::simple(font.font(), colour));
    if let Some(position) = label.position {
        let small = egui::TextFormat {
            valign: egui::Align::BOTTOM,
            ..egui::TextFormat::simple(
                egui::FontId::new(8.5, egui::FontFamily::Proportional),
                palette.muted,
            )
        };
        job.append(&position.to_string(), 0.5, small);
    }
    let galley = painter.layout_job(job);
    painter.galley(rect.center() - galley.size() / 2.0, galley, palette.text);
    if let Some(id) = scene.run.ids.get(at)
        && !scene.view.is_presenting
    {
        let below = pos2(rect.center().x, rect.bottom() + 3.0);
        painter.text(
            below,
            egui::Align2::CENTER_TOP,
            id.to_string(),
            Type::MonoSmall.font(),
            palette.muted,
        );
    }
    let response = response.on_hover_cursor(egui::CursorIcon::PointingHand);
    if response.clicked() {
        scene.point(Pointing::Token(at));
    }
    response.on_hover_ui(|ui| told_ui(ui, scene, at));
}

/// Prompt tokens are plain; a generated one is tinted by how unlikely it was.
fn colours(palette: &Palette, scene: &Scene<'_>, at: usize) -> (egui::Color32, egui::Stroke) {
    let Some(draw) = draw_of(scene, at) else {
        return (palette.surface, palette.hairline());
    };
    let surprise = 1.0 - draw.logprob.exp();
    let hue = palette.role(Role::Logits);
    let line = egui::Stroke::new(1.0, mix(palette.line, hue, 0.6));
    (mix(palette.surface, hue, 0.1 + 0.4 * surprise), line)
}

/// The draw that put the token at `at` there; `None` for those of the prompt.
fn draw_of<'a>(scene: &'a Scene<'_>, at: usize) -> Option<&'a crate::trace::debug::DrawState> {
    let pass = at.checked_sub(scene.run.prompt_len)?;
    scene.run.passes.get(pass)?.draw.as_ref()
}

/// What a tooltip says about a token.
fn told_ui(ui: &mut Ui, scene: &Scene<'_>, at: usize) {
    let palette = Palette::of(ui);
    let id = scene.run.ids.get(at).copied().unwrap_or_default();
    ui.label(Type::Strong.text(format!("{}, position {at}", scene.said(at)), palette.text));
    ui.label(Type::MonoSmall.text(format!("id {id}"), palette.muted));
    if let Some(draw) = draw_of(scene, at) {
        let share = crate::trace::units::percent(f64::from(draw.logprob.exp()));
        let text = format!("generated; the model gave it {share} at temperature 1");
        ui.label(Type::Body.text(text, palette.muted));
    }
    if at + 1 == scene.run.ids.len() {
        let text =
            "The last token: what the model computes at this position predicts the next one.";
        ui.label(Type::Body.text(text, palette.muted));
    }
}
