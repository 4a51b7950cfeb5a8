//! The strict view of an Event: its name and the headers that place it in an event list.

use std::borrow::Cow;

use crate::frame::Frame;

#[derive(Debug, Clone, Copy)]
pub struct Event<'a> {
    frame: Frame<'a>,
}

impl<'a> Event<'a> {
    pub(crate) fn new(frame: Frame<'a>) -> Self {
        Self { frame }
    }

    pub fn frame(&self) -> Frame<'a> {
        self.frame
    }

    pub fn name(&self) -> &'a [u8] {
        self.frame.get("Event").unwrap_or_default()
    }

    pub fn is(&self, name: &str) -> bool {
        self.name().eq_ignore_ascii_case(name.as_bytes())
    }

    pub fn action_id(&self) -> Option<&'a [u8]> {
        self.frame.get("ActionID")
    }

    /// The classes an account must be able to read, as `call,all`.
    pub fn privilege(&self) -> Option<Cow<'a, str>> {
        self.frame.text("Privilege")
    }

    /// True on the event that says it closes its list. `cancelled` is documented, though no known server sends it.
    pub fn closes_list(&self) -> bool {
        self.frame.get("EventList").is_some_and(|value| {
            value.eq_ignore_ascii_case(b"Complete") || value.eq_ignore_ascii_case(b"cancelled")
        })
    }

    /// How many items the server says it listed; older servers do not say.
    pub fn list_items(&self) -> Option<u32> {
        std::str::from_utf8(self.frame.get("ListItems")?)
            .ok()?
            .trim()
            .parse()
            .ok()
    }
}
