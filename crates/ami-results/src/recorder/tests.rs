//! The recorder with its files: nothing lost or counted twice, and readable whatever happens to the process or the disk.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{ProptestConfig, Strategy, any, prop_assert_eq, proptest};
use proptest::sample::select;
use tempfile::TempDir;

use super::{Recorder, Records, Scope};
use crate::append::AppendFile;
use crate::call::{CallRecord, CallResult, HungUpBy};
use crate::error_class::ErrorTable;
use crate::histogram::Histogram;
use crate::host::Host;
use crate::interval::{Counts, Gauge};
use crate::layout::{Action, Kind, Layout, Phase, Shape, Tag};
use crate::manifest::{End, FORMAT, Manifest, Scenario};
use crate::outcome::Outcome;
use crate::record::{Record, Skipped};
use crate::run_dir::RunDir;
use crate::totals::Totals;

const SECOND: u64 = 1_000_000_000;
const ALL: Scope = Scope {
    target: None,
    phase: None,
    action: None,
};

pub(crate) fn manifest() -> Manifest {
    let action = |name: &str, shape| Action {
        name: name.to_owned(),
        shape,
    };
    let phase = Phase {
        name: "steady".to_owned(),
        starts_at: 0,
        ends_at: 10 * SECOND,
        actions: vec![0, 1, 2],
        warm_up: false,
    };
    let layout = Layout::new(
        vec!["pbx-a".to_owned(), "pbx-b".to_owned()],
        vec![phase],
        vec![
            action("ping", Shape::OnePhase),
            action("originate", Shape::TwoPhase),
            action("channels", Shape::List),
        ],
    );
    Manifest {
        format: FORMAT,
        run_id: "r1".to_owned(),
        version: "0.1.0".to_owned(),
        command: vec!["amibench".to_owned(), "load".to_owned()],
        scenario: Scenario {
            name: "test".to_owned(),
            text: String::new(),
        },
        seed: 7,
        plan_sha256: String::new(),
        segment: None,
        merged_from: Vec::new(),
        started_at: "2026-11-21T10:00:00Z".parse().unwrap(),
        ended_at: None,
        labels: BTreeMap::new(),
        targets: Vec::new(),
        layout: layout.unwrap(),
        offered: Vec::new(),
        host: Host::default(),
        end: End::Running,
        validity: None,
        records_left_out: 0,
    }
}

/// Within 10 s, every stage optional, every outcome.
pub(crate) fn record() -> impl Strategy<Value = Record> {
    let step = || 0..3 * SECOND;
    let instants = (0..7 * SECOND, 0..20_000_000_u64, step(), step(), step());
    let stages = (any::<bool>(), any::<bool>(), any::<bool>());
    let cell = (0..2_u16, 0..3_u16);
    let error = option::of(select(vec!["No such channel", "Permission denied"]));
    (cell, instants, stages, select(Outcome::ALL.to_vec()), error).prop_map(
        |((target, action), (intended_at, lag, sent, acked, done), stages, outcome, error)| {
            let picked_at = intended_at + lag;
            Record {
                target,
                phase: 0,
                action,
                session: 0,
                seq: 0,
                intended_at,
                picked_at,
                sent_at: stages.0.then_some(picked_at + sent),
                acked_at: stages.1.then_some(picked_at + sent + acked),
                first_item_at: None,
                completed_at: stages.2.then_some(picked_at + sent + acked + done),
                items: None,
                outcome,
                error: error.map(Into::into),
            }
        },
    )
}

fn recorder(dir: &TempDir, records: Records) -> Recorder {
    let run_dir = RunDir::create(&dir.path().join("run")).unwrap();
    Recorder::new(run_dir, manifest(), records).unwrap()
}

