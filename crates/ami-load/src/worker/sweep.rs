//! The sweep reads the sessions that nobody waits on: in a flood of events one read then takes many of them, where a
//! wake-up for each would cost more than the PBX spends on sending it.

use std::io;
use std::time::Duration;

use ami_client::stream::READ_BYTES;

use super::seat::Seated;
use super::{Stage, Worker};
use crate::plan::Reading;

/// Bytes that nobody waits for lie this long at most where reading them costs little.
const EVERY: Duration = Duration::from_millis(20);
/// And this long where it costs much: a read also costs the acknowledgement that the kernel sends for it, so that few large
/// ones are cheaper. No PBX takes a reader for slow by then: what waits is less than the sockets hold.
const EVERY_MAX: Duration = Duration::from_millis(100);
/// Sweeping takes one part in so many of the time, as long as the bounds permit.
const PAUSE_PER_COST: u32 = 20;

#[derive(Debug, Default)]
pub(super) struct Sweep {
    /// Sessions that are left to it while they wait for nothing.
    quiet: usize,
    /// Sessions that are read only every so often.
    slow: usize,
    began_at: Duration,
    due_at: Duration,
}

/// How long bytes waited to be read at the worst, since it was last told.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ReadDelay {
    pub(super) answers: Duration,
    pub(super) events: Duration,
}

impl Sweep {
    pub(super) fn due_at(&self) -> Option<Duration> {
        (self.quiet + self.slow > 0).then_some(self.due_at)
    }
}

impl Worker {
    pub(super) fn join_sweep(&mut self, key: usize) -> io::Result<()> {
        let seated = &self.sessions[key];
        match seated.reading {
            Reading::Prompt => {}
            Reading::WhenAwaited => {
                self.sweep.quiet += 1;
                self.poller.add_to_sweep(&seated.stream, key)?;
            }
            Reading::Every(_) => self.sweep.slow += 1,
        }
        Ok(())
    }

    pub(super) fn leave_sweep(&mut self, seated: &Seated) -> io::Result<()> {
        match seated.reading {
            Reading::Prompt => {}
            Reading::WhenAwaited => {
                self.sweep.quiet -= 1;
                self.poller.remove_from_sweep(&seated.stream)?;
            }
            Reading::Every(_) => self.sweep.slow -= 1,
        }
        Ok(())
    }

    /// Reads what is left to the sweep, once it is due; in between, whoever waits for an answer is served.
    pub(super) fn sweep(&mut self) -> io::Result<()> {
        let now = self.now();
        if self.sweep.due_at().is_none_or(|due_at| now < due_at) {
            return Ok(());
        }
        let left_since = std::mem::replace(&mut self.sweep.began_at, now);
        let more = self.sweep_quiet(left_since)?;
        if self.sweep.slow > 0 {
            self.sweep_slow(now)?;
        }
        let cost = self.now().saturating_sub(now);
        let pause = (cost * PAUSE_PER_COST).clamp(EVERY, EVERY_MAX);
        self.sweep.due_at = if more { now } else { now + pause };
        Ok(())
    }

    /// Each session is read once at most; whether one has more than a read takes, which must not wait.
    fn sweep_quiet(&mut self, left_since: Duration) -> io::Result<bool> {
        let (mut swept, mut more) = (0, false);
        while swept < self.sweep.quiet {
            let slice = self.poller.look_for_sweep()?;
            if slice == 0 {
                break;
            }
            for index in 0..slice {
                let key = self.poller.swept_at(index);
                if self.sessions.get(key).is_some_and(Seated::is_quiet) {
                    self.note_read_delay(key, left_since);
                    if self.read(key)? >= READ_BYTES / 2 {
                        more = true;
                        self.sweep_again(key)?;
                    }
                    self.keep_schedule()?;
                }
            }
            swept += slice;
            self.behind |= self.drain_batch()?;
        }
        Ok(more)
    }

    /// A session that is left to the sweep may have bytes that it was told of before.
    pub(super) fn sweep_again(&self, key: usize) -> io::Result<()> {
        match self.sessions.get(key) {
            Some(seated) if seated.reading == Reading::WhenAwaited => {
                self.poller.sweep_again(&seated.stream, key)
            }
            _ => Ok(()),
        }
    }

    fn sweep_slow(&mut self, now: Duration) -> io::Result<()> {
        let is_due = |seated: &Seated| match seated.reading {
            Reading::Every(every) => now >= seated.read_at + every,
            Reading::Prompt | Reading::WhenAwaited => false,
        };
        for key in self.keys(is_due) {
            let since = self.sessions[key].read_at;
            self.sessions[key].read_at = now;
            self.note_read_delay(key, since);
            self.read(key)?;
            self.keep_schedule()?;
        }
        Ok(())
    }

    /// Arrivals that fell due meanwhile go first.
    pub(super) fn keep_schedule(&mut self) -> io::Result<()> {
        match self.stage {
            Stage::Offering => self.offer(),
            _ => Ok(()),
        }
    }

    /// Bytes of this session may have waited in its socket since then.
    pub(super) fn note_read_delay(&mut self, key: usize, since: Duration) {
        let delay = self.now().saturating_sub(since);
        let Some(seated) = self.sessions.get(key) else {
            return;
        };
        let worst = &mut self.read_delay[usize::from(seated.seat.target)];
        let worst = if seated.is_quiet() {
            &mut worst.events
        } else {
            &mut worst.answers
        };
        *worst = delay.max(*worst);
    }
}
