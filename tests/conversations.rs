//! Conversations are kept: branches, tokens and draws, through crashes, exports and removals.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use vitrine::chat::{
    ChatStore, Line, MessageId, OpenChat, Role, Setup, from_json, to_json, to_markdown,
};
use vitrine::trace::answer::{Answer, CacheSize, GeneratedToken, Speed, StopReason};

fn store() -> (tempfile::TempDir, ChatStore) {
    let home = tempfile::tempdir().unwrap();
    let store = ChatStore::new(home.path().join("chats"));
    (home, store)
}

fn setup() -> Setup {
    Setup {
        model: "classroom".to_owned(),
        system: "Be brief.".to_owned(),
        sampling: "temperature=0.7 bias.42=-5".parse().unwrap(),
        ..Setup::default()
    }
}

fn token(number: u32) -> GeneratedToken {
    GeneratedToken {
        id: number,
        text: format!("w{number} "),
        logprob: -0.1,
        top_logprobs: Vec::new(),
        random: Some(0.1 + 0.2 * f64::from(number)), // not exact in few digits
        xtc_coin: None,
    }
}

fn answer(n_tokens: u32) -> Answer {
    let tokens: Vec<GeneratedToken> = (0..n_tokens).map(token).collect();
    Answer {
        model: "classroom".to_owned(),
        prompt_tokens: vec![1, 2, 3],
        text: tokens.iter().map(|token| token.text.as_str()).collect(),
        tokens,
        stop_reason: StopReason::Stop,
        speed: Speed::default(),
        reused: 0,
        cache: CacheSize::default(),
        seed: u64::MAX, // more than a float holds
        sampling: Default::default(),
        boundaries: vec![3, 1, 1],
        peak_memory_bytes: 1,
        own_memory_bytes: 1,
        active_memory_bytes: 1,
    }
}

/// A question and its answer, after `parent`; the number of the answer.
fn exchange(chat: &mut OpenChat, parent: Option<MessageId>, question: &str) -> MessageId {
    let asked = chat.say(parent, Role::User, question).unwrap();
    let id = chat
        .begin_answer(Some(asked), setup(), vec![1, 2, 3])
        .unwrap();
    chat.add_tokens(id, vec![token(0), token(1)]).unwrap();
    chat.end_answer(id, &answer(5)).unwrap();
    id
}

fn texts(chat: &vitrine::chat::Conversation) -> Vec<String> {
    chat.branch()
        .iter()
        .map(|message| message.text.clone())
        .collect()
}

fn file(home: &Path, id: &str) -> PathBuf {
    home.join("chats").join(format!("{id}.jsonl"))
}

#[test]
fn a_conversation_is_read_as_it_was_left() {
    let (_home, store) = store();
    let mut chat = store.create(setup()).unwrap();
    let id = exchange(&mut chat, None, "What is 7 + 5?");
    let (name, left) = (chat.id().to_owned(), chat.conversation().clone());
    assert!(store.open(&name).is_err(), "it is open here");
    drop(chat);
    let again = store.open(&name).unwrap();
    assert_eq!(again.conversation(), &left);
    let message = again.conversation().message(id).unwrap();
    let reply = message.reply.as_ref().unwrap();
    // Exact to the last bit: a replay depends on it.
    assert_eq!(reply.answer.as_ref(), Some(&answer(5)));
    assert_eq!(reply.tokens.len(), 5);
    assert_eq!(texts(&left), ["What is 7 + 5?", "w0 w1 w2 w3 w4 "]);
}

#[test]
fn edits_and_second_answers_are_branches_and_none_is_lost() {
    let (_home, store) = store();
    let mut chat = store.create(setup()).unwrap();
    let first = exchange(&mut chat, None, "one");
    let asked = chat.conversation().message(first).unwrap().parent;
    exchange(&mut chat, Some(first), "two");
    // Another answer to the first question, then the question itself otherwise.
    let second = chat.say(asked, Role::Assistant, "by hand").unwrap();
    assert_eq!(texts(chat.conversation()), ["one", "by hand"]);
    assert_eq!(chat.conversation().siblings(first), [first, second]);
    chat.show(first).unwrap();
    assert_eq!(chat.conversation().branch().len(), 4);
    let edited = exchange(&mut chat, None, "one, edited");
    assert_eq!(texts(chat.conversation())[0], "one, edited");
    let question = chat.conversation().message(edited).unwrap().parent.unwrap();
    assert_eq!(chat.conversation().siblings(question).len(), 2);
    // Removing shows what is left, and can be taken back.
    chat.remove(question).unwrap();
    assert_eq!(texts(chat.conversation())[0], "one");
    chat.restore(question).unwrap();
    assert_eq!(texts(chat.conversation())[0], "one, edited");
    assert!(
        chat.say(Some(MessageId(99)), Role::User, "after nothing")
            .is_ok()
    );
    assert_eq!(texts(chat.conversation())[0], "one, edited");
}

