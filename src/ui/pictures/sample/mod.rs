//! The draw: what the filters leave, the random number as a needle on the curve of what is left,
//! the same draw a thousand times, and a token that one chooses oneself.

mod needle;
mod redraws;

use std::sync::Arc;

use egui::{Rect, Ui, UiBuilder, pos2};

use crate::engine::question::{
    Candidate, Filter, Question, SamplingChoice, SamplingParams, SamplingView, Told,
};
use crate::trace::debug::{DebugCommand, DrawKind, DrawState, Way};
use crate::trace::units::count;
use crate::trace::{Address, Hook, Place};
use crate::ui::command::{Command, Pointing};
use crate::ui::controls::Button;
use crate::ui::picture::{Check, Heading, Picture, Scene, Side};
use crate::ui::pictures::shared::{
    TokenPicker, hover, percent, slider_ui, text_in, told_ui, written,
};
use crate::ui::theme::{Palette, Role, Type, space};
use crate::ui::tokens::quoted;
use crate::ui::widgets::heatmap::figure;
use crate::ui::widgets::{Bar, Bars, chip_ui};
use crate::ui::words::{fill, stages};

const TABS: [&str; 2] = ["Filters", "1,000 draws"];
/// Tokens that are followed through the filters.
const N_FOLLOWED: usize = 60;
const LINE: f32 = 24.0;
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

    fn bars_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, view: &SamplingView) {
        let palette = Palette::of(ui);
        let n_fit = ((ui.available_height() / LINE) as usize).max(1);
        let forced = self.forced(scene).cloned();
        let drawn = view.draw.as_ref().map(|draw| draw.token);
        let hue = palette.role(Role::Logits);
        let mut lines = lines(view, n_fit);
        if let Some(forced) = &forced {
            show_forced(&mut lines, view, forced, n_fit);
        }
        let bar = |line: &Line| match line {
            Line::Forced => {
                let forced = forced.as_ref()?;
                let p = f64::from(forced.logprob).exp();
                Some(Bar {
                    reason: Some("put here by hand".to_owned()),
                    is_chosen: true,
                    ..Bar::new(written(&forced.text), p as f32, percent(p), hue)
                })
            }
            Line::Token(at) => {
                let candidate = view.filtered.candidates.get(*at)?;
                let p = candidate.probability;
                let kept = candidate.excluded.is_none() && candidate.share > 0.0;
                let reason = candidate.excluded.as_ref().map(|out| out.filter);
                let is_forced = forced
                    .as_ref()
                    .is_some_and(|one| one.token == candidate.token);
                let text = view.texts.get(*at).map(|text| written(text));
                Some(Bar {
                    second: if kept {
                        percent(candidate.share)
                    } else {
                        String::new()
                    },
                    reason: match is_forced {
                        true => Some("put here by hand".to_owned()),
                        false => reason.map(|filter| reason_of(filter, &view.settings)),
                    },
                    is_chosen: drawn == Some(candidate.token),
                    ..Bar::new(text.unwrap_or_default(), p as f32, percent(p), hue)
                })
            }
            Line::More(n) => {
                let text = format!("… {n} more kept");
                Some(Bar::new(text, 0.0, "", palette.background))
            }
        };
        let bars: Vec<Bar> = lines.iter().filter_map(bar).collect();
        let shown = Bars::new("share and share of the draw", &bars)
            .line(LINE)
            .show(ui);
        let id_at = |at: usize| match lines.get(at)? {
            Line::Token(at) => view.filtered.candidates.get(*at).map(|one| one.token),
            Line::Forced => forced.as_ref().map(|forced| forced.token),
            Line::More(_) => None,
        };
        let at = shown.hovered.and_then(id_at).map(|id| address(scene, id));
        hover(scene, at);
        if let Some(id) = shown.clicked.and_then(id_at) {
            let at = address(scene, id);
            scene.point(Pointing::Lock(Some(at)));
        }
    }

    /// The token whose numbers are shown: the one pointed at, else the drawn one.
    fn chosen(&self, scene: &Scene<'_>) -> Option<(&Candidate, &String)> {
        let view = self.view()?;
        let mut tokens = view.filtered.candidates.iter().zip(&view.texts);
        let id = pointed(scene).or_else(|| view.draw.as_ref().map(|draw| draw.token))?;
        tokens.find(|(candidate, _)| candidate.token == id)
    }

    /// One token's numbers, and the way to take it instead of the drawn one.
    fn choice_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, view: &SamplingView) {
        let palette = Palette::of(ui);
        let chosen = self.chosen(scene);
        let chosen = chosen.map(|(candidate, text)| (candidate.clone(), text.clone()));
        ui.horizontal(|ui| {
            let layout = egui::Layout::right_to_left(egui::Align::Center);
            ui.with_layout(layout, |ui| {
                if let Some(token) = self.picker.show(ui, scene, "Force another …") {
                    force(scene, token.id);
                }
                if let Some((candidate, text)) = &chosen
                    && view
                        .draw
                        .as_ref()
                        .is_none_or(|draw| draw.token != candidate.token)
                {
                    let label = format!("Force “{}”", written(text));
                    let hint = "Goes on with this token on a branch of its own";
                    if Button::new(&label)
                        .show(ui, space::TARGET)
                        .on_hover_text(hint)
                        .clicked()
                    {
                        force(scene, candidate.token);
                    }
                }
                let layout = egui::Layout::left_to_right(egui::Align::Center);
                ui.with_layout(layout, |ui| {
                    if let Some((candidate, text)) = &chosen {
                        let rect = ui.available_rect_before_wrap();
                        let told = told(candidate, &written(text), view);
                        text_in(ui.painter(), rect, &told, Type::Body, palette.muted, 0.0);
                    }
                });
            });
        });
    }

    /// Takes new random numbers, on a branch of its own, and draws.
    fn draw_again(&mut self, scene: &mut Scene<'_>) {
        self.n_redrawn += 1;
        let seed = scene.run.seed.wrapping_add(self.n_redrawn);
        let sampling = self.what_if.take().unwrap_or_default();
        let position = scene.pass_range().end;
        // A draw that nothing was built on gives its place to the next one.
        if let Some((branch, parent)) = unused_draw(scene, position) {
            scene.send(Command::Tell(DebugCommand::Switch(parent)));
            scene.send(Command::Tell(DebugCommand::Drop(branch)));
        }
        scene.send(Command::Tell(DebugCommand::Branch {
            position: Some(position),
            way: Way::Sampling {
                sampling: Box::new(sampling),
                seed: Some(seed),
            },
        }));
        scene.send(Command::Tell(DebugCommand::Steps(1)));
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

/// One line of the bars.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    /// A token, by its place among those followed.
    Token(usize),
    /// So many kept tokens that have no room.
    More(usize),
    /// The token that was put there by hand, and is not among those followed.
    Forced,
}

