//! What an Originate leads to.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;

use ami_sim::{Accounts, Profile, Shares};

use crate::talk::{Fields, SECRET, Talk, value};

const TARGET: [&str; 3] = ["Context: amibench", "Exten: hold", "Priority: 1"];

fn originate(talk: &mut Talk, channel: &str, more: &[&str]) -> Vec<Fields> {
    let key = talk.login("Events: call,dialplan");
    let action = ["Action: Originate", "Async: true", "ActionID: o", channel];
    talk.send(key, &[&action[..], more].concat());
    talk.pass(Duration::from_secs(20));
    talk.hear(key).messages()
}

fn events<'a>(heard: &'a [Fields], name: &str) -> Vec<&'a Fields> {
    heard
        .iter()
        .filter(|fields| value(fields, "Event") == Some(name))
        .collect()
}

/// The Reason of OriginateResponse, the status of DialEnd, the causes of the Hangups in order.
fn check(channel: &str, more: &[&str], expected: (&str, Option<&str>, &[&str])) {
    let mut talk = Talk::with("asterisk-22");
    let heard = originate(&mut talk, channel, &[&TARGET[..], more].concat());
    let response = events(&heard, "OriginateResponse");
    let ends = events(&heard, "DialEnd");
    let causes: Vec<_> = events(&heard, "Hangup")
        .iter()
        .filter_map(|hangup| value(hangup, "Cause"))
        .collect();
    assert_eq!(response.len(), 1, "{channel}");
    let found = (
        value(response[0], "Reason").unwrap(),
        ends.first().and_then(|end| value(end, "DialStatus")),
    );
    assert_eq!(
        (found, causes.as_slice()),
        ((expected.0, expected.1), expected.2),
        "{channel}"
    );
}

#[test]
fn every_end_of_a_call_has_its_reason_and_causes() {
    check(
        "Channel: Local/answer@amibench",
        &[],
        ("4", Some("ANSWER"), &[]),
    );
    check(
        "Channel: Local/answer-2s@amibench/n",
        &[],
        ("4", Some("ANSWER"), &[]),
    );
    check(
        "Channel: Local/busy@amibench",
        &[],
        ("5", Some("BUSY"), &["0", "17"]),
    );
    check(
        "Channel: Local/congestion@amibench",
        &[],
        ("8", Some("CONGESTION"), &["0", "34"]),
    );
    check(
        "Channel: Local/reject@amibench",
        &[],
        ("0", Some("NOANSWER"), &["21", "21"]),
    );
    check(
        "Channel: Local/ring@amibench",
        &["Timeout: 1500"],
        ("3", None, &["19", "19"]),
    );
    check(
        "Channel: Local/nope@amibench",
        &[],
        ("0", None, &["0", "0"]),
    );
    check("Channel: Nosuch/1", &[], ("0", None, &[]));
    check("Channel: PJSIP/nosuch", &[], ("0", None, &[]));
    check("Channel: PJSIP/1000", &[], ("4", Some("ANSWER"), &[]));
    check("Channel: PJSIP/1100", &[], ("5", Some("BUSY"), &["17"]));
    check(
        "Channel: PJSIP/1200",
        &["Timeout: 1500"],
        ("3", None, &["19"]),
    );
    check("Channel: PJSIP/1300", &[], ("0", Some("NOANSWER"), &["21"]));
    check(
        "Channel: PJSIP/1400",
        &[],
        ("8", Some("CONGESTION"), &["34"]),
    );
    check(
        "Channel: Local/answer@amibench",
        &["Application: Wait", "Data: 1"],
        ("4", Some("ANSWER"), &["0", "0"]),
    );
    check(
        "Channel: Local/play-3@amibench/n",
        &[],
        ("4", Some("ANSWER"), &["16", "16"]),
    );
}

