//! Channels that are up: hung up, redirected, listed, asked for their variables.

use crate::bench::Bench;
use crate::case::{Authority, CASE, Case, Check, Level, Need, Safety, Severity};
use crate::finding::{Finding, Judged};
use crate::placed::Placed;
use crate::probe::Got;

const CALLS: &[Need] = &[
    Need::Action("Originate"),
    Need::Action("Hangup"),
    Need::Action("CoreShowChannels"),
    Need::Read("call"),
    Need::Role("answers"),
    Need::Since(12, 2),
];
const STATUS: &[Need] = &[
    Need::Action("Originate"),
    Need::Action("Hangup"),
    Need::Action("Status"),
    Need::Action("CoreShowChannels"),
    Need::Read("call"),
    Need::Role("answers"),
    Need::Since(12, 2),
];
const HANGUP: &[Need] = &[Need::Action("Hangup")];

pub(super) const CASES: &[Case] = &[
    Case {
        id: "call.hangup.no-channel",
        requirement: "A Hangup without a Channel is an error.",
        safety: Safety::Noisy,
        needs: HANGUP,
        source: "manager.c action_hangup",
        check: Check::Active(|bench| {
            Box::pin(refused(bench, "Hangup", &[], "No channel specified"))
        }),
        ..CASE
    },
    Case {
        id: "call.hangup.unknown-channel",
        requirement: "A Hangup of a channel that is not there is an error.",
        safety: Safety::Noisy,
        needs: HANGUP,
        source: "manager.c action_hangup",
        check: Check::Active(|bench| {
            let headers = &[("Channel", "NoSuchTechnology/1-00000000")];
            Box::pin(refused(bench, "Hangup", headers, "No such channel"))
        }),
        ..CASE
    },
    Case {
        id: "call.hangup.by-name",
        requirement: "A channel is hung up by its name: Success, then its Hangup.",
        safety: Safety::OriginatesCall,
        needs: CALLS,
        source: "manager.c action_hangup",
        check: Check::Active(|bench| Box::pin(by_name(bench))),
        ..CASE
    },
    Case {
        id: "call.hangup.by-uniqueid",
        requirement: "Whether a channel is hung up by its Uniqueid.",
        level: Level::Observe,
        authority: Authority::Asterisk,
        severity: Severity::Info,
        safety: Safety::OriginatesCall,
        needs: CALLS,
        source: "channel.c ast_channel_get_by_name, since 1.8",
        check: Check::Active(|bench| Box::pin(by_uniqueid(bench))),
        ..CASE
    },
    Case {
        id: "call.hangup.cause",
        requirement: "The Cause of a Hangup is that of its event.",
        level: Level::Should,
        authority: Authority::Asterisk,
        severity: Severity::Minor,
        safety: Safety::OriginatesCall,
        needs: CALLS,
        source: "manager.c action_hangup",
        check: Check::Active(|bench| Box::pin(cause(bench))),
        ..CASE
    },
    Case {
        id: "call.hangup.bad-pattern",
        requirement: "A Channel that begins like a pattern and is none is an error.",
        level: Level::Should,
        authority: Authority::Asterisk,
        severity: Severity::Minor,
        safety: Safety::Noisy,
        needs: &[Need::Action("Hangup"), Need::Since(11, 0)],
        source: "manager.c action_hangup, since 11",
        check: Check::Active(|bench| {
            let message = "Regex format invalid, Channel param should be /regex/";
            Box::pin(refused(
                bench,
                "Hangup",
                &[("Channel", "/amibench")],
                message,
            ))
        }),
        ..CASE
    },
    Case {
        id: "call.hangup.pattern",
        requirement: "A Hangup by a pattern is a list of the channels that it ends.",
        level: Level::Should,
        authority: Authority::Asterisk,
        severity: Severity::Minor,
        safety: Safety::OriginatesCall,
        needs: CALLS,
        source: "manager.c action_hangup, since 11",
        check: Check::Active(|bench| Box::pin(by_pattern(bench))),
        ..CASE
    },
    Case {
        id: "call.redirect.unknown-exten",
        requirement: "What a Redirect of a channel to an extension that does not exist gets.",
        level: Level::Observe,
        authority: Authority::Asterisk,
        severity: Severity::Info,
        safety: Safety::OriginatesCall,
        needs: CALLS,
        source: "manager.c action_redirect: Success, and the channel ends",
        check: Check::Active(|bench| Box::pin(redirect_nowhere(bench))),
        ..CASE
    },
    Case {
        id: "call.redirect.refusals",
        requirement: "A Redirect names what it lacks: Channel, then Context, Exten and Priority.",
        level: Level::Should,
        authority: Authority::Asterisk,
        severity: Severity::Minor,
        safety: Safety::Noisy,
        needs: &[Need::Action("Redirect"), Need::Since(11, 0)],
        source: "manager.c action_redirect, since 11",
        check: Check::Active(|bench| Box::pin(redirect_refusals(bench))),
        ..CASE
    },
    Case {
        id: "call.list.shows-it",
        requirement: "CoreShowChannels shows a channel that is up, and no longer one that is gone.",
        safety: Safety::OriginatesCall,
        needs: CALLS,
        source: "manager.c action_coreshowchannels",
        check: Check::Active(|bench| Box::pin(shown(bench))),
        ..CASE
    },
    Case {
        id: "call.list.field-names",
        requirement: "Which names the fields of CoreShowChannels have.",
        level: Level::Observe,
        authority: Authority::Asterisk,
        severity: Severity::Info,
        safety: Safety::OriginatesCall,
        needs: CALLS,
        source: "manager.c: UniqueID and Extension up to 11, Uniqueid and Exten since 12",
        check: Check::Active(|bench| Box::pin(field_names(bench))),
        ..CASE
    },
    Case {
        id: "call.status.agrees",
        requirement: "Status and CoreShowChannels show the same channels, and each alike.",
        level: Level::Should,
        safety: Safety::OriginatesCall,
        needs: STATUS,
        source: "manager.c action_status",
        check: Check::Active(|bench| Box::pin(status_agrees(bench))),
        ..CASE
    },
    Case {
        id: "call.status.unset-variable",
        requirement: "What Status says of a variable that is not set.",
        level: Level::Observe,
        authority: Authority::Asterisk,
        severity: Severity::Info,
        safety: Safety::OriginatesCall,
        needs: STATUS,
        source: "manager.c generate_status: printf of a null pointer",
        check: Check::Active(|bench| Box::pin(status_of_unset(bench))),
        ..CASE
    },
    Case {
        id: "call.variable.set-and-got",
        requirement: "What Setvar sets on a channel, Getvar gets.",
        safety: Safety::OriginatesCall,
        needs: &[
            Need::Action("Originate"),
            Need::Action("Hangup"),
            Need::Action("CoreShowChannels"),
            Need::Action("Setvar"),
            Need::Action("Getvar"),
            Need::Read("call"),
            Need::Role("answers"),
            Need::Since(12, 2),
        ],
        source: "manager.c action_setvar, action_getvar",
        check: Check::Active(|bench| Box::pin(set_and_got(bench))),
        ..CASE
    },
    Case {
        id: "call.variable.unset-is-empty",
        requirement: "A variable that is not set has an empty value, and is no error.",
        level: Level::Should,
        authority: Authority::Asterisk,
        severity: Severity::Minor,
        needs: &[Need::Action("Getvar")],
        source: "manager.c action_getvar",
        check: Check::Active(|bench| Box::pin(unset(bench))),
        ..CASE
    },
    Case {
        id: "call.variable.missing-name",
        requirement: "A Getvar without a Variable is an error.",
        level: Level::Should,
        authority: Authority::Asterisk,
        severity: Severity::Minor,
        safety: Safety::Noisy,
        needs: &[Need::Action("Getvar")],
        source: "manager.c action_getvar",
        check: Check::Active(|bench| {
            Box::pin(refused(bench, "Getvar", &[], "No variable specified"))
        }),
        ..CASE
    },
    Case {
        id: "call.variable.no-line-ends",
        requirement: "A value with a line end in it makes no new line of the answer.",
        level: Level::Should,
        authority: Authority::Asterisk,
        safety: Safety::Noisy,
        needs: &[Need::Action("Getvar"), Need::Since(1, 8)],
        source: "manager.c action_getvar prints values as they are; broken in every release so far",
        check: Check::Active(|bench| Box::pin(no_line_ends(bench))),
        ..CASE
    },
    Case {
        id: "call.variable.no-shell",
        requirement: "Getvar runs no command of the system.",
        severity: Severity::Blocker,
        authority: Authority::Asterisk,
        safety: Safety::Noisy,
        needs: &[Need::Action("Getvar"), Need::Since(1, 8)],
        source: "asterisk.conf live_dangerously; AST-2012-004",
        check: Check::Active(|bench| Box::pin(no_shell(bench))),
        ..CASE
    },
    Case {
        id: "call.state.unknown-extension",
        requirement: "ExtensionState of an extension without a hint is a Success with status -1.",
        level: Level::Should,
        authority: Authority::Asterisk,
        severity: Severity::Minor,
        needs: &[Need::Action("ExtensionState")],
        source: "manager.c action_extensionstate",
        check: Check::Active(|bench| Box::pin(unknown_extension(bench))),
        ..CASE
    },
];

