//! Whatever a client sends, a simulated PBX answers it or ends the session: it does not panic, hang, or grow.
//!
//! `AMIBENCH_RUDE=full` sends 100,000 streams of bytes and 10,000 sequences of actions; a usual run sends a fraction of each.
//! A stream that fails is sent again alone with `AMIBENCH_RUDE=<its number>`.

use std::fmt::Write as _;
use std::time::Duration;

use ami_proto::{Decoder, Limits};
use ami_sim::{Accounts, Appetite, Defect, Fault, Profile, SessionKey};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::talk::{SECRET, Talk};

/// How many of something are tried.
struct Extent {
    usual: u64,
    full: u64,
}

const STREAMS: Extent = Extent {
    usual: 2000,
    full: 100_000,
};
const SEQUENCES: Extent = Extent {
    usual: 100,
    full: 10_000,
};
/// Streams for each fault and defect.
const WRONG_STREAMS: u64 = 3;
/// A PBX lives so long: what one leaves behind may harm the next, as on a real one.
const LIVES_FOR: u64 = 100;
/// What a client sends at most, in bytes.
const STREAM_MAX: u32 = 6000;
/// What a request can bring forth at most: ListCommands, and lists of what earlier requests left behind.
const ANSWER_MAX: usize = 1 << 20;
/// More than any action may take.
const PATIENCE: Duration = Duration::from_secs(600);
/// Resident memory that a whole run may add.
const GROWTH_MAX: u64 = 300 << 20;

impl Extent {
    fn numbers(&self) -> std::ops::Range<u64> {
        match std::env::var("AMIBENCH_RUDE").as_deref() {
            Ok("full") => 0..self.full,
            Ok(number) => {
                let number: u64 = number.parse().expect("full, or a number");
                number..number + 1
            }
            Err(_) => 0..self.usual,
        }
    }
}

/// Drawn values, all from one seed.
struct Draw(ChaCha8Rng);

impl Draw {
    fn of(number: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(number))
    }

    fn below(&mut self, bound: u32) -> u32 {
        self.0.next_u32() % bound
    }

    fn byte(&mut self) -> u8 {
        self.0.next_u32().to_le_bytes()[0]
    }

    fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(u32::try_from(length).unwrap())).unwrap()
    }

    fn one<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.index(of.len())]
    }

    fn bytes(&mut self, alphabet: &[u8]) -> Vec<u8> {
        let length = self.below(STREAM_MAX);
        (0..length)
            .map(|_| match alphabet {
                [] => self.byte(),
                some => some[self.index(some.len())],
            })
            .collect()
    }
}

const KEYS: [&str; 34] = [
    "Channel",
    "Exten",
    "Context",
    "Priority",
    "Application",
    "Data",
    "Timeout",
    "CallerID",
    "Async",
    "Variable",
    "ChannelId",
    "OtherChannelId",
    "EventMask",
    "Command",
    "Queue",
    "Interface",
    "Paused",
    "Penalty",
    "Mailbox",
    "Filename",
    "Family",
    "Key",
    "Val",
    "Value",
    "Operation",
    "Filter",
    "MatchCriteria",
    "AuthType",
    "Username",
    "Secret",
    "Event",
    "Cause",
    "ExtraChannel",
    "Endpoint",
];

const VALUES: [&str; 40] = [
    "",
    "1",
    "0",
    "-1",
    "99999999999999999999",
    "abc",
    "Local/answer@amibench",
    "Local/ring@amibench/n",
    "Local/busy@amibench",
    "Local/answer-2s@amibench",
    "PJSIP/1000",
    "PJSIP/",
    "Foo/x",
    "/",
    "/.*/",
    "/(/",
    "Wait",
    "Playback",
    "Dial",
    "MD5",
    "on",
    "off",
    "call,user",
    ",x",
    "amibench",
    "from-internal",
    "default",
    "hold",
    "answer",
    "bench",
    "core show channels",
    "core show version",
    "database show",
    "/etc/passwd",
    "manager.conf",
    "Add",
    "!Event: x",
    "[",
    "x=y,z=,=,q",
    "\u{e9}\u{0}\u{1f600}",
];

/// A request of known words, drawn.
fn action(draw: &mut Draw, names: &[&str], id: &str) -> String {
    let name = draw.one(names);
    let mut text = format!("Action: {name}\r\nActionID: {id}\r\n");
    for _ in 0..draw.below(7) {
        let (key, value) = (draw.one(&KEYS), draw.one(&VALUES));
        write!(text, "{key}: {value}\r\n").unwrap();
    }
    text.push_str("\r\n");
    text
}

