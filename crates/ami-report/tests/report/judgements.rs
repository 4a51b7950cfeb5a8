//! Judgements of three PBXs, put together to have one of everything: read back from files and rendered in every format.

use std::collections::BTreeMap;
use std::path::Path;

use ami_report::conformance::tree::{self, Detail};
use ami_report::conformance::{Conformance, FORMATS, Standing, USUAL, document, write};
use ami_report::render::text::Color;
use ami_report::{Format, export};
use ami_results::judgement::log::JudgementLog;
use ami_results::judgement::{
    Device, End, Excerpt, Expectation, FORMAT, Fact, How, Judgement, Options, Outcome, Row, Run,
    Side,
};
use ami_results::verdict::State;

fn run(hour: i64) -> Run {
    Run {
        format: FORMAT,
        version: "0.1.0".to_owned(),
        verb: "conform".to_owned(),
        catalogue: "sha256:5ca1ab1e".to_owned(),
        started_at: jiff::Timestamp::from_second(1_795_000_000 + hour * 3600).unwrap(),
        seed: 7,
        options: Options {
            allow: vec!["noisy".to_owned()],
            ..Options::default()
        },
        labels: BTreeMap::from([("site".to_owned(), "lab".to_owned())]),
    }
}

fn device(target: &str) -> Device {
    Device {
        target: target.to_owned(),
        address: Some("10.1.2.3:5038".to_owned()),
        account: Some("qa-bench".to_owned()),
        banner: Some("Asterisk Call Manager/11.0.0".to_owned()),
        version: Some("22.10.0".to_owned()),
        dialect: Some("asterisk-18".to_owned()),
        facts: vec![Fact {
            fact: "Command answers in Output headers".to_owned(),
            seen: "`Output: 0 active channels`".to_owned(),
        }],
        conflicts: vec!["banner 2.8.0 has both framings".to_owned()],
        labels: BTreeMap::new(),
        planned: 9,
        unreachable: None,
    }
}

fn judgement(target: &str, case: &str, state: State, got: &str) -> Judgement {
    Judgement {
        target: target.to_owned(),
        case: case.to_owned(),
        requirement: format!("What {case} requires is kept."),
        level: "must".to_owned(),
        authority: "specification".to_owned(),
        severity: "major".to_owned(),
        safety: "quiet".to_owned(),
        source: "AMI v2 specification".to_owned(),
        state,
        expected: String::new(),
        got: got.to_owned(),
        took_ns: 1_500_000,
        evidence: Vec::new(),
        left: Vec::new(),
        expectation: None,
    }
}

fn expectation(outcome: Outcome, state: State, reason: &str) -> Option<Expectation> {
    Some(Expectation {
        outcome,
        state: Some(state),
        reason: Some(reason.to_owned()),
        until: None,
        advice: (outcome == Outcome::Fixed).then(|| "delete line 12".to_owned()),
    })
}

/// One of everything.
fn judged(target: &str) -> Vec<Judgement> {
    let of = |case, state, got| judgement(target, case, state, got);
    let mut fails = of(
        "framing.nul.cuts-value",
        State::Fail,
        "`Response: Error / Message: Extension 2001 of alice </script> is gone`, after 1024 bytes",
    );
    "`Response: Success`".clone_into(&mut fails.expected);
    fails.evidence = vec![
        Excerpt::new(3, Side::Client, 88, b"Action: Originate\r\nActionID: conf-1-17\r\nExten: 2001\r\nCallerID: alice\r\n\r\n"),
        Excerpt::new(3, Side::Server, 1204, b"Response: Error\r\nActionID: conf-1-17\r\nMessage: Extension 2001 of alice </script> is gone\0\xff\n\r\n"),
    ];
    let mut known = of("limit.line.edge", State::Fail, "cut at 1023");
    known.expectation = expectation(Outcome::AsExpected, State::Fail, "stock Asterisk cuts it");
    let mut fixed = of("limit.line.1022", State::Pass, "all of 1022 bytes");
    fixed.expectation = expectation(Outcome::Fixed, State::Fail, "was cut before");
    let mut lost = of(
        "call.hangup.cause",
        State::NotApplicable,
        "the account may not run Hangup",
    );
    lost.expectation = expectation(Outcome::Unexpected, State::Pass, "it applied before");
    let mut left = of("call.list.shows-it", State::Warn, "it shows late");
    left.left = vec!["channel Local/2001@internal-00000001;1".to_owned()];
    vec![
        of(
            "banner.line.present",
            State::Pass,
            "on each of 61 connections",
        ),
        fails,
        of(
            "framing.split.single-bytes",
            State::Inconclusive,
            "no answer within 5 s",
        ),
        of(
            "framing.pipeline.mixed",
            State::Skipped,
            "needs --allow creates-state",
        ),
        known,
        fixed,
        lost,
        left,
    ]
}

