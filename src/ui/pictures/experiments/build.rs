//! Making an edit: a kind, its places, and the text form that it amounts to.

use egui::{DragValue, Ui};

use crate::trace::debug::{DebugCommand, EditChange, SourcePrompt};
use crate::trace::edit::Edit;
use crate::ui::command::Command;
use crate::ui::controls::{Button, card, segmented};
use crate::ui::picture::Scene;
use crate::ui::pictures::kit::{field_ui, note_ui, section_ui};
use crate::ui::theme::{Palette, Type, space};

/// What is being put together.
pub struct Build {
    kind: usize,
    factor: f32,
    key: usize,
    shift: f32,
    text: String,
    source: String,
    /// Whether block, head and position were set here; else those that are pointed at are taken.
    places: Option<Places>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Places {
    layer: usize,
    head: usize,
    pos: usize,
}

const KINDS: [&str; 6] = ["Head", "MLP", "Edge", "Patch", "Logit", "In words"];

/// The name of the prompt that patches copy from.
pub const SOURCE: &str = "b";

impl Default for Build {
    fn default() -> Self {
        Self {
            kind: 0,
            factor: 0.0,
            key: 0,
            shift: -2.0,
            text: String::new(),
            source: String::new(),
            places: None,
        }
    }
}

/// The command that adds the edit that `text` stands for.
pub fn add(text: &str) -> Option<Command> {
    let edit = text.parse::<Edit>().ok()?;
    let change = EditChange::Add(edit);
    Some(Command::Tell(DebugCommand::Edit {
        change,
        catch_up: true,
    }))
}

impl Build {
    pub fn show(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        section_ui(ui, "A new edit", "");
        card(ui).show(ui, |ui| {
            ui.set_width(ui.available_width());
            if let Some(kind) = segmented(ui, "kind of edit", &KINDS, self.kind) {
                self.kind = kind;
            }
            ui.horizontal_wrapped(|ui| self.places_ui(ui, scene));
            if self.kind == 3 {
                self.source_ui(ui, scene);
            }
            let text = self.told(scene);
            self.add_ui(ui, scene, &text);
        });
    }

    /// Block, head, positions: as far as the kind has them.
    fn places_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let mut places = self.at(scene);
        let (n_layers, n_heads) = (scene.facts.n_layers, scene.facts.n_heads);
        let n_pos = scene.run.ids.len();
        let before = places;
        match self.kind {
            0 | 2 => {
                number_ui(ui, "block", &mut places.layer, n_layers);
                number_ui(ui, "head", &mut places.head, n_heads);
            }
            1 | 3 => number_ui(ui, "block", &mut places.layer, n_layers),
            _ => {}
        }
        match self.kind {
            0 | 1 => factor_ui(ui, &mut self.factor),
            2 => {
                number_ui(ui, "query at position", &mut places.pos, n_pos);
                number_ui(ui, "must not read position", &mut self.key, places.pos + 1);
            }
            3 => number_ui(ui, "position", &mut places.pos, n_pos),
            4 => self.logit_ui(ui, scene),
            _ => {
                field_ui(
                    ui,
                    "edit in words",
                    "blocks.2.attn.hook_z[:, 3]=zero",
                    &mut self.text,
                    420.0,
                );
            }
        }
        if places != before {
            self.places = Some(places);
        }
    }

    /// The places that were set, else those that are pointed at.
    fn at(&self, scene: &Scene<'_>) -> Places {
        self.places.unwrap_or(Places {
            layer: scene.view.layer,
            head: scene.view.head,
            pos: scene.view.token,
        })
    }

    fn logit_ui(&mut self, ui: &mut Ui, scene: &Scene<'_>) {
        let palette = Palette::of(ui);
        let name = match scene.run.likeliest.first() {
            Some(first) => format!("the logit of “{}”, the likeliest now", first.text),
            None => "the likeliest token is not known yet: run to the logits first".to_owned(),
        };
        ui.label(Type::Body.text(name, palette.muted));
        ui.label(Type::Body.text("plus", palette.muted));
        let drag = ui.add(DragValue::new(&mut self.shift).speed(0.1).max_decimals(2));
        drag.widget_info(|| {
            egui::WidgetInfo::labeled(egui::Role::SpinButton, true, "added to the logit")
        });
    }

