//! What a head does, told from where it looks.
//!
//! A score is the mean share of attention that goes to one kind of place, over the queries that
//! have such a place; 1 means that the head always looks there and nowhere else:
//!
//! | label | the share of query `q` that counts | queries |
//! |---|---|---|
//! | previous token | on `q − 1` | all but the first |
//! | duplicate token | on earlier places with the same token as `q` | those that have one |
//! | induction | on the place after such an earlier one | those that have one before `q − 1` |
//! | first-token sink | on place 0 | from the fifth on: before, there is hardly anywhere else to look |
//!
//! A head bears a label when its score is above [`THRESHOLD`]: more than half of its attention goes
//! there. At least [`MIN_QUERIES`] queries must tell, since one repeated word proves little.
//!
//! The kinds are those of the work on induction heads (Olsson and others, "In-context Learning and
//! Induction Heads", 2022) and on attention sinks (Xiao and others, 2023). A label describes where a
//! head looks on one text; it does not explain what the head is for.

use serde::{Deserialize, Serialize};

/// A score above this makes a label.
pub const THRESHOLD: f32 = 0.5;

/// Fewer queries than this make no label.
pub const MIN_QUERIES: usize = 3;

/// First query that counts for the first-token sink.
const SINK_FROM: usize = 4;

/// A kind of head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeadRole {
    /// Looks at the token before.
    PreviousToken,
    /// Looks at earlier copies of the same token.
    DuplicateToken,
    /// Looks at what followed an earlier copy: it can continue a repetition.
    Induction,
    /// Rests on the first token.
    FirstToken,
}

impl HeadRole {
    /// Every kind, in the order they are listed to people.
    pub const ALL: [Self; 4] = [
        Self::PreviousToken,
        Self::DuplicateToken,
        Self::Induction,
        Self::FirstToken,
    ];

    /// The label.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PreviousToken => "previous token",
            Self::DuplicateToken => "duplicate token",
            Self::Induction => "induction",
            Self::FirstToken => "first-token sink",
        }
    }
}

/// A score and how many queries it is the mean of.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct HeadScore {
    /// What was looked for.
    pub role: HeadRole,
    /// Mean share, 0 to 1; 0 where no query has such a place.
    pub score: f32,
    /// Queries that have such a place.
    pub n_queries: usize,
}

impl HeadScore {
    /// Whether it is high enough, over enough queries, to label the head.
    #[must_use]
    pub fn is_label(&self) -> bool {
        self.score > THRESHOLD && self.n_queries >= MIN_QUERIES
    }
}

/// One head and its scores, one for each of [`HeadRole::ALL`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HeadScores {
    /// Block, counted from 0.
    pub layer: usize,
    /// Query head, counted from 0.
    pub head: usize,
    /// One for each kind.
    pub scores: [HeadScore; 4],
}

impl HeadScores {
    /// The score of one kind.
    #[must_use]
    pub fn score(&self, role: HeadRole) -> f32 {
        let found = self.scores.iter().find(|score| score.role == role);
        found.map_or(0.0, |score| score.score)
    }

    /// The labels it bears, clearest first.
    #[must_use]
    pub fn labels(&self) -> Vec<HeadScore> {
        let mut labels: Vec<HeadScore> = self
            .scores
            .iter()
            .copied()
            .filter(HeadScore::is_label)
            .collect();
        labels.sort_by(|a, b| b.score.total_cmp(&a.score));
        labels
    }
}

/// The heads of a model on some text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HeadReport {
    /// The text.
    pub text: HeadText,
    /// Every head, layer by layer.
    pub heads: Vec<HeadScores>,
}

impl HeadReport {
    /// The heads with the highest score of a kind, highest first, labelled or not.
    #[must_use]
    pub fn best(&self, role: HeadRole) -> Vec<&HeadScores> {
        let mut heads: Vec<&HeadScores> = self.heads.iter().collect();
        heads.sort_by(|a, b| b.score(role).total_cmp(&a.score(role)));
        heads
    }
}

/// What the heads were watched on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeadText {
    /// The prompt of a run.
    Prompt,
    /// The standard probe text.
    Probe(ProbeText),
}

/// The standard probe text: random words of the vocabulary, and the same words again. Nothing in it
/// can be guessed but the repetition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeText {
    /// Start of the random numbers.
    pub seed: u64,
    /// Words before they repeat.
    pub n_tokens: usize,
    /// Texts that are averaged.
    pub n_texts: usize,
}

impl Default for ProbeText {
    /// 24 words, twice, in 16 texts.
    fn default() -> Self {
        Self {
            seed: 1,
            n_tokens: 24,
            n_texts: 16,
        }
    }
}

