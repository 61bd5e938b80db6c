//! Text: what the model is given to read, exactly as it is written, with the marks of the template.

mod messages;
mod pieces;
mod specials;

use egui::Ui;

use super::kit::{self, note_ui};
use super::shared::whole_characters;
use crate::engine::question::{
    Message, Question, SegmentKind, TemplateView, TextPiece, TextTokens, Told,
};
use crate::settings::PromptSettings;
use crate::trace::{Place, View};
use crate::ui::answers::Asked;
use crate::ui::command::{Command, Pointing};
use crate::ui::controls::card;
use crate::ui::picture::{Heading, Picture, Scene, Side, Term, formula_ui};
use crate::ui::roles::{messages, template};
use crate::ui::spot::Spot;
use crate::ui::state::Overlay;
use crate::ui::theme::{Palette, Role, Type, space};
use crate::ui::tokens::visible;
use crate::ui::widgets::{Span, flow_ui};
use crate::ui::words::stages;

use messages::messages_ui;
use pieces::{blocks, format_of, kind_of, shown, tip};
use specials::specials_ui;

/// The prompt as it was typed and as the model reads it.
#[derive(Default)]
pub struct TextPicture {
    /// The token under the pointer.
    hovered: Option<usize>,
}

const TABS: [&str; 3] = ["As it is read", "Messages", "Special tokens"];

/// The text that the model reads, and whether its own begin token comes before it; `None` while it
/// is not known.
pub(super) fn text_read(scene: &mut Scene<'_>) -> Option<(String, bool)> {
    if scene.chat.visit.is_some() {
        // The run reads the ids of a conversation; the prompt of the settings is another one.
        let texts = scene.run.texts.iter().take(scene.run.prompt_len);
        return Some((texts.cloned().collect(), false));
    }
    let prompt = scene.settings.prompt.clone();
    if !prompt.is_chat {
        return Some((prompt.text, true));
    }
    let told = scene.ask(&template(&prompt)).ready()?;
    match &*told {
        Told::Template(view) => Some((view.rendered.text.clone(), false)),
        _ => None,
    }
}

/// The prompt's tokens as the tokenizer tells them; `None` while they are not known.
pub(super) fn tokens_read(scene: &mut Scene<'_>) -> Asked<Told> {
    match text_read(scene) {
        Some((text, with_begin)) => scene.ask(&Question::Tokens {
            model: None,
            text,
            with_begin,
        }),
        None => Asked::Waiting,
    }
}

impl Picture for TextPicture {
    fn heading(&self, scene: &Scene<'_>) -> Heading {
        let detail = match scene.settings.prompt.is_chat {
            true => "a message in the model's chat template",
            false => "raw, as it was typed",
        };
        kit::heading(&stages::TEXT, detail)
    }

    fn tabs(&self) -> &'static [&'static str] {
        &TABS
    }

    fn main_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        self.hovered = None;
        let scroll = egui::ScrollArea::vertical().auto_shrink([false, false]);
        scroll.show(ui, |ui| match scene.tab(&TABS) {
            0 => self.read_ui(ui, scene),
            1 => messages_ui(ui, scene),
            _ => specials_ui(ui, scene),
        });
    }

    fn formula_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let Some((text, _)) = text_read(scene) else {
            formula_ui(
                ui,
                &[Term::words("The template is being filled in …")],
                "text",
            );
            return;
        };
        let at = self.hovered.unwrap_or(scene.view.token);
        let mut terms = vec![
            Term::number(text.chars().count().to_string()),
            Term::words("characters,"),
            Term::number(text.len().to_string()),
            Term::words("bytes in UTF-8 →"),
            Term::result(Role::Residual, scene.run.prompt_len.to_string()),
            Term::words("tokens"),
        ];
        if let Some(token) = scene.run.texts.get(at) {
            terms.push(Term::words("· the marked one is"));
            terms.push(Term::of(Role::Residual, format!("“{}”", visible(token))));
        }
        formula_ui(ui, &terms, &format!("tokens[{at}]"));
    }

    fn side(&mut self, scene: &mut Scene<'_>) -> Side {
        let mut side = kit::side(&stages::TEXT, &[]);
        let prompt = &scene.settings.prompt;
        if !prompt.is_chat {
            side.look_for = stages::RAW_TEXT_LOOK_FOR.into();
        }
        let other = PromptSettings {
            is_chat: !prompt.is_chat,
            ..prompt.clone()
        };
        let name = if other.is_chat {
            "As a chat"
        } else {
            "Raw text"
        };
        side.tries = vec![
            (
                "Your own text".into(),
                Command::Overlay(Some(Overlay::Prompt)),
            ),
            (name.into(), Command::Open(other)),
            (
                "See its tokens".into(),
                Command::Go(Spot::at(Place::View(View::Tokens), None)),
            ),
        ];
        let context = scene.facts.n_context.map_or(String::new(), |n| {
            format!(" of {} positions", crate::trace::units::count(n))
        });
        side.meta = vec![format!("{} tokens{context}", scene.run.ids.len())];
        side
    }
}

