//! Queues and their members, as the real ones of the lab answered.

use crate::talk::{Fields, Talk, lines, value};

/// What follows the head of an event or answer: the lines from `first` on.
fn tail(fields: &Fields, first: &str) -> Vec<String> {
    let rest = fields.iter().skip_while(|(name, _)| name != first);
    rest.map(|(name, value)| format!("{name}: {value}"))
        .collect()
}

fn events(heard: &[Fields]) -> Vec<&Fields> {
    let agent = |fields: &&Fields| value(fields, "Privilege") == Some("agent,all");
    heard.iter().filter(agent).collect()
}

const BEE: [&str; 5] = [
    "Action: QueueAdd",
    "Queue: amibench",
    "Interface: Local/agent-9@amibench/n",
    "MemberName: Bee",
    "Penalty: 3",
];

#[test]
fn a_queue_lists_its_figures_and_its_members() {
    let mut talk = Talk::with("asterisk-22");
    let key = talk.login("Events: off");
    let heard = talk.ask(
        key,
        &["Action: QueueStatus", "Queue: AMIBENCH", "ActionID: q"],
    );
    let found = lines(&heard);
    assert_eq!(
        found[..3],
        [
            "Response: Success | ActionID: q | EventList: start | Message: Queue status will follow",
            "Event: QueueParams | Queue: amibench | Max: 0 | Strategy: rrmemory | Calls: 0 | Holdtime: 0 | TalkTime: 0 \
             | Completed: 0 | Abandoned: 0 | ServiceLevel: 0 | ServicelevelPerf: 0.0 | ServicelevelPerf2: 0.0 \
             | Weight: 0 | ActionID: q",
            "Event: QueueMember | Queue: amibench | Name: Agent One | Location: Local/agent-1@amibench \
             | StateInterface: Local/agent-1@amibench | Membership: static | Penalty: 0 | CallsTaken: 0 | LastCall: 0 \
             | LastPause: 0 | LoginTime: 1795248936 | InCall: 0 | Status: 1 | Paused: 0 | PausedReason:  \
             | Wrapuptime: 0 | ActionID: q",
        ]
    );
    assert_eq!(
        found[4],
        "Event: QueueStatusComplete | ActionID: q | EventList: Complete | ListItems: 3"
    );
}

#[test]
fn a_list_of_queues_can_be_narrowed_to_nothing() {
    let check = |lines: &[&str], items: &str| {
        let mut talk = Talk::with("asterisk-22");
        let key = talk.login("Events: off");
        let heard = talk.ask(key, lines);
        let complete = heard.last().unwrap();
        assert_eq!(value(complete, "ListItems"), Some(items), "{lines:?}");
    };
    check(&["Action: QueueStatus", "Queue: nope"], "0");
    check(
        &["Action: QueueStatus", "Queue: amibench", "Member: nope"],
        "1",
    );
    check(
        &[
            "Action: QueueStatus",
            "Queue: amibench",
            "Member: Agent Two",
        ],
        "2",
    );
    check(&["Action: QueueStatus"], "10");
    check(&["Action: QueueSummary"], "4");
    check(&["Action: QueueSummary", "Queue: nope"], "0");
}

#[test]
fn a_member_comes_pauses_and_goes() {
    let mut talk = Talk::with("asterisk-16");
    let key = talk.login("Events: agent");
    let added = talk.ask(key, &BEE);
    assert_eq!(
        value(&added[0], "Message"),
        Some("Added interface to queue")
    );
    assert_eq!(value(&added[1], "Event"), Some("QueueMemberAdded"));
    assert_eq!(
        tail(&added[1], "Queue").join(" | "),
        "Queue: amibench | MemberName: Bee | Interface: Local/agent-9@amibench/n \
         | StateInterface: Local/agent-9@amibench/n | Membership: dynamic | Penalty: 3 | CallsTaken: 0 | LastCall: 0 \
         | LastPause: 0 | LoginTime: 1795248937 | InCall: 0 | Status: 1 | Paused: 0 | PausedReason:  | Ringinuse: 1 \
         | Wrapuptime: 0"
    );
    let pause = [
        "Action: QueuePause",
        "Paused: true",
        BEE[2],
        "Reason: lunch",
    ];
    let paused = talk.ask(key, &pause);
    assert_eq!(
        tail(&paused[1], "Paused").join(" | "),
        "Paused: 1 | PausedReason: lunch | Ringinuse: 1 | Wrapuptime: 0 | Reason: lunch"
    );
    let gone = talk.ask(key, &["Action: QueueRemove", BEE[1], BEE[2]]);
    assert_eq!(value(&gone[1], "Event"), Some("QueueMemberRemoved"));
    let again = talk.ask(key, &["Action: QueueRemove", BEE[1], BEE[2]]);
    assert_eq!(
        value(&again[0], "Message"),
        Some("Unable to remove interface: Not there")
    );
}

