//! What was seen of a PBX, in order: the connections of a transcript with their requests, answers and events.

use std::time::Duration;

use ami_proto::anomaly::Anomaly;
use ami_proto::frame::decode::{Decoder, Limits};
use ami_proto::frame::{Frame, FrameKind, OwnedFrame};
use ami_proto::transcript::{Entry, Mark, What};

use crate::finding::Evidence;
use crate::log::{Manners, Side};

#[derive(Debug)]
pub struct Observed<'a> {
    pub connections: Vec<Connection>,
    entries: &'a [Entry],
}

#[derive(Debug)]
pub struct Connection {
    pub conn: u32,
    pub manners: Manners,
    /// Whether its start was seen, and both sides: only then it is known what was asked.
    pub begun: bool,
    /// Of both sides, in the order in which they were complete.
    pub messages: Vec<Seen>,
    /// Bytes of the PBX that stand behind its last whole message.
    pub torn: usize,
    /// Of the client, behind its last whole request.
    pub unfinished: usize,
    pub end: Option<Mark>,
}

#[derive(Debug)]
pub struct Seen {
    frame: OwnedFrame,
    pub side: Side,
    pub at: Duration,
    conn: u32,
}

impl Seen {
    pub fn frame(&self) -> Frame<'_> {
        self.frame.as_frame()
    }

    pub fn kind(&self) -> FrameKind {
        self.frame().kind()
    }

    pub fn evidence(&self) -> Evidence {
        let frame = self.frame();
        let start = frame.offset();
        Evidence {
            conn: self.conn,
            side: self.side,
            bytes: start..start + frame.bytes().len() as u64,
        }
    }

    pub fn has_anomaly(&self, is: impl Fn(&Anomaly) -> bool) -> bool {
        self.frame().anomalies().iter().any(is)
    }
}

/// Whether it ends a list: by its word, or by its name where the PBX is too old for the word.
pub(crate) fn closes_list(frame: Frame<'_>) -> bool {
    match frame.get("EventList") {
        Some(word) => word.eq_ignore_ascii_case(b"Complete"),
        None => {
            let name = frame.get("Event").unwrap_or_default();
            name.to_ascii_lowercase().ends_with(b"complete")
        }
    }
}

/// Both directions of one connection, being decoded.
struct Decoding {
    connection: Connection,
    client: Decoder,
    server: Decoder,
}

impl<'a> Observed<'a> {
    pub fn of(entries: &'a [Entry], manners: impl Fn(u32) -> Manners) -> Self {
        let mut all: Vec<Decoding> = Vec::new();
        for entry in entries {
            if manners(entry.conn) == Manners::Foreign {
                continue;
            }
            let index = all.iter().position(|one| one.connection.conn == entry.conn);
            let index = index.unwrap_or_else(|| {
                all.push(Decoding::new(entry.conn, manners(entry.conn)));
                all.len() - 1
            });
            all[index].take(entry);
        }
        let connections = all.into_iter().map(Decoding::finish).collect();
        Self {
            connections,
            entries,
        }
    }

    pub fn entries(&self) -> &'a [Entry] {
        self.entries
    }

    /// Connections on which we kept to the protocol.
    pub fn proper(&self) -> impl Iterator<Item = &Connection> {
        self.connections
            .iter()
            .filter(|connection| connection.manners == Manners::Proper)
    }

    /// Those of them that were seen from their start.
    pub fn begun(&self) -> impl Iterator<Item = &Connection> {
        self.proper().filter(|connection| connection.begun)
    }

    /// All that the PBX said there.
    pub fn said(&self) -> impl Iterator<Item = &Seen> {
        self.proper().flat_map(Connection::said)
    }

    pub fn events(&self) -> impl Iterator<Item = &Seen> {
        self.said().filter(|seen| seen.kind() == FrameKind::Event)
    }

    pub fn responses(&self) -> impl Iterator<Item = &Seen> {
        self.said()
            .filter(|seen| seen.kind() == FrameKind::Response)
    }
}

impl Connection {
    pub fn said(&self) -> impl Iterator<Item = &Seen> {
        self.messages
            .iter()
            .filter(|seen| seen.side == Side::Server)
    }

    pub fn requests(&self) -> impl Iterator<Item = &Seen> {
        self.messages
            .iter()
            .filter(|seen| seen.side == Side::Client)
    }
}

impl Decoding {
    fn new(conn: u32, manners: Manners) -> Self {
        Self {
            connection: Connection {
                conn,
                manners,
                begun: false,
                messages: Vec::new(),
                torn: 0,
                unfinished: 0,
                end: None,
            },
            client: Decoder::server(Limits::default()),
            server: Decoder::client(Limits::default()),
        }
    }

    fn take(&mut self, entry: &Entry) {
        let (side, decoder, mut bytes) = match &entry.what {
            What::Client(bytes) => (Side::Client, &mut self.client, bytes.as_slice()),
            What::Server(bytes) => (Side::Server, &mut self.server, bytes.as_slice()),
            What::Mark(Mark::Open) => {
                self.connection.begun = self.connection.messages.is_empty();
                return;
            }
            What::Mark(mark) => {
                self.connection.end = Some(*mark);
                return;
            }
        };
        while let Some(frame) = decoder.decode(&mut bytes) {
            self.connection.messages.push(Seen {
                frame: frame.to_owned(),
                side,
                at: entry.at,
                conn: self.connection.conn,
            });
        }
    }

    fn finish(mut self) -> Connection {
        self.connection.torn = self.server.pending().len();
        self.connection.unfinished = self.client.pending().len();
        self.connection
    }
}
