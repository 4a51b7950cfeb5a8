//! Sessions as conversations: server bytes in, client bytes and dispositions out.

use std::time::Duration;

use super::*;
use crate::frame::decode::{Decoder, Limits};

const LOGIN_DEADLINE: Duration = Duration::from_secs(5);
const FAR: Duration = Duration::from_secs(3600);

/// A session with its decoder; the instant is always zero unless a test says otherwise.
struct Peer {
    session: Session,
    decoder: Decoder,
}

impl Peer {
    fn new(login: LoginForm) -> Self {
        let config = SessionConfig {
            username: "bench".into(),
            secret: Secret::new("s3cret"),
            login,
            events: "off".into(),
            connection_id: 0xc0ffee,
            login_deadline: LOGIN_DEADLINE,
        };
        let session = Session::new(config, Duration::ZERO).unwrap();
        Self {
            session,
            decoder: Decoder::client(Limits::default()),
        }
    }

    fn ready() -> Self {
        let mut peer = Self::new(LoginForm::Plain);
        peer.server("Asterisk Call Manager/2.8.0\r\n");
        peer.client();
        let login = "Response: Success\r\nMessage: Authentication accepted\r\n\r\n";
        assert_eq!(peer.server(login), [Disposition::Ready]);
        peer
    }

    /// What the session makes of these bytes.
    fn server(&mut self, bytes: &str) -> Vec<Disposition> {
        let mut input = bytes.as_bytes();
        let mut dispositions = Vec::new();
        while let Some(frame) = self.decoder.decode(&mut input) {
            dispositions.push(self.session.handle_frame(Duration::ZERO, &frame));
        }
        dispositions
    }

    /// What the session writes, without the connection's part of the ActionIDs.
    fn client(&mut self) -> Vec<String> {
        let mut writes = Vec::new();
        let mut out = Vec::new();
        while self.session.take_transmit(&mut out) {
            let text = String::from_utf8(std::mem::take(&mut out)).unwrap();
            writes.push(text.replace("0000000000c0ffee-", "#"));
        }
        writes
    }

    fn send(&mut self, name: &str, answer: Answer) -> Slot {
        let slot = self
            .session
            .send(Duration::ZERO, &Action::new(name), answer, FAR)
            .unwrap();
        self.client();
        slot
    }
}

/// `#n` in a text is the ActionID of the slot.
fn with_ids(text: &str, slots: &[Slot]) -> String {
    slots
        .iter()
        .enumerate()
        .fold(text.to_owned(), |text, (n, slot)| {
            text.replace(
                &format!("#{n}"),
                ActionId::of_slot(0xc0ffee, *slot).as_str(),
            )
        })
}

fn answer(slot: Slot, outcome: AnswerOutcome) -> Disposition {
    Disposition::Answer {
        slot,
        outcome,
        done: Done::Yes,
    }
}

const fn list_opened(slot: Slot) -> Disposition {
    Disposition::Answer {
        slot,
        outcome: AnswerOutcome::Success,
        done: Done::No,
    }
}

#[test]
fn a_plain_login() {
    let mut peer = Peer::new(LoginForm::Plain);
    assert_eq!(peer.client(), [""; 0]);
    assert_eq!(
        peer.server("Asterisk Call Manager/2.8.0\r\n"),
        [Disposition::Banner]
    );
    assert_eq!(peer.session.banner(), Some("Asterisk Call Manager/2.8.0"));
    assert_eq!(
        peer.client(),
        [
            "Action: Login\r\nActionID: #login\r\nUsername: bench\r\nSecret: s3cret\r\nEvents: off\r\n\r\n"
        ]
    );
    let accepted = "Response: Success\r\nActionID: 0000000000c0ffee-login\r\n\r\n";
    assert_eq!(peer.server(accepted), [Disposition::Ready]);
    assert!(peer.session.is_ready());
    assert_eq!(peer.session.poll_timeout(), None);
}

