//! What goes wrong with the bytes of messages: their ends, odd lines, odd characters, and far too many of them.

use super::super::Row;
use super::super::parcel::{On, Parcel, Then};
use super::rewrite;

/// More than a client should keep of one message.
const HUGE_VALUE: usize = 2 << 20;
const MANY_HEADERS: usize = 100_000;
const MANY_BLANKS: usize = 100;

pub(super) const ROWS: &[Row] = &[
    rewrite(
        "endless.line",
        17,
        "a line of the first answer does not end",
        On::FirstAnswer,
        |parcel| unfinished(parcel, b"Endless: ", vec![b'x'; 1 << 16]),
    ),
    rewrite(
        "endless.message",
        18,
        "the headers of the first answer do not end",
        On::FirstAnswer,
        |parcel| unfinished(parcel, b"", b"Key: value\r\n".repeat(1000)),
    ),
    rewrite(
        "oversize.value",
        20,
        "the first answer has a header of 2 MiB",
        On::FirstAnswer,
        |parcel| parcel.insert_line(&[b"Huge: ".to_vec(), vec![b'x'; HUGE_VALUE]].concat()),
    ),
    rewrite(
        "oversize.headers",
        20,
        "the first answer has 100,000 headers more",
        On::FirstAnswer,
        |parcel| parcel.insert_line(b"Key: value\r\n".repeat(MANY_HEADERS).trim_ascii_end()),
    ),
    rewrite(
        "empty.key",
        21,
        "messages have a header without a name",
        On::Messages,
        |parcel| parcel.insert_line(b": value"),
    ),
    rewrite(
        "empty.lines",
        21,
        "a hundred empty lines come before each message",
        On::Messages,
        |parcel| {
            parcel.each(|text| {
                text.0
                    .splice(..0, b"\r\n".repeat(MANY_BLANKS))
                    .for_each(drop)
            })
        },
    ),
    rewrite(
        "ends.lf",
        22,
        "every line ends with LF alone",
        On::All,
        |parcel| parcel.each(|text| text.replace(b"\r\n", b"\n")),
    ),
    rewrite(
        "ends.cr",
        22,
        "every line after the login ends with CR alone",
        On::Messages,
        |parcel| parcel.each(|text| text.replace(b"\r\n", b"\r")),
    ),
    rewrite(
        "ends.lf-last",
        22,
        "the empty line behind a message is LF alone",
        On::Messages,
        |parcel| parcel.each(|text| text.replace(b"\r\n\r\n", b"\r\n\n")),
    ),
    rewrite(
        "ends.three",
        22,
        "two empty lines end a message",
        On::Messages,
        |parcel| parcel.each(|text| text.0.extend_from_slice(b"\r\n")),
    ),
    rewrite(
        "bytes.nul",
        22,
        "messages have a NUL in a value",
        On::Messages,
        |parcel| parcel.insert_line(b"Odd: a\0b"),
    ),
    rewrite(
        "bytes.bom",
        22,
        "a byte order mark comes before each message",
        On::Messages,
        |parcel| parcel.each(|text| text.0.splice(..0, *b"\xef\xbb\xbf").for_each(drop)),
    ),
    rewrite(
        "bytes.latin1",
        22,
        "messages have a value in Latin-1",
        On::Messages,
        |parcel| parcel.insert_line(b"Odd: caf\xe9"),
    ),
    rewrite(
        "bytes.broken-utf8",
        22,
        "messages have a value that stops inside a character",
        On::Messages,
        |parcel| parcel.insert_line(b"Odd: \xe2\x82"),
    ),
    rewrite(
        "lines.no-colon",
        23,
        "messages have a line without a colon",
        On::Messages,
        |parcel| parcel.insert_line(b"hello world"),
    ),
    rewrite(
        "lines.end-command",
        23,
        "messages have a line --END COMMAND--",
        On::Messages,
        |parcel| parcel.insert_line(b"--END COMMAND--"),
    ),
    rewrite(
        "lines.end-sms",
        23,
        "messages have a line --END SMS EVENT--",
        On::Messages,
        |parcel| parcel.insert_line(b"--END SMS EVENT--"),
    ),
    rewrite(
        "lines.no-blank",
        23,
        "no blank follows a colon",
        On::Messages,
        |parcel| parcel.each(|text| text.replace(b": ", b":")),
    ),
];

/// The first message goes on without end.
fn unfinished(parcel: &mut Parcel<'_>, line: &[u8], piece: Vec<u8>) {
    parcel.texts.truncate(1);
    parcel.each(|text| {
        text.0.truncate(text.0.len().saturating_sub(2));
        text.0.extend_from_slice(line);
    });
    parcel.then = Then::Endless(piece);
}
