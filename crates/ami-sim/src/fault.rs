//! Faults: what goes wrong with delivery. The messages are the model's; what becomes of their bytes, and when, is the fault's.
//!
//! A row of `table` is a name, one line that says what it does, and where it acts. A fault is planted from the beginning, or
//! begins with an action. What it draws hangs on its seed alone.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::Deserialize;

use crate::near::{UnknownName, find};
use crate::server::TlsFault;

mod delivery;
mod parcel;
mod pieces;
mod table;

pub use delivery::Appetite;
pub(crate) use delivery::Delivery;
pub(crate) use parcel::Moment;

use parcel::{On, Rewrite};
use pieces::Pieces;

/// One way in which delivery can go wrong.
#[derive(Clone, Copy)]
pub struct Fault(&'static Row);

#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    /// Its place in the catalogue of `docs/faults.md`; variants of one fault share it.
    pub(crate) number: u8,
    /// What it does, in one line.
    pub(crate) what: &'static str,
    pub(crate) kind: Kind,
}

/// Where a fault acts.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// On connections, before there is a session.
    Accept(AcceptFault),
    Tls(TlsFault),
    /// On what is said, message by message.
    Rewrite(On, Rewrite),
    /// On the bytes of all that is said, and on their time.
    Pieces(Pieces),
    /// On what is read.
    Input(InputFault),
    /// The PBX ends every session and is not there for a while.
    Restart,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AcceptFault {
    /// The port is closed.
    Refused,
    /// The queue of the port is full: a SYN gets no answer.
    Unanswered,
    Silent,
    Closed,
    /// The port is for TLS.
    SpeaksTls,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InputFault {
    /// Nothing is read once somebody is logged in.
    Stopped,
    ByteByByte,
    /// The first byte after the login ends the session; the others stay unread.
    LeftUnread,
}

impl Fault {
    pub fn all() -> impl Iterator<Item = Self> + Clone {
        table::ROWS.iter().copied().flatten().map(Self)
    }

    pub fn named(name: &str) -> Result<Self, UnknownName> {
        find("fault", name, Self::all(), Self::name)
    }

    pub fn name(self) -> &'static str {
        self.0.name
    }

    pub fn what(self) -> &'static str {
        self.0.what
    }

    /// In the catalogue of `docs/faults.md`.
    pub fn number(self) -> u8 {
        self.0.number
    }

    /// What goes wrong on a port for TLS before a session begins.
    pub fn tls(self) -> Option<TlsFault> {
        match self.0.kind {
            Kind::Tls(fault) => Some(fault),
            _ => None,
        }
    }

    /// From the beginning on.
    pub fn planted(self) -> Planted {
        Planted {
            fault: self,
            seed: 0,
            from: Begins::Beginning,
        }
    }

    /// From the answer to the `count`-th action of that name on.
    pub fn planted_at(self, action: &str, count: u64) -> Planted {
        Planted {
            from: Begins::Action {
                name: action.to_owned(),
                count,
            },
            ..self.planted()
        }
    }

    pub(crate) fn kind(self) -> Kind {
        self.0.kind
    }
}

impl PartialEq for Fault {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Fault {}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fault({})", self.name())
    }
}

/// A fault, what it draws from, and when it begins.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(try_from = "String")]
pub struct Planted {
    pub(crate) fault: Fault,
    pub(crate) seed: u64,
    from: Begins,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Begins {
    Beginning,
    Action { name: String, count: u64 },
}

impl Planted {
    #[must_use]
    pub fn seeded(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    pub fn fault(&self) -> Fault {
        self.fault
    }

    /// Whether it befalls every session, and not only the one whose action brought it on.
    pub(crate) fn is_everywhere(&self) -> bool {
        !matches!(self.fault.kind(), Kind::Rewrite(..) | Kind::Input(_))
    }

    pub(crate) fn is_restart(&self) -> bool {
        matches!(self.fault.kind(), Kind::Restart)
    }
}

#[derive(Debug, thiserror::Error)]
pub enum PlantedError {
    #[error(transparent)]
    Name(#[from] UnknownName),
    #[error("{0:?} is no seed: NAME:SEED has a whole number for a seed")]
    Seed(String),
}

impl TryFrom<String> for Planted {
    type Error = PlantedError;

