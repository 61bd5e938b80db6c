//! Walking through a lesson: every text, every claim, every place, every question right and wrong.

use super::{Asker, Desk, Tutor};
use crate::lesson::ask::{Ask, Need};
use crate::lesson::expression::{Expression, Mistake, RunName, Value};
use crate::lesson::{
    Answer, Click, Condition, Filled, Judged, Kind, Lesson, Part, Problem, Prose, Question, Right,
    Sourced, Step,
};

/// Most mistakes in values that are told at once.
const MOST_PROBLEMS: usize = 50;

/// What a walk through a lesson found.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize)]
pub struct Report {
    /// What the lesson is called.
    pub name: String,
    /// Its title.
    pub title: String,
    /// What is wrong with it on this model.
    pub problems: Vec<Problem>,
    /// Steps that were walked through.
    pub n_steps: usize,
    /// Questions that were answered, right and wrong.
    pub n_questions: usize,
    /// Values that were shown.
    pub n_values: usize,
    /// Claims that were tested.
    pub n_claims: usize,
    /// What the model lacks: the sentences shown in place of a step, or of the lesson.
    pub left_out: Vec<String>,
}

/// Walks through a lesson on the desk's model.
pub fn check<A: Asker>(desk: &mut Desk<A>, lesson: &Lesson) -> Report {
    let mut walk = Walk {
        tutor: Tutor::new(desk, lesson),
        lesson,
        run: None,
        report: Report {
            name: lesson.name.clone(),
            title: lesson.title.clone(),
            ..Report::default()
        },
    };
    walk.lesson();
    walk.report
}

struct Walk<'a, A: Asker> {
    tutor: Tutor<'a, A>,
    lesson: &'a Lesson,
    /// The run on view; `None`: the lesson's own.
    run: Option<&'a Sourced<RunName>>,
    report: Report,
}

impl<'a, A: Asker> Walk<'a, A> {
    fn lesson(&mut self) {
        let lesson = self.lesson;
        if !self.may_go_on(&lesson.needs) {
            return;
        }
        for (name, start) in &lesson.value_starts {
            if self.report.problems.len() >= MOST_PROBLEMS {
                return;
            }
            if let Some(value) = lesson.scope.values.get(name) {
                let found = self.tutor.settle(|evaluation| evaluation.value(value));
                self.note(found.map_err(|mistake| mistake.moved(*start)));
            }
        }
        let intro = self.read(&lesson.intro);
        if intro.is_some() && self.report.problems.is_empty() {
            for step in &lesson.steps {
                self.step(step);
            }
        }
    }

