//! How a simulated PBX behaves, as data: three profiles are embedded, others can be read from TOML.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use thiserror::Error;

use crate::class::Classes;
use crate::encode::CommandFraming;
use crate::extension::{Device, Extension};
use crate::release::Release;

const EMBEDDED: [(&str, &str); 3] = [
    ("asterisk-22", include_str!("profile/asterisk-22.toml")),
    ("ucm6xxx", include_str!("profile/ucm6xxx.toml")),
    ("yeastar-s", include_str!("profile/yeastar-s.toml")),
];

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    pub name: String,
    /// The Asterisk that it is built on.
    pub base: Release,
    /// What CoreSettings says.
    pub asterisk_version: String,
    pub banner: String,
    pub port: u16,
    pub tls_port: u16,
    pub command_framing: CommandFraming,
    pub timestamp_events: bool,
    /// The first line of `core show version`.
    pub core_show_version: String,
    /// Caller and connected line without a value.
    pub unset_party: String,
    pub snapshot: Vec<SnapshotField>,
    pub timing: Timing,
    #[serde(rename = "extension")]
    pub extensions: Vec<Extension>,
    #[serde(rename = "device", default)]
    pub devices: Vec<Device>,
    pub commands: Commands,
}

/// The headers of a channel, in the order of the profile.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub enum SnapshotField {
    Channel,
    ChannelState,
    ChannelStateDesc,
    CallerIDNum,
    CallerIDName,
    ConnectedLineNum,
    ConnectedLineName,
    Language,
    AccountCode,
    Context,
    Exten,
    Priority,
    Uniqueid,
    Linkedid,
    Callid,
    PageFlag,
    Application,
    #[serde(rename = "Reg_calleenum")]
    RegCalleenum,
    #[serde(rename = "Reg_callernum")]
    RegCallernum,
    #[serde(rename = "Reg_callername")]
    RegCallername,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timing {
    /// From the ack of an Originate to its first channel.
    setup_us: u64,
    /// A person answers after a delay drawn evenly from this range.
    answer_ms: [u64; 2],
    /// Every call ends after this long.
    call_max_s: u64,
    /// How long an action occupies its session; actions that are not named take no time of their own.
    #[serde(default)]
    service_us: BTreeMap<String, u64>,
}

impl Timing {
    pub(crate) fn setup(&self) -> Duration {
        Duration::from_micros(self.setup_us)
    }

    /// `draw` is evenly distributed over all of `u32`.
    pub(crate) fn answer_delay(&self, draw: u32) -> Duration {
        let [low, high] = self.answer_ms;
        let span = high.saturating_sub(low) + 1;
        Duration::from_millis(low + u64::from(draw) % span)
    }

    pub(crate) fn call_max(&self) -> Duration {
        Duration::from_secs(self.call_max_s)
    }

    pub fn set_service(&mut self, action: &str, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.service_us.insert(action.to_owned(), micros);
    }

    pub(crate) fn service(&self, action: &str) -> Duration {
        Duration::from_micros(self.service_us.get(action).copied().unwrap_or_default())
    }
}

/// The actions that a PBX has, as its ListCommands prints them.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct Commands(Vec<CommandEntry>);

#[derive(Clone, Debug)]
pub(crate) struct CommandEntry {
    pub(crate) name: String,
    /// All that follows the name and its colon.
    pub(crate) text: String,
    /// Any one of these on the write side is enough; none at all is open to everybody.
    pub(crate) classes: Classes,
}

impl Commands {
    pub(crate) fn find(&self, name: &str) -> Option<&CommandEntry> {
        self.0
            .iter()
            .find(|entry| entry.name.eq_ignore_ascii_case(name))
    }

    /// Every action by its name, as the PBX lists it.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|entry| entry.name.as_str())
    }

    pub(crate) fn entries(&self) -> &[CommandEntry] {
        &self.0
    }
}

impl TryFrom<String> for Commands {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.lines()
            .map(parse_command)
            .collect::<Result<Vec<_>, _>>()
            .map(Self)
    }
}

fn parse_command(line: &str) -> Result<CommandEntry, String> {
    let malformed = || format!("{line:?} is not of the form \"Name: synopsis (Priv: class,all)\"");
    let (name, text) = line.split_once(": ").ok_or_else(malformed)?;
    let (_, privileges) = text.rsplit_once("(Priv: ").ok_or_else(malformed)?;
    let list = privileges.strip_suffix(')').ok_or_else(malformed)?;
    let classes = match list.strip_suffix(",all") {
        Some(classes) => Classes::from_list(classes),
        None => Classes::NONE,
    };
    Ok(CommandEntry {
        name: name.to_owned(),
        text: text.to_owned(),
        classes,
    })
}

#[derive(Debug, Error)]
pub enum ProfileError {
    #[error("failed to read the simulator profile: {0}")]
    Invalid(#[from] Box<toml::de::Error>),
}

impl Profile {
    pub fn names() -> impl Iterator<Item = &'static str> {
        EMBEDDED.iter().map(|(name, _)| *name)
    }

    pub fn named(name: &str) -> Option<Self> {
        let (_, text) = EMBEDDED.iter().find(|(embedded, _)| *embedded == name)?;
        Some(Self::from_toml(text).expect("a test parses every embedded profile"))
    }

    pub fn from_toml(text: &str) -> Result<Self, ProfileError> {
        toml::from_str(text).map_err(|error| ProfileError::Invalid(Box::new(error)))
    }

    pub(crate) fn shared(self) -> Arc<Self> {
        Arc::new(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_embedded_profile_parses_and_bears_its_name() {
        for (name, text) in EMBEDDED {
            let profile =
                Profile::from_toml(text).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(profile.name, name);
            assert!(profile.commands.find("originate").is_some());
        }
        assert!(Profile::named("asterisk-1").is_none());
    }

    #[test]
    fn unknown_keys_and_malformed_commands_are_refused() {
        let good = EMBEDDED[0].1;
        for bad in [
            format!("colour = 1\n{good}"),
            good.replace("(Priv: originate,all)", "(Priv originate)"),
        ] {
            assert!(Profile::from_toml(&bad).is_err());
        }
    }

    #[test]
    fn a_command_keeps_its_text_and_gets_its_classes() {
        let entry =
            parse_command("Status: List channel status.  (Priv: system,call,reporting,all)")
                .unwrap();
        assert_eq!(
            entry.text,
            "List channel status.  (Priv: system,call,reporting,all)"
        );
        assert_eq!(entry.classes, Classes::from_list("system,call,reporting"));
        assert!(
            parse_command("Ping: Keepalive command.  (Priv: <none>)")
                .unwrap()
                .classes
                .is_empty()
        );
    }
}
