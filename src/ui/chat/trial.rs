//! Side by side: the same questions put to several models or settings, one after the other, so that
//! the speeds are those of each alone.

use egui::{CentralPanel, DragValue, ScrollArea, TextEdit, Ui, WidgetInfo, vec2};

use super::ChatCommand;
use crate::chat::{Cell, Measured, Side, Trial};
use crate::trace::sampling::SamplingChoice;
use crate::trace::units;
use crate::ui::command::Command;
use crate::ui::controls::{Button, caption, card, quiet_button};
use crate::ui::frame::margins;
use crate::ui::icons::Icon;
use crate::ui::models::{Entry, ShelfCommand};
use crate::ui::picture::Scene;
use crate::ui::theme::{Palette, Type, space};

/// Most that answer in one table.
const MOST_SIDES: usize = 8;
/// A column is at least this wide; else the answers stand one under the other.
const COLUMN: f32 = 230.0;

/// The table as the window fills it.
#[derive(Debug, Default)]
pub struct TrialState {
    /// The table.
    pub table: Trial,
    /// Whether it is being filled.
    pub is_running: bool,
}

/// What the page remembers.
#[derive(Debug)]
pub struct TrialPage {
    prompts: String,
    sides: Vec<Draft>,
    max_tokens: usize,
}

#[derive(Debug, Clone)]
struct Draft {
    model: String,
    temperature: f32,
}

impl Default for TrialPage {
    fn default() -> Self {
        Self {
            prompts: "What is the capital of France?\nWhat is 2 plus 3?".to_owned(),
            sides: Vec::new(),
            max_tokens: 256,
        }
    }
}

/// Draws the page in the place of the talk.
pub(super) fn trial_ui(ui: &mut Ui, scene: &mut Scene<'_>, page: &mut TrialPage) {
    if scene.shelf.is_new() {
        let n_positions = scene.shelf.n_positions;
        scene.send(Command::Shelf(ShelfCommand::List(n_positions)));
    }
    if page.sides.is_empty() {
        let model = scene.chat.model.clone();
        let draft = |temperature| Draft {
            model: model.clone(),
            temperature,
        };
        page.sides = vec![draft(0.0), draft(0.8)];
    }
    let centre = CentralPanel::default().frame(margins(ui, 20, 14));
    centre.show(ui, |ui| {
        heading_ui(ui, scene);
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            // The bar stands beside the cards, not on them.
            ui.set_max_width(ui.available_width() - 14.0);
            setup_ui(ui, scene, page);
            ui.add_space(space::MEDIUM);
            table_ui(ui, scene);
        });
    });
}

fn heading_ui(ui: &mut Ui, scene: &mut Scene<'_>) {
    let palette = Palette::of(ui);
    ui.horizontal(|ui| {
        ui.label(Type::Title.text("Side by side", palette.text));
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            if Button::new("Back to the chat")
                .show(ui, space::TARGET)
                .clicked()
            {
                scene.tell_chat(ChatCommand::Trial(false));
            }
        });
    });
    let told = "The same questions to several models or settings. One answers at a time, and each reads every question \
                from its beginning, after the chat's system prompt, so that speeds can be compared.";
    ui.label(Type::Body.text(told, palette.muted));
    ui.add_space(space::SMALL);
}

fn setup_ui(ui: &mut Ui, scene: &mut Scene<'_>, page: &mut TrialPage) {
    card(ui).show(ui, |ui| {
        ui.set_width(ui.available_width());
        caption(ui, "Questions, one on each line");
        let field = TextEdit::multiline(&mut page.prompts)
            .desired_rows(3)
            .desired_width(f32::INFINITY);
        let field = ui.add(field);
        field.widget_info(|| WidgetInfo {
            label: Some("Questions".to_owned()),
            ..WidgetInfo::text_edit(true, &page.prompts, &page.prompts, "")
        });
        ui.add_space(space::TINY);
        caption(ui, "Who answers");
        sides_ui(ui, scene, page);
        ui.add_space(space::TINY);
        ui.horizontal(|ui| run_ui(ui, scene, page));
    });
}

