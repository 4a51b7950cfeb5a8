//! One action measured. Exactly one [`Record`] exists for each arrival that was picked up, whatever became of it;
//! an arrival that found the bounded queue full is a [`Skipped`] instead.

use serde::{Deserialize, Serialize};

use crate::layout::{Kind, Shape};
use crate::outcome::Outcome;

/// `target`, `phase` and `action` index the [`crate::layout::Layout`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    pub target: u16,
    pub phase: u16,
    pub action: u16,
    pub session: u32,
    pub seq: u64,
    #[serde(rename = "intended_at_ns")]
    pub intended_at: u64,
    #[serde(rename = "picked_at_ns")]
    pub picked_at: u64,
    #[serde(rename = "sent_at_ns")]
    pub sent_at: Option<u64>,
    #[serde(rename = "acked_at_ns")]
    pub acked_at: Option<u64>,
    #[serde(rename = "first_item_at_ns")]
    pub first_item_at: Option<u64>,
    /// When it ended, whatever the outcome.
    #[serde(rename = "completed_at_ns")]
    pub completed_at: Option<u64>,
    pub items: Option<u32>,
    pub outcome: Outcome,
    /// The class of the error: the PBX's Message or our words, without ids.
    pub error: Option<Box<str>>,
}

impl Record {
    /// The latest instant known of it; with `completed_at` set, that.
    pub fn ended_at(&self) -> u64 {
        self.completed_at
            .or(self.first_item_at)
            .or(self.acked_at)
            .or(self.sent_at)
            .unwrap_or(self.picked_at)
    }

    /// What it adds to the histograms, in nanoseconds.
    pub fn durations(&self, shape: Shape) -> impl Iterator<Item = (Kind, u64)> {
        let ended_at = self.ended_at();
        let since_sent = |at: u64| self.sent_at.map(|sent_at| at.saturating_sub(sent_at));
        let succeeded = self.outcome == Outcome::Success;
        let in_phases = matches!(shape, Shape::TwoPhase | Shape::List);
        let agreed = in_phases && self.outcome != Outcome::Rejected;
        let whole = ended_at.saturating_sub(self.intended_at);
        let service = since_sent(ended_at).filter(|_| succeeded);
        [
            (Kind::Response, succeeded.then_some(whole)),
            (Kind::Service, service),
            (
                Kind::Ack,
                self.acked_at.filter(|_| agreed).and_then(since_sent),
            ),
            (
                Kind::FirstItem,
                self.first_item_at
                    .filter(|_| in_phases && succeeded)
                    .and_then(since_sent),
            ),
            (Kind::Complete, service.filter(|_| in_phases)),
            (Kind::Lag, Some(self.lag())),
            (
                Kind::Wait,
                self.sent_at.map(|at| at.saturating_sub(self.picked_at)),
            ),
            (Kind::Failed, (!succeeded).then_some(whole)),
        ]
        .into_iter()
        .filter_map(|(kind, duration)| Some((kind, duration?)))
    }

    /// How late the pacer picked it up: our fault.
    pub fn lag(&self) -> u64 {
        self.picked_at.saturating_sub(self.intended_at)
    }
}

/// An arrival that was never sent because the bounded queue of its target was full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Skipped {
    pub target: u16,
    pub phase: u16,
    pub action: u16,
    pub intended_at: u64,
}

#[cfg(test)]
mod tests {
    use super::Record;
    use crate::layout::{Kind, Shape};
    use crate::outcome::Outcome;

    fn check(shape: Shape, outcome: Outcome, expected: &[(Kind, u64)]) {
        let record = Record {
            target: 0,
            phase: 0,
            action: 0,
            session: 0,
            seq: 0,
            intended_at: 1000,
            picked_at: 1010,
            sent_at: Some(1300),
            acked_at: Some(2000),
            first_item_at: None,
            completed_at: Some(5000),
            items: None,
            outcome,
            error: None,
        };
        let durations: Vec<(Kind, u64)> = record.durations(shape).collect();
        assert_eq!(durations, expected);
    }

    #[test]
    fn response_counts_from_the_intended_instant_and_service_from_the_sent_one() {
        check(
            Shape::OnePhase,
            Outcome::Success,
            &[
                (Kind::Response, 4000),
                (Kind::Service, 3700),
                (Kind::Lag, 10),
                (Kind::Wait, 290),
            ],
        );
        check(
            Shape::TwoPhase,
            Outcome::Success,
            &[
                (Kind::Response, 4000),
                (Kind::Service, 3700),
                (Kind::Ack, 700),
                (Kind::Complete, 3700),
                (Kind::Lag, 10),
                (Kind::Wait, 290),
            ],
        );
    }

    #[test]
    fn a_failure_is_only_failed_but_an_ack_that_came_counts() {
        let failed = [(Kind::Lag, 10), (Kind::Wait, 290), (Kind::Failed, 4000)];
        check(Shape::OnePhase, Outcome::TimedOut, &failed);
        check(Shape::TwoPhase, Outcome::Rejected, &failed);
        check(
            Shape::TwoPhase,
            Outcome::Indeterminate,
            &[(Kind::Ack, 700), failed[0], failed[1], failed[2]],
        );
    }
}
