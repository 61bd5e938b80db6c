//! Conversations as they are kept: what was said, how each answer came about, and the branches not taken.
//!
//! A conversation is a file of JSON lines that only grows: each line says one thing that happened, and reading them
//! in order gives the conversation. So a crash loses nothing that was written, and a power cut at most the last
//! second: a line that was cut off is dropped when the file is next opened. An answer keeps its token
//! ids, draws and pass boundaries, so that any word of it can be opened again as the pass that made it.

mod conversation;
mod export;
mod journal;
mod line;
mod open_chat;
mod search;
mod store;
mod trial;

pub use conversation::{Conversation, Message, Reply};
pub use export::{from_json, to_json, to_markdown};
pub use line::{CacheChoice, Line, MessageId, Role, Setup};
pub use open_chat::OpenChat;
pub use search::Hit;
pub use store::{ChatStore, Summary};
pub use trial::{Cell, Measured, Side, Sums, Trial};
