//! What the cache takes: measured, by the formula, and what it would take if kept otherwise.

use egui::{ScrollArea, Ui};

use super::n_held;
use crate::trace::measure::ledger::Ledger;
use crate::trace::units::{bytes, count};
use crate::ui::command::Command;
use crate::ui::picture::Scene;
use crate::ui::theme::{Palette, Role, Type, mix, space};
use crate::ui::widgets::{Bar, Bars, chip_ui};

/// Draws bars, and the blocks one by one.
pub fn bytes_ui(ui: &mut Ui, scene: &mut Scene<'_>, ledger: &Ledger) {
    let palette = Palette::of(ui);
    let hue = palette.role(Role::Cache);
    let pale = mix(palette.background, hue, 0.45);
    let held = n_held(ledger);
    let of = |label: String, n_bytes: f64, colour| {
        let text = bytes(n_bytes.round() as u64);
        Bar::new(label, n_bytes as f32, text, colour)
    };
    let n_values = (2 * ledger.layers.len() * ledger.n_kv_heads * ledger.head_dim * held) as f64;
    let mut bars = vec![
        of("used, measured".into(), ledger.used_bytes() as f64, hue),
        of(
            "allocated, measured".into(),
            ledger.allocated_bytes() as f64,
            hue,
        ),
        of("the formula".into(), ledger.formula_bytes as f64, pale),
    ];
    if ledger.n_heads > ledger.n_kv_heads {
        let label = "without shared heads".into();
        bars.push(of(label, ledger.without_gqa_bytes as f64, pale));
    }
    for (label, per_value) in [
        ("in float32", 4.0),
        ("in float16", 2.0),
        ("in 8 bits, without scales", 1.0),
        ("in 4 bits, without scales", 0.5),
    ] {
        bars.push(of(label.into(), n_values * per_value, pale));
    }
    let text = format!(
        "For {} positions. Full: measured; pale: computed from the shape.",
        count(held as u64)
    );
    ui.label(Type::Body.text(text, palette.muted));
    ui.add_space(space::TINY);
    Bars::new("bytes of the cache", &bars).line(26.0).show(ui);
    ui.add_space(space::LARGE);
    if let Some(context) = scene.facts.n_context {
        let per_token = ledger.formula_bytes as f64 / held.max(1) as f64;
        let full = bytes((per_token * context as f64) as u64);
        let text = format!(
            "Filled to the model's {} positions it would take {full}.",
            count(context)
        );
        ui.label(Type::Body.text(text, palette.text));
        ui.add_space(space::SMALL);
    }
    ui.horizontal(|ui| {
        ui.label(Type::Strong.text("Block by block", palette.text));
        if chip_ui(ui, "Copy as CSV", false).clicked() {
            scene.send(Command::Copy(csv(ledger)));
        }
    });
    let layers: Vec<Bar> = ledger
        .layers
        .iter()
        .map(|layer| {
            let label = format!("block {}", layer.layer);
            Bar {
                second: format!("of {}", bytes(layer.allocated_bytes as u64)),
                ..of(label, layer.used_bytes as f64, hue)
            }
        })
        .collect();
    ScrollArea::vertical()
        .id_salt("layers")
        .auto_shrink([false, true])
        .show(ui, |ui| {
            ui.set_width(ui.available_width() - 16.0);
            Bars::new("bytes of each block", &layers)
                .line(20.0)
                .show(ui);
        });
}

fn csv(ledger: &Ledger) -> String {
    let mut text = "block,positions,used_bytes,allocated_bytes\n".to_owned();
    for layer in &ledger.layers {
        let (used, taken) = (layer.used_bytes, layer.allocated_bytes);
        text.push_str(&format!(
            "{},{},{used},{taken}\n",
            layer.layer, layer.positions
        ));
    }
    text
}
