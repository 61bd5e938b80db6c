//! What lessons ask about models, their weights and their embeddings.

use super::Asker;
use super::desk::{Answered, Args, Desk, UNEXPECTED, misplaced};
use super::of_text::numbers;
use crate::engine::question::{Inspection, Question, Space, Told, Vector};
use crate::lesson::ask::{Ask, Need};
use crate::lesson::expression::Value;
use crate::lesson::run::Run;
use crate::trace::measure::quantized::PackedRow;

impl<A: Asker> Desk<A> {
    pub(super) fn of_model(&mut self, need: &Need) -> Answered<Value> {
        let (run, args) = (&need.run, Args(need));
        Ok(match need.ask {
            Ask::Model => {
                let what = args.text(0)?;
                match figure(&*self.inspection(run)?, what) {
                    Some(value) => value,
                    None if what == "has_template" => self.has_template(run)?,
                    None => return Err(format!("no figure of a model is called '{what}'")),
                }
            }
            Ask::HasHook => {
                let model = Some(self.model(run));
                let Told::Family(family) = self.ask_model(Question::Family { model })? else {
                    return Err(UNEXPECTED.to_owned());
                };
                let hook = args.text(0)?;
                Value::Bool(family.hooks.iter().any(|info| info.hook == hook))
            }
            Ask::Hook => {
                let address = args.text(0)?.parse();
                self.values(run, address.map_err(|error| format!("{error}"))?)?
            }
            Ask::Weights => self.weights(need)?,
            Ask::Packed => {
                let column = args.whole(2)?;
                packed(&self.row(need, Some(column))?, column, args.text(3)?)?
            }
            Ask::Rounding => {
                let bits = args.whole(2)?;
                let row = self.row(need, None)?;
                let error = row.errors.iter().find(|error| error.bits == bits);
                Value::from(
                    error
                        .ok_or("rows are rounded to 2, 3, 4, 6 or 8 bits")?
                        .relative,
                )
            }
            Ask::Stored => {
                let stored = self.row(need, None)?.stored;
                Value::from(
                    stored
                        .ok_or("there is no 16-bit copy of this model to compare with")?
                        .relative,
                )
            }
            _ => self.of_space(need)?,
        })
    }

    fn of_space(&mut self, need: &Need) -> Answered<Value> {
        let (run, args) = (&need.run, Args(need));
        let model = Some(self.model(run));
        let space = Space::Input;
        let question = match need.ask {
            Ask::Similarity => Question::Similarity {
                model,
                space,
                ids: vec![
                    self.token(run, args.value(0)?)?,
                    self.token(run, args.value(1)?)?,
                ],
            },
            Ask::Nearest => Question::Nearest {
                model,
                space,
                to: Vector::Token(self.token(run, args.value(0)?)?),
                k: args.whole(1)?,
            },
            Ask::Analogy => Question::Arithmetic {
                model,
                space,
                plus: self.all_ids(run, &args.items(0)?)?,
                minus: self.all_ids(run, &args.items(1)?)?,
                k: args.whole(2)?,
            },
            Ask::OnAxis => {
                let mut pairs = Vec::new();
                for pair in args.items(0)? {
                    match *self.all_ids(run, &pair.items()?)? {
                        [a, b] => pairs.push((a, b)),
                        _ => return Err("an axis is made of pairs of tokens".to_owned()),
                    }
                }
                Question::Axes {
                    model,
                    space,
                    axes: vec![pairs],
                    ids: vec![self.token(run, args.value(1)?)?],
                }
            }
            other => return Err(misplaced(other)),
        };
        let told = self.ask_model(question)?;
        let value = match told {
            Told::Similarities(table) => table
                .cosines
                .first()
                .and_then(|row| row.get(1))
                .map(|x| Value::from(*x)),
            Told::Neighbours(tokens) => tokens
                .last()
                .map(|near| Value::from(near.token.text.as_str())),
            Told::Axes(axes) => axes
                .first()
                .and_then(|axis| axis.first())
                .map(|placed| Value::from(placed.place)),
            _ => None,
        };
        value.ok_or_else(|| "there is no such token".to_owned())
    }

    fn all_ids(&mut self, run: &Run, texts: &[Value]) -> Answered<Vec<u32>> {
        texts.iter().map(|named| self.token(run, named)).collect()
    }

