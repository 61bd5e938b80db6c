//! A picture drawn off without a window, as SVG: the same code draws it, on a sheet of its own.

use egui::{CentralPanel, Context, Frame, Margin, Pos2, RawInput, Rect, Theme, Vec2};

use super::picture::{Picture, Scene, picture_ui};
use super::svg::{Textures, svg};
use super::theme::{self, Palette, space};

/// A sheet that pictures are drawn on.
pub struct Still {
    ctx: Context,
    size: Vec2,
    is_dark: bool,
    picture: Box<dyn Picture>,
    textures: Textures,
    time: f64,
}

impl Still {
    /// A sheet of `size`, in points, for `picture`.
    #[must_use]
    pub fn new(picture: Box<dyn Picture>, size: Vec2, is_dark: bool) -> Self {
        let ctx = Context::default();
        theme::install(&ctx);
        ctx.set_theme(if is_dark { Theme::Dark } else { Theme::Light });
        Self {
            ctx,
            size,
            is_dark,
            picture,
            textures: Textures::default(),
            time: 0.0,
        }
    }

    /// Draws the picture once, as far as its answers are known; what it asks for goes out.
    pub fn draw(&mut self, scene: &mut Scene<'_>) -> String {
        let area = Rect::from_min_size(Pos2::ZERO, self.size);
        self.time += 1.0;
        let input = RawInput {
            screen_rect: Some(area),
            time: Some(self.time),
            ..RawInput::default()
        };
        let background = Palette::choose(self.is_dark).background;
        let picture = self.picture.as_mut();
        let mut output = self.ctx.run_ui(input, |ui| {
            let margin = Margin::same(space::PICTURE as i8);
            let frame = Frame::new().fill(background).inner_margin(margin);
            let panel = CentralPanel::default().frame(frame);
            panel.show(ui, |ui| picture_ui(ui, scene, picture));
        });
        for (id, deltas) in std::mem::take(&mut output.textures_delta.set) {
            for delta in deltas {
                let egui::ImageData::Color(image) = delta.image;
                // Letters are written as text; what is patched are the letters.
                if delta.pos.is_none() {
                    self.textures.insert(id, (*image).clone());
                }
            }
        }
        for id in std::mem::take(&mut output.textures_delta.free) {
            self.textures.remove(&id);
        }
        svg(&output.shapes, &self.textures, area, background)
    }
}
