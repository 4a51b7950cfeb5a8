//! Where messages begin and end, in both directions.

use std::collections::BTreeSet;
use std::time::Duration;

use ami_proto::anomaly::Anomaly;
use ami_proto::frame::FrameKind;
use ami_proto::transcript::Mark;

use crate::bench::Bench;
use crate::case::{Authority, CASE, Case, Check, Level, Need, Safety, Severity};
use crate::finding::{Finding, Judged};
use crate::observed::{Observed, Seen};
use crate::probe::{Got, Probe};

/// Enough to fill every buffer on the way several times over.
const PIPELINED: usize = 1000;

pub(super) const CASES: &[Case] = &[
    Case {
        id: "framing.terminator.crlf",
        requirement: "A request whose lines end with CR LF is answered.",
        severity: Severity::Blocker,
        source: "AMI specification, message layout",
        check: Check::Active(|bench| {
            Box::pin(crlf(bench, "Action: Ping\r\nActionID: {id}\r\n\r\n"))
        }),
        ..CASE
    },
    Case {
        id: "framing.terminator.lf",
        requirement: "A request whose lines end with LF alone is answered.",
        level: Level::Should,
        authority: Authority::Asterisk,
        severity: Severity::Minor,
        safety: Safety::Noisy,
        source: "manager.c get_input, since 1.6",
        check: Check::Active(|bench| {
            Box::pin(super::pong(bench, "Action: Ping\nActionID: {id}\n\n"))
        }),
        ..CASE
    },
    Case {
        id: "framing.terminator.mixed",
        requirement: "A request may mix CR LF and LF.",
        level: Level::May,
        authority: Authority::Asterisk,
        severity: Severity::Minor,
        safety: Safety::Noisy,
        source: "manager.c get_input, since 1.6",
        check: Check::Active(|bench| {
            Box::pin(super::pong(bench, "Action: Ping\r\nActionID: {id}\n\r\n"))
        }),
        ..CASE
    },
    Case {
        id: "framing.terminator.bare-cr",
        requirement: "CR alone ends no line.",
        level: Level::Should,
        authority: Authority::Asterisk,
        safety: Safety::Noisy,
        source: "manager.c get_input",
        check: Check::Active(|bench| Box::pin(bare_cr(bench))),
        ..CASE
    },
    Case {
        id: "framing.output.crlf",
        requirement: "Every line of a message ends with CR LF.",
        level: Level::Should,
        source: "AMI specification, message layout",
        catches: &["asterisk/asterisk#761", "marcelog/PAMI#89"],
        check: Check::Passive(|observed| {
            without(observed, "lines that end with CR LF", |anomaly| {
                matches!(anomaly, Anomaly::BareLf { .. })
            })
        }),
        ..CASE
    },
    Case {
        id: "framing.output.one-empty-line",
        requirement: "A message ends with exactly one empty line.",
        level: Level::Should,
        source: "AMI specification, message layout",
        catches: &["clue/reactphp-ami#49", "wdoekes/asterisk-chan-dongle#53"],
        check: Check::Passive(|observed| {
            without(observed, "one empty line behind each message", |anomaly| {
                matches!(anomaly, Anomaly::ExtraBlankLines { .. })
            })
        }),
        ..CASE
    },
    Case {
        id: "framing.output.only-headers",
        requirement: "Every line of a message has the form `Name: value`.",
        level: Level::Should,
        severity: Severity::Major,
        source: "AMI specification, message layout",
        catches: &["pyami_asterisk#10", "pipobscure/NodeJS-AsteriskManager#42"],
        check: Check::Passive(|observed| {
            without(observed, "lines with a colon", |anomaly| {
                matches!(anomaly, Anomaly::NoColon { .. })
            })
        }),
        ..CASE
    },
    Case {
        id: "framing.output.whole",
        requirement: "A connection that the PBX closes ends behind a whole message.",
        level: Level::Should,
        authority: Authority::Consensus,
        source: "torn messages under load",
        catches: &["marcelog/PAMI#119"],
        check: Check::Passive(whole),
        ..CASE
    },
    Case {
        id: "framing.output.begins-with-kind",
        requirement: "A message begins with `Response` or `Event`.",
        severity: Severity::Blocker,
        source: "AMI specification, message kinds",
        catches: &["marcelog/PAMI#119"],
        check: Check::Passive(begins_with_kind),
        ..CASE
    },
    Case {
        id: "framing.empty.one-error",
        requirement: "An empty line alone is one request without an action, and gets one error.",
        level: Level::Should,
        authority: Authority::Asterisk,
        severity: Severity::Minor,
        safety: Safety::Noisy,
        source: "manager.c process_message",
        check: Check::Active(|bench| Box::pin(empty_lines(bench, 1))),
        ..CASE
    },
    Case {
        id: "framing.empty.as-many-errors",
        requirement: "Ten empty lines are ten requests without an action.",
        level: Level::May,
        authority: Authority::Asterisk,
        severity: Severity::Minor,
        safety: Safety::Noisy,
        source: "manager.c process_message",
        check: Check::Active(|bench| Box::pin(empty_lines(bench, 10))),
        ..CASE
    },
    Case {
        id: "framing.nul.cuts-value",
        requirement: "What a NUL in a value does to it.",
        level: Level::Observe,
        authority: Authority::Asterisk,
        severity: Severity::Info,
        safety: Safety::Noisy,
        source: "manager.c get_input: C strings",
        check: Check::Active(|bench| Box::pin(nul_in_value(bench))),
        ..CASE
    },
    Case {
        id: "framing.nul.at-start",
        requirement: "What a line that begins with NUL does to a request.",
        level: Level::Observe,
        authority: Authority::Asterisk,
        severity: Severity::Info,
        safety: Safety::Noisy,
        source: "manager.c get_input: C strings",
        check: Check::Active(|bench| Box::pin(nul_at_start(bench))),
        ..CASE
    },
    Case {
        id: "framing.bytes.transparent",
        requirement: "Bytes from 0x80 on come back in an ActionID as they were.",
        level: Level::Should,
        authority: Authority::Asterisk,
        safety: Safety::Noisy,
        source: "manager.c has no character set",
        check: Check::Active(|bench| Box::pin(high_bytes(bench))),
        ..CASE
    },
    Case {
        id: "framing.bytes.noise",
        requirement: "A line of bytes from 0x80 on that is no header does not end the session.",
        authority: Authority::Consensus,
        safety: Safety::Noisy,
        source: "manager.c get_input looks for line ends alone",
        check: Check::Active(|bench| Box::pin(noise(bench))),
        ..CASE
    },
    Case {
        id: "framing.split.single-bytes",
        requirement: "A request that comes byte by byte is answered as one that comes whole.",
        severity: Severity::Blocker,
        source: "TCP is a stream",
        check: Check::Active(|bench| Box::pin(single_bytes(bench))),
        ..CASE
    },
    Case {
        id: "framing.pipeline.order",
        requirement: "A thousand requests in one piece are answered in their order, each once.",
        safety: Safety::Noisy,
        source: "manager.c: one action at a time on a session",
        check: Check::Active(|bench| Box::pin(pipeline(bench))),
        ..CASE
    },
    Case {
        id: "framing.pipeline.mixed",
        requirement: "Successes, errors and lists that are asked for in one piece come in order, none inside another.",
        needs: &[Need::Action("CoreShowChannels")],
        safety: Safety::Noisy,
        source: "manager.c: one action at a time on a session",
        check: Check::Active(|bench| Box::pin(mixed_pipeline(bench))),
        ..CASE
    },
    Case {
        id: "framing.pipeline.no-event-inside",
        requirement: "No event stands between the answer to a list action and the end of its list.",
        needs: &[
            Need::Action("UserEvent"),
            Need::Read("user"),
            Need::Action("CoreShowChannels"),
        ],
        safety: Safety::CreatesState,
        source: "manager.c: events wait while an action is served",
        check: Check::Active(|bench| Box::pin(no_event_inside(bench))),
        ..CASE
    },
];

