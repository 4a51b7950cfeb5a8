//! Segments of one load become one run, and what is no segment of it is refused with what differs.

use std::path::Path;

use serde_json::Value;

use crate::desk::{Desk, SMALL};

/// Not yet offered in segments: each run here is the whole load and says to be a part.
fn desk(seeds: &[(&str, &str)]) -> Desk {
    let limits = "thresholds = [\"all.failed.rate < 1%\"]\n";
    let desk = Desk::new().with("small.toml", &format!("{limits}{SMALL}"));
    let count = seeds.len();
    for (index, (name, seed)) in seeds.iter().enumerate() {
        desk.run(&["load", "small.toml", "--seed", seed, "--out", name])
            .check_any(&[0, 4], "");
        let path = desk.path(&format!("{name}/manifest.json"));
        let mut manifest = read(&path);
        manifest["segment"] = serde_json::json!({"index": index, "count": count});
        std::fs::write(&path, manifest.to_string()).unwrap();
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
    assert_eq!(all["targets"][0]["calls"]["attempted"], 20);
    desk.run(&["report", "all"]).check(0, "");
    desk.run(&["cleanup", "--run", "all"])
        .check(2, "the run had only simulated targets, which ended with it");
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
    let offered = 40;
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