#[test]
fn a_pause_without_a_queue_holds_in_all_and_newer_releases_tell_its_reason_once() {
    let mut talk = Talk::with("asterisk-22");
    let key = talk.login("Events: agent");
    let ring = "Interface: Local/agentrings@amibench/n";
    let heard = talk.ask(
        key,
        &["Action: QueuePause", "Paused: 1", ring, "Reason: tea"],
    );
    let queues: Vec<_> = events(&heard)
        .iter()
        .filter_map(|event| value(event, "Queue"))
        .collect();
    assert_eq!(queues, ["everybody", "nobody"]);
    assert_eq!(value(&heard[1], "PausedReason"), Some("tea"));
    assert_eq!(value(&heard[1], "Reason"), None);
}

const QUEUE: &str = "Queue: amibench";
const ONE: &str = "Interface: Local/agent-1@amibench";

/// As 16.28.0 and 22.10.1 of the lab answered.
const REFUSALS: &[(&[&str], &str)] = &[
    (&["Action: QueueAdd"], "'Queue' not specified."),
    (&["Action: QueueAdd", QUEUE], "'Interface' not specified."),
    (
        &["Action: QueueAdd", "Queue: nope", ONE],
        "Unable to add interface to queue: No such queue",
    ),
    (
        &["Action: QueueAdd", QUEUE, ONE],
        "Unable to add interface: Already there",
    ),
    (
        &["Action: QueueRemove", QUEUE],
        "Need 'Queue' and 'Interface' parameters.",
    ),
    (
        &["Action: QueueRemove", "Queue: nope", ONE],
        "Unable to remove interface from queue: No such queue",
    ),
    (&["Action: QueueRemove", QUEUE, ONE], "Member not dynamic"),
    (
        &["Action: QueuePause", ONE],
        "Need 'Interface' and 'Paused' parameters.",
    ),
    (
        &["Action: QueuePause", ONE, "Paused: 1", "Queue: nope"],
        "Interface not found",
    ),
    (
        &["Action: QueuePenalty", ONE],
        "Need 'Interface' and 'Penalty' parameters.",
    ),
    (
        &["Action: QueuePenalty", ONE, "Penalty: -1"],
        "Invalid interface, queuename or penalty",
    ),
    (
        &["Action: QueueMemberRingInUse", ONE],
        "Need 'Interface' and 'RingInUse' parameters.",
    ),
    (
        &[
            "Action: QueueMemberRingInUse",
            "Interface: nope",
            "RingInUse: no",
        ],
        "Invalid interface, queuename, or ringinuse value",
    ),
    (
        &["Action: QueueReset", "Queue: nope"],
        "Queue stats reset successfully",
    ),
    (
        &["Action: QueueReload", "Queue: nope"],
        "Queue reloaded successfully",
    ),
    (
        &["Action: QueueLog", QUEUE],
        "Need 'Queue' and 'Event' parameters.",
    ),
    (
        &["Action: QueueChangePriorityCaller", QUEUE, "Caller: x"],
        "'Priority' not specified.",
    ),
    (
        &[
            "Action: QueueChangePriorityCaller",
            QUEUE,
            "Caller: x",
            "Priority: x",
        ],
        "'Priority' need integer.",
    ),
    (
        &[
            "Action: QueueChangePriorityCaller",
            QUEUE,
            "Caller: x",
            "Priority: 1",
        ],
        "Unable to change priority caller on queue: No such caller",
    ),
    (
        &["Action: QueueWithdrawCaller", QUEUE, "Caller: x"],
        "Unable to request withdraw from queue: No such caller",
    ),
    (&["Action: ConfbridgeList"], "No Conference name provided."),
    (
        &["Action: ConfbridgeKick", "Conference: 1"],
        "No active conferences.",
    ),
    (&["Action: ConfbridgeListRooms"], "No active conferences."),
];

