//! The strict hand-over of a checkpoint to a model family: every tensor is taken, renamed, or explained away.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::error::WeightsError;
use super::{Checkpoint, Dtype, TensorInfo, purpose};

/// What a family does with a tensor of the file, by its name there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Renamed {
    /// Used under the same name.
    Keep,
    /// Used under this name.
    To(String),
    /// Used under this name, rows and columns exchanged (gpt2 stores its matrices `[in, out]`).
    TransposedTo(String),
    /// Not used, for this reason.
    Dropped(&'static str),
}

/// A tensor that is in the file and not in the model, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// Name in the file.
    pub name: String,
    /// Why the model does without it.
    pub reason: String,
}

/// One tensor's bytes, ready to become an array.
#[derive(Clone, Debug)]
pub struct TensorBytes {
    /// Name in the model.
    pub name: String,
    /// The tensor as the file describes it, under its name there.
    pub info: TensorInfo,
    /// Its shape in the model: the expected one.
    pub shape: Vec<usize>,
    /// Its numbers, little-endian, row by row, in `shape`.
    pub bytes: Cow<'static, [u8]>,
}

/// Hands out a checkpoint's tensors under the model's names and keeps account of them.
#[derive(Debug)]
pub struct WeightReader<'a> {
    checkpoint: &'a Checkpoint,
    /// By the model's name.
    entries: BTreeMap<String, Entry<'a>>,
    taken: BTreeSet<String>,
    explained: Vec<Explained>,
}

#[derive(Debug)]
struct Entry<'a> {
    info: &'a TensorInfo,
    is_transposed: bool,
}

impl<'a> WeightReader<'a> {
    /// Begins a load; `rename` says what becomes of each tensor.
    ///
    /// # Errors
    /// If two tensors end up under one name.
    pub fn new(
        checkpoint: &'a Checkpoint,
        rename: impl Fn(&str) -> Renamed,
    ) -> Result<Self, WeightsError> {
        let mut entries: BTreeMap<String, Entry> = BTreeMap::new();
        let mut explained = Vec::new();
        for info in checkpoint.infos() {
            let (name, is_transposed) = match rename(&info.name) {
                Renamed::Keep => (info.name.clone(), false),
                Renamed::To(name) => (name, false),
                Renamed::TransposedTo(name) => (name, true),
                Renamed::Dropped(reason) => {
                    explained.push(Explained {
                        name: info.name.clone(),
                        reason: reason.to_owned(),
                    });
                    continue;
                }
            };
            if let Some(earlier) = entries.insert(
                name.clone(),
                Entry {
                    info,
                    is_transposed,
                },
            ) {
                let (first, second) = (earlier.info.name.clone(), info.name.clone());
                return Err(WeightsError::SameName {
                    name,
                    first,
                    second,
                });
            }
        }
        Ok(Self {
            checkpoint,
            entries,
            taken: BTreeSet::new(),
            explained,
        })
    }

    /// Whether there is a tensor of this name in the model's naming.
    pub fn has(&self, name: &str) -> bool {
        self.entries.contains_key(name)
    }

    /// Every tensor's name in the model's naming, but for those that were explained away.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// The tensors that were explained away so far.
    pub fn explained(&self) -> &[Explained] {
        &self.explained
    }

