//! Sharing, carried out: files are read and written on threads of their own, and told of when they
//! are done.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use egui::ColorImage;

use super::App;
use super::screenshot::save_png;
use crate::engine::message::{OpenRequest, Prompt, Request};
use crate::engine::question::{Question, Seen, Told};
use crate::export;
use crate::recorded::{self, RecordedRun};
use crate::settings::PromptSettings;
use crate::trace::file::{Precision, Trace, TraceMeta};
use crate::trace::{Hook, HostTensor, Part, Place, View};
use crate::ui::answers::Asked;
use crate::ui::link::Door;
use crate::ui::picture::picture_area;
use crate::ui::share::Share;
use crate::ui::spot::Spot;

/// How long the sheet takes to leave the screen.
const SHEET_GONE: Duration = Duration::from_millis(400);
/// Recorded runs that are remembered.
const N_RECENT: usize = 8;

/// What sharing has under way.
pub(super) struct Sharing {
    done: Receiver<Done>,
    tell: Sender<Done>,
    n_running: usize,
    /// What becomes of the trace that was asked for.
    traced: Option<Keep>,
    /// What is saved after that, one file after the other: each with its own choice.
    saves: VecDeque<(Keep, Vec<Hook>)>,
    /// A picture that was asked for.
    photo: Option<Photo>,
    /// Values that were asked for, and their file.
    values: VecDeque<(PathBuf, Part)>,
    /// The prompt that is saved, while a recorded run shows its own.
    own_prompt: Option<PromptSettings>,
}

/// A picture of the window that is to be saved.
enum Photo {
    /// At that time.
    Soon(PathBuf, Instant),
    /// The camera has clicked.
    Taken(PathBuf, Receiver<Arc<ColorImage>>),
}

/// What becomes of a trace.
enum Keep {
    File(PathBuf, Precision),
    Page(PathBuf),
}

/// What a thread has done.
enum Done {
    Written(PathBuf),
    Peeked(PathBuf, Box<TraceMeta>),
    Failed(&'static str, String),
}

impl Default for Sharing {
    fn default() -> Self {
        let (tell, done) = channel();
        Self {
            done,
            tell,
            n_running: 0,
            traced: None,
            saves: VecDeque::new(),
            photo: None,
            values: VecDeque::new(),
            own_prompt: None,
        }
    }
}

impl Sharing {
    /// Whether nothing is under way.
    pub(super) fn is_idle(&self) -> bool {
        let saves = self.traced.is_some() || !self.saves.is_empty() || !self.values.is_empty();
        self.n_running == 0 && !saves && self.photo.is_none()
    }

    /// The prompt to be saved, where it is not the one that is shown.
    pub(super) fn own_prompt(&self) -> Option<&PromptSettings> {
        self.own_prompt.as_ref()
    }
}

/// A recorded run answers the link as the engine does.
impl Door for RecordedRun {
    fn send(&self, request: Request) -> Result<()> {
        Self::send(self, request)
    }
}

impl App {
    /// Carries out a wish.
    pub(super) fn share(&mut self, ctx: &egui::Context, wish: Share) {
        match wish {
            Share::OpenRun(path) => self.peek(ctx, path),
            Share::Leave => {
                self.leave_recording();
                self.reopen();
            }
            Share::OpenView(line) => self.open_view(*line),
            Share::SaveRun {
                path,
                hooks,
                precision,
            } => {
                let save = (Keep::File(path, precision), hooks);
                self.sharing.saves.push_back(save);
            }
            Share::SavePage(path) => {
                let save = (Keep::Page(path), export::page_hooks(&self.facts.hooks));
                self.sharing.saves.push_back(save);
            }
            Share::SavePicture(path) => self.save_picture(ctx, path),
            Share::SaveValues { path, part } => self.sharing.values.push_back((path, part)),
        }
    }

    /// Takes in what threads have done, and files that were dragged into the window.
    pub(super) fn share_news(&mut self, ctx: &egui::Context) {
        while let Ok(done) = self.sharing.done.try_recv() {
            self.sharing.n_running = self.sharing.n_running.saturating_sub(1);
            match done {
                Done::Written(path) => self.messages.tell(format!("Saved {}.", path.display())),
                Done::Peeked(path, meta) => self.show_recorded(&path, &meta),
                Done::Failed(what, why) => {
                    self.messages.failed(what, &why);
                    // The program was started on a file that cannot be opened.
                    if self.run.is_none() && self.link.is_idle() {
                        self.open_run();
                    }
                }
            }
        }
        self.save_next();
        self.fetch_values(ctx);
        self.take_photo(ctx);
        self.go_on_drawing(ctx);
        if let Some(path) = self.reopens.take() {
            self.peek(ctx, path);
        }
        for path in dropped(ctx) {
            self.peek(ctx, path);
        }
    }

