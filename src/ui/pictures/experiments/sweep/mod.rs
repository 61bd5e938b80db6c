//! A sweep: the same change in every head, or at every block and position, as a map of its effects.

mod effects;
mod words;

use std::sync::Arc;

use egui::Ui;

use super::to_logits_ui;
use crate::engine::question::{Question, Told};
use crate::trace::debug::{DebugCommand, EditChange, Next, SourcePrompt};
use crate::trace::edit::{Action, Change, Edit, ValueEdit};
use crate::trace::measure::sweep::{Outcome, Over, SweepPlan};
use crate::ui::answers::Asked;
use crate::ui::command::Command;
use crate::ui::controls::{Button, segmented};
use crate::ui::picture::{Scene, Term, formula_ui, ready_ui};
use crate::ui::pictures::kit::{field_ui, note_ui};
use crate::ui::state::SweepWish;
use crate::ui::theme::{Palette, Role, Type, space};
use crate::ui::tokens::visible;
use crate::ui::widgets::heatmap::{Grid, MapCell, MapState};

use words::{edit_at, number, signed};

/// What is swept, and what came of it.
#[derive(Default)]
pub struct Sweep {
    kind: usize,
    by_mean: bool,
    outcome: usize,
    other: String,
    /// The plan under way, or done.
    plan: Option<SweepPlan>,
    /// Whether someone has stopped one: then none begins by itself.
    is_stopped: bool,
    state: MapState,
    /// The effects of the answer they were made from.
    cut: Option<(Arc<Told>, Grid)>,
    chosen: Option<MapCell>,
    hovered: Option<MapCell>,
    /// The wish that was begun with.
    heeded: Option<SweepWish>,
}

const KINDS: [&str; 3] = ["Every head off", "Every state off", "Patch every state"];
/// A sweep of so few runs begins by itself.
const SMALL: usize = 48;
const OUTCOMES: [&str; 3] = ["Probability", "Logit", "Bits"];

impl Sweep {
    pub fn show(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        self.hovered = None;
        self.heed(scene);
        self.controls_ui(ui);
        if matches!(scene.run.next, Next::Stage(_)) {
            self.plan = None;
            to_logits_ui(
                ui,
                scene,
                "A sweep looks at the newest logits: they have not been computed yet.",
            );
            return;
        }
        let Some(plan) = self.plan.clone() else {
            self.begin_ui(ui, scene);
            return;
        };
        let asked = scene.ask(&Question::Sweep(plan));
        if matches!(asked, Asked::Waiting) {
            self.waiting_ui(ui, scene);
            return;
        }
        let Some(told) = ready_ui(ui, asked) else {
            if Button::new("Back").show(ui, space::TARGET).clicked() {
                self.plan = None;
            }
            return;
        };
        self.cut(&told, scene.keeps_quiet());
        if let Told::Sweep(table) = &*told {
            self.map_ui(ui, scene, table);
        }
    }

    /// Begins with the sweep that a lesson asks for, once.
    fn heed(&mut self, scene: &mut Scene<'_>) {
        let wish = scene.view.sweep.clone();
        if wish == self.heeded || matches!(scene.run.next, Next::Stage(_)) {
            return;
        }
        let Some(asked) = &wish else {
            self.heeded = None;
            return;
        };
        let text = asked.token.clone();
        let question = Question::Tokens {
            model: None,
            text,
            with_begin: false,
        };
        let Asked::Ready(told) = scene.ask(&question) else {
            return;
        };
        let change = format!("blocks.0.attn.hook_z={}", asked.change).parse::<Edit>();
        let (Told::Tokens(tokens), Ok(edit)) = (&*told, change) else {
            return;
        };
        let Action::Value(ValueEdit { change, .. }) = edit.action else {
            return;
        };
        let first = tokens.pieces.first().map(|piece| piece.id);
        self.kind = usize::from(asked.over != "heads");
        self.by_mean = change == Change::Mean;
        self.outcome = 0;
        self.plan = self.planned(scene).map(|plan| SweepPlan {
            outcome: first.map_or(plan.outcome, Outcome::Probability),
            change,
            ..plan
        });
        self.heeded = wish;
    }

    fn controls_ui(&mut self, ui: &mut Ui) {
        let before = (self.kind, self.by_mean, self.outcome, self.other.clone());
        ui.horizontal_wrapped(|ui| {
            if let Some(kind) = segmented(ui, "kind of sweep", &KINDS, self.kind) {
                self.kind = kind;
            }
            if self.kind < 2
                && let Some(at) = segmented(
                    ui,
                    "put in its place",
                    &["Zero", "Mean"],
                    usize::from(self.by_mean),
                )
            {
                self.by_mean = at == 1;
            }
            if let Some(at) = segmented(ui, "what is measured", &OUTCOMES, self.outcome) {
                self.outcome = at;
            }
            if self.kind == 2 {
                field_ui(
                    ui,
                    "the prompt to copy from",
                    "A prompt with as many tokens",
                    &mut self.other,
                    320.0,
                );
            }
        });
        if before != (self.kind, self.by_mean, self.outcome, self.other.clone()) {
            self.plan = None;
            self.chosen = None;
        }
    }

