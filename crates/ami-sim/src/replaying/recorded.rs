//! A recording as requests, each with what was said because of it or behind it.

use std::collections::BTreeMap;
use std::time::Duration;

use ami_proto::frame::decode::{Decoder, Limits};
use ami_proto::frame::{Frame, FrameKind, OwnedFrame};
use ami_proto::transcript::{Entry, Mark, What};

use super::Request;

/// They are others each time: ids that a client chooses, and what it hands to its calls.
const PASSING: [&str; 4] = ["actionid", "channelid", "otherchannelid", "commandid"];
const OF_CALLS: &str = "variable";
/// How Asterisk begins to say that it has no such action.
const UNKNOWN: &[u8] = b"Invalid/unknown command";

#[derive(Debug, Default)]
pub(super) struct Connection {
    /// Before the first request; after the time since the connection was opened.
    pub(super) greeting: Vec<Said>,
    pub(super) asked: Vec<Asked>,
}

#[derive(Debug)]
pub(super) struct Said {
    /// The request that it belongs to.
    pub(super) after: Duration,
    pub(super) bytes: Vec<u8>,
}

#[derive(Debug)]
pub(super) struct Asked {
    request: OwnedFrame,
    headers: Vec<(String, Vec<u8>)>,
    pub(super) at: Duration,
    pub(super) said: Vec<Said>,
    /// The PBX closed the connection, so long after it.
    pub(super) ends: Option<Duration>,
    answer: Answer,
    pub(super) used: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Missing,
    Given,
    Refused,
}

/// Both directions, being decoded.
struct Reading {
    client: Decoder,
    server: Decoder,
    opened: Duration,
    connection: Connection,
}

/// Those on which the PBX said something, in the order in which they were opened.
pub(super) fn connections(entries: &[Entry]) -> Vec<Connection> {
    let mut readings: BTreeMap<u32, Reading> = BTreeMap::new();
    let mut order = Vec::new();
    for entry in entries {
        let reading = readings.entry(entry.conn).or_insert_with(|| {
            order.push(entry.conn);
            Reading::new(entry.at)
        });
        reading.take(entry);
    }
    let read = order.iter().filter_map(|conn| readings.remove(conn));
    let said = |one: &Connection| {
        !one.greeting.is_empty() || one.asked.iter().any(|asked| !asked.said.is_empty())
    };
    read.map(|reading| reading.connection)
        .filter(said)
        .collect()
}

/// What tells a request from others of its action.
pub(super) fn telling(frame: Frame<'_>) -> Vec<(String, Vec<u8>)> {
    let headers = frame.headers().map(|header| {
        let name = String::from_utf8_lossy(header.name).to_ascii_lowercase();
        let value = if name == "action" {
            header.value.to_ascii_lowercase()
        } else {
            header.value.to_vec()
        };
        (name, value)
    });
    let places = frame
        .get("Action")
        .is_some_and(|action| action.eq_ignore_ascii_case(b"Originate"));
    let passes = |name: &str| PASSING.contains(&name) || (places && name == OF_CALLS);
    let mut headers: Vec<_> = headers.filter(|(name, _)| !passes(name)).collect();
    headers.sort();
    headers
}

impl Reading {
    fn new(opened: Duration) -> Self {
        Self {
            client: Decoder::server(Limits::default()),
            server: Decoder::client(Limits::default()),
            opened,
            connection: Connection::default(),
        }
    }

    fn take(&mut self, entry: &Entry) {
        let connection = &mut self.connection;
        match &entry.what {
            What::Client(bytes) => {
                let mut bytes = bytes.as_slice();
                while let Some(frame) = self.client.decode(&mut bytes) {
                    connection.asked.push(Asked::of(frame, entry.at));
                }
            }
            What::Server(bytes) => {
                let mut bytes = bytes.as_slice();
                while let Some(frame) = self.server.decode(&mut bytes) {
                    connection.hear(frame, entry.at, self.opened);
                }
            }
            What::Mark(Mark::Fin | Mark::Rst) => {
                if let Some(last) = connection.asked.last_mut() {
                    let after = entry.at.saturating_sub(last.at);
                    last.ends = Some(after);
                    let bytes = self.server.pending().to_vec();
                    if !bytes.is_empty() {
                        last.said.push(Said { after, bytes });
                    }
                }
            }
            What::Mark(_) => {}
        }
    }
}

