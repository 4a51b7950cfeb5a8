//! `conform` as it is typed: what is selected and refused, what a run leaves, and how it ends.

use std::fs;

use ami_results::judgement::log::Judgements;
use ami_results::judgement::{How, Outcome};
use ami_results::verdict::State;
use rustix::process::Signal;

use crate::desk::{Desk, Ran};
use crate::sim::{self, SECRET, Sim};

/// Of an area whose cases a sound PBX passes within a second.
const SOME: [&str; 6] = ["conform", "--only", "banner,header", "--out", "run", "-q"];

fn with(more: &[&'static str]) -> Vec<&'static str> {
    [&SOME, more].concat()
}

fn judgements(desk: &Desk) -> Judgements {
    Judgements::read(&desk.path("run")).unwrap()
}

fn how(desk: &Desk) -> Vec<How> {
    judgements(desk).ends.iter().map(|end| end.how).collect()
}

#[test]
fn what_no_case_is_called_is_refused_with_what_is_near() {
    let desk = Desk::new();
    let run = |args: &[&str]| desk.run(&[&["conform", "-t", "sim-asterisk-22"], args].concat());
    run(&["--only", "bannr"]).check(2, "no case or area is named \"bannr\": perhaps banner");
    run(&["--except", "list.coumt"]).check(2, "perhaps list.count");
    run(&["--only", "banner", "--except", "banner"]).check(4, "no case is selected");
    run(&["--level", "musst"]).check(2, "[possible values: must, should, may, observe]");
    run(&["--allow", "noise"]).check(2, "noisy, creates-state, originates-call, disruptive");
    desk.run(&["conform", "-t", "sim-asterisk-23"])
        .check(2, "no target is named");
    desk.run(&["conform"]).check(2, "--target");
}

#[test]
fn a_plan_is_printed_and_nothing_is_sent() {
    let desk = Desk::new().with("secret", SECRET);
    let desk = desk.with("gone.toml", &sim::target("127.0.0.1:1"));
    let ran = desk.run(&[
        "conform",
        "-t",
        "gone.toml",
        "--dry-run",
        "--allow",
        "noisy",
    ]);
    let Ran { out, .. } = ran.check(0, "");
    for said in [
        "noisy: sends broken requests",
        "creates-state: left out; --allow creates-state adds",
        "cases, about",
    ] {
        assert!(out.contains(said), "{out}");
    }
    assert!(!desk.path("results").exists());
}

#[test]
fn a_target_beside_one_that_is_gone_is_judged_all_the_same() {
    let desk = Desk::new()
        .with("secret", SECRET)
        .with("gone.toml", &sim::target("127.0.0.1:1"));
    let ran = desk.run(&with(&["-t", "gone.toml,sim-asterisk-22"]));
    let ran = ran.check(3, "amibench: gone: no connection");
    assert!(ran.out.contains("sim-asterisk-22: "), "{ran:?}");
    let judged = judgements(&desk);
    let gone = judged
        .devices
        .iter()
        .find(|one| one.target == "gone")
        .unwrap();
    assert!(gone.unreachable.is_some());
    let mut ends: Vec<(&str, How)> = judged
        .ends
        .iter()
        .map(|end| (end.target.as_str(), end.how))
        .collect();
    ends.sort_unstable_by_key(|(target, _)| *target);
    assert_eq!(
        ends,
        [
            ("gone", How::Unreachable),
            ("sim-asterisk-22", How::Completed)
        ]
    );
    assert!(
        desk.path("run/transcript-sim-asterisk-22.ami.jsonl")
            .is_file()
    );
}

#[test]
fn a_refused_login_is_said_and_tried_once_more_by_key_and_what_needs_none_is_judged() {
    let desk = Desk::new().with("secret", SECRET);
    let sim = Sim::start(&desk);
    let desk = desk.with("pbx.toml", &sim.target()).with("secret", "wrong");
    let ran = desk.run(&["conform", "-t", "pbx.toml", "--out", "run", "-q"]);
    let ran = ran.check(3, "amibench: pbx: the login was refused");
    assert!(ran.err.contains("doctor"), "{ran:?}");
    let judged = judgements(&desk);
    let state = |id: &str| {
        judged
            .judgements
            .iter()
            .find(|one| one.case == id)
            .unwrap()
            .state
    };
    assert_eq!(state("banner.line.present"), State::Pass);
    assert_eq!(state("auth.login.accepted"), State::Inconclusive);
    let passed = fs::read_to_string(desk.path("run/transcript.ami.jsonl")).unwrap();
    assert_eq!(passed.matches("Authentication failed").count(), 2);
}

#[test]
fn secrets_are_nowhere_in_the_results() {
    let desk = Desk::new();
    desk.run(&[
        "conform",
        "--only",
        "auth",
        "-t",
        "sim-asterisk-22",
        "--out",
        "run",
    ])
    .check(0, "");
    for (file, bytes) in desk.files("run") {
        let text = String::from_utf8(bytes).unwrap();
        assert!(!text.contains(SECRET), "{}", file.display());
    }
    let transcript = fs::read_to_string(desk.path("run/transcript.ami.jsonl")).unwrap();
    let masked = "*".repeat(SECRET.len());
    assert!(transcript.contains(&format!("Secret: {masked}\\r\\n")));
    assert!(!transcript.contains("Key: 0") && transcript.contains("Key: ****"));
}

#[test]
fn ctrl_c_ends_a_run_between_two_cases_and_its_results_are_readable() {
    let desk = Desk::new();
    let running = desk.start(&["conform", "-t", "sim-asterisk-22", "--out", "run"]);
    desk.wait_for("run", "judgements.jsonl", 20_000);
    running.signal(Signal::INT);
    let ran = running
        .end()
        .check(130, "stopping at the end of the case under way");
    assert!(ran.out.contains("skipped"), "{ran:?}");
    assert_eq!(how(&desk), [How::Interrupted]);
    let judged = judgements(&desk);
    let of = |state| {
        judged
            .judgements
            .iter()
            .filter(|one| one.state == state)
            .count()
    };
    assert!(of(State::Pass) > 10);
    let ended = |one: &&ami_results::judgement::Judgement| one.got == "the run was ended before";
    assert!(judged.judgements.iter().filter(ended).count() > 10);
}

#[test]
fn a_pbx_that_dies_makes_the_rest_inconclusive_and_keeps_what_was_found() {
    let desk = Desk::new().with("secret", SECRET);
    let mut sim = Sim::start(&desk);
    let desk = desk.with("pbx.toml", &sim.target());
    let running = desk.start(&["conform", "-t", "pbx.toml", "--out", "run"]);
    desk.wait_for("run", "judgements.jsonl", 30_000);
    sim.kill();
    running.end().check(4, "");
    let judged = judgements(&desk);
    let rest = judged
        .judgements
        .iter()
        .filter(|one| one.got.starts_with("the PBX did not answer after "));
    assert!(rest.clone().count() > 10);
    assert!(rest.clone().all(|one| one.state == State::Inconclusive));
    assert!(judged.judgements.iter().all(|one| one.state != State::Fail));
    assert!(judged.judgements.iter().any(|one| one.state == State::Pass));
}

#[test]
fn what_is_expected_decides_how_a_run_ends() {
    let check = |expected: &str, code: i32, outcome: Option<Outcome>, said: &str| {
        let desk = Desk::new().with("known.toml", expected);
        let ran = desk.run(&with(&[
            "-t",
            "sim-asterisk-22",
            "--expected",
            "known.toml",
        ]));
        assert_eq!(ran.code, code, "{ran:?}");
        assert!(format!("{}{}", ran.out, ran.err).contains(said), "{ran:?}");
        let found = judgements(&desk);
        let mut outcomes = found.judgements.iter().filter_map(|one| one.outcome());
        assert_eq!(outcomes.next(), outcome);
    };
    check("", 0, None, "");
    let entry = "[[expected]]\ncase = \"header.name.any-case\"\nreason = \"known\"\n";
    let fails = format!("{entry}state = \"fail\"\n");
    check(
        &fails,
        1,
        Some(Outcome::Fixed),
        "delete the entry at known.toml:2:8",
    );
    let passes = format!("{entry}state = \"pass\"\n");
    check(&passes, 0, Some(Outcome::AsExpected), "HOLDS");
    let lost = "applied = [\"banner.line.worded\", \"header.name.any-case\"]";
    check(lost, 1, None, "no case is called \"banner.line.worded\"");
}

#[test]
fn what_is_written_is_what_is_expected_the_next_time() {
    let desk = Desk::new();
    let args = [
        "conform",
        "--only",
        "event.mask,limit.line",
        "--allow",
        "noisy",
        "-q",
    ];
    let run = |more: &[&str]| {
        let target = ["-t", "sim-asterisk-22", "--expected", "known.toml"];
        desk.run(&[&args[..], &target, more].concat())
    };
    desk.run(&[&args[..], &["-t", "sim-asterisk-22"]].concat())
        .check(1, "");
    run(&["--write-expected"]).check(0, "");
    let known = fs::read_to_string(desk.path("known.toml")).unwrap();
    assert!(known.contains("case = \"limit.line.edge\""), "{known}");
    let ran = run(&[]).check(0, "");
    assert!(ran.out.contains("2 fail (2 known)"), "{ran:?}");
    let given = fs::read_to_string(desk.path("known.toml")).unwrap();
    let given = given.replace("not looked into yet", "the buffer ends there");
    let desk = desk.with("known.toml", &given);
    let again = ["--expected", "known.toml", "--write-expected"];
    desk.run(&[&args[..], &["-t", "sim-asterisk-22"], &again].concat())
        .check(0, "");
    assert_eq!(fs::read_to_string(desk.path("known.toml")).unwrap(), given);
}

#[test]
fn disruptive_cases_on_production_need_its_name() {
    let target = format!(
        "environment = \"production\"\n{}",
        sim::target("127.0.0.1:1")
    );
    let desk = Desk::new().with("secret", SECRET).with("hq.toml", &target);
    let disrupt = ["conform", "-t", "hq.toml", "--allow", "disruptive", "-q"];
    let told = "hq is in production: to run disruptive cases on it all the same, add --confirm hq";
    desk.run(&disrupt).check(2, told);
    desk.run(&[&disrupt[..], &["--confirm", "hq", "--out", "one"]].concat())
        .check(3, "hq: no connection");
    desk.run(&["conform", "-t", "hq.toml", "-q", "--out", "two"])
        .check(3, "");
}

#[test]
fn the_limits_of_a_target_are_kept() {
    let sim_desk = Desk::new();
    let sim = Sim::start(&sim_desk);
    let target = sim
        .target()
        .replace(
            "channel = \"Local/*@amibench\"",
            "channel = \"Local/1@amibench\"",
        )
        .replace("max_sessions = 20", "max_sessions = 2");
    let desk = Desk::new().with("secret", SECRET).with("pbx.toml", &target);
    let allow = "noisy,originates-call";
    let only = "originate.response,limit.connect";
    let args = ["conform", "-t", "pbx.toml", "-q", "--out", "run"];
    desk.run(&[&args[..], &["--only", only, "--allow", allow]].concat());
    let judged = judgements(&desk);
    let got: Vec<&str> = judged
        .judgements
        .iter()
        .map(|one| one.got.as_str())
        .collect();
    let barred = "role `answers` may not be dialled: no pattern of `limits.dial` permits it";
    assert!(got.contains(&barred), "{got:#?}");
    let sessions = "more than the 2 sessions that are permitted would be needed";
    assert!(got.contains(&sessions), "{got:#?}");
}
