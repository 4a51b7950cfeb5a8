//! A log of a session as text: what a terminal showed, or an application wrote down. Its line ends are not those of the wire.

use std::time::Duration;

use ami_proto::transcript::{Entry, Mark, What};

use super::{Format, LineEnds, Recording, begins};

/// None where no message stands in it.
pub(super) fn read(bytes: &[u8]) -> Option<Recording> {
    let mut log = TextLog::default();
    for line in bytes.split(|byte| *byte == b'\n') {
        log.line(line.strip_suffix(b"\r").unwrap_or(line));
    }
    log.finish()
}

#[derive(Default)]
struct TextLog {
    entries: Vec<Entry>,
    conn: u32,
    /// Lines of the message that is open.
    block: Vec<u8>,
    /// Lines before the first message, as of telnet.
    skipped: usize,
    requests: usize,
}

impl TextLog {
    fn line(&mut self, line: &[u8]) {
        if is_banner(line) {
            self.end_block();
            if !self.entries.is_empty() {
                self.conn += 1;
            }
            self.push(What::Mark(Mark::Open));
            self.push(What::Server([line, b"\r\n"].concat()));
        } else if !line.is_empty() {
            let begun = !self.block.is_empty() || !self.entries.is_empty();
            if begun || begins_message(line) {
                self.block.extend_from_slice(line);
                self.block.extend_from_slice(b"\r\n");
            } else {
                self.skipped += 1;
            }
        } else {
            self.end_block();
        }
    }

    fn end_block(&mut self) {
        let mut block = std::mem::take(&mut self.block);
        if block.is_empty() {
            return;
        }
        block.extend_from_slice(b"\r\n");
        if begins(&block, b"action:") {
            self.requests += 1;
            self.push(What::Client(block));
        } else {
            self.push(What::Server(block));
        }
    }

    fn push(&mut self, what: What) {
        self.entries.push(Entry {
            at: Duration::ZERO,
            conn: self.conn,
            what,
        });
    }

    fn finish(mut self) -> Option<Recording> {
        // What is open may be torn.
        let torn = std::mem::take(&mut self.block);
        if self.entries.is_empty() && torn.is_empty() {
            return None;
        }
        let mut notes =
            vec!["a text log: the line ends of the wire are lost, and the times".to_owned()];
        if self.skipped > 0 {
            notes.push(format!(
                "{} lines before the first message are not judged",
                self.skipped
            ));
        }
        if !torn.is_empty() {
            notes.push("the last message has no empty line behind it and is not judged".to_owned());
        }
        if self.requests == 0 {
            notes.push("the log has no requests: answers are not compared with them".to_owned());
            self.entries
                .retain(|entry| entry.what != What::Mark(Mark::Open));
        }
        Some(Recording {
            format: Format::TextLog,
            entries: self.entries,
            line_ends: LineEnds::Lost,
            sessions: Vec::new(),
            notes,
        })
    }
}

fn begins_message(line: &[u8]) -> bool {
    [&b"action:"[..], b"event:", b"response:"]
        .iter()
        .any(|word| begins(line, word))
}

/// `… Call Manager/5.0.1` and its like: no header, and a version at the end.
fn is_banner(line: &[u8]) -> bool {
    let Ok(line) = std::str::from_utf8(line) else {
        return false;
    };
    let Some((name, version)) = line.rsplit_once('/') else {
        return false;
    };
    let is_version = version.starts_with(|c: char| c.is_ascii_digit())
        && version.chars().all(|c| c.is_ascii_digit() || c == '.');
    name.ends_with("Manager") && !name.contains(':') && is_version
}
