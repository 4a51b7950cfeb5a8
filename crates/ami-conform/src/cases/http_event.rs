//! Events over HTTP, which come only to who waits for them.

use std::time::Duration;

use ami_proto::frame::OwnedFrame;

use crate::bench::Bench;
use crate::case::{Authority, CASE, Case, Check, Level, Need, Safety, Severity};
use crate::finding::{Finding, Judged};
use crate::probe::ANSWER_WITHIN;
use crate::web::{Answer, Request, WebSession};

/// Others may tell events of their own meanwhile.
const WAITS_MAX: usize = 10;
/// Longer than a PBX takes to let a WaitEvent begin.
const UNDER_WAY: Duration = Duration::from_millis(500);
/// WaitEvent looks whether there is an event once a second.
const LOOK: Duration = Duration::from_secs(2);

const EVENT: Case = Case {
    authority: Authority::Asterisk,
    source: "manager.c action_waitevent",
    ..CASE
};

pub(super) const CASES: &[Case] = &[
    Case {
        id: "http.wait.delivers-once",
        requirement: "WaitEvent over HTTP tells an event once, and not again.",
        safety: Safety::CreatesState,
        needs: &[Need::Http, Need::Action("UserEvent"), Need::Read("user")],
        check: Check::Active(|bench| Box::pin(delivered(bench))),
        ..EVENT
    },
    Case {
        id: "http.wait.one-at-a-time",
        requirement: "What becomes of a WaitEvent when its session begins another.",
        level: Level::Observe,
        severity: Severity::Info,
        needs: &[Need::Http, Need::Action("WaitEvent")],
        check: Check::Active(|bench| Box::pin(kicked(bench))),
        ..EVENT
    },
    Case {
        id: "http.inject.user-event",
        requirement: "Line ends in what a UserEvent says make no events of their own.",
        severity: Severity::Blocker,
        safety: Safety::Disruptive,
        needs: &[Need::Http, Need::Action("UserEvent"), Need::Read("user")],
        source: "manager.c generic_http_callback takes parameters as they are",
        catches: &["events forged for every client by who may send user events"],
        check: Check::Active(|bench| Box::pin(injected(bench))),
        ..EVENT
    },
];

async fn wait(bench: &mut Bench<'_>, session: &WebSession) -> Result<Answer, Finding> {
    let request = Request::post("rawman", "WaitEvent").with("Timeout", "1");
    let asked = bench.web_begin(&session.says(request)).await?;
    asked.answer(ANSWER_WITHIN).await
}

/// How often this UserEvent is told.
fn count(answer: &Answer, name: &str) -> usize {
    let frames = answer.frames();
    let frames = frames.iter().map(OwnedFrame::as_frame);
    frames
        .filter(|frame| {
            frame.get("Event") == Some(b"UserEvent")
                && frame.get("UserEvent") == Some(name.as_bytes())
        })
        .count()
}

async fn delivered(bench: &mut Bench<'_>) -> Judged {
    let session = bench.web_session("user").await?;
    // From the first one on, events are kept for it.
    wait(bench, &session).await?;
    let mut teller = bench.session().await?;
    let name = bench.id();
    teller.ask("UserEvent", &[("UserEvent", &name)]).await?;
    let mut told = 0;
    let mut evidence = Vec::new();
    for _ in 0..WAITS_MAX {
        let answer = wait(bench, &session).await?;
        told = count(&answer, &name);
        evidence.push(answer.evidence);
        if told > 0 {
            break;
        }
    }
    let after = wait(bench, &session).await?;
    told += count(&after, &name);
    evidence.push(after.evidence);
    let evidence = evidence.split_off(evidence.len() - 2);
    match told {
        1 => Ok(Finding::pass("once").with_all(evidence)),
        0 => Ok(Finding::fail("once", "never").with_all(evidence)),
        _ => Ok(Finding::fail("once", "more than once").with_all(evidence)),
    }
}

async fn kicked(bench: &mut Bench<'_>) -> Judged {
    // Of a class of which hardly an event is told; others end it too, on some PBXs.
    let session = bench.web_session("agi").await?;
    for _ in 0..WAITS_MAX {
        wait(bench, &session).await?;
        let long = Request::post("rawman", "WaitEvent").with("Timeout", "20");
        let mut first = bench.web_begin(&session.says(long)).await?;
        if first.is_answered(UNDER_WAY).await {
            continue;
        }
        let short = Request::post("rawman", "WaitEvent").with("Timeout", "2");
        let second = bench.web_begin(&session.says(short)).await?;
        let ended = first.answer(LOOK + LOOK).await;
        let second = second.answer(ANSWER_WITHIN).await?;
        let Ok(first) = ended else {
            return Ok(Finding::pass("it goes on").with(second.evidence));
        };
        if first.is("Response", "Success") {
            continue;
        }
        let got = match first.body.as_slice() {
            [] => "it ends with an empty answer",
            _ => "it ends with an error",
        };
        return Ok(Finding::pass(got).with(first.evidence));
    }
    Ok(Finding::inconclusive("events end it each time"))
}

async fn injected(bench: &mut Bench<'_>) -> Judged {
    let session = bench.web_session("off").await?;
    let mut listener = bench.rude_listener("user").await?;
    let name = bench.id();
    let forged = format!("Forged{name}");
    let value = format!("1\r\n\r\nEvent: {forged}\r\nPrivilege: user,all");
    let request = Request::post("rawman", "UserEvent")
        .with("UserEvent", &name)
        .with("Said", &value);
    bench
        .web(&session.says(request))
        .await?
        .expect_status(200)?;
    let event = listener
        .event("the UserEvent", |got| got.has("UserEvent", &name))
        .await?;
    let behind = listener.barrier_behind().await?;
    if let Some(forged) = behind.iter().find(|got| got.is_event(&forged)) {
        let evidence = [event.evidence(), forged.evidence()];
        let finding = Finding::fail("one event", "another one, forged");
        return Ok(finding.with_all(evidence));
    }
    Ok(Finding::pass("one event").with(event.evidence()))
}