    fn inspection(&mut self, run: &Run) -> Answered<Box<Inspection>> {
        let model = self.model(run).name;
        match self.ask_model(Question::Inspect { model })? {
            Told::Inspection(inspection) => Ok(inspection),
            _ => Err(UNEXPECTED.to_owned()),
        }
    }

    fn has_template(&mut self, run: &Run) -> Answered<Value> {
        let question = Question::Template {
            model: Some(self.model(run)),
            messages: super::desk::messages("", &["Hello!".to_owned()]),
            args: Default::default(),
        };
        match self.ask_model(question)? {
            Told::Template(view) => Ok(Value::Bool(view.is_own)),
            _ => Err(UNEXPECTED.to_owned()),
        }
    }

    fn row(&mut self, need: &Need, column: Option<usize>) -> Answered<PackedRow> {
        let question = Question::Row {
            model: Some(self.model(&need.run)),
            path: Args(need).text(0)?.to_owned(),
            row: Args(need).whole(1)?,
            columns: column.map(|column| column..column + 1),
        };
        match self.ask_model(question)? {
            Told::Row(row) => Ok(row),
            _ => Err(UNEXPECTED.to_owned()),
        }
    }

    fn weights(&mut self, need: &Need) -> Answered<Value> {
        let row = Args(need).whole(1)?;
        let question = Question::Slice {
            model: Some(self.model(&need.run)),
            path: Args(need).text(0)?.to_owned(),
            rows: Some(row..row + 1),
            columns: None,
        };
        match self.ask_model(question)? {
            Told::Slice(slice) => Ok(numbers(slice.values.values().iter().map(|x| f64::from(*x)))),
            _ => Err(UNEXPECTED.to_owned()),
        }
    }
}

/// A figure of a model by its name; `None` if no figure is called so.
fn figure(inspection: &Inspection, what: &str) -> Option<Value> {
    let shape = &inspection.architecture;
    let packing = shape.quantization;
    Some(match what {
        "n_layers" => shape.n_layers.into(),
        "n_heads" => shape.n_heads.into(),
        "n_kv_heads" => shape.n_kv_heads.into(),
        "head_dim" => shape.head_dim.into(),
        "d_model" => shape.d_model.into(),
        "d_mlp" => shape.d_mlp.into(),
        "vocab_size" => shape.vocab_size.into(),
        "context" => shape.context.into(),
        "rope_theta" => shape.rope_theta.unwrap_or_default().into(),
        "parameters" => (inspection.parameters as f64).into(),
        "tensor_bytes" => (inspection.tensor_bytes as f64).into(),
        "file_bytes" => (inspection.file_bytes as f64).into(),
        "bits_per_weight" => inspection.bits_per_weight.into(),
        "bits" => packing.map_or(16, |packing| packing.bits).into(),
        "group_size" => packing.map_or(0, |packing| packing.group_size).into(),
        "has_rope" => shape.rope_theta.is_some().into(),
        "has_gqa" => (shape.n_heads > shape.n_kv_heads).into(),
        "is_tied" => shape.tied.into(),
        "is_quantized" => packing.is_some().into(),
        "family" => shape.family.as_str().into(),
        "activation" => shape.activation.as_str().into(),
        "name" => inspection.model.as_str().into(),
        _ => return None,
    })
}

fn packed(row: &PackedRow, column: usize, part: &str) -> Answered<Value> {
    let missing = || format!("the row has no column {column}");
    let group = row.groups.first().ok_or_else(missing)?;
    let place = column.checked_sub(group.first_column).ok_or_else(missing)?;
    Ok(match part {
        "number" => Value::from(usize::from(*group.numbers.get(place).ok_or_else(missing)?)),
        "weight" => Value::from(f64::from(*group.weights.get(place).ok_or_else(missing)?)),
        "scale" => Value::from(f64::from(group.scale)),
        "bias" => Value::from(f64::from(group.bias)),
        "word" => {
            let word = group.words.get(place * row.bits / 32).ok_or_else(missing)?;
            Value::from(f64::from(*word))
        }
        "first_column" => Value::from(group.first_column),
        _ => {
            return Err(
                "parts of a packed weight are number, scale, bias, weight, word and first_column"
                    .to_owned(),
            );
        }
    })
}
