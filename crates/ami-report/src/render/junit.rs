//! `junit.xml` for continuous integration: a suite per target, also one that was never reached, with a case per
//! threshold and two that always stand: whether the generator kept its schedule, and whether the run completed.

use std::time::Duration;

use ami_results::manifest::{self, End};
use ami_results::verdict::{State, Verdict};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::quantity::{count, duration};
use crate::summary::{Summary, Target};

pub fn render(summary: &Summary) -> String {
    let mut report = Report::new(format!("amibench {}", summary.manifest.scenario.name));
    let described = &summary.manifest.targets;
    for (target, described) in summary.targets.iter().zip(described) {
        report.add_test_suite(suite(summary, target, described));
    }
    report.set_time(Duration::from_nanos(summary.ended_at));
    document(&report)
}

/// As the schemas of CI servers have it: on the outermost element they know no `skipped`, which the writer counts there.
pub(crate) fn document(report: &Report) -> String {
    let text = report
        .to_string()
        .expect("a report is valid XML, and a write to memory cannot fail");
    let Some(begin) = text.find("<testsuites ") else {
        return text;
    };
    let end = text[begin..].find('>').map_or(text.len(), |at| begin + at);
    let (name, quote) = (" skipped=\"", '"');
    let counted = text[begin..end].find(name).map(|at| begin + at);
    let Some(from) = counted else { return text };
    let value = from + name.len();
    let to = text[value..].find(quote).map_or(end, |at| value + at + 1);
    format!("{}{}", &text[..from], &text[to..])
}

fn suite(summary: &Summary, target: &Target, described: &manifest::Target) -> TestSuite {
    let mut suite = TestSuite::new(target.name.clone());
    for property in properties(summary, described) {
        suite.add_property(property);
    }
    suite.set_time(Duration::from_nanos(summary.ended_at));
    let mut add = |name: &str, status| {
        let mut case = TestCase::new(name, status);
        case.set_classname(format!(
            "{}.{}",
            summary.manifest.scenario.name, target.name
        ));
        suite.add_test_case(case);
    };
    for verdict in summary.verdicts_of(target) {
        let subject = verdict.subject.strip_prefix(&target.name);
        add(
            subject.unwrap_or(&verdict.subject).trim_start(),
            threshold(verdict),
        );
    }
    add("the generator keeps its schedule", schedule(summary));
    add("the run completes", completion(summary, described));
    suite
}

/// How the names are stands first.
fn properties(summary: &Summary, target: &manifest::Target) -> Vec<(String, String)> {
    let manifest = &summary.manifest;
    let mut properties = vec![
        ("naming", summary.naming.to_string()),
        ("amibench", manifest.version.clone()),
        ("run", manifest.run_id.clone()),
        ("scenario", manifest.scenario.name.clone()),
        ("seed", manifest.seed.to_string()),
        ("plan_sha256", manifest.plan_sha256.clone()),
        ("started_at", manifest.started_at.to_string()),
    ];
    let segment = manifest.segment.map(|segment| segment.to_string());
    properties.extend(segment.map(|segment| ("segment", segment)));
    properties.extend(
        target
            .version
            .clone()
            .map(|version| ("target.version", version)),
    );
    properties.extend(
        target
            .banner
            .clone()
            .map(|banner| ("target.banner", banner)),
    );
    let labels = manifest.labels.iter().chain(&target.labels);
    properties
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .chain(labels.map(|(key, value)| (format!("label.{key}"), value.clone())))
        .collect()
}

fn threshold(verdict: &Verdict) -> TestCaseStatus {
    let against = format!("measured {}, limit {}", verdict.measured, verdict.limit);
    match verdict.state {
        State::Pass | State::Warn => TestCaseStatus::success(),
        State::Fail => not(
            NonSuccessKind::Failure,
            "threshold",
            &match &verdict.detail {
                Some(detail) => format!("{against}: {detail}"),
                None => against,
            },
        ),
        State::NotApplicable | State::Skipped | State::Inconclusive => {
            let detail = verdict.detail.as_deref().unwrap_or(&against);
            skipped(&format!("{}: {detail}", verdict.state))
        }
    }
}

fn schedule(summary: &Summary) -> TestCaseStatus {
    let validity = &summary.validity;
    if validity.is_valid() {
        return TestCaseStatus::success();
    }
    let message = format!(
        "INVALID: {}; {} of {} arrivals late, {} of {} seconds bad",
        validity.reasons.join("; "),
        count(validity.late),
        count(validity.offered),
        validity.bad_seconds,
        validity.seconds
    );
    not(NonSuccessKind::Error, "invalid", &message)
}

fn completion(summary: &Summary, target: &manifest::Target) -> TestCaseStatus {
    let after = duration(summary.ended_at);
    if let Some(failure) = &target.failure {
        return not(NonSuccessKind::Error, "target", failure);
    }
    match &summary.manifest.end {
        End::Completed => TestCaseStatus::success(),
        End::Aborted { reason } => {
            let message = format!("aborted after {after}: {reason}");
            not(NonSuccessKind::Failure, "aborted", &message)
        }
        End::Interrupted => skipped(&format!("interrupted after {after}")),
        End::Running => not(
            NonSuccessKind::Error,
            "unfinished",
            "killed, or it runs still",
        ),
    }
}

pub(crate) fn not(kind: NonSuccessKind, type_: &str, message: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(type_).set_message(message);
    status
}

pub(crate) fn skipped(message: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_message(message);
    status
}
