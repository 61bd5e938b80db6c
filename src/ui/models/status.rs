//! The end of a row: what can be done with a model now, or what it is doing.

use std::time::Duration;

use egui::{Response, Ui, WidgetInfo};

use super::{Asks, Download, DownloadState, Draft, Entry, ShelfCommand};
use crate::hub::message::{DownloadProgress, Fit, ModelPlace};
use crate::trace::units;
use crate::ui::command::Command;
use crate::ui::controls::Button;
use crate::ui::icons::Icon;
use crate::ui::picture::Scene;
use crate::ui::theme::{Palette, Role, Type, space};

/// Draws it, from right to left.
pub(super) fn status_ui(ui: &mut Ui, scene: &mut Scene<'_>, draft: &mut Draft, entry: &Entry) {
    let palette = Palette::of(ui);
    let id = entry.id.clone().unwrap_or_default();
    if let Some(download) = scene.shelf.downloads.get(&id).cloned() {
        return download_ui(ui, scene, entry, &id, &download);
    }
    if scene.shelf.loading.as_ref() == Some(&entry.load) {
        ui.label(Type::Body.text("loading …", palette.muted));
    } else if is_in_use(scene, entry) {
        ui.label(Type::Body.text("✓ in use", palette.good));
    } else if entry.is_here() {
        here_ui(ui, scene, draft, entry);
    } else {
        let label = match entry.place {
            ModelPlace::Partial { .. } => "Go on",
            _ => "Get",
        };
        if named(Button::new(label), ui, &format!("{label} {}", entry.key)).clicked() {
            choose(scene, entry);
            scene.send(Command::Shelf(ShelfCommand::Pull(id)));
        }
        remark_ui(ui, entry);
    }
}

/// Whether the explorer's model is this one.
pub(super) fn is_in_use(scene: &Scene<'_>, entry: &Entry) -> bool {
    entry.is_called(&scene.facts.name)
}

fn here_ui(ui: &mut Ui, scene: &mut Scene<'_>, draft: &mut Draft, entry: &Entry) {
    let palette = Palette::of(ui);
    if entry.cannot_run.is_some() {
        ui.label(Type::Body.text("cannot run yet", palette.muted));
        return;
    }
    if named(Button::new("Use"), ui, &format!("Use {}", entry.key)).clicked() {
        choose(scene, entry);
        use_it(scene, draft, entry);
    }
    match entry.fit {
        Fit::Tight | Fit::TooLarge => remark_ui(ui, entry),
        Fit::Fits | Fit::Unknown => {
            ui.label(Type::Body.text("✓ ready", palette.good));
        }
    }
}

/// Loads a model; one that will not fit after a second click.
pub(super) fn use_it(scene: &mut Scene<'_>, draft: &mut Draft, entry: &Entry) {
    let asks = Asks::Load(entry.key.clone());
    if entry.fit == Fit::TooLarge && draft.asks.as_ref() != Some(&asks) {
        draft.asks = Some(asks);
        return;
    }
    draft.asks = None;
    scene.send(Command::Model(entry.load.clone()));
}

fn choose(scene: &mut Scene<'_>, entry: &Entry) {
    scene.send(Command::Shelf(ShelfCommand::Choose(entry.key.clone())));
}

/// What speaks against it; of a model that is known from the hub alone, also what speaks for it.
fn remark_ui(ui: &mut Ui, entry: &Entry) {
    let palette = Palette::of(ui);
    let is_found = entry.memory.is_none() && !entry.is_here();
    let (fits, colour) = match entry.fit {
        Fit::TooLarge => ("does not fit", palette.bad),
        Fit::Tight => ("will be tight", palette.role(Role::Logits)),
        Fit::Fits if is_found => ("fits", palette.good),
        Fit::Fits | Fit::Unknown => ("", palette.good),
    };
    let (runs, colour) = match (&entry.cannot_run, &entry.family) {
        (Some(_), _) => ("cannot run yet", palette.muted),
        (None, Some(_)) if is_found => ("runs here", colour),
        (None, _) => ("", colour),
    };
    // What cannot run need not fit.
    let fits = if entry.cannot_run.is_some() { "" } else { fits };
    let badges = [runs, fits].into_iter();
    let badges: Vec<&str> = badges.filter(|badge| !badge.is_empty()).collect();
    if badges.is_empty() {
        return;
    }
    let label = egui::Label::new(Type::Body.text(badges.join(", "), colour));
    let shown = ui.add(label.truncate());
    if let Some(why) = &entry.cannot_run {
        shown.on_hover_text(why);
    }
}

/// What a download does, and what can be done with it.
fn download_ui(ui: &mut Ui, scene: &mut Scene<'_>, entry: &Entry, id: &str, download: &Download) {
    let palette = Palette::of(ui);
    let key = &entry.key;
    let pull = Command::Shelf(ShelfCommand::Pull(id.to_owned()));
    if download.is_under_way() {
        let stop = Button::icon(Icon::Close, "Stop");
        if named(stop, ui, &format!("Stop getting {key}")).clicked() {
            scene.send(Command::Shelf(ShelfCommand::Stop(id.to_owned())));
        }
    }
    let (label, command) = match &download.state {
        DownloadState::Begun | DownloadState::Running => {
            ("Pause", Command::Shelf(ShelfCommand::Pause(id.to_owned())))
        }
        DownloadState::Paused | DownloadState::Stopped => ("Go on", pull),
        DownloadState::Failed(_) => ("Try again", pull),
    };
    if named(Button::new(label), ui, &format!("{label} {key}")).clicked() {
        choose(scene, entry);
        scene.send(command);
    }
    let colour = match download.state {
        DownloadState::Failed(_) => palette.bad,
        _ => palette.muted,
    };
    let told = Type::Body.text(short_state(download), colour);
    ui.add(egui::Label::new(told).truncate());
}

/// `62 % · 35 s left`.
fn short_state(download: &Download) -> String {
    let share = format!("{:.0} %", download.share() * 100.0);
    let progress = download.progress.as_ref();
    match &download.state {
        DownloadState::Begun => "asking the hub …".to_owned(),
        DownloadState::Running => match progress.and_then(time_left) {
            Some(left) => format!("{share} · {left} left"),
            None => share,
        },
        DownloadState::Paused => format!("paused at {share}"),
        DownloadState::Stopped => format!("stopped at {share}"),
        DownloadState::Failed(_) => "failed".to_owned(),
    }
}

/// `35 s`, where it can be told.
pub(super) fn time_left(progress: &DownloadProgress) -> Option<String> {
    let secs = progress.left_s?.round();
    let left = Duration::try_from_secs_f64(secs).ok()?;
    Some(units::duration(left))
}

/// A button that is called `name` for those who hear the window: which of many equal ones it is.
pub(super) fn named(button: Button<'_>, ui: &mut Ui, name: &str) -> Response {
    let response = button.show(ui, space::TARGET);
    response.widget_info(|| WidgetInfo::labeled(egui::Role::Button, true, name));
    response
}
