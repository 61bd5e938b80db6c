//! Code: coloured by a thread of its own, with its language and a way to copy it.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use egui::text::LayoutJob;
use egui::{Color32, Context, Frame, Margin, ScrollArea, Ui};
use egui_commonmark::syntect::easy::HighlightLines;
use egui_commonmark::syntect::highlighting::ThemeSet;
use egui_commonmark::syntect::parsing::SyntaxSet;
use egui_commonmark::syntect::util::LinesWithEndings;

use crate::ui::controls::quiet_button;
use crate::ui::theme::{Palette, Type, contrast, corner, mix};

/// Longer code is shown without colours: nobody reads that much, and it takes long.
const MOST_BYTES: usize = 400_000;
/// So many coloured pieces of code are kept.
const N_KEPT: usize = 256;

/// Coloured letters.
type Colours = Vec<(Color32, String)>;

/// The thread that colours code, and what it has done.
#[derive(Default)]
pub struct Painter {
    door: Option<Door>,
    known: HashMap<u64, Option<Arc<Colours>>>,
}

struct Door {
    jobs: Sender<Job>,
    done: Receiver<(u64, Colours)>,
}

struct Job {
    key: u64,
    language: String,
    code: String,
    is_dark: bool,
}

impl Painter {
    /// The code with colours, once they are known.
    fn colours(
        &mut self,
        ctx: &Context,
        language: &str,
        code: &str,
        is_dark: bool,
    ) -> Option<Arc<Colours>> {
        if language.is_empty() || code.len() > MOST_BYTES {
            return None;
        }
        let mut hasher = DefaultHasher::new();
        (language, code, is_dark).hash(&mut hasher);
        let key = hasher.finish();
        if self.door.is_none() {
            self.door = open(ctx);
        }
        let door = self.door.as_ref()?;
        for (key, colours) in door.done.try_iter() {
            self.known.insert(key, Some(Arc::new(colours)));
        }
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        if self.known.len() > N_KEPT {
            self.known.clear();
        }
        let job = Job {
            key,
            language: language.to_owned(),
            code: code.to_owned(),
            is_dark,
        };
        if door.jobs.send(job).is_ok() {
            self.known.insert(key, None);
        }
        None
    }
}

fn open(ctx: &Context) -> Option<Door> {
    let (jobs, inbox) = channel::<Job>();
    let (outbox, done) = channel();
    let ctx = ctx.clone();
    let work = move || {
        let (syntaxes, themes) = (
            SyntaxSet::load_defaults_newlines(),
            ThemeSet::load_defaults(),
        );
        for job in inbox {
            let Some(colours) = paint(&syntaxes, &themes, &job) else {
                continue;
            };
            if outbox.send((job.key, colours)).is_err() {
                return;
            }
            ctx.request_repaint();
        }
    };
    let thread = thread::Builder::new().name("code-colours".to_owned());
    // Without the thread code has no colours, and nothing else is lost.
    thread.spawn(work).ok()?;
    Some(Door { jobs, done })
}

fn paint(syntaxes: &SyntaxSet, themes: &ThemeSet, job: &Job) -> Option<Colours> {
    let name = if job.is_dark {
        "base16-ocean.dark"
    } else {
        "InspiredGitHub"
    };
    let theme = themes.themes.get(name)?;
    let syntax = syntaxes.find_syntax_by_token(&job.language)?;
    let mut lines = HighlightLines::new(syntax, theme);
    let palette = Palette::choose(job.is_dark);
    let mut colours: Colours = Vec::new();
    for line in LinesWithEndings::from(&job.code) {
        for (style, text) in lines.highlight_line(line, syntaxes).ok()? {
            let given = style.foreground;
            let colour = seen(palette, Color32::from_rgb(given.r, given.g, given.b));
            match colours.last_mut() {
                Some((last, letters)) if *last == colour => letters.push_str(text),
                _ => colours.push((colour, text.to_owned())),
            }
        }
    }
    Some(colours)
}

/// The colour, moved towards that of text until it can be read.
fn seen(palette: &Palette, colour: Color32) -> Color32 {
    let steps = (0..=5).map(|step| mix(colour, palette.text, step as f32 * 0.2));
    let mut readable = steps.filter(|colour| contrast(*colour, palette.sunk) >= 4.5);
    readable.next().unwrap_or(palette.text)
}

/// Draws a block of code.
pub fn code_ui(ui: &mut Ui, painter: &mut Painter, language: &str, code: &str, is_growing: bool) {
    let palette = Palette::of(ui);
    let code = code.trim_end_matches('\n');
    let colours = match is_growing {
        // It would be coloured anew with every token.
        true => None,
        false => painter.colours(ui.ctx(), language, code, palette.is_dark),
    };
    let frame = Frame::new()
        .fill(palette.sunk)
        .corner_radius(corner::CARD)
        .inner_margin(Margin {
            left: 12,
            right: 8,
            top: 4,
            bottom: 10,
        });
    frame.show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.horizontal(|ui| {
            let name = if language.is_empty() {
                "text"
            } else {
                language
            };
            ui.label(Type::MonoSmall.text(name, palette.muted));
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                if quiet_button(ui, "Copy code", "Copy this code", true).clicked() {
                    ui.ctx().copy_text(code.to_owned());
                }
            });
        });
        let job = job(code, colours.as_deref(), palette);
        ScrollArea::horizontal().id_salt("code").show(ui, |ui| {
            ui.style_mut().interaction.selectable_labels = true;
            ui.add(egui::Label::new(job).extend());
        });
    });
}

fn job(code: &str, colours: Option<&Colours>, palette: &Palette) -> LayoutJob {
    let mut job = LayoutJob::default();
    let mut add = |colour: Color32, text: &str| {
        let mut format = egui::TextFormat::simple(Type::Mono.font(), colour);
        format.line_height = Some(18.0);
        job.append(text, 0.0, format);
    };
    match colours {
        Some(colours) => colours.iter().for_each(|(colour, text)| add(*colour, text)),
        None => add(palette.text, code),
    }
    job
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_keeps_its_letters_and_can_be_read_in_both_themes() {
        let (syntaxes, themes) = (
            SyntaxSet::load_defaults_newlines(),
            ThemeSet::load_defaults(),
        );
        for is_dark in [true, false] {
            let code = "fn main() {\n    // says so\n    println!(\"{}\", 1);\n}";
            let job = Job {
                key: 0,
                language: "rust".to_owned(),
                code: code.to_owned(),
                is_dark,
            };
            let colours = paint(&syntaxes, &themes, &job).unwrap();
            let letters: String = colours.iter().map(|(_, text)| text.as_str()).collect();
            assert_eq!(letters, code);
            assert!(colours.len() > 4);
            let sunk = Palette::choose(is_dark).sunk;
            assert!(
                colours
                    .iter()
                    .all(|(colour, _)| contrast(*colour, sunk) >= 4.5)
            );
        }
    }
}
