//! What can be done with a conversation of the list: rename, pin, copy, export, delete.

use std::path::PathBuf;

use egui::{TextEdit, Ui};

use super::list::ListPage;
use super::{ChatCommand, ExportForm};
use crate::chat::Summary;
use crate::ui::controls::{Button, caption, name_field};
use crate::ui::picture::Scene;
use crate::ui::theme::{Palette, Type, space};

/// Draws the menu of a row.
pub(super) fn menu_ui(ui: &mut Ui, scene: &mut Scene<'_>, page: &mut ListPage, summary: &Summary) {
    ui.set_min_width(260.0);
    let id = || summary.id.clone();
    let pin = match summary.is_pinned {
        true => "Unpin",
        false => "Pin to the top",
    };
    if entry(ui, "Rename") {
        page.renaming = Some((id(), summary.title.clone()));
    }
    if entry(ui, pin) {
        scene.tell_chat(ChatCommand::Pin(id(), !summary.is_pinned));
    }
    if entry(ui, "Duplicate") {
        scene.tell_chat(ChatCommand::Duplicate(id()));
    }
    ui.separator();
    export_ui(ui, scene, page, summary);
    ui.separator();
    if entry(ui, "Delete conversation") {
        scene.tell_chat(ChatCommand::Remove(id()));
    }
}

fn entry(ui: &mut Ui, label: &str) -> bool {
    let clicked = ui.selectable_label(false, label).clicked();
    if clicked {
        ui.close();
    }
    clicked
}

/// Where the file goes, and in which form.
fn export_ui(ui: &mut Ui, scene: &mut Scene<'_>, page: &mut ListPage, summary: &Summary) {
    caption(ui, "Export into this folder");
    folder_ui(ui, page, "Folder for the export");
    ui.horizontal(|ui| {
        for (label, form) in [
            ("Markdown", ExportForm::Markdown),
            ("JSON", ExportForm::Json),
        ] {
            if Button::new(label).show(ui, 26.0).clicked() {
                let name = format!("{}.{}", file_name(&summary.title), form.ending());
                let path = PathBuf::from(page.path.trim()).join(name);
                scene.tell_chat(ChatCommand::Export(summary.id.clone(), form, path));
                ui.close();
            }
        }
    });
    let told = "Markdown to read; JSON has every branch, token and draw, and can be imported.";
    ui.label(Type::Small.text(told, Palette::of(ui).muted));
}

/// A file that was exported as JSON is brought in.
pub(super) fn import_ui(ui: &mut Ui, scene: &mut Scene<'_>, page: &mut ListPage) {
    ui.set_min_width(280.0);
    caption(ui, "A file that was exported as JSON");
    folder_ui(ui, page, "File to import");
    let path = page.path.trim().to_owned();
    let mut import = Button::new("Import");
    import.is_disabled = !path.to_lowercase().ends_with(".json");
    if import.show(ui, 26.0).clicked() {
        scene.tell_chat(ChatCommand::Import(PathBuf::from(path)));
        ui.close();
    }
}

fn folder_ui(ui: &mut Ui, page: &mut ListPage, name: &str) {
    if page.path.is_empty() {
        let folders = directories::UserDirs::new();
        let downloads = folders.as_ref().and_then(|folders| folders.download_dir());
        let home = folders.as_ref().map(directories::UserDirs::home_dir);
        let folder = downloads.or(home);
        page.path = folder.map_or(String::new(), |folder| folder.display().to_string());
    }
    let field = TextEdit::singleline(&mut page.path)
        .align(egui::Align2::LEFT_CENTER)
        .margin(egui::Margin::symmetric(8, 4))
        .desired_width(f32::INFINITY);
    let field = ui.add(field);
    name_field(&field, &page.path, name);
}

/// A title as the name of a file.
fn file_name(title: &str) -> String {
    let plain = |letter: char| match letter {
        letter if letter.is_alphanumeric() || " -_".contains(letter) => letter,
        _ => ' ',
    };
    let name: String = title.chars().map(plain).take(60).collect();
    let name: Vec<&str> = name.split_whitespace().collect();
    match name.is_empty() {
        true => "conversation".to_owned(),
        false => name.join(" "),
    }
}

/// The field of a conversation that is being renamed, in place of its row. Returns whether it is.
pub(super) fn renaming_ui(
    ui: &mut Ui,
    scene: &mut Scene<'_>,
    page: &mut ListPage,
    summary: &Summary,
) -> bool {
    let Some((id, title)) = &mut page.renaming else {
        return false;
    };
    if *id != summary.id {
        return false;
    }
    let field = TextEdit::singleline(title)
        .align(egui::Align2::LEFT_CENTER)
        .desired_width(f32::INFINITY);
    let field = ui.add(field);
    name_field(&field, &*title, "Title of the conversation");
    if field.lost_focus() {
        let command = ChatCommand::Rename(id.clone(), title.clone());
        page.renaming = None;
        scene.tell_chat(command);
    } else if !field.has_focus() {
        field.request_focus();
    }
    ui.add_space(space::TINY);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_becomes_a_name_that_any_system_takes() {
        assert_eq!(
            file_name("What is 7/5?  Über \"Käse\""),
            "What is 7 5 Über Käse"
        );
        assert_eq!(file_name("../.."), "conversation");
    }
}