    fn note<T>(&mut self, result: Result<T, Mistake>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(mistake) => {
                let problem = self.lesson.problem(mistake.at, mistake.message);
                self.report.problems.push(problem);
                None
            }
        }
    }

    /// Whether the model has what is needed; else the sentence is noted.
    fn may_go_on(&mut self, needs: &[Condition]) -> bool {
        for condition in needs {
            // Shown or not, the sentence must be readable on this model.
            let told = self.read_with_claims(&condition.otherwise, false);
            let holds = self.tutor.holds(&condition.when);
            match self.note(holds) {
                Some(true) => {}
                Some(false) => {
                    self.report.left_out.extend(told.map(|filled| filled.text));
                    return false;
                }
                None => return false,
            }
        }
        true
    }

    fn read(&mut self, prose: &Prose) -> Option<Filled> {
        self.read_with_claims(prose, true)
    }

    fn read_with_claims(&mut self, prose: &Prose, claims_must_hold: bool) -> Option<Filled> {
        let n_shown = prose.expressions().count();
        let filled = self.tutor.fill(prose);
        let filled = self.note(filled)?;
        let n_claims = prose.pieces.iter();
        let n_claims = n_claims
            .filter(|piece| matches!(piece, crate::lesson::ProsePiece::Claim(_)))
            .count();
        self.report.n_claims += n_claims;
        self.report.n_values += n_shown - n_claims;
        if claims_must_hold {
            for at in &filled.broken {
                let message = "this claim does not hold on this model";
                self.report.problems.push(self.lesson.problem(*at, message));
            }
        }
        Some(filled)
    }

    fn step(&mut self, step: &'a Step) {
        self.report.n_steps += 1;
        self.run = None;
        if !self.may_go_on(&step.needs) {
            return;
        }
        for part in &step.parts {
            match part {
                Part::Text(prose) => {
                    self.read(prose);
                }
                Part::Go(go) => {
                    self.run = go.run.as_ref();
                    let visited = self.tutor.visit(&go.to, go.run.as_ref());
                    self.note(visited);
                    if let Some(beside) = &go.beside {
                        let visited = self.tutor.visit(&go.to, Some(beside));
                        self.note(visited);
                    }
                    if let Some(mark) = &go.mark {
                        let marked = self.tutor.value(mark);
                        let marked = marked.and_then(|marked| self.are_positions(mark, &marked));
                        self.note(marked);
                    }
                    if let Some(sweep) = &go.sweep {
                        let token = self.tutor.text(&sweep.token);
                        self.note(token);
                    }
                    self.read(&go.look);
                }
                Part::Try(attempt) => {
                    self.read(&attempt.label);
                    if let Some(to) = &attempt.to {
                        let visited = self.tutor.visit(to, attempt.run.as_ref());
                        self.note(visited);
                    }
                    for run in attempt.run.iter().chain(&attempt.beside) {
                        let run = self.tutor.run(Some(run));
                        if let Some(run) = self.note(run) {
                            let opened = self.tutor.desk.state(&run).map(|_| ());
                            self.note(opened.map_err(|why| Mistake::new(step.start, why)));
                        }
                    }
                    if let Some(sweep) = &attempt.sweep {
                        let token = self.tutor.text(&sweep.token);
                        self.note(token);
                    }
                }
                Part::Question(question) => self.question(question),
            }
        }
    }

    /// Whether all of `marked` are positions of the run on view.
    fn are_positions(&mut self, mark: &Sourced<Expression>, marked: &Value) -> Result<(), Mistake> {
        let n = self.n_tokens()?;
        let fail = |why: String| Mistake::new(mark.start, why);
        for at in marked.grid().map_err(fail)?.values() {
            let at = Value::Number(*at).whole().map_err(fail)?;
            if at >= n {
                return Err(fail(format!("there is no position {at} among {n}")));
            }
        }
        Ok(())
    }

    /// How many tokens the run on view has.
    fn n_tokens(&mut self) -> Result<usize, Mistake> {
        let run = self.tutor.run(self.run)?;
        let texts = self.tutor.desk.texts(&run);
        let texts = texts.map_err(|why| Mistake::new(self.run.map_or(0, |run| run.start), why));
        Ok(texts?.len())
    }

    /// Whether people can click on a place that is said to be right.
    fn can_be_clicked(&mut self, question: &Question, right: &Right) -> Result<(), Mistake> {
        let (Kind::Click { on, right: source }, Right::Places(places)) = (&question.kind, right)
        else {
            return Ok(());
        };
        let what: &[&str] = match on {
            Click::Token | Click::Cell => &[],
            Click::Head => &["n_layers", "n_heads"],
            Click::Block => &["n_layers"],
            Click::Neuron => &["d_mlp"],
        };
        let mut most = Vec::new();
        for what in what {
            let run = self.tutor.run(self.run)?;
            let need = Need {
                run,
                ask: Ask::Model,
                args: vec![Value::from(*what)],
            };
            let figure = self.tutor.desk.answer(&need);
            let figure = figure.and_then(|figure| figure.whole());
            most.push(figure.map_err(|why| Mistake::new(source.start, why))?);
        }
        if what.is_empty() {
            most = vec![self.n_tokens()?; on.n_axes()];
        }
        for place in places {
            let is_there = place.iter().zip(&most).all(|(at, most)| at < most);
            let is_seen = *on != Click::Cell || place.first() >= place.last();
            if !is_there || !is_seen {
                let name = on.name();
                let told = told(&Answer::Place(place.clone()));
                let most: Vec<String> = most.iter().map(ToString::to_string).collect();
                let most = most.join(" × ");
                let message = format!(
                    "nobody can click on {told}: it is no {name} among {most} (they count from 0)"
                );
                return Err(Mistake::new(source.start, message));
            }
        }
        Ok(())
    }

    fn question(&mut self, question: &Question) {
        self.report.n_questions += 1;
        self.read(&question.ask);
        self.read(&question.why);
        self.read(&question.hint);
        if let Kind::Choice(choices) = &question.kind {
            for choice in choices {
                // A wrong choice says what does not hold: that is what it is for.
                self.read_with_claims(&choice.text, false);
                self.read(&choice.hint);
            }
        }
        let right = self.tutor.right(question);
        if let Some(right) = self.note(right) {
            let clickable = self.can_be_clicked(question, &right);
            self.note(clickable);
            for message in misjudged(question, &right) {
                let problem = self.lesson.problem(question.start, message);
                self.report.problems.push(problem);
            }
        }
    }
}

