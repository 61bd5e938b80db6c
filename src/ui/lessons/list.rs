//! Every lesson, with how far one has come; help, and folders of one's own.

use egui::{Rect, Sense, Ui, WidgetInfo, pos2, vec2};

use super::{Board, Card, LessonCommand};
use crate::ui::command::Command;
use crate::ui::controls::{Button, caption, focus_ring, segmented};
use crate::ui::icons::Icon;
use crate::ui::picture::Scene;
use crate::ui::theme::{Palette, Type, corner, space};

/// Draws the list as a page of its own.
pub fn page_ui(ui: &mut Ui, scene: &mut Scene<'_>, folder: &mut String) {
    let palette = Palette::of(ui);
    let board = scene.board;
    ui.set_max_width(920.0);
    ui.label(Type::Title.text("Lessons", palette.text));
    let n_done = board
        .cards
        .iter()
        .filter(|card| board.is_finished(&card.name))
        .count();
    let minutes: u32 = board.cards.iter().map(|card| card.minutes).sum();
    let told = format!(
        "Short lessons on the model that runs here. {} of them, {minutes} minutes in all, {n_done} finished.",
        board.cards.len()
    );
    ui.add_space(-4.0);
    ui.label(Type::Body.text(told, palette.muted));
    ui.add_space(space::MEDIUM);
    for problem in &board.problems {
        ui.add(egui::Label::new(Type::MonoSmall.text(problem, palette.bad)).wrap());
    }
    for level in levels(board) {
        caption(ui, &sentence_case(level));
        let mut chosen = None;
        let cards: Vec<(usize, &Card)> = (board.cards.iter().enumerate())
            .filter(|(_, card)| card.level == level)
            .collect();
        for (at, card) in cards {
            if wide_row_ui(ui, board, at, card) {
                chosen = Some(card.name.clone());
            }
        }
        ui.add_space(space::MEDIUM);
        if let Some(name) = chosen {
            scene.send(Command::Lesson(LessonCommand::Open(name, None)));
        }
    }
    help_ui(ui, scene);
    ui.add_space(space::SMALL);
    folders_ui(ui, scene, folder);
}

/// The levels, in the order of their first lessons.
fn levels(board: &Board) -> Vec<&str> {
    let mut levels: Vec<&str> = Vec::new();
    for card in &board.cards {
        if !levels.contains(&card.level.as_str()) {
            levels.push(&card.level);
        }
    }
    levels
}

fn sentence_case(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters
        .next()
        .map(|first| first.to_uppercase().collect::<String>());
    first.unwrap_or_default() + letters.as_str()
}

/// How far one has come; nothing, where one has not begun.
fn progress(board: &Board, card: &Card) -> String {
    board.progress.told(&card.name, card.n_questions)
}

/// A lesson in a row of its own. Returns whether it was chosen.
fn wide_row_ui(ui: &mut Ui, board: &Board, at: usize, card: &Card) -> bool {
    let palette = Palette::of(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), 40.0), Sense::click());
    let is_done = board.is_finished(&card.name);
    let label = format!("lesson {}: {}", at + 1, card.title);
    response.widget_info(|| WidgetInfo::selected(egui::Role::Button, true, is_done, &label));
    let painter = ui.painter();
    if response.hovered() || response.has_focus() {
        painter.rect_filled(rect, corner::BUTTON, palette.sunk);
    }
    focus_ring(ui, &response, rect);
    mark_ui(ui, pos2(rect.left() + 18.0, rect.center().y), at, is_done);
    let painter = ui.painter();
    let lay = |text: &str, font: Type, colour| {
        painter.layout_no_wrap(text.to_owned(), font.font(), colour)
    };
    let minutes = lay(
        &format!("{} min", card.minutes),
        Type::MonoSmall,
        palette.muted,
    );
    let colour = if is_done { palette.good } else { palette.muted };
    let done = lay(&progress(board, card), Type::Small, colour);
    let right = rect.right() - 12.0;
    let middle = |galley: &egui::Galley| rect.center().y - galley.size().y / 2.0;
    painter.galley(
        pos2(right - minutes.size().x, middle(&minutes)),
        minutes,
        palette.muted,
    );
    let right = right - 62.0;
    let words_end = right - done.size().x - 14.0;
    painter.galley(pos2(right - done.size().x, middle(&done)), done, colour);
    let title = lay(&card.title, Type::Strong, palette.text);
    let x = rect.left() + 40.0;
    let after = x + title.size().x + 12.0;
    painter.galley(pos2(x, middle(&title)), title, palette.text);
    let room = words_end - after;
    if room > 60.0 {
        let mut job = egui::text::LayoutJob::simple_singleline(
            card.about.clone(),
            Type::Body.font(),
            palette.muted,
        );
        job.wrap = egui::text::TextWrapping::truncate_at_width(room);
        let about = painter.layout_job(job);
        painter.galley(pos2(after, middle(&about)), about, palette.muted);
    }
    response
        .on_hover_cursor(egui::CursorIcon::PointingHand)
        .clicked()
}

/// A tick, or the number of the lesson.
fn mark_ui(ui: &Ui, at: egui::Pos2, number: usize, is_done: bool) {
    let palette = Palette::of(ui);
    if is_done {
        let area = Rect::from_center_size(at, vec2(11.0, 11.0));
        Icon::Tick.paint(ui.painter(), area, palette.good);
        return;
    }
    ui.painter().text(
        at,
        egui::Align2::CENTER_CENTER,
        (number + 1).to_string(),
        Type::MonoSmall.font(),
        palette.muted,
    );
}

