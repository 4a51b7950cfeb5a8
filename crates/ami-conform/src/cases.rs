//! The catalogue: all cases, by area.

use sha2::{Digest as _, Sha256};

use crate::bench::Bench;
use crate::case::Case;
use crate::finding::{Finding, Judged};

mod account;
mod action_id;
pub(crate) mod auth;
mod banner;
mod call;
mod command;
mod documented;
mod error;
mod event;
mod event_account;
mod event_gate;
mod framing;
mod header;
mod http;
mod http_body;
mod http_digest;
mod http_event;
mod limit;
mod list;
mod originate;
mod originate_refusal;
mod originate_rights;
mod queue;
mod response;
mod rights;
mod security;
mod session;
mod tls;

const AREAS: &[&[Case]] = &[
    banner::CASES,
    framing::CASES,
    header::CASES,
    auth::CASES,
    rights::CASES,
    account::CASES,
    security::CASES,
    session::CASES,
    action_id::CASES,
    response::CASES,
    error::CASES,
    list::CASES,
    command::CASES,
    event::CASES,
    event_gate::CASES,
    event_account::CASES,
    originate_refusal::CASES,
    originate_rights::CASES,
    originate::CASES,
    call::CASES,
    queue::CASES,
    limit::CASES,
    http::CASES,
    http_body::CASES,
    http_digest::CASES,
    http_event::CASES,
    tls::CASES,
];

/// As many messages of a kind are kept as evidence.
const SHOWN: usize = 5;

/// In the order of the catalogue.
pub fn all() -> impl Iterator<Item = &'static Case> {
    AREAS.iter().copied().flatten()
}

pub fn find(name: &str) -> Option<&'static Case> {
    all().find(|case| case.is_called(name))
}

/// The same for the same cases: two runs with one digest can be laid side by side.
pub fn digest() -> String {
    let mut digest = Sha256::new();
    for case in all() {
        digest.update(case.id);
        digest.update(case.requirement);
    }
    hex(&digest.finalize())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// These bytes, with a fresh ActionID for `{id}`, are answered as a Ping is, and the stream stays in step.
async fn pong(bench: &mut Bench<'_>, bytes: &str) -> Judged {
    let mut probe = bench.rude_session().await?;
    let id = bench.id();
    probe.raw(bytes.replace("{id}", &id)).await;
    let answer = probe.answer().await?;
    answer.expect("Response", "Success")?;
    probe.barrier().await?;
    Ok(Finding::pass("answered as a Ping").with(answer.evidence()))
}

/// This request is an error, whatever its Message says, and the session goes on.
async fn refused(bench: &mut Bench<'_>, action: &str, headers: &[(&str, &str)]) -> Judged {
    let mut probe = bench.rude_session().await?;
    let answer = probe.ask(action, headers).await?;
    answer.expect("Response", "Error")?;
    probe.barrier().await?;
    Ok(answer.pass_with_message())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::case::{Check, Level, Severity};

    #[test]
    fn every_record_is_whole_and_its_id_is_its_own() {
        let mut ids = BTreeSet::new();
        for case in all() {
            let id = case.id;
            assert_eq!(id.split('.').count(), 3, "{id}: area.subject.behaviour");
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-".contains(c);
            assert!(id.chars().all(plain), "{id}");
            for name in case.aliases.iter().chain([&id]) {
                assert!(ids.insert(*name), "{name} stands twice");
            }
            assert!(case.requirement.ends_with('.'), "{id}: a sentence");
            assert!(!case.source.is_empty(), "{id}: where it is from");
            let observed = case.level == Level::Observe;
            assert_eq!(
                observed,
                case.severity == Severity::Info,
                "{id}: info is for what is only observed"
            );
        }
    }

    #[test]
    fn nothing_seen_is_no_pass() {
        let nothing = crate::observed::Observed::of(&[], |_| crate::log::Manners::Proper);
        for case in all() {
            if let Check::Passive(check) = case.check {
                let state = check(&nothing).state;
                assert_eq!(
                    state,
                    ami_results::verdict::State::Inconclusive,
                    "{}",
                    case.id
                );
            }
        }
    }
}
