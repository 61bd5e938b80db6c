//! Neighbours, axes and arithmetic among embeddings: see [`crate::trace::measure::space`].

use std::rc::Rc;

use anyhow::{Context as _, Result, ensure};

use super::named;
use crate::engine::loaded::LoadedModel;
use crate::engine::watch::to_host;
use crate::model::parts::Part;
use crate::trace::Hook;
use crate::trace::measure::pca::{self, Plane};
use crate::trace::measure::space::{Axis, Neighbour, Placed, unit};
use crate::trace::measure::vector::{cosine, top_by};

/// Rows that are turned into floats at once.
const ROWS_AT_ONCE: usize = 2048;

/// The token vectors of a model, by direction.
pub struct EmbeddingSpace {
    loaded: Rc<LoadedModel>,
    hook: Hook,
}

impl EmbeddingSpace {
    /// The rows that tokens are read as.
    #[must_use]
    pub fn input(loaded: Rc<LoadedModel>) -> Self {
        let hook = Hook::Embed;
        Self { loaded, hook }
    }

    /// The rows of the output head, which tokens are written by: the same where it is tied.
    #[must_use]
    pub fn output(loaded: Rc<LoadedModel>) -> Self {
        let hook = Hook::Logits;
        Self { loaded, hook }
    }

    fn part(&self) -> Result<Part<'_>> {
        self.loaded.model.part_writing(self.hook)
    }

    /// The vector of a token, brought to length 1, `[d_model]`.
    ///
    /// # Errors
    /// If the token is beyond the vocabulary, or its row is all zeros.
    pub fn vector(&self, id: u32) -> Result<Vec<f32>> {
        let row = to_host(&self.part()?.weight.rows(&[id])?)?; // [1, d_model]
        unit(row.values()).with_context(|| format!("the vector of token {id} is all zeros"))
    }

    /// The `k` tokens nearest to `vector`, `[d_model]`, those of `left_out` not among them.
    ///
    /// # Errors
    /// If the vector has another length, or MLX fails.
    pub fn nearest(&self, vector: &[f32], k: usize, left_out: &[u32]) -> Result<Vec<Neighbour>> {
        let part = self.part()?;
        let (n_rows, width) = (part.weight.n_out(), part.weight.n_in());
        ensure!(
            vector.len() == width,
            "the vector has {} values, not {width}",
            vector.len()
        );
        let mut cosines = Vec::with_capacity(n_rows);
        let ids: Vec<u32> = (0..n_rows as u32).collect();
        for ids in ids.chunks(ROWS_AT_ONCE) {
            let rows = to_host(&part.weight.rows(ids)?)?; // [row, d_model]
            cosines.extend(
                rows.values()
                    .chunks_exact(width)
                    .map(|row| cosine(row, vector)),
            );
        }
        for id in left_out {
            if let Some(cosine) = cosines.get_mut(*id as usize) {
                *cosine = f64::NEG_INFINITY;
            }
        }
        let neighbour = |place: usize| Neighbour {
            token: named(&self.loaded, place as u32),
            cosine: cosines.get(place).copied().unwrap_or_default(),
        };
        let top = top_by(
            &cosines,
            k.min(n_rows.saturating_sub(left_out.len())),
            |cosine| *cosine,
        );
        Ok(top.into_iter().map(neighbour).collect())
    }

    /// The `k` tokens nearest to the sum of `plus` less the sum of `minus`, these left out:
    /// king − man + woman is `plus` king and woman, `minus` man.
    ///
    /// # Errors
    /// If a token is beyond the vocabulary, there are none, or MLX fails.
    pub fn arithmetic(&self, plus: &[u32], minus: &[u32], k: usize) -> Result<Vec<Neighbour>> {
        let width = self.part()?.weight.n_in();
        ensure!(
            !plus.is_empty() || !minus.is_empty(),
            "there is nothing to add up"
        );
        let mut sum = vec![0.0; width];
        for (ids, sign) in [(plus, 1.0), (minus, -1.0)] {
            for id in ids {
                let vector = self.vector(*id)?;
                sum.iter_mut()
                    .zip(&vector)
                    .for_each(|(sum, x)| *sum += sign * x);
            }
        }
        self.nearest(&sum, k, &[plus, minus].concat())
    }

    /// The axis through `pairs` of tokens, from the second to the first of each.
    ///
    /// # Errors
    /// If a token is beyond the vocabulary, there is no pair, or the pairs cancel out.
    pub fn axis(&self, pairs: &[(u32, u32)]) -> Result<Axis> {
        let vectors = pairs
            .iter()
            .map(|(a, b)| Ok((self.vector(*a)?, self.vector(*b)?)));
        let vectors: Vec<_> = vectors.collect::<Result<_>>()?;
        Axis::through(&vectors).context("an axis needs at least one pair of different words")
    }

    /// Where tokens stand on an axis, in the order they were given.
    ///
    /// # Errors
    /// If a token is beyond the vocabulary.
    pub fn placed(&self, axis: &Axis, ids: &[u32]) -> Result<Vec<Placed>> {
        let place = |id: &u32| {
            Ok(Placed {
                token: named(&self.loaded, *id),
                place: axis.place(&self.vector(*id)?),
            })
        };
        ids.iter().map(place).collect()
    }

    /// The cosine of each of `ids` with each: row by row, in the order they were given.
    ///
    /// # Errors
    /// If a token is beyond the vocabulary.
    pub fn similarities(&self, ids: &[u32]) -> Result<Vec<Vec<f64>>> {
        let vectors = ids.iter().map(|id| self.vector(*id));
        let vectors: Vec<Vec<f32>> = vectors.collect::<Result<_>>()?;
        let row = |a: &Vec<f32>| vectors.iter().map(|b| cosine(a, b)).collect();
        Ok(vectors.iter().map(row).collect())
    }

    /// Tokens on the plane in which they differ most.
    ///
    /// # Errors
    /// If there are fewer than two, too many, or one is beyond the vocabulary.
    pub fn plane(&self, ids: &[u32]) -> Result<Plane> {
        let vectors = ids
            .iter()
            .map(|id| self.vector(*id))
            .collect::<Result<Vec<_>>>()?;
        pca::plane(&vectors).with_context(|| {
            format!(
                "a plane shows 2 to {} tokens, not {}",
                pca::MOST,
                vectors.len()
            )
        })
    }
}
