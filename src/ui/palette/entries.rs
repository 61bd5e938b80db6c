//! What the palette finds: commands, places, models, conversations; and what typed text says by
//! itself, such as an address.

use super::terms::terms;
use crate::trace::{BlockHook, Hook, Place, Stage, View};
use crate::ui::chat::ChatCommand;
use crate::ui::command::Command;
use crate::ui::keys;
use crate::ui::lessons::LessonCommand;
use crate::ui::models::{Entry as Shelved, ShelfCommand};
use crate::ui::picture::Scene;
use crate::ui::pictures;
use crate::ui::share::Share;
use crate::ui::sheets::view_line;
use crate::ui::spot::{PictureKind, Spot};
use crate::ui::state::{Mode, Overlay};
use crate::ui::view_line::ViewLine;
use crate::ui::walk;

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Something to do.
    Command,
    /// A place to look at.
    Place,
    /// A lesson to open.
    Lesson,
    /// A model to load.
    Model,
    /// A conversation to go on with.
    Conversation,
    /// A word of the glossary.
    Term,
    /// What was typed, understood.
    Typed,
}

impl Kind {
    /// Its name on screen.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Command => "command",
            Self::Place => "place",
            Self::Lesson => "lesson",
            Self::Model => "model",
            Self::Conversation => "conversation",
            Self::Term => "glossary",
            Self::Typed => "go there",
        }
    }
}

/// One thing that can be chosen.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// What it is.
    pub kind: Kind,
    /// Its name.
    pub title: String,
    /// What stands beside it, e.g. its address.
    pub detail: String,
    /// Other names that it is found by.
    pub also: String,
    /// The key that does the same.
    pub key: &'static str,
    /// What it does.
    pub commands: Vec<Command>,
}

impl Entry {
    pub(super) fn new(kind: Kind, title: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            kind,
            title: title.into(),
            detail: detail.into(),
            also: String::new(),
            key: "",
            commands: Vec::new(),
        }
    }

    pub(super) fn doing(self, commands: Vec<Command>) -> Self {
        Self { commands, ..self }
    }

    /// What it is found by.
    #[must_use]
    pub fn text(&self) -> String {
        let (title, kind) = (&self.title, self.kind.name());
        match self.kind {
            // A whole explanation holds nearly every letter; why a model does not run is not what it is called.
            Kind::Term | Kind::Model => format!("{title} {} {kind}", self.also),
            _ => format!("{title} {} {kind}", self.detail),
        }
    }
}

