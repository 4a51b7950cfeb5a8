//! Answers of more than one frame: event lists, and text without a Response.

use proptest::prelude::{Just, any, prop_assert_eq, prop_oneof, proptest};

use super::*;

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
fn d13_a_late_list_is_late_once_at_its_end() {
    let mut peer = Peer::ready();
    let slow = peer.send_until(SECOND, "Status", Answer::List);
    assert_eq!(
        peer.session.handle_timeout(SECOND),
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
fn d13_late_text_is_nobodys_and_its_end_is_late() {
    let mut peer = Peer::ready();
    let slow = peer.send_until(SECOND, "Queues", Answer::Raw);
    let text = "a has 0 calls\r\n\r\n";
    let item = Disposition::Item {
        slot: slow,
        index: 0,
    };
    assert_eq!(peer.server(text), [item]);
    assert_eq!(
        peer.session.handle_timeout(SECOND),
        Some(Expired::Action(slow))
    );
    assert_eq!(peer.server(text), [Disposition::Unmatched]);
    let pong = "Response: Success\r\nActionID: #0\r\nPing: Pong\r\n\r\n";
    assert_eq!(
        peer.server(&with_ids(pong, &[slow])),
        [Disposition::Late { slot: slow }]
    );
}

#[test]
fn a_list_can_be_ended_by_who_knows_its_last_item() {
    let mut peer = Peer::ready();
    let slot = peer.send("FAXStats", Answer::List);
    let opened = with_ids(
        "Response: Success\r\nActionID: #0\r\nMessage: FAXStats event will follow\r\n\r\n",
        &[slot],
    );
    peer.session.end_list(slot);
    assert_eq!(peer.session.in_flight(), 1, "it was not answered yet");
    assert_eq!(peer.server(&opened), [list_opened(slot)]);
    let item = with_ids("Event: FAXStats\r\nActionID: #0\r\n\r\n", &[slot]);
    assert_eq!(peer.server(&item), [Disposition::Item { slot, index: 0 }]);
    peer.session.end_list(slot);
    assert_eq!(peer.session.in_flight(), 0);
    assert_eq!(peer.server(&item), [Disposition::Event]);
}

/// What may come while a list is open.
#[derive(Debug, Clone, Copy)]
enum Among {
    Item,
    /// An event that answers nothing.
    Nobodys,
    /// A response to something else.
    Stranger,
}

proptest! {
    /// A list of n items, in whatever pieces and with whatever between them, is told item by item, counted from 0, and
    /// then once that it is complete, with n and with the server's own count; what comes behind is no part of it.
    #[test]
    fn a_list_is_told_once_and_counted(
        among in proptest::collection::vec(
            prop_oneof![3 => Just(Among::Item), 1 => Just(Among::Nobodys), 1 => Just(Among::Stranger)], 0..20),
        announced in any::<bool>(),
        listed in proptest::option::of(any::<u32>()),
        cut in 1..90_usize,
    ) {
        let mut peer = Peer::ready();
        let slot = peer.send("Status", Answer::List);
        let mut wire = "Response: Success\r\nActionID: #0\r\n".to_owned();
        wire.push_str(if announced { "EventList: start\r\n\r\n" } else { "\r\n" });
        let mut expected = vec![list_opened(slot)];
        let mut items = 0;
        for among in among {
            wire.push_str(match among {
                Among::Item => "Event: Status\r\nActionID: #0\r\n\r\n",
                Among::Nobodys => "Event: StatusComplete\r\nEventList: Complete\r\n\r\n",
                Among::Stranger => "Response: Success\r\nActionID: else\r\n\r\n",
            });
            expected.push(match among {
                Among::Item => Disposition::Item { slot, index: items },
                Among::Nobodys => Disposition::Event,
                Among::Stranger => Disposition::Unmatched,
            });
            items += u32::from(matches!(among, Among::Item));
        }
        wire.push_str("Event: StatusComplete\r\nActionID: #0\r\n");
        wire.push_str(&listed.map_or(String::new(), |listed| format!("EventList: Complete\r\nListItems: {listed}\r\n")));
        wire.push_str("\r\nEvent: Status\r\nActionID: #0\r\n\r\n");
        expected.extend([Disposition::Complete { slot, items, listed }, Disposition::Event]);
        let wire = with_ids(&wire, &[slot]);
        let pieces = wire.as_bytes().chunks(cut).map(|piece| std::str::from_utf8(piece).unwrap());
        let found: Vec<_> = pieces.flat_map(|piece| peer.server(piece)).collect();
        prop_assert_eq!(found, expected);
        prop_assert_eq!(peer.session.in_flight(), 0);
    }
}
