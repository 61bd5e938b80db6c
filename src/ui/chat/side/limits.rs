//! Where an answer ends, where its random numbers begin, how keys and values are kept, and whether
//! the model thinks first.

use egui::{TextEdit, Ui};
use serde_json::{Map, Value};

use super::{SidePage, row_ui};
use crate::engine::question::{Message, Question, TemplateArgs, Told};
use crate::trace::units;
use crate::ui::answers::Asked;
use crate::ui::controls::{caption, name_field, segmented};
use crate::ui::picture::Scene;
use crate::ui::theme::{Palette, Type, space};

/// The argument by which templates let a model think, or not.
const THINKING: &str = "enable_thinking";

/// What is typed, as long as it is no value.
#[derive(Debug, Default)]
pub(super) struct Typed {
    max_tokens: Option<String>,
    seed: Option<String>,
    stop: Option<String>,
}

pub(super) fn limits_ui(ui: &mut Ui, scene: &mut Scene<'_>, page: &mut SidePage) {
    thinking_ui(ui, scene, page);
    let max = number_ui(
        ui,
        page,
        "Max tokens",
        "The most that an answer may have. Left empty: what the context leaves.",
        "what is left",
        |page| {
            (
                &mut page.typed.max_tokens,
                page.draft.max_tokens.map(|n| n as u64),
            )
        },
    );
    if let Some(max) = max {
        page.draft.max_tokens = max.filter(|n| *n > 0).map(|n| n as usize);
        page.is_changed = true;
    }
    let seed = number_ui(
        ui,
        page,
        "Seed",
        "Start of the random numbers: the same seed draws the same answer. Left empty: a fresh one each time.",
        "random",
        |page| (&mut page.typed.seed, page.draft.seed),
    );
    if let Some(seed) = seed {
        page.draft.seed = seed;
        page.is_changed = true;
    }
    stop_ui(ui, page);
    cache_ui(ui, scene, page);
}

/// A number that may be left empty. Returns what it was changed to.
fn number_ui(
    ui: &mut Ui,
    page: &mut SidePage,
    name: &str,
    told: &str,
    empty: &str,
    field: impl Fn(&mut SidePage) -> (&mut Option<String>, Option<u64>),
) -> Option<Option<u64>> {
    let palette = Palette::of(ui);
    let (typed, value) = field(page);
    let mut text = typed
        .clone()
        .unwrap_or_else(|| value.map_or(String::new(), |n| n.to_string()));
    let mut changed = None;
    let mut shown = None;
    ui.horizontal(|ui| {
        ui.label(Type::Body.text(name, palette.text))
            .on_hover_text(told);
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let edit = TextEdit::singleline(&mut text)
                .font(Type::MonoSmall.font())
                .hint_text(Type::MonoSmall.text(empty, palette.muted))
                .align(egui::Align2::RIGHT_CENTER)
                .desired_width(132.0);
            let edit = ui.add(edit);
            name_field(&edit, &text, name);
            shown = Some(edit.on_hover_text(told));
        });
    });
    let edit = shown?;
    if edit.changed() {
        let (typed, _) = field(page);
        let plain = text.trim().replace([',', ' '], "");
        *typed = match (plain.is_empty(), plain.parse()) {
            (true, _) => {
                changed = Some(None);
                None
            }
            (false, Ok(number)) => {
                changed = Some(Some(number));
                None
            }
            (false, Err(_)) => Some(text.clone()),
        };
    }
    page.is_typing |= edit.has_focus();
    let (typed, _) = field(page);
    if typed.is_some() && !edit.has_focus() {
        *typed = None;
    }
    if typed.is_some() {
        let told = "Write a whole number, or leave it empty.";
        ui.label(Type::Small.text(told, palette.bad));
    }
    changed
}

