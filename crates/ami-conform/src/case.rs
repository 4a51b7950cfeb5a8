//! A case: one requirement, what it rests on, what it needs, and the code that judges it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use ami_client::target::Standing;

use crate::bench::Bench;
use crate::finding::{Finding, Judged};
use crate::observed::Observed;

/// The record of a case; lists, documentation and reports are made from it.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// `area.subject.behaviour`; it never changes its meaning and is never used again.
    pub id: &'static str,
    /// What it was called before.
    pub aliases: &'static [&'static str],
    /// One sentence that the PBX keeps or breaks.
    pub requirement: &'static str,
    pub level: Level,
    pub authority: Authority,
    /// What a client suffers where it is broken.
    pub severity: Severity,
    pub safety: Safety,
    pub needs: &'static [Need],
    /// Where the requirement is from, to look up.
    pub source: &'static str,
    /// Real bugs that it catches.
    pub catches: &'static [&'static str],
    /// How long it waits for the PBX by its nature, in seconds.
    pub waits: u32,
    pub check: Check,
}

/// What most cases have in common; a case names what it has of its own.
pub const CASE: Case = Case {
    id: "",
    aliases: &[],
    requirement: "",
    level: Level::Must,
    authority: Authority::Specification,
    severity: Severity::Major,
    safety: Safety::Quiet,
    needs: &[],
    source: "",
    catches: &[],
    waits: 0,
    check: Check::Passive(|_| Finding::inconclusive("there is no code for it")),
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Must,
    Should,
    May,
    /// Whatever is found is reported, and nothing is wrong.
    Observe,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authority {
    /// The AMI specification.
    Specification,
    /// The source of Asterisk, in the releases that `source` names.
    Asterisk,
    /// A document of the vendor.
    Vendor,
    /// What all that we have seen do.
    Consensus,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The stream falls out of step, or nobody can log in.
    Blocker,
    /// Data is lost or taken for another's.
    Major,
    /// A client needs a special case.
    Minor,
    Info,
}

/// What running a case does to a PBX; each class but the first must be allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Safety {
    /// Reads, at a handful of sessions, and raises no security event.
    Quiet,
    /// Rude frames, failed logins, idle connections: our address may be banned.
    Noisy,
    /// Makes something that it takes away again.
    CreatesState,
    OriginatesCall,
    /// Others may notice.
    Disruptive,
}

/// A capability that a case cannot do without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Need {
    /// The account may run this action.
    Action(&'static str),
    /// The account hears events of this class.
    Read(&'static str),
    /// At least this release of Asterisk, as major and minor.
    Since(u16, u16),
    /// Before this release.
    Before(u16, u16),
    /// The target maps this role.
    Role(&'static str),
    /// The target names such an account.
    Account(Standing),
    Http,
    Tls,
    /// Sessions over TCP without TLS.
    Plain,
}

pub type ActiveCheck = for<'a> fn(&'a mut Bench<'_>) -> Pin<Box<dyn Future<Output = Judged> + 'a>>;

#[derive(Clone, Copy)]
pub enum Check {
    /// Judges what was seen, live or recorded.
    Passive(fn(&Observed<'_>) -> Finding),
    /// Does something and judges what comes of it.
    Active(ActiveCheck),
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Passive(_) => "Passive",
            Self::Active(_) => "Active",
        })
    }
}

impl Case {
    /// The first part of the id.
    pub fn area(&self) -> &'static str {
        self.id.split('.').next().unwrap_or_default()
    }

    pub fn is_called(&self, name: &str) -> bool {
        self.id == name || self.aliases.contains(&name)
    }

    pub fn is_passive(&self) -> bool {
        matches!(self.check, Check::Passive(_))
    }
}

impl Safety {
    /// What an operator should know before it is allowed.
    pub fn does(self) -> &'static str {
        match self {
            Self::Quiet => {
                "reads with at most 5 sessions and 20 actions/s, and raises no security event"
            }
            Self::Noisy => {
                "sends broken requests and wrong logins, and leaves connections idle: this address may be banned"
            }
            Self::CreatesState => {
                "makes database keys, queue members and user events of its own; what stays is taken away again"
            }
            Self::OriginatesCall => {
                "places calls to the roles of the target, which end within 30 s and are hung up before"
            }
            Self::Disruptive => "uses up what others need: they may be turned away meanwhile",
        }
    }
}

macro_rules! slugs {
    ($type:ident { $($variant:ident => $slug:literal),+ $(,)? }) => {
        impl $type {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            pub fn slug(self) -> &'static str {
                match self {
                    $(Self::$variant => $slug),+
                }
            }

            pub fn from_slug(slug: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.slug() == slug)
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.slug())
            }
        }
    };
}

slugs!(Level { Must => "must", Should => "should", May => "may", Observe => "observe" });
slugs!(Authority {
    Specification => "specification",
    Asterisk => "asterisk",
    Vendor => "vendor",
    Consensus => "consensus",
});
slugs!(Severity { Blocker => "blocker", Major => "major", Minor => "minor", Info => "info" });
slugs!(Safety {
    Quiet => "quiet",
    Noisy => "noisy",
    CreatesState => "creates-state",
    OriginatesCall => "originates-call",
    Disruptive => "disruptive",
});

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Action(name) => write!(f, "action {name}"),
            Self::Read(class) => write!(f, "read class {class}"),
            Self::Since(major, minor) => write!(f, "Asterisk {major}.{minor} or later"),
            Self::Before(major, minor) => write!(f, "Asterisk before {major}.{minor}"),
            Self::Role(name) => write!(f, "role {name}"),
            Self::Account(standing) => write!(f, "account {standing}"),
            Self::Http => f.write_str("AMI over HTTP"),
            Self::Tls => f.write_str("AMI over TLS"),
            Self::Plain => f.write_str("AMI over plain TCP"),
        }
    }
}
