//! Recording: a session of our own, and a relay between an application and a PBX.

use std::io::{BufRead as _, BufReader, ErrorKind, Read, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::time::Duration;

use ami_proto::transcript::{Mark, Provenance, Transcript, What};
use rustix::process::{Pid, Signal, kill_process};

use crate::desk::{Desk, Ran};
use crate::sim::{self, SECRET, Sim};
use crate::unreachable::greeter;

fn transcript(desk: &Desk, name: &str) -> Transcript {
    let text = std::fs::read_to_string(desk.path(name)).unwrap();
    assert!(!text.contains(SECRET), "{text}");
    Transcript::parse(&text).unwrap()
}

fn said<'t>(chunks: impl Iterator<Item = &'t [u8]>) -> String {
    String::from_utf8(chunks.flatten().copied().collect()).unwrap()
}

#[test]
fn a_session_asks_what_only_reads_and_listens() {
    let desk = Desk::new().with("secret", SECRET);
    let sim = Sim::start(&desk);
    let target = format!(
        "login = \"plain\"\n{}[labels]\nfirmware = \"1.2\"\n",
        sim.target()
    );
    let desk = desk.with("pbx.toml", &target);
    let args = [
        "record",
        "-t",
        "pbx.toml",
        "-d",
        "100ms",
        "--note",
        "a quiet hour",
        "-o",
        "a.ami.jsonl",
    ];
    let ran = desk.run(&args).check(0, "");
    assert!(
        ran.out.starts_with("1 connection, ") && ran.out.ends_with("\na.ami.jsonl\n"),
        "{ran:?}"
    );
    let read = transcript(&desk, "a.ami.jsonl");
    assert_eq!(read.header.target, "pbx");
    assert_eq!(read.header.provenance, Provenance::Captured);
    assert_eq!(read.header.note, "a quiet hour, firmware=1.2");
    let sent = said(read.client_chunks(0));
    assert!(
        sent.contains("Secret: <secret>\r\n") && sent.contains("Action: QueueStatus\r\n"),
        "{sent}"
    );
    assert!(sent.contains("Action: Logoff\r\n"), "{sent}");
    let heard = said(read.server_chunks(0));
    assert!(
        heard.contains("Event: CoreShowChannelsComplete\r\n"),
        "{heard}"
    );
    desk.run(&args)
        .check(74, "failed to write a.ami.jsonl: it is there already");
}

#[test]
fn a_session_asks_what_it_is_told() {
    let script = "[[ask]]\nquery = { action = \"Getvar\", Variable = \"X\" }\n[[ask]]\ncommand = \"core show version\"\n";
    let desk = Desk::new().with("script.toml", script);
    let record = |flags: &[&str], out| {
        let usual = ["record", "-t", "sim-asterisk-22", "-d", "100ms", "-o", out];
        desk.run(&[&usual, flags].concat()).check(0, "");
        said(transcript(&desk, out).client_chunks(0))
    };
    let sent = record(&["--action", "Status", "--events", "off"], "a.ami.jsonl");
    assert!(
        sent.contains("Events: off\r\n") && sent.contains("Action: Status\r\n"),
        "{sent}"
    );
    assert_eq!(sent.matches("Action: ").count(), 4, "{sent}");
    let sent = record(&["--script", "script.toml"], "b.ami.jsonl");
    assert!(
        sent.contains("Variable: X\r\n") && sent.contains("Command: core show version\r\n"),
        "{sent}"
    );
    let refused = desk.with("bad.toml", "[[ask]]\nquery = \"Hangup\"\n");
    let args = ["record", "-t", "sim-asterisk-22", "--script", "bad.toml"];
    refused.run(&args).check(2, "bad.toml:2:9");
}

/// Who waits longer waits for ever.
const HANGS_AFTER: Duration = Duration::from_secs(30);

/// `record --listen` under way.
struct Relay {
    child: Child,
    address: String,
}

impl Relay {
    fn start(desk: &Desk, target: &str) -> Self {
        let args = [
            "record",
            "-t",
            target,
            "--listen",
            "127.0.0.1:0",
            "-o",
            "a.ami.jsonl",
        ];
        Self::start_with(desk, &args)
    }

    fn start_with(desk: &Desk, args: &[&str]) -> Self {
        let mut command = desk.command(args);
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let line = first_line(child.stdout.as_mut().unwrap());
        let (address, _) = line.split_once(" leads to ").expect(&line);
        Self {
            address: address.to_owned(),
            child,
        }
    }

