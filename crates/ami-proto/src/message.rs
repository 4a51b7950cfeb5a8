//! The strict view of a frame: which of the AMI message kinds it is, with typed accessors.

use crate::event::Event;
use crate::frame::{Frame, FrameKind};
use crate::response::Response;

#[derive(Debug, Clone, Copy)]
pub enum Message<'a> {
    Banner(Banner<'a>),
    Event(Event<'a>),
    Response(Response<'a>),
    /// Raw text, a torn message, or an action from a client.
    Unclassified(Frame<'a>),
}

impl<'a> Message<'a> {
    pub(crate) fn of(frame: Frame<'a>) -> Self {
        match frame.kind() {
            FrameKind::Banner => {
                Self::Banner(Banner::new(frame.lines().next().unwrap_or_default()))
            }
            FrameKind::Event => Self::Event(Event::new(frame)),
            FrameKind::Response => Self::Response(Response::new(frame)),
            FrameKind::Action | FrameKind::Unclassified => Self::Unclassified(frame),
        }
    }
}

/// The line that a PBX sends at once after accepting, as `Asterisk Call Manager/11.0.0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Banner<'a> {
    line: &'a [u8],
}

impl<'a> Banner<'a> {
    pub(crate) fn new(line: &'a [u8]) -> Self {
        Self { line }
    }

    pub fn line(&self) -> &'a [u8] {
        self.line
    }

    /// What stands after the last slash.
    pub fn version(&self) -> Option<&'a str> {
        let slash = memchr::memrchr(b'/', self.line)?;
        std::str::from_utf8(&self.line[slash + 1..])
            .ok()
            .map(str::trim_end)
    }

    /// Vendors and proxies change the product, but a manager port says "Manager" and a version:
    /// `PBX Call Manager/11.0.0`, `Asterisk Call Manager Proxy/1.21`, `OpenPBX Call Manager/1.0`.
    pub fn is_manager(&self) -> bool {
        let says_manager = self
            .line
            .windows(7)
            .any(|word| word.eq_ignore_ascii_case(b"manager"));
        says_manager
            && self
                .version()
                .is_some_and(|v| v.starts_with(|c: char| c.is_ascii_digit()))
    }
}
