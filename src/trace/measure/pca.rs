//! Principal components: vectors laid out on the plane in which they differ most.
//!
//! The mean of the vectors is taken away; the two directions along which they then spread most are
//! the first two eigenvectors of their covariance. With `n` vectors of `d_model` values the same
//! directions come from the `n × n` table of their dot products, which is the smaller one here; it is
//! diagonalised by Jacobi's rotations in float64. A direction has no sign of its own: it is chosen
//! so that the largest coordinate along it is positive, and the same input gives the same picture.

use serde::{Deserialize, Serialize};

use super::vector::dot;

/// Most vectors that are laid out at once.
pub const MOST: usize = 256;

/// Vectors on a plane.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plane {
    /// One point per vector, in the order they were given, in the vectors' own unit.
    pub points: Vec<[f64; 2]>,
    /// Share of the whole spread (variance) that each axis shows, 0 to 1.
    pub explained: [f64; 2],
}

/// Lays `vectors` out; `None` if there are fewer than two, more than [`MOST`], or their lengths
/// differ.
#[must_use]
pub fn plane(vectors: &[Vec<f32>]) -> Option<Plane> {
    let width = vectors.first()?.len();
    let fits = vectors.iter().all(|vector| vector.len() == width);
    if vectors.len() < 2 || vectors.len() > MOST || !fits {
        return None;
    }
    let products = centred_products(vectors);
    let total: f64 = products
        .iter()
        .enumerate()
        .filter_map(|(at, row)| row.get(at))
        .sum();
    let eigen = eigenvectors(products);
    let axis = |number: usize| {
        eigen
            .get(number)
            .map(|(value, vector)| coordinates(*value, vector))
    };
    let (first, second) = (axis(0)?, axis(1)?);
    let share = |number: usize| match eigen.get(number) {
        Some((value, _)) if total > 0.0 => (value / total).clamp(0.0, 1.0),
        _ => 0.0,
    };
    Some(Plane {
        points: first.into_iter().zip(second).map(|(x, y)| [x, y]).collect(),
        explained: [share(0), share(1)],
    })
}

/// Dot products of the vectors with their mean taken away, `[n, n]`.
fn centred_products(vectors: &[Vec<f32>]) -> Vec<Vec<f64>> {
    let n = vectors.len() as f64;
    let rows = vectors
        .iter()
        .map(|a| vectors.iter().map(|b| dot(a, b)).collect());
    let products: Vec<Vec<f64>> = rows.collect();
    let means: Vec<f64> = products
        .iter()
        .map(|row| row.iter().sum::<f64>() / n)
        .collect();
    let grand = means.iter().sum::<f64>() / n;
    let centre = |(row, mean): (&Vec<f64>, &f64)| {
        let cells = row.iter().zip(&means);
        cells
            .map(|(product, other)| product - mean - other + grand)
            .collect()
    };
    products.iter().zip(&means).map(centre).collect()
}

/// Coordinates along one direction, signed so that the largest is positive.
fn coordinates(value: f64, vector: &[f64]) -> Vec<f64> {
    let largest = vector.iter().fold(
        0.0_f64,
        |a, b| if b.abs() > a.abs() + 1e-12 { *b } else { a },
    );
    let stretch = value.max(0.0).sqrt() * if largest < 0.0 { -1.0 } else { 1.0 };
    vector.iter().map(|x| x * stretch).collect()
}

