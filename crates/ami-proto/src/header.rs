//! One line of a frame, seen as `Name: value`.
//! Nothing is trimmed but the line end and the single space that AMI writes after the colon.

use std::borrow::Cow;

/// A header exactly as it came; `value` is without its line end and without one leading space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header<'a> {
    pub name: &'a [u8],
    pub value: &'a [u8],
}

impl<'a> Header<'a> {
    /// AMI compares header names without regard to ASCII case.
    pub fn is(&self, name: &str) -> bool {
        is_name(self.name, name.as_bytes())
    }

    pub fn text(&self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.value)
    }
}

/// Where a line's colon and line feed stand, counted from the start of its frame.
/// Lines are adjacent, so a line starts where the one before it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line {
    /// Equal to `end` when the line has no colon.
    pub(crate) colon: u32,
    pub(crate) end: u32,
}

impl Line {
    pub(crate) fn has_colon(self) -> bool {
        self.colon != self.end
    }
}

/// Offsets inside a frame fit 32 bits because `Limits` caps `frame_max` at `u32::MAX`.
#[expect(
    clippy::cast_possible_truncation,
    reason = "frames are bounded by `Limits::frame_max`"
)]
pub(crate) fn offset(position: usize) -> u32 {
    position as u32
}

pub(crate) fn without_cr(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// The first letter and the exact spelling decide nearly always, and faster than folding every byte.
#[inline]
pub(crate) fn is_name(found: &[u8], name: &[u8]) -> bool {
    const CASE: u8 = 0x20;
    let first = |bytes: &[u8]| bytes.first().map(|byte| byte | CASE);
    first(found) == first(name) && (found == name || found.eq_ignore_ascii_case(name))
}

pub(crate) fn value_of(after_colon: &[u8]) -> &[u8] {
    let value = without_cr(after_colon);
    value.strip_prefix(b" ").unwrap_or(value)
}

/// An empty line: nothing, or a lone CR, before its line feed.
pub(crate) fn is_blank(line: &[u8]) -> bool {
    matches!(line, b"" | b"\r")
}