    /// What the file says about a tensor, asked for in the model's naming; nothing is taken.
    pub fn info(&self, name: &str) -> Option<&'a TensorInfo> {
        self.entries.get(name).map(|entry| entry.info)
    }

    /// Shape of a tensor in the model's naming and order of axes; nothing is taken.
    pub fn shape(&self, name: &str) -> Option<Vec<usize>> {
        self.entries.get(name).map(Entry::shape)
    }

    /// Takes a tensor that must be there with exactly this shape.
    ///
    /// # Errors
    /// If it is missing, has another shape, or cannot be read.
    pub fn take(&mut self, name: &str, expected: &[usize]) -> Result<TensorBytes, WeightsError> {
        let Some(entry) = self.entries.get(name) else {
            return Err(self.checkpoint.missing(name, name));
        };
        let (info, shape) = (entry.info, entry.shape());
        if shape != expected {
            return Err(WeightsError::WrongShape {
                name: name.to_owned(),
                purpose: purpose::of(name),
                file: info.file.to_string(),
                found: shape,
                expected: expected.to_vec(),
            });
        }
        let mut bytes = self.checkpoint.read(&info.name)?;
        if entry.is_transposed {
            bytes = Cow::Owned(transpose(&bytes, &info.shape));
        }
        self.taken.insert(name.to_owned());
        Ok(TensorBytes {
            name: name.to_owned(),
            info: info.clone(),
            shape,
            bytes,
        })
    }

    /// Takes a tensor that a model may have or not, e.g. a bias.
    ///
    /// # Errors
    /// If it is there, but has another shape or cannot be read.
    pub fn take_optional(
        &mut self,
        name: &str,
        expected: &[usize],
    ) -> Result<Option<TensorBytes>, WeightsError> {
        if self.has(name) {
            self.take(name, expected).map(Some)
        } else {
            Ok(None)
        }
    }

    /// Accounts for tensors that are not used: all whose name in the model's naming fits `pattern`, where `*`
    /// stands for any text. Those already taken are left alone.
    pub fn explain(&mut self, pattern: &str, reason: &str) {
        for (name, entry) in &self.entries {
            if !self.taken.contains(name) && fits(pattern, name) {
                let name_in_file = entry.info.name.clone();
                self.explained.push(Explained {
                    name: name_in_file,
                    reason: reason.to_owned(),
                });
            }
        }
        let (taken, entries) = (&self.taken, &mut self.entries);
        entries.retain(|name, _| taken.contains(name) || !fits(pattern, name));
    }

    /// Ends the load and tells what was not used, and why.
    ///
    /// # Errors
    /// If a tensor was neither taken nor explained: the model would compute something else than it was trained to.
    pub fn finish(self) -> Result<Vec<Explained>, WeightsError> {
        const N_NAMED: usize = 5;
        let left: Vec<&TensorInfo> = self
            .entries
            .iter()
            .filter(|(name, _)| !self.taken.contains(*name))
            .map(|(_, entry)| entry.info)
            .collect();
        if left.is_empty() {
            return Ok(self.explained);
        }
        let named = left
            .iter()
            .take(N_NAMED)
            .map(|info| format!("\"{}\" in {}", info.name, info.file));
        let mut list = named.collect::<Vec<_>>().join(", ");
        if left.len() > N_NAMED {
            list.push_str(&format!(" and {} more", left.len() - N_NAMED));
        }
        let plural = if left.len() == 1 { "" } else { "s" };
        let count = format!("{} tensor{plural}", left.len());
        Err(WeightsError::LeftOver {
            label: self.checkpoint.label().to_owned(),
            count,
            list,
        })
    }
}

impl Entry<'_> {
    /// The shape the model sees.
    fn shape(&self) -> Vec<usize> {
        match (self.is_transposed, self.info.shape.as_slice()) {
            (true, &[rows, cols]) => vec![cols, rows],
            (_, shape) => shape.to_vec(),
        }
    }
}

impl TensorBytes {
    /// Complains unless the numbers are of one of these types.
    ///
    /// # Errors
    /// If they are not, naming the tensor, its file and both types.
    pub fn expect_dtype(&self, allowed: &[Dtype]) -> Result<(), WeightsError> {
        if allowed.contains(&self.info.dtype) {
            return Ok(());
        }
        let names: Vec<String> = allowed.iter().map(Dtype::to_string).collect();
        Err(WeightsError::WrongType {
            name: self.name.clone(),
            purpose: purpose::of(&self.name),
            file: self.info.file.to_string(),
            found: self.info.dtype.to_string(),
            expected: names.join(" or "),
        })
    }
}

/// Exchanges the rows and columns of a matrix; anything that is no matrix of whole bytes stays as it is.
fn transpose(bytes: &[u8], shape: &[usize]) -> Vec<u8> {
    let &[rows, cols] = shape else {
        return bytes.to_vec();
    };
    let Some(width) = bytes
        .len()
        .checked_div(rows * cols)
        .filter(|width| *width > 0)
    else {
        return bytes.to_vec();
    };
    let mut out = Vec::with_capacity(bytes.len());
    for col in 0..cols {
        for row in bytes.chunks_exact(cols * width) {
            out.extend_from_slice(row.get(col * width..(col + 1) * width).unwrap_or_default());
        }
    }
    out // [cols, rows]
}

/// Whether `name` fits `pattern`, in which each `*` stands for any text.
fn fits(pattern: &str, name: &str) -> bool {
    let mut pieces = pattern.split('*');
    let Some(mut rest) = name.strip_prefix(pieces.next().unwrap_or_default()) else {
        return false;
    };
    let mut pieces = pieces.peekable();
    if pieces.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() {
            return rest.ends_with(piece);
        }
        match rest.find(piece) {
            Some(at) => rest = rest.get(at + piece.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    true
}
