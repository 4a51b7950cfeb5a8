//! A timer as exact as the kernel's: an absolute timerfd. Tokio's own timers round up to the next millisecond.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use ami_client::Clock;
use rustix::time::{
    ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, clock_gettime,
    timerfd_create, timerfd_settime,
};
use tokio::io::unix::AsyncFd;

use super::poller::watch;

#[derive(Debug)]
pub(crate) struct Alarm {
    fd: AsyncFd<OwnedFd>,
    /// The kernel's monotonic time at the origin of our clock.
    origin: Duration,
    set_for: Option<Duration>,
}

impl Alarm {
    pub(crate) fn new(clock: Clock) -> io::Result<Self> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let fd = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        let now = clock_gettime(ClockId::Monotonic);
        let monotonic = Duration::new(
            u64::try_from(now.tv_sec).expect("monotonic time is positive"),
            u32::try_from(now.tv_nsec).expect("nanoseconds are below 10⁹"),
        );
        let origin = monotonic.saturating_sub(clock.now());
        Ok(Self {
            fd: watch(fd)?,
            origin,
            set_for: None,
        })
    }

    /// Rings at `at`, counted from the clock's origin; `None` silences it.
    pub(crate) fn set(&mut self, at: Option<Duration>) -> io::Result<()> {
        if self.set_for == at {
            return Ok(());
        }
        let zero = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        let it_value = match at {
            None => zero,
            Some(at) => {
                // A zero value would silence the timer; one nanosecond is long past and rings at once.
                let at = (self.origin + at).max(Duration::from_nanos(1));
                Timespec {
                    tv_sec: i64::try_from(at.as_secs()).expect("an instant within the run"),
                    tv_nsec: i64::from(at.subsec_nanos()),
                }
            }
        };
        let spec = Itimerspec {
            it_interval: zero,
            it_value,
        };
        timerfd_settime(&self.fd, TimerfdTimerFlags::ABSTIME, &spec)?;
        self.set_for = at;
        Ok(())
    }

    /// The runtime is told of each ring once, so the count of expirations need not be read.
    pub(crate) async fn rang(&self) -> io::Result<()> {
        self.fd.readable().await?.clear_ready();
        Ok(())
    }

    /// After it rang it is silent, whatever it was set for.
    pub(crate) fn rearm(&mut self) {
        self.set_for = None;
    }
}
