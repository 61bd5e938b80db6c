//! Logits and softmax: the likeliest tokens with their logits and probabilities, and the whole
//! vocabulary as a histogram; the temperature is live.

use std::sync::Arc;

use egui::{Align2, Rect, Sense, Ui, WidgetInfo, pos2, vec2};

use crate::engine::question::{Question, Told};
use crate::trace::measure::logits::LogitsView;
use crate::trace::measure::{At, NamedToken, TokenShare};
use crate::trace::units::{self, count};
use crate::trace::{Address, Hook};
use crate::ui::command::{Command, Pointing};
use crate::ui::picture::{Heading, Picture, Scene, Side, Term, formula_ui};
use crate::ui::pictures::shared::{
    Chart, TokenPicker, hover, percent, slider_ui, told_ui, written,
};
use crate::ui::spot::Spot;
use crate::ui::theme::{Palette, Role, Type, corner, mix, space};
use crate::ui::widgets::heatmap::figure;
use crate::ui::widgets::{Bar, Bars, chip_ui};
use crate::ui::words::{fill, stages};

const TABS: [&str; 2] = ["Likeliest", "All tokens"];
/// Most tokens asked for; as many are shown as fit.
const N_TOP: usize = 40;
const LINE: f32 = 25.0;

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

/// What a temperature makes of a row of logits.
#[derive(Debug, Clone)]
struct Softened {
    row: Arc<[f32]>,
    temperature: f32,
    /// The highest logit.
    max: f64,
    /// `Σ e^((logit − max) / temperature)`.
    total: f64,
    entropy_bits: f64,
}

impl Softened {
    /// Over the whole vocabulary: a softmax over a part would be another one.
    fn new(row: &Arc<[f32]>, temperature: f32) -> Self {
        let max = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let max = f64::from(max);
        let heat = f64::from(temperature.max(0.01));
        let (mut total, mut weighted) = (0.0, 0.0);
        for logit in row.iter().filter(|logit| logit.is_finite()) {
            let level = (f64::from(*logit) - max) / heat;
            let weight = level.exp();
            total += weight;
            weighted += weight * level;
        }
        // −Σ p ln p with p = e^level / total.
        let nats = total.ln() - weighted / total;
        Self {
            row: Arc::clone(row),
            temperature,
            max,
            total,
            entropy_bits: nats / std::f64::consts::LN_2,
        }
    }

    fn probability(&self, token: u32) -> f64 {
        let logit = self.logit(token);
        let heat = f64::from(self.temperature.max(0.01));
        ((logit - self.max) / heat).exp() / self.total
    }

