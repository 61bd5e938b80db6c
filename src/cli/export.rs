//! `vitrine export`: a run as a page, values as tables, pictures, a lesson as a handout.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use clap::Subcommand;

use super::Ended;
use super::asking::{Asker, PromptArgs};
use super::options::{ModelArgs, SamplingArgs};
use crate::app::{Start, Studio};
use crate::engine::answering::family_of;
use crate::engine::message::OpenRequest;
use crate::engine::watch::Watch;
use crate::export;
use crate::lesson::library::Library;
use crate::settings::{PromptSettings, Settings, ThemeChoice};
use crate::trace::debug::DebugCommand;
use crate::trace::file::Trace;
use crate::trace::{Address, Hook, HostTensor, Part, Place, units};
use crate::ui::spot::Spot;

/// Flags of `vitrine export`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// A run as one HTML page that opens in any browser and needs no network.
    Page {
        #[command(flatten)]
        source: Source,
        /// The file to write.
        #[arg(long, short, value_name = "FILE.html")]
        out: PathBuf,
    },
    /// A lesson on paper: its text with this model's values, and pictures of its runs.
    Handout {
        /// Its name: `crane`.
        #[arg(value_name = "LESSON")]
        lesson: String,
        /// A folder with lessons of one's own.
        #[arg(long, value_name = "DIR")]
        lessons: Option<PathBuf>,
        /// Tell the answers too.
        #[arg(long)]
        answers: bool,
        #[command(flatten)]
        model: ModelArgs,
        /// The file to write.
        #[arg(long, short, value_name = "FILE.html")]
        out: PathBuf,
    },
    /// A picture of the window as SVG, drawn without a window.
    Picture {
        /// What it shows: a stage, a hook or a view.
        #[arg(value_name = "ADDRESS")]
        spot: Spot,
        #[command(flatten)]
        source: Source,
        /// Light or dark.
        #[arg(long)]
        dark: bool,
        /// The file to write.
        #[arg(long, short, value_name = "FILE.svg")]
        out: PathBuf,
    },
    /// The values at an address, as a table (.csv) or for NumPy (.npy).
    Values {
        /// Where: `blocks.2.attn.hook_pattern[3]`, or a slice: `blocks.2.attn.hook_z[0..2, 3]`.
        #[arg(value_name = "ADDRESS")]
        part: Part,
        #[command(flatten)]
        source: Source,
        /// The file to write; its ending says how.
        #[arg(long, short, value_name = "FILE")]
        out: PathBuf,
    },
}

/// Which run.
#[derive(Debug, clap::Args)]
struct Source {
    /// A recorded run: no model is needed.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["prompt", "text"])]
    trace: Option<PathBuf>,
    /// Run this prompt.
    #[arg(value_name = "PROMPT", required_unless_present_any = ["trace", "text"])]
    prompt: Option<String>,
    /// The same as PROMPT.
    #[arg(long = "prompt", value_name = "TEXT", conflicts_with = "prompt")]
    text: Option<String>,
    #[command(flatten)]
    how: PromptArgs,
    #[command(flatten)]
    model: ModelArgs,
    #[command(flatten)]
    sampling: SamplingArgs,
    /// Generate so many tokens after the prompt.
    #[arg(long, value_name = "N", default_value_t = 1)]
    steps: usize,
}