/// Eigenvalues and eigenvectors of a symmetric table, the largest value first (Jacobi 1846).
fn eigenvectors(mut table: Vec<Vec<f64>>) -> Vec<(f64, Vec<f64>)> {
    const MOST_SWEEPS: usize = 30;
    let n = table.len();
    let mut vectors: Vec<Vec<f64>> = (0..n).map(|at| unit(n, at)).collect(); // one per row
    let size: f64 = table.iter().flatten().map(|x| x * x).sum();
    for _ in 0..MOST_SWEEPS {
        let off =
            |(at, row): (usize, &Vec<f64>)| -> f64 { row.iter().skip(at + 1).map(|x| x * x).sum() };
        if table.iter().enumerate().map(off).sum::<f64>() <= size * 1e-24 {
            break;
        }
        for p in 0..n {
            for q in p + 1..n {
                rotate(&mut table, &mut vectors, p, q);
            }
        }
    }
    let value = |at: usize| {
        table
            .get(at)
            .and_then(|row| row.get(at))
            .copied()
            .unwrap_or_default()
    };
    let mut eigen: Vec<(f64, Vec<f64>)> = vectors
        .into_iter()
        .enumerate()
        .map(|(at, vector)| (value(at), vector))
        .collect();
    eigen.sort_by(|a, b| b.0.total_cmp(&a.0));
    eigen
}

/// Turns the plane of axes `p < q` so that the table's entry between them becomes 0.
#[allow(clippy::indexing_slicing, reason = "p < q < n, in square tables of n")]
fn rotate(table: &mut [Vec<f64>], vectors: &mut [Vec<f64>], p: usize, q: usize) {
    let (app, aqq, apq) = (table[p][p], table[q][q], table[p][q]);
    if apq == 0.0 {
        return;
    }
    let theta = (aqq - app) / (2.0 * apq);
    let tangent = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
    let cosine = (tangent * tangent + 1.0).sqrt().recip();
    let sine = tangent * cosine;
    for row in table.iter_mut() {
        let (a, b) = (row[p], row[q]);
        (row[p], row[q]) = (cosine * a - sine * b, sine * a + cosine * b);
    }
    for rows in [table, vectors] {
        let (before, after) = rows.split_at_mut(q);
        for (a, b) in before[p].iter_mut().zip(&mut after[0]) {
            (*a, *b) = (cosine * *a - sine * *b, sine * *a + cosine * *b);
        }
    }
}

fn unit(n: usize, at: usize) -> Vec<f64> {
    (0..n)
        .map(|place| f64::from(u8::from(place == at)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_of_a_plane_keep_their_distances() {
        // Three corners of a 3-4-5 triangle, somewhere in five dimensions.
        let vectors = [
            vec![1.0, 7.0, 2.0, 0.0, 5.0],
            vec![4.0, 7.0, 2.0, 0.0, 5.0],
            vec![1.0, 7.0, 2.0, 4.0, 5.0],
        ];
        let plane = plane(&vectors).unwrap();
        let apart = |a: usize, b: usize| {
            let ([x, y], [u, v]) = (plane.points[a], plane.points[b]);
            ((x - u).powi(2) + (y - v).powi(2)).sqrt()
        };
        for (found, expected) in [(apart(0, 1), 3.0), (apart(0, 2), 4.0), (apart(1, 2), 5.0)] {
            assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
        }
        assert!((plane.explained[0] + plane.explained[1] - 1.0).abs() < 1e-9);
        assert!(plane.explained[0] > plane.explained[1]);
    }

    #[test]
    fn equal_vectors_fall_on_one_point() {
        let plane = plane(&[vec![2.0, 1.0], vec![2.0, 1.0]]).unwrap();
        assert_eq!(plane.explained, [0.0, 0.0]);
        assert!(plane.points.iter().flatten().all(|x| x.abs() < 1e-9));
        assert_eq!(super::plane(&[vec![1.0]]), None);
    }

    #[test]
    fn many_vectors_come_apart_into_their_axes() {
        let vector = |at: usize| {
            let angle = at as f32 * 0.37;
            let mut vector = vec![0.01 * (at % 7) as f32; 12];
            vector[3] = 10.0 * angle.sin();
            vector[8] = 2.0 * angle.cos();
            vector
        };
        let vectors: Vec<Vec<f32>> = (0..120).map(vector).collect();
        let plane = plane(&vectors).unwrap();
        assert!(
            plane.explained[0] > 0.9 && plane.explained[1] > 0.03,
            "{:?}",
            plane.explained
        );
        assert!(plane.explained[0] + plane.explained[1] > 0.999);
    }
}
