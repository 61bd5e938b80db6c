//! Models come and go within one process, and their memory with them. One test, so that nothing else is measured.

mod common;

use std::path::Path;

use serde_json::json;
use vitrine::engine::client::Client;
use vitrine::engine::memory;
use vitrine::engine::message::{
    Action, CancelToken, Event, GenerateRequest, ModelChoice, Prompt, SamplingChoice, SessionId,
};
use vitrine::model::cache::CacheOptions;
use vitrine::model::linear::Kernels;

use common::broken::{classroom, edit_weights, set_config};

/// Bytes of the packed words of a wide model.
const WIDE: u64 = 100 << 20;

fn choice(name: &str) -> ModelChoice {
    ModelChoice {
        name: name.to_owned(),
        kernels: Kernels::Auto,
    }
}

/// A copy of the classroom model whose MLPs are 340 times as wide, with zeros in them.
fn wide() -> tempfile::TempDir {
    let folder = classroom();
    let d_mlp = 64 * 1024;
    set_config(folder.path(), "intermediate_size", json!(d_mlp));
    edit_weights(folder.path(), |tensors| {
        for tensor in tensors
            .iter_mut()
            .filter(|tensor| tensor.name.contains(".mlp."))
        {
            let axis = usize::from(tensor.name.contains("down_proj"));
            let per_column = match (axis, tensor.name.ends_with(".weight")) {
                (0, _) => 1,
                (_, true) => 8,   // eight 4-bit numbers are one word
                (_, false) => 64, // and a group of 64 has one scale
            };
            let mut shape: Vec<usize> = serde_json::from_value(tensor.shape.clone()).unwrap();
            let n_before: usize = shape.iter().product();
            shape[axis] = d_mlp / per_column;
            let n_after: usize = shape.iter().product();
            tensor.bytes = vec![0; tensor.bytes.len() / n_before * n_after];
            tensor.shape = json!(shape);
        }
    });
    folder
}

fn ask(client: &mut Client, session: u64, action: Action) -> Result<(), String> {
    let events = client
        .ask(SessionId(session), action, &CancelToken::default())
        .unwrap();
    match events.last().unwrap() {
        Event::Done | Event::Answered(_) => Ok(()),
        Event::Failed(why) => Err(why),
        other => panic!("{other:?}"),
    }
}

fn generate(model: &str) -> Action {
    Action::Generate(Box::new(GenerateRequest {
        model: choice(model),
        prompt: Prompt::Ids(vec![100, 200, 300]),
        sampling: SamplingChoice::default(),
        known: Vec::new(),
        max_tokens: Some(2),
        stop: Vec::new(),
        extra_eos: Vec::new(),
        seed: Some(1),
        cache: CacheOptions::default(),
        prompt_cache: None,
        top_logprobs: 0,
        begun: Vec::new(),
    }))
}

fn resident() -> u64 {
    memory::resident().unwrap()
}

#[track_caller]
fn assert_about(found: u64, expected: u64) {
    let slack = WIDE / 4;
    assert!(
        found.abs_diff(expected) < slack,
        "{found} is not about {expected}"
    );
}

#[test]
fn a_model_that_no_session_uses_gives_its_memory_back() {
    let folder = wide();
    let path = |folder: &Path| folder.display().to_string();
    let (mut client, name) = (Client::start().unwrap(), path(folder.path()));
    ask(&mut client, 1, generate("classroom")).unwrap();
    let before = resident();

    // Another session's model stays beside a new one.
    ask(&mut client, 2, generate(&name)).unwrap();
    let with_wide = resident();
    assert!(with_wide - before > WIDE, "{with_wide} after {before}");
    ask(&mut client, 3, Action::Load(choice("classroom-16bit"))).unwrap();
    assert_about(resident(), with_wide);

    // What cannot be loaded costs nothing that is there.
    let why = ask(&mut client, 2, generate("/nowhere")).unwrap_err();
    assert!(why.contains("no folder /nowhere"), "{why}");
    assert_about(resident(), with_wide);
    let again = std::time::Instant::now();
    ask(&mut client, 2, generate(&name)).unwrap();
    assert!(again.elapsed().as_secs_f64() < 30.0);

    // The session moves to a model that is not there: its old one goes.
    ask(&mut client, 3, Action::Unload(choice("classroom-16bit"))).unwrap();
    ask(&mut client, 2, generate("classroom-16bit")).unwrap();
    assert_about(resident(), before);

    // Unloading takes the caches of its sessions along.
    ask(&mut client, 2, generate(&name)).unwrap();
    assert!(resident() - before > WIDE);
    ask(&mut client, 9, Action::Unload(choice(&name))).unwrap();
    assert_about(resident(), before);
    let nothing = ask(&mut client, 2, Action::SaveCache("/nowhere/cache".into()));
    assert!(nothing.unwrap_err().contains("nothing to save"));
    ask(&mut client, 1, generate("classroom")).unwrap();
}
