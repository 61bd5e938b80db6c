//! The transport: back, step, layer, token, end; the timeline of passes; the KV cache.

use egui::{Rect, Sense, StrokeKind, Ui, WidgetInfo, pos2, vec2};

use super::command::{Command, Move};
use super::controls::{Button, outline};
use super::icons::Icon;
use super::picture::Scene;
use super::spot::Spot;
use super::state::{Depth, Overlay};
use super::theme::{Palette, Role, Type, mix, space};
use super::walk;
use crate::trace::debug::Next;
use crate::trace::units;
use crate::trace::{Place, Stage};

/// Height of the buttons.
const HEIGHT: f32 = 32.0;

/// Draws the transport.
pub fn transport_ui(ui: &mut Ui, scene: &mut Scene<'_>) {
    ui.spacing_mut().item_spacing.x = 14.0;
    let is_wide = ui.available_width() > 1_150.0;
    ui.horizontal_centered(|ui| {
        moves_ui(ui, scene, is_wide);
        cache_ui(ui, scene);
    });
}

fn moves_ui(ui: &mut Ui, scene: &mut Scene<'_>, is_wide: bool) {
    let (is_over, is_playing) = (is_over(scene), scene.view.is_playing);
    let is_at_start = walk::before(scene.facts, scene.depth(), &scene.view.spot).is_none()
        && walk::order(scene.view.spot.address.place).is_some();
    let leads = match is_over {
        true => ": the text has ended".to_owned(),
        false => format!(": {}", leads_to(scene)),
    };
    let button = |icon: Icon, label, key| Button {
        icon: Some(icon),
        key,
        ..Button::new(label)
    };
    let rewind = Button {
        is_icon: true,
        is_disabled: is_at_start,
        ..button(Icon::Rewind, "Back to the beginning", "Home")
    };
    let back = Button {
        is_disabled: is_at_start,
        ..button(Icon::Back, "Back", "←")
    };
    let step = Button {
        detail: &leads,
        is_primary: true,
        is_disabled: is_over,
        ..button(Icon::Play, "Step", "→")
    };
    let layer = Button {
        is_icon: !is_wide,
        is_disabled: is_over,
        ..button(Icon::Layer, "Layer", "L")
    };
    let token = Button {
        is_icon: !is_wide,
        is_disabled: is_over,
        ..button(Icon::Token, "Token", "T")
    };
    let end = Button {
        is_icon: true,
        is_disabled: is_over,
        ..button(Icon::End, "Run to the end", "End")
    };
    let play = Button {
        is_icon: true,
        is_on: is_playing,
        ..match is_playing {
            true => button(Icon::Pause, "Stop stepping by itself", "P"),
            false => button(Icon::Play, "Step by itself", "P"),
        }
    };
    let stops = Button {
        is_icon: true,
        ..button(Icon::Dot, "Breakpoints", "B")
    };
    for (button, command) in [
        (rewind, Command::Move(Move::Rewind)),
        (back, Command::Move(Move::Back)),
        (step, Command::Move(Move::Step)),
        (layer, Command::Move(Move::Layer)),
        (token, Command::Move(Move::Token)),
        (end, Command::Move(Move::End)),
        (play, Command::Play(!is_playing)),
        (stops, Command::Overlay(Some(Overlay::Breakpoints))),
    ] {
        if button.show(ui, HEIGHT).clicked() {
            scene.send(command);
        }
        if button.label == "Token" {
            ui.spacing_mut().item_spacing.x = 6.0;
        }
    }
}

/// Whether the text has ended, so that nothing can be stepped to.
fn is_over(scene: &Scene<'_>) -> bool {
    // A view looks at the run wherever it stands.
    let is_view = walk::order(scene.view.spot.address.place).is_none();
    let is_newest = scene.view.spot == walk::newest(scene.facts, scene.depth(), scene.run);
    scene.run.next == Next::Ended && (is_view || is_newest)
}

