//! A view that is asked for, and what it points at once the run has come there.

use super::App;
use crate::settings::PromptSettings;
use crate::trace::debug::DebugCommand;
use crate::trace::{Address, Place, Stage};
use crate::ui::pictures;
use crate::ui::spot::Spot;
use crate::ui::view_line::ViewLine;

/// What to point at: it waits until the run stands where it is asked for.
#[derive(Debug, Clone, Default)]
pub(super) struct Aim {
    /// The position of the text.
    pub(super) token: Option<usize>,
    head: Option<usize>,
    key: Option<usize>,
    /// Whether someone named these, and hears what is not there.
    is_named: bool,
    /// Whether the command line named them: what is not there is a failure.
    is_flag: bool,
    /// Whether the run is sent on to the place once its first tokens are there.
    pub(super) goes_on: bool,
}

impl Aim {
    /// At a position of the text.
    pub(super) fn at(token: Option<usize>) -> Self {
        Self {
            token,
            ..Self::default()
        }
    }

    /// At what the command line names.
    pub(super) fn of_flags(token: Option<usize>, head: Option<usize>) -> Self {
        Self {
            token,
            head,
            is_flag: true,
            ..Self::default()
        }
    }
}

impl App {
    /// Shows a view that came as a line: its model and prompt are opened if they are others, its
    /// tokens written if they are not there.
    pub(super) fn open_view(&mut self, line: ViewLine) {
        let model = line.model.filter(|model| *model != self.facts.name);
        let prompt = line
            .prompt
            .filter(|prompt| !is_same(prompt, &self.settings.prompt));
        let spot = line.spot.unwrap_or_else(|| self.view.spot.clone());
        self.tell_of_tab(&spot);
        self.aim = Aim {
            token: line.pos,
            head: line.head,
            key: line.key,
            is_named: true,
            is_flag: false,
            goes_on: true,
        };
        if model.is_none() && prompt.is_none() {
            self.write_on(line.steps.unwrap_or(0));
            self.visit(spot);
            self.take_aim();
            return;
        }
        self.before_view = Some(Box::new((self.view.clone(), self.settings.prompt.clone())));
        if let Some(model) = model {
            self.model.name = model;
        }
        if let Some(prompt) = prompt {
            self.settings.prompt = prompt;
        }
        self.view.look(spot);
        self.reopen();
        self.first_steps = Some(line.steps.unwrap_or(0));
    }

    /// The view that came as a line cannot be opened: everything is as it was before.
    pub(super) fn back_from_view(&mut self) {
        if let Some(before) = self.before_view.take() {
            let (view, prompt) = *before;
            if view.recorded.is_some() {
                // The recording is opened again; that it had been left is no news any more.
                self.target = Some(view.spot.clone());
                self.reopens.clone_from(&view.recorded);
                self.messages.clear();
            }
            self.view = view;
            self.view.recorded = None;
            self.settings.prompt = prompt;
            self.view.overlay = None;
            (self.first_steps, self.aim) = (None, Aim::default());
        }
    }

    /// Runs on until `steps` tokens are generated.
    fn write_on(&mut self, steps: usize) {
        let n_passes = self.run.as_ref().map_or(0, |run| run.passes.len());
        if steps > n_passes {
            let mut last = Address::at(Place::Stage(Stage::Logits));
            last.pass = Some(steps - 1);
            self.link.tell(DebugCommand::To(last));
        }
    }

    /// Points at what was asked for, once the run stands there; what is not there is told.
    pub(super) fn take_aim(&mut self) {
        if self.target.is_some() || self.link.is_busy() || self.facts.n_layers == 0 {
            return;
        }
        let aim = std::mem::take(&mut self.aim);
        let last_token = self.labels.len().saturating_sub(1);
        let last_head = self.facts.n_heads.saturating_sub(1);
        if let Some(head) = aim.head {
            self.view.choose_head(head.min(last_head));
        }
        if let Some(token) = aim.token {
            self.view.token = token.min(last_token);
            self.follow_token();
            // A pass that was named stays on view.
            match self.view.spot.address.pass {
                Some(_) => self.settle_token(),
                None => self.show_pass_of_token(),
            }
        }
        if aim.is_named {
            self.view.key = aim.key.map(|key| key.min(last_token));
        }
        let heads = (aim.head, last_head, "heads", "head");
        let tokens = (aim.token.max(aim.key), last_token, "positions", "position");
        for (asked, last, all, one) in [heads, tokens] {
            let Some(asked) = asked.filter(|asked| *asked > last) else {
                continue;
            };
            let why = format!(
                "There is no {one} {asked}: {all} go from 0 to {last} here, so {one} {last} is shown."
            );
            match aim.is_flag {
                true => self.messages.complain(why),
                false if aim.is_named => self.messages.tell(why),
                false => {}
            }
        }
    }

    /// Tells of a tab that a picture does not have.
    fn tell_of_tab(&mut self, spot: &Spot) {
        if let Err(why) = pictures::check_tab(spot) {
            self.messages.tell(why);
        }
    }
}

/// Whether two prompts are read in the same way: without a chat, nobody reads the system's message.
fn is_same(one: &PromptSettings, other: &PromptSettings) -> bool {
    let of_system = |prompt: &PromptSettings| match prompt.is_chat {
        true => prompt.system.clone(),
        false => String::new(),
    };
    (&one.text, one.is_chat, one.seed) == (&other.text, other.is_chat, other.seed)
        && of_system(one) == of_system(other)
}