async fn refused(
    bench: &mut Bench<'_>,
    action: &str,
    headers: &[(&str, &str)],
    message: &str,
) -> Judged {
    let mut probe = bench.rude_session().await?;
    let answer = probe.ask(action, headers).await?;
    answer.expect_error(message)?;
    probe.barrier().await?;
    Ok(Finding::pass(format!("`{message}`")).with(answer.evidence()))
}

async fn by_name(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.listener("call").await?;
    let (placed, response) = Placed::answered(bench, &mut probe).await?;
    let channel = response.text("Channel").unwrap_or_default();
    let answer = probe.ask("Hangup", &[("Channel", &channel)]).await?;
    answer.expect("Response", "Success")?;
    let event = placed.hung_up(&mut probe).await?;
    Ok(Finding::pass("Success and Hangup")
        .with(answer.evidence())
        .with(event.evidence()))
}

/// The whole name of our own channel, as a pattern that fits no other.
async fn by_pattern(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.listener("call").await?;
    let (placed, response) = Placed::answered(bench, &mut probe).await?;
    let channel = response.text("Channel").unwrap_or_default();
    let mut pattern = String::from("/^");
    for c in channel.chars() {
        pattern.push(if c.is_ascii_alphanumeric() { c } else { '.' });
    }
    pattern.push_str("$/");
    let list = probe.list("Hangup", &[("Channel", &pattern)]).await?;
    list.complete.expect("ListItems", "1")?;
    let [item] = list.items.as_slice() else {
        let got = format!("{} items", list.items.len());
        return Ok(Finding::fail("one channel", got).with(list.complete.evidence()));
    };
    item.expect("Channel", &channel)?;
    placed.hung_up(&mut probe).await?;
    Ok(Finding::pass("a list of one").with(list.complete.evidence()))
}

