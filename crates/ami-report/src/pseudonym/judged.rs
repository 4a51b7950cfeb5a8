//! Judgements without anyone's number, name or address. Evidence keeps its offsets, which are those of the wire.

use ami_results::judgement::Bytes;

use super::{Class, Naming, Pseudonyms, host, words};
use crate::conformance::{Column, Conformance, Judged};

/// Who made the ActionIDs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ids {
    /// This program: they tell of nobody.
    Ours,
    Theirs,
}

impl Conformance {
    /// The same judgements without anyone's number, name or address.
    pub fn pseudonymised(mut self) -> Self {
        let mut names = Pseudonyms::default();
        for column in &mut self.columns {
            names.device(column);
        }
        for column in &mut self.columns {
            names.column(column);
        }
        self.naming = Naming::Pseudonyms;
        self
    }
}

impl Pseudonyms {
    fn device(&mut self, column: &mut Column) {
        let device = &mut column.device;
        if let Some(address) = &mut device.address {
            let at = address.rsplit(' ').next().unwrap_or_default().to_owned();
            // A target that was given as a URI is named after its address.
            if [words(&at), words(host(&at))].contains(&words(&device.target)) {
                let name = self.know(Class::Target, &device.target);
                column.name = column.name.replacen(&device.target, &name, 1);
                device.target = name;
            }
            *address = self.address(address);
        }
        if let Some(account) = &mut device.account {
            *account = self.know(Class::Account, account);
        }
    }

    fn column(&mut self, column: &mut Column) {
        let ids = match column.run.verb.as_str() {
            "check" => Ids::Theirs,
            _ => Ids::Ours,
        };
        for judged in &mut column.judged {
            self.evidence(judged, ids);
        }
        let Column { device, end, .. } = column;
        for judged in &mut column.judged {
            let judgement = &mut judged.judgement;
            judgement.target.clone_from(&device.target);
            for text in [&mut judgement.expected, &mut judgement.got] {
                *text = self.judged_text(text);
            }
            for left in &mut judgement.left {
                *left = self.peer_text(left);
            }
        }
        for fact in &mut device.facts {
            fact.seen = self.judged_text(&fact.seen);
        }
        for conflict in &mut device.conflicts {
            *conflict = self.judged_text(conflict);
        }
        if let Some(unreachable) = &mut device.unreachable {
            *unreachable = self.peer_text(unreachable);
        }
        if let Some(end) = end {
            end.target.clone_from(&device.target);
            for objection in &mut end.objections {
                *objection = self.judged_text(objection);
            }
        }
    }

    fn evidence(&mut self, judged: &mut Judged, ids: Ids) {
        let excerpts = judged.judgement.evidence.iter_mut();
        for (passage, excerpt) in judged.passages.iter_mut().zip(excerpts) {
            let mut text = String::new();
            for line in &mut passage.lines {
                line.text = self.message_line(&line.text, ids);
                text.push_str(&line.text);
                text.push_str(line.end);
            }
            excerpt.bytes = Bytes::Text(text);
        }
    }

    fn message_line(&mut self, line: &str, ids: Ids) -> String {
        match line.split_once(':') {
            Some((name, _)) if name.eq_ignore_ascii_case("actionid") && ids == Ids::Ours => {
                line.to_owned()
            }
            Some((name, id)) if name.eq_ignore_ascii_case("actionid") => {
                format!("{name}: {}", self.name(Class::Id, id.trim()))
            }
            _ => self.line(line),
        }
    }

    /// A text in our words that quotes the peer: in backticks, or as the headers of a message, separated by ` / `.
    fn judged_text(&mut self, text: &str) -> String {
        let parts = text.split('`').enumerate().map(|(index, part)| {
            if index % 2 == 1 {
                self.quoted_headers(part)
            } else if part.contains(" / ") || part.contains("Response: ") {
                let start = part.find("Response: ").unwrap_or(0);
                let (ours, theirs) = part.split_at(start);
                self.our_text(ours) + &self.quoted_headers(theirs)
            } else {
                self.our_text(part)
            }
        });
        parts.collect::<Vec<_>>().join("`")
    }

    fn quoted_headers(&mut self, text: &str) -> String {
        let pieces = text.split(" / ").map(|piece| match piece.split_once(": ") {
            Some((name, _)) if !name.contains(' ') => self.message_line(piece, Ids::Ours),
            _ => self.peer_words(piece),
        });
        pieces.collect::<Vec<_>>().join(" / ")
    }

    /// A banner and the like are nobody's.
    fn peer_words(&mut self, text: &str) -> String {
        if text.contains("Call Manager") {
            text.to_owned()
        } else {
            self.peer_text(text)
        }
    }
}
