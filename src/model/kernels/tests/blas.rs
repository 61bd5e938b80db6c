//! `cblas_sgemm` against a plain loop, as C would call it.

#![cfg(target_os = "linux")]

use std::os::raw::c_int;

use proptest::prelude::*;

use super::super::blas::cblas_sgemm;
use super::super::sgemm_calls;
use super::Noise;

/// One call; `pads` are what each leading dimension is longer than it must be.
#[derive(Debug, Clone)]
struct Call {
    by_rows: bool,
    trans: [c_int; 2],
    size: [usize; 3],
    alpha: f32,
    beta: f32,
    pads: [usize; 3],
}

/// A stored matrix: its values, and where row `i`, column `j` is.
struct Stored {
    values: Vec<f32>,
    leading: usize,
    by_rows: bool,
}

impl Stored {
    fn new(rows: usize, columns: usize, by_rows: bool, pad: usize, noise: &mut Noise) -> Self {
        let (lines, length) = if by_rows {
            (rows, columns)
        } else {
            (columns, rows)
        };
        let leading = length.max(1) + pad;
        Self {
            values: noise.values(lines * leading),
            leading,
            by_rows,
        }
    }

    fn at(&self, i: usize, j: usize) -> usize {
        if self.by_rows {
            i * self.leading + j
        } else {
            j * self.leading + i
        }
    }
}

impl Call {
    fn check(&self) {
        let [m, n, k] = self.size;
        let mut noise = Noise::new((m * 10_000 + n * 100 + k) as u64);
        let [is_a_plain, is_b_plain] = self.trans.map(|trans| trans == 111);
        let a = Stored::new(m, k, self.by_rows == is_a_plain, self.pads[0], &mut noise);
        let b = Stored::new(k, n, self.by_rows == is_b_plain, self.pads[1], &mut noise);
        let mut c = Stored::new(m, n, self.by_rows, self.pads[2], &mut noise);
        if self.beta == 0.0 {
            c.values.fill(f32::NAN);
        }
        let before = c.values.clone();
        let [m_, n_, k_] = self.size.map(|size| size as c_int);
        let layout = if self.by_rows { 101 } else { 102 };
        let [lda, ldb, ldc] = [&a, &b, &c].map(|stored| stored.leading as c_int);
        // SAFETY: the matrices have these sizes and leading dimensions.
        unsafe {
            cblas_sgemm(
                layout,
                self.trans[0],
                self.trans[1],
                m_,
                n_,
                k_,
                self.alpha,
                a.values.as_ptr(),
                lda,
                b.values.as_ptr(),
                ldb,
                self.beta,
                c.values.as_mut_ptr(),
                ldc,
            );
        }
        let mut is_inside = vec![false; before.len()];
        for i in 0..m {
            for j in 0..n {
                let product =
                    |p: usize| f64::from(a.values[a.at(i, p)]) * f64::from(b.values[b.at(p, j)]);
                let mut expected = f64::from(self.alpha) * (0..k).map(product).sum::<f64>();
                if self.beta != 0.0 {
                    expected += f64::from(self.beta) * f64::from(before[c.at(i, j)]);
                }
                let found = f64::from(c.values[c.at(i, j)]);
                let bound = 1e-5 * (1.0 + k as f64).sqrt();
                assert!(
                    (found - expected).abs() <= bound,
                    "{self:?}: [{i}, {j}] is {found}, not {expected}"
                );
                is_inside[c.at(i, j)] = true;
            }
        }
        for (i, is_inside) in is_inside.into_iter().enumerate() {
            assert!(
                is_inside || c.values[i].to_bits() == before[i].to_bits(),
                "{self:?}: wrote outside C"
            );
        }
    }
}

fn trans() -> impl Strategy<Value = c_int> {
    prop_oneof![Just(111), Just(112), Just(113)]
}

/// Empty, one, few, about a register, about the limits between the ways, and more.
fn size() -> impl Strategy<Value = usize> {
    prop_oneof![
        Just(0_usize),
        Just(1),
        2..6_usize,
        7..20_usize,
        20..90_usize
    ]
}

fn factor() -> impl Strategy<Value = f32> {
    prop_oneof![Just(0.0_f32), Just(1.0), Just(-1.5), Just(0.3)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn every_call_agrees_with_a_plain_loop(
        by_rows: bool,
        trans in [trans(), trans()],
        size in [size(), size(), size()],
        alpha in factor(),
        beta in factor(),
        pads in [0..5_usize, 0..5_usize, 0..5_usize],
    ) {
        Call { by_rows, trans, size, alpha, beta, pads }.check();
    }
}

#[test]
fn products_that_are_shared_among_threads_agree_with_a_plain_loop() {
    for by_rows in [true, false] {
        for trans_b in [111, 112] {
            for m in [1, 2, 4, 5, 13, 14, 15, 60] {
                for size in [[m, 700, 300], [700, m, 300], [m, 64, 3000]] {
                    let pads = [1, 3, 2];
                    Call {
                        by_rows,
                        trans: [111, trans_b],
                        size,
                        alpha: 1.0,
                        beta: 0.0,
                        pads,
                    }
                    .check();
                }
            }
        }
    }
}

#[test]
fn a_negative_size_does_nothing() {
    let (a, mut c) = ([1.0_f32], [7.0_f32]);
    let before = sgemm_calls();
    // SAFETY: nothing is read or written.
    unsafe {
        cblas_sgemm(
            101,
            111,
            111,
            -1,
            1,
            1,
            1.0,
            a.as_ptr(),
            1,
            a.as_ptr(),
            1,
            0.0,
            c.as_mut_ptr(),
            1,
        );
    }
    assert_eq!(c, [7.0]);
    assert!(sgemm_calls() > before);
}
