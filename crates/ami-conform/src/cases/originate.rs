//! Originate: what is refused, what is said of a call, and when.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::bench::Bench;
use crate::case::{Authority, CASE, Case, Check, Level, Need, Safety};
use crate::finding::{Finding, Judged};
use crate::placed::{Placed, place};
use crate::probe::{Got, Heard, Probe};

const CALLS: &[Need] = &[
    Need::Action("Originate"),
    Need::Action("Hangup"),
    Need::Action("CoreShowChannels"),
    Need::Read("call"),
    Need::Role("answers"),
    Need::Since(12, 2),
];

const BUSY: &[Need] = &[
    Need::Action("Originate"),
    Need::Action("Hangup"),
    Need::Action("CoreShowChannels"),
    Need::Read("call"),
    Need::Role("busy"),
    Need::Since(12, 2),
];

const AT_ONCE: Duration = Duration::from_secs(2);

/// A call that is busy says so within this time, an answered one is up.
const SETTLED_WITHIN: Duration = Duration::from_secs(20);

pub(super) const CASES: &[Case] = &[
    Case {
        id: "originate.answer.at-once",
        requirement: "An asynchronous Originate is answered within two seconds, and before its call is.",
        safety: Safety::OriginatesCall,
        needs: CALLS,
        source: "manager.c action_originate",
        check: Check::Active(|bench| Box::pin(at_once(bench))),
        ..CASE
    },
    Case {
        id: "originate.response.one",
        requirement: "An asynchronous Originate is followed by one OriginateResponse with its ActionID.",
        safety: Safety::OriginatesCall,
        needs: CALLS,
        source: "manager.c fast_originate",
        check: Check::Active(|bench| Box::pin(one_response(bench))),
        ..CASE
    },
    Case {
        id: "originate.response.answered",
        requirement: "OriginateResponse of a call that was answered says Success, Reason 4 and the name of its channel.",
        authority: Authority::Asterisk,
        safety: Safety::OriginatesCall,
        needs: CALLS,
        source: "manager.c fast_originate; pbx.c: AST_CONTROL_ANSWER",
        check: Check::Active(|bench| Box::pin(answered(bench))),
        ..CASE
    },
    Case {
        id: "originate.response.busy",
        requirement: "OriginateResponse of a busy call says Failure and Reason 5.",
        authority: Authority::Asterisk,
        safety: Safety::OriginatesCall,
        needs: BUSY,
        source: "manager.c fast_originate; pbx.c: AST_CONTROL_BUSY",
        check: Check::Active(|bench| Box::pin(busy(bench))),
        ..CASE
    },
    Case {
        id: "originate.response.unknown-technology",
        requirement: "An asynchronous Originate to a technology that does not exist fails with an OriginateResponse too.",
        safety: Safety::OriginatesCall,
        needs: CALLS,
        source: "manager.c fast_originate",
        check: Check::Active(|bench| Box::pin(unknown_technology(bench))),
        ..CASE
    },
    Case {
        id: "originate.sync.busy",
        requirement: "A synchronous Originate to a busy number is an error.",
        safety: Safety::OriginatesCall,
        needs: BUSY,
        source: "manager.c action_originate",
        check: Check::Active(|bench| Box::pin(sync_busy(bench))),
        ..CASE
    },
    Case {
        id: "originate.channel-id.kept",
        requirement: "A ChannelId becomes the Uniqueid of the channel, and the other half of a Local channel gets `;2` behind it.",
        level: Level::Should,
        authority: Authority::Asterisk,
        safety: Safety::OriginatesCall,
        needs: CALLS,
        source: "manager.c action_originate, since 12.2",
        check: Check::Active(|bench| Box::pin(channel_id(bench))),
        ..CASE
    },
    Case {
        id: "originate.channel-id.twice",
        requirement: "A ChannelId that is in use fails, and harms nobody.",
        authority: Authority::Asterisk,
        safety: Safety::OriginatesCall,
        needs: CALLS,
        source: "channel.c ast_channel_alloc, since 12.2",
        check: Check::Active(|bench| Box::pin(channel_id_twice(bench))),
        ..CASE
    },
    Case {
        id: "originate.variable.several",
        requirement: "Several Variable headers, and several variables in one, are all set.",
        level: Level::Should,
        authority: Authority::Asterisk,
        safety: Safety::OriginatesCall,
        needs: &[
            Need::Action("Originate"),
            Need::Action("Hangup"),
            Need::Action("Getvar"),
            Need::Action("CoreShowChannels"),
            Need::Read("call"),
            Need::Role("answers"),
            Need::Since(12, 2),
        ],
        source: "manager.c astman_get_variables",
        check: Check::Active(|bench| Box::pin(variables(bench))),
        ..CASE
    },
    Case {
        id: "originate.events.per-channel-order",
        requirement: "Each channel of a call begins with Newchannel and ends with Hangup, once each.",
        safety: Safety::OriginatesCall,
        needs: CALLS,
        source: "manager_channels.c",
        check: Check::Active(|bench| Box::pin(per_channel(bench))),
        ..CASE
    },
    Case {
        id: "originate.events.linked",
        requirement: "Both halves of a call bear the same Linkedid.",
        level: Level::Should,
        safety: Safety::OriginatesCall,
        needs: CALLS,
        source: "channel.c ast_channel_linkedid",
        check: Check::Active(|bench| Box::pin(linked(bench))),
        ..CASE
    },
];

