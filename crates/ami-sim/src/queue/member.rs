//! A member of a queue, and whether it can be rung.

use serde::Deserialize;

use crate::device_state::DeviceState;

/// One `[[queue.member]]` of a profile.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberSettings {
    pub interface: String,
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub penalty: u32,
    #[serde(default)]
    pub membership: Membership,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Membership {
    #[default]
    Static,
    Dynamic,
}

impl Membership {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Static => "static",
            Self::Dynamic => "dynamic",
        }
    }
}

/// Times are Unix times in seconds, zero for never.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) interface: String,
    pub(crate) name: String,
    /// The device that tells its state.
    pub(crate) state_interface: String,
    pub(crate) membership: Membership,
    pub(crate) penalty: u32,
    pub(crate) calls: u64,
    pub(crate) last_call: u64,
    pub(crate) last_pause: u64,
    pub(crate) logged_in_at: u64,
    pub(crate) in_call: bool,
    pub(crate) status: DeviceState,
    /// The reason, which may be empty.
    pub(crate) paused: Option<String>,
    pub(crate) ring_in_use: bool,
}

impl Member {
    pub(crate) fn new(interface: &str, membership: Membership, logged_in_at: u64) -> Self {
        Self {
            interface: interface.to_owned(),
            name: interface.to_owned(),
            state_interface: interface.to_owned(),
            membership,
            penalty: 0,
            calls: 0,
            last_call: 0,
            last_pause: 0,
            logged_in_at,
            in_call: false,
            status: DeviceState::Unknown,
            paused: None,
            ring_in_use: true,
        }
    }

    pub(super) fn configured(settings: MemberSettings, started_at: u64) -> Self {
        let mut member = Self::new(&settings.interface, settings.membership, started_at);
        member.name = settings.name.unwrap_or(settings.interface);
        member.penalty = settings.penalty;
        member
    }

    pub(crate) fn is_available(&self) -> bool {
        let status = match self.status {
            DeviceState::Unknown | DeviceState::NotInUse => true,
            DeviceState::Invalid | DeviceState::Unavailable => false,
            _ => self.ring_in_use,
        };
        status && self.paused.is_none()
    }

    /// What its pause device says.
    pub(crate) fn pause_state(&self) -> DeviceState {
        if self.paused.is_some() {
            DeviceState::InUse
        } else {
            DeviceState::NotInUse
        }
    }

    pub(super) fn forget_calls(&mut self) {
        self.calls = 0;
        self.last_call = 0;
    }

    /// The device whose state says that this member is paused.
    pub(crate) fn pause_device(&self, queue: &str) -> String {
        format!("Queue:{queue}_pause_{}", self.interface)
    }
}

/// The hash table of members: five characters from the slash on, squeezed to six bits each, into 37 buckets.
pub(super) fn bucket(interface: &str) -> u32 {
    let start = interface.find('/').unwrap_or_default();
    let squeezed = interface
        .bytes()
        .skip(start)
        .take(5)
        .map(|byte| match byte {
            0..32 => 0,
            32..=96 => u32::from(byte) - 32,
            _ => u32::from(byte) - 64,
        });
    let hash: u32 = (0..)
        .step_by(6)
        .zip(squeezed)
        .map(|(shift, code)| code << shift)
        .sum();
    hash % 37
}
