//! A frame is one header block exactly as it came: order, case, duplicates, line ends and offset kept.
//! Lookup is by name, ASCII-case-insensitive and lazy. Strictness is a second view: `Frame::message`.

use std::borrow::Cow;
use std::fmt;

use crate::anomaly::Anomaly;
use crate::header::{Header, Line, is_name, value_of, without_cr};
use crate::message::Message;

pub mod decode;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FrameKind {
    Banner,
    Event,
    Response,
    /// Only from a client, that is from `Decoder::server`.
    Action,
    Unclassified,
}

/// A view of one frame. It borrows from the read it came in, or from the decoder if it straddled two.
#[derive(Clone, Copy)]
pub struct Frame<'a> {
    bytes: &'a [u8],
    lines: &'a [Line],
    anomalies: &'a [Anomaly],
    layout: Layout,
}

/// What a frame is besides its bytes and lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) origin: Origin,
    /// Where the first line that is not empty starts.
    pub(crate) head: u32,
    pub(crate) body: Option<Body>,
    pub(crate) offset: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Body {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    Banner,
    Server,
    Client,
}

impl<'a> Frame<'a> {
    /// Everything that was received for this frame, with its terminator, its Command body, and the
    /// surplus empty lines that stood before it. The frames of a stream, joined, are the stream.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Of the first byte, counted from the start of the stream.
    pub fn offset(&self) -> u64 {
        self.layout.offset
    }

    /// In order, duplicates kept; lines without a colon are in [`Frame::lines`] only.
    pub fn headers(&self) -> impl Iterator<Item = Header<'a>> + use<'a> {
        let bytes = self.bytes;
        self.spans()
            .filter(|(_, line)| line.has_colon())
            .map(move |(start, line)| Header {
                name: &bytes[start..line.colon as usize],
                value: value_of(&bytes[line.colon as usize + 1..line.end as usize]),
            })
    }

    /// Every line of the header block without its line end, colon or not.
    pub fn lines(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let bytes = self.bytes;
        self.spans()
            .map(move |(start, line)| without_cr(&bytes[start..line.end as usize]))
    }

    /// The first header of that name.
    #[inline]
    pub fn get(&self, name: &str) -> Option<&'a [u8]> {
        let name = name.as_bytes();
        let mut start = self.layout.head as usize;
        for line in self.lines {
            let colon = line.colon as usize;
            if colon - start == name.len()
                && line.has_colon()
                && is_name(&self.bytes[start..colon], name)
            {
                return Some(value_of(&self.bytes[colon + 1..line.end as usize]));
            }
            start = line.end as usize + 1;
        }
        None
    }

    pub fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        self.get(name).map(String::from_utf8_lossy)
    }

    pub fn get_all<'n>(&self, name: &'n str) -> impl Iterator<Item = &'a [u8]> + use<'a, 'n> {
        self.headers()
            .filter(move |header| header.is(name))
            .map(|header| header.value)
    }

    /// The raw text of a `Response: Follows`, up to its `--END COMMAND--`.
    pub fn body(&self) -> Option<&'a [u8]> {
        self.layout
            .body
            .map(|body| &self.bytes[body.start as usize..body.end as usize])
    }

    pub fn anomalies(&self) -> &'a [Anomaly] {
        self.anomalies
    }

    /// AMI has no charset. Not an anomaly, because asking every frame costs a tenth of the decoder.
    pub fn is_utf8(&self) -> bool {
        std::str::from_utf8(self.bytes).is_ok()
    }

    /// An `Event` header makes an Event whatever else is there: a UserEvent may carry `Response:`.
    pub fn kind(&self) -> FrameKind {
        match self.layout.origin {
            Origin::Banner => FrameKind::Banner,
            Origin::Client if self.get("Action").is_some() => FrameKind::Action,
            Origin::Server if self.get("Event").is_some() => FrameKind::Event,
            Origin::Server if self.get("Response").is_some() => FrameKind::Response,
            Origin::Client | Origin::Server => FrameKind::Unclassified,
        }
    }

    /// The strict view.
    pub fn message(&self) -> Message<'a> {
        Message::of(*self)
    }

    pub fn to_owned(&self) -> OwnedFrame {
        OwnedFrame {
            bytes: self.bytes.into(),
            lines: self.lines.into(),
            anomalies: self.anomalies.into(),
            layout: self.layout,
        }
    }

    fn spans(&self) -> impl Iterator<Item = (usize, Line)> + use<'a> {
        let mut next = self.layout.head as usize;
        self.lines.iter().map(move |&line| {
            let start = std::mem::replace(&mut next, line.end as usize + 1);
            (start, line)
        })
    }
}

impl fmt::Debug for Frame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frame")
            .field("kind", &self.kind())
            .field("offset", &self.offset())
            .field("bytes", &self.bytes.escape_ascii().to_string())
            .field("anomalies", &self.anomalies)
            .finish()
    }
}

/// A frame that outlives the read it came in: two allocations, three with anomalies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedFrame {
    bytes: Box<[u8]>,
    lines: Box<[Line]>,
    anomalies: Box<[Anomaly]>,
    layout: Layout,
}

impl OwnedFrame {
    pub fn as_frame(&self) -> Frame<'_> {
        Frame {
            bytes: &self.bytes,
            lines: &self.lines,
            anomalies: &self.anomalies,
            layout: self.layout,
        }
    }
}
