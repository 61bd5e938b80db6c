//! What a template may use up: a template comes with a model from somewhere, and is a program.
//!
//! minijinja counts instructions ("fuel"), but one instruction can do any amount of work: `x ~ x` in a loop doubles a text until memory is
//! full. So every operation that reads or makes something large pays for its bytes here first, before it runs.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use minijinja::value::ValueKind;
use minijinja::{Error, ErrorKind, Value};

/// Bytes that may be read and written in one rendering; a real template with 1,000 messages stays below a tenth of it.
const MAX_WORK: usize = 128 << 20;

/// What a value costs beside its text: about what minijinja needs to hold it in a mapping.
pub(super) const VALUE_BYTES: usize = 64;

/// How deeply lists and mappings may be nested.
const MAX_DEPTH: usize = 64;

/// Time after which the next operation that pays is refused.
const MAX_TIME: Duration = Duration::from_millis(1500);

/// Work between two looks at the clock.
const CLOCK_BYTES: usize = 64 << 10;

/// A limit that a template went beyond, in words that follow "was stopped because".
pub(super) const TOO_MUCH_WORK: &str = "it makes far more text than a conversation needs";
pub(super) const TOO_LARGE: &str = "it is larger than any real one";
pub(super) const TOO_DEEP: &str = "it nests too deeply";
pub(super) const KEEPS_NAMESPACE: &str = "it puts a namespace into a namespace";
pub(super) const TOO_LONG: &str = "it does not come to an end";

/// What one rendering has used, shared by all functions it calls.
#[derive(Debug)]
pub(super) struct Budget {
    spent: AtomicUsize,
    deadline: Instant,
    stopped_because: Mutex<Option<&'static str>>,
}

impl Budget {
    pub fn new() -> Self {
        Self {
            spent: AtomicUsize::new(0),
            deadline: Instant::now() + MAX_TIME,
            stopped_because: Mutex::new(None),
        }
    }

    /// Pays for `n_bytes` of work, before it is done.
    ///
    /// # Errors
    /// If that is more than is left, or time is up.
    pub fn pay(&self, n_bytes: usize) -> Result<(), Error> {
        let before = self
            .spent
            .fetch_add(n_bytes.min(MAX_WORK), Ordering::Relaxed);
        let after = before.saturating_add(n_bytes);
        if after > MAX_WORK {
            return Err(self.stop(TOO_MUCH_WORK));
        }
        let looks_at_clock = before / CLOCK_BYTES != after / CLOCK_BYTES;
        if looks_at_clock && Instant::now() > self.deadline {
            return Err(self.stop(TOO_LONG));
        }
        Ok(())
    }

    /// Pays for a value as a whole, with everything in it.
    ///
    /// # Errors
    /// As [`pay`](Self::pay), and if it is nested too deeply.
    pub fn pay_deep(&self, value: &Value) -> Result<(), Error> {
        self.pay_nested(value, 0, &|value| {
            self.pay(VALUE_BYTES + value.as_str().map_or(0, str::len))
        })
    }

    /// Pays for the places in a value, at every depth, but not for texts: those are shared, not copied.
    ///
    /// # Errors
    /// As [`pay_deep`](Self::pay_deep).
    pub fn pay_places(&self, value: &Value) -> Result<(), Error> {
        self.pay_nested(value, 0, &|_| self.pay(VALUE_BYTES))
    }

    /// Pays for the places in a value that a namespace is to keep.
    ///
    /// # Errors
    /// As [`pay_deep`](Self::pay_deep), and if it holds a namespace: one that holds itself would never be freed.
    pub fn pay_kept(&self, value: &Value) -> Result<(), Error> {
        self.pay_nested(value, 0, &|value| {
            let is_namespace = value
                .as_object()
                .is_some_and(|object| object.type_name().ends_with("Namespace"));
            if is_namespace {
                return Err(self.stop(KEEPS_NAMESPACE));
            }
            self.pay(VALUE_BYTES)
        })
    }

    /// Pays for the text of a string, or the places of a list without what is in them.
    ///
    /// # Errors
    /// As [`pay`](Self::pay).
    pub fn pay_flat(&self, value: &Value) -> Result<(), Error> {
        self.pay(flat_bytes(value))
    }

    fn pay_nested(
        &self,
        value: &Value,
        depth: usize,
        pay: &dyn Fn(&Value) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if depth > MAX_DEPTH {
            return Err(self.stop(TOO_DEEP));
        }
        pay(value)?;
        let kind = value.kind();
        if !matches!(kind, ValueKind::Seq | ValueKind::Iterable | ValueKind::Map) {
            return Ok(());
        }
        for item in value.try_iter().into_iter().flatten() {
            self.pay_nested(&item, depth + 1, pay)?;
            if kind == ValueKind::Map {
                let held = value.get_item(&item).unwrap_or_default();
                self.pay_nested(&held, depth + 1, pay)?;
            }
        }
        Ok(())
    }

    /// Ends the rendering; the first reason given is the one reported.
    pub fn stop(&self, because: &'static str) -> Error {
        if let Ok(mut reason) = self.stopped_because.lock() {
            reason.get_or_insert(because);
        }
        Error::new(ErrorKind::InvalidOperation, because)
    }

    /// Why the rendering was ended, if a limit ended it.
    pub fn stopped_because(&self) -> Option<&'static str> {
        self.stopped_because.lock().ok().and_then(|reason| *reason)
    }
}

/// Bytes of a string, or what the items of a list or mapping take without what is in them.
pub(super) fn flat_bytes(value: &Value) -> usize {
    let n_items = value.len().unwrap_or(0);
    match value.as_str() {
        Some(text) => VALUE_BYTES + text.len(),
        None => n_items.saturating_add(1).saturating_mul(VALUE_BYTES),
    }
}
