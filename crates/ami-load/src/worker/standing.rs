//! Targets that are loaded no more: halted where others are in danger, left where nothing can be measured.

use std::io;

use super::seat::{Duty, Seated, Work};
use super::{Notice, Worker};

/// Why a session ends that its target shall not be bothered with.
pub(super) const HALTED: &str = "the load was halted";

/// How a target stands with this worker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Standing {
    #[default]
    Loaded,
    /// Nothing is sent any more; sessions are closed once what they sent is answered.
    Halted,
    /// No session is kept.
    Left,
}

impl Worker {
    pub(super) fn is_loaded(&self, target: u16) -> bool {
        self.standing[usize::from(target)] == Standing::Loaded
    }

    /// From here on no byte of the load goes to the target.
    pub(super) fn halt(&mut self, target: u16) -> io::Result<()> {
        let standing = &mut self.standing[usize::from(target)];
        *standing = Standing::Halted.max(*standing);
        self.skip_waiting_of(target);
        self.halt_visits(target);
        self.cut_thinking(|seated| seated.seat.target == target)?;
        self.calls.hanging_up(target);
        let is_done = |seated: &Seated| match (seated.seat.duty, &seated.work) {
            // What becomes of our calls is still seen.
            (Duty::Observer, _) => false,
            // What the kernel has not taken must not run once the PBX reads again.
            (Duty::Load { .. }, Work::Busy(_) | Work::Flow(_)) => seated.stream.has_unsent(),
            (Duty::Load { .. }, Work::Free) => true,
            (Duty::Load { .. }, Work::Stuck { .. } | Work::LoggingOff) => false,
        };
        for key in self.keys(|seated| seated.seat.target == target && is_done(seated)) {
            self.lose(key, HALTED)?;
        }
        Ok(())
    }

    pub(super) fn leave(&mut self, target: u16) -> io::Result<()> {
        self.standing[usize::from(target)] = Standing::Left;
        self.no_more_visits(target);
        for key in self.keys(|seated| seated.seat.target == target) {
            self.lose(key, "the target was left")?;
        }
        Ok(())
    }

    /// Tells of the targets whose observer turns out to see nothing.
    pub(super) fn look_for_the_blind(&mut self, now: u64) {
        for target in self.setup.plan.target_indices() {
            if self.sights[usize::from(target)].turns_out_blind(now) {
                self.tell(Notice::Blind { target });
            }
        }
    }
}