impl TextPicture {
    /// The whole text; a click chooses the token under the pointer.
    fn read_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let prompt = scene.settings.prompt.clone();
        if prompt.is_chat {
            let asked = scene.ask(&template(&prompt));
            let Some(told) = crate::ui::picture::ready_ui(ui, asked) else {
                return;
            };
            if let Told::Template(view) = &*told {
                plain_form_ui(ui, view);
                self.chat_ui(ui, scene, view, &messages(&prompt));
            }
        } else {
            let asked = tokens_read(scene);
            let Some(told) = crate::ui::picture::ready_ui(ui, asked) else {
                return;
            };
            if let Told::Tokens(tokens) = &*told {
                self.raw_ui(ui, scene, tokens);
            }
        }
        order_note_ui(ui, scene);
        next_ui(ui, scene);
    }

    fn raw_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, tokens: &TextTokens) {
        large_card(ui, |ui| {
            let kinds = tokens.pieces.iter().map(|piece| kind_of(piece, &[]));
            self.pieces_ui(ui, scene, &tokens.pieces, 0, kinds.collect());
        });
    }

    /// A card per message, with the role at its edge.
    fn chat_ui(
        &mut self,
        ui: &mut Ui,
        scene: &mut Scene<'_>,
        view: &TemplateView,
        messages: &[Message],
    ) {
        for block in blocks(view) {
            let role = match block.message.and_then(|at| messages.get(at)) {
                Some(message) => message.role.as_str(),
                None if block.is_last => "the answer begins here",
                None => "added by the template",
            };
            let palette = Palette::of(ui);
            ui.label(Type::Caption.text(role, palette.muted));
            ui.add_space(-4.0);
            large_card(ui, |ui| {
                let pieces = view.pieces.get(block.pieces.clone()).unwrap_or_default();
                let kinds = pieces
                    .iter()
                    .map(|piece| kind_of(piece, &view.rendered.segments));
                self.pieces_ui(ui, scene, pieces, block.pieces.start, kinds.collect());
            });
        }
    }

    fn pieces_ui(
        &mut self,
        ui: &mut Ui,
        scene: &mut Scene<'_>,
        pieces: &[TextPiece],
        first: usize,
        kinds: Vec<SegmentKind>,
    ) {
        let palette = Palette::of(ui);
        let chosen = scene.view.token;
        let groups = whole_characters(pieces);
        let spans: Vec<Span> = groups
            .iter()
            .map(|group| {
                let tokens = pieces.get(group.clone()).unwrap_or_default();
                let text = shown(tokens);
                let is_chosen = (first + group.start..first + group.end).contains(&chosen);
                let kind = kinds.get(group.start).copied();
                Span {
                    // No empty line at the end of a card.
                    text: match group.end == pieces.len() {
                        true => text.trim_end_matches('\n').to_owned(),
                        false => text,
                    },
                    format: format_of(palette, kind.unwrap_or(SegmentKind::Content), is_chosen),
                }
            })
            .collect();
        let flow = flow_ui(ui, "text", &spans);
        let position = |at: usize| first + groups.get(at).map_or(0, |group| group.start);
        if let Some(at) = flow.hovered {
            self.hovered = Some(position(at));
            let group = groups.get(at).cloned().unwrap_or_default();
            let tokens = pieces.get(group).unwrap_or_default();
            let tip = tip(position(at), tokens);
            flow.response.clone().on_hover_text_at_pointer(tip);
        }
        if let Some(at) = flow.clicked {
            scene.point(Pointing::Token(position(at)));
        }
        let copy = || spans.iter().map(|span| span.text.as_str()).collect();
        kit::copy_menu(scene, &flow.response, &[("Copy this text", &copy)]);
    }
}

fn large_card(ui: &mut Ui, add: impl FnOnce(&mut Ui)) {
    let frame = card(ui).inner_margin(egui::Margin::symmetric(20, 16));
    frame.show(ui, |ui| {
        ui.set_width(ui.available_width());
        add(ui);
    });
}

/// Where the model has no template of its own.
fn plain_form_ui(ui: &mut Ui, view: &TemplateView) {
    if !view.is_own {
        note_ui(
            ui,
            "This model brings no chat template, so the plain form “User: … Assistant:” stands in for it. The run goes on; a model that was never trained on chats may still answer oddly.",
        );
    }
}

/// Scripts that run from right to left are read in the order of their bytes.
fn order_note_ui(ui: &mut Ui, scene: &Scene<'_>) {
    let from_right =
        |letter: char| matches!(letter as u32, 0x0590..=0x08FF | 0xFB1D..=0xFDFF | 0xFE70..=0xFEFF);
    if scene.settings.prompt.text.chars().any(from_right) {
        note_ui(
            ui,
            "Letters that are written from right to left are shown that way. The model reads their bytes in the order in which they are typed.",
        );
    }
}

/// What the model would say next, once it is known.
fn next_ui(ui: &mut Ui, scene: &Scene<'_>) {
    let palette = Palette::of(ui);
    ui.add_space(space::TINY);
    let first = scene.run.likeliest.first();
    let told = match first {
        Some(first) => format!(
            "After it, the model finds **{}** likeliest.",
            visible(first.text.trim())
        ),
        None => "What the model would say next is not computed yet.".to_owned(),
    };
    let job = crate::ui::controls::words(&told, Type::Body, Type::Strong, palette.muted);
    ui.label(job);
}
