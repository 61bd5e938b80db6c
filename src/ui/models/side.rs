//! The details of the chosen model: what it is, what it needs, where it lies, and what can be done with it.

use egui::{Hyperlink, Label, Slider, Ui};

use super::status::{is_in_use, use_it};
use super::table::{bar, fit_colour, sentence};
use super::{Asks, Draft, Entry, ShelfCommand, getting, removing};
use crate::engine::question::{Question, Told};
use crate::hub::message::{Fit, MemoryNote, ModelPlace};
use crate::trace::measure::costs::ceiling;
use crate::trace::units;
use crate::trace::{Place, View};
use crate::ui::answers::Asked;
use crate::ui::command::Command;
use crate::ui::controls::{Button, caption, text_button};
use crate::ui::picture::Scene;
use crate::ui::pictures::kit::{field_ui, note_ui};
use crate::ui::spot::Spot;
use crate::ui::theme::{Palette, Type, space};

/// The shortest context of the slider.
const SHORTEST: usize = 256;
/// The longest, where a model's own is not known.
const LONGEST: usize = 131_072;

/// The model of the details: the one that was chosen, else the one in use.
pub(super) fn chosen_key(scene: &Scene<'_>) -> Option<String> {
    if let Some(key) = &scene.shelf.chosen
        && scene.shelf.entry(key).is_some()
    {
        return Some(key.clone());
    }
    let mut rows = scene.shelf.rows().map(Entry::of_row);
    let in_use = rows.find(|entry| entry.is_called(&scene.facts.name));
    in_use.map(|entry| entry.key)
}

/// Draws the details.
pub(super) fn side_ui(ui: &mut Ui, scene: &mut Scene<'_>, draft: &mut Draft) {
    let Some(entry) = chosen_key(scene).and_then(|key| scene.shelf.entry(&key)) else {
        return;
    };
    what_ui(ui, &entry);
    ui.add_space(space::MEDIUM);
    actions_ui(ui, scene, draft, &entry);
    if let Some(why) = &entry.cannot_run {
        // Of a family that cannot run the reason says so itself; else its files are at fault.
        let told = match why.contains("cannot run yet") {
            true => sentence(why),
            false => format!("It cannot be loaded: {why}"),
        };
        note_ui(ui, &format!("{}.", told.trim_end_matches('.')));
        ui.add_space(space::SMALL);
    }
    getting::getting_ui(ui, scene, &entry);
    if entry.cannot_run.is_none() {
        memory_ui(ui, scene, &entry);
        speed_ui(ui, scene, draft, &entry);
    }
    place_ui(ui, scene, &entry);
    name_ui(ui, scene, draft, &entry);
    removing::removing_ui(ui, scene, draft, &entry);
}

/// Its name and its facts.
fn what_ui(ui: &mut Ui, entry: &Entry) {
    let palette = Palette::of(ui);
    let (title, org) = entry.repository().unwrap_or((&entry.key, ""));
    if title != entry.key {
        caption(
            ui,
            if entry.id.as_deref() == Some(&*entry.key) {
                org
            } else {
                &entry.key
            },
        );
    }
    ui.add(Label::new(Type::Heading.text(title, palette.text)).wrap());
    let count = |n: usize| units::count(n as u64);
    let facts = [
        entry.family.clone().map(|family| format!("type {family}")),
        entry
            .parameters
            .map(|n| format!("{} parameters", units::parameters(n))),
        entry.bits.map(|bits| format!("{bits}-bit")),
        entry
            .context
            .map(|context| format!("context of {} tokens", count(context))),
        entry
            .licence
            .clone()
            .map(|licence| format!("licence {licence}")),
    ];
    let facts: Vec<String> = facts.into_iter().flatten().collect();
    ui.spacing_mut().item_spacing.y = 3.0;
    // The dot stays with what stands before it.
    note_ui(ui, &facts.join("\u{a0}· "));
    if !entry.what.is_empty() {
        note_ui(ui, &sentence(&entry.what));
    }
    if let Some(page) = &entry.page {
        ui.add(Hyperlink::from_label_and_url(
            Type::Label
                .text("Its card on the hub", palette.text)
                .underline(),
            page,
        ))
        .on_hover_text(page);
    }
    ui.spacing_mut().item_spacing.y = space::SMALL;
}

