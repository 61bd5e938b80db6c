//! What lessons ask about runs: the next token, and what it costs; the draw and the inside stand in files of their own.

use super::Asker;
use super::desk::{Answered, Args, Desk, UNEXPECTED, misplaced};
use super::of_text::numbers;
use crate::engine::question::{Question, Told};
use crate::lesson::ask::{Ask, Need};
use crate::lesson::expression::Value;
use crate::lesson::run::Run;
use crate::trace::measure::logits::LogitsView;
use crate::trace::measure::verdict::Verdict;
use crate::trace::measure::{At, NamedToken, TokenShare};

/// Passes the one variant that a question is answered with.
macro_rules! told {
    ($variant:ident, $told:expr) => {
        match $told? {
            Told::$variant(value) => value,
            _ => return Err(UNEXPECTED.to_owned()),
        }
    };
}
pub(super) use told;

impl<A: Asker> Desk<A> {
    pub(super) fn of_run(&mut self, need: &Need) -> Answered<Value> {
        match need.ask.group() {
            "The next token" => self.of_logits(need),
            "Sampling" => self.of_sampling(need),
            "Looking inside" => self.of_inside(need),
            "Cost" => self.of_cost(need),
            _ => Err(misplaced(need.ask)),
        }
    }

    fn of_logits(&mut self, need: &Need) -> Answered<Value> {
        let (run, args) = (&need.run, Args(need));
        match need.ask {
            Ask::P => Ok(Value::from(self.chosen(need)?.0.probability)),
            Ask::Rank => Ok(Value::from(self.chosen(need)?.0.rank)),
            Ask::Logit => {
                let (share, view) = self.chosen(need)?;
                let logit = view.row.get(share.token.id as usize).copied();
                Ok(Value::from(f64::from(logit.ok_or(UNEXPECTED)?)))
            }
            Ask::Top => Ok(Value::from(self.top(need)?.text.as_str())),
            Ask::TopId => Ok(Value::from(self.top(need)?.id as usize)),
            Ask::Logits => {
                let at = self.at(run, args.whole_or_none(0)?)?;
                let view = self.logits(run, at, 0, Vec::new())?;
                Ok(numbers(view.row.iter().map(|x| f64::from(*x))))
            }
            Ask::Entropy => {
                let at = self.at(run, args.whole_or_none(0)?)?;
                Ok(Value::from(
                    self.logits(run, at, 0, Vec::new())?.entropy_bits,
                ))
            }
            Ask::Verdict => Ok(Value::Text(self.verdict(run)?.to_string())),
            Ask::Divergence => {
                let bits = self.verdict(run)?.kl_bits;
                Ok(Value::from(bits.unwrap_or(f64::INFINITY)))
            }
            other => Err(misplaced(other)),
        }
    }

    /// The n-th likeliest token.
    fn top(&mut self, need: &Need) -> Answered<NamedToken> {
        let args = Args(need);
        let n = args.whole_or_none(0)?.unwrap_or(1).max(1);
        let at = self.at(&need.run, args.whole_or_none(1)?)?;
        let top = self.logits(&need.run, at, n, Vec::new())?.top;
        let share = top.into_iter().nth(n - 1);
        share.map_or_else(
            || Err("there are not so many tokens".to_owned()),
            |share| Ok(share.token),
        )
    }

    fn logits(&mut self, run: &Run, at: At, k: usize, tokens: Vec<u32>) -> Answered<LogitsView> {
        Ok(told!(
            Logits,
            self.ask(run, Question::Logits { at, k, tokens })
        ))
    }

    /// The token that is asked for, after the position that is asked for.
    fn chosen(&mut self, need: &Need) -> Answered<(TokenShare, LogitsView)> {
        let token = self.token(&need.run, Args(need).value(0)?)?;
        let at = self.at(&need.run, Args(need).whole_or_none(1)?)?;
        let view = self.logits(&need.run, at, 0, vec![token])?;
        let share = view.chosen.first().cloned().ok_or(UNEXPECTED)?;
        Ok((share, view))
    }

    /// The run against the same run without its edits.
    fn verdict(&mut self, run: &Run) -> Answered<Verdict> {
        let plain = Run {
            edits: Vec::new(),
            ..run.clone()
        };
        let mut tops = Vec::new();
        let mut rows = Vec::new();
        for run in [&plain, run] {
            let at = self.at(run, None)?;
            let view = self.logits(run, at, 1, Vec::new())?;
            tops.extend(view.top.into_iter().map(|share| share.token));
            rows.push(view.row);
        }
        let [before, after] = &*rows else {
            return Err(UNEXPECTED.to_owned());
        };
        let name = |id: u32| {
            let known = tops.iter().find(|token| token.id == id);
            known.cloned().unwrap_or_else(|| NamedToken::new(id, None))
        };
        Ok(Verdict::of(before, after, name))
    }

    fn of_cost(&mut self, need: &Need) -> Answered<Value> {
        let (run, args) = (&need.run, Args(need));
        if matches!(need.ask, Ask::WeightBytes | Ask::NPos) {
            let pass = args.whole(0)?;
            let cost = told!(Cost, self.ask(run, Question::Cost { pass }));
            return Ok(match need.ask {
                Ask::NPos => Value::from(cost.n_pos),
                _ => Value::from(cost.weight_bytes() as f64),
            });
        }
        let pass = self.state(run)?.passes.len().saturating_sub(1);
        let ledger = told!(Ledger, self.ask(run, Question::Ledger { pass }));
        Ok(match need.ask {
            Ask::KvBytes => ledger.used_bytes().into(),
            Ask::KvAllocated => ledger.allocated_bytes().into(),
            Ask::KvWithoutGqa => (ledger.without_gqa_bytes as f64).into(),
            Ask::KvPositions => ledger.positions.into(),
            Ask::KvValueBytes => ledger.bytes_per_value.into(),
            other => return Err(misplaced(other)),
        })
    }
}
