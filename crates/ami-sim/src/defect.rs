//! Defects: wrong behaviour that a simulated PBX is told to have, one for each thing that a PBX is judged by.
//!
//! A row is a name after what is wrong, the conformance case that it fails, one line, and a rewrite: of what the client sends,
//! of one action before the model sees it, of the messages that answer it, of an event, or of the PBX as it is set up. They
//! act on encoded messages, since line ends go wrong too. A sound PBX pays nothing for them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::Deserialize;

use crate::message::Event;
use crate::near::{UnknownName, find};
use crate::pbx::{Pbx, SessionKey};
use crate::text::Text;
use crate::web::WebRequest;

mod flaws;
mod table;
mod turn;
mod web;

pub use flaws::ClientEnd;
pub(crate) use flaws::{Flaws, LostSession, Overhearing};
pub(crate) use turn::{Course, Incoming, Turn, after, before, is_login, receive};
pub(crate) use web::WebAnswer;

/// One wrong behaviour.
#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
pub struct Defect(&'static Row);

pub(crate) struct Row {
    name: &'static str,
    case: &'static str,
    what: &'static str,
    how: How,
}

/// What is rewritten.
#[derive(Clone, Copy)]
pub(crate) enum How {
    /// The PBX, once.
    Setup(fn(&mut Pbx)),
    /// Bytes of a client, as they were read.
    Input(fn(&mut Incoming<'_>)),
    /// An action, before the model sees it.
    Action(fn(&mut Turn<'_>)),
    /// The messages that answer one action.
    Answer(fn(&mut Turn<'_>)),
    /// An event of the model, for everybody.
    Event(fn(&mut Telling<'_>)),
    /// What one session hears.
    Hearing(fn(&mut Hearing<'_>)),
    /// A request over HTTP, and its answer.
    Web {
        ask: fn(&mut WebRequest, &mut Notes),
        answer: fn(&mut WebAnswer<'_>),
    },
}

/// An event on its way to all; what is left in `texts` is told.
pub(crate) struct Telling<'a> {
    pub(crate) texts: Vec<Text>,
    pub(crate) notes: &'a mut Notes,
}

/// An event on its way to one session; what is left in `events` is heard.
pub(crate) struct Hearing<'a> {
    pub(crate) key: SessionKey,
    /// So many are logged in.
    pub(crate) sessions: usize,
    pub(crate) events: Vec<Arc<Event>>,
    pub(crate) notes: &'a mut Notes,
}

/// What a defect remembers, of a session or of the PBX.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    pub(crate) held: Vec<Text>,
    pub(crate) held_events: Vec<Arc<Event>>,
    pub(crate) count: u64,
    pub(crate) bytes: usize,
    /// The last byte that was read.
    pub(crate) last: Option<u8>,
    pub(crate) keys: Vec<Vec<u8>>,
    /// So many events are not heard.
    pub(crate) deaf: usize,
}

/// What is wrong with a PBX.
#[derive(Debug, Default)]
pub(crate) struct Defects {
    planted: Vec<Defect>,
    notes: Notes,
    /// Requests over HTTP whose answers were not taken yet.
    asked: BTreeMap<SessionKey, WebRequest>,
}

impl Defect {
    pub fn all() -> impl Iterator<Item = Self> + Clone {
        table::ROWS.iter().copied().flatten().map(Self)
    }

    pub fn named(name: &str) -> Result<Self, UnknownName> {
        find("defect", name, Self::all(), Self::name)
    }

    pub fn name(self) -> &'static str {
        self.0.name
    }

    /// The conformance case that a PBX with this defect fails, or whose observation it changes; none for what only the end of
    /// the PBX would show.
    pub fn case(self) -> Option<&'static str> {
        Some(self.0.case).filter(|case| *case != table::UNJUDGED)
    }

    pub fn what(self) -> &'static str {
        self.0.what
    }
}

impl TryFrom<String> for Defect {
    type Error = UnknownName;

    fn try_from(name: String) -> Result<Self, UnknownName> {
        Self::named(&name)
    }
}

impl std::str::FromStr for Defect {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, UnknownName> {
        Self::named(name)
    }
}

impl PartialEq for Defect {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Defect {}

impl fmt::Debug for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Defect({})", self.name())
    }
}

impl Defects {
    pub(crate) fn is_empty(&self) -> bool {
        self.planted.is_empty()
    }

    /// Of the PBX, beside those that each session has.
    pub(crate) fn notes(&mut self) -> &mut Notes {
        &mut self.notes
    }

    fn hows(&self) -> Vec<How> {
        self.planted.iter().map(|defect| defect.0.how).collect()
    }
}

impl Pbx {
    pub(crate) fn spoil(&mut self, defect: Defect) {
        if let How::Setup(set_up) = defect.0.how {
            set_up(self);
        }
        self.defects.planted.push(defect);
    }

    /// An encoded event as a PBX with defects tells it: not at all, changed, or with others.
    pub(crate) fn rewrite_event(&mut self, bytes: Vec<u8>) -> Vec<Vec<u8>> {
        let hows = self.defects.hows();
        let mut telling = Telling {
            texts: vec![Text(bytes)],
            notes: &mut self.defects.notes,
        };
        for how in hows {
            if let How::Event(rewrite) = how {
                rewrite(&mut telling);
            }
        }
        telling.texts.into_iter().map(|text| text.0).collect()
    }

    /// What of an event a session hears.
    pub(crate) fn rewrite_hearing(
        &self,
        key: SessionKey,
        event: &Arc<Event>,
        notes: &mut Notes,
    ) -> Vec<Arc<Event>> {
        if let Some(deaf) = notes.deaf.checked_sub(1) {
            notes.deaf = deaf;
            return Vec::new();
        }
        let mut hearing = Hearing {
            key,
            sessions: self.logins.values().sum(),
            events: vec![Arc::clone(event)],
            notes,
        };
        for how in self.defects.hows() {
            if let How::Hearing(rewrite) = how {
                rewrite(&mut hearing);
            }
        }
        hearing.events
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_used_once() {
        let mut names: Vec<&str> = Defect::all().map(Defect::name).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        for defect in Defect::all() {
            assert!(
                defect.what().len() < 100 && !defect.what().contains('\n'),
                "{defect:?}"
            );
            assert_eq!(defect.name().parse(), Ok(defect));
        }
    }
}
