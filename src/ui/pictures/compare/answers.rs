//! What both runs read and say.

use egui::{Color32, Rect, TextFormat, Ui, UiBuilder, pos2};

use crate::trace::debug::RunState;
use crate::trace::measure::compare::{Comparison, Side};
use crate::trace::units;
use crate::ui::command::{Command, Move, Pointing};
use crate::ui::controls::{Button, card};
use crate::ui::picture::{Scene, Term, formula_ui};
use crate::ui::pictures::kit::{note_ui, section_ui};
use crate::ui::theme::{Palette, Role, Type, mix, space};
use crate::ui::tokens::visible;
use crate::ui::widgets::{Bar, Bars, Span, flow_ui};

/// The two columns.
#[derive(Default)]
pub struct Answers;

impl Answers {
    pub fn show(
        &mut self,
        ui: &mut Ui,
        scene: &mut Scene<'_>,
        comparison: &Comparison,
        other: &RunState,
        has_draws: bool,
    ) {
        let scroll = egui::ScrollArea::vertical().auto_shrink([false, false]);
        scroll.show(ui, |ui| {
            if !scene.keeps_quiet() {
                note_ui(ui, &told(comparison));
            }
            let room = ui.available_rect_before_wrap();
            let middle = room.center().x;
            let left = Rect::from_min_max(room.min, pos2(middle - 8.0, room.bottom()));
            let right = Rect::from_min_max(pos2(middle + 8.0, room.top()), room.max);
            let run = scene.run.clone();
            let sides = [
                (left, &comparison.a, &run, "this run"),
                (right, &comparison.b, other, "the other"),
            ];
            let mut bottom = room.top();
            for (at, (place, side, state, name)) in sides.into_iter().enumerate() {
                let shown = ui.scope_builder(UiBuilder::new().max_rect(place).id_salt(at), |ui| {
                    side_ui(ui, scene, comparison, side, name);
                    if has_draws {
                        drawn_ui(ui, scene, state, at == 0);
                    }
                });
                bottom = shown.response.rect.bottom().max(bottom);
            }
            ui.advance_cursor_after_rect(Rect::from_min_max(room.min, pos2(room.right(), bottom)));
        });
    }
}

/// One side: its text, with the tokens that differ set off, and its likeliest next tokens.
fn side_ui(ui: &mut Ui, scene: &mut Scene<'_>, comparison: &Comparison, side: &Side, name: &str) {
    let palette = Palette::of(ui);
    section_ui(ui, name, &side.model);
    card(ui).show(ui, |ui| {
        ui.set_width(ui.available_width());
        let spans: Vec<Span> = side
            .tokens
            .iter()
            .enumerate()
            .map(|(at, token)| Span {
                text: token.text.clone(),
                format: format(palette, differs(comparison, at), at == scene.view.token),
            })
            .collect();
        let flow = flow_ui(ui, name, &spans);
        if let Some(at) = flow.clicked {
            scene.point(Pointing::Token(at));
        }
    });
    ui.add_space(space::TINY);
    let first = side.next.first().map(|share| share.token.id);
    let bars: Vec<Bar> = side
        .next
        .iter()
        .take(8)
        .map(|share| {
            let text = visible(&share.token.text);
            let colour = palette.role(Role::Logits);
            let mut bar = Bar::new(
                text,
                share.probability as f32,
                units::percent(share.probability),
                colour,
            );
            bar.is_chosen = false;
            bar.second = format!("#{}", share.rank);
            bar
        })
        .collect();
    match first {
        Some(_) => {
            ui.scope(|ui| {
                Bars::new("likeliest next tokens", &bars)
                    .longest(1.0)
                    .line(21.0)
                    .show(ui)
            });
        }
        None => to_logits_ui(ui, scene),
    }
}

/// Whether the sides have different tokens at a position.
fn differs(comparison: &Comparison, at: usize) -> bool {
    let id = |side: &Side| side.tokens.get(at).map(|token| token.id);
    id(&comparison.a) != id(&comparison.b)
}

fn format(palette: &Palette, differs: bool, is_chosen: bool) -> TextFormat {
    let background = match (is_chosen, differs) {
        (true, _) => mix(palette.surface, palette.text, 0.16),
        (false, true) => palette.wash(Role::Key, 0.24),
        (false, false) => Color32::TRANSPARENT,
    };
    TextFormat {
        background,
        line_height: Some(22.0),
        ..TextFormat::simple(
            egui::FontId::new(14.0, Type::Body.font().family),
            palette.text,
        )
    }
}

