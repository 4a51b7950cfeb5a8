//! What a sample costs: a record of a finished action on its way into all histograms and files, beside a value put into a
//! bare histogram; two histograms added, beside two slices of as many numbers.

use std::collections::BTreeMap;
use std::hint::black_box;

use ami_results::histogram::{HIGHEST_NS, Histogram, LOWEST_NS};
use ami_results::host::Host;
use ami_results::manifest::{End, FORMAT, Manifest, Scenario};
use ami_results::outcome::Outcome;
use ami_results::record::Record;
use ami_results::recorder::{Recorder, Records};
use ami_results::run_dir::RunDir;
use tempfile::TempDir;

use crate::{Contender, Counting, Group, Scale, plan};

const RECORDS: usize = 50_000;
/// Of each second, so that files are written as in a run.
const RATE: u64 = 10_000;
const SECOND: u64 = 1_000_000_000;
const MERGES: usize = 200;

const RECORDED: &str = "records into the recorder";
const BARE: &str = "values into a bare histogram";
const MERGED: &str = "histograms merged";
const ADDED: &str = "slices of numbers added";

pub(crate) fn group(scale: Scale) -> Group {
    let count = scale.of(RECORDS) as u64;
    // They take turns, and a run directory is made once.
    let scratch = tempfile::tempdir().expect("a scratch directory");
    let mut recorder = recorder(&scratch);
    let mut number = 0;
    let mut bare = hdrhistogram::Histogram::<u64>::new_with_bounds(LOWEST_NS, HIGHEST_NS, 3)
        .expect("the bounds are sound");
    Group {
        name: "record",
        unit: "sample",
        contenders: vec![
            Contender::new(RECORDED, count, move || {
                // Moved in, since it goes with the recorder.
                let _ = &scratch;
                for _ in 0..count {
                    number += 1;
                    recorder.record(&record(number));
                    if number % RATE == 0 {
                        let second = number / RATE * SECOND;
                        recorder.flush_second(second).expect("the disk takes it");
                    }
                }
            }),
            Contender::new(BARE, count * 10, move || {
                for number in 0..count * 10 {
                    bare.saturating_record(black_box(latency(number)));
                }
            }),
        ],
        pairs: &[(RECORDED, BARE)],
        counting: Counting::Repeatable,
    }
}

/// Memory, bound after bound: every histogram has the same number of buckets.
pub(crate) fn merging(scale: Scale) -> Group {
    let merges = scale.of(MERGES);
    let mut sum = Histogram::new();
    let mut one = Histogram::new();
    for number in 0..10_000 {
        one.record(latency(number));
    }
    sum.merge(&one);
    let buckets = hdrhistogram::Histogram::<u64>::new_with_bounds(LOWEST_NS, HIGHEST_NS, 3)
        .expect("the bounds are sound")
        .distinct_values();
    let (mut total, addend) = (vec![0_u64; buckets], vec![1_u64; buckets]);
    Group {
        name: "merge",
        unit: "histogram",
        contenders: vec![
            Contender::new(MERGED, merges as u64, move || {
                for _ in 0..merges {
                    sum.merge(black_box(&one));
                }
                sum.count()
            }),
            Contender::new(ADDED, merges as u64, move || {
                for _ in 0..merges {
                    for (total, more) in total.iter_mut().zip(black_box(&addend)) {
                        *total = total.saturating_add(*more);
                    }
                }
                total[0]
            }),
        ],
        pairs: &[],
        counting: Counting::Repeatable,
    }
}

/// From 0.1 to 13 ms, neighbours far apart.
fn latency(number: u64) -> u64 {
    100_000 + number.wrapping_mul(0x9e37_79b9_7f4a_7c15) % (1 << 23) * 3 / 2
}

fn record(number: u64) -> Record {
    let intended_at = number * SECOND / RATE;
    let picked_at = intended_at + 20_000;
    let sent_at = picked_at + 3_000;
    let ended_at = sent_at + latency(number);
    Record {
        target: 0,
        phase: 0,
        action: 0,
        session: 0,
        seq: number,
        intended_at,
        picked_at,
        sent_at: Some(sent_at),
        acked_at: Some(ended_at),
        first_item_at: None,
        completed_at: Some(ended_at),
        items: None,
        outcome: Outcome::Success,
        error: None,
    }
}

fn recorder(scratch: &TempDir) -> Recorder {
    let manifest = Manifest {
        format: FORMAT,
        run_id: "bench".to_owned(),
        version: "0.1.0".to_owned(),
        command: Vec::new(),
        scenario: Scenario {
            name: "bench".to_owned(),
            text: String::new(),
        },
        seed: 7,
        plan_sha256: String::new(),
        segment: None,
        merged_from: Vec::new(),
        started_at: "2026-11-21T10:00:00Z".parse().expect("an instant"),
        ended_at: None,
        labels: BTreeMap::new(),
        targets: Vec::new(),
        layout: plan::layout(),
        offered: Vec::new(),
        host: Host::default(),
        end: End::Running,
        validity: None,
        records_left_out: 0,
    };
    let run_dir = RunDir::create(&scratch.path().join("run")).expect("a run directory");
    Recorder::new(run_dir, manifest, Records::Omit).expect("its files")
}
