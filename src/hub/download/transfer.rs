//! One try at one file: `hf-hub` moves the bytes, and is watched while it does.
//!
//! Each try has a runtime of its own, and ends with it: `hf-hub` leaves the tasks of a download that nobody waits
//! for running, and nothing else would end them.

use std::path::PathBuf;
use std::time::Duration;

use hf_hub::api::tokio::{Api, ApiError};
use hf_hub::{Repo, RepoType};
use tokio::runtime::Builder;
use tokio::time::{MissedTickBehavior, interval};

use super::error::DownloadError;
use super::meter::Meter;
use super::{Pace, Wish};
use crate::hub::remote::{Refusal, Remote, RemoteError, RemoteFile, reason};

/// How often the watcher looks.
const TICK: Duration = Duration::from_millis(50);
/// The largest file that is fetched whole where a server gives no parts of it.
const MAX_WHOLE: u64 = 64 << 20;

/// A file to fetch.
#[derive(Clone, Debug)]
pub struct Errand<'a> {
    /// The model's id.
    pub id: &'a str,
    /// The commit.
    pub revision: &'a str,
    /// The file.
    pub file: &'a RemoteFile,
    /// The staging folder.
    pub staging: PathBuf,
    /// Where `hf-hub` leaves it.
    pub staged: PathBuf,
    /// Whether to show who asks.
    pub with_token: bool,
}

/// How a try ended.
#[derive(Debug)]
pub enum Try {
    /// The file is here, not yet checked.
    Arrived(PathBuf),
    /// It was not to go on.
    Wished,
    /// More arrived than there should be: what is here is of no use.
    TooMuch,
    /// It broke, or was refused.
    Failed(DownloadError),
}

/// Runs `work` here, and lets it go when `watch` says so.
pub fn watched<T>(
    remote: &Remote,
    work: impl Future<Output = T>,
    mut watch: impl FnMut() -> Option<T>,
) -> Result<T, RemoteError> {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .thread_name("download-io")
        .build();
    let runtime = runtime.map_err(|error| remote.unreachable(error.to_string()))?;
    let end = runtime.block_on(async {
        let mut work = std::pin::pin!(work);
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                end = &mut work => return end,
                _ = ticks.tick() => if let Some(end) = watch() { return end },
            }
        }
    });
    // A write that has begun may end.
    runtime.shutdown_timeout(Duration::from_secs(2));
    Ok(end)
}

/// One try. `tick` is called often, and says what is wished.
pub fn fetch(
    remote: &Remote,
    errand: &Errand<'_>,
    pace: &Pace,
    meter: &Meter,
    mut tick: impl FnMut() -> Wish,
) -> Try {
    let api = match remote.api(
        errand.staging.clone(),
        pace.chunk,
        pace.n_connections,
        errand.with_token,
    ) {
        Ok(api) => api,
        Err(error) => return Try::Failed(error.into()),
    };
    let watch = || {
        if tick() != Wish::Run {
            return Some(Try::Wished);
        }
        if meter.done() > errand.file.bytes {
            return Some(Try::TooMuch);
        }
        (meter.silence() > pace.silence).then(|| {
            let why = format!("nothing has come for {} s", pace.silence.as_secs());
            Try::Failed(remote.unreachable(why).into())
        })
    };
    let end = watched(remote, transfer(remote, &api, errand, meter), watch);
    end.unwrap_or_else(|error| Try::Failed(error.into()))
}

async fn transfer(remote: &Remote, api: &Api, errand: &Errand<'_>, meter: &Meter) -> Try {
    let revision = errand.revision.to_owned();
    let repo = Repo::with_revision(errand.id.to_owned(), RepoType::Model, revision);
    let repo = api.repo(repo);
    let name = encoded(&errand.file.name);
    let error = match repo.download_with_progress(&name, meter.clone()).await {
        // The link in the staging folder leads to the content, by whatever name the server gave it.
        Ok(link) => {
            return match std::fs::canonicalize(&link) {
                Ok(path) => Try::Arrived(path),
                Err(error) => Try::Failed(DownloadError::disk("find", &link, &error)),
            };
        }
        Err(error) => error,
    };
    match error {
        // Some mirrors send small files whole, whatever part was asked for.
        ApiError::MissingHeader(name) if name == "content-range" => {
            if errand.file.bytes > MAX_WHOLE {
                let why = "it sends no parts of files, which a download that can go on needs";
                return Try::Failed(remote.nonsense(why).into());
            }
            whole(
                remote,
                api,
                repo.url(&self::encoded(&errand.file.name)),
                errand,
                meter,
            )
            .await
        }
        ApiError::RequestError(error) if error.is_status() => {
            let url = repo.url(&name);
            refused(
                remote,
                api,
                &url,
                errand,
                error.status().map(|s| s.as_u16()),
            )
            .await
        }
        other => Try::Failed(explained(remote, errand, &other)),
    }
}

/// Fetches a small file in one piece.
async fn whole(remote: &Remote, api: &Api, url: String, errand: &Errand<'_>, meter: &Meter) -> Try {
    let limit = usize::try_from(errand.file.bytes).unwrap_or(usize::MAX);
    let bytes = match remote.fetch(api.client().get(url), errand.id, limit).await {
        Ok(bytes) => bytes,
        Err(error) => return Try::Failed(error.into()),
    };
    meter.arrived(bytes.len() as u64);
    let folder = errand.staged.parent().unwrap_or(&errand.staging);
    let written =
        std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&errand.staged, bytes));
    match written {
        Ok(()) => Try::Arrived(errand.staged.clone()),
        Err(error) => Try::Failed(DownloadError::disk("write", &errand.staged, &error)),
    }
}

/// Asks once more for the reason of a refusal: `hf-hub` keeps the status alone, and the hub's word for the
/// reason and the time to wait stand in the headers.
async fn refused(
    remote: &Remote,
    api: &Api,
    url: &str,
    errand: &Errand<'_>,
    status: Option<u16>,
) -> Try {
    let request = api.client().get(url).header("Range", "bytes=0-0");
    let told = match request.send().await {
        Ok(response) if !response.status().is_success() => Refusal::of(&response),
        // It would answer now, or cannot be reached: the status is all there is.
        _ => Refusal::with_status(status.unwrap_or(500)),
    };
    let error = told.explain(errand.id, remote.endpoint(), errand.with_token);
    Try::Failed(error.into())
}

fn explained(remote: &Remote, errand: &Errand<'_>, error: &ApiError) -> DownloadError {
    match error {
        ApiError::RequestError(error) => remote.unreachable(reason(error)).into(),
        ApiError::IoError(error) => DownloadError::disk("write", &errand.staging, error),
        ApiError::LockAcquisition(path) => DownloadError::Busy {
            folder: path.display().to_string(),
        },
        other => remote.nonsense(&other.to_string()).into(),
    }
}

/// A file's name as it stands in an address.
fn encoded(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => {
                text.push(char::from(byte));
            }
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_written_as_addresses_have_them() {
        assert_eq!(
            encoded("model-00001-of-2.safetensors"),
            "model-00001-of-2.safetensors"
        );
        assert_eq!(encoded("a b/#1 é.json"), "a%20b/%231%20%C3%A9.json");
    }
}
