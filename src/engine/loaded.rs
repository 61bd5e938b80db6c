//! Loaded models, shared by every session.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Instant;

use anyhow::{Context as _, Result};
use serde_json::{Map, Value};

use super::memory::{self, MemoryNeed};
use super::message::ModelChoice;
use crate::hub::{GenerationDefaults, ModelFiles};
use crate::model::Model;
use crate::model::config::ModelConfig;
use crate::model::families;
use crate::model::loader::Compute;
use crate::tokenizer::{Tokenizer, TokenizerFiles};

/// A model with everything that is needed to talk to it.
pub struct LoadedModel {
    /// What it is called.
    pub label: String,
    /// The network.
    pub model: Model,
    /// How its makers would sample.
    pub defaults: GenerationDefaults,
    /// Bytes of weights in its files.
    pub weight_bytes: u64,
    /// Bytes of weights as they are held: on a CPU scales and norms are wider than in the files.
    pub held_bytes: u64,
    /// Seconds the load took.
    pub load_s: f64,
    files: ModelFiles,
    tokenizer: OnceCell<Rc<Tokenizer>>,
}

impl LoadedModel {
    /// Checks what can be checked of a load without reading weights: that there is such a model, and that its family
    /// runs here.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn check(choice: &ModelChoice) -> Result<()> {
        let files = ModelFiles::find(&choice.name)?;
        read_config(&files)?;
        files.checkpoint()?;
        Ok(())
    }

    /// Loads a model: config, strict weights, defaults. The warnings are for the user.
    ///
    /// # Errors
    /// If there is no such model, its files are broken, or it will not fit in memory.
    pub fn load(choice: &ModelChoice) -> Result<(Self, Vec<String>)> {
        let started = Instant::now();
        let files = ModelFiles::find(&choice.name)?;
        let config = read_config(&files)?;
        let checkpoint = files.checkpoint()?;
        let compute = Compute::new(choice.kernels)?;
        if let Some(available) = memory::available() {
            let need = MemoryNeed::of_load(&checkpoint, &config, compute);
            need.check(available)
                .with_context(|| format!("cannot load {}", files.label()))?;
        }
        let weight_bytes = checkpoint.n_bytes();
        let held_bytes = memory::weight_bytes(checkpoint.infos(), compute);
        let model = Model::load(config, &checkpoint, choice.kernels)
            .with_context(|| format!("cannot load {}", files.label()))?;
        let bytes = files.read("generation_config.json")?;
        let (defaults, warnings) = GenerationDefaults::from_bytes(bytes.as_deref());
        let loaded = Self {
            label: files.label().to_owned(),
            model,
            defaults,
            weight_bytes,
            held_bytes,
            load_s: started.elapsed().as_secs_f64(),
            files,
            tokenizer: OnceCell::new(),
        };
        Ok((loaded, warnings))
    }

    /// `config.json` as the file has it.
    ///
    /// # Errors
    /// If the file cannot be read any more.
    pub fn raw_config(&self) -> Result<Value> {
        let bytes = self.files.read("config.json")?.unwrap_or_default();
        Ok(serde_json::from_slice(&bytes)?)
    }

    /// The tokenizer, read when first asked for: ids alone can be measured without one.
    ///
    /// # Errors
    /// If the model has none, or it is broken.
    pub fn tokenizer(&self) -> Result<Rc<Tokenizer>> {
        if let Some(tokenizer) = self.tokenizer.get() {
            return Ok(Rc::clone(tokenizer));
        }
        let tokenizer = Rc::new(read_tokenizer(&self.files)?);
        Ok(Rc::clone(self.tokenizer.get_or_init(|| tokenizer)))
    }
}

/// The checked `config.json` of a model that this program can run.
///
/// # Errors
/// If there is none, it is broken, or its family is unknown.
pub fn read_config(files: &ModelFiles) -> Result<ModelConfig> {
    let bytes = files.read("config.json")?;
    // The family first: another one may lack every other field.
    let model_type = ModelConfig::model_type_in(files.label(), bytes.as_deref())?;
    families::find(&model_type).with_context(|| format!("cannot load {}", files.label()))?;
    Ok(ModelConfig::from_bytes(files.label(), bytes.as_deref())?)
}

fn read_tokenizer(files: &ModelFiles) -> Result<Tokenizer> {
    let mut text = match files.folder() {
        Some(folder) => TokenizerFiles::read(folder)?,
        None => TokenizerFiles {
            tokenizer_json: files.read("tokenizer.json")?.unwrap_or_default(),
            tokenizer_config: files.read("tokenizer_config.json")?,
            generation_config: files.read("generation_config.json")?,
            config: files.read("config.json")?,
            ..TokenizerFiles::default()
        },
    };
    // This file is advice: a broken one was told of at the load, and does no more harm.
    text.generation_config = text.generation_config.filter(|bytes| {
        let parsed = serde_json::from_slice::<Map<String, Value>>(bytes);
        parsed.is_ok()
    });
    let label = files.label();
    Tokenizer::from_files(&text).with_context(|| format!("cannot load the tokenizer of {label}"))
}

/// The models that are loaded, by choice.
#[derive(Default)]
pub struct Models {
    loaded: HashMap<ModelChoice, Rc<LoadedModel>>,
}

impl Models {
    /// The model of `choice`, loaded now if it is not there, and the warnings of that load.
    ///
    /// # Errors
    /// As [`LoadedModel::load`].
    pub fn get(&mut self, choice: &ModelChoice) -> Result<(Rc<LoadedModel>, Vec<String>)> {
        if let Some(loaded) = self.loaded.get(choice) {
            return Ok((Rc::clone(loaded), Vec::new()));
        }
        let (loaded, warnings) = LoadedModel::load(choice)?;
        let loaded = Rc::new(loaded);
        self.loaded.insert(choice.clone(), Rc::clone(&loaded));
        Ok((loaded, warnings))
    }

    /// Every loaded model with the bytes of its weight files, by name.
    #[must_use]
    pub fn sizes(&self) -> Vec<(String, u64)> {
        let loaded = self.loaded.values();
        let mut sizes: Vec<_> = loaded
            .map(|loaded| (loaded.label.clone(), loaded.weight_bytes))
            .collect();
        sizes.sort();
        sizes
    }

    /// Drops every model that `is_kept` does not name and that no request is using, and gives their memory back to
    /// the system.
    pub fn keep(&mut self, is_kept: impl Fn(&ModelChoice) -> bool) -> Result<()> {
        let before = self.loaded.len();
        (self.loaded).retain(|choice, model| is_kept(choice) || Rc::strong_count(model) > 1);
        match self.loaded.len() < before {
            true => memory::give_back(),
            false => Ok(()),
        }
    }

    /// Whether the model of `choice` is there.
    #[must_use]
    pub fn has(&self, choice: &ModelChoice) -> bool {
        self.loaded.contains_key(choice)
    }
}
