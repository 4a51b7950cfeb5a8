//! What passed on the connections of a run, as it was read and written: what cases judge, and their evidence.

use std::collections::BTreeMap;
use std::time::Duration;

use ami_proto::session::Secret;
use ami_proto::transcript::{Entry, Mark, What};

use crate::finding::Evidence;
use crate::masking;

/// More than all cases together bring about on a sound PBX by far; beyond it nothing is kept, and cases are inconclusive.
pub const LOG_BYTES_MAX: usize = 256 << 20;

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
    /// What was said there is no AMI as such: HTTP, or bytes that are no TLS.
    Foreign,
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

    /// The bytes that a finding rests on, as far as they were kept; without secrets.
    pub fn excerpt(&self, evidence: &Evidence, secrets: &[Secret]) -> Vec<u8> {
        masking::excerpt(&self.entries, evidence, secrets)
    }

    pub fn manners(&self, conn: u32) -> Manners {
        self.connections
            .get(&conn)
            .copied()
            .unwrap_or(Manners::Proper)
    }
}
