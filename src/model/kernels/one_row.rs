//! An input row, made ready once for all the weight rows that it will meet.

use std::ops::Range;

use super::float_dot::{DotRows, Weave, Woven, run_len};
use super::instructions::{InstructionSet, Kernel, run};
use super::lanes::Lanes;
use super::multiply::Matrix;
use super::packed::PackedMatrix;
#[cfg(target_arch = "x86_64")]
use super::{integer_dot, limbs::Limbs};

/// An input row, as it is and as the packed matrices that it will meet need it.
pub(super) struct OneRow<'a> {
    pub values: &'a [f32],
    prepared: Vec<Prepared>,
}

impl<'a> OneRow<'a> {
    /// Makes a row ready for its products with `parts`.
    pub fn new(set: InstructionSet, values: &'a [f32], parts: &[(Matrix<'_>, &mut [f32])]) -> Self {
        let mut row = Self {
            values,
            prepared: Vec::new(),
        };
        for (matrix, _) in parts {
            if let Matrix::Packed(matrix) = matrix
                && row.prepared(matrix.bits()).is_none()
            {
                row.prepared.push(Prepared::new(set, values, matrix.bits()));
            }
        }
        row
    }

    /// The row, made ready for matrices of so many bits.
    pub fn prepared(&self, bits: usize) -> Option<&Prepared> {
        self.prepared
            .iter()
            .find(|prepared| prepared.bits() == bits)
    }
}

/// An input row, made ready once for all rows of a matrix.
pub(super) struct Prepared {
    set: InstructionSet,
    bits: usize,
    order: Order,
    /// Sums of groups of 32, of 64 and of 128 values, each followed by zeros up to a multiple of 16.
    group_sums: [Vec<f32>; 3],
}

enum Order {
    Woven(Woven),
    #[cfg(target_arch = "x86_64")]
    Limbs(Limbs),
}

impl Prepared {
    /// Makes a row ready for matrices of so many bits.
    pub fn new(set: InstructionSet, x: &[f32], bits: usize) -> Self {
        let of_32 = run(set, BlockSums(x));
        let pairs = |sums: &[f32]| {
            sums.as_chunks::<2>()
                .0
                .iter()
                .map(|[a, b]| a + b)
                .collect::<Vec<_>>()
        };
        let of_64 = pairs(&of_32);
        let of_128 = pairs(&of_64);
        let group_sums = [of_32, of_64, of_128].map(|mut sums| {
            sums.resize(sums.len().next_multiple_of(16), 0.0);
            sums
        });
        Self {
            set,
            bits,
            order: Order::new(set, x, bits),
            group_sums,
        }
    }

    /// Bits of the matrices that it is ready for.
    pub fn bits(&self) -> usize {
        self.bits
    }

    /// The products of `rows` with the input row, `out` `[rows]`.
    pub fn dot_rows(&self, matrix: &PackedMatrix<'_>, rows: Range<usize>, out: &mut [f32]) {
        let group_sums = &self.group_sums[matrix.group_size().ilog2() as usize - 5];
        assert!(matrix.bits() == self.bits, "made ready for other matrices");
        match &self.order {
            Order::Woven(x) => {
                assert!(x.is_for(matrix.n_in()), "made ready for another width");
                run(
                    self.set,
                    DotRows {
                        matrix,
                        rows,
                        x,
                        group_sums,
                        out,
                    },
                );
            }
            #[cfg(target_arch = "x86_64")]
            Order::Limbs(limbs) => integer_dot::dot_rows(matrix, rows, limbs, group_sums, out),
        }
    }
}

impl Order {
    fn new(set: InstructionSet, x: &[f32], bits: usize) -> Self {
        #[cfg(target_arch = "x86_64")]
        if set == InstructionSet::Avx512Vnni
            && let Some(limbs) = Limbs::split(x, bits)
        {
            return Self::Limbs(limbs);
        }
        Self::Woven(run(
            set,
            Weave {
                x,
                run_len: run_len(bits),
            },
        ))
    }
}

/// The sum of every 32 values.
struct BlockSums<'a>(&'a [f32]);

impl Kernel for BlockSums<'_> {
    type Output = Vec<f32>;

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) -> Vec<f32> {
        let mut sums = vec![0.0; self.0.len() / 32];
        for (sum, block) in sums.iter_mut().zip(self.0.as_chunks::<32>().0) {
            // SAFETY: the block holds 32 values, a multiple of every width.
            unsafe {
                let mut lanes = L::splat(0.0);
                for i in 0..32 / L::WIDTH {
                    lanes = L::load(block.as_ptr().add(i * L::WIDTH)).mul_add(L::splat(1.0), lanes);
                }
                *sum = lanes.sum();
            }
        }
        sums
    }
}