async fn redirect_nowhere(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.listener("call").await?;
    let (_, response) = Placed::answered(bench, &mut probe).await?;
    let channel = response.text("Channel").unwrap_or_default();
    let headers = [
        ("Channel", channel.as_str()),
        ("Context", "nosuchcontext"),
        ("Exten", "s"),
        ("Priority", "1"),
    ];
    let answer = probe.ask("Redirect", &headers).await?;
    Ok(Finding::pass(answer.summary()).with(answer.evidence()))
}

async fn status_of_unset(bench: &mut Bench<'_>) -> Judged {
    const UNSET: &str = "AMIBENCH_NOBODY_SET_THIS";
    let mut probe = bench.listener("call").await?;
    let (placed, response) = Placed::answered(bench, &mut probe).await?;
    let channel = response.text("Channel").unwrap_or_default();
    let headers = [("Channel", channel.as_str()), ("Variables", UNSET)];
    let status = probe.list("Status", &headers).await?;
    let is_it = |item: &&Got| item.has("Uniqueid", &placed.uniqueid);
    let Some(item) = status.items.iter().find(is_it) else {
        return Ok(Finding::inconclusive("the channel is not shown"));
    };
    let frame = item.frame();
    let mut lines = frame.lines().map(String::from_utf8_lossy);
    let line = lines.find(|line| line.contains(UNSET));
    let got = line.map_or_else(|| "nothing".to_owned(), |line| format!("`{line}`"));
    Ok(Finding::pass(got).with(item.evidence()))
}

