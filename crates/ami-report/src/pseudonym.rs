//! Names that may leave a run directory: numbers, names, addresses and URIs become `number-a`, `address-b` and so on,
//! the same for the same all over a run. Nobody can compute back: which letter stands for what is in the run directory
//! alone, in the order in which things stand there.
//!
//! A [`Summary`] is changed once, before any renderer sees it: so no format can forget to do it.

use std::collections::BTreeMap;
use std::fmt;

use ami_results::manifest::{End, Manifest};

use crate::summary::Summary;

pub mod headers;
mod judged;
pub mod message;
mod scrub;

/// What stands where numbers, names and addresses were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Naming {
    /// As they are.
    Raw,
    Pseudonyms,
}

/// What something was, and is still called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    Account,
    Address,
    Call,
    Channel,
    Id,
    Name,
    Number,
    Target,
    Uri,
}

/// Who wrote a text: a PBX may put anyone's number into it, in our own words a number is a measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Author {
    Peer,
    Ourselves,
}

/// What was met so far.
#[derive(Debug, Default)]
pub struct Pseudonyms {
    given: BTreeMap<(Class, String), String>,
    met: BTreeMap<Class, usize>,
    /// Words that stand for something wherever they occur.
    known: BTreeMap<String, String>,
    /// Words that stood in a header of a message, and stand for something in its sentences.
    words: BTreeMap<String, String>,
}

impl Naming {
    pub fn slug(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Pseudonyms => "pseudonyms",
        }
    }
}

impl fmt::Display for Naming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.slug())
    }
}

impl Class {
    const ALL: [Self; 9] = [
        Self::Account,
        Self::Address,
        Self::Call,
        Self::Channel,
        Self::Id,
        Self::Name,
        Self::Number,
        Self::Target,
        Self::Uri,
    ];

    fn slug(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Address => "address",
            Self::Call => "call",
            Self::Channel => "channel",
            Self::Id => "id",
            Self::Name => "name",
            Self::Number => "number",
            Self::Target => "target",
            Self::Uri => "uri",
        }
    }
}

impl Pseudonyms {
    /// A call by the id that we gave it.
    pub fn call(&mut self, id: &str) -> String {
        self.name(Class::Call, id)
    }

    /// A text of a PBX, or one that holds such a text.
    pub fn peer_text(&mut self, text: &str) -> String {
        self.scrub(text, Author::Peer)
    }

    fn our_text(&mut self, text: &str) -> String {
        self.scrub(text, Author::Ourselves)
    }

    /// What stands for this one from now on.
    pub fn name(&mut self, class: Class, text: &str) -> String {
        let met = self.met.entry(class).or_default();
        let given = self.given.entry((class, text.to_owned()));
        given
            .or_insert_with(|| {
                *met += 1;
                format!("{}-{}", class.slug(), letters(*met))
            })
            .clone()
    }

    /// From now on `word` is replaced wherever it stands alone.
    fn know(&mut self, class: Class, word: &str) -> String {
        let name = self.name(class, word);
        self.known.insert(word.to_owned(), name.clone());
        name
    }

    /// `host:port`, or `simulated profile at host:port`.
    fn address(&mut self, address: &str) -> String {
        let (what, at) = address
            .rsplit_once(' ')
            .map_or(("", address), |(what, at)| (what, at));
        let name = self.know(Class::Address, at);
        // Several targets on one host: the first gives its name.
        let known = self.known.entry(host(at).to_owned());
        known.or_insert_with(|| name.clone());
        format!("{what} {name}").trim_start().to_owned()
    }

    fn manifest(&mut self, manifest: &mut Manifest) {
        for target in &mut manifest.targets {
            let at = target.address.rsplit(' ').next().unwrap_or_default();
            // A target that was given as a URI is named after its address.
            if [words(at), words(host(at))].contains(&words(&target.name)) {
                target.name = self.know(Class::Target, &target.name);
            }
            target.address = self.address(&target.address);
            target.account = self.know(Class::Account, &target.account);
            target.limits = serde_json::Value::Null;
        }
        for target in &mut manifest.targets {
            target.failure = target.failure.as_ref().map(|text| self.peer_text(text));
        }
        if let End::Aborted { reason } = &mut manifest.end {
            *reason = self.our_text(reason);
        }
        let names = manifest.layout.targets().iter();
        let names = names.map(|name| self.known.get(name).unwrap_or(name).clone());
        manifest.layout = manifest.layout.with_targets(names.collect());
        manifest.command.clear();
        manifest.scenario.text.clear();
    }
}

impl Summary {
    /// The same run without anyone's number, name or address.
    pub fn pseudonymised(mut self) -> Self {
        let mut names = Pseudonyms::default();
        names.manifest(&mut self.manifest);
        for verdict in &mut self.verdicts {
            verdict.subject = names.our_text(&verdict.subject);
            verdict.detail = verdict.detail.as_ref().map(|text| names.our_text(text));
        }
        for target in &mut self.targets {
            target.name = self.manifest.layout.target(target.index).to_owned();
            for error in &mut target.errors {
                error.error = names.peer_text(&error.error);
            }
        }
        self.naming = Naming::Pseudonyms;
        self
    }
}

/// Of `host:port`, also `[::1]:5038`.
fn host(address: &str) -> &str {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    host.trim_matches(['[', ']'])
}

/// What is left of a text in any kind of file name.
fn words(text: &str) -> Vec<&str> {
    let words = text.split(|c: char| !c.is_alphanumeric());
    words.filter(|word| !word.is_empty()).collect()
}

/// 1 is a, 26 is z, 27 is aa: without digits, which would look like what they stand for.
fn letters(mut number: usize) -> String {
    let mut letters = Vec::new();
    while number > 0 {
        number -= 1;
        letters.push(b"abcdefghijklmnopqrstuvwxyz"[number % 26] as char);
        number /= 26;
    }
    letters.iter().rev().collect()
}

/// Whether this is one of ours already.
fn is_pseudonym(word: &str) -> bool {
    word.rsplit_once('-').is_some_and(|(class, letters)| {
        Class::ALL.iter().any(|known| known.slug() == class)
            && !letters.is_empty()
            && letters.bytes().all(|byte| byte.is_ascii_lowercase())
    })
}

#[cfg(test)]
mod tests {
    use super::letters;

    #[test]
    fn letters_count_as_columns_of_a_sheet_do() {
        for (number, expected) in [(1, "a"), (26, "z"), (27, "aa"), (52, "az"), (703, "aaa")] {
            assert_eq!(letters(number), expected);
        }
    }
}
