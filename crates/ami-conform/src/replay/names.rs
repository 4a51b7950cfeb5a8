//! The channels of the calls that a client places, in a recording and now: what was called so then is called so now.

use std::collections::{BTreeMap, BTreeSet};

use ami_proto::frame::Frame;

/// Headers in which a message names a channel, its id, and the id of what it belongs to.
const NAMED: [[&str; 3]; 2] = [
    ["Channel", "Uniqueid", "Linkedid"],
    ["DestChannel", "DestUniqueid", "DestLinkedid"],
];

/// The calls of one client, in the order in which it placed them.
#[derive(Debug, Default)]
pub(super) struct Calls {
    calls: Vec<Call>,
}

#[derive(Debug)]
struct Call {
    /// As it was dialled.
    dialled: String,
    action_id: Option<String>,
    /// Of its first channel; where the client gave none, it shows when that begins.
    id: Option<String>,
    channels: Vec<Channel>,
    /// Uniqueids of those that were hung up.
    gone: BTreeSet<String>,
}

/// Or a bridge, which goes by its id.
#[derive(Debug)]
struct Channel {
    uniqueid: String,
    name: String,
}

/// Why something of the recording has no name now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unknown {
    /// Of a call that was not placed again.
    Unplaced,
    /// It may come yet.
    Unseen { name: String },
}

impl Calls {
    /// Its number.
    pub(super) fn place(
        &mut self,
        dialled: &str,
        action_id: Option<String>,
        id: Option<String>,
    ) -> usize {
        self.calls.push(Call {
            dialled: dialled.to_owned(),
            action_id,
            id,
            channels: Vec::new(),
            gone: BTreeSet::new(),
        });
        self.calls.len() - 1
    }

    /// Learns from what the PBX says, whatever it says it in.
    pub(super) fn hear(&mut self, frame: Frame<'_>) {
        let text = |name| frame.text(name).unwrap_or_default().into_owned();
        let event = text("Event");
        let is_answer = event.eq_ignore_ascii_case("OriginateResponse");
        for [channel, uniqueid, linkedid] in NAMED {
            let (name, uniqueid, linkedid) = (text(channel), text(uniqueid), text(linkedid));
            if !name.contains('/') || uniqueid.is_empty() {
                continue;
            }
            let begins = event.eq_ignore_ascii_case("Newchannel");
            let mut calls = self.calls.iter_mut();
            let whose = calls.find(|call| match &call.id {
                Some(id) => is_of(id, &uniqueid) || *id == linkedid,
                None if is_answer => call.action_id == Some(text("ActionID")),
                None => begins && call.is_dialled(&name),
            });
            let Some(call) = whose else { continue };
            call.id.get_or_insert_with(|| uniqueid.clone());
            if event.eq_ignore_ascii_case("Hangup") {
                call.gone.insert(uniqueid.clone());
            }
            call.learn(uniqueid, name);
            // A bridge that one of them is in.
            let bridge = text("BridgeUniqueid");
            if !bridge.is_empty() {
                call.learn(bridge.clone(), bridge);
            }
        }
    }

    /// Names and Uniqueids.
    pub(super) fn channels(&self) -> impl Iterator<Item = &str> {
        let channels = self.calls.iter().flat_map(|call| &call.channels);
        let seen = channels.flat_map(|one| [one.name.as_str(), one.uniqueid.as_str()]);
        seen.chain(self.calls.iter().filter_map(|call| call.id.as_deref()))
    }

    /// Uniqueids of channels of which it was not heard that they ended; two of each call that were never heard of.
    pub(super) fn up_still(&self) -> BTreeSet<String> {
        let mut up = BTreeSet::new();
        for call in self.calls.iter().filter(|call| !call.is_over()) {
            up.extend(
                call.id
                    .iter()
                    .flat_map(|id| [id.clone(), format!("{id};2")]),
            );
            up.extend(call.legs().map(|channel| channel.uniqueid.clone()));
        }
        up
    }

    /// Whether all that were over then are over now.
    pub(super) fn ended_as(&self, then: &Self, placed: &BTreeMap<usize, usize>) -> bool {
        let is_over = |calls: &Self, at: usize| calls.calls.get(at).is_none_or(Call::is_over);
        let mut placed = placed.iter();
        placed.all(|(was, is)| !is_over(then, *was) || is_over(self, *is))
    }

    /// How many calls were placed and not heard to end.
    pub(super) fn up(&self) -> usize {
        self.calls.iter().filter(|call| !call.is_over()).count()
    }

