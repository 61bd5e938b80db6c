//! The draw: what the filters leave, the random number as a needle on the curve of what is left,
//! the same draw a thousand times, and a token that one chooses oneself.
//!
//! | file | draws |
//! |---|---|
//! | `filters.rs`, `bars.rs` | what each filter left, and the tokens with their shares |
//! | `needle.rs` | the random number on the curve of what is left |
//! | `choice.rs`, `again.rs` | another token, or other random numbers |
//! | `redraws.rs` | a thousand draws |
//! | `settings.rs` | the settings, to see what others would do |

mod again;
mod bars;
mod choice;
mod filters;
mod needle;
mod redraws;
mod settings;

use std::sync::Arc;

use egui::{Rect, Ui, UiBuilder, pos2};

use crate::engine::question::{Candidate, Question, SamplingChoice, SamplingView, Told};
use crate::trace::debug::{DrawKind, DrawState};
use crate::trace::{Address, Hook};
use crate::ui::command::Command;
use crate::ui::controls::Button;
use crate::ui::picture::{Check, Heading, Picture, Scene, Side, Spoken, Term, formula_ui};
use crate::ui::pictures::shared::{TokenPicker, percent, told_ui, written};
use crate::ui::theme::{Role, space};
use crate::ui::tokens::quoted;
use crate::ui::widgets::chip_ui;
use crate::ui::words::{fill, stages};

use filters::stages_ui;
use settings::{settings_told, settings_ui};

const TABS: [&str; 2] = ["Filters", "1,000 draws"];
/// Tokens that are followed through the filters.
const N_FOLLOWED: usize = 60;
/// Height of the needle's strip with its words.
const STRIP: f32 = 112.0;

/// The draw of the pass on view.
#[derive(Default)]
pub struct SamplePicture {
    /// Other settings than those of the run, to see what they would do.
    what_if: Option<SamplingChoice>,
    redraws: redraws::RedrawsPart,
    picker: TokenPicker,
    told: Option<Arc<Told>>,
    /// Counts "Draw again", so that each has other random numbers.
    n_redrawn: u64,
}

impl Picture for SamplePicture {
    fn heading(&self, scene: &Scene<'_>) -> Heading {
        let last = scene.pass_range().end.saturating_sub(1);
        Heading {
            title: stages::SAMPLE.title.into(),
            detail: format!("after **{}**", scene.said(last)),
            sentence: match scene.tab(&TABS) {
                0 => stages::SAMPLE.sentence.into(),
                _ => "The same shares, drawn from again and again: chance evens out, and the counts come near to them.".into(),
            },
        }
    }

    fn tabs(&self) -> &'static [&'static str] {
        &TABS
    }

    fn spoken(&mut self, scene: &mut Scene<'_>) -> Option<Spoken> {
        // A token of one's own was not drawn, and other settings have drawn nothing.
        let is_drawn = self.what_if.is_none() && self.forced(scene).is_none();
        let view = self.view().filter(|_| is_drawn && scene.tab(&TABS) == 0)?;
        let drawn = view.drawn.as_ref()?;
        let mut candidates = view.filtered.candidates.iter();
        let share = candidates
            .find(|candidate| candidate.token == drawn.id)?
            .share;
        Some(Spoken {
            sentence: format!("The draw took “{}”.", written(&drawn.text)),
            detail: format!("**{}** of the draw was its share.", percent(share)),
            role: Role::Logits,
        })
    }

    fn main_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let wants_draw = !ui.ctx().egui_wants_keyboard_input()
            && ui.input(|input| input.key_pressed(egui::Key::D));
        if wants_draw {
            self.draw_again(scene);
        }
        if scene.tab(&TABS) == 1 {
            self.redraws.show(ui, scene, self.what_if.as_ref());
            return;
        }
        let question = self.question(scene);
        let Some(told) = told_ui(ui, scene, &question) else {
            return;
        };
        self.told = Some(Arc::clone(&told));
        let Told::Sampling(view) = &*told else {
            return;
        };
        let room = ui.available_rect_before_wrap();
        let strip = Rect::from_min_max(pos2(room.left(), room.bottom() - STRIP), room.max);
        let bars = Rect::from_min_max(room.min, pos2(room.right(), strip.top() - space::SMALL));
        ui.scope_builder(UiBuilder::new().max_rect(bars), |ui| {
            stages_ui(ui, view);
            self.bars_ui(ui, scene, view);
        });
        let chosen = self.chosen(scene).map(|(candidate, _)| candidate.token);
        ui.scope_builder(UiBuilder::new().max_rect(strip), |ui| {
            let forced = self.forced(scene).map(|draw| written(&draw.text));
            needle::strip_ui(ui, scene, view, chosen, forced.as_deref());
            self.choice_ui(ui, scene, view);
        });
        ui.advance_cursor_after_rect(room);
    }

    /// The settings stand where other pictures have their formula.
    fn formula_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        if scene.view.is_still {
            let view = self.view().map(|view| settings_told(&view.settings));
            return formula_ui(ui, &[Term::words(view.unwrap_or_default())], "");
        }
        let mut choice = self
            .what_if
            .clone()
            .unwrap_or_else(|| scene.run.sampling.clone());
        let before = choice.clone();
        let is_narrow = ui.available_width() < 600.0;
        if is_narrow {
            ui.spacing_mut().item_spacing.x = space::TINY;
            ui.spacing_mut().slider_width = 48.0;
        }
        settings_ui(ui, &mut choice, is_narrow);
        if choice != before {
            let is_own = choice == scene.run.sampling;
            self.what_if = (!is_own).then_some(choice);
        }
        let layout = egui::Layout::right_to_left(egui::Align::Center);
        ui.with_layout(layout, |ui| {
            let mut again = Button::new("Draw again");
            again.key = if is_narrow { "" } else { "D" };
            if again.show(ui, space::TARGET).clicked() {
                self.draw_again(scene);
            }
            if self.what_if.is_some() && chip_ui(ui, "as it was", false).clicked() {
                self.what_if = None;
            }
        });
    }

    fn side(&mut self, scene: &mut Scene<'_>) -> Side {
        let words = &stages::SAMPLE;
        let question = self.question(scene);
        self.told = scene.ask(&question).ready().or(self.told.take());
        let drawn = self.view().and_then(|view| view.drawn.as_ref());
        let drawn = drawn.map(|token| quoted(&written(&token.text)));
        let drawn = drawn.unwrap_or_else(|| "…".into());
        let is_greedy = self.view().is_some_and(|view| view.settings.is_greedy());
        let heat = self
            .view()
            .map(|view| format!("{:.2}", view.settings.temperature));
        let forced = self.forced(scene);
        let happens = match forced {
            Some(_) => stages::FORCED_HAPPENS,
            None if is_greedy => stages::GREEDY_HAPPENS,
            None => words.happens,
        };
        let p = forced.map(|draw| percent(f64::from(draw.logprob).exp()));
        let values = [
            ("token", drawn.as_str()),
            ("temperature", heat.as_deref().unwrap_or("…")),
            ("p", p.as_deref().unwrap_or("…")),
        ];
        let draw = draw_on_view(scene);
        Side {
            happens: fill(happens, &values),
            look_for: words.look_for.into(),
            does_not_say: words.not_said.unwrap_or_default().into(),
            tries: vec![("1,000 draws".into(), Command::Tab("1,000 draws".into()))],
            check: self.check(),
            meta: vec![
                format!("unembed.hook_out [{}] · f32", scene.facts.vocab_size),
                match draw.and_then(|draw| draw.random) {
                    Some(random) => format!("seed {} · u = {random:.4}", scene.run.seed),
                    None => format!("seed {} · no random number", scene.run.seed),
                },
            ],
        }
    }
}

