//! From a word of an answer into the pass that chose it, and back.

use super::App;
use super::answer::{Head, Plan};
use crate::app::aim::Aim;
use crate::chat::{Message, MessageId, Reply};
use crate::engine::message::{CacheOptions, OpenRequest};
use crate::trace::answer::{Answer, CacheSize, GeneratedToken, Speed, StopReason, TopToken};
use crate::trace::debug::{PassState, RunState};
use crate::trace::{Place, Stage, View};
use crate::ui::chat::{ChatCommand, Visit, VisitAt};
use crate::ui::spot::Spot;
use crate::ui::state::{Depth, Mode};

impl App {
    /// Opens the pass that chose a token.
    pub(super) fn inspect(&mut self, id: MessageId, number: usize) {
        let Some(token) = self.reply_of(id).and_then(|reply| reply.tokens.get(number)) else {
            return;
        };
        let at = VisitAt::Token(number, token.text.clone());
        let spot = Spot::at(Place::Stage(Stage::Logits), Some(number));
        self.visit_answer(id, at, spot, number.checked_sub(1));
    }

    /// Opens a paused answer before the pass of its newest token.
    pub(super) fn inspect_next(&mut self, id: MessageId) {
        let n_tokens = self.reply_of(id).map_or(0, |reply| reply.tokens.len());
        let spot = match n_tokens.checked_sub(1) {
            Some(newest) => Spot::at(Place::View(View::Screen), Some(newest)),
            None => Spot::at(Place::View(View::Text), None),
        };
        self.visit_answer(id, VisitAt::Pause, spot, n_tokens.checked_sub(1));
    }

    /// Opens a run that makes an answer again. `token` of the answer is pointed at, or the last one
    /// of its prompt.
    fn visit_answer(&mut self, id: MessageId, at: VisitAt, spot: Spot, token: Option<usize>) {
        let chat = &self.chat.state;
        let (Some(reply), Some(open)) = (self.reply_of(id), chat.open.as_ref()) else {
            return;
        };
        let answer = answer_of(reply);
        let visit = Visit {
            conversation: open.id().to_owned(),
            title: open.conversation().title(),
            message: id,
            at,
        };
        let cache = CacheOptions {
            max_size: reply.setup.cache.max_size,
            bits: reply.setup.cache.bits,
        };
        let (model, revision) = (reply.setup.model.clone(), reply.setup.revision.clone());
        let n_before = answer.prompt_tokens.len();
        let token = token.map_or(n_before.saturating_sub(1), |token| n_before + token);
        self.aim = Aim::at(Some(token));
        if !model.is_empty() && model != self.model.name {
            self.messages.tell(format!(
                "This answer was written by {model}: that is the model in use from here on."
            ));
            self.model.name.clone_from(&model);
            self.settings.model = Some(model);
            self.chat.note_model(&self.model.name);
        }
        if revision != self.chat.revision {
            self.messages.tell(format!(
                "The files of {} are not those that wrote this answer any more: numbers may differ.",
                self.model.name
            ));
        }
        self.view.mode = Mode::Explore;
        self.view.overlay = None;
        self.view.is_playing = false;
        if self.view.depth == Depth::Stops {
            self.view.depth = Depth::Stages;
        }
        self.keeps_view = false;
        self.target = Some(spot);
        self.chat.state.visit = Some(visit);
        self.link
            .open(OpenRequest::of_answer(self.model.clone(), cache, &answer));
    }

    /// Goes back to the conversation that the explorer was opened from.
    pub(super) fn return_to_chat(&mut self) {
        let Some(visit) = self.chat.state.visit.clone() else {
            return;
        };
        self.view.mode = Mode::Chat;
        if self.chat.state.id() != Some(visit.conversation.as_str()) {
            self.apply_chat(ChatCommand::OpenAt(visit.conversation, visit.message));
        }
    }

