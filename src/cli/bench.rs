//! `vitrine bench`.

use anyhow::Result;

use super::Ended;

/// Flags.
#[derive(Debug, clap::Args)]
pub struct Args {}

pub fn run(_args: Args) -> Result<Ended> { Ok(Ended::Well) }
