//! The chat, driven by what is written on it, with the real engine on the embedded model.

#[path = "common/window.rs"]
mod harness;

use egui::accesskit::Role as Seen;
use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable as _;
use harness::{Window, app, click, open, press, settle, start, wait};
use vitrine::chat::{ChatStore, Message, Role, Setup};
use vitrine::trace::answer::StopReason;
use vitrine::ui::state::Mode;

/// A window on the conversations in a folder.
fn chat_in(home: &tempfile::TempDir) -> Window {
    let mut start = start();
    start.view.mode = Mode::Chat;
    start.chats = Some(store(home));
    open(start)
}

fn store(home: &tempfile::TempDir) -> ChatStore {
    ChatStore::new(home.path().join("chats"))
}

/// A conversation in which answers do not end by themselves.
fn endless(home: &tempfile::TempDir) {
    let setup = Setup {
        sampling: "temperature=0 bias.0=-99 bias.2=-99".parse().unwrap(),
        ..Setup::default()
    };
    let mut chat = store(home).create(setup).unwrap();
    chat.rename("Endless").unwrap();
}

/// Types into a field.
fn type_into(window: &mut Window, field: &str, text: &str) {
    window.get_by_label(field).focus();
    window.step();
    window.get_by_label(field).type_text(text);
    window.step();
}

fn ask(window: &mut Window, text: &str) {
    type_into(window, "Message", text);
    window.key_press(Key::Enter);
    window.step();
    window.step();
}

fn branch(window: &Window) -> Vec<Message> {
    let branch = app(window).chat().conversation().branch();
    branch.into_iter().cloned().collect()
}

fn texts(window: &Window) -> Vec<String> {
    branch(window)
        .into_iter()
        .map(|message| message.text)
        .collect()
}

/// Clicks the first of those that are called so.
fn click_first(window: &mut Window, label: &str) {
    window.get_all_by_label(label).next().unwrap().click();
    window.step();
    window.step();
}

#[test]
fn a_question_is_answered_again_edited_and_found_after_a_restart() {
    let home = tempfile::tempdir().unwrap();
    let mut window = chat_in(&home);
    window.get_by_label("Get it in Models");
    ask(&mut window, "What is the capital of France?");
    settle(&mut window);
    let first = texts(&window);
    assert_eq!(first[0], "What is the capital of France?");
    assert!(first[1].contains("Paris"), "{first:?}");
    let reply = branch(&window)[1].reply.clone().unwrap();
    let answer = reply.answer.unwrap();
    assert_eq!(answer.stop_reason, StopReason::Stop);
    assert_eq!(
        (answer.reused, reply.setup.model.as_str()),
        (0, "classroom")
    );
    assert!(!reply.tokens[0].top_logprobs.is_empty());

    // Again: a sibling, and the prompt comes from the cache.
    click_first(&mut window, "Again");
    settle(&mut window);
    window.get_by_label("2/2");
    let again = branch(&window)[1].reply.clone().unwrap().answer.unwrap();
    assert_eq!(again.reused + 1, again.prompt_tokens.len());
    click_first(&mut window, "The version before");
    settle(&mut window);
    window.get_by_label("1/2");

    // A second turn reads only what is new.
    ask(&mut window, "What is the capital of Japan?");
    settle(&mut window);
    let second = branch(&window)[3].reply.clone().unwrap().answer.unwrap();
    assert!(
        second.reused >= answer.prompt_tokens.len(),
        "{}",
        second.reused
    );
    assert_eq!(
        second.speed.prompt_tokens_run,
        second.prompt_tokens.len() - second.reused
    );

    // The first question said otherwise: a branch; what was said before stays.
    click_first(&mut window, "Edit");
    settle(&mut window);
    type_into(&mut window, "Edit the message", " Say it.");
    click(&mut window, "Ask this");
    settle(&mut window);
    let edited = texts(&window);
    assert_eq!(edited.len(), 2, "{edited:?}");
    assert!(edited[0].contains("France") && edited[0].contains("Say it."));
    let trimmed = branch(&window)[1].reply.clone().unwrap().answer.unwrap();
    assert!(
        trimmed.reused > 0,
        "what the two questions begin with is not read again"
    );
    drop(window);

    let mut window = chat_in(&home);
    click_first(&mut window, "conversation: What is the capital of France?");
    settle(&mut window);
    assert_eq!(texts(&window), edited);
    click_first(&mut window, "The version before");
    settle(&mut window);
    assert_eq!(texts(&window).len(), 4, "the branch that was left is whole");
    assert_eq!(app(&window).failures(), Vec::<String>::new());
}

