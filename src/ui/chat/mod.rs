//! The chat's page: a list of conversations, the one that is open, the composer, and the settings
//! of the next answer.
//!
//! The page draws from [`ChatState`], which the app owns, and asks for changes with
//! [`ChatCommand`]s. What only the page needs, such as the text being typed and the heights of what
//! was laid out, is in [`ChatPage`].

mod attachments;
mod command;
mod composer;
mod figures;
mod gauge;
mod list;
mod markdown;
mod message;
mod notices;
mod row_menu;
mod scroll;
mod side;
mod state;
mod talk;
pub mod tokens;
mod trial;
mod visit;

use egui::{CentralPanel, Key, Modifiers, Panel, Ui};

use super::command::Command;
use super::frame::margins;
use super::picture::Scene;

pub use attachments::{Attached, Attachment};
pub use command::{ChatCommand, ExportForm};
pub use composer::Composer;
pub use gauge::LONG_TEXT;
pub use markdown::Markdown;
pub use state::{ChatState, Found, NextModel, Undo, Writing};
pub use talk::Talk;
pub use trial::TrialState;
pub use visit::{Visit, VisitAt, visit_ui};

/// Below this width the settings give their room to the talk.
const NARROW: f32 = 860.0;

/// What the page remembers between two frames.
#[derive(Default)]
pub struct ChatPage {
    /// The text being typed.
    pub composer: Composer,
    /// The messages, as they were laid out.
    pub talk: Talk,
    list: list::ListPage,
    trial: trial::TrialPage,
    side: side::SidePage,
}

impl ChatPage {
    /// Leaves what is being edited, renamed or looked for; what was said stays as it was. Returns
    /// whether something was looked for.
    pub fn leave(&mut self) -> bool {
        self.talk.editing = None;
        self.list.renaming = None;
        self.composer.wants_focus = true;
        !std::mem::take(&mut self.list.search).is_empty()
    }
}

impl Scene<'_> {
    /// Asks for a change of the chat.
    pub fn tell_chat(&mut self, command: ChatCommand) {
        self.send(Command::Chat(Box::new(command)));
    }
}

/// Draws the page.
pub fn chat_ui(ui: &mut Ui, scene: &mut Scene<'_>, page: &mut ChatPage) {
    read_keys(ui, scene, page);
    let room = ui.available_width();
    if !scene.view.is_presenting {
        let list = Panel::left("chat-list")
            .default_size(220.0)
            .size_range(160.0..=340.0)
            .frame(margins(ui, 12, 12));
        list.show(ui, |ui| list::list_ui(ui, scene, &mut page.list));
    }
    // The table has settings of its own.
    let has_side = scene.settings.side && !scene.view.is_presenting && !scene.chat.shows_trial;
    if has_side && room >= NARROW {
        let side = Panel::right("chat-side")
            .default_size(250.0)
            .size_range(220.0..=380.0)
            .frame(margins(ui, 16, 16));
        side.show(ui, |ui| side::side_ui(ui, scene, &mut page.side));
    }
    if scene.chat.shows_trial {
        trial::trial_ui(ui, scene, &mut page.trial);
        return;
    }
    let composer = Panel::bottom("chat-composer")
        .resizable(false)
        .show_separator_line(false)
        .frame(margins(ui, 20, 14));
    let composer = composer.show(ui, |ui| {
        composer::composer_ui(ui, scene, &mut page.composer, &mut page.talk);
    });
    page.composer.height = composer.response.rect.height();
    let talk = CentralPanel::default().frame(margins(ui, 0, 0));
    talk.show(ui, |ui| talk::talk_ui(ui, scene, page));
}

/// Keys that work while one types, too.
fn read_keys(ui: &Ui, scene: &mut Scene<'_>, page: &mut ChatPage) {
    if scene.view.overlay.is_some() {
        return;
    }
    let pressed = |modifiers, key| ui.input_mut(|input| input.consume_key(modifiers, key));
    if pressed(Modifiers::COMMAND, Key::N) {
        scene.tell_chat(ChatCommand::New);
        page.composer.wants_focus = true;
    }
    if scene.chat.writing.is_some() && pressed(Modifiers::NONE, Key::Escape) {
        scene.tell_chat(ChatCommand::Stop);
        // The key takes the keyboard from the field.
        page.composer.wants_focus = true;
    }
}
