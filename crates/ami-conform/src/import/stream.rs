//! From segments to sessions: which side is the PBX, what was lost, and the entries of a transcript.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use ami_proto::transcript::{Entry, Mark, What};

use super::packet::Segment;
use super::{ImportError, Recording, begins};
use crate::log::LOG_BYTES_MAX;

mod direction;

use direction::{Chunk, Direction};

/// A TCP connection in a capture of packets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// From 1, in the order of their first packets.
    pub number: usize,
    pub client: SocketAddr,
    pub server: SocketAddr,
    /// Since the first packet of the capture.
    pub started: Duration,
    pub ended: Duration,
    pub client_bytes: u64,
    pub server_bytes: u64,
    pub content: Content,
    /// Whether its first packet is in the capture.
    pub begun: bool,
    /// Bytes that the capture lacks, of both sides.
    pub missing: u64,
    /// Segments that came twice, and such as came before an earlier one.
    pub resent: u64,
    pub reordered: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    Ami,
    Tls,
    Http,
    Other,
    Nothing,
}

/// All connections of a capture, while it is being read.
#[derive(Debug)]
pub(super) struct Flows {
    flows: Vec<Flow>,
    /// The latest flow of two addresses, the lower one first.
    latest: HashMap<(SocketAddr, SocketAddr), usize>,
    wanted: Option<usize>,
    kept: usize,
}

#[derive(Debug)]
struct Flow {
    sides: [Direction; 2],
    /// Who opened it, if that was seen: an index of `sides`.
    client: Option<usize>,
    started: Duration,
    ended: Duration,
}

impl Flows {
    pub(super) fn new(wanted: Option<usize>) -> Self {
        Self {
            flows: Vec::new(),
            latest: HashMap::new(),
            wanted,
            kept: 0,
        }
    }

    pub(super) fn take(&mut self, at: Duration, segment: &Segment<'_>) {
        let ends = (segment.from.min(segment.to), segment.from.max(segment.to));
        let opens = segment.syn && !segment.ack;
        let index = match self.latest.get(&ends) {
            Some(index) if !(opens && self.flows[*index].is_over(segment)) => *index,
            _ => {
                self.flows.push(Flow::new(at, segment));
                self.latest.insert(ends, self.flows.len() - 1);
                self.flows.len() - 1
            }
        };
        let is_wanted = self.wanted.is_none_or(|number| number == index + 1);
        let flow = &mut self.flows[index];
        let keeps = is_wanted && flow.may_be_ami() && self.kept < LOG_BYTES_MAX;
        flow.sides.iter_mut().for_each(|side| side.keeps = keeps);
        self.kept += flow.take(at, segment);
    }

    pub(super) fn finish(mut self, recording: &mut Recording) -> Result<(), ImportError> {
        if let Some(asked) = self.wanted
            && !(1..=self.flows.len()).contains(&asked)
        {
            let found = self.flows.len();
            return Err(ImportError::NoStream { asked, found });
        }
        if self.kept >= LOG_BYTES_MAX {
            recording.notes.push(format!(
                "only the first {} MiB were kept, what came later is not judged; --stream N takes one session",
                LOG_BYTES_MAX >> 20
            ));
        }
        let mut conn = 0;
        for (index, flow) in self.flows.iter_mut().enumerate() {
            let session = flow.finish(index + 1);
            let is_wanted = self.wanted.is_none_or(|number| number == index + 1);
            if is_wanted && session.content == Content::Ami {
                note(&session, recording);
                flow.entries(&session, &mut conn, &mut recording.entries);
            }
            recording.sessions.push(session);
        }
        Ok(())
    }
}

fn note(session: &Session, recording: &mut Recording) {
    if session.missing > 0 {
        recording.notes.push(format!(
            "session {}: the capture lacks {} bytes; what stands behind a hole is judged as a connection met in the middle",
            session.number, session.missing
        ));
    }
}

impl Flow {
    fn new(at: Duration, segment: &Segment<'_>) -> Self {
        let client = segment.syn.then_some(usize::from(segment.ack));
        Self {
            sides: [Direction::new(segment.from), Direction::new(segment.to)],
            client,
            started: at,
            ended: at,
        }
    }

    /// Whether a segment that opens a connection opens another one than this.
    fn is_over(&self, opening: &Segment<'_>) -> bool {
        let side = self.side(opening.from);
        self.sides[side].begins_elsewhere(opening.seq)
    }

    fn side(&self, from: SocketAddr) -> usize {
        usize::from(self.sides[0].from != from)
    }

