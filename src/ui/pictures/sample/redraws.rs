//! The same draw a thousand times: how often each token came, beside its share.

use egui::{Rect, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};

use crate::engine::question::{Question, SamplingChoice, Told};
use crate::trace::measure::logits::{Redrawn, Redraws};
use crate::trace::units::count;
use crate::ui::command::Command;
use crate::ui::controls::{Button, segmented};
use crate::ui::picture::Scene;
use crate::ui::pictures::shared::{percent, text_in, told_ui, written};
use crate::ui::theme::{Palette, Role, Type, corner, space};
use crate::ui::widgets::chip_ui;

/// How many draws one may ask for.
const SIZES: [usize; 3] = [100, 1_000, 10_000];
const LINE: f32 = 24.0;

/// Counts beside shares.
pub struct RedrawsPart {
    n: usize,
    seed: u64,
}

impl Default for RedrawsPart {
    fn default() -> Self {
        Self { n: 1_000, seed: 1 }
    }
}

impl RedrawsPart {
    pub fn show(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, what_if: Option<&SamplingChoice>) {
        let palette = Palette::of(ui);
        let question = Question::Redraw {
            pass: scene.view.pass(),
            settings: what_if.cloned(),
            n: self.n,
            seed: self.seed,
        };
        let mut copied = false;
        ui.horizontal(|ui| {
            let names = SIZES.map(|n| format!("{} draws", count(n as u64)));
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let chosen = SIZES.iter().position(|n| *n == self.n).unwrap_or(1);
            if let Some(at) = segmented(ui, "how many", &names, chosen) {
                self.n = SIZES.get(at).copied().unwrap_or(self.n);
            }
            if Button::new("Other random numbers")
                .show(ui, space::TARGET)
                .clicked()
            {
                self.seed += 1;
            }
            copied = chip_ui(ui, "Copy as CSV", false).clicked();
        });
        ui.add_space(space::TINY);
        let Some(told) = told_ui(ui, scene, &question) else {
            return;
        };
        let Told::Redraws(redraws) = &*told else {
            return;
        };
        if copied {
            scene.send(Command::Copy(csv(redraws)));
        }
        let text = "Bar: how often it came. Mark: its share. Band: where two of three such counts fall by chance alone.";
        ui.label(Type::Small.text(text, palette.muted));
        let n_fit = ((ui.available_height() / LINE) as usize).max(2);
        let most = redraws.tokens.iter().map(|token| {
            let came = token.count as f64 / redraws.n.max(1) as f64;
            came.max(token.share)
        });
        let most = most.fold(1e-9, f64::max) * 1.05;
        let n_shown = if redraws.tokens.len() > n_fit {
            n_fit - 1
        } else {
            n_fit
        };
        ui.spacing_mut().item_spacing.y = 0.0;
        for token in redraws.tokens.iter().take(n_shown) {
            line_ui(ui, redraws, token, most);
        }
        let rest = redraws.tokens.get(n_shown..).unwrap_or_default();
        if !rest.is_empty() {
            let came: usize = rest.iter().map(|token| token.count).sum();
            let share: f64 = rest.iter().map(|token| token.share).sum();
            let (n, came) = (count(rest.len() as u64), count(came as u64));
            let text = format!(
                "{n} others came {came} times; together they have {}",
                percent(share)
            );
            ui.add_space(space::TINY);
            ui.label(Type::Small.text(text, palette.muted));
        }
    }
}

fn line_ui(ui: &mut Ui, redraws: &Redraws, token: &Redrawn, most: f64) {
    let palette = Palette::of(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), LINE), Sense::hover());
    let name = written(&token.token.text);
    let n = redraws.n.max(1) as f64;
    let came = token.count as f64 / n;
    response.widget_info(|| {
        let text = format!(
            "{name} came {} times, its share is {}",
            token.count,
            percent(token.share)
        );
        WidgetInfo::labeled(egui::Role::ListItem, true, text)
    });
    let painter = ui.painter();
    if response.hovered() {
        painter.rect_filled(rect, corner::SMALL, palette.sunk);
    }
    let label = Rect::from_min_size(rect.min, vec2(120.0, LINE));
    text_in(painter, label, &name, Type::Body, palette.text, 1.0);
    let left = label.right() + 10.0;
    let wide = (rect.right() - 190.0 - left).max(40.0);
    let at = |share: f64| left + wide * (share / most).clamp(0.0, 1.0) as f32;
    let y = rect.y_range().shrink(LINE * 0.19);
    // The deviation of a count of n draws, as a share: √(p (1 − p) / n).
    let spread = (token.share * (1.0 - token.share) / n).sqrt();
    let band = Rect::from_x_y_ranges(
        at(token.share - spread)..=at(token.share + spread).max(at(token.share - spread) + 1.0),
        rect.y_range().shrink(2.0),
    );
    painter.rect_filled(band, corner::CELL, palette.line);
    let bar = Rect::from_x_y_ranges(left..=at(came).max(left + 1.0), y);
    painter.rect_filled(
        bar,
        corner::CELL,
        palette.role(Role::Logits).gamma_multiply(0.85),
    );
    let mark = at(token.share);
    painter.vline(
        mark,
        rect.y_range().shrink(2.0),
        Stroke::new(2.0, palette.text),
    );
    let told = Rect::from_min_max(pos2(rect.right() - 180.0, rect.top()), rect.max);
    let text = format!("{:>6} times", count(token.count as u64));
    text_in(painter, told, &text, Type::Mono, palette.text, 0.0);
    text_in(
        painter,
        told,
        &percent(token.share),
        Type::MonoSmall,
        palette.muted,
        1.0,
    );
}

fn csv(redraws: &Redraws) -> String {
    let mut text = "id,token,count,share\n".to_owned();
    for one in &redraws.tokens {
        let name = one.token.text.replace('"', "\"\"");
        text.push_str(&format!(
            "{},\"{name}\",{},{}\n",
            one.token.id, one.count, one.share
        ));
    }
    text
}
