//! Logits and softmax: the likeliest tokens with their logits and probabilities, and the whole
//! vocabulary as a histogram; the temperature is live.

mod histogram;
mod softened;

use std::sync::Arc;

use egui::Ui;

use crate::engine::question::{Question, Told};
use crate::trace::measure::logits::LogitsView;
use crate::trace::measure::{At, NamedToken, TokenShare};
use crate::trace::units::{self, count};
use crate::trace::{Address, Hook};
use crate::ui::command::{Command, Pointing};
use crate::ui::picture::{Heading, Picture, Scene, Side, Spoken, Term, formula_ui};
use crate::ui::pictures::shared::{TokenPicker, hover, percent, slider_ui, told_ui, written};
use crate::ui::spot::Spot;
use crate::ui::theme::{Palette, Role, Type, space};
use crate::ui::widgets::heatmap::figure;
use crate::ui::widgets::{Bar, Bars, chip_ui};
use crate::ui::words::{fill, stages};

use histogram::histogram_ui;
use softened::Softened;

const TABS: [&str; 2] = ["Likeliest", "All tokens"];
/// Most tokens asked for; as many are shown as fit.
const N_TOP: usize = 40;
const LINE: f32 = 25.0;
/// From this probability on, one token is more likely than all others together.
const SURE: f64 = 0.5;

/// The logits at the chosen position.
pub struct LogitsPicture {
    temperature: f32,
    picker: TokenPicker,
    /// Tokens that were searched for.
    searched: Vec<NamedToken>,
    told: Option<Arc<Told>>,
    softened: Option<Softened>,
}

impl Default for LogitsPicture {
    fn default() -> Self {
        Self {
            temperature: 1.0,
            picker: TokenPicker::default(),
            searched: Vec::new(),
            told: None,
            softened: None,
        }
    }
}

impl Picture for LogitsPicture {
    fn heading(&self, scene: &Scene<'_>) -> Heading {
        Heading {
            title: stages::LOGITS.title.into(),
            detail: format!("after **{}**", scene.said(scene.position())),
            sentence: stages::LOGITS.sentence.into(),
        }
    }

    fn tabs(&self) -> &'static [&'static str] {
        &TABS
    }

    fn spoken(&mut self, scene: &mut Scene<'_>) -> Option<Spoken> {
        let Told::Logits(view) = self.told.as_deref()? else {
            return None;
        };
        let top = view.top.first().filter(|_| view.at == at(scene))?;
        let (after, token) = (scene.name(scene.position()), written(&top.token.text));
        let sentence = match top.probability >= SURE {
            true => format!("After “{after}” the model expects “{token}”."),
            false => format!("After “{after}” the likeliest token is “{token}”; none is sure."),
        };
        let share = units::percent(top.probability);
        Some(Spoken {
            sentence,
            detail: format!("“{token}” has **{share}** of the probability at temperature 1."),
            role: Role::Logits,
        })
    }

    fn main_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let question = Question::Logits {
            at: at(scene),
            k: N_TOP,
            tokens: self.asked(scene),
        };
        let Some(told) = told_ui(ui, scene, &question) else {
            return;
        };
        self.told = Some(Arc::clone(&told));
        let Told::Logits(view) = &*told else {
            return;
        };
        let is_known = self.softened.as_ref().is_some_and(|known| {
            Arc::ptr_eq(&known.row, &view.row) && known.temperature == self.temperature
        });
        if !is_known {
            self.softened = Some(Softened::new(&view.row, self.temperature));
        }
        let Some(softened) = self.softened.clone() else {
            return;
        };
        match scene.tab(&TABS) {
            0 => self.bars_ui(ui, scene, view, &softened),
            _ => histogram_ui(ui, scene, view, &softened),
        }
    }

    fn formula_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let is_lacking = scene.view.recorded.is_some() && self.view_at(scene).is_none();
        let chosen = self.chosen(scene).filter(|_| !is_lacking);
        let (Some(softened), Some(share)) = (self.softened.clone(), chosen) else {
            formula_ui(ui, &[], "");
            return;
        };
        let id = share.token.id;
        let heat = match softened.temperature == 1.0 {
            true => String::new(),
            false => format!(" / {:.2}", softened.temperature),
        };
        let terms = [
            Term::of(Role::Logits, written(&share.token.text)),
            Term::words("logit"),
            Term::number(figure(softened.logit(id) as f32)),
            Term::words(format!(
                "→ e^((logit − {}){heat}) ÷",
                figure(softened.max as f32)
            )),
            Term::number(figure(softened.total as f32)),
            Term::words("="),
            Term::result(Role::Logits, percent(softened.probability(id))),
            Term::words(format!(
                "rank {} of {}",
                count(share.rank as u64),
                count(softened.row.len() as u64)
            )),
        ];
        formula_ui(ui, &terms, &address(scene, id).to_string());
    }

    fn side(&mut self, scene: &mut Scene<'_>) -> Side {
        let words = &stages::LOGITS;
        let token = scene.said(scene.position());
        let vocab = count(scene.facts.vocab_size as u64);
        let bits = self.view().map(|view| units::bits(view.entropy_bits));
        let entropy = bits.unwrap_or_else(|| "…".into());
        let values = [
            ("token", token.as_str()),
            ("vocab", &vocab),
            ("entropy", &entropy),
        ];
        let draw = "sample".parse::<Spot>().ok().map(|mut spot| {
            spot.address.pass = scene.view.spot.address.pass;
            ("See the draw".to_owned(), Command::Go(spot))
        });
        let is_lacking = scene.view.recorded.is_some() && self.view_at(scene).is_none();
        let happens = match is_lacking {
            true => stages::LOGITS_UNRECORDED,
            false => words.happens,
        };
        Side {
            happens: fill(happens, &values),
            look_for: words.look_for.into(),
            does_not_say: words.not_said.unwrap_or_default().into(),
            tries: draw.into_iter().collect(),
            check: None,
            meta: vec![
                format!("[pos, vocab {}] · f32", scene.facts.vocab_size),
                scene.address(Hook::Logits).to_string(),
            ],
        }
    }
}

