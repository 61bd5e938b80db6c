//! The one sentence that stands beside a picture before a room; in a lesson, the question with its
//! choices.

use egui::{Ui, Vec2};

use super::lines::{Fitted, Line, Rank, STEPS};
use crate::lesson::{Answer, Filled, ShownKind, ShownQuestion};
use crate::ui::lessons::{OpenLesson, right_in_words};
use crate::ui::picture::{Picture, Scene, Spoken};
use crate::ui::state::Mode;
use crate::ui::theme::{Palette, Role};

/// What is said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Says {
    /// Which picture: `Attention L2.H3`.
    of: String,
    /// What a question speaks of.
    before: String,
    sentence: String,
    /// What one may choose from, and whether it is shown to be right.
    choices: Vec<(String, bool)>,
    /// What is right, where it is no choice.
    answer: String,
    /// The number behind it, or why an answer is right.
    detail: String,
    /// In whose colour the number stands.
    role: Option<Role>,
}

impl Says {
    /// What the lesson asks or points at, what was prepared, or what the picture says of itself.
    pub fn of(scene: &mut Scene<'_>, picture: &mut dyn Picture) -> Self {
        let heading = picture.heading(scene);
        let of = match heading.detail.is_empty() {
            // The name of a covered picture would tell what is under it.
            _ if super::hides_picture(scene) => lesson_name(scene),
            true => heading.title.clone(),
            false => format!("{} · {}", heading.title, heading.detail).replace("**", ""),
        };
        let spoken = picture.spoken(scene);
        if let Some(of_lesson) = of_lesson(scene) {
            return Self { of, ..of_lesson };
        }
        let spoken = spoken.unwrap_or(Spoken {
            sentence: heading.sentence,
            detail: String::new(),
            role: Role::Residual,
        });
        let (sentence, detail) = match prepared(scene) {
            Some(says) => (says, spoken.sentence),
            None => (spoken.sentence, spoken.detail),
        };
        Self {
            of,
            sentence,
            detail,
            role: Some(spoken.role),
            ..Self::default()
        }
    }

    /// Everything that is said.
    fn lines(&self, palette: &Palette, is_beside: bool) -> Vec<Line> {
        let (large, middle) = if is_beside {
            (24.0, 17.0)
        } else {
            (17.0, 14.0)
        };
        let mut lines = vec![
            Line::new(&self.of, 13.0, is_beside, palette.muted).ranked(Rank::Name),
            Line::new(&self.before, middle, false, palette.muted).ranked(Rank::Before),
            Line::new(&self.sentence, large, true, palette.text),
        ];
        match is_beside {
            true => lines.extend(self.choices.iter().enumerate().map(|(at, choice)| {
                let (text, is_right) = choice_in_words(choice);
                let colour = if is_right { palette.good } else { palette.text };
                let line = Line::new(&text, 16.0, is_right, colour);
                line.marked(letter(at))
            })),
            // Under a picture every line is taken from it.
            false => {
                let all = self.choices.iter().enumerate();
                let all = all.map(|(at, choice)| together(at, &choice_in_words(choice).0));
                let all: Vec<String> = all.collect();
                lines.push(Line::new(&all.join("      "), 14.0, false, palette.text));
            }
        }
        lines.push(Line::new(&self.answer, 16.0, true, palette.good));
        let detail = Line::new(&self.detail, 14.0, false, palette.muted);
        lines.push(match self.role.is_some() {
            true => detail.ranked(Rank::Number),
            false => detail,
        });
        lines.retain(|line| !line.text.trim().is_empty());
        lines
    }

    /// Laid out in the largest of a few sizes at which all of it fits.
    #[must_use]
    pub fn fitted(&self, ui: &Ui, room: Vec2, is_beside: bool) -> Fitted {
        let mut steps = (0..STEPS.len()).map(|step| self.laid_out(ui, room.x, is_beside, step));
        let fitting = steps.find(|fitted| fitted.height() <= room.y);
        fitting.unwrap_or_else(|| self.laid_out(ui, room.x, is_beside, STEPS.len() - 1))
    }

    /// Laid out in one of the sizes.
    #[must_use]
    pub fn laid_out(&self, ui: &Ui, width: f32, is_beside: bool, step: usize) -> Fitted {
        let palette = Palette::of(ui);
        let accent = self.role.map_or(palette.text, |role| palette.role(role));
        let (scale, least) = STEPS.get(step).copied().unwrap_or((1.0, Rank::Name));
        let lines = self.lines(palette, is_beside).into_iter();
        // Beside a picture its name takes nothing from it.
        let is_said = |line: &Line| line.rank >= least || is_beside && line.rank == Rank::Name;
        Fitted {
            step,
            gap: if is_beside { 10.0 * scale } else { 2.0 },
            texts: lines
                .filter(is_said)
                .map(|line| line.set(ui, scale, accent, width))
                .collect(),
        }
    }
}

/// A choice, with its mark where it is shown to be right.
fn choice_in_words((choice, is_right): &(String, bool)) -> (String, bool) {
    let mark = if *is_right { " ✓" } else { "" };
    (format!("{choice}{mark}"), *is_right)
}