async fn by_uniqueid(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.listener("call").await?;
    let (placed, _) = Placed::answered(bench, &mut probe).await?;
    let answer = probe
        .ask("Hangup", &[("Channel", &placed.uniqueid)])
        .await?;
    let got = if answer.has("Response", "Success") {
        "it is"
    } else {
        "it is not"
    };
    Ok(Finding::pass(got).with(answer.evidence()))
}

async fn cause(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.listener("call").await?;
    let (placed, response) = Placed::answered(bench, &mut probe).await?;
    let channel = response.text("Channel").unwrap_or_default();
    let answer = probe
        .ask("Hangup", &[("Channel", &channel), ("Cause", "21")])
        .await?;
    answer.expect("Response", "Success")?;
    let event = placed.hung_up(&mut probe).await?;
    event.expect("Cause", "21")?;
    Ok(Finding::pass("Cause 21").with(event.evidence()))
}

async fn redirect_refusals(bench: &mut Bench<'_>) -> Judged {
    let channel = ("Channel", "NoSuchTechnology/1-00000000");
    let (context, exten) = (("Context", "nosuchcontext"), ("Exten", "s"));
    let steps: [(&[(&str, &str)], &str); 4] = [
        (&[], "Channel not specified"),
        (&[channel], "Context not specified"),
        (&[channel, context], "Exten not specified"),
        (&[channel, context, exten], "Priority not specified"),
    ];
    let mut probe = bench.rude_session().await?;
    let mut evidence = Vec::new();
    for (headers, message) in steps {
        let answer = probe.ask("Redirect", headers).await?;
        answer.expect_error(message)?;
        evidence.push(answer.evidence());
    }
    probe.barrier().await?;
    Ok(Finding::pass("each of them").with_all(evidence))
}

async fn shown(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.listener("call").await?;
    let (placed, _) = Placed::answered(bench, &mut probe).await?;
    let is_it = |item: &Got| item.has("Uniqueid", &placed.uniqueid);
    let up = probe.list("CoreShowChannels", &[]).await?;
    if !up.items.iter().any(is_it) {
        return Ok(Finding::fail("the channel", "it is not there").with(up.complete.evidence()));
    }
    probe
        .ask("Hangup", &[("Channel", &placed.uniqueid)])
        .await?;
    placed.hung_up(&mut probe).await?;
    let gone = probe.list("CoreShowChannels", &[]).await?;
    match gone.items.iter().find(|item| is_it(item)) {
        Some(item) => {
            Ok(Finding::fail("no such channel", "it is still there").with(item.evidence()))
        }
        None => Ok(Finding::pass("there, then gone").with(gone.complete.evidence())),
    }
}

async fn field_names(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.listener("call").await?;
    let (placed, _) = Placed::answered(bench, &mut probe).await?;
    let list = probe.list("CoreShowChannels", &[]).await?;
    let Some(item) = list
        .items
        .iter()
        .find(|item| item.has("Uniqueid", &placed.uniqueid))
    else {
        return Ok(Finding::inconclusive("the channel is not shown"));
    };
    let frame = item.frame();
    let names: Vec<_> = frame
        .headers()
        .map(|header| String::from_utf8_lossy(header.name).into_owned())
        .collect();
    Ok(Finding::pass(names.join(", ")).with(item.evidence()))
}

