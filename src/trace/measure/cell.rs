//! One output of a projection as a sum of products.
//!
//! `y = x₀w₀ + x₁w₁ + … + bias`: what a layer gives at one position and one output is the dot
//! product of what it reads there with one row of its matrix.

use serde::{Deserialize, Serialize};

use super::At;

/// One product of the sum.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Product {
    /// Place in the input, and column of the matrix.
    pub column: usize,
    /// What the layer reads there.
    pub x: f32,
    /// The weight.
    pub w: f32,
    /// `x · w`.
    pub product: f64,
}

/// One output of a layer at one position.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// The layer, as the checkpoint calls it.
    pub path: String,
    /// At which position.
    pub at: At,
    /// Which output: a row of the matrix.
    pub output: usize,
    /// The hook it reads.
    pub reads: String,
    /// Products in all.
    pub n_products: usize,
    /// The largest by size, the largest first.
    pub largest: Vec<Product>,
    /// Sum of all products.
    pub sum: f64,
    /// The layer's bias for this output; 0 where it has none.
    pub bias: f32,
    /// What the pass has there.
    pub value: f32,
}

impl Cell {
    /// Sum and bias less the value of the pass: rounding, or an edit.
    #[must_use]
    pub fn left_over(&self) -> f64 {
        f64::from(self.value) - self.sum - f64::from(self.bias)
    }
}
