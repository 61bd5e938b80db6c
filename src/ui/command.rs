//! What a picture or a bar may ask for. Commands are collected while a frame is drawn, and carried
//! out after it.

use super::chat::ChatCommand;
use super::lessons::LessonCommand;
use super::models::ShelfCommand;
use super::present::PresentCommand;
use super::share::Share;
use super::spot::Spot;
use super::state::{Depth, Mode, Overlay};
use crate::engine::message::CacheOptions;
use crate::settings::{PromptSettings, ThemeChoice};
use crate::trace::Address;
use crate::trace::debug::{Breakpoint, DebugCommand};

/// One wish.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Show this, computed or not.
    Look(Spot),
    /// Show this; run to it first if it has not been computed.
    Go(Spot),
    /// Move along the pass.
    Move(Move),
    /// Tell the run something, whatever is on view.
    Tell(DebugCommand),
    /// Point at something: every picture follows.
    Point(Pointing),
    /// Open another tab of the picture on view.
    Tab(String),
    /// How far one step goes.
    Depth(Depth),
    /// Another mode.
    Mode(Mode),
    /// Run this prompt from the beginning.
    Open(PromptSettings),
    /// Run the prompt with its keys and values kept in another way.
    Cache(CacheOptions),
    /// Run the prompt with another model.
    Model(String),
    /// Ask something about models.
    Shelf(ShelfCommand),
    /// Stop at these.
    Breakpoints(Vec<Breakpoint>),
    /// Show or close a sheet over the window.
    Overlay(Option<Overlay>),
    /// Step by itself, or stop doing so.
    Play(bool),
    /// Steps per second while it steps by itself.
    Speed(f32),
    /// Light, dark, or as the system has it.
    Theme(ThemeChoice),
    /// The size of everything, 1 is normal.
    Scale(f32),
    /// Things move when they change, or jump.
    Motion(bool),
    /// Show the rail, or hide it.
    Rail,
    /// Show the side panel, or hide it.
    Side,
    /// Enlarge the picture for a room, or go back.
    Present(bool),
    /// The size of everything before a room, 1 is normal.
    PresentScale(f32),
    /// Something about presenting.
    Presenting(PresentCommand),
    /// Something about lessons; it opens their page.
    Lesson(LessonCommand),
    /// Open the step of a lesson that explains such a place.
    Why(Address),
    /// Share something, or open what was shared.
    Share(Share),
    /// Stop what is under way.
    Cancel,
    /// Close a message.
    Dismiss(u64),
    /// Put text on the clipboard.
    Copy(String),
    /// Change the chat.
    Chat(Box<ChatCommand>),
}

/// Moves along the pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    /// To the next station.
    Step,
    /// To the one before.
    Back,
    /// Over the rest of this block.
    Layer,
    /// To the logits of the next token.
    Token,
    /// To the end of the text.
    End,
    /// To the beginning.
    Rewind,
    /// Into the block ahead: steps become smaller.
    Into,
    /// Out of it: steps become larger.
    Out,
}

/// What one points at. A picture that shows such a thing marks it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pointing {
    /// A position of the text.
    Token(usize),
    /// The position that is read; none if `None`.
    Key(Option<usize>),
    /// A head of the block on view.
    Head(usize),
    /// A head that shows more than others, while nobody has chosen one.
    SuggestHead(usize),
    /// A block.
    Layer(usize),
    /// The cell under the pointer: a hook with its whole index.
    Hover(Option<Address>),
    /// The cell that stays chosen when the pointer leaves.
    Lock(Option<Address>),
}