/// A run of these records in order of their end, flushed each second.
fn run(dir: &TempDir, mut records: Vec<Record>) -> Totals {
    let mut recorder = recorder(dir, Records::KEEP);
    records.sort_by_key(Record::ended_at);
    let mut second = 0;
    for record in &records {
        while record.ended_at() / SECOND > second {
            second += 1;
            recorder.flush_second(second * SECOND).unwrap();
            recorder.gauge(Gauge {
                target: 0,
                second,
                sessions_ready: 1,
                in_flight: 0,
                calls_up: 0,
                answer_read_delay_max_ns: 0,
                event_read_delay_max_ns: 0,
            });
        }
        recorder.record(record);
    }
    recorder.call(&call(CallResult::Answered));
    recorder.finish(20 * SECOND, End::Completed).unwrap()
}

pub(crate) fn call(result: CallResult) -> CallRecord {
    CallRecord {
        target: 1,
        phase: 0,
        id: "run-0-1".to_owned(),
        intended_at: 5,
        result,
        reason: Some(4),
        answered_at: Some(9),
        ended_at: None,
        cause: None,
        hung_up_by: HungUpBy::Us,
    }
}

fn logged(path: &Path) -> BTreeMap<Tag, Histogram> {
    let (run_dir, manifest) = RunDir::open(path).unwrap();
    let mut histograms = BTreeMap::<Tag, Histogram>::new();
    for row in run_dir.histograms(&manifest.layout).unwrap() {
        let row = row.unwrap();
        histograms.entry(row.tag).or_default().merge(&row.histogram);
    }
    histograms
}

fn count(histograms: &BTreeMap<Tag, Histogram>, kind: Kind) -> u64 {
    histograms
        .iter()
        .filter(|(tag, _)| tag.kind == kind)
        .map(|(_, histogram)| histogram.count())
        .sum()
}

proptest! {
    // A case writes and reads a whole run; unoptimised HDR histograms make that tens of milliseconds.
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Every record is in exactly one outcome column, in memory and on disk, and in exactly one of response and failed.
    #[test]
    fn nothing_is_lost_or_counted_twice(records in vec(record(), 0..60)) {
        let dir = tempfile::tempdir().unwrap();
        let totals = run(&dir, records.clone());
        let path = dir.path().join("run");
        let (run_dir, _) = RunDir::open(&path).unwrap();

        let mut expected = Counts::default();
        for record in &records {
            expected.count_offered(record.lag());
            expected.sent += u64::from(record.sent_at.is_some());
            expected.count_outcome(record.outcome);
        }
        let mut in_memory = Counts::default();
        for action in &totals.actions {
            in_memory.add(&action.counts);
        }
        let mut on_disk = Counts::default();
        for row in run_dir.intervals().unwrap() {
            on_disk.add(&row.unwrap().counts);
        }
        prop_assert_eq!(in_memory, expected);
        prop_assert_eq!(on_disk, expected);
        prop_assert_eq!(expected.records(), records.len() as u64);

        let histograms = logged(&path);
        prop_assert_eq!(count(&histograms, Kind::Lag), expected.records());
        prop_assert_eq!(count(&histograms, Kind::Wait), expected.sent);
        prop_assert_eq!(count(&histograms, Kind::Response), expected.success);
        prop_assert_eq!(count(&histograms, Kind::Failed), expected.records() - expected.success);

        let failures: u64 = run_dir.errors().unwrap().map(|row| row.unwrap().count).sum();
        prop_assert_eq!(failures, expected.records() - expected.success);
        let mut kept: Vec<Record> = run_dir.records().unwrap().map(Result::unwrap).collect();
        let mut records = records;
        kept.sort_by_key(|record| format!("{record:?}"));
        records.sort_by_key(|record| format!("{record:?}"));
        prop_assert_eq!(kept, records);
    }

    /// The log on disk, added up, is the histogram in memory.
    #[test]
    fn the_log_adds_up_to_what_was_measured(records in vec(record(), 1..40)) {
        let dir = tempfile::tempdir().unwrap();
        let mut recorder = recorder(&dir, Records::Omit);
        for (second, record) in (1..).zip(&records) {
            recorder.record(record);
            recorder.flush_second(second * SECOND).unwrap();
        }
        let measured = recorder.histogram(ALL, Kind::Lag);
        recorder.finish(30 * SECOND, End::Completed).unwrap();
        let mut read = Histogram::new();
        for (tag, histogram) in logged(&dir.path().join("run")) {
            if tag.kind == Kind::Lag {
                read.merge(&histogram);
            }
        }
        prop_assert_eq!(read, measured);
    }

    /// Whatever file a kill cut short at whatever byte, the run opens and its whole rows are read.
    #[test]
    fn a_run_killed_at_any_byte_is_readable(records in vec(record(), 1..20), cut in 0.0..1.0_f64) {
        let dir = tempfile::tempdir().unwrap();
        run(&dir, records);
        let path = dir.path().join("run");
        for name in ["latency.hlog", "intervals.jsonl", "gauges.jsonl", "errors.jsonl", "calls.jsonl", "records.jsonl"] {
            let whole = fs::read(path.join(name)).unwrap();
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a length")]
            let kept = (whole.len() as f64 * cut) as usize;
            fs::write(path.join(name), &whole[..kept]).unwrap();
            check_readable(&path, name, &whole[..kept]);
            fs::write(path.join(name), &whole).unwrap();
        }
    }
}

