//! The first look at a target, as it is read.

use crate::desk::Desk;
use crate::sim::{SECRET, Sim};

/// Times, addresses and ports differ from run to run.
fn steady(text: &str) -> String {
    let mut steady = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, number) = rest.split_at(at);
        let end = number
            .find(|c: char| !c.is_ascii_digit() && c != '.' && c != ':')
            .unwrap_or(number.len());
        let (digits, after) = number.split_at(end);
        let shown = match (digits.contains(':'), after.starts_with(" ms")) {
            (true, _) => "[address]",
            (_, true) => "[time]",
            _ => digits,
        };
        steady.push_str(before);
        steady.push_str(shown);
        rest = after;
    }
    steady + rest
}

#[test]
fn a_target_that_is_ready() {
    let desk = Desk::new().with("secret", SECRET);
    let sim = Sim::start(&desk);
    let target = sim.target() + "[labels]\nfirmware = \"1.2.3\"\n";
    let desk = desk.with("pbx.toml", &target);
    let ran = desk.run(&["doctor", "pbx.toml"]).check(0, "");
    let clock = |line: &&str| !line.contains("clock");
    let lines: Vec<&str> = ran.out.lines().filter(clock).collect();
    insta::assert_snapshot!(steady(&lines.join("\n")));
}

#[test]
fn a_target_whose_file_is_to_be_mended() {
    let desk = Desk::new().with("secret", SECRET);
    let sim = Sim::start(&desk);
    let target = sim
        .target()
        .replace("Local/*@amibench", "Local/*@elsewhere");
    let desk = desk.with("pbx.toml", &target);
    let ran = desk.run(&["doctor", "pbx.toml"]).check(2, "");
    let (verdict, first) = ran.out.split_once('\n').unwrap();
    assert!(verdict.ends_with(": not ready for load"), "{}", ran.out);
    assert!(first.starts_with("  ✗ role answers"), "{}", ran.out);
}

#[test]
fn every_target_that_is_named_is_looked_at() {
    let ran = Desk::new()
        .run(&["doctor", "sim-ucm6xxx", "sim-yeastar-s"])
        .check(0, "");
    assert_eq!(
        ran.out.matches(": ready for load\n").count(),
        2,
        "{}",
        ran.out
    );
}
