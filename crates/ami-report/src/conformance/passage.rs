//! Bytes of evidence as people read them: line by line, each with the offset at which it began on the wire, with line
//! ends and other control bytes to be seen.

use std::fmt::Write as _;

use ami_results::judgement::{Excerpt, Side};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    pub conn: u32,
    pub side: Side,
    pub offset: u64,
    pub len: u64,
    pub lines: Vec<Line>,
    /// Bytes of the stretch that were not kept.
    pub missing: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub offset: u64,
    /// Bytes that are no text are written `\xff`.
    pub text: String,
    /// `\r\n`, `\n`, or nothing where the stretch ends within a line.
    pub end: &'static str,
}

impl Passage {
    pub fn of(excerpt: &Excerpt) -> Self {
        let bytes = excerpt.bytes.to_vec();
        let mut offset = excerpt.offset;
        let lines = bytes.split_inclusive(|&byte| byte == b'\n').map(|line| {
            let end = match line {
                [.., b'\r', b'\n'] => "\r\n",
                [.., b'\n'] => "\n",
                _ => "",
            };
            let start = offset;
            offset += line.len() as u64;
            Line {
                offset: start,
                text: visible(&line[..line.len() - end.len()]),
                end,
            }
        });
        Self {
            conn: excerpt.conn,
            side: excerpt.side,
            offset: excerpt.offset,
            len: excerpt.len,
            lines: lines.collect(),
            missing: excerpt.missing(),
        }
    }

    /// `connection 3, from the PBX, bytes 120 to 188`
    pub fn place(&self) -> String {
        let from = match self.side {
            Side::Client => "to the PBX",
            Side::Server => "from the PBX",
        };
        let Self { conn, offset, .. } = self;
        match self.len {
            0 => format!("connection {conn}, {from}, at byte {offset}"),
            len => format!(
                "connection {conn}, {from}, bytes {offset} to {}",
                offset + len - 1
            ),
        }
    }
}

impl Line {
    /// As people write it.
    pub fn visible_end(&self) -> &'static str {
        match self.end {
            "\r\n" => r"\r\n",
            "\n" => r"\n",
            _ => "",
        }
    }
}

fn visible(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\0' => text.push_str(r"\0"),
                '\r' => text.push_str(r"\r"),
                '\n' => text.push_str(r"\n"),
                '\t' => text.push_str(r"\t"),
                // Also what would turn the direction of the text, or shows as nothing.
                c if c.is_control() || is_hidden(c) => {
                    let _ = write!(text, "\\u{{{:x}}}", u32::from(c));
                }
                c => text.push(c),
            }
        }
        for byte in chunk.invalid() {
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

fn is_hidden(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// A text in our words may hold such bytes too.
pub(crate) fn shown(text: &str) -> String {
    visible(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use ami_results::judgement::{Excerpt, Side};

    use super::Passage;

    #[test]
    fn lines_keep_their_offsets_and_show_what_cannot_be_seen() {
        let bytes = b"Response: Success\r\nA\0\tB\xff\nx\rend";
        let passage = Passage::of(&Excerpt::new(3, Side::Server, 120, bytes));
        let lines: Vec<(u64, &str, &str)> = passage
            .lines
            .iter()
            .map(|line| (line.offset, line.text.as_str(), line.visible_end()))
            .collect();
        assert_eq!(
            lines,
            [
                (120, "Response: Success", r"\r\n"),
                (139, r"A\0\tB\xff", r"\n"),
                (145, r"x\rend", ""),
            ]
        );
        assert_eq!(
            passage.place(),
            "connection 3, from the PBX, bytes 120 to 149"
        );
    }

    #[test]
    fn nothing_has_a_place_too() {
        let passage = Passage::of(&Excerpt::new(0, Side::Client, 7, b""));
        assert_eq!(passage.place(), "connection 0, to the PBX, at byte 7");
    }
}
