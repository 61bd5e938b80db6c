//! What is looked at: the state of this session's view, which is not saved and holds no values.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::command::Pointing;
use super::present::Presenting;
use super::spot::{PictureKind, Spot};
use crate::trace::{Address, Place, View};

/// What the window is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Mode {
    /// Stepping through a pass.
    #[default]
    Explore,
    /// Talking.
    Chat,
    /// Learning.
    Lessons,
    /// Choosing a model.
    Models,
}

impl Mode {
    /// Every mode, in the order of the bar.
    pub const ALL: [Self; 4] = [Self::Explore, Self::Chat, Self::Lessons, Self::Models];

    /// Its name on screen.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Explore => "Explore",
            Self::Chat => "Chat",
            Self::Lessons => "Lessons",
            Self::Models => "Models",
        }
    }

    /// The mode that shows `place`.
    #[must_use]
    pub fn of(place: Place) -> Self {
        match place {
            Place::View(View::Chat) => Self::Chat,
            Place::View(View::Lessons) => Self::Lessons,
            Place::View(View::Models) => Self::Models,
            _ => Self::Explore,
        }
    }
}

/// How far one step goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Depth {
    /// From one to the next of the six stops that tell the story.
    #[default]
    Stops,
    /// From stage to stage; a block is one of them.
    Stages,
    /// Through the parts of every block.
    Parts,
}

/// A sheet over the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Overlay {
    /// Another prompt.
    Prompt,
    /// Every key.
    Keys,
    /// Breakpoints, with their conditions.
    Breakpoints,
    /// Theme, size, motion.
    Settings,
    /// Everything that has a name.
    Palette,
    /// The prepared stops of a talk.
    Talk,
    /// Files, pictures, views to share; recorded runs to open.
    Share,
    /// The glossary's entry of this name.
    Term(&'static str),
}

/// What is looked at, shared by every picture.
#[derive(Debug, Clone, PartialEq)]
pub struct ViewState {
    /// What the window is used for.
    pub mode: Mode,
    /// What is on view.
    pub spot: Spot,
    /// How far one step goes.
    pub depth: Depth,
    /// The chosen position of the text.
    pub token: usize,
    /// The position that is read by the chosen one, where a picture has such a thing.
    pub key: Option<usize>,
    /// The block of the picture on view, or of the last one that had one.
    pub layer: usize,
    /// The chosen head.
    pub head: usize,
    /// Whether somebody chose it. While nobody did, a picture may suggest one that shows more.
    pub is_head_chosen: bool,
    /// The cell under the pointer.
    pub hovered: Option<Address>,
    /// The cell that stays chosen.
    pub locked: Option<Address>,
    /// The block whose parts the rail shows.
    pub unfolded: Option<usize>,
    /// The sheet over the window.
    pub overlay: Option<Overlay>,
    /// Whether it steps by itself.
    pub is_playing: bool,
    /// Whether the picture is enlarged for a room.
    pub is_presenting: bool,
    /// How, while it is.
    pub present: Presenting,
    /// Positions that are marked in the text, because a lesson speaks of them.
    pub marked: Vec<usize>,
    /// The sweep to begin with, where a lesson asks for one.
    pub sweep: Option<SweepWish>,
    /// The prompt of the other run, where a lesson has opened one beside its own.
    pub beside: Option<String>,
    /// Whether pictures show and conclude nothing: they stand on a sheet with questions.
    pub is_quiet: bool,
    /// Whether the picture is being saved: the pointer does not count, and controls are left out.
    pub is_still: bool,
    /// The file of the recorded run that is shown; `None` while a model runs.
    pub recorded: Option<PathBuf>,
    tabs: BTreeMap<PictureKind, String>,
}

/// A sweep that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SweepWish {
    /// `heads`, or `layers x positions`.
    pub over: String,
    /// `zero`, `mean`, …
    pub change: String,
    /// The token whose probability is measured.
    pub token: String,
}

impl SweepWish {
    /// The wish in the order that lessons write it.
    #[must_use]
    pub fn of([over, change, token]: [String; 3]) -> Self {
        Self {
            over,
            change,
            token,
        }
    }
}

impl Default for ViewState {
    fn default() -> Self {
        Self {
            mode: Mode::Explore,
            spot: Spot::at(Place::View(View::Text), None),
            depth: Depth::Stops,
            token: 0,
            key: None,
            layer: 0,
            head: 0,
            is_head_chosen: false,
            hovered: None,
            locked: None,
            unfolded: None,
            overlay: None,
            is_playing: false,
            is_presenting: false,
            present: Presenting::default(),
            marked: Vec::new(),
            sweep: None,
            beside: None,
            is_quiet: false,
            is_still: false,
            recorded: None,
            tabs: BTreeMap::new(),
        }
    }
}

