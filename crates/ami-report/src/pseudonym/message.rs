//! Lines of messages without anyone's words: what a header is called decides what becomes of its value.

use std::net::IpAddr;

use super::headers::{Fate, fate, is_of_the_protocol};
use super::{Class, Pseudonyms};

pub const MASK: &str = "<masked>";
/// A single digit is an order or a cause.
const DIGITS_MIN: usize = 2;
/// Shorter words are not looked for in sentences.
const LETTERS_MIN: usize = 3;

impl Pseudonyms {
    /// A line of a message, without its end.
    pub fn line(&mut self, line: &str) -> String {
        let Some((name, value)) = line.split_once(':') else {
            if line.contains("Call Manager") {
                return line.to_owned();
            }
            return self.words(line);
        };
        let (space, text) = match value.strip_prefix(' ') {
            Some(text) => (" ", text),
            None => ("", value),
        };
        let new = match fate(name) {
            _ if is_placeholder(text) || text.contains("(Priv: ") => return line.to_owned(),
            Fate::Kept => return line.to_owned(),
            Fate::Sentence => self.sentence(text),
            Fate::Masked => MASK.to_owned(),
            Fate::Assignment => match text.split_once('=') {
                Some((name, _)) => format!("{name}={MASK}"),
                None => self.sentence(text),
            },
            Fate::Console | Fate::Disguised => self.words(text),
        };
        format!("{name}:{space}{new}")
    }

    /// With a pseudonym for each word that is not of the protocol.
    pub(super) fn words(&mut self, text: &str) -> String {
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
                new.push_str(&self.header_word(word));
                rest = &rest[word.len()..];
            }
        }
        new
    }

    fn header_word(&mut self, word: &str) -> String {
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
        let name = self.name(class, word);
        if word.chars().count() >= LETTERS_MIN || is_number {
            self.words.insert(word.to_owned(), name.clone());
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
            match self.words.get(bare) {
                Some(name) => new.push_str(name),
                None => new.push_str(bare),
            }
            rest = &rest[bare.len()..];
            if bare.is_empty() {
                new.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
        self.peer_text(&new)
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