    fn logit(&self, token: u32) -> f64 {
        let logit = self.row.get(token as usize).copied();
        f64::from(logit.unwrap_or(f32::NEG_INFINITY))
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
        let (Some(softened), Some(share)) = (self.softened.clone(), self.chosen(scene)) else {
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
        Side {
            happens: fill(words.happens, &values),
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

/// Every logit of the vocabulary, counted; the heights are on a logarithmic scale.
fn histogram_ui(ui: &mut Ui, scene: &mut Scene<'_>, view: &LogitsView, softened: &Softened) {
    let palette = Palette::of(ui);
    let histogram = &view.histogram;
    let held = |n: usize| -> f64 {
        let top = view.top.iter().take(n);
        top.map(|share| softened.probability(share.token.id)).sum()
    };
    let text = format!(
        "{} logits; the first ten tokens hold {} of the probability, the first forty {}. Heights grow tenfold from line to line.",
        count(histogram.n),
        percent(held(10)),
        percent(held(40))
    );
    ui.add(egui::Label::new(Type::Body.text(text, palette.muted)).wrap());
    let size = ui.available_size();
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let area = Rect::from_min_max(rect.min + vec2(52.0, 44.0), rect.max - vec2(16.0, 44.0));
    let (low, high) = (f64::from(histogram.low), f64::from(histogram.high));
    let most = histogram.counts.iter().copied().max().unwrap_or(1).max(10) as f64;
    // A bin of one token must be seen: the axis begins below one.
    let chart = Chart::new(area, (low, high), (0.6, most * 1.3)).log();
    let painter = ui.painter().clone();
    let lines = (0..8)
        .map(|power| 10_f64.powi(power))
        .filter(|line| *line <= most);
    let lines: Vec<_> = lines.map(|line| (line, count(line as u64))).collect();
    chart.lines(&painter, palette, &lines);
    let n_bins = histogram.counts.len().max(1);
    let wide = (high - low) / n_bins as f64;
    let under = response.hover_pos().map(|pointer| {
        let bin = (chart.x_at(pointer) - low) / wide.max(1e-9);
        (bin.max(0.0) as usize).min(n_bins - 1)
    });
    for (bin, n) in histogram.counts.iter().enumerate() {
        if *n == 0 {
            continue;
        }
        let left = chart.place(low + bin as f64 * wide, *n as f64);
        let right = chart.place(low + (bin + 1) as f64 * wide, *n as f64);
        let bar = Rect::from_min_max(left, pos2(right.x - 1.0, area.bottom()));
        let hue = palette.role(Role::Logits);
        let fill = if under == Some(bin) {
            hue
        } else {
            mix(palette.background, hue, 0.6)
        };
        painter.rect_filled(bar, corner::CELL, fill);
    }
    marks_ui(ui, &chart, view);
    for share in [0.0, 0.25, 0.5, 0.75, 1.0] {
        let x = low + share * (high - low);
        let place = pos2(chart.place(x, 1.0).x, area.bottom() + 8.0);
        let (text, font) = (figure(x as f32), Type::MonoSmall.font());
        painter.text(place, Align2::CENTER_TOP, text, font, palette.muted);
    }
    let place = pos2(area.right(), area.bottom() + 24.0);
    painter.text(
        place,
        Align2::RIGHT_TOP,
        "logit",
        Type::Small.font(),
        palette.muted,
    );
    if let Some((bin, n)) = under.and_then(|bin| Some((bin, histogram.counts.get(bin)?))) {
        let from = low + bin as f64 * wide;
        let text = format!(
            "{} tokens with a logit from {} to {}",
            count(*n),
            figure(from as f32),
            figure((from + wide) as f32)
        );
        let place = pos2(area.left(), area.bottom() + 24.0);
        painter.text(
            place,
            Align2::LEFT_TOP,
            text,
            Type::Small.font(),
            palette.text,
        );
    }
    response.widget_info(|| {
        let text = format!(
            "histogram of {} logits, from {low:.2} to {high:.2}",
            histogram.n
        );
        WidgetInfo::labeled(egui::Role::Image, true, text)
    });
    hover(scene, None);
}

/// The likeliest tokens by name, above their bins.
fn marks_ui(ui: &Ui, chart: &Chart, view: &LogitsView) {
    let palette = Palette::of(ui);
    let mut free = f32::INFINITY;
    for share in &view.top {
        let Some(logit) = view.row.get(share.token.id as usize) else {
            continue;
        };
        let x = chart.place(f64::from(*logit), 1.0).x;
        let text = written(&share.token.text);
        let font = Type::Small.font();
        let galley = ui.painter().layout_no_wrap(text, font, palette.text);
        let left = (x - galley.size().x / 2.0).min(chart.area.right() - galley.size().x);
        if left + galley.size().x > free - 10.0 {
            continue;
        }
        let top = chart.area.top() - 30.0;
        let line = egui::Stroke::new(1.0, palette.faint);
        ui.painter()
            .vline(x, top + 17.0..=chart.area.bottom(), line);
        ui.painter().galley(pos2(left, top), galley, palette.text);
        free = left;
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::measure::distribution::Distribution;

    #[test]
    fn a_temperature_of_one_is_the_models_own_distribution() {
        let row: Arc<[f32]> = vec![2.0, -1.0, 0.5, f32::NEG_INFINITY].into();
        let (soft, own) = (Softened::new(&row, 1.0), Distribution::new(&row));
        for token in 0..4 {
            assert!((soft.probability(token) - own.probability(token)).abs() < 1e-12);
        }
        assert!((soft.entropy_bits - own.entropy_bits()).abs() < 1e-9);
    }

    #[test]
    fn heat_levels_and_cold_sharpens() {
        let row: Arc<[f32]> = vec![2.0, 1.0].into();
        let p = |heat| Softened::new(&row, heat).probability(0);
        assert!(p(0.5) > p(1.0) && p(1.0) > p(2.0) && p(2.0) > 0.5);
        let sum: f64 = (0..2)
            .map(|id| Softened::new(&row, 2.0).probability(id))
            .sum();
        assert!((sum - 1.0).abs() < 1e-12);
    }
}
