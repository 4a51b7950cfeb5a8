//! Originate: what is refused at once, and what is taken that leads nowhere.

use crate::bench::Bench;
use crate::case::{Authority, CASE, Case, Check, Level, Need, Safety, Severity};
use crate::finding::{Finding, Judged};

/// A channel that never comes up: whatever is taken leads nowhere.
pub(super) const NOWHERE: (&str, &str) = ("Channel", "Local/s@nosuchcontext");

const ORIGINATE: &[Need] = &[Need::Action("Originate")];

/// What the cases have in common in which it is an error at once.
const REFUSAL: Case = Case {
    safety: Safety::Noisy,
    needs: ORIGINATE,
    source: "manager.c action_originate",
    ..CASE
};
/// And those in which it may be taken.
const ANSWER: Case = Case {
    level: Level::Observe,
    authority: Authority::Asterisk,
    severity: Severity::Info,
    safety: Safety::OriginatesCall,
    needs: ORIGINATE,
    ..CASE
};

pub(super) const CASES: &[Case] = &[
    Case {
        id: "originate.refusal.no-channel",
        requirement: "An Originate without a Channel is an error.",
        check: Check::Active(|bench| Box::pin(refused(bench, &[], "Channel not specified"))),
        ..REFUSAL
    },
    Case {
        id: "originate.refusal.bad-channel",
        requirement: "A Channel without a technology is an error.",
        check: Check::Active(|bench| {
            let headers = &[("Channel", "nosuchtechnology")];
            Box::pin(refused(bench, headers, "Invalid channel"))
        }),
        ..REFUSAL
    },
    Case {
        id: "originate.refusal.bad-timeout",
        requirement: "A Timeout that is no number is an error.",
        level: Level::Should,
        authority: Authority::Asterisk,
        check: Check::Active(|bench| {
            let headers = &[NOWHERE, ("Timeout", "soon")];
            Box::pin(refused(bench, headers, "Invalid timeout"))
        }),
        ..REFUSAL
    },
    Case {
        id: "originate.refusal.unknown-exten",
        requirement: "An Exten that does not exist is an error at once.",
        level: Level::Should,
        authority: Authority::Asterisk,
        severity: Severity::Minor,
        needs: &[Need::Action("Originate"), Need::Since(11, 0)],
        source: "manager.c action_originate, since 11",
        check: Check::Active(|bench| {
            let headers = &[
                NOWHERE,
                ("Context", "nosuchcontext"),
                ("Exten", "s"),
                ("Priority", "1"),
            ];
            Box::pin(refused(bench, headers, "Extension does not exist."))
        }),
        ..REFUSAL
    },
    Case {
        id: "originate.refusal.no-target",
        requirement: "A synchronous Originate that leads nowhere is an error.",
        level: Level::Should,
        authority: Authority::Asterisk,
        check: Check::Active(|bench| {
            let headers = &[NOWHERE, ("Exten", "s")];
            let message = "Originate with 'Exten' requires 'Context' and 'Priority'";
            Box::pin(refused(bench, headers, message))
        }),
        ..REFUSAL
    },
    Case {
        id: "originate.refusal.long-channel-id",
        requirement: "A ChannelId of 150 bytes is an error.",
        level: Level::Should,
        authority: Authority::Asterisk,
        severity: Severity::Minor,
        needs: &[Need::Action("Originate"), Need::Since(12, 2)],
        source: "manager.c action_originate: 149 bytes at most, since 12.2",
        check: Check::Active(|bench| Box::pin(long_channel_id(bench))),
        ..REFUSAL
    },
    Case {
        id: "originate.answer.no-target",
        requirement: "What an asynchronous Originate that leads nowhere gets.",
        source: "manager.c action_originate takes it; the call comes to nothing",
        check: Check::Active(|bench| Box::pin(answer_observed(bench, &[]))),
        ..ANSWER
    },
    Case {
        id: "originate.answer.system",
        requirement: "What an Originate of the application System gets.",
        source: "manager.c action_originate: needs class system, since 1.8.11.1",
        check: Check::Active(|bench| {
            let headers = &[("Application", "System"), ("Data", "true")];
            Box::pin(answer_observed(bench, headers))
        }),
        ..ANSWER
    },
    Case {
        id: "originate.answer.function-in-data",
        requirement: "What an Originate gets whose Data reads a file.",
        source: "manager.c is_restricted_app_data: needs class system, since 18.24.2, 20.9.2, 21.4.2",
        check: Check::Active(|bench| {
            let headers = &[("Application", "NoOp"), ("Data", "${FILE(/etc/hostname)}")];
            Box::pin(answer_observed(bench, headers))
        }),
        ..ANSWER
    },
];

async fn refused(bench: &mut Bench<'_>, headers: &[(&str, &str)], message: &str) -> Judged {
    let mut probe = bench.rude_session().await?;
    let answer = probe.ask("Originate", headers).await?;
    answer.expect_error(message)?;
    probe.barrier().await?;
    Ok(Finding::pass(format!("`{message}`")).with(answer.evidence()))
}

async fn long_channel_id(bench: &mut Bench<'_>) -> Judged {
    let id = "x".repeat(150);
    let headers = [
        NOWHERE,
        ("Application", "NoOp"),
        // One that waits would be an error for want of the context.
        ("Async", "true"),
        ("ChannelId", &id),
    ];
    super::refused(bench, "Originate", &headers).await
}

/// What an asynchronous Originate gets whose channel never comes up, whatever is to become of it.
async fn answer_observed(bench: &mut Bench<'_>, headers: &[(&str, &str)]) -> Judged {
    let mut probe = bench.rude_session().await?;
    let mut all = vec![NOWHERE, ("Async", "true")];
    all.extend_from_slice(headers);
    let answer = probe.ask("Originate", &all).await?;
    Ok(Finding::pass(answer.summary()).with(answer.evidence()))
}
