//! Makes the file of expectations of a PBX from what was found there.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use ami_results::verdict::State;
use toml::Value;

use super::{Entry, Expectations};
use crate::cases;
use crate::suite::Judgement;

/// Enough to tell one finding from another.
const SIGNATURE_CHARS: usize = 160;
const NO_REASON: &str = "not looked into yet";

/// What was not judged now stays as it was; so do reasons. `tag` is what all ids of the run begin with.
pub fn write(
    before: Option<&Expectations>,
    judgements: &[Judgement],
    tag: &str,
    title: &str,
) -> String {
    let judged: BTreeMap<&str, &Judgement> = judgements
        .iter()
        .filter(|judgement| judgement.finding.state != State::Skipped)
        .map(|judgement| (judgement.case.id, judgement))
        .collect();
    let applied_before: BTreeSet<&str> = before
        .and_then(|before| before.applied.as_ref())
        .into_iter()
        .flatten()
        .map(String::as_str)
        .collect();
    let mut text =
        format!("# {title}\n# Made by `amibench conform --write-expected`: reasons are kept.\n\n");
    text.push_str("applied = [\n");
    for case in cases::all() {
        let applies = match judged.get(case.id) {
            Some(judgement) => judgement.finding.state != State::NotApplicable,
            None => applied_before.contains(case.id),
        };
        if applies {
            let _ = writeln!(text, "    {:?},", case.id);
        }
    }
    text.push_str("]\n");
    for case in cases::all() {
        let known = before.and_then(|before| before.entry(case));
        match (judged.get(case.id), known) {
            (Some(judgement), known) => text += &entry_of(judgement, known, tag),
            (None, Some(known)) => text += &known.to_text(),
            (None, None) => {}
        }
    }
    text
}

/// Empty where there is nothing to be accepted.
fn entry_of(judgement: &Judgement, known: Option<&Entry>, tag: &str) -> String {
    let finding = &judgement.finding;
    let state = finding.state;
    if !matches!(state, State::Fail | State::Warn | State::Inconclusive) {
        // What was expected to pass in a certain way still does.
        let pinned = known.filter(|known| known.state == state && known.is_signed(&finding.got));
        return pinned.map(Entry::to_text).unwrap_or_default();
    }
    if let Some(same) = known.filter(|known| known.state == state && known.is_signed(&finding.got))
    {
        return same.to_text();
    }
    let entry = Entry {
        case: judgement.case,
        state,
        signature: Some(signature(&finding.got, tag)),
        reason: known.map_or_else(|| NO_REASON.to_owned(), |known| known.reason.clone()),
        until: known.and_then(|known| known.until),
        place: ami_client::document::Place {
            origin: String::new(),
            line: 0,
            column: 0,
        },
    };
    entry.to_text()
}

/// What is found again the next time: without the ids of this run.
fn signature(got: &str, tag: &str) -> String {
    let short: String = got.chars().take(SIGNATURE_CHARS).collect();
    if !short.contains(tag) {
        return short;
    }
    let mut pattern = "^".to_owned();
    let mut parts = short.split(tag);
    pattern.push_str(parts.next().unwrap_or_default());
    for part in parts {
        // Behind the tag stands a number.
        let rest = part.trim_start_matches(|c: char| c == '-' || c.is_ascii_digit());
        pattern.push('*');
        pattern.push_str(rest);
    }
    if short.len() < got.len() {
        pattern.push('*');
    }
    pattern + "$"
}

impl Entry {
    fn to_text(&self) -> String {
        let Self {
            case,
            state,
            signature,
            reason,
            until,
            ..
        } = self;
        let quoted = |text: &str| Value::String(text.to_owned()).to_string();
        let mut text = format!(
            "\n[[expected]]\ncase = {:?}\nstate = {:?}\n",
            case.id,
            state.slug()
        );
        if let Some(signature) = signature {
            let _ = writeln!(text, "signature = {}", quoted(signature));
        }
        let _ = writeln!(text, "reason = {}", quoted(reason));
        if let Some(until) = until {
            let _ = writeln!(text, "until = {until}");
        }
        text
    }
}
