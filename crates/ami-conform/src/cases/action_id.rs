//! ActionID: what tells which answer is whose.

use std::collections::HashSet;

use ami_proto::frame::FrameKind;

use crate::bench::Bench;
use crate::case::{Authority, CASE, Case, Check, Level, Need, Safety, Severity};
use crate::finding::{Finding, Judged};
use crate::log::Side;
use crate::observed::Observed;
use crate::probe::{Got, Probe};

pub(super) const CASES: &[Case] = &[
    Case {
        id: "action-id.echo.every-answer",
        requirement: "The answer to a request with an ActionID bears that ActionID.",
        severity: Severity::Blocker,
        source: "AMI specification, ActionID",
        check: Check::Passive(every_answer),
        ..CASE
    },
    Case {
        id: "action-id.echo.error",
        requirement: "An error bears the ActionID of its request.",
        safety: Safety::Noisy,
        source: "manager.c astman_send_error",
        check: Check::Active(|bench| Box::pin(error(bench))),
        ..CASE
    },
    Case {
        id: "action-id.echo.exact",
        requirement: "An ActionID comes back byte for byte, whatever printable bytes it has.",
        source: "manager.c astman_start_ack",
        check: Check::Active(|bench| Box::pin(echoes(bench, " ;:,=\"'<>(){}[]\\%^~|!MiXeD case"))),
        ..CASE
    },
    Case {
        id: "action-id.echo.trailing-space",
        requirement: "Blanks behind an ActionID come back too.",
        level: Level::May,
        authority: Authority::Asterisk,
        severity: Severity::Minor,
        source: "manager.c since 1.6",
        check: Check::Active(|bench| Box::pin(echoes(bench, "  "))),
        ..CASE
    },
    Case {
        id: "action-id.echo.every-list-item",
        requirement: "Every item of a list, and its end, bear the ActionID of their request.",
        needs: &[Need::Action("CoreShowChannels"), Need::Since(1, 6)],
        source: "AMI specification, event lists",
        check: Check::Active(|bench| Box::pin(list_items(bench))),
        ..CASE
    },
    Case {
        id: "action-id.absent.none-invented",
        requirement: "The answer to a request without an ActionID has none.",
        level: Level::Should,
        safety: Safety::Noisy,
        source: "manager.c astman_start_ack",
        check: Check::Active(|bench| Box::pin(none_comes_back(bench, ""))),
        ..CASE
    },
    Case {
        id: "action-id.empty.as-absent",
        requirement: "An empty ActionID is none.",
        level: Level::May,
        authority: Authority::Asterisk,
        severity: Severity::Minor,
        safety: Safety::Noisy,
        source: "manager.c astman_start_ack: ast_strlen_zero",
        check: Check::Active(|bench| Box::pin(none_comes_back(bench, "ActionID:\r\n"))),
        ..CASE
    },
    Case {
        id: "action-id.length.64",
        requirement: "An ActionID of 64 bytes comes back whole from every kind of answer.",
        needs: &[
            Need::Action("CoreSettings"),
            Need::Action("CoreShowChannels"),
        ],
        source: "no release cuts it",
        check: Check::Active(|bench| Box::pin(of_length(bench, 64))),
        ..CASE
    },
    Case {
        id: "action-id.length.137",
        requirement: "Whether an ActionID of 137 bytes comes back whole.",
        level: Level::Observe,
        authority: Authority::Asterisk,
        severity: Severity::Info,
        needs: &[
            Need::Action("CoreSettings"),
            Need::Action("CoreShowChannels"),
        ],
        source: "manager.c action_coresettings: a buffer of 150 bytes",
        check: Check::Active(|bench| Box::pin(length_observed(bench, 137))),
        ..CASE
    },
    Case {
        id: "action-id.length.138-and-more",
        requirement: "A long ActionID never fuses with the header behind it.",
        level: Level::Should,
        authority: Authority::Asterisk,
        safety: Safety::Noisy,
        needs: &[
            Need::Action("CoreSettings"),
            Need::Action("CoreShowChannels"),
        ],
        source: "manager.c action_coresettings, action_corestatus: a buffer of 150 bytes; broken in every release so far",
        check: Check::Active(|bench| Box::pin(of_length(bench, 200))),
        ..CASE
    },
    Case {
        id: "action-id.length.244-and-more",
        requirement: "An ActionID that fills a line never fuses with the header behind it.",
        level: Level::Should,
        authority: Authority::Asterisk,
        safety: Safety::Noisy,
        needs: &[Need::Action("CoreShowChannels")],
        source: "manager.c: id_text of 256 bytes in lists; broken in every release so far",
        check: Check::Active(|bench| Box::pin(of_length_in_list(bench, 900))),
        ..CASE
    },
    Case {
        id: "action-id.bare-cr.no-new-header",
        requirement: "A CR inside an ActionID makes no new header of the answer.",
        safety: Safety::Noisy,
        source: "manager.c get_input ends lines at LF only",
        check: Check::Active(|bench| Box::pin(bare_cr(bench))),
        ..CASE
    },
];

fn every_answer(observed: &Observed<'_>) -> Finding {
    let mut answers = 0;
    for connection in observed.begun() {
        let all_have_ids = connection
            .requests()
            .all(|request| request.frame().get("ActionID").is_some());
        let mut sent = HashSet::new();
        for seen in &connection.messages {
            let id = seen.frame().get("ActionID");
            match (seen.side, seen.kind()) {
                (Side::Client, _) => sent.extend(id),
                (Side::Server, FrameKind::Response) => match id {
                    Some(id) if sent.contains(id) => answers += 1,
                    Some(id) => {
                        let got = format!("`ActionID: {}`, which nobody sent", id.escape_ascii());
                        return Finding::fail("the ActionID of a request", got)
                            .with(seen.evidence());
                    }
                    None if all_have_ids => {
                        return Finding::fail(
                            "the ActionID of its request",
                            "an answer without any",
                        )
                        .with(seen.evidence());
                    }
                    None => {}
                },
                (Side::Server, _) => {}
            }
        }
    }
    if answers == 0 {
        Finding::inconclusive("no answer to a request with an ActionID was seen")
    } else {
        Finding::pass(format!("all of {answers} answers"))
    }
}

