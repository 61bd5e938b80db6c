//! 16-bit matrices.

use super::super::multiply::multiply_with;
use super::super::{HalfFormat, HalfMatrix, InstructionSet, Matrix};
use super::{Noise, assert_close, reference};

const FORMATS: [HalfFormat; 2] = [HalfFormat::F16, HalfFormat::Bf16];

fn to_f32(bits: u16, format: HalfFormat) -> f32 {
    match format {
        HalfFormat::F16 => half::f16::from_bits(bits).to_f32(),
        HalfFormat::Bf16 => half::bf16::from_bits(bits).to_f32(),
    }
}

fn weights(n: usize, format: HalfFormat) -> Vec<u16> {
    let to_bits = |value| match format {
        HalfFormat::F16 => half::f16::from_f32(value).to_bits(),
        HalfFormat::Bf16 => half::bf16::from_f32(value).to_bits(),
    };
    Noise::new(n as u64)
        .values(n)
        .into_iter()
        .map(to_bits)
        .collect()
}

#[test]
fn every_16_bit_number_expands_exactly() {
    let all: Vec<u16> = (0..=u16::MAX).collect();
    for format in FORMATS {
        // One row that ends within a register, one that does not.
        for n_in in [65_536, 65_531] {
            let matrix = HalfMatrix::new(&all[..n_in], format, 1, n_in).unwrap();
            for set in InstructionSet::available() {
                let mut out = vec![0.0; n_in];
                matrix.expand_rows(set, 0..1, &mut out);
                for (&bits, found) in all.iter().zip(out) {
                    let expected = to_f32(bits, format);
                    let is_same = found.to_bits() == expected.to_bits()
                        || (found.is_nan() && expected.is_nan());
                    assert!(
                        is_same,
                        "{set:?} {format:?} {bits:#06x}: {found} for {expected}"
                    );
                }
            }
        }
    }
}

#[test]
fn products_agree_with_a_plain_loop() {
    for format in FORMATS {
        for (n_out, n_in) in [(1, 1), (7, 15), (37, 100), (130, 640)] {
            let bits = weights(n_out * n_in, format);
            let wide: Vec<f32> = bits.iter().map(|&bits| to_f32(bits, format)).collect();
            let matrix = HalfMatrix::new(&bits, format, n_out, n_in).unwrap();
            for n_x in [1, 2, 3, 5, 16, 33, 200] {
                let x = Noise::new(n_x as u64).values(n_x * n_in);
                let expected = reference(&x, &wide, n_in);
                for set in InstructionSet::available() {
                    let mut out = vec![f32::NAN; n_x * n_out];
                    multiply_with(set, &mut [(Matrix::Half(matrix), &mut out)], &x).unwrap();
                    assert_close(
                        &out,
                        &expected,
                        &format!("{set:?} {format:?} [{n_out}, {n_in}], {n_x} rows"),
                    );
                }
            }
        }
    }
}

#[test]
fn wrong_sizes_are_refused() {
    assert!(HalfMatrix::new(&[0; 5], HalfFormat::F16, 2, 3).is_err());
    let matrix = HalfMatrix::new(&[0; 6], HalfFormat::F16, 2, 3).unwrap();
    assert!(matrix.expand_row(2, &mut [0.0; 3]).is_err());
    assert!(matrix.multiply(&[0.0; 4], &mut [0.0; 2]).is_err());
}
