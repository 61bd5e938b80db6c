//! What was said so far.

use crate::tokenizer::Message;
use crate::trace::answer::Answer;

/// A conversation: a system prompt, and questions with their answers.
#[derive(Debug, Default)]
pub struct Conversation {
    /// The system prompt, if there is one.
    pub system: Option<String>,
    /// From the first to the latest.
    pub exchanges: Vec<Exchange>,
}

/// A question and its answer.
#[derive(Debug)]
pub struct Exchange {
    /// What was asked.
    pub question: String,
    /// What was answered, as far as it got.
    pub answer: Answer,
}

impl Conversation {
    /// A conversation before its first question.
    #[must_use]
    pub fn new(system: Option<String>) -> Self {
        Self {
            system,
            exchanges: Vec::new(),
        }
    }

    /// The conversation as messages, with `question` as the last one if given.
    #[must_use]
    pub fn messages(&self, question: Option<&str>) -> Vec<Message> {
        let system = self.system.iter().map(|text| Message::new("system", text));
        let exchanges = self.exchanges.iter().flat_map(|exchange| {
            [
                Message::new("user", &exchange.question),
                Message::new("assistant", &exchange.answer.text),
            ]
        });
        let question = question.iter().map(|text| Message::new("user", *text));
        system.chain(exchanges).chain(question).collect()
    }
}
