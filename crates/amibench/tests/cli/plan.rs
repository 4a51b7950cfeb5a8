//! Plans: what a dry run says, and what it does not depend on.

use std::io::ErrorKind;
use std::net::TcpListener;

use crate::desk::{Desk, SMALL};
use crate::sim;

#[test]
fn a_plan_as_it_is_read() {
    let desk = Desk::new().with("small.toml", SMALL);
    insta::assert_snapshot!(desk.transcript(&["load", "small.toml", "--dry-run"]));
}

#[test]
fn the_plan_depends_on_the_load_and_not_on_the_workers() {
    let desk = Desk::new();
    let sha256 = |args: &[&str]| {
        let all = [&["load", "quickstart", "--dry-run"], args].concat();
        let ran = desk.run(&all).check(0, "");
        ran.out.lines().last().unwrap().to_owned()
    };
    let plan = sha256(&[]);
    assert!(plan.starts_with("sha256"), "{plan}");
    for workers in ["1", "2", "7"] {
        assert_eq!(sha256(&["--workers", workers]), plan);
    }
    let others: [&[&str]; 4] = [
        &["--seed", "8"],
        &["--rate", "106/s"],
        &["-s", "99"],
        &["-d", "19s"],
    ];
    for other in others {
        assert_ne!(sha256(other), plan, "{other:?}");
    }
}

#[test]
fn a_dry_run_sends_nothing_and_leaves_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let desk = Desk::new().with("small.toml", SMALL).with(
        "pbx.toml",
        &sim::target(&listener.local_addr().unwrap().to_string()),
    );
    desk.run(&["load", "small.toml", "-t", "pbx.toml", "--dry-run"])
        .check(0, "");
    assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
    assert!(!desk.path("results").exists());
}