async fn at_once(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.listener("call").await?;
    let sent_at = bench.now();
    let placed = place(bench, &mut probe, "answers", &[("Async", "true")]).await?;
    loop {
        match probe.next(SETTLED_WITHIN).await {
            Heard::Message(got) if got.answers(&placed.action_id) => {
                if got.is_event("OriginateResponse") {
                    return Ok(Finding::fail("the answer first", "OriginateResponse first")
                        .with(got.evidence()));
                }
                got.expect("Response", "Success")?;
                let took = got.at.saturating_sub(sent_at);
                if took > AT_ONCE {
                    let got_after = format!("after {:.1} s", took.as_secs_f64());
                    return Ok(Finding::fail("at once", got_after).with(got.evidence()));
                }
                return Ok(Finding::pass("it is").with(got.evidence()));
            }
            Heard::Message(_) => {}
            Heard::End(_) | Heard::Silence => {
                return Err(Finding::inconclusive("the Originate was not answered"));
            }
        }
    }
}

async fn one_response(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.listener("call").await?;
    let (placed, _) = Placed::begin(bench, &mut probe, "answers").await?;
    let response = placed.response(&mut probe).await?;
    probe
        .ask("Hangup", &[("Channel", &placed.uniqueid)])
        .await?;
    let mut seen = vec![response];
    loop {
        let event = probe
            .event("the Hangup of the channel", |got| {
                got.has("ActionID", &placed.action_id) || placed.is_in(got)
            })
            .await?;
        if event.is_event("OriginateResponse") {
            seen.push(event);
        } else if event.is_event("Hangup") && event.has("Uniqueid", &placed.uniqueid) {
            break;
        }
    }
    let evidence: Vec<_> = seen.iter().map(Got::evidence).collect();
    if seen.len() > 1 {
        return Ok(Finding::fail("one", format!("{}", seen.len())).with_all(evidence));
    }
    Ok(Finding::pass("one").with_all(evidence))
}

async fn answered(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.listener("call").await?;
    let (placed, _) = Placed::begin(bench, &mut probe, "answers").await?;
    let response = placed.response(&mut probe).await?;
    response.expect("Response", "Success")?;
    response.expect("Reason", "4")?;
    response.expect("Uniqueid", &placed.uniqueid)?;
    let channel = response.text("Channel").unwrap_or_default();
    let list = probe.list("CoreShowChannels", &[]).await?;
    let up = |item: &&Got| item.has("Uniqueid", &placed.uniqueid);
    match list.items.iter().find(up) {
        None => Ok(Finding::inconclusive("the channel is gone already")),
        Some(item) => {
            item.expect("Channel", &channel)?;
            Ok(Finding::pass(format!("Reason 4, {channel}")).with(response.evidence()))
        }
    }
}

