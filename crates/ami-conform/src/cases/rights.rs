//! What an account may do, and what it is told of a PBX that has just booted.

use crate::bench::Bench;
use crate::case::{Authority, CASE, Case, Check, Level, Need, Safety, Severity};
use crate::cases::auth::logged_in;
use crate::cases::documented::{self, DOCUMENTED};
use crate::finding::{Finding, Judged};
use crate::probe::Got;

/// Actions that only read, in some class or other.
const READ_ONLY: [&str; 8] = [
    "CoreStatus",
    "CoreSettings",
    "CoreShowChannels",
    "Status",
    "QueueStatus",
    "BridgeList",
    "DeviceStateList",
    "ExtensionStateList",
];

pub(super) const CASES: &[Case] = &[
    Case {
        id: "auth.rights.list-is-kept",
        requirement: "What ListCommands lists and reads only is not denied.",
        level: Level::Should,
        authority: Authority::Asterisk,
        needs: &[Need::Action("CoreStatus")],
        source: "manager.c action_listcommands",
        check: Check::Active(|bench| Box::pin(list_is_kept(bench))),
        ..CASE
    },
    Case {
        id: "auth.rights.list-is-complete",
        requirement: "What ListCommands does not list is not carried out.",
        level: Level::Should,
        authority: Authority::Asterisk,
        safety: Safety::Noisy,
        needs: &[Need::Action("ListCommands")],
        source: "manager.c action_listcommands",
        check: Check::Active(|bench| Box::pin(list_is_complete(bench))),
        ..CASE
    },
    Case {
        id: "auth.rights.documented-classes",
        requirement: "Actions need the classes that are documented, and vendors at most add some.",
        level: Level::Should,
        authority: Authority::Vendor,
        severity: Severity::Minor,
        needs: &[Need::Action("ListCommands"), Need::Since(13, 0)],
        source: "what a vendor's guide prints of ListCommands; 13 to 22 print the same",
        check: Check::Active(|bench| Box::pin(documented_classes(bench))),
        ..CASE
    },
    Case {
        id: "auth.rights.harmful-without-class",
        requirement: "Which actions that interrupt calls need no class at all.",
        level: Level::Observe,
        authority: Authority::Asterisk,
        severity: Severity::Info,
        source: "chan_dahdi.c, manager_bridges.c: registered with 0",
        check: Check::Active(|bench| Box::pin(harmful(bench))),
        ..CASE
    },
    Case {
        id: "auth.booted.event",
        requirement: "FullyBooted follows a login whose account reads class system.",
        level: Level::Should,
        authority: Authority::Asterisk,
        severity: Severity::Minor,
        needs: &[Need::Read("system"), Need::Since(1, 8)],
        source: "manager.c action_login, since 1.8",
        check: Check::Active(|bench| Box::pin(booted(bench))),
        ..CASE
    },
    Case {
        id: "auth.booted.times",
        requirement: "FullyBooted tells Uptime and LastReload.",
        level: Level::Should,
        authority: Authority::Asterisk,
        severity: Severity::Minor,
        needs: &[Need::Read("system"), Need::Since(14, 0)],
        source: "manager.c action_login, since 14",
        check: Check::Active(|bench| Box::pin(booted_times(bench))),
        ..CASE
    },
    Case {
        id: "auth.booted.not-with-events-off",
        requirement: "A login with `Events: off` is followed by no event.",
        level: Level::Should,
        authority: Authority::Asterisk,
        needs: &[Need::Since(1, 8)],
        source: "manager.c action_login, since 1.8",
        check: Check::Active(|bench| Box::pin(events_off(bench))),
        ..CASE
    },
];

async fn list_is_complete(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.rude_session().await?;
    let mut listed = 0;
    for action in READ_ONLY {
        if bench.device.may_run(action) {
            listed += 1;
            continue;
        }
        let answer = probe.ask(action, &[]).await?;
        if answer.has("Response", "Success") {
            let got = format!("{action} is carried out");
            return Ok(Finding::fail("what is not listed is refused", got).with(answer.evidence()));
        }
        probe.barrier_behind().await?;
    }
    let of = READ_ONLY.len();
    Ok(Finding::pass(format!(
        "{listed} of {of} are listed, the others are refused"
    )))
}

