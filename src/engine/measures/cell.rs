//! One output of a projection: see [`crate::trace::measure::cell`].

use anyhow::{Context as _, Result, ensure};

use super::Looking;
use super::contribution::weight_row;
use crate::engine::watch::to_host;
use crate::trace::Hook;
use crate::trace::measure::At;
use crate::trace::measure::cell::{Cell, Product};
use crate::trace::measure::vector::top_by;

impl Looking<'_> {
    /// Output `output` of the layer called `path` at one position, with its `k` largest products.
    ///
    /// # Errors
    /// If there is no such layer or output, the layer multiplies nothing (an embedding), its block
    /// has not run, or MLX fails.
    pub fn cell(&mut self, path: &str, at: At, output: usize, k: usize) -> Result<Cell> {
        let (path, reads, writes, weights, bias) = {
            let model = &self.loaded().model;
            // A tied head has the embedding's name, but the embedding multiplies nothing.
            let mut parts = model.parts().into_iter();
            let same = parts.rfind(|part| part.path == path && part.reads.is_some());
            let part = same.map_or_else(|| model.part(path), Ok)?;
            let reads = part.reads.with_context(|| {
                format!("{path} is looked up, it multiplies nothing: choose a projection")
            })?;
            let n_out = part.weight.n_out();
            ensure!(
                output < n_out,
                "{path} has {n_out} outputs, there is no output {output}"
            );
            let bias = part.bias.map(to_host).transpose()?;
            let bias = bias
                .and_then(|bias| bias.value(&[output]))
                .unwrap_or_default();
            (
                part.path,
                reads,
                part.writes,
                weight_row(part.weight, output as u32)?,
                bias,
            )
        };
        let x = self.row(at, reads)?;
        ensure!(x.len() == weights.len(), "{path} does not read {reads}");
        let pairs = x.iter().zip(&weights).enumerate();
        let product = |(column, (x, w)): (usize, (&f32, &f32))| Product {
            column,
            x: *x,
            w: *w,
            product: f64::from(*x) * f64::from(*w),
        };
        let products: Vec<Product> = pairs.map(product).collect();
        let largest = top_by(&products, k, |product| product.product.abs());
        Ok(Cell {
            path,
            at,
            output,
            reads: reads.to_string(),
            n_products: products.len(),
            largest: largest
                .iter()
                .filter_map(|place| products.get(*place).copied())
                .collect(),
            sum: products.iter().map(|product| product.product).sum(),
            bias,
            value: self.output_value(at, &writes, output)?,
        })
    }

    /// Output `output` of a layer that fills the hooks `writes` one after the other.
    fn output_value(&mut self, at: At, writes: &[Hook], output: usize) -> Result<f32> {
        let mut before = 0;
        for hook in writes {
            let row = match hook {
                Hook::Logits => self.logits_at(at)?,
                hook => self.row(at, *hook)?,
            };
            if let Some(value) = output.checked_sub(before).and_then(|place| row.get(place)) {
                return Ok(*value);
            }
            before += row.len();
        }
        anyhow::bail!("the layer has no output {output}")
    }
}
