//! Merging is exact: k processes that shared a load leave, added up, what one process would have left.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, any, prop_assert_eq, proptest};
use tempfile::TempDir;

use super::{Merge, MergeError, MismatchError};
use crate::call::CallResult;
use crate::delivery::{Delivery, DeliveryRow};
use crate::histogram::Histogram;
use crate::interval::{Cell, Counts, Gauge};
use crate::layout::Tag;
use crate::manifest::{End, Manifest, Segment};
use crate::outage::{Change, PresenceRow};
use crate::record::{Record, Skipped};
use crate::recorder::tests::{call, manifest, record};
use crate::recorder::{Recorder, Records};
use crate::run_dir::RunDir;
use crate::totals::Totals;

const SECOND: u64 = 1_000_000_000;
const PARTS: usize = 3;

/// What one process measured.
#[derive(Clone, Default)]
struct Measured {
    records: Vec<Record>,
    skipped: Vec<Skipped>,
    calls: Vec<CallResult>,
}

fn segment(index: u16) -> Segment {
    let count = u16::try_from(PARTS).unwrap();
    Segment { index, count }
}

fn part(index: u16) -> Manifest {
    Manifest {
        run_id: format!("r{index}"),
        segment: Some(segment(index)),
        started_at: manifest().started_at + Duration::from_millis(u64::from(index) * 300),
        ..manifest()
    }
}

fn write(path: &Path, manifest: Manifest, measured: &Measured) -> Totals {
    let run_dir = RunDir::create(path).unwrap();
    let mut recorder = Recorder::new(run_dir, manifest, Records::KEEP).unwrap();
    let mut records = measured.records.clone();
    records.sort_by_key(Record::ended_at);
    let mut second = 0;
    for record in &records {
        while record.ended_at() / SECOND > second {
            second += 1;
            recorder.flush_second(second * SECOND).unwrap();
        }
        recorder.record(record);
    }
    measured
        .skipped
        .iter()
        .for_each(|skipped| recorder.skipped(skipped));
    measured
        .calls
        .iter()
        .for_each(|&result| recorder.call(&call(result)));
    for second in 0..20 {
        recorder.gauge(gauge(second, 1));
    }
    recorder.planned((measured.records.len() + measured.skipped.len()) as u64);
    recorder.finish(20 * SECOND, End::Completed).unwrap()
}

fn gauge(second: u64, sessions_ready: u32) -> Gauge {
    Gauge {
        target: 1,
        second,
        sessions_ready,
        in_flight: sessions_ready * 2,
        calls_up: 0,
        answer_read_delay_max_ns: 0,
        event_read_delay_max_ns: u64::from(sessions_ready),
    }
}

fn write_parts(dir: &TempDir, parts: &[Measured]) -> Vec<(RunDir, Manifest)> {
    (0..)
        .zip(parts)
        .map(|(index, measured)| {
            let path = dir.path().join(format!("part-{index}"));
            write(&path, part(index), measured);
            RunDir::open(&path).unwrap()
        })
        .collect()
}

fn merge(dir: &TempDir, parts: Vec<(RunDir, Manifest)>) -> Totals {
    let merge = Merge::new(parts).unwrap();
    let out = RunDir::create(&dir.path().join("all")).unwrap();
    let recorder = merge.add_up(out).unwrap();
    recorder.finish(merge.ended_at(), merge.end()).unwrap()
}

/// All that a run directory holds, added up by its keys.
#[derive(Debug, PartialEq)]
struct Contents {
    histograms: BTreeMap<(u64, Tag), Histogram>,
    intervals: BTreeMap<(u64, Cell), (Counts, u64)>,
    gauges: BTreeMap<(u16, u64), (u32, u32)>,
    errors: BTreeMap<String, (u64, u64, u64)>,
    calls: Vec<String>,
    records: Vec<String>,
}

fn contents(path: &Path) -> Contents {
    let (run_dir, manifest) = RunDir::open(path).unwrap();
    let mut histograms = BTreeMap::<_, Histogram>::new();
    for row in run_dir
        .histograms(&manifest.layout)
        .unwrap()
        .map(Result::unwrap)
    {
        let key = (row.start.as_secs(), row.tag);
        histograms.entry(key).or_default().merge(&row.histogram);
    }
    let mut intervals = BTreeMap::<_, (Counts, u64)>::new();
    for row in run_dir.intervals().unwrap().map(Result::unwrap) {
        let (counts, lag) = intervals.entry((row.second, row.cell())).or_default();
        counts.add(&row.counts);
        *lag = row.lag_max_ns.max(*lag);
    }
    let mut errors = BTreeMap::<_, (u64, u64, u64)>::new();
    for row in run_dir.errors().unwrap().map(Result::unwrap) {
        let key = format!(
            "{} {} {} {}",
            row.target, row.action, row.outcome, row.error
        );
        let seen = errors.entry(key).or_insert((0, u64::MAX, 0));
        *seen = (
            seen.0 + row.count,
            seen.1.min(row.first_seen),
            seen.2.max(row.last_seen),
        );
    }
    let gauges = run_dir.gauges().unwrap().map(Result::unwrap);
    let calls = run_dir
        .calls()
        .unwrap()
        .map(|row| format!("{:?}", row.unwrap()));
    let records = run_dir
        .records()
        .unwrap()
        .map(|row| format!("{:?}", row.unwrap()));
    let sorted = |mut rows: Vec<String>| {
        rows.sort();
        rows
    };
    Contents {
        gauges: gauges
            .map(|row| {
                (
                    (row.target, row.second),
                    (row.sessions_ready, row.in_flight),
                )
            })
            .collect(),
        calls: sorted(calls.collect()),
        records: sorted(records.collect()),
        histograms,
        intervals,
        errors,
    }
}

