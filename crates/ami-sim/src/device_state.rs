//! States of devices, of the extensions whose hints watch them, and presence: what is known, and who is told of a change.
//!
//! A device has the state it was last said to have. Custom devices and presence live in the database besides, as in Asterisk.

use std::time::Duration;

use crate::class::Classes;
use crate::hint::{ExtensionState, Hint};
use crate::mailbox::waiting_device;
use crate::message::Headers;
use crate::pbx::Pbx;

pub(crate) const CUSTOM: &str = "Custom:";
pub(crate) const CUSTOM_FAMILY: &str = "CustomDevstate";
pub(crate) const PRESENCE: &str = "CustomPresence:";
pub(crate) const PRESENCE_FAMILY: &str = "CustomPresence";

/// Devices whose state is kept; those beyond are told of and forgotten.
const DEVICES_MAX: usize = 10_000;

const PRESENCE_STATES: [&str; 7] = [
    "not_set",
    "unavailable",
    "available",
    "away",
    "xa",
    "chat",
    "dnd",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeviceState {
    Unknown,
    NotInUse,
    InUse,
    Busy,
    Invalid,
    Unavailable,
    Ringing,
    RingInUse,
    OnHold,
}

const NAMES: [(DeviceState, &str); 9] = [
    (DeviceState::Unknown, "UNKNOWN"),
    (DeviceState::NotInUse, "NOT_INUSE"),
    (DeviceState::InUse, "INUSE"),
    (DeviceState::Busy, "BUSY"),
    (DeviceState::Invalid, "INVALID"),
    (DeviceState::Unavailable, "UNAVAILABLE"),
    (DeviceState::Ringing, "RINGING"),
    (DeviceState::RingInUse, "RINGINUSE"),
    (DeviceState::OnHold, "ONHOLD"),
];

impl DeviceState {
    pub(crate) fn name(self) -> &'static str {
        let mut names = NAMES.iter();
        names
            .find(|(state, _)| *state == self)
            .map_or("UNKNOWN", |(_, name)| name)
    }

    /// As queues write it.
    pub(crate) fn number(self) -> u8 {
        self as u8
    }

    /// As people read it.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Unknown => "Unknown",
            Self::NotInUse => "Not in use",
            Self::InUse => "In use",
            Self::Busy => "Busy",
            Self::Invalid => "Invalid",
            Self::Unavailable => "Unavailable",
            Self::Ringing => "Ringing",
            Self::RingInUse => "Ring+Inuse",
            Self::OnHold => "On Hold",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        let mut names = NAMES.iter();
        names
            .find(|(_, known)| known.eq_ignore_ascii_case(name))
            .map(|(state, _)| *state)
    }

    /// Of several devices that count as one: `ast_devstate_aggregate_add`.
    pub(crate) fn of_all(states: impl Iterator<Item = Self>) -> Self {
        let rank = |state: Self| match state {
            Self::Invalid => 0,
            Self::Unknown => 1,
            Self::Unavailable => 2,
            Self::NotInUse => 3,
            Self::OnHold => 4,
            Self::Ringing => 5,
            Self::InUse => 6,
            Self::Busy => 7,
            Self::RingInUse => 8,
        };
        let (mut sum, mut rings, mut used) = (Self::Invalid, false, false);
        for state in states {
            rings |= state == Self::Ringing;
            used |= matches!(state, Self::InUse | Self::OnHold | Self::Busy);
            if rank(state) > rank(sum) {
                sum = state;
            }
        }
        if rings && used { Self::RingInUse } else { sum }
    }
}

/// What somebody says of himself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Presence {
    pub(crate) state: String,
    pub(crate) subtype: String,
    pub(crate) message: String,
}

impl Presence {
    pub(crate) fn unset() -> Self {
        Self {
            state: "not_set".to_owned(),
            subtype: String::new(),
            message: String::new(),
        }
    }

