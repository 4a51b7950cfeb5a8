//! A channel of the simulated PBX, and its snapshot: the block of headers that most events repeat.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use crate::agenda::Ticket;
use crate::bridge::BridgeKey;
use crate::call::CallKey;
use crate::cdr::Records;
use crate::dial::DialKey;
use crate::extension::Step;
use crate::feature::Features;
use crate::message::Headers;
use crate::occupation::Occupation;
use crate::optimisation::Optimisation;
use crate::profile::{Profile, SnapshotField};
use crate::queue::InQueue;

/// In order of creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ChannelKey(pub(crate) u64);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChannelState {
    Down,
    Ring,
    Ringing,
    Up,
    Busy,
}

impl ChannelState {
    pub(crate) fn number(self) -> &'static str {
        match self {
            Self::Down => "0",
            Self::Ring => "4",
            Self::Ringing => "5",
            Self::Up => "6",
            Self::Busy => "7",
        }
    }

    pub(crate) fn description(self) -> &'static str {
        match self {
            Self::Down => "Down",
            Self::Ring => "Ring",
            Self::Ringing => "Ringing",
            Self::Up => "Up",
            Self::Busy => "Busy",
        }
    }
}

/// Who is at an end of a call, as far as it is set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Party {
    pub(crate) number: Option<String>,
    pub(crate) name: Option<String>,
}

/// Where in the dialplan a channel is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) context: String,
    pub(crate) exten: String,
    pub(crate) priority: usize,
}

impl Place {
    pub(crate) fn first(context: &str, exten: &str) -> Self {
        Self {
            context: context.to_owned(),
            exten: exten.to_owned(),
            priority: 1,
        }
    }
}

/// What moves a channel on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Driver {
    /// Somebody else: it is dialled, and then talks until the other side ends.
    Line,
    /// The dialplan, at the channel's place.
    Dialplan,
    /// One application that an Originate named.
    Application,
}

/// What a channel does when it is woken.
#[derive(Clone, Debug)]
pub(crate) enum Next {
    /// The priority after the one it is at.
    Step,
    /// It was sent there.
    Place(Place),
    Application(Step),
}

#[derive(Debug)]
pub(crate) struct Channel {
    pub(crate) call: CallKey,
    pub(crate) name: String,
    /// As DeviceStateChange names it.
    pub(crate) device: String,
    pub(crate) uniqueid: String,
    /// The channel whose Uniqueid the Linkedid is; it may be gone.
    pub(crate) origin: ChannelKey,
    pub(crate) linkedid: String,
    pub(crate) state: ChannelState,
    pub(crate) caller: Party,
    /// Who its caller really is, as far as nobody was told.
    pub(crate) quiet_caller: Option<Party>,
    pub(crate) connected: Party,
    pub(crate) account: String,
    pub(crate) place: Place,
    pub(crate) application: String,
    pub(crate) application_data: String,
    pub(crate) hangup_cause: u16,
    pub(crate) created_at: Duration,
    pub(crate) ends_at: Option<Duration>,
    /// The latest first.
    pub(crate) variables: Vec<(String, String)>,
    /// The other half of a Local channel.
    pub(crate) peer: Option<ChannelKey>,
    pub(crate) optimisation: Optimisation,
    pub(crate) driver: Driver,
    pub(crate) next: Next,
    /// The dial that it rings for, until it answers.
    pub(crate) dialled_in: Option<DialKey>,
    /// The dial that is its own, until the talk that follows is over.
    pub(crate) dialling: Option<DialKey>,
    pub(crate) bridge: Option<BridgeKey>,
    /// The lot and the space that it is parked in.
    pub(crate) parked: Option<(usize, u32)>,
    /// Of who may transfer.
    pub(crate) features: Option<Features>,
    /// Digits that it is still made to press.
    pub(crate) to_press: VecDeque<char>,
    pub(crate) recorded: bool,
    pub(crate) occupation: Occupation,
    pub(crate) queue: Option<InQueue>,
    /// Its place and connected line have changed since it was told of last.
    pub(crate) moved_quietly: bool,
    pub(crate) records: Records,
    pub(crate) wake: Option<Ticket>,
    pub(crate) end: Option<Ticket>,
    /// The SIP Call-ID that one vendor adds to every snapshot.
    pub(crate) call_id: String,
}

