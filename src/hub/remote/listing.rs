//! What a repository holds: its files with sizes and hashes, at one commit.

use hf_hub::{Repo, RepoType};
use serde::Deserialize;
use serde_json::Value;

use super::{Remote, RemoteError};

/// A repository at one commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// The commit.
    pub revision: String,
    /// Its files.
    pub files: Vec<RemoteFile>,
    /// Whether its files are for those only who show who they are.
    pub needs_token: bool,
}

/// A file of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteFile {
    /// Its path in the repository.
    pub name: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// What its content is known by.
    pub expected: Expected,
}

/// What a file's content is known by; it is also the name of its blob in the cache.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Expected {
    /// SHA-256 of the content, in hex: large files.
    Sha256(String),
    /// Git's SHA-1 of the content and its length, in hex: small files.
    GitSha1(String),
}

impl Expected {
    /// The hash, in hex.
    pub fn hex(&self) -> &str {
        match self {
            Self::Sha256(hex) | Self::GitSha1(hex) => hex,
        }
    }
}

/// The parts of `/api/models/ID/revision/REV?blobs=true` that are needed.
#[derive(Deserialize)]
struct RawListing {
    sha: String,
    #[serde(default)]
    siblings: Vec<RawFile>,
    #[serde(default)]
    private: bool,
    /// `false`, `"auto"` or `"manual"`.
    gated: Option<Value>,
}

#[derive(Deserialize)]
struct RawFile {
    rfilename: String,
    size: Option<u64>,
    #[serde(rename = "blobId")]
    blob_id: Option<String>,
    lfs: Option<Value>,
}

impl Remote {
    /// The files of the model `id` at `revision`, a branch, a tag or a commit.
    ///
    /// # Errors
    /// If the hub cannot be reached, refuses, or answers what makes no sense.
    pub fn listing(&self, id: &str, revision: &str) -> Result<Listing, RemoteError> {
        self.run(self.list(id, revision))
    }

    /// [`Self::listing`], for whoever waits otherwise.
    pub(crate) async fn list(&self, id: &str, revision: &str) -> Result<Listing, RemoteError> {
        let repo = Repo::with_revision(id.to_owned(), RepoType::Model, revision.to_owned());
        let question = self.ask(id, |api| {
            let request = api.repo(repo).info_request();
            request.query(&[("blobs", "true")])
        });
        let raw: RawListing = question.await?;
        if !is_hex(&raw.sha) || raw.sha.len() < 7 {
            return Err(self.nonsense("it names no commit"));
        }
        let files = raw.siblings.into_iter().map(|file| self.file(file));
        Ok(Listing {
            revision: raw.sha,
            needs_token: raw.private || raw.gated.as_ref().is_some_and(is_gate),
            files: files.collect::<Result<_, _>>()?,
        })
    }

    fn file(&self, raw: RawFile) -> Result<RemoteFile, RemoteError> {
        let name = raw.rfilename;
        // What comes from outside must not choose where files go.
        let is_plain = name.split('/').all(|part| !matches!(part, "" | "." | ".."));
        if !is_plain || name.contains(['\\', '\0']) {
            return Err(self.nonsense(&format!("it has a file called {name:?}")));
        }
        let lfs = |field: &str| raw.lfs.as_ref().and_then(|lfs| lfs.get(field));
        let sha256 = lfs("sha256").or(lfs("oid")).and_then(Value::as_str);
        let expected = match (sha256, raw.blob_id) {
            (Some(hex), _) if hex.len() == 64 && is_hex(hex) => Expected::Sha256(hex.to_owned()),
            (None, Some(hex)) if hex.len() == 40 && is_hex(&hex) => Expected::GitSha1(hex),
            _ => return Err(self.nonsense(&format!("it does not say how to check {name:?}"))),
        };
        let bytes = lfs("size").and_then(Value::as_u64).or(raw.size);
        let bytes = bytes.ok_or_else(|| self.nonsense(&format!("it gives {name:?} no size")))?;
        Ok(RemoteFile {
            name,
            bytes,
            expected,
        })
    }
}

/// Whether the field `gated` says yes.
pub(super) fn is_gate(gated: &Value) -> bool {
    !matches!(gated, Value::Null | Value::Bool(false))
}

/// Whether `text` is a hash as the hub writes it.
fn is_hex(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
