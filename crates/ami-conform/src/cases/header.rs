//! How a PBX reads the headers of a request.

use crate::bench::Bench;
use crate::case::{Authority, CASE, Case, Check, Level, Safety, Severity};
use crate::finding::{Finding, Judged};

pub(super) const CASES: &[Case] = &[
    Case {
        id: "header.name.any-case",
        requirement: "Names of headers are read without regard to case.",
        source: "manager.c astman_get_header: strncasecmp",
        check: Check::Active(|bench| {
            Box::pin(super::pong(bench, "aCtIoN: Ping\r\nACTIONID: {id}\r\n\r\n"))
        }),
        ..CASE
    },
    Case {
        id: "header.name.leading-space",
        requirement: "A name behind a blank is another name.",
        level: Level::May,
        authority: Authority::Asterisk,
        severity: Severity::Minor,
        safety: Safety::Noisy,
        source: "manager.c astman_get_header, since 1.6",
        check: Check::Active(|bench| {
            Box::pin(no_action(bench, " Action: Ping\r\nActionID: {id}\r\n\r\n"))
        }),
        ..CASE
    },
    Case {
        id: "header.name.space-before-colon",
        requirement: "A name with a blank before its colon is another name.",
        level: Level::May,
        authority: Authority::Asterisk,
        severity: Severity::Minor,
        safety: Safety::Noisy,
        source: "manager.c astman_get_header, since 1.6",
        check: Check::Active(|bench| {
            Box::pin(no_action(bench, "Action : Ping\r\nActionID: {id}\r\n\r\n"))
        }),
        ..CASE
    },
    Case {
        id: "header.value.no-space",
        requirement: "A header needs no space behind its colon.",
        level: Level::Should,
        authority: Authority::Asterisk,
        severity: Severity::Minor,
        source: "manager.c astman_get_header, since 1.8",
        check: Check::Active(|bench| {
            Box::pin(super::pong(bench, "Action:Ping\r\nActionID:{id}\r\n\r\n"))
        }),
        ..CASE
    },
    Case {
        id: "header.value.tabs",
        requirement: "Tabs before a value are no part of it.",
        level: Level::May,
        authority: Authority::Asterisk,
        severity: Severity::Minor,
        source: "manager.c astman_get_header: ast_skip_blanks, since 1.8",
        check: Check::Active(|bench| {
            Box::pin(super::pong(
                bench,
                "Action:\t\tPing\r\nActionID:\t{id}\r\n\r\n",
            ))
        }),
        ..CASE
    },
    Case {
        id: "header.value.trailing-space",
        requirement: "Whether a blank behind a value is part of it.",
        level: Level::Observe,
        authority: Authority::Asterisk,
        severity: Severity::Info,
        safety: Safety::Noisy,
        source: "manager.c since 1.6",
        check: Check::Active(|bench| Box::pin(trailing_space(bench))),
        ..CASE
    },
    Case {
        id: "header.action.any-case",
        requirement: "The name of an action is read without regard to case.",
        source: "manager.c process_message: strcasecmp",
        check: Check::Active(|bench| {
            Box::pin(super::pong(bench, "Action: pInG\r\nActionID: {id}\r\n\r\n"))
        }),
        ..CASE
    },
    Case {
        id: "header.action.not-first",
        requirement: "Action need not be the first header of a request.",
        source: "AMI specification: headers have no order",
        check: Check::Active(|bench| {
            Box::pin(super::pong(
                bench,
                "ActionID: {id}\r\nX: y\r\nAction: Ping\r\n\r\n",
            ))
        }),
        ..CASE
    },
    Case {
        id: "header.duplicate.first-wins",
        requirement: "Of two headers of the same name the first counts.",
        level: Level::Should,
        authority: Authority::Asterisk,
        safety: Safety::Noisy,
        source: "manager.c astman_get_header, since 1.6",
        check: Check::Active(|bench| Box::pin(first_wins(bench))),
        ..CASE
    },
    Case {
        id: "header.duplicate.empty-is-skipped",
        requirement: "An empty Action is passed over for one that is not.",
        level: Level::May,
        authority: Authority::Asterisk,
        severity: Severity::Minor,
        safety: Safety::Noisy,
        source: "manager.c __astman_get_header: GET_HEADER_SKIP_EMPTY, since 1.6",
        check: Check::Active(|bench| {
            Box::pin(super::pong(
                bench,
                "Action:\r\nAction: Ping\r\nActionID: {id}\r\n\r\n",
            ))
        }),
        ..CASE
    },
    Case {
        id: "header.line.without-colon",
        requirement: "A line without a colon in a request is passed over.",
        level: Level::Should,
        authority: Authority::Asterisk,
        safety: Safety::Noisy,
        source: "manager.c astman_get_header",
        check: Check::Active(|bench| {
            Box::pin(super::pong(
                bench,
                "hello world\r\nAction: Ping\r\nActionID: {id}\r\n\r\n",
            ))
        }),
        ..CASE
    },
    Case {
        id: "header.unknown.ignored",
        requirement: "Headers that an action does not know are passed over.",
        source: "AMI specification: additional headers",
        check: Check::Active(|bench| {
            Box::pin(super::pong(
                bench,
                "Action: Ping\r\nActionID: {id}\r\nNoSuchHeader: x\r\nAnother:\r\n\r\n",
            ))
        }),
        ..CASE
    },
];

async fn no_action(bench: &mut Bench<'_>, bytes: &str) -> Judged {
    let mut probe = bench.rude_session().await?;
    let id = bench.id();
    probe.raw(bytes.replace("{id}", &id)).await;
    let answer = probe.answer().await?;
    answer.expect("Response", "Error")?;
    probe.barrier().await?;
    Ok(Finding::pass("no action in it").with(answer.evidence()))
}

async fn trailing_space(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.rude_session().await?;
    let id = bench.id();
    probe
        .raw(format!("Action: Ping \r\nActionID: {id}\r\n\r\n"))
        .await;
    let answer = probe.answer().await?;
    let got = if answer.has("Ping", "Pong") {
        "it is cut off"
    } else {
        "it is part of the value"
    };
    probe.barrier().await?;
    Ok(Finding::pass(got).with(answer.evidence()))
}

async fn first_wins(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.rude_session().await?;
    let (first, second) = (bench.id(), bench.id());
    probe
        .raw(format!(
            "Action: Ping\r\nActionID: {first}\r\nActionID: {second}\r\n\r\n"
        ))
        .await;
    let answer = probe.answer().await?;
    answer.expect("ActionID", &first)?;
    probe.barrier().await?;
    Ok(Finding::pass("the first").with(answer.evidence()))
}
