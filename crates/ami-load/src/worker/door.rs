//! Whether a target lets us in again: while it does not, one seat knocks and the others wait for its news.
//!
//! So a PBX that is down is asked a few times a second, however many sessions it had, and is noticed at once when it is back.

use std::cell::Cell;
use std::time::Duration;

use tokio::sync::Notify;

/// Between two knocks: short beside any restart, and gentle.
const KNOCK_EVERY: Duration = Duration::from_millis(250);

#[derive(Debug, Default)]
pub(super) struct Door {
    knocking: Cell<bool>,
    opened: Notify,
}

/// Held by the seat that knocks.
#[derive(Debug)]
pub(super) struct Knocking<'a>(&'a Door);

impl Door {
    /// Returns when it is time to try again.
    pub(super) async fn wait<'a>(&'a self, knocking: &mut Option<Knocking<'a>>) {
        if knocking.is_none() && !self.knocking.replace(true) {
            *knocking = Some(Knocking(self));
        }
        match knocking {
            Some(_) => tokio::time::sleep(KNOCK_EVERY).await,
            None => self.opened.notified().await,
        }
    }

    /// Somebody was let in, or will never be: the others may see for themselves.
    pub(super) fn open(&self) {
        self.opened.notify_waiters();
    }
}

impl Drop for Knocking<'_> {
    fn drop(&mut self) {
        self.0.knocking.set(false);
    }
}
