//! What a window asks about models, answered without making it wait.

use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::json;
use vitrine::engine::librarian::Librarian;
use vitrine::hub::message::{DownloadEvent, ModelPlace, ShelfEvent};

use super::downloads::{ID, scene};
use super::server::Trouble;

fn next(inbox: &Receiver<ShelfEvent>) -> ShelfEvent {
    inbox.recv_timeout(Duration::from_secs(60)).unwrap()
}

#[test]
fn a_window_lists_searches_gets_and_removes_without_waiting() {
    let scene = scene();
    let (events, inbox) = channel();
    let report = move |event| drop(events.send(event));
    let mut librarian = Librarian::new(scene.request.environment.clone(), report);

    scene
        .server
        .finds(json!([{"id": ID, "config": {"model_type": "qwen2"}}]));
    // Even a hub that is silent holds nobody up.
    let started = Instant::now();
    librarian.find("class", 100);
    librarian.look_up(ID);
    assert!(started.elapsed() < Duration::from_secs(1));
    let mut answers = [next(&inbox), next(&inbox)];
    answers.sort_by_key(|event| matches!(event, ShelfEvent::Found { .. }));
    let [ShelfEvent::LookedUp(plan), ShelfEvent::Found { models, .. }] = answers else {
        panic!("{answers:?}");
    };
    assert!(plan.missing_bytes > 1_800_000 && models[0].cannot_run.is_none());

    let slow = vec![Trouble::Slow(64_000, Duration::from_millis(20)); 40];
    scene.server.trouble("model.safetensors", slow);
    assert_eq!(librarian.pull(ID, None).unwrap(), ID);
    loop {
        match next(&inbox) {
            ShelfEvent::Download { id, event } => {
                assert_eq!(id, ID);
                match event {
                    DownloadEvent::Progress(progress) if progress.done_bytes > 300_000 => {
                        librarian.download(ID).unwrap().pause();
                    }
                    DownloadEvent::Paused => assert_eq!(librarian.pull(ID, None).unwrap(), ID),
                    DownloadEvent::Resumed => scene.server.calm(),
                    DownloadEvent::Finished { .. } => break,
                    DownloadEvent::Progress(_) | DownloadEvent::Planned(_) => {}
                    other => panic!("{other:?}"),
                }
            }
            other => panic!("{other:?}"),
        }
    }
    librarian.list(100);
    let ShelfEvent::Listed(list) = next(&inbox) else {
        panic!("no list");
    };
    let row = list
        .models
        .iter()
        .find(|row| row.id.as_deref() == Some(ID))
        .unwrap();
    assert!(matches!(&row.place, ModelPlace::Here { freed_bytes, .. } if *freed_bytes > 2_000_000));
    librarian.remove(ID);
    assert!(matches!(next(&inbox), ShelfEvent::Removed(removal) if removal.id == ID));
    librarian.remove(ID);
    assert!(matches!(next(&inbox), ShelfEvent::Failed { about, .. } if about == ID));
}
