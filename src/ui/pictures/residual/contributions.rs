//! What every writer adds to a token's logit, or to the difference of two.

use egui::{Rect, Ui, UiBuilder, pos2, vec2};

use super::{at, rank};
use crate::engine::question::{Question, Told};
use crate::trace::measure::NamedToken;
use crate::trace::measure::contribution::{Contribution, Contributions, Writer};
use crate::trace::{BlockHook, Hook, Stage};
use crate::ui::colormap::ColorMap;
use crate::ui::command::{Command, Pointing};
use crate::ui::picture::{Scene, Term};
use crate::ui::pictures::shared::{TokenPicker, n_blocks_run, run_first_ui, told_ui, written};
use crate::ui::theme::{Palette, Role, Type, space};
use crate::ui::widgets::heatmap::{Grid, HeatMap, Labels, MapCell, MapState, figure, legend_ui};
use crate::ui::widgets::{Bar, Bars, chip_ui};

/// Bars of the largest terms, and a map of all heads and MLPs.
#[derive(Default)]
pub struct ContributionsPart {
    token: TokenPicker,
    other: TokenPicker,
    against: Option<NamedToken>,
    map: MapState,
    told: Option<Contributions>,
    /// The writer under the pointer.
    hovered: Option<Writer>,
    /// The writer that was clicked.
    locked: Option<Writer>,
}

impl ContributionsPart {
    pub fn show(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, followed: &mut Option<NamedToken>) {
        let n_layers = scene.facts.n_layers;
        if n_blocks_run(scene) < n_layers {
            let needs = "A logit is the sum of all writers, and not all of them have written yet.";
            run_first_ui(ui, scene, needs, Stage::Logits);
            return;
        }
        let Some(token) = followed.clone().or_else(|| rank::own_answer(scene)) else {
            return;
        };
        self.choice_ui(ui, scene, followed, &token);
        let question = Question::Contributions {
            at: at(scene),
            token: token.id,
            against: self.against.as_ref().map(|token| token.id),
        };
        let Some(told) = told_ui(ui, scene, &question) else {
            return;
        };
        let Told::Contributions(terms) = &*told else {
            return;
        };
        self.hovered = None;
        let room = ui.available_rect_before_wrap();
        let beside = (room.width() * 0.52).clamp(220.0, 620.0);
        let left = Rect::from_min_max(room.min, pos2(room.right() - beside - 20.0, room.bottom()));
        let right = Rect::from_min_max(pos2(room.right() - beside, room.top()), room.max);
        ui.scope_builder(UiBuilder::new().max_rect(left), |ui| {
            self.bars_ui(ui, terms)
        });
        ui.scope_builder(UiBuilder::new().max_rect(right), |ui| {
            self.map_ui(ui, scene, terms)
        });
        self.told = Some(terms.clone());
        ui.advance_cursor_after_rect(room);
    }

    fn choice_ui(
        &mut self,
        ui: &mut Ui,
        scene: &mut Scene<'_>,
        followed: &mut Option<NamedToken>,
        token: &NamedToken,
    ) {
        let palette = Palette::of(ui);
        ui.horizontal(|ui| {
            ui.label(Type::Body.text("Logit of", palette.muted));
            if let Some(token) = self.token.show(ui, scene, &written(&token.text)) {
                *followed = Some(token);
            }
            ui.label(Type::Body.text("less that of", palette.muted));
            let label = self.against.as_ref().map(|token| written(&token.text));
            let label = label.unwrap_or_else(|| "no other …".into());
            if let Some(token) = self.other.show(ui, scene, &label) {
                self.against = Some(token);
            }
            if self.against.is_some() && chip_ui(ui, "no other", false).clicked() {
                self.against = None;
            }
            if let Some(told) = &self.told {
                let csv = csv(told);
                if chip_ui(ui, "Copy as CSV", false).clicked() {
                    scene.send(Command::Copy(csv));
                }
            }
        });
    }

    /// The largest terms, and what all others add.
    fn bars_ui(&mut self, ui: &mut Ui, told: &Contributions) {
        let palette = Palette::of(ui);
        let largest = told.largest();
        let n_fit = ((ui.available_height() / 22.0) as usize)
            .saturating_sub(1)
            .clamp(3, 40);
        let (shown, rest) = largest.split_at(n_fit.min(largest.len()));
        let mut bars: Vec<Bar> = shown.iter().map(|term| self.bar(term, palette)).collect();
        if !rest.is_empty() {
            let sum: f64 = rest.iter().map(|term| term.value).sum();
            let label = format!("{} others", rest.len());
            let value = signed(sum);
            bars.push(Bar::new(label, sum as f32, value, palette.faint));
        }
        let shown_bars = Bars::new("contributions", &bars).show(ui);
        let writer = |at: usize| shown.get(at).map(|term| term.writer);
        self.hovered = shown_bars.hovered.and_then(writer);
        if let Some(writer) = shown_bars.clicked.and_then(writer) {
            self.locked = Some(writer);
        }
    }

    fn bar(&self, term: &Contribution, palette: &Palette) -> Bar {
        let role = match term.writer {
            Writer::Head { .. } | Writer::AttentionBias { .. } => Role::Attention,
            Writer::Mlp { .. } | Writer::MlpBias { .. } => Role::Mlp,
            _ => Role::Residual,
        };
        let length = term.value as f32;
        Bar {
            is_chosen: self.locked == Some(term.writer),
            ..Bar::new(
                name(term.writer),
                length,
                signed(term.value),
                palette.role(role),
            )
        }
    }

