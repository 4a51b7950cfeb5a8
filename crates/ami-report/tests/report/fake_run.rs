//! A run that never happened: two PBXs, a warm-up and a steady phase, pings, originates and channel lists with
//! lognormal latencies, a stall of the PBX, one of ours, some failures. The same numbers each time.

use std::collections::BTreeMap;
use std::path::Path;

use ami_results::call::{CallRecord, CallResult, HungUpBy};
use ami_results::delivery::{Delivery, DeliveryRow};
use ami_results::host::Host;
use ami_results::layout::{Action, Layout, Phase, Shape};
use ami_results::manifest::{End, FORMAT, Manifest, Offered, Scenario, Target};
use ami_results::outage::{Change, PresenceRow};
use ami_results::outcome::Outcome;
use ami_results::record::{Record, Skipped};
use ami_results::recorder::{Recorder, Records};
use ami_results::run_dir::RunDir;
use ami_results::verdict::{State, Verdict};

const SECOND: u64 = 1_000_000_000;
const MILLI: f64 = 1e6;
/// Arrivals stop here, and two seconds later the last answer is in.
const STEADY_S: u64 = 33;
const RUN_S: u64 = STEADY_S + 2;

/// How the run ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Completed,
    /// `kill -9`: no end in the manifest, and a file torn in the middle of a line.
    Killed,
}

/// Killed as soon as its files were made.
pub(crate) fn start(path: &Path) -> RunDir {
    let run_dir = RunDir::create(path).unwrap();
    Recorder::new(run_dir.clone(), manifest(), Records::Omit).unwrap();
    run_dir
}

pub(crate) fn write(path: &Path, ending: Ending) -> RunDir {
    let run_dir = RunDir::create(path).unwrap();
    let mut recorder = Recorder::new(run_dir.clone(), manifest(), Records::Omit).unwrap();
    let mut records = records();
    records.sort_by_key(Record::ended_at);
    let mut second = 0;
    for record in &records {
        while record.ended_at() / SECOND > second {
            second += 1;
            recorder.flush_second(second * SECOND).unwrap();
        }
        recorder.record(record);
        if record.action == 1 && record.outcome == Outcome::Success {
            recorder.call(&call(record));
        }
    }
    restart(&mut recorder);
    for index in 0..12 {
        recorder.skipped(&Skipped {
            target: 1,
            phase: 1,
            action: 0,
            intended_at: 18 * SECOND + index,
        });
    }
    match ending {
        Ending::Completed => {
            recorder.finish(RUN_S * SECOND, End::Completed).unwrap();
            run_dir.write_verdicts(&verdicts()).unwrap();
        }
        Ending::Killed => {
            recorder.flush_second(RUN_S * SECOND).unwrap();
            drop(recorder);
            tear(&run_dir.file("intervals.jsonl"));
        }
    }
    run_dir
}

/// The first PBX restarts, and a session that measured events ends with the run.
fn restart(recorder: &mut Recorder) {
    let rows = [
        (Change::Lost, 300, 20_100, 20_400),
        (Change::Back, 300, 26_000, 32_500),
        (Change::Served, 1, 26_010, 26_010),
    ];
    for (change, sessions, first_ms, last_ms) in rows {
        recorder.presence(&PresenceRow {
            target: 0,
            change,
            sessions,
            first_at: first_ms * 1_000_000,
            last_at: last_ms * 1_000_000,
        });
    }
    recorder.delivery(&DeliveryRow {
        target: 1,
        at: RUN_S * SECOND,
        delivery: Delivery {
            expected: 12_000,
            lost: 3,
            duplicated: 2,
            reordered: 1,
        },
    });
}

fn tear(path: &Path) {
    let whole = std::fs::read(path).unwrap();
    std::fs::write(path, &whole[..whole.len() - 20]).unwrap();
}

fn manifest() -> Manifest {
    let target = |name: &str, address: &str, version: &str, label: &str| Target {
        name: name.to_owned(),
        address: address.to_owned(),
        account: "qa-bench".to_owned(),
        banner: Some("Asterisk Call Manager/11.0.0".to_owned()),
        version: Some(version.to_owned()),
        labels: BTreeMap::from([("firmware".to_owned(), label.to_owned())]),
        environment: "test".to_owned(),
        limits: serde_json::json!({"max_sessions": 300}),
        failure: None,
    };
    let offered = |target, phase, rate| Offered {
        target,
        phase,
        sessions: 100,
        rate_per_s: Some(rate),
        arrivals: None,
    };
    Manifest {
        format: FORMAT,
        run_id: "k3f9".to_owned(),
        version: "0.1.0".to_owned(),
        command: vec![
            "amibench".to_owned(),
            "load".to_owned(),
            "quickstart".to_owned(),
        ],
        scenario: Scenario {
            name: "quickstart".to_owned(),
            text: "seed = 7\n".to_owned(),
        },
        seed: 7,
        plan_sha256: "0".repeat(64),
        segment: None,
        merged_from: Vec::new(),
        started_at: "2026-11-21T10:00:00Z".parse().unwrap(),
        ended_at: None,
        labels: BTreeMap::from([("ci".to_owned(), "4711".to_owned())]),
        targets: vec![
            target("asterisk-22", "127.0.0.1:5038", "22.10.0", "22.10"),
            target("sim-ucm6xxx", "127.0.0.1:5039", "1.0.27.5", "1.0.27"),
        ],
        layout: layout(),
        offered: (0..2)
            .flat_map(|target| [offered(target, 0, 50.0), offered(target, 1, 220.0)])
            .collect(),
        host: Host {
            os: "Debian GNU/Linux 12".to_owned(),
            kernel: "6.1.0".to_owned(),
            cpus: 2,
            scheduling_policy: "other".to_owned(),
        },
        end: End::Running,
        validity: None,
        records_left_out: 0,
    }
}

