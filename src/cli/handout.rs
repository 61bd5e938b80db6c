//! A lesson as a handout: its text with this model's values, and pictures of its runs, drawn by the
//! window's own code without a window.

use anyhow::{Context as _, Result};

use super::options::ModelArgs;
use crate::app::{Start, Studio};
use crate::engine::client::Client;
use crate::engine::message::SessionId;
use crate::export::{Block, Handout};
use crate::lesson::library::Library;
use crate::lesson::{Filled, Lesson, Right, ShownGo, ShownKind, ShownPart, ShownQuestion};
use crate::settings::{Settings, ThemeChoice};
use crate::tutor::{Desk, Tutor};
use crate::ui::spot::Spot;

/// Width and height of a picture on paper, in points.
const PICTURE: [f32; 2] = [860.0, 560.0];

/// The handout of the lesson called `name`.
///
/// # Errors
/// If there is no such lesson, or the model cannot be run.
pub fn handout(library: &Library, name: &str, model: &ModelArgs, tells: bool) -> Result<Handout> {
    let entry = library.find(name).with_context(|| {
        format!("there is no lesson called '{name}'; 'vitrine lessons' lists them")
    })?;
    let lesson = entry.lesson.as_ref().map_err(|problems| {
        let first = problems.first().map(ToString::to_string);
        anyhow::anyhow!(first.unwrap_or_default())
    })?;
    let mut desk = Desk::new(Client::start()?, model.choice(), SessionId(1));
    let mut studio = studio(model)?;
    let mut blocks = Vec::new();
    for part in parts(&mut desk, lesson) {
        match part {
            Shown::Title(title) => blocks.push(Block::Heading(title)),
            Shown::Text(text) => blocks.push(Block::Text(text)),
            Shown::Part(part) => match *part {
                ShownPart::Text(text) => blocks.push(Block::Text(written(&text))),
                ShownPart::Try(attempt) => {
                    blocks.push(Block::Text(format!("Try: {}", written(&attempt.label))));
                }
                ShownPart::Go(go) => blocks.push(picture(&mut desk, &mut studio, &go)),
                ShownPart::Question(question) => {
                    blocks.push(asked(&question, tells && lesson.shows_answers));
                }
                ShownPart::Failed(why) => blocks.push(Block::Lacking(why)),
            },
        }
    }
    let (minutes, level, model) = (lesson.minutes, &lesson.level, model.choice().name);
    Ok(Handout {
        title: lesson.title.clone(),
        about: format!("{minutes} minutes · {level} · the numbers are those of {model}"),
        blocks,
    })
}

/// What a lesson shows, in order.
enum Shown {
    Title(String),
    Text(String),
    Part(Box<ShownPart>),
}

fn parts(desk: &mut Desk<Client>, lesson: &Lesson) -> Vec<Shown> {
    let mut tutor = Tutor::new(desk, lesson);
    let mut all = Vec::new();
    match tutor.opening() {
        Ok(opening) => {
            all.push(Shown::Text(written(&opening.intro)));
            if let Some(lacks) = &opening.lacks {
                all.push(Shown::Text(written(lacks)));
                return all;
            }
        }
        Err(mistake) => {
            let problem = lesson.problem(mistake.at, mistake.message);
            all.push(Shown::Part(Box::new(ShownPart::Failed(
                problem.to_string(),
            ))));
        }
    }
    for (number, step) in lesson.steps.iter().enumerate() {
        let step = tutor.step(step);
        all.push(Shown::Title(format!("{} {}", number + 1, step.title)));
        all.extend(step.lacks.as_ref().map(|lacks| Shown::Text(written(lacks))));
        let parts = step.parts.into_iter();
        all.extend(parts.map(|part| Shown::Part(Box::new(part))));
    }
    all
}

/// The window's app without a window.
fn studio(model: &ModelArgs) -> Result<Studio> {
    let settings = Settings {
        theme: ThemeChoice::Light,
        motion: false,
        ..Settings::default()
    };
    let start = Start::new(settings, model.choice());
    Studio::open(start, false)
}

/// The picture of a step; where it cannot be drawn, why.
fn picture(desk: &mut Desk<Client>, studio: &mut Studio, go: &ShownGo) -> Block {
    let address = go.to.to_string();
    let request = match desk.request(&go.run) {
        Ok(request) => request,
        Err(why) => return Block::Lacking(format!("No picture of {address}: {why:?}")),
    };
    let drawn = studio
        .run(request, go.run.tokens)
        .and_then(|()| studio.picture(spot(go), PICTURE));
    match drawn {
        Ok(svg) => Block::Picture {
            svg,
            caption: written(&go.look),
            address,
        },
        Err(why) => Block::Lacking(format!("No picture of {address}: {why:#}")),
    }
}

fn spot(go: &ShownGo) -> Spot {
    Spot {
        address: go.to.clone(),
        tab: go.tab.clone(),
    }
}

fn asked(question: &ShownQuestion, tells: bool) -> Block {
    let choices = match &question.kind {
        ShownKind::Choice(choices) => choices.iter().map(|[choice, _]| written(choice)).collect(),
        _ => Vec::new(),
    };
    let answer = tells.then(|| {
        let right = match &question.right {
            Right::Number(number, tolerance) => format!("{number} ± {tolerance}"),
            Right::Places(places) => format!("{places:?}"),
            Right::Choices(truths) => {
                let right = truths.iter().zip(&choices).filter(|(truth, _)| **truth);
                let right: Vec<&str> = right.map(|(_, choice)| choice.as_str()).collect();
                right.join("; ")
            }
        };
        format!("**{right}** {}", written(&question.why))
    });
    Block::Question {
        ask: written(&question.ask),
        choices,
        answer,
    }
}

fn written(filled: &Filled) -> String {
    let not_so = if filled.broken.is_empty() {
        ""
    } else {
        "(Not so on this model:) "
    };
    format!("{not_so}{}", filled.text.trim())
}
