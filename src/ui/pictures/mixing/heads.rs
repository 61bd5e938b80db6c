//! What each head writes to the residual stream, and what all of them write.

use egui::Ui;

use super::{at, head};
use crate::trace::measure::vector::{size, top_by};
use crate::trace::{BlockHook, Hook, HostTensor};
use crate::ui::answers::Asked;
use crate::ui::colormap::ColorMap;
use crate::ui::command::Pointing;
use crate::ui::picture::{Check, Scene, ready_ui};
use crate::ui::pictures::parts::{heading_ui, limit_of_most};
use crate::ui::theme::{Palette, Role, Type, mix, space};
use crate::ui::widgets::heatmap::figure;
use crate::ui::widgets::{Bar, Bars, Values};

/// The size of each head's write at the chosen position.
pub(super) fn writes(scene: &mut Scene<'_>) -> Asked<HostTensor> {
    let hook = Hook::Block(scene.view.layer, BlockHook::ResultNorm);
    scene.value_at(hook)
}

/// What each head writes to the residual stream, and what all of them write.
pub(super) fn heads_ui(ui: &mut Ui, scene: &mut Scene<'_>) {
    let palette = Palette::of(ui);
    heading_ui(ui, "What each head writes");
    let text = "Size of its part after the output projection; the rest of the block reads the sum.";
    ui.add(egui::Label::new(Type::Body.text(text, palette.muted)).wrap());
    ui.add_space(space::TINY);
    let row = scene.row();
    let asked = writes(scene);
    let Some(sizes) = ready_ui(ui, asked) else {
        return;
    };
    let chosen = head(scene);
    let hue = mix(palette.surface, palette.role(Role::Value), 0.85);
    let sizes = sizes.at(&[row]).unwrap_or_default();
    let bars: Vec<Bar> = sizes
        .iter()
        .enumerate()
        .map(|(head, size)| {
            let mut bar = Bar::new(format!("H{head}"), *size, figure(*size), hue);
            bar.is_chosen = head == chosen;
            bar
        })
        .collect();
    let room = (ui.available_height() - 110.0).max(60.0);
    let line = (room / bars.len().max(1) as f32).clamp(18.0, 40.0);
    let shown = egui::ScrollArea::vertical()
        .id_salt("writes")
        .max_height(room)
        .show(ui, |ui| {
            Bars::new("write of a head", &bars).line(line).show(ui)
        })
        .inner;
    if let Some(head) = shown.clicked {
        scene.point(Pointing::Head(head));
    }
    let out = at(scene, BlockHook::AttnOut, vec![row]);
    let asked = scene.value(&out);
    ui.add_space(space::SMALL);
    if let Some(out) = ready_ui(ui, asked) {
        let text = format!(
            "all heads together: size {}",
            figure(size(out.values()) as f32)
        );
        ui.label(Type::Body.text(text, palette.text));
        let colours = ColorMap::diverging(palette);
        let strip = Values::new("what attention writes", out.values(), &colours);
        let width = ui.available_width();
        strip
            .height(18.0)
            .limit(limit_of_most(out.values()))
            .show(ui, width);
        ui.label(Type::MonoSmall.text("hook_attn_out", palette.muted));
    }
}

/// Which of three heads writes most.
pub(super) fn check(sizes: &[f32]) -> Option<Check> {
    let order = top_by(sizes, sizes.len(), |size| f64::from(*size));
    let mut heads = [
        *order.first()?,
        *order.get(order.len() / 2)?,
        *order.last()?,
    ];
    heads.sort_unstable();
    let best = *order.first()?;
    let right = heads.iter().position(|head| *head == best)?;
    (order.len() >= 3).then(|| Check {
        question: "Which of these heads changes the residual stream most at this position?".into(),
        answers: heads.iter().map(|head| format!("H{head}")).collect(),
        right,
        because: sizes
            .get(best)
            .map(|size| figure(*size))
            .unwrap_or_default(),
    })
}