    /// Which events tell of them, beside answers.
    pub(super) fn told_by<'a>(&self, events: impl Iterator<Item = Frame<'a>>) -> BTreeSet<String> {
        let known: BTreeSet<&str> = self.channels().collect();
        let tells = |frame: &Frame<'_>| {
            // TestEvent is told by builds for tests, of their own code.
            let others: [&[u8]; 2] = [b"OriginateResponse", b"TestEvent"];
            let event = frame.get("Event").unwrap_or_default();
            let is_other = frame.get("ActionID").is_some() || others.contains(&event);
            let mut values = NAMED.iter().flatten().filter_map(|name| frame.text(name));
            !is_other && values.any(|value| known.contains(&*value))
        };
        let events = events.filter(tells).filter_map(|frame| frame.text("Event"));
        events.map(|event| event.into_owned()).collect()
    }

    /// A text of the recording, in which every channel of its calls is named as it is `now`.
    pub(super) fn translate(
        &self,
        text: &str,
        now: &Self,
        placed: &BTreeMap<usize, usize>,
    ) -> Result<String, Unknown> {
        let mut text = text.to_owned();
        for (number, call) in self.calls.iter().enumerate() {
            let placed = placed.get(&number).and_then(|at| now.calls.get(*at));
            if let Some(old) = &call.id
                && holds(&text, old)
            {
                let new = placed.ok_or(Unknown::Unplaced)?.id.as_deref();
                text = replace(&text, old, new.unwrap_or(old));
            }
            for channel in &call.channels {
                for (old, part) in [(&channel.name, Part::Name), (&channel.uniqueid, Part::Id)] {
                    if holds(&text, old) {
                        let placed = placed.ok_or(Unknown::Unplaced)?;
                        let new = placed.counterpart(call, channel, part);
                        let name = || old.clone();
                        let new = new.ok_or_else(|| Unknown::Unseen { name: name() })?;
                        text = replace(&text, old, new);
                    }
                }
            }
        }
        Ok(text)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Name,
    Id,
}

impl Call {
    fn legs(&self) -> impl Iterator<Item = &Channel> {
        self.channels.iter().filter(|one| one.name.contains('/'))
    }

    /// Its first channel was hung up, and all others that were heard of.
    fn is_over(&self) -> bool {
        let is_gone = |id: &String| self.gone.contains(id);
        self.id.as_ref().is_some_and(is_gone) && self.legs().all(|leg| is_gone(&leg.uniqueid))
    }

    fn learn(&mut self, uniqueid: String, name: String) {
        if self.channels.iter().all(|known| known.uniqueid != uniqueid) {
            self.channels.push(Channel { uniqueid, name });
        }
    }

    /// What a channel of the call `then` is called in this one.
    fn counterpart(&self, then: &Self, old: &Channel, part: Part) -> Option<&str> {
        // Two threads of a PBX tell of their channels in any order, but each of its own in turn.
        let before = then.channels.iter();
        let rank = before
            .take_while(|one| one.uniqueid != old.uniqueid)
            .filter(|one| one.kind() == old.kind())
            .count();
        let mut alike = self.channels.iter().filter(|one| one.kind() == old.kind());
        alike.nth(rank).map(|new| match part {
            Part::Name => new.name.as_str(),
            Part::Id => new.uniqueid.as_str(),
        })
    }

    /// `Local/1@a-00000003;1` is what becomes of `Local/1@a`, `Local/1@a/n` too.
    fn is_dialled(&self, name: &str) -> bool {
        let dialled = match self.dialled.rsplit_once('/') {
            Some((device, options)) if device.contains('/') && !options.contains('@') => device,
            _ => &self.dialled,
        };
        let begins = name.get(..dialled.len());
        begins.is_some_and(|begin| begin.eq_ignore_ascii_case(dialled))
            && name[dialled.len()..].starts_with('-')
    }
}

impl Channel {
    /// Its technology, and which half of a Local channel it is; a bridge has neither.
    fn kind(&self) -> (&str, &str) {
        let Some((technology, _)) = self.name.split_once('/') else {
            return ("", "");
        };
        let half = self.name.rsplit_once(';').map_or("", |(_, half)| half);
        (technology, half)
    }
}

/// The id itself, or that of the other half.
fn is_of(id: &str, uniqueid: &str) -> bool {
    uniqueid
        .strip_prefix(id)
        .is_some_and(|rest| matches!(rest, "" | ";2"))
}

/// Where a name stands by itself, and not as the beginning of a longer one.
fn places<'a>(text: &'a str, name: &'a str) -> impl Iterator<Item = usize> + 'a {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '.';
    text.match_indices(name)
        .map(|(at, _)| at)
        .filter(move |at| {
            let before = text[..*at].chars().next_back();
            let behind = text[at + name.len()..].chars().next();
            !before.is_some_and(is_word) && !behind.is_some_and(is_word)
        })
}

fn holds(text: &str, name: &str) -> bool {
    places(text, name).next().is_some()
}

/// Replaces a name wherever it stands by itself.
pub(super) fn replace(text: &str, old: &str, new: &str) -> String {
    let mut replaced = String::new();
    let mut rest = 0;
    for at in places(text, old) {
        replaced.push_str(&text[rest..at]);
        replaced.push_str(new);
        rest = at + old.len();
    }
    replaced + &text[rest..]
}
