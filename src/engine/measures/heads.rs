//! Which heads look where: see [`crate::trace::measure::heads`] for the definitions.

use std::rc::Rc;

use anyhow::{Context as _, Result, ensure};

use super::super::loaded::LoadedModel;
use super::super::message::CancelToken;
use super::super::run::{Run, RunOptions};
use super::super::sampler::Random;
use super::super::watch::Watch;
use super::Looking;
use crate::trace::edit::Edit;
use crate::trace::measure::heads::{HeadReport, HeadTally, HeadText, ProbeText};
use crate::trace::{BlockHook, Hook, HostTensor};

/// Most values of patterns that are held at once; more, and heads are looked at one by one.
pub(super) const MANY_VALUES: usize = 16 << 20;

impl Looking<'_> {
    /// Where every head looks in pass `pass` of this run.
    ///
    /// # Errors
    /// If the pass has not run through its blocks, its cache has dropped positions, or MLX fails.
    pub fn head_scores(&mut self, pass: usize) -> Result<HeadReport> {
        let mut tallies = self.new_tallies();
        self.tally_heads(pass, &mut tallies)?;
        Ok(report(HeadText::Prompt, &tallies))
    }

    /// One empty tally per head of each layer.
    fn new_tallies(&self) -> Vec<Vec<HeadTally>> {
        let config = self.loaded().model.config();
        let of_layer = vec![HeadTally::default(); config.num_attention_heads];
        vec![of_layer; config.num_hidden_layers]
    }

    fn tally_heads(&mut self, pass: usize, tallies: &mut [Vec<HeadTally>]) -> Result<()> {
        let (start, n_pos) = self.span(pass)?;
        let ids = self
            .run
            .ids()
            .get(..start + n_pos)
            .context("the pass has no text")?
            .to_vec();
        for (layer, heads) in tallies.iter_mut().enumerate() {
            let hook = Hook::Block(layer, BlockHook::Pattern);
            let at_once = heads.len() * n_pos * ids.len() <= MANY_VALUES;
            let whole = if at_once {
                Some(self.value(pass, hook)?)
            } else {
                None
            };
            for (head, tally) in heads.iter_mut().enumerate() {
                let pattern = match &whole {
                    Some(whole) => head_of(whole, head)?.to_vec(),
                    None => {
                        let one = self.run.look(pass, hook, Some(head), self.cancel)?;
                        head_of(&one, 0)?.to_vec()
                    }
                }; // [query_pos, key_pos]
                ensure!(pattern.len() == n_pos * ids.len(), DROPPED);
                tally.add(&pattern, start, &ids);
            }
        }
        Ok(())
    }
}

/// Why keys and positions cannot be matched.
pub(super) const DROPPED: &str = "the cache of this run has dropped positions, so shares cannot be \
                                  told by position: use a cache without a maximum size";

/// One head's map, `[query_pos, key_pos]`.
pub(super) fn head_of(patterns: &HostTensor, head: usize) -> Result<&[f32]> {
    patterns
        .at(&[head])
        .with_context(|| format!("there is no head {head}"))
}

/// Where every head looks on the standard probe text, with `edits` acting.
///
/// # Errors
/// If the vocabulary has too few tokens, an edit does not fit, MLX fails, or `cancel` was asked for.
pub fn probe_heads(
    loaded: &Rc<LoadedModel>,
    probe: ProbeText,
    edits: &[Edit],
    cancel: &CancelToken,
) -> Result<HeadReport> {
    let n_layers = loaded.model.n_layers();
    let patterns = (0..n_layers).map(|layer| Hook::Block(layer, BlockHook::Pattern));
    let options = RunOptions {
        watch: Watch::Hooks(patterns.collect()),
        ..RunOptions::default()
    };
    let mut tallies = Vec::new();
    for ids in probe_texts(loaded, probe)? {
        let mut run = Run::new(Rc::clone(loaded), ids, edits, options.clone())?;
        for _stage in 0..=n_layers {
            run.step(cancel)?; // as far as the last block: nobody asks for logits
        }
        let mut looking = Looking::new(&mut run, cancel);
        if tallies.is_empty() {
            tallies = looking.new_tallies();
        }
        looking.tally_heads(0, &mut tallies)?;
    }
    Ok(report(HeadText::Probe(probe), &tallies))
}

fn report(text: HeadText, tallies: &[Vec<HeadTally>]) -> HeadReport {
    let heads = tallies.iter().enumerate().flat_map(|(layer, heads)| {
        let heads = heads.iter().enumerate();
        heads.map(move |(head, tally)| tally.scores(layer, head))
    });
    HeadReport {
        text,
        heads: heads.collect(),
    }
}

/// The standard probe texts as ids: what the tokenizer puts before every text, then random words,
/// then the same words again.
fn probe_texts(loaded: &LoadedModel, probe: ProbeText) -> Result<Vec<Vec<u32>>> {
    let words = probe_words(loaded);
    let n_needed = probe.n_tokens.max(1);
    let n_words = words.len();
    ensure!(
        n_words >= n_needed,
        "the probe text needs {n_needed} different words, but the vocabulary has only {n_words}"
    );
    let begin = match loaded.tokenizer() {
        Ok(tokenizer) => tokenizer.encode_ids("", true)?,
        Err(_) => Vec::new(),
    };
    let mut random = Random::new(probe.seed);
    let texts = (0..probe.n_texts.max(1)).map(|_| {
        let half = draw(&words, n_needed, &mut random);
        [begin.as_slice(), &half, &half].concat()
    });
    Ok(texts.collect())
}

/// `n` different ones of `words`.
fn draw(words: &[u32], n: usize, random: &mut Random) -> Vec<u32> {
    let mut words = words.to_vec();
    let n_words = words.len();
    for place in 0..n.min(n_words) {
        let pick = place + (random.uniform() * (n_words - place) as f64) as usize;
        words.swap(place, pick.min(n_words - 1));
    }
    words.truncate(n);
    words
}

/// Tokens that are whole words, a space before letters; if there are few, every token that is not
/// special. The model reads both, but byte fragments never stand alone in real text.
fn probe_words(loaded: &LoadedModel) -> Vec<u32> {
    const FEW: usize = 200;
    let vocab_size = loaded.model.config().vocab_size as u32;
    let Ok(tokenizer) = loaded.tokenizer() else {
        return (0..vocab_size).collect();
    };
    let known = (0..vocab_size).filter(|id| !tokenizer.is_special(*id));
    let known: Vec<u32> = known.filter(|id| tokenizer.token(*id).is_some()).collect();
    let is_word = |id: &u32| {
        let text = tokenizer.token_text(*id).unwrap_or_default();
        let word = text.strip_prefix(' ').unwrap_or_default();
        word.len() > 1 && word.chars().all(char::is_alphabetic)
    };
    let words: Vec<u32> = known.iter().copied().filter(is_word).collect();
    if words.len() >= FEW { words } else { known }
}
