//! Events: their shape, who hears them, in which order, and what masks and filters do.

use std::collections::BTreeMap;
use std::time::Duration;

use ami_proto::frame::FrameKind;

use crate::bench::Bench;
use crate::case::{Authority, CASE, Case, Check, Level, Need, Safety, Severity};
use crate::finding::{Finding, Judged};
use crate::observed::{Observed, Seen};
use crate::probe::{Got, Heard, Probe};

/// What a case that tells events itself needs.
pub(super) const TELLS: &[Need] = &[Need::Action("UserEvent"), Need::Read("user")];

/// Events that several sessions compare.
const MANY: usize = 200;

const READERS: usize = 3;
/// A PBX where something happens in each of so many waits is too busy for this.
const WAITS: usize = 4;
/// One wait may be woken by what others heard just before it began; two are not.
const MISSES: usize = 2;
const WAITS_BY_NOW: Duration = Duration::from_millis(500);
/// Stamped by several threads, so many seconds may lie between two events that are told in the other order.
const CLOCK_JITTER: f64 = 0.01;

pub(super) const CASES: &[Case] = &[
    Case {
        id: "event.shape.privilege",
        requirement: "An event that is no answer says in `Privilege` which classes may hear it.",
        level: Level::Should,
        source: "manager.c __ast_manager_event_multichan",
        check: Check::Passive(privilege),
        ..CASE
    },
    Case {
        id: "event.shape.privilege-ends-with-all",
        requirement: "`Privilege` ends with `all`.",
        level: Level::May,
        authority: Authority::Asterisk,
        severity: Severity::Minor,
        source: "manager.c authority_to_str, since 1.6",
        catches: &["gateways that put `all` first"],
        check: Check::Passive(privilege_ends_with_all),
        ..CASE
    },
    Case {
        id: "event.shape.name-first",
        requirement: "`Event` is the first header of an event.",
        severity: Severity::Major,
        source: "AMI specification, events",
        check: Check::Passive(name_first),
        ..CASE
    },
    Case {
        id: "event.shape.timestamp",
        requirement: "Timestamps of events are seconds with a fraction, and do not run back.",
        level: Level::Should,
        authority: Authority::Asterisk,
        severity: Severity::Minor,
        source: "manager.c: timestampevents",
        check: Check::Passive(timestamps),
        ..CASE
    },
    Case {
        id: "event.user.round-trip",
        requirement: "A UserEvent reaches a session that reads its class, with its headers in their order.",
        safety: Safety::CreatesState,
        needs: TELLS,
        source: "manager.c action_userevent",
        check: Check::Active(|bench| Box::pin(round_trip(bench))),
        ..CASE
    },
    Case {
        id: "event.user.not-its-action",
        requirement: "A UserEvent does not repeat the header Action of its request.",
        level: Level::Should,
        authority: Authority::Asterisk,
        severity: Severity::Minor,
        safety: Safety::CreatesState,
        needs: &[
            Need::Action("UserEvent"),
            Need::Read("user"),
            Need::Since(13, 0),
        ],
        source: "manager.c action_userevent, since 13",
        check: Check::Active(|bench| Box::pin(not_its_action(bench))),
        ..CASE
    },
    Case {
        id: "event.user.answer-first",
        requirement: "Who sends a UserEvent hears it too, behind the answer.",
        level: Level::Should,
        safety: Safety::CreatesState,
        needs: TELLS,
        source: "manager.c action_userevent",
        check: Check::Active(|bench| Box::pin(answer_first(bench))),
        ..CASE
    },
    Case {
        id: "event.order.same-for-all",
        requirement: "All sessions hear the same events in the same order, none twice and none missing.",
        safety: Safety::CreatesState,
        needs: TELLS,
        source: "manager.c: one queue of events",
        check: Check::Active(|bench| Box::pin(same_for_all(bench))),
        ..CASE
    },
    Case {
        id: "event.order.by-sender",
        requirement: "Events of one sender are heard in the order in which it sent them, beside those of others.",
        safety: Safety::CreatesState,
        needs: TELLS,
        source: "manager.c: one queue of events",
        check: Check::Active(|bench| Box::pin(by_sender(bench))),
        ..CASE
    },
    Case {
        id: "event.wait.times-out",
        requirement: "WaitEvent returns after its Timeout, with its end.",
        level: Level::Should,
        authority: Authority::Asterisk,
        needs: &[Need::Action("WaitEvent")],
        source: "manager.c action_waitevent",
        check: Check::Active(|bench| Box::pin(wait_times_out(bench))),
        ..CASE
    },
    Case {
        id: "event.wait.wakes",
        requirement: "WaitEvent returns with the first event, and gives it.",
        level: Level::Should,
        authority: Authority::Asterisk,
        safety: Safety::CreatesState,
        needs: &[
            Need::Action("WaitEvent"),
            Need::Action("UserEvent"),
            Need::Read("user"),
        ],
        source: "manager.c action_waitevent",
        check: Check::Active(|bench| Box::pin(wait_wakes(bench))),
        ..CASE
    },
    Case {
        id: "event.wait.interrupted",
        requirement: "A request that comes during a WaitEvent is answered, by then or behind it.",
        level: Level::May,
        authority: Authority::Asterisk,
        severity: Severity::Minor,
        needs: &[Need::Action("WaitEvent")],
        source: "manager.c action_waitevent: input ends the wait",
        check: Check::Active(|bench| Box::pin(wait_interrupted(bench))),
        ..CASE
    },
];