/// Runs the command.
///
/// # Errors
/// If the run cannot be read or run, or the file cannot be written.
pub fn run(args: &Args) -> Result<Ended> {
    let out = match &args.what {
        What::Page { source, out } => {
            let trace = source.trace(None)?;
            export::write(out, export::page(&trace)?.as_bytes())?;
            out
        }
        What::Handout {
            lesson,
            lessons,
            answers,
            model,
            out,
        } => {
            let mut library = Library::carried();
            if let Some(folder) = lessons {
                let added = library.add_folder(folder);
                added.with_context(|| format!("the folder {} cannot be read", folder.display()))?;
            }
            let handout = super::handout::handout(&library, lesson, model, *answers)?;
            export::write(out, export::handout(&handout).as_bytes())?;
            out
        }
        What::Picture {
            spot,
            source,
            dark,
            out,
        } => {
            let ending = out.extension().unwrap_or_default();
            ensure!(
                ending.eq_ignore_ascii_case("svg"),
                "without a window a picture is drawn as SVG: name the file .svg. For a PNG, let the \
                 window take it: vitrine --prompt … --at {spot} --screenshot {}",
                out.with_extension("png").display()
            );
            let svg = source.picture(spot, *dark)?;
            export::write(out, svg.as_bytes())?;
            out
        }
        What::Values { part, source, out } => {
            let whole = source.value(&part.value)?;
            export::write_values(out, &whole, part)?;
            out
        }
    };
    let bytes = std::fs::metadata(out).map_or(0, |file| file.len());
    eprintln!("wrote {}, {}", out.display(), units::bytes(bytes));
    Ok(Ended::Well)
}

impl Source {
    /// The prompt, however it was given.
    fn prompt(&self) -> &str {
        let given = self.prompt.as_deref().or(self.text.as_deref());
        given.unwrap_or_default()
    }

    /// The run with the hooks that a page shows, or with `hook` alone.
    fn trace(&self, hook: Option<Hook>) -> Result<Trace> {
        if let Some(file) = &self.trace {
            return Trace::open(file);
        }
        let family = family_of(&self.model.choice().name)?;
        let hooks = family
            .hooks
            .iter()
            .filter_map(|info| info.hook.parse().ok());
        let hooks: Vec<Hook> = hooks.collect();
        let hooks = match hook {
            Some(hook) => {
                ensure!(hooks.contains(&hook), "this model has no {hook}");
                vec![hook]
            }
            None => export::page_hooks(&hooks),
        };
        let mut asker = self.open(Watch::Hooks(hooks))?;
        asker.trace(0)
    }

    /// Opens the run and steps it to its end.
    fn open(&self, watch: Watch) -> Result<Asker> {
        let prompt = self.how.prompt(self.prompt());
        let mut asker = Asker::start()?;
        let request = OpenRequest {
            sampling: self.sampling.choice(),
            seed: self.sampling.seed,
            watch,
            ..OpenRequest::new(self.model.choice(), prompt)
        };
        asker.open(0, request)?;
        asker.debug(0, DebugCommand::Tokens(1))?;
        if self.steps > 0 {
            asker.debug(0, DebugCommand::Tokens(self.steps))?;
        }
        Ok(asker)
    }

    /// A picture of the run, drawn by the window's own code.
    fn picture(&self, spot: &Spot, is_dark: bool) -> Result<String> {
        let prompt = PromptSettings {
            text: self.prompt().to_owned(),
            system: self.how.system.clone().unwrap_or_default(),
            is_chat: !self.how.raw,
            seed: self.sampling.seed.unwrap_or(PromptSettings::default().seed),
        };
        let settings = Settings {
            prompt,
            motion: false,
            theme: if is_dark {
                ThemeChoice::Dark
            } else {
                ThemeChoice::Light
            },
            ..Settings::default()
        };
        let start = Start {
            recorded: self.trace.clone(),
            ..Start::new(settings, self.model.choice())
        };
        let mut studio = Studio::open(start, is_dark)?;
        if self.trace.is_none() && self.steps > 1 {
            studio.generate(self.steps)?;
        }
        studio.picture(spot.clone(), [920.0, 640.0])
    }

    fn value(&self, address: &Address) -> Result<HostTensor> {
        if let Some(file) = &self.trace {
            return crate::recorded::value(Path::new(file), address);
        }
        let watch = match address.place {
            Place::Hook(hook) => Watch::Hooks(vec![hook]),
            _ => Watch::Nothing,
        };
        let mut asker = self.open(watch)?;
        asker.look(0, address.clone())
    }
}