#[test]
fn the_list_shows_titles_pins_and_what_is_found() {
    let (_home, store) = store();
    let mut first = store.create(setup()).unwrap();
    exchange(
        &mut first,
        None,
        "Why is the sky blue on most days, and red at night, says everybody?",
    );
    let mut second = store.create(setup()).unwrap();
    exchange(&mut second, None, "Über Käse");
    second.rename("Cheese").unwrap();
    first.pin(true).unwrap();
    let list = store.list();
    assert_eq!(list.len(), 2);
    assert!(list[0].is_pinned && list[0].title.starts_with("Why is the sky blue"));
    assert!(list[0].title.ends_with('…') && list[0].title.chars().count() < 55);
    assert_eq!((list[1].title.as_str(), list[1].n_messages), ("Cheese", 2));
    let hits = store.search("KÄSE");
    assert_eq!(hits.len(), 1);
    assert_eq!(
        (hits[0].summary.title.as_str(), hits[0].excerpt.as_str()),
        ("Cheese", "Über Käse")
    );
    assert!(hits[0].message.is_some() && store.search("nowhere").is_empty());

    let copy = store.duplicate(second.id()).unwrap();
    assert_eq!(&store.read(&copy).unwrap(), second.conversation());
    store.remove(&copy).unwrap();
    assert_eq!(store.list().len(), 2);
    store.restore(&copy).unwrap();
    assert_eq!(store.list().len(), 3);
    store.remove(&copy).unwrap();
    store.forget_removed().unwrap();
    assert!(store.restore(&copy).is_err());
    assert!(store.open("../../etc/passwd").is_err());
}

#[test]
fn exports_are_readable_and_come_back_whole() {
    let (home, store) = store();
    let mut chat = store.create(setup()).unwrap();
    let first = exchange(&mut chat, None, "one");
    exchange(&mut chat, Some(first), "two");
    let text = to_markdown(chat.conversation());
    assert!(
        text.starts_with("# one\n\n> Be brief.\n\n## You\n\none\n\n## Answer (classroom)\n\nw0 w1"),
        "{text}"
    );
    let path = file(home.path(), chat.id());
    let lines: Vec<Line> = std::fs::read_to_string(path)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let json = to_json("one", &lines).unwrap();
    let name = store.add(&from_json(&json).unwrap()).unwrap();
    assert_eq!(&store.read(&name).unwrap(), chat.conversation());
    for other in [
        "",
        "{}",
        "{\"format\": \"x\", \"version\": 1, \"title\": \"\", \"lines\": []}",
    ] {
        let said = from_json(other).unwrap_err().to_string();
        assert!(said.contains("no conversation"), "{said}");
    }
    let later = json.replacen("\"version\": 1", "\"version\": 99", 1);
    assert!(
        from_json(&later)
            .unwrap_err()
            .to_string()
            .contains("later Vitrine")
    );
}

#[test]
fn a_torn_last_line_costs_itself_and_a_bad_one_no_other() {
    let (home, store) = store();
    let mut chat = store.create(setup()).unwrap();
    exchange(&mut chat, None, "one");
    let (name, left) = (chat.id().to_owned(), chat.conversation().clone());
    drop(chat);
    let path = file(home.path(), &name);
    let whole = std::fs::read(&path).unwrap();
    let append = |bytes: &[u8]| {
        let mut file = std::fs::OpenOptions::new()
            .append(true)
            .open(&path)
            .unwrap();
        file.write_all(bytes).unwrap();
    };
    append(b"{\"said\":{\"id\":9,\"te");
    assert_eq!(store.read(&name).unwrap(), left);
    let mut chat = store.open(&name).unwrap();
    assert_eq!(chat.conversation(), &left);
    assert_eq!(
        std::fs::read(&path).unwrap(),
        whole,
        "what was torn is gone"
    );
    chat.rename("kept").unwrap();
    drop(chat);
    append(b"\xff\xfe not json\n{\"sung\":{\"id\":1}}\n{\"pin\":{\"is_pinned\":true}}\n");
    let found = store.read(&name).unwrap();
    assert_eq!(
        (found.given_title.as_deref(), found.is_pinned),
        (Some("kept"), true)
    );
    // Cut anywhere, it opens and is the beginning of what was said.
    for length in (0..whole.len()).step_by(37) {
        std::fs::write(&path, &whole[..length]).unwrap();
        let chat = store.open(&name).unwrap();
        assert!(chat.conversation().branch().len() <= 2);
    }
}

