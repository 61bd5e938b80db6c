//! From a file to a lesson, or to everything that is wrong with it.
//!
//! A head in TOML between two lines `+++`; then Markdown. A heading `## …` begins a step; a fenced
//! block called `go`, `try`, `question` or `needs` holds TOML; everything else is text to read.
//! `lessons/FORMAT.md` is the page for authors.

use std::collections::HashSet;
use std::ops::Range;
use std::str::FromStr;
use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::expression::{
    Called, Expression, Mistake, Named, Node, RunName, Scope, parse, parse_text,
};
use super::form::{
    GoForm, HeadForm, NeedsForm, QuestionForm, RunToml, Source, SweepForm, ToleranceForm, TryForm,
    Turns,
};
use super::lesson::{Condition, Go, Lesson, Part, Sourced, Step, Sweep, Try};
use super::problem::{Place, Problem};
use super::prose::Prose;
use super::question::{Choice, Click, Kind, Question, Tolerance};
use super::run::{PromptForm, RunForm, Text};
use crate::trace::Address;
use crate::trace::edit::Edit;
use crate::trace::sampling::SamplingChoice;

/// Largest lesson, in bytes.
pub const MOST_BYTES: usize = 200_000;

/// Most mistakes that are told at once.
const MOST_PROBLEMS: usize = 50;

/// Most tokens that a run of a lesson generates.
const MOST_TOKENS: usize = 512;

/// Reads a lesson. `name` is what it is called by, `file` what errors name.
///
/// # Errors
/// Everything that is wrong with it, in the order of the file.
pub fn read(name: &str, file: &str, text: &str) -> Result<Lesson, Vec<Problem>> {
    let mut reader = Reader {
        file,
        text,
        problems: Vec::new(),
    };
    let lesson = reader.lesson(name);
    let mut problems = reader.problems;
    match lesson {
        Some(lesson) if problems.is_empty() => Ok(lesson),
        _ => {
            problems.sort_by_key(|problem| problem.place);
            problems.truncate(MOST_PROBLEMS);
            Err(problems)
        }
    }
}

struct Reader<'a> {
    file: &'a str,
    text: &'a str,
    problems: Vec<Problem>,
}

