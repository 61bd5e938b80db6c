//! The scene: what a picture draws from, and how it asks for more.

use std::ops::Range;

use crate::engine::question::{Question, Told};
use crate::settings::Settings;
use crate::trace::debug::RunState;
use crate::trace::{Address, Hook, HostTensor, Place};
use crate::ui::answers::Asked;
use crate::ui::chat::ChatState;
use crate::ui::command::{Command, Pointing};
use crate::ui::facts::ModelFacts;
use crate::ui::lessons::{Board, OpenLesson};
use crate::ui::link::Link;
use crate::ui::models::Shelf;
use crate::ui::present::Talk;
use crate::ui::spot::{PictureKind, Spot};
use crate::ui::state::{Depth, Mode, ViewState};
use crate::ui::tokens::TokenLabel;
use crate::ui::walk;

/// Everything a picture may look at, and the way to ask for more.
pub struct Scene<'a> {
    /// Where the run stands.
    pub run: &'a RunState,
    /// What the model is.
    pub facts: &'a ModelFacts,
    /// What is looked at; change it with [`Scene::send`].
    pub view: &'a ViewState,
    /// What people chose.
    pub settings: &'a Settings,
    /// What is known of models.
    pub shelf: &'a Shelf,
    /// How the text's tokens are written, position by position.
    pub labels: &'a [TokenLabel],
    /// The conversations.
    pub chat: &'a ChatState,
    /// Lessons, and how far one has come.
    pub board: &'a Board,
    /// The prepared stops of a talk.
    pub talk: &'a Talk,
    /// Where questions go.
    pub link: &'a mut Link,
    /// Where wishes are collected.
    pub commands: &'a mut Vec<Command>,
}

impl Scene<'_> {
    /// Asks the engine; call it every frame, the question goes out once.
    pub fn ask(&mut self, question: &Question) -> Asked<Told> {
        self.link.ask(question)
    }

    /// The value at an address.
    pub fn value(&mut self, address: &Address) -> Asked<HostTensor> {
        self.link.value(address)
    }

    /// The value at `hook` of the pass on view.
    pub fn value_at(&mut self, hook: Hook) -> Asked<HostTensor> {
        self.link.value(&self.address(hook))
    }

    /// The address of `hook` in the pass on view.
    #[must_use]
    pub fn address(&self, hook: Hook) -> Address {
        Spot::at(Place::Hook(hook), Some(self.view.pass())).address
    }

    /// Whether a lesson asks for what the picture could tell: then it shows, and says nothing.
    #[must_use]
    pub fn keeps_quiet(&self) -> bool {
        let open = self.board.open.as_ref();
        let waits = open.is_some_and(|open| open.waiting().is_some());
        self.view.is_quiet || (self.view.mode == Mode::Lessons && waits)
    }

    /// Asks for a change.
    pub fn send(&mut self, command: Command) {
        self.commands.push(command);
    }

    /// Points at something, in every picture.
    pub fn point(&mut self, pointing: Pointing) {
        self.commands.push(Command::Point(pointing));
    }

    /// Whether the run has come to `spot`.
    #[must_use]
    pub fn is_computed(&self, spot: &Spot) -> bool {
        walk::is_computed(self.run, spot)
    }

    /// How far a step goes from what is on view.
    #[must_use]
    pub fn depth(&self) -> Depth {
        walk::depth_at(self.view.depth, &self.view.spot)
    }

    /// First position of the pass on view, and how many it runs over.
    #[must_use]
    pub fn pass_range(&self) -> Range<usize> {
        let pass = self.run.passes.get(self.view.pass());
        pass.map_or(0..0, |pass| pass.start..pass.start + pass.n_pos)
    }

    /// The row of the pass on view that the chosen token stands in; its last if the token stands
    /// in another pass.
    #[must_use]
    pub fn row(&self) -> usize {
        let range = self.pass_range();
        match range.contains(&self.view.token) {
            true => self.view.token - range.start,
            false => range.len().saturating_sub(1),
        }
    }

    /// The position of [`Scene::row`].
    #[must_use]
    pub fn position(&self) -> usize {
        self.pass_range().start + self.row()
    }

    /// Whether a question of a lesson asks for what the formula, and the cells, would tell.
    #[must_use]
    pub fn hides_numbers(&self) -> bool {
        let is_told = self.view.is_presenting && self.view.present.shows_answer;
        let open = self.board.open.as_ref();
        let open = open.filter(|_| self.view.mode == Mode::Lessons && !is_told);
        open.is_some_and(OpenLesson::hides_formula)
    }

    /// How the token at `position` is written.
    #[must_use]
    pub fn name(&self, position: usize) -> String {
        self.labels
            .get(position)
            .map(TokenLabel::name)
            .unwrap_or_default()
    }

    /// The token at `position` within a sentence: what is no word stands in quotes.
    #[must_use]
    pub fn said(&self, position: usize) -> String {
        self.labels
            .get(position)
            .map(TokenLabel::said)
            .unwrap_or_default()
    }

    /// The open one of a picture's tabs, as its place among them.
    #[must_use]
    pub fn tab(&self, tabs: &[&str]) -> usize {
        let picture = self.view.picture().unwrap_or(PictureKind::Text);
        self.view.tab(picture, tabs)
    }

    /// The same with another one before one was chosen.
    #[must_use]
    pub fn tab_or(&self, tabs: &[&str], default: usize) -> usize {
        let picture = self.view.picture().unwrap_or(PictureKind::Text);
        self.view.tab_or(picture, tabs, default)
    }
}