#[test]
fn an_md5_login() {
    let mut peer = Peer::new(LoginForm::Md5);
    peer.server("Asterisk Call Manager/2.8.0\r\n");
    assert_eq!(
        peer.client(),
        ["Action: Challenge\r\nActionID: #challenge\r\nAuthType: MD5\r\n\r\n"]
    );
    let challenge =
        "Response: Success\r\nActionID: 0000000000c0ffee-challenge\r\nChallenge: 162428164\r\n\r\n";
    assert_eq!(peer.server(challenge), [Disposition::Progress]);
    // printf 162428164s3cret | md5sum
    assert_eq!(
        peer.client(),
        [
            "Action: Login\r\nActionID: #login\r\nAuthType: MD5\r\nUsername: bench\r\nKey: df9d0c4ce4a3a0d54fddd961b07b8a14\r\nEvents: off\r\n\r\n"
        ]
    );
    assert_eq!(
        peer.server("Response: Success\r\n\r\n"),
        [Disposition::Ready]
    );
}

#[test]
fn a_refused_login_or_challenge_closes_the_session() {
    let refusal = "Response: Error\r\nMessage: Authentication failed\r\n\r\n";
    for login in [LoginForm::Plain, LoginForm::Md5] {
        let mut peer = Peer::new(login);
        peer.server("Asterisk Call Manager/2.8.0\r\n");
        let message = "Authentication failed".to_owned();
        assert_eq!(peer.server(refusal), [Disposition::Refused { message }]);
        assert!(peer.session.is_closing());
        assert_eq!(peer.session.poll_timeout(), None);
    }
}

#[test]
fn s10_proxies_and_renamed_banners_are_accepted_and_other_services_are_not() {
    let accepted = [
        "Asterisk Call Manager/1.1",
        "PBX Call Manager/11.0.0",
        "Asterisk Call Manager Proxy/1.21",
        "OpenPBX Call Manager/1.0",
        "CallWeaver Call Manager/1.0",
    ];
    for banner in accepted {
        let mut peer = Peer::new(LoginForm::Plain);
        assert_eq!(
            peer.server(&format!("{banner}\r\n")),
            [Disposition::Banner],
            "{banner}"
        );
    }
    let long = "x".repeat(4096);
    for banner in [
        "SSH-2.0-OpenSSH_9.2",
        "HTTP/1.1 400 Bad Request",
        "220 mail ready",
        &long,
    ] {
        let mut peer = Peer::new(LoginForm::Plain);
        let dispositions = peer.server(&format!("{banner}\r\n"));
        assert!(
            matches!(dispositions[0], Disposition::NotAmi { .. }),
            "{banner}"
        );
        assert!(peer.session.is_closing());
        assert_eq!(peer.client(), [""; 0], "no secret goes to a stranger");
    }
}

#[test]
fn s10_without_a_banner_the_login_starts_at_the_first_message() {
    let mut peer = Peer::new(LoginForm::Plain);
    assert_eq!(
        peer.server("Event: FullyBooted\r\n\r\n"),
        [Disposition::Event]
    );
    assert_eq!(peer.client().len(), 1);
    assert_eq!(
        peer.server("Response: Success\r\n\r\n"),
        [Disposition::Ready]
    );
    assert_eq!(peer.session.banner(), None);
}

#[test]
fn s11_the_login_answer_counts_wherever_fully_booted_stands() {
    let booted = "Event: FullyBooted\r\nPrivilege: system,all\r\n\r\n";
    let accepted = "Response: Success\r\nMessage: Authentication accepted\r\n\r\n";
    let cases = [
        (
            format!("{accepted}{booted}"),
            [Disposition::Ready, Disposition::Event],
        ),
        (
            format!("{booted}{accepted}"),
            [Disposition::Event, Disposition::Ready],
        ),
    ];
    for (wire, expected) in cases {
        let mut peer = Peer::new(LoginForm::Plain);
        peer.server("Asterisk Call Manager/11.0.0\r\n");
        assert_eq!(peer.server(&wire), expected);
    }
}

#[test]
fn s06_nothing_is_sent_before_the_login_is_answered() {
    let mut peer = Peer::new(LoginForm::Plain);
    let ping = system::ping();
    let early = peer
        .session
        .send(Duration::ZERO, &ping, Answer::Single, FAR);
    assert_eq!(early, Err(SendError::NotReady));
    peer.server("Asterisk Call Manager/11.0.0\r\n");
    let early = peer
        .session
        .send(Duration::ZERO, &ping, Answer::Single, FAR);
    assert_eq!(early, Err(SendError::NotReady));
    assert_eq!(peer.client().len(), 1, "only the login");
}

