//! Attention: one head's map in its four steps, all heads to choose from, arcs as a second view.

mod decode;
mod head_grid;
mod map;
mod options;

use std::sync::Arc;

use egui::{Ui, UiBuilder};

use crate::engine::question::{Question, Told};
use crate::lesson::Click;
use crate::trace::measure::heads::{HeadScore, HeadTally};
use crate::trace::measure::maps::ScoreMaps;
use crate::trace::{Address, BlockHook, Hook};
use crate::ui::answers::Asked;
use crate::ui::command::{Command, Pointing};
use crate::ui::picture::{
    Check, Heading, Picture, Scene, Side, Spoken, Term, formula_ui, ready_ui,
};
use crate::ui::pictures::parts::try_edit;
use crate::ui::state::Mode;
use crate::ui::theme::{Palette, Role, Type};
use crate::ui::widgets::heatmap::{MapCell, figure};
use crate::ui::words::{fill, stages};

/// The tabs, in the order of computation.
const TABS: [&str; 4] = [
    stages::ATTENTION_STEPS[0].0,
    stages::ATTENTION_STEPS[1].0,
    stages::ATTENTION_STEPS[2].0,
    stages::ATTENTION_STEPS[3].0,
];

/// One head's attention.
#[derive(Default)]
pub struct AttentionPicture {
    map: map::MapPart,
    grid: head_grid::HeadGrid,
    options: options::Options,
    /// The last maps, shown while the next are being computed.
    last: Option<Arc<Told>>,
}

impl Picture for AttentionPicture {
    fn heading(&self, scene: &Scene<'_>) -> Heading {
        let words = stages::ATTENTION_STEPS.get(step(scene));
        let sentence = words.map_or(stages::ATTENTION.sentence, |(_, sentence)| sentence);
        let (layer, head) = (scene.view.layer, head(scene));
        Heading {
            title: stages::ATTENTION.title.into(),
            detail: format!("L{layer}.H{head}"),
            sentence: sentence.into(),
        }
    }

    fn tabs(&self) -> &'static [&'static str] {
        &TABS
    }

    fn default_tab(&self) -> usize {
        TABS.len() - 1
    }

    fn spoken(&mut self, scene: &mut Scene<'_>) -> Option<Spoken> {
        let maps = self.maps().filter(|maps| maps.head == head(scene))?;
        let cell = self.cell_without_hover(scene, maps)?;
        let own = maps.start + cell.row;
        let share = maps.pattern.value(&[cell.row, cell.col])?;
        let (query, key) = (scene.name(own), scene.name(cell.col));
        let is_most = largest_at(maps.pattern.at(&[cell.row])?.get(..=own)?) == Some(cell.col);
        let sentence = match own.checked_sub(cell.col) {
            None => format!("“{query}” cannot read “{key}”: it comes later."),
            Some(_) if !is_most => format!("“{query}” also reads “{key}”."),
            Some(0) => format!("“{query}” reads itself most."),
            Some(1) => format!("“{query}” reads the token before it."),
            Some(_) => format!("“{query}” reads “{key}” most."),
        };
        let share = crate::trace::units::percent(f64::from(share));
        Some(Spoken {
            sentence,
            detail: format!("**{share}** of its attention in this head lies on “{key}”."),
            role: Role::Attention,
        })
    }

    fn main_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        if scene.view.is_presenting && !scene.view.present.shows_heads {
            if !scene.view.is_head_chosen {
                self.grid.ask(ui, scene, &self.options);
                self.suggest_head(scene);
            }
            self.map_ui(ui, scene);
            return;
        }
        let room = ui.available_rect_before_wrap();
        let beside = (room.width() * 0.43).clamp(230.0, 470.0);
        let mut left = room;
        left.max.x = room.right() - beside - 22.0;
        let mut right = room;
        right.min.x = room.right() - beside;
        right.min.y += 8.0;
        ui.scope_builder(UiBuilder::new().max_rect(left), |ui| self.map_ui(ui, scene));
        ui.scope_builder(UiBuilder::new().max_rect(right), |ui| {
            self.beside_ui(ui, scene)
        });
    }

    fn formula_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let (Some(maps), Some(cell)) = (self.maps(), self.cell(scene)) else {
            formula_ui(ui, &[Term::words("Point at a cell to see its number.")], "");
            return;
        };
        let address = address(scene, cell).to_string();
        formula_ui(ui, &terms(scene, maps, cell), &address);
    }

    fn side(&mut self, scene: &mut Scene<'_>) -> Side {
        let words = &stages::ATTENTION;
        let range = scene.pass_range();
        let n_keys = (scene.position() + 1).to_string();
        let is_decode = range.start > 0 && range.len() == 1;
        let happens = match is_decode {
            true => stages::ATTENTION_DECODE_HAPPENS,
            false => words.happens,
        };
        let token = scene.said(scene.position());
        let hook = Hook::Block(scene.view.layer, BlockHook::Pattern);
        let n_heads = scene.facts.n_heads;
        let (n_rows, n_cols) = (range.len(), range.end);
        Side {
            happens: fill(happens, &[("token", &token), ("n_keys", &n_keys)]),
            look_for: words.look_for.into(),
            does_not_say: words.not_said.unwrap_or_default().into(),
            tries: self.tries(scene),
            check: self.check(scene),
            meta: vec![
                format!("[head {n_heads}, query {n_rows}, key {n_cols}] · f32"),
                scene.address(hook).to_string(),
            ],
        }
    }
}