/// Where the step button leads, in words.
fn leads_to(scene: &Scene<'_>) -> String {
    let view = scene.view;
    let from = match walk::order(view.spot.address.place) {
        Some(_) => view.spot.clone(),
        // From a view the run goes on, and the view stays.
        None => walk::newest(scene.facts, scene.depth(), scene.run),
    };
    let next = walk::after(scene.facts, scene.depth(), &from);
    let place = next.address.place;
    if place == Place::Stage(Stage::Embed) && next.pass() > from.pass() {
        return format!("token {}", scene.run.prompt_len + next.pass());
    }
    let name = walk::name(place);
    match (scene.depth(), next.layer()) {
        // In the parts of a block it is clear which block is meant, unless it changes.
        (Depth::Parts, layer) if layer.is_some() && layer != from.layer() => {
            format!("into block {}", layer.unwrap_or_default())
        }
        _ => lower_first(&name),
    }
}

/// `Attention` within a sentence; `Q, K, V` and `RoPE` keep their capitals.
fn lower_first(name: &str) -> String {
    let mut letters = name.chars();
    let second_is_lower = name.chars().nth(1).is_some_and(char::is_lowercase);
    match letters.next() {
        Some(first) if second_is_lower && name != "RoPE" => {
            first.to_lowercase().collect::<String>() + letters.as_str()
        }
        _ => name.to_owned(),
    }
}

/// The timeline of passes and, at the right, what the KV cache holds.
fn cache_ui(ui: &mut Ui, scene: &mut Scene<'_>) {
    let palette = Palette::of(ui);
    let cache = scene.run.cache;
    ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
        let (rect, response) = ui.allocate_exact_size(vec2(118.0, HEIGHT), Sense::hover());
        let mut job = egui::text::LayoutJob::default();
        let used = units::bytes(cache.used_bytes as u64);
        let allocated = units::bytes(cache.allocated_bytes as u64);
        let format = super::controls::format;
        job.append(
            &used,
            0.0,
            format(Type::MonoSmall, palette.role(Role::Cache)),
        );
        job.append(
            &format!(" of {allocated}"),
            0.0,
            format(Type::MonoSmall, palette.text),
        );
        let told = format!("KV cache: {used} of {allocated}");
        response.widget_info(|| WidgetInfo::labeled(egui::Role::Label, true, &told));
        let figures = ui.painter().layout_job(job);
        let top = rect.right_top() + vec2(0.0, 1.0);
        let font = Type::MonoSmall.font();
        ui.painter().text(
            top,
            egui::Align2::RIGHT_TOP,
            "KV cache",
            font,
            palette.muted,
        );
        let below = rect.right_bottom() - vec2(figures.size().x, figures.size().y + 1.0);
        ui.painter().galley(below, figures, palette.text);
        response.on_hover_text("used of allocated: the cache grows in whole chunks");
        let room = ui.available_rect_before_wrap();
        if room.width() > 60.0 {
            let room = Rect::from_min_max(room.min + vec2(14.0, 0.0), room.max);
            timeline_ui(ui, scene, room);
        }
    });
}