#[test]
fn s03_a_login_that_takes_too_long_expires_once() {
    for greeting in ["", "Asterisk Call Manager/11.0.0\r\n"] {
        let mut peer = Peer::new(LoginForm::Plain);
        peer.server(greeting);
        assert_eq!(peer.session.poll_timeout(), Some(LOGIN_DEADLINE));
        let early = LOGIN_DEADLINE - Duration::from_nanos(1);
        assert_eq!(peer.session.handle_timeout(early), None);
        assert_eq!(
            peer.session.handle_timeout(LOGIN_DEADLINE),
            Some(Expired::Login)
        );
        assert_eq!(peer.session.handle_timeout(LOGIN_DEADLINE), None);
        assert!(peer.session.is_closing());
    }
}

#[test]
fn d01_an_event_never_answers_an_action() {
    let mut peer = Peer::ready();
    let ping = peer.send("Ping", Answer::Single);
    let forged = with_ids(
        "Event: UserEvent\r\nActionID: #0\r\nResponse: Faked\r\n\r\n",
        &[ping],
    );
    assert_eq!(peer.server(&forged), [Disposition::Event]);
    let late_event = with_ids(
        "Response: Success\r\nActionID: #0\r\nEvent: UserEvent\r\n\r\n",
        &[ping],
    );
    assert_eq!(peer.server(&late_event), [Disposition::Event]);
    let real = with_ids(
        "Response: Success\r\nActionID: #0\r\nPing: Pong\r\n\r\n",
        &[ping],
    );
    assert_eq!(peer.server(&real), [answer(ping, AnswerOutcome::Success)]);
}

#[test]
fn d01_the_whole_action_id_must_match() {
    let mut peer = Peer::ready();
    let ping = peer.send("Ping", Answer::Single);
    let id = with_ids("#0", &[ping]);
    let others = [
        format!("{id}0"),
        id[..id.len() - 1].to_owned(),
        id.to_uppercase(),
        id.replace('-', "-0"),
        id.replace("c0ffee", "c0ffef"),
        format!(" {id}"),
    ];
    for other in others {
        let wire = format!("Response: Success\r\nActionID: {other}\r\n\r\n");
        assert_eq!(peer.server(&wire), [Disposition::Unmatched], "{other}");
    }
    assert_eq!(peer.session.in_flight(), 1);
}

#[test]
fn d02_an_asynchronous_originate_is_answered_before_its_event() {
    let mut peer = Peer::ready();
    let originate = peer.send("Originate", Answer::Single);
    let wire = with_ids(
        "Response: Success\r\nActionID: #0\r\nMessage: Originate successfully queued\r\n\r\n\
         Event: OriginateResponse\r\nActionID: #0\r\nResponse: Failure\r\nReason: 5\r\n\r\n",
        &[originate],
    );
    let expected = [
        answer(originate, AnswerOutcome::Success),
        Disposition::Event,
    ];
    assert_eq!(peer.server(&wire), expected);
}

#[test]
fn d03_interleaved_lists_and_events_do_not_mix() {
    let mut peer = Peer::ready();
    let slots = [
        peer.send("Status", Answer::List),
        peer.send("QueueStatus", Answer::List),
    ];
    let wire = with_ids(
        "Response: Success\r\nActionID: #0\r\nEventList: start\r\n\r\n\
         Event: Newchannel\r\nUniqueid: 1.1\r\n\r\n\
         Response: Success\r\nActionID: #1\r\nEventList: start\r\n\r\n\
         Event: QueueParams\r\nActionID: #1\r\n\r\n\
         Event: Status\r\nActionID: #0\r\n\r\n\
         Event: StatusComplete\r\nActionID: #0\r\nEventList: Complete\r\nListItems: 1\r\n\r\n\
         Event: QueueMember\r\nActionID: #1\r\n\r\n\
         Event: QueueStatusComplete\r\nActionID: #1\r\nEventList: Complete\r\nListItems: 2\r\n\r\n",
        &slots,
    );
    let [status, queues] = slots;
    let expected = [
        list_opened(status),
        Disposition::Event,
        list_opened(queues),
        Disposition::Item {
            slot: queues,
            index: 0,
        },
        Disposition::Item {
            slot: status,
            index: 0,
        },
        Disposition::Complete {
            slot: status,
            items: 1,
            listed: Some(1),
        },
        Disposition::Item {
            slot: queues,
            index: 1,
        },
        Disposition::Complete {
            slot: queues,
            items: 2,
            listed: Some(2),
        },
    ];
    assert_eq!(peer.server(&wire), expected);
    assert_eq!(peer.session.in_flight(), 0);
}