    /// `state,subtype,message` as PRESENCE_STATE takes it and the database keeps it.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, ',');
        let mut next = || parts.next().unwrap_or_default().to_owned();
        let presence = Self {
            state: next(),
            subtype: next(),
            message: next(),
        };
        PRESENCE_STATES
            .contains(&presence.state.as_str())
            .then_some(presence)
    }
}

impl Pbx {
    /// The devices that are there when the PBX starts.
    pub(crate) fn settle_devices(&mut self) {
        let endpoints = self.profile.endpoints.iter().map(|endpoint| {
            let device = format!("PJSIP/{}", endpoint.name);
            (device, endpoint.state())
        });
        self.device_states.extend(endpoints);
        if self.profile.base.starts_with_mailboxes() {
            let mailboxes = self.profile.mailboxes.iter();
            let mailboxes = mailboxes.map(|mailbox| waiting_device(&mailbox.address()));
            let quiet = mailboxes.map(|device| (device, DeviceState::NotInUse));
            self.device_states.extend(quiet);
        }
        let hints = self.profile.hints.iter().map(|hint| {
            let place = (hint.context.clone(), hint.exten.clone());
            (place, self.hint_state(hint))
        });
        self.hint_states = hints.collect();
    }

    /// Every device that was heard of, in the order of Asterisk's table.
    pub(crate) fn devices(&self) -> Vec<(&str, DeviceState)> {
        let devices = self.device_states.iter();
        let mut devices: Vec<(&str, DeviceState)> = devices
            .map(|(device, state)| (device.as_str(), *state))
            .collect();
        devices.sort_by_key(|(device, _)| bucket(device));
        devices
    }

    pub(crate) fn device_state_of(&self, device: &str) -> DeviceState {
        let known = self.device_states.get(device).copied();
        known.unwrap_or_else(|| self.quiet_state(device))
    }

    /// Of a device that nobody has heard of yet.
    fn quiet_state(&self, device: &str) -> DeviceState {
        if let Some(name) = device.strip_prefix(CUSTOM) {
            let kept = self.database.get(CUSTOM_FAMILY, name);
            return kept
                .and_then(DeviceState::from_name)
                .unwrap_or(DeviceState::Unknown);
        }
        let Some((technology, number)) = device.split_once('/') else {
            return DeviceState::Invalid;
        };
        let (exten, context) = number.split_once('@').unwrap_or((number, "default"));
        let extensions = &self.profile.extensions;
        let exists = match technology {
            "Local" => crate::extension::find(extensions, context, exten).is_some(),
            _ => crate::extension::find_device(&self.profile.devices, technology, number).is_some(),
        };
        if exists {
            DeviceState::NotInUse
        } else {
            DeviceState::Invalid
        }
    }

    /// A device has a state, which may be the one it had. Local devices are told of and not kept.
    pub(crate) fn tell_device(&mut self, now: Duration, device: &str, state: DeviceState) {
        let lasting = !device.starts_with("Local/");
        if lasting
            && (self.device_states.len() < DEVICES_MAX || self.device_states.contains_key(device))
        {
            self.device_states.insert(device.to_owned(), state);
        }
        self.tell_hints(now, device, state);
        if self.wants(Classes::CALL) {
            let headers = self.event(now, "DeviceStateChange", Classes::CALL);
            let headers = headers.with("Device", device).with("State", state.name());
            self.publish(Classes::CALL, headers);
        }
        self.follow_device(now, device, state);
    }

    /// Of every extension that watches the device and changes with it.
    fn tell_hints(&mut self, now: Duration, device: &str, state: DeviceState) {
        let profile = std::sync::Arc::clone(&self.profile);
        for hint in profile.hints.iter().filter(|hint| hint.watches(device)) {
            let states = hint.devices().map(|one| {
                if one == device {
                    state
                } else {
                    self.device_state_of(one)
                }
            });
            let told = ExtensionState::of(DeviceState::of_all(states));
            let place = (hint.context.clone(), hint.exten.clone());
            let before = self.hint_states.insert(place, told);
            if before == Some(told) {
                continue;
            }
            if self.wants(Classes::CALL) {
                let event = self.event(now, "ExtensionStatus", Classes::CALL);
                self.publish(Classes::CALL, status_lines(event, hint, told));
            }
        }
    }

