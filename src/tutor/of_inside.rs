//! What lessons ask about the inside of a run: the lens, heads, contributions, RoPE.

use super::Asker;
use super::desk::{Answered, Args, Desk, UNEXPECTED, misplaced};
use super::of_run::told;
use super::of_text::numbers;
use crate::engine::question::{Question, Told};
use crate::lesson::ask::{Ask, Need};
use crate::lesson::expression::Value;
use crate::lesson::run::Run;
use crate::trace::measure::contribution::Writer;
use crate::trace::measure::heads::{HeadReport, HeadRole};
use crate::trace::measure::lens::{LensRequest, LensView};
use crate::trace::measure::rope::{Rotation, Turned};
use crate::trace::measure::{Point, TokenShare};

impl<A: Asker> Desk<A> {
    pub(super) fn of_inside(&mut self, need: &Need) -> Answered<Value> {
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
                self.contribution(run, Writer::Head { layer, head }, args.value(2)?)
            }
            Ask::MlpAdds => {
                let layer = args.whole(0)?;
                self.contribution(run, Writer::Mlp { layer }, args.value(1)?)
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
        let token = self.token(&need.run, args.value(1)?)?;
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

    fn contribution(&mut self, run: &Run, writer: Writer, token: &Value) -> Answered<Value> {
        let question = Question::Contributions {
            at: self.at(run, None)?,
            token: self.token(run, token)?,
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