    fn try_from(text: String) -> Result<Self, PlantedError> {
        text.parse()
    }
}

/// `NAME` or `NAME:SEED`.
impl FromStr for Planted {
    type Err = PlantedError;

    fn from_str(text: &str) -> Result<Self, PlantedError> {
        let (name, seed) = text.split_once(':').unwrap_or((text, "0"));
        let fault = Fault::named(name)?;
        let seed = seed
            .parse()
            .map_err(|_| PlantedError::Seed(seed.to_owned()))?;
        Ok(fault.planted().seeded(seed))
    }
}

/// What is wrong with a PBX's delivery at the moment, and what will be.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults {
    standing: Vec<Planted>,
    waiting: Vec<Planted>,
    /// Those that all sessions are still to suffer.
    spreading: Vec<Planted>,
    /// Nobody is let in until then.
    pub(crate) down_until: Option<Duration>,
}

impl Faults {
    pub(crate) fn plant(&mut self, planted: Planted) {
        match planted.from {
            Begins::Beginning => self.spread(planted),
            Begins::Action { .. } => self.waiting.push(planted),
        }
    }

    pub(crate) fn spread(&mut self, planted: Planted) {
        self.standing.push(planted.clone());
        self.spreading.push(planted);
    }

    pub(crate) fn take_spreading(&mut self) -> Vec<Planted> {
        std::mem::take(&mut self.spreading)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.standing.is_empty() && self.waiting.is_empty()
    }

    /// What every session suffers.
    pub(crate) fn standing(&self) -> &[Planted] {
        &self.standing
    }

    pub(crate) fn accept(&self) -> Option<AcceptFault> {
        self.standing
            .iter()
            .find_map(|planted| match planted.fault.kind() {
                Kind::Accept(fault) => Some(fault),
                _ => None,
            })
    }

    pub(crate) fn tls(&self) -> Option<TlsFault> {
        self.standing.iter().find_map(|planted| planted.fault.tls())
    }

    /// The faults that an action brings on, of which it is the `count`-th.
    pub(crate) fn brought_on(&mut self, action: &str, count: u64) -> Vec<Planted> {
        let is_due = |planted: &mut Planted| {
            planted.from
                == Begins::Action {
                    name: action.to_owned(),
                    count,
                }
        };
        self.waiting.extract_if(.., is_due).collect()
    }

    /// Whether a restart is due; it comes once.
    pub(crate) fn take_restart(&mut self) -> bool {
        let before = self.standing.len();
        self.standing.retain(|planted| !planted.is_restart());
        self.standing.len() < before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_used_once_and_say_what_they_do_in_one_line() {
        let mut names: Vec<&str> = Fault::all().map(Fault::name).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        for fault in Fault::all() {
            assert!(fault.what().len() < 110 && !fault.what().contains('\n'));
            assert!(
                fault.name().contains('.') && !fault.name().contains(':'),
                "{fault:?}"
            );
            assert_eq!(fault.name().parse::<Planted>().unwrap(), fault.planted());
        }
    }

    #[test]
    fn a_seed_follows_the_name_and_unknown_names_have_near_ones() {
        let planted: Planted = "wire.cuts:7".parse().unwrap();
        assert_eq!((planted.fault.name(), planted.seed), ("wire.cuts", 7));
        let unknown = "wire.cut:7".parse::<Planted>().unwrap_err().to_string();
        assert!(unknown.contains("wire.cuts"), "{unknown}");
        let seed = "wire.cuts:x".parse::<Planted>().unwrap_err().to_string();
        assert_eq!(
            seed,
            "\"x\" is no seed: NAME:SEED has a whole number for a seed"
        );
    }
}
