//! Attention in a decode pass: one new row against the cached keys.

use egui::{Ui, vec2};

use super::head;
use super::map::Pointed;
use crate::trace::measure::maps::ScoreMaps;
use crate::ui::picture::Scene;
use crate::ui::theme::{Palette, Role, Type, space};
use crate::ui::widgets::heatmap::{MapCell, figure};
use crate::ui::widgets::{Bar, Bars};

/// The new position's shares, one bar per key, newest at the bottom; in long texts the largest.
pub fn decode_ui(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    maps: &ScoreMaps,
    chosen: Option<MapCell>,
) -> Pointed {
    /// More keys than this are not listed one by one.
    const MOST: usize = 400;
    let palette = Palette::of(ui);
    let shares = maps.pattern.at(&[0]).unwrap_or_default();
    let own = maps.start;
    let mut keys: Vec<usize> = (0..shares.len()).collect();
    let share = |key: usize| shares.get(key).copied().unwrap_or_default();
    let n_keys = keys.len();
    if n_keys > MOST {
        keys.sort_by(|a, b| share(*b).total_cmp(&share(*a)));
        keys.truncate(MOST);
        keys.sort_unstable();
    }
    let kept = own.min(n_keys);
    let text = format!(
        "{kept} keys from the cache, 1 new: the row of “{}”",
        scene.name(own)
    );
    ui.add_space(space::SMALL);
    ui.label(Type::Strong.text(text, palette.text));
    let step = super::step(scene).min(3);
    let map = [&maps.dot, &maps.scaled, &maps.masked, &maps.pattern];
    let role = if step == 3 {
        Role::Attention
    } else {
        Role::Query
    };
    let bars: Vec<Bar> = keys
        .iter()
        .map(|key| {
            let value = map
                .get(step)
                .and_then(|map| map.value(&[0, *key]))
                .unwrap_or(f32::NAN);
            let mut bar = Bar::new(scene.name(*key), value, figure(value), palette.role(role));
            bar.is_chosen = chosen.is_some_and(|cell| cell.col == *key);
            bar.second = match *key {
                key if key == own => "new".into(),
                key => format!("pos {key}"),
            };
            bar
        })
        .collect();
    let name = format!("L{}.H{}", scene.view.layer, head(scene));
    let bars = Bars::new(&name, &bars).line(line_height(ui, keys.len()));
    let bars = if step == 3 { bars.longest(1.0) } else { bars };
    let shown = egui::ScrollArea::vertical()
        .id_salt("decode")
        .auto_shrink([false, false])
        .show(ui, |ui| {
            ui.set_width(ui.available_width() - 10.0);
            let shown = bars.show(ui);
            ui.allocate_space(vec2(1.0, space::SMALL));
            shown
        })
        .inner;
    let cell = |place: usize| {
        let col = *keys.get(place)?;
        Some(MapCell { row: 0, col })
    };
    Pointed {
        hovered: shown.hovered.and_then(cell),
        clicked: shown.clicked.and_then(cell),
    }
}

/// As high as the room allows, within what reads well.
fn line_height(ui: &Ui, n_lines: usize) -> f32 {
    (ui.available_height() / n_lines.max(1) as f32).clamp(19.0, 28.0)
}
