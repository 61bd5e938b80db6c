//! A word in other forms, and into how many tokens each of them falls.

use egui::{Align2, Rect, Sense, Ui, WidgetInfo, pos2, vec2};

use super::spelling::spelled;
use crate::engine::question::{Question, Told, Variant, Word, WordKind};
use crate::ui::answers::Asked;
use crate::ui::picture::Scene;
use crate::ui::pictures::kit::section_ui;
use crate::ui::theme::{Palette, Role, Type, space};

/// The word on view in other forms.
pub(super) fn variants_ui(ui: &mut Ui, scene: &mut Scene<'_>, word: &Word) {
    let bare: String = spelled(&word.text).trim_start_matches('·').to_owned();
    // Of a sign or a line break there is no form with a capital.
    if !bare.chars().any(char::is_alphanumeric) || word.kind == WordKind::Added {
        return;
    }
    section_ui(ui, "Same word, other tokens", "");
    let mut forms = Vec::new();
    for text in [bare.as_str(), "🔥"] {
        let question = Question::Variants {
            model: None,
            word: text.to_owned(),
        };
        if let Asked::Ready(told) = scene.ask(&question)
            && let Told::Variants(variants) = &*told
        {
            let most = if text == "🔥" { 1 } else { 6 };
            forms.extend(variants.iter().take(most).cloned());
        }
    }
    ui.spacing_mut().item_spacing.y = 1.0;
    for form in &forms {
        variant_ui(ui, form);
    }
}

fn variant_ui(ui: &mut Ui, form: &Variant) {
    let palette = Palette::of(ui);
    let n = form.pieces.len();
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 24.0), Sense::hover());
    let ids: Vec<String> = form
        .pieces
        .iter()
        .map(|piece| piece.id.to_string())
        .collect();
    let told = format!(
        "“{}”: {n} {}",
        form.text,
        if n == 1 { "token" } else { "tokens" }
    );
    response.widget_info(|| WidgetInfo::labeled(egui::Role::Label, true, &told));
    let painter = ui.painter();
    let y = rect.center().y;
    let text = format!("“{}”", form.text);
    let name = painter.layout_no_wrap(text, Type::Mono.font(), palette.text);
    let start = rect.left() + 150.0_f32.max(name.size().x + space::MEDIUM);
    painter.galley(
        pos2(rect.left(), y - name.size().y / 2.0),
        name,
        palette.text,
    );
    for at in 0..n.min(24) {
        let block = Rect::from_min_size(pos2(start + at as f32 * 28.0, y - 6.0), vec2(25.0, 12.0));
        painter.rect_filled(
            block,
            3.0,
            palette.role(Role::Residual).gamma_multiply(0.55),
        );
    }
    let x = start + n.min(24) as f32 * 28.0 + space::SMALL;
    let count = painter.layout_no_wrap(
        format!("{n} {}", if n == 1 { "token" } else { "tokens" }),
        Type::Body.font(),
        palette.muted,
    );
    let width = count.size().x;
    painter.galley(pos2(x, y - count.size().y / 2.0), count, palette.muted);
    let shown: Vec<String> = ids.iter().take(8).cloned().collect();
    let place = pos2(x + width + space::MEDIUM, y);
    painter.text(
        place,
        Align2::LEFT_CENTER,
        shown.join(" "),
        Type::MonoSmall.font(),
        palette.muted,
    );
}
