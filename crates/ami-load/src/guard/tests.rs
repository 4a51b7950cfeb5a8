//! What trips the guard, and what does not.

use ami_proto::frame::decode::{Decoder, Limits};
use proptest::prelude::*;

use super::*;

const BASE: Duration = Duration::from_micros(200);

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn guard() -> Guard {
    let mut guard = Guard::new(BASE, 2);
    guard.load_begins();
    guard
}

fn call(number: u64) -> CallKey {
    CallKey { worker: 0, number }
}

/// Pings that are sent a second apart, or when the one before is answered: when the guard tripped.
fn ping(guard: &mut Guard, took: &[Duration]) -> Option<(Duration, Trip)> {
    let mut sent_at = Duration::ZERO;
    for took in took {
        let end = sent_at + *took;
        for look in (1..).map(|second| sent_at + ms(1000 * second)) {
            let look = guard
                .next_look()
                .map_or(look, |next| look.min(next.max(sent_at)));
            if look >= end {
                break;
            }
            if let Some(trip) = guard.see(look, Seen::NoPong { sent_at }) {
                return Some((look, trip));
            }
            if guard.next_look().is_some_and(|next| next <= look) {
                break;
            }
        }
        if let Some(trip) = guard.see(end, Seen::Pong { sent_at }) {
            return Some((end, trip));
        }
        sent_at = end.max(sent_at + ms(1000));
    }
    None
}

fn check_ping(took: &[u64], expected: Option<u64>) {
    let took: Vec<Duration> = took.iter().map(|took| ms(*took)).collect();
    let tripped = ping(&mut guard(), &took);
    assert_eq!(
        tripped.as_ref().map(|(at, _)| *at),
        expected.map(ms),
        "{took:?}"
    );
    if let Some((_, trip)) = tripped {
        let limit = SLOW_MIN;
        assert_eq!(trip, Trip::Slow { limit, base: BASE });
    }
}

#[test]
fn five_seconds_without_a_quick_ping_are_too_many() {
    check_ping(&[1; 60], None);
    check_ping(&[100; 60], None);
    check_ping(&[101; 6], Some(5_000));
    check_ping(&[1, 1, 500, 500, 500, 500, 500, 500], Some(7_000));
    check_ping(&[500, 500, 500, 500, 1, 500, 500, 500, 500, 1], None);
    check_ping(&[1, 4_900, 1], None);
    check_ping(&[1, 60_000], Some(6_000));
}

#[test]
fn slow_is_ten_times_the_base_within_bounds() {
    for (base, expected) in [(0, 100), (10, 100), (30, 300), (100, 1_000), (2_000, 1_000)] {
        assert_eq!(Guard::new(ms(base), 1).slow_over(), ms(expected));
    }
}

#[test]
fn a_lost_session_is_enough() {
    let why = || "the PBX closed the connection".to_owned();
    let seen = guard().see(ms(1), Seen::SessionLost { why: why() });
    assert_eq!(seen, Some(Trip::SessionLost { why: why() }));
    let seen = guard().see(ms(1), Seen::CanaryLost { why: why() });
    assert_eq!(seen, Some(Trip::CanaryLost { why: why() }));
}

#[test]
fn more_calls_than_are_permitted_are_too_many_after_a_second() {
    let mut guard = guard();
    for number in 0..3 {
        // Both halves of a call.
        assert_eq!(guard.see(ms(10), Seen::OurChannelUp(call(number))), None);
        assert_eq!(guard.see(ms(10), Seen::OurChannelUp(call(number))), None);
    }
    let pong = |at| Seen::Pong { sent_at: at };
    assert_eq!(guard.see(ms(1_000), pong(ms(1_000))), None);
    assert_eq!(guard.see(ms(1_005), Seen::OurChannelDown(call(0))), None);
    assert_eq!(guard.see(ms(1_006), Seen::OurChannelDown(call(0))), None);
    assert_eq!(guard.see(ms(2_000), pong(ms(2_000))), None);
    guard.see(ms(2_100), Seen::OurChannelUp(call(3)));
    let trip = guard.see(ms(3_100), pong(ms(3_100)));
    let expected = Trip::CallsUp {
        up: 3,
        permitted: 2,
    };
    assert_eq!(trip, Some(expected));
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Holds,
    Trips,
}

fn check_foreign(before: (u64, u64), ended: usize, failed: usize, expected: Verdict) {
    let mut guard = Guard::new(BASE, 2);
    let end = |failed| {
        if failed {
            CallEnd::Failed
        } else {
            CallEnd::Usual
        }
    };
    for number in 0..before.0 {
        guard.see(ms(0), Seen::Foreign(end(number < before.1)));
    }
    guard.load_begins();
    // The failures last, so that what is judged is the whole.
    let trips = (0..ended).filter_map(|number| {
        let failed = number >= ended - failed;
        guard.see(ms(number as u64), Seen::Foreign(end(failed)))
    });
    let trips: Vec<Trip> = trips.collect();
    let verdict = if trips.is_empty() {
        Verdict::Holds
    } else {
        Verdict::Trips
    };
    assert_eq!(verdict, expected, "{before:?} {ended} {failed}: {trips:?}");
}

