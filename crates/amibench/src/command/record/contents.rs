//! What a transcript holds, in a few lines.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use ami_proto::transcript::{Transcript, What};
use ami_proto::{Decoder, FrameKind, Limits};
use anyhow::Context as _;

use crate::exit_code::{Exit, Failure, OrExit};
use crate::print;

/// More names would not be read.
const NAMES_SHOWN: usize = 5;

#[derive(Default)]
struct Contents {
    connections: usize,
    client_bytes: usize,
    server_bytes: usize,
    actions: usize,
    responses: usize,
    /// How many of each.
    events: BTreeMap<String, usize>,
    /// Frames that are not as the protocol has them.
    odd: usize,
}

pub(super) fn read(path: &Path) -> Result<Transcript, Failure> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("failed to read {}", path.display()))
        .or_exit(Exit::BadInput)?;
    Transcript::parse(&text)
        .with_context(|| path.display().to_string())
        .or_exit(Exit::BadInput)
}

pub(super) fn print(path: &Path) -> Result<(), Failure> {
    let contents = Contents::of(&read(path)?);
    print::line(format_args!("{contents}\n{}", path.display()));
    Ok(())
}

impl Contents {
    fn of(transcript: &Transcript) -> Self {
        let mut contents = Self::default();
        let conns: BTreeSet<u32> = transcript.entries.iter().map(|entry| entry.conn).collect();
        contents.connections = conns.len();
        for entry in &transcript.entries {
            match &entry.what {
                What::Client(bytes) => contents.client_bytes += bytes.len(),
                What::Server(bytes) => contents.server_bytes += bytes.len(),
                What::Mark(_) => {}
            }
        }
        for conn in conns {
            let mut decoder = Decoder::client(Limits::default());
            for chunk in transcript.server_chunks(conn) {
                contents.decode(&mut decoder, chunk);
            }
            let mut decoder = Decoder::server(Limits::default());
            for chunk in transcript.client_chunks(conn) {
                contents.decode(&mut decoder, chunk);
            }
        }
        contents
    }

    fn decode(&mut self, decoder: &mut Decoder, mut chunk: &[u8]) {
        while let Some(frame) = decoder.decode(&mut chunk) {
            match frame.kind() {
                FrameKind::Action => self.actions += 1,
                FrameKind::Response => self.responses += 1,
                FrameKind::Event => {
                    let name = frame.text("Event").unwrap_or_default().into_owned();
                    *self.events.entry(name).or_default() += 1;
                }
                FrameKind::Banner | FrameKind::Unclassified => {}
            }
            self.odd += usize::from(!frame.anomalies().is_empty());
        }
    }
}

impl fmt::Display for Contents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |count, one, many| format!("{count} {}", if count == 1 { one } else { many });
        let events = self.events.values().sum::<usize>();
        write!(
            f,
            "{}, {} bytes sent, {} read: {}, {}, {}",
            count(self.connections, "connection", "connections"),
            self.client_bytes,
            self.server_bytes,
            count(self.actions, "action", "actions"),
            count(self.responses, "response", "responses"),
            count(events, "event", "events"),
        )?;
        let mut named: Vec<(&String, &usize)> = self.events.iter().collect();
        named.sort_by_key(|(name, count)| (std::cmp::Reverse(**count), *name));
        let shown = named.iter().take(NAMES_SHOWN);
        let shown: Vec<String> = shown
            .map(|(name, count)| format!("{name} {count}"))
            .collect();
        match (shown.is_empty(), named.len() > NAMES_SHOWN) {
            (true, _) => {}
            (false, false) => write!(f, " ({})", shown.join(", "))?,
            (false, true) => write!(f, " ({}, …)", shown.join(", "))?,
        }
        match self.odd {
            0 => Ok(()),
            odd => write!(
                f,
                "\n{} not as the protocol has them",
                count(odd, "message is", "messages are")
            ),
        }
    }
}
