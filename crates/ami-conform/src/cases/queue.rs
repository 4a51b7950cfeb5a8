//! Queues, the database and the files behind AMI: what is told, kept, and refused.

use ami_proto::anomaly::Anomaly;

use crate::bench::Bench;
use crate::case::{Authority, CASE, Case, Check, Level, Need, Safety, Severity};
use crate::cases::refused;
use crate::device::CommandFraming;
use crate::finding::{Finding, Judged};
use crate::probe::Got;
use crate::trace::Trace;

pub(super) const CASES: &[Case] = &[
    Case {
        id: "queue.status.counts-members",
        requirement: "QueueStatus and QueueSummary agree on the queues that there are.",
        level: Level::Should,
        needs: &[
            Need::Action("QueueStatus"),
            Need::Action("QueueSummary"),
            Need::Since(1, 8),
        ],
        source: "app_queue.c manager_queues_status, manager_queues_summary",
        check: Check::Active(|bench| Box::pin(agree(bench))),
        ..CASE
    },
    Case {
        id: "queue.member.added-and-removed",
        requirement: "A member that was added is in QueueStatus, and no longer once it is removed.",
        safety: Safety::CreatesState,
        needs: &[
            Need::Action("QueueAdd"),
            Need::Action("QueueRemove"),
            Need::Action("QueueStatus"),
            Need::Since(1, 8),
        ],
        source: "app_queue.c manager_add_queue_member",
        check: Check::Active(|bench| Box::pin(added_and_removed(bench))),
        ..CASE
    },
    Case {
        id: "queue.member.paused",
        requirement: "A member that was paused is shown as paused.",
        level: Level::Should,
        safety: Safety::CreatesState,
        needs: &[
            Need::Action("QueueAdd"),
            Need::Action("QueuePause"),
            Need::Action("QueueRemove"),
            Need::Action("QueueStatus"),
            Need::Since(1, 8),
        ],
        source: "app_queue.c manager_pause_queue_member",
        check: Check::Active(|bench| Box::pin(paused(bench))),
        ..CASE
    },
    Case {
        id: "queue.refusal.no-queue",
        requirement: "A QueueAdd without a Queue is an error.",
        level: Level::Should,
        severity: Severity::Minor,
        safety: Safety::Noisy,
        needs: &[Need::Action("QueueAdd")],
        source: "app_queue.c manager_add_queue_member",
        check: Check::Active(|bench| Box::pin(refused(bench, "QueueAdd", &[]))),
        ..CASE
    },
    Case {
        id: "queue.refusal.unknown-queue",
        requirement: "A QueueAdd to a queue that does not exist is an error.",
        level: Level::Should,
        safety: Safety::Noisy,
        needs: &[Need::Action("QueueAdd")],
        source: "app_queue.c manager_add_queue_member",
        check: Check::Active(|bench| {
            let headers = &[
                ("Queue", "amibench-no-such-queue"),
                ("Interface", "Local/s@nosuchcontext"),
            ];
            Box::pin(refused(bench, "QueueAdd", headers))
        }),
        ..CASE
    },
    Case {
        id: "queue.text.form",
        requirement: "How `Queues` is answered: bare text, a list, or not at all.",
        level: Level::Observe,
        authority: Authority::Asterisk,
        severity: Severity::Info,
        safety: Safety::Noisy,
        source: "app_queue.c manager_queues_show up to 14; vendors have a list",
        check: Check::Active(|bench| Box::pin(text_form(bench))),
        ..CASE
    },
    Case {
        id: "queue.text.rules",
        requirement: "How the answer to QueueRule ends.",
        level: Level::Observe,
        authority: Authority::Asterisk,
        severity: Severity::Info,
        safety: Safety::Noisy,
        needs: &[Need::Action("QueueRule")],
        source: "app_queue.c manager_queue_rule_show: one empty line more than a message has",
        check: Check::Active(|bench| Box::pin(rules_end(bench))),
        ..CASE
    },
    Case {
        id: "response.database.round-trip",
        requirement: "What DBPut puts, DBGet gets, and DBDel deletes.",
        level: Level::Should,
        safety: Safety::CreatesState,
        needs: &[
            Need::Action("DBPut"),
            Need::Action("DBGet"),
            Need::Action("DBDel"),
            Need::Since(13, 2),
        ],
        source: "db.c manager_dbput, manager_dbget, manager_dbdel",
        check: Check::Active(|bench| Box::pin(database(bench))),
        ..CASE
    },
    Case {
        id: "response.module.check",
        requirement: "ModuleCheck of a module that does not exist is an error.",
        level: Level::May,
        authority: Authority::Asterisk,
        severity: Severity::Minor,
        safety: Safety::Noisy,
        needs: &[Need::Action("ModuleCheck")],
        source: "loader.c manager_modulecheck",
        check: Check::Active(|bench| {
            Box::pin(refused(
                bench,
                "ModuleCheck",
                &[("Module", "amibench_no_such_module")],
            ))
        }),
        ..CASE
    },
    Case {
        id: "error.config.outside",
        requirement: "GetConfig reads no file outside the directory of the configuration.",
        severity: Severity::Blocker,
        authority: Authority::Asterisk,
        safety: Safety::Noisy,
        needs: &[Need::Action("GetConfig")],
        source: "manager.c restrictedFile, since 16.29.1, 18.15.1, 20.0.1",
        check: Check::Active(|bench| Box::pin(outside(bench, "GetConfig"))),
        ..CASE
    },
    Case {
        id: "error.config.categories-outside",
        requirement: "ListCategories reads no file outside the directory of the configuration.",
        severity: Severity::Blocker,
        authority: Authority::Asterisk,
        safety: Safety::Noisy,
        needs: &[Need::Action("ListCategories"), Need::Since(22, 2)],
        source: "manager.c action_listcategories, since 18.26.1, 20.11.1, 21.6.1, 22.1.1",
        check: Check::Active(|bench| Box::pin(outside(bench, "ListCategories"))),
        ..CASE
    },
];

