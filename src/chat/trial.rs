//! A trial: the same questions put to several models or settings, as a table to keep. That is how
//! one chooses a model.

use serde::{Deserialize, Serialize};

use crate::trace::answer::{Answer, StopReason};
use crate::trace::sampling::SamplingChoice;

/// One who answers: a model with its settings.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Side {
    /// The model's name.
    pub model: String,
    /// How tokens are chosen, where it differs from the model's own settings.
    pub sampling: SamplingChoice,
}

impl Side {
    /// What it is called in a table: the model, and what was chosen.
    #[must_use]
    pub fn name(&self) -> String {
        match self.sampling.is_empty() {
            true => self.model.clone(),
            false => format!("{} {}", self.model, self.sampling),
        }
    }
}

/// An answer of a trial, with what it took.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// The answer.
    pub text: String,
    /// Its tokens.
    pub n_tokens: usize,
    /// Tokens of the prompt, as this model splits it.
    pub n_prompt: usize,
    /// Tokens per second while it was written.
    pub tokens_per_s: f64,
    /// Seconds to the first token.
    pub first_token_s: f64,
    /// The model's weights, and the most that MLX took beside them while it answered.
    pub memory_bytes: usize,
    /// Why it ended.
    pub stop_reason: StopReason,
}

impl From<&Answer> for Measured {
    fn from(answer: &Answer) -> Self {
        Self {
            text: answer.text.clone(),
            n_tokens: answer.tokens.len(),
            n_prompt: answer.prompt_tokens.len(),
            tokens_per_s: answer.speed.generation_tps(),
            first_token_s: answer.speed.ttft_s,
            memory_bytes: answer.own_memory_bytes,
            stop_reason: answer.stop_reason,
        }
    }
}

/// A cell of the table.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cell {
    /// Its turn has not come.
    #[default]
    Waiting,
    /// It is being written; what is there so far.
    Writing(String),
    /// The answer.
    Done(Measured),
    /// Why there is none.
    Failed(String),
}

/// The table: a row for each prompt, a column for each side.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Trial {
    sides: Vec<Side>,
    prompts: Vec<String>,
    cells: Vec<Cell>,
}

impl Trial {
    /// A table in which nothing is answered yet.
    #[must_use]
    pub fn new(sides: Vec<Side>, prompts: Vec<String>) -> Self {
        Self {
            cells: vec![Cell::Waiting; sides.len() * prompts.len()],
            sides,
            prompts,
        }
    }

    /// Those who answer.
    #[must_use]
    pub fn sides(&self) -> &[Side] {
        &self.sides
    }

    /// What they are asked.
    #[must_use]
    pub fn prompts(&self) -> &[String] {
        &self.prompts
    }

    /// The places of the table in the order they are answered, as sides and prompts: a model answers
    /// everything before the next one is loaded.
    #[must_use]
    pub fn places(&self) -> Vec<(usize, usize)> {
        let n_prompts = self.prompts.len();
        let sides = 0..self.sides.len();
        sides
            .flat_map(|side| (0..n_prompts).map(move |prompt| (side, prompt)))
            .collect()
    }

    /// What stands at a place.
    #[must_use]
    pub fn cell(&self, side: usize, prompt: usize) -> &Cell {
        const NOTHING: &Cell = &Cell::Waiting;
        let at = side * self.prompts.len() + prompt;
        self.cells.get(at).unwrap_or(NOTHING)
    }

    /// Changes what stands at a place.
    pub fn set(&mut self, side: usize, prompt: usize, cell: Cell) {
        let at = side * self.prompts.len() + prompt;
        if let Some(found) = self.cells.get_mut(at) {
            *found = cell;
        }
    }

    /// Whether the same model failed for the same reason at a prompt before: said once, it is known.
    #[must_use]
    pub fn failed_before(&self, side: usize, prompt: usize) -> bool {
        let cell = self.cell(side, prompt);
        let is_failure = matches!(cell, Cell::Failed(_));
        is_failure && (0..prompt).any(|before| self.cell(side, before) == cell)
    }

    /// The table as comma-separated values (RFC 4180): a line for each answer, under a line of names.
    #[must_use]
    pub fn to_csv(&self) -> String {
        let mut text = "model,settings,prompt,answer,tokens,prompt_tokens,tokens_per_s,\
                        first_token_s,memory_bytes,stop_reason,failure\r\n"
            .to_owned();
        for (side, prompt) in self.places() {
            let (Some(of), Some(asked)) = (self.sides.get(side), self.prompts.get(prompt)) else {
                continue;
            };
            let mut fields = vec![of.model.clone(), of.sampling.to_string(), asked.clone()];
            match self.cell(side, prompt) {
                Cell::Done(measured) => fields.extend([
                    measured.text.clone(),
                    measured.n_tokens.to_string(),
                    measured.n_prompt.to_string(),
                    format!("{:.2}", measured.tokens_per_s),
                    format!("{:.4}", measured.first_token_s),
                    measured.memory_bytes.to_string(),
                    reason(measured.stop_reason).to_owned(),
                    String::new(),
                ]),
                Cell::Failed(why) => {
                    fields.extend(std::iter::repeat_n(String::new(), 7));
                    fields.push(why.clone());
                }
                Cell::Waiting | Cell::Writing(_) => {
                    fields.extend(std::iter::repeat_n(String::new(), 8));
                }
            }
            let quoted: Vec<String> = fields.iter().map(|field| quoted(field)).collect();
            text.push_str(&quoted.join(","));
            text.push_str("\r\n");
        }
        text
    }

