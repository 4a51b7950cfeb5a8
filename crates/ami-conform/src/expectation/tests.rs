//! Every way in which a file and a judgement can meet.

use std::path::Path;
use std::time::Duration;

use super::*;
use crate::finding::Finding;

const FILE: &str = r#"applied = ["banner.greeting.first", "limit.line.edge"]

[[expected]]
case = "limit.line.edge"
state = "fail"
signature = "1023 bytes"
reason = "the buffer holds no more"
until = 2026-03-01
"#;

fn parse(text: &str) -> Result<Expectations, DocumentError> {
    Expectations::parse(&Document::embedded("pbx", Path::new(""), text))
}

fn judgement(id: &str, finding: Finding) -> Judgement {
    Judgement {
        case: cases::find(id).unwrap(),
        finding,
        took: Duration::ZERO,
        left: Vec::new(),
    }
}

fn first() -> &'static str {
    cases::all().next().unwrap().id
}

fn file() -> Expectations {
    parse(&FILE.replace("banner.greeting.first", first())).unwrap()
}

fn check(id: &str, finding: Finding, today: &str, expected: Option<(Outcome, &str)>) {
    let compared = file().compare(&judgement(id, finding), today.parse().unwrap());
    let found = compared.map(|it| (it.outcome, it.advice.unwrap_or_default()));
    let found = found
        .as_ref()
        .map(|(outcome, advice)| (*outcome, advice.as_str()));
    assert_eq!(found, expected);
}

#[test]
fn an_entry_meets_what_is_found() {
    let edge = |finding, today, outcome, advice| {
        check("limit.line.edge", finding, today, Some((outcome, advice)));
    };
    let same = || Finding::fail("a Pong", "an error at 1023 bytes");
    let before = "2026-03-01";
    edge(same(), before, Outcome::AsExpected, "");
    let warned = "<embedded pbx>:4:8: expected until 2026-03-01; from 2026-03-16 on it fails";
    edge(same(), "2026-03-02", Outcome::AsExpected, warned);
    edge(same(), "2026-03-15", Outcome::AsExpected, warned);
    let over = "<embedded pbx>:4:8: it was expected until 2026-03-01; mend it, or look again";
    edge(same(), "2026-03-16", Outcome::Stale, over);
    let other = Finding::fail("a Pong", "silence");
    let told = "<embedded pbx>:4:8 expects another finding: 1023 bytes";
    edge(other, before, Outcome::Unexpected, told);
    let told = "<embedded pbx>:4:8 expects fail";
    edge(
        Finding::warn("", "1023 bytes"),
        before,
        Outcome::Unexpected,
        told,
    );
    let delete = "delete the entry at <embedded pbx>:4:8 (case = \"limit.line.edge\")";
    edge(Finding::pass("a Pong"), before, Outcome::Fixed, delete);
    check("limit.line.edge", Finding::skipped(""), before, None);
}

#[test]
fn what_applied_and_does_no_more_is_told_with_what_was_lost() {
    let lost = Finding::not_applicable("the account may not run Ping");
    let told = "it applied when <embedded pbx> was written: the account may not run Ping";
    check(
        first(),
        lost,
        "2026-01-01",
        Some((Outcome::Unexpected, told)),
    );
    check(first(), Finding::fail("", "x"), "2026-01-01", None);
    check(
        "limit.connect.ten-at-once",
        Finding::not_applicable("x"),
        "2026-01-01",
        None,
    );
}

#[test]
fn an_entry_of_a_case_that_does_not_apply_is_stale() {
    let text = FILE
        .replace(", \"limit.line.edge\"]", "]")
        .replace("banner.greeting.first", first());
    let judgement = judgement("limit.line.edge", Finding::not_applicable("no TCP"));
    let compared = parse(&text)
        .unwrap()
        .compare(&judgement, "2026-01-01".parse().unwrap());
    assert_eq!(compared.unwrap().outcome, Outcome::Stale);
}

#[test]
fn a_bad_file_names_the_place() {
    let error = |from: &str, to: &str| {
        let text = FILE
            .replace("banner.greeting.first", first())
            .replace(from, to);
        parse(&text).unwrap_err().to_string()
    };
    let check = |from: &str, to: &str, expected: &str| {
        let error = error(from, to);
        assert!(error.contains(expected), "{error}");
    };
    check(
        "\"fail\"",
        "\"failed\"",
        "5:9: unknown state \"failed\": fail, warn, inconclusive, pass can be",
    );
    check("the buffer holds no more", " ", "7:10: a reason says why");
    check(
        "2026-03-01",
        "2026-03-01T00:00:00Z",
        "8:9: `until` is a date",
    );
    check("reason", "raeson", "unknown field `raeson`");
    let twice = format!(
        "{}{}",
        FILE.replace("banner.greeting.first", first()),
        FILE.split_once("\n\n").unwrap().1
    );
    let error = parse(&twice).unwrap_err().to_string();
    assert!(
        error.contains("limit.line.edge is expected twice"),
        "{error}"
    );
}

#[test]
fn cases_that_there_are_not_are_objections() {
    let objections = parse(FILE).unwrap().objections();
    let told = "<embedded pbx>:1:12: no case is called \"banner.greeting.first\": delete the line";
    assert_eq!(objections, [told]);
}

#[test]
fn a_signature_stands_in_the_finding_or_is_the_whole_of_it() {
    for (signature, got, expected) in [
        ("an error", "there was an error", true),
        ("an error", "none", false),
        ("^an error$", "an error", true),
        ("^an error$", "an error.", false),
        ("^an * error$", "an odd error", true),
        ("^a*b*c$", "a1b2c", true),
        ("^a*b*c$", "a1c2b", false),
        ("^*$", "", true),
        ("^aa*aa$", "aaa", false),
    ] {
        assert_eq!(matches(signature, got), expected, "{signature} {got}");
    }
}

#[test]
fn what_is_written_expects_what_was_found_and_keeps_reasons() {
    let before = file();
    let judgements = [
        judgement(first(), Finding::pass("it is")),
        judgement(
            "limit.connect.ten-at-once",
            Finding::fail("a banner", "conn-1-17: closed \"early\""),
        ),
        judgement("limit.output.unread", Finding::not_applicable("no")),
    ];
    let text = write(Some(&before), &judgements, "conn-1", "A PBX");
    let after = parse(&text).unwrap();
    let today = "2026-01-01".parse().unwrap();
    let outcome = |judgement| after.compare(judgement, today).map(|it| it.outcome);
    assert_eq!(outcome(&judgements[1]), Some(Outcome::AsExpected), "{text}");
    assert_eq!(outcome(&judgements[2]), None, "{text}");
    assert!(
        text.contains("signature = '^*: closed \"early\"$'"),
        "{text}"
    );
    assert!(
        text.contains("reason = \"the buffer holds no more\""),
        "{text}"
    );
    assert!(text.contains("until = 2026-03-01"), "{text}");
    let applied: Vec<&str> = after.applied.iter().flatten().map(String::as_str).collect();
    let mut expected = [first(), "limit.line.edge", "limit.connect.ten-at-once"];
    expected.sort_unstable();
    assert_eq!(applied, expected);
}