#[test]
fn what_the_action_gets_wrong_is_told_in_the_words_of_asterisk() {
    let check = |profile: &str, action: &[&str], message: &str| {
        let mut talk = Talk::with(profile);
        let key = talk.login("Events: agent");
        let heard = talk.ask(key, action);
        assert_eq!(value(&heard[0], "Message"), Some(message), "{action:?}");
        assert_eq!(events(&heard), Vec::<&Fields>::new(), "{action:?}");
    };
    for profile in ["asterisk-16", "asterisk-22"] {
        for (action, message) in REFUSALS {
            check(profile, action, message);
        }
    }
    check(
        "asterisk-13",
        &["Action: AgentLogoff"],
        "No agent specified",
    );
    check(
        "asterisk-13",
        &["Action: AgentLogoff", "Agent: 1"],
        "No such agent",
    );
}

#[test]
fn a_penalty_that_is_no_number_is_zero_and_is_told() {
    let mut talk = Talk::with("asterisk-22");
    let key = talk.login("Events: agent");
    talk.ask(key, &BEE);
    let heard = talk.ask(key, &["Action: QueuePenalty", BEE[1], BEE[2], "Penalty: x"]);
    assert_eq!(value(&heard[1], "Event"), Some("QueueMemberPenalty"));
    assert_eq!(value(&heard[1], "Penalty"), Some("0"));
    let heard = talk.ask(
        key,
        &["Action: QueueMemberRingInUse", BEE[2], "RingInUse: no"],
    );
    assert_eq!(value(&heard[1], "Event"), Some("QueueMemberRinginuse"));
    assert_eq!(value(&heard[1], "Ringinuse"), Some("0"));
}

#[test]
fn queues_is_bare_text_up_to_14_and_gone_later() {
    let raw = |profile: &str| {
        let mut talk = Talk::with(profile);
        let key = talk.login("Events: off");
        talk.send(key, &["Action: Queues", "ActionID: q"]);
        talk.hear(key).text()
    };
    let text = raw("asterisk-13");
    assert!(
        text.starts_with("everybody has 0 calls (max unlimited) in 'ringall' strategy"),
        "{text}"
    );
    assert!(text.ends_with("   No Callers\r\n\r\n\r\n\r\n"), "{text:?}");
    assert!(
        !text.contains("ActionID") && !text.contains("login was"),
        "{text}"
    );
    assert!(
        raw("asterisk-16")
            .starts_with("Response: Error\r\nActionID: q\r\nMessage: Invalid/unknown command")
    );
}

/// The guide's own example, but for the times.
#[test]
fn one_vendor_lists_queues_in_its_own_way() {
    let mut talk = Talk::with("ucm6xxx");
    let key = talk.login("Events: off");
    let found = lines(&talk.ask(key, &["Action: Queues"]));
    assert_eq!(
        found,
        [
            "Response: Success | EventList: start | Message: Queues list will follow",
            "Event: QueueStatus | Queue: 6500 | CallsTotal: 0 | CallCount: 0 | CallsComplete: 0 | CallsAbandoned: 0 \
             | Strategy: ringall | Chairman:  | EnableAgentLogin: no | QueueName: tt \
             | SeviceLevel: SL:0.0% within 0s | AbandonedRate: 0.00% | AvgWaitTime: 0 | AvgTalkTime: 0 \
             | AvailableCount: 1 | AgentCount: 1",
            "Event: QueueMemberStatus | Queue: 6500 | Location: PJSIP/1000 | MemberName: PJSIP/1000 \
             | Membership: dynamic | Penalty: 0 | CallsTaken: 0 | LastCall: 0 | Status: 1 | EnableAgentLogin: no \
             | LoginTime: 1795248936 | CallsAbandon: 0 | TalkTime: 0 | CallerChannel:  | PausedTime: 0 | Paused: 0",
            "Event: QueuesComplete | EventList: Complete | ListItems: 1",
        ]
    );
}

#[test]
fn an_agent_of_that_vendor_ends_with_a_blank_line_too_many_when_it_bears_an_id() {
    let mut talk = Talk::with("ucm6xxx");
    let key = talk.login("Events: off");
    talk.send(key, &["Action: GSAgents", "ActionID: 2"]);
    let text = talk.hear(key).text();
    assert!(
        text.contains("Paused: 0\r\nActionID: 2\r\n\r\n\r\nEvent: GsAgentComplete\r\n"),
        "{text}"
    );
    assert!(text.ends_with("ListItems: 1\r\n\r\n"), "{text}");
    talk.send(key, &["Action: GSAgents"]);
    assert!(
        talk.hear(key)
            .text()
            .contains("Paused: 0\r\n\r\nEvent: GsAgentComplete\r\n")
    );
}
