//! Ctrl-C stops the answer, not the program.

use std::sync::{Mutex, Once, PoisonError};

use crate::engine::message::CancelToken;

static CURRENT: Mutex<Option<CancelToken>> = Mutex::new(None);
static HANDLER: Once = Once::new();

/// While the guard lives, Ctrl-C cancels `cancel`; otherwise, and at the second press, it ends the
/// program.
pub struct Guard;

/// Lets Ctrl-C cancel `cancel`.
#[must_use]
pub fn cancels(cancel: &CancelToken) -> Guard {
    HANDLER.call_once(|| {
        // Without a handler Ctrl-C ends the program, which is no reason to fail.
        let _ = ctrlc::set_handler(|| {
            let mut current = CURRENT.lock().unwrap_or_else(PoisonError::into_inner);
            match current.take() {
                Some(cancel) => cancel.cancel(),
                None => std::process::exit(130),
            }
        });
    });
    *CURRENT.lock().unwrap_or_else(PoisonError::into_inner) = Some(cancel.clone());
    Guard
}

impl Drop for Guard {
    fn drop(&mut self) {
        *CURRENT.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
