//! The decoder as one would write it without caring for speed: the whole stream in memory, line by line, copies everywhere.
//! It shares no code with the one that is used, and knows the same limits.

use std::fmt;

use ami_proto::{Anomaly, FrameKind, Limits};

use crate::decoder::Side;

const BANNER_MAX: usize = 1024;
const END_OF_COMMAND: &[u8] = b"--END COMMAND--";

/// One frame, in nothing but values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub kind: FrameKind,
    pub offset: u64,
    pub bytes: Text,
    pub lines: Vec<Text>,
    pub headers: Vec<(Text, Text)>,
    pub body: Option<Text>,
    pub anomalies: Vec<Anomaly>,
}

/// Bytes that are shown as the text that they nearly are.
#[derive(Clone, PartialEq, Eq)]
pub struct Text(Vec<u8>);

impl From<&[u8]> for Text {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

/// A whole stream.
#[derive(Debug, PartialEq, Eq)]
pub struct Stream {
    pub frames: Vec<Seen>,
    /// Bytes that are kept of a frame that did not end.
    pub pending: usize,
    pub end: Option<Anomaly>,
}

/// What there is of a frame while its lines are read.
struct Reading<'s> {
    /// No more than a frame may have.
    window: &'s [u8],
    limits: Limits,
    /// Where the next line begins.
    at: usize,
    blank_before: u32,
    /// With their line feeds.
    lines: Vec<&'s [u8]>,
    anomalies: Vec<Anomaly>,
    body: Option<std::ops::Range<usize>>,
    origin: Origin,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    Banner,
    Server,
    Client,
}

enum End {
    At(usize),
    /// The window holds no end.
    Open,
}

pub fn read(stream: &[u8], side: Side, limits: Limits) -> Stream {
    let mut frames = Vec::new();
    let mut at = 0;
    let mut origin = match side {
        Side::Server => Origin::Banner,
        Side::Client => Origin::Client,
    };
    loop {
        let rest = &stream[at..];
        let mut reading = Reading::new(rest, origin, limits);
        let (kept, dropped) = match reading.frame() {
            End::At(end) => (end, 0),
            End::Open if rest.len() >= limits.frame_max => match reading.end_beyond(rest) {
                Some(end) => (limits.frame_max, end - limits.frame_max),
                None => return reading.leftover(frames, limits.frame_max, rest.len()),
            },
            End::Open => return reading.leftover(frames, rest.len(), rest.len()),
        };
        if origin == Origin::Banner {
            origin = Origin::Server;
        }
        frames.push(reading.seen(at, kept, dropped));
        at += kept + dropped;
    }
}

impl<'s> Reading<'s> {
    fn new(rest: &'s [u8], origin: Origin, limits: Limits) -> Self {
        Self {
            window: &rest[..rest.len().min(limits.frame_max)],
            limits,
            at: 0,
            blank_before: 0,
            lines: Vec::new(),
            anomalies: Vec::new(),
            body: None,
            origin,
        }
    }

