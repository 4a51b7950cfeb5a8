//! The action `login`: connections that come, log in and leave, beside the sessions of the load.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ami_client::OpenError;
use ami_load::run::{FailureWhy, Wish};
use ami_results::outcome::Outcome;

use crate::bench::{Bench, Ran, constant, scenario};
use crate::fake_pbx::{Manners, Then, usual};

const LOGIN: &str = "{ login = {} }";
const HASTY_LOGIN: &str = "{ login = {}, timeout = \"200ms\" }";
/// The control session and the one of the group.
const STANDING: usize = 2;

fn logins(rate: &str, mix: &str) -> Bench {
    Bench::new(scenario(1, "1s", &constant(rate), mix))
}

/// The visitors of a PBX that treats their logins as `manners` says.
fn visit(manners: Manners, mix: &str) -> Ran {
    let pbx = manners.start();
    let ran = logins("20/s", mix).target(pbx.address()).run();
    ran.check_books();
    assert_eq!(ran.counts(0).offered, 20);
    ran
}

#[test]
fn every_visitor_logs_in_and_says_goodbye() {
    let pbx = Manners::usual().start();
    let ran = logins("50/s", LOGIN).target(pbx.address()).run();
    ran.check_books();
    assert_eq!(ran.count(Outcome::Success), 50);
    assert_eq!(pbx.count("Login"), 50 + STANDING);
    assert_eq!(pbx.count("Logoff"), 50 + STANDING);
    for record in &ran.records {
        let greeted_at = record.acked_at.expect("there was a banner");
        assert!(record.sent_at <= Some(greeted_at), "{record:?}");
        assert!(Some(greeted_at) <= record.completed_at, "{record:?}");
    }
}

#[test]
fn after_a_refusal_nobody_logs_in_any_more() {
    let pbx = Manners::usual()
        .on("Login", |said, line| {
            if said.connection < STANDING + 3 {
                return usual(said, line);
            }
            line.answer(said, &["Response: Error", "Message: Authentication failed"])?;
            Ok(Then::Close)
        })
        .start();
    let ran = logins("200/s", LOGIN).target(pbx.address()).run();
    ran.check_books();
    let refused = ran.count(Outcome::Rejected);
    assert!((1..=10).contains(&refused), "{refused} refused logins");
    assert_eq!(pbx.count("Login"), STANDING + 3 + refused);
    assert_eq!(ran.counts(0).skipped, 200 - 3 - refused as u64);
    assert!(matches!(
        ran.finished().failures[0].why,
        FailureWhy::Seat(OpenError::Refused { .. })
    ));
}

/// Counts those who are logged in besides the standing sessions.
#[test]
fn no_more_visitors_come_than_the_target_has_room_for() {
    let inside = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(AtomicUsize::new(0));
    let (entered, left, seen) = (Arc::clone(&inside), inside, Arc::clone(&most));
    let pbx = Manners::usual()
        .on("Login", move |said, line| {
            let now = entered.fetch_add(1, Ordering::SeqCst) + 1;
            seen.fetch_max(now, Ordering::SeqCst);
            usual(said, line)
        })
        .on("Logoff", move |said, line| {
            left.fetch_sub(1, Ordering::SeqCst);
            usual(said, line)
        })
        .start();
    let ran = logins("1000/s", LOGIN)
        .target(pbx.address())
        .limit("max_sessions = 1000", "max_sessions = 5")
        .run();
    ran.check_books();
    assert_eq!(ran.count(Outcome::Success), 1000);
    let most = most.load(Ordering::SeqCst);
    assert!(most <= 5, "{most} sessions");
    assert!(most > STANDING, "nobody visited");
}

#[test]
fn what_becomes_of_a_login_is_told_apart() {
    let visitor = |connection: usize| connection >= STANDING;
    let silent = Manners::usual().on("Login", move |said, line| match visitor(said.connection) {
        true => Ok(Then::GoOn),
        false => usual(said, line),
    });
    let ran = visit(silent, HASTY_LOGIN);
    assert_eq!(ran.count(Outcome::TimedOut), 20);

    let gone = Manners::usual().on("Login", move |said, line| match visitor(said.connection) {
        true => Ok(Then::Close),
        false => usual(said, line),
    });
    let ran = visit(gone, LOGIN);
    assert_eq!(ran.count(Outcome::Indeterminate), 20);

    let deaf = Manners::usual().greets(move |connection, line| match visitor(connection) {
        true => Ok(Then::Close),
        false => line.write(b"Asterisk Call Manager/11.0.0\r\n"),
    });
    let ran = visit(deaf, LOGIN);
    assert_eq!(ran.count(Outcome::Disconnected), 20);
}

#[test]
fn a_run_that_is_stopped_skips_those_who_wait_and_closes_the_books_of_the_rest() {
    let pbx = Manners::usual()
        .on("Login", |said, line| match said.connection >= STANDING {
            true => Ok(Then::GoOn),
            false => usual(said, line),
        })
        .start();
    let mix = "{ login = {}, timeout = \"500ms\" }";
    let burst = "burst = { size = 40, every = \"1s\" }";
    let ran = Bench::new(scenario(1, "1s", burst, mix))
        .target(pbx.address())
        .run_until(&pbx, ("Login", STANDING + 10), &[Wish::Stop]);
    ran.check_books();
    assert_eq!(ran.count(Outcome::TimedOut), 10, "ten were at the PBX");
    assert_eq!(ran.counts(0).skipped, 30);
}
