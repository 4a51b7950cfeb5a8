//! Logging in, rights, limits, what a session hears and what it is told when it errs.

use std::time::Duration;

use ami_sim::{Account, Accounts, Fault, Output, Profile};
use md5::{Digest, Md5};

use crate::talk::{SECRET, Talk, lines, value};

fn accounts() -> Accounts {
    Accounts::bench(SECRET)
        .with(Account::new("caller", SECRET, "call", "originate"))
        .with(Account::new("listener", SECRET, "all", ""))
}

fn talk() -> Talk {
    Talk::new(Profile::named("asterisk-22").unwrap(), accounts())
}

/// Answers to one action of a logged-in session, in one line each.
fn check(action: &[&str], expected: &[&str]) {
    let mut talk = talk();
    let key = talk.login("Events: off");
    assert_eq!(lines(&talk.ask(key, action)), expected, "{action:?}");
}

#[test]
fn errors_have_the_texts_of_asterisk() {
    check(
        &["Foo: bar"],
        &["Response: Error | Message: Missing action in request"],
    );
    check(
        &["Action: Nope", "ActionID: 1"],
        &[
            "Response: Error | ActionID: 1 | Message: Invalid/unknown command: Nope. \
           Use Action: ListCommands to show available commands.",
        ],
    );
    check(
        &["Action: Challenge", "AuthType: SHA1"],
        &["Response: Error | Message: Must specify AuthType"],
    );
    check(
        &["Action: Events"],
        &["Response: Error | Message: Invalid event mask"],
    );
    check(
        &["Action: Command"],
        &["Response: Error | Message: No command provided"],
    );
    check(
        &["Action: Command", "Command: Module Load x"],
        &["Response: Error | Message: Command blacklisted"],
    );
    check(
        &["Action: Hangup"],
        &["Response: Error | Message: No channel specified"],
    );
    check(
        &["Action: Hangup", "Channel: x"],
        &["Response: Error | Message: No such channel"],
    );
    check(
        &["Action: Hangup", "Channel: /("],
        &["Response: Error | Message: Regex format invalid, Channel param should be /regex/"],
    );
    check(
        &["Action: Status", "Channel: x"],
        &["Response: Error | Message: No such channel"],
    );
    check(
        &["Action: Setvar", "Value: 1"],
        &["Response: Error | Message: No variable specified"],
    );
    check(
        &[
            "Action: Redirect",
            "Channel: x",
            "Context: a",
            "Exten: b",
            "Priority: 1",
        ],
        &["Response: Error | Message: Channel does not exist: x"],
    );
}

#[test]
fn lines_and_headers_beyond_the_limits_are_answered_as_by_asterisk() {
    let too_long =
        "Response: Error | ActionID: 1 | Message: Failed to parse message: line too long";
    let too_many =
        "Response: Error | ActionID: 1 | Message: Too many lines in message or allocation failure";
    let success = "Response: Success | ActionID: 1 | Events: Off";
    let check = |more: &[&str], expected: &[&str]| {
        let action = ["Action: Events", "EventMask: off", "ActionID: 1"];
        check(&[&action, more].concat(), expected);
    };
    let line = |bytes: usize| format!("X: {}", "x".repeat(bytes - 3));
    check(&[&line(1022)], &[success]);
    check(
        &[&line(1023)],
        &[
            too_long,
            "Response: Error | Message: Missing action in request",
        ],
    );
    check(&[&line(1024)], &[too_long]);
    check(&["A: b"; 125], &[success]);
    check(&["A: b"; 126], &[too_many]);
}

