//! Finds the lines of one frame and its end. Resumable at any byte: what was scanned is never scanned again.
//! Header blocks go 64 bytes at a time; the banner and Command bodies, which are rare, line by line.

use memchr::memchr;

use super::Limits;
use super::block::{self, Masks};
use crate::anomaly::Anomaly;
use crate::frame::{Body, Layout, Origin};
use crate::header::{Line, is_blank, offset, value_of, without_cr};

/// A banner longer than this is none. The longest known, a proxy's, has under 100 bytes.
const BANNER_MAX: usize = 1024;
/// Capacity that is given back after an unusually long frame.
const LINES_KEEP_MAX: usize = 8 * 1024;
const END_OF_COMMAND: &[u8] = b"--END COMMAND--";

#[derive(Debug)]
pub(super) struct Scanner {
    limits: Limits,
    origin: Origin,
    mode: Mode,
    lines: Vec<Line>,
    /// Lines beyond `headers_max`.
    lines_dropped: u32,
    anomalies: Vec<Anomaly>,
    /// Empty lines before the first header.
    blank_lines: u32,
    head: usize,
    body: Option<Body>,
    /// Bytes of the frame looked at so far.
    scanned: usize,
    line_start: usize,
    /// Of the unfinished line, if it has one already.
    colon: Option<usize>,
    after_cr: bool,
    not_ascii: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Banner,
    Headers,
    /// After `Response: Follows`: the two headers that a server puts before the text.
    BeforeBody {
        privilege: Seen,
        action_id: Seen,
    },
    /// `marker` is where `--END COMMAND--` stands in the line before, if it ended that line.
    Body {
        start: usize,
        marker: Option<usize>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    No,
    Yes,
}

impl Scanner {
    pub(super) fn new(limits: Limits, origin: Origin) -> Self {
        let mode = if origin == Origin::Banner {
            Mode::Banner
        } else {
            Mode::Headers
        };
        Self {
            limits,
            origin,
            mode,
            lines: Vec::new(),
            lines_dropped: 0,
            anomalies: Vec::new(),
            blank_lines: 0,
            head: 0,
            body: None,
            scanned: 0,
            line_start: 0,
            colon: None,
            after_cr: false,
            not_ascii: false,
        }
    }

    /// Forgets the frame; the next byte starts another.
    pub(super) fn reset(&mut self) {
        if self.origin == Origin::Banner {
            self.origin = Origin::Server;
        }
        self.mode = Mode::Headers;
        self.lines.clear();
        if self.lines.capacity() > LINES_KEEP_MAX {
            self.lines = Vec::new();
        }
        self.lines_dropped = 0;
        self.anomalies.clear();
        self.blank_lines = 0;
        self.head = 0;
        self.body = None;
        self.scanned = 0;
        self.line_start = 0;
        self.colon = None;
        self.after_cr = false;
        self.not_ascii = false;
    }

    pub(super) fn lines(&self) -> &[Line] {
        &self.lines
    }

    pub(super) fn anomalies(&self) -> &[Anomaly] {
        &self.anomalies
    }

    pub(super) fn layout(&self, offset_in_stream: u64) -> Layout {
        Layout {
            origin: self.origin,
            head: offset(self.head),
            body: self.body,
            offset: offset_in_stream,
        }
    }

