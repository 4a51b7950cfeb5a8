//! What a manager.conf makes of sessions: who gets in, which events pass, what waits. Answers as Asterisk 16.28 and 22.10
//! gave them with the same file.

use std::time::Duration;

use ami_sim::{Addresses, ManagerConf, Profile, SessionKey};

use crate::talk::{Fields, Talk, lines, value};

const CONF: &str = "
[general]
timestampevents = no
webenabled = yes

[base](!)
secret = <secret>
read = all
write = all

[bench](base)
[elsewhere](base)
deny = 0.0.0.0/0.0.0.0
permit = 10.0.0.0/8
[nosecret]
read = all
[once](base)
allowmultiplelogin = no
[marked](base)
eventfilter = UserEvent: A
eventfilter = !Mark: no
[nameless](base)
eventfilter(name(UserEvent),header(Mark),method(exact)) = yes
[patient](base)
writetimeout = 2500
";

fn talk_with(profile: &str, general: &str) -> Talk {
    let mut profile = Profile::named(profile).unwrap();
    let text = CONF.replace("[general]", &format!("[general]\n{general}"));
    let conf = ManagerConf::parse(&text, &profile).unwrap();
    let accounts = conf.apply(&mut profile);
    Talk::new(profile, accounts)
}

fn talk() -> Talk {
    talk_with("asterisk-22", "")
}

fn log_in(talk: &mut Talk, user: &str, events: &str) -> SessionKey {
    let key = talk.connect().unwrap();
    let user = format!("Username: {user}");
    talk.send(key, &["Action: Login", &user, "Secret: <secret>", events]);
    assert!(
        talk.hear(key).text().contains("Authentication accepted"),
        "{user}"
    );
    key
}

/// Events in one line each, without what differs from run to run.
fn security_events(talk: &mut Talk, key: SessionKey) -> Vec<String> {
    let told = [
        "Event",
        "Severity",
        "EventVersion",
        "AccountID",
        "SessionTV",
    ];
    let mut heard = talk.hear(key).messages();
    for fields in &mut heard {
        fields.retain(|(name, _)| told.contains(&name.as_str()));
    }
    lines(&heard)
}

#[test]
fn whoever_is_refused_hears_the_same_and_class_security_hears_why() {
    let mut talk = talk();
    let listener = log_in(&mut talk, "bench", "Events: security");
    talk.hear(listener);
    let never = "SessionTV: 1970-01-01T00:00:00.000+0000";
    let acl = format!(
        "Event: FailedACL | Severity: Error | EventVersion: 1 | AccountID: elsewhere | {never}"
    );
    let unknown = acl
        .replace("FailedACL", "InvalidAccountID")
        .replace("elsewhere", "nobody");
    for (user, event) in [
        ("elsewhere", Some(acl)),
        ("nobody", Some(unknown)),
        ("nosecret", None),
    ] {
        let key = talk.connect().unwrap();
        talk.hear(key);
        let user = format!("Username: {user}");
        talk.send(key, &["Action: Login", &user, "Secret: <secret>"]);
        talk.pass(Duration::from_secs(1));
        let heard = talk.hear(key);
        let expected = "Response: Error | Message: Authentication failed";
        assert_eq!(lines(&heard.messages()), [expected], "{user}");
        assert!(heard.closed);
        assert_eq!(
            security_events(&mut talk, listener),
            Vec::from_iter(event),
            "{user}"
        );
    }
    let key = log_in(&mut talk, "once", "Events: off");
    talk.hear(listener);
    let second = talk.connect().unwrap();
    talk.hear(second);
    talk.send(
        second,
        &["Action: Challenge", "AuthType: MD5", "Username: once"],
    );
    talk.pass(Duration::from_secs(1));
    let expected = "Response: Error | Message: Login Already In Use";
    assert_eq!(lines(&talk.hear(second).messages()), [expected]);
    let limit =
        format!("Event: SessionLimit | Severity: Error | EventVersion: 1 | AccountID:  | {never}");
    assert_eq!(security_events(&mut talk, listener), [limit]);
    talk.send(key, &["Action: Nope"]);
    let bad_format = security_events(&mut talk, listener).remove(0);
    assert!(
        !bad_format.contains("1970"),
        "the time of the login: {bad_format}"
    );
}

