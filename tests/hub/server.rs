//! A hub on this machine: two ports that speak its protocol, and misbehave as they are told.
//!
//! One port is the hub (listings, redirects, small files), the other its file server, to which large files are
//! redirected, as the real one does. Every request is logged.

use std::collections::{HashMap, VecDeque};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// The commit of every repository here.
pub const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// What goes wrong with one request for a file's content.
#[derive(Clone, Debug, PartialEq)]
pub enum Trouble {
    /// The connection breaks after so many bytes of the body.
    Cut(usize),
    /// Another status, with these headers.
    Status(u16, Vec<(&'static str, String)>),
    /// The connection stays open and silent after so many bytes.
    Silent(usize),
    /// So many bytes at a time, and a wait after each.
    Slow(usize, Duration),
    /// The range is not heeded: all of it comes, with status 200.
    Whole,
    /// The bytes are others.
    Wrong,
    /// The body ends early, as if that were all.
    Short(usize),
}

/// A file of a repository.
#[derive(Clone)]
struct Stored {
    name: String,
    bytes: Arc<Vec<u8>>,
    is_large: bool,
}

impl Stored {
    fn sha256(&self) -> String {
        hex(&Sha256::digest(self.bytes.as_slice()))
    }

    fn git_sha1(&self) -> String {
        let mut hash = Sha1::new();
        hash.update(format!("blob {}\0", self.bytes.len()));
        hash.update(self.bytes.as_slice());
        hex(&hash.finalize())
    }

    fn etag(&self) -> String {
        if self.is_large {
            self.sha256()
        } else {
            self.git_sha1()
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A request that came.
#[derive(Clone, Debug)]
pub struct Logged {
    /// Whether it came to the file server.
    pub at_files: bool,
    /// `GET /path`.
    pub line: String,
    /// The header `Range`.
    pub range: Option<String>,
    /// The header `Authorization`.
    pub token: Option<String>,
}

#[derive(Default)]
struct State {
    repos: HashMap<String, Vec<Stored>>,
    /// What is asked of whoever wants files of a repository: the token.
    gates: HashMap<String, String>,
    troubles: HashMap<String, VecDeque<Trouble>>,
    api_troubles: VecDeque<Trouble>,
    hits: Value,
    log: Vec<Logged>,
}

/// The hub.
pub struct Server {
    hub_port: u16,
    state: Arc<Mutex<State>>,
}

/// What came of a request.
struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    trouble: Option<Trouble>,
}

impl Reply {
    fn new(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
            trouble: None,
        }
    }

    fn json(value: &Value) -> Self {
        Self {
            body: value.to_string().into_bytes(),
            ..Self::new(200)
        }
        .with("Content-Type", "application/json")
    }

    fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

impl Server {
    /// A hub without repositories.
    pub fn start() -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let files = TcpListener::bind("127.0.0.1:0").unwrap();
        let hub = TcpListener::bind("127.0.0.1:0").unwrap();
        let files_port = files.local_addr().unwrap().port();
        let hub_port = hub.local_addr().unwrap().port();
        serve(files, true, Arc::clone(&state), files_port);
        serve(hub, false, Arc::clone(&state), files_port);
        Self { hub_port, state }
    }

    /// Its address, for `HF_ENDPOINT`.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.hub_port)
    }

    /// Adds a file to a repository; large ones come from the file server, by their SHA-256.
    pub fn add(&self, id: &str, name: &str, bytes: Vec<u8>, is_large: bool) {
        let mut state = self.state.lock().unwrap();
        state.repos.entry(id.to_owned()).or_default().push(Stored {
            name: name.to_owned(),
            bytes: Arc::new(bytes),
            is_large,
        });
    }

    /// Adds the classroom model as a repository.
    pub fn add_classroom(&self, id: &str) {
        let assets = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/classroom");
        for entry in std::fs::read_dir(assets).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                let is_large = name.ends_with(".safetensors");
                self.add(id, &name, std::fs::read(&path).unwrap(), is_large);
            }
        }
    }

    /// The files of `id` are for those only who show `token`.
    pub fn gate(&self, id: &str, token: &str) {
        let mut state = self.state.lock().unwrap();
        state.gates.insert(id.to_owned(), token.to_owned());
    }

    /// The next requests for the content of `name` go wrong so, one each.
    pub fn trouble(&self, name: &str, troubles: impl IntoIterator<Item = Trouble>) {
        let mut state = self.state.lock().unwrap();
        let queue = state.troubles.entry(name.to_owned()).or_default();
        queue.extend(troubles);
    }

    /// The next questions to the API go wrong so, one each.
    pub fn api_trouble(&self, troubles: impl IntoIterator<Item = Trouble>) {
        self.state.lock().unwrap().api_troubles.extend(troubles);
    }

    /// What a search finds.
    pub fn finds(&self, hits: Value) {
        self.state.lock().unwrap().hits = hits;
    }