#[test]
fn originates_are_checked_in_the_order_of_asterisk() {
    let error = |headers: &[&str], message: &str| {
        let action: Vec<&str> = ["Action: Originate"]
            .iter()
            .chain(headers)
            .copied()
            .collect();
        check(&action, &[&format!("Response: Error | Message: {message}")]);
    };
    let local = "Channel: Local/answer@amibench";
    error(&["Exten: x"], "Channel not specified");
    error(
        &[
            "Channel: Local",
            "Context: amibench",
            "Exten: hold",
            "Priority: 1",
        ],
        "Invalid channel",
    );
    error(&["Channel: Local", "Priority: abc"], "Invalid priority");
    error(&[local, "Timeout: soon"], "Invalid timeout");
    error(
        &[local, "Context: amibench", "Exten: nope", "Priority: 1"],
        "Extension does not exist.",
    );
    error(
        &[local],
        "Originate with 'Exten' requires 'Context' and 'Priority'",
    );
    error(
        &[local, "Context: amibench", "Exten: hold", "Priority: 0"],
        "Originate with 'Exten' requires 'Context' and 'Priority'",
    );
}

#[test]
fn an_md5_login_succeeds_and_its_key_is_lower_case() {
    for (upper, text) in [
        ("no", "Authentication accepted"),
        ("yes", "Authentication failed"),
    ] {
        let mut talk = talk();
        let key = talk.connect().unwrap();
        let answer = talk.ask(key, &["Action: Challenge", "AuthType: md5"]);
        let challenge = value(&answer[0], "Challenge").unwrap();
        let digest = Md5::new()
            .chain_update(challenge)
            .chain_update(SECRET)
            .finalize();
        let answer: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let answer = if upper == "yes" {
            answer.to_uppercase()
        } else {
            answer
        };
        talk.send(
            key,
            &[
                "Action: Login",
                "AuthType: MD5",
                "Username: BENCH",
                &format!("Key: {answer}"),
            ],
        );
        talk.pass(Duration::from_secs(1));
        assert!(talk.hear(key).text().contains(text), "{upper}");
    }
}

#[test]
fn a_failed_login_is_answered_after_a_second_and_ends_the_session() {
    let mut talk = talk();
    let key = talk.connect().unwrap();
    talk.hear(key);
    talk.send(
        key,
        &[
            "Action: Login",
            "Username: bench",
            "Secret: wrong",
            "ActionID: 1",
        ],
    );
    talk.send(key, &["Action: Ping"]);
    talk.pass(Duration::from_millis(999));
    assert!(talk.hear(key).bytes.is_empty());
    talk.pass(Duration::from_millis(1));
    let heard = talk.hear(key);
    assert_eq!(
        lines(&heard.messages()),
        ["Response: Error | ActionID: 1 | Message: Authentication failed"]
    );
    assert!(heard.closed);
}

#[test]
fn a_session_that_does_not_log_in_is_closed_without_a_word() {
    let mut talk = talk();
    let key = talk.connect().unwrap();
    assert_eq!(talk.hear(key).text(), "Asterisk Call Manager/11.0.0\r\n");
    talk.pass(Duration::from_millis(29_999));
    assert!(!talk.hear(key).closed);
    talk.send_bytes(key, b"Act");
    talk.pass(Duration::from_millis(1));
    let heard = talk.hear(key);
    assert!(heard.closed && heard.bytes.is_empty());
    let ready = talk.login("");
    talk.pass(Duration::from_secs(60));
    assert!(!talk.hear(ready).closed);
}

#[test]
fn the_51st_session_that_has_not_logged_in_is_refused() {
    let mut talk = talk();
    let keys: Vec<_> = (0..50).map(|_| talk.connect().unwrap()).collect();
    assert!(talk.connect().is_none());
    talk.send(
        keys[0],
        &["Action: Login", "Username: bench", "Secret: <secret>"],
    );
    assert!(talk.connect().is_some());
    assert!(talk.connect().is_none());
    talk.exchange.leave(keys[1]);
    assert!(talk.connect().is_some());
    assert_eq!(talk.exchange.counters().sessions_refused, 2);
}

#[test]
fn where_multiple_logins_are_refused_the_second_one_waits_a_second_for_its_error() {
    let profile = Profile::named("asterisk-22").unwrap();
    let mut talk = Talk::new(profile, accounts().one_login_each());
    let first = talk.login("");
    let second = talk.connect().unwrap();
    talk.send(
        second,
        &["Action: Login", "Username: bench", "Secret: wrong"],
    );
    talk.pass(Duration::from_secs(1));
    assert!(talk.hear(second).text().contains("Login Already In Use"));
    talk.exchange.leave(first);
    talk.login("");
}