fn layout() -> Layout {
    let action = |name: &str, shape| Action {
        name: name.to_owned(),
        shape,
    };
    let phase = |name: &str, starts: u64, ends: u64, actions: &[u16]| Phase {
        name: name.to_owned(),
        starts_at: starts * SECOND,
        ends_at: ends * SECOND,
        actions: actions.to_vec(),
        warm_up: name == "warm-up",
    };
    Layout::new(
        vec!["asterisk-22".to_owned(), "sim-ucm6xxx".to_owned()],
        vec![
            phase("warm-up", 0, 5, &[0]),
            phase("steady", 5, STEADY_S, &[0, 1, 2]),
        ],
        vec![
            action("ping", Shape::OnePhase),
            action("originate", Shape::TwoPhase),
            action("core-show-channels", Shape::List),
        ],
    )
    .unwrap()
}

fn verdicts() -> Vec<Verdict> {
    let verdict = |target, state, subject: &str, limit: &str, measured: &str| Verdict {
        target: Some(target),
        state,
        subject: subject.to_owned(),
        limit: limit.to_owned(),
        measured: measured.to_owned(),
        detail: None,
    };
    vec![
        verdict(
            0,
            State::Pass,
            "asterisk-22 ping response p99",
            "< 50 ms",
            "4.12 ms",
        ),
        verdict(
            1,
            State::Fail,
            "sim-ucm6xxx all.failed.rate < 1%",
            "< 1 %",
            "2.3 %",
        ),
    ]
}

fn records() -> Vec<Record> {
    let mut random = Random(7);
    let mut records = Vec::new();
    for target in 0..2 {
        for (action, from_s, per_s) in [(0, 0, 200), (1, 5, 20), (2, 5, 1)] {
            for seq in 0..(STEADY_S - from_s) * per_s {
                let intended_at = from_s * SECOND + seq * SECOND / per_s;
                records.push(record(&mut random, (target, action), seq, intended_at));
            }
        }
    }
    records
}

fn record(random: &mut Random, (target, action): (u16, u16), seq: u64, intended_at: u64) -> Record {
    let second = intended_at / SECOND;
    let slower = if target == 1 { 2.5 } else { 1.0 };
    let service = match action {
        0 => random.lognormal(0.35 * MILLI * slower, 0.45),
        1 => random.lognormal(320.0 * MILLI * slower, 0.25),
        _ => random.lognormal(9.0 * MILLI * slower, 0.3),
    };
    let lag = match (target, second, seq % 50) {
        (0, 26, 0..20) => random.lognormal(18.0 * MILLI, 0.2),
        _ => random.lognormal(0.03 * MILLI, 0.5),
    };
    // The PBX holds its breath for 400 ms.
    let into_stall = intended_at % SECOND;
    let wait = if second == 17 && target == 1 && into_stall < 400_000_000 {
        400_000_000 - into_stall
    } else {
        2_000
    };
    let (outcome, error) = match random.below(1000) {
        0..8 if action == 1 => (
            Outcome::Rejected,
            Some("Extension 2001 of sip:alice@pbx.example.org does not exist."),
        ),
        8..12 if target == 1 && action != 2 => (Outcome::TimedOut, None),
        12 if action == 0 => (Outcome::Indeterminate, Some("connection reset by the PBX")),
        _ => (Outcome::Success, None),
    };
    let picked_at = intended_at + lag;
    let sent_at = picked_at + wait;
    let ack = random.lognormal(0.8 * MILLI * slower, 0.4).min(service / 2);
    let completed_at = match outcome {
        Outcome::TimedOut => sent_at + 2 * SECOND,
        Outcome::Rejected => sent_at + ack,
        _ => sent_at + service,
    };
    let answered = action != 0 && outcome != Outcome::TimedOut;
    Record {
        target,
        phase: u16::from(second >= 5),
        action,
        session: 0,
        seq,
        intended_at,
        picked_at,
        sent_at: Some(sent_at),
        acked_at: answered.then_some(sent_at + ack),
        first_item_at: (action == 2).then_some(sent_at + ack + 200_000),
        completed_at: Some(completed_at),
        items: (action == 2).then_some(40),
        outcome,
        error: error.map(Into::into),
    }
}

fn call(record: &Record) -> CallRecord {
    let result = match record.seq % 40 {
        3 => CallResult::Busy,
        7 if record.target == 1 => CallResult::NoAnswer,
        11 if record.target == 1 => CallResult::Unknown,
        _ => CallResult::Answered,
    };
    CallRecord {
        target: record.target,
        phase: record.phase,
        id: format!("k3f9-0-{}", record.seq),
        intended_at: record.intended_at,
        result,
        reason: Some(4),
        answered_at: record.completed_at,
        ended_at: record.completed_at.map(|at| at + SECOND),
        cause: Some(16),
        hung_up_by: HungUpBy::Pbx,
    }
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn unit(&mut self) -> f64 {
        ((self.next() >> 11) as f64 + 1.0) / 9_007_199_254_740_993.0
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a positive duration of some seconds"
    )]
    fn lognormal(&mut self, median: f64, sigma: f64) -> u64 {
        let normal = (-2.0 * self.unit().ln()).sqrt() * (std::f64::consts::TAU * self.unit()).cos();
        (median * (sigma * normal).exp()) as u64
    }
}
