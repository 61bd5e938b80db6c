//! The runs of a lesson, with their texts filled in.

use super::super::{Mistake, Piece, RunName};
use super::Evaluation;
use crate::lesson::run::{PromptForm, Run, RunForm, RunPrompt};

impl<'a> Evaluation<'a> {
    pub(super) fn find_run(&mut self, name: Option<&'a RunName>) -> Result<Option<Run>, Mistake> {
        let scope = self.scope;
        let Some(name) = name else {
            return self.filled(&scope.main);
        };
        let form = scope
            .runs
            .get(&name.name)
            .filter(|form| form.over.len() == name.args.len());
        let Some(form) = form else {
            let message = format!(
                "there is no run '{}' with {} arguments under [runs]",
                name.name,
                name.args.len()
            );
            return Err(Mistake::new(name.at, message));
        };
        let Some(args) = self.find_all(&name.args)? else {
            return Ok(None);
        };
        let over = form.over.iter().map(String::as_str);
        let outer = std::mem::replace(&mut self.bound, over.zip(args).collect());
        let run = self.filled(form);
        self.bound = outer;
        run.map_err(|inner| Mistake::new(name.at, format!("in run '{}': {inner}", name.name)))
    }

    fn filled(&mut self, form: &'a RunForm) -> Result<Option<Run>, Mistake> {
        let prompt = match &form.prompt {
            PromptForm::Raw(text) => self.find_text(text)?.map(RunPrompt::Raw),
            PromptForm::Chat { system, turns } => {
                let (system, turns) = (self.find_text(system)?, self.find_texts(turns)?);
                let both = system.zip(turns);
                both.map(|(system, turns)| RunPrompt::Chat { system, turns })
            }
        };
        let edits = self.find_texts(&form.edits)?;
        let sources = self.find_texts(form.sources.iter().map(|(_, text)| text))?;
        let (Some(prompt), Some(edits), Some(sources)) = (prompt, edits, sources) else {
            return Ok(None);
        };
        let names = form.sources.iter().map(|(name, _)| name.clone());
        Ok(Some(Run {
            model: form.model.clone(),
            prompt,
            edits,
            sources: names.zip(sources).collect(),
            tokens: form.tokens,
            sampling: form.sampling.clone(),
            seed: form.seed,
        }))
    }

    fn find_texts(
        &mut self,
        texts: impl IntoIterator<Item = &'a Vec<Piece>>,
    ) -> Result<Option<Vec<String>>, Mistake> {
        let mut found = Vec::new();
        let mut is_complete = true;
        for text in texts {
            match self.find_text(text)? {
                Some(text) => found.push(text),
                None => is_complete = false,
            }
        }
        Ok(is_complete.then_some(found))
    }
}
