//! Experiments: change something inside the model, and see what it does to the answer.

mod build;
mod list;
mod sweep;

use egui::Ui;

use super::kit::{self, note_ui};
use crate::trace::debug::{DebugCommand, Next};
use crate::trace::measure::verdict::{REMINDER, Verdict};
use crate::trace::{Address, Place, Stage};
use crate::ui::command::Command;
use crate::ui::controls::{Button, card};
use crate::ui::picture::{Heading, Picture, Scene, Side, Term, formula_ui};
use crate::ui::theme::{Palette, Role, Type, space};
use crate::ui::words::stages;

/// The list of edits and the sweeps.
#[derive(Default)]
pub struct ExperimentsPicture {
    build: build::Build,
    list: list::List,
    sweep: sweep::Sweep,
}

const TABS: [&str; 2] = ["Edits", "Sweep"];

impl Picture for ExperimentsPicture {
    fn heading(&self, scene: &Scene<'_>) -> Heading {
        let n_on = scene
            .run
            .edits
            .edits()
            .iter()
            .filter(|edit| edit.is_on)
            .count();
        let (detail, sentence) = match scene.tab(&TABS) {
            1 => (
                "the same edit everywhere".to_owned(),
                "One edit after the other, each alone: where does it change the answer?",
            ),
            _ if n_on == 0 => ("no edit acts".to_owned(), stages::EXPERIMENTS.sentence),
            _ => (
                format!("{n_on} of {} on", scene.run.edits.edits().len()),
                stages::EXPERIMENTS.sentence,
            ),
        };
        Heading {
            sentence: sentence.into(),
            ..kit::heading(&stages::EXPERIMENTS, detail)
        }
    }

    fn tabs(&self) -> &'static [&'static str] {
        &TABS
    }

    fn main_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        if scene.tab(&TABS) == 1 {
            self.sweep.show(ui, scene);
            return;
        }
        let scroll = egui::ScrollArea::vertical().auto_shrink([false, false]);
        scroll.show(ui, |ui| {
            verdict_card_ui(ui, scene);
            ui.add_space(space::SMALL);
            self.list.show(ui, scene);
            ui.add_space(space::SMALL);
            self.build.show(ui, scene);
        });
    }

    fn formula_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        if scene.tab(&TABS) == 1 {
            self.sweep.formula_ui(ui, scene);
            return;
        }
        match &scene.run.verdict {
            Some(told) => verdict_formula_ui(
                ui,
                &told.verdict,
                &format!("pass.{}.unembed.hook_out", told.pass),
            ),
            None => formula_ui(
                ui,
                &[Term::words(
                    "The verdict compares the newest logits with those of the same run without edits.",
                )],
                "",
            ),
        }
    }

    fn side(&mut self, scene: &mut Scene<'_>) -> Side {
        let mut side = kit::side(&stages::EXPERIMENTS, &[]);
        let (layer, head) = (scene.view.layer, scene.view.head);
        let off = build::add(&format!("blocks.{layer}.attn.hook_z[:, {head}]=zero"));
        side.tries = off
            .map(|command| (format!("Switch L{layer}.H{head} off"), command))
            .into_iter()
            .collect();
        side.tries
            .push(("Sweep all heads".into(), Command::Tab("sweep".into())));
        let memory = scene.run.memory;
        side.meta = vec![
            format!(
                "{}, version {}",
                match scene.run.edits.edits().len() {
                    1 => "1 edit".to_owned(),
                    n => format!("{n} edits"),
                },
                scene.run.version
            ),
            format!(
                "{} for the run without them",
                crate::trace::units::bytes(memory.branch_bytes as u64)
            ),
        ];
        side
    }
}