/// A piece of the body.
enum Block<'a> {
    /// `## …`
    Heading(&'a str),
    /// Text to read.
    Text,
    /// A fenced block with one of our names.
    Fenced(&'a str),
}

impl<'a> Reader<'a> {
    fn problem(&mut self, byte: usize, message: impl Into<String>) {
        if self.problems.len() <= MOST_PROBLEMS {
            self.problems.push(Problem {
                file: self.file.to_owned(),
                place: Place::of(self.text, byte),
                message: message.into(),
            });
        }
    }

    fn lesson(&mut self, name: &str) -> Option<Lesson> {
        if self.text.len() > MOST_BYTES {
            self.problem(0, format!("a lesson has at most {MOST_BYTES} bytes"));
            return None;
        }
        let head = self.head_range()?;
        let form: HeadForm = self.toml(head.clone())?;
        let (scope, value_starts) = self.scope(&form, head.start);
        let needs = form.needs.iter();
        let needs: Vec<Condition> = needs
            .filter_map(|needs| self.condition(needs, head.start))
            .collect();
        let (intro, steps) = self.body(head.end);
        let lesson = Lesson {
            name: name.to_owned(),
            file: self.file.to_owned(),
            title: form.title,
            about: form.about,
            minutes: form.minutes,
            order: form.order,
            level: form.level,
            language: form.language,
            shows_hints: form.hints,
            shows_answers: form.answers,
            needs,
            scope,
            value_starts,
            intro,
            steps,
            text: Arc::from(self.text),
        };
        self.check(&lesson);
        Some(lesson)
    }

    /// The bytes between the two lines `+++`.
    fn head_range(&mut self) -> Option<Range<usize>> {
        let mut lines = Lines::of(self.text, 0);
        match lines.next() {
            Some(line) if self.slice(&line).trim_end() == "+++" => {
                let start = line.end;
                let end = lines.find(|line| self.slice(line).trim_end() == "+++");
                if let Some(end) = end {
                    return Some(start..end.start);
                }
                self.problem(
                    0,
                    "the head that begins here is not closed; it ends with a line '+++'",
                );
            }
            _ => self.problem(
                0,
                "expected a line '+++', the head in TOML, and another line '+++'",
            ),
        }
        None
    }

    fn slice(&self, range: &Range<usize>) -> &'a str {
        self.text.get(range.clone()).unwrap_or_default()
    }

    /// The TOML in a range of the file.
    fn toml<T: DeserializeOwned>(&mut self, range: Range<usize>) -> Option<T> {
        match toml::from_str(self.slice(&range)) {
            Ok(form) => Some(form),
            Err(error) => {
                let at = error.span().map_or(0, |span| span.start);
                self.problem(range.start + at, error.message().replace('\n', " "));
                None
            }
        }
    }

    /// Where the text of a TOML string begins in the file: after its quotation marks.
    fn start_of(&self, source: &Source, base: usize) -> usize {
        let span = source.span();
        let raw = self.slice(&(base + span.start..base + span.end));
        let inside = raw.find(source.get_ref().as_str()).unwrap_or_default();
        base + span.start + inside
    }

    /// Something read from a TOML string; mistakes are kept with their place.
    fn sourced<T>(
        &mut self,
        source: &Source,
        base: usize,
        read: impl Fn(&str) -> Result<T, Mistake>,
    ) -> Option<Sourced<T>> {
        let start = self.start_of(source, base);
        match read(source.get_ref()) {
            Ok(value) => Some(Sourced { value, start }),
            Err(mistake) => {
                self.problem(start + mistake.at, mistake.message);
                None
            }
        }
    }

    fn expression(&mut self, source: &Source, base: usize) -> Option<Sourced<Expression>> {
        self.sourced(source, base, parse)
    }

    fn text_form(&mut self, source: &Source, base: usize) -> Option<Sourced<Text>> {
        self.sourced(source, base, parse_text)
    }

    fn prose(&mut self, source: Option<&Source>, base: usize) -> Prose {
        match source {
            None => Prose::default(),
            Some(source) => {
                let start = self.start_of(source, base);
                self.prose_at(source.get_ref(), start)
            }
        }
    }

    fn prose_at(&mut self, text: &str, start: usize) -> Prose {
        Prose::read(text, start).unwrap_or_else(|mistakes| {
            for mistake in mistakes {
                self.problem(mistake.at, mistake.message);
            }
            Prose::default()
        })
    }

    fn condition(&mut self, form: &NeedsForm, base: usize) -> Option<Condition> {
        Some(Condition {
            when: self.expression(&form.when, base)?,
            otherwise: self.prose(Some(&form.otherwise), base),
        })
    }

    fn scope(&mut self, form: &HeadForm, base: usize) -> (Scope, Vec<(String, usize)>) {
        let own = RunToml {
            over: Vec::new(),
            model: form.model.clone(),
            prompt: form.prompt.clone(),
            chat: None,
            system: form.system.clone(),
            edits: form.edits.clone(),
            sources: Default::default(),
            tokens: Some(form.tokens),
            sampling: form.sampling.clone(),
            seed: Some(form.seed),
        };
        let main = self.run(&own, form.chat.as_ref(), &RunForm::default(), base);
        if form.prompt.is_none() && form.chat.is_none() {
            self.problem(
                base,
                "the head needs a prompt: prompt = \"…\", or chat = \"…\"",
            );
        }
        let mut scope = Scope {
            main,
            ..Scope::default()
        };
        for (name, run) in &form.runs {
            let run = self.run(run, run.chat.as_ref(), &scope.main.clone(), base);
            scope.runs.insert(name.clone(), run);
        }
        let mut starts = Vec::new();
        for (name, source) in &form.values {
            if let Some(value) = self.expression(source, base) {
                starts.push((name.clone(), value.start));
                scope.values.insert(name.clone(), value.value);
            }
        }
        (scope, starts)
    }

    /// A run; what it leaves out is as in `main`, edits aside.
    fn run(
        &mut self,
        form: &RunToml,
        chat: Option<&Turns>,
        main: &RunForm,
        base: usize,
    ) -> RunForm {
        let prompt = match (&form.prompt, chat) {
            (Some(prompt), Some(_)) => {
                self.problem(
                    base + prompt.span().start,
                    "a run has a prompt or a chat, not both",
                );
                PromptForm::default()
            }
            (Some(prompt), None) => PromptForm::Raw(
                self.text_form(prompt, base)
                    .map(|text| text.value)
                    .unwrap_or_default(),
            ),
            (None, Some(chat)) => PromptForm::Chat {
                system: (form.system.as_ref())
                    .and_then(|system| self.text_form(system, base))
                    .map(|text| text.value)
                    .unwrap_or_default(),
                turns: self.turns(chat, base),
            },
            (None, None) => self.inherited(form.system.as_ref(), &main.prompt, base),
        };
        let edits = form.edits.iter().filter_map(|edit| self.edit(edit, base));
        let edits = edits.collect();
        let sources = form.sources.iter();
        let sources = sources
            .filter_map(|(name, source)| Some((name.clone(), self.text_form(source, base)?.value)))
            .collect();
        let settings = |text: &str| {
            let choice: Result<SamplingChoice, _> = text.parse();
            choice.map_err(|why| Mistake::new(0, why.to_string()))
        };
        let sampling = (form.sampling.as_ref())
            .and_then(|source| self.sourced(source, base, settings))
            .map_or(main.sampling.clone(), |sampling| sampling.value);
        let tokens = form.tokens.unwrap_or(main.tokens);
        if tokens > MOST_TOKENS {
            self.problem(
                base,
                format!("a run generates at most {MOST_TOKENS} tokens, not {tokens}"),
            );
        }
        RunForm {
            over: form.over.clone(),
            model: form.model.clone().or_else(|| main.model.clone()),
            prompt,
            edits,
            sources,
            tokens: tokens.min(MOST_TOKENS),
            sampling,
            seed: form.seed.unwrap_or(main.seed),
        }
    }

    /// The prompt of the lesson, with another system prompt where one is given.
    fn inherited(&mut self, system: Option<&Source>, main: &PromptForm, base: usize) -> PromptForm {
        let own = system.and_then(|system| self.text_form(system, base));
        match (own, main) {
            (Some(own), PromptForm::Chat { turns, .. }) => PromptForm::Chat {
                system: own.value,
                turns: turns.clone(),
            },
            _ => main.clone(),
        }
    }

    fn turns(&mut self, chat: &Turns, base: usize) -> Vec<Text> {
        let turns = match chat {
            Turns::One(turn) => std::slice::from_ref(turn),
            Turns::Many(turns) => turns,
        };
        if turns.len() % 2 == 0 {
            self.problem(base, "a chat has messages of the user and of the model in turn, and ends with the user's");
        }
        let mut texts = Vec::new();
        for turn in turns {
            match parse_text(turn) {
                Ok(text) => texts.push(text),
                Err(mistake) => self.problem(base, format!("in a message of 'chat': {mistake}")),
            }
        }
        texts
    }

    /// An edit; one without expressions is read at once, so that a mistake is seen early.
    fn edit(&mut self, source: &Source, base: usize) -> Option<Text> {
        let text = self.text_form(source, base)?;
        if !source.get_ref().contains('{')
            && let Err(error) = Edit::from_str(source.get_ref())
        {
            self.problem(text.start, error.to_string());
        }
        Some(text.value)
    }

    fn body(&mut self, head_end: usize) -> (Prose, Vec<Step>) {
        let mut lines = Lines::of(self.text, head_end);
        lines.next(); // the line that closes the head
        let start = lines.at;
        let mut intro = Prose::default();
        let mut steps: Vec<Step> = Vec::new();
        for (block, range) in self.blocks(start) {
            match block {
                Block::Heading(title) => steps.push(Step {
                    title: title.to_owned(),
                    start: range.start,
                    needs: Vec::new(),
                    parts: Vec::new(),
                }),
                Block::Text => {
                    let prose = self.prose_at(self.slice(&range), range.start);
                    match steps.last_mut() {
                        _ if prose.is_blank() => {}
                        Some(step) => step.parts.push(Part::Text(prose)),
                        None => intro = prose,
                    }
                }
                Block::Fenced(name) => self.fenced(name, range, steps.last_mut()),
            }
        }
        if steps.is_empty() {
            self.problem(
                start,
                "a lesson has steps; each begins with a heading '## …'",
            );
        }
        (intro, steps)
    }

    /// The body cut into headings, texts and blocks.
    fn blocks(&mut self, start: usize) -> Vec<(Block<'a>, Range<usize>)> {
        let mut blocks = Vec::new();
        let mut text_from = start;
        let mut lines = Lines::of(self.text, start);
        while let Some(line) = lines.next() {
            let content = self.slice(&line).trim_end();
            if let Some(title) = content.strip_prefix("## ") {
                blocks.push((Block::Text, text_from..line.start));
                blocks.push((Block::Heading(title.trim()), line.clone()));
                text_from = line.end;
            } else if let Some(info) = content.strip_prefix("```") {
                let name = info.trim();
                let inner = line.end;
                let end = lines.find(|line| self.slice(line).trim_end() == "```");
                let Some(end) = end else {
                    self.problem(
                        line.start,
                        "the block that begins here is not closed; it ends with a line '```'",
                    );
                    break;
                };
                if BLOCKS.contains(&name) {
                    blocks.push((Block::Text, text_from..line.start));
                    blocks.push((Block::Fenced(name), inner..end.start));
                    text_from = end.end;
                }
            }
        }
        blocks.push((Block::Text, text_from..self.text.len()));
        blocks
    }

    fn fenced(&mut self, name: &str, range: Range<usize>, step: Option<&mut Step>) {
        let Some(step) = step else {
            self.problem(
                range.start,
                format!("a block '{name}' stands in a step; begin one with a heading '## …'"),
            );
            return;
        };
        let base = range.start;
        let part = match name {
            "go" => self
                .toml(range)
                .and_then(|form| self.go(&form, base))
                .map(Part::Go),
            "try" => self
                .toml(range)
                .and_then(|form| self.attempt(&form, base))
                .map(Part::Try),
            "question" => self
                .toml(range)
                .and_then(|form| self.question(&form, base))
                .map(Part::Question),
            _ => {
                let form = self.toml::<NeedsForm>(range);
                step.needs
                    .extend(form.and_then(|form| self.condition(&form, base)));
                None
            }
        };
        step.parts.extend(part);
    }

    fn address(&mut self, source: &Source, base: usize) -> Option<Sourced<Text>> {
        let text = self.text_form(source, base)?;
        if !source.get_ref().contains('{')
            && let Err(error) = Address::from_str(source.get_ref())
        {
            self.problem(text.start, error.to_string());
        }
        Some(text)
    }

    /// A run by its name: `without(2, 3)`.
    fn run_name(&mut self, source: Option<&Source>, base: usize) -> Option<Sourced<RunName>> {
        let source = source?;
        // Read as the run of a question, so that its arguments are expressions.
        let asked = format!("{}.tokens()", source.get_ref());
        let start = self.start_of(source, base);
        match parse(&asked).map(|expression| expression.node) {
            Ok(Node::Call(Called::Ask(_, Some(value)), _)) => Some(Sourced { value, start }),
            _ => {
                self.problem(
                    start,
                    "expected the name of a run: without, or without(2, 3)",
                );
                None
            }
        }
    }

    fn go(&mut self, form: &GoForm, base: usize) -> Option<Go> {
        Some(Go {
            to: self.address(&form.to, base)?,
            run: self.run_name(form.run.as_ref(), base),
            beside: self.run_name(form.beside.as_ref(), base),
            mark: form
                .mark
                .as_ref()
                .and_then(|mark| self.expression(mark, base)),
            look: self.prose(form.look.as_ref(), base),
        })
    }

    fn attempt(&mut self, form: &TryForm, base: usize) -> Option<Try> {
        Some(Try {
            label: self.prose(Some(&form.label), base),
            to: form.to.as_ref().and_then(|to| self.address(to, base)),
            run: self.run_name(form.run.as_ref(), base),
            beside: self.run_name(form.beside.as_ref(), base),
            sweep: form
                .sweep
                .as_ref()
                .and_then(|sweep| self.sweep(sweep, base)),
        })
    }

    fn sweep(&mut self, form: &SweepForm, base: usize) -> Option<Sweep> {
        const OVER: [&str; 2] = ["heads", "layers x positions"];
        if !OVER.contains(&form.over.get_ref().as_str()) {
            let start = self.start_of(&form.over, base);
            self.problem(
                start,
                "a sweep goes over \"heads\" or \"layers x positions\"",
            );
            return None;
        }
        Some(Sweep {
            over: form.over.get_ref().clone(),
            change: form.change.clone(),
            token: self.text_form(&form.token, base)?,
        })
    }

    fn question(&mut self, form: &QuestionForm, base: usize) -> Option<Question> {
        let kind = self.kind(form, base)?;
        Some(Question {
            id: form.ask.get_ref().clone(),
            start: self.start_of(&form.ask, base),
            ask: self.prose(Some(&form.ask), base),
            is_prediction: form.predict,
            kind,
            hint: self.prose(form.hint.as_ref(), base),
            why: self.prose(form.why.as_ref(), base),
        })
    }

    fn kind(&mut self, form: &QuestionForm, base: usize) -> Option<Kind> {
        let start = self.start_of(&form.ask, base);
        match (&form.choices, &form.click, &form.right) {
            (Some(choices), None, None) => {
                if choices.len() < 2 {
                    self.problem(start, "a question has at least two choices");
                }
                let mut read = Vec::new();
                for choice in choices {
                    read.push(Choice {
                        text: self.prose(Some(&choice.text), base),
                        right: self.expression(&choice.right, base)?,
                        hint: self.prose(choice.hint.as_ref(), base),
                    });
                }
                Some(Kind::Choice(read))
            }
            (None, Some(click), Some(right)) => {
                let on = Click::ALL
                    .into_iter()
                    .find(|on| on.name() == click.get_ref());
                if on.is_none() {
                    let at = self.start_of(click, base);
                    self.problem(
                        at,
                        "a click goes on a \"token\", \"cell\", \"head\", \"block\" or \"neuron\"",
                    );
                }
                let right = self.expression(right, base);
                Some(Kind::Click {
                    on: on?,
                    right: right?,
                })
            }
            (None, None, Some(right)) => Some(Kind::Number {
                right: self.expression(right, base)?,
                tolerance: self.tolerance(form.tolerance.as_ref(), start),
                unit: form.unit.clone(),
            }),
            _ => {
                self.problem(
                    start,
                    "expected what is right: choices = [{ text, right }, …], or click and right, or right for a number",
                );
                None
            }
        }
    }

    fn tolerance(&mut self, form: Option<&ToleranceForm>, start: usize) -> Tolerance {
        let read = match form {
            None => Some(Tolerance::Usual),
            Some(ToleranceForm::Number(number)) => Some(Tolerance::Absolute(*number)),
            Some(ToleranceForm::Text(text)) => (text.trim().strip_suffix('%'))
                .and_then(|number| number.trim().parse::<f64>().ok())
                .map(|percent| Tolerance::Relative(percent / 100.0)),
        };
        read.unwrap_or_else(|| {
            self.problem(
                start,
                "a tolerance is a number, or a share of the answer such as \"5 %\"",
            );
            Tolerance::Usual
        })
    }

    /// Names that nothing gives a value to, and questions that stand twice.
    fn check(&mut self, lesson: &Lesson) {
        let scope = &lesson.scope;
        let known = |over: &[String], named: Named<'_>| match named {
            Named::Value(name) => {
                scope.values.contains_key(name) || over.iter().any(|own| own == name)
            }
            Named::Run(name, n_args) => scope
                .runs
                .get(name)
                .is_some_and(|run| run.over.len() == n_args),
        };
        let mut found: Vec<(usize, Mistake)> = Vec::new();
        for sourced in lesson.expressions() {
            let checked = sourced.value.check_names(&|named| known(&[], named));
            found.extend(checked.err().map(|mistake| (sourced.start, mistake)));
        }
        for (name, start) in &lesson.value_starts {
            let checked = scope
                .values
                .get(name)
                .map(|value| value.check_names(&|named| known(&[], named)));
            found.extend(
                checked
                    .and_then(Result::err)
                    .map(|mistake| (*start, mistake)),
            );
        }
        for (name, run) in &scope.runs {
            let mistakes = run.expressions().filter_map(|expression| {
                expression
                    .check_names(&|named| known(&run.over, named))
                    .err()
            });
            let named = |mistake: Mistake| Mistake::new(0, format!("in run '{name}': {mistake}"));
            found.extend(mistakes.map(|mistake| (0, named(mistake))));
        }
        for run in lesson.run_names() {
            let (name, n_args) = (&run.value.name, run.value.args.len());
            if !known(&[], Named::Run(name, n_args)) {
                let message =
                    format!("there is no run '{name}' with {n_args} arguments under [runs]");
                found.push((run.start, Mistake::new(0, message)));
            }
        }
        let mut ids = HashSet::new();
        for (_, question) in lesson.questions() {
            if !ids.insert(&question.id) {
                let message =
                    "this question stands twice in the lesson; progress could not tell them apart";
                found.push((question.start, Mistake::new(0, message)));
            }
        }
        for (start, mistake) in found {
            self.problem(start + mistake.at, mistake.message);
        }
    }
}

/// Names of the blocks that are ours.
const BLOCKS: [&str; 4] = ["go", "try", "question", "needs"];

/// The lines of a text from a byte on, with their line breaks.
struct Lines<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lines<'a> {
    fn of(text: &'a str, at: usize) -> Self {
        Self { text, at }
    }
}

impl Iterator for Lines<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        let rest = self.text.get(self.at..).filter(|rest| !rest.is_empty())?;
        let start = self.at;
        self.at += rest.find('\n').map_or(rest.len(), |end| end + 1);
        Some(start..self.at)
    }
}
