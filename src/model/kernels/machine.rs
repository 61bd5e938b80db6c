//! How fast this machine could be, measured: what `bench` compares a model's speed with.

use std::hint::black_box;
use std::time::{Duration, Instant};

use super::crew;
use super::instructions::{InstructionSet, Kernel, run};
use super::lanes::Lanes;
use super::multiply::multiply_floats;

/// Time for each of the two measurements, beside their preparation.
const BUDGET: Duration = Duration::from_millis(400);
/// Bytes of the buffer that is read: many times what the caches hold.
const BUFFER: usize = 256 << 20;
/// Pieces of it for each thread: long ones, or reading does not get up to speed.
const PIECES: usize = 8;
/// Sizes of the product that is timed, `[n_x, n_out, n_in]`: a prefill of 512 tokens through a layer of a small model.
const PRODUCT: [usize; 3] = [512, 4864, 896];

/// This machine's limits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Machine {
    /// Memory bandwidth, reading on all cores, in GB/s (10^9 bytes). None where there is no memory for the measurement.
    pub bandwidth: Option<f64>,
    /// Speed of a float32 matrix product on all cores, in GFLOP/s (a multiplication and an addition are two).
    pub gflops: f64,
    /// Instructions that the kernels use.
    pub instruction_set: InstructionSet,
    /// Threads that the kernels use.
    pub n_threads: usize,
}

impl Machine {
    /// Measures this machine, which takes about a second. Other programs that run meanwhile make it look slower.
    pub fn measure() -> Self {
        let instruction_set = InstructionSet::best();
        Self {
            bandwidth: bandwidth(instruction_set),
            gflops: gflops(),
            instruction_set,
            n_threads: crew::n_threads(),
        }
    }
}

/// The shortest of the runs that fit in the budget, in seconds; three at least.
fn shortest(mut work: impl FnMut()) -> f64 {
    let start = Instant::now();
    let mut shortest = f64::INFINITY;
    let mut n_runs = 0;
    while n_runs < 3 || start.elapsed() < BUDGET {
        let run_start = Instant::now();
        work();
        shortest = shortest.min(run_start.elapsed().as_secs_f64());
        n_runs += 1;
    }
    shortest
}

fn bandwidth(set: InstructionSet) -> Option<f64> {
    let n = BUFFER / size_of::<f32>();
    let mut buffer: Vec<f32> = Vec::new();
    buffer.try_reserve_exact(n).ok()?;
    // Written, not only reserved: untouched memory is one page of zeros that stays in the cache.
    buffer.resize(n, 1.0);
    let pieces: Vec<&[f32]> = buffer.chunks(n / (PIECES * crew::n_threads())).collect();
    let seconds = shortest(|| {
        crew::run(pieces.len(), &|task| {
            black_box(run(set, Sum(pieces[task])));
        });
    });
    Some(BUFFER as f64 / seconds / 1e9)
}

/// The sum of whole registers: little more than reading them.
struct Sum<'a>(&'a [f32]);

impl Kernel for Sum<'_> {
    type Output = f32;

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) -> f32 {
        /// Registers of partial sums.
        const CHAINS: usize = 8;
        // SAFETY: every register read lies within the slice.
        unsafe {
            let one = L::splat(1.0);
            let mut sums = [one; CHAINS];
            for values in self.0.chunks_exact(CHAINS * L::WIDTH) {
                for (i, sum) in sums.iter_mut().enumerate() {
                    *sum = L::load(values.as_ptr().add(i * L::WIDTH)).mul_add(one, *sum);
                }
            }
            let mut total = 0.0;
            for sum in sums {
                total += sum.sum();
            }
            total
        }
    }
}

fn gflops() -> f64 {
    let [n_x, n_out, n_in] = PRODUCT;
    let x = vec![0.5; n_x * n_in];
    let w = vec![0.5; n_out * n_in];
    let mut out = vec![0.0; n_x * n_out];
    // SAFETY: the three have the sizes of the product.
    let seconds = shortest(|| unsafe {
        multiply_floats(
            PRODUCT,
            x.as_ptr(),
            w.as_ptr(),
            out.as_mut_ptr(),
            n_out,
            gemm::Parallelism::Rayon(0),
        );
    });
    black_box(&out);
    2.0 * PRODUCT.into_iter().product::<usize>() as f64 / seconds / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_reads_and_multiplies() {
        let machine = Machine::measure();
        assert!(
            machine
                .bandwidth
                .is_none_or(|speed| speed > 0.1 && speed < 10_000.0),
            "{machine:?}"
        );
        assert!(
            machine.gflops > 0.1 && machine.gflops < 100_000.0,
            "{machine:?}"
        );
    }
}
