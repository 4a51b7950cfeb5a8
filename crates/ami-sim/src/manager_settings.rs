//! What `[general]` of `manager.conf` decides for everybody, beyond who may log in.

use std::time::Duration;

use serde::Deserialize;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ManagerSettings {
    /// Events that nobody gets, by their exact names.
    pub disabled_events: Vec<String>,
    pub events_answer: EventsAnswer,
    /// Whether AMI is spoken over HTTP.
    pub web: Web,
    http_timeout_s: u64,
}

/// `brokeneventsaction`.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum EventsAnswer {
    Always,
    /// `Events` does not answer errors, nor a mask of everything.
    Broken,
}

/// `webenabled`.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum Web {
    Enabled,
    Disabled,
}

/// As `manager.conf.sample` leaves them.
impl Default for ManagerSettings {
    fn default() -> Self {
        Self {
            disabled_events: Vec::new(),
            events_answer: EventsAnswer::Always,
            web: Web::Disabled,
            http_timeout_s: 60,
        }
    }
}

impl ManagerSettings {
    pub fn http_timeout(&self) -> Duration {
        Duration::from_secs(self.http_timeout_s)
    }

    pub fn set_http_timeout(&mut self, seconds: u64) {
        self.http_timeout_s = seconds;
    }
}