async fn agree(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.session().await?;
    let status = probe.list("QueueStatus", &[]).await?;
    let summary = probe.list("QueueSummary", &[]).await?;
    let names = |items: &[Got], event: &str| {
        let of = items.iter().filter(|item| item.is_event(event));
        let mut names: Vec<String> = of.filter_map(|item| item.text("Queue")).collect();
        names.sort_unstable();
        names
    };
    let (one, two) = (
        names(&status.items, "QueueParams"),
        names(&summary.items, "QueueSummary"),
    );
    let evidence = [status.complete.evidence(), summary.complete.evidence()];
    if one != two {
        let (one, two) = (one.join(", "), two.join(", "));
        return Ok(Finding::fail(one, two).with_all(evidence));
    }
    if one.is_empty() {
        return Ok(Finding::inconclusive("there is no queue").with_all(evidence));
    }
    Ok(Finding::pass(one.join(", ")).with_all(evidence))
}

/// The first queue of the PBX, with a member of ours in it.
async fn with_member(
    bench: &mut Bench<'_>,
) -> Result<(crate::probe::Probe, String, String), Finding> {
    let mut probe = bench.session().await?;
    let status = probe.list("QueueStatus", &[]).await?;
    let queue = status.items.iter().find_map(|item| item.text("Queue"));
    let Some(queue) = queue else {
        return Err(Finding::not_applicable("the PBX has no queue"));
    };
    // Nobody can be reached there, and it is paused: no call of others comes to it.
    let interface = format!("Local/{}@nosuchcontext", bench.id());
    bench.will_leave(Trace::QueueMember {
        queue: queue.clone(),
        interface: interface.clone(),
    });
    let answer = probe
        .ask(
            "QueueAdd",
            &[
                ("Queue", &queue),
                ("Interface", &interface),
                ("Paused", "true"),
            ],
        )
        .await?;
    answer.expect("Response", "Success")?;
    Ok((probe, queue, interface))
}

async fn member(
    probe: &mut crate::probe::Probe,
    queue: &str,
    interface: &str,
) -> Result<Option<Got>, Finding> {
    let status = probe.list("QueueStatus", &[("Queue", queue)]).await?;
    let is_it = |item: &Got| {
        item.is_event("QueueMember")
            && (item.has("Location", interface) || item.has("Interface", interface))
    };
    Ok(status.items.into_iter().find(is_it))
}