fn sides_ui(ui: &mut Ui, scene: &mut Scene<'_>, page: &mut TrialPage) {
    let entries = scene.shelf.rows().map(Entry::of_row);
    // By their names, own ones too: what they stand for is looked up where they are loaded.
    let here: Vec<String> = entries
        .filter(|entry| entry.is_here() && entry.cannot_run.is_none())
        .map(|entry| entry.key)
        .collect();
    let mut removed = None;
    let n_sides = page.sides.len();
    for (number, side) in page.sides.iter_mut().enumerate() {
        ui.horizontal(|ui| {
            let field = TextEdit::singleline(&mut side.model)
                .align(egui::Align2::LEFT_CENTER)
                .desired_width(260.0);
            let field = ui.add(field);
            field.widget_info(|| WidgetInfo {
                label: Some(format!("Model {}", number + 1)),
                ..WidgetInfo::text_edit(true, &side.model, &side.model, "")
            });
            let choose = Button::icon(Icon::Down, "Models that are here").show(ui, space::TARGET);
            egui::Popup::menu(&choose).show(|ui| {
                if here.is_empty() {
                    let told = "Looking at what is here …";
                    ui.label(Type::Body.text(told, Palette::of(ui).muted));
                }
                for name in here.iter() {
                    if ui.selectable_label(side.model == *name, name).clicked() {
                        side.model.clone_from(name);
                    }
                }
            });
            ui.label("temperature");
            let value = DragValue::new(&mut side.temperature)
                .range(0.0..=2.0)
                .speed(0.02);
            ui.add(value.max_decimals(2));
            let told = "Takes it out of the table";
            if n_sides > 1 && quiet_button(ui, "Remove", told, true).clicked() {
                removed = Some(number);
            }
        });
    }
    if let Some(number) = removed {
        page.sides.remove(number);
    }
    let told = "One more model, or the same one with other settings";
    if quiet_button(ui, "Add another", told, n_sides < MOST_SIDES).clicked()
        && let Some(last) = page.sides.last().cloned()
    {
        page.sides.push(last);
    }
}

fn run_ui(ui: &mut Ui, scene: &mut Scene<'_>, page: &mut TrialPage) {
    let trial = scene.chat.trial.as_ref();
    let is_running = trial.is_some_and(|trial| trial.is_running);
    if is_running {
        let mut stop = Button::new("Stop");
        stop.is_primary = true;
        if stop.show(ui, 30.0).clicked() {
            scene.tell_chat(ChatCommand::TrialStop);
        }
        ui.spinner();
    } else {
        let prompts: Vec<String> = page
            .prompts
            .lines()
            .filter(|line| !line.trim().is_empty())
            .map(str::to_owned)
            .collect();
        let mut ask = Button::new("Ask all of them");
        ask.is_primary = true;
        ask.is_disabled = prompts.is_empty() || scene.chat.writing.is_some();
        if ask.show(ui, 30.0).clicked() && !ask.is_disabled {
            let sides = page.sides.iter().map(Draft::side).collect();
            let table = Box::new(Trial::new(sides, prompts));
            scene.tell_chat(ChatCommand::TrialRun(table, page.max_tokens));
        }
    }
    ui.label("at most");
    ui.add(DragValue::new(&mut page.max_tokens).range(1..=4096));
    ui.label("tokens each");
    let Some(trial) = scene.chat.trial.as_ref() else {
        return;
    };
    let (csv, markdown) = (trial.table.to_csv(), trial.table.to_markdown());
    if Button::new("Copy as Markdown").show(ui, 30.0).clicked() {
        scene.send(Command::Copy(markdown));
    }
    if Button::new("Copy as CSV").show(ui, 30.0).clicked() {
        scene.send(Command::Copy(csv));
    }
}

impl Draft {
    fn side(&self) -> Side {
        Side {
            model: self.model.trim().to_owned(),
            sampling: SamplingChoice {
                temperature: Some((self.temperature * 100.0).round() / 100.0),
                ..SamplingChoice::default()
            },
        }
    }
}

