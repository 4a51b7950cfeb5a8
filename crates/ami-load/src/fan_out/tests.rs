//! What is expected, lost, doubled and out of order: known cases, and any fate against plain sets.

use std::collections::BTreeSet;

use ami_proto::action::ActionId;
use ami_proto::frame::decode::{Decoder, Limits};
use proptest::prelude::*;

use super::*;

fn board(senders: usize) -> Board {
    Board {
        senders: vec![(0..senders).map(|_| Sender::default()).collect()],
        first_of: Vec::new(),
    }
}

fn key(sender: u32, number: u64) -> EventKey {
    EventKey {
        target: 0,
        sender,
        number,
    }
}

fn check(sent: u64, heard: &[u64], void: &[u64], until: Until, expected: Delivery) {
    let board = board(1);
    board.next(0, 0);
    let mut ear = Ear::begin(&board, 0);
    for _ in 1..sent {
        board.next(0, 0);
    }
    heard.iter().for_each(|number| ear.hear(key(0, *number)));
    void.iter().for_each(|number| board.void(key(0, *number)));
    assert_eq!(ear.delivery(&board, until), expected, "{heard:?}");
}

fn delivery(expected: u64, lost: u64, duplicated: u64, reordered: u64) -> Delivery {
    Delivery {
        expected,
        lost,
        duplicated,
        reordered,
    }
}

#[test]
fn what_was_sent_before_a_session_was_up_is_not_expected() {
    check(4, &[1, 2, 3], &[], Until::Now, delivery(3, 0, 0, 0));
    check(4, &[0, 1, 2, 3], &[], Until::Now, delivery(3, 0, 0, 0));
}

#[test]
fn gaps_and_the_end_are_lost_and_what_comes_late_is_only_out_of_order() {
    check(6, &[1, 4], &[], Until::Now, delivery(5, 3, 0, 0));
    check(6, &[1, 4, 3, 5], &[], Until::Now, delivery(5, 1, 0, 1));
    check(4, &[1, 2, 2, 3, 1], &[], Until::Now, delivery(3, 0, 2, 0));
    check(4, &[], &[], Until::Now, delivery(3, 3, 0, 0));
}

#[test]
fn a_session_that_was_lost_is_expected_to_have_read_until_its_last_event() {
    check(9, &[1, 2, 4], &[], Until::LastRead, delivery(4, 1, 0, 0));
    check(9, &[], &[], Until::LastRead, delivery(0, 0, 0, 0));
}

#[test]
fn events_that_were_never_sent_are_missed_by_nobody() {
    check(6, &[1, 4], &[2, 3, 5], Until::Now, delivery(2, 0, 0, 0));
    check(6, &[1, 4], &[3], Until::Now, delivery(4, 2, 0, 0));
}

#[test]
fn past_the_bound_old_gaps_are_given_up() {
    let board = board(1);
    let mut ear = Ear::begin(&board, 0);
    let gaps = GAPS_MAX as u64 + 10;
    for number in 0..gaps {
        ear.hear(key(0, 2 * number + 1));
    }
    assert_eq!(ear.heard[0].missing.len(), GAPS_MAX);
    assert_eq!(ear.delivery(&board, Until::LastRead).lost, gaps);
}

#[test]
fn an_event_leads_back_to_its_mark_and_to_no_other_run() {
    let tag = RunTag::parse("amib-0011aaff").unwrap();
    let mark = Mark {
        key: EventKey {
            target: 3,
            sender: 12,
            number: 1207,
        },
        phase: 1,
        sent_at: 12_345_678_901,
    };
    let action = mark.action(&tag, &filler(2000)).unwrap();
    let mut bytes = Vec::new();
    action.encode(&ActionId::checked("1").unwrap(), &mut bytes);
    let text = String::from_utf8(bytes).unwrap();
    assert!(text.lines().all(|line| line.len() <= 1000), "{text}");
    assert_eq!(text.matches('x').count(), 2000);
    let event = text.replacen("Action: UserEvent", "Event: UserEvent", 1);
    let mut decoder = Decoder::client(Limits::default());
    let mut input = event.as_bytes();
    let frame = decoder.decode(&mut input).unwrap();
    assert_eq!(Mark::of(&frame, &tag), Some(mark));
    assert_eq!(
        Mark::of(&frame, &RunTag::parse("amib-0011aafe").unwrap()),
        None
    );
}

proptest! {
    /// Whatever becomes of the events on their way, the counts are those of sets: expected is what was sent and not
    /// void, lost what of it was never heard.
    #[test]
    fn counts_are_those_of_sets(
        sent in 0u64..60,
        heard in prop::collection::vec(0u64..60, 0..80),
        mut void in prop::collection::btree_set(0u64..60, 0..10),
    ) {
        let board = board(1);
        let mut ear = Ear::begin(&board, 0);
        for _ in 0..sent {
            board.next(0, 0);
        }
        void.retain(|number| *number < sent);
        void.iter().for_each(|number| board.void(key(0, *number)));
        let heard: Vec<u64> = heard.into_iter().filter(|number| *number < sent).collect();
        heard.iter().for_each(|number| ear.hear(key(0, *number)));
        let unique: BTreeSet<u64> = heard.iter().copied().collect();
        let due: BTreeSet<u64> = (0..sent).filter(|number| !void.contains(number)).collect();
        let delivery = ear.delivery(&board, Until::Now);
        prop_assert_eq!(delivery.expected, due.len() as u64);
        prop_assert_eq!(delivery.lost, due.difference(&unique).count() as u64);
        prop_assert_eq!(delivery.duplicated, (heard.len() - unique.len()) as u64);
        let late = |index: usize| heard[..index].iter().any(|earlier| *earlier > heard[index]);
        let first = |index: usize| !heard[..index].contains(&heard[index]);
        let reordered = (0..heard.len()).filter(|index| late(*index) && first(*index)).count();
        prop_assert_eq!(delivery.reordered, reordered as u64);
    }
}
