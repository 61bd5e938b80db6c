//! `vitrine lessons`: list, read and check lessons, without the window.

mod show;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::Subcommand;

use super::Ended;
use super::options::ModelArgs;
use super::table::{Column, Table};
use crate::engine::client::Client;
use crate::engine::message::SessionId;
use crate::lesson::library::{Entry, Library};
use crate::lesson::{FORMAT, Lesson, Sourced, read};
use crate::tutor::{Desk, Report, Tutor, check};

/// Flags of `vitrine lessons`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: Option<What>,
    /// Also the lessons of this folder; may be given several times.
    #[arg(long, value_name = "DIR", global = true)]
    lessons: Vec<PathBuf>,
    /// Print JSON.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List the lessons (this is what happens without a word).
    List,
    /// Print a lesson, with the values that the model gives.
    Show {
        /// Its name.
        name: String,
        /// The right answers too.
        #[arg(long)]
        answers: bool,
        #[command(flatten)]
        model: ModelArgs,
    },
    /// Run every lesson to its end on the model, answering right and wrong.
    ///
    /// Tells each mistake with file, line and column; the exit code is 1 if there is one.
    Check {
        /// A folder of lessons, or names of lessons; without, the lessons of the program.
        places: Vec<String>,
        #[command(flatten)]
        model: ModelArgs,
    },
    /// Print what an expression is worth on a prompt: for authors.
    Value {
        /// The expression.
        expression: String,
        /// The prompt of the run.
        #[arg(long, default_value = "The capital of France is")]
        prompt: String,
        #[command(flatten)]
        model: ModelArgs,
    },
    /// Print the page on the format, with everything that expressions can ask.
    Format,
}

/// Runs the command.
///
/// # Errors
/// If there is no such lesson or folder, or the model cannot be loaded.
pub fn run(args: &Args) -> Result<Ended> {
    let mut library = Library::carried();
    for folder in &args.lessons {
        add(&mut library, folder)?;
    }
    match &args.what {
        None | Some(What::List) => list(&library, args.json),
        Some(What::Show {
            name,
            answers,
            model,
        }) => {
            let lesson = found(&library, name)?;
            let mut desk = desk(model)?;
            let text = show::shown(&mut desk, lesson, *answers);
            write!(io::stdout(), "{}", tame(&text))?;
            Ok(Ended::Well)
        }
        Some(What::Check { places, model }) => {
            let library = chosen(library, places)?;
            checked(&library, places, &mut desk(model)?, args.json)
        }
        Some(What::Value {
            expression,
            prompt,
            model,
        }) => value(expression, prompt, &mut desk(model)?),
        Some(What::Format) => {
            writeln!(io::stdout(), "{FORMAT}\n{}", show::reference())?;
            Ok(Ended::Well)
        }
    }
}

fn add(library: &mut Library, folder: &Path) -> Result<()> {
    let added = library.add_folder(folder);
    added.with_context(|| format!("the folder {} cannot be read", folder.display()))
}

fn desk(model: &ModelArgs) -> Result<Desk<Client>> {
    Ok(Desk::new(Client::start()?, model.choice(), SessionId(1)))
}

fn found<'a>(library: &'a Library, name: &str) -> Result<&'a Lesson> {
    let entry = library.find(name).with_context(|| {
        format!("there is no lesson called '{name}'; 'vitrine lessons' lists them")
    })?;
    entry.lesson.as_ref().map_err(|problems| {
        let first = problems
            .first()
            .map(ToString::to_string)
            .unwrap_or_default();
        anyhow::anyhow!("{}", tame(&first))
    })
}

fn list(library: &Library, json: bool) -> Result<Ended> {
    let mut out = io::stdout().lock();
    let mut table = Table::new([
        Column::Left("lesson"),
        Column::Right("min"),
        Column::Left("level"),
        Column::Left("what it is about"),
    ]);
    for entry in library.entries() {
        match &entry.lesson {
            Ok(lesson) if json => {
                let line = serde_json::json!({
                    "name": lesson.name, "title": lesson.title, "minutes": lesson.minutes,
                    "level": lesson.level, "language": lesson.language, "about": lesson.about,
                    "steps": lesson.steps.len(), "questions": lesson.questions().count(),
                });
                writeln!(out, "{line}")?;
            }
            Ok(lesson) => table.row([
                tame(&lesson.name),
                lesson.minutes.to_string(),
                tame(&lesson.level),
                tame(&format!("{}: {}", lesson.title, lesson.about)),
            ]),
            Err(problems) => {
                for problem in problems {
                    eprintln!("{}", tame(&problem.to_string()));
                }
            }
        }
    }
    if !json {
        write!(out, "{table}")?;
    }
    Ok(Ended::Well)
}

