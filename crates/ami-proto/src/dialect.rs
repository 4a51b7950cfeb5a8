//! What the AMI of a server does differently, as far as the wire shows it.
//! A value, picked from the banner; several dialects are spoken in one process.

use crate::message::Banner;
use crate::session::{Announced, Answer};

mod marks;
pub mod recognition;
mod releases;
pub mod vendor;

/// The AMI version, as in the banner. It does not name the release: 20 and later have one for each major, and 2.8.0 is
/// both 13.5–13.12 and 14.0–14.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    pub major: u16,
    pub minor: u16,
    pub patch: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Dialect {
    version: Option<Version>,
}

/// Actions that are answered by an event list on every server that has them.
const LISTS: &[&str] = &[
    "Agents",
    "BridgeInfo",
    "BridgeList",
    "ConfbridgeList",
    "ConfbridgeListRooms",
    "CoreShowChannelMap",
    "CoreShowChannels",
    "DBGet",
    "DBGetTree",
    "DeviceStateList",
    "ExtensionStateList",
    "GSAgents",
    "MeetmeList",
    "Parkinglots",
    "ParkedCalls",
    "PJSIPShowAors",
    "PJSIPShowAuths",
    "PJSIPShowContacts",
    "PJSIPShowEndpoint",
    "PJSIPShowEndpoints",
    "PJSIPShowRegistrationsInbound",
    "PJSIPShowRegistrationsOutbound",
    "PresenceStateList",
    "QueueStatus",
    "QueueSummary",
    "ShowDialPlan",
    "SIPpeers",
    "SIPshowregistry",
    "Status",
    "VoicemailUsersList",
    "WaitEvent",
];

impl Dialect {
    pub fn of_banner(banner: &Banner<'_>) -> Self {
        Self {
            version: banner.version().and_then(Version::parse),
        }
    }

    pub fn version(&self) -> Option<Version> {
        self.version
    }

    /// What answers an action of that name; the sender may know better.
    pub fn answer_to(&self, action: &str) -> Answer {
        let is = |name: &&str| name.eq_ignore_ascii_case(action);
        if is(&"Queues") && self.is_before(4, 0) {
            return Answer::Raw;
        }
        if LISTS.iter().any(is) {
            Answer::List
        } else {
            Answer::Single
        }
    }

    /// `ChannelId` of Originate, since 12.2; an unknown version has none.
    pub fn accepts_channel_id(&self) -> bool {
        self.version.is_some() && !self.is_before(2, 2)
    }

    /// Lists without `EventList: Complete` (before 13.2) end with an event whose name says so.
    pub(crate) fn closes_list(&self, event: &[u8]) -> bool {
        const END: &[u8] = b"Complete";
        event.len() >= END.len() && event[event.len() - END.len()..].eq_ignore_ascii_case(END)
    }

    /// Before `EventList`, a DBGet had one item and nothing behind it.
    pub(crate) fn is_whole_list(&self, event: &[u8], announced: Announced) -> bool {
        announced == Announced::No && event.eq_ignore_ascii_case(b"DBGetResponse")
    }

    fn is_before(&self, major: u16, minor: u16) -> bool {
        self.version
            .is_some_and(|version| (version.major, version.minor) < (major, minor))
    }
}

impl Version {
    /// Two or three numbers, as `1.1` and `11.0.0`.
    fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split('.').map(|number| number.parse().ok());
        let mut next = || numbers.next().unwrap_or(Some(0));
        Some(Self {
            major: next()?,
            minor: next()?,
            patch: next()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(banner: &str, version: Option<(u16, u16, u16)>) {
        let dialect = Dialect::of_banner(&Banner::new(banner.as_bytes()));
        let found = dialect.version().map(|v| (v.major, v.minor, v.patch));
        assert_eq!(found, version, "{banner}");
    }

    #[test]
    fn q01_versions_have_two_or_three_numbers() {
        check("Asterisk Call Manager/1.1", Some((1, 1, 0)));
        check("Asterisk Call Manager/11.0.0", Some((11, 0, 0)));
        check("PBX Call Manager/11.0.0", Some((11, 0, 0)));
        check("Asterisk Call Manager/", None);
        check("Asterisk Call Manager/x.y", None);
        check("hello", None);
    }

    #[test]
    fn the_answer_is_declared_per_action() {
        let old = Dialect::of_banner(&Banner::new(b"Asterisk Call Manager/2.8.0"));
        let new = Dialect::of_banner(&Banner::new(b"Asterisk Call Manager/11.0.0"));
        assert_eq!(old.answer_to("queues"), Answer::Raw);
        assert_eq!(new.answer_to("Queues"), Answer::Single);
        assert_eq!(new.answer_to("coreshowchannels"), Answer::List);
        assert_eq!(new.answer_to("Ping"), Answer::Single);
        assert!(old.accepts_channel_id());
        assert!(!Dialect::default().accepts_channel_id());
    }

    #[test]
    fn what_a_version_brings_it_has_itself() {
        let of = |version: &str| {
            let banner = format!("Asterisk Call Manager/{version}");
            Dialect::of_banner(&Banner::new(banner.as_bytes()))
        };
        assert!(!of("2.1.9").accepts_channel_id());
        assert!(of("2.2.0").accepts_channel_id());
        assert_eq!(of("3.9").answer_to("Queues"), Answer::Raw);
        assert_eq!(of("4.0.0").answer_to("Queues"), Answer::Single);
        assert!(of("1.1").closes_list(b"ThingsComplete"));
        assert!(of("1.1").closes_list(b"complete"));
        assert!(!of("1.1").closes_list(b"omplete"));
        assert!(!of("1.1").closes_list(b"CompleteThings"));
    }
}