#[test]
fn ids_and_account_of_the_request_are_on_both_halves() {
    let mut talk = Talk::with("asterisk-22");
    let more = [
        "ChannelId: run-1",
        "Account: tag",
        "CallerID: \"B\" <1>",
        "Variable: A=1,B=2",
        "Variable: C=3",
    ];
    let heard = originate(
        &mut talk,
        "Channel: Local/answer@amibench",
        &[&TARGET[..], &more].concat(),
    );
    let ids: Vec<_> = events(&heard, "Newchannel")
        .iter()
        .filter_map(|new| value(new, "Uniqueid"))
        .collect();
    assert_eq!(ids, ["run-1", "run-1;2"]);
    assert!(
        heard
            .iter()
            .filter_map(|fields| value(fields, "Linkedid"))
            .all(|id| id == "run-1")
    );
    let sets: Vec<_> = events(&heard, "VarSet")
        .iter()
        .filter_map(|set| value(set, "Variable"))
        .collect();
    assert_eq!(sets, ["C", "B", "A", "A", "B", "C"]);
    let bridge = events(&heard, "LocalBridge")[0];
    assert_eq!(value(bridge, "LocalTwoAccountCode"), Some("tag"));
    let response = events(&heard, "OriginateResponse")[0];
    assert_eq!(
        (value(response, "Uniqueid"), value(response, "ActionID")),
        (Some("run-1"), Some("o"))
    );
    assert_eq!(
        (
            value(response, "CallerIDNum"),
            value(response, "CallerIDName")
        ),
        (Some("1"), Some("B"))
    );
}

#[test]
fn a_channel_id_is_free_again_when_its_call_has_ended() {
    let mut talk = Talk::with("asterisk-22");
    for _ in 0..2 {
        let more = ["ChannelId: run-1", "Application: Wait", "Data: 1"];
        let heard = originate(&mut talk, "Channel: Local/answer@amibench", &more);
        assert_eq!(
            value(events(&heard, "OriginateResponse")[0], "Reason"),
            Some("4")
        );
    }
}

#[test]
fn a_channel_id_that_is_taken_fails_the_call_without_a_channel() {
    let mut talk = Talk::with("asterisk-22");
    let id = [&TARGET[..], &["ChannelId: run-1"]].concat();
    originate(&mut talk, "Channel: Local/answer@amibench", &id);
    let heard = originate(&mut talk, "Channel: Local/answer@amibench", &id);
    assert!(events(&heard, "Newchannel").is_empty());
    assert_eq!(
        value(events(&heard, "OriginateResponse")[0], "Reason"),
        Some("0")
    );
}

/// As on Asterisk 22: the pair next to who plays goes first, and the same line comes into the place of the next one.
#[test]
fn local_channels_behind_each_other_go_one_after_the_other() {
    let mut talk = Talk::with("asterisk-22");
    let dial = [
        "Application: Dial",
        "Data: Local/dial-dial-music@amibench,20",
    ];
    let heard = originate(&mut talk, "Channel: Local/hold@amibench/n", &dial);
    let begun: Vec<_> = events(&heard, "LocalOptimizationBegin")
        .iter()
        .map(|event| {
            ["LocalOneChannel", "SourceChannel", "Id"].map(|name| value(event, name).unwrap())
        })
        .collect();
    let source = "Local/music@amibench-00000003;1";
    assert_eq!(
        begun,
        [
            ["Local/dial-music@amibench-00000002;1", source, "0"],
            ["Local/dial-dial-music@amibench-00000001;1", source, "1"],
        ]
    );
    let count = |name: &str| events(&heard, name).len();
    assert_eq!(
        (
            count("BridgeCreate"),
            count("BridgeDestroy"),
            count("Hangup")
        ),
        (3, 2, 4)
    );
}

#[test]
fn an_absolute_timeout_ends_both_halves() {
    let mut talk = Talk::with("asterisk-22");
    let key = talk.login("Events: call");
    let more = ["ChannelId: t", "Variable: TIMEOUT(absolute)=2"];
    let head = [
        "Action: Originate",
        "Async: true",
        "Channel: Local/answer@amibench/n",
    ];
    talk.send(key, &[&head[..], &TARGET, &more].concat());
    talk.pass(Duration::from_millis(1999));
    assert!(events(&talk.hear(key).messages(), "Hangup").is_empty());
    talk.pass(Duration::from_millis(2));
    assert_eq!(events(&talk.hear(key).messages(), "Hangup").len(), 2);
}

