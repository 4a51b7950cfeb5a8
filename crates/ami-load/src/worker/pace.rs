//! The schedule of a worker: which arrivals are due, and which session takes each.

use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use ami_results::outcome::Outcome;
use ami_results::record::{Record, Skipped};

use super::closed_loop::stagger;
use super::lane::{Lane, Placed, Waiting};
use super::seat::{Duty, Seated, Work};
use super::standing::HALTED;
use super::traffic::Acted;
use super::{Stage, Worker};
use crate::arrival::{Arrival, rotation};
use crate::plan::{Arrivals, PlannedPhase, What, nanos};

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
            while self.next_phase_at().is_some_and(|at| at <= elapsed) {
                self.enter_next_phase()?;
            }
            let next = self.peek();
            if let Some((arrival, row)) = next.filter(|(arrival, _)| arrival.at <= elapsed) {
                self.schedule.next();
                let picked_at = self.ns(now);
                self.place(Waiting {
                    arrival,
                    picked_at,
                    row,
                })?;
            } else if let Some((at, key, born)) = self.closed.take_due(self.ns(now)) {
                self.act_again(key, born, at)?;
            } else {
                if next.is_none() && elapsed >= self.setup.plan.duration() {
                    self.drain(now)?;
                }
                return Ok(());
            }
        }
    }

    pub(super) fn next_arrival(&mut self) -> Option<Duration> {
        let open = self.peek().map(|(arrival, _)| arrival.at);
        let closed = self.closed.next_at().map(Duration::from_nanos);
        let phase = self
            .next_phase_at()
            .unwrap_or_else(|| self.setup.plan.duration());
        let first = [open, closed, Some(phase)].into_iter().flatten().min();
        first.map(|at| self.base + at)
    }

    /// The next arrival of this worker, and the number of its row; those of other workers, and those for targets that are
    /// loaded no more, are passed over.
    fn peek(&mut self) -> Option<(Arrival, u64)> {
        loop {
            let (arrival, row) = *self.schedule.peek()?;
            if self.is_mine(&arrival) {
                return Some((arrival, row));
            }
            self.schedule.next();
        }
    }

    pub(super) fn skip_waiting(&mut self) {
        self.skip_in(0..self.lanes.len());
        self.skip_visits();
    }

    pub(super) fn skip_waiting_of(&mut self, target: u16) {
        let first = self.lane_index(target, 0);
        self.skip_in(first..first + self.setup.plan.groups.len());
    }

    fn skip_in(&mut self, lanes: Range<usize>) {
        let lanes = self.lanes[lanes].iter_mut();
        let waiting: Vec<Waiting> = lanes.flat_map(Lane::take_waiting).collect();
        for Waiting { arrival, .. } in waiting {
            self.skip(&arrival);
        }
    }

    fn is_mine(&self, arrival: &Arrival) -> bool {
        arrival.share(self.crew) == u32::from(self.member) && self.is_loaded(arrival.target)
    }

    fn next_phase(&self) -> usize {
        self.phase.map_or(0, |phase| usize::from(phase) + 1)
    }

    fn next_phase_at(&self) -> Option<Duration> {
        let phase = self.setup.plan.phases.get(self.next_phase())?;
        Some(phase.starts_at)
    }

    /// In a closed phase each free session is given its first turn; in an open one the free sessions are idle.
    fn enter_next_phase(&mut self) -> io::Result<()> {
        let setup = Arc::clone(&self.setup);
        let phases = &setup.plan.phases;
        let is_closed = |phase: u16| phases[usize::from(phase)].is_closed();
        let was_closed = self.phase.is_some_and(is_closed);
        let next = u16::try_from(self.next_phase()).expect("a few phases");
        self.phase = Some(next);
        self.closed.clear();
        if is_closed(next) {
            self.lanes.iter_mut().for_each(Lane::wake_all);
            self.give_first_turns(&phases[usize::from(next)]);
        } else if was_closed {
            for key in self.keys(Seated::is_free) {
                self.freed(key)?;
            }
        }
        Ok(())
    }

    /// In the order of their turns: the rate limit of a target is kept by giving turns out one after the other.
    fn give_first_turns(&mut self, phase: &PlannedPhase) {
        let mut turns = Vec::new();
        for key in self.keys(Seated::is_free) {
            if let Duty::Load { group, number } = self.sessions[key].seat.duty {
                let sessions = self.setup.plan.groups[usize::from(group)].sessions;
                turns.push((phase.starts_at + stagger(phase, number, sessions), key));
            }
        }
        turns.sort_unstable();
        for (at, key) in turns {
            self.schedule_again(key, nanos(at), nanos(phase.ends_at()));
        }
    }

    fn place(&mut self, waiting: Waiting) -> io::Result<()> {
        let arrival = waiting.arrival;
        self.plan_counts(arrival.phase);
        let entry = self.setup.plan.entry(arrival.phase, arrival.mix);
        let lane = self.lane_index(arrival.target, entry.group);
        if let What::Login = entry.what {
            self.visit(waiting);
            return Ok(());
        }
        match self.lanes[lane].place(waiting) {
            Placed::On(key) => {
                if self.act(key, waiting)? != Acted::Taken {
                    self.lanes[lane].rest(key);
                }
            }
            Placed::Queued => {}
            Placed::Skipped => self.skip(&arrival),
        }
        Ok(())
    }

    /// An arrival fell due; those of a warm-up need no accounting for.
    pub(super) fn plan_counts(&mut self, phase: u16) {
        if !self.setup.plan.phases[usize::from(phase)].warm_up {
            self.ledger.planned(1);
        }
    }

    pub(super) fn skip(&mut self, arrival: &Arrival) {
        let entry = self.setup.plan.entry(arrival.phase, arrival.mix);
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
        if !self.is_loaded(target) {
            return self.lose(key, HALTED);
        }
        let lane = self.lane_index(target, group);
        while let Some(waiting) = self.lanes[lane].take_next() {
            if self.act(key, waiting)? == Acted::Taken {
                return Ok(());
            }
        }
        self.rest(key, lane);
        self.attend(key)
    }

    /// Until its next turn, or until an arrival takes it.
    fn rest(&mut self, key: usize, lane: usize) {
        let phase = self
            .phase
            .map(|phase| &self.setup.plan.phases[usize::from(phase)]);
        match phase.map(|phase| (phase.arrival, phase.ends_at())) {
            Some((Arrivals::Closed { think }, until)) => {
                if self.stage == Stage::Offering {
                    let at = self.ns(self.now() + think);
                    self.schedule_again(key, at, nanos(until));
                }
            }
            _ => self.lanes[lane].rest(key),
        }
    }

    fn schedule_again(&mut self, key: usize, at: u64, until: u64) {
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
        let planned = &self.setup.plan.phases[usize::from(phase)];
        let is_due = |seated: &&Seated| {
            seated.born == born && seated.is_free() && self.is_loaded(seated.seat.target)
        };
        if self.sessions.get(key).filter(is_due).is_none() {
            return Ok(());
        }
        let seated = &mut self.sessions[key];
        let Duty::Load { group, number } = seated.seat.duty else {
            return Ok(());
        };
        let first = rotation(self.setup.plan.seed, SESSION_STREAMS + u64::from(number));
        let mix = |turn: u64| planned.cycle.at(first + turn);
        let turns = seated.seat.turns..seated.seat.turns + planned.cycle.len();
        let of_group = |turn: &u64| planned.mix[usize::from(mix(*turn))].group == group;
        let Some(turn) = turns.into_iter().find(of_group) else {
            return Ok(());
        };
        seated.seat.turns = turn + 1;
        let target = seated.seat.target;
        let arrival = Arrival {
            at: Duration::from_nanos(at),
            target,
            phase,
            mix: mix(turn),
            number: turn,
            nth: turn,
        };
        let entry = &planned.mix[usize::from(arrival.mix)];
        let row = self.setup.plan.feed_of(entry).map_or(0, |feed| {
            let (session, sessions) = self.setup.plan.takers(feed, group, number);
            self.dealer.of_turn(target, feed, session, sessions)
        });
        let waiting = Waiting {
            arrival,
            picked_at,
            row,
        };
        self.plan_counts(phase);
        match self.act(key, waiting)? {
            Acted::Skipped => self.rest(key, self.lane_index(target, group)),
            // Without a row there is no further turn in this phase.
            Acted::Taken | Acted::Spent => {}
        }
        Ok(())
    }

    pub(super) fn lane_index(&self, target: u16, group: u16) -> usize {
        usize::from(target) * self.setup.plan.groups.len() + usize::from(group)
    }

    /// The record of an arrival that a session takes now.
    pub(super) fn begin_record(&self, waiting: Waiting, key: usize) -> Record {
        let session = match self.sessions[key].seat.duty {
            Duty::Load { number, .. } => number,
            Duty::Observer => unreachable!("an observer takes no action"),
        };
        self.blank_record(waiting, session)
    }

    pub(super) fn blank_record(&self, waiting: Waiting, session: u32) -> Record {
        let Waiting {
            arrival, picked_at, ..
        } = waiting;
        let entry = self.setup.plan.entry(arrival.phase, arrival.mix);
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
