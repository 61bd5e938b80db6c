//! Tokens: the text cut into pieces that each have a number.

use egui::{Sense, StrokeKind, Ui, WidgetInfo, vec2};

use crate::engine::question::{Question, TextPiece, Told};
use crate::ui::answers::Asked;
use crate::ui::command::Pointing;
use crate::ui::picture::{Heading, Picture, Scene, Side, Term, formula_ui};
use crate::ui::theme::{Palette, Role, Type, corner};

/// One chip per token, with its id and its bytes.
pub struct TokensPicture;

impl Picture for TokensPicture {
    fn heading(&self, scene: &Scene<'_>) -> Heading {
        Heading {
            title: "Tokens".into(),
            detail: format!("{} tokens, from a vocabulary of {}", scene.run.ids.len(), crate::trace::units::count(scene.facts.vocab_size as u64)),
            sentence: "The text is cut into pieces that the model knows by number. From here on there are only numbers.".into(),
        }
    }

    fn main_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        egui::ScrollArea::vertical()
            .auto_shrink([false, false])
            .show(ui, |ui| {
                ui.horizontal_wrapped(|ui| {
                    ui.spacing_mut().item_spacing = vec2(8.0, 12.0);
                    for at in 0..scene.run.ids.len() {
                        chip_ui(ui, scene, at);
                    }
                });
            });
    }

    fn formula_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let at = scene.view.token;
        let id = scene.run.ids.get(at).copied().unwrap_or_default();
        let mut terms = vec![Term::of(
            Role::Residual,
            format!(
                "“{}”",
                scene
                    .labels
                    .get(at)
                    .map(|label| label.text.clone())
                    .unwrap_or_default()
            ),
        )];
        if let Some(piece) = piece(scene, at) {
            let bytes: Vec<String> = piece
                .bytes
                .iter()
                .take(12)
                .map(|byte| format!("{byte:02X}"))
                .collect();
            terms.push(Term::words("bytes"));
            terms.push(Term::number(bytes.join(" ")));
        }
        terms.push(Term::words("→ id"));
        terms.push(Term::result(Role::Residual, id.to_string()));
        formula_ui(ui, &terms, &format!("tokens[{at}]"));
    }

    fn side(&mut self, scene: &mut Scene<'_>) -> Side {
        Side {
            happens: format!("The tokenizer knows {} pieces. A common word is one piece, a rare one is several. It looks at letters, not at meaning.", crate::trace::units::count(scene.facts.vocab_size as u64)),
            look_for: "The faint dot is a space: it belongs to the word after it, and a word with it has another id than without.".into(),
            meta: vec![format!("{} tokens", scene.run.ids.len())],
            ..Side::default()
        }
    }
}

/// What the tokenizer says of the token at `at`; `None` while it is not known, or for a generated one.
fn piece(scene: &mut Scene<'_>, at: usize) -> Option<TextPiece> {
    if scene.settings.prompt.is_chat {
        return None;
    }
    let question = Question::Tokens {
        model: None,
        text: scene.settings.prompt.text.clone(),
        with_begin: true,
    };
    let Asked::Ready(told) = scene.ask(&question) else {
        return None;
    };
    match &*told {
        Told::Tokens(tokens) => tokens.pieces.get(at).cloned(),
        _ => None,
    }
}

fn chip_ui(ui: &mut Ui, scene: &mut Scene<'_>, at: usize) {
    let palette = Palette::of(ui);
    let Some(label) = scene.labels.get(at) else {
        return;
    };
    let name = label.name();
    let dot = if label.has_space { "·" } else { "" };
    let mut job = egui::text::LayoutJob::default();
    let font = egui::FontId::new(16.0, Type::Label.font().family);
    job.append(
        dot,
        0.0,
        egui::TextFormat::simple(font.clone(), palette.faint),
    );
    job.append(
        &label.text,
        0.0,
        egui::TextFormat::simple(font, palette.text),
    );
    let text = ui.painter().layout_job(job);
    let id = scene
        .run
        .ids
        .get(at)
        .map(ToString::to_string)
        .unwrap_or_default();
    let id = ui
        .painter()
        .layout_no_wrap(id, Type::Mono.font(), palette.muted);
    let width = text.size().x.max(id.size().x) + 24.0;
    let (rect, response) = ui.allocate_exact_size(vec2(width, 58.0), Sense::click());
    let is_chosen = scene.view.token == at;
    response.widget_info(|| {
        WidgetInfo::selected(
            egui::Role::RadioButton,
            true,
            is_chosen,
            format!("{name} at {at}"),
        )
    });
    let line = if is_chosen {
        palette.ring()
    } else {
        palette.hairline()
    };
    ui.painter().rect(
        rect,
        corner::CARD,
        palette.surface,
        line,
        StrokeKind::Inside,
    );
    let top = rect.center_top() + vec2(-text.size().x / 2.0, 9.0);
    ui.painter().galley(top, text, palette.text);
    let bottom = rect.center_bottom() + vec2(-id.size().x / 2.0, -9.0 - id.size().y);
    ui.painter().galley(bottom, id, palette.muted);
    if response
        .on_hover_cursor(egui::CursorIcon::PointingHand)
        .clicked()
    {
        scene.point(Pointing::Token(at));
    }
}
