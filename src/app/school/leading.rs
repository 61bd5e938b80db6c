//! The picture goes where a step points: the run is opened, run to its end, and looked at.

use super::App;
use crate::engine::message::OpenRequest;
use crate::lesson::run::{Run, RunPrompt};
use crate::lesson::{Goal, ShownPart};
use crate::settings::PromptSettings;
use crate::trace::debug::DebugCommand;
use crate::trace::{Address, Place, View};
use crate::ui::lessons::{OpenLesson, spot_of};
use crate::ui::spot::Spot;
use crate::ui::state::{Mode, SweepWish};

/// Where the picture is to go.
#[derive(Debug, Clone)]
pub struct Wanted {
    run: Run,
    beside: Option<Run>,
    /// The place; the one on view if `None`.
    to: Option<Goal>,
    mark: Vec<usize>,
    sweep: Option<SweepWish>,
    stage: Stage,
}

/// How far it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The run is to be opened.
    Opening,
    /// It runs.
    Running,
    /// The place is gone to.
    Going,
}

impl App {
    /// Goes where the step on view leads, as far as one has come in it.
    pub(super) fn lead(&mut self) {
        let Some(open) = &self.school.board.open else {
            return;
        };
        // What is to be predicted is not opened yet: the tokens above the picture would tell it too.
        let is_held = self.is_covered();
        self.school.is_held = is_held;
        match open.leading().filter(|_| !is_held) {
            Some(part) if open.followed != Some(part) => self.follow(part),
            // Nothing leads anywhere yet: the lesson's own run, at its tokens.
            None if self.school.shown.is_none() => self.show_own(),
            _ => {}
        }
    }

    /// Leads on once a prediction is made, or its answer is shown to a room.
    pub(super) fn lead_if_held(&mut self) {
        if self.school.is_held && !self.is_covered() {
            self.lead();
        }
    }

    /// Whether one is to predict what the picture would tell.
    fn is_covered(&self) -> bool {
        let open = self.school.board.open.as_ref();
        let is_told = self.view.is_presenting && self.view.present.shows_answer;
        open.is_some_and(OpenLesson::hides_picture) && !is_told
    }

    /// The same place once more, in a run that is opened anew.
    pub(super) fn lead_again(&mut self) {
        if let Some(open) = &mut self.school.board.open {
            open.followed = None;
        }
        self.lead();
    }

    /// Goes where a part of the step leads.
    pub(super) fn follow(&mut self, part: usize) {
        let Some(open) = &mut self.school.board.open else {
            return;
        };
        let wanted = match open.shown().and_then(|step| step.parts.get(part)) {
            Some(ShownPart::Go(go)) => Wanted {
                run: go.run.clone(),
                beside: go.beside.clone(),
                to: Some(Goal {
                    address: go.to.clone(),
                    tab: go.tab.clone(),
                }),
                mark: go.mark.clone(),
                sweep: go.sweep.clone().map(SweepWish::of),
                stage: Stage::Opening,
            },
            Some(ShownPart::Try(attempt)) => Wanted {
                run: attempt.run.clone(),
                beside: attempt.beside.clone(),
                to: attempt.to.clone(),
                mark: Vec::new(),
                sweep: attempt.sweep.clone().map(SweepWish::of),
                stage: Stage::Opening,
            },
            _ => return,
        };
        open.followed = Some(part);
        self.school.wanted = Some(wanted);
    }

    fn show_own(&mut self) {
        let Some(run) = self.school.own.clone() else {
            return;
        };
        self.school.wanted = Some(Wanted {
            run,
            beside: None,
            to: Some(Goal {
                address: Address::at(Place::View(View::Tokens)),
                tab: None,
            }),
            mark: Vec::new(),
            sweep: None,
            stage: Stage::Opening,
        });
    }

    /// Comes nearer to where the picture is to go; nothing here waits.
    pub(super) fn seek(&mut self) {
        let Some(wanted) = self.school.wanted.clone() else {
            return;
        };
        let is_ready = !self.link.is_busy() && self.run.is_some() && self.facts.n_layers > 0;
        match wanted.stage {
            Stage::Opening => self.open_wanted(&wanted),
            Stage::Running if is_ready => self.go_to_wanted(&wanted),
            Stage::Going if is_ready && self.target.is_none() => {
                self.school.wanted = None;
            }
            Stage::Running | Stage::Going => {}
        }
    }

