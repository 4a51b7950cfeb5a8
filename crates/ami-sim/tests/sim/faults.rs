//! Every fault that acts on a session changes how it is heard, the same way for the same seed, and in bounded time.

use std::time::Duration;

use ami_sim::{Fault, Output, Planted};

use crate::talk::{SECRET, Talk};

/// What a client sees of one session: bytes with the moments of their coming, and how it ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Seen(Vec<Sight>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Sight {
    Write {
        at: Duration,
        bytes: Vec<u8>,
    },
    HalfClose,
    Fin,
    Reset,
    TurnedAway,
    /// The client was not heard.
    Unread,
}

/// A login in both its steps, answers of each kind, two actions in one write, events, a restart survived or not.
fn session(planted: Option<Planted>) -> Seen {
    let mut talk = Talk::with("asterisk-22");
    if let Some(planted) = planted {
        talk.exchange.plant(planted);
    }
    let mut seen = Seen::default();
    let Some(key) = talk.connect() else {
        return Seen(vec![Sight::TurnedAway]);
    };
    let other = talk.connect().unwrap();
    let login =
        format!("Action: Login\r\nUsername: bench\r\nSecret: {SECRET}\r\nActionID: a-1\r\n\r\n");
    talk.send_bytes(other, login.as_bytes());
    for action in [
        "Action: Challenge\r\nAuthType: MD5\r\nActionID: a-0\r\n\r\n",
        &login,
        "Action: Ping\r\nActionID: a-2\r\n\r\n",
        "Action: CoreShowChannels\r\nActionID: a-3\r\n\r\nAction: Ping\r\nActionID: a-4\r\n\r\n",
        "Action: Originate\r\nActionID: a-5\r\nChannel: Local/answer@amibench\r\nApplication: Wait\r\n\
         Data: 60\r\nAsync: 1\r\nVariable: A=\u{e9}\u{20ac}\r\n\r\n",
        "Action: CoreShowChannels\r\nActionID: a-6\r\n\r\n",
        "Action: Command\r\nCommand: core show uptime\r\nActionID: a-7\r\n\r\n",
    ] {
        hear(&mut talk, key, &mut seen);
        let mut rest = action.as_bytes();
        while !rest.is_empty() {
            let room = match talk.exchange.appetite(key) {
                ami_sim::Appetite::None => {
                    seen.0.push(Sight::Unread);
                    break;
                }
                ami_sim::Appetite::OneByte => 1,
                ami_sim::Appetite::Usual => rest.len(),
            };
            if room < rest.len() && !seen.0.contains(&Sight::Unread) {
                seen.0.push(Sight::Unread);
            }
            let (piece, more) = rest.split_at(room);
            talk.send_bytes(key, piece);
            rest = more;
        }
        talk.pass(Duration::from_secs(1));
    }
    talk.send(other, &["Action: UserEvent", "UserEvent: Mark"]);
    hear(&mut talk, key, &mut seen);
    if talk.connect().is_none() {
        seen.0.push(Sight::TurnedAway);
    }
    seen
}

fn hear(talk: &mut Talk, key: ami_sim::SessionKey, seen: &mut Seen) {
    let mut at = talk.now;
    while let Some(output) = talk.exchange.poll_output(key) {
        match output {
            Output::Write(chunk) => seen.0.push(Sight::Write {
                at,
                bytes: chunk.bytes().to_vec(),
            }),
            Output::Stall(pause) => at += pause,
            Output::HalfClose => seen.0.push(Sight::HalfClose),
            Output::Fin => seen.0.push(Sight::Fin),
            Output::Reset => seen.0.push(Sight::Reset),
        }
    }
}

impl Seen {
    fn bytes(&self) -> Vec<u8> {
        let bytes = |sight: &Sight| match sight {
            Sight::Write { bytes, .. } => bytes.clone(),
            _ => Vec::new(),
        };
        self.0.iter().flat_map(bytes).collect()
    }
}

/// Those that act before there is a session have tests on sockets.
fn of_sessions() -> impl Iterator<Item = Fault> {
    Fault::all().filter(|fault| fault.tls().is_none() && !fault.name().starts_with("accept."))
}

#[test]
fn every_fault_changes_what_a_session_sees() {
    // One that never begins: what is said comes in the same writes as with one that does.
    let idle = || {
        session(Some(
            Fault::named("answer.none")
                .unwrap()
                .planted_at("Nothing", 1),
        ))
    };
    let sound = idle();
    assert_eq!(sound, idle(), "the same PBX twice is the same");
    assert!(sound.bytes() == session(None).bytes());
    let mut count = 0;
    for fault in of_sessions() {
        // A byte within the answers; the others draw from any number.
        let seen = session(Some(fault.planted().seeded(500)));
        assert!(seen != sound, "{fault:?} changes nothing");
        count += 1;
    }
    assert!(count > 70, "{count}");
}

#[test]
fn the_same_seed_is_the_same_session() {
    for name in ["wire.cuts", "link.jitter"] {
        let seen = |seed| session(Some(Fault::named(name).unwrap().planted().seeded(seed)));
        assert_eq!(seen(1), seen(1), "{name}");
        assert!(seen(1) != seen(2), "{name}");
    }
}

#[test]
fn cuts_lose_no_byte_and_change_none() {
    let sound = session(None).bytes();
    for name in [
        "wire.bytes",
        "wire.cuts",
        "wire.cut-ends",
        "wire.gathered",
        "wire.drip",
        "link.late",
        "link.jitter",
        "link.narrow",
    ] {
        let seen = session(Some(Fault::named(name).unwrap().planted()));
        assert!(seen.bytes() == sound, "{name}");
    }
}

#[test]
fn a_session_is_closed_at_any_byte() {
    let sound = session(None).bytes();
    for bytes in (0..sound.len()).step_by(97) {
        let planted = format!("close.at-byte:{bytes}").parse().unwrap();
        let seen = session(Some(planted));
        assert_eq!(seen.bytes(), sound[..bytes], "{bytes}");
        assert_eq!(seen.0.last(), Some(&Sight::Fin), "{bytes}");
    }
}

#[test]
fn after_a_restart_the_pbx_is_there_again_with_nothing_of_before() {
    let mut talk = Talk::with("asterisk-22");
    let restart = Fault::named("restart.once").unwrap();
    talk.exchange.plant(restart.planted_at("Ping", 1));
    let (first, second) = (talk.login("Events: on"), talk.login("Events: off"));
    let call = [
        "Action: Originate",
        "Channel: Local/answer@amibench",
        "Application: Wait",
    ];
    talk.ask(first, &[&call[..], &["Data: 60", "Async: 1"]].concat());
    talk.pass(Duration::from_secs(3));
    talk.hear(first);
    talk.send(second, &["Action: Ping"]);
    let (heard, other) = (talk.hear(first), talk.hear(second));
    assert!(
        heard.text().contains("Event: Shutdown\r\n"),
        "{}",
        heard.text()
    );
    assert!(heard.closed && other.closed && other.text().contains("Ping: Pong"));
    assert!(talk.connect().is_none(), "it is not there yet");
    talk.pass(Duration::from_secs(2));
    let again = talk.login("Events: off");
    let channels = talk.ask(again, &["Action: CoreShowChannels"]);
    assert_eq!(channels.len(), 2, "no channel is left: {channels:?}");
}