/// Passes as boxes from left to right, with a needle where the run stands.
fn timeline_ui(ui: &mut Ui, scene: &mut Scene<'_>, room: Rect) {
    const BOX: f32 = 24.0;
    const GAP: f32 = space::TINY;
    /// Width of the box of the pass that comes next, and of the sign for passes that are left out.
    const NEXT: f32 = 38.0;
    const DOTS: f32 = 20.0;
    let palette = Palette::of(ui);
    let room = Rect::from_center_size(room.center(), vec2(room.width(), BOX));
    let passes = scene.run.passes.clone();
    let (shown, newest) = (scene.view.pass(), passes.len().saturating_sub(1));
    let label_of = |scene: &Scene<'_>, pass: usize| match pass {
        0 => format!("prefill · {} tokens", scene.run.prompt_len),
        _ => scene.name(scene.run.prompt_len + pass - 1),
    };
    let painter = ui.painter().clone();
    let laid_out = |text: String| painter.layout_no_wrap(text, Type::Small.font(), palette.text);
    let width_of = |scene: &Scene<'_>, pass: usize| match pass {
        0 => 166.0_f32.min(room.width() - 50.0),
        _ => (laid_out(label_of(scene, pass)).size().x + 16.0).max(34.0),
    };
    // The newest passes are in sight, as many as there is room for; a gap tells that some are left out.
    let mut left = room.width() - width_of(scene, 0) - GAP - NEXT - DOTS;
    let fits = |pass: &usize| {
        left -= width_of(scene, *pass) + GAP;
        left >= 0.0
    };
    let n_fit = (1..=newest).rev().take_while(fits).count();
    let first = newest + 1 - n_fit;
    let mut x = room.left();
    for pass in std::iter::once(0).chain(first.max(1)..=newest) {
        if pass == first && first > 1 {
            let dots = pos2(x + GAP, room.center().y);
            let font = Type::Small.font();
            painter.text(dots, egui::Align2::LEFT_CENTER, "…", font, palette.muted);
            x += DOTS;
        }
        let label = label_of(scene, pass);
        let text = laid_out(label.clone());
        let width = width_of(scene, pass);
        let rect = Rect::from_min_size(pos2(x, room.top()), vec2(width, BOX));
        if rect.right() > room.right() {
            break;
        }
        let response = ui.interact(rect, ui.scope_id().with(("pass", pass)), Sense::click());
        response.widget_info(|| {
            WidgetInfo::selected(
                egui::Role::RadioButton,
                true,
                pass == shown,
                format!("pass {pass}: {label}"),
            )
        });
        let share = if pass == newest { progress(scene) } else { 1.0 };
        let painter = ui.painter();
        painter.rect_filled(rect, 4.0, palette.surface);
        let done = Rect::from_min_max(rect.min, pos2(rect.left() + width * share, rect.bottom()));
        painter.rect_filled(
            done,
            4.0,
            mix(palette.surface, palette.role(Role::Attention), 0.22),
        );
        let line = if pass == shown {
            egui::Stroke::new(1.2, palette.muted)
        } else {
            palette.hairline()
        };
        painter.rect_stroke(rect, 4.0, line, StrokeKind::Inside);
        painter.with_clip_rect(rect).galley(
            pos2(x + 8.0, rect.center().y - text.size().y / 2.0),
            text,
            palette.text,
        );
        if pass == newest {
            let needle = rect.left() + width * share;
            // Above and below: the words in the box stay readable.
            for ends in [
                rect.top() - 5.0..=rect.top() + 3.0,
                rect.bottom() - 3.0..=rect.bottom() + 5.0,
            ] {
                painter.vline(needle, ends, egui::Stroke::new(2.0, palette.text));
            }
        }
        if response
            .on_hover_cursor(egui::CursorIcon::PointingHand)
            .clicked()
        {
            // A view follows the chosen token.
            if let Some(state) = passes.get(pass) {
                let last = (state.start + state.n_pos).saturating_sub(1);
                scene.point(super::command::Pointing::Token(last));
            }
            let mut spot = scene.view.spot.clone();
            spot.address.pass = Some(pass).filter(|pass| *pass > 0);
            scene.send(Command::Look(match walk::is_computed(scene.run, &spot) {
                true => spot,
                false => Spot::at(Place::Stage(Stage::Embed), Some(pass)),
            }));
        }
        x = rect.right() + GAP;
    }
    let next = Rect::from_min_size(pos2(x, room.top()), vec2(NEXT, BOX));
    if next.right() <= room.right() && scene.run.next != Next::Ended {
        outline(ui.painter(), next.shrink(0.5), palette.faint);
        let at = next.center();
        ui.painter().text(
            at,
            egui::Align2::CENTER_CENTER,
            "?",
            Type::Small.font(),
            palette.faint,
        );
    }
}

/// How much of the newest pass has run, 0 to 1.
fn progress(scene: &Scene<'_>) -> f32 {
    let n_stages = scene.facts.n_layers + 3;
    let executed = scene
        .run
        .passes
        .last()
        .map_or(0, |pass| pass.executed.len());
    executed as f32 / n_stages as f32
}
