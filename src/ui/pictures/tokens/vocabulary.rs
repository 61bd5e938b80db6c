//! The vocabulary, to leaf through and to search.

use std::sync::Arc;

use egui::{Sense, Ui, WidgetInfo, vec2};

use super::hex;
use super::line::Line;
use crate::engine::question::{Entry, Question, Told};
use crate::ui::answers::Asked;
use crate::ui::command::Pointing;
use crate::ui::controls::Button;
use crate::ui::picture::{Scene, Term, formula_ui};
use crate::ui::pictures::kit::{copy_menu, field_ui, note_ui};
use crate::ui::theme::{Palette, Role, Type, space};

/// What is searched for, and the entry under the pointer.
#[derive(Default)]
pub struct Leaves {
    query: String,
    jump: Option<usize>,
    hovered: Option<Entry>,
}

const ROW: f32 = 26.0;
/// Entries that are asked for at once.
const PAGE: usize = 128;
/// Most entries of a search.
const MOST_FOUND: usize = 300;

impl Leaves {
    pub fn show(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        self.hovered = None;
        let id = scene.run.ids.get(scene.view.token).copied();
        ui.horizontal(|ui| {
            field_ui(
                ui,
                "search the vocabulary",
                "Search by text or id",
                &mut self.query,
                240.0,
            );
            if let Some(id) = id
                && Button::new(&format!("Go to “{}”", scene.name(scene.view.token)))
                    .show(ui, space::TARGET)
                    .clicked()
            {
                self.query.clear();
                self.jump = Some(id as usize);
            }
        });
        ui.add_space(space::TINY);
        match self.query.is_empty() {
            true => self.all_ui(ui, scene, id),
            false => self.found_ui(ui, scene, id),
        }
    }

    /// All of it, page by page as they come into sight.
    fn all_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, chosen: Option<u32>) {
        let n = match self.n_entries(scene) {
            Ok(n) => n,
            Err(why) => return note_ui(ui, &why),
        };
        let height = ROW - ui.spacing().item_spacing.y;
        let mut scroll = egui::ScrollArea::vertical().auto_shrink([false, false]);
        if let Some(row) = self.jump.take() {
            scroll = scroll.vertical_scroll_offset((row as f32 - 3.0).max(0.0) * ROW);
        }
        scroll.show_rows(ui, height, n, |ui, rows| {
            for at in rows {
                let start = at / PAGE * PAGE;
                let question = Question::Vocabulary {
                    model: None,
                    page: start..start + PAGE,
                };
                let entry = scene.ask(&question).ready().and_then(|told| match &*told {
                    Told::Vocabulary(found) => found.entries.get(at - start).cloned(),
                    _ => None,
                });
                self.row_ui(ui, scene, entry.as_ref(), chosen);
            }
        });
    }

    /// How many tokens there are, or why that is not known.
    fn n_entries(&self, scene: &mut Scene<'_>) -> Result<usize, Arc<str>> {
        let question = Question::Vocabulary {
            model: None,
            page: 0..PAGE,
        };
        let told = match scene.ask(&question) {
            Asked::Failed(why) => return Err(why),
            asked => asked.ready(),
        };
        Ok(match told.as_deref() {
            Some(Told::Vocabulary(found)) => found.n_found,
            _ => 0,
        })
    }

    fn found_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, chosen: Option<u32>) {
        let question = Question::SearchVocabulary {
            model: None,
            text: self.query.clone(),
            limit: MOST_FOUND,
        };
        let told = match scene.ask(&question) {
            Asked::Ready(told) => told,
            Asked::Waiting => return,
            Asked::Failed(why) => return note_ui(ui, &why),
        };
        let Told::Vocabulary(found) = &*told else {
            return;
        };
        let shown = found.entries.len();
        let told = match (found.n_found, shown) {
            (0, _) => {
                "No token holds this text. A rarer word is made of several tokens: see Merges."
                    .to_owned()
            }
            (n, shown) if n > shown => format!("{n} tokens hold this text; the first {shown}:"),
            (n, _) => format!(
                "{n} {} this text.",
                if n == 1 { "token holds" } else { "tokens hold" }
            ),
        };
        note_ui(ui, &told);
        let height = ROW - ui.spacing().item_spacing.y;
        let scroll = egui::ScrollArea::vertical().auto_shrink([false, false]);
        scroll
            .id_salt("found")
            .show_rows(ui, height, shown, |ui, rows| {
                for at in rows {
                    self.row_ui(ui, scene, found.entries.get(at), chosen);
                }
            });
    }

    fn row_ui(
        &mut self,
        ui: &mut Ui,
        scene: &mut Scene<'_>,
        entry: Option<&Entry>,
        chosen: Option<u32>,
    ) {
        let palette = Palette::of(ui);
        let size = vec2(ui.available_width(), ROW - ui.spacing().item_spacing.y);
        let (rect, response) = ui.allocate_exact_size(size, Sense::click());
        let Some(entry) = entry else {
            response
                .widget_info(|| WidgetInfo::labeled(egui::Role::ListItem, true, "not read yet"));
            return;
        };
        let is_chosen = chosen == Some(entry.id);
        response.widget_info(|| {
            let text = format!("id {}: {}", entry.id, entry.text);
            WidgetInfo::selected(egui::Role::ListItem, true, is_chosen, text)
        });
        let line = Line::new(ui, rect, &response, is_chosen);
        line.token(entry.id, &entry.text, [64.0, 82.0], 28);
        let bytes = hex(&entry.bytes, 10);
        line.put(300.0, &bytes, Type::MonoSmall, palette.muted);
        if entry.is_special {
            let note = "special token";
            line.put_right(line.width() - 8.0, note, Type::Small, palette.muted);
        }
        if response.hovered() {
            self.hovered = Some(entry.clone());
        }
        if response.clicked()
            && let Some(at) = scene.run.ids.iter().position(|id| *id == entry.id)
        {
            scene.point(Pointing::Token(at));
        }
        let (id, text) = (entry.id.to_string(), entry.text.clone());
        copy_menu(
            scene,
            &response,
            &[
                ("Copy the id", &|| id.clone()),
                ("Copy the text", &|| text.clone()),
            ],
        );
    }

    pub fn formula_ui(&self, ui: &mut Ui) {
        let Some(entry) = &self.hovered else {
            formula_ui(
                ui,
                &[Term::words(
                    "Point at a token to see how the file writes it. A click finds it in the text.",
                )],
                "",
            );
            return;
        };
        let terms = [
            Term::words("id"),
            Term::result(Role::Residual, entry.id.to_string()),
            Term::words("written"),
            Term::number(entry.written.clone()),
            Term::words(format!("{} bytes", entry.bytes.len())),
            Term::number(hex(&entry.bytes, 10)),
        ];
        formula_ui(ui, &terms, "tokenizer.json");
    }
}
