//! Bytes in, frames out. Any split of the bytes gives the same frames; memory is bounded by `Limits`.
//! Only a frame that straddles two reads is copied, and no byte of it is looked at twice.

use memchr::memchr;

use super::{Frame, Origin};
use crate::anomaly::Anomaly;

mod block;
mod scan;

use scan::Scanner;

/// How much of a read is joined at a time to the start of a frame that the read before held.
/// Small, because what lies behind the frame's end is copied in vain.
const JOIN_MAX: usize = 512;
/// Capacity that is given back after an unusually large frame.
const KEEP_MAX: usize = 64 * 1024;

/// Asterisk itself has no limit on what it sends, so these are ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// A longer line is an anomaly. 64 KiB: no known header comes near it. Never under 64.
    pub line_max: usize,
    /// A longer frame is cut here. 8 MiB: twice the largest Command output seen.
    pub frame_max: usize,
    /// Further lines are not read as headers. 262,144: what a frame of `frame_max` holds with 32 bytes a line.
    pub headers_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            line_max: 64 * 1024,
            frame_max: 8 * 1024 * 1024,
            headers_max: 256 * 1024,
        }
    }
}

impl Limits {
    fn clamped(self) -> Self {
        const LINE_OFFSET_MAX: usize = u32::MAX as usize;
        Self {
            line_max: self.line_max.max(block::LEN),
            frame_max: self.frame_max.clamp(block::LEN, LINE_OFFSET_MAX),
            headers_max: self.headers_max.clamp(1, LINE_OFFSET_MAX),
        }
    }
}

#[derive(Debug)]
pub struct Decoder {
    limits: Limits,
    scanner: Scanner,
    /// The start of a frame whose end has not come yet.
    held: Vec<u8>,
    phase: Phase,
    /// Of the current frame, in the stream.
    offset: u64,
}

/// What became of the bytes before, and so what the next byte means.
#[derive(Debug, Clone, Copy)]
enum Phase {
    Receiving,
    /// Over `frame_max`: everything up to the next empty line is lost.
    Dropping {
        line: LineSoFar,
        dropped: u64,
    },
    /// The call before returned a frame of that many bytes; the next call forgets it.
    Delivered {
        len: u64,
    },
}

#[derive(Debug, Clone, Copy)]
enum LineSoFar {
    Empty,
    LoneCr,
    Text,
}

struct Complete<'b> {
    place: Place<'b>,
    dropped: u64,
}

enum Place<'b> {
    InRead(&'b [u8]),
    Held,
}

impl Decoder {
    /// Reads what a server sends: the first line is the banner.
    pub fn client(limits: Limits) -> Self {
        Self::new(limits, Origin::Banner)
    }

    /// Reads what a client sends: frames from the first byte, and an empty line alone is a frame too,
    /// because a server answers it.
    pub fn server(limits: Limits) -> Self {
        Self::new(limits, Origin::Client)
    }

    fn new(limits: Limits, origin: Origin) -> Self {
        let limits = limits.clamped();
        let scanner = Scanner::new(limits, origin);
        Self {
            limits,
            scanner,
            held: Vec::new(),
            phase: Phase::Receiving,
            offset: 0,
        }
    }

    /// Advances `input` past the frame that it returns; `None` means that all of `input` was taken.
    pub fn decode<'a, 'b: 'a>(&'a mut self, input: &mut &'b [u8]) -> Option<Frame<'a>> {
        if let Phase::Delivered { len } = self.phase {
            self.forget(len);
        }
        let Complete { place, dropped } = self.advance(input)?;
        let bytes = match place {
            Place::InRead(bytes) => bytes,
            Place::Held => &self.held,
        };
        self.scanner.seal(bytes, dropped);
        self.phase = Phase::Delivered {
            len: bytes.len() as u64 + dropped,
        };
        Some(Frame {
            bytes,
            lines: self.scanner.lines(),
            anomalies: self.scanner.anomalies(),
            layout: self.scanner.layout(self.offset),
        })
    }

    /// The bytes of the frame that is not complete yet.
    pub fn pending(&self) -> &[u8] {
        match self.phase {
            Phase::Delivered { .. } => &[],
            Phase::Receiving | Phase::Dropping { .. } => &self.held,
        }
    }

    /// At the end of the stream: what was left over.
    pub fn finish(&mut self) -> Option<Anomaly> {
        let held = self.pending();
        let dropped = match self.phase {
            Phase::Dropping { dropped, .. } => dropped,
            Phase::Receiving | Phase::Delivered { .. } => 0,
        };
        let bytes = held.len() as u64 + dropped;
        let anomaly = match self.scanner.only_blank_lines(held) {
            _ if bytes == 0 => None,
            Some(lines) if dropped == 0 => Some(Anomaly::ExtraBlankLines { lines }),
            _ => Some(Anomaly::TornFrame { bytes }),
        };
        match self.phase {
            Phase::Delivered { len } => self.forget(len),
            Phase::Receiving | Phase::Dropping { .. } => self.forget(bytes),
        }
        anomaly
    }