    /// How many bytes were kept.
    fn take(&mut self, at: Duration, segment: &Segment<'_>) -> usize {
        let side = self.side(segment.from);
        self.ended = self.ended.max(at);
        if self.client.is_none() && segment.syn {
            self.client = Some(if segment.ack { 1 - side } else { side });
        }
        self.sides[side].take(at, segment)
    }

    /// Until enough was seen of it, everything may.
    fn may_be_ami(&self) -> bool {
        matches!(self.content(), Content::Ami | Content::Nothing)
    }

    fn content(&self) -> Content {
        let heads = [self.sides[0].head(), self.sides[1].head()];
        let of = heads.map(content_of);
        if of.contains(&Content::Ami) {
            return Content::Ami;
        }
        let told = of.into_iter().find(|one| *one != Content::Nothing);
        match told {
            // Met in the middle of a message, perhaps.
            Some(Content::Other) if self.client.is_none() => Content::Ami,
            told => told.unwrap_or(Content::Nothing),
        }
    }

    fn finish(&mut self, number: usize) -> Session {
        self.sides.iter_mut().for_each(Direction::finish);
        let client = self.client.unwrap_or_else(|| self.guessed_client());
        let [said, heard] = [&self.sides[client], &self.sides[1 - client]];
        let both = self.sides.iter().any(Direction::has_message);
        let content = match self.content() {
            Content::Ami if self.client.is_none() && !both => Content::Other,
            content => content,
        };
        Session {
            number,
            client: said.from,
            server: heard.from,
            started: self.started,
            ended: self.ended,
            client_bytes: said.bytes,
            server_bytes: heard.bytes,
            content,
            begun: self.client.is_some() && said.begun && heard.begun,
            missing: said.missing + heard.missing,
            resent: said.resent + heard.resent,
            reordered: said.reordered + heard.reordered,
        }
    }

    /// Where nobody was seen to open it: the PBX tells events, and its port is the lower one.
    fn guessed_client(&self) -> usize {
        match (self.sides[0].tells(), self.sides[1].tells()) {
            (true, false) => 1,
            (false, true) => 0,
            _ => usize::from(self.sides[0].from.port() < self.sides[1].from.port()),
        }
    }

    /// A hole ends a connection, and begins one that was met in the middle.
    fn entries(&self, session: &Session, conn: &mut u32, entries: &mut Vec<Entry>) {
        let client = usize::from(self.sides[0].from != session.client);
        let mut chunks: Vec<(usize, &Chunk)> = Vec::new();
        for (side, direction) in self.sides.iter().enumerate() {
            chunks.extend(direction.chunks.iter().map(|chunk| (side, chunk)));
        }
        chunks.sort_by_key(|(_, chunk)| chunk.at);
        let mut push = |at, conn: u32, what| entries.push(Entry { at, conn, what });
        if session.begun {
            push(self.started, *conn, What::Mark(Mark::Open));
        }
        for (side, chunk) in chunks {
            if chunk.behind_hole {
                push(chunk.at, *conn, What::Mark(Mark::CaptureEnd));
                *conn += 1;
            }
            let bytes = chunk.bytes.clone();
            let what = if side == client {
                What::Client(bytes)
            } else {
                What::Server(bytes)
            };
            push(chunk.at, *conn, what);
        }
        push(self.ended, *conn, What::Mark(self.end(client)));
        *conn += 1;
    }

    /// Who ended it first, behind all that he said.
    fn end(&self, client: usize) -> Mark {
        let ends = [
            (self.sides[client].fin_at(), Mark::ClientFin),
            (self.sides[client].rst_at, Mark::ClientRst),
            (self.sides[1 - client].fin_at(), Mark::Fin),
            (self.sides[1 - client].rst_at, Mark::Rst),
        ];
        let seen = ends.into_iter().filter_map(|(at, mark)| Some((at?, mark)));
        seen.min_by_key(|(at, _)| *at)
            .map_or(Mark::CaptureEnd, |(_, mark)| mark)
    }
}

/// By the first bytes of a side.
fn content_of(head: &[u8]) -> Content {
    let begins = |words: &[&str]| words.iter().any(|word| begins(head, word.as_bytes()));
    let has_banner = || head.windows(8).any(|part| part == b"Manager/");
    match head {
        [] => Content::Nothing,
        [0x14..=0x17, 0x03, ..] => Content::Tls,
        _ if begins(&["GET ", "POST ", "HTTP/"]) => Content::Http,
        _ if begins(&["Action:", "Event:", "Response:"]) => Content::Ami,
        _ if has_banner() => Content::Ami,
        _ if head.len() < direction::HEAD_BYTES / 2 => Content::Nothing,
        _ => Content::Other,
    }
}
