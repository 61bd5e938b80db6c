//! Every token as a chip, coloured by how likely it was or by how open its place was.

use egui::{Rect, ScrollArea, Sense, StrokeKind, Ui, UiBuilder, WidgetInfo, pos2, vec2};

use super::surprise::surprise_ui;
use crate::engine::question::{Question, Told};
use crate::trace::Stage;
use crate::trace::measure::lens::LensRequest;
use crate::trace::measure::{At, Point};
use crate::ui::answers::Asked;
use crate::ui::colormap::ColorMap;
use crate::ui::command::{Command, Pointing};
use crate::ui::controls::segmented;
use crate::ui::picture::Scene;
use crate::ui::pictures::shared::{percent, run_first_ui, text_in};
use crate::ui::theme::{Palette, Role, Type, corner, space};
use crate::ui::widgets::chip_ui;
use crate::ui::widgets::heatmap::legend_ui;

/// The chips.
#[derive(Default)]
pub struct TokensPart {
    by_entropy: bool,
    /// The position under the pointer.
    pub hovered: Option<usize>,
}

/// What the model said of a token before it came.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Foretold {
    pub probability: f64,
    pub rank: usize,
    /// How open its place was.
    pub bits: f64,
}

/// Positions that are asked about at once.
const CHUNK: usize = 8;
const CHIP: f32 = 46.0;

impl TokensPart {
    pub fn show(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let palette = Palette::of(ui);
        let mut copied = false;
        // Entropy has no upper end but the vocabulary's: half of it is as open as text gets.
        let most_bits = (scene.facts.vocab_size.max(2) as f32).log2() * 0.6;
        ui.horizontal(|ui| {
            let names = ["Surprise", "Entropy"];
            let chosen = usize::from(self.by_entropy);
            if let Some(at) = segmented(ui, "colour", &names, chosen) {
                self.by_entropy = at == 1;
            }
            let colours = ColorMap::sequential(palette, Role::Logits);
            match self.by_entropy {
                true => legend_ui(ui, "bits open before it", &colours, most_bits),
                false => legend_ui(ui, "1 − probability", &colours, 1.0),
            };
            copied = chip_ui(ui, "Copy as CSV", false).clicked();
        });
        if copied {
            let csv = csv(scene);
            scene.send(Command::Copy(csv));
        }
        ui.add_space(space::TINY);
        self.hovered = None;
        let room = ui.available_rect_before_wrap();
        let below = (room.height() * 0.42).clamp(120.0, 260.0);
        let top = Rect::from_min_max(
            room.min,
            pos2(room.right(), room.bottom() - below - space::LARGE),
        );
        let rest = Rect::from_min_max(pos2(room.left(), room.bottom() - below), room.max);
        ui.scope_builder(UiBuilder::new().max_rect(top), |ui| {
            let area = ScrollArea::vertical()
                .id_salt("timeline")
                .auto_shrink([false, false]);
            area.show(ui, |ui| {
                ui.horizontal_wrapped(|ui| {
                    ui.spacing_mut().item_spacing = vec2(5.0, 6.0);
                    for at in 0..scene.run.ids.len() {
                        self.chip_ui(ui, scene, at, most_bits);
                    }
                });
            });
        });
        let under = ui.scope_builder(UiBuilder::new().max_rect(rest), |ui| {
            if scene.run.has_stage(0, Stage::Logits) {
                return surprise_ui(ui, scene);
            }
            let needs = "How likely each token was is known at the logits.";
            run_first_ui(ui, scene, needs, Stage::Logits);
            None
        });
        self.hovered = self.hovered.or(under.inner);
        ui.advance_cursor_after_rect(room);
    }

