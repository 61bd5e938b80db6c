//! To the screen: a chosen id becomes bytes, bytes become text once a character is complete, and
//! the end token is looked for along the answer.

use egui::{Align2, Rect, Sense, Stroke, StrokeKind, Ui, UiBuilder, WidgetInfo, pos2, vec2};

use crate::engine::question::{Entry, Question, Told};
use crate::trace::debug::{Next, RunState};
use crate::trace::measure::lens::LensRequest;
use crate::trace::measure::{At, Point};
use crate::trace::{Place, Stage, View};
use crate::ui::command::{Command, Move};
use crate::ui::picture::{Heading, Picture, Scene, Side, Term, formula_ui};
use crate::ui::pictures::shared::{Chart, percent, text_in};
use crate::ui::spot::Spot;
use crate::ui::theme::{Palette, Role, Type, corner, mix, space};
use crate::ui::tokens::visible;
use crate::ui::words::{fill, stages};

/// The way of the answer to the screen.
pub struct ScreenPicture;

/// One token on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Step {
    pass: usize,
    id: u32,
    bytes: Vec<u8>,
    is_end: bool,
    /// The text that became complete with it.
    shown: String,
    /// Bytes that wait for the rest of their character.
    held: Vec<u8>,
}

/// Height of the chart of the end token, and the least that it can be read in.
const CHART: f32 = 150.0;
const LEAST_CHART: f32 = 90.0;
const LINE: f32 = 30.0;

impl Picture for ScreenPicture {
    fn heading(&self, scene: &Scene<'_>) -> Heading {
        let pass = scene.view.pass();
        let detail = match (scene.run.next, pass + 1 == scene.run.passes.len()) {
            (Next::Ended, true) => "the answer has ended".to_owned(),
            _ => format!("token {} of the answer", pass + 1),
        };
        Heading {
            title: stages::SCREEN.title.into(),
            detail,
            sentence: stages::SCREEN.sentence.into(),
        }
    }

    fn main_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let steps = steps(scene);
        let room = ui.available_rect_before_wrap();
        let height = (room.height() * 0.36).clamp(LEAST_CHART, CHART);
        let chart = Rect::from_min_max(pos2(room.left(), room.bottom() - height), room.max);
        let top = Rect::from_min_max(room.min, pos2(room.right(), chart.top() - space::LARGE));
        ui.scope_builder(UiBuilder::new().max_rect(top), |ui| {
            let chosen = steps.iter().find(|step| step.pass == scene.view.pass());
            if let Some(step) = chosen {
                way_ui(ui, step);
            }
            ui.add_space(space::LARGE);
            answer_ui(ui, scene, &steps);
        });
        ui.scope_builder(UiBuilder::new().max_rect(chart), |ui| {
            ends_ui(ui, scene, steps.len());
        });
        ui.advance_cursor_after_rect(room);
    }

    fn formula_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let pass = scene.view.pass();
        let step = steps(scene).into_iter().find(|step| step.pass == pass);
        let Some(step) = step else {
            formula_ui(ui, &[], "");
            return;
        };
        let mut terms = vec![
            Term::words("id"),
            Term::number(step.id.to_string()),
            Term::words("→"),
            Term::number(hex(&step.bytes, 10)),
            Term::words("→"),
        ];
        terms.push(match (step.is_end, step.shown.is_empty()) {
            (true, _) => Term::of(Role::Logits, "an end token: nothing is shown"),
            (false, true) => Term::words("held back: the character is not complete"),
            (false, false) => Term::of(Role::Residual, format!("“{}”", visible(&step.shown))),
        });
        let address = Spot::at(Place::View(View::Screen), Some(pass));
        formula_ui(ui, &terms, &address.to_string());
    }

    fn side(&mut self, scene: &mut Scene<'_>) -> Side {
        let words = &stages::SCREEN;
        let draw = scene.run.passes.get(scene.view.pass());
        let id = draw.and_then(|pass| Some(pass.draw.as_ref()?.token.to_string()));
        let values = [("id", id.as_deref().unwrap_or("…"))];
        let ends: Vec<String> = scene
            .run
            .end_tokens
            .iter()
            .map(|end| visible(&end.text))
            .collect();
        let mut tries = Vec::new();
        if scene.run.next != Next::Ended {
            tries.push(("The next token".to_owned(), Command::Move(Move::Token)));
            tries.push(("Run to the end".to_owned(), Command::Move(Move::End)));
        }
        Side {
            happens: fill(words.happens, &values),
            look_for: words.look_for.into(),
            does_not_say: words.not_said.unwrap_or_default().into(),
            tries,
            check: None,
            meta: vec![format!("end tokens: {}", ends.join(" ")), "UTF-8".into()],
        }
    }
}

