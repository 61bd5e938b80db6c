//! What downloads do when all is well, and when it is not.

use std::fs;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use vitrine::hub::cache::{Cached, ModelCache};
use vitrine::hub::download::{Download, DownloadRequest, Pace, Target, look_up};
use vitrine::hub::environment::{HubEnvironment, Token};
use vitrine::hub::message::{DownloadEvent, FileState};

use super::server::{COMMIT, Server, Trouble};

pub const ID: &str = "school/classroom";

/// A hub, a folder for the cache, and what to ask for.
pub struct Scene {
    pub server: Server,
    pub home: tempfile::TempDir,
    pub request: DownloadRequest,
}

pub fn scene() -> Scene {
    let server = Server::start();
    server.add_classroom(ID);
    let home = tempfile::tempdir().unwrap();
    let environment = HubEnvironment {
        endpoint: server.endpoint(),
        token: None,
        is_offline: false,
        cache: ModelCache::new(home.path().join("hub")),
    };
    let mut request = DownloadRequest::new(ID, environment);
    request.pace = Pace {
        silence: Duration::from_millis(700),
        first_wait: Duration::from_millis(10),
        longest_wait: Duration::from_millis(50),
        tries: 3,
        chunk: 256 << 10,
        n_connections: 2,
    };
    Scene {
        server,
        home,
        request,
    }
}

impl Scene {
    fn start(&self) -> (Download, Receiver<DownloadEvent>) {
        let (events, inbox) = channel();
        let report = move |event| drop(events.send(event));
        (
            Download::start(self.request.clone(), report).unwrap(),
            inbox,
        )
    }

    /// The end of a download, and every notice on the way.
    fn end(&self) -> (DownloadEvent, Vec<String>) {
        let (_download, inbox) = self.start();
        follow(&inbox)
    }

    pub fn finishes(&self) -> Vec<String> {
        let (end, notices) = self.end();
        let DownloadEvent::Finished { folder } = end else {
            panic!("{end:?} after {notices:?}");
        };
        assert_is_the_classroom(&folder);
        assert!(matches!(self.found(), Cached::Complete(found) if found == folder));
        notices
    }

    fn fails(&self) -> String {
        let (end, _) = self.end();
        let DownloadEvent::Failed(why) = end else {
            panic!("{end:?}");
        };
        assert!(
            why.len() > 40 && !why.contains('\n'),
            "one clear sentence: {why}"
        );
        assert!(
            !matches!(self.found(), Cached::Complete(_)),
            "nothing half is found"
        );
        why
    }

    pub fn found(&self) -> Cached {
        self.request.environment.cache.find(ID)
    }
}

fn follow(inbox: &Receiver<DownloadEvent>) -> (DownloadEvent, Vec<String>) {
    let mut notices = Vec::new();
    loop {
        match inbox.recv_timeout(Duration::from_secs(60)).unwrap() {
            DownloadEvent::Notice(text) => notices.push(text),
            DownloadEvent::Planned(_)
            | DownloadEvent::Progress(_)
            | DownloadEvent::Paused
            | DownloadEvent::Resumed => {}
            end => return (end, notices),
        }
    }
}

pub fn assert_is_the_classroom(folder: &Path) {
    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/classroom");
    for name in ["config.json", "tokenizer.json", "model.safetensors"] {
        let (here, there) = (fs::read(folder.join(name)), fs::read(assets.join(name)));
        assert!(here.unwrap() == there.unwrap(), "{name} in {folder:?}");
    }
}