/// Draws the list as a column beside a lesson.
pub fn column_ui(ui: &mut Ui, scene: &mut Scene<'_>) {
    let board = scene.board;
    ui.spacing_mut().item_spacing.y = 2.0;
    let open = board.open.as_ref().map(|open| open.card.name.clone());
    let mut chosen = None;
    ui.horizontal(|ui| {
        ui.add_space(14.0);
        if Button::new("All lessons").show(ui, space::TARGET).clicked() {
            scene.commands.push(Command::Lesson(LessonCommand::Close));
        }
    });
    ui.add_space(space::SMALL);
    egui::ScrollArea::vertical()
        .auto_shrink([false, false])
        .show(ui, |ui| {
            for (at, card) in board.cards.iter().enumerate() {
                let is_open = open.as_deref() == Some(card.name.as_str());
                if column_row_ui(ui, board, at, card, is_open) {
                    chosen = Some(card.name.clone());
                }
            }
        });
    if let Some(name) = chosen {
        scene.send(Command::Lesson(LessonCommand::Open(name, None)));
    }
}

fn column_row_ui(ui: &mut Ui, board: &Board, at: usize, card: &Card, is_open: bool) -> bool {
    let palette = Palette::of(ui);
    let width = ui.available_width() - 20.0;
    let font = if is_open { Type::Strong } else { Type::Body };
    let title = ui.painter().layout(
        card.title.clone(),
        font.font(),
        palette.text,
        (width - 36.0).max(60.0),
    );
    let size = vec2(
        ui.available_width(),
        (title.size().y + 12.0).max(space::TARGET),
    );
    let (whole, response) = ui.allocate_exact_size(size, Sense::click());
    let rect = whole.shrink2(vec2(10.0, 0.0));
    let is_done = board.is_finished(&card.name);
    let label = format!("lesson {}: {}", at + 1, card.title);
    response.widget_info(|| WidgetInfo::selected(egui::Role::RadioButton, true, is_open, &label));
    let painter = ui.painter();
    if is_open {
        painter.rect_filled(rect, corner::BUTTON, palette.chosen);
    } else if response.hovered() {
        painter.rect_filled(rect, corner::BUTTON, palette.sunk);
    }
    focus_ring(ui, &response, rect);
    mark_ui(ui, pos2(rect.left() + 13.0, rect.top() + 14.5), at, is_done);
    let place = pos2(rect.left() + 30.0, rect.center().y - title.size().y / 2.0);
    ui.painter().galley(place, title, palette.text);
    // Once, when it is opened: afterwards the list scrolls as one likes.
    let id = egui::Id::unique("lesson in sight");
    let in_sight: Option<String> = ui.data(|data| data.get_temp(id));
    if is_open && in_sight.as_deref() != Some(card.name.as_str()) {
        response.scroll_to_me(None);
        ui.data_mut(|data| data.insert_temp(id, card.name.clone()));
    }
    let response = response.on_hover_cursor(egui::CursorIcon::PointingHand);
    let is_clicked = response.clicked();
    let done = progress(board, card);
    let told = match done.is_empty() {
        true => format!("{} · {} min", card.about, card.minutes),
        false => format!("{} · {} min · {done}", card.about, card.minutes),
    };
    response.on_hover_text(told);
    is_clicked
}

/// What an instructor may hide.
fn help_ui(ui: &mut Ui, scene: &mut Scene<'_>) {
    let progress = &scene.board.progress;
    let (hints, answers) = (!progress.hides_hints, !progress.hides_answers);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = space::LARGE;
        ui.vertical(|ui| {
            caption(ui, "After a wrong answer");
            let options = ["A hint", "No hint"];
            if let Some(at) = segmented(ui, "hints", &options, usize::from(!hints)) {
                scene
                    .commands
                    .push(Command::Lesson(LessonCommand::Hints(at == 0)));
            }
        });
        ui.vertical(|ui| {
            caption(ui, "The right answer");
            let options = ["On request", "Never shown"];
            if let Some(at) = segmented(ui, "answers", &options, usize::from(!answers)) {
                scene
                    .commands
                    .push(Command::Lesson(LessonCommand::Answers(at == 0)));
            }
        });
    });
}

/// Folders with lessons of one's own.
fn folders_ui(ui: &mut Ui, scene: &mut Scene<'_>, typed: &mut String) {
    let palette = Palette::of(ui);
    let board = scene.board;
    let label = caption(
        ui,
        "Lessons of your own: a folder with Markdown files, read again whenever one is saved",
    );
    for folder in &board.folders {
        ui.horizontal(|ui| {
            let remove = Button::icon(Icon::Close, "Leave this folder out");
            if remove.show(ui, 24.0).clicked() {
                let command = LessonCommand::RemoveFolder(folder.clone());
                scene.commands.push(Command::Lesson(command));
            }
            ui.label(Type::Mono.text(folder.display().to_string(), palette.text));
        });
    }
    ui.horizontal(|ui| {
        let field = egui::TextEdit::singleline(typed)
            .desired_width(360.0)
            .hint_text("path of a folder");
        let field = ui.add(field).labelled_by(label.id);
        let enter = field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
        let mut add = Button::new("Add the folder");
        add.is_disabled = typed.trim().is_empty();
        let is_added = add.show(ui, space::TARGET).clicked() || enter;
        if is_added && !typed.trim().is_empty() {
            let folder = std::path::PathBuf::from(typed.trim());
            scene.send(Command::Lesson(LessonCommand::AddFolder(folder)));
            typed.clear();
        }
    });
    let told = "How a lesson is written: vitrine lessons format. What is wrong with one: vitrine lessons check DIR.";
    ui.label(Type::Small.text(told, palette.muted));
}