/// Where no login is answered, one whose lines end with LF tells whether that was for the line ends.
async fn crlf(bench: &mut Bench<'_>, ping: &str) -> Judged {
    let Err(unanswered) = bench.session().await else {
        return super::pong(bench, ping).await;
    };
    let (mut probe, _) = bench.greeted().await?;
    let account = bench.credentials()?;
    let login = format!(
        "Action: Login\nUsername: {}\nSecret: {}\nEvents: off\n\n",
        account.username,
        account.secret.expose()
    );
    probe.raw(login).await;
    match probe.answer().await {
        Ok(answer) if answer.has("Response", "Success") => {
            let got = "a login with LF is accepted, one with CR LF is not";
            Ok(Finding::fail("CR LF ends a line", got).with(answer.evidence()))
        }
        _ => Err(unanswered),
    }
}

async fn bare_cr(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.rude_session().await?;
    let id = bench.id();
    probe
        .raw(format!("Action: Ping\rActionID: {id}\r\n\r\n"))
        .await;
    let answer = probe.answer().await?;
    answer.expect("Response", "Error")?;
    probe.barrier().await?;
    Ok(Finding::pass("CR is part of the value").with(answer.evidence()))
}

/// Nothing that the PBX said has such an anomaly, and it said something.
fn without(observed: &Observed<'_>, expected: &str, is: impl Fn(&Anomaly) -> bool) -> Finding {
    let mut messages = 0;
    let mut odd: Vec<&Seen> = Vec::new();
    for seen in observed.said() {
        messages += 1;
        if seen.has_anomaly(&is) {
            odd.push(seen);
        }
    }
    let Some(first) = odd.first() else {
        return of_messages(messages);
    };
    let anomaly = first.frame().anomalies().iter().find(|anomaly| is(anomaly));
    let what = anomaly.map(ToString::to_string).unwrap_or_default();
    let got = format!(
        "{} of {messages} messages do not; the first: {what}",
        odd.len()
    );
    Finding::fail(expected, got).with_all(odd.iter().take(super::SHOWN).map(|seen| seen.evidence()))
}