    /// Forgets all troubles.
    pub fn calm(&self) {
        let mut state = self.state.lock().unwrap();
        state.troubles.clear();
        state.api_troubles.clear();
    }

    /// Every request so far.
    pub fn log(&self) -> Vec<Logged> {
        self.state.lock().unwrap().log.clone()
    }
}

fn serve(listener: TcpListener, at_files: bool, state: Arc<Mutex<State>>, files_port: u16) {
    let accept = move || {
        for stream in listener.incoming().flatten() {
            let state = Arc::clone(&state);
            let answer = move || answer(stream, at_files, &state, files_port);
            let thread = thread::Builder::new().name("hub-connection".into());
            thread.spawn(answer).unwrap();
        }
    };
    let thread = thread::Builder::new().name("hub".into());
    thread.spawn(accept).unwrap();
}

fn answer(mut stream: TcpStream, at_files: bool, state: &Mutex<State>, files_port: u16) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        if line.trim().is_empty() {
            break;
        }
        lines.push(line.trim().to_owned());
    }
    let header = |name: &str| {
        let found = lines.iter().skip(1).find_map(|line| {
            let (known, value) = line.split_once(':')?;
            known.eq_ignore_ascii_case(name).then_some(value.trim())
        });
        found.map(str::to_owned)
    };
    let (range, token) = (header("range"), header("authorization"));
    let mut words = lines[0].split(' ');
    let (method, path) = (words.next().unwrap(), words.next().unwrap().to_owned());
    let reply = {
        let mut state = state.lock().unwrap();
        state.log.push(Logged {
            at_files,
            line: format!("{method} {path}"),
            range: range.clone(),
            token: token.clone(),
        });
        reply(
            &mut state,
            at_files,
            &path,
            range.as_deref(),
            token.as_deref(),
            files_port,
        )
    };
    // Whoever hung up has seen enough.
    let _ = send(&mut stream, &reply, method == "HEAD");
}

fn send(stream: &mut TcpStream, reply: &Reply, is_head: bool) -> std::io::Result<()> {
    let mut head = format!("HTTP/1.1 {} Said\r\nConnection: close\r\n", reply.status);
    let is_short = matches!(reply.trouble, Some(Trouble::Short(_)));
    if !is_short {
        head.push_str(&format!("Content-Length: {}\r\n", reply.body.len()));
    }
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.write_all(format!("{head}\r\n").as_bytes())?;
    if is_head {
        return Ok(());
    }
    let body = &reply.body;
    match &reply.trouble {
        Some(Trouble::Cut(n) | Trouble::Short(n)) => {
            stream.write_all(&body[..(*n).min(body.len())])?;
        }
        Some(Trouble::Silent(n)) => {
            stream.write_all(&body[..(*n).min(body.len())])?;
            thread::sleep(Duration::from_secs(60));
        }
        Some(Trouble::Slow(n, wait)) => {
            for piece in body.chunks((*n).max(1)) {
                stream.write_all(piece)?;
                stream.flush()?;
                thread::sleep(*wait);
            }
        }
        _ => stream.write_all(body)?,
    }
    stream.flush()
}

fn reply(
    state: &mut State,
    at_files: bool,
    path: &str,
    range: Option<&str>,
    token: Option<&str>,
    files_port: u16,
) -> Reply {
    // A proxy is asked with the whole address.
    let path = match path.strip_prefix("http://") {
        Some(rest) => &rest[rest.find('/').unwrap()..],
        None => path,
    };
    let (path, _query) = path.split_once('?').unwrap_or((path, ""));
    if at_files || path.starts_with("/file/") {
        let (id, name) = path.trim_start_matches("/file/").rsplit_once('/').unwrap();
        return content(state, id, name, range);
    }
    if path == "/api/models" {
        return Reply::json(&state.hits);
    }
    if let Some(rest) = path.strip_prefix("/api/resolve-cache/models/") {
        let (id, name) = rest.split_once(&format!("/{COMMIT}/")).unwrap();
        return content(state, id, name, range);
    }
    if let Some(rest) = path.strip_prefix("/api/models/") {
        return api(state, rest);
    }
    let Some((id, rest)) = path.trim_start_matches('/').split_once("/resolve/") else {
        return Reply::new(404);
    };
    let Some((_revision, name)) = rest.split_once('/') else {
        return Reply::new(404);
    };
    if let Some(wanted) = state.gates.get(id) {
        if token.is_none() {
            return Reply::new(401).with("X-Error-Code", "GatedRepo");
        }
        if token != Some(&format!("Bearer {wanted}")) {
            return Reply::new(403).with("X-Error-Code", "GatedRepo");
        }
    }
    let Some(file) = find(state, id, name) else {
        return Reply::new(404).with("X-Error-Code", "EntryNotFound");
    };
    let reply = |status| Reply::new(status).with("X-Repo-Commit", COMMIT);
    if file.is_large {
        reply(302)
            .with(
                "Location",
                format!("http://127.0.0.1:{files_port}/file/{id}/{name}"),
            )
            .with("X-Linked-Etag", format!("\"{}\"", file.sha256()))
            .with("X-Linked-Size", file.bytes.len().to_string())
            .with("ETag", "\"not-the-content\"")
    } else {
        reply(307).with(
            "Location",
            format!("/api/resolve-cache/models/{id}/{COMMIT}/{name}"),
        )
    }
}