/// What the edits did, in words.
fn verdict_card_ui(ui: &mut Ui, scene: &mut Scene<'_>) {
    let palette = Palette::of(ui);
    card(ui).show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.label(Type::Caption.text("Verdict", palette.muted));
        ui.add_space(-4.0);
        let acts = scene.run.edits.acts();
        match (&scene.run.verdict, acts) {
            (Some(told), _) => {
                let text = egui::RichText::new(told.verdict.to_string());
                let font = egui::FontId::new(16.0, Type::Strong.font().family);
                ui.add(egui::Label::new(text.font(font).color(palette.text)).wrap());
                if let Some(bits) = told.verdict.kl_bits {
                    note_ui(
                        ui,
                        &format!(
                            "The distributions differ by {bits:.3} bits (KL divergence). {REMINDER}"
                        ),
                    );
                } else {
                    note_ui(ui, REMINDER);
                }
            }
            (None, false) => note_ui(
                ui,
                "No edit acts: this is the model as it is. Add one below, or switch one on.",
            ),
            (None, true) if scene.run.passes.len() > 1 => answer_again_ui(ui, scene),
            (None, true) => to_logits_ui(ui, scene, "The verdict comes with the logits."),
        }
    });
}

/// An answer that was written again with the edits: where the two part is best seen at its first token.
fn answer_again_ui(ui: &mut Ui, scene: &mut Scene<'_>) {
    note_ui(
        ui,
        "With the edits the answer is written again, and may go another way. What they do shows best where it begins; a verdict further on compares both runs on the new text.",
    );
    if scene.link.is_busy() {
        return;
    }
    ui.horizontal(|ui| {
        let mut first = Button::new("Compare where the answer begins");
        first.is_primary = true;
        if first.show(ui, space::TARGET).clicked() {
            let end = scene.run.prompt_len.saturating_sub(1);
            scene.send(Command::Tell(DebugCommand::Stand(end)));
            scene.send(Command::Tell(DebugCommand::Verdict));
        }
        if matches!(scene.run.next, Next::Stage(_)) {
            return;
        }
        if Button::new("Compare here")
            .show(ui, space::TARGET)
            .clicked()
        {
            scene.send(Command::Tell(DebugCommand::Verdict));
        }
    });
}

/// Where the logits are still to come: a button that runs to them.
fn to_logits_ui(ui: &mut Ui, scene: &mut Scene<'_>, told: &str) {
    note_ui(ui, told);
    if scene.link.is_busy() {
        return;
    }
    let has_logits = !matches!(scene.run.next, Next::Stage(_));
    let label = if has_logits {
        "Compare"
    } else {
        "Run to the logits"
    };
    if Button::new(label).show(ui, space::TARGET).clicked() {
        scene.send(Command::Tell(match has_logits {
            true => DebugCommand::Verdict,
            false => to_logits(scene),
        }));
    }
}

/// The command that runs the newest pass to its logits.
fn to_logits(scene: &Scene<'_>) -> DebugCommand {
    let mut address = Address::at(Place::Stage(Stage::Logits));
    address.pass = Some(scene.run.passes.len().saturating_sub(1));
    DebugCommand::To(address)
}

/// A verdict as a formula: the answer's probability before and after.
fn verdict_formula_ui(ui: &mut Ui, verdict: &Verdict, address: &str) {
    if verdict.is_broken {
        return; // the sentence above says so
    }
    let percent = crate::trace::units::percent;
    let mut terms = vec![
        Term::words("p("),
        Term::of(Role::Logits, format!("“{}”", verdict.before.token.text)),
        Term::words(")"),
        Term::number(percent(verdict.before.probability)),
        Term::words("→"),
        Term::result(Role::Logits, percent(verdict.kept.probability)),
    ];
    if verdict.after.token != verdict.before.token {
        terms.push(Term::words("· now on top"));
        terms.push(Term::of(
            Role::Logits,
            format!("“{}”", verdict.after.token.text),
        ));
        terms.push(Term::number(percent(verdict.after.probability)));
    }
    if let Some(bits) = verdict.kl_bits {
        terms.push(Term::words(format!("· {bits:.3} bits")));
    }
    formula_ui(ui, &terms, address);
}
