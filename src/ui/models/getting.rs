//! Getting a model: what will be fetched, and how far a download is, file by file.

use egui::{Label, Ui};

use super::status::time_left;
use super::table::{bar, sentence};
use super::{Download, DownloadState, Entry, ShelfCommand};
use crate::hub::message::{DownloadPlan, DownloadProgress, FileProgress, FileState, ModelPlace};
use crate::trace::units;
use crate::ui::command::Command;
use crate::ui::controls::{Button, caption, text_button};
use crate::ui::picture::Scene;
use crate::ui::pictures::kit::note_ui;
use crate::ui::theme::{Palette, Type, space};

/// Draws the download of a model, or the way to begin one.
pub(super) fn getting_ui(ui: &mut Ui, scene: &mut Scene<'_>, entry: &Entry) {
    let Some(id) = entry.id.clone() else {
        return;
    };
    if let Some(why) = scene.shelf.failures.get(&id).cloned() {
        told_ui(ui, &sentence(&why), Palette::of(ui).bad);
    }
    if let Some(download) = scene.shelf.downloads.get(&id).cloned() {
        download_ui(ui, scene, &id, &download);
        ui.add_space(space::MEDIUM);
    } else if !entry.is_here() {
        offer_ui(ui, scene, entry, &id);
        ui.add_space(space::MEDIUM);
    }
}

/// What there would be to fetch.
fn offer_ui(ui: &mut Ui, scene: &mut Scene<'_>, entry: &Entry, id: &str) {
    let plan = scene.shelf.plans.get(id).cloned();
    let size = match &plan {
        Some(plan) => units::bytes(plan.missing_bytes),
        None if entry.bytes > 0 => format!("about {}", units::bytes(entry.bytes)),
        None => "its files".to_owned(),
    };
    let label = match entry.place {
        ModelPlace::Partial { .. } => "Go on with the download".to_owned(),
        _ => format!("Get {size}"),
    };
    let mut get = Button::new(&label);
    get.is_primary = entry.cannot_run.is_none();
    if get.show(ui, 32.0).clicked() {
        scene.send(Command::Shelf(ShelfCommand::Pull(id.to_owned())));
    }
    if scene.shelf.is_offline {
        note_ui(
            ui,
            "The network is switched off by HF_HUB_OFFLINE. Models that are here just work.",
        );
        return;
    }
    match plan {
        Some(plan) => plan_ui(ui, &plan),
        None => {
            if text_button(ui, "What would be fetched?").clicked() {
                scene.send(Command::Shelf(ShelfCommand::LookUp(id.to_owned())));
            }
        }
    }
}

/// Every file with its size, before anything is fetched.
fn plan_ui(ui: &mut Ui, plan: &DownloadPlan) {
    let missing = units::bytes(plan.missing_bytes);
    let free = plan.free_bytes.map(units::bytes);
    let free = free.map_or(String::new(), |free| {
        format!(", {free} are free on the disk")
    });
    note_ui(ui, &format!("{missing} to fetch{free}"));
    for file in &plan.files {
        let shown = if file.is_here {
            "here".to_owned()
        } else {
            units::bytes(file.bytes)
        };
        line_ui(ui, &file.name, &shown);
    }
}

/// How far a download is, and its controls.
fn download_ui(ui: &mut Ui, scene: &mut Scene<'_>, id: &str, download: &Download) {
    let palette = Palette::of(ui);
    caption(ui, heading(download));
    if let DownloadState::Failed(why) = &download.state {
        told_ui(ui, &sentence(why), palette.bad);
    }
    if let Some(progress) = &download.progress {
        progress_ui(ui, progress, download.state == DownloadState::Running);
    }
    if let Some(notice) = download.notice.as_ref().filter(|_| download.is_under_way()) {
        note_ui(ui, &sentence(notice));
    }
    let send = |scene: &mut Scene<'_>, command| scene.send(Command::Shelf(command));
    ui.horizontal_wrapped(|ui| {
        let (label, command) = match &download.state {
            DownloadState::Begun | DownloadState::Running => {
                ("Pause", ShelfCommand::Pause(id.to_owned()))
            }
            DownloadState::Failed(_) => ("Try again", ShelfCommand::Pull(id.to_owned())),
            _ => ("Go on", ShelfCommand::Pull(id.to_owned())),
        };
        if Button::new(label).show(ui, space::TARGET).clicked() {
            send(scene, command);
        }
        if download.is_under_way() {
            let cancel = Button::new("Cancel").show(ui, space::TARGET);
            if cancel
                .on_hover_text("what has arrived stays, and the next try goes on from there")
                .clicked()
            {
                send(scene, ShelfCommand::Stop(id.to_owned()));
            }
            let discard = Button::new("Throw away").show(ui, space::TARGET);
            if discard
                .on_hover_text("ends it, and removes what has arrived")
                .clicked()
            {
                send(scene, ShelfCommand::Discard(id.to_owned()));
            }
        }
    });
    if let Some(progress) = &download.progress {
        for file in &progress.files {
            file_ui(ui, file);
        }
    }
}

fn heading(download: &Download) -> &'static str {
    match download.state {
        DownloadState::Begun => "Asking the hub what there is …",
        DownloadState::Running => "On its way",
        DownloadState::Paused => "Paused",
        DownloadState::Stopped => "Stopped; what arrived is kept",
        DownloadState::Failed(_) => "The download failed; what arrived is kept",
    }
}

/// All files together.
fn progress_ui(ui: &mut Ui, progress: &DownloadProgress, is_running: bool) {
    let palette = Palette::of(ui);
    let (done, total) = (progress.done_bytes, progress.total_bytes);
    let told = format!("{} of {}", units::bytes(done), units::bytes(total));
    ui.label(Type::Mono.text(told, palette.text));
    let (rect, _) =
        ui.allocate_exact_size(egui::vec2(ui.available_width(), 6.0), egui::Sense::hover());
    bar(ui, rect, done as f32 / total.max(1) as f32, palette.text);
    let speed = progress.bytes_per_s.map(units::bytes_per_second);
    let left = time_left(progress).map(|left| format!("{left} left"));
    let figures: Vec<String> = [speed, left].into_iter().flatten().collect();
    if is_running {
        // Its line is there before the speed is known: the buttons below stay where they are.
        let told = match figures.is_empty() {
            true => "measuring the speed …".to_owned(),
            false => figures.join(" · "),
        };
        note_ui(ui, &told);
    }
}

fn file_ui(ui: &mut Ui, file: &FileProgress) {
    let size = units::bytes(file.bytes);
    let shown = match file.state {
        FileState::Waiting => size,
        FileState::Arriving => {
            let share = file.done_bytes as f64 / file.bytes.max(1) as f64;
            format!("{:.0} % of {size}", share * 100.0)
        }
        FileState::Checking => format!("checking {size}"),
        FileState::Here => format!("✓ {size}"),
    };
    line_ui(ui, &file.name, &shown);
}

/// A name at the left, cut off where there is no room, and what is told of it at the right.
fn line_ui(ui: &mut Ui, name: &str, told: &str) {
    let palette = Palette::of(ui);
    ui.horizontal(|ui| {
        ui.set_height(16.0);
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            ui.label(Type::MonoSmall.text(told, palette.muted));
            ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
                let name = Type::MonoSmall.text(name, palette.text);
                ui.add(Label::new(name).truncate());
            });
        });
    });
}

fn told_ui(ui: &mut Ui, text: &str, colour: egui::Color32) {
    ui.add(Label::new(Type::Body.text(text, colour)).wrap());
    ui.add_space(space::TINY);
}
