//! The flow through a block at one position, drawn as a plan.

use egui::{Align2, Pos2, Rect, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2};

use super::{Flow, spot};
use crate::trace::BlockHook;
use crate::ui::colormap::ColorMap;
use crate::ui::command::Command;
use crate::ui::controls::outline;
use crate::ui::picture::Scene;
use crate::ui::pictures::parts::limit_of_most;
use crate::ui::theme::{Palette, Role, Type, corner, mix};
use crate::ui::widgets::heatmap::figure;
use crate::ui::widgets::paint_strip;

/// A card of the plan.
struct Card<'a> {
    title: &'a str,
    note: String,
    role: Role,
    /// The part it leads to.
    leads: BlockHook,
    /// The values shown as a strip.
    shows: Option<BlockHook>,
    /// What it computes: it is an outline until this is there.
    gives: BlockHook,
    rect: Rect,
}

/// The plan's lines and columns, in points.
struct Plan {
    left: f32,
    right: f32,
    stream: f32,
    first_add: f32,
    second_add: f32,
}

/// Draws the plan into the room there is.
pub fn flow_ui(ui: &mut Ui, scene: &mut Scene<'_>, flow: &Flow) {
    let (room, _) = ui.allocate_exact_size(ui.available_size(), Sense::hover());
    let height = room.height().min(640.0);
    let top = room.top() + (room.height() - height) * 0.35;
    let plan = Plan {
        left: room.left() + 10.0,
        right: room.right() - 12.0,
        stream: top + height * 0.56,
        first_add: room.left() + room.width() * 0.52,
        second_add: room.right() - 36.0,
    };
    let card = vec2(
        (room.width() * 0.13).clamp(92.0, 190.0),
        (height * 0.135).clamp(58.0, 88.0),
    );
    let cards = cards(scene, flow, &plan, card);
    lines_ui(ui, &plan, &cards);
    stream_ui(ui, scene, flow, &plan);
    for card in &cards {
        card_ui(ui, scene, flow, card);
    }
}

/// The cards: five above the stream, three below it.
fn cards<'a>(scene: &Scene<'_>, flow: &Flow, plan: &Plan, size: egui::Vec2) -> Vec<Card<'a>> {
    let facts = scene.facts;
    let (n_heads, n_kv) = (facts.n_heads, facts.n_kv_heads);
    let low = plan.stream - size.y - 46.0;
    let high = low - size.y - 44.0;
    let below = plan.stream + 92.0;
    let gap = ((plan.first_add - plan.left - 44.0 - 3.0 * size.x) / 2.0).clamp(8.0, 60.0);
    let column = |n: f32| plan.left + 24.0 + n * (size.x + gap);
    let under = |n: f32| plan.second_add - 18.0 - (3.0 - n) * (size.x + 12.0);
    let at = |x: f32, y: f32| Rect::from_min_size(pos2(x, y), size);
    let wrote = |hook| match flow.size(hook) {
        Some(size) => format!("wrote {}", figure(size)),
        None => flow.lack().to_owned(),
    };
    let n_neurons = flow.get(BlockHook::Post).map(<[f32]>::len);
    let n_neurons = n_neurons.map_or_else(|| "neurons".to_owned(), |n| format!("{n} neurons"));
    let new = |title, note, role, leads, shows, gives, rect| Card {
        title,
        note,
        role,
        leads,
        shows,
        gives,
        rect,
    };
    use BlockHook as B;
    let mut cards = vec![
        new(
            "Norm",
            format!("of {} numbers", facts.d_model),
            Role::Residual,
            B::Ln1,
            Some(B::Ln1),
            B::Ln1,
            at(column(0.0), low),
        ),
        new(
            "Q, K, V",
            format!("{n_heads} + {n_kv} + {n_kv} heads"),
            Role::Query,
            B::Q,
            None,
            B::Ln1,
            at(column(1.0), low),
        ),
        new(
            "Attention",
            format!("{n_heads} maps"),
            Role::Attention,
            B::Pattern,
            None,
            B::AttnOut,
            at(column(1.0), high),
        ),
        new(
            "Mix, project",
            wrote(B::AttnOut),
            Role::Value,
            B::Z,
            Some(B::AttnOut),
            B::AttnOut,
            at(column(2.0), high),
        ),
        new(
            "Norm",
            "again".to_owned(),
            Role::Residual,
            B::Ln2,
            Some(B::Ln2),
            B::Ln2,
            at(under(0.0), below),
        ),
        new(
            "Gate, up",
            n_neurons,
            Role::Mlp,
            B::Post,
            Some(B::Post),
            B::Post,
            at(under(1.0), below),
        ),
        new(
            "Down",
            wrote(B::MlpOut),
            Role::Mlp,
            B::MlpOut,
            Some(B::MlpOut),
            B::MlpOut,
            at(under(2.0), below),
        ),
    ];
    if facts.has(B::RotQ) {
        let note = "turn q and k".to_owned();
        cards.push(new(
            "RoPE",
            note,
            Role::Key,
            B::RotQ,
            None,
            B::AttnOut,
            at(column(2.0), low),
        ));
    }
    cards
}