#[test]
fn a_vendor_may_close_on_whom_no_account_permits_without_a_byte() {
    let conf = "[amibench1]\nsecret=hunter2\npermit = 10.0.0.0/8\n";
    for (profile, remote, admitted) in [
        ("ucm6xxx", "127.0.0.1:9", false),
        ("ucm6xxx", "10.1.2.3:9", true),
        ("asterisk-22", "127.0.0.1:9", true),
    ] {
        let mut profile = Profile::named(profile).unwrap();
        let accounts = ManagerConf::parse(conf, &profile)
            .unwrap()
            .apply(&mut profile);
        let mut talk = Talk::new(profile, accounts);
        let addresses = Addresses {
            local: "127.0.0.1:7777".parse().unwrap(),
            remote: remote.parse().unwrap(),
        };
        let key = talk.exchange.accept(talk.now, addresses);
        assert_eq!(key.is_some(), admitted, "{remote}");
    }
}

/// What a session hears of four UserEvents and a VarSet: the events, each with its mark.
fn heard_of_five(talk: &mut Talk, key: SessionKey) -> Vec<String> {
    let other = log_in(talk, "bench", "Events: off");
    talk.hear(key);
    for (name, mark) in [("A", "no"), ("A", "yes"), ("B", "yes"), ("B", "no")] {
        let (name, mark) = (format!("UserEvent: {name}"), format!("Mark: {mark}"));
        talk.ask(other, &["Action: UserEvent", &name, &mark]);
    }
    talk.ask(other, &["Action: Setvar", "Variable: X", "Value: 1"]);
    let of = |fields: &Fields| -> String {
        let name = value(fields, "UserEvent").unwrap_or("VarSet");
        format!("{name} {}", value(fields, "Mark").unwrap_or_default())
    };
    talk.hear(key).messages().iter().map(of).collect()
}

#[test]
fn filters_of_the_account_decide_which_events_come() {
    let mut talk = talk();
    for (user, expected) in [
        ("bench", &["A no", "A yes", "B yes", "B no", "VarSet "][..]),
        ("marked", &["A yes"]),
        ("nameless", &["A yes", "B yes"]),
    ] {
        let key = log_in(&mut talk, user, "");
        assert_eq!(heard_of_five(&mut talk, key), expected, "{user}");
    }
    let mut old = talk_with("asterisk-16", "");
    let key = log_in(&mut old, "nameless", "");
    assert_eq!(heard_of_five(&mut old, key).len(), 5, "criteria came later");
}

