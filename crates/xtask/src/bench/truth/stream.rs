//! Puts the segments of one direction of a TCP connection together again, and remembers which byte came when.

use std::collections::BTreeMap;

/// A TCP segment as it was captured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Segment {
    /// Nanoseconds since the epoch.
    pub(super) at: u64,
    pub(super) stream: u32,
    pub(super) source_port: u16,
    /// Of the first byte, relative to the connection's first.
    pub(super) sequence: u64,
    pub(super) payload: Vec<u8>,
}

/// One direction, as far as it was captured without a gap.
#[derive(Debug, Default)]
pub(super) struct Stream {
    pub(super) bytes: Vec<u8>,
    /// From which offset on the bytes came when, in order.
    marks: Vec<(usize, u64)>,
    next: Option<u64>,
    /// Segments ahead of a gap, by their sequence.
    ahead: BTreeMap<u64, (u64, Vec<u8>)>,
}

impl Stream {
    pub(super) fn push(&mut self, segment: &Segment) {
        self.next.get_or_insert(segment.sequence);
        let held = (segment.at, segment.payload.clone());
        self.ahead.entry(segment.sequence).or_insert(held);
        while let Some(first) = self.ahead.first_entry() {
            let next = self.next.expect("set above");
            let Some(known) = next.checked_sub(*first.key()) else {
                return;
            };
            let (at, payload) = first.remove();
            // Sent again, wholly or in part: the first time counts.
            let known = usize::try_from(known).unwrap_or(usize::MAX);
            if let Some(new) = payload.get(known..).filter(|new| !new.is_empty()) {
                self.marks.push((self.bytes.len(), at));
                self.bytes.extend_from_slice(new);
                self.next = Some(next + u64::try_from(new.len()).expect("usize fits 64 bits"));
            }
        }
    }

    /// When the byte at `offset` came.
    pub(super) fn time_of(&self, offset: usize) -> Option<u64> {
        let after = self.marks.partition_point(|(from, _)| *from <= offset);
        self.marks.get(after.checked_sub(1)?).map(|(_, at)| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Segments as `(at, sequence, text)`; the times are those of each byte.
    fn check(segments: &[(u64, u64, &str)], bytes: &str, times: &[u64]) {
        let mut stream = Stream::default();
        for &(at, sequence, text) in segments {
            stream.push(&Segment {
                at,
                stream: 0,
                source_port: 1,
                sequence,
                payload: text.as_bytes().to_vec(),
            });
        }
        assert_eq!(stream.bytes, bytes.as_bytes());
        let came: Vec<u64> = (0..bytes.len())
            .map(|offset| stream.time_of(offset).unwrap())
            .collect();
        assert_eq!(came, times);
    }

    #[test]
    fn bytes_keep_the_time_of_their_segment() {
        check(&[(5, 1, "ab"), (7, 3, "c")], "abc", &[5, 5, 7]);
        check(&[], "", &[]);
    }

    #[test]
    fn segments_out_of_order_are_put_in_order() {
        check(&[(1, 1, "a"), (2, 3, "c"), (3, 2, "b")], "abc", &[1, 3, 2]);
    }

    #[test]
    fn what_is_sent_again_counts_once() {
        check(
            &[(1, 1, "ab"), (2, 1, "ab"), (3, 2, "bc")],
            "abc",
            &[1, 1, 3],
        );
    }

    #[test]
    fn nothing_behind_a_gap_is_believed() {
        check(&[(1, 1, "a"), (2, 9, "z")], "a", &[1]);
    }
}
