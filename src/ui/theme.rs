//! The one theme file: colours by role, the type scale, space and corners, light and dark.
//!
//! Quiet frame, loud data: paper or near-black, hairlines instead of boxes, and colour for what
//! the model computes. Every role keeps its hue everywhere: rail, formula, map, chip.

use egui::{Color32, CornerRadius, FontFamily, FontId, Stroke, TextStyle, Visuals};

use super::fonts;

/// What a colour stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Queries, and the row of a map that asks.
    Query,
    /// Keys, and the column of a map that is read.
    Key,
    /// Values.
    Value,
    /// Attention shares.
    Attention,
    /// The MLP and its neurons.
    Mlp,
    /// The residual stream, text and tokens.
    Residual,
    /// Logits and probabilities.
    Logits,
    /// The KV cache.
    Cache,
}

impl Role {
    /// Every role, in the order a pass meets them.
    pub const ALL: [Self; 8] = [
        Self::Residual,
        Self::Query,
        Self::Key,
        Self::Value,
        Self::Attention,
        Self::Mlp,
        Self::Logits,
        Self::Cache,
    ];
}

/// Every colour of the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Palette {
    /// Whether it is the dark one.
    pub is_dark: bool,
    /// Behind everything.
    pub background: Color32,
    /// Cards, buttons, empty cells.
    pub surface: Color32,
    /// Set into the background: grooves, text fields.
    pub sunk: Color32,
    /// Hairlines.
    pub line: Color32,
    /// Text, and the ring of a selection.
    pub text: Color32,
    /// Captions and explanations.
    pub muted: Color32,
    /// What is not computed yet, and decoration; never text that one must read.
    pub faint: Color32,
    /// A chosen row of the rail, a chosen tab.
    pub chosen: Color32,
    /// The fill of the one button that leads on.
    pub primary: Color32,
    /// Text on it.
    pub on_primary: Color32,
    /// It agrees, it worked.
    pub good: Color32,
    /// It failed.
    pub bad: Color32,
    /// Lower end of diverging maps: a pair that is no role's.
    pub negative: Color32,
    /// Upper end of diverging maps.
    pub positive: Color32,
    query: Color32,
    key: Color32,
    value: Color32,
    attention: Color32,
    mlp: Color32,
    residual: Color32,
    logits: Color32,
    cache: Color32,
}

const fn rgb(code: u32) -> Color32 {
    Color32::from_rgb((code >> 16) as u8, (code >> 8) as u8, code as u8)
}

/// Warm paper.
pub const LIGHT: Palette = Palette {
    is_dark: false,
    background: rgb(0xF7_F5F0),
    surface: rgb(0xFF_FFFF),
    sunk: rgb(0xEF_ECE5),
    line: rgb(0xE2_DED5),
    text: rgb(0x1F_1E1B),
    muted: rgb(0x6E_6A62),
    faint: rgb(0xA8_A49B),
    chosen: rgb(0xE5_DDEB),
    primary: rgb(0x1F_1E1B),
    on_primary: rgb(0xF7_F5F0),
    good: rgb(0x27_7A4C),
    bad: rgb(0xA6_3A4B),
    negative: rgb(0xA6_3A4B),
    positive: rgb(0x1F_4E8C),
    query: rgb(0x2B_6CB0),
    key: rgb(0xC0_5621),
    value: rgb(0x2F_855A),
    attention: rgb(0x6B_46C1),
    mlp: rgb(0xB8_3280),
    residual: rgb(0x5B_6472),
    logits: rgb(0xA7_6A12),
    cache: rgb(0x0E_7490),
};

/// Near-black.
pub const DARK: Palette = Palette {
    is_dark: true,
    background: rgb(0x12_1418),
    surface: rgb(0x1A_1D23),
    sunk: rgb(0x0D_0F12),
    line: rgb(0x2A_2F38),
    text: rgb(0xE9_E7E2),
    muted: rgb(0x9B_988F),
    faint: rgb(0x5F_6269),
    chosen: rgb(0x28_2533),
    primary: rgb(0xE9_E7E2),
    on_primary: rgb(0x12_1418),
    good: rgb(0x6F_CF97),
    bad: rgb(0xEE_8A96),
    negative: rgb(0xEE_8A96),
    positive: rgb(0x86_B8F2),
    query: rgb(0x6C_B2F0),
    key: rgb(0xF2_A25C),
    value: rgb(0x6F_CF97),
    attention: rgb(0xB7_9CF2),
    mlp: rgb(0xF0_8CC0),
    residual: rgb(0xA9_B3C1),
    logits: rgb(0xE7_C057),
    cache: rgb(0x5C_C9DC),
};

