//! Models from a hub: fetched, checked, shared with Python, removed. The hub is a server on this machine.

mod common;

#[path = "hub/commands.rs"]
mod commands;
#[path = "hub/downloads.rs"]
mod downloads;
#[path = "hub/librarian.rs"]
mod librarian;
#[path = "hub/server.rs"]
mod server;
#[path = "hub/shared.rs"]
mod shared;