#[test]
fn a_download_tells_its_plan_its_progress_and_leaves_a_model() {
    let scene = scene();
    let plan = look_up(&scene.request).unwrap();
    assert!(plan.missing_bytes == plan.total_bytes && plan.total_bytes > 1_800_000);
    assert!(plan.free_bytes.unwrap() > 0 && plan.revision == COMMIT);
    assert!(
        !scene.home.path().join("hub").exists(),
        "a look changes nothing"
    );
    let (_download, inbox) = scene.start();
    let (mut planned, mut last, mut reached) = (None, None, 0);
    loop {
        match inbox.recv_timeout(Duration::from_secs(60)).unwrap() {
            DownloadEvent::Planned(found) => planned = Some(found),
            DownloadEvent::Progress(progress) => {
                assert!(progress.done_bytes >= reached, "it never goes back here");
                reached = progress.done_bytes;
                last = Some(progress);
            }
            DownloadEvent::Finished { folder } => {
                assert_is_the_classroom(&folder);
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    let mut planned = planned.unwrap();
    planned.free_bytes = plan.free_bytes; // other programs write too
    assert_eq!(planned, plan);
    let last = last.unwrap();
    assert_eq!(last.done_bytes, plan.total_bytes);
    assert!(last.files.iter().all(|file| file.state == FileState::Here));
    let staging = scene
        .request
        .environment
        .cache
        .folder_of(ID)
        .join(".vitrine");
    assert!(!staging.exists(), "nothing is left over");
}

#[test]
fn a_second_download_fetches_nothing() {
    let scene = scene();
    scene.finishes();
    let before = scene.server.log().len();
    assert_eq!(look_up(&scene.request).unwrap().missing_bytes, 0);
    scene.finishes();
    let log = scene.server.log();
    assert!(
        log[before..]
            .iter()
            .all(|asked| asked.line.contains("/api/models/")),
        "{log:?}"
    );
}

#[test]
fn a_broken_connection_is_taken_up_where_it_broke() {
    let scene = scene();
    // One less than the tries that there are: where both connections break at once, nothing arrives.
    let cut = Trouble::Cut(100_000);
    let troubles = vec![cut; 2];
    scene.server.trouble("model.safetensors", troubles);
    let notices = scene.finishes();
    assert!(
        notices
            .iter()
            .any(|notice| notice.contains("the connection broke")),
        "{notices:?}"
    );
}

#[test]
fn what_is_here_is_not_asked_for_again() {
    let mut scene = scene();
    scene.request.pace.n_connections = 1;
    scene.request.pace.tries = 1;
    let fine = Trouble::Slow(1 << 20, Duration::ZERO);
    let mut troubles = vec![fine; 3];
    troubles.push(Trouble::Cut(5));
    scene.server.trouble("model.safetensors", troubles);
    scene.fails();
    let before = scene.server.log().len();
    scene.finishes();
    let log = scene.server.log();
    let mut ranges = log[before..].iter().filter(|asked| asked.at_files);
    let first = ranges
        .find(|asked| asked.range.as_deref() != Some("bytes=0-0"))
        .unwrap();
    assert!(
        first.range.as_deref().unwrap().starts_with("bytes=786432-"),
        "{first:?}"
    );
}

#[test]
fn a_silent_server_is_left() {
    let scene = scene();
    scene
        .server
        .trouble("model.safetensors", [Trouble::Silent(1_000)]);
    let started = Instant::now();
    let notices = scene.finishes();
    assert!(
        notices
            .iter()
            .any(|notice| notice.contains("nothing has come")),
        "{notices:?}"
    );
    assert!(started.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_slow_server_is_waited_for() {
    let scene = scene();
    let slow = Trouble::Slow(20_000, Duration::from_millis(30));
    scene.server.trouble("tokenizer.json", [slow]);
    assert_eq!(scene.finishes(), Vec::<String>::new());
}

#[test]
fn passing_refusals_are_waited_for() {
    let scene = scene();
    let limited = Trouble::Status(429, vec![("Retry-After", "1".to_owned())]);
    scene.server.api_trouble([limited.clone()]);
    // The second is what the question for the reason meets.
    scene
        .server
        .trouble("config.json", [limited.clone(), limited]);
    scene
        .server
        .trouble("tokenizer.json", vec![Trouble::Status(500, Vec::new()); 2]);
    let started = Instant::now();
    let notices = scene.finishes().join("\n");
    assert!(
        notices.contains("fewer requests") && notices.contains("1.0 s"),
        "{notices}"
    );
    assert!(notices.contains("trouble of its own"), "{notices}");
    assert!(
        started.elapsed() > Duration::from_secs(2),
        "the hub's wish is heeded"
    );
}

#[test]
fn lasting_refusals_are_told_in_a_sentence() {
    let scene = scene();
    let refuse = |status, headers: Vec<(&'static str, String)>| {
        scene.server.calm();
        scene
            .server
            .trouble("config.json", vec![Trouble::Status(status, headers); 8]);
        scene.fails()
    };
    assert!(refuse(500, Vec::new()).contains("(it answered 500)"));
    assert!(refuse(404, Vec::new()).contains("there is no model school/classroom"));
    let said = refuse(
        403,
        vec![("X-Error-Message", "Not in your country".to_owned())],
    );
    assert!(
        said.contains("403") && said.contains("Not in your country"),
        "{said}"
    );
    assert!(refuse(429, Vec::new()).contains("fewer requests"));
    scene.server.calm();
    scene.server.api_trouble([Trouble::Wrong]);
    assert!(scene.fails().contains("not the JSON expected"));
}

#[test]
fn a_model_that_is_not_there_is_told_with_what_to_check() {
    let mut scene = scene();
    scene.request.id = "school/clasroom".to_owned();
    assert!(scene.fails().contains("Check the spelling"));
    scene.request.id = "https://huggingface.co/a/b".to_owned();
    assert!(scene.fails().contains("no Hugging Face id"));
    scene.request.id = ID.to_owned();
    scene.request.environment.endpoint = "http://127.0.0.1:1".to_owned();
    let said = scene.fails();
    assert!(said.contains("cannot reach http://127.0.0.1:1"), "{said}");
    scene.request.environment.is_offline = true;
    assert!(scene.fails().contains("HF_HUB_OFFLINE"));
}

#[test]
fn a_gated_model_needs_a_token_and_no_other_server_sees_it_without_need() {
    let mut scene = scene();
    scene.server.gate(ID, "hf_secret");
    let said = scene.fails();
    assert!(
        said.contains("gated") && said.contains("hf auth login"),
        "{said}"
    );
    scene.request.environment.token = Token::new("hf_other");
    let said = scene.fails();
    assert!(
        said.contains("gated") && said.contains("the token that is set"),
        "{said}"
    );
    scene.request.environment.token = Token::new("hf_secret");
    scene.finishes();

    let mut open = self::scene();
    open.request.environment.token = Token::new("hf_secret");
    open.finishes();
    let log = open.server.log();
    let shown = log
        .iter()
        .filter(|asked| asked.at_files && asked.token.is_some());
    assert_eq!(
        shown.count(),
        0,
        "an open model's files are fetched without a token"
    );
}

#[test]
fn wrong_content_is_thrown_away_and_never_found() {
    let scene = scene();
    // All parts of the weights: the first try is wrong, the second right.
    scene
        .server
        .trouble("model.safetensors", vec![Trouble::Wrong; 7]);
    let notices = scene.finishes();
    assert!(
        notices.iter().any(|notice| notice.contains("SHA-256")),
        "{notices:?}"
    );

    let small = self::scene();
    small
        .server
        .trouble("tokenizer.json", vec![Trouble::Wrong; 50]);
    let said = small.fails();
    assert!(
        said.contains("tokenizer.json") && said.contains("Git SHA-1"),
        "{said}"
    );
    small.server.calm();
    small.finishes();
}

#[test]
fn a_body_that_ends_early_is_noticed() {
    let scene = scene();
    scene
        .server
        .trouble("model.safetensors", [Trouble::Short(10_000)]);
    scene.finishes();
}

#[test]
fn a_server_that_heeds_no_range_serves_small_files_and_never_corrupts_large_ones() {
    let scene = scene();
    scene.server.trouble("config.json", vec![Trouble::Whole; 2]);
    scene.finishes();
    let large = self::scene();
    // The first look is answered well, the parts are not.
    let whole = Trouble::Slow(1 << 20, Duration::ZERO);
    large.server.trouble("model.safetensors", [whole]);
    large.finishes();
}

#[test]
fn a_pause_lets_go_and_goes_on_and_a_stop_keeps_what_is_here() {
    let scene = scene();
    let slow = vec![Trouble::Slow(16_000, Duration::from_millis(20)); 40];
    scene.server.trouble("model.safetensors", slow);
    let (download, inbox) = scene.start();
    let mut seen = Vec::new();
    for event in &inbox {
        match event {
            DownloadEvent::Progress(progress) if progress.done_bytes > 700_000 => {
                download.control().pause();
            }
            DownloadEvent::Paused => {
                seen.push("paused");
                // A busy machine may note what was asked before the pause a little later.
                let is_quiet = (0..20).any(|_| {
                    let asked = scene.server.log().len();
                    std::thread::sleep(Duration::from_millis(300));
                    scene.server.log().len() == asked
                });
                assert!(is_quiet, "nothing is asked in a pause");
                download.control().resume();
            }
            DownloadEvent::Resumed => {
                seen.push("resumed");
                download.control().stop();
            }
            DownloadEvent::Stopped => break,
            DownloadEvent::Planned(_) | DownloadEvent::Progress(_) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(seen, ["paused", "resumed"]);
    assert!(!matches!(scene.found(), Cached::Complete(_)));
    scene.server.calm();
    assert!(
        look_up(&scene.request)
            .unwrap()
            .files
            .iter()
            .any(|file| file.is_here)
    );
    scene.finishes();
}

#[test]
fn a_download_that_is_given_up_leaves_nothing() {
    let scene = scene();
    let slow = vec![Trouble::Slow(16_000, Duration::from_millis(20)); 40];
    scene.server.trouble("model.safetensors", slow);
    let (download, inbox) = scene.start();
    let mut end = None;
    for event in &inbox {
        match event {
            DownloadEvent::Progress(progress) if progress.done_bytes > 400_000 => {
                download.control().discard();
            }
            DownloadEvent::Discarded => {
                end = Some(());
                break;
            }
            _ => {}
        }
    }
    assert!(end.is_some());
    assert_eq!(scene.found(), Cached::Absent);
}

#[test]
fn a_folder_of_ones_own_gets_plain_files_and_keeps_its_own() {
    let mut scene = scene();
    let folder = scene.home.path().join("mine");
    scene.request.target = Target::Folder(folder.clone());
    scene
        .server
        .trouble("model.safetensors", [Trouble::Cut(100_000)]);
    let (end, _) = scene.end();
    assert_eq!(
        end,
        DownloadEvent::Finished {
            folder: folder.clone()
        }
    );
    assert_is_the_classroom(&folder);
    assert!(
        folder
            .join("config.json")
            .symlink_metadata()
            .unwrap()
            .is_file()
    );
    assert!(!folder.join(".vitrine").exists() && scene.found() == Cached::Absent);
    fs::write(folder.join("config.json"), "mine").unwrap();
    let said = scene.fails();
    assert!(said.contains("another config.json"), "{said}");
    assert_eq!(
        fs::read_to_string(folder.join("config.json")).unwrap(),
        "mine"
    );
}

#[test]
fn two_downloads_of_a_model_do_not_meet() {
    let scene = scene();
    let slow = vec![Trouble::Slow(16_000, Duration::from_millis(20)); 40];
    scene.server.trouble("model.safetensors", slow);
    let (first, inbox) = scene.start();
    for event in &inbox {
        if matches!(event, DownloadEvent::Progress(progress) if progress.done_bytes > 400_000) {
            break;
        }
    }
    assert!(scene.fails().contains("another Vitrine is downloading"));
    first.control().stop();
    assert_eq!(follow(&inbox).0, DownloadEvent::Stopped);
}
