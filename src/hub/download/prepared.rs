//! What is known before the first byte: where a model comes from, which of its files are needed, where they go.

use super::error::DownloadError;
use super::place::Place;
use super::{DownloadRequest, Target, plan};
use crate::hub::cache;
use crate::hub::message::DownloadPlan;
use crate::hub::remote::{Listing, Remote, RemoteFile};

/// What is known before the first byte.
pub(super) struct Prepared {
    pub(super) remote: Remote,
    pub(super) listing: Listing,
    pub(super) files: Vec<RemoteFile>,
    pub(super) place: Place,
    pub(super) plan: DownloadPlan,
}

/// See [`super::look_up`].
pub fn look_up(request: &DownloadRequest) -> Result<DownloadPlan, DownloadError> {
    let remote = door(request)?;
    let listing = remote.listing(&request.id, &request.revision)?;
    Ok(prepare(request, remote, listing)?.plan)
}

pub(super) fn door(request: &DownloadRequest) -> Result<Remote, DownloadError> {
    if !cache::is_id(&request.id) {
        return Err(DownloadError::NotAnId {
            id: request.id.clone(),
        });
    }
    Ok(Remote::new(request.environment.clone())?)
}

pub(super) fn prepare(
    request: &DownloadRequest,
    remote: Remote,
    listing: Listing,
) -> Result<Prepared, DownloadError> {
    let files = plan::needed(&request.id, &listing)?;
    let place = match &request.target {
        Target::Cache => Place::in_cache(
            &request.environment.cache,
            &request.id,
            &request.revision,
            &listing.revision,
        ),
        Target::Folder(folder) => Place::Folder(folder.clone()),
    };
    let plan = plan::plan(&request.id, &listing, &files, &place);
    Ok(Prepared {
        remote,
        listing,
        files,
        place,
        plan,
    })
}
