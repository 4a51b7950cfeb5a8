//! A run directory read and added up: the one input of every renderer and plot. Reads row by row, so that its size
//! depends on the layout and not on the length of the run.

use std::collections::BTreeMap;

use ami_results::call::CallResult;
use ami_results::delivery::Delivery;
use ami_results::error_class::ErrorRow;
use ami_results::histogram::Histogram;
use ami_results::interval::Counts;
use ami_results::layout::{Kind, Shape};
use ami_results::manifest::{End, Manifest};
use ami_results::outage::Outages;
use ami_results::rows::{ReadError, Torn};
use ami_results::run_dir::{OpenError, RunDir};
use ami_results::totals::{CallTotals, Quantiles};
use ami_results::validity::Validity;
use ami_results::verdict::Verdict;

use crate::pseudonym::Naming;
use crate::summary::series::Point;

mod reading;
pub mod series;

/// Latencies of one action by kind, none of them empty.
pub type Histograms = BTreeMap<Kind, Histogram>;

#[derive(Debug, thiserror::Error)]
pub enum SummaryError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Read(#[from] ReadError),
}

#[derive(Debug, Clone)]
pub struct Summary {
    pub naming: Naming,
    pub manifest: Manifest,
    pub validity: Validity,
    pub verdicts: Vec<Verdict>,
    pub targets: Vec<Target>,
    /// Of all measured records: our own lateness.
    pub lag: Histogram,
    pub read_delay: ReadDelay,
    pub slowest: Vec<SlowSecond>,
    /// Files that end in the middle of a line: the run was killed.
    pub torn: Vec<Torn>,
    /// How far the run got, in nanoseconds since its origin.
    pub ended_at: u64,
}

#[derive(Debug, Clone)]
pub struct Target {
    pub index: u16,
    pub name: String,
    /// Over the measured phases.
    pub actions: Vec<Action>,
    /// The same by phase, warm-up phases too, in order of phase and action.
    pub phases: Vec<PhaseAction>,
    /// Of the measured phases.
    pub calls: CallTotals,
    /// When sessions were lost and came back.
    pub outages: Outages,
    /// Of events that sessions measured.
    pub delivery: Delivery,
    /// Of all phases.
    pub errors: Vec<ErrorRow>,
    /// All actions together, warm-ups too, by the second in which a bucket begins.
    pub load: BTreeMap<u64, Load>,
    pub bucket_s: u64,
}

/// What was offered within a bucket, and how much succeeded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Load {
    pub offered: u64,
    pub success: u64,
}

impl Load {
    pub(crate) fn add(&mut self, counts: &Counts) {
        self.offered += counts.offered;
        self.success += counts.success;
    }
}

#[derive(Debug, Clone)]
pub struct Action {
    pub index: u16,
    pub name: String,
    pub shape: Shape,
    pub counts: Counts,
    /// Seconds in which the run offered it.
    pub offered_for_s: f64,
    pub histograms: Histograms,
    /// Response times over time, warm-up phases too.
    pub points: Vec<Point>,
    /// How many did not succeed, by second of their end.
    pub failures: BTreeMap<u64, u64>,
}

#[derive(Debug, Clone)]
pub struct PhaseAction {
    pub phase: u16,
    pub action: u16,
    pub counts: Counts,
    pub histograms: Histograms,
}

/// A second in which an action took longest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlowSecond {
    pub second: u64,
    pub target: u16,
    pub action: u16,
    pub response: Quantiles,
}

/// How long bytes lay in our sockets before they were read, in nanoseconds, at the worst of all phases.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReadDelay {
    /// Of sessions that waited for an answer.
    pub answers: u64,
    /// Of sessions that waited for nothing: events.
    pub events: u64,
}

impl Summary {
    pub fn read(run_dir: &RunDir) -> Result<Self, SummaryError> {
        reading::read(run_dir)
    }

    /// How the thresholds of a target were met.
    pub fn verdicts_of(&self, target: &Target) -> impl Iterator<Item = &Verdict> {
        let index = Some(target.index);
        self.verdicts
            .iter()
            .filter(move |verdict| verdict.target == index)
    }

    /// The run was killed, or it runs still.
    pub fn is_unfinished(&self) -> bool {
        self.manifest.end == End::Running
    }
}

impl Action {
    pub fn quantiles(&self, kind: Kind) -> Option<Quantiles> {
        self.histograms.get(&kind).and_then(Quantiles::of)
    }

    /// Sent per second of the time in which it was offered.
    pub fn rate(&self) -> Option<f64> {
        (self.offered_for_s > 0.0).then(|| self.counts.sent as f64 / self.offered_for_s)
    }
}

/// RFC 6076 and E.411 ratios as an originator sees them, over the calls whose result was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallRatios {
    pub seen: u64,
    /// Session Establishment Ratio; the same as E.411's answer seizure ratio (ASR) here.
    pub established: u64,
    /// Session Establishment Effectiveness Ratio: busy and no answer are the far end's doing.
    pub effective: u64,
}

impl CallRatios {
    pub fn of(calls: &CallTotals) -> Self {
        let established = calls.of(CallResult::Answered);
        Self {
            seen: calls.attempted() - calls.of(CallResult::Unknown),
            established,
            effective: established + calls.of(CallResult::Busy) + calls.of(CallResult::NoAnswer),
        }
    }
}
