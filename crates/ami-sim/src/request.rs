//! Bytes from a client → requests, as `get_input` and `do_message` of `manager.c` read them.
//!
//! Not the decoder of `ami-proto` on purpose: Asterisk reads through a window of 1024 bytes whose edges, NUL bytes and
//! header limit are part of its behaviour, and a reader of its own cannot share a mistake with the client.

use std::ops::Range;

/// `sizeof(inbuf) - 1`: a line and its end must lie within so many bytes.
const WINDOW: usize = 1024;
/// `AST_MAX_MANHEADERS`.
const HEADERS_MAX: usize = 128;

/// What is lost of a line without end in the window: releases up to 13 drop the window, later ones keep its last byte
/// in case it is half of a CRLF.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OverlongLine {
    DropAll,
    KeepLastByte,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Damage {
    #[default]
    None,
    LineTooLong,
    TooManyLines,
}

/// One message of a client: its lines as they came, without their ends.
#[derive(Debug, Default)]
pub(crate) struct Request {
    text: Vec<u8>,
    lines: Vec<Range<usize>>,
    damage: Damage,
}

impl Request {
    pub(crate) fn damage(&self) -> Damage {
        self.damage
    }

    pub(crate) fn lines(&self) -> impl Iterator<Item = &[u8]> {
        self.lines.iter().map(|line| &self.text[line.clone()])
    }

    /// Every value of a header, in order. The name begins its line and the colon follows at once; control characters
    /// and blanks before the value do not count, those after it do.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.lines().filter_map(move |line| {
            let (head, rest) = line.split_at_checked(name.len())?;
            let value = rest.strip_prefix(b":")?;
            head.eq_ignore_ascii_case(name.as_bytes())
                .then(|| skip_blanks(value))
        })
    }

    /// The first value of a header, empty if there is none: Asterisk does not tell the two apart.
    pub(crate) fn bytes<'a>(&'a self, name: &'a str) -> &'a [u8] {
        self.all(name).next().unwrap_or_default()
    }

    pub(crate) fn text(&self, name: &str) -> String {
        String::from_utf8_lossy(self.bytes(name)).into_owned()
    }

    /// Unlike every other header, the first `Action` that is not empty counts.
    pub(crate) fn action(&self) -> &[u8] {
        self.all("Action")
            .find(|value| !value.is_empty())
            .unwrap_or_default()
    }

    pub(crate) fn action_id(&self) -> &[u8] {
        self.bytes("ActionID")
    }

    pub(crate) fn replace_lines(&mut self, lines: &[Vec<u8>]) {
        let damage = self.damage;
        self.clear();
        for line in lines {
            self.push(line);
        }
        self.damage = damage;
    }

    pub(crate) fn set_damage(&mut self, damage: Damage) {
        self.damage = damage;
    }

    /// What came in another way than in lines; values may hold line ends, and of more headers than fit the last are lost.
    pub(crate) fn of(headers: &[(Vec<u8>, Vec<u8>)]) -> Self {
        let mut request = Self::default();
        for (name, value) in headers.iter().take(HEADERS_MAX) {
            request.push(&[name, &b": "[..], value].concat());
        }
        request
    }

    fn clear(&mut self) {
        self.text.clear();
        self.lines.clear();
        self.damage = Damage::None;
    }

    fn push(&mut self, line: &[u8]) {
        if self.lines.len() == HEADERS_MAX {
            self.damage = Damage::TooManyLines;
            return;
        }
        let start = self.text.len();
        self.text.extend_from_slice(line);
        self.lines.push(start..self.text.len());
    }
}

fn skip_blanks(value: &[u8]) -> &[u8] {
    let blanks = value.iter().take_while(|byte| **byte <= b' ').count();
    &value[blanks..]
}