impl AttentionPicture {
    fn maps(&self) -> Option<&ScoreMaps> {
        match self.last.as_deref()? {
            Told::ScoreMaps(maps) => Some(maps),
            _ => None,
        }
    }

    fn map_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let question = Question::ScoreMaps {
            pass: scene.view.pass(),
            layer: scene.view.layer,
            head: head(scene),
        };
        let asked = scene.ask(&question);
        let is_waiting = matches!(asked, Asked::Waiting);
        if let Asked::Ready(told) = &asked {
            self.last = Some(Arc::clone(told));
        }
        let fits = |maps: &ScoreMaps| {
            maps.pattern.shape() == [scene.pass_range().len(), scene.pass_range().end]
        };
        if !self.maps().is_some_and(fits) || matches!(asked, Asked::Failed(_)) {
            self.last = None;
            ready_ui(ui, asked);
            return;
        }
        let Some(told) = self.last.clone() else {
            return;
        };
        let Told::ScoreMaps(maps) = &*told else {
            return;
        };
        if is_waiting {
            // The head before, until this one is there.
            ui.set_opacity(0.55);
        }
        let hovered_cell = scene
            .view
            .hovered
            .as_ref()
            .and_then(|at| cell_of(scene, at));
        let chosen = self.cell_without_hover(scene, maps);
        if let Some(lack) = lack(maps, step(scene)).filter(|_| !self.options.is_arcs) {
            return missing_ui(ui, lack);
        }
        let pointed = match (self.options.is_arcs, maps.pattern.shape()) {
            (true, _) => self.map.arcs_ui(ui, scene, maps, chosen),
            (false, [1, _]) if maps.start > 0 => decode::decode_ui(ui, scene, maps, chosen),
            _ => self.map.show(ui, scene, &told, maps, &self.options, chosen),
        };
        let hovered = pointed.hovered.map(|cell| address(scene, cell));
        if hovered.is_some() || hovered_cell.is_some() {
            scene.point(Pointing::Hover(hovered));
        }
        if let Some(cell) = pointed.clicked {
            point(scene, cell);
        }
    }

    fn beside_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>) {
        let foot = 118.0;
        let height = (ui.available_height() - foot).max(90.0);
        let labels = self.labels(scene);
        self.grid.show(ui, scene, height, &self.options);
        self.suggest_head(scene);
        let maps = self.last.clone();
        let maps = match maps.as_deref() {
            Some(Told::ScoreMaps(maps)) => Some(maps),
            _ => None,
        };
        let legend = self.map.legend(ui, scene, maps, &self.options);
        // A single row, and arcs, have no colour scale to choose.
        let is_map = maps.is_some_and(|maps| maps.start == 0) && !self.options.is_arcs;
        let is_share = is_map && step(scene) + 1 == TABS.len();
        let legend = legend.filter(|_| is_map);
        self.options.show(ui, &labels, legend, is_share);
    }

    /// Begins with a head that shows something, where nobody has chosen one. A lesson chooses its own.
    fn suggest_head(&self, scene: &mut Scene<'_>) {
        if scene.view.is_head_chosen || scene.view.mode != Mode::Explore {
            return;
        }
        let suggested = self.grid.clearest(scene.view.layer);
        if let Some(head) = suggested.filter(|head| *head != scene.view.head) {
            scene.point(Pointing::SuggestHead(head));
        }
    }

    /// The labels that the head on view bears on this text, told from the map on view.
    fn labels(&self, scene: &Scene<'_>) -> Vec<HeadScore> {
        let Some(maps) = self.maps().filter(|maps| maps.head == head(scene)) else {
            return Vec::new();
        };
        let n_keys = maps.pattern.shape().last().copied().unwrap_or_default();
        let Some(ids) = scene.run.ids.get(..n_keys) else {
            return Vec::new();
        };
        let mut tally = HeadTally::default();
        tally.add(maps.pattern.values(), maps.start, ids);
        tally.scores(maps.layer, maps.head).labels()
    }

    /// The cell whose numbers are shown: the one under the pointer, else the chosen one.
    fn cell(&self, scene: &Scene<'_>) -> Option<MapCell> {
        let hovered = scene
            .view
            .hovered
            .as_ref()
            .and_then(|at| cell_of(scene, at));
        hovered.or_else(|| self.cell_without_hover(scene, self.maps()?))
    }

    /// The chosen query, and the chosen key or, without one, the key it reads most.
    fn cell_without_hover(&self, scene: &Scene<'_>, maps: &ScoreMaps) -> Option<MapCell> {
        let row = scene.row();
        let shares = maps.pattern.at(&[row])?;
        let own = scene.position();
        let key = scene.view.key.filter(|key| *key < shares.len());
        let most = || largest_at(shares.get(..=own)?).filter(|_| !asks_for_it(scene));
        let col = key.or_else(most)?;
        Some(MapCell { row, col })
    }

    /// Experiments on the chosen edge and head.
    fn tries(&self, scene: &Scene<'_>) -> Vec<(String, Command)> {
        let layer = scene.view.layer;
        let head = head(scene);
        let edge = self
            .maps()
            .and_then(|maps| self.cell_without_hover(scene, maps))
            .map(|cell| {
                let query = scene.pass_range().start + cell.row;
                format!(
                    "blocks.{layer}.attn.hook_attn_scores[{head}, {query}, {}]=block",
                    cell.col
                )
            });
        let z = format!("blocks.{layer}.attn.hook_z[:, {head}]=zero");
        let edge = edge.and_then(|edge| try_edit("Block this edge", &edge));
        edge.into_iter()
            .chain(try_edit("Switch the head off", &z))
            .collect()
    }

    /// Which of three positions the chosen query reads most.
    fn check(&self, scene: &Scene<'_>) -> Option<Check> {
        let maps = self.maps()?;
        // Not the row that is marked: one has to look.
        let own = scene
            .position()
            .checked_sub(1)
            .filter(|own| *own >= maps.start + 2)?;
        let shares = maps.pattern.at(&[own - maps.start])?.get(..=own)?;
        let best = largest_at(shares)?;
        let mut places: Vec<usize> = [best, own, 0, own / 2, own.saturating_sub(1)].into();
        places.sort_unstable();
        places.dedup();
        places.retain(|place| *place == best || shares.get(*place) < shares.get(best));
        while places.len() > 3 {
            let other = places.iter().rposition(|place| *place != best)?;
            places.remove(other);
        }
        let right = places.iter().position(|place| *place == best)?;
        (places.len() == 3).then(|| Check {
            question: format!(
                "Which position does **{}** read most in this head?",
                scene.said(own)
            ),
            answers: places.iter().map(|place| scene.name(*place)).collect(),
            right,
            because: shares
                .get(best)
                .map(|share| figure(*share))
                .unwrap_or_default(),
        })
    }
}

