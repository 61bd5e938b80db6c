//! The engine, shared by all who ask: the explorer, the lessons and their tutor.
//!
//! One engine holds the weights once, whoever looks at them. It is started when it is first needed,
//! and again after it has ended.

use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Result, anyhow, ensure};

use crate::engine::Engine;
use crate::engine::message::Request;
use crate::ui::link::{Door, OpenDoor};

/// How long a window that closes waits for the engine to end what it is doing.
const PATIENCE: Duration = Duration::from_secs(3);

/// A door to the engine; its copies lead to the same one.
#[derive(Debug, Clone, Default)]
pub struct EngineRoom {
    room: Arc<Mutex<Room>>,
}

#[derive(Debug, Default)]
struct Room {
    engine: Option<Engine>,
    is_closed: bool,
}

impl EngineRoom {
    /// The room; a lock that someone dropped while panicking holds an engine all the same.
    fn enter(&self) -> MutexGuard<'_, Room> {
        self.room.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the engine, for good, and waits for its thread: a program that ends under a thread that still
    /// computes takes MLX's memory away from it.
    pub fn close(&self) {
        let mut room = self.enter();
        room.is_closed = true;
        let engine = room.engine.take();
        drop(room);
        let Some(engine) = engine else {
            return;
        };
        let (tell, ended) = channel();
        let end = move || {
            drop(engine);
            // Nobody listens any more if it took too long.
            let _ = tell.send(());
        };
        if thread::Builder::new()
            .name("closing".to_owned())
            .spawn(end)
            .is_ok()
        {
            let _ = ended.recv_timeout(PATIENCE);
        }
    }

    /// Hands over a request. This never waits for the model.
    ///
    /// # Errors
    /// If the engine has ended: the next request starts another one, which knows of no run.
    pub fn send(&self, request: Request) -> Result<()> {
        let mut room = self.enter();
        ensure!(!room.is_closed, "the window is closing");
        if room.engine.is_none() {
            room.engine = Some(Engine::start()?);
        }
        let sent = match room.engine.as_ref() {
            Some(engine) => engine.send(request),
            None => Err(anyhow!("the engine cannot be started")),
        };
        if sent.is_err() {
            room.engine = None;
        }
        sent
    }

    /// A way to open doors to it, for a link.
    #[must_use]
    pub fn doors(&self) -> OpenDoor {
        let room = self.clone();
        Box::new(move || Ok(Box::new(room.clone()) as Box<dyn Door>))
    }
}

impl Door for EngineRoom {
    fn send(&self, request: Request) -> Result<()> {
        Self::send(self, request)
    }
}
