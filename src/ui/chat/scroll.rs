//! A long list of rows of unlike heights, of which only those in view are laid out.
//!
//! A row's height is measured when it is drawn and kept; before that it is guessed. Where a row
//! above what is in view turns out higher or lower than guessed, the view moves with it, so that
//! what one reads stays where it is. The end stays in view while it grows, unless one has scrolled
//! up.

use std::collections::HashMap;
use std::fmt::Debug;
use std::hash::Hash;

use egui::{Rect, ScrollArea, Ui, UiBuilder, pos2, vec2};

/// A row to draw.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row<K> {
    /// Which one.
    pub key: K,
    /// Changes with everything that its height depends on, but the width.
    pub stamp: u64,
    /// Its height as long as it has not been drawn.
    pub guess: f32,
}

/// Seconds for which the end is held in view after it moved.
const SETTLES: f64 = 1.5;

/// The heights of the rows, as they were drawn.
#[derive(Debug)]
pub struct Scroll<K> {
    heights: HashMap<K, (u64, f32)>,
    width: f32,
    /// Whether the end is in view, and stays so.
    is_at_end: bool,
    /// How high the list was when it was shown, and whether its end was out of view.
    shown: (f32, bool),
    /// When the list last became higher or lower while its end was in view, in seconds.
    changed_at: f64,
    /// Where the view is to be moved, because what is above it turned out higher or lower.
    moved_to: Option<f32>,
}

impl<K> Default for Scroll<K> {
    fn default() -> Self {
        Self {
            heights: HashMap::new(),
            width: 0.0,
            is_at_end: true,
            shown: (0.0, false),
            changed_at: f64::NEG_INFINITY,
            moved_to: None,
        }
    }
}

impl<K: Copy + Eq + Hash + Debug> Scroll<K> {
    /// Draws the rows in view of the list named `of`, `width` wide in the middle of the room there is. `goal` is brought to
    /// the top. Returns how many were laid out.
    pub fn show(
        &mut self,
        ui: &mut Ui,
        (of, width): (&str, f32),
        rows: &[Row<K>],
        goal: Option<K>,
        mut draw: impl FnMut(&mut Ui, K),
    ) -> usize {
        if (self.width - width).abs() > 0.5 {
            self.heights.clear();
            self.width = width;
        }
        let tops = self.tops(rows);
        let mut area = ScrollArea::vertical()
            .id_salt(of)
            .auto_shrink(false)
            .stick_to_bottom(true);
        let whole = tops.last().copied().unwrap_or_default();
        let room = ui.available_height();
        let goal = goal.and_then(|goal| rows.iter().position(|row| row.key == goal));
        let goal = goal.and_then(|goal| tops.get(goal));
        if let Some(top) = goal {
            self.is_at_end = false;
            area = area.vertical_scroll_offset(*top);
        } else if self.is_at_end && self.is_behind(whole) {
            self.moved_to = None;
            self.changed_at = ui.input(|input| input.time);
            area = area.vertical_scroll_offset((whole - room).max(0.0));
        } else if let Some(top) = self.moved_to.take() {
            area = area.vertical_scroll_offset(top);
        }
        let (mut shift, mut n_drawn) = (0.0, 0);
        let out = area.show_viewport(ui, |ui, viewport| {
            let origin = ui.max_rect().min;
            let left = origin.x + ((ui.available_width() - width) / 2.0).max(0.0);
            for (row, top) in rows.iter().zip(&tops) {
                let guess = self.height(row);
                if top + guess < viewport.top() || *top > viewport.bottom() {
                    continue;
                }
                let place = Rect::from_min_size(
                    pos2(left, origin.y + top),
                    vec2(width.min(ui.available_width()), guess),
                );
                let builder = UiBuilder::new().max_rect(place).id_salt(row.key);
                let mut child = ui.new_child(builder);
                draw(&mut child, row.key);
                let height = child.min_rect().height();
                n_drawn += 1;
                if *top < viewport.top() {
                    shift += height - guess;
                }
                self.heights.insert(row.key, (row.stamp, height));
            }
            ui.set_height(tops.last().copied().unwrap_or_default());
        });
        let lowest = out.content_size.y - out.inner_rect.height();
        let top = out.state.unclamped_offset().y;
        // A wheel that was turned a moment ago still moves the view; that is no wish to leave the end.
        let is_settling = ui.input(|input| {
            let by_hand =
                input.smooth_scroll_delta() != egui::Vec2::ZERO || input.pointer.any_down();
            !by_hand && input.time - self.changed_at < SETTLES
        });
        self.is_at_end = top >= lowest - 2.0 || self.is_at_end && is_settling;
        self.shown = (whole, top < lowest - 0.5);
        let measured = self.tops(rows).last().copied().unwrap_or_default();
        if self.is_at_end && self.is_behind(measured) {
            ui.ctx().request_repaint();
        }
        if shift.abs() > 0.1 && !self.is_at_end {
            self.moved_to = Some(top + shift);
            ui.ctx().request_repaint();
        }
        n_drawn
    }

