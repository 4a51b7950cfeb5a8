//! What ran: written before the first action and replaced at the end, so that a run killed half-way is still known.
//! Secrets have no place in it: accounts are named, the scenario's text never holds one.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::host::Host;
use crate::layout::Layout;
use crate::validity::Validity;

/// Of the files of a run directory. Readers ignore keys they do not know; what they could misread gets a new number.
pub const FORMAT: u32 = 1;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    pub format: u32,
    pub run_id: String,
    /// Of amibench.
    pub version: String,
    pub command: Vec<String>,
    pub scenario: Scenario,
    pub seed: u64,
    pub plan_sha256: String,
    /// None when this process offered the whole load.
    #[serde(default)]
    pub segment: Option<Segment>,
    /// The runs that were added up to this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub merged_from: Vec<Part>,
    /// The wall time of the run's origin.
    pub started_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    pub labels: BTreeMap<String, String>,
    /// In the order of the layout.
    pub targets: Vec<Target>,
    pub layout: Layout,
    pub offered: Vec<Offered>,
    pub host: Host,
    pub end: End,
    /// Set at the end.
    pub validity: Option<Validity>,
    /// Records beyond the bound of `--records`, counted in everything but `records.jsonl`.
    #[serde(default)]
    pub records_left_out: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scenario {
    pub name: String,
    pub text: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Target {
    pub name: String,
    pub address: String,
    pub account: String,
    pub banner: Option<String>,
    pub version: Option<String>,
    pub labels: BTreeMap<String, String>,
    /// `test` or `production`, as its target file says.
    #[serde(default = "test")]
    pub environment: String,
    pub limits: serde_json::Value,
    /// Why it was not loaded to the end; set at the end.
    #[serde(default)]
    pub failure: Option<String>,
}

/// Which part of a plan: `index` counts from 0, people read `2/4`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Segment {
    pub index: u16,
    pub count: u16,
}

/// A run that went into a merged one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    pub run_id: String,
    pub segment: Segment,
    pub started_at: Timestamp,
    pub host: Host,
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index + 1, self.count)
    }
}

fn test() -> String {
    "test".to_owned()
}

/// What the plan offers to one target in one phase.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Offered {
    pub target: u16,
    pub phase: u16,
    pub sessions: u32,
    /// The highest rate; none for bursts, and for a closed loop, where the target sets the rate.
    pub rate_per_s: Option<f64>,
    /// The arrivals that were planned; none for a closed loop.
    #[serde(default)]
    pub arrivals: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum End {
    /// Not ended, or killed before it could say so.
    Running,
    Completed,
    Interrupted,
    Aborted {
        reason: String,
    },
}
