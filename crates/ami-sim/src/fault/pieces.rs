//! Bytes and time: how what is said is cut, and what passes between the cuts.

use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

use crate::outbox::{Chunk, Output};

/// Within every deadline of a usual client, and over the second in which a production PBX answers.
const LATE: Duration = Duration::from_millis(1200);
const GATHERED: Duration = Duration::from_millis(200);
const DRIP: Duration = Duration::from_secs(1);
const JITTER_MAX_MS: u32 = 300;
/// Of a modem; an answer of a kilobyte takes a third of a second.
const NARROW_BYTES_PER_S: usize = 3000;
/// A segment of the narrow link.
const NARROW_BYTES: usize = 300;
const CUT_MAX: u32 = 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pieces {
    /// One byte a write.
    Bytes,
    /// Pieces of a few bytes, drawn.
    Cuts,
    /// Between CR and LF, and inside a character of several bytes.
    CutEnds,
    /// Everything of some time in one write.
    Gathered,
    /// A byte a second.
    Drip,
    Late,
    Jitter,
    Narrow,
}

impl Pieces {
    /// The outputs that deliver these bytes.
    pub(super) fn deliver(self, bytes: Vec<u8>, rng: &mut ChaCha8Rng) -> Vec<Output> {
        match self {
            Self::Bytes => pieces(bytes.chunks(1), Duration::ZERO),
            Self::Drip => pieces(bytes.chunks(1), DRIP),
            Self::Narrow => pieces(bytes.chunks(NARROW_BYTES), narrow_pause()),
            Self::Cuts => pieces(drawn(&bytes, rng).into_iter(), Duration::ZERO),
            Self::CutEnds => pieces(
                bytes.chunk_by(|before, after| {
                    !(*before == b'\r' && *after == b'\n' || *before >= 0x80 && *after >= 0x80)
                }),
                Duration::ZERO,
            ),
            Self::Late => after(LATE, bytes),
            Self::Gathered => after(GATHERED, bytes),
            Self::Jitter => {
                let pause = Duration::from_millis((rng.next_u32() % JITTER_MAX_MS).into());
                after(pause, bytes)
            }
        }
    }

    /// Whether what waits behind belongs to the same write.
    pub(super) fn gathers(self) -> bool {
        self == Self::Gathered
    }
}

fn narrow_pause() -> Duration {
    Duration::from_secs(1) * u32::try_from(NARROW_BYTES).expect("it is small")
        / u32::try_from(NARROW_BYTES_PER_S).expect("it is small")
}

fn after(pause: Duration, bytes: Vec<u8>) -> Vec<Output> {
    vec![Output::Stall(pause), Output::Write(Chunk::Owned(bytes))]
}

/// Each piece is a write of its own.
fn pieces<'a>(pieces: impl Iterator<Item = &'a [u8]>, pause: Duration) -> Vec<Output> {
    pieces
        .flat_map(|piece| after(pause, piece.to_vec()))
        .collect()
}

fn drawn<'a>(mut bytes: &'a [u8], rng: &mut ChaCha8Rng) -> Vec<&'a [u8]> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let length = usize::try_from(1 + rng.next_u32() % CUT_MAX).expect("it is small");
        let (piece, rest) = bytes.split_at(length.min(bytes.len()));
        found.push(piece);
        bytes = rest;
    }
    found
}
