//! Mixing: the values that a query reads, weighted and summed, and what each head writes.

use egui::{Align2, Rect, Sense, Ui, UiBuilder, pos2, vec2};

use crate::engine::question::{Question, Seen, Told};
use crate::trace::measure::vector::{size, top_by};
use crate::trace::{Address, BlockHook, Hook, HostTensor, Place};
use crate::ui::answers::Asked;
use crate::ui::colormap::ColorMap;
use crate::ui::command::Pointing;
use crate::ui::picture::{Check, Heading, Picture, Scene, Side, Term, formula_ui, ready_ui, times};
use crate::ui::pictures::parts::{heading_ui, limit_of_most, place_of, try_edit};
use crate::ui::theme::{Palette, Role, Type, corner, mix, space};
use crate::ui::widgets::heatmap::{figure, legend_ui};
use crate::ui::widgets::{Bar, Bars, Values};
use crate::ui::words::{fill, stages};

/// One query's reading in one head.
pub struct MixingPicture;

/// Keys that are shown one by one.
const SHOWN: usize = 8;

/// What the picture shows: the keys read most, and what comes of them.
struct Mix {
    /// Position, share and value of each key shown.
    keys: Vec<(usize, f32, HostTensor)>,
    /// Share of all other keys together.
    rest: f32,
    /// What the head has read.
    z: HostTensor,
}

fn head(scene: &Scene<'_>) -> usize {
    scene.view.head.min(scene.facts.n_heads.saturating_sub(1))
}

/// The address of a hook of the block on view, at an index.
fn at(scene: &Scene<'_>, hook: BlockHook, index: Vec<usize>) -> Address {
    let mut address = scene.address(Hook::Block(scene.view.layer, hook));
    address.index = index;
    address
}

/// Several values, if all of them are there.
fn values(scene: &mut Scene<'_>, addresses: Vec<Address>) -> Result<Vec<HostTensor>, Asked<Told>> {
    let asked = scene.ask(&Question::Values(addresses));
    let Asked::Ready(told) = &asked else {
        return Err(asked);
    };
    let Told::Values(seen) = &**told else {
        return Err(Asked::Waiting);
    };
    let value = |seen: &Seen| match &seen.value {
        Ok(value) => Ok(value.clone()),
        Err(why) => Err(Asked::Failed(why.as_str().into())),
    };
    seen.iter().map(value).collect()
}

fn mix_of(scene: &mut Scene<'_>) -> Result<Mix, Asked<Told>> {
    let (row, head, own) = (scene.row(), head(scene), scene.position());
    let pattern = at(scene, BlockHook::Pattern, vec![head, row]);
    let z = at(scene, BlockHook::Z, vec![row, head]);
    let mut found = values(scene, vec![pattern, z])?.into_iter();
    let (Some(pattern), Some(z)) = (found.next(), found.next()) else {
        return Err(Asked::Waiting);
    };
    let shares = pattern.values().get(..=own).unwrap_or(pattern.values());
    let mut keys = top_by(shares, SHOWN, |share| f64::from(*share));
    keys.sort_unstable();
    let group = (scene.facts.n_heads / scene.facts.n_kv_heads.max(1)).max(1);
    let address = |key: &usize| {
        let (pass, row) = place_of(scene, *key).unwrap_or_default();
        let mut address = at(scene, BlockHook::V, vec![row, head / group]);
        address.pass = Some(pass).filter(|pass| *pass > 0);
        address
    };
    let addresses: Vec<Address> = keys.iter().map(address).collect();
    let read = values(scene, addresses)?;
    let share = |key: usize| shares.get(key).copied().unwrap_or_default();
    let kept: f32 = keys.iter().map(|key| share(*key)).sum();
    let keys = keys
        .into_iter()
        .zip(read)
        .map(|(key, value)| (key, share(key), value));
    Ok(Mix {
        keys: keys.collect(),
        rest: (1.0 - kept).max(0.0),
        z,
    })
}

