//! Models from a hub: fetched, checked, shared with Python, removed. The hub is a server on this machine.

#[path = "hub/downloads.rs"]
mod downloads;
#[path = "hub/server.rs"]
mod server;
