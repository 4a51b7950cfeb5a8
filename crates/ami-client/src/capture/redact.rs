//! Takes secrets out of what passes in one direction of a connection, however it is cut into chunks: by value, and by the
//! name in front, as in `Secret: …`, `Line-000001-000002: secret=…`, `"secret": "…"` and `?secret=…`.

use std::fmt;

use ami_proto::session::Secret;

/// What stands where a secret was.
const REDACTED: &[u8] = b"<secret>";

/// Shorter words stand everywhere by chance: such a secret is known only by the name in front of it.
const VALUE_MIN: usize = 4;
/// Of a longer one the beginning is known again.
const VALUE_MAX: usize = 256;
/// Nobody has more secrets on one PBX, and a peer could fill the memory with them.
const VALUES_MAX: usize = 64;
/// No name in front of a secret is longer.
const WORD_MAX: usize = 32;

/// Names that stand in front of a secret wherever they stand, in lower case.
const NAMES: [&str; 18] = [
    "authkey",
    "auth_key",
    "authorization",
    "expectedresponse",
    "mansession_id",
    "md5_cred",
    "md5cred",
    "md5secret",
    "oauth_secret",
    "passwd",
    "password",
    "password_digest",
    "passworddigest",
    "receivedhash",
    "refresh_token",
    "remotesecret",
    "secret",
    "vmsecret",
];

/// Secrets that are known by their value: those of our accounts, and those that were seen to be used.
#[derive(Default)]
pub(super) struct Secrets {
    values: Vec<Vec<u8>>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} secrets", self.values.len())
    }
}

impl Secrets {
    pub(super) fn of(secrets: &[Secret]) -> Self {
        let mut known = Self::default();
        for secret in secrets {
            known.learn(secret.expose().as_bytes());
        }
        known
    }

    fn learn(&mut self, value: &[u8]) {
        let value = &value[..value.len().min(VALUE_MAX)];
        let is_new = !self.values.iter().any(|known| known == value);
        if value.len() >= VALUE_MIN && value != REDACTED && is_new && self.values.len() < VALUES_MAX
        {
            self.values.push(value.to_vec());
        }
    }

    /// The length of the longest secret at the beginning of `bytes`.
    fn at(&self, bytes: &[u8]) -> Option<usize> {
        let here = self.values.iter().filter(|value| bytes.starts_with(value));
        here.map(Vec::len).max()
    }

    /// Whether with further bytes a secret, or a longer one, may stand here.
    fn may_begin(&self, bytes: &[u8]) -> bool {
        let longer = |value: &&Vec<u8>| value.len() > bytes.len() && value.starts_with(bytes);
        self.values.iter().any(|value| longer(&value))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Client,
    Server,
}

/// One direction of one connection. What may be the beginning of a secret is held back until more has come.
pub(super) struct Redactor {
    held: Vec<u8>,
    names: Names,
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Redactor({:?})", self.names.side)
    }
}

impl Redactor {
    pub(super) fn new(side: Side) -> Self {
        Self {
            held: Vec::new(),
            names: Names::new(side),
        }
    }

    pub(super) fn redact(&mut self, bytes: &[u8], secrets: &mut Secrets) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len());
        // Line by line, so that a secret is known in the line behind the one that it is learnt from.
        for line in bytes.split_inclusive(|&byte| byte == b'\n') {
            self.held.extend_from_slice(line);
            let line = std::mem::take(&mut self.held);
            let mut rest = line.as_slice();
            while !rest.is_empty() {
                if secrets.may_begin(rest) {
                    self.held = rest.to_vec();
                    break;
                }
                rest = self.take(rest, secrets, &mut out);
            }
        }
        out
    }

    /// Nothing more will come.
    pub(super) fn finish(&mut self, secrets: &mut Secrets) -> Vec<u8> {
        let held = std::mem::take(&mut self.held);
        let mut out = Vec::new();
        let mut rest = held.as_slice();
        while !rest.is_empty() {
            rest = self.take(rest, secrets, &mut out);
        }
        out
    }

    /// Takes a secret or a byte from the beginning.
    fn take<'b>(&mut self, rest: &'b [u8], secrets: &mut Secrets, out: &mut Vec<u8>) -> &'b [u8] {
        let length = match secrets.at(rest) {
            Some(length) => {
                for &byte in REDACTED {
                    self.names.byte(byte, secrets, out);
                }
                length
            }
            None => {
                self.names.byte(rest[0], secrets, out);
                1
            }
        };
        &rest[length..]
    }
}

/// Finds secrets by the names in front of them.
struct Names {
    side: Side,
    place: Place,
    line: Line,
    /// The last word, in lower case, while only spaces and quotes came behind it.
    word: Vec<u8>,
    /// What stands directly in front of that word.
    before: u8,
    last: u8,
    /// Of this message.
    seen: Seen,
}

/// What was seen in a message that says what a later line of it holds.
#[derive(Default)]
enum Seen {
    #[default]
    Nothing,
    /// `Key` is that of a database.
    Family,
    /// `Response` is a digest.
    Challenge,
    /// `Var-000000: secret`: the next `Value-…` is one.
    VarOfSecret,
}

#[derive(Default)]
struct Line {
    first_word: Vec<u8>,
    words: usize,
    bytes: usize,
}

