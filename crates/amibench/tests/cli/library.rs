//! The scenarios that ship: each resolves against every simulated target, and each runs without a failed action.

use std::path::Path;

use crate::desk::Desk;

/// One of each kind: what differs between the others is no matter of a plan.
const SIMULATED: [&str; 3] = ["sim-ucm6xxx", "sim-yeastar-s", "sim-asterisk-22"];

/// The names in `--list`, which are those of the files.
fn shipped() -> Vec<String> {
    let listed = Desk::new().run(&["load", "--list"]).check(0, "").out;
    let lines = listed.lines();
    let names = lines.map(|line| line.split_whitespace().next().unwrap().to_owned());
    names.collect()
}

#[test]
fn the_list_says_what_each_is_for() {
    insta::assert_snapshot!(Desk::new().transcript(&["load", "--list"]));
}

#[test]
fn every_file_of_the_folder_ships() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    let entries = std::fs::read_dir(folder).unwrap();
    let names = entries.filter_map(|entry| {
        let name = entry.unwrap().file_name().into_string().unwrap();
        Some(name.strip_suffix(".toml")?.to_owned())
    });
    let mut files: Vec<String> = names.collect();
    let mut listed = shipped();
    files.sort();
    listed.sort();
    assert_eq!(files, listed);
}

#[test]
fn every_scenario_resolves_against_every_simulated_target() {
    let desk = Desk::new();
    for scenario in shipped() {
        for target in SIMULATED {
            // A day of arrivals is digested in minutes by a debug build: the shape is the same for an hour.
            let args = ["load", &scenario, "-t", target, "-d", "5m", "--dry-run"];
            let ran = desk.run(&args).check(0, "");
            assert!(
                ran.out.contains("sha256"),
                "{scenario} on {target}: {ran:?}"
            );
        }
    }
}

#[test]
fn every_scenario_runs_without_a_failed_action() {
    let desk = Desk::new();
    for scenario in shipped() {
        let ran = desk.run(&["load", &scenario, "-d", "1s", "--out", &scenario]);
        assert!(
            [0, 4].contains(&ran.code),
            "a busy machine may be late: {ran:?}"
        );
        // What failed would stand there, with its class.
        assert!(!ran.out.contains("\nErrors\n"), "{ran:?}");
        assert!(ran.out.contains("thresholds held"), "{ran:?}");
        let lost = ran.out.contains("\nfail ");
        assert!(!lost || ran.out.starts_with("INVALID"), "{ran:?}");
    }
}
