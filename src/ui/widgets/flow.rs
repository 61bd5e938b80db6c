//! A text in pieces: each piece has a look of its own, and can be hovered and clicked.

use egui::text::LayoutJob;
use egui::{Response, Sense, TextFormat, Ui, WidgetInfo};

/// A piece of a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// What is written.
    pub text: String,
    /// How.
    pub format: TextFormat,
}

/// What happened to a text in this frame.
#[derive(Debug)]
pub struct FlowResponse {
    /// The whole text.
    pub response: Response,
    /// The piece under the pointer.
    pub hovered: Option<usize>,
    /// The piece that was clicked.
    pub clicked: Option<usize>,
}

/// Shows the pieces as one text that wraps in the width there is. `name` is for those who cannot
/// see it; the text follows it.
pub fn flow_ui(ui: &mut Ui, name: &str, spans: &[Span]) -> FlowResponse {
    let mut job = LayoutJob::default();
    job.wrap.max_width = ui.available_width();
    for span in spans {
        job.append(&span.text, 0.0, span.format.clone());
    }
    let galley = ui.painter().layout_job(job);
    let (rect, response) = ui.allocate_exact_size(galley.size(), Sense::click());
    response.widget_info(|| {
        let text: String = spans.iter().map(|span| span.text.as_str()).collect();
        WidgetInfo::labeled(egui::Role::Label, true, format!("{name}: {text}"))
    });
    let hovered = response.hover_pos().and_then(|pointer| {
        let cursor = galley.cursor_from_pos(pointer - rect.min);
        span_at(spans, cursor.index.0)
    });
    if ui.is_rect_visible(rect) {
        ui.painter().galley(rect.min, galley, egui::Color32::GRAY);
    }
    let clicked = hovered.filter(|_| response.clicked());
    FlowResponse {
        response,
        hovered,
        clicked,
    }
}

/// The piece that holds the character at `index`.
fn span_at(spans: &[Span], index: usize) -> Option<usize> {
    let mut end = 0;
    spans.iter().position(|span| {
        end += span.text.chars().count();
        index < end
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_belongs_to_its_piece() {
        let span = |text: &str| Span {
            text: text.to_owned(),
            format: TextFormat::default(),
        };
        let spans = [span("Ein"), span(""), span(" über"), span("!")];
        let found: Vec<Option<usize>> = [0, 2, 3, 7, 8, 9]
            .map(|index| span_at(&spans, index))
            .into();
        assert_eq!(found, [Some(0), Some(0), Some(2), Some(2), Some(3), None]);
    }
}