#[test]
fn filter_adds_to_a_session_and_answers_as_the_release_does() {
    let compile = "Error: Filter did not compile.  Check the syntax of the filter given.";
    let format = "Error: Filter was formatted incorrectly.  Check the syntax of the filter given.";
    let (success, operation) = ("Success: Success", "Error: Unknown operation");
    for (headers, on_16, on_22) in [
        (&["Filter: x"][..], operation, operation),
        (&["Operation: Del", "Filter: x"], operation, operation),
        (&["Operation: Add"], success, format),
        (&["Operation: add", "Filter: ("], compile, compile),
        (&["Operation: ADD", "Filter: !("], compile, compile),
        (&["Operation: Add", "Filter: !"], success, format),
        (
            &["Operation: Add", "MatchCriteria: bogus(x)", "Filter: a"],
            success,
            format,
        ),
        (
            &["Operation: Add", "MatchCriteria: name(X)", "Filter: a"],
            success,
            format,
        ),
        (
            &["Operation: Add", "MatchCriteria: name(X)"],
            success,
            success,
        ),
        (
            &[
                "Operation: Add",
                "MatchCriteria: header(X),method(exact)",
                "Filter: (",
            ],
            compile,
            success,
        ),
    ] {
        for (profile, expected) in [("asterisk-16", on_16), ("asterisk-22", on_22)] {
            let mut talk = talk_with(profile, "");
            let key = log_in(&mut talk, "bench", "Events: off");
            let action: Vec<&str> = ["Action: Filter"].iter().chain(headers).copied().collect();
            let answer = &talk.ask(key, &action)[0];
            let text = format!("{}: {}", answer[0].1, value(answer, "Message").unwrap());
            assert_eq!(text, expected, "{profile} {headers:?}");
        }
    }
    let mut talk = talk();
    let key = log_in(&mut talk, "bench", "");
    talk.ask(
        key,
        &["Action: Filter", "Operation: Add", "Filter: !Mark: no"],
    );
    assert_eq!(heard_of_five(&mut talk, key), ["A yes", "B yes", "VarSet "]);
}

const WAITED: &str = "Response: Success | ActionID: w | Message: Waiting for Event completed.";
const COMPLETE: &str = "Event: WaitEventComplete | ActionID: w";

#[test]
fn a_wait_ends_with_the_first_event_and_the_others_follow_it() {
    let mut talk = talk();
    let (key, other) = (
        log_in(&mut talk, "bench", "Events: user"),
        log_in(&mut talk, "bench", "Events: off"),
    );
    talk.send(key, &["Action: WaitEvent", "ActionID: w"]);
    talk.pass(Duration::from_secs(3600));
    assert!(
        talk.hear(key).bytes.is_empty(),
        "without a timeout it waits for ever"
    );
    let event = |id: u32| format!("Action: UserEvent\r\nUserEvent: E\r\nN: {id}\r\n\r\n");
    talk.send_bytes(other, (event(1) + &event(2)).as_bytes());
    let told = |id: u32| format!("Event: UserEvent | Privilege: user,all | UserEvent: E | N: {id}");
    let expected = [WAITED.to_owned(), told(1), COMPLETE.to_owned(), told(2)];
    assert_eq!(lines(&talk.hear(key).messages()), expected);
}

#[test]
fn a_wait_ends_with_its_timeout_with_input_and_with_events_that_it_may_not_tell() {
    let mut talk = talk();
    let (key, other) = (
        log_in(&mut talk, "bench", "Events: off"),
        log_in(&mut talk, "bench", "Events: off"),
    );
    for timeout in ["2", "0x2", "02"] {
        talk.send(
            key,
            &[
                "Action: WaitEvent",
                &format!("Timeout: {timeout}"),
                "ActionID: w",
            ],
        );
        talk.pass(Duration::from_millis(1999));
        assert!(talk.hear(key).bytes.is_empty());
        talk.pass(Duration::from_millis(1));
        assert_eq!(lines(&talk.hear(key).messages()), [WAITED, COMPLETE]);
    }
    talk.send(key, &["Action: WaitEvent", "Timeout: 0", "ActionID: w"]);
    assert_eq!(lines(&talk.hear(key).messages()), [WAITED, COMPLETE]);
    talk.send(key, &["Action: WaitEvent", "ActionID: w"]);
    talk.send(key, &["Action: Events", "EventMask: off"]);
    let ended = [WAITED, COMPLETE, "Response: Success | Events: Off"];
    assert_eq!(lines(&talk.hear(key).messages()), ended);
    talk.send(key, &["Action: WaitEvent", "ActionID: w"]);
    talk.send(other, &["Action: UserEvent", "UserEvent: E"]);
    assert_eq!(lines(&talk.hear(key).messages()), [WAITED, COMPLETE]);
}

