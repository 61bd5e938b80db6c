//! The librarian's desk in the window: what is asked of it, and what it told.

use std::sync::mpsc::{Receiver, channel};

use anyhow::Result;

use super::App;
use crate::engine::librarian::Librarian;
use crate::hub::environment::HubEnvironment;
use crate::hub::message::ShelfEvent;
use crate::ui::models::{Next, Search, ShelfCommand};

/// The librarian and the way its answers come.
pub(super) struct Desk {
    librarian: Librarian,
    inbox: Receiver<ShelfEvent>,
}

impl Desk {
    /// A desk in this environment; `wake` asks for a frame.
    pub(super) fn new(environment: HubEnvironment, wake: egui::Context) -> Self {
        let (events, inbox) = channel();
        let report = move |event| {
            // Nobody listens only when the window is closing.
            let _ = events.send(event);
            wake.request_repaint();
        };
        let librarian = Librarian::new(environment, report);
        Self { librarian, inbox }
    }
}

impl App {
    /// Takes in what the librarian told since the last frame.
    pub(super) fn take_shelf_events(&mut self) {
        while let Ok(event) = self.desk.inbox.try_recv() {
            for next in self.shelf.take(event) {
                match next {
                    Next::List => self.list_models(self.shelf.n_positions),
                    Next::Tell(text) => self.messages.tell(text),
                    Next::Complain(why) => self.messages.complain(why),
                }
            }
        }
    }

    /// Carries out what the Models tab asked for.
    pub(super) fn ask_shelf(&mut self, command: ShelfCommand) {
        if let Err(error) = self.try_ask_shelf(command) {
            self.messages.complain(format!("{error:#}"));
        }
    }

    fn try_ask_shelf(&mut self, command: ShelfCommand) -> Result<()> {
        let librarian = &mut self.desk.librarian;
        match command {
            ShelfCommand::List(n_positions) => self.list_models(n_positions),
            ShelfCommand::Choose(key) => self.shelf.chosen = Some(key),
            ShelfCommand::Unfind => self.shelf.search = Search::None,
            ShelfCommand::Find(text) => {
                self.shelf.search = Search::Waiting(text.clone());
                self.shelf.asked();
                librarian.find(&text, self.shelf.n_positions);
            }
            ShelfCommand::LookUp(id) => {
                self.shelf.asked();
                librarian.look_up(&id);
            }
            ShelfCommand::Pull(id) => {
                self.shelf.failures.remove(&id);
                let id = librarian.pull(&id, None)?;
                self.shelf.begin_download(id);
            }
            ShelfCommand::Pause(id) => {
                if let Some(download) = librarian.download(&id) {
                    download.pause();
                }
            }
            ShelfCommand::Stop(id) => {
                if let Some(download) = librarian.download(&id) {
                    download.stop();
                }
            }
            ShelfCommand::Discard(id) => {
                if let Some(download) = librarian.download(&id) {
                    download.discard();
                }
            }
            ShelfCommand::Remove(id) => {
                self.shelf.asked();
                librarian.remove(&id);
            }
            ShelfCommand::Name { name, target } => {
                self.shelf.asked();
                librarian.name(&name, target.as_deref());
            }
        }
        Ok(())
    }

    /// Brings the list up to date, if it was ever asked for: what is free has changed.
    pub(super) fn list_again(&mut self) {
        if !self.shelf.is_new() {
            self.list_models(self.shelf.n_positions);
        }
    }

    fn list_models(&mut self, n_positions: usize) {
        if self.shelf.asks_for_list(n_positions) {
            self.desk.librarian.list(n_positions);
        }
    }
}
