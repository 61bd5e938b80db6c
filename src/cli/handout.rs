//! A lesson as a handout: its text with this model's values, and pictures of its runs, drawn by the
//! window's own code without a window.

use anyhow::{Context as _, Result};

use super::options::ModelArgs;
use crate::app::{Start, Studio};
use crate::engine::client::Client;
use crate::engine::message::SessionId;
use crate::export::{Block, Handout};
use crate::lesson::library::Library;
use crate::lesson::run::Run;
use crate::lesson::{Click, Filled, Lesson, Right, ShownGo, ShownKind, ShownPart, ShownQuestion};
use crate::settings::{Settings, ThemeChoice};
use crate::tutor::{Desk, Tutor};
use crate::ui::lessons::spot_of_go;

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
    // A picture that a prediction hides comes after its question.
    let mut hidden: Vec<Block> = Vec::new();
    let own = own(&mut desk, lesson)?;
    let mut texts = desk.texts(&own);
    let parts = parts(&mut desk, lesson);
    for (at, part) in parts.iter().enumerate() {
        match part {
            Shown::Title(title) => blocks.push(Block::Heading(title.clone())),
            Shown::Text(text) => blocks.push(Block::Text(text.clone())),
            Shown::Part(part) => match &**part {
                ShownPart::Text(text) => blocks.push(Block::Text(written(text))),
                ShownPart::Try(attempt) => {
                    blocks.push(Block::Text(format!("Try: {}", written(&attempt.label))));
                }
                ShownPart::Go(go) => {
                    texts = desk.texts(&go.run);
                    let picture = picture(&mut desk, &mut studio, go);
                    match is_hidden(parts.get(at + 1..).unwrap_or_default()) {
                        true => hidden.push(picture),
                        false => blocks.push(picture),
                    }
                }
                ShownPart::Question(question) => {
                    let texts = texts.as_deref().unwrap_or_default();
                    blocks.push(asked(question, texts, tells && lesson.shows_answers));
                    // Without the answers it would be one; with them it comes after.
                    match tells && lesson.shows_answers {
                        true => blocks.append(&mut hidden),
                        false => hidden.clear(),
                    }
                }
                ShownPart::Failed(why) => blocks.push(Block::Lacking(why.clone())),
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

/// Whether the next question, after parts that only tell, is a prediction.
fn is_hidden(after: &[Shown]) -> bool {
    let next = after.iter().find_map(|shown| match shown {
        Shown::Title(_) => Some(false),
        Shown::Part(part) => match &**part {
            ShownPart::Question(question) => Some(question.is_prediction),
            _ => None,
        },
        Shown::Text(_) => None,
    });
    next == Some(true)
}

/// The lesson's own run.
fn own(desk: &mut Desk<Client>, lesson: &Lesson) -> Result<Run> {
    let run = Tutor::new(desk, lesson).run(None);
    run.map_err(|mistake| anyhow::anyhow!("{}", lesson.problem(mistake.at, mistake.message)))
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
            let told = lesson.told_calmly(&mistake);
            all.push(Shown::Part(Box::new(ShownPart::Failed(told))));
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
    Ok(Studio::open(start, false)?.quiet())
}

/// The picture of a step; where it cannot be drawn, why.
fn picture(desk: &mut Desk<Client>, studio: &mut Studio, go: &ShownGo) -> Block {
    let address = go.to.to_string();
    let request = match desk.request(&go.run) {
        Ok(request) => request,
        Err(why) => return Block::Lacking(format!("No picture of {address}: {why:?}")),
    };
    let beside = go.beside.as_ref();
    let beside = beside.map(|run| (desk.request(run), run.tokens, run.prompt.text()));
    let drawn = studio
        .run(request, go.run.tokens + 1)
        .and_then(|()| match beside {
            Some((Ok(request), n_tokens, text)) => studio.beside(request, n_tokens + 1, text),
            Some((Err(why), ..)) => Err(anyhow::anyhow!(why)),
            None => Ok(()),
        })
        .and_then(|()| studio.picture(spot_of_go(go), PICTURE));
    match drawn {
        Ok(svg) => Block::Picture {
            svg,
            caption: written(&go.look),
            address,
        },
        Err(why) => Block::Lacking(format!("No picture of {address}: {why:#}")),
    }
}

/// A question; `texts` are the tokens that a click would choose from.
fn asked(question: &ShownQuestion, texts: &[String], tells: bool) -> Block {
    let choices = match &question.kind {
        ShownKind::Choice(choices) => choices.iter().map(|[choice, _]| written(choice)).collect(),
        _ => Vec::new(),
    };
    let answer = tells.then(|| {
        let right = match &question.right {
            Right::Number(number, tolerance) => format!("{number} ± {tolerance}"),
            Right::Places(places) => {
                let places = places.iter().map(|place| place_in_words(place, texts));
                places.collect::<Vec<_>>().join(", ")
            }
            Right::Choices(truths) => {
                let right = truths.iter().zip(&choices).filter(|(truth, _)| **truth);
                let right: Vec<&str> = right.map(|(_, choice)| choice.as_str()).collect();
                right.join("; ")
            }
        };
        format!("**{right}** {}", written(&question.why))
    });
    let how = match question.kind {
        ShownKind::Click(on) => how_on_paper(on, texts),
        _ => String::new(),
    };
    Block::Question {
        ask: format!("{}{how}", written(&question.ask)),
        choices,
        answer,
    }
}

/// What takes the place of a click.
fn how_on_paper(on: Click, texts: &[String]) -> String {
    let told = match on {
        Click::Token => {
            let tokens = texts.iter().enumerate();
            let tokens = tokens.map(|(at, text)| format!("{at} `{text}`"));
            format!("Mark one: {}", tokens.collect::<Vec<_>>().join(" · "))
        }
        Click::Cell => "Mark the cell in the map, or write its row and its column.".to_owned(),
        Click::Head => "Write it as L….H…, the block and the head.".to_owned(),
        Click::Block => "Write the number of the block.".to_owned(),
        Click::Neuron => "Write the number of the neuron.".to_owned(),
    };
    format!("\n\n{told}")
}

/// A place as people say it.
fn place_in_words(place: &[usize], texts: &[String]) -> String {
    match place {
        [at] => match texts.get(*at) {
            Some(text) => format!("{at} `{text}`"),
            None => at.to_string(),
        },
        place => format!("{place:?}"),
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