fn rows(device: Device, judged: Vec<Judgement>, how: Option<How>) -> Vec<Row> {
    let end = how.map(|how| {
        Row::End(End {
            target: device.target.clone(),
            how,
            ended_at: jiff::Timestamp::from_second(1_795_000_100).unwrap(),
            objections: Vec::new(),
        })
    });
    let judged = judged.into_iter();
    let judged = judged.map(|one| Row::Judgement(Box::new(one)));
    [Row::Device(device)]
        .into_iter()
        .chain(judged)
        .chain(end)
        .collect()
}

fn written(folder: &Path, run: Run, rows: &[Row]) {
    std::fs::create_dir_all(folder).unwrap();
    let mut log = JudgementLog::create(folder, run).unwrap();
    rows.iter().for_each(|row| log.write(row).unwrap());
}

/// A PBX that fails in every way, one that holds, one that was never reached, and the first once more, killed.
pub(crate) fn everything() -> Conformance {
    let dir = tempfile::tempdir().unwrap();
    let fails = rows(
        device("asterisk-22"),
        judged("asterisk-22"),
        Some(How::Completed),
    );
    let mut sound = device("ucm6304");
    sound.planned = 1;
    let pass = judgement(
        "ucm6304",
        "banner.line.present",
        State::Pass,
        "on each of 3 connections",
    );
    let mut away = device("10-1-2-3-5038");
    away.unreachable = Some("failed to connect to 10.1.2.3:5038: connection refused".to_owned());
    let all = [
        fails.clone(),
        rows(sound, vec![pass], Some(How::Completed)),
        rows(away, Vec::new(), Some(How::Unreachable)),
    ];
    written(&dir.path().join("one"), run(0), &all.concat());
    written(&dir.path().join("two"), run(1), &fails[..2]);
    Conformance::read(&[dir.path().join("one"), dir.path().join("two")]).unwrap()
}

fn text(format: Format) -> String {
    document(&everything().pseudonymised(), format).unwrap().1
}

#[test]
fn standings_tell_pbxs_apart() {
    let everything = everything();
    let standings: Vec<(&str, Standing)> = everything
        .columns
        .iter()
        .map(|column| (column.name.as_str(), column.standing()))
        .collect();
    assert_eq!(
        standings,
        [
            ("asterisk-22 2026-11-18 11:06:40", Standing::Fails),
            ("ucm6304", Standing::Holds),
            ("10-1-2-3-5038", Standing::Unreachable),
            ("asterisk-22 2026-11-18 12:06:40", Standing::Unfinished),
        ]
    );
}

/// A known failure holds; nothing that applies, something open, or no end do not.
#[test]
fn a_pbx_holds_only_when_it_was_judged_to_the_end() {
    let standing = |judged: Vec<Judgement>, how| {
        let dir = tempfile::tempdir().unwrap();
        written(dir.path(), run(0), &rows(device("a"), judged, how));
        Conformance::read(&[dir.path().to_owned()]).unwrap().columns[0].standing()
    };
    let one = |state| judgement("a", "x.y.z", state, "");
    let mut known = one(State::Fail);
    known.expectation = expectation(Outcome::AsExpected, State::Fail, "so it is");
    let done = Some(How::Completed);
    assert_eq!(standing(vec![known.clone()], done), Standing::Holds);
    assert_eq!(standing(vec![known.clone()], None), Standing::Unfinished);
    assert_eq!(
        standing(vec![known], Some(How::Interrupted)),
        Standing::Unfinished
    );
    assert_eq!(standing(vec![one(State::Fail)], None), Standing::Fails);
    assert_eq!(standing(vec![one(State::Warn)], done), Standing::Holds);
    assert_eq!(
        standing(vec![one(State::Skipped)], done),
        Standing::Inconclusive
    );
    assert_eq!(
        standing(vec![one(State::Inconclusive)], done),
        Standing::Inconclusive
    );
    assert_eq!(standing(Vec::new(), done), Standing::Inconclusive);
}

