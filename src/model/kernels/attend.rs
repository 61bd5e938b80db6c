//! Attention on the CPU: `softmax(q · k / sqrt(head_dim)) @ v` for every head, a few rows at a time.
//!
//! The query heads that share a key/value head are rows of one product. A block of rows is multiplied with the keys that its last row may
//! see, made into shares row by row, and multiplied with the values; a map of all rows is never held.

use std::cell::RefCell;
use std::ops::Range;

use super::crew;
use super::exp::exp;
use super::instructions::{InstructionSet, Kernel, run};
use super::lanes::Lanes;
use super::sums::{dot, sum};

/// Query rows in a task.
const BLOCK: usize = 64;

thread_local! {
    /// Room for the scores of a block, kept from call to call.
    static SCORES: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// Sizes of an attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttentionSize {
    /// Positions that ask.
    pub n_pos: usize,
    /// Positions that are there to be read.
    pub n_keys: usize,
    /// Positions a key/value head has room for: the stride from one head to the next.
    pub capacity: usize,
    /// Query heads.
    pub n_heads: usize,
    /// Key/value heads.
    pub n_kv_heads: usize,
    /// Values per head.
    pub head_dim: usize,
}

/// Which keys a query may read.
#[derive(Debug, Clone, Copy)]
pub enum Visible<'a> {
    /// Those at or before it; the last query stands at the last key.
    Causal,
    /// Those marked, `[n_pos, n_keys]`.
    Marked(&'a [bool]),
}

/// Queries, keys and values.
#[derive(Debug, Clone, Copy)]
pub struct AttentionInput<'a> {
    /// `[head, pos, head_dim]`.
    pub queries: &'a [f32],
    /// `[kv_head, capacity, head_dim]`.
    pub keys: &'a [f32],
    /// `[kv_head, capacity, head_dim]`.
    pub values: &'a [f32],
    /// Which keys a query may read.
    pub visible: Visible<'a>,
}

/// Attends; `out` is `[head, pos, head_dim]`. False if the sizes do not fit, and then nothing is done.
pub fn attend(size: AttentionSize, input: AttentionInput<'_>, out: &mut [f32]) -> bool {
    let AttentionSize {
        n_pos,
        n_keys,
        capacity,
        n_heads,
        n_kv_heads,
        head_dim,
    } = size;
    let n_values = n_kv_heads * capacity * head_dim;
    let fits = n_kv_heads > 0
        && n_heads.is_multiple_of(n_kv_heads)
        && n_pos <= n_keys
        && n_keys <= capacity
        && input.queries.len() == n_heads * n_pos * head_dim
        && out.len() == input.queries.len()
        && input.keys.len() == n_values
        && input.values.len() == n_values
        && match input.visible {
            Visible::Causal => true,
            Visible::Marked(marks) => marks.len() == n_pos * n_keys,
        };
    if !fits || out.is_empty() {
        return fits;
    }
    let rows = n_heads / n_kv_heads * n_pos; // of one key/value head
    let blocks = rows.div_ceil(BLOCK);
    let output = Output(out.as_mut_ptr());
    crew::run(n_kv_heads * blocks, &|task| {
        // The longest blocks come last in a head: begin with them, so that no thread is left alone at the end.
        let (kv_head, block) = (task % n_kv_heads, blocks - 1 - task / n_kv_heads);
        let rows_here = block * BLOCK..rows.min((block + 1) * BLOCK);
        let first = (kv_head * rows + rows_here.start) * head_dim;
        // SAFETY: tasks have different heads or blocks, so the stretches are apart; they end within `out`.
        let out =
            unsafe { std::slice::from_raw_parts_mut(output.at(first), rows_here.len() * head_dim) };
        let queries = &input.queries[first..first + out.len()];
        let head = kv_head * capacity * head_dim..(kv_head * capacity + n_keys) * head_dim;
        let block = Block {
            size,
            rows: rows_here,
            queries,
            keys: &input.keys[head.clone()],
            values: &input.values[head],
            visible: input.visible,
        };
        SCORES.with_borrow_mut(|scores| block.attend(scores, out));
    });
    true
}

/// Where the threads write.
struct Output(*mut f32);

// SAFETY: each task writes a stretch of its own.
unsafe impl Sync for Output {}

impl Output {
    fn at(&self, offset: usize) -> *mut f32 {
        self.0.wrapping_add(offset)
    }
}

/// Some rows of one key/value head. Rows count through the query heads that share it, position by position.
struct Block<'a> {
    size: AttentionSize,
    rows: Range<usize>,
    /// `[row, head_dim]`.
    queries: &'a [f32],
    /// `[key, head_dim]`.
    keys: &'a [f32],
    /// `[key, head_dim]`.
    values: &'a [f32],
    visible: Visible<'a>,
}

/// So few rows are multiplied one by one: `gemm` would spend its time on packing. A decode step has as many as query heads share a
/// key/value head.
const FEW_ROWS: usize = 16;