    fn connect(&self) -> BufReader<TcpStream> {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(HANGS_AFTER)).unwrap();
        BufReader::new(stream)
    }

    fn stop(mut self) -> Ran {
        let id = Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        kill_process(id, Signal::INT).unwrap();
        let (mut out, mut err) = (String::new(), String::new());
        let pipes = (self.child.stdout.take(), self.child.stderr.take());
        pipes.0.unwrap().read_to_string(&mut out).unwrap();
        pipes.1.unwrap().read_to_string(&mut err).unwrap();
        let code = self.child.wait().unwrap().code().unwrap();
        Ran { code, out, err }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// And no byte more: what follows is for the next one who reads.
fn first_line(out: &mut impl Read) -> String {
    let mut line = Vec::new();
    let mut byte = [0];
    while !line.ends_with(b"\n") {
        out.read_exact(&mut byte).unwrap();
        line.push(byte[0]);
    }
    String::from_utf8(line).unwrap()
}

/// Up to an empty line, or the first line of all.
fn message(stream: &mut BufReader<TcpStream>) -> String {
    let mut text = String::new();
    while !text.ends_with("\r\n\r\n") && !text.starts_with("Asterisk Call Manager") {
        assert!(stream.read_line(&mut text).unwrap() > 0, "{text}");
    }
    text
}

#[test]
fn a_relay_carries_many_applications_and_never_speaks_itself() {
    let desk = Desk::new();
    let sim = Sim::start(&desk);
    let desk = desk.with("secret", SECRET).with("pbx.toml", &sim.target());
    let relay = Relay::start(&desk, "pbx.toml");
    let (mut one, mut two) = (relay.connect(), relay.connect());
    for stream in [&mut one, &mut two] {
        assert!(message(stream).ends_with("\r\n"));
    }
    let login =
        format!("Action: Login\r\nUsername: bench\r\nSecret: {SECRET}\r\nEvents: off\r\n\r\n");
    let (first, second) = login.as_bytes().split_at(45);
    one.get_mut().write_all(first).unwrap();
    two.get_mut().shutdown(Shutdown::Write).unwrap();
    assert_eq!(two.read(&mut [0; 8]).unwrap(), 0, "the end is carried over");
    one.get_mut().write_all(second).unwrap();
    assert!(message(&mut one).contains("Authentication accepted"));
    let ran = relay.stop();
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains("2 connections"), "{ran:?}");
    let read = transcript(&desk, "a.ami.jsonl");
    let sent = [said(read.client_chunks(0)), said(read.client_chunks(1))];
    let mut sent: Vec<&str> = sent.iter().map(String::as_str).collect();
    sent.sort_unstable();
    let redacted = login.replace(SECRET, "<secret>");
    assert_eq!(sent, ["", redacted.as_str()]);
    let marks = |mark| {
        read.entries
            .iter()
            .filter(|entry| entry.what == What::Mark(mark))
            .count()
    };
    assert_eq!((marks(Mark::Open), marks(Mark::CaptureEnd)), (2, 1));
}