impl Palette {
    /// The palette that `ui` is drawn with.
    #[must_use]
    pub fn of(ui: &egui::Ui) -> &'static Self {
        Self::choose(ui.visuals().dark_mode)
    }

    /// The dark palette, or the light one.
    #[must_use]
    pub const fn choose(is_dark: bool) -> &'static Self {
        if is_dark { &DARK } else { &LIGHT }
    }

    /// The hue of a role.
    #[must_use]
    pub const fn role(&self, role: Role) -> Color32 {
        match role {
            Role::Query => self.query,
            Role::Key => self.key,
            Role::Value => self.value,
            Role::Attention => self.attention,
            Role::Mlp => self.mlp,
            Role::Residual => self.residual,
            Role::Logits => self.logits,
            Role::Cache => self.cache,
        }
    }

    /// A role's hue as a wash over the surface: `share` 0 is the surface, 1 the hue.
    #[must_use]
    pub fn wash(&self, role: Role, share: f32) -> Color32 {
        mix(self.surface, self.role(role), share)
    }

    /// A hairline.
    #[must_use]
    pub const fn hairline(&self) -> Stroke {
        Stroke {
            width: 1.0,
            color: self.line,
        }
    }

    /// The ring around what is selected.
    #[must_use]
    pub const fn ring(&self) -> Stroke {
        Stroke {
            width: 2.0,
            color: self.text,
        }
    }

    /// Text that can be read on `fill`.
    #[must_use]
    pub fn text_on(&self, fill: Color32) -> Color32 {
        let (dark, light) = match self.is_dark {
            true => (self.background, self.text),
            false => (self.text, self.surface),
        };
        match contrast(dark, fill) >= contrast(light, fill) {
            true => dark,
            false => light,
        }
    }
}

/// The colour between `from` and `to`: `share` 0 is `from`, 1 is `to`.
#[must_use]
pub fn mix(from: Color32, to: Color32, share: f32) -> Color32 {
    from.lerp_to_gamma(to, share.clamp(0.0, 1.0))
}

/// Contrast of two opaque colours, 1 to 21 (WCAG 2.1).
#[must_use]
pub fn contrast(one: Color32, other: Color32) -> f32 {
    let luminance = |colour: Color32| {
        let linear = |value: u8| egui::ecolor::linear_f32_from_gamma_u8(value);
        0.2126 * linear(colour.r()) + 0.7152 * linear(colour.g()) + 0.0722 * linear(colour.b())
    };
    let (one, other) = (luminance(one) + 0.05, luminance(other) + 0.05);
    one.max(other) / one.min(other)
}

/// The type scale: Inter for words, JetBrains Mono for every number, id and hook name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// The title of a picture.
    Title,
    /// The name of the program, the heading of a card's section.
    Heading,
    /// Emphasis within text.
    Strong,
    /// Buttons and chips.
    Label,
    /// Text.
    Body,
    /// What is said in a chat.
    Talk,
    /// Headings of the side panel, legends.
    Caption,
    /// The smallest text.
    Small,
    /// Numbers.
    Mono,
    /// The number that matters.
    MonoStrong,
    /// Ids, hook names, numbers beside other things.
    MonoSmall,
}

impl Type {
    /// Its font.
    #[must_use]
    pub fn font(self) -> FontId {
        match self {
            Self::Title => FontId::new(19.0, fonts::semibold()),
            Self::Heading => FontId::new(14.0, fonts::semibold()),
            Self::Strong => FontId::new(13.0, fonts::semibold()),
            Self::Label => FontId::new(13.0, fonts::medium()),
            Self::Body => FontId::new(13.0, FontFamily::Proportional),
            Self::Talk => FontId::new(14.5, FontFamily::Proportional),
            Self::Caption => FontId::new(11.5, fonts::medium()),
            Self::Small => FontId::new(11.0, FontFamily::Proportional),
            Self::Mono => FontId::new(12.5, FontFamily::Monospace),
            Self::MonoStrong => FontId::new(12.5, fonts::mono_medium()),
            Self::MonoSmall => FontId::new(10.5, FontFamily::Monospace),
        }
    }

    /// `text` in this type and colour.
    #[must_use]
    pub fn text(self, text: impl Into<String>, colour: Color32) -> egui::RichText {
        egui::RichText::new(text).font(self.font()).color(colour)
    }
}

/// Distances, in points: a grid of four.
pub mod space {
    /// Between parts of one thing.
    pub const TINY: f32 = 4.0;
    /// Between things that belong together.
    pub const SMALL: f32 = 8.0;
    /// Inside cards.
    pub const MEDIUM: f32 = 12.0;
    /// At the edges of panels.
    pub const LARGE: f32 = 16.0;
    /// Around the picture.
    pub const PICTURE: f32 = 20.0;
    /// Least height of a target.
    pub const TARGET: f32 = 28.0;
}

/// Corners, in points.
pub mod corner {
    use egui::CornerRadius;