/// Every drawn token of the answer, in order.
fn steps(scene: &mut Scene<'_>) -> Vec<Step> {
    let drawn = drawn(scene.run);
    let ends: Vec<u32> = scene.run.end_tokens.iter().map(|end| end.id).collect();
    let mut held = Vec::new();
    let mut steps = Vec::with_capacity(drawn.len());
    for (pass, id) in drawn {
        let Some(entry) = entry(scene, id) else {
            break;
        };
        let is_end = ends.contains(&id);
        let shown = match is_end {
            true => String::new(),
            false => complete(&mut held, &entry.bytes),
        };
        steps.push(Step {
            pass,
            id,
            bytes: entry.bytes,
            is_end,
            shown,
            held: held.clone(),
        });
    }
    steps
}

/// The passes that have drawn a token, and which.
fn drawn(run: &RunState) -> Vec<(usize, u32)> {
    let passes = run.passes.iter().enumerate();
    passes
        .filter_map(|(pass, state)| Some((pass, state.draw.as_ref()?.token)))
        .collect()
}

/// A token as the vocabulary has it: at its own place, or found by its id where ids have gaps.
fn entry(scene: &mut Scene<'_>, id: u32) -> Option<Entry> {
    let place = id as usize;
    let at_place = Question::Vocabulary {
        model: None,
        page: place..place + 1,
    };
    let by_id = Question::SearchVocabulary {
        model: None,
        text: id.to_string(),
        limit: 8,
    };
    let mut find = |question: &Question| match &*scene.ask(question).ready()? {
        Told::Vocabulary(found) => Some(found.entries.iter().find(|entry| entry.id == id).cloned()),
        _ => None,
    };
    find(&at_place)?.or_else(|| find(&by_id).flatten())
}

/// Adds `bytes` to those that wait, and takes out the text that is complete.
///
/// Bytes that can never become a character are shown as �; those that may yet wait.
fn complete(held: &mut Vec<u8>, bytes: &[u8]) -> String {
    held.extend_from_slice(bytes);
    let mut text = String::new();
    loop {
        match std::str::from_utf8(held) {
            Ok(rest) => {
                text.push_str(rest);
                held.clear();
                return text;
            }
            Err(error) => {
                let (good, rest) = held.split_at(error.valid_up_to());
                text.push_str(&String::from_utf8_lossy(good));
                let n_bad = match error.error_len() {
                    Some(n_bad) => n_bad,
                    None => {
                        *held = rest.to_vec();
                        return text;
                    }
                };
                text.push('\u{fffd}');
                *held = rest.get(n_bad..).unwrap_or_default().to_vec();
            }
        }
    }
}

/// `20 50 61`, at most `n` of them.
fn hex(bytes: &[u8], n: usize) -> String {
    let shown: Vec<String> = bytes
        .iter()
        .take(n)
        .map(|byte| format!("{byte:02X}"))
        .collect();
    let more = if bytes.len() > n { " …" } else { "" };
    format!("{}{more}", shown.join(" "))
}

