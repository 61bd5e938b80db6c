//! The bar at the top: the program, its modes, the model, what it takes, theme and size.

use egui::{Rect, Sense, Ui, WidgetInfo, pos2, vec2};

use super::answers::Asked;
use super::command::Command;
use super::controls::{Button, focus_ring, format, plate};
use super::icons::{self, Icon};
use super::models;
use super::picture::Scene;
use super::share::Share;
use super::state::{Mode, Overlay};
use super::theme::{Palette, Type, corner, space};
use crate::engine::question::{Question, Told};
use crate::trace::measure::ledger::MemoryUse;
use crate::trace::measure::parity::Parity;
use crate::trace::units;

/// Draws the bar.
pub fn top_bar_ui(ui: &mut Ui, scene: &mut Scene<'_>) {
    let palette = Palette::of(ui);
    ui.horizontal_centered(|ui| {
        ui.spacing_mut().item_spacing.x = space::SMALL;
        let (rect, response) = ui.allocate_exact_size(vec2(18.0, 20.0), Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(egui::Role::Image, true, "Vitrine's mark"));
        icons::mark(ui.painter(), rect, palette.text);
        ui.label(Type::Heading.text("Vitrine", palette.text).size(15.0));
        ui.add_space(space::TINY);
        modes_ui(ui, scene);
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            right_ui(ui, scene)
        });
    });
}

/// The modes, as a groove with the open one raised.
fn modes_ui(ui: &mut Ui, scene: &mut Scene<'_>) {
    let palette = Palette::of(ui);
    let galleys = Mode::ALL.map(|mode| {
        let (font, colour) = match mode == scene.view.mode {
            true => (Type::Strong, palette.text),
            false => (Type::Body, palette.muted),
        };
        ui.painter()
            .layout_no_wrap(mode.name().to_owned(), font.font(), colour)
    });
    let width: f32 = galleys.iter().map(|galley| galley.size().x + 24.0).sum();
    let (groove, _) = ui.allocate_exact_size(vec2(width + 6.0, 34.0), Sense::hover());
    ui.painter().rect_filled(groove, corner::CARD, palette.sunk);
    let mut x = groove.left() + 3.0;
    for (mode, galley) in Mode::ALL.into_iter().zip(galleys) {
        let rect = Rect::from_min_size(
            pos2(x, groove.top() + 3.0),
            vec2(galley.size().x + 24.0, 28.0),
        );
        let response = ui.interact(rect, ui.scope_id().with(("mode", mode)), Sense::click());
        let is_open = mode == scene.view.mode;
        response.widget_info(|| {
            WidgetInfo::selected(egui::Role::RadioButton, true, is_open, mode.name())
        });
        if is_open {
            plate(ui, rect);
        } else if response.hovered() {
            ui.painter().rect_filled(rect, corner::BUTTON, palette.line);
        }
        focus_ring(ui, &response, rect);
        x = rect.right();
        ui.painter()
            .galley(rect.center() - galley.size() / 2.0, galley, palette.text);
        if response
            .on_hover_cursor(egui::CursorIcon::PointingHand)
            .clicked()
        {
            scene.send(Command::Mode(mode));
        }
    }
}

fn right_ui(ui: &mut Ui, scene: &mut Scene<'_>) {
    let room = ui.available_width();
    let mut present = Button::new("Present");
    present.is_on = scene.view.is_presenting;
    if present.show(ui, space::TARGET).clicked() {
        scene.send(Command::Present(!scene.view.is_presenting));
    }
    let mut share = Button::new("Share");
    share.is_on = scene.view.overlay == Some(Overlay::Share);
    if share.show(ui, space::TARGET).clicked() {
        scene.send(Command::Overlay(Some(Overlay::Share)));
    }
    let mut settings = Button::icon(Icon::Theme, "Theme, size and motion");
    settings.key = ",";
    if settings.show(ui, space::TARGET).clicked() {
        scene.send(Command::Overlay(Some(Overlay::Settings)));
    }
    ui.spacing_mut().item_spacing.x = 18.0;
    if scene.view.recorded.is_some() {
        recorded_ui(ui, scene);
    } else if room > 560.0 {
        figures_ui(ui, scene);
    }
    model_ui(ui, scene);
}

/// Says that the run is a recorded one; a click runs its prompt with the model.
fn recorded_ui(ui: &mut Ui, scene: &mut Scene<'_>) {
    let file = scene
        .view
        .recorded
        .as_ref()
        .and_then(|path| path.file_name());
    let file = file
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let mut button = Button::new("Recorded run");
    button.is_on = true;
    let told = format!("{file}: read from this file, without the model. Click to run its prompt.");
    if button.show(ui, space::TARGET).on_hover_text(told).clicked() {
        scene.send(Command::Share(Share::Leave));
    }
}

