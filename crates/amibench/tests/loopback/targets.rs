//! Several targets side by side: one that fails costs the others nothing.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ami_load::run::{FailureWhy, Wish};
use ami_results::outcome::Outcome;

use crate::bench::{Bench, PING, Ran, constant, scenario};
use crate::fake_pbx::{Manners, Then, usual};

fn bench() -> Bench {
    Bench::new(scenario(4, "1s", &constant("50/s"), PING))
}

fn check_unharmed(ran: &Ran, target: u16) {
    ran.check_books();
    let counts = ran.counts(target);
    assert_eq!((counts.offered, counts.success), (50, 50), "{counts:?}");
}

#[test]
fn a_target_that_dies_in_mid_run_harms_no_other() {
    let lives = Manners::usual().start();
    let seen = Arc::new(AtomicUsize::new(0));
    let dead = Arc::clone(&seen);
    let dies = Manners::usual()
        .greets(move |_, line| {
            if dead.load(Ordering::SeqCst) > 10 {
                return Ok(Then::Close);
            }
            line.write(b"Asterisk Call Manager/11.0.0\r\n")
        })
        .on("Ping", move |said, line| {
            if seen.fetch_add(1, Ordering::SeqCst) >= 10 {
                return Ok(Then::Close);
            }
            usual(said, line)
        })
        .start();
    let ran = bench()
        .target(dies.address())
        .target(lives.address())
        .run_until(&lives, ("Ping", 50), &[Wish::Stop]);
    check_unharmed(&ran, 1);
    let counts = ran.counts(0);
    assert_eq!(counts.success, 10);
    assert_eq!(counts.records() + counts.skipped, counts.offered);
    let failures = &ran.finished().failures;
    assert_eq!((failures.len(), failures[0].target.as_str()), (1, "pbx-0"));
    assert!(matches!(failures[0].why, FailureWhy::Lost));
}

#[test]
fn a_target_that_is_not_there_harms_no_other() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let nobody = listener.local_addr().unwrap();
    drop(listener);
    let lives = Manners::usual().start();
    let ran = bench().target(nobody).target(lives.address()).run();
    check_unharmed(&ran, 1);
    assert_eq!(ran.counts(0).offered, 0);
    assert!(matches!(
        ran.finished().failures[0].why,
        FailureWhy::Preflight(_)
    ));
}

#[test]
fn a_target_that_gives_no_sessions_harms_no_other() {
    let turns_away = Manners::usual()
        .greets(|connection, line| match connection {
            0 => line.write(b"Asterisk Call Manager/11.0.0\r\n"),
            _ => Ok(Then::Close),
        })
        .start();
    let lives = Manners::usual().start();
    let ran = bench()
        .target(turns_away.address())
        .target(lives.address())
        .run();
    check_unharmed(&ran, 1);
    assert_eq!(ran.counts(0).offered, 0);
    assert!(matches!(
        ran.finished().failures[0].why,
        FailureWhy::Seat(_)
    ));
}

#[test]
fn a_slow_target_harms_no_other() {
    let silent = Manners::usual().on("Ping", |_, _| Ok(Then::GoOn)).start();
    let lives = Manners::usual().start();
    let hasty = "{ ping = {}, timeout = \"500ms\" }";
    let ran = Bench::new(scenario(4, "1s", &constant("50/s"), hasty))
        .target(silent.address())
        .target(lives.address())
        .run_until(&lives, ("Ping", 50), &[Wish::Stop]);
    check_unharmed(&ran, 1);
    assert_eq!(ran.count(Outcome::Success), 50);
    let counts = ran.counts(0);
    assert_eq!(counts.records() + counts.skipped, counts.offered);
}

#[test]
fn a_target_that_refuses_us_sees_one_login_and_harms_no_other() {
    let refuses = Manners::usual()
        .on("Login", |said, line| {
            line.answer(said, &["Response: Error", "Message: Authentication failed"])?;
            Ok(Then::Close)
        })
        .start();
    let lives = Manners::usual().start();
    let ran = bench()
        .target(refuses.address())
        .target(lives.address())
        .run();
    check_unharmed(&ran, 1);
    assert_eq!((refuses.count("Login"), refuses.connections()), (1, 1));
}
