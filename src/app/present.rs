//! Presenting: from stop to stop, what the room sees, and the speaker's own window.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use egui::{Context, Vec2, vec2};

use super::App;
use crate::lesson::stops::{Mistake, Stop, Stops};
use crate::settings::PromptSettings;
use crate::trace::NoAddress;
use crate::ui::picture::Picture;
use crate::ui::present::{self, PresentCommand, Presenting, SCALES, Talk};
use crate::ui::sheets::view_line;
use crate::ui::spot::PictureKind;
use crate::ui::state::Mode;
use crate::ui::view_line::ViewLine;

/// The talk, and when it began.
#[derive(Default)]
pub struct Lectern {
    pub(super) talk: Talk,
    /// Where it is kept; nowhere if `None`.
    file: Option<PathBuf>,
    begun: Option<Instant>,
    /// Whether a sheet stands before the room.
    has_sheet: bool,
    /// The pictures that a frozen room sees.
    resting: BTreeMap<PictureKind, Box<dyn Picture>>,
}

/// The room, in points, that every sheet fits into.
const SHEET: Vec2 = vec2(760.0, 600.0);

impl Lectern {
    /// How long one has presented.
    pub(super) fn elapsed(&self) -> Duration {
        self.begun.map_or(Duration::ZERO, |begun| begun.elapsed())
    }

    /// The talk that was prepared last; what cannot be read is told, and left alone.
    pub fn new(home: Option<&PathBuf>) -> (Self, Option<String>) {
        let file = home.map(|home| home.join("stops.toml"));
        let read = file.as_deref().map_or(Ok(Stops::default()), Stops::load);
        let (stops, trouble, told) = match read {
            Ok(stops) => (stops, None, None),
            Err(error) => {
                let told = format!("{error:#}");
                (Stops::default(), Some(trouble_of(&error)), Some(told))
            }
        };
        // What someone wrote there is not overwritten.
        let file = file.filter(|_| trouble.is_none());
        let talk = Talk {
            stops,
            file: file.as_ref().map(|file| file.display().to_string()),
            trouble,
        };
        let lectern = Self {
            talk,
            file,
            begun: None,
            has_sheet: false,
            resting: BTreeMap::new(),
        };
        (lectern, told)
    }
}

impl App {
    /// Begins to present, or ends.
    pub(super) fn present(&mut self, on: bool) {
        self.view.is_presenting = on;
        self.view.present = Presenting::default();
        self.lectern.begun = on.then(Instant::now);
    }

    /// Carries out what someone who presents asks for.
    pub(super) fn apply_presenting(&mut self, ctx: &Context, command: PresentCommand) {
        let shown = &mut self.view.present;
        match command {
            PresentCommand::Next => self.pass_on(1),
            PresentCommand::Back => self.pass_on(-1),
            PresentCommand::Stop(at) => self.go_to_stop(at),
            PresentCommand::Heads => shown.shows_heads ^= true,
            PresentCommand::Black => shown.is_black ^= true,
            PresentCommand::Freeze => shown.is_frozen ^= true,
            PresentCommand::Answer => shown.shows_answer ^= true,
            PresentCommand::Spotlight => shown.has_spotlight ^= true,
            PresentCommand::Notes => {
                shown.has_notes ^= true;
                if ctx.embed_viewports() {
                    shown.has_notes = false;
                    let text = "This platform gives one window only. Notes are read and written \
                                before presenting: Ctrl K, The stops of the talk.";
                    self.messages.tell(text.to_owned());
                }
            }
            PresentCommand::Larger(by) => self.enlarge(ctx, by),
            PresentCommand::Add => self.keep_stop(),
            PresentCommand::Save(stops) => self.save_stops(stops),
        }
    }

    /// To the next stop or the one before; in a lesson, step by step.
    fn pass_on(&mut self, by: isize) {
        let shown = &mut self.view.present;
        (shown.is_black, shown.shows_answer) = (false, false);
        if self.view.mode == Mode::Lessons {
            self.pass_on_in_lesson(by > 0);
            return;
        }
        let last = self.lectern.talk.stops.stops.len().checked_sub(1);
        let next = match self.view.present.stop {
            None if by > 0 => Some(0),
            None => None,
            Some(at) => at.checked_add_signed(by),
        };
        if let (Some(next), Some(last)) = (next, last) {
            self.go_to_stop(next.min(last));
        }
    }

    fn go_to_stop(&mut self, at: usize) {
        let Some(stop) = self.lectern.talk.stops.stops.get(at).cloned() else {
            return;
        };
        self.view.present.stop = Some(at);
        match line_of(stop, &self.settings.prompt) {
            Ok(line) => self.open_view(line),
            Err(error) => self.messages.tell(format!("Stop {}: {error}", at + 1)),
        }
    }