async fn list_is_kept(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.session().await?;
    let mut tried = 0;
    for action in READ_ONLY {
        if !bench.device.may_run(action) {
            continue;
        }
        let id = probe.send(action, &[]).await;
        let messages = probe.barrier_behind().await?;
        let denied =
            |got: &&Got| got.has("ActionID", &id) && got.has("Message", "Permission denied");
        if let Some(denied) = messages.iter().find(denied) {
            let got = format!("{action} is listed, and denied");
            return Ok(Finding::fail("what is listed may be run", got).with(denied.evidence()));
        }
        tried += 1;
    }
    if tried == 0 {
        return Ok(Finding::inconclusive("none of them is listed"));
    }
    Ok(Finding::pass(format!("{tried} actions")))
}

async fn documented_classes(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.session().await?;
    let answer = probe.ask("ListCommands", &[]).await?;
    let mut compared = 0;
    for (classes, actions) in DOCUMENTED {
        for action in *actions {
            let Some(listed) = answer.text(action).as_deref().and_then(documented::classes) else {
                continue;
            };
            if listed != *classes {
                let got = format!("{action} needs {listed}");
                return Ok(Finding::fail(*classes, got).with(answer.evidence()));
            }
            compared += 1;
        }
    }
    if compared == 0 {
        return Ok(Finding::inconclusive(
            "none of the documented ones is listed",
        ));
    }
    Ok(Finding::pass(format!("{compared} actions")).with(answer.evidence()))
}

async fn harmful(bench: &mut Bench<'_>) -> Judged {
    const HARMFUL: [&str; 9] = [
        "Hangup",
        "BridgeDestroy",
        "BridgeKick",
        "DAHDIHangup",
        "DAHDIRestart",
        "DAHDITransfer",
        "QueueReset",
        "QueueReload",
        "BridgeTechnologySuspend",
    ];
    let Some(actions) = &bench.device.actions else {
        return Ok(Finding::not_applicable("ListCommands is denied"));
    };
    let open = HARMFUL.iter().filter(|name| {
        let text = actions.get(**name);
        text.is_some_and(|text| text.contains("(Priv: <none>)"))
    });
    let open: Vec<&str> = open.copied().collect();
    let got = match open.as_slice() {
        [] => "none".to_owned(),
        open => open.join(", "),
    };
    Ok(Finding::pass(got))
}

async fn fully_booted(bench: &mut Bench<'_>) -> Result<Got, Finding> {
    let mut probe = bench.listener("on").await?;
    probe
        .event("FullyBooted", |got| got.is_event("FullyBooted"))
        .await
}

async fn booted(bench: &mut Bench<'_>) -> Judged {
    let event = fully_booted(bench).await?;
    Ok(Finding::pass("it does").with(event.evidence()))
}

async fn booted_times(bench: &mut Bench<'_>) -> Judged {
    let event = fully_booted(bench).await?;
    for name in ["Uptime", "LastReload"] {
        let value = event.text(name).unwrap_or_default();
        if value.parse::<u64>().is_err() {
            let got = format!("`{name}: {value}`");
            return Ok(Finding::fail(format!("{name} in seconds"), got).with(event.evidence()));
        }
    }
    Ok(Finding::pass("both").with(event.evidence()))
}

async fn events_off(bench: &mut Bench<'_>) -> Judged {
    let (mut probe, _) = logged_in(bench).await?;
    let before = probe.barrier_behind().await?;
    match before.first() {
        None => Ok(Finding::pass("none")),
        Some(event) => {
            let got = format!("`{}`", event.summary());
            Ok(Finding::fail("nothing before the answer to a Ping", got).with(event.evidence()))
        }
    }
}