/// The open tab.
fn step(scene: &Scene<'_>) -> usize {
    scene.tab_or(&TABS, TABS.len() - 1).min(TABS.len() - 1)
}

/// The head on view.
fn head(scene: &Scene<'_>) -> usize {
    scene.view.head.min(scene.facts.n_heads.saturating_sub(1))
}

/// The place of the largest value.
fn largest_at(values: &[f32]) -> Option<usize> {
    let values = values.iter().enumerate();
    Some(values.max_by(|(_, a), (_, b)| a.total_cmp(b))?.0)
}

/// The address of a cell of the map on view.
fn address(scene: &Scene<'_>, cell: MapCell) -> Address {
    let hook = match step(scene) {
        3 => BlockHook::Pattern,
        _ => BlockHook::Scores,
    };
    let mut address = scene.address(Hook::Block(scene.view.layer, hook));
    address.index = vec![head(scene), cell.row, cell.col];
    address
}

/// Whether a question of a lesson waits for a position or a cell: none may be marked by itself.
fn asks_for_it(scene: &Scene<'_>) -> bool {
    let open = scene.board.open.as_ref();
    let open = open.filter(|_| scene.view.mode == Mode::Lessons);
    open.is_some_and(|open| open.waits_for_click(&[Click::Token, Click::Cell]))
}

