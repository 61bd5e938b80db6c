//! Sharing: the run as a file or a page, the picture, its values, the view as a line; and opening
//! what was shared.

use std::path::PathBuf;

use egui::Ui;

use super::title_ui;
use crate::trace::file::Precision;
use crate::trace::{Place, units};
use crate::ui::command::Command;
use crate::ui::controls::{Button, caption, paragraph, segmented};
use crate::ui::picture::Scene;
use crate::ui::share::{HookGroup, RunChoice, Share};
use crate::ui::theme::{Palette, Type, space};
use crate::ui::view_line::ViewLine;

const TABS: [&str; 6] = ["Run", "Page", "Picture", "Values", "View", "Open"];

/// Height of what is under the tabs.
const HEIGHT: f32 = 440.0;

/// What was typed and chosen, while the program runs.
#[derive(Debug, Clone)]
struct Draft {
    tab: usize,
    choice: RunChoice,
    /// The file of each tab that writes one.
    paths: [String; 4],
    picture: usize,
    values: usize,
    address: String,
    line: String,
    open: String,
    /// A file that is there already: the next press writes over it.
    over: Option<PathBuf>,
}

/// The next time the sheet opens, it is at the picture.
pub fn share_the_picture(ctx: &egui::Context) {
    let picture = TABS.iter().position(|tab| *tab == "Picture");
    ctx.data_mut(|data| data.insert_temp(wished_tab(), picture.unwrap_or_default()));
}

fn wished_tab() -> egui::Id {
    egui::Id::unique("share-tab")
}

/// Draws the sheet.
pub fn share_ui(ui: &mut Ui, scene: &mut Scene<'_>) {
    let id = egui::Id::unique("share-draft");
    let stored: Option<Draft> = ui.data(|data| data.get_temp(id));
    let mut draft = stored.unwrap_or_else(new_draft);
    let wished = ui.data_mut(|data| data.remove_temp::<usize>(wished_tab()));
    draft.tab = wished.unwrap_or(draft.tab);
    ui.set_width(560.0_f32.min(ui.ctx().content_rect().width() - 80.0));
    title_ui(ui, scene, "Share");
    // As high as the highest tab, so that nothing moves when another one opens.
    let height = HEIGHT.min(ui.ctx().content_rect().height() - 140.0);
    if let Some(tab) = segmented(ui, "what to share", &TABS, draft.tab) {
        draft.tab = tab;
        draft.over = None;
    }
    ui.add_space(space::SMALL);
    let scroll = egui::ScrollArea::vertical().auto_shrink([false, false]);
    scroll.max_height(height).show(ui, |ui| match draft.tab {
        0 => run_ui(ui, scene, &mut draft),
        1 => page_ui(ui, scene, &mut draft),
        2 => picture_ui(ui, scene, &mut draft),
        3 => values_ui(ui, scene, &mut draft),
        4 => view_ui(ui, scene, &mut draft),
        _ => open_ui(ui, scene, &mut draft),
    });
    ui.data_mut(|data| data.insert_temp(id, draft));
}

fn new_draft() -> Draft {
    let folder = directories::UserDirs::new().map(|folders| {
        let downloads = folders.download_dir().filter(|folder| folder.is_dir());
        downloads.unwrap_or(folders.home_dir()).to_owned()
    });
    let folder = folder.unwrap_or_else(|| PathBuf::from("."));
    let file = |name: &str| folder.join(name).display().to_string();
    Draft {
        tab: 0,
        choice: RunChoice::default(),
        paths: [
            file("run.safetensors"),
            file("run.html"),
            file("picture.png"),
            file("values.csv"),
        ],
        picture: 0,
        values: 0,
        address: String::new(),
        line: String::new(),
        open: String::new(),
        over: None,
    }
}

fn run_ui(ui: &mut Ui, scene: &mut Scene<'_>, draft: &mut Draft) {
    let palette = Palette::of(ui);
    paragraph(
        ui,
        "One file with what this run computed. It opens here without the model, and in Python with safetensors.numpy.load_file.",
    );
    ui.add_space(space::TINY);
    caption(ui, "What it keeps");
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        // An empty box is seen by its edge alone.
        ui.visuals_mut().widgets.inactive.bg_stroke = egui::Stroke::new(1.0, palette.muted);
        for (group, is_kept) in HookGroup::ALL.into_iter().zip(&mut draft.choice.groups) {
            ui.checkbox(is_kept, Type::Body.text(group.name(), palette.text));
        }
    });
    caption(ui, "How exactly");
    let precisions = ["Exact, 32 bits", "Half the size, 16 bits"];
    let chosen = usize::from(draft.choice.precision == Precision::F16);
    if let Some(chosen) = segmented(ui, "precision", &precisions, chosen) {
        draft.choice.precision = match chosen {
            0 => Precision::F32,
            _ => Precision::F16,
        };
    }
    ui.add_space(space::TINY);
    let size = size_told(scene, &draft.choice);
    ui.label(Type::Strong.text(size, palette.text));
    let Some(path) = save_ui(ui, draft, 0, "Save the run", &["safetensors"]) else {
        return;
    };
    let hooks = draft.choice.hooks(scene.facts);
    let precision = draft.choice.precision;
    send(
        scene,
        Share::SaveRun {
            path,
            hooks,
            precision,
        },
    );
}

