//! What other programs read of a run: JSON under its schema, JUnit, CSV, hgrm, and whose names are in them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use ami_report::summary::Summary;
use ami_report::{Format, export, write};
use ami_results::layout::Kind;
use ami_results::manifest::End;
use ami_results::run_dir::RunDir;
use ami_results::verdict::State;

use crate::fake_run::{self, Ending};
use crate::{COMPLETED, completed};

/// All but the percentile texts, which take their time.
const MOST: [Format; 5] = [
    Format::Markdown,
    Format::Svg,
    Format::Json,
    Format::Junit,
    Format::Csv,
];
const SCHEMAS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/schema");

fn json(summary: &Summary) -> serde_json::Value {
    serde_json::from_str(&export::json(summary)).unwrap()
}

/// `UPDATE_SCHEMA=1 cargo test -p ami-report schema` writes them.
#[test]
fn the_published_schemas_are_those_of_the_code() {
    for (name, schema) in [
        ("summary", export::schema()),
        ("judgements", export::judgements_schema()),
    ] {
        let path = Path::new(SCHEMAS).join(format!("{name}.schema.json"));
        let schema = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        if std::env::var_os("UPDATE_SCHEMA").is_some() {
            fs::write(&path, &schema).unwrap();
        }
        assert_eq!(fs::read_to_string(path).unwrap(), schema);
    }
}

#[test]
fn every_run_validates_and_a_wrong_one_does_not() {
    let schema = serde_json::to_value(export::schema()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let begun = fake_run::start(&dir.path().join("begun"));
    let killed = fake_run::write(&dir.path().join("killed"), Ending::Killed);
    for run_dir in [&begun, &killed, &COMPLETED.0] {
        let summary = json(&Summary::read(run_dir).unwrap());
        let errors: Vec<String> = validator
            .iter_errors(&summary)
            .map(|e| e.to_string())
            .collect();
        assert_eq!(errors, Vec::<String>::new());
    }
    let mut summary = json(completed());
    summary["targets"][0]["actions"][0]["counts"]["offered"] = "many".into();
    assert!(!validator.is_valid(&summary));
    let mut summary = json(completed());
    summary.as_object_mut().unwrap().remove("validity");
    assert!(!validator.is_valid(&summary));
}

#[test]
fn json_has_the_totals_without_the_warm_up_and_each_phase() {
    let summary = json(completed());
    let target = &summary["targets"][0];
    let phases = target["phases"].as_array().unwrap();
    let offered = |cell: &serde_json::Value| cell["counts"]["offered"].as_u64().unwrap();
    let of = |phase: &str, action: &str| {
        let cell = phases
            .iter()
            .find(|cell| cell["phase"] == phase && cell["action"] == action);
        offered(cell.unwrap())
    };
    assert_eq!(of("warm-up", "ping"), 5 * 200);
    assert_eq!(of("steady", "ping"), 28 * 200);
    assert_eq!(offered(&target["actions"][0]), of("steady", "ping"));
    let response = &target["actions"][0]["latency"]["response"];
    let p99 = completed().targets[0].actions[0]
        .quantiles(Kind::Response)
        .unwrap()
        .p99;
    assert_eq!(response["p99_ns"], p99);
}

#[test]
fn what_ci_reads() {
    let mut summary = completed().clone();
    summary.verdicts[0].state = State::Inconclusive;
    summary.verdicts[0].detail = Some("nothing was observed".to_owned());
    let reason = "threshold ping.response.p99 < 50ms failed: 61 ms".to_owned();
    summary.manifest.end = End::Aborted { reason };
    summary.manifest.targets[1].failure =
        Some("failed to log in: 127.0.0.1:5039 said no".to_owned());
    summary.validity.reasons = vec!["the generator was late in 9 of 33 seconds".to_owned()];
    let (name, text) = Format::Junit.document(&summary.pseudonymised()).unwrap();
    assert_eq!(name, "junit.xml");
    insta::assert_snapshot!(text);
}

fn exported(
    summary: &Summary,
    formats: &[Format],
) -> (tempfile::TempDir, BTreeMap<String, String>) {
    let dir = tempfile::tempdir().unwrap();
    let written = write(summary, &COMPLETED.0, formats, &dir.path().join("out")).unwrap();
    let texts = written.iter().map(|path| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        (name, fs::read_to_string(path).unwrap())
    });
    let texts = texts.collect();
    (dir, texts)
}

/// The heads of the tables; their sums are those of the summary.
#[test]
fn tables_add_up() {
    let (_dir, texts) = exported(completed(), &[Format::Csv]);
    let heads: Vec<String> = texts
        .iter()
        .map(|(name, text)| {
            let lines: Vec<&str> = text.lines().take(3).collect();
            format!("{name}\n{}", lines.join("\n"))
        })
        .collect();
    insta::assert_snapshot!(heads.join("\n\n"));
    let mut sums = BTreeMap::<&str, u64>::new();
    let mut lines = texts["intervals.csv"].lines();
    let columns: Vec<&str> = lines.next().unwrap().split(',').collect();
    let mut keys = std::collections::BTreeSet::new();
    for line in lines {
        let fields: Vec<&str> = line.split(',').collect();
        assert!(keys.insert(fields[..4].to_vec()), "two rows of {line}");
        for (column, field) in columns.iter().zip(&fields).skip(4) {
            *sums.entry(column).or_default() += field.parse().unwrap_or(0);
        }
    }
    let cells = completed().targets.iter().flat_map(|target| &target.phases);
    let mut expected = ami_results::interval::Counts::default();
    cells.for_each(|cell| expected.add(&cell.counts));
    assert_eq!(sums["offered"], expected.offered);
    assert_eq!(sums["success"], expected.success);
    assert_eq!(sums["timed_out"], expected.timed_out);
    assert_eq!(sums["skipped"], expected.skipped);
    let attempted: u64 = completed()
        .targets
        .iter()
        .map(|target| target.calls.attempted())
        .sum();
    assert_eq!(texts["calls.csv"].lines().count() as u64, attempted + 1);
    let kinds: usize = completed()
        .targets
        .iter()
        .flat_map(|target| &target.phases)
        .map(|cell| cell.histograms.len())
        .sum();
    assert_eq!(texts["summary.csv"].lines().count(), kinds + 1);
}