#[test]
fn either_half_and_either_name_hangs_up_the_whole_call() {
    for channel in [
        "h",
        "h;2",
        "Local/answer@amibench-00000000;1",
        "Local/answer@amibench-00000000;2",
    ] {
        let mut talk = Talk::with("asterisk-22");
        originate(
            &mut talk,
            "Channel: Local/answer@amibench",
            &[&TARGET[..], &["ChannelId: h"]].concat(),
        );
        let key = talk.login("Events: call");
        let heard = talk.ask(
            key,
            &[
                "Action: Hangup",
                &format!("Channel: {channel}"),
                "Cause: 21",
            ],
        );
        let causes: Vec<_> = events(&heard, "Hangup")
            .iter()
            .filter_map(|end| value(end, "Cause"))
            .collect();
        assert_eq!(causes, ["21", "21"], "{channel}");
        let listed = talk.ask(key, &["Action: CoreShowChannels"]);
        assert_eq!(value(&listed[1], "ListItems"), Some("0"));
        assert_eq!(
            talk.exchange.poll_timeout(),
            None,
            "nothing is left to do for it"
        );
    }
}

#[test]
fn a_ucm_writes_its_own_headers_and_leaves_unset_parties_empty() {
    let mut talk = Talk::with("ucm6xxx");
    let target = ["Context: from-internal", "Exten: 1001", "Priority: 1"];
    let heard = originate(&mut talk, "Channel: PJSIP/1000", &target);
    let new = events(&heard, "Newchannel")[0];
    let names: Vec<_> = new.iter().map(|(name, _)| name.as_str()).collect();
    let tail = ["Priority", "Callid", "Linkedid", "PageFlag", "Application"];
    let vendor = [
        "Reg_calleenum",
        "Reg_callernum",
        "Reg_callername",
        "Uniqueid",
    ];
    assert!(names.ends_with(&[&tail[..], &vendor].concat()), "{names:?}");
    assert_eq!(value(new, "ConnectedLineNum"), Some(""));
    let twice = events(&heard, "Newexten")[0]
        .iter()
        .filter(|(name, _)| name == "Application")
        .count();
    assert_eq!(twice, 2);
}

/// How many of a hundred calls to a device that answers have each Reason.
fn reasons(shares: Shares) -> BTreeMap<String, usize> {
    let mut profile = Profile::named("asterisk-22").unwrap();
    profile.timing.set_shares(shares);
    let mut talk = Talk::new(profile, Accounts::bench(SECRET));
    let key = talk.login("Events: call");
    for _ in 0..100 {
        let call = ["Action: Originate", "Async: true", "Channel: PJSIP/1000"];
        let wait = ["Application: Wait", "Data: 1", "Timeout: 2000"];
        talk.send(key, &[&call[..], &wait].concat());
    }
    talk.pass(Duration::from_secs(20));
    let mut counts = BTreeMap::new();
    for response in events(&talk.hear(key).messages(), "OriginateResponse") {
        let reason = value(response, "Reason").unwrap();
        *counts.entry(reason.to_owned()).or_default() += 1;
    }
    counts
}

#[test]
fn those_who_answer_do_so_as_often_as_the_profile_says() {
    let all = |reason: &str| BTreeMap::from([(reason.to_owned(), 100)]);
    assert_eq!(reasons(Shares::default()), all("4"));
    let mut shares = Shares {
        busy: 100,
        ..Shares::default()
    };
    assert_eq!(reasons(shares), all("5"));
    shares = Shares {
        busy: 20,
        congestion: 20,
        no_answer: 20,
    };
    let mixed = reasons(shares);
    assert_eq!(mixed, reasons(shares), "the seed decides");
    let found: Vec<_> = mixed.keys().map(String::as_str).collect();
    assert_eq!(found, ["3", "4", "5", "8"], "{mixed:?}");
}

#[test]
fn a_message_waits_when_somebody_has_spoken_to_a_mailbox() {
    let mut talk = Talk::with("asterisk-22");
    let more = [
        "Application: VoiceMail",
        "Data: 1000@default,s",
        "ChannelId: v",
    ];
    originate(&mut talk, "Channel: Local/hold@amibench/n", &more);
    let key = talk.login("Events: call,dialplan");
    let heard = talk.ask(key, &["Action: Hangup", "Channel: v"]);
    let waiting = events(&heard, "MessageWaiting");
    assert_eq!(waiting.len(), 1);
    let told = ["Mailbox", "Waiting", "New", "Old"].map(|name| value(waiting[0], name));
    assert_eq!(
        told,
        [Some("1000@default"), Some("1"), Some("1"), Some("0")]
    );
}