/// What the program takes, how long the pass on view took, and whether what is shown is what is
/// computed.
fn figures_ui(ui: &mut Ui, scene: &mut Scene<'_>) {
    let palette = Palette::of(ui);
    if let Asked::Ready(told) = scene.ask(&Question::Memory)
        && let Told::Memory(memory) = &*told
    {
        let total = memory.process_bytes.unwrap_or(memory.mlx_active_bytes);
        let text = Type::MonoSmall.text(units::bytes(total), palette.muted);
        ui.label(text).on_hover_text(memory_told(memory));
    }
    let pass = scene.run.passes.get(scene.view.pass());
    let secs: f64 = pass.map_or(0.0, |pass| pass.executed.iter().map(|(_, secs)| secs).sum());
    if secs > 0.0 {
        let time = units::seconds(secs);
        let text = Type::MonoSmall.text(time, palette.muted);
        ui.label(text)
            .on_hover_text("the stages of this pass that have run, added up");
    }
    // It is about a pass that has its logits.
    let has_logits = scene.run.passes.len() > 1 || !scene.run.likeliest.is_empty();
    if has_logits
        && let Asked::Ready(told) = scene.ask(&Question::Parity)
        && let Told::Parity(parity) = &*told
    {
        let colour = if parity.is_good() {
            palette.good
        } else {
            palette.bad
        };
        let text = Type::MonoSmall.text(parity_told(parity), colour);
        ui.label(text).on_hover_text(parity.to_string());
    }
}

/// `✓ parity 2e-6`: the largest difference that the checks found.
fn parity_told(parity: &Parity) -> String {
    let mark = if parity.is_good() { '✓' } else { '×' };
    let others = [parity.fused, parity.float64, parity.kernels];
    let all = others.iter().flatten().chain([&parity.recording]);
    let largest = all.map(|apart| apart.max).fold(0.0, f64::max);
    match largest > 0.0 {
        true => format!("{mark} parity {largest:.0e}"),
        false => format!("{mark} parity 0"),
    }
}

/// What the memory is made of, line by line.
fn memory_told(memory: &MemoryUse) -> String {
    let of_weights = memory.weights.iter();
    let mut lines: Vec<String> = of_weights
        .map(|(model, n_bytes)| format!("weights of {model}: {}", units::bytes(*n_bytes)))
        .collect();
    for (name, n_bytes) in [
        ("KV cache", memory.cache_allocated_bytes),
        ("recordings", memory.recorded_bytes),
        ("states kept to go back", memory.hidden_bytes),
        ("MLX", memory.mlx_active_bytes),
    ] {
        lines.push(format!("{name}: {}", units::bytes(n_bytes)));
    }
    if let Some(n_bytes) = memory.process_bytes {
        lines.push(format!("the whole program: {}", units::bytes(n_bytes)));
    }
    lines.join("\n")
}

/// The model button, with a list to choose from.
fn model_ui(ui: &mut Ui, scene: &mut Scene<'_>) {
    let palette = Palette::of(ui);
    let mut job = egui::text::LayoutJob::default();
    let name: String = scene
        .facts
        .name
        .rsplit('/')
        .next()
        .unwrap_or_default()
        .chars()
        .take(34)
        .collect();
    job.append(&name, 0.0, format(Type::Label, palette.text));
    let detail = detail(scene);
    job.append(&detail, 8.0, format(Type::Body, palette.muted));
    let galley = ui.painter().layout_job(job);
    let size = vec2(galley.size().x + 48.0, 30.0);
    let (rect, _) = ui.allocate_exact_size(size, Sense::hover());
    // A name of its own: figures beside it come and go, and its menu is not to close with them.
    let response = ui.interact(rect, ui.scope_id().with("model"), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(egui::Role::Button, true, format!("model {name}")));
    plate(ui, rect);
    focus_ring(ui, &response, rect);
    let dot = if scene.link.is_busy() {
        palette.faint
    } else {
        palette.good
    };
    ui.painter()
        .circle_filled(pos2(rect.left() + 14.0, rect.center().y), 3.5, dot);
    let at = pos2(rect.left() + 24.0, rect.center().y - galley.size().y / 2.0);
    ui.painter().galley(at, galley, palette.text);
    let arrow = Rect::from_center_size(pos2(rect.right() - 14.0, rect.center().y), vec2(8.0, 8.0));
    Icon::Down.paint(ui.painter(), arrow, palette.text);
    let response = response.on_hover_cursor(egui::CursorIcon::PointingHand);
    let menu = egui::Popup::menu(&response)
        .accessible_name("Models")
        .close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside);
    menu.show(|ui| {
        models::menu_ui(ui, scene);
        ui.add_space(space::TINY);
        ui.label(Type::Caption.text(
            "A folder, or an id in the Hugging Face cache",
            palette.muted,
        ));
        let id = ui.scope_id().with("typed");
        let mut typed: String = ui.data(|data| data.get_temp(id)).unwrap_or_default();
        let field = egui::TextEdit::singleline(&mut typed)
            .hint_text("mlx-community/…")
            .align(egui::Align2::LEFT_CENTER)
            .margin(egui::Margin::symmetric(8, 4));
        let field = ui.add(field);
        super::controls::name_field(&field, &typed, "Folder or id of a model");
        let entered = field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
        if entered && !typed.trim().is_empty() {
            scene.send(Command::Model(typed.trim().to_owned()));
            ui.close();
        }
        ui.data_mut(|data| data.insert_temp(id, typed));
    });
}

/// Parameters and bits of the model: `3.1 M · 4-bit`.
fn detail(scene: &mut Scene<'_>) -> String {
    let model = scene.facts.name.clone();
    let mut parts = Vec::new();
    if let Asked::Ready(told) = scene.ask(&Question::Inspect { model })
        && let Told::Inspection(inspection) = &*told
    {
        parts.push(units::parameters_short(inspection.parameters));
    }
    parts.push(match scene.facts.bits {
        Some(bits) => format!("{bits}-bit"),
        None => "16-bit".to_owned(),
    });
    parts.join(" · ")
}