#[test]
fn d04_a_db_get_has_one_item_with_or_without_a_complete_event() {
    let modern = "Response: Success\r\nActionID: #0\r\nEventList: start\r\n\r\n\
         Event: DBGetResponse\r\nVal: v\r\nActionID: #0\r\n\r\n\
         Event: DBGetComplete\r\nActionID: #0\r\nEventList: Complete\r\nListItems: 1\r\n\r\n";
    let old = "Response: Success\r\nActionID: #0\r\nMessage: Result will follow\r\n\r\n\
         Event: DBGetResponse\r\nVal: v\r\nActionID: #0\r\n\r\n";
    for (wire, listed) in [(modern, Some(1)), (old, None)] {
        let mut peer = Peer::ready();
        let get = peer.send("DBGet", Answer::List);
        let dispositions = peer.server(&with_ids(wire, &[get]));
        let complete = Disposition::Complete {
            slot: get,
            items: 1,
            listed,
        };
        assert_eq!(dispositions.last(), Some(&complete));
        assert_eq!(peer.session.in_flight(), 0);
    }
}

#[test]
fn d05_a_list_is_declared_by_its_action_not_by_its_message() {
    let mut peer = Peer::ready();
    let added = peer.send("QueueAdd", Answer::Single);
    let wire = "Response: Success\r\nActionID: #0\r\nMessage: Added interface to queue; list will follow\r\n\r\n";
    let dispositions = peer.server(&with_ids(wire, &[added]));
    assert_eq!(dispositions, [answer(added, AnswerOutcome::Success)]);

    let status = peer.send("QueueStatus", Answer::List);
    let wire = "Response: Success\r\nActionID: #0\r\nMessage: Queue status\r\n\r\n\
         Event: QueueParams\r\nActionID: #0\r\n\r\nEvent: QueueStatusComplete\r\nActionID: #0\r\n\r\n";
    let expected = [
        list_opened(status),
        Disposition::Item {
            slot: status,
            index: 0,
        },
        Disposition::Complete {
            slot: status,
            items: 1,
            listed: None,
        },
    ];
    assert_eq!(peer.server(&with_ids(wire, &[status])), expected);
}

#[test]
fn d06_a_list_that_is_refused_cancelled_or_cut_ends() {
    let mut peer = Peer::ready();
    let refused = peer.send("ConfbridgeList", Answer::List);
    let wire = "Response: Error\r\nActionID: #0\r\nMessage: No active conferences.\r\n\r\n";
    assert_eq!(
        peer.server(&with_ids(wire, &[refused])),
        [answer(refused, AnswerOutcome::Error)]
    );

    let cancelled = peer.send("Status", Answer::List);
    let wire = "Response: Success\r\nActionID: #0\r\nEventList: start\r\n\r\n\
         Event: StatusCancelled\r\nActionID: #0\r\nEventList: cancelled\r\n\r\n";
    let complete = Disposition::Complete {
        slot: cancelled,
        items: 0,
        listed: None,
    };
    assert_eq!(
        peer.server(&with_ids(wire, &[cancelled])).last(),
        Some(&complete)
    );

    let cut = peer.send("Status", Answer::List);
    let wire = "Response: Success\r\nActionID: #0\r\nEventList: start\r\n\r\n\
         Event: Status\r\nActionID: #0\r\n\r\n";
    peer.server(&with_ids(wire, &[cut]));
    assert_eq!(peer.session.abandon().collect::<Vec<_>>(), [cut]);
}

#[test]
fn d07_a_list_of_a_hundred_thousand_items_is_whole() {
    let mut peer = Peer::ready();
    let status = peer.send("Status", Answer::List);
    let item = with_ids("Event: Status\r\nActionID: #0\r\n\r\n", &[status]);
    let opening = with_ids(
        "Response: Success\r\nActionID: #0\r\nEventList: start\r\n\r\n",
        &[status],
    );
    let closing = with_ids(
        "Event: StatusComplete\r\nActionID: #0\r\nEventList: Complete\r\nListItems: 100000\r\n\r\n",
        &[status],
    );
    let dispositions = peer.server(&format!("{opening}{}{closing}", item.repeat(100_000)));
    assert_eq!(dispositions.len(), 100_002);
    let complete = Disposition::Complete {
        slot: status,
        items: 100_000,
        listed: Some(100_000),
    };
    assert_eq!(dispositions.last(), Some(&complete));
}