#[derive(Clone, Debug)]
enum Move {
    Originate {
        channel: &'static str,
        more: &'static str,
    },
    HangUp {
        call: usize,
        half: &'static str,
    },
    Pass {
        millis: u64,
    },
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let channel = prop::sample::select(vec![
        "Local/answer@amibench",
        "Local/answer-2s@amibench/n",
        "Local/busy@amibench",
        "Local/reject@amibench",
        "Local/ring@amibench",
        "Local/nope@amibench",
        "Local/play-2@amibench",
        "Local/dial-dial-playback@amibench",
        "PJSIP/1000",
        "PJSIP/1100",
        "PJSIP/9",
    ]);
    let more = prop::sample::select(vec![
        "Timeout: 700",
        "Variable: TIMEOUT(absolute)=1",
        "Account: a",
    ]);
    let one = prop_oneof![
        3 => (channel, more).prop_map(|(channel, more)| Move::Originate { channel, more }),
        2 => (0..20usize, prop::sample::select(vec!["", ";2"]))
            .prop_map(|(call, half)| Move::HangUp { call, half }),
        2 => (0..3000u64).prop_map(|millis| Move::Pass { millis }),
    ];
    prop::collection::vec(one, 1..40)
}

/// All that a listener hears of these moves, until every call has ended.
fn play(moves: &[Move]) -> Vec<u8> {
    let mut talk = Talk::with("asterisk-22");
    let (listener, caller) = (talk.login("Events: on"), talk.login("Events: off"));
    let mut placed = 0;
    for step in moves {
        match step {
            Move::Pass { millis } => talk.pass(Duration::from_millis(*millis)),
            Move::HangUp { call, half } => {
                talk.send(
                    caller,
                    &["Action: Hangup", &format!("Channel: c{call}{half}")],
                );
            }
            Move::Originate { channel, more } => {
                let (channel, id) = (
                    format!("Channel: {channel}"),
                    format!("ChannelId: c{placed}"),
                );
                let head = ["Action: Originate", "Async: true", &channel, &id, more];
                let id = format!("ActionID: a{placed}");
                talk.send(caller, &[&head[..], &TARGET, &[&id]].concat());
                placed += 1;
            }
        }
    }
    talk.pass(Duration::from_secs(10_000));
    assert_eq!(talk.exchange.counters().channels_up, 0);
    talk.hear(listener).bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    /// Every channel's events begin with its one Newchannel and end with its one Hangup; every Originate gets exactly
    /// one OriginateResponse; equal moves give equal bytes.
    #[test]
    fn channels_are_born_once_and_end_once(moves in moves()) {
        let bytes = play(&moves);
        prop_assert_eq!(&bytes, &play(&moves));
        let (mut alive, mut born) = (BTreeSet::new(), BTreeSet::new());
        let mut responses = BTreeMap::<String, usize>::new();
        for fields in crate::talk::messages(&bytes) {
            let event = value(&fields, "Event").unwrap().to_owned();
            if event == "OriginateResponse" {
                *responses.entry(value(&fields, "ActionID").unwrap().to_owned()).or_default() += 1;
                continue;
            }
            let Some(id) = value(&fields, "Uniqueid").or_else(|| value(&fields, "DestUniqueid")) else { continue };
            if event == "Newchannel" {
                prop_assert!(born.insert(id.to_owned()), "{} is born twice", id);
                alive.insert(id.to_owned());
            }
            prop_assert!(alive.contains(id), "{} of {} outside its life", event, id);
            if event == "Hangup" {
                alive.remove(id);
            }
        }
        prop_assert!(alive.is_empty());
        let placed = moves.iter().filter(|step| matches!(step, Move::Originate { .. })).count();
        prop_assert_eq!(responses.len(), placed);
        prop_assert!(responses.values().all(|count| *count == 1));
    }
}
