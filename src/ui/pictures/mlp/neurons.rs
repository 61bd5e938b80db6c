//! The neurons at work at one position: the strongest as bars, the activation as a curve, all of
//! them as strips.

use egui::{Ui, vec2};

use super::{Activation, address, shown};
use crate::trace::measure::neurons::Neurons;
use crate::trace::{BlockHook, Hook};
use crate::ui::answers::Asked;
use crate::ui::colormap::ColorMap;
use crate::ui::command::Pointing;
use crate::ui::picture::Scene;
use crate::ui::pictures::parts::{heading_ui, limit_of_most};
use crate::ui::theme::{Palette, Role, Type, space};
use crate::ui::widgets::heatmap::figure;
use crate::ui::widgets::{Bar, Bars, Curve, Mark, Values, chip_ui};

/// The strongest neurons as bars.
pub fn bars_ui(ui: &mut Ui, scene: &mut Scene<'_>, seen: &Neurons) {
    let palette = Palette::of(ui);
    heading_ui(ui, "Strongest neurons");
    let text = format!(
        "{} of {} are near zero here",
        seen.n_near_zero, seen.n_neurons
    );
    ui.label(Type::Body.text(text, palette.muted));
    let chosen = shown(scene).map(|neuron| neuron.neuron);
    let n_lines = (ui.available_height() / 22.0) as usize;
    let bars: Vec<Bar> = seen
        .top
        .iter()
        .take(n_lines.max(6))
        .map(|neuron| {
            let label = format!("neuron {}", neuron.neuron);
            let mut bar = Bar::new(
                label,
                neuron.post,
                figure(neuron.post),
                palette.role(Role::Mlp),
            );
            bar.is_chosen = chosen == Some(neuron.neuron);
            bar
        })
        .collect();
    let line = (ui.available_height() / bars.len().max(1) as f32).clamp(16.0, 26.0);
    let response = Bars::new("activation", &bars).line(line).show(ui);
    let neuron = |place: usize| {
        seen.top
            .get(place)
            .map(|neuron| address(scene, neuron.neuron))
    };
    let (hovered, clicked) = (
        response.hovered.and_then(neuron),
        response.clicked.and_then(neuron),
    );
    if clicked.is_some() {
        scene.point(Pointing::Lock(clicked));
    }
    if hovered.is_some() || scene.view.hovered.is_some() {
        scene.point(Pointing::Hover(hovered));
    }
}

/// The activation, with the strongest neurons on it.
pub fn curve_ui(ui: &mut Ui, activation: Activation, seen: &Neurons) {
    let palette = Palette::of(ui);
    heading_ui(ui, &format!("{} of the gate", activation.name()));
    let gates = || seen.top.iter().map(|neuron| f64::from(neuron.pre));
    let far = gates().map(f64::abs).fold(4.0, f64::max).min(40.0) + 0.5;
    let points: Vec<[f64; 2]> = (0..=160)
        .map(|step| {
            let x = -far + 2.0 * far * f64::from(step) / 160.0;
            [x, activation.at(x)]
        })
        .collect();
    let marks: Vec<Mark> = seen
        .top
        .iter()
        .enumerate()
        .map(|(place, neuron)| {
            let x = f64::from(neuron.pre);
            Mark {
                at: [x, activation.at(x)],
                text: if place < 3 {
                    neuron.neuron.to_string()
                } else {
                    String::new()
                },
                colour: palette.role(Role::Mlp),
            }
        })
        .collect();
    let curve = Curve {
        name: "activation",
        points: &points,
        colour: palette.muted,
        x_label: "gate, before the activation",
        marks: &marks,
        include_y: Some(0.0),
    };
    let size = vec2(
        ui.available_width(),
        (ui.available_height() - 6.0).max(80.0),
    );
    curve.show(ui, size);
}

/// Gate, up and product of every neuron, as strips.
pub fn strips_ui(ui: &mut Ui, scene: &mut Scene<'_>, activation: Activation, is_sorted: &mut bool) {
    let palette = Palette::of(ui);
    let (layer, row) = (scene.view.layer, scene.row());
    ui.horizontal(|ui| {
        heading_ui(ui, "Every neuron");
        ui.add_space(space::SMALL);
        *is_sorted ^= chip_ui(ui, "sort by strength", *is_sorted).clicked();
    });
    let post = match scene.value_at(Hook::Block(layer, BlockHook::Post)) {
        Asked::Ready(post) => post,
        _ => return,
    };
    let order = is_sorted.then(|| {
        let values = post.at(&[row]).unwrap_or_default();
        crate::trace::measure::vector::top_by(values, values.len(), |x| f64::from(x.abs()))
    });
    let chosen = shown(scene).map(|neuron| neuron.neuron);
    let colours = ColorMap::diverging(palette);
    ui.spacing_mut().item_spacing.y = 4.0;
    for (hook, name) in [
        (BlockHook::Pre, "gate"),
        (BlockHook::PreLinear, "up"),
        (BlockHook::Post, "product"),
    ] {
        if !scene.facts.has(hook) {
            continue;
        }
        let Asked::Ready(value) = scene.value_at(Hook::Block(layer, hook)) else {
            continue;
        };
        let values = value.at(&[row]).unwrap_or_default();
        let name = match (hook, scene.facts.has(BlockHook::PreLinear)) {
            (BlockHook::Post, true) => format!("{}(gate) × up", activation.name()),
            (BlockHook::Post, false) => activation.name().to_owned(),
            (BlockHook::Pre, false) => "before".to_owned(),
            _ => name.to_owned(),
        };
        ui.horizontal(|ui| {
            let (rect, _) = ui.allocate_exact_size(vec2(104.0, 22.0), egui::Sense::hover());
            let font = Type::Body.font();
            let place = rect.left_center();
            ui.painter()
                .text(place, egui::Align2::LEFT_CENTER, &name, font, palette.muted);
            let strip = Values::new(&name, values, &colours).height(22.0);
            let strip = strip.limit(limit_of_most(values)).chosen(chosen);
            let strip = match &order {
                Some(order) => strip.order(order),
                None => strip,
            };
            let width = ui.available_width();
            let response = strip.show(ui, width);
            if let Some(neuron) = response.clicked {
                let at = address(scene, neuron);
                scene.point(Pointing::Lock(Some(at)));
            }
            if let Some(neuron) = response.hovered {
                let at = address(scene, neuron);
                scene.point(Pointing::Hover(Some(at)));
                let value = values
                    .get(neuron)
                    .map_or_else(String::new, |value| figure(*value));
                response
                    .response
                    .on_hover_text_at_pointer(format!("neuron {neuron}: {value}"));
            }
        });
    }
}
