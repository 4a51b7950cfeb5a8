//! Lists: how they open, what they hold, how they end.

use std::collections::BTreeMap;

use ami_proto::frame::FrameKind;

use crate::bench::Bench;
use crate::case::{Authority, CASE, Case, Check, Level, Need, Safety, Severity};
use crate::finding::{Evidence, Finding, Judged};
use crate::observed::{Connection, Observed, Seen};
use crate::probe::Probe;

/// Lists that a PBX which nobody uses at the moment may have items in.
const POPULATED: [&str; 6] = [
    "QueueStatus",
    "ExtensionStateList",
    "DeviceStateList",
    "PJSIPShowEndpoints",
    "SIPpeers",
    "CoreShowChannels",
];
/// `EventList` came with 13.2.
const SINCE_EVENT_LIST: Need = Need::Since(13, 2);

pub(super) const CASES: &[Case] = &[
    Case {
        id: "list.start.announced",
        requirement: "A list is opened by a Success with `EventList: start`.",
        needs: &[SINCE_EVENT_LIST, Need::Action("CoreShowChannels")],
        source: "AMI specification 2, event lists",
        check: Check::Active(|bench| Box::pin(start(bench))),
        ..CASE
    },
    Case {
        id: "list.end.comes",
        requirement: "A list that was opened ends with `EventList: Complete` and its ActionID.",
        severity: Severity::Blocker,
        source: "AMI specification 2, event lists",
        check: Check::Passive(ends),
        ..CASE
    },
    Case {
        id: "list.end.once",
        requirement: "A list ends once.",
        source: "AMI specification 2, event lists",
        check: Check::Passive(ends_once),
        ..CASE
    },
    Case {
        id: "list.end.named",
        requirement: "The name of the event that ends a list ends with `Complete`.",
        level: Level::Should,
        authority: Authority::Asterisk,
        severity: Severity::Minor,
        source: "manager.c astman_send_list_complete; clients of releases before 13.2 know no other sign",
        check: Check::Passive(end_is_named),
        ..CASE
    },
    Case {
        id: "list.count.matches",
        requirement: "`ListItems` is the number of items that came.",
        source: "AMI specification 2, event lists",
        check: Check::Passive(|observed| counts(observed, &["ListItems"])),
        ..CASE
    },
    Case {
        id: "list.count.other-counts-agree",
        requirement: "`Items`, `Total` and their like say what `ListItems` says, where there are any.",
        level: Level::Should,
        authority: Authority::Asterisk,
        severity: Severity::Minor,
        source: "manager.c: Status; res_parking.c: ParkedCalls",
        check: Check::Passive(other_counts),
        ..CASE
    },
    Case {
        id: "list.items.one-piece",
        requirement: "Between the start of a list and its end stand its items and nothing else.",
        source: "manager.c: events wait while an action is served",
        check: Check::Passive(one_piece),
        ..CASE
    },
    Case {
        id: "list.items.none-is-a-list",
        requirement: "A list without items has its start and its end, with `ListItems: 0`.",
        level: Level::Should,
        needs: &[SINCE_EVENT_LIST, Need::Action("QueueStatus")],
        source: "manager.c astman_send_list_complete",
        check: Check::Active(|bench| Box::pin(empty(bench))),
        ..CASE
    },
    Case {
        id: "list.items.despite-mask",
        requirement: "Items come to a session that has its events off.",
        level: Level::Should,
        source: "manager.c astman_append: list items are no events of the queue",
        check: Check::Active(|bench| Box::pin(despite_mask(bench))),
        ..CASE
    },
    Case {
        id: "list.items.despite-filter",
        requirement: "Items come to a session whose filter lets nothing pass.",
        level: Level::Should,
        safety: Safety::Noisy,
        needs: &[
            SINCE_EVENT_LIST,
            Need::Action("Filter"),
            Need::Action("CoreShowChannels"),
        ],
        source: "manager.c: filters are for events of the queue",
        check: Check::Active(|bench| Box::pin(despite_filter(bench))),
        ..CASE
    },
    Case {
        id: "list.queue.unknown-is-empty",
        requirement: "QueueStatus for a queue that does not exist is an empty list.",
        level: Level::May,
        authority: Authority::Asterisk,
        severity: Severity::Minor,
        needs: &[SINCE_EVENT_LIST, Need::Action("QueueStatus")],
        source: "app_queue.c manager_queues_status",
        check: Check::Active(|bench| Box::pin(unknown_queue(bench))),
        ..CASE
    },
    Case {
        id: "list.empty.as-error",
        requirement: "Which lists are an error when they are empty.",
        level: Level::Observe,
        authority: Authority::Asterisk,
        severity: Severity::Info,
        source: "app_confbridge.c, res_pjsip",
        check: Check::Active(|bench| Box::pin(empty_as_error(bench))),
        ..CASE
    },
];

/// One list of a connection.
struct Stretch<'a> {
    start: &'a Seen,
    items: Vec<&'a Seen>,
    end: Option<&'a Seen>,
}

