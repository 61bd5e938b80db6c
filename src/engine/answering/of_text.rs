//! Questions about texts, tokens and model files.

use anyhow::{Result, bail};
use serde_json::Value;

use super::Answering;
use crate::engine::inspect::Inspection;
use crate::engine::loaded::read_config;
use crate::engine::message::ModelChoice;
use crate::engine::question::{Found, Question, TemplateView, TextPiece, TextTokens, Told};
use crate::hub::ModelFiles;
use crate::model::families;
use crate::tokenizer::{Message, Piece, TemplateArgs, Tokenizer};
use crate::trace::Stage;
use crate::trace::measure::family::{FamilyView, HookInfo};

impl Answering<'_> {
    pub(super) fn of_text(&mut self, question: Question) -> Result<Told> {
        use Question as Ask;
        Ok(match question {
            Ask::Tokens {
                model,
                text,
                with_begin,
            } => {
                let tokenizer = self.loaded(model.as_ref())?.tokenizer()?;
                Told::Tokens(tokens(&tokenizer, &text, with_begin)?)
            }
            Ask::CountTokens { model, text } => {
                let tokenizer = self.loaded(model.as_ref())?.tokenizer()?;
                Told::Count(tokenizer.encode_ids(&text, false)?.len())
            }
            Ask::Variants { model, word } => {
                let tokenizer = self.loaded(model.as_ref())?.tokenizer()?;
                Told::Variants(tokenizer.variants(&word)?)
            }
            Ask::Vocabulary { model, page } => {
                let tokenizer = self.loaded(model.as_ref())?.tokenizer()?;
                let vocabulary = tokenizer.vocabulary();
                Told::Vocabulary(Found {
                    entries: vocabulary.page(page).to_vec(),
                    n_found: vocabulary.len(),
                })
            }
            Ask::SearchVocabulary { model, text, limit } => {
                let tokenizer = self.loaded(model.as_ref())?.tokenizer()?;
                Told::Vocabulary(tokenizer.vocabulary().search(&text, limit))
            }
            Ask::Template {
                model,
                messages,
                args,
            } => {
                let tokenizer = self.loaded(model.as_ref())?.tokenizer()?;
                Told::Template(template(&tokenizer, &messages, &args)?)
            }
            Ask::Inspect { model } => {
                let name = self.opened_as(&model).unwrap_or(model);
                Told::Inspection(Box::new(Inspection::of(&name)?))
            }
            Ask::Family { model } => Told::Family(self.family(model)?),
            other => bail!("this is no question about texts: {other:?}"),
        })
    }

    /// The name that the session's model was opened by, if `label` is what it is called: a folder is
    /// called by its last part, which alone does not lead to it.
    fn opened_as(&mut self, label: &str) -> Option<String> {
        let debugger = self.debugger().ok()?;
        let is_it = debugger.run().loaded().label == label;
        is_it.then(|| debugger.request().model.name.clone())
    }

    fn family(&mut self, model: Option<ModelChoice>) -> Result<FamilyView> {
        let name = match model {
            Some(model) => model.name,
            None => self.debugger()?.request().model.name.clone(),
        };
        family_of(&name)
    }
}

/// The shape and hooks of the model called `name`, from its `config.json` alone.
///
/// # Errors
/// If there is no such model, its config is broken, or its family is unknown.
pub fn family_of(name: &str) -> Result<FamilyView> {
    let files = ModelFiles::find(name)?;
    let config = read_config(&files)?;
    let family = families::find(&config.model_type)?;
    let n_layers = config.num_hidden_layers;
    let info = |hook: crate::trace::Hook| HookInfo {
        hook: hook.to_string(),
        axes: hook
            .axes()
            .iter()
            .map(|axis| (axis.name().to_owned(), config.size_of(*axis)))
            .collect(),
        hugging_face: family.hugging_face_name(hook),
    };
    let bytes = files.read("config.json")?.unwrap_or_default();
    Ok(FamilyView {
        model: files.label().to_owned(),
        family: config.model_type.clone(),
        config: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
        n_layers,
        n_heads: config.num_attention_heads,
        n_kv_heads: config.num_key_value_heads,
        head_dim: config.head_dim,
        d_model: config.hidden_size,
        d_mlp: config.intermediate_size,
        vocab_size: config.vocab_size,
        stages: Stage::of_pass(n_layers)
            .map(|stage| stage.to_string())
            .collect(),
        hooks: family.hooks(n_layers).into_iter().map(info).collect(),
    })
}

fn tokens(tokenizer: &Tokenizer, text: &str, with_begin: bool) -> Result<TextTokens> {
    let (words, no_merges) = match tokenizer.merges(text) {
        Ok(words) => (words, None),
        Err(why) => (Vec::new(), Some(format!("{why:#}"))),
    };
    Ok(TextTokens {
        pieces: text_pieces(tokenizer, tokenizer.encode(text, with_begin)?),
        words,
        no_merges,
    })
}

fn text_pieces(tokenizer: &Tokenizer, pieces: Vec<Piece>) -> Vec<TextPiece> {
    let piece = |piece: Piece| TextPiece {
        id: piece.id,
        written: piece.text,
        text: tokenizer.token_text(piece.id).unwrap_or_default(),
        bytes: tokenizer.token_bytes(piece.id).unwrap_or_default(),
        covers: piece.bytes,
        is_special: tokenizer.is_special(piece.id),
    };
    pieces.into_iter().map(piece).collect()
}

fn template(
    tokenizer: &Tokenizer,
    messages: &[Message],
    args: &TemplateArgs,
) -> Result<TemplateView> {
    let rendered = tokenizer.render_chat(messages, args)?;
    Ok(TemplateView {
        pieces: text_pieces(tokenizer, tokenizer.encode(&rendered.text, false)?),
        rendered,
        is_own: tokenizer.has_template(),
        special_tokens: tokenizer.special_tokens().to_vec(),
    })
}