/// How large the file will be: values, and the notes beside them.
fn size_told(scene: &Scene<'_>, choice: &RunChoice) -> String {
    let values = choice.n_bytes(scene.facts, &scene.run.passes);
    let notes = choice.notes_bytes(scene.facts, scene.run);
    let (all, values) = (units::bytes(values + notes), units::bytes(values));
    let n_passes = scene.run.passes.len();
    let passes = if n_passes == 1 { "pass" } else { "passes" };
    match scene.view.recorded {
        // What was not recorded cannot be kept.
        Some(_) => format!("At most about {all}: {n_passes} {passes}."),
        None if scene.run.passes.iter().all(|pass| pass.executed.is_empty()) => {
            "Nothing has been computed yet: the file would hold the prompt alone. Step first."
                .into()
        }
        None => {
            format!("About {all}: {values} of values of {n_passes} {passes}, and notes on them.")
        }
    }
}

fn page_ui(ui: &mut Ui, scene: &mut Scene<'_>, draft: &mut Draft) {
    paragraph(
        ui,
        "One HTML file that opens in any browser and needs no network: the stages of this run, to step through, with their numbers.",
    );
    if let Some(path) = save_ui(ui, draft, 1, "Save the page", &["html"]) {
        send(scene, Share::SavePage(path));
    }
}

fn picture_ui(ui: &mut Ui, scene: &mut Scene<'_>, draft: &mut Draft) {
    paragraph(ui, "The picture on view, with its heading and its formula.");
    let kinds = ["PNG, as on screen", "SVG, with its text"];
    if let Some(kind) = segmented(ui, "kind of picture", &kinds, draft.picture) {
        draft.picture = kind;
        set_ending(&mut draft.paths[2], if kind == 0 { "png" } else { "svg" });
    }
    let kinds: &[&str] = match draft.picture {
        0 => &["png", "svg"],
        _ => &["svg", "png"],
    };
    if let Some(path) = save_ui(ui, draft, 2, "Save the picture", kinds) {
        send(scene, Share::SavePicture(path));
    }
}

fn values_ui(ui: &mut Ui, scene: &mut Scene<'_>, draft: &mut Draft) {
    let palette = Palette::of(ui);
    paragraph(
        ui,
        "The values at a hook, or a part of them: [head, position] after the name picks one row, [:, 0..3] a slice.",
    );
    if draft.address.is_empty() {
        draft.address = address_on_view(scene);
    }
    let label = caption(ui, "Where");
    let field = egui::TextEdit::singleline(&mut draft.address).desired_width(f32::INFINITY);
    ui.add(field).labelled_by(label.id);
    let kinds = ["CSV, a table", "npy, for NumPy"];
    if let Some(kind) = segmented(ui, "kind of values", &kinds, draft.values) {
        draft.values = kind;
        set_ending(&mut draft.paths[3], if kind == 0 { "csv" } else { "npy" });
    }
    let kinds: &[&str] = match draft.values {
        0 => &["csv", "npy"],
        _ => &["npy", "csv"],
    };
    let part = draft.address.parse::<crate::trace::Part>();
    if let Err(error) = &part {
        ui.add(egui::Label::new(Type::Small.text(error.to_string(), palette.bad)).wrap());
    }
    if let (Some(path), Ok(part)) = (save_ui(ui, draft, 3, "Save the values", kinds), part) {
        send(scene, Share::SaveValues { path, part });
    }
}

/// The values of the picture on view, if it has any.
fn address_on_view(scene: &Scene<'_>) -> String {
    let spot = &scene.view.spot.address;
    match (scene.view.cell(), spot.place) {
        (Some(cell), _) => {
            let mut whole = cell.clone();
            whole.index.clear();
            whole.to_string()
        }
        (None, Place::View(_)) => "hook_embed".to_owned(),
        (None, _) => spot.to_string(),
    }
}

fn view_ui(ui: &mut Ui, scene: &mut Scene<'_>, draft: &mut Draft) {
    let palette = Palette::of(ui);
    paragraph(
        ui,
        "This view as one line: model, prompt and place. Paste it into another window, or give it to vitrine open.",
    );
    let line = view_line(scene).to_string();
    ui.add(egui::Label::new(Type::MonoSmall.text(&line, palette.text)).wrap());
    if Button::new("Copy this view")
        .show(ui, space::TARGET)
        .clicked()
    {
        scene.send(Command::Copy(line));
    }
    ui.add_space(space::SMALL);
    let label = caption(ui, "Go to: a view, or an address alone");
    let field = egui::TextEdit::singleline(&mut draft.line)
        .desired_width(f32::INFINITY)
        .hint_text("blocks.2.attn.hook_pattern[3, 10, 9]");
    let field = ui.add(field).labelled_by(label.id);
    let enter = field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
    let mut go = Button::new("Go there");
    go.is_primary = true;
    let is_go = go.show(ui, space::TARGET).clicked() || enter;
    if draft.line.trim().is_empty() {
        return;
    }
    match draft.line.parse::<ViewLine>() {
        Ok(line) if is_go => {
            draft.line.clear();
            send(scene, Share::OpenView(Box::new(line)));
        }
        Ok(_) => {}
        Err(error) => {
            ui.add(egui::Label::new(Type::Small.text(error.to_string(), palette.bad)).wrap());
        }
    }
}