/// Bytes of every kind of rudeness.
fn stream(draw: &mut Draw, names: &[&str]) -> Vec<u8> {
    let mut bytes = match draw.below(5) {
        0 => draw.bytes(&[]),
        1 => draw.bytes(b"\r\n: \0aA"),
        2 => draw.bytes(b"Action: Ping\r\nLogoff"),
        _ => (0..draw.below(6))
            .flat_map(|number| action(draw, names, &number.to_string()).into_bytes())
            .collect(),
    };
    for _ in 0..draw.below(5) {
        if bytes.is_empty() {
            break;
        }
        let at = draw.index(bytes.len());
        match draw.below(5) {
            0 => bytes[at] = draw.byte(),
            1 => bytes.insert(at, draw.byte()),
            2 => drop(bytes.drain(at..(at + 9).min(bytes.len()))),
            3 => bytes.truncate(at),
            _ => {
                let again = bytes[at..(at + 1500).min(bytes.len())].to_vec();
                bytes.splice(at..at, again);
            }
        }
    }
    bytes
}

/// One client, and all that it heard.
struct Client {
    key: SessionKey,
    heard: Vec<u8>,
    over: bool,
}

impl Client {
    fn new(key: SessionKey) -> Self {
        Self {
            key,
            heard: Vec::new(),
            over: false,
        }
    }

    fn hear(&mut self, talk: &mut Talk) {
        let said = talk.hear(self.key);
        self.heard.extend(said.bytes);
        self.over |= said.closed;
    }

    /// Sends as a driver does: only what the session wants to read, in pieces of any length.
    fn send(&mut self, talk: &mut Talk, mut bytes: &[u8], draw: &mut Draw) {
        let mut waited = Duration::ZERO;
        while !bytes.is_empty() {
            self.hear(talk);
            if self.over {
                return;
            }
            if talk.exchange.appetite(self.key) == Appetite::None {
                assert!(waited < PATIENCE, "it never reads again");
                let span = Duration::from_millis(u64::from(draw.below(5000)) + 1);
                waited += span;
                talk.pass(span);
                continue;
            }
            let length = 1 + draw.index(bytes.len().min(4096));
            let (piece, rest) = bytes.split_at(length);
            talk.send_bytes(self.key, piece);
            bytes = rest;
        }
    }

