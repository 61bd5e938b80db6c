//! Steps with the values of the model filled in.

use super::{Asker, Tutor};
use crate::lesson::expression::{Mistake, RunName};
use crate::lesson::run::{Run, Text};
use crate::lesson::{
    Condition, Filled, Go, Goal, Kind, Opening, Part, Question, ShownGo, ShownKind, ShownPart,
    ShownQuestion, ShownStep, ShownTry, Sourced, Step, Sweep, Try,
};

impl<A: Asker> Tutor<'_, A> {
    /// The beginning of the lesson.
    ///
    /// # Errors
    /// If an expression in it has no value on this model.
    pub fn opening(&mut self) -> Result<Opening, Mistake> {
        let lesson = self.lesson;
        let lacks = self.lacks(&lesson.needs)?;
        // A mistake in a value that nothing uses yet is one all the same: who writes is told.
        if lacks.is_none() && !lesson.is_carried() {
            self.values_of_head()?;
        }
        Ok(Opening {
            intro: self.fill(&lesson.intro)?,
            lacks,
        })
    }

    fn values_of_head(&mut self) -> Result<(), Mistake> {
        let lesson = self.lesson;
        for (name, start) in &lesson.value_starts {
            if let Some(value) = lesson.scope.values.get(name) {
                let found = self.settle(|evaluation| evaluation.value(value));
                found.map_err(|mistake| mistake.moved(*start))?;
            }
        }
        Ok(())
    }

    /// A step. What fails in a part stands in its place; the others are shown.
    pub fn step(&mut self, step: &Step) -> ShownStep {
        let mut shown = ShownStep {
            title: step.title.clone(),
            ..ShownStep::default()
        };
        match self.lacks(&step.needs) {
            Ok(None) => {}
            Ok(lacks) => {
                shown.lacks = lacks;
                return shown;
            }
            Err(mistake) => shown.parts.push(self.failed(&mistake)),
        }
        for part in &step.parts {
            let part = self.part(part);
            let part = part.unwrap_or_else(|mistake| self.failed(&mistake));
            shown.parts.push(part);
        }
        shown
    }

    fn failed(&self, mistake: &Mistake) -> ShownPart {
        ShownPart::Failed(self.lesson.told_calmly(mistake))
    }

    fn lacks(&mut self, needs: &[Condition]) -> Result<Option<Filled>, Mistake> {
        for condition in needs {
            if !self.holds(&condition.when)? {
                return self.fill(&condition.otherwise).map(Some);
            }
        }
        Ok(None)
    }

    fn part(&mut self, part: &Part) -> Result<ShownPart, Mistake> {
        Ok(match part {
            Part::Text(prose) => ShownPart::Text(self.fill(prose)?),
            Part::Go(go) => ShownPart::Go(self.go(go)?),
            Part::Try(attempt) => ShownPart::Try(self.attempt(attempt)?),
            Part::Question(question) => ShownPart::Question(Box::new(self.question(question)?)),
        })
    }

    fn goal(&mut self, to: &Sourced<Text>) -> Result<Goal, Mistake> {
        let goal = self.text(to)?.parse();
        goal.map_err(|why| Mistake::new(to.start, format!("{why}")))
    }

    fn run_if_named(&mut self, name: Option<&Sourced<RunName>>) -> Result<Option<Run>, Mistake> {
        name.map(|name| self.run(Some(name))).transpose()
    }

    fn go(&mut self, go: &Go) -> Result<ShownGo, Mistake> {
        let marked = match &go.mark {
            None => Vec::new(),
            Some(mark) => {
                let positions = self.value(mark)?.grid();
                let positions = positions.map_err(|why| Mistake::new(mark.start, why))?;
                positions.values().iter().map(|at| *at as usize).collect()
            }
        };
        let goal = self.goal(&go.to)?;
        Ok(ShownGo {
            to: goal.address,
            tab: goal.tab,
            run: self.run(go.run.as_ref())?,
            beside: self.run_if_named(go.beside.as_ref())?,
            mark: marked,
            sweep: self.sweep(go.sweep.as_ref())?,
            look: self.fill(&go.look)?,
        })
    }

    fn attempt(&mut self, attempt: &Try) -> Result<ShownTry, Mistake> {
        let to = attempt.to.as_ref().map(|to| self.goal(to));
        Ok(ShownTry {
            label: self.fill(&attempt.label)?,
            to: to.transpose()?,
            run: self.run(attempt.run.as_ref())?,
            beside: self.run_if_named(attempt.beside.as_ref())?,
            sweep: self.sweep(attempt.sweep.as_ref())?,
        })
    }

    fn sweep(&mut self, sweep: Option<&Sweep>) -> Result<Option<[String; 3]>, Mistake> {
        let Some(sweep) = sweep else {
            return Ok(None);
        };
        let token = self.text(&sweep.token)?;
        Ok(Some([sweep.over.clone(), sweep.change.clone(), token]))
    }

    fn question(&mut self, question: &Question) -> Result<ShownQuestion, Mistake> {
        let kind = match &question.kind {
            Kind::Number { unit, .. } => ShownKind::Number(unit.clone()),
            Kind::Click { on, .. } => ShownKind::Click(*on),
            Kind::Choice(choices) => {
                let mut shown = Vec::with_capacity(choices.len());
                for choice in choices {
                    shown.push([self.fill(&choice.text)?, self.fill(&choice.hint)?]);
                }
                ShownKind::Choice(shown)
            }
        };
        Ok(ShownQuestion {
            id: question.id.clone(),
            ask: self.fill(&question.ask)?,
            is_prediction: question.is_prediction,
            hides_formula: question.hides_formula,
            kind,
            right: self.right(question)?,
            hint: self.fill(&question.hint)?,
            why: self.fill(&question.why)?,
        })
    }
}