async fn added_and_removed(bench: &mut Bench<'_>) -> Judged {
    let (mut probe, queue, interface) = with_member(bench).await?;
    let Some(there) = member(&mut probe, &queue, &interface).await? else {
        return Ok(Finding::fail("the member", "it is not there"));
    };
    probe
        .ask(
            "QueueRemove",
            &[("Queue", &queue), ("Interface", &interface)],
        )
        .await?
        .expect("Response", "Success")?;
    match member(&mut probe, &queue, &interface).await? {
        Some(still) => {
            Ok(Finding::fail("no such member", "it is still there").with(still.evidence()))
        }
        None => Ok(Finding::pass("there, then gone").with(there.evidence())),
    }
}

async fn paused(bench: &mut Bench<'_>) -> Judged {
    let (mut probe, queue, interface) = with_member(bench).await?;
    for (word, shown) in [("false", "0"), ("true", "1")] {
        probe
            .ask(
                "QueuePause",
                &[
                    ("Queue", &queue),
                    ("Interface", &interface),
                    ("Paused", word),
                ],
            )
            .await?
            .expect("Response", "Success")?;
        let Some(member) = member(&mut probe, &queue, &interface).await? else {
            return Ok(Finding::inconclusive("the member is not shown"));
        };
        member.expect("Paused", shown)?;
    }
    Ok(Finding::pass("unpaused, then paused"))
}

async fn text_form(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.rude_session().await?;
    let id = probe.send("Queues", &[]).await;
    let messages = probe.barrier_behind().await?;
    let ours = messages
        .iter()
        .filter(|got| got.has("ActionID", &id))
        .count();
    let evidence = messages.iter().take(super::SHOWN).map(Got::evidence);
    let got = match messages.first() {
        None => "no answer at all".to_owned(),
        Some(first) if first.has("Response", "Error") => {
            "an error: there is no such action".to_owned()
        }
        Some(first) if first.has("Response", "Success") => format!("a list of {ours} messages"),
        Some(_) => format!("bare text in {} pieces", messages.len()),
    };
    let old = bench.device.framing == Some(CommandFraming::Follows);
    let got = if old {
        format!("{got}, as before 15")
    } else {
        got
    };
    Ok(Finding::pass(got).with_all(evidence))
}

async fn rules_end(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.rude_session().await?;
    let answer = probe.ask("QueueRule", &[]).await?;
    let pong = probe.barrier().await?;
    let frame = pong.frame();
    let more = frame.anomalies().iter().find_map(|anomaly| match anomaly {
        Anomaly::ExtraBlankLines { lines } => Some(*lines),
        _ => None,
    });
    let got = format!("{} empty lines more than one", more.unwrap_or_default());
    Ok(Finding::pass(got)
        .with(answer.evidence())
        .with(pong.evidence()))
}

async fn database(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.session().await?;
    let (family, value) = (format!("amibench-{}", bench.id()), "a: b=c");
    let entry = [("Family", family.as_str()), ("Key", "key")];
    bench.will_leave(Trace::DatabaseKey {
        family: family.clone(),
        key: "key".to_owned(),
    });
    let put = [entry[0], entry[1], ("Val", value)];
    probe
        .ask("DBPut", &put)
        .await?
        .expect("Response", "Success")?;
    let got = probe.list("DBGet", &entry).await?;
    let Some(item) = got.items.first() else {
        return Ok(Finding::fail("the value", "an empty list").with(got.complete.evidence()));
    };
    item.expect("Val", value)?;
    probe
        .ask("DBDel", &entry)
        .await?
        .expect("Response", "Success")?;
    probe
        .ask("DBGet", &entry)
        .await?
        .expect("Response", "Error")?;
    Ok(Finding::pass("put, got and deleted").with(item.evidence()))
}

async fn outside(bench: &mut Bench<'_>, action: &str) -> Judged {
    let mut probe = bench.rude_session().await?;
    let mut evidence = Vec::new();
    for file in ["/etc/hostname", "../hostname"] {
        let answer = probe.ask(action, &[("Filename", file)]).await?;
        if !answer.has("Response", "Error") {
            let got = format!("`{}` for {file}", answer.summary());
            return Ok(Finding::fail("an error", got).with(answer.evidence()));
        }
        evidence.push(answer.evidence());
    }
    Ok(Finding::pass("an error for each").with_all(evidence))
}
