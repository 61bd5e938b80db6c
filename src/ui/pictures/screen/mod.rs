//! To the screen: a chosen id becomes bytes, bytes become text once a character is complete, and
//! the end token is looked for along the answer.

mod answer;
mod ends;
mod steps;
mod way;

use egui::{Rect, Ui, UiBuilder, pos2, vec2};

use crate::trace::debug::Next;
use crate::trace::{Place, View};
use crate::ui::command::{Command, Move};
use crate::ui::picture::{Heading, Picture, Scene, Side, Term, formula_ui};
use crate::ui::spot::Spot;
use crate::ui::theme::{Role, space};
use crate::ui::tokens::visible;
use crate::ui::words::{fill, stages};

use answer::answer_ui;
use ends::ends_ui;
use steps::{hex, steps};
use way::way_ui;

/// The way of the answer to the screen.
pub struct ScreenPicture;

/// Height of the chart of the end token, and the least that it can be read in.
const CHART: f32 = 150.0;
const LEAST_CHART: f32 = 90.0;

impl Picture for ScreenPicture {
    fn heading(&self, scene: &Scene<'_>) -> Heading {
        let pass = scene.view.pass();
        let detail = match (scene.run.next, pass + 1 == scene.run.passes.len()) {
            (Next::Ended, true) => "the answer has ended".to_owned(),
            _ => format!("token {} of the answer", pass + 1),
        };
        Heading {
            title: stages::SCREEN.title.into(),
            detail,
            sentence: stages::SCREEN.sentence.into(),
        }
    }

    fn main_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let steps = steps(scene);
        let room = ui.available_rect_before_wrap();
        let height = (room.height() * 0.36).clamp(LEAST_CHART, CHART);
        let chart = Rect::from_min_max(pos2(room.left(), room.bottom() - height), room.max);
        let top = Rect::from_min_max(room.min, pos2(room.right(), chart.top() - space::LARGE));
        ui.scope_builder(UiBuilder::new().max_rect(top), |ui| {
            // Where there is little room, the list ends where the chart begins.
            ui.set_clip_rect(
                ui.clip_rect()
                    .intersect(top.expand2(vec2(space::LARGE, 0.0))),
            );
            let chosen = steps.iter().find(|step| step.pass == scene.view.pass());
            if let Some(step) = chosen {
                way_ui(ui, step);
            }
            ui.add_space(space::LARGE);
            answer_ui(ui, scene, &steps);
        });
        ui.scope_builder(UiBuilder::new().max_rect(chart), |ui| {
            ends_ui(ui, scene, steps.len());
        });
        ui.advance_cursor_after_rect(room);
    }

    fn formula_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let pass = scene.view.pass();
        let step = steps(scene).into_iter().find(|step| step.pass == pass);
        let Some(step) = step else {
            formula_ui(ui, &[], "");
            return;
        };
        let mut terms = vec![
            Term::words("id"),
            Term::number(step.id.to_string()),
            Term::words("→"),
            Term::number(hex(&step.bytes, 10)),
            Term::words("→"),
        ];
        terms.push(match (step.is_end, step.shown.is_empty()) {
            (true, _) => Term::of(Role::Logits, "an end token: nothing is shown"),
            (false, true) => Term::words("held back: the character is not complete"),
            (false, false) => Term::of(Role::Residual, format!("“{}”", visible(&step.shown))),
        });
        let address = Spot::at(Place::View(View::Screen), Some(pass));
        formula_ui(ui, &terms, &address.to_string());
    }

    fn side(&mut self, scene: &mut Scene<'_>) -> Side {
        let words = &stages::SCREEN;
        let draw = scene.run.passes.get(scene.view.pass());
        let id = draw.and_then(|pass| Some(pass.draw.as_ref()?.token.to_string()));
        let values = [("id", id.as_deref().unwrap_or("…"))];
        let ends: Vec<String> = scene
            .run
            .end_tokens
            .iter()
            .map(|end| visible(&end.text))
            .collect();
        let mut tries = Vec::new();
        if scene.run.next != Next::Ended {
            tries.push(("The next token".to_owned(), Command::Move(Move::Token)));
            tries.push(("Run to the end".to_owned(), Command::Move(Move::End)));
        }
        Side {
            happens: fill(words.happens, &values),
            look_for: words.look_for.into(),
            does_not_say: words.not_said.unwrap_or_default().into(),
            tries,
            check: None,
            meta: vec![format!("end tokens: {}", ends.join(" ")), "UTF-8".into()],
        }
    }
}