impl Channel {
    pub(crate) fn technology(&self) -> &str {
        self.name.split('/').next().unwrap_or_default()
    }

    /// Underscores before a name say that it is inherited; they are no part of it.
    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        self.variables
            .iter()
            .find(|(known, _)| known.trim_start_matches('_') == name.trim_start_matches('_'))
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn set_variable(&mut self, name: &str, value: &str) {
        match self.variables.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => value.clone_into(old),
            None => self
                .variables
                .insert(0, (name.to_owned(), value.to_owned())),
        }
    }

    /// What a channel that it dials gets: `_NAME` as `NAME`, `__NAME` as it is.
    pub(crate) fn inherited_variables(&self) -> Vec<(String, String)> {
        let inherits = self
            .variables
            .iter()
            .filter(|(name, _)| name.starts_with('_'));
        inherits
            .map(|(name, value)| match name.strip_prefix("__") {
                Some(_) => (name.clone(), value.clone()),
                None => (name[1..].to_owned(), value.clone()),
            })
            .collect()
    }

    /// The channel's headers, each name with `prefix` before it.
    pub(crate) fn write_snapshot(&self, prefix: &str, profile: &Profile, headers: &mut Headers) {
        for field in &profile.snapshot {
            self.write_field(*field, prefix, &profile.unset_party, headers);
        }
        for name in &profile.channel_variables {
            let value = self.manager_variable(name);
            headers.push_display(prefix, "ChanVariable", format_args!("{name}={value}"));
        }
    }

    /// What `channelvars` tells: a variable, or a function of the call's record.
    pub(crate) fn manager_variable(&self, name: &str) -> &str {
        match name {
            "CDR(channel)" => &self.name,
            "CDR(src)" => self.caller.number.as_deref().unwrap_or_default(),
            "CDR(dst)" => &self.place.exten,
            "CDR(lastapp)" => &self.application,
            _ => self.variable(name).unwrap_or_default(),
        }
    }

    fn write_field(&self, field: SnapshotField, prefix: &str, unset: &str, headers: &mut Headers) {
        use SnapshotField as Field;
        let party = |value: &'_ Option<String>| value.clone().unwrap_or_else(|| unset.to_owned());
        let mut text = |name: &str, value: &str| headers.push(prefix, name, value.as_bytes());
        match field {
            Field::Channel => text("Channel", &self.name),
            Field::ChannelState => text("ChannelState", self.state.number()),
            Field::ChannelStateDesc => text("ChannelStateDesc", self.state.description()),
            Field::CallerIDNum => text("CallerIDNum", &party(&self.caller.number)),
            Field::CallerIDName => text("CallerIDName", &party(&self.caller.name)),
            Field::ConnectedLineNum => text("ConnectedLineNum", &party(&self.connected.number)),
            Field::ConnectedLineName => text("ConnectedLineName", &party(&self.connected.name)),
            Field::Language => text("Language", "en"),
            Field::AccountCode => text("AccountCode", &self.account),
            Field::Context => text("Context", &self.place.context),
            Field::Exten => text("Exten", &self.place.exten),
            Field::Priority => headers.push_display(prefix, "Priority", self.place.priority),
            Field::Uniqueid => text("Uniqueid", &self.uniqueid),
            Field::Linkedid => text("Linkedid", &self.linkedid),
            Field::Callid => text("Callid", &self.call_id),
            Field::PageFlag => text("PageFlag", "false"),
            Field::Application => text("Application", &self.application),
            // Only a call to the outside has them.
            Field::RegCalleenum => text("Reg_calleenum", ""),
            Field::RegCallernum => text("Reg_callernum", ""),
            Field::RegCallername => text("Reg_callername", ""),
        }
    }
}

/// As in `Cause-txt`.
pub(crate) struct CauseText(pub(crate) u16);

impl fmt::Display for CauseText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            1 => "Unallocated (unassigned) number",
            3 => "No route to destination",
            16 => "Normal Clearing",
            17 => "User busy",
            18 => "No user responding",
            19 => "User alerting, no answer",
            20 => "Subscriber absent",
            21 => "Call Rejected",
            26 => "Answered elsewhere",
            27 => "Destination out of order",
            31 => "Normal, unspecified",
            34 => "Circuit/channel congestion",
            66 => "Channel not implemented",
            38 => "Network out of order",
            127 => "Interworking, unspecified",
            _ => "Unknown",
        })
    }
}
