//! What a PBX says to requests that it cannot carry out.

use crate::bench::Bench;
use crate::case::{Authority, CASE, Case, Check, Level, Safety, Severity};
use crate::finding::{Finding, Judged};

/// What stands around an unknown name is cut at 511 bytes by stock Asterisk.
const TEXT_MAX: usize = 520;

pub(super) const CASES: &[Case] = &[
    Case {
        id: "error.action.unknown",
        requirement: "An action that does not exist is an error, and the session goes on.",
        safety: Safety::Noisy,
        source: "manager.c process_message",
        check: Check::Active(|bench| Box::pin(unknown(bench))),
        ..CASE
    },
    Case {
        id: "error.action.unknown-text",
        requirement: "The error for an unknown action names it and says `Invalid/unknown command`.",
        level: Level::Should,
        authority: Authority::Asterisk,
        severity: Severity::Minor,
        safety: Safety::Noisy,
        source: "manager.c process_message, 1.8 to 23",
        check: Check::Active(|bench| Box::pin(unknown_text(bench))),
        ..CASE
    },
    Case {
        id: "error.action.unknown-bounded",
        requirement: "The error for an unknown action of 900 bytes is one line of bounded length.",
        level: Level::May,
        authority: Authority::Asterisk,
        severity: Severity::Minor,
        safety: Safety::Noisy,
        source: "manager.c process_message: a buffer of 512 bytes, since 1.6",
        check: Check::Active(|bench| Box::pin(unknown_bounded(bench))),
        ..CASE
    },
    Case {
        id: "error.action.missing",
        requirement: "A request without Action is an error, and the session goes on.",
        safety: Safety::Noisy,
        source: "manager.c process_message",
        check: Check::Active(|bench| Box::pin(missing(bench, ""))),
        ..CASE
    },
    Case {
        id: "error.action.empty",
        requirement: "An empty Action is none.",
        level: Level::Should,
        authority: Authority::Asterisk,
        severity: Severity::Minor,
        safety: Safety::Noisy,
        source: "manager.c process_message: ast_strlen_zero",
        check: Check::Active(|bench| Box::pin(missing(bench, "Action:\r\n"))),
        ..CASE
    },
];

async fn unknown(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.rude_session().await?;
    let name = format!("NoSuch{}", bench.id());
    let answer = probe.ask(&name, &[]).await?;
    answer.expect("Response", "Error")?;
    probe.barrier().await?;
    Ok(Finding::pass("an error").with(answer.evidence()))
}

async fn unknown_text(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.rude_session().await?;
    let name = format!("NoSuch{}", bench.id());
    let answer = probe.ask(&name, &[]).await?;
    answer.expect_error(&format!(
        "Invalid/unknown command: {name}. Use Action: ListCommands to show available commands."
    ))?;
    Ok(Finding::pass("it does").with(answer.evidence()))
}

async fn unknown_bounded(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.rude_session().await?;
    let name = format!("NoSuch{}", "x".repeat(900));
    let answer = probe.ask(&name, &[]).await?;
    answer.expect("Response", "Error")?;
    let length = answer.text("Message").map_or(0, |text| text.len());
    if length > TEXT_MAX {
        let got = format!("a Message of {length} bytes");
        return Ok(Finding::fail(format!("at most {TEXT_MAX} bytes"), got).with(answer.evidence()));
    }
    probe.barrier().await?;
    Ok(Finding::pass(format!("{length} bytes")).with(answer.evidence()))
}

async fn missing(bench: &mut Bench<'_>, action: &str) -> Judged {
    let mut probe = bench.rude_session().await?;
    let id = bench.id();
    probe.raw(format!("{action}ActionID: {id}\r\n\r\n")).await;
    let answer = probe.answer().await?;
    answer.expect_error("Missing action in request")?;
    answer.expect("ActionID", &id)?;
    probe.barrier().await?;
    Ok(Finding::pass("`Missing action in request`").with(answer.evidence()))
}