    /// A Ping behind it all is answered, or the session has ended.
    fn end(&mut self, talk: &mut Talk, number: u64, draw: &mut Draw) {
        let fence = format!("fence-{number}");
        let ping = format!("\r\n\r\n\r\n\r\nAction: Ping\r\nActionID: {fence}\r\n\r\n");
        self.send(talk, ping.as_bytes(), draw);
        let mut waited = Duration::ZERO;
        loop {
            self.hear(talk);
            if self.over || find(&self.heard, fence.as_bytes()) {
                break;
            }
            assert!(waited < PATIENCE, "{number}: neither an answer nor an end");
            waited += Duration::from_secs(5);
            talk.pass(Duration::from_secs(5));
            // What was read together with a WaitEvent does not end it: only what comes later does, on a real PBX too.
            self.send(talk, b"\r\n", draw);
        }
        talk.exchange.leave(self.key);
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

/// Resident memory of this process.
fn resident() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = pages.split(' ').nth(1).and_then(|count| count.parse().ok());
    pages.unwrap_or(0) * 4096
}

/// A PBX, and the names of its actions.
fn pbx(name: &str) -> (Talk, Vec<String>) {
    let profile = Profile::named(name).unwrap();
    let actions = profile.commands.names().map(str::to_owned).collect();
    (Talk::new(profile, Accounts::bench(SECRET)), actions)
}

#[test]
fn any_bytes_are_answered_or_end_the_session() {
    let before = resident();
    let profiles: Vec<&str> = Profile::names().collect();
    let mut life = None;
    for number in STREAMS.numbers() {
        let life_number = number / LIVES_FOR;
        if life.as_ref().is_none_or(|(lived, _)| *lived != life_number) {
            let profile = profiles[usize::try_from(life_number).unwrap() % profiles.len()];
            life = Some((life_number, pbx(profile)));
        }
        let (_, (talk, actions)) = life.as_mut().expect("it was just begun");
        let names: Vec<&str> = actions.iter().map(String::as_str).collect();
        let mut draw = Draw::of(number);
        let key = talk.connect();
        let mut client = Client::new(key.unwrap_or_else(|| panic!("{number}: no room")));
        if draw.below(3) > 0 {
            let events = draw.one(&["on", "off"]);
            let login = format!(
                "Action: Login\r\nUsername: bench\r\nSecret: {SECRET}\r\nEvents: {events}\r\n\r\n"
            );
            client.send(talk, login.as_bytes(), &mut draw);
        }
        let bytes = stream(&mut draw, &names);
        client.send(talk, &bytes, &mut draw);
        client.end(talk, number, &mut draw);
        let most = ANSWER_MAX * (1 + bytes.len() / 100);
        assert!(
            client.heard.len() < most,
            "{number}: {}",
            client.heard.len()
        );
    }
    let growth = resident().saturating_sub(before);
    assert!(growth < GROWTH_MAX, "{growth} bytes more than before");
}

#[test]
fn every_action_of_any_sequence_is_answered_once() {
    let before = resident();
    let profiles: Vec<&str> = Profile::names().collect();
    for number in SEQUENCES.numbers() {
        let mut draw = Draw::of(number);
        let profile = draw.one(&profiles);
        let (mut talk, actions) = pbx(profile);
        let names: Vec<&str> = actions.iter().map(String::as_str).collect();
        // Queues answers without an ActionID; ModuleLoad without arguments answers three times, on a real PBX too.
        let odd = |name: &&str| ["Queues", "ModuleLoad"].contains(name);
        let names: Vec<&str> = names.into_iter().filter(|name| !odd(name)).collect();
        let mut clients: Vec<Client> = (0..=draw.below(2))
            .map(|_| Client::new(talk.login(draw.one(&["Events: on", "Events: off"]))))
            .collect();
        let mut asked = Vec::new();
        for step in 0..=draw.below(20) {
            let who = draw.index(clients.len());
            let id = format!("s{number}-{step}");
            let text = action(&mut draw, &names, &id);
            clients[who].send(&mut talk, text.as_bytes(), &mut draw);
            asked.push((who, id, text));
            talk.pass(Duration::from_millis(draw.below(3000).into()));
        }
        talk.pass(PATIENCE);
        for client in &mut clients {
            // It also ends a WaitEvent that waits for ever.
            client.end(&mut talk, number, &mut draw);
        }
        for (who, id, text) in asked {
            let client = &clients[who];
            let count = responses(&client.heard, &id);
            assert!(
                count == 1 || count == 0 && client.over,
                "{number}, {profile}: {count} answers to {text}"
            );
        }
    }
    let growth = resident().saturating_sub(before);
    assert!(growth < GROWTH_MAX, "{growth} bytes more than before");
}

/// Nor does one that has a fault or a defect panic, whoever sends what: its endless ones end too.
#[test]
fn a_pbx_that_is_wrong_bears_any_bytes() {
    let faults = Fault::all().map(|fault| (Some(fault), None));
    let defects = Defect::all().map(|defect| (None, Some(defect)));
    for (number, (fault, defect)) in (0..).zip(faults.chain(defects)) {
        let (mut talk, actions) = pbx("asterisk-22");
        let names: Vec<&str> = actions.iter().map(String::as_str).collect();
        if let Some(fault) = fault {
            talk.exchange.plant(fault.planted().seeded(number));
        }
        if let Some(defect) = defect {
            talk.exchange.spoil(defect);
        }
        for stream_number in 0..WRONG_STREAMS {
            let mut draw = Draw::of(number * WRONG_STREAMS + stream_number);
            let Some(key) = talk.connect() else { break };
            talk.send(
                key,
                &["Action: Login", "Username: bench", "Secret: <secret>"],
            );
            let bytes = stream(&mut draw, &names);
            for piece in bytes.chunks(100) {
                talk.send_bytes(key, piece);
            }
            talk.pass(PATIENCE);
            talk.hear(key);
            talk.exchange.leave(key);
        }
    }
}

/// Responses to an action, as the decoder of a client sees them.
fn responses(bytes: &[u8], id: &str) -> usize {
    let mut decoder = Decoder::client(Limits::default());
    let (mut input, mut count) = (bytes, 0);
    while let Some(frame) = decoder.decode(&mut input) {
        let is_response = frame.get("Response").is_some() && frame.get("Event").is_none();
        count += usize::from(is_response && frame.get("ActionID") == Some(id.as_bytes()));
    }
    count
}
