//! Hints: extensions whose state is that of the devices they watch.

use serde::Deserialize;

use crate::device_state::DeviceState;

/// One `[[hint]]` of a profile.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hint {
    pub context: String,
    pub exten: String,
    /// `device&device,presence`, as in `extensions.conf`.
    pub watched: String,
}

impl Hint {
    pub(crate) fn devices(&self) -> impl Iterator<Item = &str> {
        let devices = self.watched.split(',').next().unwrap_or_default();
        devices.split('&').filter(|device| !device.is_empty())
    }

    pub(crate) fn watches(&self, device: &str) -> bool {
        self.devices().any(|watched| watched == device)
    }

    pub(crate) fn presence(&self) -> Option<&str> {
        self.watched.split_once(',').map(|(_, provider)| provider)
    }
}

/// As ExtensionStatus numbers and spells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExtensionState {
    Unknown,
    Idle,
    InUse,
    Busy,
    Unavailable,
    Ringing,
    InUseRinging,
    Hold,
}

impl ExtensionState {
    /// `ast_devstate_to_extenstate`.
    pub(crate) fn of(device: DeviceState) -> Self {
        match device {
            DeviceState::Unknown | DeviceState::NotInUse => Self::Idle,
            DeviceState::InUse => Self::InUse,
            DeviceState::Busy => Self::Busy,
            DeviceState::Invalid | DeviceState::Unavailable => Self::Unavailable,
            DeviceState::Ringing => Self::Ringing,
            DeviceState::RingInUse => Self::InUseRinging,
            DeviceState::OnHold => Self::Hold,
        }
    }

    pub(crate) fn number(self) -> i8 {
        match self {
            Self::Unknown => -1,
            Self::Idle => 0,
            Self::InUse => 1,
            Self::Busy => 2,
            Self::Unavailable => 4,
            Self::Ringing => 8,
            Self::InUseRinging => 9,
            Self::Hold => 16,
        }
    }

    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Unknown => "Unknown",
            Self::Idle => "Idle",
            Self::InUse => "InUse",
            Self::Busy => "Busy",
            Self::Unavailable => "Unavailable",
            Self::Ringing => "Ringing",
            Self::InUseRinging => "InUse&Ringing",
            Self::Hold => "Hold",
        }
    }

    /// EXTENSION_STATE() speaks of devices.
    pub(crate) fn function_text(self) -> &'static str {
        match self {
            Self::Unknown => "UNKNOWN",
            Self::Idle => "NOT_INUSE",
            Self::InUse => "INUSE",
            Self::Busy => "BUSY",
            Self::Unavailable => "UNAVAILABLE",
            Self::Ringing => "RINGING",
            Self::InUseRinging => "RINGINUSE",
            Self::Hold => "ONHOLD",
        }
    }
}
