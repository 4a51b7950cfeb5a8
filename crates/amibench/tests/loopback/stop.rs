//! The operator says stop, or leaves at once, at any moment: every action that was sent has its one record.

use std::sync::atomic::{AtomicU64, Ordering};

use ami_load::run::Wish;
use ami_results::manifest::End;
use ami_results::outcome::Outcome;
use proptest::prelude::*;

use crate::bench::{Bench, PING, constant, scenario};
use crate::fake_pbx::{FakePbx, Manners, Then, usual};

const MIX: &str = "{ share = 4, ping = {} }, { share = 1, query = \"Status\" }, \
                   { share = 1, originate = { role = \"answers\", hold = \"1s\", ring = \"1s\" } }";

/// Answers most, keeps some waiting, loses some: by the number of the action.
fn moody(mood: u64) -> FakePbx {
    let seen = AtomicU64::new(mood);
    let answer = move |said: &_, line: &_| match seen.fetch_add(1, Ordering::SeqCst) % 50 {
        3 => Ok(Then::GoOn),
        11 | 23 | 30 => Ok(Then::Close),
        _ => usual(said, line),
    };
    Manners::usual().on("Ping", answer).start()
}

fn stop_after(pbx: &FakePbx, pings: usize, wishes: &[Wish], workers: u16) {
    let ran = Bench::new(scenario(6, "2s", &constant("120/s"), MIX))
        .target(pbx.address())
        .workers(workers)
        .run_until(pbx, ("Ping", pings), wishes);
    ran.check_books();
    assert_eq!(ran.finished().end, End::Interrupted);
    let counts = ran.counts(0);
    assert!(counts.offered < 240, "it was stopped: {counts:?}");
    let seen = pbx.count("Ping") + pbx.count("Originate") + pbx.count("Status");
    let sent = ran.records.iter().filter(|record| record.sent_at.is_some());
    let sent = sent.count();
    let answered = ran.count(Outcome::Success) + ran.count(Outcome::Rejected);
    assert!(
        answered <= seen && seen <= sent,
        "{answered} answered, {seen} seen"
    );
    assert_eq!(sent as u64, counts.sent);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, max_shrink_iters: 0, ..ProptestConfig::default() })]

    /// Invariant 7 holds when the run is abandoned at any moment, over any number of workers.
    #[test]
    fn abandoning_leaves_no_action_without_its_record(pings in 1usize..100, mood: u8, workers in 1u16..4) {
        stop_after(&moody(u64::from(mood)), pings, &[Wish::Abandon], workers);
    }
}

#[test]
fn stopping_leaves_no_action_without_its_record() {
    for (pings, workers) in [(1, 1), (60, 2)] {
        let pbx = Manners::usual().start();
        stop_after(&pbx, pings, &[Wish::Stop, Wish::Abandon], workers);
    }
}

#[test]
fn a_stop_waits_for_answers_and_says_goodbye() {
    let pbx = Manners::usual().start();
    let ran = Bench::new(scenario(4, "2s", &constant("100/s"), PING))
        .target(pbx.address())
        .run_until(&pbx, ("Ping", 20), &[Wish::Stop]);
    ran.check_books();
    assert_eq!(ran.count(Outcome::Success), ran.records.len());
    assert!(ran.records.len() >= 20 && ran.records.len() < 200);
    assert_eq!(pbx.count("Logoff"), 5);
}

#[test]
fn a_stop_while_sessions_are_being_opened_ends_the_run() {
    let pbx = Manners::usual()
        .greets(|connection, line| match connection {
            0 => line.write(b"Asterisk Call Manager/11.0.0\r\n"),
            _ => Ok(Then::GoOn),
        })
        .start();
    let ran = Bench::new(scenario(4, "1s", &constant("10/s"), PING))
        .target(pbx.address())
        .run_until(&pbx, ("CoreSettings", 1), &[Wish::Stop]);
    assert!(matches!(
        ran.result,
        Err(ami_load::run::RunError::Interrupted)
    ));
    assert!(ran.records.is_empty());
}

#[test]
fn a_stop_during_the_preflight_ends_the_run() {
    let pbx = Manners::usual()
        .on("ListCommands", |_, _| Ok(Then::GoOn))
        .start();
    let ran = Bench::new(scenario(1, "1s", &constant("10/s"), PING))
        .target(pbx.address())
        .run_until(&pbx, ("ListCommands", 1), &[Wish::Stop]);
    assert!(matches!(
        ran.result,
        Err(ami_load::run::RunError::Interrupted)
    ));
}
