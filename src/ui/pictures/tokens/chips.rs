//! One chip per token with its id, and a second text beside the first to compare.

use egui::{Rect, Sense, StrokeKind, Ui, WidgetInfo, vec2};

use crate::engine::question::{Question, TextTokens, Told};
use crate::ui::answers::Asked;
use crate::ui::command::Pointing;
use crate::ui::picture::Scene;
use crate::ui::pictures::kit::{copy_menu, csv_text, field_ui, note_ui, section_ui};
use crate::ui::theme::{Palette, Role, Type, corner, mix, space};
use crate::ui::tokens::label;

/// The chips, and what was typed beside them.
#[derive(Default)]
pub struct Chips {
    other: String,
    /// The token under the pointer.
    pub hovered: Option<usize>,
}

impl Chips {
    pub fn show(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        self.hovered = None;
        let scroll = egui::ScrollArea::vertical().auto_shrink([false, false]);
        scroll.show(ui, |ui| {
            ui.horizontal_wrapped(|ui| {
                ui.spacing_mut().item_spacing = vec2(8.0, 10.0);
                for at in 0..scene.run.ids.len() {
                    self.chip_ui(ui, scene, at);
                }
            });
            ui.add_space(space::MEDIUM);
            counts_ui(ui, scene);
            ui.add_space(space::LARGE);
            self.other_ui(ui, scene);
        });
    }

    fn chip_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, at: usize) {
        let Some(label) = scene.labels.get(at) else {
            return;
        };
        let id = scene.run.ids.get(at).copied().unwrap_or_default();
        let (name, has_space, text) = (label.name(), label.has_space, label.text.clone());
        let is_chosen = scene.view.token == at;
        let chip = Chip {
            text: &text,
            has_space,
            id,
            is_chosen,
            is_drawn: at >= scene.run.prompt_len,
            spoken: &format!("{name} at {at}, id {id}"),
        };
        let response = chip.show(ui);
        if response.hovered() {
            self.hovered = Some(at);
        }
        if response.clicked() {
            scene.point(Pointing::Token(at));
        }
        let run = scene.run;
        let all = || {
            let rows = run.ids.iter().zip(&run.texts).enumerate();
            let rows = rows.map(|(at, (id, text))| format!("{at},{id},{}", csv_text(text)));
            format!("position,id,text\n{}", rows.collect::<Vec<_>>().join("\n"))
        };
        copy_menu(
            scene,
            &response,
            &[
                ("Copy the id", &|| id.to_string()),
                ("Copy all as CSV", &all),
            ],
        );
    }

    /// Another text, cut by the same tokenizer.
    fn other_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        if scene.view.is_presenting && self.other.is_empty() {
            return;
        }
        section_ui(ui, "Another text beside it", "");
        let width = ui.available_width().min(460.0);
        field_ui(
            ui,
            "another text",
            "Type the same in other words, or in another language",
            &mut self.other,
            width,
        );
        if self.other.is_empty() {
            return;
        }
        let question = Question::Tokens {
            model: None,
            text: self.other.clone(),
            with_begin: false,
        };
        match scene.ask(&question) {
            Asked::Ready(told) => {
                if let Told::Tokens(tokens) = &*told {
                    other_chips_ui(ui, scene, tokens, &self.other);
                }
            }
            Asked::Waiting => note_ui(ui, "…"),
            Asked::Failed(why) => note_ui(ui, &why),
        }
    }
}

fn other_chips_ui(ui: &mut Ui, scene: &Scene<'_>, tokens: &TextTokens, text: &str) {
    ui.add_space(space::TINY);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(8.0, 10.0);
        for piece in tokens.pieces.iter().take(400) {
            let label = label(&piece.text);
            let chip = Chip {
                text: &label.text,
                has_space: label.has_space,
                id: piece.id,
                // The same id as the chosen token: the same token.
                is_chosen: scene.run.ids.get(scene.view.token) == Some(&piece.id),
                is_drawn: false,
                spoken: &format!("{} in the other text, id {}", label.text, piece.id),
            };
            chip.show(ui);
        }
    });
    ui.add_space(space::SMALL);
    let shared = tokens
        .pieces
        .iter()
        .filter(|piece| scene.run.ids.contains(&piece.id))
        .count();
    let counted = counted(tokens.pieces.len(), text.chars().count());
    note_ui(
        ui,
        &format!("{counted}; {shared} of its tokens occur in the prompt too."),
    );
}