impl Connection {
    fn hear(&mut self, frame: Frame<'_>, at: Duration, opened: Duration) {
        let bytes = frame.bytes().to_vec();
        match self.whose(frame) {
            Some(asked) => {
                let after = at.saturating_sub(asked.at);
                if frame.kind() == FrameKind::Response {
                    asked.answer = match frame.get("Response") {
                        Some(b"Error") => Answer::Refused,
                        _ => Answer::Given,
                    };
                }
                asked.said.push(Said { after, bytes });
            }
            None => {
                let after = at.saturating_sub(opened);
                self.greeting.push(Said { after, bytes });
            }
        }
    }

    /// Answers belong to their request, everything else to the one before it.
    fn whose(&mut self, frame: Frame<'_>) -> Option<&mut Asked> {
        let id = frame.get("ActionID");
        let is_answer = frame.kind() == FrameKind::Response;
        let own = match (is_answer, id) {
            (true, _) => self.asked.iter().position(|asked| {
                asked.answer == Answer::Missing && (id.is_none() || asked.id() == id)
            }),
            (false, Some(_)) => self.asked.iter().rposition(|asked| asked.id() == id),
            (false, None) => None,
        };
        let last = self.asked.len().checked_sub(1)?;
        self.asked.get_mut(own.unwrap_or(last))
    }
}

impl Asked {
    fn of(frame: Frame<'_>, at: Duration) -> Self {
        Self {
            request: frame.to_owned(),
            headers: telling(frame),
            at,
            said: Vec::new(),
            ends: None,
            answer: Answer::Missing,
            used: false,
        }
    }

    fn frame(&self) -> Frame<'_> {
        self.request.as_frame()
    }

    pub(super) fn id(&self) -> Option<&[u8]> {
        self.frame().get("ActionID")
    }

    pub(super) fn is_named(&self, action: &str) -> bool {
        let name = self.frame().get("Action").unwrap_or_default();
        name.eq_ignore_ascii_case(action.as_bytes())
    }

    /// Every login that was accepted is like another: a recording holds no secret to tell them by.
    pub(super) fn is(&self, request: &Request) -> bool {
        if request.action.eq_ignore_ascii_case("Login") {
            return self.is_named("Login") && self.answer == Answer::Given;
        }
        if request.action.eq_ignore_ascii_case("Challenge") {
            return self.is_named("Challenge") && self.answer == Answer::Given;
        }
        self.headers == request.headers
    }

    pub(super) fn username(&self) -> Option<&str> {
        let username = self.frame().get("Username")?;
        std::str::from_utf8(username).ok()
    }

    /// Of the channel that it dialled: as it asked for, or as it shows.
    pub(super) fn call_id(&self) -> Option<Vec<u8>> {
        let request = self.frame();
        if let Some(id) = request.get("ChannelId") {
            return Some(id.to_vec());
        }
        let dialled = request.get("Channel")?;
        self.said.iter().find_map(|said| {
            let mut decoder = Decoder::client(Limits::default());
            let mut bytes = said.bytes.as_slice();
            let frame = decoder.decode(&mut bytes)?;
            let begins = frame.get("Event") == Some(b"Newchannel");
            let channel = frame.get("Channel").filter(|_| begins)?;
            let is_it = channel.starts_with(dialled) && channel.get(dialled.len()) == Some(&b'-');
            frame.get("Uniqueid").filter(|_| is_it).map(<[u8]>::to_vec)
        })
    }

    /// How the PBX said that it has no such action, if it did here.
    pub(super) fn unknown_command(&self) -> Option<String> {
        self.said.iter().find_map(|said| {
            let mut decoder = Decoder::client(Limits::default());
            let mut bytes = said.bytes.as_slice();
            let frame = decoder.decode(&mut bytes)?;
            let message = frame
                .get("Message")
                .filter(|text| text.starts_with(UNKNOWN))?;
            Some(String::from_utf8_lossy(message).into_owned())
        })
    }
}
