//! What lessons ask about runs: the next token, how it is drawn, what happens inside, what it costs.

use super::Asker;
use super::desk::{Answered, Args, Desk, UNEXPECTED, misplaced};
use super::of_text::numbers;
use crate::engine::question::{Candidate, Filter, Question, Told};
use crate::lesson::ask::{Ask, Need};
use crate::lesson::expression::Value;
use crate::lesson::run::Run;
use crate::trace::measure::contribution::Writer;
use crate::trace::measure::heads::{HeadReport, HeadRole};
use crate::trace::measure::lens::{LensRequest, LensView};
use crate::trace::measure::logits::LogitsView;
use crate::trace::measure::rope::{Rotation, Turned};
use crate::trace::measure::verdict::Verdict;
use crate::trace::measure::{At, NamedToken, Point, TokenShare};

/// Likeliest tokens that are followed through the sampler.
const MOST_CANDIDATES: usize = 5_000;

/// Passes the one variant that a question is answered with.
macro_rules! told {
    ($variant:ident, $told:expr) => {
        match $told? {
            Told::$variant(value) => value,
            _ => return Err(UNEXPECTED.to_owned()),
        }
    };
}

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
            Ask::Top => {
                let n = args.whole_or_none(0)?.unwrap_or(1).max(1);
                let at = self.at(run, args.whole_or_none(1)?)?;
                let top = self.logits(run, at, n, Vec::new())?.top;
                let share = top.get(n - 1).ok_or("there are not so many tokens")?;
                Ok(Value::from(share.token.text.as_str()))
            }
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

    fn logits(&mut self, run: &Run, at: At, k: usize, tokens: Vec<u32>) -> Answered<LogitsView> {
        Ok(told!(
            Logits,
            self.ask(run, Question::Logits { at, k, tokens })
        ))
    }

    /// The token that is asked for, after the position that is asked for.
    fn chosen(&mut self, need: &Need) -> Answered<(TokenShare, LogitsView)> {
        let token = self.id(&need.run, Args(need).text(0)?)?;
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
            known.cloned().unwrap_or_else(|| NamedToken {
                id,
                text: format!("#{id}"),
            })
        };
        Ok(Verdict::of(before, after, name))
    }

    fn of_sampling(&mut self, need: &Need) -> Answered<Value> {
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
                let token = self.id(run, args.text(0)?)?;
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
        let token = self.id(&need.run, Args(need).text(0)?)?;
        let question = sampling(Args(need).settings(1)?);
        let view = told!(Sampling, self.ask(&need.run, question));
        let mut candidates = view.filtered.candidates.into_iter();
        Ok(candidates.find(|candidate| candidate.token == token))
    }

    fn of_inside(&mut self, need: &Need) -> Answered<Value> {
        let (run, args) = (&need.run, Args(need));
        match need.ask {
            Ask::LensP => Ok(Value::from(self.lens_share(need)?.probability)),
            Ask::LensRank => Ok(Value::from(self.lens_share(need)?.rank)),
            Ask::LensTop => {
                let view = self.lens(run, args.number(0)?, args.whole_or_none(1)?, Vec::new())?;
                let top = view.top.first().ok_or(UNEXPECTED)?;
                Ok(Value::from(top.token.text.as_str()))
            }
            Ask::LensEntropy => {
                let view = self.lens(run, args.number(0)?, args.whole_or_none(1)?, Vec::new())?;
                Ok(Value::from(view.entropy_bits))
            }
            Ask::ScorePart => self.score_part(need),
            Ask::BestHead => {
                let which = args.whole_or_none(1)?.unwrap_or(1).max(1);
                let role = role(args.text(0)?)?;
                let best = self.probe_heads(run)?.best(role);
                let head = best.get(which - 1).ok_or("there are not so many heads")?;
                Ok(numbers([head.layer as f64, head.head as f64].into_iter()))
            }
            Ask::HeadScore => {
                let (role, layer, head) = head_args(&args)?;
                head_score(self.probe_heads(run)?, role, layer, head)
            }
            Ask::HeadScoreHere => {
                let (role, layer, head) = head_args(&args)?;
                let report = told!(Heads, self.ask(run, Question::Heads { pass: 0 }));
                head_score(&report, role, layer, head)
            }
            Ask::HeadAdds => {
                let (layer, head) = (args.whole(0)?, args.whole(1)?);
                self.contribution(run, Writer::Head { layer, head }, args.text(2)?)
            }
            Ask::MlpAdds => {
                let layer = args.whole(0)?;
                self.contribution(run, Writer::Mlp { layer }, args.text(1)?)
            }
            Ask::NearZero => {
                let at = self.at(run, args.whole_or_none(1)?)?;
                let question = Question::Neurons {
                    at,
                    layer: args.whole(0)?,
                    k: 1,
                };
                let neurons = told!(Neurons, self.ask(run, question));
                Ok(Value::from(neurons.n_near_zero))
            }
            Ask::RopeAngle => {
                let rotation = self.rotation(run, args.whole(0)?, Some(args.whole(2)?))?;
                let pair = rotation.pairs.get(args.whole(1)?);
                Ok(Value::from(f64::from(
                    pair.ok_or("there is no such pair")?.angle,
                )))
            }
            Ask::RopePeriod => {
                let rotation = self.rotation(run, args.whole(0)?, None)?;
                let pair = rotation.pairs.get(args.whole(1)?);
                Ok(Value::from(pair.ok_or("there is no such pair")?.period()))
            }
            other => Err(misplaced(other)),
        }
    }

    fn lens_share(&mut self, need: &Need) -> Answered<TokenShare> {
        let args = Args(need);
        let token = self.id(&need.run, args.text(1)?)?;
        let view = self.lens(
            &need.run,
            args.number(0)?,
            args.whole_or_none(2)?,
            vec![token],
        )?;
        view.chosen
            .into_iter()
            .next()
            .ok_or_else(|| UNEXPECTED.to_owned())
    }

    /// The lens after a block, or at the embedding for −1.
    fn lens(
        &mut self,
        run: &Run,
        block: f64,
        position: Option<usize>,
        tokens: Vec<u32>,
    ) -> Answered<LensView> {
        let point = match block {
            -1.0 => Point::Embed,
            _ => Point::AfterMlp(Value::Number(block).whole()?),
        };
        let request = LensRequest {
            rows: vec![self.at(run, position)?],
            points: vec![point],
            top_k: 1,
            tokens,
        };
        let views = told!(Lens, self.ask(run, Question::Lens(request)));
        views
            .into_iter()
            .next()
            .ok_or_else(|| UNEXPECTED.to_owned())
    }

    fn score_part(&mut self, need: &Need) -> Answered<Value> {
        let args = Args(need);
        let at = self.at(&need.run, Some(args.whole(3)?))?;
        let question = Question::ScoreParts {
            pass: at.pass,
            layer: args.whole(1)?,
            head: args.whole(2)?,
            row: at.row,
            key: args.whole(4)?,
        };
        let parts = told!(ScoreParts, self.ask(&need.run, question));
        Ok(Value::from(match args.text(0)? {
            "dot" => parts.dot,
            "scale" => parts.scale,
            "score" => parts.score,
            "largest" => parts.largest,
            "total" => parts.total,
            "share" => parts.share,
            other => {
                return Err(format!(
                    "a score has no part '{other}'; it has dot, scale, score, largest, total and share"
                ));
            }
        }))
    }

    fn contribution(&mut self, run: &Run, writer: Writer, token: &str) -> Answered<Value> {
        let question = Question::Contributions {
            at: self.at(run, None)?,
            token: self.id(run, token)?,
            against: None,
        };
        let all = told!(Contributions, self.ask(run, question));
        let term = all.terms.iter().find(|term| term.writer == writer);
        let missing = || format!("{writer} is no part of this model");
        Ok(Value::from(term.ok_or_else(missing)?.value))
    }

    fn rotation(&mut self, run: &Run, layer: usize, position: Option<usize>) -> Answered<Rotation> {
        let at = self.at(run, position)?;
        let question = Question::Rope {
            pass: at.pass,
            layer,
            of: Turned::Queries,
            head: 0,
            rows: vec![at.row],
        };
        let rotations = told!(Rotations, self.ask(run, question));
        rotations
            .into_iter()
            .next()
            .ok_or_else(|| UNEXPECTED.to_owned())
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

fn sampling(settings: crate::engine::message::SamplingChoice) -> Question {
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

fn role(name: &str) -> Answered<HeadRole> {
    let role = HeadRole::ALL.into_iter().find(|role| role.name() == name);
    role.ok_or_else(|| {
        let names: Vec<&str> = HeadRole::ALL.iter().map(|role| role.name()).collect();
        format!(
            "there are no heads called '{name}'; kinds are {}",
            names.join(", ")
        )
    })
}

fn head_args(args: &Args<'_>) -> Answered<(HeadRole, usize, usize)> {
    Ok((role(args.text(0)?)?, args.whole(1)?, args.whole(2)?))
}

fn head_score(report: &HeadReport, role: HeadRole, layer: usize, head: usize) -> Answered<Value> {
    let mut heads = report.heads.iter();
    let found = heads.find(|scores| scores.layer == layer && scores.head == head);
    let missing = || format!("there is no head {head} in block {layer}");
    Ok(Value::from(f64::from(
        found.ok_or_else(missing)?.score(role),
    )))
}
