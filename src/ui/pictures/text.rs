//! Text: what the model is given, before it is cut into tokens.

use egui::Ui;

use crate::trace::{Place, View};
use crate::ui::command::Command;
use crate::ui::controls::{card, words};
use crate::ui::picture::{Heading, Picture, Scene, Side, Term, formula_ui};
use crate::ui::spot::Spot;
use crate::ui::state::Overlay;
use crate::ui::theme::{Palette, Role, Type, space};
use crate::ui::tokens::visible;

/// The prompt as it was typed and as the model reads it.
pub struct TextPicture;

impl Picture for TextPicture {
    fn heading(&self, scene: &Scene<'_>) -> Heading {
        let detail = match scene.settings.prompt.is_chat {
            true => "a message in the model's chat template",
            false => "raw, as it was typed",
        };
        Heading {
            title: "Text".into(),
            detail: detail.into(),
            sentence: "Everything begins with a string of characters. The model goes on with it, token by token.".into(),
        }
    }

    fn main_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let palette = Palette::of(ui);
        let texts = scene
            .run
            .texts
            .get(..scene.run.prompt_len)
            .unwrap_or_default();
        egui::ScrollArea::vertical()
            .auto_shrink([false, false])
            .show(ui, |ui| {
                card(ui)
                    .inner_margin(egui::Margin::same(20))
                    .show(ui, |ui| {
                        ui.set_width(ui.available_width());
                        let mut job = egui::text::LayoutJob::default();
                        job.wrap.max_width = ui.available_width();
                        for text in texts {
                            // Special tokens are set off: they are not text that someone wrote.
                            let is_special = text.starts_with("<|") && text.ends_with("|>");
                            let colour = if is_special {
                                palette.role(Role::Attention)
                            } else {
                                palette.text
                            };
                            let mut format = egui::TextFormat::simple(
                                egui::FontId::new(17.0, Type::Body.font().family),
                                colour,
                            );
                            format.line_height = Some(27.0);
                            job.append(text, 0.0, format);
                        }
                        ui.label(job);
                    });
                ui.add_space(space::SMALL);
                let first = scene
                    .run
                    .likeliest
                    .first()
                    .map(|token| visible(token.text.trim()));
                let told = match first {
                    Some(first) => format!("After it, the model finds **{first}** likeliest."),
                    None => "What the model would say next is not computed yet.".to_owned(),
                };
                ui.label(words(&told, Type::Body, Type::Strong, palette.muted));
            });
    }

    fn formula_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let prompt = scene
            .run
            .texts
            .get(..scene.run.prompt_len)
            .unwrap_or_default()
            .concat();
        let terms = [
            Term::number(prompt.chars().count().to_string()),
            Term::words("characters"),
            Term::number(prompt.len().to_string()),
            Term::words("bytes in UTF-8"),
            Term::words("→"),
            Term::result(Role::Residual, scene.run.prompt_len.to_string()),
            Term::words("tokens"),
        ];
        formula_ui(ui, &terms, "text");
    }

    fn side(&mut self, scene: &mut Scene<'_>) -> Side {
        let happens = match scene.settings.prompt.is_chat {
            true => {
                "A chat model was trained on conversations written in one fixed form. The template puts what you typed into that form; the **set-off marks** are special tokens."
            }
            false => {
                "The model gets exactly these characters and guesses how they go on. It was made to continue text; a chat is text as well, in a form it knows."
            }
        };
        let tokens = Command::Go(Spot::at(Place::View(View::Tokens), None));
        Side {
            happens: happens.into(),
            look_for: "Every space and line break counts. The model never sees letters: the next stop cuts the text into tokens.".into(),
            tries: vec![
                ("Your own text".into(), Command::Overlay(Some(Overlay::Prompt))),
                ("See its tokens".into(), tokens),
            ],
            meta: vec![format!("{} of {} positions", scene.run.ids.len(), scene.facts.n_context.unwrap_or_default())],
            ..Side::default()
        }
    }
}