    /// Keeps a trace that the link brought.
    pub(super) fn traced(&mut self, ctx: &egui::Context, trace: Box<Trace>) {
        let Some(keep) = self.sharing.traced.take() else {
            return;
        };
        self.in_background(ctx, "save the run", move || {
            let path = match keep {
                Keep::File(path, precision) => {
                    trace.save(&path, precision)?;
                    path
                }
                Keep::Page(path) => {
                    export::write(&path, export::page(&trace)?.as_bytes())?;
                    path
                }
            };
            Ok(Done::Written(path))
        });
    }

    /// The trace that was asked for will not come, nor what was to be saved of the same run.
    pub(super) fn not_traced(&mut self) {
        self.sharing.traced = None;
        self.sharing.saves.clear();
    }

    /// Begins with the next file, once the one before is written.
    fn save_next(&mut self) {
        if self.sharing.traced.is_some() || self.sharing.n_running > 0 {
            return;
        }
        if let Some((keep, hooks)) = self.sharing.saves.pop_front() {
            self.sharing.traced = Some(keep);
            self.link.record(hooks);
        }
    }

    /// Runs `work` on a thread of its own, and takes in what it has done.
    fn in_background(
        &mut self,
        ctx: &egui::Context,
        what: &'static str,
        work: impl FnOnce() -> Result<Done> + Send + 'static,
    ) {
        let (tell, wake) = (self.sharing.tell.clone(), ctx.clone());
        let run = move || {
            let done = work().unwrap_or_else(|why| Done::Failed(what, format!("{why:#}")));
            // Nobody listens only once the window is closed.
            let _ = tell.send(done);
            wake.request_repaint();
        };
        self.sharing.n_running += 1;
        let started = thread::Builder::new().name("share".to_owned()).spawn(run);
        if let Err(error) = started {
            self.sharing.n_running -= 1;
            self.messages.failed(what, &error.to_string());
        }
    }

    /// Writes bytes in the background.
    pub(super) fn write_soon(&mut self, ctx: &egui::Context, path: PathBuf, bytes: Vec<u8>) {
        self.in_background(ctx, "save the file", move || {
            export::write(&path, &bytes)?;
            Ok(Done::Written(path))
        });
    }

    /// Reads what a recorded run is, before anything on screen changes.
    pub(super) fn peek(&mut self, ctx: &egui::Context, path: PathBuf) {
        let path = path.canonicalize().unwrap_or(path);
        self.in_background(ctx, "open the recorded run", move || {
            let meta = Box::new(recorded::peek(&path)?);
            Ok(Done::Peeked(path, meta))
        });
    }

    /// Shows a recorded run in place of the model's.
    fn show_recorded(&mut self, path: &Path, meta: &TraceMeta) {
        let door = match RecordedRun::start(path) {
            Ok(run) => run,
            Err(why) => {
                return self
                    .messages
                    .failed("open the recorded run", &format!("{why:#}"));
            }
        };
        self.link.read_through(Some(Box::new(door)));
        if self.sharing.own_prompt.is_none() {
            self.sharing.own_prompt = Some(self.settings.prompt.clone());
        }
        self.settings.prompt = PromptSettings {
            text: meta.prompt.clone().unwrap_or_default(),
            system: String::new(),
            is_chat: false,
            seed: meta.seed,
        };
        self.view.recorded = Some(path.to_owned());
        self.view.mode = crate::ui::state::Mode::Explore;
        self.view.is_playing = false;
        if self.target.is_none() {
            self.view.look(Spot::at(Place::View(View::Text), None));
        }
        let request = OpenRequest::new(self.model.clone(), Prompt::Ids(Vec::new()));
        self.link.open(request);
        self.settings.recent.retain(|other| other != path);
        self.settings.recent.insert(0, path.to_owned());
        self.settings.recent.truncate(N_RECENT);
        self.save();
    }

