//! `junit.xml`: a suite for each PBX, also for one that was never reached; a case is named by its id, its class is its
//! area. What was expected to fail and does is skipped; what was not and passes is a failure: somebody must look.

use std::time::Duration;

use ami_results::judgement::{How, Judgement, Outcome};
use ami_results::verdict::State;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::passage::shown;
use super::sums;
use super::{Column, Conformance, Judged};
use crate::pseudonym::Naming;
use crate::render::junit::{document, not, skipped};

pub fn render(conformance: &Conformance) -> String {
    let mut report = Report::new("amibench conform");
    for column in &conformance.columns {
        report.add_test_suite(suite(column, conformance.naming));
    }
    document(&report)
}

fn suite(column: &Column, naming: Naming) -> TestSuite {
    let mut suite = TestSuite::new(shown(&column.name));
    for property in properties(column, naming) {
        suite.add_property(property);
    }
    for judged in &column.judged {
        let judgement = &judged.judgement;
        let mut case = TestCase::new(judgement.case.clone(), status(column, judged));
        case.set_classname(judgement.area());
        case.set_time(Duration::from_nanos(judgement.took_ns));
        suite.add_test_case(case);
    }
    let mut add = |name: &str, status| {
        let mut case = TestCase::new(name, status);
        case.set_classname("run");
        suite.add_test_case(case);
    };
    for objection in column.objections() {
        add(
            "the expectations hold",
            not(NonSuccessKind::Failure, "expectation", &shown(objection)),
        );
    }
    add("the run completes", completion(column));
    suite
}

/// How the names are stands first.
fn properties(column: &Column, naming: Naming) -> Vec<(String, String)> {
    let run = &column.run;
    let mut properties = vec![
        ("naming".to_owned(), naming.to_string()),
        ("amibench".to_owned(), run.version.clone()),
        ("catalogue".to_owned(), run.catalogue.clone()),
        ("seed".to_owned(), run.seed.to_string()),
        ("started_at".to_owned(), run.started_at.to_string()),
        (
            "verdict".to_owned(),
            column.standing().words().to_lowercase(),
        ),
    ];
    let facts = column.facts().into_iter();
    properties.extend(facts.map(|(name, fact)| (format!("target.{name}"), shown(fact))));
    let labels = run.labels.iter().chain(&column.device.labels);
    properties.extend(labels.map(|(key, value)| (format!("label.{key}"), value.clone())));
    properties
}

fn status(column: &Column, judged: &Judged) -> TestCaseStatus {
    let judgement = &judged.judgement;
    let got = shown(&judgement.got);
    let remark = sums::remark(judgement).map(|remark| shown(&remark));
    let message = match &remark {
        Some(remark) => format!("{remark}; got {got}"),
        None if judgement.expected.is_empty() => got,
        None => format!("expected {}, got {got}", shown(&judgement.expected)),
    };
    let described = |kind, type_| {
        let mut status = not(kind, type_, &message);
        status.set_description(description(judged));
        status
    };
    let is_expected = judgement.outcome() == Some(Outcome::AsExpected);
    match judgement.state {
        _ if !judgement.left.is_empty() => described(NonSuccessKind::Failure, "left-behind"),
        State::Fail if !is_expected => described(NonSuccessKind::Failure, &judgement.severity),
        _ if judgement.is_wrong() => described(NonSuccessKind::Failure, "expectation"),
        State::Fail => skipped(&message),
        State::Inconclusive if is_expected || column.is_of_a_recording() => skipped(&message),
        State::Inconclusive => described(NonSuccessKind::Error, "inconclusive"),
        State::Pass | State::Warn => TestCaseStatus::success(),
        state @ (State::NotApplicable | State::Skipped) => {
            skipped(&format!("{}: {message}", sums::words(state)))
        }
    }
}

fn description(judged: &Judged) -> String {
    let Judgement {
        requirement,
        expected,
        got,
        source,
        ..
    } = &judged.judgement;
    let mut lines = vec![requirement.clone()];
    if !expected.is_empty() {
        lines.push(format!("expected: {}", shown(expected)));
    }
    lines.push(format!("got: {}", shown(got)));
    lines.push(format!("source: {source}"));
    let left = judged.judgement.left.iter();
    lines.extend(left.map(|left| format!("left behind: {}", shown(left))));
    for passage in &judged.passages {
        lines.push(passage.place());
        let bytes = passage.lines.iter();
        lines.extend(
            bytes.map(|line| format!("{:>8}  {}{}", line.offset, line.text, line.visible_end())),
        );
    }
    lines.join("\n")
}

fn completion(column: &Column) -> TestCaseStatus {
    if let Some(why) = &column.device.unreachable {
        return not(NonSuccessKind::Error, "unreachable", &shown(why));
    }
    let (judged, unjudged) = (column.judged.len(), column.unjudged());
    match column.end.as_ref().map(|end| end.how) {
        Some(How::Completed) => TestCaseStatus::success(),
        Some(How::Interrupted) => skipped(&format!(
            "interrupted: {judged} judged, {unjudged} not reached"
        )),
        Some(How::Unreachable) => not(NonSuccessKind::Error, "unreachable", "it was never judged"),
        None => not(
            NonSuccessKind::Error,
            "unfinished",
            &format!("killed, or it runs still: {judged} judged, {unjudged} not reached"),
        ),
    }
}
