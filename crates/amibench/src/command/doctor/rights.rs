//! What the account may do, in the vendor's words, against what the purpose needs; and the channels it can see.

use std::collections::BTreeMap;

use ami_client::connection::Reply;
use ami_load::RunTag;
use ami_proto::frame::Frame;

use super::Purpose;
use super::page::Finding;
use super::purpose::{FOR_CALLS, Right};
use crate::exit_code::Exit;
use crate::refusal::Circumstances;

pub(super) fn findings(commands: &Reply, purpose: Purpose, at: &Circumstances<'_>) -> Vec<Finding> {
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
    if purpose.calls() {
        findings.push(for_calls(&missing(&FOR_CALLS), at));
    }
    let needs = purpose.needs();
    let queries = missing(needs.queries);
    if !queries.is_empty() {
        let fact = format!("{} {}", needs.without, list(&queries));
        findings.push(Finding::note("queries", fact).advise(advice(&queries, at)));
    }
    findings
}

fn is_envelope(name: &[u8]) -> bool {
    [&b"Response"[..], b"ActionID", b"Message"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(name))
}

fn for_calls(missing: &[Right], at: &Circumstances<'_>) -> Finding {
    if missing.is_empty() {
        let names = FOR_CALLS.map(|(name, _)| name).join(", ");
        return Finding::good("calls", format!("may run {names}"));
    }
    let account = &at.target.account;
    let fact = format!("account {account} may not run {}", list(missing));
    if at.target.roles.is_empty() {
        Finding::note("calls", fact)
    } else {
        Finding::mend("calls", fact, Exit::BadInput).caused_by("write-classes")
    }
    .advise(advice(missing, at))
}

/// Without it a run sees only that its originates were taken. `read` is what the PBX says the account may read.
pub(super) fn call_events(read: Option<&str>, at: &Circumstances<'_>) -> Finding {
    let account = &at.target.account;
    let words = at.vendor.words();
    let class = words.privilege("call");
    match read {
        None => Finding::note("call events", "not told whether the account may read them")
            .advise("--one-call shows it"),
        Some(classes) if may_read(classes, "call") => {
            Finding::good("call events", "may read class call: calls can be followed")
        }
        Some(classes) => {
            let fact = format!(
                "account {account} may not read class call (only: {classes}): its calls cannot be followed"
            );
            let found = if at.target.roles.is_empty() {
                Finding::note("call events", fact)
            } else {
                Finding::mend("call events", fact, Exit::BadInput).caused_by("read-class-call")
            };
            found.advise(format!("{} {class}", at.filled(words.read)))
        }
    }
}

fn may_read(classes: &str, class: &str) -> bool {
    classes
        .split(',')
        .any(|item| item.trim() == class || item.trim() == "all")
}

fn list(rights: &[Right]) -> String {
    let names: Vec<&str> = rights.iter().map(|(name, _)| *name).collect();
    names.join(", ")
}

/// One privilege for each action that is missing; an action without a class is a module that is not loaded.
fn advice(missing: &[Right], at: &Circumstances<'_>) -> String {
    let words = at.vendor.words();
    let mut privileges: Vec<&str> = missing
        .iter()
        .filter_map(|(_, classes)| classes.first())
        .map(|class| words.privilege(class))
        .collect();
    privileges.sort_unstable();
    privileges.dedup();
    if privileges.is_empty() {
        return format!("the PBX has no {}", list(missing));
    }
    format!("{} {}", at.filled(words.write), privileges.join(", "))
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
