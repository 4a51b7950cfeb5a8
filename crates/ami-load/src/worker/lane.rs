//! The sessions of one group on one target that are free, and the arrivals that wait for one. Pure.

use std::collections::VecDeque;

use crate::arrival::Arrival;

/// Past this the target is so far behind that waiting longer would only measure the queue: arrivals are skipped.
pub(crate) const WAITING_MAX: usize = 10_000;

#[derive(Debug, Default)]
pub(crate) struct Lane {
    idle: VecDeque<usize>,
    waiting: VecDeque<Waiting>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Waiting {
    pub(crate) arrival: Arrival,
    pub(crate) picked_at: u64,
    /// Which row of its feed a flow takes.
    pub(crate) row: u64,
}

/// What becomes of an arrival at once.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Placed {
    On(usize),
    Queued,
    Skipped,
}

impl Lane {
    /// An arrival takes the session that has been idle longest, or waits for one.
    pub(crate) fn place(&mut self, waiting: Waiting) -> Placed {
        match self.idle.pop_front() {
            Some(session) => Placed::On(session),
            None if self.waiting.len() < WAITING_MAX => {
                self.waiting.push_back(waiting);
                Placed::Queued
            }
            None => Placed::Skipped,
        }
    }

    /// The arrival that has waited longest.
    pub(crate) fn take_next(&mut self) -> Option<Waiting> {
        self.waiting.pop_front()
    }

    pub(crate) fn rest(&mut self, session: usize) {
        self.idle.push_back(session);
    }

    /// In a closed loop sessions act by themselves.
    pub(crate) fn wake_all(&mut self) {
        self.idle.clear();
    }

    pub(crate) fn lost(&mut self, session: usize) {
        self.idle.retain(|idle| *idle != session);
    }

    pub(crate) fn take_waiting(&mut self) -> VecDeque<Waiting> {
        std::mem::take(&mut self.waiting)
    }

    pub(crate) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn waiting(number: u64) -> Waiting {
        let arrival = Arrival {
            at: Duration::ZERO,
            target: 0,
            phase: 0,
            mix: 0,
            number,
            nth: number,
        };
        Waiting {
            arrival,
            picked_at: 0,
            row: 0,
        }
    }

    #[test]
    fn the_longest_idle_session_takes_the_next_arrival() {
        let mut lane = Lane::default();
        for session in [7, 3, 5] {
            lane.rest(session);
        }
        lane.lost(3);
        assert_eq!(lane.place(waiting(0)), Placed::On(7));
        assert_eq!(lane.place(waiting(1)), Placed::On(5));
        assert_eq!(lane.place(waiting(2)), Placed::Queued);
        assert_eq!(lane.take_next().map(|next| next.arrival.number), Some(2));
        assert!(lane.take_next().is_none());
    }

    #[test]
    fn beyond_the_bound_arrivals_are_skipped() {
        let mut lane = Lane::default();
        for number in 0..WAITING_MAX {
            assert_eq!(lane.place(waiting(number as u64)), Placed::Queued);
        }
        assert_eq!(lane.place(waiting(0)), Placed::Skipped);
        assert_eq!(lane.take_waiting().len(), WAITING_MAX);
    }
}
