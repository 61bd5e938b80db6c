//! Before a room: stops show what they were kept on, and what is frozen stays.

#[path = "common/window.rs"]
mod window;

use egui::Key;
use egui_kittest::kittest::Queryable as _;
use vitrine::ui::command::{Command, Pointing};
use vitrine::ui::share::Share;
use window::{Window, app, open, place, press, settle, start};

fn send(window: &mut Window, command: Command) {
    window.state_mut().as_mut().unwrap().send(command);
    window.step();
    settle(window);
}

fn open_view(window: &mut Window, line: &str) {
    let line = line.parse().unwrap();
    send(window, Command::Share(Share::OpenView(Box::new(line))));
}

fn lies_in(window: &Window) -> (String, usize, usize, usize) {
    let view = app(window).view();
    let n_ids = app(window).run().unwrap().ids.len();
    (place(window), view.head, view.token, n_ids)
}

#[test]
fn a_stop_is_shown_again_as_it_was_kept() {
    let mut window = open(start());
    let line = "seed=7 raw=\"The capital of France is\" at=blocks.2.attn.hook_pattern head=1 pos=2";
    open_view(&mut window, line);
    press(&mut window, Key::F);
    press(&mut window, Key::M);
    let kept = lies_in(&window);
    assert_eq!(
        (kept.0.as_str(), kept.1, kept.2),
        ("blocks.2.attn.hook_pattern", 1, 2)
    );
    press(&mut window, Key::Num5);
    press(&mut window, Key::CloseBracket);
    press(&mut window, Key::PageDown);
    assert_eq!(lies_in(&window), kept);
    // A second one: another prompt, tokens written after it, another tab.
    let other = "seed=3 raw=\"I love eating\" at=sample#filters head=2 pos=4 steps=3";
    open_view(&mut window, other);
    press(&mut window, Key::M);
    let second = lies_in(&window);
    assert_eq!((second.1, second.2), (2, 4));
    let tab = app(&window).view().open_tab_name();
    assert_eq!(tab.as_deref(), Some("filters"));
    send(&mut window, Command::Tab("redraw".to_owned()));
    send(&mut window, Command::Point(Pointing::Head(0)));
    press(&mut window, Key::PageUp);
    assert_eq!(lies_in(&window), kept);
    press(&mut window, Key::PageDown);
    assert_eq!(lies_in(&window), second);
    assert_eq!(app(&window).view().open_tab_name(), tab);
}

#[test]
fn what_a_view_names_and_is_not_there_is_told() {
    let mut window = open(start());
    open_view(&mut window, "at=blocks.2.attn.hook_pattern head=99 pos=500");
    assert_eq!(
        (app(&window).view().head, app(&window).view().token),
        (5, 13)
    );
    window.get_by_label_contains("There is no head 99: heads go from 0 to 5");
    window.get_by_label_contains("There is no position 500: positions go from 0 to 13");
    open_view(&mut window, "tokens#nope");
    window.get_by_label_contains("tokens has no tab #nope: it has #");
}