#[test]
fn d08_an_error_without_action_id_belongs_to_the_oldest_unanswered() {
    let mut peer = Peer::ready();
    let list = peer.send("Status", Answer::List);
    let open = with_ids(
        "Response: Success\r\nActionID: #0\r\nEventList: start\r\n\r\n",
        &[list],
    );
    peer.server(&open);
    let (first, second) = (
        peer.send("Ping", Answer::Single),
        peer.send("Ping", Answer::Single),
    );
    let wire = "Response: Error\r\nMessage: Failed to parse message: line too long\r\n\r\n";
    assert_eq!(peer.server(wire), [answer(first, AnswerOutcome::Error)]);
    assert_eq!(peer.server(wire), [answer(second, AnswerOutcome::Error)]);
    assert_eq!(
        peer.server(wire),
        [Disposition::Unmatched],
        "the list had its answer"
    );
}

#[test]
fn d08_the_oldest_is_by_sending_not_by_slot() {
    let mut peer = Peer::ready();
    let (first, second) = (
        peer.send("Ping", Answer::Single),
        peer.send("Ping", Answer::Single),
    );
    peer.server(&with_ids(
        "Response: Success\r\nActionID: #0\r\n\r\n",
        &[first],
    ));
    let third = peer.send("Ping", Answer::Single);
    assert_eq!(third.index, first.index, "the slot is used again");
    let wire = "Response: Success\r\n\r\n";
    assert_eq!(peer.server(wire), [answer(second, AnswerOutcome::Success)]);
    assert_eq!(peer.server(wire), [answer(third, AnswerOutcome::Success)]);
}

#[test]
fn d11_action_ids_are_the_sessions_own_and_never_repeat() {
    let mut peer = Peer::ready();
    let mut seen = Vec::new();
    for _ in 0..3 {
        let slot = peer.send("Ping", Answer::Single);
        seen.push(slot);
        peer.server("Response: Success\r\n\r\n");
    }
    seen.dedup();
    assert_eq!(seen.len(), 3);
}

#[test]
fn d13_a_late_answer_is_told_from_a_new_one_and_frees_its_slot() {
    let mut peer = Peer::ready();
    let second = Duration::from_secs(1);
    let ping = system::ping();
    let slow = peer
        .session
        .send(Duration::ZERO, &ping, Answer::Single, second)
        .unwrap();
    assert_eq!(peer.session.poll_timeout(), Some(second));
    assert_eq!(
        peer.session.handle_timeout(second),
        Some(Expired::Action(slow))
    );
    assert_eq!(peer.session.handle_timeout(second), None);
    assert_eq!(peer.session.poll_timeout(), None);
    assert!(peer.session.has_expired());

    let next = peer.send("Ping", Answer::Single);
    assert_ne!(next.index, slow.index, "an expired action keeps its slot");
    let wire = with_ids("Response: Success\r\nActionID: #0\r\n\r\n", &[slow]);
    assert_eq!(peer.server(&wire), [Disposition::Late { slot: slow }]);
    assert_eq!(peer.server(&wire), [Disposition::Unmatched]);
    assert!(!peer.session.has_expired());
    assert_eq!(peer.session.abandon().collect::<Vec<_>>(), [next]);
}

#[test]
fn d13_a_late_list_is_late_once_at_its_end() {
    let mut peer = Peer::ready();
    let second = Duration::from_secs(1);
    let action = Action::new("Status");
    let slow = peer
        .session
        .send(Duration::ZERO, &action, Answer::List, second)
        .unwrap();
    assert_eq!(
        peer.session.handle_timeout(second),
        Some(Expired::Action(slow))
    );
    let wire = "Response: Success\r\nActionID: #0\r\nEventList: start\r\n\r\n\
         Event: Status\r\nActionID: #0\r\n\r\n\
         Event: StatusComplete\r\nActionID: #0\r\nEventList: Complete\r\n\r\n";
    let expected = [
        Disposition::Unmatched,
        Disposition::Event,
        Disposition::Late { slot: slow },
    ];
    assert_eq!(peer.server(&with_ids(wire, &[slow])), expected);
    assert_eq!(peer.session.in_flight(), 0);
}