    fn chip_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, at: usize, most_bits: f32) {
        let palette = Palette::of(ui);
        let name = scene.name(at);
        let font = Type::Label.font();
        let letters = name.chars().take(24);
        let wide: f32 = ui.fonts_mut(|fonts| letters.map(|c| fonts.glyph_width(&font, c)).sum());
        let (rect, response) =
            ui.allocate_exact_size(vec2((wide + 20.0).max(62.0), CHIP), Sense::click());
        if !ui.is_rect_visible(rect) {
            return;
        }
        let told = told_at(scene, at);
        let colours = ColorMap::sequential(palette, Role::Logits);
        let fill = told.map(|told| match self.by_entropy {
            true => colours.colour(told.bits as f32 * 0.75, most_bits),
            false => colours.colour((1.0 - told.probability) as f32 * 0.75, 1.0),
        });
        let ground = fill.unwrap_or(palette.surface);
        let number = match (told, self.by_entropy) {
            (Some(told), true) => format!("{:.1}", told.bits),
            (Some(told), false) => percent(told.probability),
            (None, _) => "–".to_owned(),
        };
        let is_chosen = scene.view.token == at;
        response.widget_info(|| {
            let text = format!("{name} at {at}: {number}");
            WidgetInfo::selected(egui::Role::RadioButton, true, is_chosen, text)
        });
        let painter = ui.painter();
        let line = if is_chosen {
            palette.ring()
        } else {
            palette.hairline()
        };
        painter.rect(rect, corner::SMALL, ground, line, StrokeKind::Inside);
        if at >= scene.run.prompt_len {
            // Generated: a line below, as in the strip.
            let under = Rect::from_min_max(
                pos2(rect.left() + 6.0, rect.bottom() - 4.0),
                rect.max - vec2(6.0, 2.0),
            );
            painter.rect_filled(under, 1, palette.role(Role::Logits));
        }
        let text = palette.text_on(ground);
        let half = |top: f32, height: f32| {
            Rect::from_min_size(rect.min + vec2(4.0, top), vec2(rect.width() - 8.0, height))
        };
        text_in(painter, half(5.0, 18.0), &name, Type::Label, text, 0.5);
        text_in(
            painter,
            half(24.0, 14.0),
            &number,
            Type::MonoSmall,
            text,
            0.5,
        );
        if response.hovered() {
            self.hovered = Some(at);
        }
        if response
            .on_hover_cursor(egui::CursorIcon::PointingHand)
            .clicked()
        {
            scene.point(Pointing::Token(at));
        }
    }
}

/// What the model said of the token at `position` one position earlier; `None` for the first, and
/// where the blocks have not all run.
pub fn told_at(scene: &mut Scene<'_>, position: usize) -> Option<Foretold> {
    let before = position.checked_sub(1)?;
    let mut passes = scene.run.passes.iter().enumerate();
    let (pass, state) =
        passes.find(|(_, pass)| (pass.start..pass.start + pass.n_pos).contains(&before))?;
    let last = scene.facts.n_layers.checked_sub(1)?;
    if !scene.run.has_stage(pass, Stage::Block(last)) {
        return None;
    }
    let (start, n_pos) = (state.start, state.n_pos);
    let row = before - start;
    let first = row / CHUNK * CHUNK;
    let rows = first..(first + CHUNK).min(n_pos);
    // Each row is asked about the token that follows it.
    let follower = |row: usize| scene.run.ids.get(start + row + 1).copied();
    let tokens: Vec<u32> = rows.clone().map_while(follower).collect();
    let question = Question::Lens(LensRequest {
        rows: rows.clone().map(|row| At { pass, row }).collect(),
        points: vec![Point::AfterMlp(last)],
        top_k: 1,
        tokens,
    });
    let asked = scene.ask(&question);
    let is_refused = matches!(asked, Asked::Failed(_));
    let (told, at) = match is_refused {
        false => (asked.ready()?, row - first),
        // A recording may know of one position, and not of those beside it.
        true => (
            scene.ask(&alone(pass, row, last, follower(row)?)).ready()?,
            0,
        ),
    };
    let Told::Lens(views) = &*told else {
        return None;
    };
    let view = views.iter().find(|view| view.at.row == row)?;
    let share = view.chosen.get(at)?;
    Some(Foretold {
        probability: share.probability,
        rank: share.rank,
        bits: view.entropy_bits,
    })
}

/// What was said after `row` of `pass` of one token.
fn alone(pass: usize, row: usize, layer: usize, token: u32) -> Question {
    Question::Lens(LensRequest {
        rows: vec![At { pass, row }],
        points: vec![Point::AfterMlp(layer)],
        top_k: 1,
        tokens: vec![token],
    })
}

fn csv(scene: &mut Scene<'_>) -> String {
    let mut text = "position,id,token,probability,rank,entropy_bits\n".to_owned();
    for at in 0..scene.run.ids.len() {
        let id = scene.run.ids.get(at).copied().unwrap_or_default();
        let name = scene
            .run
            .texts
            .get(at)
            .map(|text| text.replace('"', "\"\""))
            .unwrap_or_default();
        let told = told_at(scene, at).map_or(",,".to_owned(), |told| {
            format!("{},{},{}", told.probability, told.rank, told.bits)
        });
        text.push_str(&format!("{at},{id},\"{name}\",{told}\n"));
    }
    text
}
