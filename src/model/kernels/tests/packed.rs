//! Quantized matrices.

use super::super::multiply::multiply_with;
use super::super::{InstructionSet, KernelError, Matrix, PackedMatrix, PackedShape, multiply_many};
use super::{Noise, assert_close, reference};

const BITS: [usize; 5] = [2, 3, 4, 6, 8];
const GROUPS: [usize; 3] = [32, 64, 128];

/// A matrix of random words: every pattern of bits is a valid one.
struct Sample {
    words: Vec<u32>,
    scales: Vec<f32>,
    biases: Vec<f32>,
    shape: PackedShape,
}

impl Sample {
    fn new(shape: PackedShape) -> Self {
        let PackedShape {
            n_out,
            n_in,
            bits,
            group_size,
        } = shape;
        let mut noise = Noise::new((n_out * n_in * bits + group_size) as u64);
        let n_groups = n_out * n_in / group_size;
        let step = 1.0 / f32::from(1_u16 << bits);
        Self {
            words: (0..n_out * n_in * bits / 32)
                .map(|_| noise.bits())
                .collect(),
            scales: (0..n_groups).map(|_| noise.value() * step).collect(),
            biases: noise.values(n_groups),
            shape,
        }
    }

    fn matrix(&self) -> PackedMatrix<'_> {
        PackedMatrix::new(&self.words, &self.scales, &self.biases, self.shape).unwrap()
    }

    /// The weights by the definition: bit by bit, group by group.
    fn expanded(&self) -> Vec<f32> {
        let PackedShape {
            n_out,
            n_in,
            bits,
            group_size,
        } = self.shape;
        let bit = |at: usize| self.words[at / 32] >> (at % 32) & 1;
        (0..n_out * n_in)
            .map(|i| {
                let q: u32 = (0..bits).map(|b| bit(i * bits + b) << b).sum();
                self.scales[i / group_size] * q as f32 + self.biases[i / group_size]
            })
            .collect()
    }
}

fn every_width(mut check: impl FnMut(usize, usize)) {
    for bits in BITS {
        for group_size in GROUPS {
            check(bits, group_size);
        }
    }
}

#[test]
fn rows_expand_to_what_mlx_expands_them_to() {
    let text = include_str!("../../../../tests/fixtures/kernels/packed.txt");
    let lines: Vec<Vec<u32>> = text
        .lines()
        .map(|line| {
            line.split(' ')
                .skip(1)
                .map(|number| number.parse().unwrap())
                .collect()
        })
        .collect();
    let floats = |bits: &[u32]| {
        bits.iter()
            .map(|&bits| f32::from_bits(bits))
            .collect::<Vec<_>>()
    };
    assert_eq!(lines.len(), 5 * BITS.len() * GROUPS.len());
    for case in lines.chunks(5) {
        let [shape, words, scales, biases, rows] = case else {
            panic!("five lines per case")
        };
        let [n_out, n_in, bits, group_size] = shape[..] else {
            panic!("four numbers in a shape")
        };
        let (n_out, n_in) = (n_out as usize, n_in as usize);
        let shape = PackedShape {
            n_out,
            n_in,
            bits: bits as usize,
            group_size: group_size as usize,
        };
        let (scales, biases, rows) = (floats(scales), floats(biases), floats(rows));
        let matrix = PackedMatrix::new(words, &scales, &biases, shape).unwrap();
        for set in InstructionSet::available() {
            let mut out = vec![0.0; n_out * n_in];
            matrix.expand_rows(set, 0..n_out, &mut out);
            for (found, expected) in out.iter().zip(&rows) {
                // MLX may round the product before it adds the bias; we do not.
                assert!(
                    (found - expected).abs() < 1e-7,
                    "{set:?}, {shape:?}: {found} for {expected}"
                );
            }
        }
    }
}