/// Gives the token that was put there by hand a line, where it has none yet.
fn show_forced(lines: &mut Vec<Line>, view: &SamplingView, forced: &DrawState, n_fit: usize) {
    let mut candidates = view.filtered.candidates.iter();
    let place = candidates.position(|candidate| candidate.token == forced.token);
    let line = place.map_or(Line::Forced, Line::Token);
    if !lines.contains(&line) {
        lines.truncate(n_fit.saturating_sub(1));
        lines.push(line);
    }
}

/// The draw of the pass on view, once it was made.
fn draw_on_view<'a>(scene: &'a Scene<'_>) -> Option<&'a DrawState> {
    let pass = scene.run.passes.get(scene.view.pass())?;
    pass.draw.as_ref()
}

/// At most `n_fit` lines: the likeliest tokens, and always some of those that were dropped.
fn lines(view: &SamplingView, n_fit: usize) -> Vec<Line> {
    const N_DROPPED: usize = 3;
    let candidates = &view.filtered.candidates;
    let dropped = |at: usize| candidates.get(at).is_some_and(|one| one.excluded.is_some());
    let first = (0..candidates.len()).find(|at| dropped(*at));
    let n_kept = first.unwrap_or(candidates.len());
    let Some(first) = first.filter(|first| first + N_DROPPED > n_fit && n_fit > N_DROPPED + 2)
    else {
        return (0..candidates.len().min(n_fit)).map(Line::Token).collect();
    };
    let n_shown = n_fit - N_DROPPED - 1;
    let end = candidates.len().min(first + N_DROPPED);
    let kept = (0..n_shown).map(Line::Token);
    let more = std::iter::once(Line::More(n_kept - n_shown));
    kept.chain(more)
        .chain((first..end).map(Line::Token))
        .collect()
}

/// The filters in their order, with what each left.
fn stages_ui(ui: &mut Ui, view: &SamplingView) {
    let palette = Palette::of(ui);
    let settings = &view.settings;
    let text = if settings.is_greedy() {
        "Temperature 0: the likeliest token is taken, no filter acts and nothing is drawn by chance.".to_owned()
    } else {
        let mut steps: Vec<String> = view
            .filtered
            .stages
            .iter()
            .map(|stage| {
                let (n, mass) = (count(stage.n_kept as u64), percent(stage.mass));
                format!("{} leaves {n}, {mass}", setting_of(stage.filter, settings))
            })
            .collect();
        if steps.is_empty() {
            let n = count(view.filtered.n_vocab as u64);
            steps.push(format!("no filter: all {n} tokens may come"));
        }
        steps.push(format!(
            "temperature {:.2} reshapes these",
            settings.temperature
        ));
        steps.join("  →  ")
    };
    // In a second line, where the window is narrow.
    ui.add(egui::Label::new(Type::Small.text(text, palette.muted)).wrap());
}

/// A filter with its value: `top-k 9`.
fn setting_of(filter: Filter, settings: &SamplingParams) -> String {
    match filter {
        Filter::TopP => format!("top-p {}", settings.top_p),
        Filter::MinP => format!("min-p {}", settings.min_p),
        Filter::Xtc => "XTC".to_owned(),
        Filter::TopK => format!("top-k {}", settings.top_k),
    }
}