#[test]
fn what_the_terminal_shows() {
    let wrong = tree::render(&everything(), Detail::Wrong, Color::Plain);
    assert!(wrong.lines().all(|line| line.chars().count() <= 100));
    insta::assert_snapshot!(wrong);
}

#[test]
fn every_case_is_shown_when_asked_for() {
    let all = tree::render(&everything(), Detail::All, Color::Plain);
    assert!(all.contains("✓ banner.line.present"), "{all}");
    assert!(all.contains("· framing.pipeline.mixed"), "{all}");
    let coloured = tree::render(&everything(), Detail::All, Color::Ansi);
    assert!(coloured.contains("\u{1b}[1;31m✗"), "{coloured}");
}

#[test]
fn what_the_markdown_says() {
    insta::assert_snapshot!(text(Format::Markdown));
}

#[test]
fn what_ci_reads() {
    insta::assert_snapshot!(text(Format::Junit));
}

#[test]
fn what_a_sheet_holds() {
    insta::assert_snapshot!(text(Format::Csv));
}

/// Without the style and the script, which are files of their own.
#[test]
fn what_the_matrix_is_made_of() {
    let page = text(Format::Html);
    let body = &page[page.find("<body>").unwrap()..page.rfind("<script>").unwrap()];
    insta::assert_snapshot!(body.replace("><", ">\n<"));
}

#[test]
fn a_pbx_cannot_write_into_the_matrix() {
    let page = text(Format::Html);
    assert_eq!(page.matches("</script>").count(), 1);
    assert!(page.contains("&lt;/script&gt;"));
    for loads in ["src=", "http://", "https://", "url(", "@import"] {
        assert!(!page.contains(loads), "{loads}");
    }
}

#[test]
fn every_line_keeps_the_published_schema_and_a_wrong_one_does_not() {
    let schema = serde_json::to_value(export::judgements_schema()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let lines = text(Format::Json);
    let rows: Vec<serde_json::Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(rows.len(), 19);
    for row in &rows {
        let errors: Vec<String> = validator.iter_errors(row).map(|e| e.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new(), "{row}");
    }
    let mut wrong = rows[2].clone();
    wrong["state"] = "perhaps".into();
    assert!(!validator.is_valid(&wrong));
    wrong = rows[2].clone();
    wrong["row"] = "judgment".into();
    assert!(!validator.is_valid(&wrong));
}

/// Whatever leaves the directory, in every format.
#[test]
fn no_export_holds_a_number_a_name_or_an_address() {
    let someones = ["2001", "alice", "10.1.2.3", "10-1-2-3", "5038", "qa-bench"];
    let kept = [
        "1024 bytes",
        "all of 1022 bytes",
        "Asterisk Call Manager/11.0.0",
        "1204",
        "</script>",
    ];
    for format in FORMATS.into_iter().filter(|format| *format != Format::Text) {
        let raw = document(&everything(), format).unwrap().1;
        let replaced = text(format);
        for someones in someones {
            assert!(!replaced.contains(someones), "{someones} is in {format:?}");
        }
        assert!(raw.contains("2001") && raw.contains("alice"), "{format:?}");
        assert!(
            raw.contains("RAW") || raw.contains("raw"),
            "{format:?} does not say that it is raw"
        );
        let is_kept = |text: &&&str| {
            replaced
                .replace("&lt;", "<")
                .replace("&gt;", ">")
                .contains(**text)
        };
        assert!(kept.iter().filter(is_kept).count() >= 2, "{format:?}");
    }
}

#[test]
fn files_go_to_a_folder_and_formats_that_judgements_have_not_to_none() {
    let dir = tempfile::tempdir().unwrap();
    let written = write(&everything(), &USUAL, &dir.path().join("out")).unwrap();
    let names: Vec<_> = written
        .iter()
        .map(|path| path.file_name().unwrap().to_str().unwrap())
        .collect();
    assert_eq!(names, ["report.md", "junit.xml", "matrix.html"]);
    assert!(document(&everything(), Format::Hgrm).is_none());
}
