//! A lesson as text: what a learner reads, and what authors look up.

use std::fmt::Write as _;

use crate::lesson::ask::Ask;
use crate::lesson::expression::Mistake;
use crate::lesson::expression::function::Function;
use crate::lesson::{Condition, Kind, Lesson, Part, Prose, Question, Right};
use crate::tutor::{Asker, Desk, Tutor};

/// The lesson with the values of the desk's model.
pub fn shown<A: Asker>(desk: &mut Desk<A>, lesson: &Lesson, with_answers: bool) -> String {
    let mut page = Page {
        tutor: Tutor::new(desk, lesson),
        lesson,
        with_answers: with_answers && lesson.shows_answers,
        text: format!(
            "# {}\n{} minutes · {}\n\n",
            lesson.title, lesson.minutes, lesson.level
        ),
    };
    if page.may_go_on(&lesson.needs) {
        page.prose(&lesson.intro);
        for (number, step) in lesson.steps.iter().enumerate() {
            page.line(&format!("\n## {} {}\n", number + 1, step.title));
            if page.may_go_on(&step.needs) {
                for part in &step.parts {
                    page.part(part);
                }
            }
        }
    }
    page.text
}

struct Page<'a, A: Asker> {
    tutor: Tutor<'a, A>,
    lesson: &'a Lesson,
    with_answers: bool,
    text: String,
}

impl<A: Asker> Page<'_, A> {
    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn filled(&mut self, prose: &Prose) -> String {
        match self.tutor.fill(prose) {
            Ok(filled) if filled.broken.is_empty() => filled.text.trim().to_owned(),
            Ok(filled) => format!("(Not so on this model:) {}", filled.text.trim()),
            Err(mistake) => self.told(&mistake),
        }
    }

    fn told(&self, mistake: &Mistake) -> String {
        let problem = self.lesson.problem(mistake.at, mistake.message.clone());
        format!("[{problem}]")
    }

    fn prose(&mut self, prose: &Prose) {
        if !prose.is_blank() {
            let text = self.filled(prose);
            self.line(&text);
        }
    }

    fn may_go_on(&mut self, needs: &[Condition]) -> bool {
        for condition in needs {
            match self.tutor.holds(&condition.when) {
                Ok(true) => {}
                Ok(false) => {
                    self.prose(&condition.otherwise);
                    return false;
                }
                Err(mistake) => {
                    let told = self.told(&mistake);
                    self.line(&told);
                    return false;
                }
            }
        }
        true
    }

    fn part(&mut self, part: &Part) {
        match part {
            Part::Text(prose) => self.prose(prose),
            Part::Go(go) => {
                let to = self.tutor.text(&go.to);
                let to = to.unwrap_or_else(|mistake| self.told(&mistake));
                let look = self.filled(&go.look);
                self.line(&format!("\n→ {to}: {look}\n"));
            }
            Part::Try(attempt) => {
                let label = self.filled(&attempt.label);
                self.line(&format!("\n▸ {label}\n"));
            }
            Part::Question(question) => self.question(question),
        }
    }

    fn question(&mut self, question: &Question) {
        let ask = self.filled(&question.ask);
        self.line(&format!("\n? {ask}"));
        if let Kind::Choice(choices) = &question.kind {
            for (place, choice) in choices.iter().enumerate() {
                let text = self.filled(&choice.text);
                self.line(&format!("  {}. {text}", place + 1));
            }
        }
        if self.with_answers {
            let right = match self.tutor.right(question) {
                Ok(right) => written(&right),
                Err(mistake) => self.told(&mistake),
            };
            let why = self.filled(&question.why);
            self.line(&format!("  = {right}  {why}"));
        }
    }
}

fn written(right: &Right) -> String {
    match right {
        Right::Number(number, tolerance) => format!("{number} ± {tolerance}"),
        Right::Places(places) => format!("{places:?}"),
        Right::Choices(truths) => {
            let right = truths.iter().enumerate().filter(|(_, truth)| **truth);
            let right: Vec<String> = right.map(|(place, _)| (place + 1).to_string()).collect();
            right.join(", ")
        }
    }
}

/// Everything that expressions can call, as Markdown.
pub fn reference() -> String {
    let mut text = String::from("## Everything that can be asked of a run\n");
    let mut group = "";
    for ask in Ask::ALL {
        if ask.group() != group {
            group = ask.group();
            let _ = writeln!(text, "\n### {group}\n");
        }
        let _ = writeln!(text, "- `{}({})`: {}", ask.name(), ask.args(), ask.doc());
    }
    text.push_str("\n## Everything that is computed from values\n\n");
    for function in Function::ALL {
        let _ = writeln!(
            text,
            "- `{}({})`: {}",
            function.name, function.args, function.doc
        );
    }
    text
}
