//! Questions: a picture asks every frame, the question goes out once, and the answer is kept.

use std::sync::Arc;

use super::{Link, Purpose};
use crate::engine::message::Action;
use crate::engine::question::{Question, Seen, Told};
use crate::trace::{Address, HostTensor};
use crate::ui::answers::{Asked, Known};

impl Link {
    /// The answer to `question`, as far as it is known. Ask every frame; it goes out once.
    pub fn ask(&mut self, question: &Question) -> Asked<Told> {
        let known = self.answers.get(question);
        if let Some(Known {
            answer,
            is_old: false,
        }) = known
        {
            if let Asked::Failed(why) = &answer {
                self.refused = Some(Arc::clone(why));
            }
            return answer;
        }
        let ask = Action::Ask(Box::new(question.clone()));
        if let Some((id, cancel)) = self.send(Purpose::Question, ask) {
            self.answers.asked(question.clone(), id, cancel);
        }
        known.map_or(Asked::Waiting, |known| known.answer)
    }

    /// Why a question found no answer since this was last asked, if one did.
    pub fn take_refusal(&mut self) -> Option<Arc<str>> {
        self.refused.take()
    }

    /// The value at `address`, as far as it is known.
    pub fn value(&mut self, address: &Address) -> Asked<HostTensor> {
        let told = match self.ask(&Question::Values(vec![address.clone()])) {
            Asked::Ready(told) => told,
            Asked::Waiting => return Asked::Waiting,
            Asked::Failed(why) => return Asked::Failed(why),
        };
        let Told::Values(seen) = &*told else {
            return Asked::Failed("the engine answered another question".into());
        };
        match seen.first() {
            // Cheap: a tensor shares its values.
            Some(Seen {
                value: Ok(value), ..
            }) => Asked::Ready(Arc::new(value.clone())),
            Some(Seen {
                value: Err(why), ..
            }) => {
                let why: Arc<str> = why.as_str().into();
                self.refused = Some(Arc::clone(&why));
                Asked::Failed(why)
            }
            None => Asked::Failed("nothing was seen there".into()),
        }
    }

    /// How far the answer to `question` has come: done and to do, where the engine tells.
    #[must_use]
    pub fn progress(&self, question: &Question) -> Option<(usize, usize)> {
        let request = self.answers.request(question)?;
        self.pending.get(&request)?.progress
    }

    /// Stops the work on `question`; asked again, it begins anew.
    pub fn cancel_question(&mut self, question: &Question) {
        let request = self.answers.request(question);
        if let Some(pending) = request.and_then(|request| self.pending.get(&request)) {
            pending.cancel.cancel();
        }
    }
}
