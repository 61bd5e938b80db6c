//! The whole run: its tokens by how likely they were, the time of every pass, and its branches.

mod branches;
mod passes;
mod surprise;
mod tokens;

use egui::Ui;

use crate::trace::debug::DebugCommand;
use crate::trace::{Place, Stage, View, units};
use crate::ui::command::Command;
use crate::ui::picture::{Heading, Picture, Scene, Side, Term, formula_ui};
use crate::ui::pictures::shared::{hover, percent, run_first_ui, written};
use crate::ui::spot::Spot;
use crate::ui::theme::Role;
use crate::ui::words::{fill, stages};

const TABS: [&str; 3] = ["Tokens", "Time", "Branches"];

/// All passes in order.
#[derive(Default)]
pub struct TimelinePicture {
    tokens: tokens::TokensPart,
    passes: passes::PassesPart,
}

impl Picture for TimelinePicture {
    fn heading(&self, scene: &Scene<'_>) -> Heading {
        let (n_prompt, n) = (scene.run.prompt_len, scene.run.ids.len());
        let branches = match scene.run.branches.len() {
            0 | 1 => String::new(),
            n => format!(", {n} branches"),
        };
        Heading {
            title: stages::TIMELINE.title.into(),
            detail: format!("{n_prompt} tokens of the prompt, {} generated{branches}", n - n_prompt.min(n)),
            sentence: match scene.tab(&TABS) {
                0 => stages::TIMELINE.sentence.into(),
                1 => "The prompt runs in one pass, which reads the weights once for all its tokens; every later pass reads them again for one.".into(),
                _ => "Where another token, or other random numbers, were taken, the text parts. The way it went before is kept.".into(),
            },
        }
    }

    fn tabs(&self) -> &'static [&'static str] {
        &TABS
    }

    fn main_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        hover(scene, None);
        let seconds: f64 = scene.run.passes.iter().map(passes::seconds).sum();
        match scene.tab(&TABS) {
            0 => self.tokens.show(ui, scene),
            1 if seconds == 0.0 => {
                let needs = "No stage has run yet: nothing has taken time.";
                run_first_ui(ui, scene, needs, Stage::Logits);
            }
            1 => self.passes.show(ui, scene),
            _ => branches::branches_ui(ui, scene),
        }
    }

    fn formula_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        if scene.tab(&TABS) == 1 {
            let (terms, address) = self.passes.formula(scene);
            formula_ui(ui, &terms, &address);
            return;
        }
        let at = self.tokens.hovered.unwrap_or(scene.view.token);
        let id = scene.run.ids.get(at).copied().unwrap_or_default();
        let mut terms = vec![
            Term::of(Role::Residual, format!("{}, position {at}", scene.said(at))),
            Term::words("id"),
            Term::number(id.to_string()),
        ];
        match tokens::told_at(scene, at) {
            Some(told) => terms.extend([
                Term::words("was given"),
                Term::result(Role::Logits, percent(told.probability)),
                Term::words(format!(
                    "rank {}, where {} bits were open",
                    told.rank,
                    crate::trace::units::bits(told.bits)
                )),
            ]),
            None if at == 0 => {
                terms.push(Term::words("has nothing before it that could predict it"))
            }
            None if scene.view.recorded.is_some() => {
                terms.push(Term::words(
                    "has no recorded chance: that takes the logits before it",
                ));
            }
            None => terms.push(Term::words("is not computed that far")),
        }
        formula_ui(ui, &terms, &format!("timeline · position {at}"));
    }

    fn side(&mut self, scene: &mut Scene<'_>) -> Side {
        let words = &stages::TIMELINE;
        let n_passes = scene.run.passes.len();
        let (n_tokens, n) = (scene.run.ids.len().to_string(), n_passes.to_string());
        let seconds: f64 = scene.run.passes.iter().map(passes::seconds).sum();
        let time = units::seconds(seconds);
        Side {
            happens: fill(words.happens, &[("n_tokens", &n_tokens), ("n_passes", &n)]),
            look_for: words.look_for.into(),
            does_not_say: words.not_said.unwrap_or_default().into(),
            tries: tries(scene),
            check: None,
            meta: vec![
                format!("{} · {}", counted(n_passes, "pass", "passes"), time),
                counted(scene.run.branches.len(), "branch", "branches"),
            ],
        }
    }
}

/// `1 pass`, `3 passes`.
fn counted(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// Standing at the chosen token, and going another way from there.
fn tries(scene: &Scene<'_>) -> Vec<(String, Command)> {
    let (token, prompt_len) = (scene.view.token, scene.run.prompt_len);
    let name = written(&scene.name(token));
    let mut tries = Vec::new();
    if token + 1 < scene.run.ids.len() {
        let stand = Command::Tell(DebugCommand::Stand(token));
        tries.push((format!("Stand at “{name}”"), stand));
    }
    if let Some(pass) = token.checked_sub(prompt_len) {
        let draw = Spot::at(Place::View(View::Sample), Some(pass));
        tries.push((format!("How “{name}” was drawn"), Command::Look(draw)));
    }
    tries
}