proptest! {
    // A case writes and reads five runs.
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Records dealt to k processes and merged are, in every file and every bucket, those of one process.
    #[test]
    fn the_parts_add_up_to_the_whole(
        records in vec((record(), 0..PARTS), 0..60),
        skipped in vec((0..10 * SECOND, 0..PARTS), 0..10),
        calls in vec((any::<bool>(), 0..PARTS), 0..10),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let mut whole = Measured::default();
        let mut parts = vec![Measured::default(); PARTS];
        for (record, part) in records {
            whole.records.push(record.clone());
            parts[part].records.push(record);
        }
        for (intended_at, part) in skipped {
            let skipped = Skipped { target: 1, phase: 0, action: 1, intended_at };
            whole.skipped.push(skipped);
            parts[part].skipped.push(skipped);
        }
        for (answered, part) in calls {
            let result = if answered { CallResult::Answered } else { CallResult::Busy };
            whole.calls.push(result);
            parts[part].calls.push(result);
        }
        let one = write(&dir.path().join("one"), manifest(), &whole);
        let parts = write_parts(&dir, &parts);
        let all = merge(&dir, parts);

        let (one_dir, mut all_dir) = (contents(&dir.path().join("one")), contents(&dir.path().join("all")));
        for ((_, second), gauges) in &mut all_dir.gauges {
            prop_assert_eq!(*gauges, (3, 6), "second {}", second);
            *gauges = (1, 2);
        }
        prop_assert_eq!(all_dir, one_dir);
        prop_assert_eq!(all.lag, one.lag);
        prop_assert_eq!(all.calls, one.calls);
        prop_assert_eq!(all.validity, one.validity);
        prop_assert_eq!(all.actions.len(), one.actions.len());
        for (all, one) in all.actions.iter().zip(&one.actions) {
            prop_assert_eq!(all.counts, one.counts);
            prop_assert_eq!((all.response, all.service, all.ack), (one.response, one.service, one.ack));
        }
    }
}

fn parts(dir: &TempDir) -> Vec<(RunDir, Manifest)> {
    write_parts(dir, &vec![Measured::default(); PARTS])
}

fn check(change: impl FnOnce(&mut Vec<(RunDir, Manifest)>), expected: &str) {
    let dir = tempfile::tempdir().unwrap();
    let mut parts = parts(&dir);
    change(&mut parts);
    let error = Merge::new(parts).unwrap_err().to_string();
    let folder = dir.path().display().to_string();
    assert_eq!(error.replace(&folder, "."), expected);
}

#[test]
fn what_is_no_part_of_the_load_is_named() {
    check(
        |parts| parts.truncate(1),
        "merge one run: at least two are needed",
    );
    check(
        |parts| parts[2].1.segment = None,
        "merge ./part-2: it offered the whole load, not a segment of it",
    );
    check(
        |parts| parts[2].1.segment = Some(segment(1)),
        "merge ./part-1 and ./part-2: both are segment 2/3",
    );
    check(
        |parts| parts[1].1.end = End::Running,
        "merge ./part-1: it has not ended, it runs still or was killed; the other segments can be merged without it",
    );
    check(
        |parts| parts[1].1.plan_sha256 = "f00d".to_owned(),
        "merge ./part-0 and ./part-1: they are not parts of one load, the plan's SHA-256 differs:  and f00d",
    );
    check(
        |parts| parts[1].1.seed = 8,
        "merge ./part-0 and ./part-1: they are not parts of one load, the seed differs: 7 and 8",
    );
    check(
        |parts| parts[2].1.version = "0.2.0".to_owned(),
        "merge ./part-0 and ./part-2: they are not parts of one load, the version of amibench differs: 0.1.0 and 0.2.0",
    );
    check(
        |parts| parts[2].1.segment = Some(Segment { index: 2, count: 4 }),
        "merge ./part-0 and ./part-2: they are not parts of one load, the number of segments differs: 3 and 4",
    );
}

