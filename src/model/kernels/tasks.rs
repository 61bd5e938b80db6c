//! How the rows of matrices are shared out among threads.

use std::ops::Range;

use super::crew;
use super::multiply::Matrix;

/// Multiplications that are done sooner on one thread than on several.
const ONE_THREAD: usize = 1 << 17;

/// Multiplications in a task: small enough to share evenly, large enough to be worth taking.
const TASK: Range<usize> = 1 << 15..1 << 20;

/// Float32 values in a panel of expanded weights (many input rows).
const PANEL: usize = 1 << 20;

/// Output memory that several threads write to, each to places of its own.
#[derive(Clone, Copy)]
pub(super) struct Shared(*mut f32);

// SAFETY: whoever uses it keeps the threads' places apart.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

impl Shared {
    /// Memory to be shared out.
    pub fn new(start: *mut f32) -> Self {
        Self(start)
    }

    /// A pointer to the value at `index`.
    ///
    /// A method, so that closures capture the whole and not the bare pointer.
    pub fn at(self, index: usize) -> *mut f32 {
        self.0.wrapping_add(index)
    }
}

/// Weight rows of one matrix, for one thread.
pub(super) struct Task<'a> {
    pub matrix: Matrix<'a>,
    pub rows: Range<usize>,
    /// The whole output of the matrix.
    pub out: Shared,
}

/// Shares the rows of all matrices out among tasks.
pub(super) fn tasks<'a>(parts: &mut [(Matrix<'a>, &mut [f32])], n_x: usize) -> Vec<Task<'a>> {
    let cost = |matrix: &Matrix<'_>, rows: usize| rows * matrix.n_in() * n_x;
    let total: usize = parts
        .iter()
        .map(|(matrix, _)| cost(matrix, matrix.n_out()))
        .sum();
    let per_task = if total <= ONE_THREAD {
        usize::MAX
    } else {
        (total / (2 * crew::n_threads())).clamp(TASK.start, TASK.end)
    };
    let mut tasks = Vec::new();
    for (matrix, out) in parts {
        let n_rows = (per_task / cost(matrix, 1).max(1)).max(1);
        push_tasks(&mut tasks, *matrix, out, n_rows);
    }
    tasks
}

/// Shares the rows of all matrices out in panels, for many input rows.
pub(super) fn panels<'a>(parts: &mut [(Matrix<'a>, &mut [f32])]) -> Vec<Task<'a>> {
    let mut panels = Vec::new();
    for (matrix, out) in parts {
        let fair = matrix.n_out().div_ceil(2 * crew::n_threads());
        let most = (PANEL / matrix.n_in().max(1)).max(1);
        push_tasks(&mut panels, *matrix, out, fair.clamp(1, most));
    }
    panels
}

/// Tasks of about `n_rows` rows each: whole cache lines of output, so that threads do not fight over one.
fn push_tasks<'a>(tasks: &mut Vec<Task<'a>>, matrix: Matrix<'a>, out: &mut [f32], n_rows: usize) {
    let step = n_rows.div_ceil(16).saturating_mul(16);
    let out = Shared::new(out.as_mut_ptr());
    tasks.extend((0..matrix.n_out()).step_by(step).map(|start| {
        let end = start.saturating_add(step).min(matrix.n_out());
        Task {
            matrix,
            rows: start..end,
            out,
        }
    }));
}

/// Runs the tasks: together, or one after the other where there is too little to do.
pub(super) fn run_tasks(tasks: &[Task<'_>], n_matrices: usize, work: &(dyn Fn(&Task<'_>) + Sync)) {
    if tasks.len() <= n_matrices {
        tasks.iter().for_each(work);
    } else {
        crew::run(tasks.len(), &|i| work(&tasks[i]));
    }
}