enum Place {
    Plain,
    /// Behind the name of a secret.
    Ahead(Until),
    Inside {
        until: Until,
        /// Behind a backslash.
        escaped: Escaped,
        /// What is worth to be known by its value too.
        learnt: Option<Vec<u8>>,
    },
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Escaped {
    No,
    Yes,
}

/// Where the value of a secret ends, at the latest with its line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    /// A header: quotes belong to it.
    LineEnd,
    /// Whatever ends it: a quote when it begins with one.
    QuoteOrLineEnd,
    Quote,
    /// Of a query or a form.
    Ampersand,
}

impl Names {
    fn new(side: Side) -> Self {
        Self {
            side,
            place: Place::Plain,
            line: Line::default(),
            word: Vec::new(),
            before: b'\n',
            last: b'\n',
            seen: Seen::default(),
        }
    }

    fn byte(&mut self, byte: u8, secrets: &mut Secrets, out: &mut Vec<u8>) {
        if byte == b'\n' {
            self.end_line(secrets);
            out.push(byte);
        } else {
            match self.place {
                Place::Plain => {
                    self.plain(byte);
                    out.push(byte);
                }
                Place::Ahead(until) => self.ahead(until, byte, out),
                Place::Inside { .. } => self.inside(byte, out),
            }
        }
        self.last = byte;
    }

    fn end_line(&mut self, secrets: &mut Secrets) {
        if let Place::Inside {
            learnt: Some(value),
            ..
        } = &self.place
        {
            secrets.learn(value);
        }
        if self.line.bytes == 0 {
            self.seen = Seen::Nothing;
        } else if self.line.first_word == b"var" && self.is_secret_name() {
            self.seen = Seen::VarOfSecret;
        }
        self.place = Place::Plain;
        self.line = Line::default();
        self.word.clear();
    }

    fn plain(&mut self, byte: u8) {
        if byte != b'\r' {
            self.line.bytes += 1;
        }
        match byte {
            b'_' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => self.letter(byte),
            b':' | b'=' => self.separator(byte),
            b' ' | b'\t' | b'\r' | b'"' => {}
            _ => self.word.clear(),
        }
    }

    fn letter(&mut self, byte: u8) {
        let is_inner = self.last == b'_' || self.last.is_ascii_alphanumeric();
        if !is_inner || self.line.words == 0 {
            self.word.clear();
            self.before = self.last;
            self.line.words += 1;
        }
        if self.word.len() < WORD_MAX {
            self.word.push(byte.to_ascii_lowercase());
        }
        if self.line.words == 1 {
            self.line.first_word.clone_from(&self.word);
        }
    }

    fn separator(&mut self, byte: u8) {
        let begins_line = self.line.words == 1 && self.before == b'\n';
        let is_header = begins_line && byte == b':';
        let is_paired = matches!(self.seen, Seen::VarOfSecret) && self.line.first_word == b"value";
        let is_secret = match (self.word.as_slice(), &self.seen) {
            (b"key", Seen::Family) => false,
            (b"key", _) => is_header && self.side == Side::Client,
            (b"response", Seen::Challenge) => is_header,
            _ => self.is_secret_name() || is_paired,
        };
        if is_secret {
            self.place = Place::Ahead(match self.before {
                _ if is_header || is_paired => Until::LineEnd,
                b'?' | b'&' => Until::Ampersand,
                _ => Until::QuoteOrLineEnd,
            });
        }
        match self.word.as_slice() {
            b"family" if is_header => self.seen = Seen::Family,
            b"challenge" if is_header => self.seen = Seen::Challenge,
            _ if is_paired => self.seen = Seen::Nothing,
            _ => {}
        }
        if !is_secret || !is_header {
            self.word.clear();
        }
    }

    fn is_secret_name(&self) -> bool {
        NAMES.iter().any(|name| name.as_bytes() == self.word)
    }

    fn ahead(&mut self, until: Until, byte: u8, out: &mut Vec<u8>) {
        match (byte, until) {
            (b' ' | b'\t' | b'\r', _) => out.push(byte),
            (b'"', Until::QuoteOrLineEnd) => {
                out.push(byte);
                self.place = Place::Ahead(Until::Quote);
            }
            (b'"', Until::Quote) | (b'&', Until::Ampersand) => {
                out.push(byte);
                self.place = Place::Plain;
            }
            _ => {
                out.extend_from_slice(REDACTED);
                let is_used = self.side == Side::Client && self.word == b"secret";
                self.place = Place::Inside {
                    until,
                    escaped: Escaped::No,
                    learnt: is_used.then(Vec::new),
                };
                self.inside(byte, out);
            }
        }
    }

    fn inside(&mut self, byte: u8, out: &mut Vec<u8>) {
        let Place::Inside {
            until,
            escaped,
            learnt,
        } = &mut self.place
        else {
            return;
        };
        let ends = match until {
            Until::Quote => byte == b'"' && *escaped == Escaped::No,
            Until::Ampersand => byte == b'&' || byte == b' ',
            Until::LineEnd | Until::QuoteOrLineEnd => false,
        };
        *escaped = match (byte, *escaped) {
            (b'\\', Escaped::No) => Escaped::Yes,
            _ => Escaped::No,
        };
        if ends {
            self.place = Place::Plain;
            self.word.clear();
            out.push(byte);
        } else if byte == b'\r' {
            out.push(byte);
        } else if let Some(value) = learnt
            && value.len() < VALUE_MAX
        {
            value.push(byte);
        }
    }
}

#[cfg(test)]
mod tests;
