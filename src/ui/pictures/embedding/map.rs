//! A map of chosen words: the plane in which they differ most, or two axes made of word pairs.

use egui::{Ui, vec2};

use super::scatter::{Dot, Ends, scatter_ui};
use super::{UNRECORDED, word_id};
use crate::engine::question::{Question, Space, Told};
use crate::ui::controls::segmented;
use crate::ui::picture::{Scene, Term, formula_ui, ready_ui};
use crate::ui::pictures::kit::{copy_menu, csv_text, field_ui, note_ui};
use crate::ui::theme::{Palette, Role, Type};
use crate::ui::tokens::visible;
use crate::ui::widgets::heatmap::figure;

/// The words, and the axes that were typed.
pub struct WordMap {
    is_axes: bool,
    words: String,
    foods: String,
    across: String,
    up: String,
    hovered: Option<Dot>,
    /// What the axes show, for the formula.
    told: String,
}

/// Words whose groups one can see on a plane.
const WORDS: &str = "king queen man woman boy girl France Paris Germany Berlin Italy Rome Japan Tokyo dog cat horse bird red blue green yellow one two three four";
/// Words between hot and cold, sweet and savoury.
const FOODS: &str =
    "soup cake ice tea coffee bread pizza salad honey cheese juice rice milk chocolate fish apple";
const ACROSS: &str = "cold hot";
const UP: &str = "savoury sweet";
/// Most words of a map.
const MOST: usize = 64;

impl Default for WordMap {
    fn default() -> Self {
        Self {
            is_axes: false,
            words: WORDS.into(),
            foods: FOODS.into(),
            across: ACROSS.into(),
            up: UP.into(),
            hovered: None,
            told: String::new(),
        }
    }
}

impl WordMap {
    pub fn show(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        self.hovered = None;
        if scene.view.recorded.is_some() {
            return note_ui(ui, UNRECORDED);
        }
        self.controls_ui(ui);
        let typed = if self.is_axes {
            &self.foods
        } else {
            &self.words
        };
        let typed: Vec<String> = typed
            .split_whitespace()
            .take(MOST)
            .map(str::to_owned)
            .collect();
        let (mut ids, mut missing) = (Vec::new(), Vec::new());
        for word in typed {
            match word_id(scene, &word) {
                Some((id, _)) => ids.push(id),
                None => missing.push(word),
            }
        }
        ids.dedup();
        let is_known = scene.link.is_idle();
        if !missing.is_empty() && is_known {
            note_ui(
                ui,
                &format!("No single token here, so left out: {}.", missing.join(", ")),
            );
        }
        if ids.len() < 2 {
            if is_known {
                note_ui(ui, "A map needs two words that are single tokens.");
            }
            return;
        }
        match self.is_axes {
            false => self.plane_ui(ui, scene, ids),
            true => self.axes_ui(ui, scene, ids),
        }
    }

    fn controls_ui(&mut self, ui: &mut Ui) {
        let palette = Palette::of(ui);
        ui.horizontal(|ui| {
            let open = usize::from(self.is_axes);
            if let Some(at) = segmented(ui, "map", &["Widest plane", "Two axes"], open) {
                self.is_axes = at == 1;
            }
            if self.is_axes {
                ui.label(Type::Body.text("across", palette.muted));
                field_ui(
                    ui,
                    "words at the two ends across",
                    "cold hot",
                    &mut self.across,
                    110.0,
                );
                ui.label(Type::Body.text("up", palette.muted));
                field_ui(
                    ui,
                    "words at the two ends up",
                    "savoury sweet",
                    &mut self.up,
                    130.0,
                );
            } else {
                let text = "the two directions in which these rows differ most (PCA)";
                ui.add(egui::Label::new(Type::Body.text(text, palette.muted)).truncate());
            }
        });
        let words = if self.is_axes {
            &mut self.foods
        } else {
            &mut self.words
        };
        let width = ui.available_width() - 18.0;
        field_ui(
            ui,
            "words of the map",
            "Words, with spaces between them",
            words,
            width,
        );
    }

