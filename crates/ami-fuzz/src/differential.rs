//! The decoder beside the one in `reference`, on the same bytes in other reads.
//!
//! Differences that are allowed: none. What the two disagreed on when they first met was mended in one of them, and stands
//! in `regressions/differential` under the name of what it was.

use ami_proto::Frame;

use crate::decoder::{decoded, reads, setup};
use crate::reference::{self, Seen, Stream, Text};

/// A byte for the setup, one for the length of the reads, then the stream.
pub fn run(data: &[u8]) {
    let [first, len, stream @ ..] = data else {
        return;
    };
    let (side, limits) = setup(*first);
    let found = decoded(side.decoder(limits), reads(stream, &[*len]));
    let found = Stream {
        frames: found
            .frames
            .iter()
            .map(|frame| seen(&frame.as_frame()))
            .collect(),
        pending: found.pending,
        end: found.end,
    };
    assert_eq!(found, reference::read(stream, side, limits));
}

fn seen(frame: &Frame<'_>) -> Seen {
    let header = |header: ami_proto::header::Header<'_>| (header.name.into(), header.value.into());
    Seen {
        kind: frame.kind(),
        offset: frame.offset(),
        bytes: frame.bytes().into(),
        lines: frame.lines().map(Text::from).collect(),
        headers: frame.headers().map(header).collect(),
        body: frame.body().map(Text::from),
        anomalies: frame.anomalies().to_vec(),
    }
}
