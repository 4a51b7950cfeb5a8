//! What a run needs of a target, against what the target permits.

use std::time::Duration;

use super::{Plan, PlanError, PlannedTarget, Protection, What};
use crate::arrival::rotation;

/// Besides the load and one observer for each worker, each process of a run keeps this many sessions on a target: the one
/// that checks its rights before and cleans up after.
const CONTROL_SESSIONS: u32 = 1;
/// On a target that is guarded, one more.
const CANARY_SESSIONS: u64 = 1;

/// More visitors would only wait at the gate, where ten pass at a time, or for a PBX that does not say goodbye.
pub const VISITORS_MAX: u32 = 512;

impl Plan {
    /// What the run needs of each target, against what the target permits.
    pub(super) fn keep_limits(&self) -> Result<(), PlanError> {
        for (
            index,
            PlannedTarget {
                target, protection, ..
            },
        ) in (0..).zip(&self.targets)
        {
            let needs = self.needs(index);
            let canaries = match protection {
                Protection::Guarded => CANARY_SESSIONS,
                Protection::Unguarded => 0,
            };
            let limits = &target.limits;
            let table = [
                (
                    "max_sessions",
                    u64::from(limits.max_sessions),
                    needs.sessions + canaries,
                ),
                (
                    "max_actions_per_s",
                    u64::from(limits.max_actions_per_s),
                    needs.actions_per_s,
                ),
                (
                    "max_calls_per_s",
                    u64::from(limits.max_calls_per_s),
                    needs.calls_per_s,
                ),
                (
                    "max_calls_up",
                    u64::from(limits.max_calls_up),
                    needs.calls_up,
                ),
                ("max_calls_total", limits.max_calls_total, needs.calls_total),
            ];
            for (key, permitted, needed) in table {
                if needed > permitted {
                    let (target, origin) = (target.name.clone(), target.origin.clone());
                    return Err(PlanError::Limit {
                        target,
                        origin,
                        key,
                        permitted,
                        needed,
                    });
                }
            }
        }
        Ok(())
    }

    /// Sessions on each target that last as long as the run, of all its processes.
    fn standing_sessions(&self) -> u32 {
        let observers = if self.originates() { self.crew() } else { 0 };
        let controls = CONTROL_SESSIONS * u32::from(self.segment.count);
        self.sessions_per_target() + observers + controls
    }

    /// How many visitors of the action `login` a worker, by its number among all, may have at a target at a time: its share
    /// of what the standing sessions leave.
    pub fn visitors_max(&self, target: u16, member: u16) -> u32 {
        let limits = &self.targets[usize::from(target)].target.limits;
        let room = limits.max_sessions.saturating_sub(self.standing_sessions());
        share(room.min(VISITORS_MAX), member, self.crew())
    }

    fn needs(&self, target: u16) -> Needs {
        let visitors = if self.logs_in() { self.crew() } else { 0 };
        let mut needs = Needs {
            sessions: u64::from(self.standing_sessions() + visitors),
            ..Needs::default()
        };
        for (index, phase) in (0..).zip(&self.phases) {
            let stretch = self.stretch(index);
            let busiest = |window| phase.arrival.busiest(&stretch, target, window);
            let in_a_second = busiest(Duration::from_secs(1));
            let (mut actions_per_s, mut calls_per_s, mut calls_up) = (in_a_second, 0, 0);
            for (mix, entry) in (0..).zip(&phase.mix) {
                let whats = self.whats(entry);
                let densest = phase.cycle.densest(mix, in_a_second);
                // The steps of a flow besides its first.
                actions_per_s += densest * (whats.len() as u64).saturating_sub(1);
                for what in whats {
                    if let What::Originate { hold, .. } = what {
                        calls_per_s += densest;
                        calls_up += phase.cycle.densest(mix, busiest(*hold));
                        needs.calls_total += self.taken(index, target, mix).1;
                    }
                }
            }
            needs.actions_per_s = needs.actions_per_s.max(actions_per_s);
            needs.calls_per_s = needs.calls_per_s.max(calls_per_s);
            needs.calls_up = needs.calls_up.max(calls_up);
        }
        needs
    }

    /// Arrivals on a target that are planned, in all phases and by all segments; those of closed loops are not.
    pub fn planned(&self, target: u16) -> u64 {
        let phases = (0..).zip(&self.phases);
        phases
            .map(|(index, phase)| phase.arrival.count(&self.stretch(index), target))
            .sum()
    }

    /// Those of them that this segment offers.
    pub fn own_planned(&self, target: u16) -> u64 {
        let phases = (0..).zip(&self.phases);
        phases
            .map(|(index, _)| self.own_planned_in(index, target))
            .sum()
    }

    pub fn own_planned_in(&self, phase: u16, target: u16) -> u64 {
        let crew = u64::from(self.crew());
        let first = u64::from(self.member(0));
        let mut own = 0;
        for mix in (0..)
            .zip(&self.phases[usize::from(phase)].mix)
            .map(|(mix, _)| mix)
        {
            let (begun, count) = self.taken(phase, target, mix);
            // Dealt in turn, as `Arrival::share` says: how many of the first so many fall to a worker.
            let dealt = |worker: u64, until: u64| (until + crew - 1 - worker) / crew;
            let begins = begun + u64::from(mix);
            for worker in first..first + u64::from(self.workers) {
                own += dealt(worker, begins + count) - dealt(worker, begins);
            }
        }
        own
    }

    /// How often an entry of a mix has its turn on a target in a phase, and how often it is taken to have had it before.
    fn taken(&self, phase: u16, target: u16, mix: u16) -> (u64, u64) {
        let planned = &self.phases[usize::from(phase)];
        let count = planned.arrival.count(&self.stretch(phase), target);
        let first = rotation(self.seed, u64::from(target));
        let begun = planned.cycle.count(mix, 0, first);
        (begun, planned.cycle.count(mix, first, count))
    }
}

/// The part of one worker, by its number among all, in what the crew shares.
pub(super) fn share(whole: u32, member: u16, crew: u32) -> u32 {
    whole / crew + u32::from(u32::from(member) < whole % crew)
}

#[derive(Default)]
struct Needs {
    sessions: u64,
    actions_per_s: u64,
    calls_per_s: u64,
    calls_up: u64,
    calls_total: u64,
}