pub(super) fn to_logits_ui(ui: &mut Ui, scene: &mut Scene<'_>) {
    note_ui(ui, "This run has not come to its logits yet.");
    if !scene.link.is_busy()
        && Button::new("Run to the logits")
            .show(ui, space::TARGET)
            .clicked()
    {
        scene.send(Command::Move(Move::Token));
    }
}

/// What a run drew, the unlikelier a token the stronger its colour.
fn drawn_ui(ui: &mut Ui, scene: &mut Scene<'_>, run: &RunState, is_ours: bool) {
    let palette = Palette::of(ui);
    ui.add_space(space::SMALL);
    let temperature = run.sampling.temperature.unwrap_or(1.0);
    section_ui(
        ui,
        "What it drew",
        &format!("temperature {temperature}, seed {}", run.seed),
    );
    let draws = run.passes.iter().filter_map(|pass| pass.draw.as_ref());
    let spans: Vec<Span> = draws
        .map(|draw| {
            let surprise = 1.0 - draw.logprob.exp();
            Span {
                text: draw.text.clone(),
                format: TextFormat {
                    background: palette.wash(Role::Logits, 0.06 + 0.4 * surprise),
                    line_height: Some(22.0),
                    ..TextFormat::simple(
                        egui::FontId::new(14.0, Type::Body.font().family),
                        palette.text,
                    )
                },
            }
        })
        .collect();
    if spans.is_empty() {
        note_ui(ui, "Nothing yet.");
    } else {
        card(ui).show(ui, |ui| {
            ui.set_width(ui.available_width());
            flow_ui(ui, "what it drew", &spans);
        });
    }
    if is_ours
        && !scene.link.is_busy()
        && Button::new("Run to the end")
            .show(ui, space::TARGET)
            .clicked()
    {
        scene.send(Command::Move(Move::End));
    }
}

/// Where the two part, in words.
fn told(comparison: &Comparison) -> String {
    let mut told = match comparison.first_other_token {
        None => "Both read the same tokens.".to_owned(),
        Some(at) if at == comparison.n_aligned => {
            let is_ours = comparison.a.tokens.len() > at;
            let who = if is_ours { "this run" } else { "the other" };
            format!("Both read the same {at} tokens; {who} has gone on.")
        }
        Some(at) => {
            let name = |side: &Side| {
                side.tokens.get(at).map_or("nothing".to_owned(), |token| {
                    format!("“{}”", visible(&token.text))
                })
            };
            format!(
                "The texts part at position {at}: {} and {}.",
                name(&comparison.a),
                name(&comparison.b)
            )
        }
    };
    if let (Some(a), Some(b)) = (comparison.a.next.first(), comparison.b.next.first()) {
        let same = if a.token.id == b.token.id {
            "the next token is the same"
        } else {
            "the next tokens differ"
        };
        told.push_str(&format!(
            " {}, {same}: “{}” {} and “{}” {}.",
            after(comparison),
            visible(&a.token.text),
            units::percent(a.probability),
            visible(&b.token.text),
            units::percent(b.probability)
        ));
    }
    told
}

/// After which text the next tokens are told.
fn after(comparison: &Comparison) -> String {
    let is_shared = comparison.a.after == comparison.b.after
        && comparison
            .first_other_token
            .is_none_or(|other| comparison.a.after < Some(other));
    let token = comparison
        .a
        .after
        .and_then(|at| comparison.a.tokens.get(at));
    match (token, comparison.a.after) {
        (Some(token), Some(at)) if is_shared => {
            format!("After “{}” at position {at}", visible(&token.text))
        }
        _ => "After each prompt".to_owned(),
    }
}

/// The two answers in figures.
pub fn formula(ui: &mut Ui, comparison: &Comparison) {
    let (Some(a), Some(b)) = (comparison.a.next.first(), comparison.b.next.first()) else {
        formula_ui(
            ui,
            &[Term::words(
                "Both answers stand here once both runs have come to their logits.",
            )],
            "",
        );
        return;
    };
    let mut terms = vec![
        Term::of(Role::Logits, format!("“{}”", visible(&a.token.text))),
        Term::number(units::percent(a.probability)),
        Term::words("beside"),
        Term::of(Role::Logits, format!("“{}”", visible(&b.token.text))),
        Term::result(Role::Logits, units::percent(b.probability)),
    ];
    if let Some(bits) = comparison.kl_bits {
        terms.push(Term::words(format!("· Σ p log₂(p ÷ q) = {bits:.3} bits")));
    }
    formula_ui(ui, &terms, "unembed.hook_out");
}