async fn busy(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.listener("call").await?;
    let (placed, _) = Placed::begin(bench, &mut probe, "busy").await?;
    let response = placed.response(&mut probe).await?;
    response.expect("Response", "Failure")?;
    response.expect("Reason", "5")?;
    Ok(Finding::pass("Failure, Reason 5").with(response.evidence()))
}

async fn unknown_technology(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.listener("call").await?;
    let headers = [
        ("Channel", "NoSuchTechnology/1"),
        ("Application", "NoOp"),
        ("Async", "true"),
    ];
    let answer = probe.ask("Originate", &headers).await?;
    if answer.has("Response", "Error") {
        return Ok(Finding::pass("refused at once").with(answer.evidence()));
    }
    let id = answer.text("ActionID").unwrap_or_default();
    let response = probe
        .event("OriginateResponse", |got| {
            got.is_event("OriginateResponse") && got.has("ActionID", &id)
        })
        .await?;
    response.expect("Response", "Failure")?;
    Ok(Finding::pass("Failure").with(response.evidence()))
}

async fn sync_busy(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.session().await?;
    let placed = place(bench, &mut probe, "busy", &[]).await?;
    let answer = probe.answer_within(SETTLED_WITHIN).await?;
    answer.expect("ActionID", &placed.action_id)?;
    answer.expect("Response", "Error")?;
    probe.barrier().await?;
    Ok(answer.pass_with_message())
}

async fn channel_id(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.listener("call").await?;
    let (placed, response) = Placed::answered(bench, &mut probe).await?;
    response.expect("Uniqueid", &placed.uniqueid)?;
    let list = probe.list("CoreShowChannels", &[]).await?;
    let ids: Vec<String> = list
        .items
        .iter()
        .filter_map(|item| item.text("Uniqueid"))
        .collect();
    let other = format!("{};2", placed.uniqueid);
    let channel = response.text("Channel").unwrap_or_default();
    if channel.starts_with("Local/") && !ids.contains(&other) {
        let got = format!("channels {}", ids.join(", "));
        return Ok(Finding::fail(format!("a channel {other}"), got).with(list.complete.evidence()));
    }
    Ok(Finding::pass(placed.uniqueid).with(response.evidence()))
}

async fn channel_id_twice(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.listener("call").await?;
    let (placed, _) = Placed::answered(bench, &mut probe).await?;
    // It would be answered, and end at once.
    let channel = bench.device.roles["answers"].channel.clone();
    let headers = [
        ("Channel", channel.as_str()),
        ("Application", "NoOp"),
        ("ChannelId", &placed.uniqueid),
        ("Async", "true"),
    ];
    let answer = probe.ask("Originate", &headers).await?;
    let evidence = answer.evidence();
    if !answer.has("Response", "Error") {
        let id = answer.text("ActionID").unwrap_or_default();
        let response = probe
            .event("OriginateResponse", |got| {
                got.is_event("OriginateResponse") && got.has("ActionID", &id)
            })
            .await?;
        response.expect("Response", "Failure")?;
    }
    let list = probe.list("CoreShowChannels", &[]).await?;
    if !list
        .items
        .iter()
        .any(|item| item.has("Uniqueid", &placed.uniqueid))
    {
        return Ok(
            Finding::fail("the first call goes on", "it is gone").with(list.complete.evidence())
        );
    }
    Ok(Finding::pass("the second fails, the first goes on").with(evidence))
}

