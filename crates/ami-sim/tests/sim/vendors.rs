//! What tells one PBX from another on the wire.

use std::time::Duration;

use ami_sim::{Account, Accounts, Profile, SessionKey};

use crate::talk::{Fields, SECRET, Talk, value};

/// A call to somebody who answers, in the PBX's own context; all that was heard of it.
fn call(talk: &mut Talk, key: SessionKey, profile: &Profile) -> Vec<Fields> {
    let context = &profile.contexts[0];
    let exten = &profile.extensions[0].exten;
    let number = if exten.starts_with('_') {
        "1000"
    } else {
        exten
    };
    let lines = [
        "Action: Originate",
        &format!("Channel: Local/{number}@{context}"),
        "Application: Wait",
        "Data: 1",
        "Async: true",
    ];
    let mut heard = talk.ask(key, &lines);
    talk.pass(Duration::from_secs(4000));
    heard.extend(talk.hear(key).messages());
    heard
}

#[test]
fn every_pbx_takes_a_call_in_its_own_context() {
    for name in Profile::names() {
        let profile = Profile::named(name).unwrap();
        let mut talk = Talk::with(name);
        let key = talk.login("Events: on");
        let heard = call(&mut talk, key, &profile);
        let answered = heard
            .iter()
            .find(|message| value(message, "Event") == Some("OriginateResponse"));
        let answered = answered.unwrap_or_else(|| panic!("{name}: {heard:?}"));
        assert_eq!(value(answered, "Response"), Some("Success"), "{name}");
        for message in &heard {
            assert_eq!(
                value(message, "Timestamp").is_some(),
                profile.timestamp_events && value(message, "Event").is_some(),
                "{name}: {message:?}"
            );
        }
    }
}

#[test]
fn list_commands_is_as_long_as_the_one_it_comes_from() {
    for (name, count) in [
        ("asterisk-13", 107),
        ("asterisk-16", 115),
        ("asterisk-18", 122),
        ("asterisk-20", 122),
        ("asterisk-22", 124),
        ("freepbx-16", 115),
        ("mikopbx", 122),
        ("ucm6xxx", 123),
        // With SIPpeers.
        ("yeastar-s", 108),
        ("yeastar-tg", 23),
    ] {
        let mut talk = Talk::with(name);
        let key = talk.login("Events: off");
        let commands = &talk.ask(key, &["Action: ListCommands"])[0];
        assert_eq!(commands.len() - 1, count, "{name}");
    }
}

#[test]
fn a_vendors_own_actions_are_listed_with_one_blank_before_their_classes() {
    let mut talk = Talk::with("ucm6xxx");
    let key = talk.login("Events: off");
    talk.send(key, &["Action: ListCommands"]);
    let text = talk.hear(key).text();
    for line in [
        "Response: Success\r\nAbsoluteTimeout: Set absolute timeout.  (Priv: system,call,all)\r\n",
        "\r\nAcceptCall:  (Priv: call,all)\r\n",
        "\r\nCommand: Execute Asterisk CLI Command.  (Priv: command,specialcommand,all)\r\n",
        "\r\nDAHDIRestart: Fully Restart DAHDI channels (terminates calls).  (Priv: <none>)\r\n",
        "\r\nVoicemailRecount: VoicemailRecount (Priv: command,user,all)\r\n",
        "\r\nWaitEvent: Wait for an event to occur.  (Priv: <none>)\r\n\r\n",
    ] {
        assert!(text.contains(line), "{line:?}");
    }
}

#[test]
fn channels_tell_the_variables_of_the_configuration_after_all_else() {
    let mut talk = Talk::with("mikopbx");
    let key = talk.login("Events: on");
    let profile = Profile::named("mikopbx").unwrap();
    let heard = call(&mut talk, key, &profile);
    let is = |message: &Fields, name: &str| value(message, "Event") == Some(name);
    let born = heard.iter().find(|message| is(message, "Newchannel"));
    let born = born.unwrap();
    assert_eq!(born[born.len() - 17].0, "Linkedid");
    let variables: Vec<&str> = born[born.len() - 16..]
        .iter()
        .map(|(name, value)| {
            assert_eq!(name, "ChanVariable");
            value.as_str()
        })
        .collect();
    assert_eq!(variables[0], "DIALEDPEERNUMBER=");
    assert!(variables[12].starts_with("CDR(channel)=Local/1000@internal-originate-"));
    let dialled = heard.iter().find(|message| is(message, "DialBegin"));
    assert!(value(dialled.unwrap(), "DestChanVariable").is_some());
}