impl ViewState {
    /// The first view, with steps of this size.
    #[must_use]
    pub fn at_depth(depth: Depth) -> Self {
        Self {
            depth,
            ..Self::default()
        }
    }

    /// The picture on view; `None` in another mode.
    #[must_use]
    pub fn picture(&self) -> Option<PictureKind> {
        PictureKind::of(self.spot.address.place)
    }

    /// The pass on view; 0 is the prefill.
    #[must_use]
    pub fn pass(&self) -> usize {
        self.spot.pass()
    }

    /// The cell whose numbers are shown: the one under the pointer, else the one that was locked.
    #[must_use]
    pub fn cell(&self) -> Option<&Address> {
        self.hovered.as_ref().or(self.locked.as_ref())
    }

    /// The open one of `tabs` of `picture`, as its place among them; the first before one was chosen.
    #[must_use]
    pub fn tab(&self, picture: PictureKind, tabs: &[&str]) -> usize {
        self.tab_or(picture, tabs, 0)
    }

    /// The same with another one before one was chosen.
    #[must_use]
    pub fn tab_or(&self, picture: PictureKind, tabs: &[&str], default: usize) -> usize {
        let open = self.tabs.get(&picture);
        let place = open.and_then(|open| tabs.iter().position(|tab| tab.to_lowercase() == *open));
        place.unwrap_or(default)
    }

    /// The tab of the picture on view that was chosen, in lower case.
    #[must_use]
    pub fn open_tab_name(&self) -> Option<String> {
        self.tabs.get(&self.picture()?).cloned()
    }

    /// Forgets which tab of the picture of `place` was open: it shows its first side again.
    pub fn forget_tab(&mut self, place: Place) {
        if let Some(picture) = PictureKind::of(place) {
            self.tabs.remove(&picture);
        }
    }

    /// Opens a tab of the picture on view.
    pub fn open_tab(&mut self, tab: &str) {
        if let Some(picture) = self.picture() {
            self.tabs.insert(picture, tab.to_lowercase());
        }
    }

    /// Opens the page of `mode`. Lessons have the explorer's pictures on their own page.
    pub fn turn_to(&mut self, mode: Mode) {
        if self.mode != Mode::Lessons || mode != Mode::Explore {
            self.mode = mode;
        }
    }

    /// Shows `spot`.
    pub fn look(&mut self, spot: Spot) {
        let mode = Mode::of(spot.address.place);
        self.turn_to(mode);
        // What the explorer shows stays there until one comes back to it.
        if mode != Mode::Explore {
            return;
        }
        if let Some(layer) = spot.layer() {
            self.layer = layer;
            if spot.address.place != Place::Stage(crate::trace::Stage::Block(layer)) {
                self.unfolded = Some(layer);
            }
        }
        self.hovered = None;
        if self.spot.address.place != spot.address.place || self.spot.pass() != spot.pass() {
            self.locked = None;
        }
        if !spot.address.index.is_empty() {
            self.locked = Some(spot.address.clone());
        }
        self.spot = spot;
        self.spot.address.index.clear();
        if let Some(tab) = self.spot.tab.take() {
            self.open_tab(&tab);
        }
    }

    /// Chooses a head; it stays until another one is chosen.
    pub fn choose_head(&mut self, head: usize) {
        self.head = head;
        self.is_head_chosen = true;
    }

    /// Points at something.
    pub fn point(&mut self, pointing: Pointing) {
        match pointing {
            Pointing::Token(token) => self.token = token,
            Pointing::Key(key) => self.key = key,
            Pointing::Head(head) => self.choose_head(head),
            Pointing::SuggestHead(head) if !self.is_head_chosen => self.head = head,
            Pointing::SuggestHead(_) => {}
            Pointing::Layer(layer) => self.layer = layer,
            Pointing::Hover(cell) => self.hovered = cell.filter(|_| !self.is_still),
            Pointing::Lock(cell) => self.locked = cell,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tab_stays_open_when_one_comes_back() {
        let mut view = ViewState::default();
        let tabs = ["Chips", "Merges"];
        view.look("tokens#merges".parse().unwrap());
        view.look("embed".parse().unwrap());
        view.look("tokens".parse().unwrap());
        assert_eq!(view.tab(PictureKind::Tokens, &tabs), 1);
        assert_eq!(view.tab(PictureKind::Sample, &tabs), 0);
    }

    #[test]
    fn looking_into_a_block_unfolds_it() {
        let mut view = ViewState::default();
        view.look("blocks.2.attn.hook_pattern[3, 10, 9]".parse().unwrap());
        assert_eq!((view.layer, view.unfolded), (2, Some(2)));
        assert!(view.cell().is_some());
        view.look("blocks.2.attn.hook_z".parse().unwrap());
        assert!(view.cell().is_none());
    }
}
