//! Where a download waits: before the next try, and while a pause is wished.

use std::thread;
use std::time::{Duration, Instant};

use super::super::Wish;
use super::super::error::DownloadError;
use super::{Early, Job};
use crate::hub::message::DownloadEvent;
use crate::hub::remote::RemoteError;
use crate::trace::units;

impl Job {
    /// Waits before the next try, if there is to be one.
    pub(super) fn wait_after(&mut self, error: DownloadError, n_failed: u32) -> Result<(), Early> {
        let DownloadError::Remote(remote) = &error else {
            return Err(Early::Failed(error));
        };
        let pace = &self.request.pace;
        if !remote.is_passing() || n_failed >= pace.tries {
            return Err(Early::Failed(error));
        }
        let doubled = pace
            .first_wait
            .saturating_mul(1 << n_failed.min(16).saturating_sub(1));
        let wait = remote.wait().unwrap_or(doubled.min(pace.longest_wait));
        let what = match remote {
            RemoteError::Unreachable { why, .. } => format!("the connection broke ({why})"),
            RemoteError::Limited { .. } => "the hub asks for fewer requests".to_owned(),
            _ => "the hub has trouble of its own".to_owned(),
        };
        self.notice(format!("{what}; next try in {}", units::duration(wait)));
        let until = Instant::now() + wait;
        while Instant::now() < until && self.control.wish() == Wish::Run {
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Holds while a pause is wished.
    pub(super) fn wait_while_paused(&mut self) -> Result<(), Early> {
        if self.control.wish() == Wish::Pause {
            self.speed.forget();
            self.tell();
            (self.report)(DownloadEvent::Paused);
            while self.control.wish() == Wish::Pause {
                thread::sleep(Duration::from_millis(20));
            }
            if self.control.wish() == Wish::Run {
                (self.report)(DownloadEvent::Resumed);
            }
        }
        match self.control.wish() {
            Wish::Stop | Wish::Discard => Err(Early::Wished),
            Wish::Run | Wish::Pause => Ok(()),
        }
    }
}
