//! Tokens from the most to the least probable, sorted only where someone looks.
//!
//! A vocabulary has 150,000 tokens and a filter's border lies somewhere among them. Sorting all of
//! them takes many times longer than everything else, so they are first dealt into buckets by
//! logit; then only the bucket that holds a border is sorted.

#![allow(
    clippy::indexing_slicing,
    reason = "buckets and ranks are made by this file, and a check per token would cost the speed"
)]

use std::ops::Range;

use super::softmax::{Extent, weight, weight_sum};

const MAX_BUCKETS: usize = 1024;

/// A token and its logit after bias and penalties.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) token: u32,
    pub(super) logit: f32,
}

/// The tokens still in play, from the highest logit to the lowest; equal ones by id.
///
/// A *rank* is a place in this order, from 0.
#[derive(Clone, Debug)]
pub(super) struct Ranking {
    /// By rank, `[rank]`: every logit of a bucket is above every logit of the next.
    logits: Vec<f32>,
    /// The token at each rank, `[rank]`.
    tokens: Vec<u32>,
    /// Where each bucket ends.
    ends: Vec<usize>,
    is_sorted: Vec<bool>,
    /// The ranks from here on have been filtered out.
    len: usize,
    /// Ranks that hold no token any more, ascending.
    emptied: Vec<usize>,
    /// The highest logit that is left.
    max: f32,
}

impl Ranking {
    /// Deals the vocabulary into buckets of equal width between the highest and the lowest logit.
    pub(super) fn new(vocab: &[f32], extent: &Extent) -> Self {
        let max = extent.max;
        let last_bucket = (vocab.len() / 16).clamp(1, MAX_BUCKETS) - 1;
        // A vocabulary of equal logits gives inf, one too wide for float32 gives 0: both lead to
        // NaN below, which becomes bucket 0, so that everything is in one bucket and still right.
        let scale = last_bucket as f32 / (max - extent.min);
        let bucket_of: Vec<u16> = vocab
            .iter()
            .map(|&x| (((max - x) * scale) as i32 as u16).min(last_bucket as u16))
            .collect();

        let mut ends = vec![0; last_bucket + 1];
        for &bucket in &bucket_of {
            ends[usize::from(bucket)] += 1;
        }
        let mut total = 0;
        for end in &mut ends {
            // From a count to the bucket's first rank; dealing moves it to the bucket's end.
            total += std::mem::replace(end, total);
        }
        let mut logits = vec![0.0; vocab.len()];
        let mut tokens = vec![0; vocab.len()];
        for (token, (&logit, &bucket)) in (0..).zip(vocab.iter().zip(&bucket_of)) {
            let rank = &mut ends[usize::from(bucket)];
            logits[*rank] = logit + 0.0; // makes -0.0 the equal that it is
            tokens[*rank] = token;
            *rank += 1;
        }
        Self {
            len: logits.len(),
            is_sorted: vec![false; ends.len()],
            emptied: Vec::new(),
            logits,
            tokens,
            ends,
            max,
        }
    }

    /// How many ranks there are, emptied ones included.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The ranks that hold no token any more, ascending.
    pub(super) fn emptied(&self) -> &[usize] {
        &self.emptied
    }

    /// How many tokens are left.
    pub(super) fn n_left(&self) -> usize {
        let is_within = |rank: &&usize| **rank < self.len;
        self.len - self.emptied.iter().filter(is_within).count()
    }

    /// The first `n` in order, or all there are.
    pub(super) fn top(&mut self, n: usize) -> Vec<Entry> {
        (0..n.min(self.len)).map(|rank| self.at(rank)).collect()
    }

    /// The entry at `rank`, or the last one.
    pub(super) fn at(&mut self, rank: usize) -> Entry {
        let rank = rank.min(self.len.saturating_sub(1));
        let bucket = self.ends.partition_point(|&end| end <= rank);
        self.sort(bucket);
        Entry {
            token: self.tokens[rank],
            logit: self.logits[rank],
        }
    }

