//! The schedule of a worker: which arrivals are due, and which session takes each.

use std::io;
use std::time::Duration;

use ami_results::outcome::Outcome;
use ami_results::record::{Record, Skipped};

use super::closed_loop::stagger;
use super::lane::{Placed, Waiting};
use super::seat::{Duty, Work};
use super::{Stage, Worker};
use crate::arrival::{Arrival, rotation};
use crate::plan::{Arrivals, PlannedPhase};

/// Streams of the seed: targets take the first, sessions of closed loops those from here on.
const SESSION_STREAMS: u64 = 1 << 32;

impl Worker {
    /// Places every arrival that is due; a worker that was held up catches up at once.
    pub(super) fn offer(&mut self) -> io::Result<()> {
        loop {
            let now = self.now();
            let Some(elapsed) = now.checked_sub(self.base) else {
                return Ok(());
            };
            self.enter_phase(elapsed)?;
            if let Some(arrival) = self.take_due(elapsed) {
                self.place(arrival, self.ns(now))?;
            } else if let Some((at, key, born)) = self.closed.take_due(self.ns(now)) {
                self.act_again(key, born, at)?;
            } else {
                if elapsed >= self.setup.plan.duration() && self.schedule.peek().is_none() {
                    self.drain(now);
                }
                return Ok(());
            }
        }
    }

    pub(super) fn next_arrival(&mut self) -> Option<Duration> {
        let open = self.schedule.peek().map(|arrival| arrival.at);
        let closed = self.closed.next_at().map(Duration::from_nanos);
        let phases = &self.setup.plan.phases;
        let next = self.phase.map_or(0, |phase| usize::from(phase) + 1);
        let phase = phases
            .get(next)
            .map_or(self.setup.plan.duration(), |phase| phase.starts_at);
        let first = [open, closed, Some(phase)].into_iter().flatten().min();
        first.map(|at| self.base + at)
    }

    /// Counts the arrivals that were due before `elapsed` and not picked up, and drops the rest.
    pub(super) fn pass_over(&mut self, elapsed: Duration) -> u64 {
        let mut unpicked = 0;
        while let Some(arrival) = self.schedule.next_if(|arrival| arrival.at <= elapsed) {
            unpicked += u64::from(self.is_mine(&arrival));
        }
        unpicked
    }

    pub(super) fn skip_waiting(&mut self) {
        let waiting: Vec<Waiting> = self
            .lanes
            .iter_mut()
            .flat_map(super::lane::Lane::take_waiting)
            .collect();
        for Waiting { arrival, .. } in waiting {
            self.skip(&arrival);
        }
    }

    fn is_mine(&self, arrival: &Arrival) -> bool {
        arrival.number % u64::from(self.setup.plan.workers) == u64::from(self.index)
            && !self.left[usize::from(arrival.target)]
    }

    fn take_due(&mut self, elapsed: Duration) -> Option<Arrival> {
        loop {
            let arrival = self.schedule.next_if(|arrival| arrival.at <= elapsed)?;
            if self.is_mine(&arrival) {
                return Some(arrival);
            }
        }
    }

    /// In a closed phase each free session is given its first turn; in an open one the free sessions are idle.
    fn enter_phase(&mut self, elapsed: Duration) -> io::Result<()> {
        let plan = std::sync::Arc::clone(&self.setup.plan);
        let current = plan
            .phases
            .iter()
            .rposition(|phase| phase.starts_at <= elapsed);
        let current = current.map(|phase| u16::try_from(phase).expect("a few phases"));
        if current == self.phase {
            return Ok(());
        }
        self.phase = current;
        self.closed.clear();
        let Some(phase) = current.map(|phase| &plan.phases[usize::from(phase)]) else {
            return Ok(());
        };
        let free: Vec<usize> = self
            .sessions
            .iter()
            .filter(|(_, seated)| matches!(seated.work, Work::Free))
            .filter(|(_, seated)| matches!(seated.seat.duty, Duty::Load { .. }))
            .map(|(key, _)| key)
            .collect();
        for key in free {
            let Duty::Load { group, number } = self.sessions[key].seat.duty else {
                continue;
            };
            let lane = self.lane_index(self.sessions[key].seat.target, group);
            self.lanes[lane].lost(key);
            if matches!(phase.arrival, Arrivals::Closed { .. }) {
                let sessions = plan.groups[usize::from(group)].sessions;
                let first = phase.starts_at + stagger(phase, number, sessions);
                self.schedule_again(key, phase, nanos(first));
            } else {
                self.freed(key)?;
            }
        }
        Ok(())
    }