/// What can be done with a model that is here.
fn actions_ui(ui: &mut Ui, scene: &mut Scene<'_>, draft: &mut Draft, entry: &Entry) {
    if !entry.is_here() || entry.cannot_run.is_some() {
        return;
    }
    let is_used = is_in_use(scene, entry);
    let asks = draft.asks == Some(Asks::Load(entry.key.clone()));
    if asks && !is_used {
        return warning_ui(ui, scene, draft, entry);
    }
    ui.horizontal_wrapped(|ui| {
        let mut button = Button::new(if is_used { "In use" } else { "Use" });
        button.is_primary = !is_used;
        button.is_disabled = is_used;
        if button.show(ui, 32.0).clicked() {
            use_it(scene, draft, entry);
        }
        let looks = Button::new("Look inside").show(ui, 32.0);
        if looks
            .on_hover_text("loads it, and shows what is in its files")
            .clicked()
        {
            if !is_used {
                scene.send(Command::Model(entry.load.clone()));
            }
            scene.send(Command::Go(Spot::at(Place::View(View::Weights), None)));
        }
    });
    ui.add_space(space::MEDIUM);
}

/// It will not fit: said before it is tried.
fn warning_ui(ui: &mut Ui, scene: &mut Scene<'_>, draft: &mut Draft, entry: &Entry) {
    let palette = Palette::of(ui);
    let need = entry.need().map(units::bytes).unwrap_or_default();
    let free = entry.memory.and_then(|memory| memory.free_bytes);
    let free = free.map(units::bytes).unwrap_or_default();
    let told = format!(
        "It needs {need}, and {free} are free. Loading it is likely to be refused; the model in use stays then. A shorter \
         context or a smaller model would fit."
    );
    ui.add(Label::new(Type::Body.text(told, palette.bad)).wrap());
    ui.horizontal(|ui| {
        if Button::new("Load it anyway").show(ui, 32.0).clicked() {
            use_it(scene, draft, entry);
        }
        if Button::new("Leave it").show(ui, 32.0).clicked() {
            draft.asks = None;
        }
    });
    ui.add_space(space::MEDIUM);
}

/// The memory it needs, with the context as a slider.
fn memory_ui(ui: &mut Ui, scene: &mut Scene<'_>, entry: &Entry) {
    let palette = Palette::of(ui);
    let Some(memory) = entry.memory else {
        return;
    };
    let label = caption(ui, "Memory with a context of");
    let longest = entry.context.unwrap_or(LONGEST).max(SHORTEST + 1);
    let mut chosen = scene.shelf.n_positions.clamp(SHORTEST, longest);
    ui.spacing_mut().slider_width = ui.available_width() - 8.0;
    let slider = Slider::new(&mut chosen, SHORTEST..=longest).logarithmic(true);
    let slider = ui
        .add(slider.show_value(false).trailing_fill(true))
        .labelled_by(label.id);
    if slider.changed() {
        // Round numbers are easier to compare.
        let round = (chosen + 128) / 256 * 256;
        let n_positions = round.clamp(SHORTEST, longest);
        scene.send(Command::Shelf(ShelfCommand::List(n_positions)));
    }
    ui.horizontal(|ui| {
        let positions = format!("{} tokens", units::count(memory.n_positions as u64));
        ui.label(Type::Mono.text(positions, palette.text));
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            ui.label(Type::Mono.text(units::bytes(memory.total_bytes()), palette.text));
        });
    });
    let (rect, _) =
        ui.allocate_exact_size(egui::vec2(ui.available_width(), 7.0), egui::Sense::hover());
    let all = scene.shelf.list.as_ref().and_then(|list| list.memory_bytes);
    let all = all.or(memory.free_bytes).unwrap_or(1).max(1);
    let share = memory.total_bytes() as f32 / all as f32;
    bar(ui, rect, share, fit_colour(palette, memory.fit));
    note_ui(ui, &made_of(&memory));
    let (told, colour) = fit_told(palette, &memory);
    ui.add(Label::new(Type::Body.text(told, colour)).wrap());
    ui.add_space(space::MEDIUM);
}

/// `weights 278 MB, KV cache 101 MB, computing 12 MB`.
fn made_of(memory: &MemoryNote) -> String {
    let mut parts = vec![
        format!("weights {}", units::bytes(memory.weight_bytes)),
        format!("KV cache {}", units::bytes(memory.cache_bytes)),
    ];
    if memory.work_bytes > 0 {
        parts.push(format!("computing {}", units::bytes(memory.work_bytes)));
    }
    parts.join(", ")
}