impl SamplePicture {
    fn question(&self, scene: &Scene<'_>) -> Question {
        Question::Sampling {
            pass: scene.view.pass(),
            settings: self.what_if.clone(),
            limit: N_FOLLOWED,
        }
    }

    fn view(&self) -> Option<&SamplingView> {
        match self.told.as_deref()? {
            Told::Sampling(view) => Some(view),
            _ => None,
        }
    }

    /// The draw on view, where somebody chose its token. What other settings would draw is a draw.
    fn forced<'a>(&self, scene: &'a Scene<'_>) -> Option<&'a DrawState> {
        let is_forced = |draw: &&DrawState| draw.kind == DrawKind::Forced;
        draw_on_view(scene).filter(|draw| self.what_if.is_none() && is_forced(draw))
    }

    /// Which of two kept tokens loses most when the temperature rises: computed, not known.
    fn check(&self) -> Option<Check> {
        let view = self.view().filter(|view| !view.settings.is_greedy())?;
        let tokens = view.filtered.candidates.iter().zip(&view.texts);
        let kept: Vec<(&Candidate, &String)> = tokens
            .filter(|(candidate, _)| candidate.share > 0.0)
            .take(N_FOLLOWED)
            .collect();
        let (first, last) = (kept.first()?, kept.last()?);
        if kept.len() < 3 || kept.len() < view.filtered.n_kept {
            return None;
        }
        let hotter = f64::from(view.settings.temperature) + 0.7;
        let weight = |candidate: &Candidate| (f64::from(candidate.adjusted) / hotter).exp();
        let total: f64 = kept.iter().map(|(candidate, _)| weight(candidate)).sum();
        let change = |candidate: &Candidate| weight(candidate) / total - candidate.share;
        let right = usize::from(change(last.0) < change(first.0));
        let because = [first, last]
            .get(right)
            .map(|(candidate, _)| change(candidate) * 100.0);
        Some(Check {
            question: format!("Raise the temperature to {hotter:.1}. Which of these loses?"),
            answers: vec![written(first.1), written(last.1)],
            right,
            because: because
                .map(|points| format!("{points:+.1} points"))
                .unwrap_or_default(),
        })
    }
}

/// The draw of the pass on view, once it was made.
fn draw_on_view<'a>(scene: &'a Scene<'_>) -> Option<&'a DrawState> {
    let pass = scene.run.passes.get(scene.view.pass())?;
    pass.draw.as_ref()
}

/// The address of a token's logit in the row that is drawn from.
fn address(scene: &Scene<'_>, token: u32) -> Address {
    let mut address = scene.address(Hook::Logits);
    let last = scene.pass_range().len().saturating_sub(1);
    address.index = vec![last, token as usize];
    address
}