/// Not a test of its own: what the next test kills. It talks without end, and says on standard output what it
/// has finished.
#[test]
fn talks_until_it_is_killed() {
    let Ok(folder) = std::env::var("VITRINE_TALK_IN") else {
        return;
    };
    let store = ChatStore::new(folder.into());
    let mut chat = match store.list().first() {
        Some(summary) => store.open(&summary.id).unwrap(),
        None => store.create(setup()).unwrap(),
    };
    loop {
        let parent = chat
            .conversation()
            .branch()
            .last()
            .map(|message| message.id);
        let asked = chat.say(parent, Role::User, "and then?").unwrap();
        let id = chat
            .begin_answer(Some(asked), setup(), vec![1; 50])
            .unwrap();
        for number in 0..20 {
            chat.add_tokens(id, vec![token(number)]).unwrap();
            eprintln!("wrote {} {}", id.0, number + 1);
        }
        chat.end_answer(id, &answer(20)).unwrap();
        // Standard error is not captured while tests run with --nocapture.
        eprintln!("finished {}", id.0);
    }
}

#[test]
fn a_kill_at_any_moment_loses_no_finished_message() {
    let (home, store) = store();
    let mut last_finished = 0;
    for round in 0_u64..25 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["talks_until_it_is_killed", "--exact", "--nocapture"])
            .env("VITRINE_TALK_IN", home.path().join("chats"))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let started = Instant::now();
        // As good as random, and the same at every run.
        let moment = Duration::from_millis(15 + round * 131 % 90);
        while started.elapsed() < moment && child.try_wait().unwrap().is_none() {
            thread::sleep(Duration::from_millis(1));
        }
        child.kill().unwrap();
        let told = child.wait_with_output().unwrap();
        let told = String::from_utf8_lossy(&told.stderr).into_owned();
        assert!(!told.contains("panicked"), "{told}");
        let whole = told.rfind('\n').map_or("", |at| &told[..at]);
        let finished = whole
            .lines()
            .filter_map(|line| line.strip_prefix("finished "));
        last_finished = finished
            .filter_map(|id| id.parse().ok())
            .max()
            .unwrap_or(last_finished);
        let Some(summary) = store.list().first().cloned() else {
            continue;
        };
        let conversation = store.read(&summary.id).unwrap();
        // Of an answer that was cut off, every token is there that was written.
        let last_written = whole.lines().rev().find_map(|line| {
            let (id, n_tokens) = line.strip_prefix("wrote ")?.split_once(' ')?;
            Some((id.parse().ok()?, n_tokens.parse::<usize>().ok()?))
        });
        if let Some((id, n_tokens)) = last_written {
            let message = conversation.message(MessageId(id)).unwrap();
            let kept = message.reply.as_ref().unwrap().tokens.len();
            assert!(kept >= n_tokens, "{kept} of {n_tokens}");
        }
        for message in conversation
            .messages()
            .filter(|message| message.id.0 <= last_finished)
        {
            match (&message.reply, message.role) {
                (None, Role::User) => assert_eq!(message.text, "and then?"),
                (Some(reply), _) => {
                    // One cut off by an earlier kill has no end, and all that came of it.
                    let n_tokens = reply.tokens.len();
                    assert!(
                        reply.answer.is_none() || n_tokens == 20,
                        "{n_tokens} tokens"
                    );
                }
                other => panic!("{other:?}"),
            }
        }
        if last_finished > 0 {
            let last = conversation.message(MessageId(last_finished)).unwrap();
            assert!(
                last.reply.as_ref().unwrap().answer.is_some(),
                "{last_finished} was finished"
            );
        }
    }
    assert!(last_finished > 20, "{last_finished}");
    assert_eq!(store.list().len(), 1);
}
