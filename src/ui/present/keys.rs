//! The keys while one presents: those of a clicker too.

use egui::{Context, Id, Key, Modifiers};

use super::PresentCommand;
use crate::ui::command::{Command, Move, Pointing};
use crate::ui::state::{Mode, Overlay, ViewState};

/// Every key, its cap and what it does, as the sheet of keys lists them.
pub const ALL: [(Key, &str, &str); 16] = [
    (
        Key::PageDown,
        "PgDn",
        "The next stop, or step of the lesson",
    ),
    (Key::PageUp, "PgUp", "The one before"),
    (Key::ArrowRight, "→", "Step"),
    (Key::ArrowLeft, "←", "Step back"),
    (
        Key::Num0,
        "0–9",
        "That head; two digits, quickly, from 10 on",
    ),
    (Key::H, "H", "All heads, or the sentence"),
    (Key::A, "A", "In a lesson: the answer, or not"),
    (Key::B, "B", "Black screen"),
    (Key::F, "F", "The room sees a still; you go on"),
    (Key::S, "S", "Spotlight at the pointer"),
    (Key::N, "N", "The speaker's window: notes and stops"),
    (Key::M, "M", "What is on view as a stop of the talk"),
    (Key::T, "T", "The stops of the talk"),
    (Key::Plus, "+", "Larger"),
    (Key::Minus, "−", "Smaller"),
    (Key::Escape, "Esc", "Back to the window"),
];

/// Seconds in which a second digit belongs to the first.
const QUICKLY: f64 = 0.7;

const DIGITS: [Key; 10] = [
    Key::Num0,
    Key::Num1,
    Key::Num2,
    Key::Num3,
    Key::Num4,
    Key::Num5,
    Key::Num6,
    Key::Num7,
    Key::Num8,
    Key::Num9,
];

/// Turns the keys that were pressed into commands.
pub fn commands(ctx: &Context, view: &ViewState, n_tokens: usize, n_heads: usize) -> Vec<Command> {
    if ctx.egui_wants_keyboard_input() {
        return Vec::new();
    }
    let mut commands = Vec::new();
    let pressed = |key: Key| ctx.input_mut(|input| input.consume_key(Modifiers::NONE, key));
    for (digit, key) in DIGITS.into_iter().enumerate() {
        if pressed(key) {
            let head = head_of(ctx, digit, n_heads);
            commands.extend(head.map(|head| Command::Point(Pointing::Head(head))));
        }
    }
    let others = [
        Key::OpenBracket,
        Key::CloseBracket,
        Key::Space,
        Key::Period,
        Key::Equals,
        Key::ArrowDown,
        Key::ArrowUp,
    ];
    for key in ALL.iter().map(|(key, _, _)| *key).chain(others) {
        // Plus stands behind Shift on many keyboards.
        let is_pressed = match key {
            Key::Plus => ctx.input(|input| input.key_pressed(Key::Plus)),
            key => pressed(key),
        };
        if is_pressed {
            commands.extend(command(key, view, n_tokens));
        }
    }
    if ctx.input(|input| input.key_pressed(Key::Questionmark)) {
        commands.push(Command::Overlay(Some(Overlay::Keys)));
    }
    commands
}

/// The head that a digit chooses: with one that was typed right before, that of two digits.
fn head_of(ctx: &Context, digit: usize, n_heads: usize) -> Option<usize> {
    let (id, now) = (
        Id::unique("digits-of-a-head"),
        ctx.input(|input| input.time),
    );
    let before: Option<(usize, f64)> = ctx.data(|data| data.get_temp(id));
    let before = before.filter(|(_, at)| now - at < QUICKLY);
    let joined = before.map(|(head, _)| 10 * head + digit);
    let head = joined.filter(|head| *head < n_heads).unwrap_or(digit);
    ctx.data_mut(|data| data.insert_temp(id, (head, now)));
    (head < n_heads).then_some(head)
}

fn command(key: Key, view: &ViewState, n_tokens: usize) -> Option<Command> {
    use PresentCommand as Present;
    let token = |at: usize| Command::Point(Pointing::Token(at.min(n_tokens.saturating_sub(1))));
    if view.overlay.is_some() {
        return (key == Key::Escape).then_some(Command::Overlay(None));
    }
    let in_lesson = view.mode == Mode::Lessons;
    let present = match key {
        Key::Escape => return Some(Command::Present(false)),
        Key::OpenBracket => return Some(token(view.token.saturating_sub(1))),
        Key::CloseBracket => return Some(token(view.token + 1)),
        Key::T => return Some(Command::Overlay(Some(Overlay::Talk))),
        // In a lesson the arrows go from step to step, as without presenting.
        Key::ArrowRight if !in_lesson => return Some(Command::Move(Move::Step)),
        Key::ArrowLeft if !in_lesson => return Some(Command::Move(Move::Back)),
        Key::ArrowDown if !in_lesson => return Some(Command::Move(Move::Into)),
        Key::ArrowUp if !in_lesson => return Some(Command::Move(Move::Out)),
        Key::PageDown | Key::Space | Key::ArrowRight => Present::Next,
        Key::PageUp | Key::ArrowLeft => Present::Back,
        Key::H => Present::Heads,
        Key::A => Present::Answer,
        // Clickers send a point, or B, for a black screen.
        Key::B | Key::Period => Present::Black,
        Key::F => Present::Freeze,
        Key::S => Present::Spotlight,
        Key::N => Present::Notes,
        Key::M => Present::Add,
        Key::Plus | Key::Equals => Present::Larger(1),
        Key::Minus => Present::Larger(-1),
        _ => return None,
    };
    Some(Command::Presenting(present))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_digits_choose_a_head_from_10_on() {
        let ctx = Context::default();
        let digits = |digits: [usize; 2], n_heads| digits.map(|at| head_of(&ctx, at, n_heads));
        assert_eq!(digits([1, 4], 16), [Some(1), Some(14)]);
        // There is no head 49: the 9 is one of its own.
        assert_eq!(digits([4, 9], 16), [Some(4), Some(9)]);
        assert_eq!(digits([1, 4], 6), [Some(1), Some(4)]);
        assert_eq!(digits([8, 0], 6), [None, Some(0)]);
    }

    #[test]
    fn each_key_that_is_listed_does_something_and_a_clicker_pages() {
        let mut view = ViewState::default();
        for (key, cap, _) in ALL {
            let does = command(key, &view, 3).is_some();
            assert!(does || key == Key::Num0, "{cap}");
        }
        let next = Some(Command::Presenting(PresentCommand::Next));
        assert_eq!(command(Key::PageDown, &view, 3), next);
        assert_eq!(
            command(Key::ArrowRight, &view, 3),
            Some(Command::Move(Move::Step))
        );
        view.mode = Mode::Lessons;
        assert_eq!(command(Key::ArrowRight, &view, 3), next);
    }
}