#[test]
fn an_answer_streams_stops_and_goes_on() {
    let home = tempfile::tempdir().unwrap();
    endless(&home);
    let mut window = chat_in(&home);
    click(&mut window, "conversation: Endless");
    ask(&mut window, "Tell me a story.");
    let n_tokens = |app: &vitrine::app::App| {
        let branch = app.chat().conversation().branch();
        let reply = branch.last().and_then(|message| message.reply.as_ref());
        reply.map_or(0, |reply| reply.tokens.len())
    };
    wait(&mut window, "some tokens", |app| n_tokens(app) > 4);
    assert!(app(&window).chat().writing.is_some(), "it streams");
    // What is on view is on the disk.
    let id = app(&window).chat().id().unwrap().to_owned();
    let saved = store(&home).read(&id).unwrap();
    let saved = saved.branch()[1].reply.as_ref().unwrap().tokens.len();
    assert!(saved > 4, "{saved}");
    press(&mut window, Key::Escape);
    settle(&mut window);
    let stopped = branch(&window)[1].reply.clone().unwrap();
    assert_eq!(stopped.known().unwrap().stop_reason, StopReason::Cancelled);
    click_first(&mut window, "Continue");
    wait(&mut window, "more tokens", |app| {
        n_tokens(app) > stopped.tokens.len() + 4
    });
    press(&mut window, Key::Escape);
    settle(&mut window);
    let longer = branch(&window);
    assert_eq!(longer.len(), 2, "it is the same answer");
    let longer = longer[1].reply.clone().unwrap();
    assert_eq!(longer.tokens[..stopped.tokens.len()], stopped.tokens);
    assert_eq!(longer.prompt_tokens, stopped.prompt_tokens);
    // The figures are of both parts: the prompt and the first token as they were, the rest added.
    let (before, after) = (stopped.known().unwrap(), longer.known().unwrap());
    assert_eq!(after.reused, before.reused);
    assert_eq!(after.speed.ttft_s, before.speed.ttft_s);
    assert_eq!(
        after.speed.prompt_tokens_run,
        before.speed.prompt_tokens_run
    );
    assert!(after.speed.generated > before.speed.generated);
    assert!(after.speed.decode_s > before.speed.decode_s);
}

#[test]
fn a_full_context_says_so_and_goes_on_without_the_oldest_turns() {
    let home = tempfile::tempdir().unwrap();
    let mut chat = store(&home).create(Setup::default()).unwrap();
    let mut parent = None;
    for _ in 0..60 {
        let asked = chat.say(parent, Role::User, "What is the capital of France?");
        let answer = "The capital of France is Paris. It is a big city in Europe.";
        let said = chat.say(Some(asked.unwrap()), Role::Assistant, answer);
        parent = Some(said.unwrap());
    }
    drop(chat);
    let mut window = chat_in(&home);
    click(&mut window, "conversation: What is the capital of France?");
    // There is no room for an answer; the question stays.
    ask(&mut window, "What is the capital of Italy?");
    settle(&mut window);
    assert_eq!(texts(&window).len(), 121);
    assert!(app(&window).chat().is_full.is_some());
    click(&mut window, "Drop the oldest turns");
    settle(&mut window);
    let all = branch(&window);
    assert_eq!(
        all.len(),
        122,
        "what the model no longer reads is still there"
    );
    let last = all[121].reply.clone().unwrap();
    let n_read = last.prompt_tokens.len();
    assert!(
        (256..768).contains(&n_read),
        "about half of the context: {n_read}"
    );
    assert!(all[121].text.contains("Rome"), "{}", all[121].text);
    assert!(app(&window).chat().is_full.is_none());
    // The next turn goes on in the same block: only what is new is read.
    ask(&mut window, "What is the capital of Spain?");
    settle(&mut window);
    let next = branch(&window)[123].reply.clone().unwrap().answer.unwrap();
    assert!(next.reused >= n_read, "{} of {n_read}", next.reused);
}

