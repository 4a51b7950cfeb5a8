//! One direction of a TCP connection: its bytes once and in order, whatever came twice, late or never.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use super::super::begins;
use super::super::packet::Segment;

/// Enough to tell what is spoken.
pub(super) const HEAD_BYTES: usize = 64;
/// More is never under way between two hosts without large windows; then what is awaited was lost by the capture.
const WAITING_BYTES_MAX: usize = 8 << 20;

#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) at: Duration,
    pub(super) bytes: Vec<u8>,
    pub(super) behind_hole: bool,
}

#[derive(Debug)]
pub(super) struct Direction {
    pub(super) from: SocketAddr,
    pub(super) begun: bool,
    pub(super) chunks: Vec<Chunk>,
    /// How many were heard, each once.
    pub(super) bytes: u64,
    pub(super) missing: u64,
    pub(super) resent: u64,
    pub(super) reordered: u64,
    pub(super) rst_at: Option<Duration>,
    /// Otherwise only counted.
    pub(super) keeps: bool,
    head: Vec<u8>,
    first: Option<u32>,
    /// How far the bytes go that are in order, counted from the first.
    reached: u64,
    /// What came before earlier bytes, by its place.
    waiting: BTreeMap<u64, (Duration, Vec<u8>)>,
    waiting_bytes: usize,
    /// Where it ends, and when that was said.
    fin: Option<(u64, Duration)>,
    last_at: Duration,
}

impl Direction {
    pub(super) fn new(from: SocketAddr) -> Self {
        Self {
            from,
            begun: false,
            chunks: Vec::new(),
            bytes: 0,
            missing: 0,
            resent: 0,
            reordered: 0,
            rst_at: None,
            keeps: true,
            head: Vec::new(),
            first: None,
            reached: 0,
            waiting: BTreeMap::new(),
            waiting_bytes: 0,
            fin: None,
            last_at: Duration::ZERO,
        }
    }

    pub(super) fn begins_elsewhere(&self, seq: u32) -> bool {
        self.first.is_some_and(|first| first != seq.wrapping_add(1))
    }

    /// How many bytes were kept.
    pub(super) fn take(&mut self, at: Duration, segment: &Segment<'_>) -> usize {
        let seq = segment.seq.wrapping_add(u32::from(segment.syn));
        if self.first.is_none() && (segment.syn || !segment.payload.is_empty()) {
            self.first = Some(seq);
            self.begun = segment.syn;
        }
        if segment.rst {
            self.rst_at.get_or_insert(at);
        }
        let Some(first) = self.first else {
            return 0;
        };
        // Numbers come again after 4 GiB: half of all are ahead, half behind.
        let next = first.wrapping_add(low_half(self.reached));
        let ahead = i64::from(seq.wrapping_sub(next).cast_signed());
        let Some(place) = self.reached.checked_add_signed(ahead) else {
            self.resent += 1;
            return 0;
        };
        if segment.fin {
            self.fin = Some((place + segment.payload.len() as u64, at));
        }
        if segment.payload.is_empty() {
            return 0;
        }
        if ahead > 0 {
            self.wait(place, at, segment.payload);
            return self.give_up_when_full();
        }
        let kept = self.accept(place, at, segment.payload, Hole::None);
        kept + self.catch_up(at)
    }

    fn wait(&mut self, place: u64, at: Duration, bytes: &[u8]) {
        self.reordered += 1;
        let longer = |known: &(Duration, Vec<u8>)| known.1.len() >= bytes.len();
        if self.waiting.get(&place).is_some_and(longer) {
            self.resent += 1;
            return;
        }
        self.waiting_bytes += bytes.len();
        if let Some((_, old)) = self.waiting.insert(place, (at, bytes.to_vec())) {
            self.waiting_bytes -= old.len();
        }
    }

    /// Bytes from `place`, of which some may be known already.
    fn accept(&mut self, place: u64, at: Duration, bytes: &[u8], hole: Hole) -> usize {
        let known = usize::try_from(self.reached.saturating_sub(place)).unwrap_or(usize::MAX);
        let Some(new) = bytes.get(known..).filter(|new| !new.is_empty()) else {
            self.resent += 1;
            return 0;
        };
        self.reached += new.len() as u64;
        self.bytes += new.len() as u64;
        let room = HEAD_BYTES - self.head.len();
        self.head.extend_from_slice(&new[..new.len().min(room)]);
        self.last_at = self.last_at.max(at);
        if !self.keeps {
            return 0;
        }
        self.chunks.push(Chunk {
            at: self.last_at,
            bytes: new.to_vec(),
            behind_hole: hole == Hole::Before,
        });
        new.len()
    }

    /// What was waiting for the bytes that are there now.
    fn catch_up(&mut self, at: Duration) -> usize {
        let mut kept = 0;
        while let Some(first) = self.waiting.first_entry() {
            if *first.key() > self.reached {
                break;
            }
            let (place, (_, bytes)) = first.remove_entry();
            self.waiting_bytes -= bytes.len();
            kept += self.accept(place, at, &bytes, Hole::None);
        }
        kept
    }

    fn give_up_when_full(&mut self) -> usize {
        let mut kept = 0;
        while self.waiting_bytes > WAITING_BYTES_MAX {
            kept += self.jump();
        }
        kept
    }

    /// Over the bytes that never came.
    fn jump(&mut self) -> usize {
        let Some((place, (at, bytes))) = self.waiting.pop_first() else {
            return 0;
        };
        self.waiting_bytes -= bytes.len();
        let hole = place - self.reached;
        self.missing += hole;
        self.reached = place;
        let kept = self.accept(place, at, &bytes, Hole::Before);
        kept + self.catch_up(at)
    }

    pub(super) fn finish(&mut self) {
        while !self.waiting.is_empty() {
            self.jump();
        }
        if let Some((end, _)) = self.fin {
            self.missing += end.saturating_sub(self.reached);
        }
    }

    /// Of an end behind which nothing is missing.
    pub(super) fn fin_at(&self) -> Option<Duration> {
        self.fin
            .filter(|(end, _)| *end == self.reached)
            .map(|(_, at)| at)
    }

    pub(super) fn head(&self) -> &[u8] {
        &self.head
    }

    pub(super) fn has_message(&self) -> bool {
        self.tells() || self.has(b"action:")
    }

    /// Whether it says what only a PBX says.
    pub(super) fn tells(&self) -> bool {
        self.has(b"event: ") || self.has(b"response: ")
    }

    /// Whether a chunk begins with this word, or a line does.
    fn has(&self, word: &[u8]) -> bool {
        self.chunks.iter().any(|chunk| {
            let mut lines = chunk.bytes.split(|byte| *byte == b'\n');
            lines.any(|line| begins(line, word))
        })
    }
}

fn low_half(place: u64) -> u32 {
    u32::try_from(place & u64::from(u32::MAX)).unwrap_or_default()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hole {
    None,
    Before,
}
