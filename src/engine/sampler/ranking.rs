//! Tokens from the most to the least probable, sorted only where someone looks.
//!
//! A vocabulary has 150,000 tokens and a filter's border lies somewhere among them. Sorting all of
//! them takes many times longer than everything else, so they are first dealt into buckets by
//! logit; then only the bucket that holds a border is sorted.

use super::softmax::{Extent, exp};

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
    /// Every token of a bucket has a higher logit than every token of the next.
    entries: Vec<Entry>,
    /// Where each bucket ends.
    ends: Vec<usize>,
    is_sorted: Vec<bool>,
    /// The ranks from here on have been filtered out.
    len: usize,
    /// Ranks that hold no token any more, ascending.
    emptied: Vec<usize>,
    max: f32,
}

impl Ranking {
    /// Deals the vocabulary into buckets of equal width between the highest and the lowest logit.
    pub(super) fn new(logits: &[f32], extent: &Extent) -> Self {
        let max = extent.max;
        // A vocabulary of equal logits gives inf, one too wide for float32 gives 0: both lead to
        // NaN below, which becomes bucket 0, so that everything is in one bucket and still right.
        let n_buckets = (logits.len() / 16).clamp(1, MAX_BUCKETS);
        let scale = (n_buckets - 1) as f32 / (max - extent.min);
        let bucket_of: Vec<u16> = logits.iter().map(|&x| ((max - x) * scale) as u16).collect();

        let mut ends = vec![0; n_buckets];
        for &bucket in &bucket_of {
            ends[usize::from(bucket) % n_buckets] += 1;
        }
        let mut total = 0;
        for end in &mut ends {
            // From a count to the place of the bucket's first entry; filling it moves it to its end.
            total += std::mem::replace(end, total);
        }
        let mut entries = vec![
            Entry {
                token: 0,
                logit: 0.0
            };
            logits.len()
        ];
        for (token, (&logit, &bucket)) in (0..).zip(logits.iter().zip(&bucket_of)) {
            let end = &mut ends[usize::from(bucket) % n_buckets];
            // + 0.0 makes -0.0 the equal that it is.
            entries[*end] = Entry {
                token,
                logit: logit + 0.0,
            };
            *end += 1;
        }
        Self {
            len: entries.len(),
            emptied: Vec::new(),
            is_sorted: vec![false; n_buckets],
            entries,
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
    pub(super) fn top(&mut self, n: usize) -> &[Entry] {
        let n = n.min(self.len);
        for bucket in 0..self.ends.len() {
            if self.start(bucket) >= n {
                break;
            }
            self.sort(bucket);
        }
        &self.entries[..n]
    }

    /// The entry at `rank`, or the last one.
    pub(super) fn at(&mut self, rank: usize) -> Entry {
        let rank = rank.min(self.len.saturating_sub(1));
        let bucket = self.ends.partition_point(|&end| end <= rank);
        self.sort(bucket);
        self.entries[rank]
    }

    /// How many ranks have a logit of at least `floor`.
    pub(super) fn n_at_least(&mut self, floor: f32) -> usize {
        for bucket in 0..self.ends.len() {
            let range = self.start(bucket)..self.ends[bucket];
            if self.entries[range.clone()]
                .iter()
                .any(|entry| entry.logit < floor)
            {
                self.sort(bucket);
                let n = self.entries[range.clone()].partition_point(|entry| entry.logit >= floor);
                return self.len.min(range.start + n);
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
            self.entries[rank].logit = f32::NEG_INFINITY;
        }
        self.emptied = ranks;
    }

    /// A token's weight, e^((logit - highest logit) / temperature): 1 for the most probable.
    /// Divided by the sum of all weights it is the token's probability.
    #[inline(always)]
    pub(super) fn weight(&self, logit: f32, temperature: f32) -> f32 {
        exp((logit - self.max) / temperature)
    }

    /// The sum of the weights in each bucket, `[bucket]`.
    pub(super) fn masses(&self, temperature: f32) -> Vec<f64> {
        let mass = |bucket: usize| {
            let range = self.start(bucket).min(self.len)..self.ends[bucket].min(self.len);
            let weights = self.entries[range].iter();
            weights
                .map(|entry| f64::from(self.weight(entry.logit, temperature)))
                .sum()
        };
        (0..self.ends.len()).map(mass).collect()
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
                for rank in self.start(bucket)..self.ends[bucket].min(self.len) {
                    cumulative += f64::from(self.weight(self.entries[rank].logit, temperature));
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

    fn start(&self, bucket: usize) -> usize {
        if bucket == 0 {
            0
        } else {
            self.ends[bucket - 1]
        }
    }

    fn sort(&mut self, bucket: usize) {
        let range = self.start(bucket)..self.ends[bucket];
        if !std::mem::replace(&mut self.is_sorted[bucket], true) {
            self.entries[range]
                .sort_unstable_by(|a, b| b.logit.total_cmp(&a.logit).then(a.token.cmp(&b.token)));
        }
    }
}