    /// Keeps what is on view as the last stop of the talk.
    fn keep_stop(&mut self) {
        let mut line = ViewLine::default();
        self.with_scene(|scene| line = view_line(scene));
        let mut stops = self.lectern.talk.stops.clone();
        stops.stops.push(stop_of(line));
        let n = stops.stops.len();
        self.view.present.stop = n.checked_sub(1);
        self.save_stops(stops);
        let talk = &self.lectern.talk;
        let told = match talk.file.is_some() {
            true => format!("Kept as stop {n}."),
            false => format!("Stop {n} is {}.", talk.until_closed()),
        };
        let more = if self.view.is_presenting {
            " T shows them all."
        } else {
            ""
        };
        self.messages.tell(format!("{told}{more}"));
    }

    fn save_stops(&mut self, stops: Stops) {
        self.lectern.talk.stops = stops;
        let Some(file) = &self.lectern.file else {
            return;
        };
        if let Err(error) = self.lectern.talk.stops.save(file) {
            self.messages.tell(format!("{error:#}"));
            self.lectern.file = None;
            self.lectern.talk.file = None;
            self.lectern.talk.trouble = Some("stops.toml cannot be written".to_owned());
        }
    }

    /// To the next larger or smaller size.
    fn enlarge(&mut self, ctx: &Context, by: i32) {
        let at = SCALES
            .iter()
            .position(|scale| *scale >= self.settings.present_scale - 0.01);
        let at = at.unwrap_or(SCALES.len() - 1);
        let next = if by > 0 { at + 1 } else { at.saturating_sub(1) };
        if let Some(scale) = SCALES.get(next) {
            self.settings.present_scale = *scale;
            if !self.view.present.is_frozen {
                self.dress(ctx);
            }
            self.save();
        }
    }

    /// Keeps what the room sees while it is frozen. The textures in it belong to the pictures that
    /// drew them, so these rest; others show what the speaker does meanwhile.
    pub(super) fn keep_frozen(&mut self, ctx: &Context) {
        let wants = self.view.is_presenting && self.view.present.is_frozen;
        match (wants, present::still::is_there(ctx)) {
            (true, false) => {
                present::still::freeze(ctx);
                self.lectern.resting = std::mem::take(&mut self.pictures);
            }
            (false, true) => {
                present::still::thaw(ctx);
                self.pictures = std::mem::take(&mut self.lectern.resting);
                // What was made larger meanwhile.
                self.dress(ctx);
                ctx.request_repaint();
            }
            _ => {}
        }
    }

    /// A sheet over what a room sees is drawn as large as the window has room for all of it.
    pub(super) fn fit_sheet(&mut self, ctx: &Context) {
        let has_sheet = self.view.is_presenting && self.view.overlay.is_some();
        if has_sheet != self.lectern.has_sheet {
            self.lectern.has_sheet = has_sheet;
            self.dress(ctx);
        }
    }

    /// The size of everything before a room; smaller while a sheet is open that would not fit.
    pub(super) fn zoom_before_room(&self, ctx: &Context) -> f32 {
        let zoom = self.settings.present_scale;
        if !self.lectern.has_sheet {
            return zoom;
        }
        let window = ctx.content_rect().size() * ctx.zoom_factor();
        let fitting = (window / SHEET).min_elem();
        zoom.min(fitting.max(self.settings.scale))
    }
}

/// Why stops are not saved, in a few words.
fn trouble_of(error: &anyhow::Error) -> String {
    match error.downcast_ref::<Mistake>() {
        Some(mistake) => format!("stops.toml has a mistake in line {}", mistake.place.line),
        None => "stops.toml cannot be read".to_owned(),
    }
}

/// A view as a stop of a talk, with nothing said about it yet.
fn stop_of(line: ViewLine) -> Stop {
    let mut stop = Stop {
        at: line.spot.map(|spot| spot.to_string()).unwrap_or_default(),
        model: line.model,
        head: line.head,
        pos: line.pos,
        key: line.key,
        steps: line.steps,
        ..Stop::default()
    };
    if let Some(prompt) = line.prompt {
        stop.seed = Some(prompt.seed);
        stop.system = Some(prompt.system).filter(|system| prompt.is_chat && !system.is_empty());
        stop.chat = prompt.is_chat;
        stop.prompt = Some(prompt.text);
    }
    stop
}

/// The view of a stop; what it leaves out is as in `now`.
fn line_of(stop: Stop, now: &PromptSettings) -> Result<ViewLine, NoAddress> {
    let prompt = stop.prompt.map(|text| PromptSettings {
        text,
        is_chat: stop.chat,
        system: stop.system.unwrap_or_else(|| now.system.clone()),
        seed: stop.seed.unwrap_or(now.seed),
    });
    Ok(ViewLine {
        model: stop.model,
        prompt,
        spot: Some(stop.at.parse()?),
        head: stop.head,
        pos: stop.pos,
        key: stop.key,
        steps: stop.steps,
    })
}