#[test]
fn d13_the_number_in_flight_is_bounded() {
    let mut peer = Peer::ready();
    for _ in 0..IN_FLIGHT_MAX {
        peer.send("Ping", Answer::Single);
    }
    let one_more = peer
        .session
        .send(Duration::ZERO, &system::ping(), Answer::Single, FAR);
    assert_eq!(one_more, Err(SendError::InFlightFull));
    peer.server("Response: Success\r\n\r\n");
    peer.send("Ping", Answer::Single);
    assert_eq!(peer.session.in_flight(), IN_FLIGHT_MAX);
}

#[test]
fn d15_a_list_may_come_in_any_pieces() {
    let mut peer = Peer::ready();
    let status = peer.send("Status", Answer::List);
    let wire = with_ids(
        "Response: Success\r\nActionID: #0\r\nEventList: start\r\n\r\nEvent: Status\r\nActionID: #0\r\n\r\n\
         Event: StatusComplete\r\nActionID: #0\r\nEventList: Complete\r\nListItems: 1\r\n\r\n",
        &[status],
    );
    let dispositions: Vec<_> = wire
        .chars()
        .flat_map(|byte| peer.server(&byte.to_string()))
        .collect();
    let complete = Disposition::Complete {
        slot: status,
        items: 1,
        listed: Some(1),
    };
    assert_eq!(dispositions.last(), Some(&complete));
}

#[test]
fn s02_events_do_not_hide_an_answer() {
    let mut peer = Peer::ready();
    let ping = peer.send("Ping", Answer::Single);
    let answer_wire = with_ids("Response: Success\r\nActionID: #0\r\n\r\n", &[ping]);
    let storm = "Event: VarSet\r\nVariable: A\r\nValue: 1\r\n\r\n".repeat(20_000);
    let dispositions = peer.server(&format!("{storm}{answer_wire}"));
    assert_eq!(
        dispositions.last(),
        Some(&answer(ping, AnswerOutcome::Success))
    );
}

#[test]
fn s05_at_disconnect_every_open_action_is_given_up_once() {
    let mut peer = Peer::ready();
    let slots: Vec<_> = (0..3).map(|_| peer.send("Ping", Answer::Single)).collect();
    peer.server("Response: Success\r\n\r\n");
    let reused = peer.send("Ping", Answer::Single);
    assert_eq!(
        peer.session.abandon().collect::<Vec<_>>(),
        [slots[1], slots[2], reused]
    );
    assert_eq!(peer.session.abandon().count(), 0);
    assert!(peer.session.is_closing());
    let after = peer
        .session
        .send(Duration::ZERO, &system::ping(), Answer::Single, FAR);
    assert_eq!(after, Err(SendError::NotReady));
}

#[test]
fn s08_a_long_session_does_not_grow() {
    let mut peer = Peer::ready();
    for _ in 0..50_000 {
        let slot = peer.send("Ping", Answer::Single);
        assert_eq!(slot.index, 0);
        peer.server("Response: Success\r\n\r\n");
    }
}

#[test]
fn w24_raw_queues_text_ends_at_the_answer_to_the_ping_behind_it() {
    let mut peer = Peer::ready();
    let action = Action::new("Queues");
    let queues = peer
        .session
        .send(Duration::ZERO, &action, Answer::Raw, FAR)
        .unwrap();
    assert_eq!(
        peer.client(),
        [
            "Action: Queues\r\nActionID: #0-0\r\n\r\n",
            "Action: Ping\r\nActionID: #0-0\r\n\r\n"
        ]
    );
    let wire = "a has 0 calls\r\n   No Members\r\n\r\nb has 0 calls\r\n\r\n\r\n\r\n\
         Response: Success\r\nActionID: #0\r\nPing: Pong\r\n\r\n";
    let expected = [
        Disposition::Item {
            slot: queues,
            index: 0,
        },
        Disposition::Item {
            slot: queues,
            index: 1,
        },
        Disposition::Complete {
            slot: queues,
            items: 2,
            listed: None,
        },
    ];
    assert_eq!(peer.server(&with_ids(wire, &[queues])), expected);
}

