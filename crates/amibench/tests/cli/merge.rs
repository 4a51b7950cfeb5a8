//! Segments of one load become one run, and what is no segment of it is refused with what differs.

use std::path::Path;

use serde_json::Value;

use crate::desk::{Desk, SMALL};
use crate::sim::{SECRET, Sim};

/// A run per segment, with its seed.
fn desk(segments: &[(&str, &str)]) -> Desk {
    let limits = "thresholds = [\"all.failed.rate < 1%\"]\n";
    let desk = Desk::new().with("small.toml", &format!("{limits}{SMALL}"));
    for (index, (name, seed)) in (1..).zip(segments) {
        let segment = format!("{index}/{}", segments.len());
        let args = [
            "load",
            "small.toml",
            "--seed",
            seed,
            "--segment",
            &segment,
            "--out",
            name,
        ];
        desk.run(&args).check_any(&[0, 4], "");
    }
    desk
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn segments_become_a_run_like_any_other() {
    let desk = desk(&[("one", "7"), ("two", "7")]);
    let merged = desk
        .run(&["merge", "one", "two", "--out", "all"])
        .check_any(&[0, 4], "");
    assert!(
        merged.out.contains("1 of 1 thresholds held · completed"),
        "{merged:?}"
    );
    assert!(merged.out.ends_with("all/report.md\n"), "{merged:?}");
    let all = read(&desk.path("all/summary.json"));
    for key in ["counts", "latency"] {
        let count = |run: &str| {
            let run = read(&desk.path(&format!("{run}/summary.json")));
            let action = &run["targets"][0]["actions"][0];
            let count = if key == "counts" {
                &action[key]["success"]
            } else {
                &action[key]["response"]["count"]
            };
            count.as_u64().unwrap()
        };
        assert_eq!(count("all"), count("one") + count("two"), "{key}");
    }
    assert_eq!(all["run"]["merged_from"][1]["segment"], "2/2");
    assert_eq!(all["targets"][0]["calls"]["attempted"], 10);
    desk.run(&["report", "all"]).check(0, "");
    desk.run(&["cleanup", "--run", "all"]).check(
        2,
        "a simulated PBX ends with its run and leaves nothing to clean up",
    );
}

/// Four processes at once on one PBX, merged, against one process with the same plan.
#[test]
fn four_segments_are_one_run_count_by_count() {
    let desk = Desk::new()
        .with("small.toml", &SMALL.replace("sessions = 3", "sessions = 8"))
        .with("secret", SECRET);
    let sim = Sim::start(&desk);
    let desk = desk.with("pbx.toml", &sim.target());
    let load = |out: &str, segment: &str| {
        let args = [
            "load",
            "small.toml",
            "-t",
            "pbx.toml",
            "--seed",
            "11",
            "-d",
            "2s",
            "--out",
            out,
        ];
        let segment = if segment.is_empty() {
            vec![]
        } else {
            vec!["--segment", segment]
        };
        desk.start(&[&args[..], &segment].concat())
    };
    load("one", "").end().check_any(&[0, 4], "");
    let parts = ["1/4", "2/4", "3/4", "4/4"];
    let outs = parts.map(|part| format!("part-{}", &part[..1]));
    let running: Vec<_> = outs
        .iter()
        .zip(parts)
        .map(|(out, part)| load(out, part))
        .collect();
    for run in running {
        run.end().check_any(&[0, 4], "");
    }
    let [a, b, c, d] = &outs;
    desk.run(&["merge", a, b, c, d, "--out", "all"])
        .check_any(&[0, 4], "");
    let counts = |run: &str| {
        let summary = read(&desk.path(&format!("{run}/summary.json")));
        let mut target = summary["targets"][0].clone();
        for action in target["actions"].as_array_mut().unwrap() {
            // How late a busy machine was is no part of the load.
            action["counts"].as_object_mut().unwrap().remove("late");
        }
        let sum = (
            summary["run"]["plan_sha256"].clone(),
            target["calls"].clone(),
        );
        let actions = target["actions"].as_array().unwrap().iter();
        let actions = actions.map(|action| (action["action"].clone(), action["counts"].clone()));
        (sum, actions.collect::<Vec<_>>())
    };
    assert_eq!(counts("all"), counts("one"));
    assert_eq!(counts("all").1[0].1["offered"], 60);
}

#[test]
fn a_threshold_is_judged_on_all_together() {
    let desk = desk(&[("one", "7"), ("two", "7")]);
    let path = desk.path("two/intervals.jsonl");
    let failed = std::fs::read_to_string(&path).unwrap();
    // Of the second segment everything was rejected.
    let rejected = failed
        .replace("\"success\":", "\"was\":")
        .replace("\"rejected\":0", "\"success\":0");
    let rejected = rejected.replace("\"was\":", "\"rejected\":");
    std::fs::write(&path, rejected).unwrap();
    desk.run(&["merge", "one", "two", "--out", "damaged"])
        .check(2, "failed to add up: merge two: it is damaged");
    assert!(!desk.path("damaged").exists());
    let offered = 20;
    let row = format!(
        "{{\"target\":0,\"action\":0,\"outcome\":\"rejected\",\"error\":\"no\",\"count\":{offered},\"first_seen_ns\":1,\"last_seen_ns\":2}}\n"
    );
    std::fs::write(desk.path("two/errors.jsonl"), row).unwrap();
    let merged = desk
        .run(&["merge", "two", "one", "--out", "all"])
        .check(1, "");
    assert!(merged.out.contains("50.000%"), "{merged:?}");
}

#[test]
fn a_segment_that_is_missing_makes_the_run_invalid() {
    let desk = desk(&[("one", "7"), ("two", "7"), ("three", "7")]);
    let merged = desk
        .run(&["merge", "one", "three", "--out", "all"])
        .check(4, "amibench: segment 2/3 is missing");
    assert!(merged.out.starts_with("INVALID"), "{merged:?}");
    assert!(
        merged
            .out
            .contains("segment 2/3 is missing: the target got only a part of the load")
    );
    desk.run(&["merge", "all", "two", "--out", "whole"])
        .check_any(&[0, 4], "");
    let whole = read(&desk.path("whole/summary.json"));
    assert_eq!(whole["run"]["merged_from"].as_array().unwrap().len(), 3);
}

#[test]
fn what_is_no_segment_of_the_load_is_refused() {
    let desk = desk(&[("one", "7"), ("two", "8")]);
    desk.run(&["merge", "one", "two", "--out", "all"]).check(
        2,
        "amibench: failed to merge one and two: they are not parts of one load, the seed differs: 7 and 8",
    );
    desk.run(&["merge", "one", "one", "--out", "all"]).check(
        2,
        "amibench: failed to merge one and one: both are segment 1/2",
    );
    desk.run(&["merge", "one", "small.toml", "--out", "all"])
        .check(2, "small.toml is no readable run");
    desk.run(&["load", "small.toml", "--out", "whole"])
        .check_any(&[0, 4], "");
    desk.run(&["merge", "one", "whole", "--out", "all"]).check(
        2,
        "failed to merge whole: it offered the whole load, not a segment of it",
    );
    assert!(!desk.path("all").exists());
}