/// `sscanf("%30d")`: a number, whatever follows it.
pub(crate) fn leading_number(text: &str) -> Option<i64> {
    let text = text.trim_start();
    let digits = text.strip_prefix('-').unwrap_or(text);
    let length = digits.bytes().take_while(u8::is_ascii_digit).count();
    text[..text.len() - digits.len() + length].parse().ok()
}

/// `ast_true`.
pub(crate) fn is_true(text: &str) -> bool {
    ["yes", "true", "y", "t", "1", "on"]
        .iter()
        .any(|word| text.eq_ignore_ascii_case(word))
}

/// Collects lines until an empty one completes the request.
#[derive(Debug)]
pub(crate) struct Reader {
    overlong: OverlongLine,
    window: Vec<u8>,
    request: Request,
    complete: bool,
}

impl Reader {
    pub(crate) fn new(overlong: OverlongLine) -> Self {
        Self {
            overlong,
            window: Vec::new(),
            request: Request::default(),
            complete: false,
        }
    }

    /// The request that was completed last.
    pub(crate) fn request(&self) -> &Request {
        &self.request
    }

    pub(crate) fn request_mut(&mut self) -> &mut Request {
        &mut self.request
    }

    /// Takes a request as if it had been read.
    pub(crate) fn put(&mut self, request: Request) {
        self.request = request;
        self.complete = true;
    }

    /// Takes bytes of `input` up to the end of a request, and returns that request.
    pub(crate) fn read(&mut self, input: &mut &[u8]) -> Option<&Request> {
        if std::mem::take(&mut self.complete) {
            self.request.clear();
        }
        while !input.is_empty() {
            let room = (WINDOW - self.window.len()).min(input.len());
            let end = input[..room].iter().position(|byte| *byte == b'\n');
            let taken = end.map_or(room, |at| at + 1);
            self.window.extend_from_slice(&input[..taken]);
            *input = &input[taken..];
            if end.is_some() {
                if self.take_line() == Line::Blank {
                    self.complete = true;
                    return Some(&self.request);
                }
            } else if self.window.len() == WINDOW {
                self.drop_window();
            }
        }
        None
    }

    fn take_line(&mut self) -> Line {
        let line = self
            .window
            .strip_suffix(b"\n")
            .expect("the caller found the line feed");
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        // The line is a C string from here on.
        let line = line.split(|byte| *byte == 0).next().unwrap_or_default();
        let kind = if line.is_empty() {
            Line::Blank
        } else {
            Line::Header
        };
        if kind == Line::Header {
            self.request.push(line);
        }
        self.window.clear();
        kind
    }