/// The dimension whose numbers are shown.
fn dim(scene: &Scene<'_>) -> usize {
    let is_z = |at: &&Address| at.place == Place::Hook(Hook::Block(scene.view.layer, BlockHook::Z));
    let at = scene
        .view
        .cell()
        .filter(is_z)
        .and_then(|at| at.index.get(2));
    at.copied()
        .unwrap_or(0)
        .min(scene.facts.head_dim.saturating_sub(1))
}

/// The size of each head's write at the chosen position.
fn writes(scene: &mut Scene<'_>) -> Asked<HostTensor> {
    let hook = Hook::Block(scene.view.layer, BlockHook::ResultNorm);
    scene.value_at(hook)
}

impl Picture for MixingPicture {
    fn heading(&self, scene: &Scene<'_>) -> Heading {
        let (layer, head) = (scene.view.layer, head(scene));
        Heading {
            title: stages::MIXING.title.into(),
            detail: format!("L{layer}.H{head} at **{}**", scene.said(scene.position())),
            sentence: stages::MIXING.sentence.into(),
        }
    }

    fn main_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let room = ui.available_rect_before_wrap();
        let beside = (room.width() * 0.34).clamp(200.0, 380.0);
        let mut left = room;
        left.max.x = room.right() - beside - 28.0;
        let mut right = room;
        right.min.x = room.right() - beside;
        ui.scope_builder(UiBuilder::new().max_rect(left), |ui| match mix_of(scene) {
            Ok(mix) => sum_ui(ui, scene, &mix),
            Err(state) => {
                ready_ui(ui, state);
            }
        });
        ui.scope_builder(UiBuilder::new().max_rect(right), |ui| heads_ui(ui, scene));
    }

    fn formula_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let dim = dim(scene);
        let address = at(scene, BlockHook::Z, vec![scene.row(), head(scene), dim]).to_string();
        let Ok(mix) = mix_of(scene) else {
            formula_ui(ui, &[Term::words("z = Σ share · v")], &address);
            return;
        };
        let mut parts = mix.keys.iter().collect::<Vec<_>>();
        parts.sort_by(|a, b| b.1.total_cmp(&a.1));
        let name = format!("z[{}, {dim}]", scene.name(scene.position()));
        let mut terms = vec![Term::of(Role::Value, name), Term::words("=")];
        for (place, (_, share, value)) in parts.iter().take(3).enumerate() {
            if place > 0 {
                terms.push(Term::words("+"));
            }
            let v = value.values().get(dim).copied().unwrap_or_default();
            terms.push(Term::number(times(*share, v)));
        }
        terms.push(Term::words("+ … ="));
        let z = mix.z.values().get(dim).copied().unwrap_or_default();
        terms.push(Term::result(Role::Value, figure(z)));
        formula_ui(ui, &terms, &address);
    }

    fn side(&mut self, scene: &mut Scene<'_>) -> Side {
        let words = &stages::MIXING;
        let token = scene.said(scene.position());
        let n_heads = scene.facts.n_heads.to_string();
        let (row, layer) = (scene.row(), scene.view.layer);
        let sizes = writes(scene).ready();
        let sizes = sizes.as_ref().and_then(|sizes| sizes.at(&[row]));
        let loudest =
            sizes.and_then(|sizes| top_by(sizes, 1, |size| f64::from(*size)).first().copied());
        let tries = loudest.and_then(|head| {
            let text = format!("blocks.{layer}.attn.hook_z[:, {head}]=zero");
            try_edit(format!("Switch H{head}, the loudest, off"), &text)
        });
        let n_pos = scene.pass_range().len();
        let facts = scene.facts;
        Side {
            happens: fill(words.happens, &[("token", &token), ("n_heads", &n_heads)]),
            look_for: words.look_for.into(),
            does_not_say: words.not_said.unwrap_or_default().into(),
            tries: tries.into_iter().collect(),
            check: sizes.and_then(check),
            meta: vec![
                format!(
                    "[pos {n_pos}, head {}, head_dim {}] · f32",
                    facts.n_heads, facts.head_dim
                ),
                scene.address(Hook::Block(layer, BlockHook::Z)).to_string(),
            ],
        }
    }
}

