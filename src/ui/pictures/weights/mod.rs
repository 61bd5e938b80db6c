//! Inside the file: every weight, where it lies, how it is stored, and what it costs to read.

mod areas;
mod reading;
mod table;
mod tensor;
mod treemap;

use egui::{Color32, Ui};

use super::kit;
use crate::engine::question::{Group, Half, Inspection, Question, TensorRow, Told};
use crate::trace::units;
use crate::ui::answers::Asked;
use crate::ui::command::Command;
use crate::ui::picture::{Heading, Picture, Scene, Side, Term, formula_ui, ready_ui};
use crate::ui::theme::{Palette, Role};
use crate::ui::words::stages;

/// The weights as an area, as a table, one by one, and what reading them costs.
#[derive(Default)]
pub struct WeightsPicture {
    areas: areas::Areas,
    table: table::Table,
    tensor: tensor::Tensor,
    reading: reading::Reading,
    /// The tensor that was chosen, by name.
    chosen: Option<String>,
    hovered: Option<TensorRow>,
}

const TABS: [&str; 4] = ["Areas", "Table", "Tensor", "Reading"];

impl Picture for WeightsPicture {
    fn heading(&self, scene: &Scene<'_>) -> Heading {
        let (detail, sentence) = match scene.tab(&TABS) {
            2 => (
                self.chosen.clone().unwrap_or_default(),
                "Part of one tensor, number by number, as it is multiplied; and how all its numbers are spread.",
            ),
            3 => (
                "bytes for a token".to_owned(),
                "For each new token nearly every weight is read once: so memory, not arithmetic, sets the pace.",
            ),
            _ => (scene.facts.name.clone(), stages::WEIGHTS.sentence),
        };
        Heading {
            sentence: sentence.into(),
            ..kit::heading(&stages::WEIGHTS, detail)
        }
    }

    fn tabs(&self) -> &'static [&'static str] {
        &TABS
    }

    fn main_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        self.hovered = None;
        let Some(told) = ready_ui(ui, inspected(scene)) else {
            return;
        };
        let Told::Inspection(inspection) = &*told else {
            return;
        };
        if self.row(inspection).is_none() {
            self.chosen = largest(inspection).map(|row| row.name.clone());
        }
        let picked = match scene.tab(&TABS) {
            0 => self
                .areas
                .show(ui, scene, inspection, self.chosen.as_deref()),
            1 => self
                .table
                .show(ui, scene, inspection, self.chosen.as_deref()),
            2 => self
                .tensor
                .show(ui, scene, inspection, self.row(inspection)),
            _ => {
                self.reading.show(ui, scene, inspection);
                Picked::default()
            }
        };
        self.hovered = picked.hovered;
        if let Some(name) = picked.clicked {
            if self.chosen.as_ref() == Some(&name) {
                scene.send(Command::Tab("tensor".into()));
            }
            self.chosen = Some(name);
        }
    }

    fn formula_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        match scene.tab(&TABS) {
            2 => self.tensor.formula_ui(ui),
            3 => self.reading.formula_ui(ui),
            _ => {
                let told = inspected(scene).ready();
                let inspection = match told.as_deref() {
                    Some(Told::Inspection(inspection)) => Some(inspection),
                    _ => None,
                };
                let row = self
                    .hovered
                    .clone()
                    .or_else(|| self.row(inspection?).cloned());
                tensor_formula_ui(ui, row.as_ref());
            }
        }
    }

    fn side(&mut self, scene: &mut Scene<'_>) -> Side {
        let told = inspected(scene).ready();
        let Some(Told::Inspection(inspection)) = told.as_deref() else {
            return kit::side(&stages::WEIGHTS, &[]);
        };
        let bits = match inspection.architecture.quantization {
            Some(packing) => packing.bits.to_string(),
            None => "16".to_owned(),
        };
        let mut side = kit::side(
            &stages::WEIGHTS,
            &[
                ("n_parameters", &units::parameters(inspection.parameters)),
                ("bytes", &units::bytes(inspection.tensor_bytes)),
                ("bits", &bits),
            ],
        );
        side.tries = vec![
            ("Largest tensor".into(), Command::Tab("tensor".into())),
            ("What a token costs".into(), Command::Tab("reading".into())),
        ];
        side.meta = meta(inspection);
        side
    }
}

impl WeightsPicture {
    fn row<'a>(&self, inspection: &'a Inspection) -> Option<&'a TensorRow> {
        let chosen = self.chosen.as_ref()?;
        inspection.tensors.iter().find(|row| row.name == *chosen)
    }
}

/// What was pointed at in this frame.
#[derive(Debug, Clone, Default)]
struct Picked {
    hovered: Option<TensorRow>,
    clicked: Option<String>,
}

/// What the files of the run's model hold.
fn inspected(scene: &mut Scene<'_>) -> Asked<Told> {
    let model = scene.facts.name.clone();
    scene.ask(&Question::Inspect { model })
}

fn largest(inspection: &Inspection) -> Option<&TensorRow> {
    inspection.tensors.iter().max_by_key(|row| row.bytes)
}

fn meta(inspection: &Inspection) -> Vec<String> {
    let mut meta = vec![
        format!(
            "{} · {} tensors",
            inspection.architecture.family,
            inspection.tensors.len()
        ),
        format!("{:.2} bits per weight", inspection.bits_per_weight),
        format!("{} on disk", units::bytes(inspection.file_bytes)),
    ];
    if inspection.architecture.tied {
        meta.push("output head = embedding".into());
    }
    meta
}

/// A tensor in figures.
fn tensor_formula_ui(ui: &mut Ui, row: Option<&TensorRow>) {
    let Some(row) = row else {
        formula_ui(
            ui,
            &[Term::words(
                "Point at a tensor; click twice to look into it.",
            )],
            "",
        );
        return;
    };
    let terms = [
        Term::number(shape(&row.shape)),
        Term::words("="),
        Term::number(units::count(row.parameters)),
        Term::words("parameters ·"),
        Term::number(match row.packing {
            Some(packing) => format!("{} bits", packing.bits),
            None => row.dtype.clone(),
        }),
        Term::words("→"),
        Term::result(Role::Residual, units::bytes(row.bytes)),
    ];
    formula_ui(ui, &terms, &row.name);
}

/// `[192, 512]`
fn shape(shape: &[usize]) -> String {
    let sides: Vec<String> = shape.iter().map(ToString::to_string).collect();
    format!("[{}]", sides.join(", "))
}

/// How a tensor's numbers are held.
fn storage(row: &TensorRow) -> String {
    match row.packing {
        Some(packing) => format!(
            "{} bits, groups of {}, {} scales",
            packing.bits, packing.group_size, row.dtype
        ),
        None => row.dtype.clone(),
    }
}

/// The hue of a part of the model.
fn colour(palette: &Palette, group: Group) -> Color32 {
    match group {
        Group::Embedding => palette.role(Role::Residual),
        Group::Block(_, Half::Attention) => palette.role(Role::Attention),
        Group::Block(_, Half::Mlp) => palette.role(Role::Mlp),
        Group::Head => palette.role(Role::Logits),
        Group::Norms | Group::Other => palette.muted,
    }
}