#[test]
fn w24_a_server_without_queues_answers_twice() {
    let mut peer = Peer::ready();
    let queues = peer.send("Queues", Answer::Raw);
    let wire = "Response: Error\r\nActionID: #0\r\nMessage: Invalid/unknown command: Queues.\r\n\r\n\
         Response: Success\r\nActionID: #0\r\nPing: Pong\r\n\r\n";
    let refused = Disposition::Answer {
        slot: queues,
        outcome: AnswerOutcome::Error,
        done: Done::No,
    };
    let complete = Disposition::Complete {
        slot: queues,
        items: 0,
        listed: None,
    };
    assert_eq!(peer.server(&with_ids(wire, &[queues])), [refused, complete]);
}

#[test]
fn a_goodbye_answers_the_logoff_and_closes() {
    let mut peer = Peer::ready();
    let logoff = peer.send("Logoff", Answer::Single);
    let wire = with_ids("Response: Goodbye\r\nActionID: #0\r\n\r\n", &[logoff]);
    assert_eq!(peer.server(&wire), [answer(logoff, AnswerOutcome::Success)]);
    assert!(peer.session.is_closing());

    let mut peer = Peer::ready();
    let ping = peer.send("Ping", Answer::Single);
    let unasked = peer.server("Response: Goodbye\r\n\r\n");
    assert_eq!(unasked, [Disposition::Closing]);
    assert!(peer.session.is_closing());
    assert_eq!(peer.session.abandon().collect::<Vec<_>>(), [ping]);
}

#[test]
fn o01_a_user_name_cannot_smuggle_an_action() {
    let config = SessionConfig {
        username: "bench\r\nAction: Logoff".into(),
        secret: Secret::new("s3cret"),
        login: LoginForm::Md5,
        events: "off".into(),
        connection_id: 1,
        login_deadline: LOGIN_DEADLINE,
    };
    let error = Session::new(config, Duration::ZERO).unwrap_err();
    assert!(matches!(error, ActionError::ForbiddenByte { .. }));
}

#[test]
fn the_secret_never_shows() {
    let mut peer = Peer::new(LoginForm::Plain);
    peer.server("Asterisk Call Manager/2.8.0\r\n");
    assert!(!format!("{:?}", peer.session).contains("s3cret"));
    peer.client();
    peer.server("Response: Success\r\n\r\n");
    assert!(!format!("{:?}", peer.session).contains("s3cret"));
}

#[test]
fn d14_an_action_may_be_sent_between_any_two_frames() {
    let mut peer = Peer::ready();
    let first = peer.send("Status", Answer::List);
    peer.server(&with_ids(
        "Response: Success\r\nActionID: #0\r\nEventList: start\r\n\r\n",
        &[first],
    ));
    peer.server("Event: Newchannel\r\n\r\n");
    let second = peer.send("Ping", Answer::Single);
    let wire = with_ids(
        "Event: StatusComplete\r\nActionID: #0\r\n\r\nResponse: Success\r\nActionID: #1\r\n\r\n",
        &[first, second],
    );
    let expected = [
        Disposition::Complete {
            slot: first,
            items: 0,
            listed: None,
        },
        answer(second, AnswerOutcome::Success),
    ];
    assert_eq!(peer.server(&wire), expected);
}

#[test]
fn s09_an_action_sent_amid_a_line_loses_no_bytes() {
    let mut peer = Peer::ready();
    let first = peer.send("Ping", Answer::Single);
    let wire = with_ids("Response: Success\r\nActionID: #0\r\n\r\n", &[first]);
    let (head, tail) = wire.split_at(12);
    assert_eq!(peer.server(head), []);
    peer.send("Ping", Answer::Single);
    assert_eq!(peer.server(tail), [answer(first, AnswerOutcome::Success)]);
}

#[test]
fn s05_an_action_that_had_timed_out_is_not_given_up_again() {
    let mut peer = Peer::ready();
    let second = Duration::from_secs(1);
    let ping = system::ping();
    let slow = peer
        .session
        .send(Duration::ZERO, &ping, Answer::Single, second)
        .unwrap();
    let open = peer.send("Ping", Answer::Single);
    assert_eq!(
        peer.session.handle_timeout(second),
        Some(Expired::Action(slow))
    );
    assert_eq!(peer.session.abandon().collect::<Vec<_>>(), [open]);
    assert_eq!(peer.session.in_flight(), 0);
    assert_eq!(peer.session.poll_timeout(), None);
}
