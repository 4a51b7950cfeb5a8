//! Plans from scenario texts: what is refused, and where; what is the same however it is run.

use std::path::Path;

use ami_client::Target;
use proptest::prelude::*;

use super::*;
use crate::arrival::OpenLoop;

const SCENARIO: &str = r#"
seed = 7
[[group]]
name = "load"
sessions = 4
[[phase]]
name = "steady"
duration = "2s"
arrival = { constant = { rate = "26/s" } }
mix = [{ share = 25, ping = {} }, { share = 1, originate = { role = "answers", hold = "3s" } }]
"#;

const TARGET: &str = r#"
address = "pbx"
account = "qa"
[limits]
max_actions_per_s = 26
max_calls_up = 3
max_calls_per_s = 1
max_calls_total = 2
max_sessions = 6
[[limits.dial]]
channel = "Local/*@lab"
context = "lab"
[roles.answers]
channel = "Local/1@lab"
context = "lab"
exten = "2"
"#;

fn plan_with(
    scenario: &str,
    targets: &[(&str, &str)],
    overrides: &Overrides,
) -> Result<Plan, PlanError> {
    let document = Document::embedded("scenario", Path::new(""), scenario);
    let targets = targets
        .iter()
        .map(|(name, text)| {
            Target::parse(name, &Document::embedded(name, Path::new(""), text)).unwrap()
        })
        .collect();
    Plan::resolve(
        "scenario",
        &document,
        Scenario::parse(&document)?,
        targets,
        overrides,
    )
}

fn check_error(scenario: &str, target: &str, expected: &str) {
    let error =
        plan_with(scenario, &[("pbx", target)], &Overrides::default()).expect_err("a bad plan");
    assert!(error.to_string().contains(expected), "{error}");
}

#[test]
fn a_plan_at_its_limits_is_permitted() {
    plan_with(SCENARIO, &[("pbx", TARGET)], &Overrides::default()).unwrap();
}

#[test]
fn each_limit_is_named_when_it_is_passed() {
    for (key, lowered) in [
        ("max_actions_per_s", "max_actions_per_s = 25"),
        ("max_calls_up", "max_calls_up = 2"),
        ("max_calls_per_s", "max_calls_per_s = 0"),
        ("max_calls_total", "max_calls_total = 1"),
        ("max_sessions", "max_sessions = 5"),
    ] {
        let target: Vec<&str> = TARGET
            .lines()
            .map(|line| {
                if line.starts_with(&format!("{key} ")) {
                    lowered
                } else {
                    line
                }
            })
            .collect();
        check_error(
            SCENARIO,
            &target.join("\n"),
            &format!("raise `{key}` under [limits] in <embedded pbx>"),
        );
    }
}

#[test]
fn a_target_without_dial_patterns_permits_no_call() {
    let target = TARGET.replace(
        "[[limits.dial]]\nchannel = \"Local/*@lab\"\ncontext = \"lab\"\n",
        "",
    );
    check_error(SCENARIO, &target, "add a [[limits.dial]]");
}

#[test]
fn every_worker_has_a_session_of_each_group() {
    let with = |workers| {
        let overrides = Overrides {
            workers: Some(workers),
            ..Overrides::default()
        };
        plan_with(
            SCENARIO,
            &[(
                "pbx",
                &TARGET.replace("max_sessions = 6", "max_sessions = 60"),
            )],
            &overrides,
        )
    };
    assert!(with(4).is_ok());
    let error = with(5).unwrap_err().to_string();
    assert!(
        error.contains("5 workers cannot share the sessions of group load, which has 4"),
        "{error}"
    );
}

#[test]
fn errors_name_the_place_in_the_scenario() {
    for (from, to, expected) in [
        (
            "answers",
            "busy",
            "<embedded scenario>:10:69: target pbx maps no role \"busy\"; in <embedded pbx> it maps: answers",
        ),
        ("share = 25", "share = 0", "10:18: a share is at least 1"),
        (
            "ping = {}",
            "ping = {}, query = \"Status\"",
            "10:18: a mix entry has exactly one of",
        ),
        (
            "name = \"steady\"",
            "name = \"Steady!\"",
            "7:8: \"Steady!\" is no name",
        ),
        ("26/s", "26", "\"26\" is not a rate: write 200/s"),
        (
            "seed = 7",
            "seed = 7\nthresholds = [\"pong.response.p99 < 1s\"]",
            "3:15: no action is named \"pong\"",
        ),
        (
            "ping = {}",
            "pong = {}",
            "10:22: unknown field `pong`, expected one of `share`",
        ),
        (
            "sessions = 4",
            "sessions = 0",
            "5:12: a group has at least one session",
        ),
        (
            "sessions = 4",
            "sessions = \"4\"",
            "5:12: invalid type: string",
        ),
        (
            "ping = {}",
            "ping = {}, group = \"x\"",
            "no group is named \"x\"; there are: load",
        ),
    ] {
        check_error(&SCENARIO.replace(from, to), TARGET, expected);
    }
}

#[test]
fn shares_are_met_exactly_over_whole_cycles() {
    let plan = plan_with(SCENARIO, &[("pbx", TARGET)], &Overrides::default()).unwrap();
    let originates = OpenLoop::new(&plan)
        .filter(|arrival| arrival.mix == 1)
        .count();
    assert_eq!((OpenLoop::new(&plan).count(), originates), (52, 2));
}

#[test]
fn two_targets_take_turns_within_one_interval() {
    let targets = [("a", TARGET), ("b", TARGET)];
    let plan = plan_with(SCENARIO, &targets, &Overrides::default()).unwrap();
    let firsts: Vec<(u16, u128)> = OpenLoop::new(&plan)
        .take(3)
        .map(|arrival| (arrival.target, arrival.at.as_micros()))
        .collect();
    assert_eq!(firsts, [(0, 0), (1, 19_230), (0, 38_461)]);
}

#[test]
fn the_plan_as_people_read_it() {
    let plan = plan_with(SCENARIO, &[("pbx", TARGET)], &Overrides::default()).unwrap();
    insta::assert_snapshot!(plan.describe());
}

proptest! {
    /// Same scenario, targets and seed: the same plan, for any number of workers; another seed: another plan.
    #[test]
    fn the_fingerprint_depends_on_what_is_offered_only(seed: u64, workers in 1u16..3) {
        let fingerprint = |seed, workers| {
            let overrides = Overrides { seed: Some(seed), workers: Some(workers), ..Overrides::default() };
            let target = TARGET.replace("max_sessions = 6", "max_sessions = 60");
            plan_with(SCENARIO, &[("pbx", &target)], &overrides).unwrap().sha256()
        };
        prop_assert_eq!(fingerprint(seed, 1), fingerprint(seed, workers));
        prop_assert_ne!(fingerprint(seed, 1), fingerprint(seed.wrapping_add(1), 1));
    }
}
