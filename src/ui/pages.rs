//! The pages of modes: what belongs to their widgets alone, between two frames.

use super::chat::ChatPage;
use super::lessons::LessonsPage;

/// What the pages of the modes remember between two frames.
#[derive(Default)]
pub struct Pages {
    /// Of the chat.
    pub chat: ChatPage,
    /// Of the lessons.
    pub lessons: LessonsPage,
}