/// Events that are no items of a list.
fn told<'a>(observed: &'a Observed<'_>) -> impl Iterator<Item = &'a Seen> {
    observed
        .events()
        .filter(|event| event.frame().get("ActionID").is_none())
}

fn of_events(events: usize) -> Finding {
    if events == 0 {
        Finding::inconclusive("no event was seen")
    } else {
        Finding::pass(format!("all of {events} events"))
    }
}

fn privilege(observed: &Observed<'_>) -> Finding {
    let mut events = 0;
    for event in told(observed) {
        events += 1;
        if event.frame().get("Privilege").is_none_or(<[u8]>::is_empty) {
            return Finding::fail("a Privilege", "an event without any").with(event.evidence());
        }
    }
    of_events(events)
}

fn privilege_ends_with_all(observed: &Observed<'_>) -> Finding {
    let mut events = 0;
    for event in told(observed) {
        let Some(privilege) = event.frame().text("Privilege") else {
            continue;
        };
        events += 1;
        if privilege.rsplit(',').next() != Some("all") {
            let got = format!("`Privilege: {privilege}`");
            return Finding::fail("`…,all`", got).with(event.evidence());
        }
    }
    of_events(events)
}

fn name_first(observed: &Observed<'_>) -> Finding {
    let mut events = 0;
    for event in observed.events() {
        events += 1;
        let first = event.frame().headers().next();
        if !first.is_some_and(|header| header.is("Event")) {
            return Finding::fail("`Event: …` first", "another header first")
                .with(event.evidence());
        }
    }
    of_events(events)
}

fn timestamps(observed: &Observed<'_>) -> Finding {
    let mut stamped = 0;
    let mut bare = 0;
    for connection in observed.proper() {
        let mut last = 0.0;
        for event in connection
            .said()
            .filter(|seen| seen.kind() == FrameKind::Event)
        {
            let frame = event.frame();
            let Some(text) = frame.text("Timestamp") else {
                // Items of lists never bear one, nor does FullyBooted.
                let told_all =
                    frame.get("ActionID").is_none() && frame.get("Event") != Some(b"FullyBooted");
                bare += usize::from(told_all);
                continue;
            };
            stamped += 1;
            let Ok(time) = text.parse::<f64>() else {
                let got = format!("`Timestamp: {text}`");
                return Finding::fail("seconds with a fraction", got).with(event.evidence());
            };
            if time + CLOCK_JITTER < last {
                let got = format!("{time:.6} behind {last:.6}");
                return Finding::fail("times that do not run back", got).with(event.evidence());
            }
            last = time.max(last);
        }
    }
    match (stamped, bare) {
        (0, 0) => return Finding::inconclusive("no event that could have a Timestamp was seen"),
        (0, _) => {
            return Finding::not_applicable("no event has a Timestamp: timestampevents is off");
        }
        _ => {}
    }
    Finding::pass(format!("all of {stamped} timestamps"))
}

/// Tells everybody, and waits for the answer.
pub(super) async fn tell(
    teller: &mut Probe,
    name: &str,
    headers: &[(&str, &str)],
) -> Result<Got, Finding> {
    let mut all = vec![("UserEvent", name)];
    all.extend_from_slice(headers);
    let answer = teller.ask("UserEvent", &all).await?;
    answer.expect("Response", "Success")?;
    Ok(answer)
}

pub(super) fn named<'a>(name: &'a str) -> impl Fn(&Got) -> bool + 'a {
    move |got| got.has("UserEvent", name)
}