/// An answer that announces a list. Without an ActionID nobody can tell what belongs to it.
fn opens(seen: &Seen) -> bool {
    let frame = seen.frame();
    let starts = frame
        .get("EventList")
        .is_some_and(|word| word.eq_ignore_ascii_case(b"start"));
    seen.kind() == FrameKind::Response && starts && frame.get("ActionID").is_some()
}

/// Lists that announce themselves, with what bears their ActionID.
fn lists(connection: &Connection) -> Vec<Stretch<'_>> {
    let mut lists: Vec<Stretch<'_>> = Vec::new();
    for seen in connection.said() {
        let frame = seen.frame();
        if opens(seen) {
            lists.push(Stretch {
                start: seen,
                items: Vec::new(),
                end: None,
            });
            continue;
        }
        let Some(id) = frame.get("ActionID") else {
            continue;
        };
        let is_of = |list: &&mut Stretch<'_>| list.start.frame().get("ActionID") == Some(id);
        let Some(list) = lists.iter_mut().rev().find(is_of) else {
            continue;
        };
        let closes = frame
            .get("EventList")
            .is_some_and(|word| word.eq_ignore_ascii_case(b"complete"));
        if closes && list.end.is_none() {
            list.end = Some(seen);
        } else if !closes && seen.kind() == FrameKind::Event {
            list.items.push(seen);
        }
    }
    lists
}

fn all_lists<'a>(observed: &'a Observed<'_>) -> Vec<Stretch<'a>> {
    observed.proper().flat_map(lists).collect()
}

fn of_lists(count: usize) -> Finding {
    if count == 0 {
        Finding::inconclusive("no list was seen")
    } else {
        Finding::pass(format!("all of {count} lists"))
    }
}

fn ends(observed: &Observed<'_>) -> Finding {
    let mut ended = 0;
    for connection in observed.proper() {
        let after = |list: &Stretch<'_>| {
            // Something later was answered: this list will not go on.
            let start = list.start.frame().offset();
            connection
                .said()
                .any(|seen| seen.kind() == FrameKind::Response && seen.frame().offset() > start)
        };
        for list in lists(connection) {
            match list.end {
                Some(_) => ended += 1,
                None if after(&list) => {
                    let got = format!("{} items and no end", list.items.len());
                    return Finding::fail("`EventList: Complete`", got).with(list.start.evidence());
                }
                None => {}
            }
        }
    }
    of_lists(ended)
}

fn ends_once(observed: &Observed<'_>) -> Finding {
    let mut seen_ends = 0;
    for connection in observed.proper() {
        let mut ends: BTreeMap<&[u8], &Seen> = BTreeMap::new();
        let said: Vec<&Seen> = connection.said().collect();
        for seen in &said {
            let bytes = seen.frame();
            let Some(id) = bytes.get("ActionID") else {
                continue;
            };
            if opens(seen) {
                // An application may ask again under the same id.
                ends.remove(id);
            }
            let closes = bytes
                .get("EventList")
                .is_some_and(|word| word.eq_ignore_ascii_case(b"complete"));
            if !closes {
                continue;
            }
            seen_ends += 1;
            if ends.insert(id, seen).is_some() {
                return Finding::fail("one end", "a second one").with(seen.evidence());
            }
        }
    }
    of_lists(seen_ends)
}

fn end_is_named(observed: &Observed<'_>) -> Finding {
    let mut ends = 0;
    for list in all_lists(observed) {
        let Some(end) = list.end else { continue };
        ends += 1;
        let name = end.frame().text("Event").unwrap_or_default();
        if !name.ends_with("Complete") {
            let got = format!("`Event: {name}`");
            return Finding::fail("`Event: …Complete`", got).with(end.evidence());
        }
    }
    of_lists(ends)
}

fn counts(observed: &Observed<'_>, names: &[&str]) -> Finding {
    let mut counted = 0;
    for list in all_lists(observed) {
        let Some(end) = list.end else { continue };
        for name in names {
            let Some(text) = end.frame().text(name) else {
                continue;
            };
            counted += 1;
            let items = list.items.len();
            if text.trim().parse() != Ok(items) {
                let got = format!("`{name}: {text}` after {items} items");
                return Finding::fail(format!("{items}"), got).with_all(ends_of(&list));
            }
        }
    }
    of_lists(counted)
}

fn ends_of(list: &Stretch<'_>) -> Vec<Evidence> {
    let end = list.end.map(|end| end.evidence());
    [Some(list.start.evidence()), end]
        .into_iter()
        .flatten()
        .collect()
}

/// `Items`, `Total` and `Count` of a list's end, beside its `ListItems`.
fn other_counts(observed: &Observed<'_>) -> Finding {
    let mut compared = 0;
    for list in all_lists(observed) {
        let Some(end) = list.end else { continue };
        let frame = end.frame();
        let Some(count) = frame.get("ListItems") else {
            continue;
        };
        for name in ["Items", "Total", "Count"] {
            let Some(other) = frame.get(name) else {
                continue;
            };
            compared += 1;
            if other != count {
                let (other, count) = (other.escape_ascii(), count.escape_ascii());
                let got = format!("`{name}: {other}` beside `ListItems: {count}`");
                return Finding::fail("the same number", got).with(end.evidence());
            }
        }
    }
    of_lists(compared)
}