#[test]
fn conversations_are_named_found_removed_and_brought_back() {
    let home = tempfile::tempdir().unwrap();
    let mut window = chat_in(&home);
    ask(&mut window, "What is 7 + 5?");
    settle(&mut window);
    window.key_press_modifiers(Modifiers::COMMAND, Key::N);
    window.step();
    settle(&mut window);
    assert!(texts(&window).is_empty());
    ask(&mut window, "What is the capital of Italy?");
    settle(&mut window);
    assert_eq!(app(&window).chat().list.len(), 2);
    type_into(&mut window, "Search the conversations", "7 + 5");
    settle(&mut window);
    window.get_by_label("1 conversation");
    press(&mut window, Key::Escape);
    click(&mut window, "What to do with What is the capital of Italy?");
    click(&mut window, "Delete conversation");
    assert_eq!(app(&window).chat().list.len(), 1);
    assert!(texts(&window).is_empty(), "what was open is gone");
    click(&mut window, "Undo");
    assert_eq!(app(&window).chat().list.len(), 2);
    assert_eq!(texts(&window)[0], "What is the capital of Italy?");
    // A message is removed and comes back.
    click_first(&mut window, "Delete");
    settle(&mut window);
    assert!(texts(&window).is_empty());
    click(&mut window, "Undo");
    assert_eq!(branch(&window)[1].role, Role::Assistant);
    assert!(window.query_all_by_role(Seen::Button).count() > 5);
}

/// What stands in a field.
fn value(window: &Window, field: &str) -> String {
    window.get_by_label(field).value().unwrap_or_default()
}

#[test]
fn letters_are_the_message_and_the_model_menu_can_be_typed_in() {
    let home = tempfile::tempdir().unwrap();
    endless(&home);
    let mut window = chat_in(&home);
    // Nothing has the keyboard: letters go to the message, and are no shortcuts.
    press(&mut window, Key::Escape);
    for (key, letter) in [(Key::F, "f"), (Key::S, "s"), (Key::Num1, "1")] {
        window.key_press(key);
        window.event(egui::Event::Text(letter.to_owned()));
        window.step();
    }
    settle(&mut window);
    assert_eq!(value(&window, "Message"), "fs1");
    // They go behind what is there, wherever the cursor stood before.
    press(&mut window, Key::Home);
    window.ctx.memory_mut(|memory| {
        let field = memory.focused().unwrap();
        memory.surrender_focus(field);
    });
    for letters in [&["a", "b"][..], &["c"]] {
        for letter in letters {
            window.event(egui::Event::Text((*letter).to_owned()));
        }
        window.step();
    }
    settle(&mut window);
    assert_eq!(value(&window, "Message"), "fs1abc");
    let view = app(&window).view();
    assert!(!view.is_presenting && view.overlay.is_none());
    assert_eq!(view.mode, Mode::Chat);
    // The menu stays while one clicks and types in it.
    click(&mut window, "model classroom");
    // It grows once the list of models is there.
    window.run_steps(4);
    click(&mut window, "Folder or id of a model");
    window.event(egui::Event::Text("sfe".to_owned()));
    window.step();
    assert_eq!(value(&window, "Folder or id of a model"), "sfe");
    assert_eq!(app(&window).view().mode, Mode::Chat);
    press(&mut window, Key::Escape);
    press(&mut window, Key::Escape);
    // A new chat begins as the model's makers have it, whatever was chosen for another one.
    click(&mut window, "conversation: Endless");
    assert!(!app(&window).chat().setup().sampling.is_empty());
    window.key_press_modifiers(Modifiers::COMMAND, Key::N);
    window.step();
    settle(&mut window);
    assert_eq!(*app(&window).chat().setup(), Setup::default());
    // Whoever compares finds the models that are here.
    click(&mut window, "Side by side");
    window
        .get_all_by_label("Models that are here")
        .next()
        .unwrap()
        .click();
    window.step();
    settle(&mut window);
    window.get_by_label("classroom-16bit");
    assert_eq!(app(&window).failures(), Vec::<String>::new());
}
