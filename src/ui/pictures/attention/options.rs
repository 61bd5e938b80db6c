//! What can be switched beside the map: labels of the head, views, the legend.

use egui::{Ui, vec2};

use super::map::Legend;
use crate::trace::measure::heads::{HeadRole, HeadScore};
use crate::ui::theme::{Palette, Role, Type};
use crate::ui::widgets::heatmap::legend_ui;
use crate::ui::widgets::{chip_ui, dot_chip_ui, entry_ui};
use crate::ui::words::glossary;

/// The switches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// The colour scale ends at the largest share beyond the first token.
    pub leaves_first_out: bool,
    /// Shares are multiplied by the size of what they carry.
    pub is_weighted: bool,
    /// Arcs instead of a map.
    pub is_arcs: bool,
    /// Heads without this label are dimmed in the grid.
    pub filter: Option<HeadRole>,
}

impl Options {
    /// Shows labels, switches and the legend.
    pub fn show(
        &mut self,
        ui: &mut Ui,
        labels: &[HeadScore],
        legend: Option<Legend>,
        is_share: bool,
    ) {
        let palette = Palette::of(ui);
        ui.add_space(4.0);
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().item_spacing = vec2(6.0, 6.0);
            for label in labels {
                self.label_ui(ui, label);
            }
            if is_share {
                let text = "leave the first token out";
                let chip = chip_ui(ui, text, self.leaves_first_out);
                let chip =
                    chip.on_hover_text("The colours end at the largest share of the other tokens.");
                self.leaves_first_out ^= chip.clicked();
                let chip = chip_ui(ui, "value-weighted", self.is_weighted);
                let chip = chip.on_hover_ui(|ui| {
                    if let Some(term) = glossary::term("value-weighted") {
                        entry_ui(ui, term);
                    }
                });
                self.is_weighted ^= chip.clicked();
            }
            self.is_arcs ^= chip_ui(ui, "arcs", self.is_arcs).clicked();
        });
        if let Some(legend) = legend {
            legend_ui(ui, &legend.name, &legend.colours, legend.limit);
            if let Some(note) = legend.note {
                ui.label(Type::Small.text(note, palette.muted));
            }
        }
    }

    /// A label of the head on view: a click keeps the heads that bear it too.
    fn label_ui(&mut self, ui: &mut Ui, label: &HeadScore) {
        let palette = Palette::of(ui);
        let text = format!("{} {:.2} · on this text", label.role.name(), label.score);
        let is_on = self.filter == Some(label.role);
        let chip = dot_chip_ui(ui, &text, palette.role(Role::Attention), is_on);
        if chip.clicked() {
            self.filter = if is_on { None } else { Some(label.role) };
        }
        chip.on_hover_ui(|ui| {
            if let Some(term) = glossary::term(label.role.name()) {
                entry_ui(ui, term);
            }
            let text = format!(
                "Mean share over {} queries of this text that have such a place; a label needs more than 0.5.",
                label.n_queries
            );
            ui.label(Type::Small.text(text, palette.muted));
        });
    }
}
