//! Runs that come to their end.

use std::process::Stdio;

use crate::desk::{Desk, SMALL};

#[test]
fn the_quickstart_loads_three_pbxs() {
    let desk = Desk::new();
    let ran = desk.run(&[
        "load",
        "quickstart",
        "--duration",
        "2s",
        "--rate",
        "42/s",
        "--sessions",
        "5",
    ]);
    assert!(
        [0, 4].contains(&ran.code),
        "a busy machine may be late: {ran:?}"
    );
    for name in ["sim-ucm6xxx", "sim-yeastar-s", "sim-asterisk-22"] {
        assert!(ran.out.contains(name), "{ran:?}");
    }
    assert!(desk.path("results/latest/report.md").exists());
    assert!(desk.path("results/latest/latency.hlog").exists());
    let again = desk.run(&["report"]).check(0, "");
    assert_eq!(again.out.lines().next(), ran.out.lines().next());
}

#[test]
fn one_line_is_a_load() {
    let desk = Desk::new();
    let args = [
        "load",
        "--ping",
        "20/s",
        "--sessions",
        "2",
        "-d",
        "1s",
        "--target",
        "sim-asterisk-22",
    ];
    let ran = desk.run(&args);
    assert!([0, 4].contains(&ran.code), "{ran:?}");
    assert!(ran.out.contains("ping"), "{ran:?}");
}

#[test]
fn a_threshold_that_fails_is_1() {
    let scenario = SMALL
        .replace(
            "[[group]]",
            "thresholds = [\"calls.answered.rate >= 99%\"]\n[[group]]",
        )
        .replace("answers", "busy");
    let desk = Desk::new().with("small.toml", &scenario);
    let ran = desk.run(&["load", "small.toml"]).check(1, "");
    assert!(ran.out.contains("0 of 1 thresholds held"), "{ran:?}");
}

/// As `amibench report | head -1`.
#[test]
fn a_reader_that_leaves_is_no_error() {
    let desk = Desk::new().with("small.toml", SMALL);
    desk.run(&["load", "small.toml", "--out", "run"]);
    let mut report = desk.command(&["report", "run"]);
    let mut child = report
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr), (Some(0), vec![]));
}
