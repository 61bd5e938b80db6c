//! The engine through its plain Rust door: sessions, caches, cancelling.

use std::sync::mpsc::channel;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use vitrine::engine::Engine;
use vitrine::engine::client::{Client, Events};
use vitrine::engine::context::WhyNotMore;
use vitrine::engine::message::{
    Action, CancelToken, Event, GenerateRequest, ModelChoice, Prompt, Request, RequestId,
    SamplingChoice, SessionId,
};
use vitrine::model::cache::CacheOptions;
use vitrine::model::linear::Kernels;
use vitrine::tokenizer::{Message, TemplateArgs};
use vitrine::trace::answer::{Answer, StopReason};

/// One engine for all tests, used by one test at a time: timings are measured here.
fn client() -> MutexGuard<'static, Client> {
    static CLIENT: LazyLock<Mutex<Client>> = LazyLock::new(|| Mutex::new(Client::start().unwrap()));
    CLIENT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A greedy request to the classroom model.
fn request(prompt: Prompt, max_tokens: usize) -> GenerateRequest {
    GenerateRequest {
        model: ModelChoice {
            name: "classroom".to_owned(),
            kernels: Kernels::Auto,
        },
        prompt,
        sampling: SamplingChoice {
            temperature: Some(0.0),
            ..SamplingChoice::default()
        },
        known: Vec::new(),
        max_tokens: Some(max_tokens),
        stop: Vec::new(),
        extra_eos: Vec::new(),
        seed: None,
        cache: CacheOptions::default(),
        prompt_cache: None,
        top_logprobs: 5,
        begun: Vec::new(),
    }
}

/// A request that does not end by itself.
fn endless(prompt: Prompt) -> GenerateRequest {
    let mut request = request(prompt, 1_000_000);
    request.sampling.logit_bias = [(0, -99.0), (2, -99.0)].into();
    request
}

/// Any text will do: ids that differ from each other.
fn ids(n: u32) -> Prompt {
    Prompt::Ids((0..n).map(|at| 100 + at * 7919 % 3900).collect())
}

fn chat(messages: &[(&str, &str)]) -> Prompt {
    let messages = messages
        .iter()
        .map(|(role, text)| Message::new(*role, *text));
    Prompt::Chat {
        messages: messages.collect(),
        prefill_response: None,
        args: TemplateArgs::for_answer(),
    }
}

fn ask(
    client: &mut Client,
    session: u64,
    request: GenerateRequest,
    cancel: &CancelToken,
) -> Events {
    let action = Action::Generate(Box::new(request));
    client.ask(SessionId(session), action, cancel).unwrap()
}

fn answer(client: &mut Client, session: u64, request: GenerateRequest) -> Answer {
    end_of(ask(client, session, request, &CancelToken::default()))
}

fn end_of(events: impl Iterator<Item = Event>) -> Answer {
    for event in events {
        match event {
            Event::Answered(answer) => return *answer,
            Event::Failed(why) => panic!("{why}"),
            _ => {}
        }
    }
    panic!("no end")
}

/// The likeliest first tokens of two answers are the same, with log-probabilities this close.
fn assert_close(a: &Answer, b: &Answer, tolerance: f32) {
    let (a, b) = (&a.tokens[0].top_logprobs, &b.tokens[0].top_logprobs);
    assert_eq!(a[0].id, b[0].id);
    for (a, b) in a.iter().zip(b) {
        assert!((a.logprob - b.logprob).abs() < tolerance, "{a:?} {b:?}");
    }
}

#[test]
fn a_cancel_ends_a_long_prefill_at_once() {
    let mut client = client();
    let cancel = CancelToken::default();
    let mut events = ask(&mut client, 1, request(ids(6000), 5), &cancel);
    let began = events.any(|event| matches!(event, Event::Prefill { .. }));
    assert!(began);
    let cancelled = Instant::now();
    cancel.cancel();
    let answer = end_of(events);
    assert!(
        cancelled.elapsed() < Duration::from_millis(300),
        "{:?}",
        cancelled.elapsed()
    );
    assert_eq!(
        (answer.stop_reason, answer.text.as_str()),
        (StopReason::Cancelled, "")
    );
    assert!(answer.cache.positions < 6000);
    // What had been read by then is not read again.
    let again = ask(
        &mut client,
        1,
        request(ids(1200), 1),
        &CancelToken::default(),
    );
    assert!(end_of(again).reused >= 512);
}

