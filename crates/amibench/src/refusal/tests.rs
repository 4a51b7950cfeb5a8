//! Refusals that are hard to bring about on one machine; the others are met in `tests/cli/doctor_finds.rs`.

use std::io;
use std::path::Path;

use ami_client::Document;

use super::*;

/// The cause, and what its text holds.
fn check(error: &OpenError, cause: &str, said: &[&str]) {
    let text = "address = \"10.0.0.5\"\naccount = \"qa\"";
    let target = Target::parse("pbx", &Document::embedded("pbx", Path::new(""), text)).unwrap();
    let us = "10.0.0.7".parse().ok();
    let found = of_open(error, &Circumstances::of(&target, us));
    assert_eq!(found.cause, cause);
    let whole = [vec![found.fact], found.likely, found.steps]
        .concat()
        .join("\n");
    for said in said {
        assert!(whole.contains(said), "{said}: {whole}");
    }
}

fn address() -> String {
    "10.0.0.5:5038".to_owned()
}

fn broken(kind: io::ErrorKind) -> OpenError {
    OpenError::Connect {
        address: address(),
        source: kind.into(),
    }
}

fn refused(message: &str) -> OpenError {
    OpenError::Refused {
        address: address(),
        account: "qa".to_owned(),
        message: message.to_owned(),
    }
}

#[test]
fn a_ban_looks_like_a_firewall_or_a_pbx_that_is_off() {
    check(
        &OpenError::ConnectTimedOut { address: address() },
        "connect-time-out",
        &[
            "10.0.0.5:5038 does not answer: it is off, or something drops what 10.0.0.7 sends",
            "the PBX has banned 10.0.0.7 after failed logins",
            "if another machine gets in",
        ],
    );
    let refused = broken(io::ErrorKind::ConnectionRefused);
    let said = ["a ban of 10.0.0.7 says so: does another machine get in?"];
    check(&refused, "connection-refused", &said);
    let said = ["10.0.0.5:5038 resets the connection: something turns 10.0.0.7 away"];
    check(&broken(io::ErrorKind::ConnectionReset), "reset", &said);
    let in_login = OpenError::Broke {
        address: address(),
        source: io::ErrorKind::ConnectionReset.into(),
    };
    check(&in_login, "reset", &said);
}

#[test]
fn no_route_is_told() {
    let said = ["no route leads to 10.0.0.5:5038", "is a VPN needed?"];
    check(&broken(io::ErrorKind::HostUnreachable), "no-route", &said);
    check(
        &broken(io::ErrorKind::NetworkUnreachable),
        "no-route",
        &said,
    );
}

#[test]
fn what_the_pbx_says_at_the_login_is_understood() {
    check(
        &refused("Asterisk is shutting down"),
        "shutting-down",
        &["wait until it is back"],
    );
    check(
        &refused("Login Already In Use"),
        "in-use",
        &["allowmultiplelogin"],
    );
    check(&refused("No"), "login-refused", &["does not say why: No"]);
}