pub(super) async fn heard(listener: &mut Probe, name: &str) -> Result<Got, Finding> {
    listener.event("the UserEvent", named(name)).await
}

async fn round_trip(bench: &mut Bench<'_>) -> Judged {
    let (mut listener, mut teller) = (bench.listener("user").await?, bench.session().await?);
    let name = bench.id();
    let headers = [("First", "1"), ("Second", "a: b"), ("Third", "x,y;z")];
    tell(&mut teller, &name, &headers).await?;
    let event = heard(&mut listener, &name).await?;
    let mut left = headers.iter().peekable();
    for header in event.frame().headers() {
        if let Some((name, value)) = left.peek()
            && header.is(name)
            && header.value == value.as_bytes()
        {
            left.next();
        }
    }
    match left.next() {
        None => Ok(Finding::pass("with its headers in their order").with(event.evidence())),
        Some((name, value)) => {
            let got = "missing, changed or out of order";
            Ok(Finding::fail(format!("`{name}: {value}`"), got).with(event.evidence()))
        }
    }
}

async fn not_its_action(bench: &mut Bench<'_>) -> Judged {
    let (mut listener, mut teller) = (bench.listener("user").await?, bench.session().await?);
    let name = bench.id();
    tell(&mut teller, &name, &[]).await?;
    let event = heard(&mut listener, &name).await?;
    if let Some(action) = event.text("Action") {
        let got = format!("`Action: {action}`");
        return Ok(Finding::fail("no header Action", got).with(event.evidence()));
    }
    Ok(Finding::pass("it does not").with(event.evidence()))
}

async fn answer_first(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.listener("user").await?;
    let name = bench.id();
    let id = probe.send("UserEvent", &[("UserEvent", &name)]).await;
    let mut answered = false;
    loop {
        match probe.next(crate::probe::ANSWER_WITHIN).await {
            Heard::Message(got) if named(&name)(&got) => {
                let finding = if answered {
                    Finding::pass("the answer, then the event")
                } else {
                    Finding::fail("the answer first", "the event first")
                };
                return Ok(finding.with(got.evidence()));
            }
            Heard::Message(got) => {
                answered |= got.has("ActionID", &id) && got.kind() == FrameKind::Response
            }
            Heard::End(_) | Heard::Silence => {
                return Err(Finding::fail("the event", "it did not come to its sender"));
            }
        }
    }
}

/// The numbers of the events of that name, as a session hears them before a Ping of its own is answered.
async fn numbers(listener: &mut Probe, name: &str, last: &str) -> Result<Vec<String>, Finding> {
    let mut numbers = Vec::new();
    loop {
        let event = heard(listener, name).await?;
        let number = event.text("Number").unwrap_or_default();
        if number == last {
            return Ok(numbers);
        }
        numbers.push(number);
    }
}

async fn same_for_all(bench: &mut Bench<'_>) -> Judged {
    let mut listeners = Vec::new();
    for _ in 0..READERS {
        listeners.push(bench.listener("user").await?);
    }
    let mut teller = bench.session().await?;
    let name = bench.id();
    for number in 0..MANY {
        teller
            .send(
                "UserEvent",
                &[("UserEvent", &name), ("Number", &number.to_string())],
            )
            .await;
    }
    teller.barrier_behind().await?;
    tell(&mut teller, &name, &[("Number", "end")]).await?;
    let sent: Vec<String> = (0..MANY).map(|number| number.to_string()).collect();
    for listener in &mut listeners {
        let read = numbers(listener, &name, "end").await?;
        if read != sent {
            let got = format!(
                "{} events, not those that were sent in their order",
                read.len()
            );
            return Ok(Finding::fail(format!("{MANY} events in order"), got));
        }
    }
    Ok(Finding::pass(format!(
        "{MANY} events on {READERS} sessions"
    )))
}

