//! The actions that a scenario may send besides Ping and Originate: a written list of what only reads.
//!
//! Nothing is ever chosen from ListCommands or from a missing class: on some PBXs `DAHDIRestart` has none.

use ami_proto::session::Answer;
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
pub enum Query {
    CoreSettings,
    CoreShowChannels,
    CoreStatus,
    DeviceStateList,
    ListCommands,
    QueueStatus,
    QueueSummary,
    Status,
}

impl Query {
    pub fn action_name(self) -> &'static str {
        match self {
            Self::CoreSettings => "CoreSettings",
            Self::CoreShowChannels => "CoreShowChannels",
            Self::CoreStatus => "CoreStatus",
            Self::DeviceStateList => "DeviceStateList",
            Self::ListCommands => "ListCommands",
            Self::QueueStatus => "QueueStatus",
            Self::QueueSummary => "QueueSummary",
            Self::Status => "Status",
        }
    }

    pub fn slug(self) -> &'static str {
        match self {
            Self::CoreSettings => "core-settings",
            Self::CoreShowChannels => "core-show-channels",
            Self::CoreStatus => "core-status",
            Self::DeviceStateList => "device-state-list",
            Self::ListCommands => "list-commands",
            Self::QueueStatus => "queue-status",
            Self::QueueSummary => "queue-summary",
            Self::Status => "status",
        }
    }

    pub fn answer(self) -> Answer {
        match self {
            Self::CoreSettings | Self::CoreStatus | Self::ListCommands => Answer::Single,
            Self::CoreShowChannels
            | Self::DeviceStateList
            | Self::QueueStatus
            | Self::QueueSummary
            | Self::Status => Answer::List,
        }
    }
}