async fn error(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.session().await?;
    let id = probe.send("NoSuchAction", &[]).await;
    let answer = probe.answer().await?;
    answer.expect("Response", "Error")?;
    answer.expect("ActionID", &id)?;
    Ok(Finding::pass("it does").with(answer.evidence()))
}

async fn echoes(bench: &mut Bench<'_>, tail: &str) -> Judged {
    let mut probe = bench.rude_session().await?;
    let id = format!("{}{tail}", bench.id());
    pinged_as(&mut probe, &id).await?;
    probe.barrier().await?;
    Ok(Finding::pass("byte for byte"))
}

async fn pinged_as(probe: &mut Probe, id: &str) -> Result<(), Finding> {
    probe
        .raw(format!("Action: Ping\r\nActionID: {id}\r\n\r\n"))
        .await;
    let answer = probe.answer().await?;
    answer.expect("ActionID", id)
}

async fn list_items(bench: &mut Bench<'_>) -> Judged {
    // Without events nothing but items can come.
    let mut probe = bench.session().await?;
    let id = probe.send("CoreShowChannels", &[]).await;
    let messages = probe.barrier_behind().await?;
    if !messages.iter().any(Got::closes_list) {
        return Ok(Finding::fail(
            "a list with its end",
            format!("{} messages", messages.len()),
        ));
    }
    for message in &messages {
        message.expect("ActionID", &id)?;
    }
    let evidence = messages
        .iter()
        .take(super::SHOWN)
        .map(|message| message.evidence());
    Ok(Finding::pass(format!("all of {} messages", messages.len())).with_all(evidence))
}

async fn none_comes_back(bench: &mut Bench<'_>, header: &str) -> Judged {
    let mut probe = bench.rude_session().await?;
    probe.raw(format!("Action: Ping\r\n{header}\r\n")).await;
    let answer = probe.answer().await?;
    answer.expect("Response", "Success")?;
    if let Some(id) = answer.text("ActionID") {
        let got = format!("`ActionID: {id}`");
        return Ok(Finding::fail("no header ActionID", got).with(answer.evidence()));
    }
    Ok(Finding::pass("none").with(answer.evidence()))
}

/// So long, and unlike any other.
fn long_id(bench: &Bench<'_>, length: usize) -> String {
    let id = bench.id();
    let filler = "x".repeat(length.saturating_sub(id.len()));
    id + &filler
}

async fn of_length(bench: &mut Bench<'_>, length: usize) -> Judged {
    let mut probe = bench.rude_session().await?;
    let id = long_id(bench, length);
    pinged_as(&mut probe, &id).await?;
    probe
        .raw(format!("Action: CoreSettings\r\nActionID: {id}\r\n\r\n"))
        .await;
    let settings = probe.answer().await?;
    settings.expect("ActionID", &id)?;
    in_list(&mut probe, &id).await?;
    probe.barrier().await?;
    Ok(Finding::pass(format!(
        "{length} bytes, from Ping, CoreSettings and CoreShowChannels"
    )))
}

/// Of the lists that have items on a PBX where nothing happens, and of one that has them during calls.
async fn of_length_in_list(bench: &mut Bench<'_>, length: usize) -> Judged {
    let mut probe = bench.rude_session().await?;
    let id = long_id(bench, length);
    let mut items = 0;
    for action in ["QueueStatus", "CoreShowChannels"] {
        if bench.device.may_run(action) {
            items += in_list_of(&mut probe, action, &id).await?;
        }
    }
    if items == 0 {
        return Ok(Finding::inconclusive("no queue and no channel was listed"));
    }
    probe.barrier().await?;
    Ok(Finding::pass(format!("{length} bytes, in {items} items")))
}

async fn in_list(probe: &mut Probe, id: &str) -> Result<(), Finding> {
    in_list_of(probe, "CoreShowChannels", id).await.map(|_| ())
}

/// How many items there were.
async fn in_list_of(probe: &mut Probe, action: &str, id: &str) -> Result<usize, Finding> {
    probe
        .raw(format!("Action: {action}\r\nActionID: {id}\r\n\r\n"))
        .await;
    let messages = probe.barrier_behind().await?;
    match messages.iter().find(|message| !message.has("ActionID", id)) {
        // The answer and the end of the list are none.
        None => Ok(messages.len().saturating_sub(2)),
        Some(message) => message.expect("ActionID", id).map(|()| 0),
    }
}

async fn length_observed(bench: &mut Bench<'_>, length: usize) -> Judged {
    Ok(match of_length(bench, length).await {
        Ok(whole) => whole,
        Err(cut) => Finding {
            state: ami_results::verdict::State::Pass,
            ..cut
        },
    })
}

async fn bare_cr(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.rude_session().await?;
    let id = bench.id();
    probe
        .raw(format!(
            "Action: Ping\r\nActionID: {id}\rX-Injected: 1\r\n\r\n"
        ))
        .await;
    let answer = probe.answer().await?;
    if answer.text("X-Injected").is_some() {
        return Ok(Finding::fail("no header X-Injected", "it is there").with(answer.evidence()));
    }
    probe.barrier().await?;
    Ok(Finding::pass("it is part of the value").with(answer.evidence()))
}