/// One token's way: three cards.
fn way_ui(ui: &mut Ui, step: &Step) {
    let palette = Palette::of(ui);
    let height = 78.0;
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::hover());
    let gap = 44.0;
    let wide = ((rect.width() - 2.0 * gap) / 3.0).min(260.0);
    let text = match (step.is_end, step.shown.is_empty()) {
        (true, _) => "the end".to_owned(),
        (false, true) => "…".to_owned(),
        (false, false) => visible(&step.shown).replace(' ', "·"),
    };
    let below = match (step.is_end, step.held.is_empty()) {
        (true, _) => "nothing is added; the answer is over".to_owned(),
        (false, true) => "complete: it goes to the screen".to_owned(),
        (false, false) => format!("{} wait for the next token", hex(&step.held, 4)),
    };
    let n = step.bytes.len();
    let bytes = if n == 1 { "byte" } else { "bytes" };
    let cards = [
        ("id", step.id.to_string(), "what the draw gave".to_owned()),
        (
            bytes,
            hex(&step.bytes, 8),
            format!("{n} {bytes}, from the vocabulary"),
        ),
        ("text", text, below),
    ];
    for (at, (title, value, told)) in cards.into_iter().enumerate() {
        let left = rect.left() + at as f32 * (wide + gap);
        let card = Rect::from_min_size(pos2(left, rect.top()), vec2(wide, height));
        let painter = ui.painter();
        let line = palette.hairline();
        painter.rect(
            card,
            corner::CARD,
            palette.surface,
            line,
            StrokeKind::Inside,
        );
        let part = |top: f32, height: f32| {
            Rect::from_min_size(card.min + vec2(12.0, top), vec2(wide - 24.0, height))
        };
        text_in(
            painter,
            part(7.0, 16.0),
            title,
            Type::Caption,
            palette.muted,
            0.0,
        );
        let (kind, colour) = match at {
            2 => (Type::Heading, palette.text),
            _ => (Type::MonoStrong, palette.text),
        };
        text_in(painter, part(24.0, 26.0), &value, kind, colour, 0.0);
        text_in(
            painter,
            part(54.0, 16.0),
            &told,
            Type::Small,
            palette.muted,
            0.0,
        );
        if at < 2 {
            let from = pos2(card.right() + 9.0, card.center().y);
            let arrow = vec2(gap - 18.0, 0.0);
            painter.arrow(from, arrow, Stroke::new(1.4, palette.muted));
        }
    }
}

/// Every token of the answer: its bytes, and what it brings to the screen.
fn answer_ui(ui: &mut Ui, scene: &mut Scene<'_>, steps: &[Step]) {
    let palette = Palette::of(ui);
    let text: String = steps.iter().map(|step| step.shown.as_str()).collect();
    ui.label(Type::Strong.text("On the screen so far", palette.text));
    let mut job = egui::text::LayoutJob::default();
    let font = egui::FontId::new(16.0, Type::Body.font().family);
    let written = egui::TextFormat::simple(font.clone(), palette.text);
    job.append(&text, 0.0, written);
    if let Some(last) = steps.last().filter(|step| !step.held.is_empty()) {
        let held = egui::TextFormat::simple(Type::Mono.font(), palette.muted);
        job.append(&format!(" {} held back", hex(&last.held, 4)), 2.0, held);
    }
    job.wrap.max_width = ui.available_width();
    egui::ScrollArea::vertical()
        .id_salt("answer")
        .max_height(72.0)
        .show(ui, |ui| {
            ui.label(job);
        });
    ui.add_space(space::SMALL);
    egui::ScrollArea::vertical()
        .id_salt("steps")
        .auto_shrink([false, true])
        .show_rows(ui, LINE - 6.0, steps.len(), |ui, rows| {
            for step in steps.get(rows).unwrap_or_default() {
                step_ui(ui, scene, step);
            }
        });
}