#[test]
fn a_cancel_keeps_what_was_written() {
    let mut client = client();
    let cancel = CancelToken::default();
    let mut events = ask(&mut client, 2, endless(ids(8)), &cancel);
    let n_before = events
        .by_ref()
        .filter(|event| matches!(event, Event::Token { .. }))
        .take(5)
        .count();
    let cancelled = Instant::now();
    cancel.cancel();
    let answer = end_of(events);
    assert!(
        cancelled.elapsed() < Duration::from_millis(300),
        "{:?}",
        cancelled.elapsed()
    );
    assert_eq!(answer.stop_reason, StopReason::Cancelled);
    assert!(answer.tokens.len() >= n_before && !answer.text.is_empty());
    let joined: String = answer
        .tokens
        .iter()
        .map(|token| token.text.as_str())
        .collect();
    assert_eq!(joined, answer.text);
}

#[test]
fn a_request_that_was_cancelled_before_it_began_says_so() {
    let mut client = client();
    let cancel = CancelToken::default();
    cancel.cancel();
    let events: Vec<Event> = ask(&mut client, 3, request(ids(8), 5), &cancel).collect();
    assert!(
        matches!(events.as_slice(), [Event::Cancelled]),
        "{events:?}"
    );
}

#[test]
fn sessions_take_turns() {
    let _one_at_a_time = client();
    let engine = Engine::start().unwrap();
    let (events, inbox) = channel();
    for id in [1, 2] {
        let mut request = endless(ids(8 + id as u32));
        request.max_tokens = Some(40);
        let request = Request {
            id: RequestId(id),
            session: SessionId(id),
            action: Action::Generate(Box::new(request)),
            cancel: CancelToken::default(),
            events: events.clone(),
        };
        engine.send(request).unwrap();
    }
    drop(events);
    let mut order = Vec::new();
    for envelope in inbox
        .iter()
        .filter(|envelope| matches!(envelope.event, Event::Token { .. }))
    {
        order.push(envelope.id.0);
        if order.len() == 80 {
            break;
        }
    }
    // The first may begin alone, while the second is still on its way.
    let turns = order.windows(2).filter(|pair| pair[0] != pair[1]).count();
    assert!(turns > 60, "{order:?}");
}

#[test]
fn requests_of_one_session_wait_for_each_other() {
    let mut client = client();
    let never = CancelToken::default();
    let first = ask(&mut client, 4, request(ids(40), 8), &never);
    let second = ask(&mut client, 4, request(ids(50), 1), &never);
    assert_eq!(end_of(first).reused, 0);
    assert_eq!(end_of(second).reused, 40);
}

#[test]
fn a_turn_of_a_chat_reads_only_what_is_new() {
    let mut client = client();
    let question = ("user", "What is the capital of France?");
    let first = answer(&mut client, 5, request(chat(&[question]), 30));
    let next = [
        question,
        ("assistant", &first.text),
        ("user", "And of Italy?"),
    ];
    let mut reuse = None;
    let events = ask(
        &mut client,
        5,
        request(chat(&next), 30),
        &CancelToken::default(),
    );
    let second = end_of(events.inspect(|event| {
        if let Event::Started { reuse: found, .. } = event {
            reuse = Some(found.clone());
        }
    }));
    assert!(second.text.contains("Rome"), "{}", second.text);
    assert_eq!(
        second.reused,
        first.prompt_tokens.len() + first.tokens.len()
    );
    assert_eq!(
        second.speed.prompt_tokens_run,
        second.prompt_tokens.len() - second.reused
    );
    assert_eq!(reuse.unwrap().why_not_more, WhyNotMore::RestIsNew);
    // A fresh session, which reads everything, answers the same.
    let fresh = answer(&mut client, 6, request(chat(&next), 30));
    assert_eq!((fresh.reused, &fresh.text), (0, &second.text));
    assert_close(&fresh, &second, 1e-3);
}

