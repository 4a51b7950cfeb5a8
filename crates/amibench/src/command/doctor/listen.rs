//! What came unasked on the session that listens: whether events bear a Timestamp, and which address the PBX sees us at.
//!
//! Nothing is sent to provoke an event; our own logins make one where the account may read class `security`.

use std::net::SocketAddr;
use std::time::Duration;

use ami_client::Connection;
use ami_proto::frame::OwnedFrame;
use tokio::time::Instant;

use super::page::Finding;
use crate::refusal::Circumstances;

/// An event that our logins caused has come long before this.
const QUIET_WITHIN: Duration = Duration::from_millis(500);
/// On a busy PBX events never end.
const EVENTS_MAX: usize = 1000;

/// `told` is what the PBX itself says of `timestampevents`.
pub(super) async fn findings(
    connection: &mut Connection,
    local: SocketAddr,
    told: Option<&str>,
    at: &Circumstances<'_>,
) -> Vec<Finding> {
    let mut events = Vec::new();
    let until = Instant::now() + QUIET_WITHIN;
    while events.len() < EVENTS_MAX {
        let left = until.saturating_duration_since(Instant::now());
        match connection.next_event(left).await {
            Ok(Some(event)) => {
                let last = is(&event, "SuccessfulAuth");
                events.push(event);
                if last {
                    break;
                }
            }
            Ok(None) | Err(_) => break,
        }
    }
    let mut findings = vec![match told {
        Some("Yes") => stamped(),
        Some(_) => unstamped(at),
        None => timestamps(&events, at),
    }];
    findings.extend(seen_as(&events, local));
    findings
}

fn timestamps(events: &[OwnedFrame], at: &Circumstances<'_>) -> Finding {
    let bear = events
        .iter()
        .any(|event| event.as_frame().get("Timestamp").is_some());
    // It is written to the session that logs in, past the place where events are stamped.
    let telling = events
        .iter()
        .filter(|event| !is(event, "FullyBooted"))
        .count();
    match (bear, telling) {
        (true, _) => stamped(),
        (false, 0) => Finding::note(
            "events",
            "not checked: none came that would show a Timestamp",
        ),
        (false, _) => unstamped(at),
    }
}

fn stamped() -> Finding {
    Finding::good("events", "bear a Timestamp")
}

fn unstamped(at: &Circumstances<'_>) -> Finding {
    let how = at.vendor.words().timestamps;
    Finding::note(
        "events",
        "bear no Timestamp: event delays cannot be measured",
    )
    .caused_by("timestampevents")
    .advise(at.filled(how))
}

fn seen_as(events: &[OwnedFrame], local: SocketAddr) -> Option<Finding> {
    let login = events.iter().find(|event| is(event, "SuccessfulAuth"))?;
    let remote = login.as_frame().text("RemoteAddress")?.into_owned();
    let address = remote.split('/').nth(2)?;
    (address != local.ip().to_string()).then(|| {
        Finding::note("address", format!("the PBX sees us at {address}"))
            .advise("the account's `permit` must hold that one")
    })
}

fn is(event: &OwnedFrame, name: &str) -> bool {
    event
        .as_frame()
        .get("Event")
        .is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes()))
}