/// The keys read most: share and value of each, and their sum.
fn sum_ui(ui: &mut Ui, scene: &mut Scene<'_>, mix: &Mix) {
    let palette = Palette::of(ui);
    heading_ui(ui, "Values, each times its share");
    ui.add_space(space::TINY);
    let all: Vec<f32> = mix
        .keys
        .iter()
        .flat_map(|(_, _, value)| value.values())
        .copied()
        .collect();
    let colours = ColorMap::diverging(palette);
    let limit = limit_of_most(&all);
    let n_lines = mix.keys.len() as f32 + 4.0;
    let line = ((ui.available_height() - 40.0) / n_lines).clamp(24.0, 66.0);
    let mut hovered = None;
    for (key, share, value) in &mix.keys {
        let name = scene.name(*key);
        // Colours fade with the share: what is seen is what is added.
        let scaled: Vec<f32> = value.values().iter().map(|v| v * share).collect();
        let place = line_ui(
            ui,
            line,
            &name,
            Some(*share),
            &scaled,
            &colours,
            limit,
            dim(scene),
        );
        hovered = hovered.or(place);
    }
    if mix.rest > 0.0005 {
        let text = format!("all other positions together: {}", figure(mix.rest));
        ui.label(Type::Body.text(text, palette.muted));
    }
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), 9.0), Sense::hover());
    let ends = [rect.left_center(), rect.right_center()];
    ui.painter().line_segment(ends, palette.hairline());
    let place = line_ui(
        ui,
        line,
        "z, their sum",
        None,
        mix.z.values(),
        &colours,
        limit,
        dim(scene),
    );
    hovered = hovered.or(place);
    ui.add_space(space::SMALL);
    legend_ui(ui, "share × value", &colours, limit);
    let z = |dim| at(scene, BlockHook::Z, vec![scene.row(), head(scene), dim]);
    let hovered = hovered.map(|(dim, is_clicked)| (z(dim), is_clicked));
    if let Some((address, true)) = &hovered {
        scene.point(Pointing::Lock(Some(address.clone())));
    }
    if hovered.is_some() || scene.view.hovered.is_some() {
        scene.point(Pointing::Hover(hovered.map(|(address, _)| address)));
    }
}

/// A token, its share as a bar, and numbers; gives the number under the pointer, and whether it
/// was clicked.
#[expect(
    clippy::too_many_arguments,
    reason = "a line of a table, used in two places"
)]
fn line_ui(
    ui: &mut Ui,
    height: f32,
    name: &str,
    share: Option<f32>,
    values: &[f32],
    colours: &ColorMap,
    limit: f32,
    dim: usize,
) -> Option<(usize, bool)> {
    let palette = Palette::of(ui);
    let width = ui.available_width();
    let (words, bar) = (92.0, 110.0);
    let mut found = None;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        let (rect, response) = ui.allocate_exact_size(vec2(words + bar, height), Sense::hover());
        response.widget_info(|| {
            let share = share.map(|share| format!(", share {}", figure(share)));
            let text = format!("{name}{}", share.unwrap_or_default());
            egui::WidgetInfo::labeled(egui::Role::Label, true, text)
        });
        let y = rect.center().y;
        let kind = if share.is_some() {
            Type::Body
        } else {
            Type::Strong
        };
        let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
        let place = pos2(rect.left() + words - 8.0, y);
        match share {
            Some(share) => {
                painter.text(place, Align2::RIGHT_CENTER, name, kind.font(), palette.text);
                let full = bar - 52.0;
                let filled = Rect::from_min_size(
                    pos2(rect.left() + words, y - 6.0),
                    vec2((full * share).max(1.0), 12.0),
                );
                painter.rect_filled(filled, corner::CELL, palette.role(Role::Attention));
                let place = pos2(filled.right() + 5.0, y);
                let font = Type::MonoSmall.font();
                painter.text(
                    place,
                    Align2::LEFT_CENTER,
                    figure(share),
                    font,
                    palette.text,
                );
            }
            None => {
                let place = pos2(rect.left() + words + bar - 14.0, y);
                let colour = palette.role(Role::Value);
                painter.text(place, Align2::RIGHT_CENTER, name, kind.font(), colour);
            }
        }
        let strip = Values::new(name, values, colours)
            .limit(limit)
            .chosen(Some(dim));
        let strip = if share.is_some() {
            strip.quiet()
        } else {
            strip
        };
        let seen = strip.height(height - 8.0).show(ui, width - words - bar);
        found = seen.hovered.map(|dim| (dim, seen.clicked.is_some()));
        if let Some(at) = seen.hovered {
            let value = values
                .get(at)
                .map_or_else(String::new, |value| figure(*value));
            seen.response
                .on_hover_text_at_pointer(format!("{name}, number {at}: {value}"));
        }
    });
    found
}