/// Answers right and wrong, and tells what is judged as it should not be.
fn misjudged(question: &Question, right: &Right) -> Vec<String> {
    let mut found = Vec::new();
    let (good, bad) = answers(right);
    if bad.is_empty() {
        found.push("every answer is right on this model; there is nothing to find out".to_owned());
    }
    for answer in &good {
        if question.judge(answer, right) != Judged::Right {
            found.push(format!("the right answer {} is judged wrong", told(answer)));
        }
    }
    for answer in &bad {
        match question.judge(answer, right) {
            Judged::Right => {
                found.push(format!("the wrong answer {} is judged right", told(answer)))
            }
            Judged::Wrong(hint) if hint.is_blank() => {
                let answer = told(answer);
                found.push(format!(
                    "the wrong answer {answer} gets no hint; write one: hint = \"…\""
                ));
            }
            Judged::Wrong(_) => {}
        }
    }
    found
}

/// An answer as an author knows it.
fn told(answer: &Answer) -> String {
    match answer {
        Answer::Choice(at) => format!("'choice {}'", at + 1),
        Answer::Number(number) => number.to_string(),
        Answer::Place(place) => {
            let numbers: Vec<String> = place.iter().map(ToString::to_string).collect();
            match numbers.as_slice() {
                [one] => format!("'place {one}'"),
                several => format!("'place [{}]'", several.join(", ")),
            }
        }
    }
}

/// Answers that are right, and answers that are wrong.
fn answers(right: &Right) -> (Vec<Answer>, Vec<Answer>) {
    match right {
        Right::Choices(truths) => {
            let places = |wanted: bool| {
                let places = truths
                    .iter()
                    .enumerate()
                    .filter(move |(_, truth)| **truth == wanted);
                places.map(|(place, _)| Answer::Choice(place)).collect()
            };
            (places(true), places(false))
        }
        Right::Number(number, tolerance) => {
            let off = tolerance * 1.5 + number.abs() * 1e-3 + 1e-9;
            (
                vec![Answer::Number(*number)],
                vec![Answer::Number(number + off), Answer::Number(number - off)],
            )
        }
        Right::Places(places) => {
            let good = places.iter().cloned().map(Answer::Place).collect();
            // Beside each right place there is one that is not, unless it is right too.
            let beside = places.iter().map(|place| {
                let mut beside = place.clone();
                if let Some(last) = beside.last_mut() {
                    *last += 1;
                }
                beside
            });
            let bad = beside.filter(|place| !places.contains(place));
            (good, bad.map(Answer::Place).collect())
        }
    }
}
