//! The strict view of a Response: its status, its message, and the Command output in both framings.

use std::borrow::Cow;

use crate::frame::Frame;
use crate::header::without_cr;

#[derive(Debug, Clone, Copy)]
pub struct Response<'a> {
    frame: Frame<'a>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status<'a> {
    Success,
    Error,
    /// The session is over.
    Goodbye,
    /// Command output as raw text (Asterisk 13 and older).
    Follows,
    /// Words that very old servers use for success: `Pong`, `Events On`, `Events Off`.
    Legacy(&'a [u8]),
    Unrecognised(&'a [u8]),
}

impl<'a> Response<'a> {
    pub(crate) fn new(frame: Frame<'a>) -> Self {
        Self { frame }
    }

    pub fn frame(&self) -> Frame<'a> {
        self.frame
    }

    pub fn status(&self) -> Status<'a> {
        const WORDS: [(&str, Status<'static>); 7] = [
            ("Success", Status::Success),
            ("Error", Status::Error),
            ("Goodbye", Status::Goodbye),
            ("Follows", Status::Follows),
            ("Pong", Status::Legacy(b"Pong")),
            ("Events On", Status::Legacy(b"Events On")),
            ("Events Off", Status::Legacy(b"Events Off")),
        ];
        let value = self.frame.get("Response").unwrap_or_default();
        WORDS
            .iter()
            .find(|(word, _)| value.eq_ignore_ascii_case(word.as_bytes()))
            .map_or(Status::Unrecognised(value), |&(_, status)| status)
    }

    pub fn action_id(&self) -> Option<&'a [u8]> {
        self.frame.get("ActionID").filter(|id| !id.is_empty())
    }

    pub fn message(&self) -> Option<Cow<'a, str>> {
        self.frame.text("Message")
    }

    pub fn opens_list(&self) -> bool {
        self.frame
            .get("EventList")
            .is_some_and(|value| value.eq_ignore_ascii_case(b"start"))
    }

    /// Command output line by line, from `Output:` headers or from the raw body. A failed command has output too.
    pub fn output(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let body = self.frame.body().filter(|body| !body.is_empty());
        let raw = body.map(|body| {
            let lines = body.strip_suffix(b"\n").unwrap_or(body);
            lines.split(|&byte| byte == b'\n').map(without_cr)
        });
        raw.into_iter()
            .flatten()
            .chain(self.frame.get_all("Output"))
    }
}
