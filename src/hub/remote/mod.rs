//! Questions to the hub that are answered at once: what a repository holds, and which models have a name.
//!
//! Addresses, headers and connections are `hf-hub`'s. Its calls are asynchronous; here each runs to its end on
//! the calling thread, which is never the window's or the engine's.

mod error;
mod listing;
mod search;

use std::future::Future;
use std::time::Duration;

use hf_hub::Cache;
use hf_hub::api::tokio::{Api, ApiBuilder};
use serde::de::DeserializeOwned;

use super::environment::HubEnvironment;

pub use error::RemoteError;
pub(crate) use error::{Refusal, reason};
pub use listing::{Expected, Listing, RemoteFile};

/// The longest to wait for an answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// The largest answer that makes sense: a listing has some hundred bytes a file.
const MAX_ANSWER: usize = 32 << 20;

/// The hub, to be asked.
#[derive(Clone, Debug)]
pub struct Remote {
    environment: HubEnvironment,
}

impl Remote {
    /// The hub of this environment.
    ///
    /// # Errors
    /// As [`HubEnvironment::check`].
    pub fn new(environment: HubEnvironment) -> Result<Self, RemoteError> {
        environment.check()?;
        Ok(Self { environment })
    }

    /// `hf-hub`'s door, with files going below `folder` in pieces of `chunk` bytes, `n_connections` at a time.
    ///
    /// With a token only where it is needed: 0.5 shows it to the file server too that the hub sends it to.
    pub(crate) fn api(
        &self,
        folder: std::path::PathBuf,
        chunk: usize,
        n_connections: usize,
        with_token: bool,
    ) -> Result<Api, RemoteError> {
        let token = self.environment.token.as_ref().filter(|_| with_token);
        ApiBuilder::from_cache(Cache::new(folder))
            .with_endpoint(self.environment.endpoint.clone())
            .with_token(token.map(|token| token.reveal().to_owned()))
            .with_user_agent("vitrine", env!("CARGO_PKG_VERSION"))
            .with_progress(false)
            .with_chunk_size(Some(chunk.max(1)))
            .with_max_files(n_connections.max(1))
            .build()
            .map_err(|error| self.nonsense(&error.to_string()))
    }

    /// Whether requests carry a token.
    pub(crate) fn has_token(&self) -> bool {
        self.environment.token.is_some()
    }

    /// The hub's address.
    pub fn endpoint(&self) -> &str {
        &self.environment.endpoint
    }

    /// No connection, or it broke.
    pub(crate) fn unreachable(&self, why: impl Into<String>) -> RemoteError {
        RemoteError::Unreachable {
            endpoint: self.environment.endpoint.clone(),
            why: why.into(),
        }
    }

    /// An answer that is none.
    pub(crate) fn nonsense(&self, why: &str) -> RemoteError {
        RemoteError::Nonsense {
            endpoint: self.environment.endpoint.clone(),
            why: why.to_owned(),
        }
    }

    /// Sends `request` about the model `id` and reads the answer's bytes, at most `limit` of them.
    pub(crate) async fn fetch(
        &self,
        request: reqwest::RequestBuilder,
        id: &str,
        limit: usize,
    ) -> Result<Vec<u8>, RemoteError> {
        let exchange = async {
            let lost = |error: reqwest::Error| self.unreachable(reason(&error));
            let mut response = request.send().await.map_err(lost)?;
            if !response.status().is_success() {
                let refusal = Refusal::of(&response);
                return Err(refusal.explain(id, self.endpoint(), self.has_token()));
            }
            let mut bytes = Vec::new();
            while let Some(chunk) = response.chunk().await.map_err(lost)? {
                bytes.extend_from_slice(&chunk);
                if bytes.len() > limit {
                    return Err(self.nonsense("it is far too long"));
                }
            }
            Ok(bytes)
        };
        let answer = tokio::time::timeout(PATIENCE, exchange).await;
        answer.unwrap_or_else(|_| Err(self.unreachable("it did not answer within 30 s")))
    }

    /// Asks for JSON about the model `id`.
    async fn ask<T: DeserializeOwned>(
        &self,
        id: &str,
        request: impl FnOnce(&Api) -> reqwest::RequestBuilder,
    ) -> Result<T, RemoteError> {
        // Nothing is stored by these requests, so the folder is never made.
        let api = self.api(self.environment.cache.folder().to_owned(), 1, 1, true)?;
        let bytes = self.fetch(request(&api), id, MAX_ANSWER).await?;
        serde_json::from_slice(&bytes)
            .map_err(|error| self.nonsense(&format!("it is not the JSON expected ({error})")))
    }

    /// Runs `work` to its end here.
    fn run<T>(&self, work: impl Future<Output = Result<T, RemoteError>>) -> Result<T, RemoteError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .thread_name("hub-io")
            .build();
        let runtime = runtime.map_err(|error| self.unreachable(error.to_string()))?;
        runtime.block_on(work)
    }
}