#[test]
fn what_came_in_one_write_with_a_wait_does_not_end_it() {
    let mut talk = talk();
    let key = log_in(&mut talk, "bench", "Events: off");
    let actions = "Action: WaitEvent\r\nTimeout: 3\r\nActionID: w\r\n\r\nAction: Events\r\nEventMask: off\r\n\r\n";
    talk.send_bytes(key, actions.as_bytes());
    talk.pass(Duration::from_millis(2999));
    assert!(talk.hear(key).bytes.is_empty());
    talk.pass(Duration::from_millis(1));
    assert_eq!(talk.hear(key).messages().len(), 3);
}

#[test]
fn a_broken_events_action_is_silent_about_all_and_about_errors() {
    let mut talk = talk_with("asterisk-22", "brokeneventsaction = yes");
    let key = log_in(&mut talk, "bench", "Events: off");
    for (mask, answer) in [
        ("on", None),
        ("", None),
        ("all", None),
        ("user", Some("On")),
        ("off", Some("Off")),
    ] {
        let heard = talk.ask(key, &["Action: Events", &format!("EventMask: {mask}")]);
        let told = heard.first().and_then(|fields| value(fields, "Events"));
        assert_eq!(told, answer, "{mask:?}");
    }
}

#[test]
fn channel_variables_are_told_with_every_channel() {
    let mut talk = talk_with("asterisk-22", "channelvars = FOO,, BAR");
    let key = log_in(&mut talk, "bench", "Events: call");
    let action = [
        "Action: Originate",
        "Channel: Local/answer@amibench",
        "Application: Wait",
        "Data: 1",
        "Async: 1",
        "Variable: FOO=1",
    ];
    talk.ask(key, &action);
    talk.pass(Duration::from_secs(5));
    let heard = talk.hear(key).messages();
    let vars = |event: &str| -> Vec<(String, String)> {
        let last = |fields: &&Fields| fields[0].1 == event;
        let fields = heard
            .iter()
            .rfind(last)
            .unwrap_or_else(|| panic!("{event}"));
        let is_variable = |(name, _): &&(String, String)| name.contains("ChanVariable");
        fields.iter().filter(is_variable).cloned().collect()
    };
    let expected = |name: &str| {
        ["FOO=1", "=", " BAR="]
            .map(|value| (name.to_owned(), value.to_owned()))
            .to_vec()
    };
    assert_eq!(vars("Hangup"), expected("ChanVariable"));
    assert_eq!(vars("DialEnd"), expected("DestChanVariable"));
    let both = [
        expected("LocalOneChanVariable"),
        expected("LocalTwoChanVariable"),
    ]
    .concat();
    assert_eq!(vars("LocalBridge"), both);
    let direct = vars("OriginateResponse");
    assert_eq!(direct.len(), 3);
    assert!(
        direct[0]
            .0
            .starts_with("ChanVariable(Local/answer@amibench-"),
        "{direct:?}"
    );
}

/// 16.28 loses what the request itself sets, 22.10 sets it last.
#[test]
fn calls_of_an_account_have_its_variables() {
    let text = |fields: &Fields, name: &str| value(fields, name).unwrap_or_default().to_owned();
    for (profile, expected) in [
        ("asterisk-16", vec!["B=2", "A=1"]),
        ("asterisk-22", vec!["B=2", "A=1", "C=3"]),
    ] {
        let mut profile = Profile::named(profile).unwrap();
        let conf = "[general]\n[bench]\nsecret = <secret>\nread = all\nwrite = all\nsetvar = A=1\nsetvar = B=2\n";
        let conf = ManagerConf::parse(conf, &profile).unwrap();
        let accounts = conf.apply(&mut profile);
        let mut talk = Talk::new(profile, accounts);
        let key = log_in(&mut talk, "bench", "Events: dialplan");
        talk.ask(
            key,
            &[
                "Action: Originate",
                "Channel: Local/answer@amibench",
                "Application: Wait",
                "Data: 1",
                "Variable: C=3",
                "ChannelId: one",
                "Async: true",
            ],
        );
        talk.pass(Duration::from_secs(1));
        let heard = talk.hear(key).messages();
        let set = heard
            .iter()
            .filter(|fields| text(fields, "Event") == "VarSet" && text(fields, "Uniqueid") == "one")
            .map(|fields| format!("{}={}", text(fields, "Variable"), text(fields, "Value")));
        let set: Vec<String> = set.filter(|set| set.len() == 3).collect();
        assert_eq!(set, expected);
    }
}

