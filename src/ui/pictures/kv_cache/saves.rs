//! What the cache saves: one decode step with it beside the whole text again, both measured.

use egui::{Ui, vec2};

use crate::engine::question::{Question, Told};
use crate::trace::measure::ledger::CacheCost;
use crate::trace::units::{count, seconds as written};
use crate::ui::picture::Scene;
use crate::ui::pictures::shared::told_ui;
use crate::ui::theme::{Palette, Role, Type, space};
use crate::ui::widgets::{Bar, Bars};

/// Draws two bars and what they mean.
pub fn saves_ui(ui: &mut Ui, scene: &mut Scene<'_>) {
    let palette = Palette::of(ui);
    if scene.run.ids.len() < 2 {
        let text = "A text of one token has nothing before it that a cache could keep.";
        ui.label(Type::Body.text(text, palette.muted));
        return;
    }
    let text = "Measured now, on this text: its last token is computed once after the cached rest, and once with everything before it again.";
    ui.add(egui::Label::new(Type::Body.text(text, palette.muted)).wrap());
    ui.add_space(space::SMALL);
    let Some(told) = told_ui(ui, scene, &Question::CacheCost) else {
        return;
    };
    let Told::CacheCost(cost) = &*told else {
        return;
    };
    let bars = [
        bar(
            "with the cache",
            cost.with_cache_s,
            palette.role(Role::Cache),
        ),
        bar("without", cost.without_cache_s, palette.faint),
    ];
    Bars::new("time of one token", &bars).line(34.0).show(ui);
    ui.add_space(space::LARGE);
    ui.spacing_mut().item_spacing = vec2(8.0, 10.0);
    for text in meaning(cost) {
        ui.add(egui::Label::new(Type::Body.text(text, palette.text)).wrap());
    }
}

fn bar(label: &str, seconds: f64, colour: egui::Color32) -> Bar {
    let time = written(seconds);
    Bar::new(label, seconds as f32, time, colour)
}

/// What the two times say, in sentences.
fn meaning(cost: &CacheCost) -> Vec<String> {
    let n = cost.positions;
    let n_before = n.saturating_sub(1);
    vec![
        format!(
            "With {} positions in the text, a token takes {:.1} times as long without the cache. The longer the text, the larger this number.",
            count(n as u64),
            cost.ratio()
        ),
        format!(
            "Without it, {} positions would be computed again for every token, each to the same keys and values as before.",
            count(n_before as u64)
        ),
        "Nothing is lost by keeping them: a position reads only itself and earlier ones, so what comes later cannot change its keys and values. The logits are the same up to rounding.".to_owned(),
        format!(
            "The time with the cache is the median of {} steps; the other was measured once.",
            CacheCost::N_STEPS
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentences_carry_the_measured_numbers() {
        let cost = CacheCost {
            positions: 14,
            with_cache_s: 0.001,
            without_cache_s: 0.0085,
        };
        let text = meaning(&cost).join(" ");
        assert!(
            text.contains("14 positions") && text.contains("8.5 times"),
            "{text}"
        );
        assert!(text.contains("13 positions would"), "{text}");
    }
}
