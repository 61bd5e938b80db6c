//! The fonts: Inter and JetBrains Mono travel with the program; what they lack, the system has.
//!
//! The window asks the system for a font when a character is missing (every script, emoji in
//! colour), so no monochrome emoji font is bundled: it would come first.

use std::sync::Arc;

use egui::{FontData, FontDefinitions, FontFamily};

const INTER: &str = "Inter";
const INTER_MEDIUM: &str = "Inter Medium";
const INTER_SEMIBOLD: &str = "Inter SemiBold";
const MONO: &str = "JetBrains Mono";
const MONO_MEDIUM: &str = "JetBrains Mono Medium";

/// Inter Medium: buttons and chips.
#[must_use]
pub fn medium() -> FontFamily {
    FontFamily::Name(INTER_MEDIUM.into())
}

/// Inter SemiBold: titles.
#[must_use]
pub fn semibold() -> FontFamily {
    FontFamily::Name(INTER_SEMIBOLD.into())
}

/// JetBrains Mono Medium: the number that matters.
#[must_use]
pub fn mono_medium() -> FontFamily {
    FontFamily::Name(MONO_MEDIUM.into())
}

/// Our fonts, each followed by those that fill its gaps.
#[must_use]
pub fn definitions() -> FontDefinitions {
    // egui's own come last: they hold a few symbols that ours lack.
    let mut fonts = FontDefinitions::default();
    let egui_fonts = fonts.families.get(&FontFamily::Monospace).cloned();
    let egui_fonts = egui_fonts.unwrap_or_default();
    let files: [(&str, &'static [u8]); 5] = [
        (
            INTER,
            include_bytes!("../../assets/fonts/Inter-Regular.otf"),
        ),
        (
            INTER_MEDIUM,
            include_bytes!("../../assets/fonts/Inter-Medium.otf"),
        ),
        (
            INTER_SEMIBOLD,
            include_bytes!("../../assets/fonts/Inter-SemiBold.otf"),
        ),
        (
            MONO,
            include_bytes!("../../assets/fonts/JetBrainsMono-Regular.ttf"),
        ),
        (
            MONO_MEDIUM,
            include_bytes!("../../assets/fonts/JetBrainsMono-Medium.ttf"),
        ),
    ];
    for (name, bytes) in files {
        let data = Arc::new(FontData::from_static(bytes));
        fonts.font_data.insert(name.to_owned(), data);
    }
    for (family, first, second) in [
        (FontFamily::Proportional, INTER, MONO),
        (medium(), INTER_MEDIUM, MONO),
        (semibold(), INTER_SEMIBOLD, MONO),
        (FontFamily::Monospace, MONO, INTER),
        (mono_medium(), MONO_MEDIUM, INTER),
    ] {
        let mut names = vec![first.to_owned(), second.to_owned()];
        names.extend(egui_fonts.iter().cloned());
        fonts.families.insert(family, names);
    }
    fonts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_family_names_fonts_that_are_there() {
        let fonts = definitions();
        for (family, names) in &fonts.families {
            assert!(names.len() > 1, "{family} has nothing to fall back to");
            for name in names {
                assert!(fonts.font_data.contains_key(name), "{family}: no {name}");
            }
        }
    }

    #[test]
    fn marks_that_the_window_draws_have_a_glyph() {
        let mut fonts = egui::epaint::text::Fonts::new(Default::default(), definitions());
        for mark in "·→←↑↓⏎✓×÷√π₀₉…“”–−≤≥≈Σ½".chars() {
            let font = crate::ui::theme::Type::Body.font();
            assert!(fonts.has_glyph(&font, mark), "no glyph for {mark}");
        }
    }
}
