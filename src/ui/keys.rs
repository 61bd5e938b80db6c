//! The keys: one table that is obeyed, listed by `?`, and shown on buttons.

use egui::{Context, Key, Modifiers};

use super::chat::ChatCommand;
use super::command::{Command, Move, Pointing};
use super::state::{Mode, Overlay, ViewState};

/// What a key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shortcut {
    /// The key.
    pub key: Key,
    /// With Ctrl, or Cmd on a Mac.
    pub is_command: bool,
    /// How it is written on a cap.
    pub cap: &'static str,
    /// What it does, in words.
    pub does: &'static str,
    /// Under which heading it is listed.
    pub group: &'static str,
}

const fn key(key: Key, cap: &'static str, group: &'static str, does: &'static str) -> Shortcut {
    Shortcut {
        key,
        is_command: false,
        cap,
        does,
        group,
    }
}

/// Every key, in the order they are listed.
pub const ALL: [Shortcut; 30] = [
    key(Key::ArrowRight, "→", "Along the pass", "Step"),
    key(Key::ArrowLeft, "←", "Along the pass", "Step back"),
    key(
        Key::ArrowDown,
        "↓",
        "Along the pass",
        "Smaller steps: into the blocks",
    ),
    key(Key::ArrowUp, "↑", "Along the pass", "Larger steps"),
    key(Key::L, "L", "Along the pass", "To the end of the block"),
    key(Key::T, "T", "Along the pass", "To the next token's logits"),
    key(Key::End, "End", "Along the pass", "Run to the end"),
    key(Key::Home, "Home", "Along the pass", "Back to the beginning"),
    key(Key::P, "P", "Along the pass", "Step by itself, or stop"),
    key(
        Key::Escape,
        "Esc",
        "Along the pass",
        "Stop what is under way; close a sheet",
    ),
    key(Key::OpenBracket, "[", "Point at", "The token before"),
    key(Key::CloseBracket, "]", "Point at", "The token after"),
    key(Key::Comma, ",", "Window", "Theme, size and motion"),
    key(Key::H, "H", "Point at", "The next head"),
    key(Key::G, "G", "Point at", "The head before"),
    key(
        Key::Tab,
        "Tab",
        "Point at",
        "The next control; Enter presses it",
    ),
    key(Key::E, "E", "Window", "Edit the prompt"),
    key(Key::B, "B", "Window", "Breakpoints"),
    key(
        Key::S,
        "S",
        "Window",
        "Share and open: files, pictures, views",
    ),
    key(Key::R, "R", "Window", "Show or hide the rail"),
    key(Key::I, "I", "Window", "Show or hide the side panel"),
    key(Key::F, "F", "Window", "Present: enlarge the picture"),
    key(Key::Num1, "1", "Modes", "Explore"),
    key(Key::Num2, "2", "Modes", "Chat"),
    key(Key::Num3, "3", "Modes", "Lessons"),
    key(Key::Num4, "4", "Modes", "Models"),
    key(Key::Questionmark, "?", "Window", "These keys"),
    key(Key::F1, "F1", "Window", "These keys, also while one types"),
    Shortcut {
        is_command: true,
        ..key(Key::K, "Ctrl K", "Window", "Find anything by its name")
    },
    Shortcut {
        is_command: true,
        ..key(Key::N, "Ctrl N", "Modes", "A new chat")
    },
];

/// Keys of the chat, where letters go to the message. The page obeys them.
pub const IN_CHAT: [(&str, &str); 7] = [
    ("⏎", "Send"),
    ("Shift ⏎", "A new line"),
    ("↑", "Edit the last question"),
    ("Esc", "Stop the answer"),
    ("Ctrl N", "A new chat"),
    ("Ctrl K", "Find anything by its name"),
    ("Ctrl 1 … 4", "The other modes"),
];

/// Turns the keys that were pressed into commands. Nothing is taken from someone who types,
/// but keys that are held with Ctrl.
pub fn commands(ctx: &Context, view: &ViewState, n_tokens: usize, n_heads: usize) -> Vec<Command> {
    if view.is_presenting {
        return super::present::keys::commands(ctx, view, n_tokens, n_heads);
    }
    let is_typing = ctx.egui_wants_keyboard_input();
    let counts = |shortcut: &&Shortcut| {
        let works_while_typing = shortcut.is_command || shortcut.key == Key::F1;
        counts_in(shortcut, view.mode) && (works_while_typing || !is_typing)
    };
    let mut commands = Vec::new();
    for shortcut in ALL.iter().filter(counts) {
        let modifiers = match shortcut.is_command {
            true => Modifiers::COMMAND,
            false => Modifiers::NONE,
        };
        let pressed = ctx.input_mut(|input| match shortcut.key {
            // The next control: egui's own.
            Key::Tab => false,
            // Shift is held for it on most keyboards.
            Key::Questionmark => input.key_pressed(Key::Questionmark),
            key => input.consume_key(modifiers, key),
        });
        if pressed {
            commands.extend(command(shortcut.key, view, n_tokens, n_heads));
        }
    }
    // With Ctrl the modes are reached from where one types, too.
    for key in [Key::Num1, Key::Num2, Key::Num3, Key::Num4, Key::Comma] {
        if ctx.input_mut(|input| input.consume_key(Modifiers::COMMAND, key)) {
            commands.extend(command(key, view, n_tokens, n_heads));
        }
    }
    commands
}

