//! A session of the simulated PBX: whatever a client sends in whatever reads, it is answered or ended, and what is said is
//! sound AMI.

use std::sync::OnceLock;
use std::time::Duration;

use ami_proto::{Decoder, Limits};
use ami_sim::{Accounts, Addresses, Appetite, Exchange, Output, Pbx, Profile, SessionKey};

const SECRET: &str = "secret";
const EPOCH: Duration = Duration::from_secs(1_795_248_936);
/// More than any action takes: a session that reads nothing for so long has hung.
const PATIENCE: Duration = Duration::from_secs(600);
const TICK: Duration = Duration::from_secs(5);
/// An answer is bounded by what a request may ask for: ListCommands, and lists of what earlier requests left behind.
const HEARD_MAX: usize = 8 << 20;
const FENCE: &[u8] = b"\r\n\r\n\r\n\r\nAction: Ping\r\nActionID: the-fence\r\n\r\n";

/// One client, and all that it heard.
struct Client {
    exchange: Exchange,
    key: SessionKey,
    now: Duration,
    heard: Vec<u8>,
    over: bool,
}

/// A byte that picks the profile, one for the login and the length of reads, then what the client sends.
pub fn run(data: &[u8]) {
    let [profile, how, stream @ ..] = data else {
        return;
    };
    let mut client = Client::connect(*profile);
    if how & 1 == 1 {
        let login =
            format!("Action: Login\r\nUsername: bench\r\nSecret: {SECRET}\r\nEvents: on\r\n\r\n");
        client.send(login.as_bytes(), usize::MAX);
    }
    client.send(stream, usize::from(how >> 1) * 16 + 1);
    client.end();
}

impl Client {
    fn connect(profile: u8) -> Self {
        // Reading the profiles would take longer than most sessions.
        static PROFILES: OnceLock<Vec<Profile>> = OnceLock::new();
        let profiles =
            PROFILES.get_or_init(|| Profile::names().filter_map(Profile::named).collect());
        let profile = profiles[usize::from(profile) % profiles.len()].clone();
        let mut exchange = Exchange::new(Pbx::new(profile, Accounts::bench(SECRET), 7, EPOCH));
        let addresses = Addresses {
            local: ([127, 0, 0, 1], 5038).into(),
            remote: ([127, 0, 0, 1], 40_000).into(),
        };
        let now = Duration::from_secs(1);
        let key = exchange
            .accept(now, addresses)
            .expect("the first client is let in");
        Self {
            exchange,
            key,
            now,
            heard: Vec::new(),
            over: false,
        }
    }

    fn hear(&mut self) {
        while let Some(output) = self.exchange.poll_output(self.key) {
            match output {
                Output::Write(chunk) => self.heard.extend_from_slice(chunk.bytes()),
                Output::Fin | Output::Reset => self.over = true,
                Output::Stall(_) | Output::HalfClose => {}
            }
        }
        assert!(self.heard.len() < HEARD_MAX, "it says more and more");
    }

    fn pass(&mut self, span: Duration) {
        let end = self.now + span;
        while let Some(at) = self.exchange.poll_timeout().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.exchange.handle_timeout(self.now);
        }
        self.now = end;
    }

    /// As a driver does: only what the session wants to read.
    fn send(&mut self, bytes: &[u8], read_len: usize) {
        for read in bytes.chunks(read_len) {
            let mut waited = Duration::ZERO;
            self.hear();
            while !self.over && self.exchange.appetite(self.key) == Appetite::None {
                assert!(waited < PATIENCE, "it never reads again");
                self.pass(TICK);
                waited += TICK;
                self.hear();
            }
            if self.over {
                return;
            }
            self.exchange.handle_input(self.now, self.key, read);
        }
    }

    /// A Ping behind it all is answered, or the session has ended; no message is left half said.
    fn end(mut self) {
        self.send(FENCE, usize::MAX);
        let mut waited = Duration::ZERO;
        loop {
            self.hear();
            if self.over || self.heard.windows(9).any(|window| window == b"the-fence") {
                break;
            }
            assert!(waited < PATIENCE, "neither an answer nor an end");
            self.pass(TICK);
            waited += TICK;
            // What was read together with a WaitEvent does not end it: only what comes later does.
            self.send(b"\r\n", usize::MAX);
        }
        self.exchange.leave(self.key);
        let mut decoder = Decoder::client(Limits::default());
        let mut input = self.heard.as_slice();
        while decoder.decode(&mut input).is_some() {}
        assert_eq!(decoder.finish(), None, "a message is torn");
    }
}