#[test]
fn a_vendor_adds_headers_behind_the_channel_of_an_event() {
    let mut talk = Talk::with("ucm6xxx");
    let key = talk.login("Events: on");
    let profile = Profile::named("ucm6xxx").unwrap();
    let heard = call(&mut talk, key, &profile);
    let is = |message: &&Fields| value(message, "Event") == Some("SoftHangupRequest");
    let request = heard.iter().find(is).unwrap();
    let last: Vec<&str> = request[request.len() - 4..]
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(last, ["Uniqueid", "Key", "FaxStatus", "Cause"]);
    assert_eq!(value(request, "Reg_calleenum"), Some(""));
}

#[test]
fn accounts_hear_what_their_administration_lets_them() {
    let profile = Profile::named("mikopbx").unwrap();
    let account = Account {
        filters: profile.account_filters.clone(),
        ..Account::new("bench", SECRET, "all", "all")
    };
    let mut talk = Talk::new(profile.clone(), Accounts::new(account));
    let key = talk.login("Events: on");
    let mut heard = call(&mut talk, key, &profile);
    for name in ["Ping_1", "Other"] {
        let event = format!("UserEvent: {name}");
        heard.extend(talk.ask(key, &["Action: UserEvent", &event]));
    }
    let names: Vec<&str> = heard
        .iter()
        .filter_map(|message| value(message, "UserEvent").or_else(|| value(message, "Event")))
        .collect();
    assert!(
        names.contains(&"Newchannel") && names.contains(&"Other"),
        "{names:?}"
    );
    assert!(
        !names.contains(&"Newexten") && !names.contains(&"Ping_1"),
        "{names:?}"
    );
}

#[test]
fn a_banner_need_not_name_asterisk() {
    let mut talk = Talk::with("mikopbx");
    let key = talk.connect().unwrap();
    assert_eq!(talk.hear(key).text(), "PBX Call Manager/11.0.0\r\n");
}

#[test]
fn security_events_tell_the_address_that_the_server_listens_on() {
    for (name, address) in [
        ("asterisk-22", "IPV4/TCP/127.0.0.1/13070"),
        ("ucm6xxx", "IPV4/TCP/0.0.0.0/13070"),
    ] {
        let mut talk = Talk::with(name);
        let key = talk.login("Events: on");
        talk.login("Events: off");
        let heard = talk.hear(key).messages();
        let of_another = heard
            .iter()
            .find(|message| value(message, "LocalAddress").is_some());
        assert_eq!(value(of_another.unwrap(), "LocalAddress"), Some(address));
    }
}

#[test]
fn the_name_of_the_system_stands_before_its_ids() {
    let mut profile = Profile::named("asterisk-22").unwrap();
    profile.system_name = "pbx7".to_owned();
    let mut talk = Talk::new(profile.clone(), Accounts::bench(SECRET));
    let key = talk.login("Events: on");
    let settings = talk.ask(key, &["Action: CoreSettings"]);
    assert_eq!(value(&settings[0], "SystemName"), Some("pbx7"));
    let heard = call(&mut talk, key, &profile);
    let ids: Vec<&str> = heard
        .iter()
        .filter_map(|message| value(message, "Uniqueid"))
        .collect();
    assert!(
        !ids.is_empty() && ids.iter().all(|id| id.starts_with("pbx7-1795")),
        "{ids:?}"
    );
}

#[test]
fn a_gateway_sends_a_message_and_reports_it() {
    let mut talk = Talk::with("yeastar-tg");
    let key = talk.login("");
    let send = |number: &str| format!("command: gsm send sms 2 {number} \"Test+message\" 77");
    talk.send(key, &["Action: smscommand", &send("+15550100003")]);
    assert_eq!(
        talk.hear(key).text(),
        "Response: Follows\r\nPrivilege: SMSCommand\r\n--END COMMAND--\r\n\r\n"
    );
    talk.pass(Duration::from_millis(2999));
    assert_eq!(talk.hear(key).text(), "");
    talk.pass(Duration::from_millis(1));
    assert_eq!(
        talk.hear(key).text(),
        "Event: UpdateSMSSend\r\nPrivilege: all,smscommand\r\nID: 77\r\nSmsc: +15550199000\r\nStatus: 1\r\n\
         --END SMS EVENT--\r\n\r\n\
         Event: ReceivedSMS\r\nPrivilege: all,smscommand\r\nID: \r\nGsmSpan: 3\r\nSender: +15550100002\r\n\
         Recvtime: 2026-11-21 08:15:40\r\nIndex: 0\r\nTotal: 1\r\nSmsc: +15550199000\r\nContent: Test+message\r\n\
         --END SMS EVENT--\r\n\r\n"
    );
    talk.send(
        key,
        &[
            "Action: SMSCommand",
            "Command: gsm send sms 2 15550100003 \"x\"",
        ],
    );
    talk.pass(Duration::from_secs(3));
    assert!(
        talk.hear(key)
            .text()
            .contains("ID: (null)\r\nSmsc: +15550199000\r\nStatus: 0\r\n")
    );
}