async fn variables(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.listener("call").await?;
    let more = [
        ("Async", "true"),
        ("Variable", "AMIBENCH_ONE=1,AMIBENCH_TWO=2"),
        ("Variable", "AMIBENCH_THREE=a b"),
    ];
    let placed = place(bench, &mut probe, "answers", &more).await?;
    probe.answer().await?.expect("Response", "Success")?;
    placed
        .response(&mut probe)
        .await?
        .expect("Response", "Success")?;
    let mut evidence = Vec::new();
    for (name, value) in [
        ("AMIBENCH_ONE", "1"),
        ("AMIBENCH_TWO", "2"),
        ("AMIBENCH_THREE", "a b"),
    ] {
        let answer = getvar(&mut probe, &placed, name).await?;
        answer.expect("Value", value)?;
        evidence.push(answer.evidence());
    }
    Ok(Finding::pass("all three").with_all(evidence))
}

async fn getvar(probe: &mut Probe, placed: &Placed, name: &str) -> Result<Got, Finding> {
    let headers = [("Channel", placed.uniqueid.as_str()), ("Variable", name)];
    probe.ask("Getvar", &headers).await
}

/// Every event of a call from its first to its last.
async fn whole_call(bench: &mut Bench<'_>) -> Result<(Placed, Vec<Got>), Finding> {
    let mut probe = bench.listener("call").await?;
    let (placed, _) = Placed::begin(bench, &mut probe, "answers").await?;
    let mut events = Vec::new();
    let mut open = 0_usize;
    let mut asked = false;
    loop {
        let event = probe
            .event("the events of the call", |got| {
                placed.is_in(got) || got.has("ActionID", &placed.action_id)
            })
            .await?;
        if event.is_event("OriginateResponse") {
            event.expect("Response", "Success")?;
            probe.send("Hangup", &[("Channel", &placed.uniqueid)]).await;
            asked = true;
            continue;
        }
        if event.is_event("Newchannel") {
            open += 1;
        } else if event.is_event("Hangup") {
            open = open.saturating_sub(1);
        }
        events.push(event);
        if asked && open == 0 {
            return Ok((placed, events));
        }
    }
}

async fn per_channel(bench: &mut Bench<'_>) -> Judged {
    let (_, events) = whole_call(bench).await?;
    let mut channels: BTreeMap<String, Vec<&Got>> = BTreeMap::new();
    for event in &events {
        channels
            .entry(event.text("Uniqueid").unwrap_or_default())
            .or_default()
            .push(event);
    }
    for events in channels.values() {
        let (first, last) = (events[0], events[events.len() - 1]);
        let count = |name: &str| events.iter().filter(|event| event.is_event(name)).count();
        let whole = first.is_event("Newchannel") && last.is_event("Hangup");
        if !whole || count("Newchannel") != 1 || count("Hangup") != 1 {
            let names: Vec<String> = events
                .iter()
                .filter_map(|event| event.text("Event"))
                .collect();
            let got = names.join(", ");
            return Ok(Finding::fail("Newchannel, …, Hangup", got)
                .with(first.evidence())
                .with(last.evidence()));
        }
    }
    Ok(Finding::pass(format!(
        "{} channels, {} events",
        channels.len(),
        events.len()
    )))
}

async fn linked(bench: &mut Bench<'_>) -> Judged {
    let (placed, events) = whole_call(bench).await?;
    let mut halves: BTreeMap<String, &Got> = BTreeMap::new();
    for event in events.iter().filter(|event| event.is_event("Newchannel")) {
        halves.insert(event.text("Linkedid").unwrap_or_default(), event);
    }
    let evidence = halves.values().map(|event| event.evidence());
    let linked = halves.contains_key(&placed.uniqueid);
    if halves.len() != 1 || !linked {
        let ids: Vec<&str> = halves.keys().map(String::as_str).collect();
        let got = ids.join(", ");
        return Ok(Finding::fail(placed.uniqueid, got).with_all(evidence));
    }
    Ok(Finding::pass(placed.uniqueid).with_all(evidence))
}