/// Adds up the shares of one head over texts.
#[derive(Debug, Clone, Copy, Default)]
pub struct HeadTally {
    shares: [f64; 4],
    counts: [usize; 4],
}

impl HeadTally {
    /// Adds the rows of `pattern`, `[query_pos, key_pos]`, whose first query stands at `start` of
    /// the text `ids`.
    pub fn add(&mut self, pattern: &[f32], start: usize, ids: &[u32]) {
        let rows = pattern.chunks(ids.len().max(1));
        for (query, row) in (start..).zip(rows) {
            let sums = self.shares.iter_mut().zip(&mut self.counts);
            for (role, (sum, count)) in HeadRole::ALL.into_iter().zip(sums) {
                if let Some(share) = share(role, row, query, ids) {
                    *sum += share;
                    *count += 1;
                }
            }
        }
    }

    /// The means.
    #[must_use]
    pub fn scores(&self, layer: usize, head: usize) -> HeadScores {
        let score = |place: usize, role| {
            let n_queries = self.counts.get(place).copied().unwrap_or_default();
            let sum = self.shares.get(place).copied().unwrap_or_default();
            HeadScore {
                role,
                score: (sum / n_queries.max(1) as f64) as f32,
                n_queries,
            }
        };
        let [previous, duplicate, induction, first] = HeadRole::ALL;
        let scores = [
            score(0, previous),
            score(1, duplicate),
            score(2, induction),
            score(3, first),
        ];
        HeadScores {
            layer,
            head,
            scores,
        }
    }
}

/// The share of `row`, `[key_pos]`, that counts for `role`; `None` where `query` has no such place.
fn share(role: HeadRole, row: &[f32], query: usize, ids: &[u32]) -> Option<f64> {
    let at = |key: usize| row.get(key).copied().map(f64::from);
    let token = ids.get(query)?;
    let copies = || (0..query).filter(|key| ids.get(*key) == Some(token));
    match role {
        HeadRole::PreviousToken => at(query.checked_sub(1)?),
        HeadRole::FirstToken => at(0).filter(|_| query >= SINK_FROM),
        HeadRole::DuplicateToken => total(copies(), at),
        HeadRole::Induction => total(copies().map(|key| key + 1).filter(|next| *next < query), at),
    }
}

/// The sum of the shares at `places`; `None` where there are none.
fn total(places: impl Iterator<Item = usize>, at: impl Fn(usize) -> Option<f64>) -> Option<f64> {
    let mut places = places.filter_map(at).peekable();
    places.peek()?;
    Some(places.sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pattern in which query `q` looks at `look(q)` only.
    fn looking(n: usize, look: impl Fn(usize) -> usize) -> Vec<f32> {
        let mut pattern = vec![0.0; n * n];
        for query in 0..n {
            pattern[query * n + look(query)] = 1.0;
        }
        pattern
    }

    fn scores(ids: &[u32], look: impl Fn(usize) -> usize) -> HeadScores {
        let mut tally = HeadTally::default();
        tally.add(&looking(ids.len(), look), 0, ids);
        tally.scores(2, 3)
    }

    const TWICE: [u32; 10] = [7, 3, 9, 4, 5, 7, 3, 9, 4, 5];

    #[test]
    fn each_kind_of_head_is_told_by_where_it_looks() {
        let before = scores(&TWICE, |query| query.saturating_sub(1));
        assert_eq!(before.score(HeadRole::PreviousToken), 1.0);
        assert_eq!(before.labels().len(), 1);
        let copy = scores(&TWICE, |query| query.checked_sub(5).unwrap_or(query));
        assert_eq!(copy.score(HeadRole::DuplicateToken), 1.0);
        let after = scores(&TWICE, |query| query.checked_sub(4).unwrap_or(query));
        assert_eq!(after.score(HeadRole::Induction), 1.0);
        assert_eq!(after.labels()[0].n_queries, 5);
        let first = scores(&TWICE, |_| 0);
        assert_eq!(first.labels()[0].role, HeadRole::FirstToken);
    }

    #[test]
    fn a_single_repeated_word_makes_no_label() {
        let ids = [1, 2, 1];
        let scores = scores(&ids, |query| query / 2);
        assert_eq!(scores.score(HeadRole::Induction), 1.0);
        assert_eq!(scores.labels(), []);
    }

    #[test]
    fn rows_of_a_later_pass_count_from_where_they_stand() {
        let mut tally = HeadTally::default();
        tally.add(&[0.0, 1.0, 0.0], 2, &[4, 5, 6]);
        assert_eq!(tally.scores(0, 0).score(HeadRole::PreviousToken), 1.0);
    }
}
