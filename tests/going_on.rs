//! Answers that go on from tokens that stand: after a stop, after a pause in the explorer, with
//! another token in the place of one.

use vitrine::engine::client::Client;
use vitrine::engine::message::{
    Action, CancelToken, Event, GenerateRequest, ModelChoice, OpenRequest, Prompt, SessionId,
};
use vitrine::engine::sampler::top_logprobs;
use vitrine::model::cache::CacheOptions;
use vitrine::model::linear::Kernels;
use vitrine::tokenizer::{Message, TemplateArgs};
use vitrine::trace::answer::{Answer, GeneratedToken, StopReason};
use vitrine::trace::debug::DebugCommand;

const CHAT: SessionId = SessionId(1);
const EXPLORER: SessionId = SessionId(2);

fn classroom() -> ModelChoice {
    ModelChoice {
        name: "classroom".to_owned(),
        kernels: Kernels::Auto,
    }
}

fn question(text: &str) -> Prompt {
    Prompt::Chat {
        messages: vec![Message::new("user", text)],
        prefill_response: None,
        args: TemplateArgs::for_answer(),
    }
}

/// A drawn answer that does not end by itself, with the log-probability of every token.
fn request(prompt: Prompt, max_tokens: usize, begun: Vec<GeneratedToken>) -> GenerateRequest {
    GenerateRequest {
        model: classroom(),
        prompt,
        sampling: "temperature=1.1 top_p=0.95 bias.0=-99 bias.2=-99"
            .parse()
            .unwrap(),
        known: Vec::new(),
        max_tokens: Some(max_tokens),
        stop: Vec::new(),
        extra_eos: Vec::new(),
        seed: Some(5),
        cache: CacheOptions::default(),
        prompt_cache: None,
        top_logprobs: 4096,
        begun,
    }
}

/// The answer, and the tokens that were told of on the way.
fn answer(client: &mut Client, request: GenerateRequest) -> (Answer, Vec<GeneratedToken>) {
    let action = Action::Generate(Box::new(request));
    let events = client.ask(CHAT, action, &CancelToken::default()).unwrap();
    let mut told = Vec::new();
    for event in events {
        match event {
            Event::Token { token, .. } => told.push(token),
            Event::Answered(answer) => return (*answer, told),
            Event::Failed(why) => panic!("{why}"),
            _ => {}
        }
    }
    panic!("no end");
}

fn clear(client: &mut Client) {
    let events = client.ask(CHAT, Action::Clear, &CancelToken::default());
    assert!(events.unwrap().any(|event| matches!(event, Event::Done)));
}

/// The largest difference between what the answer's tokens kept and what the replay computes.
fn replay(client: &mut Client, answer: &Answer) -> f32 {
    let open = OpenRequest::of_answer(classroom(), CacheOptions::default(), answer);
    let mut debug = |action: Action| {
        let events = client.ask(EXPLORER, action, &CancelToken::default());
        let mut end = events.unwrap().last();
        end.take().unwrap()
    };
    debug(Action::Open(Box::new(open)));
    let mut worst = 0.0_f32;
    for (pass, token) in answer.tokens.iter().enumerate() {
        debug(Action::Debug(DebugCommand::Tokens(1)));
        let row = if pass == 0 {
            answer.prompt_tokens.len() - 1
        } else {
            0
        };
        let address = format!("pass.{pass}.unembed.hook_out[{row}]");
        let address = address.parse().unwrap();
        let looked = debug(Action::Debug(DebugCommand::Look(address)));
        let Event::Looked(logits) = looked else {
            panic!("{looked:?}");
        };
        let values = logits.values();
        for top in top_logprobs(values, values.len()).unwrap() {
            let kept = token
                .top_logprobs
                .iter()
                .find(|kept| kept.id == top.token)
                .unwrap();
            worst = worst.max((kept.logprob - top.logprob).abs());
        }
    }
    worst
}

fn ids(tokens: &[GeneratedToken]) -> Vec<u32> {
    tokens.iter().map(|token| token.id).collect()
}

#[test]
fn an_answer_that_was_stopped_goes_on_as_if_it_had_not() {
    let mut client = Client::start().unwrap();
    let prompt = || question("What is the capital of Italy?");
    let (whole, _) = answer(&mut client, request(prompt(), 12, Vec::new()));
    assert_eq!(whole.tokens.len(), 12);
    for forgets in [false, true] {
        clear(&mut client);
        let (half, _) = answer(&mut client, request(prompt(), 5, Vec::new()));
        assert_eq!(half.stop_reason, StopReason::Length);
        if forgets {
            clear(&mut client);
        }
        let turn = Prompt::Turn(half.prompt_tokens.clone());
        let (rest, told) = answer(&mut client, request(turn, 7, half.tokens.clone()));
        assert_eq!(rest.tokens, whole.tokens, "cache forgotten: {forgets}");
        assert_eq!(told, whole.tokens);
        assert_eq!(rest.text, whole.text);
        assert_eq!(rest.speed.generated, 7);
        let n_read = whole.prompt_tokens.len() + 5;
        let n_run = if forgets { n_read } else { 1 };
        assert_eq!(rest.speed.prompt_tokens_run, n_run);
        assert_eq!(replay(&mut client, &rest), 0.0);
    }
}