    fn place(&mut self, arrival: Arrival, picked_at: u64) -> io::Result<()> {
        self.ledger.planned(1);
        let entry =
            &self.setup.plan.phases[usize::from(arrival.phase)].mix[usize::from(arrival.mix)];
        let lane = self.lane_index(arrival.target, entry.group);
        let waiting = Waiting { arrival, picked_at };
        match self.lanes[lane].place(waiting) {
            Placed::On(key) => self.act(key, waiting),
            Placed::Queued => Ok(()),
            Placed::Skipped => {
                self.skip(&arrival);
                Ok(())
            }
        }
    }

    pub(super) fn skip(&mut self, arrival: &Arrival) {
        let entry =
            &self.setup.plan.phases[usize::from(arrival.phase)].mix[usize::from(arrival.mix)];
        self.ledger.skipped(Skipped {
            target: arrival.target,
            phase: arrival.phase,
            action: entry.action,
            intended_at: nanos(arrival.at),
        });
    }

    /// A session can take an action: what waits longest, its next turn, or nothing for now.
    pub(super) fn freed(&mut self, key: usize) -> io::Result<()> {
        let Some(seated) = self.sessions.get_mut(key) else {
            return Ok(());
        };
        let Duty::Load { group, .. } = seated.seat.duty else {
            return Ok(());
        };
        seated.work = Work::Free;
        let target = seated.seat.target;
        let lane = self.lane_index(target, group);
        if self.lanes[lane].is_waiting() {
            let waiting = self.lanes[lane].freed(key).expect("something waits");
            return self.act(key, waiting);
        }
        let plan = std::sync::Arc::clone(&self.setup.plan);
        let phase = self.phase.map(|phase| &plan.phases[usize::from(phase)]);
        match phase.map(|phase| (phase, phase.arrival)) {
            Some((phase, Arrivals::Closed { think })) if self.stage == Stage::Offering => {
                let at = self.ns(self.now() + think);
                self.schedule_again(key, phase, at);
            }
            _ => {
                self.lanes[lane].freed(key);
            }
        }
        Ok(())
    }

    fn schedule_again(&mut self, key: usize, phase: &PlannedPhase, at: u64) {
        let until = nanos(phase.starts_at + phase.duration);
        let seated = &self.sessions[key];
        self.closed
            .schedule((key, seated.born), seated.seat.target, at, until);
    }

    /// The next turn of a session in a closed loop.
    fn act_again(&mut self, key: usize, born: u64, at: u64) -> io::Result<()> {
        let Some(phase) = self.phase else {
            return Ok(());
        };
        let picked_at = self.ns(self.now());
        let seed = self.setup.plan.seed;
        let planned = &self.setup.plan.phases[usize::from(phase)];
        let Some(seated) = self.sessions.get_mut(key) else {
            return Ok(());
        };
        let Duty::Load { group, number } = seated.seat.duty else {
            return Ok(());
        };
        if seated.born != born || !matches!(seated.work, Work::Free) {
            return Ok(());
        }
        let first = rotation(seed, SESSION_STREAMS + u64::from(number));
        let of_group = |turn: &u64| {
            let mix = planned.cycle.at(first + turn);
            planned.mix[usize::from(mix)].group == group
        };
        let turns = seated.turns..seated.turns + planned.cycle.len();
        let Some(turn) = turns.into_iter().find(of_group) else {
            return Ok(());
        };
        seated.turns = turn + 1;
        let arrival = Arrival {
            at: Duration::from_nanos(at),
            target: seated.seat.target,
            phase,
            mix: planned.cycle.at(first + turn),
            number: turn,
        };
        self.ledger.planned(1);
        self.act(key, Waiting { arrival, picked_at })
    }

    pub(super) fn lane_index(&self, target: u16, group: u16) -> usize {
        usize::from(target) * self.setup.plan.groups.len() + usize::from(group)
    }

    /// The record of an arrival that a session takes now.
    pub(super) fn begin_record(&self, waiting: Waiting, session: u32) -> Record {
        let Waiting { arrival, picked_at } = waiting;
        let entry =
            &self.setup.plan.phases[usize::from(arrival.phase)].mix[usize::from(arrival.mix)];
        Record {
            target: arrival.target,
            phase: arrival.phase,
            action: entry.action,
            session,
            seq: arrival.number,
            intended_at: nanos(arrival.at),
            picked_at,
            sent_at: None,
            acked_at: None,
            first_item_at: None,
            completed_at: None,
            items: None,
            outcome: Outcome::Disconnected,
            error: None,
        }
    }
}

fn nanos(offset: Duration) -> u64 {
    u64::try_from(offset.as_nanos()).expect("a run lasts under 500 years")
}
