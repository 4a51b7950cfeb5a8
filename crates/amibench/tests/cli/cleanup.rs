//! What a killed run left behind, hung up later.

use crate::desk::{Desk, SMALL};
use crate::sim::{SECRET, Sim};

#[test]
fn the_calls_of_a_killed_run_are_hung_up() {
    let long = SMALL.replace("200ms", "9s");
    let desk = Desk::new().with("small.toml", &long).with("secret", SECRET);
    let sim = Sim::start(&desk);
    let desk = desk.with("pbx.toml", &sim.target());
    let mut running = desk.start(&[
        "load",
        "small.toml",
        "-t",
        "pbx.toml",
        "-d",
        "9s",
        "--out",
        "run",
    ]);
    desk.wait_for("run", "intervals.jsonl", 0);
    running.child().kill().unwrap();
    running.child().wait().unwrap();

    // The manifest knows the name of a target, and a file may lie anywhere.
    desk.run(&["cleanup", "--run", "run"]).check(
        2,
        "the run loaded target pbx: give its file or URI with --target",
    );
    let cleaned = desk
        .run(&["cleanup", "--run", "run", "--target", "pbx.toml"])
        .check(0, "");
    let (count, _) = cleaned
        .out
        .strip_prefix("pbx: ")
        .unwrap()
        .split_once(' ')
        .unwrap();
    assert!(count.parse::<u32>().unwrap() > 0, "{cleaned:?}");
    assert!(cleaned.out.ends_with("hung up, none left\n"), "{cleaned:?}");
    let again = desk
        .run(&["cleanup", "--run", "run", "--target", "pbx.toml"])
        .check(0, "");
    assert!(again.out.starts_with("pbx: 0 calls"), "{again:?}");
}

#[test]
fn simulated_targets_have_nothing_to_clean() {
    let desk = Desk::new().with("small.toml", SMALL);
    desk.run(&["load", "small.toml", "--out", "run"]);
    desk.run(&["cleanup", "--run", "run"]).check(
        2,
        "a simulated PBX ends with its run and leaves nothing to clean up",
    );
}