fn of_messages(messages: usize) -> Finding {
    if messages == 0 {
        Finding::inconclusive("no message was seen")
    } else {
        Finding::pass(format!("all of {messages} messages"))
    }
}

fn whole(observed: &Observed<'_>) -> Finding {
    let mut closed = 0;
    for connection in observed.proper() {
        if !matches!(connection.end, Some(Mark::Fin | Mark::Rst)) {
            continue;
        }
        closed += 1;
        if connection.torn > 0 {
            let got = format!("{} bytes of a message without its end", connection.torn);
            let last = connection.said().last().map(Seen::evidence);
            return Finding::fail("whole messages", got).with_all(last);
        }
    }
    if closed == 0 {
        Finding::inconclusive("the PBX closed no connection")
    } else {
        Finding::pass(format!("on all of {closed} connections"))
    }
}

fn begins_with_kind(observed: &Observed<'_>) -> Finding {
    let mut messages = 0;
    for seen in observed
        .said()
        .filter(|seen| seen.kind() != FrameKind::Banner)
    {
        messages += 1;
        let first = seen.frame().headers().next();
        let kind = first.is_some_and(|header| header.is("Response") || header.is("Event"));
        if !kind {
            let line = seen.frame().lines().next().unwrap_or_default();
            let got = format!("`{}`", line.escape_ascii());
            return Finding::fail("`Response: …` or `Event: …` first", got).with(seen.evidence());
        }
    }
    of_messages(messages)
}

async fn empty_lines(bench: &mut Bench<'_>, count: usize) -> Judged {
    let mut probe = bench.rude_session().await?;
    probe.raw("\r\n".repeat(count)).await;
    let before = probe.barrier_behind().await?;
    let answers: Vec<&Got> = before
        .iter()
        .filter(|got| got.kind() != FrameKind::Event)
        .collect();
    let evidence = answers.iter().take(super::SHOWN).map(|got| got.evidence());
    if answers.len() != count {
        let expected = format!("{count} errors");
        return Ok(
            Finding::fail(expected, format!("{} answers", answers.len())).with_all(evidence),
        );
    }
    for answer in &answers {
        answer.expect("Response", "Error")?;
    }
    Ok(Finding::pass(format!("{count} errors")).with_all(evidence))
}

async fn nul_in_value(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.rude_session().await?;
    let id = bench.id();
    probe
        .raw(format!("Action: Ping\0more\r\nActionID: {id}\r\n\r\n"))
        .await;
    let answers = probe.barrier_behind().await?;
    Ok(told(&answers))
}

async fn nul_at_start(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.rude_session().await?;
    let id = bench.id();
    probe
        .raw(format!(
            "Action: Ping\r\nActionID: {id}\r\n\0Header: x\r\n\r\n"
        ))
        .await;
    let answers = probe.barrier_behind().await?;
    Ok(told(&answers))
}

/// What was observed, as it is.
fn told(answers: &[Got]) -> Finding {
    let texts: Vec<String> = answers.iter().map(Got::summary).collect();
    let got = match texts.as_slice() {
        [] => "no answer".to_owned(),
        texts => texts.join("; "),
    };
    Finding::pass(got).with_all(answers.iter().take(super::SHOWN).map(Got::evidence))
}

async fn high_bytes(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.rude_session().await?;
    let mut id = bench.id().into_bytes();
    id.extend(0x80..=0xff);
    let mut request = b"Action: Ping\r\nActionID: ".to_vec();
    request.extend_from_slice(&id);
    request.extend_from_slice(b"\r\n\r\n");
    probe.raw(request).await;
    let answer = probe.answer().await?;
    let echoed = answer.frame().get("ActionID").unwrap_or_default();
    if echoed != id {
        let got = format!("`{}`", echoed.escape_ascii());
        let expected = format!("`{}`", id.escape_ascii());
        return Ok(Finding::fail(expected, got).with(answer.evidence()));
    }
    probe.barrier().await?;
    Ok(Finding::pass("all of them").with(answer.evidence()))
}