#[test]
fn a_missing_segment_is_told_and_makes_the_run_invalid() {
    let dir = tempfile::tempdir().unwrap();
    let mut parts = parts(&dir);
    parts.remove(1);
    let merge = Merge::new(parts).unwrap();
    assert_eq!(merge.missing(), [segment(1)]);
    assert_eq!(merge.apart(), Duration::from_millis(600));
    let recorder = merge
        .add_up(RunDir::create(&dir.path().join("all")).unwrap())
        .unwrap();
    let totals = recorder.finish(merge.ended_at(), merge.end()).unwrap();
    let missing = "segment 2/3 is missing: the target got only a part of the load";
    assert!(
        totals
            .validity
            .reasons
            .iter()
            .any(|reason| reason == missing)
    );
    let (_, manifest) = RunDir::open(&dir.path().join("all")).unwrap();
    let elapsed = manifest
        .ended_at
        .unwrap()
        .duration_since(manifest.started_at);
    assert_eq!(elapsed.as_secs(), 20);
}

#[test]
fn a_merged_run_takes_the_segments_that_come_later() {
    let dir = tempfile::tempdir().unwrap();
    let mut parts = parts(&dir);
    let last = parts.remove(1);
    merge(&dir, parts);
    let so_far = RunDir::open(&dir.path().join("all")).unwrap();
    let again = Merge::new(vec![last.clone(), so_far.clone()]).unwrap();
    assert_eq!(again.missing(), []);
    let out = RunDir::create(&dir.path().join("again")).unwrap();
    let recorder = again.add_up(out).unwrap();
    assert_eq!(recorder.manifest().merged_from.len(), 3);
    let overlap = Merge::new(vec![so_far, last.clone(), last]).unwrap_err();
    assert!(matches!(overlap, MismatchError::Overlap { .. }));
}

#[test]
fn the_worst_end_of_the_parts_is_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let mut parts = parts(&dir);
    parts[0].1.end = End::Interrupted;
    assert_eq!(Merge::new(parts.clone()).unwrap().end(), End::Interrupted);
    let reason = "a threshold failed".to_owned();
    parts[2].1.end = End::Aborted { reason };
    let reason = "segment 3/3: a threshold failed".to_owned();
    assert_eq!(Merge::new(parts).unwrap().end(), End::Aborted { reason });
}

#[test]
fn a_file_that_was_cut_short_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let mut measured = vec![Measured::default(); PARTS];
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    for _ in 0..20 {
        use proptest::strategy::{Strategy as _, ValueTree as _};
        let record = record().new_tree(&mut runner).unwrap().current();
        measured[1].records.push(record);
    }
    let parts = write_parts(&dir, &measured);
    for file in ["latency.hlog", "intervals.jsonl", "errors.jsonl"] {
        let path = parts[1].0.file(file);
        let whole = fs::read(&path).unwrap();
        let last = whole[..whole.len() - 1]
            .iter()
            .rposition(|&byte| byte == b'\n')
            .unwrap();
        // A line less, cleanly: a torn one shows no differently.
        let lines = if file == "latency.hlog" {
            lag_lines(&whole)
        } else {
            whole[..=last].to_vec()
        };
        fs::write(&path, lines).unwrap();
        let out = RunDir::create(&dir.path().join(format!("all-{file}"))).unwrap();
        let error = Merge::new(parts.clone()).unwrap().add_up(out).unwrap_err();
        assert!(
            matches!(error, MergeError::Damaged { .. }),
            "{file}: {error}"
        );
        fs::write(&path, whole).unwrap();
    }
}

/// Without its last row of schedule lag.
fn lag_lines(log: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(log).unwrap();
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    let last = lines
        .iter()
        .rposition(|line| line.contains("/lag,"))
        .unwrap();
    lines.remove(last);
    lines.concat().into_bytes()
}

#[test]
fn outages_and_deliveries_of_the_parts_are_added_up() {
    let dir = tempfile::tempdir().unwrap();
    let mut parts = Vec::new();
    for index in 0..2 {
        let run_dir = RunDir::create(&dir.path().join(format!("part-{index}"))).unwrap();
        let mut recorder = Recorder::new(run_dir, part(index), Records::Omit).unwrap();
        let at = u64::from(index) * SECOND;
        for (change, at) in [(Change::Lost, at), (Change::Back, at + 5 * SECOND)] {
            recorder.presence(&PresenceRow {
                target: 1,
                change,
                sessions: 10,
                first_at: at,
                last_at: at,
            });
        }
        recorder.delivery(&DeliveryRow {
            target: 1,
            at: 9 * SECOND,
            delivery: Delivery {
                expected: 100,
                lost: 1,
                ..Delivery::default()
            },
        });
        recorder.finish(20 * SECOND, End::Completed).unwrap();
        parts.push(RunDir::open(&dir.path().join(format!("part-{index}"))).unwrap());
    }
    let totals = merge(&dir, parts);
    let [outage] = totals.outages[1].told() else {
        panic!("{totals:?}");
    };
    assert_eq!((outage.sessions, outage.length(0)), (20, 6 * SECOND));
    assert_eq!(totals.deliveries[1].expected, 200);
    assert_eq!(totals.deliveries[1].lost, 2);
}