    /// What is there of the unfinished line.
    pub(super) fn line_so_far<'f>(&self, frame: &'f [u8]) -> &'f [u8] {
        frame.get(self.line_start..).unwrap_or_default()
    }

    /// The number of empty lines, if nothing else is there.
    pub(super) fn only_blank_lines(&self, frame: &[u8]) -> Option<u32> {
        (self.lines.is_empty() && self.line_so_far(frame).is_empty()).then_some(self.blank_lines)
    }

    /// `frame` is all that has come of the frame; returns its length once its end is there.
    pub(super) fn scan(&mut self, frame: &[u8]) -> Option<usize> {
        if self.mode == Mode::Banner
            && let Some(end) = self.scan_banner(frame)
        {
            return Some(end);
        }
        if self.mode == Mode::Headers
            && let Some(end) = self.scan_headers(frame)
        {
            return Some(end);
        }
        match self.mode {
            Mode::BeforeBody { .. } | Mode::Body { .. } => self.scan_body(frame),
            Mode::Banner | Mode::Headers => None,
        }
    }

    /// Adds what can be said only when the frame is complete, or was cut at `frame_max`.
    pub(super) fn seal(&mut self, frame: &[u8], dropped: u64) {
        if self.blank_lines > 0 {
            self.note(Anomaly::ExtraBlankLines {
                lines: self.blank_lines,
            });
        }
        if self.lines_dropped > 0 {
            self.note(Anomaly::TooManyHeaders {
                dropped: self.lines_dropped,
            });
        }
        if dropped > 0 {
            self.note(Anomaly::FrameTooLong { dropped });
            if let Mode::Body { start, .. } = self.mode {
                self.body = Some(Body {
                    start: offset(start),
                    end: offset(frame.len()),
                });
            }
        }
        let broken = |error: std::str::Utf8Error| dropped == 0 || error.error_len().is_some();
        if self.not_ascii && std::str::from_utf8(frame).is_err_and(broken) {
            self.note(Anomaly::NotUtf8);
        }
    }

    fn scan_banner(&mut self, frame: &[u8]) -> Option<usize> {
        let banner_max = BANNER_MAX.min(self.limits.frame_max);
        self.not_ascii = true;
        loop {
            let line_feed = memchr(b'\n', &frame[self.scanned..]).map(|at| self.scanned + at);
            let line_end = line_feed.unwrap_or(frame.len());
            if line_end - self.line_start >= banner_max {
                let cut = self.line_start + banner_max;
                self.note(Anomaly::LineTooLong { line: 1 });
                self.lines.push(Line::new(cut, cut));
                return Some(cut);
            }
            self.scanned = line_end;
            let line = &frame[self.line_start..line_feed?];
            if !is_blank(line) {
                return self.end_banner(line);
            }
            self.skip_blank_line(line_end);
        }
    }

    /// A proxy may greet with any text, but a line that begins a message is no greeting.
    fn end_banner(&mut self, line: &[u8]) -> Option<usize> {
        let colon = memchr(b':', line);
        let name = &line[..colon.unwrap_or(0)];
        if name.eq_ignore_ascii_case(b"Response") || name.eq_ignore_ascii_case(b"Event") {
            self.note(Anomaly::MissingBanner);
            self.origin = Origin::Server;
            self.mode = Mode::Headers;
            self.scanned = self.line_start;
            self.not_ascii = false;
            return None;
        }
        let end = self.line_start + line.len();
        self.push_line(self.line_start + colon.unwrap_or(line.len()), end);
        if !line.ends_with(b"\r") {
            self.note(Anomaly::BareLf { line: 1 });
        }
        Some(end + 1)
    }

    fn scan_headers(&mut self, frame: &[u8]) -> Option<usize> {
        while self.scanned < frame.len() {
            let base = self.scanned;
            let (block, len) = block::load(frame, base);
            let masks = Masks::of(&block);
            if self.lines.is_empty() && masks.line_feed != 0 {
                let line_end = base + masks.line_feed.trailing_zeros() as usize;
                let line = &frame[self.line_start..line_end];
                if is_blank(line) {
                    self.skip_blank_line(line_end);
                    if self.origin == Origin::Client {
                        self.blank_lines = 0;
                        return Some(self.scanned);
                    }
                    continue;
                }
                if self.origin == Origin::Server && is_follows(line) {
                    self.begin_follows(line);
                    return None;
                }
            }
            let line_number = self.line_number();
            let end = self.walk(frame, base, masks);
            let within = end.map_or(u64::MAX, |end| u64::MAX >> (63 - (end - 1 - base)));
            self.note_block(masks, within, line_number);
            if end.is_some() {
                return end;
            }
            self.after_cr = masks.carriage_return >> (len - 1) & 1 == 1;
            self.scanned = base + len;
        }
        None
    }

    /// Takes the lines that end in this block; returns the frame's length if an empty one is among them.
    ///
    /// `firsts` has one bit a line: its first colon, or its line feed if it has none. The addition carries each line's
    /// start through the bytes that are neither, up to the first that is one.
    #[inline(always)]
    fn walk(&mut self, frame: &[u8], base: usize, masks: Masks) -> Option<usize> {
        let mut line_feeds = masks.line_feed;
        let stops = line_feeds | masks.colon;
        let starts = line_feeds << 1 | u64::from(self.colon.is_none());
        let mut firsts = starts.wrapping_add(!stops) & stops;
        let mut colon_before = self.colon.take();
        while line_feeds != 0 {
            let end = base + line_feeds.trailing_zeros() as usize;
            let colon = colon_before.take().unwrap_or_else(|| {
                let first = base + firsts.trailing_zeros() as usize;
                firsts &= firsts - 1;
                first
            });
            if colon == end {
                if is_blank(&frame[self.line_start..end]) {
                    return Some(end + 1);
                }
                self.note(Anomaly::NoColon {
                    line: self.line_number(),
                });
            }
            self.push_line(colon, end);
            line_feeds &= line_feeds - 1;
        }
        self.colon = if firsts == 0 {
            colon_before
        } else {
            Some(base + firsts.trailing_zeros() as usize)
        };
        None
    }

    #[inline(always)]
    fn note_block(&mut self, masks: Masks, within: u64, line_number: u32) {
        let bare =
            masks.line_feed & within & !(masks.carriage_return << 1 | u64::from(self.after_cr));
        if bare != 0 {
            let lines_before = (masks.line_feed & ((bare & bare.wrapping_neg()) - 1)).count_ones();
            self.note(Anomaly::BareLf {
                line: line_number + lines_before,
            });
        }
        self.not_ascii |= masks.not_ascii & within != 0;
    }

    fn begin_follows(&mut self, line: &[u8]) {
        let end = self.line_start + line.len();
        self.push_line(self.line_start + "Response".len(), end);
        if !line.ends_with(b"\r") {
            self.note(Anomaly::BareLf { line: 1 });
        }
        self.mode = Mode::BeforeBody {
            privilege: Seen::No,
            action_id: Seen::No,
        };
        self.scanned = end + 1;
        self.not_ascii = true;
    }

    fn scan_body(&mut self, frame: &[u8]) -> Option<usize> {
        while let Some(at) = memchr(b'\n', &frame[self.scanned..]) {
            let (start, end) = (self.line_start, self.scanned + at);
            let line = &frame[start..end];
            self.scanned = end + 1;
            if self.push_if_before_body(line) {
                continue;
            }
            self.line_start = end + 1;
            let (body_start, marker) = match self.mode {
                Mode::Body { start, marker } => (start, marker),
                Mode::BeforeBody { .. } | Mode::Banner | Mode::Headers => (start, None),
            };
            if let Some(marker) = marker
                && is_blank(line)
            {
                self.body = Some(Body {
                    start: offset(body_start),
                    end: offset(marker),
                });
                return Some(end + 1);
            }
            let text = without_cr(line);
            let marker = text
                .ends_with(END_OF_COMMAND)
                .then(|| start + text.len() - END_OF_COMMAND.len());
            self.mode = Mode::Body {
                start: body_start,
                marker,
            };
        }
        self.scanned = frame.len();
        None
    }

    /// Servers put `Privilege` and `ActionID` before the text, each at most once; anything else is text,
    /// even if it looks like a header.
    fn push_if_before_body(&mut self, line: &[u8]) -> bool {
        let Mode::BeforeBody {
            privilege,
            action_id,
        } = &mut self.mode
        else {
            return false;
        };
        let Some(colon) = memchr(b':', line) else {
            return false;
        };
        let seen = match &line[..colon] {
            name if name.eq_ignore_ascii_case(b"Privilege") => privilege,
            name if name.eq_ignore_ascii_case(b"ActionID") => action_id,
            _ => return false,
        };
        if std::mem::replace(seen, Seen::Yes) == Seen::Yes {
            return false;
        }
        self.push_line(self.line_start + colon, self.line_start + line.len());
        true
    }

    fn skip_blank_line(&mut self, line_end: usize) {
        self.blank_lines = self.blank_lines.saturating_add(1);
        self.scanned = line_end + 1;
        self.line_start = self.scanned;
        self.head = self.scanned;
        self.after_cr = false;
    }

    #[inline(always)]
    fn push_line(&mut self, colon: usize, end: usize) {
        if end - self.line_start > self.limits.line_max {
            self.note(Anomaly::LineTooLong {
                line: self.line_number(),
            });
        }
        if self.lines.len() < self.limits.headers_max {
            self.lines.push(Line::new(colon, end));
        } else {
            self.lines_dropped = self.lines_dropped.saturating_add(1);
        }
        self.line_start = end + 1;
    }

    /// Of the unfinished line, from 1.
    fn line_number(&self) -> u32 {
        offset(self.lines.len())
            .saturating_add(self.lines_dropped)
            .saturating_add(1)
    }

    #[cold]
    fn note(&mut self, anomaly: Anomaly) {
        let kind = std::mem::discriminant(&anomaly);
        if self
            .anomalies
            .iter()
            .all(|noted| std::mem::discriminant(noted) != kind)
        {
            self.anomalies.push(anomaly);
        }
    }
}

fn is_follows(line: &[u8]) -> bool {
    const NAME: &[u8] = b"Response:";
    line.get(..NAME.len())
        .is_some_and(|name| name.eq_ignore_ascii_case(NAME))
        && value_of(&line[NAME.len()..]).eq_ignore_ascii_case(b"Follows")
}