    /// Cells of a map.
    pub const CELL: CornerRadius = CornerRadius::same(2);
    /// Chips and small buttons.
    pub const SMALL: CornerRadius = CornerRadius::same(6);
    /// Buttons.
    pub const BUTTON: CornerRadius = CornerRadius::same(7);
    /// Cards.
    pub const CARD: CornerRadius = CornerRadius::same(9);
}

/// How long a change may move, in seconds.
pub const MOTION_SECS: f32 = 0.15;

/// Gives `ctx` our fonts, both palettes and our spacing.
pub fn install(ctx: &egui::Context) {
    ctx.set_fonts(fonts::definitions());
    for (theme, palette) in [(egui::Theme::Light, &LIGHT), (egui::Theme::Dark, &DARK)] {
        ctx.style_mut_of(theme, |style| dress(style, palette));
    }
}

fn dress(style: &mut egui::Style, palette: &Palette) {
    style.text_styles = [
        (TextStyle::Small, Type::Small.font()),
        (TextStyle::Body, Type::Body.font()),
        (TextStyle::Button, Type::Label.font()),
        (TextStyle::Heading, Type::Title.font()),
        (TextStyle::Monospace, Type::Mono.font()),
    ]
    .into();
    style.animation_time = MOTION_SECS;
    style.spacing.item_spacing = egui::vec2(space::SMALL, space::SMALL);
    style.spacing.button_padding = egui::vec2(space::MEDIUM, 6.0);
    style.spacing.interact_size.y = space::TARGET;
    style.spacing.window_margin = egui::Margin::same(16);
    style.spacing.menu_margin = egui::Margin::same(8);
    style.spacing.tooltip_width = 340.0;
    style.interaction.selectable_labels = false;
    style.interaction.tooltip_delay = 0.35;
    style.visuals = visuals(palette);
}

fn visuals(palette: &Palette) -> Visuals {
    let mut visuals = match palette.is_dark {
        true => Visuals::dark(),
        false => Visuals::light(),
    };
    visuals.override_text_color = None;
    visuals.weak_text_color = Some(palette.muted);
    visuals.panel_fill = palette.background;
    visuals.window_fill = palette.surface;
    visuals.window_stroke = palette.hairline();
    visuals.window_corner_radius = corner::CARD;
    visuals.menu_corner_radius = corner::CARD;
    visuals.faint_bg_color = palette.sunk;
    visuals.extreme_bg_color = palette.sunk;
    visuals.code_bg_color = palette.sunk;
    visuals.error_fg_color = palette.bad;
    visuals.warn_fg_color = palette.role(Role::Logits);
    visuals.hyperlink_color = palette.role(Role::Query);
    visuals.selection.bg_fill = palette.wash(Role::Attention, 0.28);
    visuals.selection.stroke = Stroke::new(1.0, palette.text);
    visuals.text_cursor.stroke = Stroke::new(2.0, palette.text);
    let widgets = &mut visuals.widgets;
    for (widget, fill, line) in [
        (
            &mut widgets.noninteractive,
            palette.background,
            palette.line,
        ),
        (&mut widgets.inactive, palette.surface, palette.line),
        (&mut widgets.hovered, palette.surface, palette.faint),
        (&mut widgets.active, palette.sunk, palette.muted),
        (&mut widgets.open, palette.sunk, palette.faint),
    ] {
        widget.bg_fill = fill;
        widget.weak_bg_fill = fill;
        widget.bg_stroke = Stroke::new(1.0, line);
        widget.fg_stroke = Stroke::new(1.0, palette.text);
        widget.corner_radius = CornerRadius::same(7);
        widget.expansion = 0.0;
    }
    visuals
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_can_be_read_on_every_ground() {
        for palette in [&LIGHT, &DARK] {
            for ground in [palette.background, palette.surface, palette.sunk] {
                assert!(contrast(palette.text, ground) >= 7.0);
                assert!(contrast(palette.muted, ground) >= 4.5, "{palette:?}");
            }
            assert!(contrast(palette.text, palette.chosen) >= 7.0);
            assert!(contrast(palette.on_primary, palette.primary) >= 7.0);
        }
    }

    #[test]
    fn a_role_is_seen_against_the_background() {
        for palette in [&LIGHT, &DARK] {
            for role in Role::ALL {
                let seen = contrast(palette.role(role), palette.background);
                assert!(seen >= 3.0, "{role:?}: {seen}");
            }
        }
    }

    #[test]
    fn text_on_a_fill_takes_the_better_of_two() {
        assert_eq!(LIGHT.text_on(LIGHT.surface), LIGHT.text);
        assert_eq!(LIGHT.text_on(LIGHT.role(Role::Attention)), LIGHT.surface);
        assert_eq!(DARK.text_on(DARK.role(Role::Attention)), DARK.background);
    }
}