fn step_ui(ui: &mut Ui, scene: &mut Scene<'_>, step: &Step) {
    let palette = Palette::of(ui);
    let (rect, response) =
        ui.allocate_exact_size(vec2(ui.available_width(), LINE - 6.0), Sense::click());
    let is_chosen = step.pass == scene.view.pass();
    let text = visible(&step.shown).replace(' ', "·");
    response.widget_info(|| {
        let spoken = format!("pass {}: id {}, {text}", step.pass, step.id);
        WidgetInfo::selected(egui::Role::ListItem, true, is_chosen, spoken)
    });
    let painter = ui.painter();
    if is_chosen || response.hovered() {
        let fill = if is_chosen {
            palette.chosen
        } else {
            palette.sunk
        };
        painter.rect_filled(rect, corner::SMALL, fill);
    }
    let column = |from: f32, to: f32| {
        let at = |share: f32| rect.left() + 8.0 + (rect.width() - 16.0) * share;
        Rect::from_x_y_ranges(at(from)..=at(to), rect.y_range())
    };
    let muted = palette.muted;
    text_in(
        painter,
        column(0.0, 0.09),
        &format!("{}", step.pass),
        Type::MonoSmall,
        muted,
        0.0,
    );
    text_in(
        painter,
        column(0.09, 0.22),
        &step.id.to_string(),
        Type::Mono,
        palette.text,
        0.0,
    );
    text_in(
        painter,
        column(0.22, 0.58),
        &hex(&step.bytes, 12),
        Type::Mono,
        muted,
        0.0,
    );
    let (told, colour) = match (step.is_end, step.shown.is_empty()) {
        (true, _) => (
            "end token, not shown".to_owned(),
            palette.role(Role::Logits),
        ),
        (false, true) => (
            format!("{} held back", hex(&step.held, 4)),
            palette.role(Role::Logits),
        ),
        (false, false) => (text, palette.text),
    };
    text_in(painter, column(0.6, 1.0), &told, Type::Body, colour, 0.0);
    if response
        .on_hover_cursor(egui::CursorIcon::PointingHand)
        .clicked()
    {
        scene.send(Command::Look(Spot::at(
            Place::View(View::Screen),
            Some(step.pass),
        )));
    }
}

/// The probability of an end token after each pass, of those whose blocks have all run.
fn end_shares(scene: &mut Scene<'_>) -> Vec<(usize, f64)> {
    let tokens: Vec<u32> = scene.run.end_tokens.iter().map(|end| end.id).collect();
    let Some(last) = scene
        .facts
        .n_layers
        .checked_sub(1)
        .filter(|_| !tokens.is_empty())
    else {
        return Vec::new();
    };
    // As many as a chart has room for; the newest are those one looks at.
    let first = scene.run.passes.len().saturating_sub(64);
    let mut shares = Vec::new();
    for pass in first..scene.run.passes.len() {
        let Some(row) = scene
            .run
            .passes
            .get(pass)
            .and_then(|pass| pass.n_pos.checked_sub(1))
        else {
            continue;
        };
        if !scene.run.has_stage(pass, Stage::Block(last)) {
            continue;
        }
        let question = Question::Lens(LensRequest {
            rows: vec![At { pass, row }],
            points: vec![Point::AfterMlp(last)],
            top_k: 1,
            tokens: tokens.clone(),
        });
        let told = scene.ask(&question).ready();
        if let Some(Told::Lens(views)) = told.as_deref()
            && let Some(view) = views.first()
        {
            shares.push((
                pass,
                view.chosen.iter().map(|share| share.probability).sum(),
            ));
        }
    }
    shares
}