fn table_ui(ui: &mut Ui, scene: &mut Scene<'_>) {
    let Some(trial) = scene.chat.trial.as_ref() else {
        return;
    };
    let table = &trial.table;
    let n_sides = table.sides().len();
    let fits = ui.available_width() / n_sides.max(1) as f32 >= COLUMN;
    sums_ui(ui, table);
    for (prompt, asked) in table.prompts().iter().enumerate() {
        ui.add_space(space::MEDIUM);
        let text = Type::Strong.text(asked, Palette::of(ui).text);
        ui.add(egui::Label::new(text).wrap());
        let draw = |ui: &mut Ui, side: usize| {
            let Some(of) = table.sides().get(side) else {
                return;
            };
            let said = table.failed_before(side, prompt);
            cell_ui(ui, &of.name(), table.cell(side, prompt), said);
        };
        match fits && n_sides > 0 {
            true => ui.columns(n_sides, |columns| {
                for (side, ui) in columns.iter_mut().enumerate() {
                    draw(ui, side);
                }
            }),
            false => (0..n_sides).for_each(|side| draw(ui, side)),
        }
    }
}

/// What each side took, on average.
fn sums_ui(ui: &mut Ui, table: &Trial) {
    let palette = Palette::of(ui);
    egui::Grid::new("trial-sums")
        .spacing(vec2(20.0, 4.0))
        .show(ui, |ui| {
            for title in ["", "answers", "speed", "first token"] {
                ui.label(Type::Caption.text(title, palette.muted));
            }
            ui.label(Type::Caption.text("memory", palette.muted))
                .on_hover_text(MEMORY);
            ui.end_row();
            for (side, of) in table.sides().iter().enumerate() {
                let sums = table.sums(side);
                let n = format!("{} of {}", sums.n, table.prompts().len());
                ui.label(Type::Label.text(of.name(), palette.text));
                ui.label(Type::Mono.text(n, palette.text));
                if sums.n == 0 {
                    for _ in 0..3 {
                        ui.label(Type::Mono.text("–", palette.muted));
                    }
                } else {
                    let first = units::seconds(sums.first_token_s);
                    for text in [
                        units::tokens_per_second(sums.tokens_per_s),
                        first,
                        units::bytes(sums.memory_bytes as u64),
                    ] {
                        ui.label(Type::Mono.text(text, palette.text));
                    }
                }
                ui.end_row();
            }
        });
}

/// What the memory of the table is.
const MEMORY: &str = "the weights, and the most that MLX took beside them while the model answered";

/// One answer. `was_said`: the same failure stands in a cell before.
fn cell_ui(ui: &mut Ui, name: &str, cell: &Cell, was_said: bool) {
    let palette = Palette::of(ui);
    // Not as a column would have it, which stretches its lines.
    let layout = egui::Layout::top_down(egui::Align::Min);
    ui.with_layout(layout, |ui| {
        card(ui).show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.label(Type::Caption.text(name, palette.muted));
            let (text, colour) = match cell {
                Cell::Waiting => ("not asked yet", palette.muted),
                Cell::Writing(text) => (text.as_str(), palette.text),
                Cell::Done(measured) => (measured.text.as_str(), palette.text),
                Cell::Failed(_) if was_said => ("no answer, as above", palette.muted),
                Cell::Failed(why) => (why.as_str(), palette.bad),
            };
            ui.style_mut().interaction.selectable_labels = true;
            ui.add(egui::Label::new(Type::Body.text(text.trim(), colour)).wrap());
            if let Cell::Done(measured) = cell {
                let told = Type::MonoSmall.text(told(measured), palette.muted);
                ui.add(egui::Label::new(told).wrap());
            }
        })
    });
}

fn told(measured: &Measured) -> String {
    format!(
        "{} tokens  {}  first after {}",
        measured.n_tokens,
        units::tokens_per_second(measured.tokens_per_s),
        units::seconds(measured.first_token_s)
    )
}