#[test]
fn products_agree_with_a_plain_loop() {
    every_width(|bits, group_size| {
        for (n_out, n_in) in [(1, 128), (37, 384), (130, 640)] {
            let sample = Sample::new(PackedShape {
                n_out,
                n_in,
                bits,
                group_size,
            });
            let weights = sample.expanded();
            for n_x in [1, 2, 3, 5, 16, 33, 200] {
                let x = Noise::new(n_x as u64).values(n_x * n_in);
                let expected = reference(&x, &weights, n_in);
                for set in InstructionSet::available() {
                    let mut out = vec![f32::NAN; n_x * n_out];
                    multiply_with(set, &mut [(Matrix::Packed(sample.matrix()), &mut out)], &x)
                        .unwrap();
                    assert_close(
                        &out,
                        &expected,
                        &format!("{set:?}, {:?}, {n_x} rows", sample.shape),
                    );
                }
            }
        }
    });
}

#[test]
fn a_row_of_one_group_is_enough() {
    every_width(|bits, group_size| {
        let sample = Sample::new(PackedShape {
            n_out: 5,
            n_in: group_size,
            bits,
            group_size,
        });
        for n_x in [1, 4, 20] {
            let x = Noise::new(1).values(n_x * group_size);
            let expected = reference(&x, &sample.expanded(), group_size);
            for set in InstructionSet::available() {
                let mut out = vec![f32::NAN; n_x * 5];
                multiply_with(set, &mut [(Matrix::Packed(sample.matrix()), &mut out)], &x).unwrap();
                assert_close(
                    &out,
                    &expected,
                    &format!("{set:?}, {:?}, {n_x} rows", sample.shape),
                );
            }
        }
    });
}

#[test]
fn unusual_inputs_give_what_arithmetic_says() {
    every_width(|bits, group_size| {
        let sample = Sample::new(PackedShape {
            n_out: 9,
            n_in: 256,
            bits,
            group_size,
        });
        let weights = sample.expanded();
        let product = |set, x: &[f32]| {
            let mut out = vec![7.0; 9];
            multiply_with(set, &mut [(Matrix::Packed(sample.matrix()), &mut out)], x).unwrap();
            out
        };
        let mut outlier = Noise::new(5).values(256);
        outlier[77] = 5000.0;
        let tiny: Vec<f32> = Noise::new(6)
            .values(256)
            .into_iter()
            .map(|x| x * 1e-35)
            .collect();
        let mut infinite = outlier.clone();
        infinite[200] = f32::INFINITY;
        let mut no_number = outlier.clone();
        no_number[3] = f32::NAN;
        for set in InstructionSet::available() {
            assert_eq!(product(set, &[0.0; 256]), [0.0; 9]);
            for x in [&outlier, &tiny] {
                assert_close(
                    &product(set, x),
                    &reference(x, &weights, 256),
                    &format!("{set:?} {bits}"),
                );
            }
            assert!(
                product(set, &infinite)
                    .iter()
                    .all(|value| !value.is_finite()),
                "{set:?}"
            );
            assert!(
                product(set, &no_number).iter().all(|value| value.is_nan()),
                "{set:?}"
            );
        }
    });
}

#[test]
fn a_matrix_without_rows_gives_nothing() {
    let shape = PackedShape {
        n_out: 0,
        n_in: 64,
        bits: 4,
        group_size: 64,
    };
    let matrix = PackedMatrix::new(&[], &[], &[], shape).unwrap();
    for n_x in [1, 5, 300] {
        assert_eq!(matrix.multiply(&vec![1.0; n_x * 64], &mut []), Ok(()));
    }
}

