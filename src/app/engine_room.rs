//! The engine, shared by all who ask: the explorer, the lessons and their tutor.
//!
//! One engine holds the weights once, whoever looks at them. It is started when it is first needed,
//! and again after it has ended.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Result, anyhow};

use crate::engine::Engine;
use crate::engine::message::Request;
use crate::ui::link::{Door, OpenDoor};

/// A door to the engine; its copies lead to the same one.
#[derive(Debug, Clone, Default)]
pub struct EngineRoom {
    engine: Arc<Mutex<Option<Engine>>>,
}

impl EngineRoom {
    /// Hands over a request. This never waits for the model.
    ///
    /// # Errors
    /// If the engine has ended: the next request starts another one, which knows of no run.
    pub fn send(&self, request: Request) -> Result<()> {
        // A lock that someone dropped while panicking holds an engine all the same.
        let mut engine = self.engine.lock().unwrap_or_else(PoisonError::into_inner);
        if engine.is_none() {
            *engine = Some(Engine::start()?);
        }
        let sent = match engine.as_ref() {
            Some(engine) => engine.send(request),
            None => Err(anyhow!("the engine cannot be started")),
        };
        if sent.is_err() {
            *engine = None;
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
