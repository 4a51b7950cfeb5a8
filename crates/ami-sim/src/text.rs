//! One message as it goes out, open to being changed: what defects and faults rewrite.
//!
//! Its bytes are whatever the encoder made, line ends and closing empty line included, since these go wrong too.

use crate::encode::{CommandFraming, encode};
use crate::message::Message;

const END: &[u8] = b"\r\n";

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Text(pub(crate) Vec<u8>);

impl Text {
    pub(crate) fn of(message: Message, framing: CommandFraming) -> Self {
        Self(encode(message, framing))
    }

    /// A message of these lines.
    pub(crate) fn new(lines: &[&str]) -> Self {
        let mut bytes = Vec::new();
        for line in lines {
            bytes.extend_from_slice(line.as_bytes());
            bytes.extend_from_slice(END);
        }
        bytes.extend_from_slice(END);
        Self(bytes)
    }

    pub(crate) fn is_response(&self) -> bool {
        self.0.starts_with(b"Response:")
    }

    pub(crate) fn is_event(&self) -> bool {
        self.0.starts_with(b"Event:")
    }

    /// What kind of Response it is, or which event.
    pub(crate) fn is(&self, name: &str) -> bool {
        let first = self.lines().next().unwrap_or_default();
        value_of(first, "Response")
            .or_else(|| value_of(first, "Event"))
            .is_some_and(|value| value.eq_ignore_ascii_case(name.as_bytes()))
    }

    pub(crate) fn has(&self, name: &str, value: &str) -> bool {
        self.get(name)
            .is_some_and(|found| found.eq_ignore_ascii_case(value.as_bytes()))
    }

    pub(crate) fn opens_list(&self) -> bool {
        self.has("EventList", "start")
    }

    pub(crate) fn closes_list(&self) -> bool {
        self.has("EventList", "Complete")
    }

    /// An event of a list, neither its beginning nor its end.
    pub(crate) fn is_item(&self) -> bool {
        self.is_event() && !self.closes_list()
    }

    /// Lines without their ends; the empty one that closes the message is not among them.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &[u8]> {
        self.lines_with_ends().map(content)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&[u8]> {
        self.lines().find_map(|line| value_of(line, name))
    }

    pub(crate) fn text(&self, name: &str) -> String {
        String::from_utf8_lossy(self.get(name).unwrap_or_default()).into_owned()
    }

    /// Gives the first header of that name another value; adds it where there is none.
    pub(crate) fn set(&mut self, name: &str, value: impl AsRef<[u8]>) {
        let line = header(name, value.as_ref());
        self.edit_lines(|lines| {
            let known = |line: &&mut Vec<u8>| value_of(line, name).is_some();
            match lines.iter_mut().find(known) {
                Some(found) => *found = line,
                None => lines.push(line),
            }
        });
    }

    /// Likewise, but only where there is such a header.
    pub(crate) fn change(&mut self, name: &str, value: impl AsRef<[u8]>) {
        if self.get(name).is_some() {
            self.set(name, value);
        }
    }

    pub(crate) fn add(&mut self, name: &str, value: impl AsRef<[u8]>) {
        self.edit_lines(|lines| lines.push(header(name, value.as_ref())));
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.edit_lines(|lines| lines.retain(|line| value_of(line, name).is_none()));
    }

    pub(crate) fn rename(&mut self, name: &str, other: &str) {
        self.edit_lines(|lines| {
            for line in lines {
                if let Some(value) = value_of(line, name) {
                    *line = header(other, value);
                }
            }
        });
    }

    /// All lines with their ends, but for the empty one at the end.
    pub(crate) fn edit_lines(&mut self, edit: impl FnOnce(&mut Vec<Vec<u8>>)) {
        let mut lines: Vec<Vec<u8>> = self.lines_with_ends().map(<[u8]>::to_vec).collect();
        edit(&mut lines);
        self.0 = [&lines.concat(), END].concat();
    }

    /// Wherever it stands in the message.
    pub(crate) fn replace(&mut self, from: &[u8], to: &[u8]) {
        let mut bytes = Vec::with_capacity(self.0.len());
        let mut rest = self.0.as_slice();
        while let Some(at) = rest.windows(from.len()).position(|window| window == from) {
            bytes.extend_from_slice(&rest[..at]);
            bytes.extend_from_slice(to);
            rest = &rest[at + from.len()..];
        }
        bytes.extend_from_slice(rest);
        self.0 = bytes;
    }

    fn lines_with_ends(&self) -> impl Iterator<Item = &[u8]> {
        let lines = self.0.strip_suffix(END).unwrap_or(&self.0);
        lines.split_inclusive(|byte| *byte == b'\n')
    }
}

pub(crate) fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

fn content(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn header(name: &str, value: &[u8]) -> Vec<u8> {
    [name.as_bytes(), b": ", value, END].concat()
}

fn value_of<'a>(line: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let (head, rest) = content(line).split_at_checked(name.len())?;
    let value = rest.strip_prefix(b":")?;
    head.eq_ignore_ascii_case(name.as_bytes())
        .then(|| value.strip_prefix(b" ").unwrap_or(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(edit: impl FnOnce(&mut Text), expected: &str) {
        let mut text = Text::new(&["Response: Success", "ActionID: 1", "Message: x"]);
        edit(&mut text);
        assert_eq!(String::from_utf8(text.0).unwrap(), expected);
    }

    #[test]
    fn headers_are_changed_where_they_stand() {
        check(
            |text| text.set("actionid", "2"),
            "Response: Success\r\nactionid: 2\r\nMessage: x\r\n\r\n",
        );
        check(
            |text| text.remove("ActionID"),
            "Response: Success\r\nMessage: x\r\n\r\n",
        );
        check(
            |text| text.rename("Message", "Text"),
            "Response: Success\r\nActionID: 1\r\nText: x\r\n\r\n",
        );
        check(
            |text| text.add("A", "b"),
            "Response: Success\r\nActionID: 1\r\nMessage: x\r\nA: b\r\n\r\n",
        );
        check(
            |text| text.change("A", "b"),
            "Response: Success\r\nActionID: 1\r\nMessage: x\r\n\r\n",
        );
        check(
            |text| text.replace(b"\r\n", b"\n"),
            "Response: Success\nActionID: 1\nMessage: x\n\n",
        );
    }

    #[test]
    fn a_message_tells_what_it_is() {
        let text = Text::new(&["Event: StatusComplete", "EventList: Complete"]);
        assert!(text.is_event() && text.is("statuscomplete") && text.closes_list());
        assert!(!text.is_item() && !text.is_response() && text.get("Nothing").is_none());
    }
}
