//! The settings of the draw as sliders and fields: to see what others would do.

use egui::Ui;

use crate::engine::question::{SamplingChoice, SamplingParams};
use crate::ui::pictures::shared::slider_ui;
use crate::ui::theme::{Palette, Type};

/// The settings that filters and draw are made with.
pub(super) fn settings_ui(ui: &mut Ui, choice: &mut SamplingChoice, is_narrow: bool) {
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

/// The settings in words, where nothing can be set: in a saved picture.
pub fn settings_told(settings: &SamplingParams) -> String {
    if settings.is_greedy() {
        return "temperature 0: always the likeliest".to_owned();
    }
    let mut told = vec![format!("temperature {:.2}", settings.temperature)];
    let filters = [
        (settings.top_k > 0, format!("top-k {}", settings.top_k)),
        (settings.top_p < 1.0, format!("top-p {:.2}", settings.top_p)),
        (settings.min_p > 0.0, format!("min-p {:.2}", settings.min_p)),
    ];
    told.extend(
        filters
            .into_iter()
            .filter(|(is_on, _)| *is_on)
            .map(|(_, text)| text),
    );
    told.join(" · ")
}