    fn drop_window(&mut self) {
        let kept = match self.overlong {
            OverlongLine::DropAll => WINDOW,
            OverlongLine::KeepLastByte => WINDOW - 1,
        };
        self.window.drain(..kept);
        if self.request.damage == Damage::None {
            self.request.damage = Damage::LineTooLong;
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Line {
    Blank,
    Header,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn requests(overlong: OverlongLine, chunks: &[&[u8]]) -> Vec<(Vec<Vec<u8>>, Damage)> {
        let mut reader = Reader::new(overlong);
        let mut found = Vec::new();
        for chunk in chunks {
            let mut input = *chunk;
            while let Some(request) = reader.read(&mut input) {
                found.push((
                    request.lines().map(<[u8]>::to_vec).collect(),
                    request.damage(),
                ));
            }
        }
        found
    }

    fn check(input: &[u8], expected: &[(&[&str], Damage)]) {
        let found = requests(OverlongLine::KeepLastByte, &[input]);
        let expected: Vec<_> = expected
            .iter()
            .map(|(lines, damage)| {
                (
                    lines.iter().map(|line| line.as_bytes().to_vec()).collect(),
                    *damage,
                )
            })
            .collect();
        assert_eq!(found, expected, "{:?}", String::from_utf8_lossy(input));
    }

    #[test]
    fn line_ends_may_be_mixed_and_nul_cuts_a_line() {
        check(
            b"Action: Ping\r\nActionID: 1\r\n\r\n",
            &[(&["Action: Ping", "ActionID: 1"], Damage::None)],
        );
        check(
            b"Action: Ping\nA: b\r\n\n",
            &[(&["Action: Ping", "A: b"], Damage::None)],
        );
        check(b"\r\n\n", &[(&[], Damage::None), (&[], Damage::None)]);
        check(b"A: x\0y\r\n\0z\r\n", &[(&["A: x"], Damage::None)]);
        check(
            b"A: 1\rB: 2\r\n \r\n\r\n",
            &[(&["A: 1\rB: 2", " "], Damage::None)],
        );
    }

    #[test]
    fn lines_longer_than_the_window_spoil_the_request() {
        let line =
            |content: usize| [b"X".repeat(content), b"\r\nActionID: 1\r\n\r\n".to_vec()].concat();
        let damage = |overlong, content| -> Vec<Damage> {
            requests(overlong, &[&line(content)])
                .into_iter()
                .map(|(_, damage)| damage)
                .collect()
        };
        assert_eq!(damage(OverlongLine::KeepLastByte, 1022), [Damage::None]);
        // The CRLF straddles the edge: its rest counts as an empty line.
        assert_eq!(
            damage(OverlongLine::KeepLastByte, 1023),
            [Damage::LineTooLong, Damage::None]
        );
        assert_eq!(
            damage(OverlongLine::KeepLastByte, 1024),
            [Damage::LineTooLong]
        );
        assert_eq!(
            damage(OverlongLine::DropAll, 1024),
            [Damage::LineTooLong, Damage::None]
        );
        assert_eq!(damage(OverlongLine::DropAll, 1025), [Damage::LineTooLong]);
    }

    #[test]
    fn the_129th_header_spoils_the_request() {
        let lines = |count: usize| [b"A: b\r\n".repeat(count), b"\r\n".to_vec()].concat();
        let found = |count| requests(OverlongLine::DropAll, &[&lines(count)]).remove(0);
        assert_eq!(found(128).1, Damage::None);
        assert_eq!(
            (found(129).0.len(), found(129).1),
            (128, Damage::TooManyLines)
        );
    }

    #[test]
    fn headers_are_found_as_asterisk_finds_them() {
        let mut reader = Reader::new(OverlongLine::KeepLastByte);
        let mut input: &[u8] = b"action:\r\nACTION:\t\tPing \r\nActionID:\r\nActionID: 2\r\n Secret: x\r\nKey : y\r\n\r\n";
        let request = reader.read(&mut input).unwrap();
        assert_eq!(request.action(), b"Ping ");
        assert_eq!(request.action_id(), b"");
        assert_eq!(
            (request.bytes("Secret"), request.bytes("Key")),
            (&b""[..], &b""[..])
        );
    }

    #[test]
    fn numbers_end_where_their_digits_end() {
        assert_eq!(leading_number("30000 ms"), Some(30_000));
        assert_eq!(leading_number("-1"), Some(-1));
        assert_eq!(leading_number("abc"), None);
        assert_eq!(leading_number(""), None);
    }

    fn piece() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            prop::sample::select(vec!["\n", "\r\n", "\r", "\0", "A: b\r\n"])
                .prop_map(|text| text.as_bytes().to_vec()),
            (1..1100usize).prop_map(|length| vec![b'x'; length]),
        ]
    }

    proptest! {
        /// However the bytes are cut into reads, the requests are the same.
        #[test]
        fn splitting_changes_nothing(pieces in prop::collection::vec(piece(), 0..20), cut: prop::sample::Index) {
            let input = pieces.concat();
            let (head, tail) = input.split_at(cut.index(input.len() + 1));
            let whole = requests(OverlongLine::KeepLastByte, &[&input]);
            prop_assert_eq!(whole, requests(OverlongLine::KeepLastByte, &[head, tail]));
        }
    }
}
