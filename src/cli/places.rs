//! `vitrine --list-places`: everything that `--at` takes.

use std::io::{Write, stdout};

use anyhow::Result;

use crate::lesson::library::Library;
use crate::trace::{BlockHook, Hook, Place, Stage, View};
use crate::ui::pictures;
use crate::ui::spot::PictureKind;

/// Prints every place with what it shows; tabs follow a `#`.
///
/// # Errors
/// If nobody reads it.
pub fn print(_model: Option<&str>) -> Result<()> {
    let mut out = stdout().lock();
    let mut places: Vec<(String, Place)> = Vec::new();
    let mut add = |place: Place, text: String| places.push((text, place));
    for view in [View::Text, View::Tokens] {
        add(Place::View(view), view.name().to_owned());
    }
    for stage in ["embed", "blocks.N", "ln_final", "unembed"] {
        let place = stage.replace('N', "0").parse().map(Place::Stage);
        add(
            place.unwrap_or(Place::Stage(Stage::Embed)),
            stage.to_owned(),
        );
    }
    add(Place::Hook(Hook::Embed), Hook::Embed.to_string());
    add(Place::Hook(Hook::PosEmbed), Hook::PosEmbed.to_string());
    for hook in BlockHook::ALL {
        add(
            Place::Hook(Hook::Block(0, hook)),
            format!("blocks.N.{}", hook.name()),
        );
    }
    add(Place::Hook(Hook::FinalNorm), Hook::FinalNorm.to_string());
    add(Place::Hook(Hook::Logits), Hook::Logits.to_string());
    for view in View::ALL.into_iter().skip(2) {
        add(Place::View(view), view.name().to_owned());
    }
    for (text, place) in places {
        let kind = PictureKind::of(place);
        let name = kind.map_or_else(
            || "a mode of the window".to_owned(),
            |kind| format!("{kind:?}"),
        );
        let tabs = kind.map(|kind| pictures::create(kind).tabs().join(" | ").to_lowercase());
        match tabs.filter(|tabs| !tabs.is_empty()) {
            Some(tabs) => writeln!(out, "{text:36} {name}   # {tabs}")?,
            None => writeln!(out, "{text:36} {name}")?,
        }
    }
    for lesson in Library::carried().lessons() {
        let text = format!("lesson:{}[:STEP]", lesson.name);
        writeln!(
            out,
            "{text:36} {}, {} steps",
            lesson.title,
            lesson.steps.len()
        )?;
    }
    writeln!(
        out,
        "\nN is a block, counted from 0. Before a place: pass.P. for a later pass. After it: [head, position]."
    )?;
    Ok(())
}
