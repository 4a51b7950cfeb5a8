//! Tables for spreadsheets and notebooks: a header, a row per key, durations in nanoseconds. They are written row by row,
//! however long the run was.

use std::io::{self, Write};

use ami_results::run_dir::RunDir;
use serde::Serialize;

use crate::ReportError;
use crate::export::Latency;
use crate::pseudonym::{Naming, Pseudonyms};
use crate::summary::Summary;

pub mod intervals;

/// A row of `summary.csv`.
#[derive(Serialize)]
struct KindRow<'a> {
    target: &'a str,
    phase: &'a str,
    warm_up: bool,
    action: &'a str,
    kind: &'a str,
    count: u64,
    min_ns: u64,
    mean_ns: u64,
    p50_ns: u64,
    p90_ns: u64,
    p95_ns: u64,
    p99_ns: u64,
    p99_9_ns: u64,
    max_ns: u64,
}

/// A row of `calls.csv`, with one of `call` and `raw_id`: that is the ChannelId, which a PBX's call records have too.
#[derive(Serialize)]
struct CallRow<'a> {
    #[serde(rename = "call")]
    name: Option<String>,
    #[serde(rename = "raw_id")]
    id: Option<&'a str>,
    target: &'a str,
    phase: &'a str,
    intended_at_ns: u64,
    answered_at_ns: Option<u64>,
    ended_at_ns: Option<u64>,
    result: &'a str,
    reason: Option<u8>,
    cause: Option<u16>,
    hung_up_by: ami_results::call::HungUpBy,
}

/// Every histogram of the run: a row per target, phase, action and kind.
pub fn summary(summary: &Summary, out: &mut impl Write) -> io::Result<()> {
    let layout = &summary.manifest.layout;
    let mut csv = csv::Writer::from_writer(out);
    for target in &summary.targets {
        for cell in &target.phases {
            let phase = layout.phase(cell.phase);
            for (kind, histogram) in &cell.histograms {
                let Some(latency) = Latency::of(histogram) else {
                    continue;
                };
                csv.serialize(KindRow {
                    target: &target.name,
                    phase: &phase.name,
                    warm_up: phase.warm_up,
                    action: &layout.action(cell.action).name,
                    kind: kind.slug(),
                    count: latency.count,
                    min_ns: latency.min_ns,
                    mean_ns: latency.mean_ns,
                    p50_ns: latency.p50_ns,
                    p90_ns: latency.p90_ns,
                    p95_ns: latency.p95_ns,
                    p99_ns: latency.p99_ns,
                    p99_9_ns: latency.p99_9_ns,
                    max_ns: latency.max_ns,
                })?;
            }
        }
    }
    csv.flush()
}

/// A row per call, in the order in which they ended.
pub fn calls(summary: &Summary, run_dir: &RunDir, out: &mut impl Write) -> Result<(), ReportError> {
    let layout = &summary.manifest.layout;
    let mut names = Pseudonyms::default();
    let mut csv = csv::Writer::from_writer(out);
    for call in run_dir.calls()? {
        let call = call?;
        let (name, id) = match summary.naming {
            Naming::Raw => (None, Some(call.id.as_str())),
            Naming::Pseudonyms => (Some(names.call(&call.id)), None),
        };
        csv.serialize(CallRow {
            name,
            id,
            target: layout.target(call.target),
            phase: &layout.phase(call.phase).name,
            intended_at_ns: call.intended_at,
            answered_at_ns: call.answered_at,
            ended_at_ns: call.ended_at,
            result: call.result.slug(),
            reason: call.reason,
            cause: call.cause,
            hung_up_by: call.hung_up_by,
        })
        .map_err(io::Error::from)?;
    }
    csv.flush()?;
    Ok(())
}