fn check_readable(path: &Path, name: &str, kept: &[u8]) {
    let (run_dir, manifest) = RunDir::open(path).unwrap();
    let whole_lines = kept.iter().filter(|&&byte| byte == b'\n').count();
    let torn = !kept.is_empty() && !kept.ends_with(b"\n");
    macro_rules! read {
        ($rows:expr) => {{
            let mut rows = $rows.unwrap();
            let count = rows.by_ref().map(Result::unwrap).count();
            (count, rows.torn().is_some())
        }};
    }
    let (read, told) = match name {
        "latency.hlog" => read!(run_dir.histograms(&manifest.layout)),
        "intervals.jsonl" => read!(run_dir.intervals()),
        "gauges.jsonl" => read!(run_dir.gauges()),
        "errors.jsonl" => read!(run_dir.errors()),
        "calls.jsonl" => read!(run_dir.calls()),
        _ => read!(run_dir.records()),
    };
    assert_eq!(told, torn, "{name}");
    let comments = kept
        .split_inclusive(|&byte| byte == b'\n')
        .filter(|line| line.starts_with(b"#") && line.ends_with(b"\n"))
        .count();
    assert_eq!(read, whole_lines - comments, "{name}");
}

#[test]
fn the_manifest_says_running_until_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let recorder = recorder(&dir, Records::Omit);
    let path = dir.path().join("run");
    let (run_dir, manifest) = RunDir::open(&path).unwrap();
    assert_eq!(manifest.end, End::Running);
    recorder.finish(90 * SECOND, End::Interrupted).unwrap();
    let manifest = run_dir.manifest().unwrap();
    assert_eq!(manifest.end, End::Interrupted);
    assert_eq!(
        manifest.ended_at.unwrap().to_string(),
        "2026-11-21T10:01:30Z"
    );
    assert!(!path.join("records.jsonl").exists());
}

#[test]
fn the_log_begins_as_other_readers_of_the_format_want_it() {
    let dir = tempfile::tempdir().unwrap();
    let _recorder = recorder(&dir, Records::Omit);
    assert_eq!(
        fs::read_to_string(dir.path().join("run/latency.hlog")).unwrap(),
        "#[Histogram log format version 1.3]\n\
         #[StartTime: 1795255200.000 (seconds since epoch)]\n\
         #[BaseTime: 1795255200.000 (seconds since epoch)]\n\
         #[MaxValueDivisor: 1000000.000]\n"
    );
}

