//! Many calls one after the other: nothing of them stays.

use std::time::Duration;

use crate::account::Accounts;
use crate::call::{Destination, Order, Requester};
use crate::channel::{Party, Place};
use crate::class::Classes;
use crate::extension::Step;
use crate::parking::ParkOrder;
use crate::pbx::Pbx;
use crate::profile::Profile;

const CALLS: u32 = 10_000;
/// At least so many end by themselves before the last begins.
const AT_ONCE_MAX: usize = 400;

fn pbx() -> Pbx {
    let profile = Profile::named("asterisk-22").unwrap();
    let mut pbx = Pbx::new(profile, Accounts::bench("s"), 1, Duration::from_secs(1));
    pbx.wanted = Classes::ALL;
    pbx
}

fn order(number: u32) -> Order {
    const CHANNELS: [&str; 8] = [
        "Local/hold@amibench/n",
        "Local/answer-2s@amibench",
        "Local/busy@amibench",
        "Local/ring@amibench/n",
        "Local/nobody@amibench",
        "PJSIP/1000",
        "PJSIP/1300",
        "Nosuch/1",
    ];
    const DATA: [&str; 6] = [
        "Local/answer@amibench,5,tT",
        "Local/ring@amibench&Local/answer@amibench,5,tT",
        "Local/dial-answer@amibench,5,t",
        "Local/busy@amibench&PJSIP/1100,5,m",
        "Local/ring@amibench,1",
        "Local/nobody@amibench,5",
    ];
    let pick = |list: &[&'static str], at: u32| list[at as usize % list.len()];
    let destination = match number % 3 {
        0 => Destination::Extension(Place::first("amibench", "dial-answer")),
        _ => Destination::Application(Step::new("Dial", pick(&DATA, number / 8)).unwrap()),
    };
    Order {
        channel: pick(&CHANNELS, number).to_owned(),
        destination,
        timeout: Duration::from_secs(3),
        caller: Party::default(),
        account: "tag".to_owned(),
        variables: vec![("_TAG".to_owned(), "1".to_owned())],
        absolute_timeout: Some(Duration::from_secs(u64::from(number % 5) + 1)),
        channel_id: Some(format!("churn-{number}")),
        other_channel_id: None,
    }
}

/// Digits, transfers to who answers and who does not, one that is taken back and one to nowhere.
const PRESSED: [&str; 5] = ["12", "*26002", "*26001", "*26002*1", "*29999"];

/// Somebody is moved, parked or bridged, so that every way out is taken.
fn disturb(pbx: &mut Pbx, now: Duration, number: u32) {
    let up: Vec<_> = pbx.channels.keys().copied().collect();
    let Some(one) = up.get(number as usize * 7 % up.len().max(1)).copied() else {
        return;
    };
    if pbx.channels[&one].state != crate::channel::ChannelState::Up {
        return pbx.hang_up(now, one);
    }
    match number % 6 {
        0 => pbx.hang_up(now, one),
        1 => pbx.redirect(now, vec![(one, Place::first("amibench", "play-1"))]),
        2 => {
            let order = ParkOrder {
                lot: 0,
                parker: None,
                timeout: Duration::from_secs(2),
                told_for: Duration::ZERO,
            };
            pbx.park(now, one, order);
        }
        3 => {
            let other = up.iter().rev().find(|key| {
                **key != one && pbx.channels[key].state == crate::channel::ChannelState::Up
            });
            if let Some(other) = other.copied() {
                pbx.bridge_two(now, [one, other]);
            }
        }
        4 => {
            if let Some(peer) = pbx.talks_with(one) {
                pbx.blind_transfer(now, [one, peer], Place::first("amibench", "play-1"));
            }
        }
        _ => pbx.press(now, one, PRESSED[number as usize / 6 % PRESSED.len()]),
    }
}

#[test]
fn ten_thousand_calls_leave_nothing_behind() {
    let mut pbx = pbx();
    let mut now = Duration::from_secs(1);
    let (mut most, mut events) = (0, 0);
    for number in 0..CALLS {
        now += Duration::from_millis(20);
        pbx.handle_timeout(now);
        let requester = Requester::Async {
            action_id: b"a".to_vec(),
        };
        pbx.place_call(now, order(number), requester);
        if number % 3 == 0 {
            disturb(&mut pbx, now, number);
        }
        most = most.max(pbx.calls.len());
        events += pbx.take_events().len();
    }
    assert!(most < AT_ONCE_MAX, "{most} calls at once");
    assert!(events > 100_000, "{events} events");
    while let Some(at) = pbx.poll_timeout() {
        now = now.max(at);
        pbx.handle_timeout(now);
        assert!(
            now < Duration::from_secs(20_000),
            "something goes on for ever"
        );
    }
    assert_eq!(pbx.channels.len(), 0);
    assert_eq!(pbx.known.len(), 0);
    assert_eq!(pbx.calls.len(), 0);
    assert_eq!(pbx.dials.len(), 0);
    assert_eq!(pbx.transfers.len(), 0);
    // The lot keeps its bridge.
    assert!(pbx.bridges.len() <= 1);
    assert_eq!(pbx.known_bridges.len(), pbx.bridges.len());
    assert_eq!(pbx.counters.channels_up, 0);
    assert_eq!(
        pbx.counters.calls_answered + pbx.counters.calls_failed,
        u64::from(CALLS)
    );
}