    fn begin_ui(&mut self, ui: &mut Ui, scene: &Scene<'_>) {
        let over = self.over();
        let n = scene.facts.n_layers
            * match over {
                Over::Heads => scene.facts.n_heads,
                Over::LayersXPositions => scene.run.passes.last().map_or(0, |pass| pass.n_pos),
            };
        if n <= SMALL && !self.is_stopped {
            self.plan = self.planned(scene);
        }
        let n = crate::trace::units::count(n as u64);
        let told = match self.kind {
            0 => format!("{n} runs, each with one head switched off and everything else as it is."),
            1 => format!(
                "{n} runs, each with the state of one position before one block taken away."
            ),
            _ => format!(
                "{n} runs, each with the state of one position before one block copied from the other prompt: where the answer follows, the difference between the two prompts sits."
            ),
        };
        note_ui(ui, &told);
        let plan = self.planned(scene);
        let mut button = Button::new("Begin the sweep");
        button.is_primary = true;
        button.is_disabled = plan.is_none();
        if button.show(ui, space::TARGET + 4.0).clicked() {
            self.plan = plan;
        }
        if self.kind == 2 && self.other.trim().is_empty() {
            note_ui(ui, "First type the prompt to copy from.");
        }
    }

    fn waiting_ui(&mut self, ui: &mut Ui, scene: &Scene<'_>) {
        let palette = Palette::of(ui);
        let mut area = ui.available_rect_before_wrap();
        area.max.y = (area.min.y + 46.0 * scene.facts.n_layers as f32).min(area.max.y - 50.0);
        crate::ui::controls::outline(ui.painter(), area.shrink(1.0), palette.faint);
        ui.scope_builder(egui::UiBuilder::new().max_rect(area.shrink(16.0)), |ui| {
            ui.label(Type::Body.text("One run after the other …", palette.muted));
            if Button::new("Stop").show(ui, space::TARGET).clicked() {
                // Nobody asks any more, so it is cancelled.
                self.plan = None;
                self.is_stopped = true;
            }
        });
        ui.ctx().request_repaint();
    }

    fn over(&self) -> Over {
        if self.kind == 0 {
            Over::Heads
        } else {
            Over::LayersXPositions
        }
    }

    /// The sweep that the controls describe; `None` while something is missing.
    fn planned(&self, scene: &Scene<'_>) -> Option<SweepPlan> {
        let answer = scene.run.likeliest.first()?.id;
        let other = match self.kind {
            2 if self.other.trim().is_empty() => return None,
            2 if scene.settings.prompt.is_chat => Some(SourcePrompt::Chat(self.other.clone())),
            2 => Some(SourcePrompt::Raw(self.other.clone())),
            _ => None,
        };
        Some(SweepPlan {
            pass: scene.run.passes.len().checked_sub(1)?,
            over: self.over(),
            change: if self.by_mean {
                Change::Mean
            } else {
                Change::Zero
            },
            other,
            outcome: match self.outcome {
                0 => Outcome::Probability(answer),
                1 => Outcome::Logit(answer),
                _ => Outcome::KlBits,
            },
        })
    }

    pub fn formula_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let told = self.cut.as_ref().map(|(told, _)| Arc::clone(told));
        let cell = self.hovered.or(self.chosen).filter(|_| self.plan.is_some());
        let (Some(Told::Sweep(table)), Some(cell)) = (told.as_deref(), cell) else {
            let told = match self.plan.is_some() {
                true => "Point at a cell to see what its change does.",
                false => "Begin a sweep, then point at a cell to see what its change does.",
            };
            formula_ui(ui, &[Term::words(told)], "");
            return;
        };
        let value = table
            .values
            .get(cell.row)
            .and_then(|row| row.get(cell.col))
            .copied();
        let Some(value) = value else {
            return;
        };
        let text = edit_at(table, cell);
        // A patch from the sweep's own prompt is no edit of the list: it has no source there.
        if self.kind < 2
            && Button::new("Add this edit").show(ui, 26.0).clicked()
            && let Ok(edit) = text.parse::<Edit>()
        {
            let change = EditChange::Add(edit);
            scene.send(Command::Tell(DebugCommand::Edit {
                change,
                catch_up: true,
            }));
            scene.send(Command::Tab("edits".into()));
        }
        let terms = [
            Term::words(visible(&table.what())),
            Term::number(number(table, table.before)),
            Term::words("→"),
            Term::result(Role::Logits, number(table, value)),
            Term::words(format!("({})", signed((value - table.before) as f32))),
        ];
        formula_ui(ui, &terms, &text);
    }
}