#[test]
fn a_full_disk_names_the_file_once_and_leaves_the_rest_readable() {
    let dir = tempfile::tempdir().unwrap();
    let mut recorder = recorder(&dir, Records::Omit);
    recorder.skipped(&Skipped {
        target: 0,
        phase: 0,
        action: 0,
        intended_at: 5,
    });
    recorder.flush_second(SECOND).unwrap();
    recorder.files.calls = AppendFile::full();
    recorder.call(&call(CallResult::Busy));
    let error = recorder.flush_second(2 * SECOND).unwrap_err();
    assert_eq!(error.to_string(), "write /dev/full");
    recorder.flush_second(3 * SECOND).unwrap();
    let reason = "results could not be written".to_owned();
    recorder
        .finish(4 * SECOND, End::Aborted { reason })
        .unwrap();
    let (run_dir, manifest) = RunDir::open(&dir.path().join("run")).unwrap();
    assert!(matches!(manifest.end, End::Aborted { .. }));
    assert_eq!(run_dir.intervals().unwrap().count(), 1);
}

#[test]
fn records_beyond_the_bound_are_counted_not_kept() {
    let dir = tempfile::tempdir().unwrap();
    let mut recorder = recorder(&dir, Records::Keep { max: 2 });
    let record = Record {
        target: 0,
        phase: 0,
        action: 0,
        session: 0,
        seq: 0,
        intended_at: 0,
        picked_at: 0,
        sent_at: None,
        acked_at: None,
        first_item_at: None,
        completed_at: Some(1),
        items: None,
        outcome: Outcome::Disconnected,
        error: None,
    };
    for _ in 0..5 {
        recorder.record(&record);
    }
    recorder.finish(SECOND, End::Completed).unwrap();
    let (run_dir, manifest) = RunDir::open(&dir.path().join("run")).unwrap();
    assert_eq!(run_dir.records().unwrap().count(), 2);
    assert_eq!(manifest.records_left_out, 3);
    let mut errors = ErrorTable::default();
    for row in run_dir.errors().unwrap() {
        errors.add(&row.unwrap());
    }
    let rows: Vec<_> = errors.rows().collect();
    assert_eq!((rows[0].error.as_str(), rows[0].count), ("disconnected", 5));
}

#[test]
fn planned_arrivals_that_never_came_make_the_run_invalid() {
    let dir = tempfile::tempdir().unwrap();
    let mut recorder = recorder(&dir, Records::Omit);
    recorder.planned(100);
    let totals = recorder.finish(SECOND, End::Completed).unwrap();
    assert!(!totals.validity.is_valid());
    let (_, manifest) = RunDir::open(&dir.path().join("run")).unwrap();
    assert_eq!(manifest.validity, Some(totals.validity));
}

#[test]
fn the_last_second_stays_however_often_it_is_flushed() {
    let dir = tempfile::tempdir().unwrap();
    let mut recorder = recorder(&dir, Records::Omit);
    let skipped = Skipped {
        target: 0,
        phase: 0,
        action: 0,
        intended_at: 2 * SECOND + 1,
    };
    let shown = |recorder: &Recorder| recorder.totals().actions[0].last_second.skipped;
    recorder.skipped(&skipped);
    recorder.flush_second(3 * SECOND).unwrap();
    recorder.flush_second(3 * SECOND + SECOND / 5).unwrap();
    assert_eq!(shown(&recorder), 1);
    recorder.skipped(&skipped);
    recorder.flush_second(3 * SECOND + SECOND / 2).unwrap();
    assert_eq!(shown(&recorder), 2);
    recorder.flush_second(4 * SECOND).unwrap();
    assert_eq!(shown(&recorder), 0);
}

#[test]
fn a_record_takes_no_memory_once_its_second_has_begun() {
    const RECORDS: u64 = 1000;
    let dir = tempfile::tempdir().unwrap();
    let mut recorder = recorder(&dir, Records::Omit);
    let ping = |number: u64| Record {
        target: 0,
        phase: 0,
        action: 0,
        session: 0,
        seq: number,
        intended_at: number,
        picked_at: number + 1,
        sent_at: Some(number + 2),
        acked_at: Some(number + 100_000),
        first_item_at: None,
        completed_at: Some(number + 100_000),
        items: None,
        outcome: Outcome::Success,
        error: None,
    };
    recorder.record(&ping(0));
    let taken = allocation_counter::measure(|| {
        for number in 1..RECORDS {
            recorder.record(&ping(number));
        }
    });
    assert_eq!(taken.count_total, 0);
}
