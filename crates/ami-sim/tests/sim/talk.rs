//! A conversation with a simulated PBX without sockets: what is sent, what is heard, and time that passes at will.

use std::time::Duration;

use ami_proto::{Decoder, Limits};
use ami_sim::{Accounts, Addresses, Exchange, Output, Pbx, Profile, SessionKey};

pub(crate) const SECRET: &str = "<secret>";
const EPOCH: Duration = Duration::from_secs(1_795_248_936);

pub(crate) struct Talk {
    pub(crate) exchange: Exchange,
    pub(crate) now: Duration,
}

/// What one session said since it was last listened to.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    pub(crate) bytes: Vec<u8>,
    pub(crate) closed: bool,
}

/// One message: names and values in order. A Command body comes under the name `body`.
pub(crate) type Fields = Vec<(String, String)>;

impl Talk {
    pub(crate) fn new(profile: Profile, accounts: Accounts) -> Self {
        Self {
            exchange: Exchange::new(Pbx::new(profile, accounts, 7, EPOCH)),
            now: Duration::from_secs(1),
        }
    }

    pub(crate) fn with(profile: &str) -> Self {
        Self::new(Profile::named(profile).unwrap(), Accounts::bench(SECRET))
    }

    pub(crate) fn connect(&mut self) -> Option<SessionKey> {
        let addresses = Addresses {
            local: "127.0.0.1:13070".parse().unwrap(),
            remote: "127.0.0.1:40000".parse().unwrap(),
        };
        self.exchange.accept(self.now, addresses)
    }

    /// A session that is logged in; what it heard until then is gone.
    pub(crate) fn login(&mut self, events: &str) -> SessionKey {
        let key = self.connect().unwrap();
        self.send(
            key,
            &[
                "Action: Login",
                "Username: bench",
                "Secret: <secret>",
                events,
            ],
        );
        assert!(self.hear(key).text().contains("Authentication accepted"));
        key
    }

    /// One action, its empty lines left out.
    pub(crate) fn send(&mut self, key: SessionKey, lines: &[&str]) {
        let lines: String = lines
            .iter()
            .filter(|line| !line.is_empty())
            .map(|line| format!("{line}\r\n"))
            .collect();
        self.send_bytes(key, format!("{lines}\r\n").as_bytes());
    }

    pub(crate) fn send_bytes(&mut self, key: SessionKey, bytes: &[u8]) {
        self.exchange.handle_input(self.now, key, bytes);
    }

    /// The messages that answer one action.
    pub(crate) fn ask(&mut self, key: SessionKey, lines: &[&str]) -> Vec<Fields> {
        self.send(key, lines);
        self.hear(key).messages()
    }

    pub(crate) fn pass(&mut self, span: Duration) {
        let end = self.now + span;
        while let Some(at) = self.exchange.poll_timeout().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.exchange.handle_timeout(self.now);
        }
        self.now = end;
    }

    pub(crate) fn hear(&mut self, key: SessionKey) -> Heard {
        let mut heard = Heard::default();
        while let Some(output) = self.exchange.poll_output(key) {
            match output {
                Output::Write(chunk) => heard.bytes.extend_from_slice(chunk.bytes()),
                Output::Fin | Output::Reset => {
                    heard.closed = true;
                    self.exchange.leave(key);
                }
                Output::Stall(_) | Output::HalfClose => {}
            }
        }
        heard
    }
}

impl Heard {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    pub(crate) fn messages(&self) -> Vec<Fields> {
        messages(&self.bytes)
    }
}

/// All messages of a stream, after its banner if there is one.
pub(crate) fn messages(bytes: &[u8]) -> Vec<Fields> {
    let mut rest = match bytes.iter().position(|byte| *byte == b'\n') {
        Some(end) if bytes.starts_with(b"Asterisk Call Manager/") => &bytes[end + 1..],
        _ => bytes,
    };
    let mut decoder = Decoder::server(Limits::default());
    let mut found = Vec::new();
    while let Some(frame) = decoder.decode(&mut rest) {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let mut fields: Fields = frame
            .headers()
            .map(|header| (text(header.name), text(header.value)))
            .collect();
        fields.extend(frame.body().map(|body| ("body".to_owned(), text(body))));
        found.push(fields);
    }
    assert_eq!(decoder.finish(), None, "no message is torn");
    found
}

pub(crate) fn value<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    fields
        .iter()
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.as_str())
}

/// Messages in one line each, `Name: value` joined by ` | `, for comparison with a literal.
pub(crate) fn lines(messages: &[Fields]) -> Vec<String> {
    let line = |fields: &Fields| {
        let headers: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        headers.join(" | ")
    };
    messages.iter().map(line).collect()
}