/// Why a token is out, in a few letters.
fn reason_of(filter: Filter, settings: &SamplingParams) -> String {
    let setting = setting_of(filter, settings);
    match filter {
        Filter::TopP | Filter::TopK => format!("beyond {setting}"),
        Filter::MinP => format!("below {setting}"),
        Filter::Xtc => "taken out by XTC".to_owned(),
    }
}

/// A token's way through the sampler in one line.
fn told(candidate: &Candidate, name: &str, view: &SamplingView) -> String {
    let p = percent(candidate.probability);
    let logit = figure(candidate.logit);
    if let Some(out) = &candidate.excluded {
        return format!("{name}: logit {logit}, {p}. {}", out.reason);
    }
    let from = candidate.cumulative - candidate.share;
    let mut text = format!(
        "{name}: logit {logit}, {p} at temperature 1, {} of the draw: from {from:.3} to {:.3}",
        percent(candidate.share),
        candidate.cumulative
    );
    if let Some(random) = view.draw.as_ref().and_then(|draw| draw.random)
        && (from..candidate.cumulative).contains(&random)
    {
        text.push_str(&format!("; u = {random:.3} fell here"));
    }
    text
}

/// The settings that filters and draw are made with.
fn settings_ui(ui: &mut Ui, choice: &mut SamplingChoice, is_narrow: bool) {
    let palette = Palette::of(ui);
    let name = |ui: &mut Ui, text: &str| ui.label(Type::Body.text(text, palette.text)).id;
    let mut temperature = choice.temperature.unwrap_or_default();
    let id = name(ui, if is_narrow { "temp." } else { "temperature" });
    if slider_ui(ui, &mut temperature, 0.0..=2.0, id) {
        choice.temperature = Some((temperature * 20.0).round() / 20.0);
    }
    ui.label(Type::Mono.text(format!("{temperature:.2}"), palette.text));
    let mut top_k = choice.top_k.unwrap_or_default();
    let id = name(ui, "top-k");
    let off = |value: f64, is_off: bool| match is_off {
        true => "off".to_owned(),
        false => format!("{value}"),
    };
    let drag = egui::DragValue::new(&mut top_k).range(0..=1_000);
    let drag = drag.custom_formatter(move |value, _| off(value, value == 0.0));
    if ui.add(drag).labelled_by(id).changed() {
        choice.top_k = Some(top_k);
    }
    let mut top_p = choice.top_p.unwrap_or(1.0);
    let id = name(ui, "top-p");
    let two = |value: f64| (value * 100.0).round() / 100.0;
    let drag = egui::DragValue::new(&mut top_p)
        .range(0.0..=1.0)
        .speed(0.01);
    let drag = drag.custom_formatter(move |value, _| off(two(value), value == 0.0 || value >= 1.0));
    if ui.add(drag).labelled_by(id).changed() {
        choice.top_p = Some(two(f64::from(top_p)) as f32);
    }
    let mut min_p = choice.min_p.unwrap_or_default();
    let id = name(ui, "min-p");
    let drag = egui::DragValue::new(&mut min_p)
        .range(0.0..=1.0)
        .speed(0.01);
    let drag = drag.custom_formatter(move |value, _| off(two(value), value == 0.0));
    if ui.add(drag).labelled_by(id).changed() {
        choice.min_p = Some(two(f64::from(min_p)) as f32);
    }
}

/// The branch under way and its parent, if it begins with the draw at `position` and has gone no
/// further.
fn unused_draw(scene: &Scene<'_>, position: usize) -> Option<(usize, usize)> {
    let run = scene.run;
    let own = run.branches.iter().find(|branch| branch.id == run.branch)?;
    let is_leaf = !run
        .branches
        .iter()
        .any(|branch| branch.parent == Some(own.id));
    let is_fresh = own.parts_at == position && run.ids.len() <= position;
    Some((own.id, own.parent?)).filter(|_| is_leaf && is_fresh)
}

/// Goes on with `token` in place of the drawn one.
fn force(scene: &mut Scene<'_>, token: u32) {
    let position = Some(scene.pass_range().end);
    let way = Way::Token(token);
    scene.send(Command::Tell(DebugCommand::Branch { position, way }));
}

/// The address of a token's logit in the row that is drawn from.
fn address(scene: &Scene<'_>, token: u32) -> Address {
    let mut address = scene.address(Hook::Logits);
    let last = scene.pass_range().len().saturating_sub(1);
    address.index = vec![last, token as usize];
    address
}

/// The token that is pointed at.
fn pointed(scene: &Scene<'_>) -> Option<u32> {
    let cell = scene.view.cell()?;
    let id = cell
        .index
        .get(1)
        .filter(|_| cell.place == Place::Hook(Hook::Logits))?;
    u32::try_from(*id).ok()
}
