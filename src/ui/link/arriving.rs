//! Events as they arrive: who gets each, and what the end of a request changes.

use std::sync::Arc;

use super::changes::is_about_the_run;
use super::{Link, News, Purpose};
use crate::engine::message::{Event, RequestId};
use crate::engine::question::Question;
use crate::trace::debug::RunState;
use crate::ui::weigh;

impl Link {
    pub(super) fn take(&mut self, id: RequestId, event: Event) {
        let Some(pending) = self.pending.get_mut(&id) else {
            return;
        };
        let purpose = pending.purpose;
        if let (Purpose::Guest { session, .. }, true) =
            (purpose, !matches!(event, Event::Notice(_)))
        {
            if self.keep_for(session, id, event) {
                self.pending.remove(&id);
            }
            return;
        }
        match event {
            Event::Prefill { done, total } | Event::Progress { done, total } => {
                pending.progress = Some((done, total));
            }
            Event::Notice(text) => self.news.push(News::Notice(text)),
            Event::Loaded { .. } | Event::Started { .. } | Event::Token { .. } => {}
            ending => {
                self.pending.remove(&id);
                self.end(id, purpose, ending);
            }
        }
    }

    /// Takes in the last event of a request.
    fn end(&mut self, id: RequestId, purpose: Purpose, event: Event) {
        if purpose.is_of_other() {
            self.other.end(id, purpose, event);
            if purpose == Purpose::Other {
                self.answers
                    .forget(|question| matches!(question, Question::Compare { .. }));
            }
            return;
        }
        match event {
            Event::Run(state) => self.stand(purpose, *state),
            Event::Traced(trace) => self.news.push(News::Traced(trace)),
            Event::Told(told) => {
                let n_bytes = weigh::n_bytes(&told);
                self.answers.told(id, Ok(*told), n_bytes);
            }
            Event::Failed(why) if purpose == Purpose::Question => {
                self.answers.told(id, Err(why), 0);
            }
            // The engine has lost the run with the session: open it again, and go to where it stood.
            Event::Failed(_) if purpose == Purpose::Resume => self.reopen(),
            Event::Failed(why) if purpose == Purpose::Open => {
                self.news.push(News::NotOpened(why));
                self.keep_the_one_before();
            }
            // It is at work for someone: it goes when that is done and another one is loaded.
            Event::Failed(_) if purpose == Purpose::Unload => {}
            Event::Failed(why) if purpose == Purpose::Record => {
                self.news.push(News::NotTraced(why));
            }
            Event::Cancelled if purpose == Purpose::Record => {
                self.news
                    .push(News::NotTraced("it was cancelled".to_owned()));
            }
            Event::Failed(why) => {
                let what = purpose.what();
                self.news.push(News::Failed { what, why });
                if matches!(purpose, Purpose::Command { .. }) {
                    // Where it stands now, or that it is gone.
                    self.resume();
                }
            }
            Event::Cancelled if purpose == Purpose::Open && self.opening.is_some() => {
                self.news
                    .push(News::NotOpened("it was cancelled".to_owned()));
                self.keep_the_one_before();
            }
            Event::Cancelled => self.answers.drop_request(id),
            _ => {}
        }
    }

    fn stand(&mut self, purpose: Purpose, state: RunState) {
        let state = Arc::new(state);
        let before = self.run.replace(Arc::clone(&state));
        let is_other = before.is_some_and(|before| before.version != state.version);
        if purpose == Purpose::Open {
            self.answers.forget(|_| true);
            if let Some(request) = self.opening.take() {
                self.opened = Some(request);
            }
            self.news.push(News::Opened(state));
            return;
        }
        match purpose == (Purpose::Command { undoes: true }) || is_other {
            true => self.answers.forget(is_about_the_run),
            false => self.answers.renew(is_about_the_run),
        }
        self.news.push(News::Run(state));
    }

    /// What was to be opened is not: the run before goes on, also where its memory was given up for the other.
    fn keep_the_one_before(&mut self) {
        if self.opening.take().is_some() && self.opened.is_some() {
            self.resume();
        }
    }
}
