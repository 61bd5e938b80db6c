//! The ways the text went, as a tree that grows from left to right.

use egui::{Rect, ScrollArea, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};

use crate::trace::debug::{BranchState, DebugCommand};
use crate::ui::command::Command;
use crate::ui::controls::tile;
use crate::ui::icons::Icon;
use crate::ui::picture::Scene;
use crate::ui::pictures::shared::{text_in, written};
use crate::ui::theme::{Palette, Role, Type, corner, space};
use crate::ui::tokens::visible;

const LINE: f32 = 58.0;
/// How far a branch is set in from the one it parts from.
const STEP: f32 = 26.0;

/// Draws the tree, a line per branch: parents before children.
pub fn branches_ui(ui: &mut Ui, scene: &mut Scene<'_>) {
    let palette = Palette::of(ui);
    if scene.run.branches.len() < 2 {
        let text = "There is one way so far. Draw again or force a token in the picture of the draw, and the text parts there; the way it went stays here to come back to.";
        ui.add(egui::Label::new(Type::Body.text(text, palette.muted)).wrap());
        ui.add_space(space::SMALL);
    }
    let order = order(&scene.run.branches);
    ScrollArea::vertical()
        .id_salt("branches")
        .auto_shrink([false, false])
        .show(ui, |ui| {
            let size = vec2(ui.available_width(), LINE * order.len() as f32);
            let (area, _) = ui.allocate_exact_size(size, Sense::hover());
            let place = |line: usize, depth: usize| {
                let left = area.left() + depth as f32 * STEP;
                let top = area.top() + line as f32 * LINE;
                Rect::from_min_max(
                    pos2(left, top + 4.0),
                    pos2(area.right() - 4.0, top + LINE - 6.0),
                )
            };
            for (line, (id, depth)) in order.iter().enumerate() {
                let rect = place(line, *depth);
                let parent = scene.run.branches.iter().find(|branch| branch.id == *id);
                let parent = parent.and_then(|branch| branch.parent);
                let above = order.iter().position(|(id, _)| Some(*id) == parent);
                if let Some(above) = above {
                    let from = place(above, depth.saturating_sub(1));
                    let x = from.left() + 12.0;
                    let stroke = Stroke::new(1.5, palette.faint);
                    ui.painter()
                        .vline(x, from.bottom()..=rect.center().y, stroke);
                    ui.painter().hline(x..=rect.left(), rect.center().y, stroke);
                }
                branch_ui(ui, scene, *id, rect);
            }
        });
}

/// The ids of all branches with their depth, each right below the one it parts from.
fn order(branches: &[BranchState]) -> Vec<(usize, usize)> {
    let mut order = Vec::with_capacity(branches.len());
    let mut open: Vec<(usize, usize)> = branches
        .iter()
        .rev()
        .filter(|branch| branch.parent.is_none())
        .map(|branch| (branch.id, 0))
        .collect();
    while let Some((id, depth)) = open.pop() {
        order.push((id, depth));
        let children = branches
            .iter()
            .rev()
            .filter(|branch| branch.parent == Some(id));
        open.extend(children.map(|branch| (branch.id, depth + 1)));
    }
    order
}

fn branch_ui(ui: &mut Ui, scene: &mut Scene<'_>, id: usize, rect: Rect) {
    let palette = Palette::of(ui);
    let branches = &scene.run.branches;
    let Some(branch) = branches.iter().find(|branch| branch.id == id).cloned() else {
        return;
    };
    let is_active = scene.run.branch == id;
    let is_leaf = !branches.iter().any(|other| other.parent == Some(id));
    let response = ui.interact(rect, ui.scope_id().with(("branch", id)), Sense::click());
    response.widget_info(|| {
        let text = format!("branch {id}: {}", branch.label);
        WidgetInfo::selected(egui::Role::RadioButton, true, is_active, text)
    });
    tile(ui, rect, corner::CARD, is_active, response.hovered());
    let painter = ui.painter();
    let inside = rect.shrink2(vec2(12.0, 6.0));
    let drop = Rect::from_center_size(pos2(rect.right() - 20.0, rect.center().y), vec2(24.0, 24.0));
    let mut words = inside;
    words.max.x = drop.left() - 8.0;
    let upper = Rect::from_min_size(words.min, vec2(words.width(), 17.0));
    let lower = Rect::from_min_max(pos2(words.left(), words.top() + 19.0), words.max);
    let state = match (is_active, branch.is_kept) {
        (true, _) => "under way",
        (false, true) => "kept",
        (false, false) => "runs again when opened",
    };
    let at = match branch.parent {
        Some(_) => format!(
            "{} · from position {} · {state}",
            branch.label, branch.parts_at
        ),
        None => format!("the first way · {state}"),
    };
    text_in(painter, upper, &at, Type::Small, palette.muted, 0.0);
    let text = match branch.texts.is_empty() {
        true => "nothing of its own yet".to_owned(),
        false => visible(&branch.texts.concat()),
    };
    let (kind, colour) = match is_active {
        true => (Type::Strong, palette.text),
        false => (Type::Body, palette.text),
    };
    text_in(painter, lower, &text, kind, colour, 0.0);
    let mark = pos2(rect.left() + 3.0, rect.center().y);
    if is_active {
        let bar = Rect::from_center_size(mark, vec2(3.0, rect.height() - 14.0));
        painter.rect_filled(bar, 2, palette.role(Role::Logits));
    }
    if response
        .on_hover_cursor(egui::CursorIcon::PointingHand)
        .clicked()
        && !is_active
    {
        scene.send(Command::Tell(DebugCommand::Switch(id)));
    }
    if is_leaf && !is_active {
        drop_ui(ui, scene, &branch, drop);
    }
}

/// Forgets a branch that nothing parts from.
fn drop_ui(ui: &mut Ui, scene: &mut Scene<'_>, branch: &BranchState, rect: Rect) {
    let palette = Palette::of(ui);
    let id = ui.scope_id().with(("drop", branch.id));
    let response = ui.interact(rect, id, Sense::click());
    let label = format!("Forget branch {}, {}", branch.id, written(&branch.label));
    response.widget_info(|| WidgetInfo::labeled(egui::Role::Button, true, &label));
    if response.hovered() {
        ui.painter().rect_filled(rect, corner::SMALL, palette.line);
    }
    let icon = Rect::from_center_size(rect.center(), vec2(9.0, 9.0));
    Icon::Close.paint(ui.painter(), icon, palette.muted);
    if response.on_hover_text(label).clicked() {
        scene.send(Command::Tell(DebugCommand::Drop(branch.id)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn branch(id: usize, parent: Option<usize>) -> BranchState {
        BranchState {
            id,
            parent,
            parts_at: 0,
            label: String::new(),
            texts: Vec::new(),
            is_kept: true,
        }
    }

    #[test]
    fn children_stand_below_their_parents() {
        let branches = [
            branch(0, None),
            branch(1, Some(0)),
            branch(2, Some(0)),
            branch(3, Some(1)),
        ];
        assert_eq!(order(&branches), [(0, 0), (1, 1), (3, 2), (2, 1)]);
    }
}