    fn forget(&mut self, len: u64) {
        self.offset += len;
        self.phase = Phase::Receiving;
        self.held.clear();
        if self.held.capacity() > KEEP_MAX {
            self.held = Vec::new();
        }
        self.scanner.reset();
    }

    fn advance<'b>(&mut self, input: &mut &'b [u8]) -> Option<Complete<'b>> {
        if let Phase::Dropping { line, dropped } = self.phase {
            return self.drop_rest(input, line, dropped);
        }
        if self.held.is_empty() {
            let window = &input[..input.len().min(self.limits.frame_max)];
            if let Some(end) = self.scanner.scan(window) {
                let (frame, rest) = input.split_at(end);
                *input = rest;
                return Some(Complete {
                    place: Place::InRead(frame),
                    dropped: 0,
                });
            }
            self.held.extend_from_slice(window);
            *input = &input[window.len()..];
        }
        while self.held.len() < self.limits.frame_max {
            if input.is_empty() {
                return None;
            }
            let before = self.held.len();
            let joined = input
                .len()
                .min(JOIN_MAX)
                .min(self.limits.frame_max - before);
            self.held.extend_from_slice(&input[..joined]);
            if let Some(end) = self.scanner.scan(&self.held) {
                self.held.truncate(end);
                *input = &input[end - before..];
                return Some(Complete {
                    place: Place::Held,
                    dropped: 0,
                });
            }
            *input = &input[joined..];
        }
        let line = LineSoFar::Empty.and(self.scanner.line_so_far(&self.held));
        self.drop_rest(input, line, 0)
    }

    /// Goes on to the next empty line without keeping anything.
    fn drop_rest<'b>(
        &mut self,
        input: &mut &'b [u8],
        mut line: LineSoFar,
        mut dropped: u64,
    ) -> Option<Complete<'b>> {
        while let Some(at) = memchr(b'\n', input) {
            line = line.and(&input[..at]);
            *input = &input[at + 1..];
            dropped += at as u64 + 1;
            if matches!(line, LineSoFar::Empty | LineSoFar::LoneCr) {
                return Some(Complete {
                    place: Place::Held,
                    dropped,
                });
            }
            line = LineSoFar::Empty;
        }
        line = line.and(input);
        dropped += input.len() as u64;
        *input = &[];
        self.phase = Phase::Dropping { line, dropped };
        None
    }
}

