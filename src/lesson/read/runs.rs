//! The runs and values of the head.

use std::str::FromStr;

use super::{MOST_RUNS, MOST_TOKENS, Reader};
use crate::lesson::expression::{Mistake, Scope, parse_text};
use crate::lesson::form::{HeadForm, RunToml, Source, Turns};
use crate::lesson::run::{PromptForm, RunForm, Text};
use crate::trace::edit::Edit;
use crate::trace::sampling::SamplingChoice;

impl Reader<'_> {
    pub(super) fn scope(&mut self, form: &HeadForm, base: usize) -> (Scope, Vec<(String, usize)>) {
        let own = RunToml {
            over: Vec::new(),
            model: form.model.clone(),
            prompt: form.prompt.clone(),
            chat: None,
            system: form.system.clone(),
            edits: form.edits.clone(),
            sources: Default::default(),
            tokens: Some(form.tokens),
            sampling: form.sampling.clone(),
            seed: Some(form.seed),
        };
        let main = self.run(&own, form.chat.as_ref(), &RunForm::default(), base);
        if form.prompt.is_none() && form.chat.is_none() {
            self.problem(
                base,
                "the head needs a prompt: prompt = \"…\", or chat = \"…\"",
            );
        }
        let mut scope = Scope {
            main,
            ..Scope::default()
        };
        if form.runs.len() > MOST_RUNS {
            let n = form.runs.len();
            let message = format!("a lesson has at most {MOST_RUNS} other runs, not {n}");
            self.problem(base, message);
            return (scope, Vec::new());
        }
        for (name, run) in &form.runs {
            let run = self.run(run, run.chat.as_ref(), &scope.main.clone(), base);
            scope.runs.insert(name.clone(), run);
        }
        let mut starts = Vec::new();
        for (name, source) in &form.values {
            if let Some(value) = self.expression(source, base) {
                starts.push((name.clone(), value.start));
                scope.values.insert(name.clone(), value.value);
            }
        }
        (scope, starts)
    }

    /// A run; what it leaves out is as in `main`, edits aside.
    fn run(
        &mut self,
        form: &RunToml,
        chat: Option<&Turns>,
        main: &RunForm,
        base: usize,
    ) -> RunForm {
        let prompt = match (&form.prompt, chat) {
            (Some(prompt), Some(_)) => {
                self.problem(
                    base + prompt.span().start,
                    "a run has a prompt or a chat, not both",
                );
                PromptForm::default()
            }
            (Some(prompt), None) => PromptForm::Raw(
                self.text_form(prompt, base)
                    .map(|text| text.value)
                    .unwrap_or_default(),
            ),
            (None, Some(chat)) => PromptForm::Chat {
                system: (form.system.as_ref())
                    .and_then(|system| self.text_form(system, base))
                    .map(|text| text.value)
                    .unwrap_or_default(),
                turns: self.turns(chat, base),
            },
            (None, None) => self.inherited(form.system.as_ref(), &main.prompt, base),
        };
        let edits = form.edits.iter().filter_map(|edit| self.edit(edit, base));
        let edits = edits.collect();
        let sources = form.sources.iter();
        let sources = sources
            .filter_map(|(name, source)| Some((name.clone(), self.text_form(source, base)?.value)))
            .collect();
        let settings = |text: &str| {
            let choice: Result<SamplingChoice, _> = text.parse();
            choice.map_err(|why| Mistake::new(0, why.to_string()))
        };
        let sampling = (form.sampling.as_ref())
            .and_then(|source| self.sourced(source, base, settings))
            .map_or(main.sampling.clone(), |sampling| sampling.value);
        let tokens = form.tokens.unwrap_or(main.tokens);
        if tokens > MOST_TOKENS {
            self.problem(
                base,
                format!("a run generates at most {MOST_TOKENS} tokens, not {tokens}"),
            );
        }
        RunForm {
            over: form.over.clone(),
            model: form.model.clone().or_else(|| main.model.clone()),
            prompt,
            edits,
            sources,
            tokens: tokens.min(MOST_TOKENS),
            sampling,
            seed: form.seed.unwrap_or(main.seed),
        }
    }

    /// The prompt of the lesson, with another system prompt where one is given.
    fn inherited(&mut self, system: Option<&Source>, main: &PromptForm, base: usize) -> PromptForm {
        let own = system.and_then(|system| self.text_form(system, base));
        match (own, main) {
            (Some(own), PromptForm::Chat { turns, .. }) => PromptForm::Chat {
                system: own.value,
                turns: turns.clone(),
            },
            _ => main.clone(),
        }
    }

    fn turns(&mut self, chat: &Turns, base: usize) -> Vec<Text> {
        let turns = match chat {
            Turns::One(turn) => std::slice::from_ref(turn),
            Turns::Many(turns) => turns,
        };
        if turns.len() % 2 == 0 {
            self.problem(base, "a chat has messages of the user and of the model in turn, and ends with the user's");
        }
        let mut texts = Vec::new();
        for turn in turns {
            match parse_text(turn) {
                Ok(text) => texts.push(text),
                Err(mistake) => self.problem(base, format!("in a message of 'chat': {mistake}")),
            }
        }
        texts
    }

    /// An edit; one without expressions is read at once, so that a mistake is seen early.
    fn edit(&mut self, source: &Source, base: usize) -> Option<Text> {
        let text = self.text_form(source, base)?;
        if !source.get_ref().contains('{')
            && let Err(error) = Edit::from_str(source.get_ref())
        {
            self.problem(text.start, error.to_string());
        }
        Some(text.value)
    }
}
