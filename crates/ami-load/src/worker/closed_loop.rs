//! Closed-loop arrivals: each session acts again some time after its last answer. Pure.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use crate::plan::{Arrivals, Plan, PlannedPhase};

/// When which session acts next, earliest first; a session is its key and its birth.
#[derive(Debug, Default)]
pub(crate) struct ClosedLoop {
    due: BinaryHeap<Reverse<(u64, usize, u64)>>,
    /// Per target: no session acts earlier, so that a fast target is not driven past its limit.
    allowed_at: Vec<u64>,
    spacing: Vec<u64>,
}

impl ClosedLoop {
    pub(crate) fn new(plan: &Plan) -> Self {
        let spacing = plan
            .targets
            .iter()
            .map(|planned| {
                let rate = planned.target.limits.max_actions_per_s.max(1);
                1_000_000_000 * u64::from(plan.workers) / u64::from(rate)
            })
            .collect();
        Self {
            due: BinaryHeap::new(),
            allowed_at: vec![0; plan.targets.len()],
            spacing,
        }
    }

    /// A session ended its action (or begins) at `now`.
    pub(crate) fn schedule(&mut self, session: (usize, u64), target: u16, at: u64, until: u64) {
        let target = usize::from(target);
        let at = at.max(self.allowed_at[target]);
        if at < until {
            self.allowed_at[target] = at + self.spacing[target];
            self.due.push(Reverse((at, session.0, session.1)));
        }
    }

    pub(crate) fn take_due(&mut self, now: u64) -> Option<(u64, usize, u64)> {
        let Reverse((at, ..)) = *self.due.peek()?;
        if at > now {
            return None;
        }
        self.due.pop().map(|Reverse(next)| next)
    }

    pub(crate) fn next_at(&self) -> Option<u64> {
        self.due.peek().map(|Reverse((at, ..))| *at)
    }

    pub(crate) fn clear(&mut self) {
        self.due.clear();
    }
}

/// Where the sessions of a phase begin: spread over one think time, so that they do not act in step.
pub(crate) fn stagger(phase: &PlannedPhase, number: u32, sessions: u32) -> Duration {
    match phase.arrival {
        Arrivals::Closed { think } => think * number / sessions.max(1),
        Arrivals::Constant { .. } => Duration::ZERO,
    }
}
