//! The logit lens: what the model would say if it stopped here.
//!
//! The residual stream at a point is put through the final norm and the output head, as if the
//! blocks after it were not there (nostalgebraist, "interpreting GPT: the logit lens", 2020). After
//! the last MLP it is the model's own answer, number by number. Early in a model the result may
//! mean little: nothing trained the early states to be read this way.

use serde::{Deserialize, Serialize};

use super::{At, Point, TokenShare};

/// What the lens shows at one point of one position.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LensView {
    /// Where on the residual stream.
    pub point: Point,
    /// Of which position.
    pub at: At,
    /// The likeliest tokens, the likeliest first.
    pub top: Vec<TokenShare>,
    /// The tokens that were asked for, in the order they were asked.
    pub chosen: Vec<TokenShare>,
    /// How open the next token is there, in bits.
    pub entropy_bits: f64,
}

/// What to show through the lens.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LensRequest {
    /// Positions.
    pub rows: Vec<At>,
    /// Points on the way; empty: all.
    pub points: Vec<Point>,
    /// How many of the likeliest tokens.
    pub top_k: usize,
    /// Tokens whose rank and probability are followed through the layers.
    pub tokens: Vec<u32>,
}

impl LensRequest {
    /// The points that are asked for, in a model of `n_layers` blocks.
    #[must_use]
    pub fn points_of(&self, n_layers: usize) -> Vec<Point> {
        match self.points.is_empty() {
            true => Point::all(n_layers).collect(),
            false => self.points.clone(),
        }
    }
}

/// The way of a chosen token through the layers: its rank at each point, in order. `token` counts
/// within [`LensRequest::tokens`].
#[must_use]
pub fn ranks(views: &[LensView], at: At, token: usize) -> Vec<(Point, usize)> {
    let views = views.iter().filter(|view| view.at == at);
    views
        .filter_map(|view| Some((view.point, view.chosen.get(token)?.rank)))
        .collect()
}