#[test]
fn a_relay_carries_half_closes_and_resets() {
    let pbx = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = sim::target(&pbx.local_addr().unwrap().to_string());
    let desk = Desk::new().with("secret", SECRET).with("pbx.toml", &target);
    let accept = || {
        let (mut stream, _) = pbx.accept().unwrap();
        stream
            .write_all(b"Asterisk Call Manager/5.0.4\r\n")
            .unwrap();
        stream
    };
    // The relay looks once whether AMI is spoken there.
    let (relay, mut looked) = std::thread::scope(|scope| {
        let looking = scope.spawn(accept);
        (Relay::start(&desk, "pbx.toml"), looking.join().unwrap())
    });
    assert_eq!(looked.read(&mut [0; 8]).unwrap_or(0), 0, "and says nothing");
    let mut application = relay.connect();
    let mut stream = accept();
    message(&mut application);
    application.get_mut().shutdown(Shutdown::Write).unwrap();
    assert_eq!(stream.read(&mut [0; 8]).unwrap(), 0);
    stream.write_all(b"Event: Late\r\n\r\n").unwrap();
    assert_eq!(message(&mut application), "Event: Late\r\n\r\n");
    // Closed with bytes unread: that is a reset.
    let mut application = relay.connect();
    let stream = accept();
    message(&mut application);
    application
        .get_mut()
        .write_all(b"Action: Ping\r\n\r\n")
        .unwrap();
    stream.peek(&mut [0; 8]).unwrap();
    drop(stream);
    let error = application.read(&mut [0; 8]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(relay.stop().code, 0);
    let read = transcript(&desk, "a.ami.jsonl");
    let marks: Vec<Mark> = read
        .entries
        .iter()
        .filter_map(|entry| match entry.what {
            What::Mark(mark) => Some(mark),
            What::Client(_) | What::Server(_) => None,
        })
        .collect();
    assert_eq!(marks[..2], [Mark::Open, Mark::ClientFin]);
    assert!(marks.contains(&Mark::Rst), "{marks:?}");
}

#[test]
fn a_relay_to_nobody_says_so_at_once() {
    let web = greeter("127.0.0.1:0", b"HTTP/1.1 400 Bad Request\r\n\r\n");
    let desk = Desk::new()
        .with("gone.toml", &sim::target("127.0.0.1:1"))
        .with("web.toml", &sim::target(&web));
    for (target, said) in [
        ("gone.toml", "Connection refused"),
        (
            "web.toml",
            "is not AMI: it began with \"HTTP/1.1 400 Bad Request\"",
        ),
    ] {
        let args = ["record", "-t", target, "--listen", "127.0.0.1:0"];
        let ran = desk.run(&args).check(3, said);
        assert!(ran.err.contains("`amibench doctor "), "{ran:?}");
    }
    let open = ["record", "-t", "gone.toml", "--listen", "0.0.0.0:0"];
    desk.run(&open).check(2, "--expose");
    let left: Vec<_> = desk.files(".").into_iter().map(|(path, _)| path).collect();
    assert_eq!(left.len(), 2, "{left:?}");
}

#[test]
fn a_recording_of_nothing_leaves_no_file() {
    let desk = Desk::new()
        .with("gone.toml", &sim::target("127.0.0.1:1"))
        .with("secret", SECRET);
    desk.run(&["record", "-t", "gone.toml", "-o", "a.ami.jsonl"])
        .check(3, "nothing was captured");
    assert!(!desk.path("a.ami.jsonl").exists() && !desk.path("a.ami.jsonl.part").exists());
}

/// Everybody that the capture names, and nobody in what is passed on.
#[test]
fn a_shared_capture_names_nobody() {
    let target = format!(
        "{}[labels]\nsite = \"acme 4711\"\n",
        sim::target("127.0.0.1:1")
    );
    let desk = Desk::new();
    let sim = Sim::start(&desk);
    let target = target.replace("127.0.0.1:1", sim.address());
    let desk = desk.with("secret", SECRET).with("acme.toml", &target);
    let args = [
        "record",
        "-t",
        "acme.toml",
        "--listen",
        "127.0.0.1:0",
        "-o",
        "a.ami.jsonl",
        "--share",
    ];
    let relay = Relay::start_with(&desk, &args);
    let mut application = relay.connect();
    message(&mut application);
    let originate = "Action: Originate\r\nChannel: Local/answer@amibench\r\nContext: amibench\r\nExten: hold\r\nPriority: 1\r\nCallerID: \"Alice Smith\" <4930123456>\r\nAccount: smith-berlin\r\nVariable: X=10.0.0.77\r\nAsync: true\r\n\r\n";
    let login = format!("Action: Login\r\nUsername: bench\r\nSecret: {SECRET}\r\n\r\n");
    application
        .get_mut()
        .write_all((login + originate).as_bytes())
        .unwrap();
    while !message(&mut application).starts_with("Event: OriginateResponse") {}
    assert_eq!(relay.stop().code, 0);
    transcript(&desk, "a.ami.jsonl");
    let own = std::fs::read_to_string(desk.path("a.ami.jsonl")).unwrap();
    let shared = transcript(&desk, "a.shared.ami.jsonl");
    assert!(shared.header.shared);
    let shared = shared.to_text();
    for someone in [
        "acme",
        "4711",
        "Alice",
        "Smith",
        "4930123456",
        "smith",
        "berlin",
        "bench",
        "amibench",
        "127.0.0.1",
        "10.0.0.77",
    ] {
        assert!(own.contains(someone), "{someone} is not in the capture");
        let version = "amibench_transcript";
        assert!(
            !shared.replacen(version, "", 1).contains(someone),
            "{someone} in {shared}"
        );
    }
    let again = ["record", "--from", "a.ami.jsonl", "--share"];
    desk.run(&again).check(74, "a.shared.ami.jsonl");
    std::fs::remove_file(desk.path("a.shared.ami.jsonl")).unwrap();
    desk.run(&again).check(0, "");
    let made = std::fs::read_to_string(desk.path("a.shared.ami.jsonl")).unwrap();
    assert_eq!(made, shared);
    desk.with(
        "bad.ami.jsonl",
        "{\"amibench_transcript\": 2, \"target\": \"t\"}\n[0]\n",
    )
    .run(&["record", "--from", "bad.ami.jsonl", "--share"])
    .check(2, "line 2");
}

/// Both sides in TLS, each with a certificate of its own, and `doctor` for an application.
#[test]
fn a_relay_speaks_tls_to_both_sides() {
    let desk = Desk::new();
    let mut sim = desk.command(&[
        "sim",
        "--profile",
        "asterisk-22",
        "--tls",
        "--listen",
        "127.0.0.1:0",
    ]);
    let mut sim = sim.stdout(Stdio::piped()).spawn().unwrap();
    let line = first_line(sim.stdout.as_mut().unwrap());
    let uri = line
        .split_whitespace()
        .find(|word| word.starts_with("amis://"));
    let uri = uri.unwrap().trim_end_matches(',');
    let args = [
        "record",
        "-t",
        uri,
        "--listen",
        "127.0.0.1:0",
        "--tls",
        "-o",
        "a.ami.jsonl",
    ];
    let mut relay = Relay::start_with(&desk, &args);
    let pin = first_line(relay.child.stdout.as_mut().unwrap());
    let (_, pin) = pin.trim_end().rsplit_once(' ').unwrap();
    let through = format!("amis://bench@{}?pin={pin}", relay.address);
    let mut doctor = desk.command(&["doctor", &through]);
    doctor.env("AMIBENCH_SECRET", SECRET);
    crate::desk::ran(doctor).check(0, "");
    assert_eq!(relay.stop().code, 0);
    sim.kill().unwrap();
    sim.wait().unwrap();
    let read = transcript(&desk, "a.ami.jsonl");
    let heard = said(read.server_chunks(0));
    assert!(
        heard.starts_with("Asterisk Call Manager/11.0.0\r\n"),
        "{heard}"
    );
}

#[test]
fn a_session_over_http_is_recorded_as_one_on_a_wire_and_no_other_verb_takes_it() {
    let desk = Desk::new().with("secret", SECRET);
    let args = [
        "sim",
        "--profile",
        "asterisk-22",
        "--listen",
        "127.0.0.1:0",
        "--http",
        "127.0.0.1:0",
    ];
    let mut pbx = desk.start(&args);
    let mut out = BufReader::new(pbx.child().stdout.take().unwrap());
    let mut line = String::new();
    let address = loop {
        line.clear();
        assert_ne!(out.read_line(&mut line).unwrap(), 0);
        if let Some(rest) = line.trim_end().strip_prefix("AMI over HTTP at http://") {
            break rest.strip_suffix("/rawman").unwrap().to_owned();
        }
    };
    let target = format!("ami_http = \"\"\n{}", sim::target(&address));
    let desk = desk.with("web.toml", &target);
    let args = ["record", "-t", "web.toml", "-d", "1s", "-o", "a.ami.jsonl"];
    let ran = desk.run(&args).check(0, "");
    assert!(ran.out.starts_with("1 connection, "), "{ran:?}");
    let read = transcript(&desk, "a.ami.jsonl");
    let (sent, heard) = (said(read.client_chunks(0)), said(read.server_chunks(0)));
    assert!(sent.starts_with("Action: Challenge\r\n"), "{sent}");
    assert!(
        sent.contains("Action: CoreStatus\r\n") && sent.contains("Action: WaitEvent\r\n"),
        "{sent}"
    );
    assert!(
        heard.contains("Message: Authentication accepted\r\n"),
        "{heard}"
    );
    assert!(
        heard.contains("Event: CoreShowChannelsComplete\r\n"),
        "{heard}"
    );
    assert!(
        heard.ends_with("Message: Thanks for all the fish.\r\n\r\n"),
        "{heard}"
    );
    for verb in [
        &["load", "smoke", "--target", "web.toml"][..],
        &["doctor", "web.toml"],
    ] {
        desk.run(verb)
            .check(2, "only `record` speaks AMI over HTTP");
    }
    let relay = [
        "record",
        "-t",
        "web.toml",
        "--listen",
        "127.0.0.1:0",
        "-o",
        "b.ami.jsonl",
    ];
    desk.run(&relay)
        .check(2, "only connections of AMI itself are relayed");
    let wrong = desk.with("secret", "hunter2");
    let ran = wrong.run(&["record", "-t", "web.toml", "-d", "1s", "-o", "c.ami.jsonl"]);
    ran.check(3, "refused the login of bench: Authentication failed");
}
