//! What a run has measured so far, small enough to show on a line: counts, quantiles and calls, nothing to merge.

use std::collections::BTreeMap;

use crate::call::CallResult;
use crate::delivery::Delivery;
use crate::histogram::Histogram;
use crate::interval::Counts;
use crate::outage::Outages;
use crate::validity::Validity;

#[derive(Debug, Clone, PartialEq)]
pub struct Totals {
    /// A row per target and action that was offered, in the order of the layout. A warm-up is only in `last_second`.
    pub actions: Vec<ActionTotals>,
    /// Per target, in the order of the layout.
    pub calls: Vec<CallTotals>,
    /// Per target.
    pub outages: Vec<Outages>,
    /// Per target: of events that were measured.
    pub deliveries: Vec<Delivery>,
    /// Of all records that are measured: our own lateness.
    pub lag: Option<Quantiles>,
    pub validity: Validity,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ActionTotals {
    pub target: u16,
    pub action: u16,
    pub counts: Counts,
    /// Of the last second that was flushed.
    pub last_second: Counts,
    pub response: Option<Quantiles>,
    pub service: Option<Quantiles>,
    /// Of two-phase actions and lists.
    pub ack: Option<Quantiles>,
    /// Actions that did not succeed, by the time they took.
    pub failed: Option<Quantiles>,
}

/// Nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quantiles {
    pub count: u64,
    pub p50: u64,
    pub p90: u64,
    pub p99: u64,
    pub p999: u64,
    pub max: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallTotals {
    results: BTreeMap<CallResult, u64>,
}

impl Quantiles {
    /// None of an empty histogram.
    pub fn of(histogram: &Histogram) -> Option<Self> {
        Some(Self {
            count: histogram.count(),
            p50: histogram.quantile(0.5)?,
            p90: histogram.quantile(0.9)?,
            p99: histogram.quantile(0.99)?,
            p999: histogram.quantile(0.999)?,
            max: histogram.max()?,
        })
    }
}

impl CallTotals {
    pub fn count(&mut self, result: CallResult) {
        *self.results.entry(result).or_default() += 1;
    }

    pub fn add(&mut self, other: &Self) {
        for (result, count) in &other.results {
            *self.results.entry(*result).or_default() += count;
        }
    }

    pub fn of(&self, result: CallResult) -> u64 {
        self.results.get(&result).copied().unwrap_or(0)
    }

    pub fn attempted(&self) -> u64 {
        self.results.values().sum()
    }
}