fn one_piece(observed: &Observed<'_>) -> Finding {
    let mut whole = 0;
    for connection in observed.proper() {
        for list in lists(connection) {
            let Some(end) = list.end else { continue };
            whole += 1;
            let stretch = list.start.frame().offset()..end.frame().offset();
            let id = list.start.frame().get("ActionID");
            let stranger = connection.said().find(|seen| {
                let frame = seen.frame();
                stretch.contains(&frame.offset()) && frame.get("ActionID") != id
            });
            if let Some(stranger) = stranger {
                let line = stranger.frame().lines().next().unwrap_or_default();
                let got = format!("`{}` in between", line.escape_ascii());
                return Finding::fail("items and nothing else", got).with(stranger.evidence());
            }
        }
    }
    of_lists(whole)
}

async fn start(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.session().await?;
    let list = probe.list("CoreShowChannels", &[]).await?;
    let word = list.start.text("EventList").unwrap_or_default();
    if !word.eq_ignore_ascii_case("start") {
        let got = format!("`EventList: {word}`");
        return Ok(Finding::fail("`EventList: start`", got).with(list.start.evidence()));
    }
    Ok(Finding::pass("it is").with(list.start.evidence()))
}

async fn empty(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.session().await?;
    let queue = bench.id();
    let list = probe.list("QueueStatus", &[("Queue", &queue)]).await?;
    if !list.items.is_empty() {
        return Ok(Finding::inconclusive(
            "the queue that nobody has is not empty",
        ));
    }
    list.complete.expect("ListItems", "0")?;
    Ok(Finding::pass("start and end").with(list.complete.evidence()))
}

async fn despite_mask(bench: &mut Bench<'_>) -> Judged {
    let mut hearing = bench.listener("on").await?;
    let mut deaf = bench.session().await?;
    same_items(bench, &mut hearing, &mut deaf).await
}

/// A list that has items on one session has as many on the other.
async fn same_items(bench: &Bench<'_>, hearing: &mut Probe, deaf: &mut Probe) -> Judged {
    for action in POPULATED {
        if !bench.device.may_run(action) {
            continue;
        }
        let here = hearing.list(action, &[]).await?;
        let there = deaf.list(action, &[]).await?;
        let (expected, items) = (here.items.len(), there.items.len());
        let got = format!("{items} items of {action}");
        if items != expected {
            let expected = format!("{expected} items");
            return Ok(Finding::fail(expected, got).with(there.complete.evidence()));
        }
        if items > 0 {
            return Ok(Finding::pass(got).with(there.complete.evidence()));
        }
    }
    Ok(Finding::inconclusive("every list was empty"))
}

async fn despite_filter(bench: &mut Bench<'_>) -> Judged {
    let mut hearing = bench.listener("on").await?;
    let mut deaf = bench.listener("on").await?;
    let filter = [("Operation", "Add"), ("Filter", "NoSuchEventAtAll")];
    let answer = deaf.ask("Filter", &filter).await?;
    if !answer.has("Response", "Success") {
        return Ok(Finding::inconclusive("the filter was not taken").with(answer.evidence()));
    }
    same_items(bench, &mut hearing, &mut deaf).await
}

async fn unknown_queue(bench: &mut Bench<'_>) -> Judged {
    let mut probe = bench.session().await?;
    let queue = bench.id();
    let answer = probe.list("QueueStatus", &[("Queue", &queue)]).await?;
    answer.complete.expect("ListItems", "0")?;
    Ok(Finding::pass("an empty list").with(answer.complete.evidence()))
}

async fn empty_as_error(bench: &mut Bench<'_>) -> Judged {
    const LISTS: [&str; 8] = [
        "ConfbridgeListRooms",
        "PJSIPShowContacts",
        "PJSIPShowRegistrationsInbound",
        "PJSIPShowRegistrationsOutbound",
        "PJSIPShowSubscriptionsInbound",
        "ParkedCalls",
        "BridgeList",
        "PresenceStateList",
    ];
    // Some of these errors have line ends of their own, which is another case.
    let mut probe = bench.rude_session().await?;
    let mut found = Vec::new();
    let mut evidence = Vec::new();
    for action in LISTS {
        if !bench.device.may_run(action) {
            continue;
        }
        let id = probe.send(action, &[]).await;
        let messages = probe.barrier_behind().await?;
        let error = messages
            .iter()
            .find(|got| got.has("ActionID", &id) && got.has("Response", "Error"));
        if let Some(error) = error {
            found.push(action);
            evidence.push(error.evidence());
        }
    }
    let got = match found.as_slice() {
        [] => "none".to_owned(),
        found => found.join(", "),
    };
    Ok(Finding::pass(got).with_all(evidence))
}
