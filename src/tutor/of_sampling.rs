//! What lessons ask about the draw: what the filters leave, what is drawn, when an answer ends.

use super::Asker;
use super::desk::{Answered, Args, Desk, UNEXPECTED, misplaced};
use super::of_run::told;
use crate::engine::message::SamplingChoice;
use crate::engine::question::{Candidate, Filter, Question, Told};
use crate::lesson::ask::{Ask, Need};
use crate::lesson::expression::Value;

/// Likeliest tokens that are followed through the sampler.
const MOST_CANDIDATES: usize = 5_000;

impl<A: Asker> Desk<A> {
    pub(super) fn of_sampling(&mut self, need: &Need) -> Answered<Value> {
        let (run, args) = (&need.run, Args(need));
        match need.ask {
            Ask::NKept => {
                let view = told!(Sampling, self.ask(run, sampling(args.settings(0)?)));
                Ok(Value::from(view.filtered.n_kept))
            }
            Ask::Share => {
                let candidate = self.candidate(need)?;
                Ok(Value::from(
                    candidate.map_or(0.0, |candidate| candidate.share),
                ))
            }
            Ask::CutBy => {
                let excluded = self
                    .candidate(need)?
                    .and_then(|candidate| candidate.excluded);
                let filter = excluded.map_or("nothing", |excluded| filter_name(excluded.filter));
                Ok(Value::from(filter))
            }
            Ask::Redraw => {
                let token = self.token(run, args.value(0)?)?;
                let question = Question::Redraw {
                    pass: 0,
                    settings: Some(args.settings(1)?),
                    n: args.whole(2)?,
                    seed: args.whole(3)? as u64,
                };
                let redraws = told!(Redraws, self.ask(run, question));
                let found = redraws
                    .tokens
                    .iter()
                    .find(|redrawn| redrawn.token.id == token);
                Ok(Value::from(found.map_or(0, |redrawn| redrawn.count)))
            }
            Ask::Generated => {
                let state = self.state(run)?;
                let n = args.whole(0)?;
                let text = state.texts.get(state.prompt_len + n);
                let n_all = state.texts.len() - state.prompt_len;
                let missing =
                    || format!("the run generated {n_all} tokens; see 'tokens' in [runs]");
                Ok(Value::from(text.ok_or_else(missing)?.as_str()))
            }
            Ask::Random => {
                let n = args.whole(0)?;
                let draw = self
                    .state(run)?
                    .passes
                    .get(n)
                    .and_then(|pass| pass.draw.as_ref());
                let random = draw.and_then(|draw| draw.random);
                let none = || format!("token {n} was not drawn with a random number");
                Ok(Value::from(random.ok_or_else(none)?))
            }
            Ask::Writes => Ok(Value::Text(self.written(run, args.whole(0)?)?.0)),
            Ask::NWritten => Ok(Value::from(self.written(run, args.whole(0)?)?.1)),
            Ask::WhyStopped => Ok(Value::Text(self.written(run, args.whole(0)?)?.2)),
            other => Err(misplaced(other)),
        }
    }

    /// A token on its way through the sampler; `None` beyond the likeliest.
    fn candidate(&mut self, need: &Need) -> Answered<Option<Candidate>> {
        let token = self.token(&need.run, Args(need).value(0)?)?;
        let question = sampling(Args(need).settings(1)?);
        let view = told!(Sampling, self.ask(&need.run, question));
        let mut candidates = view.filtered.candidates.into_iter();
        Ok(candidates.find(|candidate| candidate.token == token))
    }
}

fn sampling(settings: SamplingChoice) -> Question {
    Question::Sampling {
        pass: 0,
        settings: Some(settings),
        limit: MOST_CANDIDATES,
    }
}

fn filter_name(filter: Filter) -> &'static str {
    match filter {
        Filter::TopP => "top_p",
        Filter::MinP => "min_p",
        Filter::Xtc => "xtc",
        Filter::TopK => "top_k",
    }
}
