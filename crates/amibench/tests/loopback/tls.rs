//! A load over TLS: troubles end it before it begins, and each session that is lost is known to be.

use std::net::{Ipv4Addr, SocketAddr};

use ami_client::OpenError;
use ami_load::run::{FailureWhy, PreflightError, RunError};
use ami_sim::{Account, Accounts, Handle, Profile, Tls, TlsFault, spawn_tls_thread};

use crate::bench::{Bench, PING, Ran, SECRET, constant, scenario};

fn start(tls: Tls) -> Handle {
    let accounts = Accounts::new(Account::new("bench", SECRET, "all", "all"));
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let profile = Profile::named("asterisk-22").unwrap();
    spawn_tls_thread(profile, address, accounts, 1, tls).unwrap()
}

fn pings(sim: &Handle) -> Bench {
    Bench::new(scenario(3, "1s", &constant("50/s"), PING)).target(sim.addr())
}

fn check(ran: &Ran, slug: &str) {
    let Err(RunError::NoTarget { failures }) = &ran.result else {
        panic!("the run should have had no target: {:?}", ran.result);
    };
    match &failures[0].why {
        FailureWhy::Preflight(PreflightError::Open(OpenError::Tls { trouble, .. })) => {
            assert_eq!(trouble.slug(), slug);
        }
        why => panic!("{why:?}"),
    }
}

#[test]
fn what_goes_wrong_at_the_port_for_tls_is_told() {
    for (fault, slug) in [
        (TlsFault::Close, "tls-closed"),
        (TlsFault::Alert, "tls-no-common-cipher"),
        (TlsFault::PlainBanner, "tls-port-is-plain"),
    ] {
        let tls = Tls::self_signed().with_fault(fault);
        let certificate = tls.certificate().to_owned();
        let sim = start(tls);
        check(&pings(&sim).pin(&certificate).run(), slug);
        assert_eq!(sim.counters().sessions_accepted, 0);
    }
}

#[test]
fn another_certificate_gets_no_login() {
    let sim = start(Tls::self_signed());
    check(
        &pings(&sim).pin(Tls::self_signed().certificate()).run(),
        "tls-wrong-pin",
    );
    assert_eq!(sim.counters().sessions_accepted, 0);
}
