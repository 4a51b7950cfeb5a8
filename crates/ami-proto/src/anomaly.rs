//! What was odd about the bytes of a frame. Oddities are data: decoding never fails.
//! Each kind is reported once per frame, at its first line, so the list is bounded by the number of kinds.

use std::fmt;

/// Lines count from 1 at the first line that is not empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Anomaly {
    /// A line ended with LF alone.
    BareLf { line: u32 },
    /// A line inside a header block that has no colon.
    NoColon { line: u32 },
    /// Empty lines stood before the frame (the previous message was closed more than once).
    ExtraBlankLines { lines: u32 },
    /// A line went over `Limits::line_max`; it is kept as far as the frame's own limit allows.
    LineTooLong { line: u32 },
    /// The frame went over `Limits::frame_max`; its last `dropped` bytes are lost.
    FrameTooLong { dropped: u64 },
    /// The frame has more lines than `Limits::headers_max`; the last `dropped` are in `bytes()` only.
    TooManyHeaders { dropped: u32 },
    /// The first line of the connection was a header, not a banner.
    MissingBanner,
    /// The stream ended inside a frame.
    TornFrame { bytes: u64 },
}

impl fmt::Display for Anomaly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BareLf { line } => write!(f, "line {line} ends with LF alone"),
            Self::NoColon { line } => write!(f, "line {line} has no colon"),
            Self::ExtraBlankLines { lines } => write!(f, "{lines} empty lines before the message"),
            Self::LineTooLong { line } => write!(f, "line {line} is too long"),
            Self::FrameTooLong { dropped } => write!(f, "message too long, {dropped} bytes lost"),
            Self::TooManyHeaders { dropped } => write!(f, "too many headers, {dropped} not read"),
            Self::MissingBanner => f.write_str("no banner before the first message"),
            Self::TornFrame { bytes } => write!(f, "the stream ended {bytes} bytes into a message"),
        }
    }
}