/// Whether a key does something in `mode`: what moves the run belongs to the explorer.
fn counts_in(shortcut: &Shortcut, mode: Mode) -> bool {
    let moves = matches!(shortcut.group, "Along the pass" | "Point at");
    let always = shortcut.is_command || matches!(shortcut.key, Key::Escape | Key::F1);
    match mode {
        Mode::Explore => true,
        // A digit is an answer there, more likely than another mode.
        Mode::Lessons => shortcut.group != "Modes" || always,
        // What is typed there without a field is meant for the message.
        Mode::Chat => always,
        Mode::Models => always || !moves && !shortcut.cap.starts_with(char::is_alphabetic),
    }
}

/// What a key of [`ALL`] does now.
#[must_use]
pub fn command(key: Key, view: &ViewState, n_tokens: usize, n_heads: usize) -> Option<Command> {
    let sheet = |overlay: Overlay| match view.overlay == Some(overlay) {
        true => Command::Overlay(None),
        false => Command::Overlay(Some(overlay)),
    };
    let works_above = [Key::Escape, Key::Questionmark, Key::F1, Key::K];
    if view.overlay.is_some() && !works_above.contains(&key) {
        return None;
    }
    let token = |at: usize| Command::Point(Pointing::Token(at.min(n_tokens.saturating_sub(1))));
    let n_heads = n_heads.max(1);
    Some(match key {
        Key::ArrowRight => Command::Move(Move::Step),
        Key::ArrowLeft => Command::Move(Move::Back),
        Key::ArrowDown => Command::Move(Move::Into),
        Key::ArrowUp => Command::Move(Move::Out),
        Key::L => Command::Move(Move::Layer),
        Key::T => Command::Move(Move::Token),
        Key::End => Command::Move(Move::End),
        Key::Home => Command::Move(Move::Rewind),
        Key::P => Command::Play(!view.is_playing),
        Key::Escape if view.overlay.is_some() => Command::Overlay(None),
        Key::Escape if view.is_presenting => Command::Present(false),
        Key::Escape => Command::Cancel,
        Key::OpenBracket => token(view.token.saturating_sub(1)),
        Key::CloseBracket => token(view.token + 1),
        Key::H => Command::Point(Pointing::Head((view.head + 1) % n_heads)),
        Key::G => Command::Point(Pointing::Head((view.head + n_heads - 1) % n_heads)),
        Key::Comma => sheet(Overlay::Settings),
        Key::E => sheet(Overlay::Prompt),
        Key::B => sheet(Overlay::Breakpoints),
        Key::S => sheet(Overlay::Share),
        Key::Questionmark | Key::F1 => sheet(Overlay::Keys),
        Key::K => sheet(Overlay::Palette),
        Key::N => Command::Chat(Box::new(ChatCommand::New)),
        Key::R => Command::Rail,
        Key::I => Command::Side,
        Key::F => Command::Present(!view.is_presenting),
        Key::Num1 => Command::Mode(Mode::Explore),
        Key::Num2 => Command::Mode(Mode::Chat),
        Key::Num3 => Command::Mode(Mode::Lessons),
        Key::Num4 => Command::Mode(Mode::Models),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_keys_are_the_same_and_each_does_something() {
        let view = ViewState::default();
        for (at, shortcut) in ALL.iter().enumerate() {
            let twin = ALL
                .iter()
                .skip(at + 1)
                .find(|other| other.key == shortcut.key);
            assert!(twin.is_none(), "{}", shortcut.cap);
            let does = command(shortcut.key, &view, 3, 2).is_some();
            assert!(does || shortcut.key == Key::Tab, "{}", shortcut.cap);
        }
    }

    #[test]
    fn letters_are_the_message_in_the_chat_and_nothing_among_models() {
        for shortcut in &ALL {
            let is_letter =
                shortcut.cap.len() == 1 && shortcut.cap.starts_with(char::is_alphabetic);
            if is_letter && !shortcut.is_command {
                assert!(!counts_in(shortcut, Mode::Chat), "{}", shortcut.cap);
                assert!(!counts_in(shortcut, Mode::Models), "{}", shortcut.cap);
                assert!(counts_in(shortcut, Mode::Explore), "{}", shortcut.cap);
            }
        }
        let works = |key: Key| {
            ALL.iter()
                .any(|one| one.key == key && counts_in(one, Mode::Chat))
        };
        assert!(works(Key::Escape) && works(Key::F1) && works(Key::K));
    }

    #[test]
    fn a_sheet_takes_the_keys() {
        let mut view = ViewState::default();
        view.overlay = Some(Overlay::Prompt);
        assert_eq!(command(Key::ArrowRight, &view, 3, 2), None);
        assert_eq!(
            command(Key::Escape, &view, 3, 2),
            Some(Command::Overlay(None))
        );
    }
}