impl LogitsPicture {
    fn view(&self) -> Option<&LogitsView> {
        match self.told.as_deref()? {
            Told::Logits(view) => Some(view),
            _ => None,
        }
    }

    /// What was told of the position on view.
    fn view_at(&self, scene: &Scene<'_>) -> Option<&LogitsView> {
        self.view().filter(|view| view.at == at(scene))
    }

    /// Tokens to tell besides the likeliest: those searched for, and the one that really follows.
    fn asked(&self, scene: &Scene<'_>) -> Vec<u32> {
        let mut ids: Vec<u32> = self.searched.iter().map(|token| token.id).collect();
        ids.extend(scene.run.ids.get(scene.position() + 1));
        // One of the likeliest is told anyway: pointing along the bars asks nothing.
        let is_told = |id: &u32| {
            let top = self.view().map_or(&[][..], |view| &view.top);
            top.iter().any(|share| share.token.id == *id)
        };
        ids.extend(pointed(scene).filter(|id| !is_told(id)));
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// The token whose numbers are shown: the one pointed at, else the likeliest.
    fn chosen(&self, scene: &Scene<'_>) -> Option<TokenShare> {
        let view = self.view()?;
        let find = |id: u32| {
            let mut shares = view.top.iter().chain(&view.chosen);
            shares.find(|share| share.token.id == id).cloned()
        };
        pointed(scene)
            .and_then(find)
            .or_else(|| view.top.first().cloned())
    }

    fn bars_ui(
        &mut self,
        ui: &mut Ui,
        scene: &mut Scene<'_>,
        view: &LogitsView,
        softened: &Softened,
    ) {
        let palette = Palette::of(ui);
        self.controls_ui(ui, scene, view, softened);
        ui.add_space(space::TINY);
        let follower = scene.run.ids.get(scene.position() + 1).copied();
        let extra: Vec<TokenShare> = view
            .chosen
            .iter()
            .filter(|share| {
                let is_searched = self.searched.iter().any(|token| token.id == share.token.id);
                is_searched || follower == Some(share.token.id)
            })
            .cloned()
            .collect();
        let room = ui.available_height() - extra.len() as f32 * LINE;
        let n_fit = ((room / LINE) as usize).clamp(1, N_TOP);
        let mut shares: Vec<TokenShare> = view.top.iter().take(n_fit).cloned().collect();
        let is_new = |share: &&TokenShare| {
            !view
                .top
                .iter()
                .take(n_fit)
                .any(|top| top.token == share.token)
        };
        let added: Vec<TokenShare> = extra.iter().filter(is_new).cloned().collect();
        shares.extend(added);
        let chosen = self.chosen(scene).map(|share| share.token.id);
        let bars: Vec<Bar> = shares
            .iter()
            .enumerate()
            .map(|(line, share)| {
                let id = share.token.id;
                let p = softened.probability(id);
                let mut label = written(&share.token.text);
                if follower == Some(id) {
                    label = format!("{label}  ↵ comes next");
                }
                if line >= n_fit {
                    label = format!("{label}  rank {}", count(share.rank as u64));
                }
                Bar {
                    second: figure(softened.logit(id) as f32),
                    is_chosen: scene.view.locked.is_some() && chosen == Some(id),
                    ..Bar::new(label, p as f32, percent(p), palette.role(Role::Logits))
                }
            })
            .collect();
        let shown = Bars::new("probability and logit", &bars)
            .line(LINE)
            .show(ui);
        let id_at = |at: usize| shares.get(at).map(|share| share.token.id);
        let at = shown.hovered.and_then(id_at).map(|id| address(scene, id));
        hover(scene, at);
        if let Some(id) = shown.clicked.and_then(id_at) {
            let at = address(scene, id);
            scene.point(Pointing::Lock(Some(at)));
        }
    }

    fn controls_ui(
        &mut self,
        ui: &mut Ui,
        scene: &mut Scene<'_>,
        view: &LogitsView,
        softened: &Softened,
    ) {
        let palette = Palette::of(ui);
        ui.horizontal(|ui| {
            let label = ui.label(Type::Body.text("temperature", palette.muted));
            slider_ui(ui, &mut self.temperature, 0.1..=3.0, label.id);
            ui.label(Type::Mono.text(format!("{:.2}", self.temperature), palette.text));
            if self.temperature != 1.0 && chip_ui(ui, "back to 1", false).clicked() {
                self.temperature = 1.0;
            }
            let bits = units::bits(softened.entropy_bits);
            let text = match 2_f64.powf(softened.entropy_bits).round() as u64 {
                _ if ui.available_width() < 380.0 => format!("{bits} bits open"),
                0 | 1 => format!("open by {bits} bits: hardly a choice"),
                n => format!("open by {bits} bits, like {} equal choices", count(n)),
            };
            ui.label(Type::Body.text(text, palette.muted));
            let layout = egui::Layout::right_to_left(egui::Align::Center);
            ui.with_layout(layout, |ui| {
                if scene.view.is_presenting {
                    return;
                }
                if let Some(token) = self.picker.show(ui, scene, "Find a token …")
                    && !self.searched.contains(&token)
                {
                    self.searched.push(token);
                }
                if !self.searched.is_empty() && chip_ui(ui, "clear", false).clicked() {
                    self.searched.clear();
                }
                if chip_ui(ui, "CSV", false)
                    .on_hover_text("Copy these tokens as CSV")
                    .clicked()
                {
                    scene.send(Command::Copy(csv(view, softened)));
                }
            });
        });
    }
}

fn csv(view: &LogitsView, softened: &Softened) -> String {
    let mut text = "rank,id,token,logit,probability\n".to_owned();
    for share in view.top.iter().chain(&view.chosen) {
        let id = share.token.id;
        let name = share.token.text.replace('"', "\"\"");
        let (logit, p) = (softened.logit(id), softened.probability(id));
        text.push_str(&format!("{},{id},\"{name}\",{logit},{p}\n", share.rank));
    }
    text
}

fn at(scene: &Scene<'_>) -> At {
    At {
        pass: scene.view.pass(),
        row: scene.row(),
    }
}

/// The address of a token's logit at the chosen position.
fn address(scene: &Scene<'_>, token: u32) -> Address {
    let mut address = scene.address(Hook::Logits);
    address.index = vec![scene.row(), token as usize];
    address
}

/// The token whose logit is pointed at.
fn pointed(scene: &Scene<'_>) -> Option<u32> {
    let cell = scene.view.cell()?;
    let is_ours = cell.place == crate::trace::Place::Hook(Hook::Logits);
    let id = cell.index.get(1).filter(|_| is_ours)?;
    u32::try_from(*id).ok()
}