#[test]
fn an_answer_goes_another_way_from_a_token_on() {
    let mut client = Client::start().unwrap();
    let prompt = question("What is the capital of France?");
    let (first, _) = answer(&mut client, request(prompt, 10, Vec::new()));
    let at = 3;
    let drawn = &first.tokens[at];
    let other = drawn.top_logprobs.iter().find(|top| top.id != drawn.id);
    let other = other.unwrap();
    let mut begun = first.tokens[..at].to_vec();
    begun.push(GeneratedToken {
        id: other.id,
        text: other.text.clone(),
        logprob: other.logprob,
        random: None,
        xtc_coin: None,
        ..drawn.clone()
    });
    let turn = Prompt::Turn(first.prompt_tokens.clone());
    let (second, _) = answer(&mut client, request(turn, 6, begun.clone()));
    assert_eq!(ids(&second.tokens[..=at]), ids(&begun));
    assert_eq!(second.tokens.len(), at + 1 + 6);
    assert_eq!(
        second.speed.prompt_tokens_run, 1,
        "the rest was in the cache"
    );
    assert_eq!(replay(&mut client, &second), 0.0);
}

#[test]
fn tokens_that_were_read_in_another_way_are_read_again() {
    let mut client = Client::start().unwrap();
    let prompt = question("What is the capital of Spain?");
    let (first, _) = answer(&mut client, request(prompt, 8, Vec::new()));
    clear(&mut client);
    // The next turn reads the answer in one piece with the prompt.
    let history = [first.prompt_tokens.clone(), ids(&first.tokens), vec![5, 6]].concat();
    answer(&mut client, request(Prompt::Turn(history), 2, Vec::new()));
    let turn = Prompt::Turn(first.prompt_tokens.clone());
    let (more, _) = answer(&mut client, request(turn, 4, first.tokens.clone()));
    assert_eq!(ids(&more.tokens[..8]), ids(&first.tokens));
    assert_eq!(replay(&mut client, &more), 0.0);
}

#[test]
fn an_end_token_that_stands_ends_the_answer() {
    let mut client = Client::start().unwrap();
    let prompt = question("What is the capital of Spain?");
    let (first, _) = answer(&mut client, request(prompt, 4, Vec::new()));
    let mut begun = first.tokens[..2].to_vec();
    begun.push(GeneratedToken {
        id: 2,
        ..first.tokens[2].clone()
    });
    let turn = Prompt::Turn(first.prompt_tokens.clone());
    let (ended, _) = answer(&mut client, request(turn, 9, begun));
    assert_eq!(ended.stop_reason, StopReason::Stop);
    assert_eq!(ended.tokens, first.tokens[..2]);
    assert_eq!(ended.speed.generated, 0);
}

/// What the model is told of an answer: enough to be spoken of in the next turn.
const N_ANSWER: usize = 12;
/// Positions the classroom model was made for.
const N_CONTEXT: usize = 512;

#[test]
fn two_hundred_turns_read_what_is_new_and_memory_stays_flat() {
    let mut client = Client::start().unwrap();
    let mut messages: Vec<Message> = Vec::new();
    // What the cache has read: the last token of an answer has not run yet.
    let mut held: Vec<u32> = Vec::new();
    let (mut n_new, mut n_again, mut n_dropped) = (0, 0, 0);
    let mut memory = Vec::new();
    for turn in 0..200 {
        let was_dropped = held.len() + 40 > N_CONTEXT;
        if was_dropped {
            // The oldest turns go in a block, so that this happens seldom.
            messages.drain(..messages.len() / 4 * 2);
            n_dropped += 1;
        }
        messages.push(Message::new("user", format!("What is {turn} plus 2?")));
        let prompt = Prompt::Chat {
            messages: messages.clone(),
            prefill_response: None,
            args: TemplateArgs::for_answer(),
        };
        let (given, _) = answer(&mut client, request(prompt, N_ANSWER, Vec::new()));
        let n_run = given.speed.prompt_tokens_run;
        assert_eq!(n_run + given.reused, given.prompt_tokens.len());
        match was_dropped {
            false => {
                let is_continued = given.prompt_tokens.starts_with(&held);
                assert!(is_continued, "turn {turn} goes on where the cache ends");
                let least = held.len().saturating_sub(1);
                assert!(
                    given.reused >= least,
                    "turn {turn}: {} of {least}",
                    given.reused
                );
                n_new += n_run;
            }
            true => n_again += n_run,
        }
        // The gauge counts these positions.
        let n_read = given.prompt_tokens.len() + given.tokens.len();
        assert!(given.cache.positions.abs_diff(n_read) <= 1);
        assert!(n_read <= N_CONTEXT, "turn {turn} has {n_read} positions");
        held = [given.prompt_tokens.clone(), ids(&given.tokens)].concat();
        messages.push(Message::new("assistant", given.text.clone()));
        memory.push(given.active_memory_bytes);
    }
    assert!(n_dropped >= 3, "the context overflowed {n_dropped} times");
    println!("{n_new} prompt tokens in turns, {n_again} read again in {n_dropped} drops");
    assert!(
        n_new < 200 * 40,
        "{n_new} prompt tokens for 200 short questions"
    );
    let most = |turns: &[usize]| turns.iter().copied().max().unwrap();
    let (early, late) = (most(&memory[50..125]), most(&memory[125..]));
    assert!(
        late.abs_diff(early) < early / 100,
        "{early} bytes, then {late}"
    );
}
