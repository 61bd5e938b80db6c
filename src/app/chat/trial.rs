//! Filling the table of a trial: one answer after the other, one model at a time.

use std::collections::VecDeque;

use super::App;
use crate::chat::{Cell, Measured, Trial};
use crate::engine::message::{
    Action, CacheOptions, CancelToken, Envelope, Event, GenerateRequest, ModelChoice, Prompt,
    RequestId, SessionId,
};
use crate::engine::question::{Message, TemplateArgs};
use crate::trace::answer::StopReason;
use crate::ui::chat::TrialState;
use crate::ui::words::flags::without_flags;

/// The session of trials.
const TRIAL: SessionId = SessionId(40);

/// A table that is being filled.
#[derive(Debug)]
pub struct Filling {
    waiting: VecDeque<(usize, usize)>,
    place: (usize, usize),
    request: RequestId,
    cancel: CancelToken,
    max_tokens: usize,
    text: String,
}

impl App {
    /// Begins to fill a table.
    pub(super) fn begin_trial(&mut self, table: Trial, max_tokens: usize) {
        self.stop_trial();
        let waiting = table.places().into();
        self.chat.state.trial = Some(TrialState {
            table,
            is_running: true,
        });
        self.ask_next(waiting, None, max_tokens);
    }

    /// Stops; what is answered stays in the table.
    pub(super) fn stop_trial(&mut self) {
        if let Some(filling) = self.chat.filling.take() {
            filling.cancel.cancel();
            self.set_cell(filling.place, Cell::Waiting);
        }
        self.trial_is_over();
    }

    /// Takes in what was answered.
    pub(super) fn take_trial(&mut self) {
        for Envelope { id, event } in self.link.events(TRIAL) {
            let Some(filling) = self.chat.filling.as_mut().filter(|of| of.request == id) else {
                continue;
            };
            let place = filling.place;
            let cell = match event {
                Event::Token { token, .. } => {
                    filling.text.push_str(&token.text);
                    let text = filling.text.clone();
                    self.set_cell(place, Cell::Writing(text));
                    continue;
                }
                Event::Answered(answer) if answer.stop_reason != StopReason::Cancelled => {
                    Cell::Done(Measured::from(&*answer))
                }
                Event::Failed(why) => Cell::Failed(without_flags(&why)),
                event if event.is_last() => Cell::Waiting,
                _ => continue,
            };
            self.set_cell(place, cell);
            if let Some(filling) = self.chat.filling.take() {
                self.ask_next(filling.waiting, Some(place), filling.max_tokens);
            }
        }
    }

    /// Asks what stands next in the table, if anything does.
    fn ask_next(
        &mut self,
        mut waiting: VecDeque<(usize, usize)>,
        before: Option<(usize, usize)>,
        max_tokens: usize,
    ) {
        let next = waiting.pop_front();
        let model_of = |app: &Self, place: Option<(usize, usize)>| {
            let table = &app.chat.state.trial.as_ref()?.table;
            Some(table.sides().get(place?.0)?.model.clone())
        };
        let (old, new) = (model_of(self, before), model_of(self, next));
        // What was read for one question helps no other.
        self.link
            .request(TRIAL, "forget what was read", Action::Clear);
        if let Some(old) = old.filter(|old| Some(old) != new.as_ref() && *old != self.model.name) {
            let old = self.choice_of(&old);
            self.link
                .request(TRIAL, "give its memory back", Action::Unload(old));
        }
        let Some((place, request)) = next.and_then(|place| {
            let request = self.trial_request(place, max_tokens)?;
            Some((place, request))
        }) else {
            self.trial_is_over();
            return;
        };
        let action = Action::Generate(Box::new(request));
        match self.link.request(TRIAL, "answer", action) {
            Some((request, cancel)) => {
                self.set_cell(place, Cell::Writing(String::new()));
                self.chat.filling = Some(Filling {
                    waiting,
                    place,
                    request,
                    cancel,
                    max_tokens,
                    text: String::new(),
                });
            }
            None => self.trial_is_over(),
        }
    }

    fn trial_request(&self, place: (usize, usize), max_tokens: usize) -> Option<GenerateRequest> {
        let table = &self.chat.state.trial.as_ref()?.table;
        let side = table.sides().get(place.0)?;
        let question = table.prompts().get(place.1)?;
        let setup = self.chat.state.setup();
        let system = setup.system.trim();
        let system = (!system.is_empty()).then(|| Message::new("system", system));
        let messages = system.into_iter().chain([Message::new("user", question)]);
        Some(GenerateRequest {
            model: self.choice_of(&side.model),
            prompt: Prompt::Chat {
                messages: messages.collect(),
                prefill_response: None,
                args: TemplateArgs {
                    more: setup.template_args.clone(),
                    ..TemplateArgs::for_answer()
                },
            },
            sampling: side.sampling.clone(),
            begun: Vec::new(),
            known: Vec::new(),
            max_tokens: Some(max_tokens),
            stop: Vec::new(),
            extra_eos: Vec::new(),
            seed: setup.seed,
            cache: CacheOptions::default(),
            prompt_cache: None,
            top_logprobs: 0,
        })
    }

    fn choice_of(&self, name: &str) -> ModelChoice {
        ModelChoice {
            name: name.to_owned(),
            kernels: self.model.kernels,
        }
    }

    fn set_cell(&mut self, (side, prompt): (usize, usize), cell: Cell) {
        if let Some(trial) = &mut self.chat.state.trial {
            trial.table.set(side, prompt, cell);
        }
    }

    fn trial_is_over(&mut self) {
        self.chat.filling = None;
        if let Some(trial) = &mut self.chat.state.trial {
            trial.is_running = false;
        }
    }
}