    fn plane_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, ids: Vec<u32>) {
        let question = Question::Plane {
            model: None,
            space: Space::Input,
            ids,
        };
        let asked = scene.ask(&question);
        let Some(told) = ready_ui(ui, asked) else {
            return;
        };
        let Told::Plane(view) = &*told else {
            return;
        };
        let colour = Palette::of(ui).role(Role::Residual);
        let tokens = view.tokens.iter().zip(&view.plane.points);
        let dots: Vec<Dot> = tokens
            .map(|(token, at)| Dot {
                name: visible(token.text.trim()),
                at: *at,
                colour,
            })
            .collect();
        let percent = |share: f64| crate::trace::units::percent(share);
        let [first, second] = view.plane.explained;
        self.told = format!(
            "the plane shows {} of what differs",
            percent(first + second)
        );
        let ends = Ends {
            across: [String::new(), format!("{} of the spread", percent(first))],
            up: [String::new(), format!("{} of the spread", percent(second))],
        };
        self.dots_ui(ui, scene, &dots, &ends);
    }

    fn axes_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, ids: Vec<u32>) {
        let (Some(across), Some(up)) = (pair(scene, &self.across), pair(scene, &self.up)) else {
            if scene.link.is_idle() {
                note_ui(
                    ui,
                    "Each axis needs two words that are single tokens, with a space between them: cold hot.",
                );
            }
            return;
        };
        let question = Question::Axes {
            model: None,
            space: Space::Input,
            axes: vec![vec![across.ids], vec![up.ids]],
            ids,
        };
        let asked = scene.ask(&question);
        let Some(told) = ready_ui(ui, asked) else {
            return;
        };
        let Told::Axes(axes) = &*told else {
            return;
        };
        let [x, y] = axes.as_slice() else {
            return;
        };
        let colour = Palette::of(ui).role(Role::Residual);
        let dots: Vec<Dot> = x
            .iter()
            .zip(y)
            .map(|(x, y)| Dot {
                name: visible(x.token.text.trim()),
                at: [x.place, y.place],
                colour,
            })
            .collect();
        self.told = "the dot product with each axis; 0 lies in the middle of its pair".into();
        let ends = Ends {
            across: [format!("← {}", across.low), format!("{} →", across.high)],
            up: [format!("↓ {}", up.low), format!("↑ {}", up.high)],
        };
        self.dots_ui(ui, scene, &dots, &ends);
    }

    fn dots_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, dots: &[Dot], ends: &Ends) {
        let size = vec2(ui.available_width(), ui.available_height().max(200.0));
        let shown = scatter_ui(ui, "map of words", dots, ends, size);
        self.hovered = shown.hovered.and_then(|at| dots.get(at).cloned());
        let rows = dots
            .iter()
            .map(|dot| format!("{},{},{}", csv_text(&dot.name), dot.at[0], dot.at[1]));
        let copied = format!("word,x,y\n{}", rows.collect::<Vec<_>>().join("\n"));
        copy_menu(
            scene,
            &shown.response,
            &[("Copy the places as CSV", &|| copied.clone())],
        );
    }

    pub fn formula_ui(&self, ui: &mut Ui) {
        let terms = match &self.hovered {
            Some(dot) => vec![
                Term::of(Role::Residual, dot.name.clone()),
                Term::words("across"),
                Term::number(figure(dot.at[0] as f32)),
                Term::words("up"),
                Term::number(figure(dot.at[1] as f32)),
                Term::words(format!("· {}", self.told)),
            ],
            None => vec![Term::words(self.told.clone())],
        };
        formula_ui(ui, &terms, "rows of length 1");
    }
}

/// Two words that make an axis.
struct Pair {
    low: String,
    high: String,
    /// From the second to the first, as the question has it: high, then low.
    ids: (u32, u32),
}

fn pair(scene: &mut Scene<'_>, typed: &str) -> Option<Pair> {
    let mut words = typed.split_whitespace();
    let (low, high) = (words.next()?, words.next()?);
    let ids = (word_id(scene, high)?.0, word_id(scene, low)?.0);
    Some(Pair {
        low: low.to_owned(),
        high: high.to_owned(),
        ids,
    })
}
