//! Sheets over the window: the prompt, the keys, breakpoints, settings.

mod breakpoints;
mod keys;
mod prompt;
mod settings;
mod share;
mod term;

pub use share::view_line;

use egui::{Context, Id, Modal, Ui};

pub use share::share_the_picture;

use super::command::Command;
use super::controls::{Button, card};
use super::icons::Icon;
use super::palette;
use super::picture::Scene;
use super::state::Overlay;
use super::theme::{Palette, Type, space};
use crate::trace::debug::Breakpoint;

/// What of the window's height a sheet leaves free: its own margins, and some of the window.
const MARGIN: f32 = 72.0;

/// Draws the sheet that is open, if one is.
pub fn sheet_ui(ctx: &Context, scene: &mut Scene<'_>, breakpoints: &[Breakpoint]) {
    if scene.view.overlay != Some(Overlay::Palette) {
        palette::forget(ctx);
    }
    if scene.view.overlay != Some(Overlay::Prompt) {
        prompt::forget(ctx);
    }
    let is_new = has_just_opened(ctx, scene.view.overlay);
    let Some(overlay) = scene.view.overlay else {
        return;
    };
    let modal = Modal::new(Id::unique("sheet")).backdrop_color(egui::Color32::from_black_alpha(70));
    let frame = |ui: &Ui| {
        card(ui)
            .inner_margin(egui::Margin::same(20))
            .shadow(ui.visuals().window_shadow)
    };
    let response = modal.frame(egui::Frame::NONE).show(ctx, |ui| {
        frame(ui).show(ui, |ui| {
            // A sheet that is higher than the window scrolls.
            let height = (ctx.content_rect().height() - MARGIN).max(120.0);
            let scrolled = egui::ScrollArea::vertical().id_salt(Id::unique(overlay));
            let scrolled = scrolled.max_height(height).min_scrolled_height(height);
            scrolled.show(ui, |ui| match overlay {
                Overlay::Prompt => prompt::prompt_ui(ui, scene, is_new),
                Overlay::Keys => keys::keys_ui(ui, scene),
                Overlay::Breakpoints => breakpoints::breakpoints_ui(ui, scene, breakpoints, is_new),
                Overlay::Settings => settings::settings_ui(ui, scene),
                Overlay::Palette => palette::palette_ui(ui, scene),
                Overlay::Talk => {
                    ui.set_width(620.0_f32.min(ui.ctx().content_rect().width() - 80.0));
                    title_ui(ui, scene, "Stops of the talk");
                    super::present::talk_ui(ui, scene);
                }
                Overlay::Share => share::share_ui(ui, scene),
                Overlay::Term(name) => term::term_ui(ui, scene, name),
            });
        });
    });
    if response.should_close() {
        scene.send(Command::Overlay(None));
    }
}

/// Whether this sheet was not open in the frame before: its field takes the keyboard then.
fn has_just_opened(ctx: &Context, overlay: Option<Overlay>) -> bool {
    let id = Id::unique("open-sheet");
    ctx.data_mut(|data| {
        let before: Option<Overlay> = data.get_temp(id).flatten();
        data.insert_temp(id, overlay);
        before != overlay
    })
}

/// The title of a sheet, with the way out at its right.
fn title_ui(ui: &mut Ui, scene: &mut Scene<'_>, title: &str) {
    let palette = Palette::of(ui);
    ui.horizontal(|ui| {
        ui.label(Type::Title.text(title, palette.text));
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let mut close = Button::icon(Icon::Close, "Close");
            close.key = "Esc";
            if close.show(ui, 24.0).clicked() {
                scene.send(Command::Overlay(None));
            }
        });
    });
    ui.add_space(space::TINY);
}
