//! Rectangles as large as what they stand for (Bruls, Huizing and van Wijk, "Squarified Treemaps",
//! 2000): rows are filled along the shorter side as long as the rectangles become squarer.

use egui::{Rect, pos2};

/// One rectangle for each of `sizes`, in their order, filling `area`. What has no size gets an
/// empty rectangle. Sizes that come in falling order give the squarest rectangles.
#[must_use]
pub fn squarified(sizes: &[f64], area: Rect) -> Vec<Rect> {
    let total: f64 = sizes.iter().filter(|size| **size > 0.0).sum();
    let scale = f64::from(area.area()) / total.max(f64::MIN_POSITIVE);
    let mut places = Vec::with_capacity(sizes.len());
    let mut rest = area;
    let mut row: Vec<f64> = Vec::new();
    for size in sizes {
        let size = (size * scale).max(0.0);
        let side = f64::from(rest.width().min(rest.height()));
        let longer: Vec<f64> = row.iter().copied().chain([size]).collect();
        if !row.is_empty() && worst(&longer, side) > worst(&row, side) {
            rest = lay(&row, rest, &mut places);
            row = vec![size];
        } else {
            row = longer;
        }
    }
    lay(&row, rest, &mut places);
    places
}

/// The largest ratio of sides among the rectangles of a row along `side`.
fn worst(row: &[f64], side: f64) -> f64 {
    let sum: f64 = row.iter().sum();
    let (square, sums) = (side * side, sum * sum);
    let ratio =
        |size: &f64| (square * size / sums).max(sums / (square * size.max(f64::MIN_POSITIVE)));
    row.iter().map(ratio).fold(0.0, f64::max)
}

/// Lays a row along the shorter side of `area`; gives what is left.
fn lay(row: &[f64], area: Rect, places: &mut Vec<Rect>) -> Rect {
    let sum: f64 = row.iter().sum();
    let is_wide = area.width() >= area.height();
    let side = f64::from(if is_wide { area.height() } else { area.width() });
    let depth = if side > 0.0 { (sum / side) as f32 } else { 0.0 };
    let mut along = if is_wide { area.top() } else { area.left() };
    for size in row {
        let length = if sum > 0.0 {
            (size / sum * side) as f32
        } else {
            0.0
        };
        places.push(match is_wide {
            true => Rect::from_min_max(
                pos2(area.left(), along),
                pos2(area.left() + depth, along + length),
            ),
            false => Rect::from_min_max(
                pos2(along, area.top()),
                pos2(along + length, area.top() + depth),
            ),
        });
        along += length;
    }
    match is_wide {
        true => Rect::from_min_max(pos2(area.left() + depth, area.top()), area.max),
        false => Rect::from_min_max(pos2(area.left(), area.top() + depth), area.max),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use egui::vec2;

    #[test]
    fn areas_are_as_large_as_what_they_stand_for() {
        let area = Rect::from_min_size(pos2(5.0, 5.0), vec2(60.0, 40.0));
        let sizes = [6.0, 6.0, 4.0, 3.0, 2.0, 2.0, 1.0];
        let places = squarified(&sizes, area);
        assert_eq!(places.len(), sizes.len());
        for (size, place) in sizes.iter().zip(&places) {
            assert!(
                (place.area() - *size as f32 * 100.0).abs() < 0.5,
                "{place:?}"
            );
            assert!(area.expand(0.01).contains_rect(*place));
        }
        for (at, place) in places.iter().enumerate() {
            let overlaps = places
                .iter()
                .skip(at + 1)
                .any(|other| other.shrink(0.01).intersects(place.shrink(0.01)));
            assert!(!overlaps, "{place:?}");
        }
    }

    #[test]
    fn nothing_takes_no_room() {
        let area = Rect::from_min_size(pos2(0.0, 0.0), vec2(10.0, 10.0));
        assert!(squarified(&[], area).is_empty());
        assert_eq!(squarified(&[1.0, 0.0], area)[1].area(), 0.0);
    }
}
