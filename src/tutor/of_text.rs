//! What lessons ask about texts and tokens.

use super::Asker;
use super::desk::{Answered, Args, Desk, UNEXPECTED, messages, misplaced};
use crate::engine::question::{Question, TemplateArgs, TextTokens, Told, Word};
use crate::lesson::ask::{Ask, Need};
use crate::lesson::expression::Value;
use crate::lesson::run::RunPrompt;

impl<A: Asker> Desk<A> {
    pub(super) fn of_text(&mut self, need: &Need) -> Answered<Value> {
        let (run, args) = (&need.run, Args(need));
        Ok(match need.ask {
            Ask::Tokens => texts(self.state(run)?.texts.iter().cloned()),
            Ask::Ids => numbers(self.state(run)?.ids.iter().map(|id| f64::from(*id))),
            Ask::NPrompt => Value::from(self.state(run)?.prompt_len),
            Ask::Pos => {
                let which = args.whole_or_none(1)?.unwrap_or(1);
                let texts = &self.state(run)?.texts;
                Value::from(position(texts, args.text(0)?, which)?)
            }
            Ask::PromptText => Value::Text(self.prompt_text(need)?),
            Ask::TokensOf => texts(
                self.tokens(need)?
                    .pieces
                    .into_iter()
                    .map(|piece| piece.text),
            ),
            Ask::IdsOf => numbers(
                self.tokens(need)?
                    .pieces
                    .iter()
                    .map(|piece| f64::from(piece.id)),
            ),
            Ask::Id => Value::from(self.token(run, args.value(0)?)? as usize),
            Ask::IsToken => Value::Bool(self.are_tokens(need)?),
            Ask::TextOf => self.text_of(need)?,
            Ask::Merges => {
                let steps = self.words(need)?.into_iter().flat_map(|word| word.steps);
                texts(steps.map(|step| format!("{}+{}", step.left.text, step.right.text)))
            }
            Ask::HasMerges => {
                let tokens = self.tokens(need)?;
                let is_merged = tokens.words.iter().any(|word| !word.steps.is_empty());
                Value::Bool(tokens.no_merges.is_none() && is_merged)
            }
            Ask::MergeRanks => {
                let steps = self.words(need)?.into_iter().flat_map(|word| word.steps);
                numbers(steps.map(|step| step.rank as f64))
            }
            Ask::Symbols => {
                let symbols = self.words(need)?.into_iter().flat_map(|word| word.symbols);
                texts(symbols.map(|symbol| symbol.text))
            }
            other => return Err(misplaced(other)),
        })
    }

    /// Whether a text, or each text of a list, is one token.
    fn are_tokens(&mut self, need: &Need) -> Answered<bool> {
        let texts = match Args(need).value(0)? {
            Value::Text(text) => vec![Value::Text(text.clone())],
            list => list.items()?,
        };
        for text in texts {
            if !self.is_token(&need.run, text.text()?)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn tokens(&mut self, need: &Need) -> Answered<TextTokens> {
        self.tokens_within(&need.run, Args(need).text(0)?)
    }

    fn words(&mut self, need: &Need) -> Answered<Vec<Word>> {
        let tokens = self.tokens(need)?;
        match tokens.no_merges {
            Some(why) => Err(why),
            None => Ok(tokens.words),
        }
    }

    fn text_of(&mut self, need: &Need) -> Answered<Value> {
        let id = Args(need).whole(0)?;
        let question = Question::Vocabulary {
            model: Some(self.model(&need.run)),
            page: id..id + 1,
        };
        let Told::Vocabulary(found) = self.ask_model(question)? else {
            return Err(UNEXPECTED.to_owned());
        };
        let entry = found.entries.into_iter().next();
        let entry = entry.ok_or_else(|| format!("there is no token {id}"))?;
        Ok(Value::Text(entry.text))
    }

    fn prompt_text(&mut self, need: &Need) -> Answered<String> {
        match &need.run.prompt {
            RunPrompt::Raw(text) => Ok(text.clone()),
            RunPrompt::Chat { system, turns } => {
                let question = Question::Template {
                    model: Some(self.model(&need.run)),
                    messages: messages(system, turns),
                    args: TemplateArgs::for_answer(),
                };
                match self.ask_model(question)? {
                    Told::Template(view) => Ok(view.rendered.text),
                    _ => Err(UNEXPECTED.to_owned()),
                }
            }
        }
    }
}

/// The position of the `which`-th token with a text, counted from 1.
fn position(texts: &[String], wanted: &str, which: usize) -> Answered<usize> {
    if which == 0 {
        return Err(format!(
            "which one is counted from 1: the first is pos('{wanted}', 1)"
        ));
    }
    let mut places = texts.iter().enumerate().filter(|(_, text)| *text == wanted);
    let found = places.nth(which.saturating_sub(1)).map(|(place, _)| place);
    found.ok_or_else(|| {
        let nth = if which > 1 {
            format!(" number {which}")
        } else {
            String::new()
        };
        let texts: Vec<String> = texts
            .iter()
            .take(60)
            .map(|text| format!("'{text}'"))
            .collect();
        format!(
            "the text has no token '{wanted}'{nth}; it has {}",
            texts.join(" ")
        )
    })
}

pub fn texts(texts: impl Iterator<Item = String>) -> Value {
    Value::List(texts.map(Value::Text).collect())
}

pub fn numbers(numbers: impl Iterator<Item = f64>) -> Value {
    Value::from(numbers.collect::<Vec<_>>())
}
