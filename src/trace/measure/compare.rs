//! Two runs side by side: where their states part, position by position and layer by layer.
//!
//! Positions are aligned by their number: position 7 of one text with position 7 of the other. A
//! causal model cannot look ahead, so as long as the tokens are the same, equal models give equal
//! states; a difference before the first different token comes from the model, its settings or an
//! edit. States of different width cannot be compared; tokens and answers still can.

use serde::{Deserialize, Serialize};

use super::state::{Gap, gap};
use super::{NamedToken, Point, TokenShare};
use crate::trace::HostTensor;

/// What is known of one side beside its states.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Side {
    /// What people call it: a file, or the beginning of its prompt.
    pub name: String,
    /// The model that ran.
    pub model: String,
    /// The tokens of the text.
    pub tokens: Vec<NamedToken>,
    /// The likeliest tokens after a position, the likeliest first.
    pub next: Vec<TokenShare>,
    /// The position that [`Self::next`] follows: the latest to which both sides have the same text
    /// and their logits, else the end of each prompt. `None` where it is unknown.
    #[serde(default)]
    pub after: Option<usize>,
}

/// Where the next tokens of two runs can be compared, as the tokens before them on each side: after the
/// latest position to which both texts are the same and both have logits; else after each prompt, where
/// logits come first. The next token of a text tells nothing of that of a longer one.
///
/// A side is its ids, and the ends of the passes whose logits are known, in their order.
#[must_use]
pub fn fair_ends(a: (&[u32], &[usize]), b: (&[u32], &[usize])) -> Option<(usize, usize)> {
    let same = a.0.iter().zip(b.0).take_while(|(a, b)| a == b);
    let n_same = same.count();
    let is_shared = |end: &&usize| **end <= n_same && b.1.contains(end);
    match a.1.iter().rev().find(is_shared) {
        Some(end) => Some((*end, *end)),
        None => Some((*a.1.first()?, *b.1.first()?)),
    }
}

/// Two runs compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// One side.
    pub a: Side,
    /// The other.
    pub b: Side,
    /// Positions that both have.
    pub n_aligned: usize,
    /// The first position whose tokens differ, or where one text has ended.
    pub first_other_token: Option<usize>,
    /// Differences up to this size count as none; 0 asks for equal bits.
    pub tolerance: f32,
    /// The states that both have, in order of execution, each with a gap for every aligned position.
    pub states: Vec<(Point, Vec<Gap>)>,
    /// Why there are no states to compare.
    pub no_states: Option<String>,
    /// `Σ p log₂(p / q)` of the next token, in bits; `None` where it is infinite or unknown.
    pub kl_bits: Option<f64>,
}

/// A place where two runs differ.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Parting {
    /// The position.
    pub position: usize,
    /// How far apart, and at which point.
    pub gap: Gap,
}

impl Comparison {
    /// Two texts, before any state.
    #[must_use]
    pub fn new(a: Side, b: Side, tolerance: f32) -> Self {
        let n_aligned = a.tokens.len().min(b.tokens.len());
        let mut pairs = a.tokens.iter().zip(&b.tokens);
        let other = pairs.position(|(a, b)| a.id != b.id);
        let longer = a.tokens.len() != b.tokens.len();
        Self {
            first_other_token: other.or_else(|| longer.then_some(n_aligned)),
            a,
            b,
            n_aligned,
            tolerance,
            states: Vec::new(),
            no_states: None,
            kl_bits: None,
        }
    }

    /// Adds the states at one point, `[pos, d_model]` each. States of different width are left out,
    /// and said so.
    pub fn add(&mut self, point: Point, a: &HostTensor, b: &HostTensor) {
        let width = |value: &HostTensor| value.shape().get(1).copied().unwrap_or_default();
        if width(a) != width(b) {
            self.no_states = Some(format!(
                "the residual streams are {} and {} wide, so they cannot be compared",
                width(a),
                width(b)
            ));
            return;
        }
        let rows = (0..self.n_aligned).map_while(|row| Some((a.at(&[row])?, b.at(&[row])?)));
        let gaps = rows.map(|(a, b)| gap(point, a, b));
        self.states.push((point, gaps.collect()));
    }

