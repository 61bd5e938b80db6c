//! A sweep: the same change in every head, or at every block and position, as a map of its effects.

use std::sync::Arc;

use egui::{Ui, vec2};

use super::to_logits_ui;
use crate::engine::question::{Question, Told};
use crate::trace::debug::{DebugCommand, EditChange, Next, SourcePrompt};
use crate::trace::edit::{Action, Change, Edit, ValueEdit};
use crate::trace::measure::sweep::{Outcome, Over, SweepPlan, SweepTable};
use crate::trace::measure::verdict::REMINDER;
use crate::ui::answers::Asked;
use crate::ui::colormap::ColorMap;
use crate::ui::command::{Command, Pointing};
use crate::ui::controls::{Button, segmented};
use crate::ui::picture::{Scene, Term, formula_ui, ready_ui};
use crate::ui::pictures::kit::{copy_menu, csv, csv_text, field_ui, note_ui};
use crate::ui::state::SweepWish;
use crate::ui::theme::{Palette, Role, Type, space};
use crate::ui::tokens::visible;
use crate::ui::widgets::heatmap::{Grid, HeatMap, Labels, MapCell, MapState, figure, legend_ui};

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

    /// The effects as a grid, made once for an answer. The strongest is chosen, unless a lesson asks
    /// for it.
    fn cut(&mut self, told: &Arc<Told>, keeps_quiet: bool) {
        if self
            .cut
            .as_ref()
            .is_some_and(|(old, _)| Arc::ptr_eq(old, told))
        {
            return;
        }
        let Told::Sweep(table) = &**told else {
            return;
        };
        let (n_rows, n_cols) = (table.values.len(), table.values.first().map_or(0, Vec::len));
        let effects = table
            .values
            .iter()
            .flatten()
            .map(|value| (value - table.before) as f32);
        self.cut =
            Grid::new(n_rows, n_cols, effects.collect()).map(|grid| (Arc::clone(told), grid));
        let strongest = table.strongest(1).first().map(|cell| MapCell {
            row: cell.row,
            col: cell.column,
        });
        self.chosen = strongest.filter(|_| !keeps_quiet);
    }

    fn map_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, table: &SweepTable) {
        let Some((_, grid)) = &self.cut else {
            return;
        };
        let palette = Palette::of(ui);
        let map = match table.outcome {
            Outcome::KlBits => ColorMap::sequential(palette, Role::Logits),
            _ => ColorMap::diverging(palette),
        };
        let limit = grid.largest().max(1e-9);
        let cols: Vec<String> = match table.over {
            Over::Heads => (0..table.columns.len())
                .map(|head| format!("H{head}"))
                .collect(),
            Over::LayersXPositions => (0..table.columns.len())
                .map(|at| scene.name(table.first_position + at))
                .collect(),
        };
        let room = vec2(ui.available_width(), ui.available_height() - 74.0);
        let shown = HeatMap::new("effects of the sweep", grid, &map, limit)
            .rows(Labels {
                texts: &table.rows,
                chosen: self.chosen.map(|cell| cell.row),
            })
            .cols(Labels {
                texts: &cols,
                chosen: self.chosen.map(|cell| cell.col),
            })
            .chosen(self.chosen)
            .show(ui, &mut self.state, room);
        self.hovered = shown.hovered;
        if let Some(cell) = shown.clicked {
            self.chosen = Some(cell);
            scene.point(Pointing::Layer(cell.row));
            scene.point(match table.over {
                Over::Heads => Pointing::Head(cell.col),
                Over::LayersXPositions => Pointing::Token(table.first_position + cell.col),
            });
        }
        if let Some((cell, effect)) = shown
            .hovered
            .and_then(|cell| Some((cell, grid.value(cell.row, cell.col)?)))
        {
            let tip = format!(
                "{}\n{} {}",
                self.edit(table, cell),
                signed(effect),
                unit(table)
            );
            shown.response.clone().on_hover_text_at_pointer(tip);
        }
        let copied = sweep_csv(table);
        let row = csv(grid
            .row(shown.hovered.or(self.chosen).map_or(0, |cell| cell.row))
            .iter()
            .copied());
        copy_menu(
            scene,
            &shown.response,
            &[
                ("Copy the row as CSV", &|| row.clone()),
                ("Copy the table as CSV", &|| copied.clone()),
            ],
        );
        legend_ui(
            ui,
            &format!("change of the {}", visible(&table.what())),
            &map,
            limit,
        );
        match scene.keeps_quiet() {
            true => note_ui(ui, REMINDER),
            false => note_ui(ui, &self.told(table)),
        }
    }

    /// The strongest cells, in words.
    fn told(&self, table: &SweepTable) -> String {
        let cells = table.strongest(3);
        let cells = cells.iter().map(|cell| {
            let at = MapCell {
                row: cell.row,
                col: cell.column,
            };
            format!("{} ({})", self.place(table, at), signed(cell.effect as f32))
        });
        format!(
            "Strongest: {}. {REMINDER}",
            cells.collect::<Vec<_>>().join(", ")
        )
    }

    fn place(&self, table: &SweepTable, cell: MapCell) -> String {
        match table.over {
            Over::Heads => format!("L{}.H{}", cell.row, cell.col),
            Over::LayersXPositions => {
                let text = table
                    .columns
                    .get(cell.col)
                    .map(|text| visible(text.trim()))
                    .unwrap_or_default();
                format!("block {} at {text}", cell.row)
            }
        }
    }

    /// The edit that a cell stands for, in its text form.
    fn edit(&self, table: &SweepTable, cell: MapCell) -> String {
        let change = &table.change;
        match table.over {
            Over::Heads => format!("blocks.{}.attn.hook_z[:, {}]={change}", cell.row, cell.col),
            Over::LayersXPositions => format!(
                "blocks.{}.hook_resid_pre[{}]={change}",
                cell.row,
                table.first_position + cell.col
            ),
        }
    }

    pub fn formula_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let told = self.cut.as_ref().map(|(told, _)| Arc::clone(told));
        let cell = self.hovered.or(self.chosen).filter(|_| self.plan.is_some());
        let (Some(Told::Sweep(table)), Some(cell)) = (told.as_deref(), cell) else {
            formula_ui(
                ui,
                &[Term::words(
                    "Begin a sweep, then point at a cell to see what its change does.",
                )],
                "",
            );
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
        let text = self.edit(table, cell);
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

fn number(table: &SweepTable, value: f64) -> String {
    match table.outcome {
        Outcome::Probability(_) => crate::trace::units::percent(value),
        _ => figure(value as f32),
    }
}

fn unit(table: &SweepTable) -> &'static str {
    match table.outcome {
        Outcome::Probability(_) => "probability",
        Outcome::Logit(_) | Outcome::Difference(..) => "logit",
        Outcome::KlBits => "bits",
    }
}

fn signed(effect: f32) -> String {
    if effect > 0.0 {
        format!("+{}", figure(effect))
    } else {
        figure(effect)
    }
}

/// The outcomes as a CSV file with a head.
fn sweep_csv(table: &SweepTable) -> String {
    let columns: Vec<String> = table.columns.iter().map(|text| csv_text(text)).collect();
    let line = |(name, values): (&String, &Vec<f64>)| {
        let values: Vec<String> = values.iter().map(ToString::to_string).collect();
        format!("{name},{}", values.join(","))
    };
    let lines: Vec<String> = table.rows.iter().zip(&table.values).map(line).collect();
    format!(
        "{},{}\n{}",
        csv_text(&table.what()),
        columns.join(","),
        lines.join("\n")
    )
}