#[test]
fn rights_limit_what_a_session_may_do_and_see() {
    let mut talk = talk();
    let key = talk.connect().unwrap();
    talk.hear(key);
    talk.send(key, &["Action: Ping"]);
    talk.send(key, &["Action: Nope"]);
    let denied = "Response: Error | Message: Permission denied";
    assert_eq!(lines(&talk.hear(key).messages()), [denied, denied]);
    talk.send(
        key,
        &["Action: Login", "Username: caller", "Secret: <secret>"],
    );
    let login = talk.hear(key);
    assert!(
        !login.text().contains("FullyBooted"),
        "it may not read class system"
    );
    assert_eq!(lines(&talk.ask(key, &["Action: CoreSettings"])), [denied]);
    let commands = &talk.ask(key, &["Action: ListCommands"])[0];
    assert!(value(commands, "Originate").is_some() && value(commands, "Ping").is_some());
    assert!(value(commands, "Hangup").is_none());
    // A VarSet is of class dialplan, which this account may not read.
    let bench = talk.login("Events: off");
    talk.send(bench, &["Action: Setvar", "Variable: X", "Value: 1"]);
    assert!(talk.hear(key).bytes.is_empty());
}

#[test]
fn a_mask_decides_which_events_come() {
    let mut talk = talk();
    let (hears, deaf) = (talk.login("Events: user"), talk.login("Events: off"));
    let event = |talk: &mut Talk| {
        let heard = talk.ask(
            deaf,
            &["Action: UserEvent", "UserEvent: Mark", "N: 1", "odd"],
        );
        assert_eq!(heard.len(), 1, "the answer alone");
    };
    event(&mut talk);
    let heard = talk.hear(hears).text();
    assert!(
        heard.ends_with("\r\nUserEvent: Mark\r\nN: 1\r\nodd\r\n\r\n"),
        "{heard}"
    );
    assert!(
        heard.starts_with("Event: UserEvent\r\nPrivilege: user,all\r\nTimestamp: "),
        "{heard}"
    );
    talk.ask(hears, &["Action: Events", "EventMask: call,system"]);
    event(&mut talk);
    assert!(talk.hear(hears).bytes.is_empty());
}

#[test]
fn events_wait_until_a_blocking_originate_is_answered() {
    let mut talk = talk();
    let (caller, other) = (talk.login("Events: user"), talk.login("Events: off"));
    let target = ["Context: amibench", "Exten: hold", "Priority: 1"];
    let channel = [
        "Action: Originate",
        "Channel: Local/answer-2s@amibench",
        "ActionID: o",
    ];
    talk.send(caller, &[&channel[..], &target[..]].concat());
    talk.send(caller, &["Action: Ping", "ActionID: p"]);
    talk.send(other, &["Action: UserEvent", "UserEvent: Mark"]);
    talk.pass(Duration::from_millis(1900));
    assert!(talk.hear(caller).bytes.is_empty());
    talk.pass(Duration::from_millis(200));
    let heard = talk.hear(caller).messages();
    let heads: Vec<_> = heard
        .iter()
        .map(|fields| (fields[0].1.as_str(), value(fields, "ActionID")))
        .collect();
    assert_eq!(
        heads,
        [
            ("Success", Some("o")),
            ("UserEvent", None),
            ("Success", Some("p"))
        ]
    );
}

#[test]
fn pipelined_actions_are_answered_in_order_with_their_events_between() {
    let mut talk = talk();
    let key = talk.login("Events: user");
    let action =
        |id: u32| format!("Action: UserEvent\r\nUserEvent: E{id}\r\nActionID: {id}\r\n\r\n");
    talk.send_bytes(key, (action(1) + &action(2)).as_bytes());
    let heard = talk.hear(key).messages();
    let heads: Vec<_> = heard
        .iter()
        .map(|fields| (fields[0].0.as_str(), value(fields, "ActionID")))
        .collect();
    assert_eq!(
        heads,
        [
            ("Response", Some("1")),
            ("Event", Some("1")),
            ("Response", Some("2")),
            ("Event", Some("2"))
        ]
    );
}

