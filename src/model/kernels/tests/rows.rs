//! Norms, activations, RoPE and attention against plain loops in float64.

use super::super::exp::exp;
use super::super::{
    Angles, AttentionInput, AttentionSize, Visible, add, add_bias, attend, gelu_tanh, layer_norm,
    lengths, rms_norm, rotate, silu_times, softmax,
};

/// Numbers without a pattern, between -3 and 3.
fn numbers(n: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state as f32 / u32::MAX as f32) * 6.0 - 3.0
    };
    std::iter::repeat_with(next).take(n).collect()
}

/// Within 2e-5, and 2e-6 of large values: sums of hundreds of float32 terms are a little off.
fn assert_close(what: &str, found: &[f32], expected: impl Iterator<Item = f64>) {
    let expected: Vec<f64> = expected.collect();
    assert_eq!(found.len(), expected.len(), "{what}");
    for (at, (found, expected)) in found.iter().zip(&expected).enumerate() {
        let off = (f64::from(*found) - expected).abs();
        assert!(
            off <= 2e-5 + 2e-6 * expected.abs(),
            "{what} {at}: {found}, not {expected}"
        );
    }
}

fn wide(x: &[f32]) -> Vec<f64> {
    x.iter().map(|x| f64::from(*x)).collect()
}

#[test]
fn shares_add_up_and_what_is_hidden_has_none() {
    for width in [1, 5, 64, 700] {
        let mut x = numbers(3 * width, 7);
        if width > 1 {
            x[1] = f32::NEG_INFINITY;
        }
        let mut found = vec![0.0; x.len()];
        softmax(&x, width, &mut found);
        let rows = x.chunks(width).flat_map(|row| {
            let total: f64 = row.iter().map(|x| f64::from(*x).exp()).sum();
            row.iter().map(move |x| f64::from(*x).exp() / total)
        });
        assert_close("share", &found, rows);
    }
    let mut blind = [0.0; 2];
    softmax(&[f32::NEG_INFINITY; 2], 2, &mut blind);
    assert!(blind.iter().all(|share| share.is_nan()));
}

#[test]
fn lengths_of_rows_are_roots_of_sums_of_squares() {
    for (n, width) in [(1, 1), (3, 50), (200, 192)] {
        let x = numbers(n * width, 11);
        let mut found = vec![0.0; n];
        lengths(&x, width, &mut found);
        let expected = wide(&x);
        let rows = expected.chunks(width);
        let rows = rows.map(|row| row.iter().map(|x| x * x).sum::<f64>().sqrt());
        assert_close("length", &found, rows);
    }
}

#[test]
fn exp_is_exact_to_a_few_units_in_the_last_place() {
    for step in -8_800..8_800 {
        let x = step as f32 / 100.0;
        let (found, expected) = (f64::from(exp(x)), f64::from(x).exp());
        let off = (found - expected).abs() / expected;
        assert!(off < 5e-7 || x < -87.0, "exp({x}): {found}, not {expected}");
    }
    assert_eq!(exp(f32::NEG_INFINITY), 0.0);
    assert_eq!(exp(0.0), 1.0);
}

#[test]
fn rows_of_any_width_are_normed() {
    for (n_rows, width) in [(1, 1), (3, 7), (2, 64), (40, 896)] {
        let (x, weight, bias) = (
            numbers(n_rows * width, 1),
            numbers(width, 2),
            numbers(width, 3),
        );
        let mut out = vec![f32::NAN; x.len()];
        rms_norm(&x, &weight, 1e-6, &mut out);
        let expected = x.chunks(width).flat_map(|row| {
            let row = wide(row);
            let mean = row.iter().map(|x| x * x).sum::<f64>() / width as f64;
            let scale = (mean + 1e-6).sqrt().recip();
            row.into_iter()
                .zip(&weight)
                .map(move |(x, w)| x * scale * f64::from(*w))
        });
        assert_close("rms_norm", &out, expected);
        layer_norm(&x, &weight, &bias, 1e-5, &mut out);
        let expected = x.chunks(width).flat_map(|row| {
            let row = wide(row);
            let mean = row.iter().sum::<f64>() / width as f64;
            let variance = row.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / width as f64;
            let scale = (variance + 1e-5).sqrt().recip();
            let gains = weight.iter().zip(&bias);
            row.into_iter()
                .zip(gains)
                .map(move |(x, (w, b))| (x - mean) * scale * f64::from(*w) + f64::from(*b))
        });
        assert_close("layer_norm", &out, expected);
    }
}

