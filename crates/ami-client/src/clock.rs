//! The one clock of a process: a monotonic origin that every `Duration` in sessions and records counts from.

use std::time::Duration;

use tokio::time::Instant;

#[derive(Clone, Copy, Debug)]
pub struct Clock {
    origin: Instant,
}

impl Clock {
    pub fn start() -> Self {
        Self {
            origin: Instant::now(),
        }
    }

    pub fn now(&self) -> Duration {
        self.origin.elapsed()
    }

    /// The instant that lies `at` after the origin, for tokio's timers.
    pub fn instant(&self, at: Duration) -> Instant {
        self.origin + at
    }
}
