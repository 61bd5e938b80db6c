//! The link against an engine that is played by the test.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use super::*;
use crate::engine::message::{Event, Prompt, Request, SamplingChoice};
use crate::ui::answers::Asked;

/// Requests that arrived, and whether the next one finds the door shut.
#[derive(Default)]
struct Engine {
    requests: Vec<Request>,
    is_shut: bool,
    n_started: usize,
}

struct FakeDoor(Rc<RefCell<Engine>>);

impl Door for FakeDoor {
    fn send(&self, request: Request) -> Result<()> {
        let mut engine = self.0.borrow_mut();
        anyhow::ensure!(!engine.is_shut, "the engine has ended");
        engine.requests.push(request);
        Ok(())
    }
}

fn link(engine: &Rc<RefCell<Engine>>) -> Link {
    let engine = Rc::clone(engine);
    let open = move || {
        engine.borrow_mut().n_started += 1;
        engine.borrow_mut().is_shut = false;
        Ok(Box::new(FakeDoor(Rc::clone(&engine))) as Box<dyn Door>)
    };
    Link::new(Box::new(open), |_| ()).unwrap()
}

fn request() -> OpenRequest {
    let model = ModelChoice {
        name: "tiny".into(),
        kernels: Default::default(),
    };
    OpenRequest {
        model,
        prompt: Prompt::Ids(vec![1]),
        sampling: SamplingChoice::default(),
        seed: Some(1),
        cache: Default::default(),
        watch: Default::default(),
        budget_bytes: None,
        chunks: Vec::new(),
        all_logits: false,
        edits: Vec::new(),
        sources: Vec::new(),
        script: Vec::new(),
    }
}

/// Answers the request that arrived last, and takes the answer in.
fn answer(link: &mut Link, engine: &Rc<RefCell<Engine>>, event: Event) -> Vec<News> {
    let request = engine.borrow_mut().requests.pop().unwrap();
    let id = request.id;
    request.events.send(Envelope { id, event }).unwrap();
    let mut news = Vec::new();
    for _ in 0..500 {
        news.extend(link.begin_frame());
        if !link.pending.contains_key(&id) {
            break;
        }
        thread::sleep(Duration::from_millis(1));
    }
    news
}

fn opened(engine: &Rc<RefCell<Engine>>, version: u64) -> Link {
    let mut link = link(engine);
    link.open(request());
    let run = RunState {
        version,
        ..RunState::default()
    };
    answer(&mut link, engine, Event::Run(Box::new(run)));
    link
}

#[test]
fn a_question_goes_out_once() {
    let engine = Rc::default();
    let mut link = opened(&engine, 0);
    for _ in 0..3 {
        assert!(matches!(link.ask(&Question::Memory), Asked::Waiting));
    }
    assert_eq!(engine.borrow().requests.len(), 1);
    answer(&mut link, &engine, Event::Failed("no".into()));
    assert!(matches!(link.ask(&Question::Memory), Asked::Failed(_)));
    assert!(engine.borrow().requests.is_empty());
}

#[test]
fn what_was_told_goes_when_the_numbers_may_have_changed() {
    for (version, is_kept) in [(0, true), (1, false)] {
        let engine = Rc::default();
        let mut link = opened(&engine, 0);
        let question = Question::Cost { pass: 0 };
        link.ask(&question);
        let told = Event::Told(Box::new(Told::Values(Vec::new())));
        answer(&mut link, &engine, told);
        link.tell(DebugCommand::Steps(1));
        let run = RunState {
            version,
            ..RunState::default()
        };
        answer(&mut link, &engine, Event::Run(Box::new(run)));
        let known = link.ask(&question).ready();
        assert_eq!(known.is_some(), is_kept, "version {version}");
    }
}

#[test]
fn an_engine_that_ends_is_started_again_and_the_run_comes_back() {
    let engine: Rc<RefCell<Engine>> = Rc::default();
    let mut link = opened(&engine, 0);
    engine.borrow_mut().is_shut = true;
    link.tell(DebugCommand::Steps(1));
    assert_eq!(engine.borrow().n_started, 2);
    let news = link.begin_frame();
    assert!(matches!(news.as_slice(), [News::Notice(_)]), "{news:?}");
    let request = engine.borrow_mut().requests.pop().unwrap();
    assert!(matches!(request.action, Action::Open(_)));
}

#[test]
fn a_run_that_cannot_be_opened_leaves_the_one_before() {
    let engine = Rc::default();
    let mut link = opened(&engine, 0);
    link.open(request());
    let news = answer(&mut link, &engine, Event::Failed("no such model".into()));
    assert!(matches!(news.as_slice(), [News::NotOpened(_)]), "{news:?}");
    assert!(!link.is_busy() && link.run.is_some());
}