#[test]
fn calls_of_others_that_fail_more_than_before_are_too_many() {
    check_foreign((0, 0), 100, 0, Verdict::Holds);
    check_foreign((0, 0), 4, 4, Verdict::Holds);
    check_foreign((0, 0), 5, 5, Verdict::Trips);
    check_foreign((0, 0), 100, 34, Verdict::Holds);
    check_foreign((0, 0), 100, 35, Verdict::Trips);
    // A PBX of which half the calls have always failed.
    check_foreign((100, 50), 100, 74, Verdict::Holds);
    check_foreign((100, 50), 100, 75, Verdict::Trips);
    check_foreign((100, 0), 100, 24, Verdict::Holds);
    check_foreign((100, 0), 100, 25, Verdict::Trips);
    // Nothing is worse than all.
    check_foreign((100, 100), 5, 5, Verdict::Trips);
}

#[test]
fn failures_of_long_ago_are_forgotten() {
    let mut guard = guard();
    for second in 0..100 {
        let seen = Seen::Foreign(CallEnd::Failed);
        assert_eq!(guard.see(ms(10_000 * second), seen), None, "{second}");
    }
}

fn check_event(text: &str, expected: Option<Seen>) {
    let wire = text.replace('\n', "\r\n") + "\r\n\r\n";
    let mut decoder = Decoder::server(Limits::default());
    let mut bytes = wire.as_bytes();
    let frame = decoder.decode(&mut bytes).expect("a whole frame");
    let tag = RunTag::parse("amib-0011aaff").unwrap();
    assert_eq!(seen_in(&frame, &tag), expected, "{text}");
}

#[test]
fn events_tell_whose_call_it_is_and_how_it_ended() {
    let ours = "Uniqueid: amib-0011aaff-0-0000000007;2\nLinkedid: amib-0011aaff-0-0000000007";
    check_event(
        &format!("Event: Newchannel\n{ours}"),
        Some(Seen::OurChannelUp(call(7))),
    );
    let down = Some(Seen::OurChannelDown(call(7)));
    check_event(&format!("Event: Hangup\n{ours}\nCause: 34"), down);
    check_event(
        "Event: Hangup\nUniqueid: 1.7\nAccountCode: amib-0011aaff\nCause: 34",
        None,
    );
    check_event("Event: Newchannel\nUniqueid: 1.7", None);
    for (cause, end) in [
        ("0", CallEnd::Usual),
        ("16", CallEnd::Usual),
        ("17", CallEnd::Usual),
        ("20", CallEnd::Failed),
        ("21", CallEnd::Usual),
        ("27", CallEnd::Failed),
        ("31", CallEnd::Usual),
        ("34", CallEnd::Failed),
        ("127", CallEnd::Failed),
    ] {
        let text = format!("Event: Hangup\nUniqueid: amib-0011aafe-0-0\nCause: {cause}");
        check_event(&text, Some(Seen::Foreign(end)));
    }
    let response = "Event: OriginateResponse\nResponse: Failure";
    let failed = Some(Seen::Foreign(CallEnd::Failed));
    check_event(
        &format!("{response}\nReason: 8\nUniqueid: 1.7"),
        failed.clone(),
    );
    check_event(&format!("{response}\nReason: 0\nUniqueid: 1.7"), failed);
    check_event(&format!("{response}\nReason: 5\nUniqueid: 1.7"), None);
    check_event(&format!("{response}\nReason: 8\nUniqueid: <null>"), None);
    check_event(
        &format!("{response}\nReason: 8\nUniqueid: amib-0011aaff-0-1"),
        None,
    );
}

proptest! {
    /// The guard trips by its ping exactly when none that was sent or waited for within five seconds was quick.
    #[test]
    fn a_trip_by_ping_has_five_slow_seconds_behind_it(took in prop::collection::vec(0u64..3_000, 1..60)) {
        let took: Vec<Duration> = took.into_iter().map(ms).collect();
        let tripped = ping(&mut guard(), &took);
        let (mut sent_at, mut slow_since, mut expected) = (Duration::ZERO, None, None);
        for took in &took {
            let end = sent_at + *took;
            if *took > SLOW_MIN {
                let since = *slow_since.get_or_insert(sent_at);
                if end >= since + SLOW_FOR {
                    expected = Some(since + SLOW_FOR);
                    break;
                }
            } else if let Some(since) = slow_since.take()
                && (since + SLOW_FOR).max(sent_at) < end
            {
                // It would have been quick, and comes too late.
                expected = Some(since + SLOW_FOR);
                break;
            }
            sent_at = end.max(sent_at + ms(1000));
        }
        match (tripped, expected) {
            (None, None) => {}
            (Some((at, _)), Some(due)) => prop_assert!(at >= due && at <= due + ms(1_000), "{at:?} {due:?}"),
            (tripped, expected) => prop_assert!(false, "{tripped:?} {expected:?}"),
        }
    }

    /// Whatever others' calls do, few failures are nothing, and more failures never look better.
    #[test]
    fn failing_is_monotone(failed in 0usize..20, more in 0usize..20, usual in 0usize..20, before in 0.0f64..1.0) {
        let ended = failed + more + usual;
        prop_assert!(failed >= FAILED_MIN || !is_failing(failed, ended, before));
        prop_assert!(!is_failing(failed, ended, before) || is_failing(failed + more, ended, before));
    }
}