#[test]
fn a_gateways_text_may_end_on_the_line_of_its_marker() {
    let mut talk = Talk::with("yeastar-tg");
    let key = talk.login("");
    let line = "Command: gsm show span 3";
    talk.send(key, &["Action: SMSCommand", "ActionID: 5", line]);
    let text = talk.hear(key).text();
    let head = "Response: Follows\r\nPrivilege: SMSCommand\r\nActionID: 5\r\nD-channel: 3\nStatus: Power on";
    assert!(text.starts_with(head), "{text}");
    assert!(
        text.ends_with("Last send AT: AT+CREG?\\r\\n--END COMMAND--\r\n\r\n"),
        "{text}"
    );
    talk.send(
        key,
        &["Action: SMSCommand", "Command: gsm send ussd 3 \"*101%23\""],
    );
    let text = talk.hear(key).text();
    assert!(
        text.contains("\n\tUSSD Len: 14\n\tUSSD Message: Balance: 17.00\n--END COMMAND--\r\n"),
        "{text}"
    );
}

#[test]
fn trunks_and_ports_show_in_the_names_of_channels() {
    for (profile, dialled, name) in [
        ("ucm6xxx", "PJSIP/5551234@trunk_2", "PJSIP/trunk_2-00000000"),
        ("ucm6xxx", "PJSIP/1000", "PJSIP/1000-00000000"),
        ("yeastar-s", "DAHDI/5", "DAHDI/5-00000000"),
        ("yeastar-s", "IAX2/306", "IAX2/306-00000000"),
        (
            "yeastar-s",
            "SIP/trunk-test1/1112233",
            "SIP/trunk-test1/1112233-00000000",
        ),
    ] {
        let mut talk = Talk::with(profile);
        let key = talk.login("Events: on");
        let channel = format!("Channel: {dialled}");
        let lines = [
            "Action: Originate",
            &channel,
            "Application: Wait",
            "Data: 1",
            "Async: true",
        ];
        talk.send(key, &lines);
        talk.pass(Duration::from_secs(60));
        let heard = talk.hear(key).messages();
        let born = heard
            .iter()
            .find(|message| value(message, "Event") == Some("Newchannel"));
        assert_eq!(value(born.unwrap(), "Channel"), Some(name), "{dialled}");
        let answered = heard
            .iter()
            .find(|message| value(message, "Reason").is_some());
        assert_eq!(value(answered.unwrap(), "Reason"), Some("4"), "{dialled}");
    }
}

/// As the lab's 22.10.1 answers; releases of some months end each item in LF alone.
#[test]
fn a_channel_map_follows_bridges_and_local_channels() {
    for (profile, end) in [("asterisk-22", "\r\n\r\n"), ("asterisk-20", "\r\n\n")] {
        let mut talk = Talk::with(profile);
        let key = talk.login("Events: off");
        talk.send(
            key,
            &[
                "Action: Originate",
                "Channel: Local/answer@amibench",
                "Application: Dial",
                "Data: Local/answer@amibench",
                "Async: true",
            ],
        );
        talk.pass(Duration::from_secs(1));
        talk.hear(key);
        let half = |number: u8, half: u8| format!("Local/answer@amibench-0000000{number};{half}");
        let one = half(0, 1);
        let mut ask = |channel: &str| {
            let channel = format!("Channel: {channel}");
            talk.send(
                key,
                &["Action: CoreShowChannelMap", "ActionID: 1", &channel],
            );
            talk.hear(key).text()
        };
        let item = |other: &str| {
            let head = "Event: CoreShowChannelMap\r\nActionID: 1";
            format!("{head}\r\nChannel: {one}\r\nConnectedChannel: {other}{end}")
        };
        let list = |items: &str, count: usize| {
            format!(
                "Response: Success\r\nActionID: 1\r\nEventList: start\r\nMessage: Channel map will follow\r\n\r\n\
                 {items}Event: CoreShowChannelMapComplete\r\nActionID: 1\r\nEventList: Complete\r\n\
                 ListItems: {count}\r\n\r\n"
            )
        };
        let both = item(&half(1, 1)) + &item(&half(1, 2));
        assert_eq!(ask(&one), list(&both, 2), "{profile}");
        assert_eq!(ask(&half(0, 2)), list("", 0));
        let refused =
            "Response: Error\r\nActionID: 1\r\nMessage: Could not get channel snapshot\n\r\n\r\n";
        assert_eq!(ask("nobody"), refused);
    }
}