/// Finds entries in the typed text itself.
pub type Reader = fn(&str, &Scene<'_>) -> Vec<Entry>;

/// Everything that reads the typed text; what it finds stands first. Add a reader for another
/// form of text here.
pub const READERS: [Reader; 2] = [address, view];

/// A view that was copied as a line.
fn view(typed: &str, _: &Scene<'_>) -> Vec<Entry> {
    let Ok(line) = typed.parse::<ViewLine>() else {
        return Vec::new();
    };
    // An address alone is the other reader's.
    if line.model.is_none() && line.prompt.is_none() && !typed.contains('=') {
        return Vec::new();
    }
    let prompt = line.prompt.as_ref().map(|prompt| prompt.text.clone());
    let title = match &line.spot {
        Some(spot) => format!("Open the view of {spot}"),
        None => "Open this view".to_owned(),
    };
    let open = Command::Share(Share::OpenView(Box::new(line)));
    vec![Entry::new(Kind::Typed, title, prompt.unwrap_or_default()).doing(vec![open])]
}

/// Every entry that is there whatever is typed.
#[must_use]
pub fn all(scene: &Scene<'_>) -> Vec<Entry> {
    let mut entries = commands(scene);
    entries.extend(lessons(scene));
    entries.extend(models(scene));
    entries.extend(conversations(scene));
    entries.extend(places(scene));
    entries.extend(terms());
    entries
}

/// Everything that has a key.
fn commands(scene: &Scene<'_>) -> Vec<Entry> {
    let mut view = scene.view.clone();
    view.overlay = None;
    let (n_tokens, n_heads) = (scene.labels.len(), scene.facts.n_heads);
    let known = keys::ALL.iter().filter_map(|shortcut| {
        let command = keys::command(shortcut.key, &view, n_tokens, n_heads)?;
        let does = match command {
            Command::Mode(mode) => format!("{} mode", mode.name()),
            _ => shortcut.does.to_owned(),
        };
        let mut entry = Entry::new(Kind::Command, does, shortcut.group);
        entry.key = shortcut.cap;
        // A key acts on the explorer, wherever it was found.
        let leads = matches!(
            command,
            Command::Move(_) | Command::Play(_) | Command::Point(_)
        );
        let mode = (leads && view.mode != Mode::Explore).then_some(Command::Mode(Mode::Explore));
        Some(entry.doing(mode.into_iter().chain([command]).collect()))
    });
    let new = Entry::new(Kind::Command, "New conversation", "Chat");
    let mut new = new.doing(vec![
        Command::Mode(Mode::Chat),
        Command::Chat(Box::new(ChatCommand::New)),
    ]);
    new.key = "Ctrl N";
    let sides = Entry::new(
        Kind::Command,
        "Answers side by side",
        "Chat: models or settings compared",
    );
    let sides = sides.doing(vec![
        Command::Mode(Mode::Chat),
        Command::Chat(Box::new(ChatCommand::Trial(true))),
    ]);
    let copied = Entry::new(Kind::Command, "Copy this view", "as one line of text");
    let copied = copied.doing(vec![Command::Copy(view_line(scene).to_string())]);
    let stops = Entry::new(
        Kind::Command,
        "The stops of the talk",
        "Present: places, notes",
    );
    let stops = stops.doing(vec![Command::Overlay(Some(Overlay::Talk))]);
    known.chain([new, sides, copied, stops]).collect()
}

/// Every address of `--list-places`, with the model's own blocks and the pictures' tabs.
fn places(scene: &Scene<'_>) -> Vec<Entry> {
    let stages = Stage::of_pass(scene.facts.n_layers).map(Place::Stage);
    let hooks = scene.facts.hooks.iter().map(|hook| Place::Hook(*hook));
    let views = View::ALL.into_iter().map(Place::View);
    let mut entries = Vec::new();
    for place in views.chain(stages).chain(hooks) {
        let spot = Spot::at(place, None);
        entries.push(go_to(&spot));
        let tabs = PictureKind::of(place).map(|kind| pictures::create(kind).tabs());
        let is_first = match place {
            Place::View(_) | Place::Stage(_) => true,
            Place::Hook(hook) => is_first_of_its_picture(hook),
        };
        for tab in tabs.into_iter().flatten().filter(|_| is_first) {
            let tab = Some(tab.to_lowercase());
            entries.push(go_to(&Spot {
                tab,
                ..spot.clone()
            }));
        }
    }
    entries
}

/// Whether the tabs of a hook's picture are told with this hook: once is enough.
fn is_first_of_its_picture(hook: Hook) -> bool {
    let Hook::Block(layer, hook) = hook else {
        return false;
    };
    let kind = |hook| PictureKind::of(Place::Hook(Hook::Block(layer, hook)));
    let first = BlockHook::ALL
        .into_iter()
        .find(|one| kind(*one) == kind(hook));
    first == Some(hook)
}

fn go_to(spot: &Spot) -> Entry {
    let mut title = walk::name(spot.address.place);
    if let Some(layer) = spot.layer()
        && !matches!(spot.address.place, Place::Stage(_))
    {
        title = format!("{title}, block {layer}");
    }
    if let Some(tab) = &spot.tab {
        title = format!("{title}: {tab}");
    }
    let command = match (Mode::of(spot.address.place), &spot.tab) {
        (Mode::Explore, _) => Command::Go(spot.clone()),
        (Mode::Lessons, Some(name)) => Command::Lesson(LessonCommand::open(name)),
        (mode, _) => Command::Mode(mode),
    };
    Entry::new(Kind::Place, title, spot.to_string()).doing(vec![command])
}

/// The models that are here, and those that can be got, which leads to the Models tab.
fn models(scene: &Scene<'_>) -> Vec<Entry> {
    let rows = scene.shelf.rows().map(Shelved::of_row);
    let entry = |model: Shelved| {
        let detail = match (&model.cannot_run, model.is_here()) {
            (Some(why), _) => why.clone(),
            (None, true) => "use it".to_owned(),
            (None, false) => "get it".to_owned(),
        };
        let commands = match model.cannot_run.is_none() && model.is_here() {
            true => vec![Command::Model(model.load.clone())],
            false => vec![
                Command::Mode(Mode::Models),
                Command::Shelf(ShelfCommand::Choose(model.key.clone())),
            ],
        };
        // Found by its repository and by what it is good for, not by why it does not run.
        let also = format!("{} {}", model.id.unwrap_or_default(), model.what);
        Entry {
            also,
            ..Entry::new(Kind::Model, model.key, detail).doing(commands)
        }
    };
    rows.map(entry).collect()
}

fn lessons(scene: &Scene<'_>) -> Vec<Entry> {
    let cards = scene.board.cards.iter().map(|card| {
        let open = LessonCommand::Open(card.name.clone(), None);
        Entry::new(Kind::Lesson, &card.title, &card.about).doing(vec![Command::Lesson(open)])
    });
    cards.collect()
}

fn conversations(scene: &Scene<'_>) -> Vec<Entry> {
    let list = scene.chat.list.iter().map(|summary| {
        let when: String = summary.changed.chars().take(10).collect();
        let entry = Entry::new(Kind::Conversation, summary.title.clone(), when);
        entry.doing(vec![
            Command::Mode(Mode::Chat),
            Command::Chat(Box::new(ChatCommand::Open(summary.id.clone()))),
        ])
    });
    list.collect()
}

/// An address that was typed: `blocks.2.attn.hook_pattern[3, 12, 10]`, `pass.4.unembed`.
fn address(typed: &str, scene: &Scene<'_>) -> Vec<Entry> {
    let Ok(spot) = typed.trim().parse::<Spot>() else {
        return Vec::new();
    };
    let is_there = match spot.address.place {
        Place::Hook(hook) => scene.facts.hooks.contains(&hook),
        Place::Stage(Stage::Block(layer)) => layer < scene.facts.n_layers,
        Place::Stage(_) | Place::View(_) => true,
    };
    let entry = go_to(&spot);
    match is_there {
        true => vec![Entry {
            kind: Kind::Typed,
            ..entry
        }],
        false => Vec::new(),
    }
}