    /// The other prompt.
    fn source_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let known = scene
            .run
            .sources
            .iter()
            .find(|source| source.name == SOURCE);
        let known = known.map(|source| source.texts.clone());
        ui.horizontal(|ui| {
            field_ui(
                ui,
                "the other prompt",
                "The prompt to copy from, best of as many tokens",
                &mut self.source,
                360.0,
            );
            let mut button = Button::new("Take it");
            button.is_disabled = self.source.trim().is_empty();
            if button.show(ui, space::TARGET).clicked() && !button.is_disabled {
                let text = self.source.clone();
                let prompt = match scene.settings.prompt.is_chat {
                    true => SourcePrompt::Chat(text),
                    false => SourcePrompt::Raw(text),
                };
                scene.send(Command::Tell(DebugCommand::Source {
                    name: SOURCE.into(),
                    prompt,
                }));
            }
        });
        if let Some(texts) = known {
            let n = texts.len();
            let fits = if n == scene.run.prompt_len {
                "as many as this one"
            } else {
                "this one has another number"
            };
            note_ui(ui, &format!("“{}”: {n} tokens, {fits}.", texts.concat()));
        }
    }

    /// The text form of the edit.
    fn told(&self, scene: &Scene<'_>) -> String {
        let Places { layer, head, pos } = self.at(scene);
        let change = match self.factor {
            0.0 => "zero".to_owned(),
            factor => format!("scale({factor})"),
        };
        match self.kind {
            0 => format!("blocks.{layer}.attn.hook_z[:, {head}]={change}"),
            1 => format!("blocks.{layer}.hook_mlp_out={change}"),
            2 => format!(
                "blocks.{layer}.attn.hook_attn_scores[{head}, {pos}, {}]=block",
                self.key.min(pos)
            ),
            3 => format!("blocks.{layer}.hook_resid_pre[{pos}]=patch({SOURCE})"),
            4 => match scene.run.likeliest.first() {
                Some(first) => format!("logit({})=add({})", first.id, self.shift),
                None => String::new(),
            },
            _ => self.text.clone(),
        }
    }

    fn add_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, text: &str) {
        let palette = Palette::of(ui);
        let parsed = text.parse::<Edit>();
        let needs_source =
            self.kind == 3 && !scene.run.sources.iter().any(|source| source.name == SOURCE);
        ui.horizontal(|ui| {
            let mut button = Button::new("Add");
            button.is_primary = true;
            button.is_disabled = parsed.is_err() || needs_source;
            let is_clicked = button.show(ui, space::TARGET).clicked();
            if is_clicked && !button.is_disabled {
                scene.commands.extend(add(text));
            }
            ui.label(Type::Mono.text(text, palette.text));
        });
        match parsed {
            Err(why) if !text.is_empty() => note_ui(ui, &why.to_string()),
            _ if needs_source => note_ui(ui, "First give the prompt to copy from."),
            _ => {}
        }
    }
}

fn number_ui(ui: &mut Ui, label: &str, value: &mut usize, n: usize) {
    let palette = Palette::of(ui);
    ui.label(Type::Body.text(label, palette.muted));
    let drag = ui.add(
        DragValue::new(value)
            .range(0..=n.saturating_sub(1))
            .speed(0.1),
    );
    drag.widget_info(|| egui::WidgetInfo::labeled(egui::Role::SpinButton, true, label));
}

fn factor_ui(ui: &mut Ui, factor: &mut f32) {
    let palette = Palette::of(ui);
    ui.label(Type::Body.text("times", palette.muted));
    let drag = ui.add(
        DragValue::new(factor)
            .range(-4.0..=4.0)
            .speed(0.05)
            .max_decimals(2),
    );
    drag.widget_info(|| egui::WidgetInfo::labeled(egui::Role::SpinButton, true, "factor"));
    ui.label(Type::Body.text("(0 switches it off)", palette.muted));
}