/// What each head writes to the residual stream, and what all of them write.
fn heads_ui(ui: &mut Ui, scene: &mut Scene<'_>) {
    let palette = Palette::of(ui);
    heading_ui(ui, "What each head writes");
    let text = "Size of its part after the output projection; the rest of the block reads the sum.";
    ui.add(egui::Label::new(Type::Body.text(text, palette.muted)).wrap());
    ui.add_space(space::TINY);
    let row = scene.row();
    let asked = writes(scene);
    let Some(sizes) = ready_ui(ui, asked) else {
        return;
    };
    let chosen = head(scene);
    let hue = mix(palette.surface, palette.role(Role::Value), 0.85);
    let sizes = sizes.at(&[row]).unwrap_or_default();
    let bars: Vec<Bar> = sizes
        .iter()
        .enumerate()
        .map(|(head, size)| {
            let mut bar = Bar::new(format!("H{head}"), *size, figure(*size), hue);
            bar.is_chosen = head == chosen;
            bar
        })
        .collect();
    let room = (ui.available_height() - 110.0).max(60.0);
    let line = (room / bars.len().max(1) as f32).clamp(18.0, 40.0);
    let shown = egui::ScrollArea::vertical()
        .id_salt("writes")
        .max_height(room)
        .show(ui, |ui| {
            Bars::new("write of a head", &bars).line(line).show(ui)
        })
        .inner;
    if let Some(head) = shown.clicked {
        scene.point(Pointing::Head(head));
    }
    let out = at(scene, BlockHook::AttnOut, vec![row]);
    let asked = scene.value(&out);
    ui.add_space(space::SMALL);
    if let Some(out) = ready_ui(ui, asked) {
        let text = format!(
            "all heads together: size {}",
            figure(size(out.values()) as f32)
        );
        ui.label(Type::Body.text(text, palette.text));
        let colours = ColorMap::diverging(palette);
        let strip = Values::new("what attention writes", out.values(), &colours);
        let width = ui.available_width();
        strip
            .height(18.0)
            .limit(limit_of_most(out.values()))
            .show(ui, width);
        ui.label(Type::MonoSmall.text("hook_attn_out", palette.muted));
    }
}

/// Which of three heads writes most.
fn check(sizes: &[f32]) -> Option<Check> {
    let order = top_by(sizes, sizes.len(), |size| f64::from(*size));
    let mut heads = [
        *order.first()?,
        *order.get(order.len() / 2)?,
        *order.last()?,
    ];
    heads.sort_unstable();
    let best = *order.first()?;
    let right = heads.iter().position(|head| *head == best)?;
    (order.len() >= 3).then(|| Check {
        question: "Which of these heads changes the residual stream most at this position?".into(),
        answers: heads.iter().map(|head| format!("H{head}")).collect(),
        right,
        because: sizes
            .get(best)
            .map(|size| figure(*size))
            .unwrap_or_default(),
    })
}
