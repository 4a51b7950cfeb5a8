//! What passed on the connections of a run, as it was read and written: what cases judge, and their evidence.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use ami_proto::session::Secret;
use ami_proto::transcript::{Entry, Mark, What};

use crate::finding::Evidence;
use crate::masking;

/// More than all cases together bring about on a sound PBX by far; beyond it nothing is kept, and cases are inconclusive.
pub const LOG_BYTES_MAX: usize = 256 << 20;

/// No line with a secret is longer.
const AROUND: u64 = 4096;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    Client,
    Server,
}

/// How a connection was used: what rude frames bring about says nothing about proper ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manners {
    Proper,
    Rude,
}

#[derive(Debug, Default)]
pub struct Log {
    entries: Vec<Entry>,
    bytes: usize,
    connections: BTreeMap<u32, Manners>,
}

impl Log {
    pub fn open(&mut self, at: Duration, manners: Manners) -> u32 {
        let conn = u32::try_from(self.connections.len()).unwrap_or(u32::MAX);
        self.connections.insert(conn, manners);
        self.mark(at, conn, Mark::Open);
        conn
    }

    pub fn chunk(&mut self, at: Duration, conn: u32, side: Side, bytes: &[u8]) {
        self.bytes += bytes.len();
        if self.is_full() {
            return;
        }
        let what = match side {
            Side::Client => What::Client(bytes.to_vec()),
            Side::Server => What::Server(bytes.to_vec()),
        };
        self.entries.push(Entry { at, conn, what });
    }

    pub fn mark(&mut self, at: Duration, conn: u32, mark: Mark) {
        let what = What::Mark(mark);
        self.entries.push(Entry { at, conn, what });
    }

    pub fn is_full(&self) -> bool {
        self.bytes > LOG_BYTES_MAX
    }

    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// As it may be written down: secrets are gone, offsets stay.
    pub fn masked(&self, secrets: &[Secret]) -> Vec<Entry> {
        masking::masked(&self.entries, secrets)
    }

    /// A stretch of what passed, without secrets: what `bytes` lead to, as far as it was kept.
    pub fn excerpt(&self, evidence: &Evidence, secrets: &[Secret]) -> Vec<u8> {
        let Range { start, end } = evidence.bytes;
        // A secret that reaches into the stretch is only known by what stands around it.
        let around = start.saturating_sub(AROUND)..end + AROUND;
        let mut bytes = Vec::new();
        let mut offset = 0;
        for entry in &self.entries {
            let ((What::Client(chunk), Side::Client) | (What::Server(chunk), Side::Server)) =
                (&entry.what, evidence.side)
            else {
                continue;
            };
            if entry.conn != evidence.conn {
                continue;
            }
            let within = |at: u64| usize::try_from(at.saturating_sub(offset)).unwrap_or(usize::MAX);
            let (from, to) = (within(around.start), within(around.end));
            bytes.extend_from_slice(&chunk[from.min(chunk.len())..to.min(chunk.len())]);
            offset += chunk.len() as u64;
        }
        masking::mask(&mut bytes, secrets);
        let length = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
        let from = length(start - around.start).min(bytes.len());
        let to = from.saturating_add(length(end - start)).min(bytes.len());
        bytes[from..to].to_vec()
    }

    pub fn manners(&self, conn: u32) -> Manners {
        self.connections
            .get(&conn)
            .copied()
            .unwrap_or(Manners::Proper)
    }
}
