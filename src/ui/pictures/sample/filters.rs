//! The filters of the sampler in words: what each left, and why a token is out.

use egui::Ui;

use crate::engine::question::{Filter, SamplingParams, SamplingView};
use crate::trace::units::count;
use crate::ui::pictures::shared::percent;
use crate::ui::theme::{Palette, Type};

/// The filters in their order, with what each left.
pub(super) fn stages_ui(ui: &mut Ui, view: &SamplingView) {
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
pub(super) fn reason_of(filter: Filter, settings: &SamplingParams) -> String {
    let setting = setting_of(filter, settings);
    match filter {
        Filter::TopP | Filter::TopK => format!("beyond {setting}"),
        Filter::MinP => format!("below {setting}"),
        Filter::Xtc => "taken out by XTC".to_owned(),
    }
}
