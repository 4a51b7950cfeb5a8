//! A PBX that restarts in mid-run: its sessions come back, gently and all, and the run says when.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use ami_results::outage::Outage;
use ami_results::outcome::Outcome;

use crate::bench::{Bench, PING, constant, scenario};
use crate::fake_pbx::{FakePbx, Line, Manners, Then, usual};

const SESSIONS: usize = 20;
/// At the tenth ping the PBX goes down.
const LAST_PING: usize = 10;
/// Connections that come while it is down, besides the first try of each session.
const KNOCKS: usize = 4;

/// Drops every connection at a ping, and then turns so many away.
fn restarting(turns_away: usize) -> (FakePbx, Arc<AtomicUsize>) {
    let lines: Arc<Mutex<Vec<Line>>> = Arc::default();
    let down_for = Arc::new(AtomicUsize::new(0));
    let pings = AtomicUsize::new(0);
    let (known, left, restarts) = (
        Arc::clone(&lines),
        Arc::clone(&down_for),
        Arc::clone(&down_for),
    );
    let pbx = Manners::usual()
        .greets(move |_, line| {
            let turned_away = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
                left.checked_sub(1)
            });
            if turned_away.is_ok() {
                return Ok(Then::Close);
            }
            known.lock().unwrap().push(line.clone());
            line.write(b"Asterisk Call Manager/11.0.0\r\n")
        })
        .on("Ping", move |said, line| {
            if pings.fetch_add(1, Ordering::SeqCst) + 1 != LAST_PING {
                return usual(said, line);
            }
            restarts.store(turns_away, Ordering::SeqCst);
            lines
                .lock()
                .unwrap()
                .drain(..)
                .for_each(|line| line.close());
            Ok(Then::Close)
        })
        .start();
    (pbx, down_for)
}

fn pings(seconds: u32) -> Bench {
    let sessions = u32::try_from(SESSIONS).unwrap();
    let duration = format!("{seconds}s");
    Bench::new(scenario(sessions, &duration, &constant("50/s"), PING))
}

#[test]
fn sessions_of_a_pbx_that_restarts_come_back_and_the_run_says_when() {
    let (pbx, _) = restarting(SESSIONS + KNOCKS);
    let ran = pings(3).target(pbx.address()).run();
    ran.check_books();
    assert!(ran.finished().failures.is_empty(), "{:?}", ran.result);
    let outages = &ran.finished().totals.outages[0];
    let [outage] = outages.told() else {
        panic!("{outages:?}");
    };
    let Outage {
        sessions,
        first_lost_at,
        last_lost_at,
        first_back_at: Some(first_back_at),
        all_back_at: Some(all_back_at),
        served_at: Some(served_at),
    } = *outage
    else {
        panic!("{outage:?}");
    };
    assert_eq!(sessions, u32::try_from(SESSIONS).unwrap());
    let order = [first_lost_at, last_lost_at, first_back_at, all_back_at];
    assert!(order.is_sorted(), "{outage:?}");
    assert!(served_at >= first_back_at, "{outage:?}");
    let later = ran.records.iter().filter(|record| {
        record.outcome == Outcome::Success && record.sent_at >= Some(last_lost_at)
    });
    let first = later.filter_map(|record| record.completed_at).min();
    assert_eq!(
        Some(served_at),
        first,
        "the first success after the last loss"
    );
}

/// Each session tries once; then one knocks for all. Were all of them to knock, the PBX would be up at the first.
#[test]
fn a_pbx_that_is_down_is_asked_by_one_session_alone() {
    let (pbx, down_for) = restarting(SESSIONS + KNOCKS);
    let ran = pings(3).target(pbx.address()).run();
    let outage = ran.finished().totals.outages[0].told()[0];
    let knocking = outage.first_back_at.unwrap() - outage.last_lost_at;
    assert!(
        knocking >= 250_000_000 * KNOCKS as u64,
        "{KNOCKS} knocks within {knocking} ns"
    );
    assert_eq!(down_for.load(Ordering::SeqCst), 0);
}

#[test]
fn patience_is_how_long_a_run_goes_on_without_any_session() {
    let lasting = |patience: &str| {
        let (pbx, _) = restarting(usize::MAX);
        let text = format!(
            "patience = \"{patience}\"\n{}",
            scenario(2, "2s", &constant("20/s"), PING)
        );
        let ran = Bench::new(text).target(pbx.address()).run();
        ran.check_books();
        ran.counts(0).offered
    };
    assert_eq!(lasting("10s"), 40, "to its end");
    assert!(lasting("100ms") < 40, "it gave up");
}

#[test]
fn without_a_loss_there_is_no_outage() {
    let pbx = Manners::usual().start();
    let ran = pings(1).target(pbx.address()).run();
    assert!(ran.finished().totals.outages[0].told().is_empty());
}