    /// How many ranks have a logit of at least `floor`.
    pub(super) fn n_at_least(&mut self, floor: f32) -> usize {
        for bucket in 0..self.ends.len() {
            let ranks = self.ranks(bucket);
            if self.logits[ranks.clone()]
                .iter()
                .any(|&logit| logit < floor)
            {
                self.sort(bucket);
                let n = self.logits[ranks.clone()].partition_point(|&logit| logit >= floor);
                return ranks.start + n;
            }
        }
        self.len
    }

    /// Filters out every rank from `n` on.
    pub(super) fn truncate(&mut self, n: usize) {
        // Sorted up to there, what stays is exactly the first n.
        self.at(n);
        self.len = self.len.min(n);
    }

    /// Empties these ranks, ascending: they keep their places and weigh nothing.
    pub(super) fn empty(&mut self, ranks: Vec<usize>) {
        for &rank in &ranks {
            self.at(rank); // never to be sorted again
            self.logits[rank] = f32::NEG_INFINITY;
        }
        self.emptied = ranks;
        // The most probable token weighs 1, or at a low temperature all that is left might weigh 0.
        let left = self.logits[..self.len].iter().find(|x| x.is_finite());
        self.max = left.copied().unwrap_or(self.max);
    }

    /// The highest logit that is left.
    pub(super) fn max(&self) -> f32 {
        self.max
    }

    /// See [`weight`].
    pub(super) fn weight(&self, logit: f32, temperature: f32) -> f32 {
        weight(logit, self.max, temperature)
    }

    /// The sum of the weights in each bucket, `[bucket]`.
    pub(super) fn masses(&self, temperature: f32) -> Vec<f64> {
        (0..self.ends.len())
            .map(|bucket| weight_sum(&self.logits[self.ranks(bucket)], self.max, temperature))
            .collect()
    }

    /// A token's share of the curve; 0 if it has been filtered out.
    pub(super) fn share_of(&self, token: u32, temperature: f32) -> f64 {
        let left = self.tokens.iter().take(self.len);
        let rank = left.enumerate().find(|(_, known)| **known == token);
        let Some((rank, _)) = rank.filter(|(rank, _)| !self.emptied.contains(rank)) else {
            return 0.0;
        };
        let total: f64 = self.masses(temperature).iter().sum();
        f64::from(self.weight(self.logits[rank], temperature)) / total
    }

    /// The first rank at which the sum of the weights so far satisfies `reached`; none if it never
    /// does. `masses` are those of the same temperature.
    pub(super) fn first(
        &mut self,
        masses: &[f64],
        temperature: f32,
        reached: impl Fn(f64) -> bool,
    ) -> Option<usize> {
        let mut before = 0.0;
        for (bucket, mass) in masses.iter().enumerate() {
            if reached(before + mass) {
                self.sort(bucket);
                let mut cumulative = before;
                for rank in self.ranks(bucket) {
                    cumulative += f64::from(self.weight(self.logits[rank], temperature));
                    if reached(cumulative) {
                        return Some(rank);
                    }
                }
            }
            before += mass;
        }
        None
    }

    /// The last rank that weighs anything.
    pub(super) fn last_with_weight(&mut self, temperature: f32) -> usize {
        let has_weight = |ranking: &mut Self, rank: usize| {
            let logit = ranking.at(rank).logit;
            ranking.weight(logit, temperature) > 0.0
        };
        let last = (0..self.len).rev().find(|&rank| has_weight(self, rank));
        last.unwrap_or_default()
    }

    /// The ranks of a bucket that are still in play.
    fn ranks(&self, bucket: usize) -> Range<usize> {
        let start = if bucket == 0 {
            0
        } else {
            self.ends[bucket - 1]
        };
        start.min(self.len)..self.ends[bucket].min(self.len)
    }

    fn sort(&mut self, bucket: usize) {
        if std::mem::replace(&mut self.is_sorted[bucket], true) {
            return;
        }
        let ranks = self.ranks(bucket);
        let (logits, tokens) = (&mut self.logits[ranks.clone()], &mut self.tokens[ranks]);
        let mut pairs: Vec<(f32, u32)> = std::iter::zip(&*logits, &*tokens)
            .map(|(&logit, &token)| (logit, token))
            .collect();
        pairs.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        for (rank, (logit, token)) in pairs.into_iter().enumerate() {
            (logits[rank], tokens[rank]) = (logit, token);
        }
    }
}
