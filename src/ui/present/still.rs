//! What a frozen room goes on seeing: the shapes of the last frame, while the run and the speaker go on.

use std::sync::Arc;

use egui::emath::TSTransform;
use egui::epaint::ClippedShape;
use egui::{Context, Id, LayerId, Rect, Ui};

use super::room;

/// What was kept.
#[derive(Clone)]
struct Kept {
    /// The window that it filled.
    window: Rect,
    shapes: Arc<Vec<ClippedShape>>,
}

fn id() -> Id {
    Id::unique("frozen-frame")
}

/// Keeps what was drawn in this frame, until [`thaw`].
pub fn freeze(ctx: &Context) {
    let mut shapes = of_layer(ctx, LayerId::background());
    if let Some(layer) = room::layer(ctx) {
        let to_window = ctx.layer_transform_to_global(layer).unwrap_or_default();
        let picture = of_layer(ctx, layer).into_iter();
        shapes.extend(picture.map(|shape| moved(shape, to_window)));
    }
    let kept = Kept {
        window: ctx.content_rect(),
        shapes: Arc::new(shapes),
    };
    ctx.data_mut(|data| data.insert_temp(id(), kept));
}

fn of_layer(ctx: &Context, layer: LayerId) -> Vec<ClippedShape> {
    ctx.graphics(|layers| {
        let list = layers.get(layer);
        list.map_or(Vec::new(), |list| list.all_entries().cloned().collect())
    })
}

fn moved(mut shape: ClippedShape, by: TSTransform) -> ClippedShape {
    shape.transform(by);
    shape
}

/// Shows again what is there.
pub fn thaw(ctx: &Context) {
    ctx.data_mut(|data| data.remove::<Kept>(id()));
}

/// Whether a frame is kept.
#[must_use]
pub fn is_there(ctx: &Context) -> bool {
    ctx.data(|data| data.get_temp::<Kept>(id())).is_some()
}

/// Draws the frame that is kept, as large as the window allows. Nothing in it can be clicked.
pub(super) fn show(ui: &Ui) {
    let Some(kept) = ui.data(|data| data.get_temp::<Kept>(id())) else {
        return;
    };
    let window = ui.ctx().content_rect();
    let scale = (window.size() / kept.window.size()).min_elem();
    let to_window = TSTransform::from_translation(window.center().to_vec2())
        * TSTransform::from_scaling(scale)
        * TSTransform::from_translation(-kept.window.center().to_vec2());
    for shape in kept.shapes.iter() {
        let ClippedShape {
            clip_rect, shape, ..
        } = match window == kept.window {
            true => shape.clone(),
            false => moved(shape.clone(), to_window),
        };
        ui.painter().with_clip_rect(clip_rect).add(shape);
    }
}