/// The view that is open.
#[must_use]
pub fn view_line(scene: &Scene<'_>) -> ViewLine {
    let view = scene.view;
    let mut spot = view.spot.clone();
    if let (Some(cell), true) = (&view.locked, spot.address.index.is_empty()) {
        let is_here = cell.place == spot.address.place && cell.pass == spot.address.pass;
        if is_here {
            spot.address = cell.clone();
        }
    }
    spot.tab = spot.tab.or_else(|| view.open_tab_name());
    let n_passes = scene.run.passes.len();
    ViewLine {
        model: Some(scene.facts.name.clone()).filter(|name| !name.is_empty()),
        prompt: Some(scene.settings.prompt.clone()),
        spot: Some(spot),
        head: Some(view.head),
        pos: Some(view.token),
        key: view.key,
        steps: Some(n_passes).filter(|n| *n > 1),
    }
}

fn open_ui(ui: &mut Ui, scene: &mut Scene<'_>, draft: &mut Draft) {
    let palette = Palette::of(ui);
    paragraph(
        ui,
        "A recorded run is explored like a live one, without its model; what was not recorded is marked. Drag a file into the window, or name it here.",
    );
    if let Some(path) = path_ui(ui, &mut draft.open, "Open the run") {
        send(scene, Share::OpenRun(path));
    }
    let recent = scene.settings.recent.clone();
    if recent.is_empty() {
        return;
    }
    ui.add_space(space::SMALL);
    caption(ui, "Opened last");
    for path in recent {
        let name = path
            .file_name()
            .unwrap_or(path.as_os_str())
            .to_string_lossy();
        ui.horizontal(|ui| {
            let button = Button::new(&name).show(ui, space::TARGET);
            if button.clicked() {
                send(scene, Share::OpenRun(path.clone()));
            }
            let folder = path.parent().map(|folder| folder.display().to_string());
            let folder = Type::Small.text(folder.unwrap_or_default(), palette.muted);
            ui.add(egui::Label::new(folder).truncate());
        });
    }
}

/// A field for the file of tab `tab`, and a button; the file, when the button is pressed. It gets
/// the first of `endings` where it has none of them. One that is there already takes a second press.
fn save_ui(
    ui: &mut Ui,
    draft: &mut Draft,
    tab: usize,
    does: &str,
    endings: &[&str],
) -> Option<PathBuf> {
    let over = draft.over.as_ref().and_then(|path| path.file_name());
    let does = match over {
        Some(name) => format!("Overwrite {}", name.to_string_lossy()),
        None => does.to_owned(),
    };
    let before = draft.paths.get(tab).cloned();
    let pressed = path_ui(ui, draft.paths.get_mut(tab)?, &does);
    if draft.paths.get(tab) != before.as_ref() {
        draft.over = None;
    }
    let path = with_ending(pressed?, endings);
    if path.exists() && draft.over.as_ref() != Some(&path) {
        draft.over = Some(path);
        return None;
    }
    draft.over = None;
    Some(path)
}

/// The file with the first of `endings`, where it has none of them.
fn with_ending(path: PathBuf, endings: &[&str]) -> PathBuf {
    let is_one = |ending: &&str| {
        let own = path.extension();
        own.is_some_and(|own| own.eq_ignore_ascii_case(ending))
    };
    match endings.first() {
        Some(ending) if !endings.iter().any(is_one) => {
            let mut name = path.into_os_string();
            name.push(".");
            name.push(ending);
            name.into()
        }
        _ => path,
    }
}

/// A field for a file and a button; the file, when the button is pressed.
fn path_ui(ui: &mut Ui, path: &mut String, does: &str) -> Option<PathBuf> {
    ui.add_space(space::TINY);
    let label = caption(ui, "File");
    let field = egui::TextEdit::singleline(path).desired_width(f32::INFINITY);
    let field = ui.add(field).labelled_by(label.id);
    let enter = field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
    ui.add_space(space::TINY);
    let mut button = Button::new(does);
    button.is_primary = true;
    button.is_disabled = path.trim().is_empty();
    let is_pressed = button.show(ui, 32.0).clicked() || enter;
    (is_pressed && !path.trim().is_empty()).then(|| PathBuf::from(path.trim()))
}

fn set_ending(path: &mut String, ending: &str) {
    *path = PathBuf::from(&*path)
        .with_extension(ending)
        .display()
        .to_string();
}

/// The wish goes out and the sheet closes.
fn send(scene: &mut Scene<'_>, wish: Share) {
    scene.send(Command::Overlay(None));
    scene.send(Command::Share(wish));
}
