//! A simulated PBX in a process of its own, which a test can take away.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};

use crate::desk::{Desk, Ran, SMALL};

/// The secret of every simulated PBX.
pub(crate) const SECRET: &str = "amibench-sim-1";

pub(crate) struct Sim {
    child: Child,
    address: String,
}

impl Sim {
    pub(crate) fn start(desk: &Desk) -> Self {
        Self::of(desk, &["--profile", "asterisk-22"])
    }

    /// What it is, as on the command line.
    pub(crate) fn of(desk: &Desk, what: &[&str]) -> Self {
        let mut command = desk.command(&["sim", "--listen", "127.0.0.1:0"]);
        command.args(what);
        let child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut sim = Self {
            address: String::new(),
            child,
        };
        let mut line = String::new();
        let mut out = BufReader::new(sim.child.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        let (_, rest) = line.split_once('@').expect("it says where it listens");
        let (address, _) = rest.split_once(',').expect("behind the address");
        sim.address = address.to_owned();
        sim
    }

    /// A target file that leads here.
    pub(crate) fn target(&self) -> String {
        target(&self.address)
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// As a PBX that loses its power.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A target with room for the loads of these tests; its secret lies in a file beside it.
pub(crate) fn target(address: &str) -> String {
    format!(
        r#"address = "{address}"
account = "bench"
secret_file = "secret"

[limits]
max_sessions = 20
max_actions_per_s = 1000
max_calls_up = 100
max_calls_per_s = 50
max_calls_total = 1000

[[limits.dial]]
channel = "Local/*@amibench"
context = "amibench"

[roles.answers]
channel = "Local/answer@amibench"
context = "amibench"
exten = "hold"

[roles.busy]
channel = "Local/busy@amibench"
context = "amibench"
exten = "hold"
"#
    )
}

#[test]
fn a_simulator_says_how_to_reach_it_and_stops_when_asked() {
    let desk = Desk::new();
    let mut sim = desk.start(&["sim", "--profile", "asterisk-22", "--listen", "127.0.0.1:0"]);
    let mut first = [0; 12];
    sim.child()
        .stdout
        .as_mut()
        .unwrap()
        .read_exact(&mut first)
        .unwrap();
    assert_eq!(&first, b"asterisk-22 ");
    sim.signal(rustix::process::Signal::INT);
    assert_eq!(sim.end().code, 0);
}

#[test]
fn a_manager_conf_decides_who_logs_in_and_a_bad_one_is_told_with_its_place() {
    let conf = "[general]\nwrong = 1\n[qa]\nsecret = hunter2\nread = all\nwrite = all\n";
    let desk = Desk::new()
        .with("manager.conf", conf)
        .with("bad.conf", "[qa]\nsecret = hunter2\n[other](none)\n")
        .with("outer.conf", "#include \"b*.conf\"\n")
        .with("empty.conf", "[general]\n");
    let sim = |profile: &'static str, file: &'static str| {
        [
            "sim",
            "--profile",
            profile,
            "--manager-conf",
            file,
            "--listen",
            "127.0.0.1:0",
        ]
    };
    let place = "bad.conf:3:8: there is no section \"none\" before this line";
    desk.run(&sim("asterisk-22", "bad.conf")).check(2, place);
    desk.run(&sim("asterisk-22", "outer.conf")).check(2, place);
    let rules = "manager.conf:3:1: the user name \"qa\" is shorter than the 8 characters";
    desk.run(&sim("ucm6xxx", "manager.conf")).check(2, rules);
    desk.run(&sim("asterisk-22", "empty.conf"))
        .check(2, "empty.conf has no account");
    let mut running = desk.start(&sim("asterisk-22", "manager.conf"));
    let mut greeting = String::new();
    let mut out = BufReader::new(running.child().stdout.take().unwrap());
    out.read_line(&mut greeting).unwrap();
    let (_, address) = greeting.trim_end().split_once("ami://qa@").unwrap();
    let address = address.strip_suffix(", secrets in manager.conf").unwrap();
    let target = target(address).replace("\"bench\"", "\"qa\"");
    let desk = desk.with("secret", "hunter2").with("qa.toml", &target);
    let ran = desk.run(&["doctor", "qa.toml"]).check(0, "");
    assert!(ran.out.contains("qa accepted"), "{}", ran.out);
    running.signal(rustix::process::Signal::INT);
    let ended = running.end();
    assert!(
        ended
            .err
            .contains("manager.conf:2:1: wrong is no key of [general]"),
        "{}",
        ended.err
    );
}

#[test]
fn a_simulator_is_wrong_in_the_ways_it_is_told() {
    let desk = Desk::new();
    let wrong = ["--fault", "banner.lf", "--defect", "connect.banner.worded"];
    let args = ["sim", "--profile", "asterisk-22", "--listen", "127.0.0.1:0"];
    let mut sim = desk.start(&[&args[..], &wrong].concat());
    let mut line = String::new();
    let mut out = BufReader::new(sim.child().stdout.take().unwrap());
    out.read_line(&mut line).unwrap();
    let (_, rest) = line.split_once("ami://bench@").unwrap();
    let (address, _) = rest.split_once(',').unwrap();
    let mut banner = String::new();
    let wire = TcpStream::connect(address).unwrap();
    BufReader::new(wire).read_line(&mut banner).unwrap();
    assert_eq!(banner, "Asterisk Call Manager/eleven\n");
    sim.signal(rustix::process::Signal::INT);
    assert_eq!(sim.end().code, 0);
}

#[test]
fn what_a_simulator_cannot_do_wrong_is_refused() {
    let desk = Desk::new();
    for (wrong, said) in [
        (["--fault", "wire.cut"], "perhaps wire.cuts"),
        (["--fault", "wire.cuts:x"], "\"x\" is no seed"),
        (
            ["--defect", "list.complete.mising"],
            "perhaps list.complete.missing",
        ),
        (["--fault", "tls.old"], "the fault tls.old needs --tls"),
    ] {
        let args = ["sim", "--profile", "asterisk-22", "--listen", "127.0.0.1:0"];
        let ran = desk.run(&[&args[..], &wrong].concat());
        assert_eq!(ran.code, 2, "{wrong:?}: {ran:?}");
        assert!(ran.err.contains(said), "{wrong:?}: {ran:?}");
    }
}

/// A load on two targets, of which nobody is there for `gone`; its results are in `run`.
pub(crate) fn load_with_one_gone() -> (Desk, Ran) {
    let desk = Desk::new()
        .with("small.toml", SMALL)
        .with("secret", "hunter2")
        .with("gone.toml", &target("127.0.0.1:1"));
    let targets = "sim-asterisk-22,gone.toml";
    let ran = desk.run(&["load", "small.toml", "--out", "run", "--target", targets]);
    (desk, ran)
}
