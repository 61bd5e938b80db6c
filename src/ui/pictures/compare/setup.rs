//! What the run is compared with.

use egui::{DragValue, Ui};

use crate::engine::message::{OpenRequest, Prompt};
use crate::engine::question::{Message, SamplingChoice};
use crate::trace::debug::{DebugCommand, PassState, RunState};
use crate::trace::{Address, Place, Stage};
use crate::ui::controls::{Button, segmented};
use crate::ui::link::Other;
use crate::ui::picture::Scene;
use crate::ui::pictures::kit::{field_ui, note_ui};
use crate::ui::state::Mode;
use crate::ui::theme::{Palette, Type, space};

/// The other side, as it is being chosen.
pub struct Setup {
    kind: usize,
    /// The kind that is on view.
    open: usize,
    prompt: String,
    model: String,
    temperature: f32,
    seed: u64,
    /// The prompt that this belongs to.
    text: String,
    /// The other side as a lesson named it.
    heeded: Option<String>,
}

const KINDS: [&str; 5] = [
    "Another prompt",
    "Other settings",
    "4 and 16 bits",
    "Another model",
    "Without edits",
];
/// Where "4 and 16 bits" stands among them.
const ROUNDING: usize = 2;
/// Where "Without edits" stands among them.
const WITHOUT_EDITS: usize = 4;
/// Tokens that a run with other settings may draw.
const MOST_TOKENS: usize = 32;

impl Default for Setup {
    fn default() -> Self {
        Self {
            kind: 0,
            open: 0,
            prompt: String::new(),
            model: String::new(),
            temperature: 1.0,
            seed: 7,
            text: String::new(),
            heeded: None,
        }
    }
}

impl Setup {
    pub fn show(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let text = scene.settings.prompt.text.clone();
        self.heed(scene);
        if self.text != text {
            self.prompt = match &scene.view.beside {
                Some(beside) => beside.clone(),
                None => other_prompt(&text),
            };
            // Where the program knows a prompt that differs in one thing, it begins with that, else with what
            // rounding did to the weights, where it has both.
            // A lesson opens its other side itself.
            let is_free =
                matches!(scene.link.other(), Other::Closed) && scene.view.mode != Mode::Lessons;
            let is_known = self.prompt != text;
            if self.kind == 0 && scene.run.prompt_len > 0 && is_free {
                self.kind = if is_known { 0 } else { ROUNDING };
                match is_known || twin(&scene.facts.name).is_some() {
                    true => self.begin(scene),
                    false => self.kind = 0,
                }
            }
            self.text = text;
        }
        if scene.view.is_presenting && self.is_open() {
            return self.beside_ui(ui);
        }
        if let Some(kind) = segmented(ui, "what to compare with", &KINDS, self.kind) {
            self.kind = kind;
            // What needs no more to be said begins at once.
            let is_ready = match kind {
                ROUNDING => twin(&scene.facts.name).is_some(),
                WITHOUT_EDITS => scene.run.edits.acts(),
                _ => false,
            };
            if is_ready && self.open != kind {
                self.begin(scene);
            }
        }
        ui.horizontal(|ui| {
            let can = self.choose_ui(ui, scene);
            let mut button = Button::new("Compare");
            button.is_primary = true;
            button.is_disabled = !can;
            if button.show(ui, space::TARGET).clicked() && can {
                self.begin(scene);
            }
        });
    }

    /// Before a room: what stands beside the run, and nothing to choose.
    fn beside_ui(&self, ui: &mut Ui) {
        let palette = Palette::of(ui);
        let kind = KINDS.get(self.kind).copied().unwrap_or_default();
        let told = match self.kind {
            0 => format!("Beside it: “{}”", self.prompt),
            _ => format!("Beside it: {}", kind.to_lowercase()),
        };
        ui.add(egui::Label::new(Type::Body.text(told, palette.muted)).wrap());
    }

    /// Names the side that a lesson has put beside the run.
    fn heed(&mut self, scene: &Scene<'_>) {
        if self.heeded == scene.view.beside {
            return;
        }
        self.heeded.clone_from(&scene.view.beside);
        if let Some(beside) = &self.heeded {
            self.prompt.clone_from(beside);
            let reads_same = *beside == scene.settings.prompt.text;
            self.kind = match reads_same {
                false => 0,
                true if scene.run.edits.acts() => WITHOUT_EDITS,
                true => ROUNDING,
            };
            self.open = self.kind;
        }
    }

