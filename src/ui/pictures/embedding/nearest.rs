//! The tokens whose rows point the same way.

use egui::Ui;

use super::{id, word_id};
use crate::engine::question::{Question, Space, Told, Vector};
use crate::trace::measure::space::Neighbour;
use crate::ui::answers::Asked;
use crate::ui::controls::segmented;
use crate::ui::picture::{Scene, Term, formula_ui, ready_ui};
use crate::ui::pictures::kit::{copy_menu, csv_text, field_ui, note_ui, section_ui};
use crate::ui::theme::{Palette, Role, space};
use crate::ui::tokens::{label, visible};
use crate::ui::widgets::heatmap::figure;
use crate::ui::widgets::{Bar, Bars, chip_ui};

/// Whose neighbours are shown.
#[derive(Default)]
pub struct Nearest {
    word: String,
    /// A neighbour that was clicked; the chosen token if `None`.
    centre: Option<(u32, String)>,
    space: Space,
    hovered: Option<Neighbour>,
    shown_for: String,
}

const N: usize = 24;

impl Nearest {
    pub fn show(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        self.hovered = None;
        let (centre, name) = self.centre(scene);
        self.controls_ui(ui, scene, &name);
        self.shown_for.clone_from(&name);
        let question = Question::Nearest {
            model: None,
            space: self.space,
            to: Vector::Token(centre),
            k: N,
        };
        let asked = scene.ask(&question);
        let Some(told) = ready_ui(ui, asked) else {
            return;
        };
        let Told::Neighbours(neighbours) = &*told else {
            return;
        };
        ui.add_space(space::TINY);
        section_ui(
            ui,
            &format!("Nearest to “{}”", name.trim()),
            &format!("id {centre}"),
        );
        let scroll = egui::ScrollArea::vertical().auto_shrink([false, false]);
        scroll.show(ui, |ui| {
            if let Some(at) = bars_ui(ui, scene, "nearest tokens", neighbours, &mut self.hovered)
                && let Some(neighbour) = neighbours.get(at)
            {
                self.word.clear();
                self.centre = Some((neighbour.token.id, neighbour.token.text.clone()));
            }
        });
    }

    /// Whose row is in the middle, and how it is written.
    fn centre(&mut self, scene: &mut Scene<'_>) -> (u32, String) {
        if !self.word.trim().is_empty()
            && let Some((id, text)) = word_id(scene, self.word.trim())
        {
            self.centre = Some((id, text));
        }
        self.centre
            .clone()
            .unwrap_or_else(|| (id(scene), scene.name(scene.position())))
    }

    fn controls_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, name: &str) {
        ui.horizontal(|ui| {
            field_ui(ui, "another word", "Another word", &mut self.word, 150.0);
            if self.centre.is_some()
                && chip_ui(
                    ui,
                    &format!("Back to “{}”", scene.name(scene.position())),
                    false,
                )
                .clicked()
            {
                self.centre = None;
                self.word.clear();
            }
            let open = usize::from(self.space == Space::Output);
            if let Some(at) = segmented(ui, "space", &["As it is read", "As it is written"], open) {
                self.space = if at == 0 { Space::Input } else { Space::Output };
            }
        });
        let typed = self.word.trim().to_owned();
        if !typed.is_empty() && name.trim() != typed {
            note_ui(
                ui,
                &format!(
                    "“{typed}” is no single token here: it is made of several, and has no row of its own."
                ),
            );
        }
    }

    pub fn formula_ui(&self, ui: &mut Ui) {
        let Some(neighbour) = &self.hovered else {
            formula_ui(
                ui,
                &[Term::words(
                    "Point at a token to see the cosine; a click puts it in the middle.",
                )],
                "",
            );
            return;
        };
        let terms = [
            Term::words("cos("),
            Term::of(Role::Residual, visible(self.shown_for.trim())),
            Term::words(","),
            Term::of(Role::Residual, visible(neighbour.token.text.trim())),
            Term::words(") ="),
            Term::result(Role::Query, figure(neighbour.cosine as f32)),
        ];
        formula_ui(
            ui,
            &terms,
            &format!("rows of the table, id {}", neighbour.token.id),
        );
    }
}

/// Tokens as bars as long as their cosines. Returns the one that was clicked.
pub fn bars_ui(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    name: &str,
    neighbours: &[Neighbour],
    hovered: &mut Option<Neighbour>,
) -> Option<usize> {
    let colour = Palette::of(ui).role(Role::Residual);
    let bar = |neighbour: &Neighbour| {
        let label = label(&neighbour.token.text);
        let name = if label.has_space {
            format!("·{}", label.text)
        } else {
            label.text
        };
        let mut bar = Bar::new(
            name,
            neighbour.cosine as f32,
            figure(neighbour.cosine as f32),
            colour,
        );
        bar.second = neighbour.token.id.to_string();
        bar
    };
    let bars: Vec<Bar> = neighbours.iter().map(bar).collect();
    let inner = ui.scope(|ui| Bars::new(name, &bars).longest(1.0).line(20.0).show(ui));
    let shown = inner.inner;
    if let Some(at) = shown.hovered {
        *hovered = neighbours.get(at).cloned();
    }
    let rows = neighbours
        .iter()
        .map(|n| format!("{},{},{}", n.token.id, csv_text(&n.token.text), n.cosine));
    let copied = format!("id,text,cosine\n{}", rows.collect::<Vec<_>>().join("\n"));
    copy_menu(
        scene,
        &inner.response,
        &[("Copy the list as CSV", &|| copied.clone())],
    );
    shown.clicked
}

/// The answer of a question that gives neighbours, with its state drawn where there is none.
pub fn neighbours(ui: &mut Ui, asked: Asked<Told>) -> Option<Vec<Neighbour>> {
    match &*ready_ui(ui, asked)? {
        Told::Neighbours(neighbours) => Some(neighbours.clone()),
        _ => None,
    }
}
