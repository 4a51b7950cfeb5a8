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
        let actions = u64::try_from(plan.actions_a_turn_max()).expect("a flow has few steps");
        let spacing = plan
            .targets
            .iter()
            .map(|planned| {
                let rate = planned.target.limits.max_actions_per_s.max(1);
                1_000_000_000 * actions * u64::from(plan.crew()) / u64::from(rate)
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
        Arrivals::Constant { .. }
        | Arrivals::Ramp(_)
        | Arrivals::Step(_)
        | Arrivals::Poisson { .. }
        | Arrivals::Burst { .. } => Duration::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn closed_loop(spacing: u64) -> ClosedLoop {
        ClosedLoop {
            due: BinaryHeap::new(),
            allowed_at: vec![0; 2],
            spacing: vec![spacing; 2],
        }
    }

    #[test]
    fn a_turn_is_due_at_its_instant_and_not_before() {
        let mut closed = closed_loop(1);
        closed.schedule((7, 1), 0, 50, 100);
        closed.schedule((3, 2), 1, 20, 100);
        assert_eq!(closed.next_at(), Some(20));
        assert_eq!(closed.take_due(19), None);
        assert_eq!(closed.take_due(60), Some((20, 3, 2)));
        assert_eq!(closed.take_due(60), Some((50, 7, 1)));
        assert_eq!(closed.take_due(60), None);
    }

    #[test]
    fn a_turn_that_would_fall_behind_the_phase_is_none() {
        let mut closed = closed_loop(30);
        for (session, at) in [(0, 50), (1, 60), (2, 99)] {
            closed.schedule((session, 0), 0, at, 100);
        }
        assert_eq!(closed.take_due(1_000), Some((50, 0, 0)));
        assert_eq!(closed.take_due(1_000), Some((80, 1, 0)));
        assert_eq!(closed.take_due(1_000), None);
    }

    proptest! {
        /// No two turns on one target are closer than its limit permits, and none is before its think time is over.
        #[test]
        fn the_limit_of_a_target_is_kept(spacing in 1u64..50, gaps in prop::collection::vec(0u64..60, 1..60)) {
            let mut closed = closed_loop(spacing);
            let mut wanted = 0;
            for (session, gap) in gaps.iter().enumerate() {
                wanted += gap;
                closed.schedule((session, wanted), 0, wanted, u64::MAX);
            }
            let mut last: Option<u64> = None;
            for _ in &gaps {
                let (at, _, wanted) = closed.take_due(u64::MAX).unwrap();
                prop_assert!(at >= wanted);
                prop_assert!(last.is_none_or(|last| at - last >= spacing));
                last = Some(at);
            }
        }
    }
}