    /// Every head and MLP as a cell: a row per block.
    fn map_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, told: &Contributions) {
        let palette = Palette::of(ui);
        ui.label(Type::Strong.text("All heads and MLPs", palette.text));
        let (n_layers, n_heads) = (scene.facts.n_layers, scene.facts.n_heads);
        let n_cols = n_heads + 1;
        let mut values = vec![0.0_f32; n_layers * n_cols];
        for term in &told.terms {
            if let Some(cell) = cell_of(term.writer, n_heads)
                && let Some(value) = values.get_mut(cell.row * n_cols + cell.col)
            {
                *value += term.value as f32;
            }
        }
        let Some(grid) = Grid::new(n_layers, n_cols, values) else {
            return;
        };
        let (colours, limit) = (ColorMap::diverging(palette), grid.largest());
        let rows: Vec<String> = (0..n_layers)
            .map(|layer| format!("block {layer}"))
            .collect();
        let cols: Vec<String> = (0..n_heads)
            .map(|head| format!("H{head}"))
            .chain(["MLP".to_owned()])
            .collect();
        let marked = self.hovered.or(self.locked);
        let labels = |texts| Labels {
            texts,
            chosen: None,
        };
        let room = vec2(
            ui.available_width(),
            (ui.available_height() - 34.0).max(80.0),
        );
        let shown = HeatMap::new("what each head and MLP adds", &grid, &colours, limit)
            .rows(labels(&rows))
            .cols(labels(&cols))
            .chosen(marked.and_then(|writer| cell_of(writer, n_heads)))
            .still()
            .show(ui, &mut self.map, room);
        let writer = |cell: MapCell| match cell.col == n_heads {
            true => Writer::Mlp { layer: cell.row },
            false => Writer::Head {
                layer: cell.row,
                head: cell.col,
            },
        };
        self.hovered = shown.hovered.map(writer).or(self.hovered);
        if let Some(cell) = shown.clicked {
            self.locked = Some(writer(cell));
            scene.point(Pointing::Layer(cell.row));
            if cell.col < n_heads {
                scene.point(Pointing::Head(cell.col));
            }
        }
        ui.add_space(space::TINY);
        legend_ui(ui, "adds to the logit", &colours, limit);
    }

    /// The sum, and the term that is pointed at.
    pub fn formula(&self, scene: &Scene<'_>) -> (Vec<Term>, String) {
        let Some(told) = &self.told else {
            return (Vec::new(), String::new());
        };
        let sum = |of: fn(&Writer) -> bool| -> f64 {
            let terms = told.terms.iter().filter(|term| of(&term.writer));
            terms.map(|term| term.value).sum()
        };
        let is_head = |w: &Writer| matches!(w, Writer::Head { .. } | Writer::AttentionBias { .. });
        let is_mlp = |w: &Writer| matches!(w, Writer::Mlp { .. } | Writer::MlpBias { .. });
        let (heads, mlps) = (sum(is_head), sum(is_mlp));
        let mut terms = Vec::new();
        if let Some(writer) = self.hovered.or(self.locked)
            && let Some(term) = told.terms.iter().find(|term| term.writer == writer)
        {
            terms.push(Term::words(format!("{}:", name(writer))));
            terms.push(Term::number(signed(term.value)));
            terms.push(Term::words("of"));
        }
        terms.extend([
            Term::of(Role::Residual, "embedding"),
            Term::number(signed(told.sum() - heads - mlps)),
            Term::of(Role::Attention, "attention"),
            Term::number(signed(heads)),
            Term::of(Role::Mlp, "MLPs"),
            Term::number(signed(mlps)),
            Term::words("="),
            Term::result(Role::Logits, figure(told.logit as f32)),
        ]);
        if told.left_over().abs() > 5e-3 {
            terms.push(Term::words(format!("(left over {:.3})", told.left_over())));
        }
        let mut address = match self.hovered.or(self.locked) {
            Some(Writer::Head { layer, .. }) => scene.address(Hook::Block(layer, BlockHook::Z)),
            Some(Writer::Mlp { layer }) => scene.address(Hook::Block(layer, BlockHook::MlpOut)),
            _ => scene.address(Hook::Logits),
        };
        address.index = vec![scene.row()];
        if let Some(Writer::Head { head, .. }) = self.hovered.or(self.locked) {
            address.index.push(head);
        }
        (terms, address.to_string())
    }
}

fn cell_of(writer: Writer, n_heads: usize) -> Option<MapCell> {
    let (row, col) = match writer {
        Writer::Head { layer, head } => (layer, head),
        Writer::Mlp { layer } | Writer::MlpBias { layer } => (layer, n_heads),
        _ => return None,
    };
    Some(MapCell { row, col })
}

/// A writer in a few letters: `L2.H3`, `MLP 4`.
fn name(writer: Writer) -> String {
    match writer {
        Writer::Head { layer, head } => format!("L{layer}.H{head}"),
        Writer::Mlp { layer } => format!("MLP {layer}"),
        other => other.to_string(),
    }
}

/// A number with its sign, which a term must show.
fn signed(value: f64) -> String {
    let text = figure(value as f32);
    match value > 0.0 {
        true => format!("+{text}"),
        false => text,
    }
}

fn csv(told: &Contributions) -> String {
    let mut text = "writer,logit\n".to_owned();
    for term in &told.terms {
        text.push_str(&format!("\"{}\",{}\n", term.writer, term.value));
    }
    text
}