impl Block<'_> {
    fn attend(&self, scores: &mut Vec<f32>, out: &mut [f32]) {
        if self.rows.len() <= FEW_ROWS && self.size.n_pos == 1 {
            scores.clear();
            scores.resize(self.rows.len() * self.size.n_keys, 0.0);
            let block = self;
            return run(InstructionSet::best(), Few { block, scores, out });
        }
        let (n_rows, head_dim) = (self.rows.len(), self.size.head_dim);
        let n_seen = self
            .rows
            .clone()
            .map(|row| self.n_seen(row))
            .max()
            .unwrap_or(0);
        scores.clear();
        scores.resize(n_rows * n_seen, 0.0);
        let scale = 1.0 / (head_dim as f32).sqrt();
        // scores = scale * queries @ keys^T, [row, key]
        let size = [n_rows, n_seen, head_dim];
        product(
            size,
            scale,
            self.queries,
            [head_dim, 1],
            self.keys,
            [1, head_dim],
            scores,
        );
        for (row, scores) in self.rows.clone().zip(scores.chunks_exact_mut(n_seen)) {
            let position = row % self.size.n_pos;
            let (seen, rest) = scores.split_at_mut(self.n_seen(row).min(n_seen));
            rest.fill(0.0);
            if let Visible::Marked(marks) = self.visible {
                let marks = &marks[position * self.size.n_keys..][..seen.len()];
                for (score, is_seen) in seen.iter_mut().zip(marks) {
                    if !is_seen {
                        *score = f32::NEG_INFINITY;
                    }
                }
            }
            run(InstructionSet::best(), Softmax { row: seen });
        }
        // out = shares @ values, [row, head_dim]
        let size = [n_rows, head_dim, n_seen];
        product(
            size,
            1.0,
            scores,
            [n_seen, 1],
            self.values,
            [head_dim, 1],
            out,
        );
    }

    /// How many keys, from the first on, can concern a row.
    fn n_seen(&self, row: usize) -> usize {
        let AttentionSize { n_pos, n_keys, .. } = self.size;
        match self.visible {
            Visible::Causal => n_keys - n_pos + row % n_pos + 1,
            Visible::Marked(_) => n_keys,
        }
    }
}

/// The few rows of a decode step, all at one position: each key and each value is read once for all of them.
struct Few<'a> {
    block: &'a Block<'a>,
    /// `[row, key]`.
    scores: &'a mut [f32],
    out: &'a mut [f32],
}

impl Kernel for Few<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        let (block, head_dim, n_keys) =
            (self.block, self.block.size.head_dim, self.block.size.n_keys);
        let scale = 1.0 / (head_dim as f32).sqrt();
        let is_seen = |key: usize| match block.visible {
            Visible::Causal => true,
            Visible::Marked(marks) => marks[key],
        };
        for (key, k) in block.keys.chunks_exact(head_dim).enumerate() {
            for (row, q) in block.queries.chunks_exact(head_dim).enumerate() {
                self.scores[row * n_keys + key] = match is_seen(key) {
                    true => scale * dot(q, k),
                    false => f32::NEG_INFINITY,
                };
            }
        }
        for row in self.scores.chunks_exact_mut(n_keys) {
            // SAFETY: this kernel runs on the same lanes.
            unsafe { Softmax { row }.run::<L>() };
        }
        self.out.fill(0.0);
        for (key, v) in block.values.chunks_exact(head_dim).enumerate() {
            for (row, out) in self.out.chunks_exact_mut(head_dim).enumerate() {
                let share = self.scores[row * n_keys + key];
                for (out, v) in out.iter_mut().zip(v) {
                    *out += share * v;
                }
            }
        }
    }
}

/// A row of scores to shares that sum to 1.
struct Softmax<'a> {
    row: &'a mut [f32],
}

impl Kernel for Softmax<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        let mut largest = [f32::NEG_INFINITY; 16];
        for chunk in self.row.chunks(16) {
            for (largest, score) in largest.iter_mut().zip(chunk) {
                *largest = if *score > *largest { *score } else { *largest };
            }
        }
        let largest = largest.into_iter().fold(f32::NEG_INFINITY, f32::max);
        for score in self.row.iter_mut() {
            *score = exp(*score - largest);
        }
        let scale = 1.0 / sum(self.row, |share| share);
        for share in self.row.iter_mut() {
            *share *= scale;
        }
    }
}

/// `out = scale * a @ b` on this thread, `[m, n]` from `[m, k]` and `[k, n]`; strides are `[row, column]`.
fn product(
    [m, n, k]: [usize; 3],
    scale: f32,
    a: &[f32],
    [a_row, a_col]: [usize; 2],
    b: &[f32],
    [b_row, b_col]: [usize; 2],
    out: &mut [f32],
) {
    assert!(
        a.len() >= m * k && b.len() >= n * k && out.len() >= m * n,
        "sizes are checked by the caller"
    );
    // SAFETY: the assertion; with these strides every element of the three matrices lies in its slice.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.as_mut_ptr(),
            1,
            n as isize,
            false,
            a.as_ptr(),
            a_col as isize,
            a_row as isize,
            b.as_ptr(),
            b_col as isize,
            b_row as isize,
            0.0,
            scale,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}
