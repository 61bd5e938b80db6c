//! How the window is shared out before a room, and pictures that are drawn smaller to fit.

use egui::accesskit::Affine;
use egui::emath::TSTransform;
use egui::{Context, Id, LayerId, Rect, Ui, UiBuilder, Vec2, ViewportId, vec2};

use crate::ui::spot::PictureKind;
use crate::ui::state::ViewState;
use crate::ui::strip;

/// Least share of the window's height that the picture has.
const PICTURE: f32 = 0.7;
/// Height of what is said under a picture, where there is that much, so that the picture stays in place.
pub(super) const SENTENCE: f32 = 58.0;
/// The foot that says that the room sees a still, where there is no room for another.
pub(super) const LEAST_FOOT: f32 = 24.0;
/// Between the picture and what is said under it.
pub(super) const GAP: f32 = 6.0;
/// Questions with their choices may take this share of the window.
const QUESTION: f32 = 0.24;
/// From here on a picture is drawn in its own size: letters stay sharpest so.
const NEARLY: f32 = 0.97;

/// What stands around the picture, in points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Share {
    /// The whole window.
    height: f32,
    /// Over and under the chips of the strip.
    pub strip_margin: i8,
    /// Height of the foot; 0 where the picture needs it more: its keys do all that it does.
    pub foot: f32,
    /// Over and under the picture with its sentence.
    pub margin: i8,
}

impl Share {
    /// For a window of this height. The larger the type, the fewer points it has.
    pub fn of(height: f32) -> Self {
        let (strip_margin, foot, margin) = match height {
            height if height >= 500.0 => (9, 34.0, 6),
            height if height >= 400.0 => (5, 28.0, 5),
            height if height >= 340.0 => (3, LEAST_FOOT, 3),
            _ => (2, 0.0, 2),
        };
        Self {
            height,
            strip_margin,
            foot,
            margin,
        }
    }

    /// The most that is left for words under the picture.
    pub fn words(self, is_question: bool) -> f32 {
        let strip = strip::PRESENTED + 2.0 * f32::from(self.strip_margin);
        let others = strip + self.foot + 2.0 * f32::from(self.margin) + GAP;
        let left = (1.0 - PICTURE) * self.height - others;
        match is_question {
            true => left.max(QUESTION * self.height),
            false => left,
        }
    }
}

/// The least room, in points, in which all of the picture on view can be seen.
pub(super) fn least_room(view: &ViewState) -> Vec2 {
    use PictureKind::{
        Attention, Block, Compare, Embedding, Experiments, KvCache, Logits, Mlp, Qkv, Residual,
        Rope, Sample, Screen, Text, Timeline, Tokens, Weights,
    };
    let [width, height] = match view.picture() {
        // These give way by themselves: the less room, the fewer bars, names or lines.
        Some(Attention) if !view.present.shows_heads => [300.0, 250.0],
        Some(Text | Logits) => [440.0, 250.0],
        Some(Tokens) => [520.0, 300.0],
        Some(Sample | Timeline | Experiments | Weights | KvCache | Rope | Qkv) => [600.0, 340.0],
        Some(Compare) => [680.0, 420.0],
        // Its cards and the lines between them do not come closer.
        Some(Block) => [660.0, 375.0],
        Some(Attention | Mlp | Screen) => [640.0, 390.0],
        Some(Embedding | Residual) => [640.0, 420.0],
        _ => [740.0, 470.0],
    };
    vec2(width, height)
}

/// Draws `picture` into `room`; smaller, as a whole, where it needs more room than that.
pub(super) fn fitted_ui(ui: &mut Ui, room: Rect, least: Vec2, picture: impl FnOnce(&mut Ui)) {
    let scale = (room.size() / least).min_elem().min(1.0);
    if scale >= NEARLY {
        forget(ui.ctx());
        ui.shrink_clip_rect(room.expand(EDGE));
        picture(ui);
        return;
    }
    let layer = LayerId::new(ui.layer_id().order, ui.scope_id().with("fitted"));
    let to_window = TSTransform::new(room.min.to_vec2(), scale);
    ui.ctx().set_sublayer(ui.layer_id(), layer);
    ui.ctx().set_transform_layer(layer, to_window);
    let place = UiBuilder::new()
        .layer_id(layer)
        .max_rect(to_window.inverse() * room);
    let mut inner = ui.new_child(place);
    // Who cannot see the picture is told where its parts are drawn.
    ui.ctx().accesskit_node_builder(inner.unique_id(), |node| {
        let [scale, x, y] = [scale, room.left(), room.top()].map(f64::from);
        node.set_transform(Affine::new([scale, 0.0, 0.0, scale, x, y]));
    });
    let clip = room.expand(EDGE).intersect(ui.clip_rect());
    inner.set_clip_rect(to_window.inverse() * clip);
    picture(&mut inner);
    if ui.ctx().viewport_id() == ViewportId::ROOT {
        ui.data_mut(|data| data.insert_temp(drawn_id(), layer));
    }
}

/// What may stand out over the edge of a picture: rings around cells.
const EDGE: f32 = 4.0;

fn drawn_id() -> Id {
    Id::unique("fitted-picture")
}

fn forget(ctx: &Context) {
    if ctx.viewport_id() == ViewportId::ROOT {
        ctx.data_mut(|data| data.remove::<LayerId>(drawn_id()));
    }
}

/// The layer of the room's picture, where it is drawn smaller.
pub(super) fn layer(ctx: &Context) -> Option<LayerId> {
    ctx.data(|data| data.get_temp(drawn_id()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_has_seven_tenths_however_large_the_type_is() {
        for (pixels, scale) in [
            (1080.0, 1.5),
            (1080.0, 2.0),
            (1080.0, 3.0),
            (800.0, 1.5),
            (800.0, 2.5),
            (800.0, 3.0),
        ] {
            let height = pixels / scale;
            let share = Share::of(height);
            let strip = strip::PRESENTED + 2.0 * f32::from(share.strip_margin);
            let others = strip + share.foot + 2.0 * f32::from(share.margin) + GAP;
            let words = share.words(false);
            assert!(words >= 30.0, "{pixels} at {scale}: {words}");
            let picture = height - others - words;
            assert!(picture >= PICTURE * height - 0.01, "{pixels} at {scale}");
        }
    }
}
