//! What a token costs: the weights that are read for it, against what the memory can give.

use egui::Ui;

use crate::engine::question::{Inspection, MachineSpeed, Question, Told};
use crate::trace::measure::costs::{PassCost, ceiling};
use crate::trace::units;
use crate::trace::{Place, Stage};
use crate::ui::answers::Asked;
use crate::ui::controls::Button;
use crate::ui::picture::{Scene, Term, formula_ui, ready_ui};
use crate::ui::pictures::kit::{copy_menu, note_ui, section_ui};
use crate::ui::theme::{Palette, Role, Type, space};
use crate::ui::walk;
use crate::ui::widgets::{Bar, Bars};

/// Whether the machine was asked how fast it is, and what came of it.
#[derive(Default)]
pub struct Reading {
    is_asked: bool,
    told: Option<(u64, f64)>,
}

impl Reading {
    pub fn show(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, inspection: &Inspection) {
        let pass = scene.run.passes.len().saturating_sub(1);
        let scroll = egui::ScrollArea::vertical().auto_shrink([false, false]);
        scroll.show(ui, |ui| {
            let Some(told) = ready_ui(ui, scene.ask(&Question::Cost { pass })) else {
                return;
            };
            let Told::Cost(cost) = &*told else {
                return;
            };
            if cost.stages.is_empty() {
                note_ui(
                    ui,
                    "No stage has run yet: step once, and what it read stands here.",
                );
            } else {
                pass_ui(ui, scene, cost);
                ui.add_space(space::MEDIUM);
            }
            self.ceiling_ui(ui, scene, cost, inspection);
        });
    }

    /// What the memory allows at most.
    fn ceiling_ui(
        &mut self,
        ui: &mut Ui,
        scene: &mut Scene<'_>,
        cost: &PassCost,
        inspection: &Inspection,
    ) {
        section_ui(ui, "What this machine allows", "");
        let per_token = cost.weight_bytes() / cost.n_chunks.max(1) as u64;
        let is_whole = cost.stages.iter().any(|stage| stage.stage == Stage::Logits);
        let per_token = if is_whole {
            per_token
        } else {
            inspection.tensor_bytes
        };
        if !self.is_asked {
            note_ui(
                ui,
                "How fast the memory can be read is measured, not looked up: it takes about a second, and reads 256 MB again and again.",
            );
            self.is_asked = Button::new("Measure this machine")
                .show(ui, space::TARGET)
                .clicked();
            return;
        }
        let machine = match scene.ask(&Question::Machine) {
            Asked::Ready(told) => match &*told {
                Told::Machine(machine) => *machine,
                _ => return,
            },
            Asked::Waiting => return note_ui(ui, "Measuring …"),
            Asked::Failed(why) => return note_ui(ui, &why),
        };
        let Some(bandwidth) = machine.bytes_per_second else {
            return note_ui(ui, "There is not enough free memory to measure with.");
        };
        self.told = Some((per_token, bandwidth));
        speeds_ui(ui, cost, machine, per_token, bandwidth);
    }

    pub fn formula_ui(&self, ui: &mut Ui) {
        let Some((per_token, bandwidth)) = self.told else {
            formula_ui(
                ui,
                &[Term::words(
                    "tokens per second at most = bytes the memory gives in a second ÷ bytes of weights for a token",
                )],
                "",
            );
            return;
        };
        let terms = [
            Term::words("at most"),
            Term::number(units::bytes_per_second(bandwidth)),
            Term::words("÷"),
            Term::number(units::bytes(per_token)),
            Term::words("="),
            Term::result(
                Role::Cache,
                units::tokens_per_second(ceiling(bandwidth, per_token)),
            ),
        ];
        formula_ui(ui, &terms, "measured here");
    }
}

/// The stages of the newest pass, with the bytes that each read.
fn pass_ui(ui: &mut Ui, scene: &mut Scene<'_>, cost: &PassCost) {
    let palette = Palette::of(ui);
    let kind = if cost.pass == 0 {
        "prefill"
    } else {
        "decode step"
    };
    let note = format!(
        "{kind} of {} {}: {} in {}",
        cost.n_pos,
        if cost.n_pos == 1 { "token" } else { "tokens" },
        units::bytes(cost.weight_bytes()),
        units::seconds(cost.seconds()),
    );
    section_ui(
        ui,
        "Weights that the newest pass read, stage by stage",
        &note,
    );
    let bars: Vec<Bar> = cost
        .stages
        .iter()
        .map(|stage| {
            let role = match stage.stage {
                Stage::Block(_) => Role::Mlp,
                Stage::Logits => Role::Logits,
                Stage::Embed | Stage::FinalNorm => Role::Residual,
            };
            let name = walk::name(Place::Stage(stage.stage));
            let mut bar = Bar::new(
                name,
                stage.weight_bytes as f32,
                units::bytes(stage.weight_bytes),
                palette.role(role),
            );
            bar.second = units::seconds(stage.seconds);
            bar
        })
        .collect();
    let inner = ui.scope(|ui| Bars::new("weights read", &bars).line(20.0).show(ui));
    let rows = cost
        .stages
        .iter()
        .map(|stage| format!("{},{},{}", stage.stage, stage.weight_bytes, stage.seconds));
    let copied = format!(
        "stage,weight_bytes,seconds\n{}",
        rows.collect::<Vec<_>>().join("\n")
    );
    copy_menu(
        scene,
        &inner.response,
        &[("Copy as CSV", &|| copied.clone())],
    );
    if cost.pass == 0 && cost.n_pos > 1 {
        note_ui(
            ui,
            &format!(
                "A prefill reads the weights once for all {} tokens: {} for each of them. A decode step reads all of them for one.",
                cost.n_pos,
                units::bytes(cost.weight_bytes_per_token() as u64)
            ),
        );
    }
}

fn speeds_ui(ui: &mut Ui, cost: &PassCost, machine: MachineSpeed, per_token: u64, bandwidth: f64) {
    let palette = Palette::of(ui);
    let most = ceiling(bandwidth, per_token);
    let mut bars = vec![Bar::new(
        "memory allows",
        most as f32,
        units::tokens_per_second(most),
        palette.role(Role::Cache),
    )];
    if cost.n_pos == 1 && cost.seconds() > 0.0 {
        let reached = cost.tokens_per_second();
        bars.push(Bar::new(
            "this step reached",
            reached as f32,
            units::tokens_per_second(reached),
            palette.role(Role::Residual),
        ));
    }
    ui.scope(|ui| Bars::new("tokens per second", &bars).line(24.0).show(ui));
    let text = format!(
        "The memory was read at {} on {} threads; a token reads {} of weights. A small model that fits into the processor's caches can be faster than this; stepping, which stops after every stage, is slower.",
        units::bytes_per_second(bandwidth),
        machine.n_threads,
        units::bytes(per_token)
    );
    note_ui(ui, &text);
    ui.label(Type::MonoSmall.text(
        format!("{} in float32", units::flops(machine.flops_per_second)),
        palette.muted,
    ));
}
