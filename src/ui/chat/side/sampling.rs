//! How tokens are chosen, one setting under the other, with what each does.

use std::ops::RangeInclusive;

use egui::{Slider, Ui, WidgetInfo};

use super::{SidePage, row_ui};
use crate::trace::sampling::SamplingChoice;
use crate::ui::controls::quiet_button;
use crate::ui::picture::Scene;
use crate::ui::theme::{Palette, Type};

/// One setting.
struct Setting {
    name: &'static str,
    told: &'static str,
    range: RangeInclusive<f32>,
    step: f64,
    get: fn(&SamplingChoice) -> Option<f32>,
    set: fn(&mut SamplingChoice, Option<f32>),
    /// What it is where nobody says anything.
    plain: f32,
}

macro_rules! setting {
    ($field:ident, $name:literal, $range:expr, $step:literal, $plain:literal, $told:literal) => {
        Setting {
            name: $name,
            told: $told,
            range: $range,
            step: $step,
            get: |choice| choice.$field,
            set: |choice, value| choice.$field = value,
            plain: $plain,
        }
    };
}

/// Those that one reaches for.
const COMMON: [Setting; 4] = [
    setting!(
        temperature,
        "Temperature",
        0.0..=2.0,
        0.05,
        0.0,
        "Divides the logits: 0 takes the likeliest token, 1 draws as the model says, more is bolder."
    ),
    setting!(
        top_p,
        "Top-p",
        0.05..=1.0,
        0.01,
        1.0,
        "Draws among the likeliest tokens that together hold this share; 1 leaves all in."
    ),
    Setting {
        name: "Top-k",
        told: "Draws among this many of the likeliest tokens; 0 leaves all in.",
        range: 0.0..=200.0,
        step: 1.0,
        get: |choice| choice.top_k.map(|k| k as f32),
        set: |choice, value| choice.top_k = value.map(|k| k as usize),
        plain: 0.0,
    },
    setting!(
        min_p,
        "Min-p",
        0.0..=0.5,
        0.01,
        0.0,
        "Leaves out tokens less likely than this share of the likeliest one."
    ),
];

/// Those that one rarely needs.
const RARE: [Setting; 5] = [
    setting!(
        repetition_penalty,
        "Repetition penalty",
        1.0..=2.0,
        0.01,
        1.0,
        "Makes tokens that came lately less likely, by a factor; 1 changes nothing."
    ),
    setting!(
        presence_penalty,
        "Presence penalty",
        0.0..=2.0,
        0.05,
        0.0,
        "Taken off the logit of every token that came lately."
    ),
    setting!(
        frequency_penalty,
        "Frequency penalty",
        0.0..=2.0,
        0.05,
        0.0,
        "Taken off for each time a token came lately."
    ),
    setting!(
        xtc_probability,
        "XTC, how often",
        0.0..=1.0,
        0.05,
        0.0,
        "How often the likeliest tokens are left out, so that the next ones get a chance."
    ),
    setting!(
        xtc_threshold,
        "XTC, above",
        0.0..=0.5,
        0.01,
        0.0,
        "Only tokens above this probability are left out, all but the least likely of them."
    ),
];

pub(super) fn sampling_ui(ui: &mut Ui, scene: &mut Scene<'_>, page: &mut SidePage) {
    for setting in &COMMON {
        setting_ui(ui, scene, page, setting);
    }
    let label = match page.shows_more {
        true => "Fewer settings",
        false => "More settings",
    };
    if quiet_button(ui, label, "Penalties and XTC", true).clicked() {
        page.shows_more = !page.shows_more;
    }
    let of_rare =
        |setting: &&Setting| page.shows_more || (setting.get)(&page.draft.sampling).is_some();
    let shown: Vec<&Setting> = RARE.iter().filter(of_rare).collect();
    for setting in shown {
        setting_ui(ui, scene, page, setting);
    }
}

fn setting_ui(ui: &mut Ui, scene: &Scene<'_>, page: &mut SidePage, setting: &Setting) {
    let chosen = (setting.get)(&page.draft.sampling);
    let own = (setting.get)(&scene.chat.model_sampling).unwrap_or(setting.plain);
    let shown = chosen.unwrap_or(own);
    let value = match setting.step >= 1.0 {
        true => format!("{shown:.0}"),
        false => format!("{shown:.2}"),
    };
    if row_ui(ui, setting.name, setting.told, &value, chosen.is_some()) {
        (setting.set)(&mut page.draft.sampling, None);
        page.is_changed = true;
    }
    let mut moved = shown;
    ui.scope(|ui| {
        ui.spacing_mut().slider_width = ui.available_width() - 6.0;
        ui.spacing_mut().interact_size.y = 16.0;
        let palette = Palette::of(ui);
        ui.visuals_mut().selection.bg_fill = palette.text;
        let slider = Slider::new(&mut moved, setting.range.clone())
            .step_by(setting.step)
            .show_value(false)
            .trailing_fill(true);
        let slider = ui.add(slider);
        slider.widget_info(|| WidgetInfo::slider(true, f64::from(shown), setting.name));
        if slider.changed() {
            (setting.set)(&mut page.draft.sampling, Some(moved));
        }
        page.note(&slider);
        let _ = slider.on_hover_text(setting.told);
    });
    ui.label(Type::Small.text(setting.told, Palette::of(ui).muted));
    ui.add_space(2.0);
}