/// How many tokens and characters the prompt has.
fn counts_ui(ui: &mut Ui, scene: &Scene<'_>) {
    let texts = scene
        .run
        .texts
        .get(..scene.run.prompt_len)
        .unwrap_or_default();
    let n_chars: usize = texts.iter().map(|text| text.chars().count()).sum();
    note_ui(
        ui,
        &format!("The prompt: {}.", counted(texts.len(), n_chars)),
    );
    let n_context = scene
        .facts
        .n_context
        .filter(|n| scene.run.ids.len() as u64 > *n);
    if let Some(n) = n_context {
        let n = crate::trace::units::count(n);
        note_ui(
            ui,
            &format!(
                "That is more than the {n} positions that this model was trained for: beyond them its answers make no sense."
            ),
        );
    }
}

fn counted(n_tokens: usize, n_chars: usize) -> String {
    let per = n_chars as f64 / n_tokens.max(1) as f64;
    format!("{n_tokens} tokens for {n_chars} characters, {per:.1} characters a token")
}

/// A token as a card: its text above, its id below.
struct Chip<'a> {
    text: &'a str,
    has_space: bool,
    id: u32,
    is_chosen: bool,
    is_drawn: bool,
    spoken: &'a str,
}

impl Chip<'_> {
    fn show(&self, ui: &mut Ui) -> egui::Response {
        let palette = Palette::of(ui);
        let font = egui::FontId::new(16.0, Type::Label.font().family);
        let mut job = egui::text::LayoutJob::default();
        let dot = egui::TextFormat::simple(font.clone(), palette.faint);
        job.append(if self.has_space { "·" } else { "" }, 0.0, dot);
        let shown: String = self.text.chars().take(40).collect();
        job.append(&shown, 0.0, egui::TextFormat::simple(font, palette.text));
        let text = ui.painter().layout_job(job);
        let id = ui
            .painter()
            .layout_no_wrap(self.id.to_string(), Type::Mono.font(), palette.muted);
        let width = text.size().x.max(id.size().x) + 24.0;
        let (rect, response) = ui.allocate_exact_size(vec2(width, 58.0), Sense::click());
        response.widget_info(|| {
            WidgetInfo::selected(egui::Role::RadioButton, true, self.is_chosen, self.spoken)
        });
        self.paint(ui, rect, &response, text, id);
        response.on_hover_cursor(egui::CursorIcon::PointingHand)
    }

    fn paint(
        &self,
        ui: &Ui,
        rect: Rect,
        response: &egui::Response,
        text: std::sync::Arc<egui::Galley>,
        id: std::sync::Arc<egui::Galley>,
    ) {
        let palette = Palette::of(ui);
        let line = if self.is_chosen {
            palette.ring()
        } else {
            palette.hairline()
        };
        let ground = match self.is_drawn {
            true => palette.wash(Role::Logits, 0.12),
            false => palette.surface,
        };
        let fill = if response.hovered() {
            mix(ground, palette.text, 0.05)
        } else {
            ground
        };
        ui.painter()
            .rect(rect, corner::CARD, fill, line, StrokeKind::Inside);
        crate::ui::controls::focus_ring(ui, response, rect);
        let top = rect.center_top() + vec2(-text.size().x / 2.0, 9.0);
        ui.painter().galley(top, text, palette.text);
        let bottom = rect.center_bottom() + vec2(-id.size().x / 2.0, -9.0 - id.size().y);
        ui.painter().galley(bottom, id, palette.muted);
    }
}
