//! Finds the lines of one frame and its end. Resumable at any byte: what was scanned is never scanned again.
//! Header blocks go 64 bytes at a time; the banner and Command bodies, which are rare, line by line.

use memchr::memchr;

use super::Limits;
use super::block::{self, Block, CarryIn};
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
    at: Cursor,
}

/// How far the frame was looked at.
#[derive(Debug, Clone, Copy, Default)]
struct Cursor {
    scanned: usize,
    line_start: usize,
    /// Of the unfinished line, if it has one already.
    colon: Option<u32>,
    after_cr: bool,
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

enum FirstLine {
    Header,
    /// Empty, before the frame.
    Skipped,
    /// Empty, from a client: a frame by itself.
    EndOfFrame,
    Follows,
}

impl Cursor {
    #[inline(always)]
    fn carry_in(self) -> CarryIn {
        let lone_cr = self.after_cr && self.line_start + 1 == self.scanned;
        CarryIn {
            line_start: u64::from(self.line_start == self.scanned),
            open_line: u64::from(self.colon.is_none()),
            cr: u64::from(self.after_cr),
            lone_cr: u64::from(lone_cr),
        }
    }
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
            at: Cursor::default(),
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
        self.at = Cursor::default();
    }

    pub(super) fn lines(&self) -> &[Line] {
        &self.lines
    }

    #[cfg(test)]
    pub(super) fn lines_capacity(&self) -> usize {
        self.lines.capacity()
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
        frame.get(self.at.line_start..).unwrap_or_default()
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
        // Found block by block, they come in an order that depends on the reads.
        self.anomalies.sort_unstable();
    }

    fn scan_banner(&mut self, frame: &[u8]) -> Option<usize> {
        let banner_max = BANNER_MAX.min(self.limits.frame_max);
        loop {
            let line_feed = memchr(b'\n', &frame[self.at.scanned..]).map(|at| self.at.scanned + at);
            let line_end = line_feed.unwrap_or(frame.len());
            if line_end - self.at.line_start >= banner_max {
                let cut = self.at.line_start + banner_max;
                self.note(Anomaly::LineTooLong { line: 1 });
                self.lines.push(Line {
                    colon: offset(cut),
                    end: offset(cut),
                });
                return Some(cut);
            }
            self.at.scanned = line_end;
            let line = &frame[self.at.line_start..line_feed?];
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
            self.at.scanned = self.at.line_start;
            return None;
        }
        let end = self.at.line_start + line.len();
        self.push_line(self.at.line_start + colon.unwrap_or(line.len()), end);
        if !line.ends_with(b"\r") {
            self.note(Anomaly::BareLf { line: 1 });
        }
        Some(end + 1)
    }

    fn scan_headers(&mut self, frame: &[u8]) -> Option<usize> {
        let mut at = self.at;
        while at.scanned < frame.len() {
            let base = at.scanned;
            let (bytes, len) = block::load(frame, base);
            let block = Block::of(&bytes);
            if self.lines.is_empty() && block.line_feeds != 0 {
                self.at = at;
                let line_end = base + block.line_feeds.trailing_zeros() as usize;
                match self.take_first_line(frame, line_end) {
                    FirstLine::Header => {}
                    FirstLine::Skipped => {
                        at = self.at;
                        continue;
                    }
                    FirstLine::EndOfFrame => return Some(line_end + 1),
                    FirstLine::Follows => return None,
                }
            }
            let carry = at.carry_in();
            let blank = block.blank_lines(carry);
            let bare = block.bare_line_feeds(carry) & block::up_to_first(blank);
            if bare != 0 {
                let line = self.line_number() + block.lines_before(bare);
                self.note(Anomaly::BareLf { line });
            }
            self.take_lines(&mut at, block, carry, block::below_first(blank));
            if blank != 0 {
                return Some(base + blank.trailing_zeros() as usize + 1);
            }
            at.after_cr = block.carriage_returns >> (len - 1) & 1 == 1;
            at.scanned = base + len;
        }
        self.at = at;
        None
    }

