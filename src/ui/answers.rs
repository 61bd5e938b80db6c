//! Questions asked and answers told: each question goes out once, and what was told is kept until
//! the run it belongs to changes.

use std::sync::Arc;

use crate::engine::message::{CancelToken, RequestId};

/// What became of a question.
#[derive(Debug, Clone)]
pub enum Asked<A> {
    /// The answer.
    Ready(Arc<A>),
    /// Not yet.
    Waiting,
    /// There is none, and why.
    Failed(Arc<str>),
}

impl<A> Asked<A> {
    /// The answer, if it is there.
    #[must_use]
    pub fn ready(self) -> Option<Arc<A>> {
        match self {
            Self::Ready(answer) => Some(answer),
            Self::Waiting | Self::Failed(_) => None,
        }
    }
}

/// Every question of a run, with what became of it.
#[derive(Debug)]
pub struct Answers<Q, A> {
    entries: Vec<Entry<Q, A>>,
    frame: u64,
}

#[derive(Debug)]
struct Entry<Q, A> {
    question: Q,
    request: RequestId,
    cancel: CancelToken,
    answer: Asked<A>,
    /// The frame in which it was asked last.
    asked_in: u64,
    /// The run has gone on since: shown until the new answer is there.
    is_old: bool,
    /// Memory that the answer takes.
    n_bytes: usize,
}

/// What is known of a question.
#[derive(Debug)]
pub struct Known<A> {
    /// What became of it.
    pub answer: Asked<A>,
    /// Whether it should be asked once more.
    pub is_old: bool,
}

/// Most answers kept; those not asked for longest go first.
const N_KEPT: usize = 400;
/// Most memory that answers may take; what is on view is kept in any case.
const BYTES_KEPT: usize = 256 << 20;
/// A question that nobody asked again in so many frames is no longer wanted.
const PATIENCE: u64 = 20;

impl<Q, A> Default for Answers<Q, A> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            frame: 0,
        }
    }
}

impl<Q: PartialEq, A> Answers<Q, A> {
    /// What is known of `question`, if it was asked.
    pub fn get(&mut self, question: &Q) -> Option<Known<A>> {
        let frame = self.frame;
        let mut entries = self.entries.iter_mut();
        let entry = entries.find(|entry| entry.question == *question)?;
        entry.asked_in = frame;
        let answer = match &entry.answer {
            Asked::Ready(answer) => Asked::Ready(Arc::clone(answer)),
            Asked::Waiting => Asked::Waiting,
            Asked::Failed(why) => Asked::Failed(Arc::clone(why)),
        };
        Some(Known {
            answer,
            is_old: entry.is_old,
        })
    }

    /// The request that `question` went out as last.
    #[must_use]
    pub fn request(&self, question: &Q) -> Option<RequestId> {
        let mut entries = self.entries.iter();
        let entry = entries.find(|entry| entry.question == *question)?;
        Some(entry.request)
    }

    /// Notes that `question` went out as `request`; an old answer stays until the new one comes.
    pub fn asked(&mut self, question: Q, request: RequestId, cancel: CancelToken) {
        let mut entries = self.entries.iter_mut();
        if let Some(entry) = entries.find(|entry| entry.question == question) {
            entry.is_old = false;
            entry.request = request;
            entry.cancel = cancel;
            return;
        }
        if self.entries.len() >= N_KEPT {
            let oldest = self.entries.iter().map(|entry| entry.asked_in).min();
            self.entries.retain(|entry| {
                Some(entry.asked_in) != oldest || matches!(entry.answer, Asked::Waiting)
            });
        }
        self.entries.push(Entry {
            question,
            request,
            cancel,
            answer: Asked::Waiting,
            asked_in: self.frame,
            is_old: false,
            n_bytes: 0,
        });
    }

    /// Takes in an answer of `n_bytes`. Returns whether the question is still there.
    pub fn told(&mut self, request: RequestId, answer: Result<A, String>, n_bytes: usize) -> bool {
        let mut entries = self.entries.iter_mut();
        let Some(entry) = entries.find(|entry| entry.request == request) else {
            return false;
        };
        entry.answer = match answer {
            Ok(answer) => Asked::Ready(Arc::new(answer)),
            Err(why) => Asked::Failed(why.into()),
        };
        entry.n_bytes = n_bytes;
        self.keep_within(BYTES_KEPT);
        true
    }

    /// Lets go of answers that nobody asked for lately until the rest fits into `budget` bytes.
    fn keep_within(&mut self, budget: usize) {
        let mut total: usize = self.entries.iter().map(|entry| entry.n_bytes).sum();
        // Both this frame and the one before: what is on view is asked for in every frame.
        let lately = self.frame.saturating_sub(1);
        while total > budget {
            let idle = self.entries.iter().enumerate();
            let idle = idle.filter(|(_, entry)| entry.n_bytes > 0 && entry.asked_in < lately);
            let Some((place, _)) = idle.min_by_key(|(_, entry)| entry.asked_in) else {
                return;
            };
            total -= self.entries.swap_remove(place).n_bytes;
        }
    }

