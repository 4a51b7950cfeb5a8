//! Getting in: one failed login at most, retries with pauses where a retry may help, and none where it cannot.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use ami_client::OpenError;
use ami_load::run::{FailureWhy, PreflightError, RunError, Wish};
use ami_results::outcome::Outcome;

use crate::bench::{Bench, ORIGINATE, PING, Ran, constant, scenario};
use crate::fake_pbx::{Manners, Then, usual};

fn pings(sessions: u32) -> Bench {
    Bench::new(scenario(sessions, "1s", &constant("50/s"), PING))
}

fn why(ran: &Ran) -> &FailureWhy {
    match &ran.result {
        Err(RunError::NoTarget { failures }) => &failures[0].why,
        other => panic!("the run should have had no target: {other:?}"),
    }
}

#[test]
fn a_wrong_secret_is_tried_once() {
    let pbx = Manners::usual()
        .on("Login", |said, line| {
            line.answer(said, &["Response: Error", "Message: Authentication failed"])?;
            Ok(Then::Close)
        })
        .start();
    let ran = pings(20).target(pbx.address()).secret("wrong").run();
    let FailureWhy::Preflight(PreflightError::Open(OpenError::Refused { message, .. })) = why(&ran)
    else {
        panic!("{:?}", ran.result);
    };
    assert_eq!(message, "Authentication failed");
    assert_eq!((pbx.count("Login"), pbx.connections()), (1, 1));
}

/// A PBX may ban an address after a few failed logins: sessions that are still waiting to come back stay away.
#[test]
fn a_secret_that_is_changed_in_mid_run_is_not_tried_by_every_session() {
    let changed = std::sync::Arc::new(AtomicBool::new(false));
    let refuses = std::sync::Arc::clone(&changed);
    let pbx = Manners::usual()
        .on("Ping", move |_, _| {
            changed.store(true, Ordering::SeqCst);
            Ok(Then::Close)
        })
        .on("Login", move |said, line| {
            if refuses.load(Ordering::SeqCst) {
                line.answer(said, &["Response: Error", "Message: Authentication failed"])?;
                return Ok(Then::Close);
            }
            usual(said, line)
        })
        .start();
    let lives = Manners::usual().start();
    let ran = pings(30)
        .target(pbx.address())
        .target(lives.address())
        .run_until(&lives, ("Ping", 50), &[Wish::Stop]);
    ran.check_books();
    let refused = pbx.count("Login") - 31;
    assert!((1..=10).contains(&refused), "{refused} failed logins");
    assert!(matches!(
        ran.finished().failures[0].why,
        FailureWhy::Seat(OpenError::Refused { .. })
    ));
}

#[test]
fn connects_that_are_turned_away_are_tried_again() {
    let turned_away = AtomicUsize::new(0);
    let pbx = Manners::usual()
        .greets(move |connection, line| {
            if connection > 0 && turned_away.fetch_add(1, Ordering::SeqCst) < 3 {
                return Ok(Then::Close);
            }
            line.write(b"Asterisk Call Manager/11.0.0\r\n")
        })
        .start();
    let ran = pings(4).target(pbx.address()).run();
    assert_eq!(ran.count(Outcome::Success), 50);
    assert_eq!((pbx.connections(), pbx.count("Login")), (8, 5));
}

#[test]
fn a_pbx_that_goes_on_turning_us_away_is_given_up() {
    let pbx = Manners::usual()
        .greets(|connection, line| match connection {
            0 => line.write(b"Asterisk Call Manager/11.0.0\r\n"),
            _ => Ok(Then::Close),
        })
        .start();
    let ran = pings(4).target(pbx.address()).run();
    let FailureWhy::Seat(OpenError::ClosedBeforeBanner { .. }) = why(&ran) else {
        panic!("{:?}", ran.result);
    };
    let tries = pbx.connections() - 1;
    assert!((5..=20).contains(&tries), "{tries} tries for 4 sessions");
}

#[test]
fn sessions_that_are_closed_after_the_login_come_back_with_growing_pauses() {
    let pbx = Manners::usual()
        .on("Login", |said, line| {
            usual(said, line)?;
            Ok(match said.connection {
                0..3 => Then::GoOn,
                _ => Then::Close,
            })
        })
        .on("Ping", |_, _| Ok(Then::Close))
        .start();
    let lives = Manners::usual().start();
    let ran = Bench::new(scenario(2, "2s", &constant("20/s"), PING))
        .target(pbx.address())
        .target(lives.address())
        .run_until(&lives, ("Ping", 40), &[Wish::Stop]);
    ran.check_books();
    // Two seats over two seconds.
    let logins = pbx.count("Login");
    assert!((5..=20).contains(&logins), "{logins} logins");
}

#[test]
fn a_closed_port_is_told_as_such() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let ran = pings(2).target(address).run();
    assert!(matches!(
        why(&ran),
        FailureWhy::Preflight(PreflightError::Open(OpenError::Connect { .. }))
    ));
}

#[test]
fn what_is_not_ami_is_told_as_such() {
    let garbage = [0xff, 0x00, 0xfe, b'\r', b'\n'];
    for banner in [b"SSH-2.0-OpenSSH_9.2\r\n".as_slice(), &garbage] {
        let banner = banner.to_vec();
        let pbx = Manners::usual()
            .greets(move |_, line| line.write(&banner))
            .start();
        let ran = pings(2).target(pbx.address()).run();
        assert!(
            matches!(
                why(&ran),
                FailureWhy::Preflight(PreflightError::Open(OpenError::NotAmi { .. }))
            ),
            "{:?}",
            ran.result
        );
        assert_eq!((pbx.connections(), pbx.count("Login")), (1, 0));
    }
}

#[test]
fn an_account_that_may_not_hang_up_is_refused_before_the_start() {
    let pbx = Manners::usual()
        .on("ListCommands", |said, line| {
            line.answer(said, &["Response: Success", "Originate: yes", "Ping: yes"])
        })
        .start();
    let ran = Bench::new(scenario(2, "1s", &constant("10/s"), ORIGINATE))
        .target(pbx.address())
        .run();
    let FailureWhy::Preflight(PreflightError::Rights { missing, .. }) = why(&ran) else {
        panic!("{:?}", ran.result);
    };
    assert_eq!(missing, &["CoreShowChannels", "Hangup"]);
    assert_eq!(pbx.count("Originate"), 0);
}