#[test]
fn matrices_multiplied_together_equal_each_alone() {
    let shape = |n_out, bits| PackedShape {
        n_out,
        n_in: 896,
        bits,
        group_size: 64,
    };
    let samples = [shape(896, 4), shape(128, 8), shape(128, 3)].map(Sample::new);
    for n_x in [1, 7, 40] {
        let x = Noise::new(2).values(n_x * 896);
        let mut alone = Vec::new();
        let mut together = Vec::new();
        for sample in &samples {
            let mut out = vec![0.0; n_x * sample.shape.n_out];
            sample.matrix().multiply(&x, &mut out).unwrap();
            together.push(vec![f32::NAN; out.len()]);
            alone.push(out);
        }
        let mut parts: Vec<_> = samples
            .iter()
            .zip(&mut together)
            .map(|(sample, out)| (Matrix::Packed(sample.matrix()), out.as_mut_slice()))
            .collect();
        multiply_many(&mut parts, &x).unwrap();
        assert_eq!(alone, together);
    }
}

#[test]
fn the_same_call_gives_the_same_bits() {
    let sample = Sample::new(PackedShape {
        n_out: 1000,
        n_in: 896,
        bits: 4,
        group_size: 64,
    });
    for n_x in [1, 2, 9, 16, 17, 100] {
        let x = Noise::new(3).values(n_x * 896);
        let product = || {
            let mut out = vec![0.0; n_x * 1000];
            sample.matrix().multiply(&x, &mut out).unwrap();
            out.into_iter().map(f32::to_bits).collect::<Vec<_>>()
        };
        let first = product();
        assert!((0..20).all(|_| product() == first), "{n_x} rows");
    }
}

#[test]
fn among_several_rows_a_result_does_not_depend_on_the_others() {
    let sample = Sample::new(PackedShape {
        n_out: 100,
        n_in: 896,
        bits: 4,
        group_size: 64,
    });
    let x = Noise::new(4).values(16 * 896);
    let product = |n_x: usize| {
        let mut out = vec![0.0; n_x * 100];
        sample.matrix().multiply(&x[..n_x * 896], &mut out).unwrap();
        out
    };
    let most = product(16);
    for n_x in 2..16 {
        assert_eq!(product(n_x), most[..n_x * 100], "{n_x} rows");
    }
}

#[test]
fn wrong_sizes_are_refused_with_a_reason() {
    let good = PackedShape {
        n_out: 2,
        n_in: 64,
        bits: 4,
        group_size: 64,
    };
    let make = |words: usize, groups: usize, shape| {
        PackedMatrix::new(
            &vec![0; words],
            &vec![0.0; groups],
            &vec![0.0; groups],
            shape,
        )
        .map(|_| ())
    };
    assert_eq!(make(16, 2, good), Ok(()));
    assert_eq!(
        make(16, 2, PackedShape { bits: 5, ..good }),
        Err(KernelError::Bits(5))
    );
    assert_eq!(
        make(
            16,
            2,
            PackedShape {
                group_size: 16,
                ..good
            }
        ),
        Err(KernelError::GroupSize(16))
    );
    let ragged = KernelError::Ragged {
        n_in: 96,
        group_size: 64,
    };
    assert_eq!(make(16, 2, PackedShape { n_in: 96, ..good }), Err(ragged));
    assert!(matches!(
        make(15, 2, good),
        Err(KernelError::Length {
            expected: 16,
            found: 15,
            ..
        })
    ));
    assert!(matches!(
        make(16, 3, good),
        Err(KernelError::Length {
            expected: 2,
            found: 3,
            ..
        })
    ));
    let huge = PackedShape {
        n_out: usize::MAX,
        ..good
    };
    assert!(matches!(make(16, 2, huge), Err(KernelError::Length { .. })));

    let sample = Sample::new(good);
    let matrix = sample.matrix();
    assert!(matrix.multiply(&[0.0; 63], &mut [0.0; 2]).is_err());
    assert!(matrix.multiply(&[0.0; 64], &mut [0.0; 3]).is_err());
    assert!(matrix.expand_row(2, &mut [0.0; 64]).is_err());
    assert!(matrix.expand_row(1, &mut [0.0; 63]).is_err());
    assert_eq!(matrix.multiply(&[], &mut []), Ok(()));
}
