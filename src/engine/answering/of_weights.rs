//! Questions about weights and embeddings.

use std::ops::Range;
use std::rc::Rc;

use anyhow::{Result, bail};

use super::Answering;
use crate::engine::loaded::LoadedModel;
use crate::engine::measures::{
    EmbeddingSpace, matrix_histogram, matrix_slice, named, quantized_row, twin_of,
};
use crate::engine::message::ModelChoice;
use crate::engine::question::{
    MatrixSlice, Question, Similarities, Space, TokenPlane, Told, Vector,
};
use crate::model::linear::Kernels;
use crate::trace::measure::NamedToken;
use crate::trace::measure::quantized::PackedRow;

impl Answering<'_> {
    pub(super) fn of_weights(&mut self, question: Question) -> Result<Told> {
        use Question as Ask;
        Ok(match question {
            Ask::Row {
                model,
                path,
                row,
                columns,
            } => Told::Row(self.packed_row(model.as_ref(), &path, row, columns)?),
            Ask::Slice {
                model,
                path,
                rows,
                columns,
            } => {
                let loaded = self.loaded(model.as_ref())?;
                Told::Slice(slice(&loaded, path, rows, columns)?)
            }
            Ask::WeightHistogram {
                model,
                path,
                n_bins,
            } => {
                let loaded = self.loaded(model.as_ref())?;
                Told::Histogram(matrix_histogram(&loaded, &path, n_bins)?)
            }
            other => self.of_space(other)?,
        })
    }

    fn of_space(&mut self, question: Question) -> Result<Told> {
        use Question as Ask;
        Ok(match question {
            Ask::Nearest {
                model,
                space,
                to,
                k,
            } => {
                let space = self.space(model.as_ref(), space)?;
                let (vector, left_out) = match to {
                    Vector::Token(id) => (space.vector(id)?, vec![id]),
                    Vector::State { at, point } => (self.looking()?.state(at, point)?, Vec::new()),
                    Vector::Values(values) => (values, Vec::new()),
                };
                Told::Neighbours(space.nearest(&vector, k, &left_out)?)
            }
            Ask::Arithmetic {
                model,
                space,
                plus,
                minus,
                k,
            } => {
                let space = self.space(model.as_ref(), space)?;
                Told::Neighbours(space.arithmetic(&plus, &minus, k)?)
            }
            Ask::Axes {
                model,
                space,
                axes,
                ids,
            } => {
                let space = self.space(model.as_ref(), space)?;
                let placed = |pairs: &Vec<(u32, u32)>| space.placed(&space.axis(pairs)?, &ids);
                Told::Axes(axes.iter().map(placed).collect::<Result<_>>()?)
            }
            Ask::Plane { model, space, ids } => {
                let tokens = self.named_all(model.as_ref(), &ids)?;
                let plane = self.space(model.as_ref(), space)?.plane(&ids)?;
                Told::Plane(TokenPlane { tokens, plane })
            }
            Ask::Similarity { model, space, ids } => {
                let tokens = self.named_all(model.as_ref(), &ids)?;
                let cosines = self.space(model.as_ref(), space)?.similarities(&ids)?;
                Told::Similarities(Similarities { tokens, cosines })
            }
            other => bail!("this is no question about weights: {other:?}"),
        })
    }

    fn space(&mut self, model: Option<&ModelChoice>, space: Space) -> Result<EmbeddingSpace> {
        let loaded = self.loaded(model)?;
        Ok(match space {
            Space::Input => EmbeddingSpace::input(loaded),
            Space::Output => EmbeddingSpace::output(loaded),
        })
    }

    fn named_all(&mut self, model: Option<&ModelChoice>, ids: &[u32]) -> Result<Vec<NamedToken>> {
        let loaded = self.loaded(model)?;
        Ok(ids.iter().map(|id| named(&loaded, *id)).collect())
    }

    /// A packed row; its errors are measured against the 16-bit copy of the model where there is
    /// one.
    fn packed_row(
        &mut self,
        model: Option<&ModelChoice>,
        path: &str,
        row: usize,
        columns: Option<Range<usize>>,
    ) -> Result<PackedRow> {
        let loaded = self.loaded(model)?;
        let twin: Option<Rc<LoadedModel>> = match twin_of(&loaded.label) {
            None => None,
            Some(name) => {
                let name = name.to_owned();
                let kernels = Kernels::Auto; // who multiplies does not matter: it is only read
                Some(self.models.get(&ModelChoice { name, kernels })?.0)
            }
        };
        quantized_row(&loaded, path, row, columns, twin.as_deref())
    }
}

fn slice(
    loaded: &LoadedModel,
    path: String,
    rows: Option<Range<usize>>,
    columns: Option<Range<usize>>,
) -> Result<MatrixSlice> {
    let part = loaded.model.part(&path)?;
    let shape = [part.weight.n_out(), part.weight.n_in()];
    let format = part.weight.format();
    let first = |range: &Option<Range<usize>>| range.as_ref().map_or(0, |range| range.start);
    Ok(MatrixSlice {
        first_row: first(&rows),
        first_column: first(&columns),
        values: matrix_slice(loaded, &path, rows, columns)?,
        path,
        shape,
        format,
    })
}
