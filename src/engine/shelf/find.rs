//! Models of the hub: found by name, or by an id that no search knows.

use anyhow::Result;

use super::{fit, why_it_cannot_run};
use crate::engine::memory;
use crate::hub::cache::{Cached, is_id};
use crate::hub::download::{DownloadRequest, look_up};
use crate::hub::environment::HubEnvironment;
use crate::hub::message::{Fit, Found, SearchHit};
use crate::hub::remote::Remote;

/// What a search on the hub found, with whether each runs here and fits.
///
/// # Errors
/// If the hub cannot be reached, or refuses.
pub fn search(environment: &HubEnvironment, text: &str, limit: usize) -> Result<Vec<Found>> {
    let hits = Remote::new(environment.clone())?.search(text, limit)?;
    let free = memory::available();
    let found = hits.into_iter().map(|hit| Found {
        cannot_run: hit.family.as_deref().and_then(why_it_cannot_run),
        fit: hit
            .weight_bytes
            .map_or(Fit::Unknown, |bytes| fit(bytes, free)),
        is_here: matches!(environment.cache.find(&hit.id), Cached::Complete(_)),
        hit,
    });
    Ok(found.collect())
}

/// [`search`]; where `text` is an id that no search knows, e.g. of a model without tags, the hub is asked for that.
///
/// # Errors
/// As [`search`], and if there is no such model.
pub fn find(environment: &HubEnvironment, text: &str, limit: usize) -> Result<Vec<Found>> {
    let mut found = search(environment, text, limit)?;
    let is_id = text.contains('/') && is_id(text);
    if is_id && !found.iter().any(|found| found.hit.id == text) {
        let listed = of_id(environment, text);
        match listed {
            Ok(listed) => found.insert(0, listed),
            Err(error) if found.is_empty() => return Err(error),
            // What was found may be what was meant.
            Err(_) => {}
        }
    }
    Ok(found)
}

/// What the list of its files tells of the model `id`.
fn of_id(environment: &HubEnvironment, id: &str) -> Result<Found> {
    let plan = look_up(&DownloadRequest::new(id, environment.clone()))?;
    let weights = plan.files.iter();
    let weights = weights.filter(|file| file.name.ends_with(".safetensors"));
    let weight_bytes = weights.map(|file| file.bytes).sum();
    Ok(Found {
        cannot_run: None,
        fit: fit(weight_bytes, memory::available()),
        is_here: plan.missing_bytes == 0,
        hit: SearchHit {
            id: id.to_owned(),
            family: None,
            weight_bytes: Some(weight_bytes),
            downloads: None,
            likes: None,
            licence: None,
            is_gated: false,
            page: environment.page_of(id),
        },
    })
}
