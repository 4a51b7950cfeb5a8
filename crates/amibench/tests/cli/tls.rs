//! TLS as a user meets it: a simulated PBX that tells its pin, a load that trusts it, and one that does not.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use ami_client::tls::Fingerprint;
use rcgen::{CertifiedKey, generate_simple_self_signed};

use crate::desk::{Desk, Ran, SMALL, ran};
use crate::sim::SECRET;

/// A simulated PBX that speaks TLS, and what it says of itself.
struct Sim {
    child: Child,
    uri: String,
    pin: String,
}

impl Sim {
    fn start(desk: &Desk, flags: &[&str]) -> Self {
        let mut args = vec!["sim", "-p", "ucm6xxx", "-l", "127.0.0.1:0", "--tls"];
        args.extend(flags);
        let mut child = desk.command(&args).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut line = || lines.next().unwrap().unwrap();
        let (first, second) = (line(), line());
        let (_, rest) = first.split_once(" at ").unwrap();
        let (uri, _) = rest.split_once(',').unwrap();
        let quoted = second
            .strip_prefix("in a target file: [tls] pin_sha256 = ")
            .unwrap();
        Self {
            child,
            uri: uri.to_owned(),
            pin: quoted.trim_matches('"').to_owned(),
        }
    }

    fn load(&self, desk: &Desk, uri: &str) -> Ran {
        let mut command =
            desk.command(&["load", uri, "--ping", "20/s", "-s", "2", "-d", "1s", "-q"]);
        command.env("AMIBENCH_SECRET", SECRET);
        ran(command)
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A machine that tests much else may be late, which is 4 and no fault of TLS.
fn check_loaded(ran: &Ran, action: &str) {
    assert!([0, 4].contains(&ran.code), "{ran:?}");
    assert!(ran.out.contains(action), "{ran:?}");
}

#[test]
fn the_line_that_a_simulated_pbx_prints_leads_to_it() {
    let desk = Desk::new();
    let sim = Sim::start(&desk, &[]);
    assert!(
        sim.uri.starts_with("amis://bench@127.0.0.1:"),
        "{}",
        sim.uri
    );
    assert!(
        sim.uri.ends_with(&format!("?pin={}", sim.pin)),
        "{}",
        sim.uri
    );
    check_loaded(&sim.load(&desk, &sim.uri), "ping");
}

#[test]
fn another_pin_is_refused_with_both_fingerprints() {
    let desk = Desk::new();
    let sim = Sim::start(&desk, &[]);
    let other = Fingerprint::of(b"another certificate").to_string();
    let said = format!("fingerprint {}, and the target pins {other}", sim.pin);
    sim.load(&desk, &sim.uri.replace(&sim.pin, &other))
        .check(3, &said);
    let (unpinned, _) = sim.uri.split_once('?').unwrap();
    let told = sim.load(&desk, unpinned).check(3, "its certificate is ");
    assert!(!told.err.contains(SECRET), "{told:?}");
}

#[test]
fn a_certificate_of_ones_own_is_served() {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let desk = Desk::new()
        .with("pbx.crt", &cert.pem())
        .with("pbx.key", &signing_key.serialize_pem());
    let sim = Sim::start(&desk, &["--cert", "pbx.crt", "--key", "pbx.key"]);
    assert_eq!(sim.pin, Fingerprint::of(cert.der()).to_string());
    let (_, rest) = sim.uri.split_once('@').unwrap();
    let (address, _) = rest.split_once('?').unwrap();
    let target = crate::sim::target(address) + "\n[tls]\nca_file = \"pbx.crt\"\n";
    let desk = desk
        .with("small.toml", SMALL)
        .with("secret", SECRET)
        .with("pbx.toml", &target.replace("amibench", "from-internal"));
    let examined = desk.run(&["doctor", "pbx.toml"]);
    assert!(examined.out.contains("accepted"), "{examined:?}");
    desk.run(&[
        "sim", "-p", "ucm6xxx", "--tls", "--cert", "pbx.key", "--key", "pbx.key",
    ])
    .check(2, "failed to use pbx.key and pbx.key");
    desk.run(&["sim", "-p", "ucm6xxx", "--cert", "pbx.crt"])
        .check(2, "--key");
}

#[test]
fn a_simulated_target_speaks_tls_without_preparation() {
    let limits = crate::sim::target("x").replace("address = \"x\"", "simulate = \"asterisk-22\"");
    let target = limits.replace("secret_file = \"secret\"\n", "") + "\n[tls]\n";
    let desk = Desk::new()
        .with("small.toml", SMALL)
        .with("sim.toml", &target);
    let loaded = desk.run(&["load", "small.toml", "-t", "sim.toml", "-q"]);
    check_loaded(&loaded, "originate-answers");
}
