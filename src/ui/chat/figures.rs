//! How an answer was made, in one line: tokens, speed, time to the first token, why it ended, and
//! what of the prompt came from the cache.

use egui::Ui;

use crate::chat::{Message, Reply};
use crate::trace::answer::{Answer, StopReason};
use crate::trace::units;
use crate::trace::{Address, Place, View};
use crate::ui::command::Command;
use crate::ui::controls::text_button;
use crate::ui::lessons::LessonCommand;
use crate::ui::picture::Scene;
use crate::ui::theme::{Palette, Type, space};

/// Draws the line.
pub(super) fn figures_ui(ui: &mut Ui, scene: &mut Scene<'_>, message: &Message) {
    let palette = Palette::of(ui);
    let Some(reply) = &message.reply else {
        ui.label(Type::MonoSmall.text("written by hand", palette.muted));
        return;
    };
    let text = match (&reply.answer, scene.chat.is_writing(message.id)) {
        (_, true) => being_written(scene, message, reply),
        (Some(answer), false) => line(answer),
        (None, false) => format!("{} tokens  cut off", reply.tokens.len()),
    };
    let shown = ui.add(egui::Label::new(Type::MonoSmall.text(text, palette.muted)).wrap());
    if let Some(answer) = &reply.answer {
        shown.on_hover_text(told(scene, message, reply, answer));
        why_ui(ui, scene, answer);
    }
}

/// The lesson on why answers end, and its steps on the end token and on the largest number of tokens.
const ON_STOPPING: (&str, usize, usize) = ("why-it-stops", 1, 2);

/// The ways to the lessons on what the line tells.
fn why_ui(ui: &mut Ui, scene: &mut Scene<'_>, answer: &Answer) {
    let (lesson, end_token, length) = ON_STOPPING;
    let step = match answer.stop_reason {
        StopReason::Stop => Some(end_token),
        StopReason::Length => Some(length),
        StopReason::Cancelled => None,
    };
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = space::MEDIUM;
        if step.is_some() && text_button(ui, "Why did it stop?").clicked() {
            let open = LessonCommand::Open(lesson.to_owned(), step);
            scene.send(Command::Lesson(open));
        }
        if answer.reused > 0 && text_button(ui, "Why from the cache?").clicked() {
            scene.send(Command::Why(Address::at(Place::View(View::KvCache))));
        }
    });
}

/// Whether an answer has a rest that could be written.
pub(super) fn ended_early(message: &Message) -> bool {
    let Some(reply) = &message.reply else {
        return false;
    };
    let reason = reply.answer.as_ref().map(|answer| answer.stop_reason);
    reason != Some(StopReason::Stop) && !reply.tokens.is_empty()
}

fn being_written(scene: &Scene<'_>, message: &Message, reply: &Reply) -> String {
    let n_prompt = reply.prompt_tokens.len();
    let reused = scene.chat.reuses.get(&message.id);
    let reused = reused.map_or(0, |reuse| reuse.reused);
    let reused = reply.known().map_or(reused, |answer| answer.reused);
    // The tokens that an answer begins with may be reused, too: they are no prompt.
    let reused = reused.min(n_prompt);
    format!(
        "{} tokens  {reused} of {n_prompt} prompt tokens came from the cache",
        reply.tokens.len()
    )
}

fn line(answer: &Answer) -> String {
    let first = units::seconds(answer.speed.ttft_s);
    let n_prompt = units::count(answer.prompt_tokens.len() as u64);
    let parts = [
        format!("{} tokens", units::count(answer.tokens.len() as u64)),
        units::tokens_per_second(answer.speed.generation_tps()),
        format!(
            "prefill {}",
            units::tokens_per_second(answer.speed.prompt_tps())
        ),
        format!("first after {first}"),
        why_ended(answer.stop_reason).to_owned(),
        format!(
            "{} of {n_prompt} from the cache",
            units::count(answer.reused as u64)
        ),
    ];
    parts.join("  ")
}

fn why_ended(reason: StopReason) -> &'static str {
    match reason {
        StopReason::Stop => "stop",
        StopReason::Length => "length",
        StopReason::Cancelled => "stopped by you",
    }
}

/// Everything about the answer, line by line.
fn told(scene: &Scene<'_>, message: &Message, reply: &Reply, answer: &Answer) -> String {
    let n_prompt = answer.prompt_tokens.len();
    let why = scene.chat.reuses.get(&message.id);
    let why = why.map_or(String::new(), |reuse| {
        format!("; not more, because {}", reuse.why_not_more.sentence())
    });
    let of_model = reply.setup.revision.as_deref().map_or(String::new(), |of| {
        format!(" ({})", of.chars().take(10).collect::<String>())
    });
    let ended = match answer.stop_reason {
        StopReason::Stop => "the model wrote its end token, or a stop string came",
        StopReason::Length => "the most tokens were reached, or the context is full",
        StopReason::Cancelled => "you stopped it",
    };
    [
        format!("model: {}{of_model}", answer.model),
        format!(
            "prompt: {n_prompt} tokens, {} of them from the KV cache{why}",
            answer.reused
        ),
        format!(
            "prefill: {} tokens at {}",
            answer.speed.prompt_tokens_run,
            units::tokens_per_second(answer.speed.prompt_tps())
        ),
        format!(
            "decode: {} tokens at {}",
            answer.tokens.len(),
            units::tokens_per_second(answer.speed.generation_tps())
        ),
        format!("ended: {ended}"),
        format!("sampling: {}, seed {}", answer.sampling, answer.seed),
        format!(
            "KV cache: {} positions, {}",
            answer.cache.positions,
            units::bytes(answer.cache.used_bytes as u64)
        ),
    ]
    .join("\n")
}