async fn status_agrees(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.listener("call").await?;
    let (placed, _) = Placed::answered(bench, &mut probe).await?;
    let find = |items: &[Got]| {
        items
            .iter()
            .find(|item| item.has("Uniqueid", &placed.uniqueid))
            .cloned()
    };
    let list = probe.list("CoreShowChannels", &[]).await?;
    let statuses = probe.list("Status", &[]).await?;
    let (Some(shown), Some(status)) = (find(&list.items), find(&statuses.items)) else {
        return Ok(Finding::fail("the channel in both", "it is missing in one"));
    };
    for name in ["Channel", "ChannelState", "Linkedid", "Context", "Exten"] {
        let value = shown.text(name).unwrap_or_default();
        status.expect(name, &value)?;
    }
    let again = probe.list("CoreShowChannels", &[]).await?;
    let is_in = |items: &[Got], name: &str| items.iter().any(|item| item.has("Channel", name));
    let ghost = list.items.iter().find(|item| {
        // What was there before and after was there meanwhile.
        let name = item.text("Channel").unwrap_or_default();
        is_in(&again.items, &name) && !is_in(&statuses.items, &name)
    });
    if let Some(ghost) = ghost {
        let got = format!("`{}` is not in Status", ghost.summary());
        return Ok(Finding::fail("the same channels in both", got).with(ghost.evidence()));
    }
    Ok(Finding::pass("alike")
        .with(shown.evidence())
        .with(status.evidence()))
}

async fn set_and_got(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.listener("call").await?;
    let (placed, _) = Placed::answered(bench, &mut probe).await?;
    let channel = ("Channel", placed.uniqueid.as_str());
    let (name, value) = (("Variable", "AMIBENCH_VALUE"), "a: b=c,d;e");
    probe
        .ask("Setvar", &[channel, name, ("Value", value)])
        .await?
        .expect("Response", "Success")?;
    let got = probe.ask("Getvar", &[channel, name]).await?;
    got.expect("Value", value)?;
    Ok(Finding::pass("the same").with(got.evidence()))
}

async fn unset(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.session().await?;
    let answer = probe
        .ask("Getvar", &[("Variable", "AMIBENCH_NOBODY_SET_THIS")])
        .await?;
    answer.expect("Response", "Success")?;
    answer.expect("Value", "")?;
    Ok(Finding::pass("empty").with(answer.evidence()))
}

async fn no_line_ends(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.rude_session().await?;
    // CR LF, then `X-Injected: 1`, in base64.
    let variable = "BASE64_DECODE(DQpYLUluamVjdGVkOiAx)";
    let answer = probe.ask("Getvar", &[("Variable", variable)]).await?;
    if answer.text("X-Injected").is_some() {
        return Ok(Finding::fail("no header X-Injected", "it is there").with(answer.evidence()));
    }
    probe.barrier().await?;
    Ok(Finding::pass("none").with(answer.evidence()))
}

async fn no_shell(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.rude_session().await?;
    let answer = probe
        .ask("Getvar", &[("Variable", "SHELL(echo amibench)")])
        .await?;
    let value = answer.text("Value").unwrap_or_default();
    if value.contains("amibench") && !value.contains("SHELL") {
        return Ok(
            Finding::fail("nothing, or an error", format!("`{value}`")).with(answer.evidence())
        );
    }
    Ok(Finding::pass(answer.summary()).with(answer.evidence()))
}

async fn unknown_extension(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.session().await?;
    let exten = bench.id();
    let answer = probe
        .ask(
            "ExtensionState",
            &[("Exten", &exten), ("Context", "nosuchcontext")],
        )
        .await?;
    answer.expect("Response", "Success")?;
    answer.expect("Status", "-1")?;
    Ok(Finding::pass("-1").with(answer.evidence()))
}