#[test]
fn the_lines_of_chan_sip_are_listed_where_it_is_there() {
    let text = |fields: &Fields, name: &str| value(fields, name).unwrap_or_default().to_owned();
    for (profile, count) in [("yeastar-s", 2), ("asterisk-13", 0)] {
        let mut talk = Talk::with(profile);
        let key = talk.login("Events: off");
        let messages = talk.ask(key, &["Action: SIPpeers"]);
        let names = messages.iter().map(|fields| text(fields, "Event"));
        let peers = names.filter(|name| name == "PeerEntry").count();
        assert_eq!(peers, count, "{profile}");
        let known = text(&messages[0], "Response") == "Success";
        assert_eq!(known, count > 0, "{profile}: {messages:?}");
        if known {
            let end = messages.last().unwrap();
            assert_eq!(text(end, "Event"), "PeerlistComplete");
            assert_eq!(text(end, "ListItems"), "2");
        }
    }
}

#[test]
fn disabled_events_reach_nobody_where_the_release_has_them() {
    for (profile, heard) in [("asterisk-22", 0), ("ucm6xxx", 1)] {
        let mut profile = Profile::named(profile).unwrap();
        let text = "[general]\ndisabledevents = Foo, UserEvent\n[amibench1]\nsecret = hunter2\nread = all\nwrite = all\npermit = 0.0.0.0/0\n";
        let accounts = ManagerConf::parse(text, &profile)
            .unwrap()
            .apply(&mut profile);
        let mut talk = Talk::new(profile, accounts);
        let key = talk.connect().unwrap();
        talk.hear(key);
        talk.send(
            key,
            &[
                "Action: Login",
                "Username: amibench1",
                "Secret: hunter2",
                "Events: user",
            ],
        );
        talk.hear(key);
        let messages = talk.ask(key, &["Action: UserEvent", "UserEvent: E"]);
        assert_eq!(messages.len(), 1 + heard);
    }
}

#[test]
fn how_long_a_session_may_not_read_is_the_accounts_from_its_login_on() {
    let mut talk = talk();
    let key = talk.connect().unwrap();
    assert_eq!(talk.exchange.write_timeout(key), Duration::from_millis(100));
    let key = log_in(&mut talk, "patient", "");
    assert_eq!(
        talk.exchange.write_timeout(key),
        Duration::from_millis(2500)
    );
}

#[test]
fn the_console_shows_accounts_as_they_are() {
    let mut talk = talk();
    let key = log_in(&mut talk, "bench", "Events: off");
    let mut shown = |command: &str| -> Vec<String> {
        let answer = talk
            .ask(key, &["Action: Command", &format!("Command: {command}")])
            .remove(0);
        answer
            .into_iter()
            .filter(|(name, _)| name == "Output")
            .map(|(_, value)| value)
            .collect()
    };
    let user = shown("manager show user elsewhere");
    assert!(
        user.contains(&"               ACL: yes".to_owned()),
        "{user:?}"
    );
    let list = [
        "ACL: (unnamed)",
        "---------------------------------------------",
        "  0:  deny - 0.0.0.0/0.0.0.0",
        "  1: allow - 10.0.0.0/255.0.0.0",
    ];
    assert_eq!(user[user.len() - 4..], list);
    let settings = shown("manager show settings");
    assert!(
        settings.contains(&"  Web Manager (AMI/HTTP):    Yes            ".to_owned()),
        "{settings:?}"
    );
}