async fn noise(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.rude_session().await?;
    let mut line: Vec<u8> = (0x80..=0xff).collect();
    line.extend_from_slice(b"\r\n\r\n");
    probe.raw(line).await;
    let answer = probe.answer().await?;
    answer.expect("Response", "Error")?;
    probe.barrier().await?;
    Ok(Finding::pass("an error, and the session goes on").with(answer.evidence()))
}

async fn single_bytes(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.session().await?;
    let id = bench.id();
    for byte in format!("Action: Ping\r\nActionID: {id}\r\n\r\n").bytes() {
        probe.raw([byte]).await;
        tokio::task::yield_now().await;
    }
    let answer = probe.answer().await?;
    answer.expect("Response", "Success")?;
    Ok(Finding::pass("answered as one that comes whole").with(answer.evidence()))
}

async fn pipeline(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.session().await?;
    let ids: Vec<String> = (0..PIPELINED).map(|_| bench.id()).collect();
    let ping = |id: &String| format!("Action: Ping\r\nActionID: {id}\r\n\r\n");
    probe.raw(ids.iter().map(ping).collect::<String>()).await;
    for id in &ids {
        let answer = probe.answer().await?;
        answer.expect("ActionID", id)?;
    }
    probe.silent_until_ping("the last answer").await?;
    Ok(Finding::pass(format!("{PIPELINED} answers in order")))
}

async fn mixed_pipeline(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.rude_session().await?;
    let actions = ["Ping", "NoSuchAction", "CoreShowChannels", "Ping"];
    let ids = actions.map(|_| bench.id());
    let requests = actions.iter().zip(&ids);
    let text: String = requests
        .map(|(action, id)| format!("Action: {action}\r\nActionID: {id}\r\n\r\n"))
        .collect();
    probe.raw(text).await;
    let mut order: Vec<String> = Vec::new();
    let messages = probe.barrier_behind().await?;
    for message in &messages {
        let id = message.text("ActionID").unwrap_or_default();
        if order.last() != Some(&id) {
            order.push(id);
        }
    }
    let evidence = messages.iter().take(super::SHOWN).map(Got::evidence);
    if order != ids {
        let got = format!("answers in the order {}", order.join(", "));
        return Ok(Finding::fail(format!("the order {}", ids.join(", ")), got).with_all(evidence));
    }
    Ok(Finding::pass("in order, none inside another").with_all(evidence))
}

async fn no_event_inside(bench: &mut Bench<'_>) -> Judged {
    const LISTS: usize = 50;
    let mut listener = bench.listener("on").await?;
    let mut teller = bench.session().await?;
    let name = bench.id();
    let mut asked = BTreeSet::new();
    for _ in 0..LISTS {
        asked.insert(listener.send("CoreShowChannels", &[]).await);
        teller.send("UserEvent", &[("UserEvent", &name)]).await;
    }
    teller.barrier_behind().await?;
    let messages = listener.barrier_behind().await?;
    let mut open: Option<String> = None;
    let (mut lists, mut events) = (0, 0);
    for message in &messages {
        let id = message.text("ActionID").filter(|id| asked.contains(id));
        match (&open, id) {
            (Some(list), Some(id)) if *list == id => {
                if message.closes_list() {
                    open = None;
                }
            }
            (Some(_), _) => {
                let got = format!("`{}` inside a list", message.summary());
                return Ok(Finding::fail("the whole list first", got).with(message.evidence()));
            }
            (None, Some(id)) => {
                lists += 1;
                open = Some(id);
            }
            (None, None) => events += usize::from(message.has("UserEvent", &name)),
        }
    }
    heard_enough(&mut listener, &name, events).await?;
    Ok(Finding::pass(format!(
        "{lists} lists among {events} events"
    )))
}

/// Without events there was nothing that could have come in between.
async fn heard_enough(listener: &mut Probe, name: &str, events: usize) -> Result<(), Finding> {
    if events > 0 {
        return Ok(());
    }
    let named = |got: &Got| got.has("UserEvent", name);
    let later = listener.next(Duration::from_secs(1)).await;
    match later {
        crate::probe::Heard::Message(got) if named(&got) => Ok(()),
        _ => Err(Finding::inconclusive("no UserEvent was heard meanwhile")),
    }
}
