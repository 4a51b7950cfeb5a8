//! Which action an answer belongs to, and what becomes of those that get none.

use super::*;

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
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 3);
}

#[test]
fn d13_a_late_answer_is_told_from_a_new_one_and_frees_its_slot() {
    let mut peer = Peer::ready();
    let slow = peer.send_until(SECOND, "Ping", Answer::Single);
    assert_eq!(peer.session.poll_timeout(), Some(SECOND));
    assert_eq!(
        peer.session.handle_timeout(SECOND),
        Some(Expired::Action(slow))
    );
    assert_eq!(peer.session.handle_timeout(SECOND), None);
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
    let slow = peer.send_until(SECOND, "Ping", Answer::Single);
    let open = peer.send("Ping", Answer::Single);
    assert_eq!(
        peer.session.handle_timeout(SECOND),
        Some(Expired::Action(slow))
    );
    assert_eq!(peer.session.abandon().collect::<Vec<_>>(), [open]);
    assert_eq!(peer.session.in_flight(), 0);
    assert_eq!(peer.session.poll_timeout(), None);
}
