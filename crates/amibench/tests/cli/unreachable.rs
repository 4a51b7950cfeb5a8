//! A target that is not there, or does not let us in: 3, one clear line, and no empty results.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use crate::desk::{Desk, SMALL};
use crate::sim::{self, Sim};

/// The load and the doctor both end with 3; what the load says is returned, with the port left out.
fn check(address: &str, secret: &str) -> String {
    let desk = Desk::new()
        .with("small.toml", SMALL)
        .with("secret", secret)
        .with("pbx.toml", &sim::target(address));
    let loaded = desk
        .run(&["load", "small.toml", "--target", "pbx.toml", "--out", "run"])
        .check(3, "amibench: pbx: ");
    assert!(!desk.path("run").exists(), "nothing was measured");
    let examined = desk.run(&["doctor", "pbx.toml"]).check(3, "");
    assert!(
        examined
            .out
            .lines()
            .next()
            .unwrap()
            .ends_with(": no way in")
    );
    let told = format!("{}\n{}", loaded.err, examined.out);
    assert!(!told.contains(secret), "{told}");
    assert!(
        loaded.err.contains("\n  likely: ") || loaded.err.contains("began with"),
        "{told}"
    );
    assert!(
        loaded
            .err
            .ends_with("`amibench doctor pbx.toml` says more\n"),
        "{told}"
    );
    let (_, port) = address.rsplit_once(':').unwrap();
    told.replace(port, "[port]")
}

const LOOPBACK: &str = "127.0.0.1:0";

/// Says the same to whoever connects, until the test ends.
pub(crate) fn greeter(listen: &str, greeting: &'static [u8]) -> String {
    let listener = TcpListener::bind(listen).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            if !greeting.is_empty() {
                stream.write_all(greeting).unwrap();
                // Until the other side has read it and left.
                let _ = stream.read(&mut [0; 64]);
            }
        }
    });
    address
}

#[test]
fn nobody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let told = check(&address, "hunter2");
    assert!(told.contains("Connection refused"), "{told}");
}

#[test]
fn another_secret() {
    let desk = Desk::new();
    let sim = Sim::start(&desk);
    let told = check(sim.address(), "hunter2");
    assert!(
        told.contains("refused the login of account bench: Authentication failed"),
        "{told}"
    );
}

#[test]
fn another_service() {
    let told = check(
        &greeter(LOOPBACK, b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"),
        "hunter2",
    );
    assert!(
        told.contains("it began with \"SSH-2.0-OpenSSH_9.2p1 Debian-2\""),
        "{told}"
    );
    let told = check(
        &greeter(LOOPBACK, b"HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n"),
        "hunter2",
    );
    assert!(
        told.contains("it began with \"HTTP/1.1 400 Bad Request\""),
        "{told}"
    );
}

#[test]
fn a_peer_that_closes_without_a_word() {
    let told = check(&greeter(LOOPBACK, b""), "hunter2");
    assert!(
        told.contains("closed the connection before a banner"),
        "{told}"
    );
    assert!(told.contains("authlimit"), "{told}");
}

#[test]
fn one_of_two_targets_does_not_stop_the_other() {
    let (desk, ran) = sim::load_with_one_gone();
    let ran = ran.check(3, "amibench: gone: failed to connect to 127.0.0.1:1");
    assert!(ran.out.contains("sim-asterisk-22"), "{ran:?}");
    desk.run(&["report", "run"]).check(0, "");
}
