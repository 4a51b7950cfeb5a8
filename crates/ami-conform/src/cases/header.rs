//! How a PBX reads the headers of a request.

use crate::bench::Bench;
use crate::case::{Authority, CASE, Case, Check, Level, Severity};
use crate::finding::{Finding, Judged};

pub(super) const CASES: &[Case] = &[
    Case {
        id: "header.name.any-case",
        requirement: "Names of headers are read without regard to case.",
        source: "manager.c, astman_get_header: strncasecmp",
        check: Check::Active(|bench| {
            Box::pin(pong(bench, "aCtIoN: Ping\r\nACTIONID: {id}\r\n\r\n"))
        }),
        ..CASE
    },
    Case {
        id: "header.value.no-space",
        requirement: "A header needs no space after its colon.",
        level: Level::Should,
        authority: Authority::Asterisk,
        severity: Severity::Minor,
        source: "manager.c since 1.8",
        check: Check::Active(|bench| Box::pin(pong(bench, "Action:Ping\r\nActionID:{id}\r\n\r\n"))),
        ..CASE
    },
];

/// These bytes, with a fresh ActionID, are answered as a Ping is, and the stream stays in step.
async fn pong(bench: &mut Bench<'_>, bytes: &str) -> Judged {
    let mut probe = bench.rude_session().await?;
    let id = bench.id();
    probe.raw(bytes.replace("{id}", &id)).await;
    let answer = probe.answer().await?;
    answer.expect("Response", "Success")?;
    answer.expect("Ping", "Pong")?;
    answer.expect("ActionID", &id)?;
    probe.barrier().await?;
    Ok(Finding::pass("answered as a Ping").with(answer.evidence()))
}