    /// The table as Markdown: the answers under each prompt, and what each side took in the middle.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let mut text = "# Answers side by side\n\n\
            | model | answers | tokens per second | first token | memory |\n|---|---:|---:|---:|---:|\n"
            .to_owned();
        for (side, of) in self.sides.iter().enumerate() {
            let sums = self.sums(side);
            let cells = match sums.n {
                0 => "0 | – | – | –".to_owned(),
                n => format!(
                    "{n} | {:.1} | {:.3} s | {:.0} MB",
                    sums.tokens_per_s,
                    sums.first_token_s,
                    sums.memory_bytes as f64 / 1e6
                ),
            };
            text.push_str(&format!("| {} | {cells} |\n", in_cell(&of.name())));
        }
        for (prompt, asked) in self.prompts.iter().enumerate() {
            text.push_str(&format!(
                "\n## {}\n\n| model | answer |\n|---|---|\n",
                in_cell(asked)
            ));
            for (side, of) in self.sides.iter().enumerate() {
                let answer = match self.cell(side, prompt) {
                    Cell::Done(measured) => in_cell(&measured.text),
                    Cell::Failed(_) if self.failed_before(side, prompt) => "*as above*".to_owned(),
                    Cell::Failed(why) => format!("*{}*", in_cell(why)),
                    Cell::Waiting | Cell::Writing(_) => String::new(),
                };
                text.push_str(&format!("| {} | {answer} |\n", in_cell(&of.name())));
            }
        }
        text
    }

    /// What the answers of a side took: means, and of memory the most.
    #[must_use]
    pub fn sums(&self, side: usize) -> Sums {
        let done = (0..self.prompts.len()).filter_map(|prompt| match self.cell(side, prompt) {
            Cell::Done(measured) => Some(measured),
            _ => None,
        });
        let mut sums = Sums::default();
        for measured in done {
            sums.n += 1;
            sums.tokens_per_s += measured.tokens_per_s;
            sums.first_token_s += measured.first_token_s;
            sums.memory_bytes = sums.memory_bytes.max(measured.memory_bytes);
        }
        let n = sums.n.max(1) as f64;
        sums.tokens_per_s /= n;
        sums.first_token_s /= n;
        sums
    }
}

/// What the answers of a side took.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Sums {
    /// How many answers there are.
    pub n: usize,
    /// Tokens per second, on average over the answers.
    pub tokens_per_s: f64,
    /// Seconds to the first token, on average.
    pub first_token_s: f64,
    /// The weights, and the most that MLX took beside them for an answer.
    pub memory_bytes: usize,
}

fn reason(reason: StopReason) -> &'static str {
    match reason {
        StopReason::Stop => "stop",
        StopReason::Length => "length",
        StopReason::Cancelled => "cancelled",
    }
}

/// A field of a CSV file: in quotes where a comma, a quote or a line break would be misread.
fn quoted(field: &str) -> String {
    match field.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", field.replace('"', "\"\"")),
        false => field.to_owned(),
    }
}

/// Text in a cell of a Markdown table.
fn in_cell(text: &str) -> String {
    let text = text.trim().replace('\\', "\\\\").replace('|', "\\|");
    text.replace("\r\n", "\n").replace(['\n', '\r'], "<br>")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(text: &str, tokens_per_s: f64) -> Cell {
        Cell::Done(Measured {
            text: text.to_owned(),
            n_tokens: 3,
            n_prompt: 9,
            tokens_per_s,
            first_token_s: 0.25,
            memory_bytes: 2_000_000,
            stop_reason: StopReason::Stop,
        })
    }

    fn trial() -> Trial {
        let side = |model: &str| Side {
            model: model.to_owned(),
            ..Side::default()
        };
        let prompts = vec!["One, or two?".to_owned(), "Three?".to_owned()];
        let mut trial = Trial::new(vec![side("a"), side("b")], prompts);
        trial.set(0, 0, measured("\"One\"\nit is", 10.0));
        trial.set(0, 1, measured("a | b", 30.0));
        trial.set(1, 0, Cell::Failed("it does not fit".to_owned()));
        trial
    }

    #[test]
    fn a_model_answers_everything_before_the_next() {
        assert_eq!(trial().places(), [(0, 0), (0, 1), (1, 0), (1, 1)]);
    }

    #[test]
    fn what_csv_would_misread_is_quoted() {
        let csv = trial().to_csv();
        let lines: Vec<&str> = csv.split("\r\n").collect();
        assert_eq!(lines.len(), 6, "names, four answers, the end: {csv}");
        assert!(lines[1].starts_with(
            "a,,\"One, or two?\",\"\"\"One\"\"\nit is\",3,9,10.00,0.2500,2000000,stop,"
        ));
        assert!(lines[3].ends_with(",,,,,,,it does not fit"), "{csv}");
        let n_fields = |line: &str| line.split(',').count();
        assert_eq!(n_fields(lines[0]), 11);
        assert_eq!(n_fields(lines[4]), 11);
    }

    #[test]
    fn the_markdown_has_means_and_answers_in_one_line_each() {
        let text = trial().to_markdown();
        assert!(text.contains("| a | 2 | 20.0 | 0.250 s | 2 MB |"), "{text}");
        assert!(text.contains("| a | \"One\"<br>it is |"), "{text}");
        assert!(text.contains("| a | a \\| b |"), "{text}");
        assert!(text.contains("| b | *it does not fit* |"), "{text}");
        assert!(text.contains("| b | 0 | – | – | – |"), "{text}");
    }
}
