//! What other programs read of a run: on standard output, and as files.

use serde_json::Value;

use crate::desk::{Desk, SMALL};
use crate::sim;

const SCHEMA: &str = include_str!("../../../../docs/schema/summary.schema.json");

#[test]
fn json_on_standard_output_is_all_there_and_keeps_its_schema() {
    let desk = Desk::new().with("small.toml", SMALL);
    let loaded = desk
        .run(&["load", "small.toml", "--out", "run", "--format", "json"])
        .check_any(&[0, 4], "amibench: run/report.md");
    let summary: Value = serde_json::from_str(&loaded.out).unwrap();
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&summary)
        .map(|error| error.to_string())
        .collect();
    assert_eq!(errors, Vec::<String>::new());
    let offered = |action: &Value| action["counts"]["offered"].as_u64().unwrap();
    let actions = summary["targets"][0]["actions"].as_array().unwrap();
    assert_eq!(actions.iter().map(offered).sum::<u64>(), 40);

    assert_eq!(
        std::fs::read_to_string(desk.path("run/summary.json")).unwrap(),
        loaded.out
    );
    let reported = desk
        .run(&["report", "run", "--format", "json"])
        .check(0, "");
    assert_eq!(reported.out, loaded.out);
}

#[test]
fn names_leave_the_directory_only_when_asked_for() {
    let desk = Desk::new().with("small.toml", SMALL);
    desk.run(&["load", "small.toml", "--out", "run"])
        .check_any(&[0, 4], "");
    let json = desk
        .run(&["report", "run", "--format", "json"])
        .check(0, "");
    assert!(
        !json.out.contains("127.0.0.1") && json.out.contains("address-a"),
        "{json:?}"
    );
    let raw = desk
        .run(&["report", "run", "--format", "json", "--raw"])
        .check(0, "");
    assert!(
        raw.out.contains("127.0.0.1") && raw.out.contains("\"naming\": \"raw\""),
        "{raw:?}"
    );
    for (path, bytes) in desk.files("run") {
        let name = path.file_name().unwrap().to_str().unwrap();
        let is_report = [".md", ".svg", ".xml"]
            .iter()
            .any(|ending| name.ends_with(ending))
            || name == "summary.json";
        assert!(
            !is_report || !String::from_utf8(bytes).unwrap().contains("127.0.0.1"),
            "{name}"
        );
    }
}

#[test]
fn formats_of_several_files_go_to_a_folder() {
    let desk = Desk::new().with("small.toml", SMALL);
    desk.run(&["load", "small.toml", "--out", "run"])
        .check_any(&[0, 4], "");
    let before = desk.files("run").len();
    let args = [
        "report",
        "run",
        "--format",
        "csv,hgrm,junit",
        "--out",
        "out",
    ];
    let told = desk.run(&args).check(0, "").out;
    for file in [
        "out/summary.csv",
        "out/intervals.csv",
        "out/calls.csv",
        "out/junit.xml",
        "out/hgrm/sim-asterisk-22-steady-ping-response.hgrm",
    ] {
        assert!(told.lines().any(|line| line == file), "{told}");
        assert!(desk.path(file).is_file(), "{file}");
    }
    assert_eq!(desk.files("run").len(), before);
}

#[test]
fn a_format_that_is_none_is_answered_with_those_that_are() {
    let desk = Desk::new();
    desk.run(&["report", "run", "--format", "csv,yaml"])
        .check(2, "invalid value 'yaml' for '--format <FORMAT>'")
        .check(
            2,
            "[possible values: text, markdown, svg, json, junit, csv, hgrm, html]",
        );
}

#[test]
fn a_target_that_was_never_reached_has_its_suite() {
    let (desk, ran) = sim::load_with_one_gone();
    ran.check(3, "amibench: gone: failed to connect");
    let junit = std::fs::read_to_string(desk.path("run/junit.xml")).unwrap();
    let (_, gone) = junit.split_once("<testsuite name=\"gone\"").unwrap();
    assert!(
        gone.contains("<error message=\"failed to connect to address-b: "),
        "{junit}"
    );
    let summary: Value =
        serde_json::from_slice(&std::fs::read(desk.path("run/summary.json")).unwrap()).unwrap();
    assert!(summary["targets"][0]["failure"].is_null());
    assert!(summary["targets"][1]["failure"].is_string());
}