#[test]
fn every_profile_frames_command_in_its_way() {
    let text = |profile: &str| {
        let mut talk = Talk::with(profile);
        let key = talk.login("Events: off");
        talk.send(
            key,
            &[
                "Action: Command",
                "Command: core show version",
                "ActionID: 1",
            ],
        );
        talk.hear(key).text()
    };
    let yeastar = text("yeastar-s");
    assert!(
        yeastar.starts_with(
            "Response: Follows\r\nPrivilege: Command\r\nActionID: 1\r\nAsterisk 13.7.0 "
        )
    );
    assert!(yeastar.ends_with(" UTC\r\n--END COMMAND--\r\n\r\n"));
    for profile in ["ucm6xxx", "asterisk-22"] {
        let head = "Response: Success\r\nActionID: 1\r\nMessage: Command output follows\r\nOutput: Asterisk ";
        assert!(text(profile).starts_with(head), "{profile}");
    }
}

#[test]
fn an_action_that_takes_its_time_occupies_the_session() {
    let mut profile = Profile::named("asterisk-22").unwrap();
    profile.timing.set_service("Ping", Duration::from_millis(3));
    let mut talk = Talk::new(profile, accounts());
    let key = talk.login("Events: off");
    talk.send(key, &["Action: Ping", "ActionID: 1"]);
    talk.send(key, &["Action: Events", "EventMask: off", "ActionID: 2"]);
    assert!(talk.hear(key).bytes.is_empty());
    talk.pass(Duration::from_millis(3));
    assert_eq!(talk.hear(key).messages().len(), 2);
}

#[test]
fn counters_tell_what_was_asked_and_called() {
    let mut talk = talk();
    let key = talk.login("Events: off");
    talk.ask(key, &["Action: ping"]);
    talk.ask(key, &["Action: Nope"]);
    let channel = "Channel: Local/answer@amibench";
    let action = [
        "Action: Originate",
        channel,
        "Application: Wait",
        "Data: 1",
        "Async: 1",
    ];
    talk.ask(key, &action);
    talk.pass(Duration::from_secs(5));
    let counters = talk.exchange.counters();
    assert_eq!(
        (counters.actions_of("Ping"), counters.actions_of("unknown")),
        (1, 1)
    );
    assert_eq!(
        (
            counters.calls_placed,
            counters.calls_answered,
            counters.channels_up
        ),
        (1, 1, 0)
    );
}

#[test]
fn a_fault_begins_with_the_action_it_was_planted_for() {
    let mut talk = Talk::with("asterisk-22");
    talk.exchange
        .plant(Fault::named("reset.instead").unwrap().planted_at("Ping", 2));
    let (first, second) = (talk.login("Events: off"), talk.login("Events: off"));
    assert_eq!(talk.ask(first, &["Action: Ping"]).len(), 1);
    talk.send(second, &["Action: Ping"]);
    let heard = talk.hear(second);
    assert!(heard.closed && heard.bytes.is_empty(), "{heard:?}");
    assert_eq!(talk.ask(first, &["Action: Ping"]).len(), 1, "others go on");
    assert_eq!(talk.exchange.counters().faults_at.len(), 1);
}

#[test]
fn a_late_pbx_pauses_before_each_thing_it_says() {
    let mut talk = Talk::with("asterisk-22");
    let late = Duration::from_millis(1200);
    talk.exchange
        .plant(Fault::named("link.late").unwrap().planted_at("Ping", 1));
    let session = talk.login("Events: off");
    for _ in 0..2 {
        talk.send(session, &["Action: Ping"]);
        let pause = talk.exchange.poll_output(session);
        assert!(
            matches!(pause, Some(Output::Stall(pause)) if pause == late),
            "{pause:?}"
        );
        let answer = talk.exchange.poll_output(session);
        assert!(matches!(answer, Some(Output::Write(_))), "{answer:?}");
        assert!(talk.exchange.poll_output(session).is_none());
    }
}
