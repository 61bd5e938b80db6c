//! What a frozen room goes on seeing: the shapes of the last frame, while the run and the speaker go on.

use std::sync::Arc;

use egui::epaint::ClippedShape;
use egui::{Context, Id, LayerId, Ui};

/// The shapes that were kept.
type Kept = Arc<Vec<ClippedShape>>;

fn id() -> Id {
    Id::unique("frozen-frame")
}

/// Keeps what was drawn in this frame, until [`thaw`].
pub fn freeze(ctx: &Context) {
    let shapes = ctx.graphics(|layers| {
        let list = layers.get(LayerId::background());
        list.map(|list| list.all_entries().cloned().collect::<Vec<_>>())
    });
    let kept: Kept = Arc::new(shapes.unwrap_or_default());
    ctx.data_mut(|data| data.insert_temp(id(), kept));
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

/// Draws the frame that is kept. Nothing in it can be clicked.
pub(super) fn show(ui: &Ui) {
    let Some(kept) = ui.data(|data| data.get_temp::<Kept>(id())) else {
        return;
    };
    for ClippedShape {
        clip_rect, shape, ..
    } in kept.iter()
    {
        let painter = ui.painter().with_clip_rect(*clip_rect);
        painter.add(shape.clone());
    }
}
