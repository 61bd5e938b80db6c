//! A lesson as text: what a learner reads, and what authors look up.

use std::fmt::Write as _;

use crate::lesson::ask::Ask;
use crate::lesson::expression::function::Function;
use crate::lesson::{Filled, Lesson, Right, ShownKind, ShownPart, ShownQuestion};
use crate::tutor::{Asker, Desk, Tutor};

/// The lesson with the values of the desk's model.
pub fn shown<A: Asker>(desk: &mut Desk<A>, lesson: &Lesson, with_answers: bool) -> String {
    let (title, minutes, level) = (&lesson.title, lesson.minutes, &lesson.level);
    let mut text = format!("# {title}\n{minutes} minutes · {level}\n\n");
    let mut tutor = Tutor::new(desk, lesson);
    match tutor.opening() {
        Err(mistake) => text.push_str(&lesson.problem(mistake.at, mistake.message).to_string()),
        Ok(opening) => {
            text.push_str(&written(&opening.intro));
            if let Some(lacks) = &opening.lacks {
                let _ = writeln!(text, "\n{}", written(lacks));
                return text;
            }
        }
    }
    for (number, step) in lesson.steps.iter().enumerate() {
        let step = tutor.step(step);
        let _ = writeln!(text, "\n\n## {} {}\n", number + 1, step.title);
        text.extend(step.lacks.as_ref().map(written));
        for part in &step.parts {
            let _ = writeln!(
                text,
                "{}",
                part_text(part, with_answers && lesson.shows_answers)
            );
        }
    }
    text
}

fn written(filled: &Filled) -> String {
    let not_so = if filled.broken.is_empty() {
        ""
    } else {
        "(Not so on this model:) "
    };
    format!("{not_so}{}", filled.text.trim())
}

fn part_text(part: &ShownPart, with_answers: bool) -> String {
    match part {
        ShownPart::Text(filled) => format!("{}\n", written(filled)),
        ShownPart::Go(go) => format!("→ {}: {}\n", go.to, written(&go.look)),
        ShownPart::Try(attempt) => format!("▸ {}\n", written(&attempt.label)),
        ShownPart::Failed(why) => format!("[{why}]\n"),
        ShownPart::Question(question) => question_text(question, with_answers),
    }
}

fn question_text(question: &ShownQuestion, with_answers: bool) -> String {
    let mut text = format!("? {}\n", written(&question.ask));
    if let ShownKind::Choice(choices) = &question.kind {
        for (place, [choice, _]) in choices.iter().enumerate() {
            let _ = writeln!(text, "  {}. {}", place + 1, written(choice));
        }
    }
    if with_answers {
        let right = match &question.right {
            Right::Number(number, tolerance) => format!("{number} ± {tolerance}"),
            Right::Places(places) => format!("{places:?}"),
            Right::Choices(truths) => {
                let right = truths.iter().enumerate().filter(|(_, truth)| **truth);
                let right: Vec<String> = right.map(|(place, _)| (place + 1).to_string()).collect();
                right.join(", ")
            }
        };
        let _ = writeln!(text, "  = {right}: {}", written(&question.why));
    }
    text
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