fn stop_ui(ui: &mut Ui, page: &mut SidePage) {
    let palette = Palette::of(ui);
    ui.add_space(space::TINY);
    let told = "An answer ends where one of these would come; it is not shown. One in each line.";
    caption(ui, "Stop strings, one in each line").on_hover_text(told);
    let mut text = page
        .typed
        .stop
        .clone()
        .unwrap_or_else(|| page.draft.stop.join("\n"));
    let field = TextEdit::multiline(&mut text)
        .font(Type::Mono.font())
        .hint_text(Type::Body.text("None", palette.faint))
        .desired_rows(1)
        .desired_width(f32::INFINITY);
    let field = ui.add(field);
    name_field(&field, &text, "Stop strings");
    if field.changed() {
        let lines = text.lines().filter(|line| !line.is_empty());
        page.draft.stop = lines.map(str::to_owned).collect();
        page.typed.stop = Some(text);
    }
    if !field.has_focus() {
        page.typed.stop = None;
    }
    page.note(&field);
}

/// All positions, or the newest only; in how many bits.
fn cache_ui(ui: &mut Ui, scene: &Scene<'_>, page: &mut SidePage) {
    ui.add_space(space::TINY);
    let told = "What the model has read is kept as keys and values, so that it is not read again.";
    caption(ui, "KV cache").on_hover_text(told);
    let n_context = scene.facts.n_context.unwrap_or(2_048) as usize;
    let is_rotating = page.draft.cache.max_size.is_some();
    if let Some(chosen) = segmented(
        ui,
        "cache",
        &["All of it", "Rotating"],
        usize::from(is_rotating),
    ) {
        page.draft.cache.max_size = (chosen == 1).then_some(n_context);
        page.is_changed = true;
    }
    let told = match page.draft.cache.max_size {
        None => "Every position is kept until the context is full.".to_owned(),
        Some(most) => format!(
            "At most {} positions: the first and the newest; the others are overwritten.",
            units::count(most as u64)
        ),
    };
    ui.label(Type::Small.text(told, Palette::of(ui).muted));
    let bits = [None, Some(8), Some(4)];
    let at = bits.iter().position(|bits| *bits == page.draft.cache.bits);
    if let Some(chosen) = segmented(
        ui,
        "bits",
        &["Full", "8 bits", "4 bits"],
        at.unwrap_or_default(),
    ) {
        page.draft.cache.bits = bits.get(chosen).copied().flatten();
        page.is_changed = true;
    }
    let told = "Fewer bits take less memory and change answers a little.";
    ui.label(Type::Small.text(told, Palette::of(ui).muted));
}

/// Whether the model thinks before it answers, where its template lets one choose.
fn thinking_ui(ui: &mut Ui, scene: &mut Scene<'_>, page: &mut SidePage) {
    if !can_think(scene) {
        return;
    }
    let thinks = thinks(&page.draft.template_args);
    let told = "Its reasoning comes before the answer, and is folded there.";
    row_ui(ui, "Think before answering", told, "", false);
    if let Some(chosen) = segmented(
        ui,
        "thinking",
        &["Think", "Answer at once"],
        usize::from(!thinks),
    ) {
        set_thinking(&mut page.draft.template_args, chosen == 0);
        page.is_changed = true;
    }
    ui.add_space(space::TINY);
}

/// Whether the template of the model writes something else where it is told not to think.
pub(in crate::ui::chat) fn can_think(scene: &mut Scene<'_>) -> bool {
    let mut rendered = |thinks: bool| {
        let mut more = Map::new();
        more.insert(THINKING.to_owned(), Value::Bool(thinks));
        let question = Question::Template {
            model: None,
            messages: vec![Message::new("user", "?")],
            args: TemplateArgs {
                more,
                ..TemplateArgs::for_answer()
            },
        };
        match scene.ask(&question) {
            Asked::Ready(told) => match &*told {
                Told::Template(view) => Some(view.rendered.text.clone()),
                _ => None,
            },
            _ => None,
        }
    };
    let (with, without) = (rendered(true), rendered(false));
    with.is_some() && without.is_some() && with != without
}

/// Whether a model that can think is to.
pub(in crate::ui::chat) fn thinks(args: &Map<String, Value>) -> bool {
    args.get(THINKING).and_then(Value::as_bool).unwrap_or(true)
}

/// Has a model think, or not.
pub(in crate::ui::chat) fn set_thinking(args: &mut Map<String, Value>, thinks: bool) {
    args.insert(THINKING.to_owned(), Value::Bool(thinks));
}
