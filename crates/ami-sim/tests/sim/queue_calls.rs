//! Calls through queues: who is rung, who talks, and what the queue has counted afterwards.

use std::time::Duration;

use ami_sim::SessionKey;

use crate::talk::{Fields, Talk, value};

const SECOND: Duration = Duration::from_secs(1);

/// A caller that runs `Queue` itself; the other half of its Local channel is who hangs up.
fn call(talk: &mut Talk, key: SessionKey, id: &str, data: &str) {
    let action = [
        "Action: Originate",
        "Async: true",
        "Channel: Local/answer@amibench/n",
        "Application: Queue",
        &format!("Data: {data}"),
        &format!("ChannelId: {id}"),
    ];
    talk.send(key, &action);
}

fn hang_up(talk: &mut Talk, key: SessionKey, channel: &str) {
    talk.send(key, &["Action: Hangup", &format!("Channel: {channel}")]);
}

fn pause(talk: &mut Talk, key: SessionKey, value: &str) {
    for agent in ["agent-1", "agent-2"] {
        let interface = format!("Interface: Local/{agent}@amibench");
        let paused = format!("Paused: {value}");
        talk.send(key, &["Action: QueuePause", &interface, &paused]);
    }
}

fn events<'a>(heard: &'a [Fields], name: &str) -> Vec<&'a Fields> {
    let named = |fields: &&Fields| value(fields, "Event") == Some(name);
    heard.iter().filter(named).collect()
}

fn all<'a>(heard: &'a [Fields], name: &str, header: &str) -> Vec<&'a str> {
    let values = events(heard, name).into_iter();
    values.filter_map(|event| value(event, header)).collect()
}

fn params(talk: &mut Talk, key: SessionKey, header: &str) -> String {
    talk.hear(key);
    let heard = talk.ask(key, &["Action: QueueStatus", "Queue: amibench"]);
    value(&heard[1], header).unwrap().to_owned()
}

#[test]
fn members_are_rung_in_turn() {
    let mut talk = Talk::with("asterisk-22");
    let key = talk.login("Events: agent");
    for id in ["a", "b", "c"] {
        call(&mut talk, key, id, "amibench");
        talk.pass(SECOND);
    }
    let heard = talk.hear(key).messages();
    let (one, two) = ("Local/agent-1@amibench", "Local/agent-2@amibench");
    assert_eq!(all(&heard, "AgentConnect", "Interface"), [one, two, one]);
}

#[test]
fn who_waits_is_served_within_a_second_of_somebody_being_there() {
    let mut talk = Talk::with("asterisk-16");
    let key = talk.login("Events: agent");
    pause(&mut talk, key, "true");
    call(&mut talk, key, "a", "amibench");
    call(&mut talk, key, "b", "amibench");
    talk.pass(10 * SECOND);
    let heard = talk.hear(key).messages();
    assert_eq!(all(&heard, "QueueCallerJoin", "Position"), ["1", "2"]);
    assert!(events(&heard, "AgentCalled").is_empty());
    pause(&mut talk, key, "false");
    talk.pass(2 * SECOND);
    let heard = talk.hear(key).messages();
    assert_eq!(all(&heard, "AgentConnect", "Uniqueid"), ["a", "b"]);
    assert!(
        all(&heard, "AgentConnect", "HoldTime")
            .iter()
            .all(|hold| ["10", "11"].contains(hold))
    );
    talk.pass(30 * SECOND);
    hang_up(&mut talk, key, "a;2");
    let heard = talk.hear(key).messages();
    assert_eq!(all(&heard, "AgentComplete", "Reason"), ["caller"]);
    assert_eq!(all(&heard, "AgentComplete", "TalkTime"), ["31"]);
    assert_eq!(params(&mut talk, key, "Completed"), "1");
    assert_eq!(params(&mut talk, key, "TalkTime"), "31");
    let heard = talk.ask(key, &["Action: QueueStatus", "Queue: amibench"]);
    assert_eq!(all(&heard, "QueueMember", "CallsTaken"), ["1", "0"]);
    assert_eq!(all(&heard, "QueueMember", "InCall"), ["0", "1"]);
}

#[test]
fn a_caller_that_gives_up_is_counted_and_no_longer_there() {
    let mut talk = Talk::with("asterisk-22");
    let key = talk.login("Events: agent,dialplan");
    pause(&mut talk, key, "true");
    call(&mut talk, key, "a", "amibench,,,,5");
    call(&mut talk, key, "b", "amibench");
    talk.pass(2 * SECOND);
    hang_up(&mut talk, key, "b;2");
    talk.pass(4 * SECOND);
    let heard = talk.hear(key).messages();
    assert_eq!(all(&heard, "QueueCallerAbandon", "HoldTime"), ["2", "5"]);
    assert_eq!(all(&heard, "QueueCallerLeave", "Count"), ["1", "0"]);
    let status = |fields: &&&Fields| value(fields, "Variable") == Some("QUEUESTATUS");
    let statuses = events(&heard, "VarSet");
    let statuses: Vec<_> = statuses.iter().filter(status).collect();
    assert_eq!(statuses.len(), 1);
    assert_eq!(value(statuses[0], "Value"), Some("TIMEOUT"));
    assert_eq!(params(&mut talk, key, "Abandoned"), "2");
    assert_eq!(talk.exchange.counters().channels_up, 0);
}

#[test]
fn hundreds_of_callers_come_and_go_and_nothing_of_them_stays() {
    let mut talk = Talk::with("asterisk-22");
    let key = talk.login("Events: off");
    for round in 0..50 {
        for caller in 0..10 {
            call(&mut talk, key, &format!("{round}-{caller}"), "amibench,r");
        }
        talk.pass(6 * SECOND);
        for caller in 0..10 {
            hang_up(&mut talk, key, &format!("{round}-{caller}"));
        }
        talk.pass(SECOND);
    }
    assert_eq!(params(&mut talk, key, "Completed"), "500");
    assert_eq!(params(&mut talk, key, "Calls"), "0");
    assert_eq!(talk.exchange.counters().channels_up, 0);
    assert_eq!(
        talk.exchange.poll_timeout(),
        None,
        "nothing is due any more"
    );
}

#[test]
fn a_member_that_is_a_phone_is_rung_itself() {
    let mut talk = Talk::with("ucm6xxx");
    let key = talk.login("Events: agent");
    let action = [
        "Action: Originate",
        "Async: true",
        "Channel: Local/6500@from-internal/n",
        "Application: Wait",
        "Data: 60",
    ];
    talk.send(key, &action);
    talk.pass(5 * SECOND);
    let heard = talk.hear(key).messages();
    let lines = all(&heard, "AgentConnect", "DestChannel");
    assert!(lines[0].starts_with("PJSIP/1000-"), "{lines:?}");
}