async fn by_sender(bench: &mut Bench<'_>) -> Judged {
    let mut listener = bench.listener("user").await?;
    let mut tellers = [bench.session().await?, bench.session().await?];
    let name = bench.id();
    for number in 0..MANY / 2 {
        for (sender, teller) in tellers.iter_mut().enumerate() {
            let (sender, number) = (sender.to_string(), number.to_string());
            teller
                .send(
                    "UserEvent",
                    &[
                        ("UserEvent", &name),
                        ("Sender", &sender),
                        ("Number", &number),
                    ],
                )
                .await;
        }
    }
    for teller in &mut tellers {
        teller.barrier_behind().await?;
    }
    let mut next: BTreeMap<String, usize> = BTreeMap::new();
    for _ in 0..MANY / 2 * tellers.len() {
        let event = heard(&mut listener, &name).await?;
        let sender = event.text("Sender").unwrap_or_default();
        let number = event.text("Number").unwrap_or_default();
        let expected = next.entry(sender).or_default();
        if number != expected.to_string() {
            let got = format!("number {number}");
            return Ok(Finding::fail(format!("number {expected}"), got).with(event.evidence()));
        }
        *expected += 1;
    }
    Ok(Finding::pass(format!(
        "{MANY} events of {} senders",
        next.len()
    )))
}

async fn waited(probe: &mut Probe, id: &str) -> Result<Vec<Got>, Finding> {
    let mut messages = Vec::new();
    loop {
        match probe.next(Duration::from_secs(10)).await {
            Heard::Message(got) if got.is_event("WaitEventComplete") => {
                got.expect("ActionID", id)?;
                messages.push(got);
                return Ok(messages);
            }
            Heard::Message(got) => messages.push(got),
            Heard::End(_) | Heard::Silence => {
                return Err(Finding::fail(
                    "WaitEventComplete",
                    "it did not come within 10 s",
                ));
            }
        }
    }
}

async fn wait_interrupted(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.session().await?;
    probe.send("WaitEvent", &[("Timeout", "3")]).await;
    // Without it both would be in one piece, and be read at once.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let id = probe.send("Ping", &[]).await;
    let pong = probe.answer_to(&id).await?;
    Ok(Finding::pass("it is").with(pong.evidence()))
}

/// Any event wakes it, whoever it is for: that one is woken early says something only where none came.
async fn wait_times_out(bench: &mut Bench<'_>) -> Judged {
    let mut hearing = bench.listener("on").await?;
    let mut probe = bench.session().await?;
    let mut unexplained = None;
    let mut woken = 0;
    for _ in 0..WAITS {
        hearing.barrier_behind().await?;
        let began = bench.now();
        let id = probe.send("WaitEvent", &[("Timeout", "2")]).await;
        let messages = waited(&mut probe, &id).await?;
        let end = &messages[messages.len() - 1];
        let took = end.at.saturating_sub(began).as_secs_f64();
        let meanwhile = hearing.barrier_behind().await?;
        let got = format!("after {took:.1} s");
        if (1.0..4.0).contains(&took) {
            probe.barrier().await?;
            return Ok(Finding::pass(got).with(end.evidence()));
        }
        woken += usize::from(!meanwhile.is_empty());
        // The events of our own login may, and not every account hears them.
        unexplained = Some(Finding::fail("after 2 s", got).with(end.evidence()));
    }
    match unexplained {
        Some(fail) if woken == 0 => Ok(fail),
        _ => Ok(Finding::inconclusive("events woke it each time")),
    }
}

/// Any event wakes it: one that ends early without ours says something only where no other came.
async fn wait_wakes(bench: &mut Bench<'_>) -> Judged {
    let mut hearing = bench.listener("on").await?;
    let (mut waiter, mut teller) = (bench.listener("user").await?, bench.session().await?);
    let mut missed = 0;
    for _ in 0..WAITS {
        hearing.barrier_behind().await?;
        let name = bench.id();
        let began = bench.now();
        let id = waiter.send("WaitEvent", &[("Timeout", "8")]).await;
        // What comes before it waits does not wake it, and nothing shows when it does.
        tokio::time::sleep(WAITS_BY_NOW).await;
        tell(&mut teller, &name, &[]).await?;
        let messages = waited(&mut waiter, &id).await?;
        let end = &messages[messages.len() - 1];
        let took = end.at.saturating_sub(began).as_secs_f64();
        let meanwhile = hearing.barrier_behind().await?;
        if took > 4.0 {
            let got = format!("after {took:.1} s");
            return Ok(Finding::fail("with the first event", got).with(end.evidence()));
        }
        if messages.iter().any(named(&name)) {
            let got = format!("after {took:.1} s, with the event");
            return Ok(Finding::pass(got).with(end.evidence()));
        }
        if meanwhile.iter().all(named(&name)) {
            missed += 1;
        }
        if missed == MISSES {
            return Ok(Finding::fail("the event", "it is not given").with(end.evidence()));
        }
    }
    Ok(Finding::inconclusive("other events woke it each time"))
}