#[test]
fn a_sampled_answer_is_not_read_again_however_it_was_split() {
    let mut client = client();
    for seed in 0..6 {
        let session = 100 + seed;
        // Hot enough to write words with tokens that the tokenizer would not choose.
        let mut wild = request(chat(&[("user", "Hi")]), 24);
        wild.sampling.temperature = Some(1.5);
        wild.sampling.top_p = Some(1.0);
        wild.sampling.top_k = Some(0);
        wild.seed = Some(seed);
        let first = answer(&mut client, session, wild);
        if first.text.is_empty() || first.stop_reason != StopReason::Stop {
            continue;
        }
        let next = [("user", "Hi"), ("assistant", &first.text), ("user", "Bye")];
        let second = answer(&mut client, session, request(chat(&next), 4));
        let written = first.prompt_tokens.len() + first.tokens.len();
        assert_eq!(second.reused, written, "seed {seed}: {:?}", first.text);
    }
}

#[test]
fn a_changed_beginning_is_read_anew() {
    let mut client = client();
    answer(&mut client, 7, request(chat(&[("user", "Hello!")]), 4));
    let changed = request(chat(&[("system", "Be brief."), ("user", "Hello!")]), 4);
    assert!(answer(&mut client, 7, changed).reused < 4);
}

#[test]
fn greedy_answers_are_always_the_same() {
    let mut client = client();
    let mut long = endless(ids(20));
    long.max_tokens = Some(60);
    let first = answer(&mut client, 8, long.clone());
    let second = answer(&mut client, 9, long);
    assert_eq!(first.tokens, second.tokens);
}

#[test]
fn a_prompt_in_pieces_is_the_same_prompt() {
    let mut client = client();
    // 600 tokens are two chunks; read in other pieces they must lead to the same token.
    let whole = answer(&mut client, 10, request(ids(600), 1));
    for n in [1, 300, 599] {
        answer(&mut client, 11, request(ids(n), 0));
    }
    let pieces = answer(&mut client, 11, request(ids(600), 1));
    assert_eq!((whole.reused, pieces.reused), (0, 599));
    assert_close(&whole, &pieces, 1e-3);
}

#[test]
fn a_rotating_cache_read_one_by_one_equals_one_read_in_chunks() {
    let mut client = client();
    let rotating = |n, max_tokens| {
        let mut request = request(ids(n), max_tokens);
        request.cache.max_size = Some(48);
        request
    };
    let whole = answer(&mut client, 12, rotating(150, 1));
    for n in 1..150 {
        answer(&mut client, 13, rotating(n, 0));
    }
    let one_by_one = answer(&mut client, 13, rotating(150, 1));
    assert_eq!(one_by_one.reused, 149);
    assert_close(&whole, &one_by_one, 1e-3);
    assert_eq!(one_by_one.cache.positions, 150);
    // It forgets: a plain cache sees more than it does.
    let plain = answer(&mut client, 14, request(ids(150), 1));
    let logprob = |answer: &Answer| answer.tokens[0].top_logprobs[0].logprob;
    assert!((logprob(&plain) - logprob(&whole)).abs() > 1e-3);
}

#[test]
fn a_quantized_cache_is_close_to_a_plain_one_and_smaller() {
    let mut client = client();
    let question = chat(&[("user", "What is the capital of France?")]);
    let plain = answer(&mut client, 15, request(question.clone(), 20));
    for (bits, tolerance) in [(8, 0.2), (4, 2.0)] {
        let mut quantized = request(question.clone(), 20);
        quantized.cache.bits = Some(bits);
        let quantized = answer(&mut client, 16 + bits as u64, quantized);
        let difference = quantized.tokens[0].logprob - plain.tokens[0].logprob;
        assert!(difference.abs() < tolerance, "{bits} bits: {difference}");
        assert!(quantized.cache.used_bytes * 2 < plain.cache.used_bytes);
        if bits == 8 {
            assert_eq!(quantized.text, plain.text);
        }
    }
}

#[test]
fn a_failure_ends_its_request_alone() {
    let mut client = client();
    let mut wrong = request(ids(4), 1);
    wrong.model.name = "nobody".to_owned();
    let events: Vec<Event> = ask(&mut client, 20, wrong, &CancelToken::default()).collect();
    assert!(matches!(events.as_slice(), [Event::Failed(why)] if why.contains("nobody")));
    assert_eq!(answer(&mut client, 20, request(ids(4), 1)).tokens.len(), 1);
}
