//! Sampling settings that belong together, by what they are good for.

use egui::Ui;

use super::SidePage;
use crate::trace::sampling::SamplingChoice;
use crate::ui::controls::{Button, caption};

/// Name, what it is good for, and the settings.
struct Preset {
    name: &'static str,
    told: &'static str,
    temperature: Option<f32>,
    top_p: Option<f32>,
    min_p: Option<f32>,
    repetition_penalty: Option<f32>,
}

const PRESETS: [Preset; 6] = [
    Preset {
        name: "Model's own",
        told: "As its makers recommend (generation_config.json); where they say nothing, the likeliest token",
        temperature: None,
        top_p: None,
        min_p: None,
        repetition_penalty: None,
    },
    Preset {
        name: "Precise",
        told: "Always the likeliest token: the same question gets the same answer",
        temperature: Some(0.0),
        top_p: None,
        min_p: None,
        repetition_penalty: None,
    },
    Preset {
        name: "Balanced",
        told: "Some freedom, little nonsense: for most conversations",
        temperature: Some(0.7),
        top_p: Some(0.9),
        min_p: None,
        repetition_penalty: None,
    },
    Preset {
        name: "Creative",
        told: "Much freedom; what is very unlikely stays out",
        temperature: Some(1.1),
        top_p: Some(0.98),
        min_p: Some(0.03),
        repetition_penalty: None,
    },
    Preset {
        name: "Code",
        told: "Close to the likeliest, and nothing against repetition, which programs are full of",
        temperature: Some(0.2),
        top_p: Some(0.95),
        min_p: None,
        repetition_penalty: Some(1.0),
    },
    Preset {
        name: "Summary",
        told: "Close to the text, with a little against saying the same twice",
        temperature: Some(0.3),
        top_p: Some(0.9),
        min_p: None,
        repetition_penalty: Some(1.05),
    },
];

impl Preset {
    fn choice(&self) -> SamplingChoice {
        SamplingChoice {
            temperature: self.temperature,
            top_p: self.top_p,
            min_p: self.min_p,
            repetition_penalty: self.repetition_penalty,
            ..SamplingChoice::default()
        }
    }
}

pub(super) fn presets_ui(ui: &mut Ui, page: &mut SidePage) {
    caption(ui, "Preset");
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = egui::vec2(4.0, 4.0);
        for preset in &PRESETS {
            let choice = preset.choice();
            let mut button = Button::new(preset.name);
            button.is_on = page.draft.sampling == choice;
            if button.show(ui, 26.0).on_hover_text(preset.told).clicked() {
                page.draft.sampling = choice;
                page.is_changed = true;
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_presets_are_the_same() {
        for (at, preset) in PRESETS.iter().enumerate() {
            let mut others = PRESETS.iter().skip(at + 1);
            assert!(
                others.all(|other| other.choice() != preset.choice()),
                "{}",
                preset.name
            );
        }
    }
}
