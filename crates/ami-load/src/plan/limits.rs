//! What a run needs of a target, against what the target permits.

use super::{Arrivals, Plan, PlanError, PlannedTarget, What};

/// Besides the load and one observer for each worker, a run keeps this many sessions on a target: the one that checks
/// its rights before and cleans up after.
const CONTROL_SESSIONS: u32 = 1;

/// More visitors would only wait at the gate, where ten pass at a time, or for a PBX that does not say goodbye.
pub const VISITORS_MAX: u32 = 512;

impl Plan {
    /// What the run needs of each target, against what the target permits.
    pub(super) fn keep_limits(&self) -> Result<(), PlanError> {
        let needs = self.needs();
        for PlannedTarget { target, .. } in &self.targets {
            let limits = &target.limits;
            let table = [
                (
                    "max_sessions",
                    u64::from(limits.max_sessions),
                    needs.sessions,
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

    /// Sessions on each target that last as long as the run.
    fn standing_sessions(&self) -> u32 {
        let observers = if self.originates() {
            u32::from(self.workers)
        } else {
            0
        };
        self.sessions_per_target() + observers + CONTROL_SESSIONS
    }

    /// How many visitors of the action `login` a worker may have at a target at a time: its share of what the standing
    /// sessions leave.
    pub fn visitors_max(&self, target: u16, worker: u16) -> u32 {
        let limits = &self.targets[usize::from(target)].target.limits;
        let room = limits.max_sessions.saturating_sub(self.standing_sessions());
        share(room.min(VISITORS_MAX), worker, self.workers)
    }

    fn needs(&self) -> Needs {
        let visitors = if self.logs_in() {
            u32::from(self.workers)
        } else {
            0
        };
        let sessions = self.standing_sessions() + visitors;
        let mut needs = Needs {
            sessions: u64::from(sessions),
            ..Needs::default()
        };
        for phase in &self.phases {
            let Arrivals::Constant { rate } = phase.arrival else {
                continue;
            };
            needs.actions_per_s = needs.actions_per_s.max(ceil(rate.per_second()));
            let total: f64 = phase.mix.iter().map(|entry| f64::from(entry.share)).sum();
            let mut calls_per_s = 0.0;
            let mut calls_up = 0.0;
            for entry in &phase.mix {
                let What::Originate { hold, .. } = entry.what else {
                    continue;
                };
                let rate = rate.per_second() * f64::from(entry.share) / total;
                calls_per_s += rate;
                calls_up += rate * hold.as_secs_f64();
            }
            needs.calls_per_s = needs.calls_per_s.max(ceil(calls_per_s));
            needs.calls_up = needs.calls_up.max(ceil(calls_up));
            needs.calls_total += ceil(calls_per_s * phase.duration.as_secs_f64());
        }
        needs
    }
}

/// The part of one worker in what all share.
pub(super) fn share(whole: u32, worker: u16, workers: u16) -> u32 {
    let (worker, workers) = (u32::from(worker), u32::from(workers));
    whole / workers + u32::from(worker < whole % workers)
}

#[derive(Default)]
struct Needs {
    sessions: u64,
    actions_per_s: u64,
    calls_per_s: u64,
    calls_up: u64,
    calls_total: u64,
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "rates of a plan are positive and small"
)]
fn ceil(value: f64) -> u64 {
    (value - 1e-9).ceil().max(0.0) as u64
}
