//! A second explorer for lessons: a run, its pictures and what is looked at, beside the first.
//!
//! A lesson opens runs of its own, and must not take away the one that someone was stepping through.
//! So while lessons are on view, the app works at this bench; afterwards all is as it was left.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Result;

use crate::app::App;
use crate::app::aim::Aim;
use crate::app::engine_room::EngineRoom;
use crate::engine::message::{ModelChoice, SessionId};
use crate::settings::PromptSettings;
use crate::trace::debug::{Breakpoint, RunState};
use crate::ui::facts::ModelFacts;
use crate::ui::link::Link;
use crate::ui::picture::Picture;
use crate::ui::spot::{PictureKind, Spot};
use crate::ui::state::{Depth, Mode, ViewState};
use crate::ui::tokens::TokenLabel;

/// The sessions of the lessons' run and of its other side.
const SESSIONS: [SessionId; 2] = [SessionId(900), SessionId(901)];

/// What belongs to one run in the window.
pub struct Bench {
    pub(in crate::app) link: Link,
    pub(in crate::app) view: ViewState,
    pub(in crate::app) run: Option<Arc<RunState>>,
    facts: ModelFacts,
    labels: Vec<TokenLabel>,
    pictures: BTreeMap<PictureKind, Box<dyn Picture>>,
    breakpoints: Vec<Breakpoint>,
    opened_model: Option<ModelChoice>,
    pub(in crate::app) target: Option<Spot>,
    aim: Aim,
    keeps_view: bool,
    pub(in crate::app) prompt: PromptSettings,
}

impl Bench {
    /// An empty bench; `wake` asks for a frame.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn new(room: &EngineRoom, wake: impl Fn() + Send + 'static) -> Result<Self> {
        let mut view = ViewState::default();
        view.mode = Mode::Lessons;
        // The six stops are the explorer's first walk.
        view.depth = Depth::Stages;
        Ok(Self {
            view,
            link: Link::new(room.doors(), move |_| wake())?.in_sessions(SESSIONS),
            run: None,
            facts: ModelFacts::default(),
            labels: Vec::new(),
            pictures: BTreeMap::new(),
            breakpoints: Vec::new(),
            opened_model: None,
            target: None,
            aim: Aim::default(),
            keeps_view: false,
            prompt: PromptSettings::default(),
        })
    }

    /// Puts what the app works at onto the bench, and the other way round.
    pub fn swap(&mut self, app: &mut App) {
        use std::mem::swap;
        swap(&mut self.link, &mut app.link);
        swap(&mut self.view, &mut app.view);
        swap(&mut self.run, &mut app.run);
        swap(&mut self.facts, &mut app.facts);
        swap(&mut self.labels, &mut app.labels);
        swap(&mut self.pictures, &mut app.pictures);
        swap(&mut self.breakpoints, &mut app.breakpoints);
        swap(&mut self.opened_model, &mut app.opened_model);
        swap(&mut self.target, &mut app.target);
        swap(&mut self.aim, &mut app.aim);
        swap(&mut self.keeps_view, &mut app.keeps_view);
        swap(&mut self.prompt, &mut app.settings.prompt);
    }
}