    /// Back to runs of the model. The prompt of the recorded run stays in the field.
    pub(super) fn leave_recording(&mut self) {
        if self.view.recorded.take().is_some() {
            self.link.read_through(None);
            self.sharing.own_prompt = None;
            // What was said of the recording is not true of the model's run.
            self.messages.clear();
            let model = &self.model.name;
            let told = format!("The recording has no model: this runs on {model}.");
            self.messages.tell(told);
        }
    }

    /// Saves the picture on view, in the form that the file's ending names.
    fn save_picture(&mut self, ctx: &egui::Context, path: PathBuf) {
        let ending = path.extension().unwrap_or_default().to_ascii_lowercase();
        match ending.to_str() {
            Some("svg") => self.draw_off(ctx, path),
            Some("png") => {
                // A notice would lie over the picture, and where the pointer lies says nothing in it.
                self.messages.clear_notices();
                (self.view.hovered, self.view.is_still) = (None, true);
                let shutter = Instant::now() + SHEET_GONE;
                self.sharing.photo = Some(Photo::Soon(path, shutter));
            }
            _ => self.messages.failed(
                "save the picture",
                "pictures are saved as .png or .svg, so give the file one of these endings",
            ),
        }
    }

    /// While a photo is taken there is no pointer.
    pub(super) fn hide_pointer(&self, input: &mut egui::RawInput) {
        use egui::Event::{MouseMoved, PointerButton, PointerGone, PointerMoved};
        if self.sharing.photo.is_some() {
            let is_pointer = |event: &egui::Event| {
                matches!(
                    event,
                    MouseMoved(_) | PointerMoved(_) | PointerButton { .. }
                )
            };
            input.events.retain(|event| !is_pointer(event));
            input.events.push(PointerGone);
        }
    }

    /// Takes the photo that was asked for, once the sheet is gone from the screen.
    fn take_photo(&mut self, ctx: &egui::Context) {
        match self.sharing.photo.take() {
            Some(Photo::Soon(path, shutter)) if Instant::now() < shutter => {
                self.sharing.photo = Some(Photo::Soon(path, shutter));
                ctx.request_repaint();
            }
            Some(Photo::Soon(path, _)) => {
                let (shot, photo) = channel();
                ctx.request_screenshot(move |image| {
                    // Nobody waits any more once the window is closed.
                    let _ = shot.send(image);
                });
                self.sharing.photo = Some(Photo::Taken(path, photo));
                ctx.request_repaint();
            }
            Some(Photo::Taken(path, photo)) => match photo.try_recv() {
                Ok(image) => {
                    self.view.is_still = false;
                    let scale = ctx.pixels_per_point();
                    let area = picture_area(ctx);
                    self.in_background(ctx, "save the picture", move || {
                        let picture = area.map(|area| image.region(&area, Some(scale)));
                        save_png(picture.as_ref().unwrap_or(&image), &path)?;
                        Ok(Done::Written(path))
                    });
                }
                Err(_) => {
                    self.sharing.photo = Some(Photo::Taken(path, photo));
                    ctx.request_repaint();
                }
            },
            None => {}
        }
    }

    /// Asks for the values that are to be saved, until they are there.
    fn fetch_values(&mut self, ctx: &egui::Context) {
        let Some((path, part)) = self.sharing.values.front().cloned() else {
            return;
        };
        let told = self.link.ask(&Question::Values(vec![part.value.clone()]));
        let value = match told {
            Asked::Waiting => return,
            Asked::Failed(why) => Err(why.to_string()),
            Asked::Ready(told) => first_value(&told),
        };
        self.sharing.values.pop_front();
        match value {
            Ok(value) => self.in_background(ctx, "save the values", move || {
                export::write_values(&path, &value, &part)?;
                Ok(Done::Written(path))
            }),
            Err(why) => self.messages.failed("save the values", &why),
        }
    }
}

fn first_value(told: &Told) -> Result<HostTensor, String> {
    let seen = match told {
        Told::Values(seen) => seen.first(),
        _ => None,
    };
    match seen {
        Some(Seen { value, .. }) => value.clone(),
        None => Err("there is no such value".to_owned()),
    }
}

/// Recorded runs that were dropped onto the window.
fn dropped(ctx: &egui::Context) -> Vec<PathBuf> {
    let is_trace = |path: &PathBuf| {
        let ending = path.extension().unwrap_or_default();
        ending.eq_ignore_ascii_case("safetensors")
    };
    ctx.input(|input| {
        let files = input.raw.dropped_files.iter();
        files
            .map(|file| file.path().to_owned())
            .filter(is_trace)
            .collect()
    })
}