#[test]
fn activations_and_sums_are_taken_value_by_value() {
    for n in [0, 1, 15, 1000, 70_000] {
        let (a, b) = (numbers(n, 4), numbers(n, 5));
        let mut out = vec![f32::NAN; n];
        silu_times(&a, &b, &mut out);
        let silu = |(a, b): (f64, f64)| a / (1.0 + (-a).exp()) * b;
        assert_close("silu", &out, wide(&a).into_iter().zip(wide(&b)).map(silu));
        gelu_tanh(&a, &mut out);
        let gelu = |x: f64| {
            let y = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x.powi(3));
            0.5 * x * (1.0 + y.tanh())
        };
        assert_close("gelu", &out, wide(&a).into_iter().map(gelu));
        add(&a, &b, &mut out);
        assert_close(
            "add",
            &out,
            wide(&a).into_iter().zip(wide(&b)).map(|(a, b)| a + b),
        );
    }
    let mut x = numbers(30, 6);
    let (before, bias) = (x.clone(), numbers(10, 7));
    add_bias(&mut x, &bias);
    let expected = before
        .iter()
        .enumerate()
        .map(|(at, x)| f64::from(*x) + f64::from(bias[at % 10]));
    assert_close("add_bias", &x, expected);
}

#[test]
fn rope_turns_pairs_by_the_angle_of_their_position() {
    let (n_pos, n_heads, half) = (5, 3, 4);
    let x = numbers(n_pos * n_heads * half * 2, 8);
    let turns = numbers(n_pos * half, 9);
    for is_traditional in [false, true] {
        let angles = Angles {
            cos: turns.iter().map(|turn| turn.cos()).collect(),
            sin: turns.iter().map(|turn| turn.sin()).collect(),
            half,
            is_traditional,
        };
        let mut out = vec![f32::NAN; x.len()];
        rotate(&x, n_heads, &angles, &mut out);
        for (head, (x, out)) in x.chunks(2 * half).zip(out.chunks(2 * half)).enumerate() {
            for pair in 0..half {
                let (a, b) = match is_traditional {
                    true => (2 * pair, 2 * pair + 1),
                    false => (pair, pair + half),
                };
                let (sin, cos) = turns[head / n_heads * half + pair].sin_cos();
                assert!((out[a] - (x[a] * cos - x[b] * sin)).abs() < 1e-5);
                assert!((out[b] - (x[a] * sin + x[b] * cos)).abs() < 1e-5);
            }
        }
    }
}

#[test]
fn attention_is_a_softmax_over_what_may_be_seen() {
    for (n_pos, n_keys, capacity) in [(1, 1, 256), (1, 300, 512), (7, 7, 7), (70, 130, 256)] {
        for is_marked in [false, true] {
            check_attention(n_pos, n_keys, capacity, is_marked);
        }
    }
}

fn check_attention(n_pos: usize, n_keys: usize, capacity: usize, is_marked: bool) {
    let (n_heads, n_kv_heads, head_dim) = (6, 2, 32);
    let queries = numbers(n_heads * n_pos * head_dim, 10);
    let keys = numbers(n_kv_heads * capacity * head_dim, 11);
    let values = numbers(n_kv_heads * capacity * head_dim, 12);
    // Every third key is hidden, except from the query that stands at it.
    let sees = |query: usize, key: usize| {
        let at = n_keys - n_pos + query;
        key <= at && (!is_marked || key == at || !key.is_multiple_of(3))
    };
    let marks: Vec<bool> = (0..n_pos * n_keys)
        .map(|i| sees(i / n_keys, i % n_keys))
        .collect();
    let size = AttentionSize {
        n_pos,
        n_keys,
        capacity,
        n_heads,
        n_kv_heads,
        head_dim,
    };
    let input = AttentionInput {
        queries: &queries,
        keys: &keys,
        values: &values,
        visible: if is_marked {
            Visible::Marked(&marks)
        } else {
            Visible::Causal
        },
    };
    let mut out = vec![f32::NAN; queries.len()];
    assert!(attend(size, input, &mut out));
    for head in 0..n_heads {
        let kv = head / (n_heads / n_kv_heads) * capacity;
        for query in 0..n_pos {
            let at = (head * n_pos + query) * head_dim;
            let q = wide(&queries[at..at + head_dim]);
            let row = |from: &[f32], key: usize| wide(&from[(kv + key) * head_dim..][..head_dim]);
            let weight = |key: usize| {
                let dot: f64 = q.iter().zip(row(&keys, key)).map(|(q, k)| q * k).sum();
                (dot / (head_dim as f64).sqrt()).exp()
            };
            let seen: Vec<usize> = (0..n_keys).filter(|key| sees(query, *key)).collect();
            let total: f64 = seen.iter().map(|key| weight(*key)).sum();
            let mut expected = vec![0.0; head_dim];
            for key in seen {
                let share = weight(key) / total;
                for (sum, v) in expected.iter_mut().zip(row(&values, key)) {
                    *sum += share * v;
                }
            }
            assert_close("attention", &out[at..at + head_dim], expected.into_iter());
        }
    }
}

#[test]
fn sizes_that_do_not_fit_are_refused() {
    let size = AttentionSize {
        n_pos: 2,
        n_keys: 1,
        capacity: 4,
        n_heads: 2,
        n_kv_heads: 1,
        head_dim: 4,
    };
    let input = AttentionInput {
        queries: &[0.0; 16],
        keys: &[0.0; 16],
        values: &[0.0; 16],
        visible: Visible::Causal,
    };
    assert!(!attend(size, input, &mut [0.0; 16]));
}