    /// What belongs to the kind that is chosen. Returns whether it can be opened.
    fn choose_ui(&mut self, ui: &mut Ui, scene: &Scene<'_>) -> bool {
        let palette = Palette::of(ui);
        let say = |ui: &mut Ui, text: &str| {
            ui.label(Type::Body.text(text, palette.muted));
        };
        match self.kind {
            0 => {
                let width = (ui.available_width() - 130.0).max(160.0);
                field_ui(
                    ui,
                    "the other prompt",
                    "Another prompt",
                    &mut self.prompt,
                    width,
                );
                !self.prompt.is_empty()
            }
            1 => {
                say(ui, "temperature");
                let drag = ui.add(
                    DragValue::new(&mut self.temperature)
                        .range(0.0..=4.0)
                        .speed(0.02)
                        .max_decimals(2),
                );
                drag.widget_info(|| {
                    egui::WidgetInfo::labeled(egui::Role::SpinButton, true, "temperature")
                });
                say(ui, "seed");
                let drag = ui.add(DragValue::new(&mut self.seed));
                drag.widget_info(|| {
                    egui::WidgetInfo::labeled(egui::Role::SpinButton, true, "seed")
                });
                true
            }
            2 => match twin(&scene.facts.name) {
                Some(twin) => {
                    say(
                        ui,
                        &format!(
                            "{} and {twin}: the same weights, rounded and not",
                            scene.facts.name
                        ),
                    );
                    true
                }
                None => {
                    say(
                        ui,
                        "Of this model there is no copy in other bits here: choose Another model and name one.",
                    );
                    false
                }
            },
            3 => {
                field_ui(
                    ui,
                    "the other model",
                    "A folder, or a name from the list of models",
                    &mut self.model,
                    320.0,
                );
                !self.model.trim().is_empty()
            }
            _ => {
                let acts = scene.run.edits.acts();
                say(
                    ui,
                    if acts {
                        "The same text without the edits."
                    } else {
                        "No edit acts: add one under Experiments first."
                    },
                );
                acts
            }
        }
    }

    fn begin(&mut self, scene: &mut Scene<'_>) {
        self.open = self.kind;
        let prompt_ids = first(&scene.run.ids, scene.run.prompt_len);
        // As much of the text as this run has read to its logits: the last draw may not have been read yet.
        let ids = first(&scene.run.ids, n_read(scene.run));
        let is_chat = scene.settings.prompt.is_chat;
        let system = scene.settings.prompt.system.clone();
        let twin = twin(&scene.facts.name);
        let (kind, text, model) = (self.kind, self.prompt.clone(), self.model.trim().to_owned());
        let sampling = SamplingChoice {
            temperature: Some(self.temperature),
            ..SamplingChoice::default()
        };
        let seed = self.seed;
        let change = move |request: &mut OpenRequest| match kind {
            0 if is_chat => put_messages(request, &system, &text),
            0 => request.prompt = Prompt::Raw(text),
            1 => {
                request.prompt = Prompt::Ids(prompt_ids);
                request.sampling = sampling;
                request.seed = Some(seed);
            }
            2 => {
                request.prompt = Prompt::Ids(ids);
                if let Some(twin) = twin {
                    twin.clone_into(&mut request.model.name);
                }
            }
            3 => request.model.name = model,
            _ => request.prompt = Prompt::Ids(ids),
        };
        let mut logits = Address::at(Place::Stage(Stage::Logits));
        logits.pass = Some(0);
        let then = match kind {
            1 => DebugCommand::End {
                max_tokens: MOST_TOKENS,
            },
            _ => DebugCommand::To(logits),
        };
        scene.link.open_other(change, then);
    }

    /// Whether what is open is what is chosen: an earlier comparison says nothing of another kind.
    pub fn is_open(&self) -> bool {
        self.open == self.kind
    }

    /// What stands where nothing is compared yet.
    pub fn closed_ui(&self, ui: &mut Ui) {
        let told = match self.kind {
            0 => {
                "Two prompts that differ in one word show best where the difference goes. As many tokens keep the positions aligned."
            }
            1 => {
                "The same distribution, drawn from in another way: the states are equal until the texts part."
            }
            2 => "What rounding to 4 bits changes, from the embedding to the answer.",
            3 => {
                "Two models on the same text. Where their states have different widths, only the answers can be compared."
            }
            _ => "What the edits changed, state by state.",
        };
        note_ui(ui, told);
    }

    /// Differences that count as none: equal arithmetic gives equal bits, other pieces of the text
    /// do not.
    pub fn tolerance(&self) -> f32 {
        if self.open >= 2 { 1e-3 } else { 0.0 }
    }

    /// Whether what was drawn is compared.
    pub fn is_about_draws(&self) -> bool {
        self.open == 1
    }
}

/// The first `n` ids.
fn first(ids: &[u32], n: usize) -> Vec<u32> {
    ids.get(..n).unwrap_or(ids).to_vec()
}

/// Tokens before the newest logits; those of the prompt before there are any.
fn n_read(run: &RunState) -> usize {
    let has_logits = |pass: &&PassState| {
        pass.executed
            .iter()
            .any(|(stage, _)| *stage == Stage::Logits)
    };
    let newest = run.passes.iter().rev().find(has_logits);
    newest.map_or(run.prompt_len, |pass| pass.start + pass.n_pos)
}

/// Puts another question in the place of the last one; what else was said stays.
fn put_messages(request: &mut OpenRequest, system: &str, text: &str) {
    if let Prompt::Chat { messages, .. } = &mut request.prompt {
        messages.clear();
        if !system.trim().is_empty() {
            messages.push(Message::new("system", system));
        }
        messages.push(Message::new("user", text));
    }
}

/// The same weights in other bits, where the program carries them.
fn twin(model: &str) -> Option<&'static str> {
    match model {
        "classroom" => Some("classroom-16bit"),
        "classroom-16bit" => Some("classroom"),
        _ => None,
    }
}

/// A prompt to begin with: the same with its names changed, or the same.
fn other_prompt(text: &str) -> String {
    let pairs = [
        ("Anna and Tom", "Tom and Anna"),
        ("France", "Japan"),
        ("dog bit the man", "man bit the dog"),
    ];
    let found = pairs.iter().find(|(from, _)| text.contains(from));
    found.map_or_else(|| text.to_owned(), |(from, to)| text.replace(from, to))
}
