//! A transcript without anyone's number, name or address. What was cut into chunks stays cut at the same lines, and the
//! same word is the same pseudonym everywhere: calls can still be followed.

use std::collections::BTreeSet;

use ami_load::cli_command::CliCommand;
use ami_proto::transcript::{Transcript, What};
use ami_report::pseudonym::headers::{Fate, fate};
use ami_report::pseudonym::message::MASK;
use ami_report::pseudonym::{Class, Pseudonyms};

const END: &[u8] = b"--END COMMAND--";

pub(super) fn disguised(transcript: &Transcript) -> Transcript {
    let mut disguise = Disguise::default();
    // A sentence may name somebody who is met in a header only later.
    disguise.transcript(transcript);
    disguise.transcript(transcript)
}

#[derive(Default)]
struct Disguise {
    names: Pseudonyms,
}

/// Where in a message a line stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Beginning,
    Headers,
    /// The text that a console command wrote.
    Text,
}

impl Disguise {
    fn transcript(&mut self, transcript: &Transcript) -> Transcript {
        let mut shared = transcript.clone();
        shared.header.shared = true;
        shared.header.note.clear();
        shared.header.target = self.names.name(Class::Target, &transcript.header.target);
        let conns: BTreeSet<u32> = transcript.entries.iter().map(|entry| entry.conn).collect();
        for conn in conns {
            let said: Vec<&[u8]> = transcript.client_chunks(conn).collect();
            let mut chunks = self.stream(&said).into_iter();
            let heard: Vec<&[u8]> = transcript.server_chunks(conn).collect();
            let mut answers = self.stream(&heard).into_iter();
            for entry in shared.entries.iter_mut().filter(|entry| entry.conn == conn) {
                match &mut entry.what {
                    What::Client(bytes) => *bytes = chunks.next().unwrap_or_default(),
                    What::Server(bytes) => *bytes = answers.next().unwrap_or_default(),
                    What::Mark(_) => {}
                }
            }
        }
        shared
    }

    /// As many chunks as came in. One that ends within a line ends there as far as the line goes.
    fn stream(&mut self, chunks: &[&[u8]]) -> Vec<Vec<u8>> {
        let whole = chunks.concat();
        let ends = chunks.iter().scan(0, |end, chunk| {
            *end += chunk.len();
            Some(*end)
        });
        let mut ends = ends.peekable();
        let mut place = Place::Beginning;
        let (mut disguised, mut current, mut start) = (Vec::new(), Vec::new(), 0);
        for line in whole.split_inclusive(|&byte| byte == b'\n') {
            let new = self.line(line, &mut place);
            let mut taken = 0;
            while let Some(end) = ends.next_if(|end| *end < start + line.len()) {
                let cut = (end - start).clamp(taken, new.len().max(taken));
                current.extend_from_slice(&new[taken..cut]);
                disguised.push(std::mem::take(&mut current));
                taken = cut;
            }
            current.extend_from_slice(&new[taken..]);
            start += line.len();
            while ends.next_if(|end| *end == start).is_some() {
                disguised.push(std::mem::take(&mut current));
            }
        }
        disguised
    }

    fn line(&mut self, line: &[u8], place: &mut Place) -> Vec<u8> {
        let end = line.iter().rposition(|byte| !b"\r\n".contains(byte));
        let (body, end) = line.split_at(end.map_or(0, |last| last + 1));
        let header = body.iter().position(|&byte| byte == b':');
        let header = header.map(|at| (&body[..at], &body[at + 1..]));
        let new = match (&place, header) {
            (_, None) if body.is_empty() => Vec::new(),
            (Place::Text, Some((b"ActionID" | b"Privilege", _))) => self.body(body, header),
            (Place::Text, _) if body.ends_with(END) => END.to_vec(),
            (Place::Text, _) => MASK.into(),
            _ => self.body(body, header),
        };
        *place = match *place {
            Place::Beginning if body == b"Response: Follows" => Place::Text,
            Place::Text if !body.ends_with(END) => Place::Text,
            _ if body.is_empty() => Place::Beginning,
            _ => Place::Headers,
        };
        [&new, end].concat()
    }

    fn body(&mut self, body: &[u8], header: Option<(&[u8], &[u8])>) -> Vec<u8> {
        let text = String::from_utf8_lossy(body);
        let is_shown = header.is_some_and(|(name, value)| {
            fate(&String::from_utf8_lossy(name)) == Fate::Console
                && CliCommand::named(String::from_utf8_lossy(value).trim()).is_some()
        });
        if is_shown {
            body.to_vec()
        } else {
            self.names.line(&text).into_bytes()
        }
    }
}

#[cfg(test)]
mod tests;