    fn open_wanted(&mut self, wanted: &Wanted) {
        if self.school.shown.as_ref() != Some(&wanted.run) {
            let request = match self.run_request(&wanted.run) {
                Ok(request) => request,
                Err(why) => {
                    self.school.wanted = None;
                    self.messages.failed("show the run of this step", &why);
                    return;
                }
            };
            self.settings.prompt = prompt_of(&wanted.run);
            self.link.open(request);
            self.link.tell(DebugCommand::Tokens(wanted.run.tokens + 1));
            self.school.shown = Some(wanted.run.clone());
            self.school.beside = None;
        }
        self.stage(Stage::Running);
    }

    fn go_to_wanted(&mut self, wanted: &Wanted) {
        if let Some(beside) = &wanted.beside
            && self.school.beside.as_ref() != Some(beside)
        {
            match self.run_request(beside) {
                Ok(request) => {
                    let to_end = DebugCommand::Tokens(beside.tokens + 1);
                    self.link.open_other(|other| *other = request, to_end);
                    self.school.beside = Some(beside.clone());
                }
                Err(why) => self.messages.failed("show the other run", &why),
            }
        }
        self.view.marked.clone_from(&wanted.mark);
        self.view.sweep = wanted.sweep.clone();
        self.view.beside = wanted.beside.as_ref().map(|run| run.prompt.text());
        // What was chosen for another step means nothing here, and might be the answer.
        self.view.key = None;
        self.view.locked = None;
        self.view.hovered = None;
        if let Some(to) = &wanted.to {
            self.follow_index(&Spot::from(to.address.clone()));
        }
        let names_token = wanted
            .to
            .as_ref()
            .is_some_and(|to| to.address.index.len() > 1);
        if let Some(first) = wanted.mark.first().filter(|_| !names_token) {
            self.view.token = *first;
        }
        // A place with a page of its own, such as the models, is gone to by a click alone: nobody is
        // led out of a lesson.
        if let Some(spot) = spot_of(
            wanted.to.as_ref(),
            wanted.beside.is_some(),
            wanted.sweep.is_some(),
        ) && Mode::of(spot.address.place) == Mode::Explore
        {
            if spot.tab.is_none() {
                self.view.forget_tab(spot.address.place);
            }
            self.visit(spot);
        }
        self.stage(Stage::Going);
    }

    fn stage(&mut self, stage: Stage) {
        if let Some(wanted) = &mut self.school.wanted {
            wanted.stage = stage;
        }
    }

    /// How a run of the lesson is opened in the window.
    fn run_request(&self, run: &Run) -> Result<OpenRequest, String> {
        let mut known = self.school.runs.iter();
        let (_, request) = known
            .find(|(other, _)| other == run)
            .ok_or("the tutor has not told how it is opened")?;
        let request = request.clone()?;
        Ok(OpenRequest {
            cache: self.cache,
            ..request
        })
    }

    /// The run on the bench, as it is opened.
    pub(super) fn request_on_bench(&self) -> Option<OpenRequest> {
        self.run_request(self.school.shown.as_ref()?).ok()
    }

    /// The run could not be opened: the lesson stays, without its picture.
    pub(in crate::app) fn lesson_run_failed(&mut self, why: &str) {
        self.school.wanted = None;
        self.school.shown = None;
        self.messages.failed("open the run of this step", why);
    }
}

/// A run's prompt, as the strip and the pictures name it.
fn prompt_of(run: &Run) -> PromptSettings {
    let (text, system, is_chat) = match &run.prompt {
        RunPrompt::Raw(text) => (text.clone(), String::new(), false),
        RunPrompt::Chat { system, turns } => match turns.as_slice() {
            [turn] => (turn.clone(), system.clone(), true),
            turns => (turns.join("\n"), String::new(), false),
        },
    };
    PromptSettings {
        text,
        system,
        is_chat,
        seed: run.seed,
    }
}