fn find(state: &State, id: &str, name: &str) -> Option<Stored> {
    let files = state.repos.get(id)?;
    files.iter().find(|file| file.name == name).cloned()
}

fn api(state: &mut State, rest: &str) -> Reply {
    match state.api_troubles.pop_front() {
        Some(Trouble::Status(status, headers)) => {
            let reply = Reply::new(status);
            let headers = headers.into_iter();
            return headers.fold(reply, |reply, (name, value)| reply.with(name, value));
        }
        Some(Trouble::Wrong) => {
            return Reply {
                body: b"<html>Log in to the hotel's network</html>".to_vec(),
                ..Reply::new(200)
            };
        }
        other => {
            if other.is_some() {
                return Reply {
                    trouble: other,
                    ..Reply::json(&json!({"sha": COMMIT}))
                };
            }
        }
    }
    let is_tree = rest.contains("/tree/");
    let Some((id, _)) = rest.split_once(if is_tree { "/tree/" } else { "/revision/" }) else {
        return Reply::new(404);
    };
    let Some(files) = state.repos.get(id) else {
        return Reply::new(401).with("X-Error-Code", "RepoNotFound");
    };
    if is_tree {
        let files = files.iter().map(|file| {
            let mut entry = json!({
                "type": "file", "path": file.name, "size": file.bytes.len(), "oid": file.git_sha1(),
            });
            if file.is_large {
                entry["lfs"] =
                    json!({"oid": file.sha256(), "size": file.bytes.len(), "pointerSize": 130});
            }
            entry
        });
        return Reply::json(&files.collect());
    }
    let siblings = files.iter().map(|file| {
        let mut entry = json!({
            "rfilename": file.name, "size": file.bytes.len(), "blobId": file.git_sha1(),
        });
        if file.is_large {
            entry["lfs"] =
                json!({"sha256": file.sha256(), "size": file.bytes.len(), "pointerSize": 130});
        }
        entry
    });
    let gated = match state.gates.contains_key(id) {
        true => json!("manual"),
        false => json!(false),
    };
    Reply::json(&json!({
        "id": id, "modelId": id, "sha": COMMIT, "private": false, "gated": gated, "tags": [], "downloads": 0,
        "likes": 0, "disabled": false, "siblings": siblings.collect::<Vec<_>>(),
    }))
}

/// A file, or the part of it that was asked for.
fn content(state: &mut State, id: &str, name: &str, range: Option<&str>) -> Reply {
    let file = find(state, id, name).unwrap();
    let bytes = file.bytes.as_slice();
    let span = range.and_then(|range| {
        let (from, to) = range.strip_prefix("bytes=")?.split_once('-')?;
        let to: usize = to.parse().unwrap_or(usize::MAX);
        Some((
            from.parse::<usize>().ok()?,
            to.min(bytes.len().saturating_sub(1)),
        ))
    });
    // The first look (one byte) is not what goes wrong, but for refusals.
    let queue = state.troubles.get_mut(name);
    let trouble = queue.and_then(|queue| match queue.front() {
        Some(Trouble::Status(..) | Trouble::Whole) => queue.pop_front(),
        _ if span == Some((0, 0)) && bytes.len() > 1 => None,
        _ => queue.pop_front(),
    });
    if let Some(Trouble::Status(status, headers)) = trouble {
        let reply = Reply::new(status);
        let headers = headers.into_iter();
        return headers.fold(reply, |reply, (name, value)| reply.with(name, value));
    }
    let known = |reply: Reply| {
        reply
            .with("X-Repo-Commit", COMMIT)
            .with("ETag", format!("\"{}\"", file.etag()))
    };
    let is_wrong = trouble == Some(Trouble::Wrong);
    let body = |bytes: &[u8]| match is_wrong {
        true => vec![b'!'; bytes.len()],
        false => bytes.to_vec(),
    };
    match span {
        Some((from, to)) if trouble != Some(Trouble::Whole) => {
            if from >= bytes.len() {
                return Reply::new(416);
            }
            let length = bytes.len();
            let reply = Reply {
                body: body(&bytes[from..=to]),
                trouble,
                ..Reply::new(206)
            };
            known(reply).with("Content-Range", format!("bytes {from}-{to}/{length}"))
        }
        _ => known(Reply {
            body: body(bytes),
            trouble,
            ..Reply::new(200)
        }),
    }
}
