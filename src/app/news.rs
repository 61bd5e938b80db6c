//! News of the engine: a run was opened or not, it stands elsewhere, something did not work.

use std::sync::Arc;

use super::{App, BUILT_IN};
use crate::engine::question::{Question, Told};
use crate::trace::debug::RunState;
use crate::ui::answers::Asked;
use crate::ui::facts::ModelFacts;
use crate::ui::link::News;
use crate::ui::state::Mode;
use crate::ui::tokens;

impl App {
    pub(super) fn take_news(&mut self, ctx: &egui::Context) {
        let news = self.link.begin_frame();
        self.take_chat_news();
        let has_moved = news.iter().any(|news| matches!(news, News::Run(_)));
        for news in news {
            match news {
                News::Opened(run) => self.opened(run),
                News::Run(run) => self.stands(run),
                News::NotOpened(why) => self.not_opened(&why),
                News::Notice(text) => self.messages.tell(text),
                News::NotTraced(why) => {
                    self.not_traced();
                    self.messages.failed("put the run into a file", &why);
                }
                News::Traced(trace) => self.traced(ctx, trace),
                News::Failed { what, why } => {
                    self.target = None;
                    self.view.is_playing = false;
                    self.messages.failed(what, &why);
                }
            }
        }
        if self.run.is_some() && self.facts.n_layers == 0 {
            self.learn_facts();
        } else if has_moved {
            self.arrive();
        }
        self.take_aim();
    }

    /// Asks what the model is, and goes on once that is known.
    pub(super) fn learn_facts(&mut self) {
        if let Asked::Ready(told) = self.link.ask(&Question::Family { model: None })
            && let Told::Family(family) = &*told
        {
            self.facts = ModelFacts::of(family);
            self.arrive();
        }
    }

    fn opened(&mut self, run: Arc<RunState>) {
        self.facts = ModelFacts::default();
        self.before_view = None;
        let before = self.opened_model.replace(self.model.clone());
        if self.shelf.loading.take().is_some() {
            self.settings.model = Some(self.model.name.clone());
            self.save();
            // The model that was exchanged is given up by everyone, so that its memory is free.
            if let Some(before) = before.filter(|before| *before != self.model) {
                self.link.unload(before);
            }
            self.list_again();
        }
        let is_other = self.chat.state.model != self.model.name;
        self.chat.note_model(&self.model.name);
        if is_other {
            self.count_again();
        }
        let last = run.ids.len().saturating_sub(1);
        self.view.token = self.aim.token.unwrap_or(last).min(last);
        self.view.locked = None;
        self.labels = tokens::labels(&run.texts);
        self.run = Some(run);
        if let Some(steps) = self.first_steps.take() {
            let target = self.target.clone();
            self.run_first(steps, target.as_ref());
        }
        self.learn_facts();
    }

    /// The run before stays. At the first start there is none: the model inside the program steps in.
    fn not_opened(&mut self, why: &str) {
        if self.view.mode == Mode::Lessons && self.school.is_at_bench() {
            self.lesson_run_failed(why);
            return;
        }
        self.target = None;
        self.shelf.loading = None;
        self.back_from_view();
        self.messages.failed("open the run", why);
        match (&self.run, &self.opened_model) {
            (Some(_), Some(model)) => self.model = model.clone(),
            _ if self.model.name != BUILT_IN => {
                BUILT_IN.clone_into(&mut self.model.name);
                self.settings.model = None;
                self.messages
                    .tell(format!("The model {BUILT_IN} is shown instead."));
                self.open_run();
            }
            _ => {}
        }
    }

    fn stands(&mut self, run: Arc<RunState>) {
        let old_len = self.labels.len();
        let was_last = self.view.token + 1 >= old_len;
        if run.texts.len() != old_len {
            self.labels = tokens::labels(&run.texts);
        }
        if was_last || self.view.token >= run.ids.len() {
            self.view.token = run.ids.len().saturating_sub(1);
        }
        let stopped_by = run.stopped_by.clone();
        self.run = Some(run);
        self.follow_token();
        self.settle_token();
        if let Some(stopped_by) = stopped_by {
            self.stop_at(&stopped_by);
        }
    }
}