#[test]
fn percentile_texts_are_as_their_tools_want_them() {
    let (_dir, texts) = exported(completed(), &[Format::Hgrm]);
    let text = &texts["asterisk-22-warm-up-ping-response.hgrm"];
    insta::assert_snapshot!(text);
    let cell = &completed().targets[0].phases[0];
    let count = cell.histograms[&Kind::Response].count().to_string();
    let last = text.lines().rfind(|line| !line.starts_with('#')).unwrap();
    let fields: Vec<&str> = last.split_whitespace().collect();
    assert_eq!(fields[1..], ["1.000000000000", count.as_str(), "inf"]);
}

/// Whatever leaves the directory, in every format.
#[test]
fn no_export_holds_a_number_a_name_or_an_address() {
    let someones = ["2001", "alice", "127.0.0.1", "5038", "qa-bench", "k3f9-0-"];
    let (_raw, raw) = exported(completed(), &MOST);
    let all = raw.into_values().collect::<String>();
    for text in someones {
        assert!(
            all.contains(text),
            "{text} is not in the raw reports: the test tests nothing"
        );
    }
    let pseudonymised = completed().clone().pseudonymised();
    let (_dir, texts) = exported(&pseudonymised, &Format::OF_LOADS);
    assert_eq!(texts.len(), raw_count());
    for (name, text) in &texts {
        for someones in someones {
            // A measured figure may have the digits of a number.
            let is_in = if someones == "2001" || someones == "5038" {
                text.split(|c: char| !c.is_ascii_alphanumeric())
                    .any(|word| word == someones)
                    && !is_of_figures(name)
            } else {
                text.contains(someones)
            };
            assert!(!is_in, "{someones} is in {name}");
        }
    }
    for verdict in &completed().verdicts {
        assert!(
            texts["summary.json"].contains(&verdict.subject),
            "{}",
            verdict.subject
        );
    }
    assert!(texts["summary.json"].contains("Extension number-a of uri-a does not exist."));
}

fn raw_count() -> usize {
    let hgrm = completed().targets.iter().flat_map(|target| &target.phases);
    let hgrm: usize = hgrm.map(|cell| cell.histograms.len()).sum();
    // report.md, two plots a target, summary.json, junit.xml, three tables
    1 + 2 * completed().targets.len() + 2 + 3 + hgrm
}

fn is_of_figures(name: &str) -> bool {
    [".csv", ".hgrm", ".svg"]
        .iter()
        .any(|ending| name.ends_with(ending))
}

#[test]
fn raw_reports_say_so_first() {
    let raw = completed();
    let document = |format: Format| format.document(raw).unwrap().1;
    assert!(document(Format::Json).starts_with("{\n  \"naming\": \"raw\","));
    assert_eq!(
        document(Format::Markdown)
            .lines()
            .nth(4)
            .map(|line| line.starts_with("**RAW")),
        Some(true)
    );
    let junit = document(Format::Junit);
    let first = junit.lines().find(|line| line.contains("<property "));
    assert_eq!(
        first.unwrap().trim(),
        "<property name=\"naming\" value=\"raw\"/>"
    );
    let (_dir, texts) = exported(raw, &[Format::Csv, Format::Svg]);
    assert!(texts["calls.csv"].contains("k3f9-0-"));
    assert!(texts["timeline-asterisk-22.svg"].contains("raw names"));
}

/// A target that is named by its address, as those of a URI are.
#[test]
fn a_target_named_by_its_address_loses_its_name_everywhere() {
    let mut summary = completed().clone();
    summary.manifest.targets[0].address = "10.1.2.3:5038".to_owned();
    summary.manifest.targets[0].name = "10-1-2-3-5038".to_owned();
    let names = vec!["10-1-2-3-5038".to_owned(), "sim-ucm6xxx".to_owned()];
    summary.manifest.layout = summary.manifest.layout.with_targets(names);
    summary.targets[0].name = "10-1-2-3-5038".to_owned();
    summary.verdicts[0].subject = "10-1-2-3-5038 ping response p99".to_owned();
    let (_dir, texts) = exported(&summary.pseudonymised(), &MOST);
    for (name, text) in &texts {
        assert!(
            !text.contains("10-1-2-3") && !name.contains("10-1-2-3"),
            "{name}"
        );
    }
    assert!(
        texts["junit.xml"]
            .contains("<testcase name=\"ping response p99\" classname=\"quickstart.target-a\"")
    );
    assert!(texts.contains_key("quantiles-target-a.svg"));
}

#[test]
fn reports_go_to_a_folder_that_is_made() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("a/b");
    let run_dir: &RunDir = &COMPLETED.0;
    let before = names(run_dir.path());
    write(completed(), run_dir, &[Format::Json, Format::Hgrm], &folder).unwrap();
    assert_eq!(names(run_dir.path()), before);
    assert_eq!(names(&folder), ["hgrm", "summary.json"]);
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