fn letter(at: usize) -> String {
    char::from(b'A' + at.min(25) as u8).to_string()
}

/// A choice that wraps as a whole, if it is short; its letter stays with it.
fn together(at: usize, choice: &str) -> String {
    const SHORT: usize = 40;
    let choice = match choice.chars().count() {
        n if n <= SHORT => choice.replace(' ', "\u{a0}"),
        _ => choice.to_owned(),
    };
    format!("{}\u{a0}\u{a0}{choice}", letter(at))
}

fn lesson_name(scene: &Scene<'_>) -> String {
    let open = scene.board.open.as_ref();
    open.map_or_else(String::new, |open| open.card.title.clone())
}

/// In a lesson: the question that waits, else where it leads.
fn of_lesson(scene: &Scene<'_>) -> Option<Says> {
    if scene.view.mode != Mode::Lessons {
        return None;
    }
    let open = scene.board.open.as_ref()?;
    if open.is_over {
        return Some(the_end(open, scene));
    }
    if let Some(question) = open.waiting() {
        return Some(asked(question, scene, scene.view.present.shows_answer));
    }
    let look = open.place().map(|go| plain(&go.look));
    let look = look.filter(|look| !look.is_empty());
    let closing = || open.closing().map(|text| plain(&text));
    let sentence = look.or_else(closing)?;
    (!sentence.is_empty()).then(|| Says {
        sentence,
        ..Says::default()
    })
}

/// That the lesson is over, and what comes next.
fn the_end(open: &OpenLesson, scene: &Scene<'_>) -> Says {
    let next = scene.board.cards.get(open.number);
    Says {
        sentence: format!("End of the lesson: {}", open.card.title),
        detail: next.map_or_else(String::new, |next| {
            format!("The next one, {}, begins with PgDn.", next.title)
        }),
        ..Says::default()
    }
}

/// The question that waits with its answer, however much of it is shown by now: what is laid out for
/// both does not move when the answer comes.
pub fn answered(scene: &Scene<'_>, asking: &Says) -> Option<Says> {
    let open = scene.board.open.as_ref();
    let open = open.filter(|open| scene.view.mode == Mode::Lessons && !open.is_over)?;
    Some(Says {
        of: asking.of.clone(),
        ..asked(open.waiting()?, scene, true)
    })
}

/// A question; with its answer, once the speaker shows it.
fn asked(question: &ShownQuestion, scene: &Scene<'_>, shows: bool) -> Says {
    let choices = match &question.kind {
        ShownKind::Choice(choices) => choices.as_slice(),
        ShownKind::Number(_) | ShownKind::Click(_) => &[],
    };
    let choices = choices.iter().enumerate().map(|(at, [choice, _])| {
        let is_right = question.right.accepts(&Answer::Choice(at));
        (plain(choice), shows && is_right)
    });
    let why = plain(&question.why);
    let (answer, detail) = match (shows, &question.kind) {
        (false, _) => Default::default(),
        (true, ShownKind::Choice(_)) => (String::new(), why),
        (true, _) => once(question, right_in_words(question, scene), why),
    };
    let before = scene
        .board
        .open
        .as_ref()
        .and_then(OpenLesson::before_question);
    Says {
        before: before.as_ref().map_or_else(String::new, plain),
        sentence: plain(&question.ask),
        choices: choices.collect(),
        answer,
        detail,
        ..Says::default()
    }
}

/// The answer and why it is right; where the reason begins with the answer, it is told once, with the
/// digits of the lesson.
fn once(question: &ShownQuestion, right: String, why: String) -> (String, String) {
    let (first, rest) = why.split_once(". ").unwrap_or((&why, ""));
    let is_right = |word: &str| {
        let digits = word.trim_matches(|letter: char| !letter.is_ascii_digit() && letter != '-');
        let number = digits.parse().ok();
        number.is_some_and(|number| question.right.accepts(&Answer::Number(number)))
    };
    let name = right.trim_matches(['“', '”', ' ']);
    let is_number = matches!(question.kind, ShownKind::Number(_));
    let is_told = match is_number {
        true => first.split_whitespace().any(is_right),
        false => !name.is_empty() && first.contains(name),
    };
    match is_told {
        true => (first.to_owned(), rest.to_owned()),
        false => (right, why),
    }
}

/// A text of a lesson without its marks.
pub fn plain(text: &Filled) -> String {
    let lines = text.text.lines().map(|line| {
        let item = line.trim_start().strip_prefix("- ");
        item.map_or(line.to_owned(), |item| format!("• {item}"))
    });
    let lines: Vec<String> = lines.collect();
    let words = lines.iter().flat_map(|line| line.split_whitespace());
    // A star with a space on each side is a times sign.
    let words = words.map(|word| match word {
        "*" => word.to_owned(),
        word => word.replace(['*', '`'], ""),
    });
    words.collect::<Vec<_>>().join(" ")
}

/// What was prepared for the stop on view.
fn prepared(scene: &Scene<'_>) -> Option<String> {
    let stop = scene.talk.stops.stops.get(scene.view.present.stop?)?;
    let is_here = scene.view.mode == Mode::Explore && !stop.says.trim().is_empty();
    is_here.then(|| stop.says.clone())
}
