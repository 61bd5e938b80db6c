//! One token: its way through the sampler in a line, and the buttons that take it in place of the drawn one.

use egui::Ui;

use super::SamplePicture;
use crate::engine::question::{Candidate, SamplingView};
use crate::trace::debug::{DebugCommand, Way};
use crate::trace::{Hook, Place};
use crate::ui::command::Command;
use crate::ui::controls::Button;
use crate::ui::picture::Scene;
use crate::ui::pictures::shared::{percent, text_in, written};
use crate::ui::theme::{Palette, Type, space};
use crate::ui::widgets::heatmap::figure;

impl SamplePicture {
    /// The token whose numbers are shown: the one pointed at, else the drawn one.
    pub(super) fn chosen(&self, scene: &Scene<'_>) -> Option<(&Candidate, &String)> {
        let view = self.view()?;
        let mut tokens = view.filtered.candidates.iter().zip(&view.texts);
        let id = pointed(scene).or_else(|| view.draw.as_ref().map(|draw| draw.token))?;
        tokens.find(|(candidate, _)| candidate.token == id)
    }

    /// One token's numbers, and the way to take it instead of the drawn one.
    pub(super) fn choice_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, view: &SamplingView) {
        let palette = Palette::of(ui);
        let chosen = self.chosen(scene);
        let chosen = chosen.map(|(candidate, text)| (candidate.clone(), text.clone()));
        ui.horizontal(|ui| {
            let layout = egui::Layout::right_to_left(egui::Align::Center);
            ui.with_layout(layout, |ui| {
                if !scene.view.is_still
                    && let Some(token) = self.picker.show(ui, scene, "Force another …")
                {
                    force(scene, token.id);
                }
                if !scene.view.is_still
                    && let Some((candidate, text)) = &chosen
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

/// Goes on with `token` in place of the drawn one.
fn force(scene: &mut Scene<'_>, token: u32) {
    let position = Some(scene.pass_range().end);
    let way = Way::Token(token);
    scene.send(Command::Tell(DebugCommand::Branch { position, way }));
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
