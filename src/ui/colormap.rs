//! Colour maps: tables of 256 colours, so that a map of millions of cells costs a look-up each.
//!
//! Sequential maps go from the surface to a role's hue on a square-root-like ramp, so that small
//! shares are seen. Diverging maps are centred on zero and use a pair that is no role's. Lightness
//! changes steadily along both, so colour-blind eyes can read them.

use egui::Color32;

use super::theme::{Palette, Role, mix};

/// Colours for values 0 to 1, or −1 to 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColorMap {
    table: Vec<Color32>,
    is_diverging: bool,
}

/// Entries of a table.
const N_COLOURS: usize = 256;

impl ColorMap {
    /// From the surface (0) to the hue of `role` (1).
    #[must_use]
    pub fn sequential(palette: &Palette, role: Role) -> Self {
        let colour = |at: usize| {
            let share = at as f32 / (N_COLOURS - 1) as f32;
            // The exponent between a line (1) and a square root (0.5) that keeps the lowest
            // shares apart from noise.
            mix(palette.surface, palette.role(role), share.powf(0.6))
        };
        Self {
            table: (0..N_COLOURS).map(colour).collect(),
            is_diverging: false,
        }
    }

    /// The same for a room: small shares are seen from the back row, large ones are deeper.
    #[must_use]
    pub fn strong(palette: &Palette, role: Role) -> Self {
        let deep = mix(palette.role(role), palette.text, 0.22);
        let colour = |at: usize| {
            let share = at as f32 / (N_COLOURS - 1) as f32;
            mix(palette.surface, deep, share.powf(0.45))
        };
        Self {
            table: (0..N_COLOURS).map(colour).collect(),
            is_diverging: false,
        }
    }

    /// From the negative colour (−1) through the surface (0) to the positive one (1).
    #[must_use]
    pub fn diverging(palette: &Palette) -> Self {
        let colour = |at: usize| {
            let value = 2.0 * at as f32 / (N_COLOURS - 1) as f32 - 1.0;
            let end = match value < 0.0 {
                true => palette.negative,
                false => palette.positive,
            };
            mix(palette.surface, end, value.abs().powf(0.8))
        };
        Self {
            table: (0..N_COLOURS).map(colour).collect(),
            is_diverging: true,
        }
    }

    /// Whether it is centred on zero.
    #[must_use]
    pub fn is_diverging(&self) -> bool {
        self.is_diverging
    }

    /// The colour of `value` on a scale that ends at `limit`: 0 to `limit`, or −`limit` to `limit`.
    ///
    /// Beyond the ends it is the end's colour; what is no number has the colour of zero.
    #[must_use]
    pub fn colour(&self, value: f32, limit: f32) -> Color32 {
        let share = if limit > 0.0 { value / limit } else { 0.0 };
        let share = if share.is_nan() { 0.0 } else { share };
        let place = match self.is_diverging {
            true => (share.clamp(-1.0, 1.0) + 1.0) / 2.0,
            false => share.clamp(0.0, 1.0),
        };
        let index = (place * (N_COLOURS - 1) as f32).round() as usize;
        self.table
            .get(index)
            .copied()
            .unwrap_or(Color32::TRANSPARENT)
    }

    /// The table, from the lowest value to the highest.
    #[must_use]
    pub fn table(&self) -> &[Color32] {
        &self.table
    }
}

/// The largest size among `values`, infinities left out: the limit of a diverging scale.
#[must_use]
pub fn largest(values: &[f32]) -> f32 {
    let sizes = values.iter().map(|value| value.abs());
    sizes.filter(|size| size.is_finite()).fold(0.0, f32::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::theme::{DARK, LIGHT, contrast};

    #[test]
    fn ends_and_middle_are_where_they_should_be() {
        for palette in [&LIGHT, &DARK] {
            let map = ColorMap::sequential(palette, Role::Attention);
            assert_eq!(map.colour(0.0, 1.0), palette.surface);
            assert_eq!(map.colour(2.0, 1.0), palette.role(Role::Attention));
            let map = ColorMap::diverging(palette);
            assert_eq!(map.colour(-1.0, 1.0), palette.negative);
            assert_eq!(map.colour(f32::INFINITY, 1.0), palette.positive);
            assert!(contrast(map.colour(0.0, 1.0), palette.surface) < 1.05);
            assert!(contrast(map.colour(f32::NAN, 1.0), palette.surface) < 1.05);
        }
    }

    #[test]
    fn lightness_changes_steadily() {
        for palette in [&LIGHT, &DARK] {
            for role in Role::ALL {
                let usual = ColorMap::sequential(palette, role);
                let strong = ColorMap::strong(palette, role);
                for map in [&usual, &strong] {
                    let seen: Vec<f32> = map
                        .table()
                        .iter()
                        .map(|c| contrast(*c, palette.surface))
                        .collect();
                    assert!(
                        seen.windows(2).all(|pair| pair[1] >= pair[0] - 0.02),
                        "{role:?}"
                    );
                }
                // A tenth is seen better from the back row.
                let seen = |map: &ColorMap| contrast(map.colour(0.1, 1.0), palette.surface);
                assert!(seen(&strong) > seen(&usual), "{role:?}");
            }
        }
    }

    #[test]
    fn the_limit_leaves_infinities_out() {
        assert_eq!(largest(&[1.0, -3.0, f32::NEG_INFINITY, f32::NAN]), 3.0);
        assert_eq!(largest(&[]), 0.0);
    }
}