    /// The next line with its line feed, if it is all there.
    fn line(&self) -> Option<&'s [u8]> {
        let rest = &self.window[self.at..];
        let feed = rest.iter().position(|&byte| byte == b'\n')?;
        Some(&rest[..=feed])
    }

    fn take(&mut self, line: &'s [u8]) {
        self.at += line.len();
        self.lines.push(line);
        let number = number(self.lines.len());
        if line.len() - 1 > self.limits.line_max {
            self.note(Anomaly::LineTooLong { line: number });
        }
        if !line.ends_with(b"\r\n") {
            self.note(Anomaly::BareLf { line: number });
        }
    }

    /// Each kind once, where it was first.
    fn note(&mut self, anomaly: Anomaly) {
        let kind = std::mem::discriminant(&anomaly);
        let known = |noted: &Anomaly| std::mem::discriminant(noted) == kind;
        if !self.anomalies.iter().any(known) {
            self.anomalies.push(anomaly);
        }
    }

    fn frame(&mut self) -> End {
        if self.origin == Origin::Banner {
            match self.banner() {
                Some(end) => return end,
                None => self.origin = Origin::Server,
            }
        }
        while let Some(line) = self.line() {
            if chomp(line).is_empty() {
                let is_end = !self.lines.is_empty() || self.origin == Origin::Client;
                if is_end && !self.lines.is_empty() && !line.ends_with(b"\r\n") {
                    let line = number(self.lines.len() + 1);
                    self.note(Anomaly::BareLf { line });
                }
                self.at += line.len();
                if is_end {
                    return End::At(self.at);
                }
                self.blank_before += 1;
                continue;
            }
            self.take(line);
            if self.lines.len() == 1 && self.origin == Origin::Server && is_follows(line) {
                return self.command_output();
            }
            if !line.contains(&b':') {
                let line = number(self.lines.len());
                self.note(Anomaly::NoColon { line });
            }
        }
        End::Open
    }

    /// None if the first line begins a message.
    fn banner(&mut self) -> Option<End> {
        let banner_max = BANNER_MAX.min(self.limits.frame_max);
        loop {
            let rest = &self.window[self.at..];
            let length = rest
                .iter()
                .position(|&byte| byte == b'\n')
                .unwrap_or(rest.len());
            if length >= banner_max {
                self.note(Anomaly::LineTooLong { line: 1 });
                self.lines.push(&rest[..banner_max]);
                return Some(End::At(self.at + banner_max));
            }
            let Some(line) = self.line() else {
                return Some(End::Open);
            };
            if chomp(line).is_empty() {
                self.at += line.len();
                self.blank_before += 1;
                continue;
            }
            let name = line.split(|&byte| byte == b':').next().unwrap_or_default();
            let colon = line.contains(&b':');
            if colon && [&b"response"[..], b"event"].contains(&name.to_ascii_lowercase().as_slice())
            {
                self.note(Anomaly::MissingBanner);
                return None;
            }
            self.take(line);
            return Some(End::At(self.at));
        }
    }

    /// At most one Privilege and one ActionID, then text up to a line that ends with the marker and an empty one.
    fn command_output(&mut self) -> End {
        let mut heads = vec![b"privilege".to_vec(), b"actionid".to_vec()];
        while let Some(line) = self.line() {
            let name = line
                .split(|&byte| byte == b':')
                .next()
                .unwrap_or_default()
                .to_ascii_lowercase();
            let Some(head) = heads
                .iter()
                .position(|head| line.contains(&b':') && *head == name)
            else {
                break;
            };
            heads.remove(head);
            self.take(line);
        }
        let start = self.at;
        let mut marker = None;
        while let Some(line) = self.line() {
            self.at += line.len();
            if let (Some(end), true) = (marker, chomp(line).is_empty()) {
                self.body = Some(start..end);
                return End::At(self.at);
            }
            let text = chomp(line);
            let line_start = self.at - line.len();
            marker = text
                .ends_with(END_OF_COMMAND)
                .then(|| line_start + text.len() - END_OF_COMMAND.len());
            // As far as it came, should the frame be cut.
            self.body = Some(start..self.window.len());
        }
        End::Open
    }

    /// The end of a frame that is too long: behind the next empty line, of which a part may be kept.
    fn end_beyond(&self, rest: &[u8]) -> Option<usize> {
        let mut start = self.at;
        loop {
            let feed = start + rest[start..].iter().position(|&byte| byte == b'\n')?;
            if chomp(&rest[start..=feed]).is_empty() {
                return Some(feed + 1);
            }
            start = feed + 1;
        }
    }

    fn leftover(self, frames: Vec<Seen>, pending: usize, length: usize) -> Stream {
        let only_blank = self.lines.is_empty() && self.at == length;
        let end = match length {
            0 => None,
            _ if only_blank => Some(Anomaly::ExtraBlankLines {
                lines: self.blank_before,
            }),
            length => Some(Anomaly::TornFrame {
                bytes: length as u64,
            }),
        };
        Stream {
            frames,
            pending,
            end,
        }
    }

    fn seen(mut self, offset: usize, kept: usize, dropped: usize) -> Seen {
        if self.blank_before > 0 {
            self.note(Anomaly::ExtraBlankLines {
                lines: self.blank_before,
            });
        }
        let beyond = self.lines.len().saturating_sub(self.limits.headers_max);
        if beyond > 0 {
            self.note(Anomaly::TooManyHeaders {
                dropped: number(beyond),
            });
        }
        if dropped > 0 {
            self.note(Anomaly::FrameTooLong {
                dropped: dropped as u64,
            });
        }
        self.anomalies.sort_unstable();
        self.lines.truncate(self.limits.headers_max);
        let cut_banner =
            self.origin == Origin::Banner && !self.lines.iter().any(|line| line.ends_with(b"\n"));
        let lines: Vec<&[u8]> = self.lines.iter().map(|line| chomp(line)).collect();
        let headers: Vec<(Text, Text)> = lines
            .iter()
            .filter(|_| !cut_banner)
            .filter_map(|line| header(line))
            .collect();
        Seen {
            kind: kind(self.origin, &headers),
            offset: offset as u64,
            bytes: self.window[..kept].into(),
            lines: lines.into_iter().map(Text::from).collect(),
            headers,
            body: self.body.map(|body| self.window[body].into()),
            anomalies: self.anomalies,
        }
    }
}

fn kind(origin: Origin, headers: &[(Text, Text)]) -> FrameKind {
    let has = |wanted: &[u8]| {
        headers
            .iter()
            .any(|(name, _)| name.0.eq_ignore_ascii_case(wanted))
    };
    match origin {
        Origin::Banner => FrameKind::Banner,
        Origin::Client if has(b"Action") => FrameKind::Action,
        Origin::Server if has(b"Event") => FrameKind::Event,
        Origin::Server if has(b"Response") => FrameKind::Response,
        Origin::Server | Origin::Client => FrameKind::Unclassified,
    }
}

fn header(line: &[u8]) -> Option<(Text, Text)> {
    let colon = line.iter().position(|&byte| byte == b':')?;
    let value = &line[colon + 1..];
    let value = value.strip_prefix(b" ").unwrap_or(value);
    Some((line[..colon].into(), value.into()))
}

fn is_follows(line: &[u8]) -> bool {
    let line = chomp(line).to_ascii_lowercase();
    line == b"response: follows" || line == b"response:follows"
}

fn chomp(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