/// The cell that an address names, if it is one of the map on view.
fn cell_of(scene: &Scene<'_>, at: &Address) -> Option<MapCell> {
    let is_ours = at.place == address(scene, MapCell { row: 0, col: 0 }).place;
    match (is_ours, at.index.as_slice()) {
        (true, [_, row, col]) => Some(MapCell {
            row: *row,
            col: *col,
        }),
        _ => None,
    }
}

/// Chooses a cell: its query is the token of every picture, its key the one that is read.
fn point(scene: &mut Scene<'_>, cell: MapCell) {
    let start = scene.pass_range().start;
    let locked = address(scene, cell);
    scene.point(Pointing::Token(start + cell.row));
    scene.point(Pointing::Key(Some(cell.col)));
    scene.point(Pointing::Lock(Some(locked)));
}

/// What a recording lacks for the map of tab `step`.
fn lack(maps: &ScoreMaps, step: usize) -> Option<&'static str> {
    let (map, lack) = match step {
        0 => (&maps.dot, "queries and keys"),
        1 => (&maps.scaled, "queries and keys"),
        2 => (&maps.masked, "scores"),
        _ => return None,
    };
    map.values().is_empty().then_some(lack)
}

/// Says why a tab of a recorded run is empty.
fn missing_ui(ui: &mut Ui, lack: &str) {
    let text = format!(
        "This step was not recorded: it takes the {lack} of this block, and the file keeps the shares \
         that came of them, on the last tab."
    );
    let text = Type::Body.text(text, Palette::of(ui).muted);
    ui.add(egui::Label::new(text).wrap());
}

/// The formula of a cell: from q · k to its share.
fn terms(scene: &Scene<'_>, maps: &ScoreMaps, cell: MapCell) -> Vec<Term> {
    let at = [cell.row, cell.col];
    let own = maps.start + cell.row;
    let number = |map: &crate::trace::HostTensor| map.value(&at).map_or("–".to_owned(), figure);
    let mut terms = vec![
        Term::of(Role::Query, format!("q[{}]", scene.name(own))),
        Term::words("·"),
        Term::of(Role::Key, format!("k[{}]", scene.name(cell.col))),
    ];
    terms.extend(match lack(maps, 0) {
        Some(_) => vec![Term::words("was not recorded")],
        None => vec![
            Term::words("="),
            Term::number(number(&maps.dot)),
            Term::words(format!("→ ÷ √{} →", scene.facts.head_dim)),
            Term::number(number(&maps.scaled)),
        ],
    });
    if cell.col > own {
        terms.push(Term::words("→ masked, it comes later →"));
    } else {
        terms.push(Term::words(format!("→ softmax over {} →", own + 1)));
    }
    terms.push(Term::result(Role::Attention, number(&maps.pattern)));
    terms
}