fn ends_ui(ui: &mut Ui, scene: &mut Scene<'_>, n_steps: usize) {
    let palette = Palette::of(ui);
    let shares = end_shares(scene);
    let rect = ui.available_rect_before_wrap();
    let response = ui.allocate_rect(rect, Sense::hover());
    let painter = ui.painter().clone();
    let title = painter.text(
        rect.left_top(),
        Align2::LEFT_TOP,
        "How likely the end was",
        Type::Strong.font(),
        palette.text,
    );
    let rest = "probability of an end token at each place of the answer";
    let place = title.right_top() + vec2(8.0, 0.0);
    painter.text(
        place,
        Align2::LEFT_TOP,
        rest,
        Type::Body.font(),
        palette.muted,
    );
    let area = Rect::from_min_max(rect.min + vec2(46.0, 36.0), rect.max - vec2(12.0, 24.0));
    let first = shares.first().map_or(0, |(pass, _)| *pass);
    let n = n_steps
        .max(first + 8)
        .max(shares.last().map_or(0, |(pass, _)| pass + 1));
    let chart = Chart::new(area, (first as f64 - 0.5, n as f64 - 0.5), (0.0, 1.0));
    let lines = [0.0, 0.5, 1.0].map(|share| (share, percent(share)));
    chart.lines(&painter, palette, &lines);
    let hue = palette.role(Role::Logits);
    let points: Vec<[f64; 2]> = shares
        .iter()
        .map(|(pass, share)| [*pass as f64, *share])
        .collect();
    chart.curve(
        &painter,
        &points,
        Stroke::new(1.5, mix(palette.background, hue, 0.6)),
    );
    let apart = area.width() / (n - first).max(1) as f32;
    for (pass, share) in &shares {
        let place = chart.place(*pass as f64, *share);
        let is_chosen = *pass == scene.view.pass();
        painter.circle_filled(place, if apart > 14.0 { 4.0 } else { 2.5 }, hue);
        if is_chosen {
            painter.circle_stroke(place, 6.5, palette.ring());
            let (text, font) = (percent(*share), Type::MonoSmall.font());
            painter.text(
                place - vec2(0.0, 9.0),
                Align2::CENTER_BOTTOM,
                text,
                font,
                palette.text,
            );
        }
    }
    let every = ((44.0 / apart).ceil() as usize).max(1);
    for (pass, id) in drawn(scene.run) {
        if pass < first || !(pass - first).is_multiple_of(every) {
            continue;
        }
        let x = chart.place(pass as f64, 0.0).x;
        let wide = apart * every as f32 - 4.0;
        let place = Rect::from_center_size(pos2(x, area.bottom() + 13.0), vec2(wide, 16.0));
        let state = scene
            .run
            .passes
            .get(pass)
            .and_then(|pass| pass.draw.as_ref());
        let text = state.map_or_else(|| format!("#{id}"), |draw| visible(draw.text.trim()));
        text_in(&painter, place, &text, Type::Small, palette.muted, 0.5);
    }
    let hovered = response.hover_pos().and_then(|pointer| {
        let pass = chart.x_at(pointer).round();
        shares.iter().find(|(at, _)| *at as f64 == pass).copied()
    });
    response.widget_info(|| {
        let told: Vec<String> = shares.iter().map(|(_, share)| percent(*share)).collect();
        let text = format!(
            "probability of the end, place by place: {}",
            told.join(", ")
        );
        WidgetInfo::labeled(egui::Role::Image, true, text)
    });
    if let Some((pass, share)) = hovered {
        response.on_hover_text(format!("pass {pass}: {}", percent(share)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_waits_until_it_is_complete() {
        let mut held = Vec::new();
        assert_eq!(complete(&mut held, b"a\xF0\x9F"), "a");
        assert_eq!(held, [0xF0, 0x9F]);
        assert_eq!(complete(&mut held, b"\x98"), "");
        assert_eq!(complete(&mut held, b"\x80!"), "😀!");
        assert!(held.is_empty());
    }

    #[test]
    fn bytes_that_can_be_no_character_do_not_hold_the_rest_back() {
        let mut held = Vec::new();
        assert_eq!(complete(&mut held, b"\xFFok"), "\u{fffd}ok");
        assert_eq!(complete(&mut held, b"\xE4"), "");
        assert_eq!(complete(&mut held, b"x"), "\u{fffd}x");
        assert!(held.is_empty());
    }

    #[test]
    fn bytes_are_written_in_hexadecimal() {
        assert_eq!(hex(b" P", 8), "20 50");
        assert_eq!(hex(b"abc", 2), "61 62 …");
    }
}