    /// Drops a question that was cancelled: if it is wanted again, it is asked again.
    pub fn drop_request(&mut self, request: RequestId) {
        self.entries.retain(|entry| entry.request != request);
    }

    /// Nothing that was told to questions like these holds any more.
    pub fn forget(&mut self, like: impl Fn(&Q) -> bool) {
        for entry in self.entries.iter().filter(|entry| like(&entry.question)) {
            entry.cancel.cancel();
        }
        self.entries.retain(|entry| !like(&entry.question));
    }

    /// The run has gone on: what was told to questions like these still holds, but there may be
    /// more to tell; what failed may work now.
    pub fn renew(&mut self, like: impl Fn(&Q) -> bool) {
        let failed = |entry: &Entry<Q, A>| matches!(entry.answer, Asked::Failed(_));
        self.entries.retain(|entry| !failed(entry));
        for entry in self
            .entries
            .iter_mut()
            .filter(|entry| like(&entry.question))
        {
            entry.is_old = true;
        }
    }

    /// Begins a frame, and cancels what nobody has asked for lately.
    pub fn begin_frame(&mut self) {
        self.frame += 1;
        for entry in &self.entries {
            let is_waiting = matches!(entry.answer, Asked::Waiting);
            if is_waiting && entry.asked_in + PATIENCE < self.frame {
                entry.cancel.cancel();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(answers: &mut Answers<u32, u32>, question: u32) -> CancelToken {
        let cancel = CancelToken::default();
        answers.asked(question, RequestId(u64::from(question)), cancel.clone());
        cancel
    }

    fn known(answers: &mut Answers<u32, u32>, question: u32) -> Option<u32> {
        let ready = answers.get(&question)?.answer.ready();
        ready.map(|answer| *answer)
    }

    #[test]
    fn an_answer_is_kept_until_the_run_changes() {
        let mut answers = Answers::default();
        asked(&mut answers, 1);
        assert_eq!(known(&mut answers, 1), None);
        assert!(answers.told(RequestId(1), Ok(42), 8));
        assert_eq!(known(&mut answers, 1), Some(42));
        answers.forget(|_| true);
        assert!(answers.get(&1).is_none());
        assert!(
            !answers.told(RequestId(1), Ok(43), 8),
            "a stale answer is dropped"
        );
    }

    #[test]
    fn an_old_answer_is_shown_until_the_new_one_comes() {
        let mut answers = Answers::default();
        asked(&mut answers, 1);
        answers.told(RequestId(1), Ok(42), 8);
        answers.renew(|_| true);
        assert!(answers.get(&1).unwrap().is_old);
        answers.asked(1, RequestId(9), CancelToken::default());
        assert!(!answers.get(&1).unwrap().is_old);
        assert_eq!(known(&mut answers, 1), Some(42));
        answers.told(RequestId(9), Ok(43), 8);
        assert_eq!(known(&mut answers, 1), Some(43));
    }

    #[test]
    fn what_failed_is_asked_again_once_the_run_has_gone_on() {
        let mut answers: Answers<u32, u32> = Answers::default();
        asked(&mut answers, 1);
        answers.told(RequestId(1), Err("not computed yet".into()), 8);
        assert!(answers.get(&1).is_some());
        answers.renew(|_| false);
        assert!(answers.get(&1).is_none());
    }

    #[test]
    fn large_answers_that_nobody_looks_at_are_let_go() {
        let mut answers: Answers<u32, u32> = Answers::default();
        for question in 1..=3 {
            asked(&mut answers, question);
            answers.told(RequestId(u64::from(question)), Ok(question), 100);
            answers.begin_frame();
            answers.begin_frame();
        }
        answers.get(&1);
        answers.keep_within(250);
        assert!(answers.get(&1).is_some() && answers.get(&3).is_some());
        assert!(answers.get(&2).is_none());
        answers.keep_within(50);
        assert!(answers.get(&1).is_some(), "what is on view stays");
    }

    #[test]
    fn a_question_that_nobody_repeats_is_cancelled() {
        let mut answers: Answers<u32, u32> = Answers::default();
        let (kept, left) = (asked(&mut answers, 1), asked(&mut answers, 2));
        for _ in 0..PATIENCE + 2 {
            answers.begin_frame();
            answers.get(&1);
        }
        assert!(!kept.is_cancelled() && left.is_cancelled());
        answers.drop_request(RequestId(2));
        assert!(answers.get(&2).is_none());
    }
}