/// The lessons of a folder, where one is named; else all that there are.
fn chosen(library: Library, places: &[String]) -> Result<Library> {
    let folders: Vec<&Path> = places
        .iter()
        .map(Path::new)
        .filter(|path| path.is_dir())
        .collect();
    if folders.is_empty() {
        return Ok(library);
    }
    let mut own = Library::default();
    for folder in folders {
        add(&mut own, folder)?;
        if own.entries().is_empty() {
            bail!(
                "{} holds no lesson: no file *.md that begins with a line '+++'",
                folder.display()
            );
        }
    }
    Ok(own)
}

fn checked(
    library: &Library,
    places: &[String],
    desk: &mut Desk<Client>,
    json: bool,
) -> Result<Ended> {
    let names: Vec<&String> = places
        .iter()
        .filter(|place| !Path::new(place).is_dir())
        .collect();
    for name in &names {
        if library.find(name).is_none() {
            bail!(
                "there is no lesson and no folder called '{name}'; 'vitrine lessons' lists the lessons"
            );
        }
    }
    let wanted = |entry: &&Entry| names.is_empty() || names.iter().any(|name| **name == entry.name);
    let mut out = io::stdout().lock();
    let mut n_wrong = 0;
    for entry in library.entries().into_iter().filter(wanted) {
        let report = match &entry.lesson {
            Ok(lesson) => check(desk, lesson),
            Err(problems) => Report {
                name: entry.name.clone(),
                problems: problems.clone(),
                ..Report::default()
            },
        };
        n_wrong += usize::from(!report.problems.is_empty());
        match json {
            true => writeln!(out, "{}", serde_json::to_string(&report)?)?,
            false => write!(out, "{}", tame(&for_people(&report)))?,
        }
    }
    Ok(match n_wrong {
        0 => Ended::Well,
        _ => Ended::WithFailures,
    })
}

/// A text of a lesson for a terminal: what would steer it, or turn the letters round, stands there as
/// a code.
fn tame(text: &str) -> String {
    let mut tame = String::with_capacity(text.len());
    for letter in text.chars() {
        let turns = matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        match letter {
            '\n' | '\t' => tame.push(letter),
            letter if letter.is_control() || turns => tame.extend(letter.escape_unicode()),
            letter => tame.push(letter),
        }
    }
    tame
}

fn for_people(report: &Report) -> String {
    let mut text = match report.problems.len() {
        0 => format!(
            "✓ {}: {} steps, {} questions, {} values, {} claims\n",
            report.name, report.n_steps, report.n_questions, report.n_values, report.n_claims
        ),
        1 => format!("✗ {}: 1 mistake\n", report.name),
        n => format!("✗ {}: {n} mistakes\n", report.name),
    };
    for problem in &report.problems {
        text.push_str(&format!("  {problem}\n"));
    }
    for sentence in &report.left_out {
        text.push_str(&format!("  left out on this model: {}\n", sentence.trim()));
    }
    text
}

/// What an expression is worth in a lesson that consists of nothing else.
fn value(expression: &str, prompt: &str, desk: &mut Desk<Client>) -> Result<Ended> {
    let prompt = serde_json::to_string(&prompt.replace('\\', "\\\\").replace('{', "\\{"))?;
    let text =
        format!("+++\ntitle = \"\"\nminutes = 1\norder = 1\nprompt = {prompt}\n+++\n## Step\n");
    let lesson = read("value", "value", &text);
    let lesson = lesson.map_err(|problems| {
        anyhow::anyhow!(
            "{}",
            problems
                .first()
                .map(ToString::to_string)
                .unwrap_or_default()
        )
    })?;
    let told = |mistake: crate::lesson::expression::Mistake| {
        let place = expression
            .get(..mistake.at)
            .map_or(0, |before| before.chars().count());
        anyhow::anyhow!("{} (at character {})", mistake.message, place + 1)
    };
    let value = crate::lesson::expression::parse(expression).map_err(told)?;
    let value = Tutor::new(desk, &lesson)
        .value(&Sourced { value, start: 0 })
        .map_err(told)?;
    writeln!(io::stdout(), "{value}")?;
    Ok(Ended::Well)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_lesson_steers_the_terminal() {
        assert_eq!(
            tame("a\u{1b}[31m\u{7}\u{202e}é\n"),
            "a\\u{1b}[31m\\u{7}\\u{202e}é\n"
        );
    }
}