    pub(crate) fn hint(&self, context: &str, exten: &str) -> Option<&Hint> {
        let mut hints = self.profile.hints.iter();
        hints.find(|hint| hint.context == context && hint.exten == exten)
    }

    pub(crate) fn hint_state(&self, hint: &Hint) -> ExtensionState {
        let states = hint.devices().map(|device| self.device_state_of(device));
        ExtensionState::of(DeviceState::of_all(states))
    }

    /// As it was told last, else as the database keeps it; `None` where there is no such provider.
    pub(crate) fn presence(&self, provider: &str) -> Option<Presence> {
        let name = provider.strip_prefix(PRESENCE)?;
        let told = self.presences_told.get(provider).cloned();
        let kept = || Presence::parse(self.database.get(PRESENCE_FAMILY, name)?);
        Some(told.or_else(kept).unwrap_or_else(Presence::unset))
    }

    pub(crate) fn tell_presence(&mut self, now: Duration, provider: &str, presence: &Presence) {
        self.presences_told
            .insert(provider.to_owned(), presence.clone());
        if self.wants(Classes::CALL) {
            let event = self.event(now, "PresenceStateChange", Classes::CALL);
            self.publish(Classes::CALL, presence_lines(event, provider, presence));
        }
    }
}

/// The cache of device states: a hash of the kind of message and one of the device, into 563 buckets.
fn bucket(device: &str) -> u32 {
    let hash = |text: &str| {
        text.bytes().fold(0_u32, |hash, byte| {
            hash.wrapping_mul(13).wrapping_add(byte.into())
        })
    };
    let hash = hash("ast_device_state_message_type").wrapping_add(hash(device));
    hash.cast_signed().unsigned_abs() % 563
}

pub(crate) fn status_lines(headers: Headers, hint: &Hint, state: ExtensionState) -> Headers {
    headers
        .with("Exten", &hint.exten)
        .with("Context", &hint.context)
        .with("Hint", &hint.watched)
        .with_display("Status", state.number())
        .with("StatusText", state.text())
}

pub(crate) fn presence_lines(headers: Headers, provider: &str, presence: &Presence) -> Headers {
    headers
        .with("Presentity", provider)
        .with("Status", &presence.state)
        .with("Subtype", &presence.subtype)
        .with("Message", &presence.message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_devices_count_as_one() {
        use DeviceState as S;
        let check = |states: &[S], expected| {
            assert_eq!(S::of_all(states.iter().copied()), expected, "{states:?}");
        };
        check(&[S::Unavailable, S::Unknown], S::Unavailable);
        check(&[S::NotInUse, S::InUse], S::InUse);
        check(&[S::Ringing, S::OnHold], S::RingInUse);
        check(&[S::Ringing, S::NotInUse], S::Ringing);
        check(&[], S::Invalid);
    }

    #[test]
    fn devices_are_listed_as_a_table_has_them() {
        let check = |device: &str, expected| assert_eq!(bucket(device), expected, "{device}");
        check("PJSIP/6001", 99);
        check("PJSIP/6003", 101);
        check("MWI:1000@default", 267);
        check("Queue:amibench_avail", 397);
    }

    #[test]
    fn presence_is_read_from_its_text() {
        let away = Presence::parse("away,lunch,back, at two").unwrap();
        assert_eq!(
            (away.subtype.as_str(), away.message.as_str()),
            ("lunch", "back, at two")
        );
        assert_eq!(Presence::parse("bogus"), None);
    }
}
