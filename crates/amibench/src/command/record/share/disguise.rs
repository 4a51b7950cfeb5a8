//! A transcript without anyone's number, name or address. What was cut into chunks stays cut at the same lines, and the
//! same word is the same pseudonym everywhere: calls can still be followed.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ami_load::cli_command::CliCommand;
use ami_proto::transcript::{Transcript, What};
use ami_report::pseudonym::{Class, Pseudonyms};

use super::headers::{Fate, fate, is_of_the_protocol};

const MASK: &str = "<masked>";
const END: &[u8] = b"--END COMMAND--";
/// A single digit is an order or a cause.
const DIGITS_MIN: usize = 2;
/// Shorter words are not looked for in sentences.
const LETTERS_MIN: usize = 3;

pub(super) fn disguised(transcript: &Transcript) -> Transcript {
    let mut disguise = Disguise::default();
    // A sentence may name somebody who is met in a header only later.
    disguise.transcript(transcript);
    disguise.transcript(transcript)
}

#[derive(Default)]
struct Disguise {
    names: Pseudonyms,
    known: BTreeMap<String, String>,
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
        let Some((name, value)) = header else {
            let banner = b"Call Manager";
            if body.windows(banner.len()).any(|word| word == banner) {
                return body.to_vec();
            }
            return self.words(&String::from_utf8_lossy(body)).into_bytes();
        };
        let (space, value) = match value {
            [b' ', value @ ..] => (" ", value),
            value => ("", value),
        };
        let text = String::from_utf8_lossy(value);
        let new = match fate(&String::from_utf8_lossy(name)) {
            _ if is_placeholder(&text) || text.contains("(Priv: ") => return body.to_vec(),
            Fate::Kept => return body.to_vec(),
            Fate::Console if CliCommand::named(&text).is_some() => return body.to_vec(),
            Fate::Sentence => self.sentence(&text),
            Fate::Masked => MASK.to_owned(),
            Fate::Assignment => match text.split_once('=') {
                Some((name, _)) => format!("{name}={MASK}"),
                None => self.sentence(&text),
            },
            Fate::Console | Fate::Disguised => self.words(&text),
        };
        [name, b":", space.as_bytes(), new.as_bytes()].concat()
    }

    /// With a pseudonym for each word that is not of the protocol.
    fn words(&mut self, text: &str) -> String {
        let mut new = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let word = match address(rest) {
                Some(address) => address,
                None => &rest[..rest.find(|c| !is_of_word(c)).unwrap_or(rest.len())],
            };
            if word.is_empty() {
                new.push(c);
                rest = &rest[c.len_utf8()..];
            } else {
                new.push_str(&self.word(word));
                rest = &rest[word.len()..];
            }
        }
        new
    }

    fn word(&mut self, word: &str) -> String {
        let digits = word.chars().filter(|c| c.is_numeric()).count();
        let is_number = word.chars().all(|c| c.is_numeric() || ".+*#".contains(c));
        let class = if address(word) == Some(word) || word.matches('.').count() > 1 {
            Class::Address
        } else if is_counter(word) || is_of_the_protocol(word) || (is_number && digits < DIGITS_MIN)
        {
            return word.to_owned();
        } else if is_number {
            Class::Number
        } else if digits > DIGITS_MIN {
            Class::Id
        } else {
            Class::Name
        };
        let name = self.names.name(class, word);
        if word.chars().count() >= LETTERS_MIN || is_number {
            self.known.insert(word.to_owned(), name.clone());
        }
        name
    }

    /// With a pseudonym for each word that is known to be someone's, or looks like it.
    fn sentence(&mut self, text: &str) -> String {
        let mut new = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let word = &rest[..rest.find(|c| !is_of_word(c)).unwrap_or(rest.len())];
            let bare = word.trim_end_matches('.');
            match self.known.get(bare) {
                Some(name) => new.push_str(name),
                None => new.push_str(bare),
            }
            rest = &rest[bare.len()..];
            if bare.is_empty() {
                new.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
        self.names.peer_text(&new)
    }
}

/// `<unknown>`, `<none>`, `<secret>`.
fn is_placeholder(text: &str) -> bool {
    let inner = text
        .strip_prefix('<')
        .and_then(|text| text.strip_suffix('>'));
    inner.is_some_and(|inner| is_of_the_protocol(inner) || inner == "secret")
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || "._+*#'".contains(c)
}

/// At the beginning of a text, IPv6 too; the port behind it stays.
fn address(text: &str) -> Option<&str> {
    let end = text.find(|c: char| !c.is_ascii_hexdigit() && !":.".contains(c));
    let mut candidate = &text[..end.unwrap_or(text.len())];
    if candidate.matches(':').count() == 1 {
        candidate = candidate.split(':').next().unwrap_or_default();
    }
    candidate.parse::<IpAddr>().is_ok().then_some(candidate)
}

/// What a PBX puts behind the name of a channel, as in `PJSIP/6001-0000002a`.
fn is_counter(word: &str) -> bool {
    word.len() == 8 && word.starts_with("0000") && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests;