/// The thin lines between cards, stream and additions.
fn lines_ui(ui: &Ui, plan: &Plan, cards: &[Card<'_>]) {
    let palette = Palette::of(ui);
    let painter = ui.painter();
    let line = Stroke::new(1.5, palette.line);
    let rect = |leads: BlockHook| {
        cards
            .iter()
            .find(|card| card.leads == leads)
            .map(|card| card.rect)
    };
    let (Some(norm), Some(qkv), Some(maps), Some(mixed)) = (
        rect(BlockHook::Ln1),
        rect(BlockHook::Q),
        rect(BlockHook::Pattern),
        rect(BlockHook::Z),
    ) else {
        return;
    };
    let x = norm.left() - 12.0;
    let path = |points: &[Pos2]| {
        for pair in points.windows(2) {
            if let [from, to] = pair {
                painter.line_segment([*from, *to], line);
            }
        }
    };
    path(&[
        pos2(x, plan.stream),
        pos2(x, norm.center().y),
        norm.left_center(),
    ]);
    path(&[norm.right_center(), qkv.left_center()]);
    if let Some(rope) = rect(BlockHook::RotQ) {
        path(&[qkv.right_center(), rope.left_center()]);
        path(&[rope.center_top(), mixed.center_bottom()]);
    }
    path(&[maps.right_center(), mixed.left_center()]);
    path(&[
        mixed.right_center(),
        pos2(plan.first_add, mixed.center().y),
        pos2(plan.first_add, plan.stream),
    ]);
    cache_ui(ui, qkv, maps);
    let (Some(norm), Some(gate), Some(down)) = (
        cards
            .iter()
            .find(|card| card.leads == BlockHook::Ln2)
            .map(|card| card.rect),
        rect(BlockHook::Post),
        rect(BlockHook::MlpOut),
    ) else {
        return;
    };
    let x = plan.first_add + 26.0;
    path(&[
        pos2(x, plan.stream),
        pos2(x, norm.center().y),
        norm.left_center(),
    ]);
    path(&[norm.right_center(), gate.left_center()]);
    path(&[gate.right_center(), down.left_center()]);
    let corner = pos2(plan.second_add, down.center().y);
    path(&[
        down.right_center(),
        corner,
        pos2(plan.second_add, plan.stream),
    ]);
}

/// The KV cache between Q, K, V and the maps.
fn cache_ui(ui: &Ui, qkv: Rect, maps: Rect) {
    let palette = Palette::of(ui);
    let painter = ui.painter();
    let hue = palette.role(Role::Cache);
    let middle = pos2(qkv.center().x, (qkv.top() + maps.bottom()) / 2.0);
    painter.line_segment(
        [qkv.center_top(), maps.center_bottom()],
        Stroke::new(2.0, hue),
    );
    let rect = Rect::from_center_size(middle, vec2(qkv.width(), 22.0));
    let fill = mix(palette.background, hue, 0.14);
    painter.rect(
        rect,
        corner::SMALL,
        fill,
        Stroke::new(1.0, hue),
        StrokeKind::Inside,
    );
    let font = Type::Small.font();
    painter.text(
        middle,
        Align2::CENTER_CENTER,
        "KV cache",
        font,
        palette.text,
    );
}

/// The residual stream with its two additions, and how large it is.
fn stream_ui(ui: &Ui, scene: &Scene<'_>, flow: &Flow, plan: &Plan) {
    let palette = Palette::of(ui);
    let painter = ui.painter();
    let hue = palette.role(Role::Residual);
    let y = plan.stream;
    let ends = [pos2(plan.left, y), pos2(plan.right, y)];
    painter.line_segment(ends, Stroke::new(5.0, hue));
    for (x, hook) in [
        (plan.first_add, BlockHook::ResidMid),
        (plan.second_add, BlockHook::ResidPost),
    ] {
        painter.circle(pos2(x, y), 13.0, palette.surface, Stroke::new(2.5, hue));
        let font = Type::Heading.font();
        painter.text(pos2(x, y), Align2::CENTER_CENTER, "+", font, palette.text);
        let (place, anchor) = match hook {
            BlockHook::ResidMid => (pos2(x + 14.0, y - 20.0), Align2::LEFT_BOTTOM),
            _ => (pos2(plan.right, y - 20.0), Align2::RIGHT_BOTTOM),
        };
        painter.text(
            place,
            anchor,
            flow.figure(hook),
            Type::Mono.font(),
            palette.text,
        );
    }
    let token = scene.name(scene.position());
    let below = pos2(plan.left, y + 18.0);
    let text = format!("residual stream of “{token}”");
    painter.text(below, Align2::LEFT_TOP, text, Type::Body.font(), hue);
    let text = format!("size {}", flow.figure(BlockHook::ResidPre));
    let font = Type::Mono.font();
    painter.text(
        below + vec2(0.0, 18.0),
        Align2::LEFT_TOP,
        text,
        font,
        palette.muted,
    );
    let colours = ColorMap::diverging(palette);
    for (hook, left) in [
        (BlockHook::ResidPre, plan.left + 30.0),
        (BlockHook::ResidMid, plan.first_add + 44.0),
    ] {
        if let Some(values) = flow.get(hook) {
            let rect = Rect::from_min_size(pos2(left, y - 24.0), vec2(110.0, 10.0));
            let rect = if hook == BlockHook::ResidMid {
                rect.translate(vec2(24.0, 0.0))
            } else {
                rect
            };
            paint_strip(ui, rect, values, &colours, Some(limit_of_most(values)));
        }
    }
    if let Some(values) = flow.get(BlockHook::ResidPost) {
        let rect = Rect::from_min_size(pos2(plan.second_add - 88.0, y + 20.0), vec2(72.0, 10.0));
        paint_strip(ui, rect, values, &colours, Some(limit_of_most(values)));
    }
}

/// A card: the part's name, what it did, its numbers; a click goes in.
fn card_ui(ui: &Ui, scene: &mut Scene<'_>, flow: &Flow, card: &Card<'_>) {
    let palette = Palette::of(ui);
    let id = ui.scope_id().with(("part", card.leads.name()));
    let response = ui.interact(card.rect, id, Sense::click());
    let is_there = flow.has(card.leads, card.gives);
    let note = match is_there || flow.recorded.is_none() {
        true => card.note.as_str(),
        false => flow.lack(),
    };
    response.widget_info(|| {
        let text = format!("{}: {note}", card.title);
        WidgetInfo::labeled(egui::Role::Button, true, text)
    });
    let painter = ui.painter();
    if is_there {
        let line = match response.hovered() || response.has_focus() {
            true => Stroke::new(1.0, palette.muted),
            false => palette.hairline(),
        };
        painter.rect(
            card.rect,
            corner::CARD,
            palette.surface,
            line,
            StrokeKind::Inside,
        );
        let edge = Rect::from_min_size(
            card.rect.left_top() + vec2(0.0, 9.0),
            vec2(4.0, card.rect.height() - 18.0),
        );
        painter.rect_filled(edge, 2, palette.role(card.role));
    } else {
        painter.rect_filled(card.rect, corner::CARD, palette.background);
        outline(painter, card.rect, palette.faint);
    }
    let clipped = painter.with_clip_rect(card.rect.shrink(3.0).intersect(ui.clip_rect()));
    let place = card.rect.left_top() + vec2(13.0, 8.0);
    let ink = if is_there {
        palette.text
    } else {
        palette.muted
    };
    clipped.text(
        place,
        Align2::LEFT_TOP,
        card.title,
        Type::Strong.font(),
        ink,
    );
    let place = place + vec2(0.0, 17.0);
    clipped.text(
        place,
        Align2::LEFT_TOP,
        note,
        Type::Small.font(),
        palette.muted,
    );
    if let Some(values) = card.shows.and_then(|hook| flow.get(hook)) {
        let rect = Rect::from_min_max(
            pos2(card.rect.left() + 13.0, card.rect.bottom() - 19.0),
            pos2(card.rect.right() - 12.0, card.rect.bottom() - 9.0),
        );
        let colours = ColorMap::diverging(palette);
        paint_strip(ui, rect, values, &colours, Some(limit_of_most(values)));
    }
    if response.clicked() {
        scene.send(Command::Go(spot(scene, card.leads)));
    }
    let hook = crate::trace::Hook::Block(scene.view.layer, card.leads);
    response.on_hover_text(format!("{hook}\nclick to go in"));
}