impl LineSoFar {
    fn and(self, more: &[u8]) -> Self {
        match (self, more) {
            (line, b"") => line,
            (Self::Empty, b"\r") => Self::LoneCr,
            _ => Self::Text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::FrameKind;

    /// Each frame as `kind: headers joined by |`, with its anomalies.
    fn frames(wire: &[u8]) -> Vec<String> {
        let mut decoder = Decoder::client(Limits::default());
        let mut input = wire;
        let mut seen = Vec::new();
        while let Some(frame) = decoder.decode(&mut input) {
            let lines: Vec<_> = frame
                .lines()
                .map(|line| line.escape_ascii().to_string())
                .collect();
            let anomalies: String = frame
                .anomalies()
                .iter()
                .map(|anomaly| format!(" ({anomaly})"))
                .collect();
            seen.push(format!(
                "{:?}: {}{anomalies}",
                frame.kind(),
                lines.join("|")
            ));
        }
        seen.extend(decoder.finish().map(|anomaly| format!("end ({anomaly})")));
        seen
    }

    fn check(wire: &str, expected: &[&str]) {
        assert_eq!(frames(wire.as_bytes()), expected);
    }

    #[test]
    fn a_banner_then_messages() {
        check(
            "Asterisk Call Manager/2.8.0\r\nResponse: Success\r\nPing: Pong\r\n\r\nEvent: A\r\n\r\n",
            &[
                "Banner: Asterisk Call Manager/2.8.0",
                "Response: Response: Success|Ping: Pong",
                "Event: Event: A",
            ],
        );
    }

    #[test]
    fn each_message_says_what_is_odd_about_it() {
        check(
            "PBX Call Manager/11.0.0\n\r\n\r\nEvent: A\nno colon\nB:\n\n\nfoo\r\n\r\nEv",
            &[
                "Banner: PBX Call Manager/11.0.0 (line 1 ends with LF alone)",
                "Event: Event: A|no colon|B: (line 1 ends with LF alone) (line 2 has no colon) (2 empty lines before the message)",
                "Unclassified: foo (line 1 has no colon) (1 empty lines before the message)",
                "end (the stream ended 2 bytes into a message)",
            ],
        );
    }

    #[test]
    fn empty_lines_at_the_end_are_no_torn_message() {
        check(
            "M/1\r\nEvent: A\r\n\r\n\r\n",
            &[
                "Banner: M/1",
                "Event: Event: A",
                "end (1 empty lines before the message)",
            ],
        );
    }

    #[test]
    fn a_decoder_goes_on_after_the_end_of_its_stream() {
        let mut decoder = Decoder::client(Limits::default());
        let mut input = &b"M/1\r\nEvent: torn\r\n"[..];
        while decoder.decode(&mut input).is_some() {}
        assert_eq!(decoder.pending(), b"Event: torn\r\n");
        assert_eq!(decoder.finish(), Some(Anomaly::TornFrame { bytes: 13 }));
        assert_eq!(decoder.finish(), None);
        let mut input = &b"Event: A\r\n\r\n"[..];
        let frame = decoder
            .decode(&mut input)
            .expect("a new message is not glued to the torn one");
        assert_eq!(frame.bytes(), b"Event: A\r\n\r\n");
    }

    /// What is behind a message is not touched until the next call.
    #[test]
    fn input_is_advanced_by_one_frame_a_call() {
        let mut decoder = Decoder::server(Limits::default());
        let mut input = &b"Action: A\r\n\r\n\r\nAction: B\r\n\r\nAct"[..];
        for rest in [
            &b"\r\nAction: B\r\n\r\nAct"[..],
            b"Action: B\r\n\r\nAct",
            b"Act",
        ] {
            assert!(decoder.decode(&mut input).is_some());
            assert_eq!(input, rest);
        }
        assert!(decoder.decode(&mut input).is_none());
        assert!(input.is_empty());
    }

    /// Only servers answer with Command text.
    #[test]
    fn a_client_cannot_open_a_body() {
        let mut decoder = Decoder::server(Limits::default());
        let mut input = &b"Response: Follows\r\n\r\nAction: Ping\r\n\r\n"[..];
        let frame = decoder.decode(&mut input).expect("the empty line ends it");
        assert_eq!(
            (frame.body(), frame.kind()),
            (None, FrameKind::Unclassified)
        );
        let frame = decoder.decode(&mut input).expect("the next is in step");
        assert_eq!(frame.kind(), FrameKind::Action);
    }

    fn looked_at_for(stream: &[u8], read_len: usize) -> (usize, usize) {
        let mut decoder = Decoder::server(Limits::default());
        block::tests::LOOKED_AT.set(0);
        let mut frames = 0;
        for mut read in stream.chunks(read_len) {
            while decoder.decode(&mut read).is_some() {
                frames += 1;
            }
        }
        (frames, block::tests::LOOKED_AT.get())
    }

    /// Linear: a message in small reads is looked at once, byte by byte.
    #[test]
    fn s01_four_megabytes_in_small_reads_are_scanned_once() {
        for megabytes in [1, 4] {
            let line = "Output: PJSIP/1000-00000001  default  1000  Up\r\n";
            let message = format!("{}\r\n", line.repeat(megabytes * 1_000_000 / line.len()));
            assert_eq!(looked_at_for(message.as_bytes(), 1460), (1, message.len()));
        }
    }

    /// Only the rest of the block in which a message ends is looked at again, for the next message.
    #[test]
    fn s01_many_messages_are_scanned_once_but_for_their_last_block() {
        let stream = "Action: Ping\r\nActionID: 1\r\n\r\n".repeat(10_000);
        for read_len in [61, 1460, 64 * 1024] {
            let (frames, looked_at) = looked_at_for(stream.as_bytes(), read_len);
            assert_eq!(frames, 10_000);
            assert!(
                looked_at < stream.len() + frames * block::LEN,
                "{looked_at}"
            );
        }
    }

    /// What a large message needed is given back with the next call; what a usual one needed is kept.
    #[test]
    fn s08_memory_of_a_large_message_is_given_back() {
        for (headers, kept) in [(200_000, false), (8000, true)] {
            let mut decoder = Decoder::server(Limits::default());
            let message = format!("Action: A\r\n{}\r\n", "B: 1\r\n".repeat(headers));
            let (mut frames, mut largest) = (0, 0);
            for mut read in message.as_bytes().chunks(1000) {
                while decoder.decode(&mut read).is_some() {
                    frames += 1;
                }
                largest = largest.max(decoder.held.capacity());
            }
            assert_eq!(frames, 1);
            assert_eq!(largest <= KEEP_MAX, kept);
            assert_eq!(decoder.held.capacity(), if kept { largest } else { 0 });
            assert_eq!(decoder.scanner.lines_capacity() >= headers, kept);
        }
    }
}
