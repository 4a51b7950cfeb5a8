//! A target in production is loaded only by who names it; looking at it, or at a plan, is free.

use std::net::TcpListener;

use crate::desk::{Desk, SMALL};
use crate::sim;

/// Two targets in production at an address where nobody listens: whoever gets through ends with 3.
fn desk() -> Desk {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let target = format!(
        "environment = \"production\"\n{}",
        sim::target(&address).replace("max_sessions = 20", "max_sessions = 30")
    );
    Desk::new()
        .with("small.toml", SMALL)
        .with("secret", "hunter2")
        .with("hq.toml", &target)
        .with("branch.toml", &target)
}

fn load(desk: &Desk, more: &[&str], code: i32, said: &str) {
    let args = ["load", "small.toml", "-t", "hq.toml", "-t", "branch.toml"];
    desk.run(&[&args, more].concat()).check(code, said);
}

#[test]
fn a_load_on_production_names_every_target() {
    let desk = desk();
    load(
        &desk,
        &[],
        2,
        "hq, branch are in production: to load them all the same, add --confirm hq --confirm branch",
    );
    let one = "branch is in production: to load it all the same, add --confirm branch\n";
    load(&desk, &["--confirm", "hq"], 2, one);
    load(
        &desk,
        &["--confirm", "hq", "--confirm", "branch.toml"],
        2,
        one,
    );
    let both = ["--confirm", "hq", "--confirm", "branch"];
    load(&desk, &both, 3, "Connection refused");
    let ran = desk.run(&[
        "load",
        "ami://qa@127.0.0.1:1",
        "--ping",
        "1/s",
        "-t",
        "hq.toml",
    ]);
    ran.check(2, "add --confirm hq\n");
}

#[test]
fn a_dry_run_and_the_doctor_ask_for_nothing() {
    let desk = desk();
    load(&desk, &["--dry-run"], 0, "");
    desk.run(&["doctor", "hq.toml"]).check(3, "");
}
