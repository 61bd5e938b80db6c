//! The tokens as bars: their shares before and after the filters, and those that are out.

use egui::Ui;

use super::filters::reason_of;
use super::{SamplePicture, address};
use crate::engine::question::SamplingView;
use crate::trace::debug::DrawState;
use crate::ui::command::Pointing;
use crate::ui::picture::Scene;
use crate::ui::pictures::shared::{hover, percent, written};
use crate::ui::theme::{Palette, Role};
use crate::ui::widgets::{Bar, Bars};

const LINE: f32 = 24.0;

impl SamplePicture {
    pub(super) fn bars_ui(&mut self, ui: &mut Ui, scene: &mut Scene<'_>, view: &SamplingView) {
        let palette = Palette::of(ui);
        let n_fit = ((ui.available_height() / LINE) as usize).max(1);
        let forced = self.forced(scene).cloned();
        let drawn = view.draw.as_ref().map(|draw| draw.token);
        let hue = palette.role(Role::Logits);
        let mut lines = lines(view, n_fit);
        if let Some(forced) = &forced {
            show_forced(&mut lines, view, forced, n_fit);
        }
        let bar = |line: &Line| match line {
            Line::Forced => {
                let forced = forced.as_ref()?;
                let p = f64::from(forced.logprob).exp();
                Some(Bar {
                    reason: Some("put here by hand".to_owned()),
                    is_chosen: true,
                    ..Bar::new(written(&forced.text), p as f32, percent(p), hue)
                })
            }
            Line::Token(at) => {
                let candidate = view.filtered.candidates.get(*at)?;
                let p = candidate.probability;
                let kept = candidate.excluded.is_none() && candidate.share > 0.0;
                let reason = candidate.excluded.as_ref().map(|out| out.filter);
                let is_forced = forced
                    .as_ref()
                    .is_some_and(|one| one.token == candidate.token);
                let text = view.texts.get(*at).map(|text| written(text));
                Some(Bar {
                    second: if kept {
                        percent(candidate.share)
                    } else {
                        String::new()
                    },
                    reason: match is_forced {
                        true => Some("put here by hand".to_owned()),
                        false => reason.map(|filter| reason_of(filter, &view.settings)),
                    },
                    is_chosen: drawn == Some(candidate.token),
                    ..Bar::new(text.unwrap_or_default(), p as f32, percent(p), hue)
                })
            }
            Line::More(n) => {
                let text = format!("… {n} more kept");
                Some(Bar::new(text, 0.0, "", palette.background))
            }
        };
        let bars: Vec<Bar> = lines.iter().filter_map(bar).collect();
        let shown = Bars::new("share and share of the draw", &bars)
            .line(LINE)
            .show(ui);
        let id_at = |at: usize| match lines.get(at)? {
            Line::Token(at) => view.filtered.candidates.get(*at).map(|one| one.token),
            Line::Forced => forced.as_ref().map(|forced| forced.token),
            Line::More(_) => None,
        };
        let at = shown.hovered.and_then(id_at).map(|id| address(scene, id));
        hover(scene, at);
        if let Some(id) = shown.clicked.and_then(id_at) {
            let at = address(scene, id);
            scene.point(Pointing::Lock(Some(at)));
        }
    }
}

/// One line of the bars.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    /// A token, by its place among those followed.
    Token(usize),
    /// So many kept tokens that have no room.
    More(usize),
    /// The token that was put there by hand, and is not among those followed.
    Forced,
}

/// Gives the token that was put there by hand a line, where it has none yet.
fn show_forced(lines: &mut Vec<Line>, view: &SamplingView, forced: &DrawState, n_fit: usize) {
    let mut candidates = view.filtered.candidates.iter();
    let place = candidates.position(|candidate| candidate.token == forced.token);
    let line = place.map_or(Line::Forced, Line::Token);
    if !lines.contains(&line) {
        lines.truncate(n_fit.saturating_sub(1));
        lines.push(line);
    }
}

/// At most `n_fit` lines: the likeliest tokens, and always some of those that were dropped.
fn lines(view: &SamplingView, n_fit: usize) -> Vec<Line> {
    const N_DROPPED: usize = 3;
    let candidates = &view.filtered.candidates;
    let dropped = |at: usize| candidates.get(at).is_some_and(|one| one.excluded.is_some());
    let first = (0..candidates.len()).find(|at| dropped(*at));
    let n_kept = first.unwrap_or(candidates.len());
    let Some(first) = first.filter(|first| first + N_DROPPED > n_fit && n_fit > N_DROPPED + 2)
    else {
        return (0..candidates.len().min(n_fit)).map(Line::Token).collect();
    };
    let n_shown = n_fit - N_DROPPED - 1;
    let end = candidates.len().min(first + N_DROPPED);
    let kept = (0..n_shown).map(Line::Token);
    let more = std::iter::once(Line::More(n_kept - n_shown));
    kept.chain(more)
        .chain((first..end).map(Line::Token))
        .collect()
}
