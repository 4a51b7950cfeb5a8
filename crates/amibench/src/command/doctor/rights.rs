//! What the account may do, in the PBX's own words, against what the load verb needs; and the channels it can see.

use std::collections::BTreeMap;

use ami_client::Target;
use ami_client::connection::Reply;
use ami_load::RunTag;
use ami_proto::frame::Frame;

use super::page::Finding;
use crate::exit_code::Exit;

/// An action and the write classes of manager.conf of which one permits it, the narrowest first.
type Right = (&'static str, &'static [&'static str]);

/// To make calls, to see that none is left, and to end those that are.
const FOR_CALLS: [Right; 3] = [
    ("Originate", &["originate"]),
    ("Hangup", &["call", "system"]),
    ("CoreShowChannels", &["reporting", "system"]),
];

/// What a mix may ask besides.
const FOR_QUERIES: [Right; 7] = [
    ("CoreSettings", &["reporting", "system"]),
    ("CoreStatus", &["reporting", "system"]),
    ("DeviceStateList", &["reporting", "call"]),
    ("ListCommands", &[]),
    ("QueueStatus", &[]),
    ("QueueSummary", &[]),
    ("Status", &["reporting", "call", "system"]),
];

pub(super) fn findings(commands: &Reply, target: &Target) -> Vec<Finding> {
    if !commands.is_success() {
        let fact = format!("not told: {}", commands.message());
        return vec![Finding::note("actions", fact)];
    }
    let response = commands.response();
    let count = response
        .headers()
        .filter(|header| !is_envelope(header.name))
        .count();
    let mut findings = vec![Finding::good("actions", format!("{count} permitted"))];
    let missing = |rights: &'static [Right]| -> Vec<Right> {
        let absent = rights
            .iter()
            .filter(|(name, _)| response.get(name).is_none());
        absent.copied().collect()
    };
    findings.push(for_calls(&missing(&FOR_CALLS), target));
    let queries = missing(&FOR_QUERIES);
    if !queries.is_empty() {
        let fact = format!("a mix cannot ask {}", list(&queries));
        findings.push(Finding::note("queries", fact).advise(advice(&queries)));
    }
    findings
}

fn is_envelope(name: &[u8]) -> bool {
    [&b"Response"[..], b"ActionID", b"Message"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(name))
}

fn for_calls(missing: &[Right], target: &Target) -> Finding {
    if missing.is_empty() {
        let names = FOR_CALLS.map(|(name, _)| name).join(", ");
        return Finding::good("calls", format!("may run {names}"));
    }
    let fact = format!("may not run {}", list(missing));
    if target.roles.is_empty() {
        Finding::note("calls", fact)
    } else {
        Finding::mend("calls", fact, Exit::BadInput)
    }
    .advise(advice(missing))
}

fn list(rights: &[Right]) -> String {
    let names: Vec<&str> = rights.iter().map(|(name, _)| *name).collect();
    names.join(", ")
}

/// One class for each action that is missing; an action without one is a module that is not loaded.
fn advice(missing: &[Right]) -> String {
    let mut classes: Vec<&str> = missing
        .iter()
        .filter_map(|(_, classes)| classes.first().copied())
        .collect();
    classes.dedup();
    let absent: Vec<&str> = missing
        .iter()
        .filter(|(_, classes)| classes.is_empty())
        .map(|(name, _)| *name)
        .collect();
    match (classes.is_empty(), absent.is_empty()) {
        (false, _) => format!(
            "in manager.conf, add to the account's `write`: {}",
            classes.join(",")
        ),
        (true, _) => format!("the PBX has no {}", absent.join(", ")),
    }
}

/// How many channels are up, and whether a run of ours left some of them.
pub(super) fn channels_up(reply: &Reply) -> Finding {
    if !reply.is_success() {
        return Finding::note("channels", format!("not told: {}", reply.message()));
    }
    let mut runs: BTreeMap<String, usize> = BTreeMap::new();
    let mut count = 0;
    for channel in reply.events("CoreShowChannel") {
        count += 1;
        if let Some(tag) = run_of(&channel) {
            *runs.entry(tag).or_default() += 1;
        }
    }
    if runs.is_empty() {
        return Finding::good("channels", format!("{count} up, none of an amibench run"));
    }
    let ours: Vec<String> = runs
        .iter()
        .map(|(tag, n)| format!("{n} of run {tag}"))
        .collect();
    Finding::note("channels", format!("{count} up, {}", ours.join(", ")))
        .advise("if that run has ended: amibench cleanup --run DIR")
}

/// The tag that every call of a run bears, in the id of its channels or in their account code.
fn run_of(channel: &Frame<'_>) -> Option<String> {
    ["Uniqueid", "Linkedid", "AccountCode"]
        .iter()
        .find_map(|header| {
            let text = channel.text(header)?;
            let tag = text.splitn(3, '-').take(2).collect::<Vec<_>>().join("-");
            RunTag::parse(&tag).map(|tag| tag.as_str().to_owned())
        })
}