    /// Decides what the first line makes of the frame; takes it only if it is no ordinary header.
    fn take_first_line(&mut self, frame: &[u8], line_end: usize) -> FirstLine {
        let line = &frame[self.at.line_start..line_end];
        if is_blank(line) {
            if self.origin == Origin::Client {
                return FirstLine::EndOfFrame;
            }
            self.skip_blank_line(line_end);
            return FirstLine::Skipped;
        }
        if self.origin == Origin::Server && is_follows(line) {
            self.begin_follows(line);
            return FirstLine::Follows;
        }
        FirstLine::Header
    }

    /// Takes the lines that end in this block before the frame does.
    #[inline(always)]
    fn take_lines(&mut self, at: &mut Cursor, block: Block, carry: CarryIn, within: u64) {
        let base = offset(at.scanned);
        let firsts = block.first_stops(carry);
        let mut ends = block.line_feeds & within;
        if ends == 0 {
            if firsts != 0 {
                at.colon = Some(base + firsts.trailing_zeros());
            }
            return;
        }
        if ends & firsts != 0 {
            let line = self.line_number() + block.lines_before(ends & firsts);
            self.note(Anomaly::NoColon { line });
        }
        let first_end = at.scanned + Block::position(ends) as usize;
        if first_end - at.line_start > self.limits.line_max {
            self.note(Anomaly::LineTooLong {
                line: self.line_number(),
            });
        }
        let last = 63 - ends.leading_zeros();
        let unfinished = firsts & !(u64::MAX >> (63 - last));

        // A line whose colon came in an earlier block has no bit in `firsts`; its own end stands in for it.
        let stand_in = if at.colon.is_some() {
            ends & ends.wrapping_neg()
        } else {
            0
        };
        let mut colons = firsts | stand_in;
        let first = self.lines.len();
        while ends != 0 {
            let colon = base + Block::position(colons);
            self.lines.push(Line {
                colon,
                end: base + ends.trailing_zeros(),
            });
            colons &= colons.wrapping_sub(1);
            ends &= ends - 1;
        }
        let first = &mut self.lines[first];
        first.colon = at.colon.unwrap_or(first.colon);
        at.colon = (unfinished != 0).then(|| base + Block::position(unfinished));
        at.line_start = at.scanned + last as usize + 1;
        if self.lines.len() > self.limits.headers_max {
            self.drop_lines();
        }
    }

    #[cold]
    fn drop_lines(&mut self) {
        let dropped = self.lines.len().saturating_sub(self.limits.headers_max);
        self.lines_dropped = self.lines_dropped.saturating_add(offset(dropped));
        self.lines.truncate(self.limits.headers_max);
    }

    fn begin_follows(&mut self, line: &[u8]) {
        let end = self.at.line_start + line.len();
        self.push_line(self.at.line_start + "Response".len(), end);
        if !line.ends_with(b"\r") {
            self.note(Anomaly::BareLf { line: 1 });
        }
        self.mode = Mode::BeforeBody {
            privilege: Seen::No,
            action_id: Seen::No,
        };
        self.at.scanned = end + 1;
    }

    fn scan_body(&mut self, frame: &[u8]) -> Option<usize> {
        while let Some(at) = memchr(b'\n', &frame[self.at.scanned..]) {
            let (start, end) = (self.at.line_start, self.at.scanned + at);
            let line = &frame[start..end];
            self.at.scanned = end + 1;
            if self.push_if_before_body(line) {
                continue;
            }
            self.at.line_start = end + 1;
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
        self.at.scanned = frame.len();
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
        if !line.ends_with(b"\r") {
            let line = self.line_number();
            self.note(Anomaly::BareLf { line });
        }
        self.push_line(self.at.line_start + colon, self.at.line_start + line.len());
        true
    }

    fn skip_blank_line(&mut self, line_end: usize) {
        self.blank_lines = self.blank_lines.saturating_add(1);
        self.at.scanned = line_end + 1;
        self.at.line_start = self.at.scanned;
        self.head = self.at.scanned;
        self.at.after_cr = false;
    }

    fn push_line(&mut self, colon: usize, end: usize) {
        if end - self.at.line_start > self.limits.line_max {
            self.note(Anomaly::LineTooLong {
                line: self.line_number(),
            });
        }
        self.lines.push(Line {
            colon: offset(colon),
            end: offset(end),
        });
        self.at.line_start = end + 1;
        self.drop_lines();
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