    /// The end is to be in view from the next frame on.
    pub fn show_end(&mut self) {
        self.is_at_end = true;
        self.shown.1 = true;
    }

    /// Whether the end of a list that is `whole` high is elsewhere than what was shown last.
    fn is_behind(&self, whole: f32) -> bool {
        self.shown.1 || (whole - self.shown.0).abs() > 0.5
    }

    /// Where each row begins, and after the last one where it ends.
    fn tops(&self, rows: &[Row<K>]) -> Vec<f32> {
        let mut tops = Vec::with_capacity(rows.len() + 1);
        let mut y = 0.0;
        for row in rows {
            tops.push(y);
            y += self.height(row);
        }
        tops.push(y);
        tops
    }

    fn height(&self, row: &Row<K>) -> f32 {
        match self.heights.get(&row.key) {
            Some((stamp, height)) if *stamp == row.stamp => *height,
            // Better than a guess: what it was a moment ago.
            Some((_, height)) => height.max(row.guess * 0.5),
            None => row.guess,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use egui_kittest::Harness;

    /// Rows that are 40 high, and guessed to be 10.
    fn rows(n: usize) -> Vec<Row<usize>> {
        let row = |key| Row {
            key,
            stamp: 0,
            guess: 10.0,
        };
        (0..n).map(row).collect()
    }

    #[test]
    fn the_end_comes_into_view_when_asked_for_and_stays_while_it_grows() {
        struct State {
            scroll: Scroll<usize>,
            n: usize,
            drawn: Vec<usize>,
        }
        let state = State {
            scroll: Scroll::default(),
            n: 60,
            drawn: Vec::new(),
        };
        let draw = |ui: &mut Ui, state: &mut State| {
            let mut drawn = Vec::new();
            let State { scroll, n, .. } = state;
            scroll.show(ui, ("talk", 200.0), &rows(*n), None, |ui, key| {
                drawn.push(key);
                ui.allocate_exact_size(vec2(100.0, 40.0), egui::Sense::hover());
            });
            state.drawn = drawn;
        };
        let mut window = Harness::builder()
            .with_size(vec2(300.0, 200.0))
            .build_ui_state(draw, state);
        window.run_steps(6);
        assert_eq!(window.state().drawn.last(), Some(&59));
        // Someone reads what stands above: there it stays, whatever comes at the end.
        window.hover_at(pos2(100.0, 100.0));
        window.event(egui::Event::MouseWheel {
            unit: egui::MouseWheelUnit::Point,
            delta: vec2(0.0, 900.0),
            phase: egui::TouchPhase::Move,
            source: egui::MouseWheelSource::Wheel,
            modifiers: egui::Modifiers::NONE,
        });
        window.run_steps(20);
        window.state_mut().n = 61;
        window.run_steps(6);
        assert!(window.state().drawn.last() < Some(&50));
        window.state_mut().scroll.show_end();
        window.run_steps(6);
        assert_eq!(window.state().drawn.last(), Some(&60));
        window.state_mut().n = 64;
        window.run_steps(6);
        assert_eq!(window.state().drawn.last(), Some(&63));
    }
}
