//! The frame: the same regions in every state, so that the eye learns once where to look.
//!
//! Bar, token strip, rail, picture, side panel, transport. Panels resize and fold away where there
//! is little room.

use egui::{CentralPanel, Frame, Margin, Panel, Ui};

use super::command::Command;
use super::messages::Messages;
use super::pages::Pages;
use super::picture::{Picture, Scene, picture_ui, side_ui};
use super::state::{Depth, Mode};
use super::theme::{Palette, space};
use super::{chat, models, present, rail, sheets, stops, strip, top_bar, transport};
use crate::trace::debug::Breakpoint;

/// Below this width the side panel gives its room to the picture.
const NARROW: f32 = 900.0;

/// Draws the whole window.
pub fn frame_ui(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    picture: &mut dyn Picture,
    breakpoints: &[Breakpoint],
    messages: &mut Messages,
    pages: &mut Pages,
) {
    if !scene.view.is_presenting {
        let bar = Panel::top("bar").exact_size(46.0).frame(margins(ui, 16, 0));
        bar.show(ui, |ui| top_bar::top_bar_ui(ui, scene));
    }
    let is_before_a_room = scene.view.is_presenting
        && match scene.view.mode {
            Mode::Explore => true,
            Mode::Lessons => scene.board.open.is_some(),
            Mode::Chat | Mode::Models => false,
        };
    match scene.view.mode {
        _ if is_before_a_room => present::present_ui(ui, scene, picture),
        Mode::Explore => explore_ui(ui, scene, picture, breakpoints),
        Mode::Chat => chat::chat_ui(ui, scene, &mut pages.chat),
        Mode::Models => models::models_ui(ui, scene),
        Mode::Lessons => pages.lessons.show(ui, scene, picture),
    }
    sheets::sheet_ui(ui.ctx(), scene, breakpoints);
    // Nothing that can be pressed lies under a message.
    let above = match scene.view.mode {
        Mode::Chat if !scene.chat.shows_trial => pages.chat.composer.height + 8.0,
        // Above the transport, and above the formula that stands on it.
        Mode::Explore if !scene.view.is_presenting => 132.0,
        _ => 84.0,
    };
    messages.show(ui.ctx(), scene, above);
}

fn explore_ui(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    picture: &mut dyn Picture,
    breakpoints: &[Breakpoint],
) {
    if scene.chat.visit.is_some() && !scene.view.is_presenting {
        let visit = Panel::top("visit").exact_size(44.0);
        let visit = visit.frame(margins(ui, 16, 0));
        visit.show(ui, |ui| chat::visit_ui(ui, scene));
    }
    let strip = Panel::top("strip")
        .exact_size(strip::height(scene))
        .frame(margins(ui, 16, 9));
    strip.show(ui, |ui| strip::strip_ui(ui, scene));
    let transport = Panel::bottom("transport")
        .exact_size(64.0)
        .frame(margins(ui, 16, 0));
    transport.show(ui, |ui| transport::transport_ui(ui, scene));
    let room = ui.available_width();
    let (mut has_rail, mut has_side) = (scene.settings.rail, scene.settings.side);
    has_rail &= !scene.view.is_presenting;
    has_side &= !scene.view.is_presenting && room >= NARROW;
    let mut shows_rail = has_rail;
    let rail = Panel::left("rail")
        .default_size(196.0)
        .size_range(150.0..=280.0);
    let rail = rail.frame(margins(ui, 0, 0));
    rail.show_collapsible(ui, &mut shows_rail, |ui| {
        rail::rail_ui(ui, scene, breakpoints)
    });
    if shows_rail != has_rail {
        scene.send(Command::Rail);
    }
    let mut shows_side = has_side;
    let side = Panel::right("side")
        .default_size(292.0)
        .size_range(220.0..=460.0);
    let side = side.frame(margins(ui, 16, 16));
    side.show_collapsible(ui, &mut shows_side, |ui| side_ui(ui, scene, picture));
    if shows_side != has_side && room >= NARROW {
        scene.send(Command::Side);
    }
    if scene.view.depth == Depth::Stops && !scene.view.is_presenting {
        let stops = Panel::top("stops")
            .exact_size(44.0)
            .frame(margins(ui, 20, 0));
        stops.show(ui, |ui| stops::stops_ui(ui, scene));
    }
    let centre =
        CentralPanel::default().frame(Frame::new().fill(Palette::of(ui).background).inner_margin(
            Margin {
                left: space::PICTURE as i8,
                right: space::PICTURE as i8,
                top: 14,
                bottom: 10,
            },
        ));
    centre.show(ui, |ui| picture_ui(ui, scene, picture));
}

pub(super) fn margins(ui: &Ui, x: i8, y: i8) -> Frame {
    let fill = Palette::of(ui).background;
    Frame::new()
        .fill(fill)
        .inner_margin(Margin::symmetric(x, y))
}
