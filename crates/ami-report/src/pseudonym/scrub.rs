//! What in a text is someone's: known words, what stands in quotes, URIs, channels, addresses, and words with three
//! digits or more. A name that stands bare among other words cannot be told from them, and stays.

use std::net::{IpAddr, SocketAddr};

use super::{Author, Class, Pseudonyms, is_pseudonym};

/// Fewer digits are an order, a count or a cause, not someone's number.
const DIGITS_MIN: usize = 3;
const SCHEMES: [&str; 5] = ["sip:", "sips:", "tel:", "iax2:", "mailto:"];
const QUOTES: [(char, char); 5] = [('"', '"'), ('\'', '\''), ('“', '”'), ('‘', '’'), ('«', '»')];

impl Pseudonyms {
    pub(super) fn scrub(&mut self, text: &str, author: Author) -> String {
        let mut scrubbed = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            if author == Author::Peer
                && let Some((inside, close)) = quotation(&scrubbed, rest)
            {
                scrubbed.push(c);
                scrubbed.push_str(&self.quoted(inside));
                scrubbed.push(close);
                rest = &rest[c.len_utf8() + inside.len() + close.len_utf8()..];
            } else if is_separator(c) {
                scrubbed.push(c);
                rest = &rest[c.len_utf8()..];
            } else {
                let word = word(rest, author);
                scrubbed.push_str(&self.word(word, author));
                rest = &rest[word.len()..];
            }
        }
        scrubbed
    }

    fn quoted(&mut self, inside: &str) -> String {
        if inside.is_empty() || is_pseudonym(inside) {
            return inside.to_owned();
        }
        match self.known.get(inside) {
            Some(known) => known.clone(),
            None => self.name(Class::Name, inside),
        }
    }

    fn word(&mut self, word: &str, author: Author) -> String {
        let end = word.trim_end_matches(['.', ':', '!', '?', ';']).len();
        let (core, after) = word.split_at(end);
        // What precedes the first letter or digit stays, so that a quote before it still closes where it did.
        let Some(start) = core.find(char::is_alphanumeric) else {
            return word.to_owned();
        };
        let (before, bare) = core.split_at(start);
        let core = if is_ip(core) { core } else { bare };
        let replaced = match self.known.get(core) {
            Some(known) => Some(known.clone()),
            None => class(core, author).map(|class| self.name(class, core)),
        };
        match replaced {
            Some(name) => format!("{before}{name}{after}"),
            None => word.to_owned(),
        }
    }
}

/// What a word is someone's, if it is.
fn class(word: &str, author: Author) -> Option<Class> {
    let digits = word.chars().filter(|c| c.is_numeric()).count();
    let lower = word.to_ascii_lowercase();
    if author == Author::Ourselves {
        // `all.failed.rate` is no host, and `61.2 ms` no number to call.
        is_ip(word).then_some(Class::Address)
    } else if is_channel(word) {
        Some(Class::Channel)
    } else if word.contains('@') || SCHEMES.iter().any(|scheme| lower.starts_with(scheme)) {
        Some(Class::Uri)
    } else if is_ip(word) || is_host(word) {
        Some(Class::Address)
    } else if digits < DIGITS_MIN {
        None
    } else if word.chars().all(|c| is_of_number(c) || c == ' ') {
        Some(Class::Number)
    } else {
        Some(Class::Id)
    }
}

/// `PJSIP/6001-0000002a`, `Local/2001@internal`.
fn is_channel(word: &str) -> bool {
    word.split_once('/').is_some_and(|(technology, name)| {
        technology.len() > 1
            && technology.starts_with(|c: char| c.is_ascii_uppercase())
            && technology.chars().all(|c| c.is_ascii_alphanumeric())
            && !name.is_empty()
    })
}

/// With a port or without.
fn is_ip(word: &str) -> bool {
    let bare = word.trim_matches(['[', ']']);
    bare.parse::<IpAddr>().is_ok() || word.parse::<SocketAddr>().is_ok()
}