fn fit_told(palette: &Palette, memory: &MemoryNote) -> (String, egui::Color32) {
    let free = memory.free_bytes.map(units::bytes).unwrap_or_default();
    match memory.fit {
        Fit::Fits => (format!("It fits: {free} are free."), palette.good),
        Fit::Tight => (
            format!(
                "It will be tight: {free} are free. Close other programs, or choose a shorter context."
            ),
            fit_colour(palette, memory.fit),
        ),
        Fit::TooLarge => (
            format!(
                "It does not fit: {free} are free. Choose a shorter context or a smaller model."
            ),
            palette.bad,
        ),
        Fit::Unknown => (
            "The system does not say how much memory is free.".to_owned(),
            palette.muted,
        ),
    }
}

/// How fast it can be here, from the bytes it reads for a token.
fn speed_ui(ui: &mut Ui, scene: &mut Scene<'_>, draft: &mut Draft, entry: &Entry) {
    let palette = Palette::of(ui);
    let Some(weights) = entry.memory.map(|memory| memory.weight_bytes) else {
        return;
    };
    caption(ui, "Expected here");
    if !draft.wants_speed {
        let button = text_button(ui, "Measure this machine");
        let told = "reads memory for about a second, to tell how fast models can be at most";
        draft.wants_speed = button.on_hover_text(told).clicked();
        ui.add_space(space::MEDIUM);
        return;
    }
    match scene.ask(&Question::Machine) {
        Asked::Ready(told) => {
            if let Told::Machine(machine) = &*told
                && let Some(bandwidth) = machine.bytes_per_second
            {
                let rate = units::tokens_per_second(ceiling(bandwidth, weights));
                ui.label(Type::Mono.text(format!("at most {rate}"), palette.text));
                let each = units::bytes(weights);
                let speed = units::bytes_per_second(bandwidth);
                note_ui(
                    ui,
                    &format!("{each} of weights for each token, at this machine's {speed}"),
                );
            } else {
                note_ui(ui, "There is not enough free memory to measure with.");
            }
        }
        Asked::Waiting => note_ui(ui, "Measuring …"),
        Asked::Failed(why) => note_ui(ui, &why),
    }
    ui.add_space(space::MEDIUM);
}

/// Where it lies.
fn place_ui(ui: &mut Ui, scene: &mut Scene<'_>, entry: &Entry) {
    let palette = Palette::of(ui);
    let folder = match &entry.place {
        ModelPlace::Here { folder, .. } | ModelPlace::Partial { folder, .. } => folder,
        ModelPlace::Embedded => {
            caption(ui, "Where it lies");
            note_ui(ui, "Inside the program.");
            ui.add_space(space::MEDIUM);
            return;
        }
        ModelPlace::Hub => return,
    };
    caption(ui, "Where it lies");
    let path = folder.display().to_string();
    ui.add(Label::new(Type::MonoSmall.text(&path, palette.text)).wrap());
    if let ModelPlace::Partial { why, .. } = &entry.place {
        note_ui(ui, &format!("Part of it: {}.", why.trim_end_matches('.')));
    }
    if text_button(ui, "Copy the path").clicked() {
        scene.send(Command::Copy(path));
    }
    ui.add_space(space::MEDIUM);
}

/// A name of one's own.
fn name_ui(ui: &mut Ui, scene: &mut Scene<'_>, draft: &mut Draft, entry: &Entry) {
    if entry.is_own {
        let forget = format!("Forget the name {}", entry.key);
        if text_button(ui, &forget).clicked() {
            let (name, target) = (entry.key.clone(), None);
            scene.send(Command::Shelf(ShelfCommand::Name { name, target }));
        }
        ui.add_space(space::MEDIUM);
        return;
    }
    if entry.place == ModelPlace::Embedded {
        return;
    }
    caption(ui, "A name of your own");
    ui.horizontal(|ui| {
        let width = (ui.available_width() - 76.0).max(80.0);
        let field = field_ui(ui, "a name of your own", "work", &mut draft.name, width);
        let mut button = Button::new("Give it");
        let name = draft.name.trim().to_owned();
        button.is_disabled = name.is_empty();
        let entered = field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
        let clicked = button.show(ui, space::TARGET).clicked();
        if (clicked || entered) && !name.is_empty() {
            draft.name.clear();
            let target = Some(entry.load.clone());
            scene.send(Command::Shelf(ShelfCommand::Name { name, target }));
        }
    });
    ui.add_space(space::MEDIUM);
}