    /// Goes on with a paused answer, after what was drawn in the explorer.
    pub(super) fn go_on_from_visit(&mut self) {
        let (Some(visit), Some(run)) = (self.chat.state.visit.take(), self.run.clone()) else {
            return;
        };
        self.view.mode = Mode::Chat;
        if self.chat.state.id() != Some(visit.conversation.as_str()) {
            self.messages.tell(
                "Another conversation is open: open that of the answer, and choose Continue there."
                    .to_owned(),
            );
            return;
        }
        let message = self.chat.state.conversation().message(visit.message);
        let Some((parent, reply)) =
            message.and_then(|message| Some((message.parent, message.reply.as_deref()?)))
        else {
            return;
        };
        let tokens = stepped(reply, &run);
        let kept = reply.tokens.iter().zip(&tokens);
        let goes_on =
            kept.take_while(|(kept, token)| kept.id == token.id).count() == reply.tokens.len();
        let plan = Plan {
            parent,
            // What was drawn otherwise in the explorer is another answer.
            extends: goes_on.then_some(visit.message),
            head: Some(Head::of(reply, tokens)),
        };
        self.write(plan);
    }

    /// Answers otherwise from a token on: `other` stands in its place.
    pub(super) fn differ(&mut self, id: MessageId, number: usize, other: &TopToken) {
        let message = self.chat.state.conversation().message(id);
        let Some((parent, reply)) =
            message.and_then(|message| Some((message.parent, message.reply.as_deref()?)))
        else {
            return;
        };
        let Some(drawn) = reply.tokens.get(number) else {
            return;
        };
        let mut tokens = reply.tokens.get(..number).unwrap_or_default().to_vec();
        tokens.push(GeneratedToken {
            id: other.id,
            text: other.text.clone(),
            logprob: other.logprob,
            random: None,
            ..drawn.clone()
        });
        self.write(Plan {
            parent,
            extends: None,
            head: Some(Head::of(reply, tokens)),
        });
    }

    /// Another run takes the explorer: there is nothing to go back from any more.
    pub(in crate::app) fn leave_visit(&mut self) {
        self.chat.state.visit = None;
    }

    fn reply_of(&self, id: MessageId) -> Option<&Reply> {
        let message: &Message = self.chat.state.conversation().message(id)?;
        message.reply.as_deref()
    }
}

/// The answer of a message; of one that a crash cut off, what there is.
fn answer_of(reply: &Reply) -> Answer {
    let known = reply.known().map(|answer| Answer {
        tokens: reply.tokens.clone(),
        ..answer.clone()
    });
    known.unwrap_or_else(|| Answer {
        model: reply.setup.model.clone(),
        prompt_tokens: reply.prompt_tokens.clone(),
        tokens: reply.tokens.clone(),
        text: String::new(),
        stop_reason: StopReason::Cancelled,
        speed: Speed::default(),
        reused: 0,
        cache: CacheSize::default(),
        seed: reply.setup.seed.unwrap_or_default(),
        sampling: reply.setup.sampling.clone(),
        boundaries: Vec::new(),
        peak_memory_bytes: 0,
        own_memory_bytes: 0,
        active_memory_bytes: 0,
    })
}

/// The tokens of `run`'s text after its prompt: those of the answer as they were, and what was drawn
/// since.
fn stepped(reply: &Reply, run: &RunState) -> Vec<GeneratedToken> {
    let kept = |number: usize, id: u32| {
        let token = reply.tokens.get(number).filter(|token| token.id == id);
        token.cloned()
    };
    let of_pass = |(number, pass): (usize, &PassState)| {
        let draw = pass.draw.as_ref()?;
        let fresh = || GeneratedToken {
            id: draw.token,
            text: draw.text.clone(),
            logprob: draw.logprob,
            top_logprobs: Vec::new(),
            random: draw.random,
            xtc_coin: draw.xtc_coin,
        };
        Some(kept(number, draw.token).unwrap_or_else(fresh))
    };
    run.passes.iter().enumerate().map_while(of_pass).collect()
}
