//! What was compared, as rows beside those of the cases.

use ami_conform::case::Safety;
use ami_conform::finding::Evidence;
use ami_conform::observed::Observed;
use ami_conform::recorded;
use ami_conform::replay::comparison::Compared;
use ami_conform::replay::drive::{Fate, Replayed};
use ami_conform::replay::permission::class_of;
use ami_results::judgement as row;

use crate::args::Replay;
use crate::command::verdicts;

pub(super) fn of(
    target: &str,
    compared: &Compared,
    excerpt: impl Fn(&Evidence) -> Vec<u8>,
) -> row::Judgement {
    let finding = &compared.finding;
    let evidence = finding.evidence.iter();
    row::Judgement {
        target: target.to_owned(),
        case: id(compared),
        requirement: compared.requirement.clone(),
        level: "should".to_owned(),
        authority: "recording".to_owned(),
        severity: "minor".to_owned(),
        safety: class_of(&compared.subject)
            .unwrap_or(Safety::Quiet)
            .to_string(),
        source: compared.source.clone(),
        state: finding.state,
        expected: finding.expected.clone(),
        got: finding.got.clone(),
        took_ns: 0,
        evidence: evidence
            .map(|one| verdicts::passage(one, &excerpt(one)))
            .collect(),
        left: Vec::new(),
        expectation: None,
    }
}

/// `replay.answer.coreshowchannels`, `replay.events`.
fn id(compared: &Compared) -> String {
    match compared.subject.as_str() {
        "events" => "replay.events".to_owned(),
        action => format!(
            "replay.answer.{}",
            ami_client::target::slug(action).to_lowercase()
        ),
    }
}

/// What the other side of the comparison is.
pub(super) fn with_recording(
    mut device: row::Device,
    replay: &Replay,
    then: &Observed<'_>,
    replayed: &Replayed,
) -> row::Device {
    let is_sent = |fate: &&Fate| matches!(fate, Fate::Sent(_));
    let sent = replayed.fates.values().filter(is_sent).count();
    let recorded = recorded::device(then);
    let version = recorded.version.map(|version| format!(", {version}"));
    device.facts.push(row::Fact {
        fact: "the recording".to_owned(),
        seen: format!(
            "{}: {}{}; {sent} requests sent again",
            replay.capture.display(),
            recorded.banner,
            version.unwrap_or_default(),
        ),
    });
    device
}
