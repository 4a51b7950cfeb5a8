//! What a PBX is and can do, as far as it shows: read from its banner, its lists and its first answers.

use std::collections::{BTreeMap, BTreeSet};

use ami_client::target::{Role, Standing};
use ami_proto::dialect::recognition::Recognition;

use crate::allowed;
use crate::case::Need;
use crate::finding::Finding;
use crate::observed::{Connection, Observed};

/// A release of Asterisk, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Release {
    pub major: u16,
    pub minor: u16,
}

/// Whether a PBX has a capability.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Has {
    Yes,
    /// Why not, in words that help.
    No(String),
    /// It does not show.
    Unknown(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommandFraming {
    /// `Response: Follows` … `--END COMMAND--`.
    Follows,
    /// A line in an `Output:` header.
    Output,
}

/// Why something about a device is taken to be so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    pub fact: String,
    pub seen: String,
}

#[derive(Debug, Clone, Default)]
pub struct Device {
    /// The line, without its end.
    pub banner: String,
    pub release: Option<Release>,
    /// `AsteriskVersion` of CoreSettings.
    pub version: Option<String>,
    /// Whose AMI it is, as far as it shows.
    pub dialect: Option<String>,
    pub framing: Option<CommandFraming>,
    /// What the account may run, with the classes behind it; none when ListCommands is refused.
    pub actions: Option<BTreeMap<String, String>>,
    /// Classes of events that the account hears; none when it does not show.
    pub reads: Option<BTreeSet<String>>,
    /// What to dial for each role.
    pub roles: BTreeMap<String, Role>,
    /// Roles that may not be dialled, and why not.
    pub barred: BTreeMap<String, String>,
    pub speaks: BTreeSet<Transport>,
    /// What stands before `/rawman`.
    pub web_prefix: String,
    /// Accounts that lack something.
    pub lesser: BTreeSet<Standing>,
    pub reasons: Vec<Reason>,
    /// Evidence that does not go together.
    pub conflicts: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Transport {
    Plain,
    Tls,
    Http,
}

impl Device {
    pub fn has(&self, need: Need) -> Has {
        match need {
            Need::Action(name) => self.has_action(name),
            Need::Read(class) => match &self.reads {
                None => Has::Unknown(format!(
                    "whether the account reads class {class} does not show; `read` in the target's [conform] says it"
                )),
                Some(reads) if reads.contains(class) => Has::Yes,
                Some(_) => Has::No(format!("the account does not read class {class}")),
            },
            Need::Since(major, minor) => {
                self.release_is(need, |release| release >= Release { major, minor })
            }
            Need::Before(major, minor) => {
                self.release_is(need, |release| release < Release { major, minor })
            }
            Need::Role(name) if self.roles.contains_key(name) => Has::Yes,
            Need::Role(name) if self.barred.contains_key(name) => {
                Has::No(self.barred[name].clone())
            }
            Need::Role(name) => Has::No(format!("the target maps no role `{name}`")),
            Need::Account(standing) if self.lesser.contains(&standing) => Has::Yes,
            Need::Account(standing) => Has::No(format!(
                "the target names no account `{standing}` ([conform.accounts.{standing}])"
            )),
            Need::Http => self.has_transport(
                Transport::Http,
                "the target has no address for AMI over HTTP",
            ),
            Need::Tls => self.has_transport(Transport::Tls, "the target is not reached over TLS"),
            Need::Plain => {
                self.has_transport(Transport::Plain, "the target is not reached over plain TCP")
            }
        }
    }

    pub(crate) fn may_run(&self, action: &str) -> bool {
        self.has_action(action) == Has::Yes
    }

    /// Why a case with these needs is not judged on it, if it is not.
    pub(crate) fn obstacle(&self, needs: &[Need]) -> Option<Finding> {
        needs.iter().find_map(|need| match self.has(*need) {
            Has::Yes => None,
            Has::No(why) => Some(Finding::not_applicable(why)),
            Has::Unknown(why) => Some(Finding::inconclusive(why)),
        })
    }

    /// With what speaks for it, and what does not go together.
    pub(crate) fn recognise(&mut self, observed: &Observed<'_>) {
        let mut recognition = Recognition::default();
        let said = observed.connections.iter().flat_map(Connection::said);
        said.for_each(|seen| recognition.see(&seen.frame()));
        self.dialect = recognition.dialect();
        self.conflicts = recognition.conflicts();
        let reasons = recognition.reasons().into_iter();
        self.reasons.extend(reasons.map(|seen| Reason {
            fact: "dialect".to_owned(),
            seen,
        }));
    }

    fn has_action(&self, name: &str) -> Has {
        match &self.actions {
            None => Has::Unknown(format!(
                "ListCommands does not say whether the account may run {name}"
            )),
            Some(actions) => {
                let mut known = actions.keys();
                if known.any(|known| known.eq_ignore_ascii_case(name)) {
                    Has::Yes
                } else {
                    let classes = allowed::privilege(name);
                    Has::No(format!(
                        "the account may not run {name}, which needs {classes}, or the PBX has no such action"
                    ))
                }
            }
        }
    }

    fn release_is(&self, need: Need, holds: impl Fn(Release) -> bool) -> Has {
        match self.release {
            None => Has::Unknown(format!(
                "which Asterisk this is does not show; this is for {need}"
            )),
            Some(release) if holds(release) => Has::Yes,
            Some(Release { major, minor }) => {
                Has::No(format!("this is {major}.{minor}, not {need}"))
            }
        }
    }

    fn has_transport(&self, transport: Transport, otherwise: &str) -> Has {
        if self.speaks.contains(&transport) {
            Has::Yes
        } else {
            Has::No(otherwise.to_owned())
        }
    }
}