    /// The first point, in order of execution, where some position differs, and the first position
    /// that does there.
    #[must_use]
    pub fn first_layer(&self) -> Option<Parting> {
        let mut points = self.states.iter();
        points.find_map(|(_, gaps)| {
            let position = gaps.iter().position(|gap| self.differs(gap))?;
            self.parting(position, gaps)
        })
    }

    /// The first position that differs at any point, and the first point where it does.
    #[must_use]
    pub fn first_position(&self) -> Option<Parting> {
        let at = |position: usize| {
            let mut points = self.states.iter();
            let (_, gaps) =
                points.find(|(_, gaps)| gaps.get(position).is_some_and(|gap| self.differs(gap)))?;
            self.parting(position, gaps)
        };
        (0..self.n_aligned).find_map(at)
    }

    fn differs(&self, gap: &Gap) -> bool {
        gap.largest > self.tolerance
    }

    fn parting(&self, position: usize, gaps: &[Gap]) -> Option<Parting> {
        let gap = *gaps.get(position)?;
        Some(Parting { position, gap })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(ids: &[u32]) -> Side {
        let token = |id: &u32| NamedToken {
            id: *id,
            text: format!("#{id}"),
        };
        Side {
            name: "a".into(),
            model: "m".into(),
            tokens: ids.iter().map(token).collect(),
            next: Vec::new(),
            after: None,
        }
    }

    fn states(values: [f32; 6]) -> HostTensor {
        HostTensor::new(vec![3, 2], values.to_vec()).unwrap()
    }

    #[test]
    fn the_first_layer_and_the_first_token_that_differ_are_named() {
        let mut comparison = Comparison::new(side(&[1, 2, 3]), side(&[1, 2, 9, 4]), 0.0);
        assert_eq!(
            (comparison.n_aligned, comparison.first_other_token),
            (3, Some(2))
        );
        let same = states([1.0; 6]);
        comparison.add(Point::Embed, &same, &states([1.0, 1.0, 1.0, 1.0, 0.0, 1.0]));
        comparison.add(
            Point::AfterMlp(0),
            &same,
            &states([1.0, 1.0, 2.0, 1.0, 0.0, 1.0]),
        );
        let layer = comparison.first_layer().unwrap();
        assert_eq!((layer.position, layer.gap.point), (2, Point::Embed));
        let token = comparison.first_position().unwrap();
        assert_eq!((token.position, token.gap.point), (1, Point::AfterMlp(0)));
        comparison.tolerance = 5.0;
        assert_eq!(comparison.first_layer(), None);
    }

    #[test]
    fn next_tokens_are_compared_after_the_same_text_or_after_each_prompt() {
        let (text, longer, other) = ([1, 2, 3, 4], [1, 2, 3, 4, 5], [1, 9, 3]);
        // One side has run further than the other.
        assert_eq!(fair_ends((&text, &[3, 4]), (&text, &[3])), Some((3, 3)));
        assert_eq!(
            fair_ends((&longer, &[3, 4, 5]), (&text, &[3, 4])),
            Some((4, 4))
        );
        // Other prompts: each after its own, however far they went on.
        assert_eq!(fair_ends((&longer, &[4, 5]), (&other, &[3])), Some((4, 3)));
        assert_eq!(fair_ends((&text, &[]), (&other, &[3])), None);
    }

    #[test]
    fn a_longer_text_parts_where_the_shorter_ends() {
        let comparison = Comparison::new(side(&[1, 2]), side(&[1, 2, 3]), 0.0);
        assert_eq!(comparison.first_other_token, Some(2));
        let same = Comparison::new(side(&[1, 2]), side(&[1, 2]), 0.0);
        assert_eq!(same.first_other_token, None);
    }

    #[test]
    fn states_of_different_width_are_left_out() {
        let mut comparison = Comparison::new(side(&[1]), side(&[1]), 0.0);
        let wide = HostTensor::new(vec![1, 3], vec![0.0; 3]).unwrap();
        comparison.add(Point::Embed, &states([0.0; 6]), &wide);
        assert!(comparison.states.is_empty() && comparison.no_states.is_some());
    }
}
