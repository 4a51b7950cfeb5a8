//! The series of a run, a row per second: what was offered and what became of it, and the gauges of each target.
//! Rows are additive: a second may have several (an action may end long after it was intended), readers add them up.

use serde::{Deserialize, Serialize};

use crate::layout::Tag;
use crate::outcome::Outcome;
use crate::record::{Record, Skipped};
use crate::validity::LATE_NS;

/// Offered, skipped and late count in the second of `intended_at`; sent in that of `sent_at`; the five outcomes in
/// that of the end. Every record is in exactly one outcome, and `offered` = records + skipped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub offered: u64,
    pub sent: u64,
    pub success: u64,
    pub rejected: u64,
    pub timed_out: u64,
    pub disconnected: u64,
    pub indeterminate: u64,
    pub skipped: u64,
    pub late: u64,
}

/// Which action of which target in which phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cell {
    pub target: u16,
    pub phase: u16,
    pub action: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntervalRow {
    pub second: u64,
    pub target: u16,
    pub phase: u16,
    pub action: u16,
    pub counts: Counts,
    /// The worst schedule lag among those offered.
    pub lag_max_ns: u64,
}

/// The state of a target at the end of a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gauge {
    pub target: u16,
    pub second: u64,
    pub sessions_ready: u32,
    pub in_flight: u32,
    pub calls_up: u32,
    /// How long bytes of a session that waited for an answer lay in its socket before they were read, at the worst.
    #[serde(default)]
    pub answer_read_delay_max_ns: u64,
    /// The same of sessions that waited for nothing.
    #[serde(default)]
    pub event_read_delay_max_ns: u64,
}

impl Cell {
    /// Before all others in order.
    pub const FIRST: Self = Self {
        target: 0,
        phase: 0,
        action: 0,
    };
}

impl Gauge {
    /// Another worker, or process, that loads the same target in the same second.
    pub fn add(&mut self, other: &Self) {
        let worst = u64::max;
        self.sessions_ready += other.sessions_ready;
        self.in_flight += other.in_flight;
        self.calls_up += other.calls_up;
        self.answer_read_delay_max_ns = worst(
            self.answer_read_delay_max_ns,
            other.answer_read_delay_max_ns,
        );
        self.event_read_delay_max_ns =
            worst(self.event_read_delay_max_ns, other.event_read_delay_max_ns);
    }
}

impl Counts {
    pub fn add(&mut self, other: &Self) {
        self.offered += other.offered;
        self.sent += other.sent;
        self.success += other.success;
        self.rejected += other.rejected;
        self.timed_out += other.timed_out;
        self.disconnected += other.disconnected;
        self.indeterminate += other.indeterminate;
        self.skipped += other.skipped;
        self.late += other.late;
    }

    pub fn outcome(&self, outcome: Outcome) -> u64 {
        match outcome {
            Outcome::Success => self.success,
            Outcome::Rejected => self.rejected,
            Outcome::TimedOut => self.timed_out,
            Outcome::Disconnected => self.disconnected,
            Outcome::Indeterminate => self.indeterminate,
        }
    }

    /// Actions that ended, whatever the outcome.
    pub fn records(&self) -> u64 {
        Outcome::ALL
            .into_iter()
            .map(|outcome| self.outcome(outcome))
            .sum()
    }

    pub(crate) fn count_outcome(&mut self, outcome: Outcome) {
        let column = match outcome {
            Outcome::Success => &mut self.success,
            Outcome::Rejected => &mut self.rejected,
            Outcome::TimedOut => &mut self.timed_out,
            Outcome::Disconnected => &mut self.disconnected,
            Outcome::Indeterminate => &mut self.indeterminate,
        };
        *column += 1;
    }

    pub(crate) fn count_offered(&mut self, lag: u64) {
        self.offered += 1;
        self.late += u64::from(lag > LATE_NS);
    }
}

impl IntervalRow {
    pub fn cell(&self) -> Cell {
        Cell {
            target: self.target,
            phase: self.phase,
            action: self.action,
        }
    }

    pub(crate) fn new(second: u64, cell: Cell) -> Self {
        Self {
            second,
            target: cell.target,
            phase: cell.phase,
            action: cell.action,
            counts: Counts::default(),
            lag_max_ns: 0,
        }
    }
}

impl Tag {
    pub fn cell(self) -> Cell {
        Cell {
            target: self.target,
            phase: self.phase,
            action: self.action,
        }
    }
}

impl Record {
    pub fn cell(&self) -> Cell {
        Cell {
            target: self.target,
            phase: self.phase,
            action: self.action,
        }
    }
}

impl Skipped {
    pub fn cell(&self) -> Cell {
        Cell {
            target: self.target,
            phase: self.phase,
            action: self.action,
        }
    }
}
