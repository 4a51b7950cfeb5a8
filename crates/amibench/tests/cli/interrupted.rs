//! Runs that are cut short: the results so far are complete and readable.

use rustix::process::Signal;

use crate::desk::{Desk, Ran, SMALL};
use crate::sim::{SECRET, Sim};

const LONG: [&str; 6] = ["load", "small.toml", "--duration", "30s", "--out", "run"];

fn check_interrupted(signal: Signal) {
    let desk = Desk::new().with("small.toml", SMALL);
    let running = desk.start(&LONG);
    desk.wait_for("run", "intervals.jsonl", 0);
    running.signal(signal);
    running.end().check(130, "amibench: stopping");
    let manifest = std::fs::read_to_string(desk.path("run/manifest.json")).unwrap();
    assert!(manifest.contains("\"interrupted\""), "{manifest}");
    let junit = std::fs::read_to_string(desk.path("run/junit.xml")).unwrap();
    assert!(
        junit.contains("<skipped message=\"interrupted after "),
        "{junit}"
    );
    let report = desk.run(&["report", "run"]).check(0, "");
    let line = report
        .out
        .lines()
        .find(|line| line.trim_start().starts_with("ping"))
        .unwrap();
    let counts: Vec<u64> = line
        .split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect();
    let (offered, ended) = counts.split_first().unwrap();
    assert!(*offered > 0, "{line}");
    assert_eq!(
        counts[0], counts[1],
        "all that was offered was sent: {line}"
    );
    assert_eq!(
        *offered,
        ended[1..].iter().sum::<u64>(),
        "each has one outcome: {line}"
    );
}

#[test]
fn ctrl_c_ends_a_run_properly() {
    check_interrupted(Signal::INT);
}

#[test]
fn sigterm_is_as_ctrl_c() {
    check_interrupted(Signal::TERM);
}

#[test]
fn a_pbx_that_dies_is_3_and_what_it_did_is_kept() {
    let desk = Desk::new().with("small.toml", SMALL).with("secret", SECRET);
    let mut sim = Sim::start(&desk);
    let desk = desk.with("pbx.toml", &sim.target());
    let running = desk.start(&[
        "load",
        "small.toml",
        "-t",
        "pbx.toml",
        "-d",
        "4s",
        "--out",
        "run",
    ]);
    desk.wait_for("run", "intervals.jsonl", 0);
    sim.kill();
    running
        .end()
        .check(3, "amibench: pbx: every session was lost");
    let Ran { out, .. } = desk.run(&["report", "run"]).check(0, "");
    assert!(out.contains("ping"), "{out}");
}

#[test]
fn a_run_that_is_killed_can_be_reported() {
    let desk = Desk::new().with("small.toml", SMALL);
    let mut running = desk.start(&LONG);
    desk.wait_for("run", "intervals.jsonl", 0);
    running.child().kill().unwrap();
    running.child().wait().unwrap();
    let Ran { out, .. } = desk.run(&["report", "run"]).check(0, "");
    assert!(out.contains("ping"), "{out}");
}