/// Three labels or more: two might be a file.
fn is_host(word: &str) -> bool {
    let host = word.split_once(':').map_or(word, |(host, _)| host);
    let labels = || host.split('.');
    let is_label = |label: &str| {
        !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    let top = labels().next_back().unwrap_or_default();
    labels().count() > 2
        && labels().all(is_label)
        && top.len() > 1
        && top.chars().all(|c| c.is_ascii_alphabetic())
}

fn is_of_number(c: char) -> bool {
    c.is_numeric() || "+-/.*#".contains(c)
}

/// Up to the next separator; the groups of a telephone number are one word.
fn word(text: &str, author: Author) -> &str {
    let mut end = text.find(is_separator).unwrap_or(text.len());
    if author == Author::Ourselves {
        return &text[..end];
    }
    while text[..end].chars().all(|c| is_of_number(c) || c == ' ') {
        let Some(next) = text[end..].strip_prefix(' ') else {
            break;
        };
        let group = &next[..next.find(is_separator).unwrap_or(next.len())];
        if group.is_empty() || !group.chars().all(is_of_number) {
            break;
        }
        end += 1 + group.len();
    }
    &text[..end]
}

fn is_separator(c: char) -> bool {
    c.is_whitespace() || c.is_control() || ",()<>{}=\"'“”‘’«»|".contains(c)
}

/// What is in quotes here, and how they close: an apostrophe opens none.
fn quotation<'a>(before: &str, text: &'a str) -> Option<(&'a str, char)> {
    let open = text.chars().next()?;
    let (_, close) = QUOTES.into_iter().find(|(quote, _)| *quote == open)?;
    if before.ends_with(char::is_alphanumeric) {
        return None;
    }
    let inside = &text[open.len_utf8()..];
    let is_apostrophe =
        |end: usize| open == '\'' && inside[end + 1..].starts_with(char::is_alphanumeric);
    let mut ends = inside.match_indices(close).map(|(end, _)| end);
    let end = ends.find(|end| !is_apostrophe(*end))?;
    Some((&inside[..end], close))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};
    use proptest::strategy::Strategy;

    use super::super::Pseudonyms;

    fn check(text: &str, expected: &str) {
        assert_eq!(Pseudonyms::default().peer_text(text), expected);
    }

    #[test]
    fn what_is_someones_is_replaced() {
        for (text, expected) in [
            (
                "Extension 2001 does not exist.",
                "Extension number-a does not exist.",
            ),
            (
                "No such channel: PJSIP/6001-0000002a",
                "No such channel: channel-a",
            ),
            ("Local/2001@internal;1 and 2001", "channel-a and number-a"),
            ("Contact <sip:alice@10.0.0.7:5060>", "Contact <uri-a>"),
            (
                "refused by 10.0.0.7:5038, not by fe80::1",
                "refused by address-a, not by address-b",
            ),
            (
                "pbx.example.org: connection reset",
                "address-a: connection reset",
            ),
            ("Queue 'Sales Berlin' is full", "Queue 'name-a' is full"),
            ("\"Alice\" <2001>", "\"name-a\" <number-a>"),
            ("call +49 30 12 34 56 now", "call +number-a now"),
            ("id 1700000000.12 or amib-3fa9-0-12", "id number-a or id-a"),
            (
                "2001 is not 2002 but 2001",
                "number-a is not number-b but number-a",
            ),
        ] {
            check(text, expected);
        }
    }

    #[test]
    fn words_stay() {
        for text in [
            "Permission denied",
            "it doesn't exist, isn't it",
            "Originate failed (cause 17)",
            "see manager.conf",
            "''@'",
            "other",
            "",
        ] {
            check(text, text);
        }
    }

    #[test]
    fn our_own_words_keep_their_figures() {
        let mut names = Pseudonyms::default();
        for (text, expected) in [
            ("all.failed.rate < 0.1%", "all.failed.rate < 0.1%"),
            (
                "measured 312.5 ms, after 10000 arrivals",
                "measured 312.5 ms, after 10000 arrivals",
            ),
            (
                "canary on 10.0.0.7:5038 over 1000 ms",
                "canary on address-a over 1000 ms",
            ),
        ] {
            assert_eq!(names.our_text(text), expected);
        }
    }

    /// Texts with much of what is replaced in them.
    fn text() -> impl Strategy<Value = String> {
        let piece = "[a-z]{0,6}|[0-9]{1,7}|[ .:@/'\"<>+-]{1,2}|SIP/[0-9a-f]{3,8}|10[.]0[.]0[.][0-9]{1,3}|[٠-٩]{2,4}";
        proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        /// No run of three digits survives, wherever it stood.
        #[test]
        fn no_number_survives(text in text(), any in any::<String>()) {
            for text in [text, any] {
                let scrubbed = Pseudonyms::default().peer_text(&text);
                let longest = scrubbed.split(|c: char| !c.is_numeric()).map(|run| run.chars().count()).max();
                prop_assert!(longest.unwrap_or(0) < 3, "{text:?} became {scrubbed:?}");
            }
        }

        /// What was done once need not be done again.
        #[test]
        fn again_changes_nothing(text in text()) {
            let mut names = Pseudonyms::default();
            let once = names.peer_text(&text);
            prop_assert_eq!(names.peer_text(&once), once);
        }

        /// The same text is the same, whatever came between, and different numbers stay different.
        #[test]
        fn a_run_has_one_name_for_each(texts in proptest::collection::vec(text(), 0..8), one in 100..99_999_u32, other in 100..99_999_u32) {
            let mut names = Pseudonyms::default();
            let first = names.peer_text(&format!("no {one}"));
            for text in &texts {
                names.peer_text(text);
            }
            prop_assert_eq!(names.peer_text(&format!("no {one}")) == first, true);
            prop_assert_eq!(names.peer_text(&format!("no {other}")) == first, one == other);
        }
    }
}
