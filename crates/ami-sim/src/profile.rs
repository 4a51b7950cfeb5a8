//! How a simulated PBX behaves, as data: some profiles are embedded, others can be read from TOML.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use thiserror::Error;

use crate::account_rules::AccountRules;
use crate::cdr::CdrSettings;
use crate::class::Classes;
use crate::defect::Defect;
use crate::encode::CommandFraming;
use crate::endpoint::Endpoint;
use crate::event_filter::EventFilters;
use crate::extension::{Behaviour, Device, Extension, Step, find};
use crate::fault::Planted;
use crate::feature::FeatureCodes;
use crate::hint::Hint;
use crate::mailbox::Mailbox;
use crate::manager_settings::ManagerSettings;
use crate::parking::ParkingLot;
use crate::queue::{QueueSettings, QueuesAnswer};
use crate::release::Release;
use crate::sms::SmsSettings;

mod layers;

pub use layers::{Confidence, Evidence, Explained};

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    pub name: String,
    /// The Asterisk that it is built on.
    pub base: Release,
    /// What CoreSettings says.
    pub asterisk_version: String,
    pub banner: String,
    /// What its server listens on, as security events tell it.
    pub bind_address: IpAddr,
    pub port: u16,
    pub tls_port: u16,
    pub http_port: u16,
    pub command_framing: CommandFraming,
    pub timestamp_events: bool,
    #[serde(default)]
    pub manager: ManagerSettings,
    /// The first line of `core show version`.
    pub core_show_version: String,
    /// Caller and connected line without a value.
    pub unset_party: String,
    /// `systemname` of `asterisk.conf`.
    pub system_name: String,
    /// `channelvars` of `manager.conf`.
    pub channel_variables: Vec<String>,
    /// What stands in an event of a channel behind the channel.
    #[serde(default)]
    pub event_headers: BTreeMap<String, Vec<(String, String)>>,
    pub account_rules: AccountRules,
    /// What its administration lets every account hear.
    #[serde(default)]
    pub account_filters: EventFilters,
    pub snapshot: Vec<SnapshotField>,
    pub timing: Timing,
    /// Where its extensions are; devices come in at the first.
    pub contexts: Vec<String>,
    #[serde(rename = "extension")]
    pub extensions: Vec<Extension>,
    #[serde(rename = "device", default)]
    pub devices: Vec<Device>,
    #[serde(rename = "hint", default)]
    pub hints: Vec<Hint>,
    /// What a context takes in from others.
    #[serde(default)]
    pub includes: BTreeMap<String, Vec<String>>,
    #[serde(rename = "endpoint", default)]
    pub endpoints: Vec<Endpoint>,
    #[serde(rename = "mailbox", default)]
    pub mailboxes: Vec<Mailbox>,
    /// Configuration files that GetConfig shows, by name.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    pub queues_answer: QueuesAnswer,
    #[serde(rename = "queue", default)]
    pub queues: Vec<QueueSettings>,
    pub commands: Commands,
    #[serde(rename = "parking_lot", default)]
    pub parking_lots: Vec<ParkingLot>,
    pub cdr: CdrSettings,
    #[serde(default)]
    pub feature_codes: FeatureCodes,
    /// Of a gateway with SIM cards.
    pub sms: Option<SmsSettings>,
    /// What goes wrong with its delivery, as `NAME` or `NAME:SEED`.
    #[serde(default)]
    pub faults: Vec<Planted>,
    /// What it does wrong.
    #[serde(default)]
    pub defects: Vec<Defect>,
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
    /// How often those who answer do not.
    #[serde(default)]
    pub(crate) shares: Shares,
    /// How long an action occupies its session; actions that are not named take no time of their own.
    #[serde(default)]
    service_us: BTreeMap<String, u64>,
}

/// Of a hundred calls to a device that answers, so many end otherwise.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Shares {
    pub busy: u8,
    pub congestion: u8,
    pub no_answer: u8,
}

impl Shares {
    pub(crate) fn is_none(self) -> bool {
        self == Self::default()
    }

    /// `draw` is evenly distributed over all of `u32`.
    pub(crate) fn behaviour(self, draw: u32) -> Behaviour {
        let mut left = draw % 100;
        for (share, behaviour) in [
            (self.busy, Behaviour::Busy),
            (self.congestion, Behaviour::Congestion),
            (self.no_answer, Behaviour::Rings),
        ] {
            match left.checked_sub(share.into()) {
                Some(rest) => left = rest,
                None => return behaviour,
            }
        }
        Behaviour::Answers
    }
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

    pub fn set_shares(&mut self, shares: Shares) {
        self.shares = shares;
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
#[serde(try_from = "BTreeMap<String, String>")]
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

impl TryFrom<BTreeMap<String, String>> for Commands {
    type Error = String;

    /// In the order of Asterisk, which knows no case. An empty text takes away what another layer gave.
    fn try_from(texts: BTreeMap<String, String>) -> Result<Self, String> {
        let mut entries = texts
            .into_iter()
            .filter(|(_, text)| !text.is_empty())
            .map(|(name, text)| CommandEntry::new(name, text))
            .collect::<Result<Vec<_>, _>>()?;
        entries.sort_by_key(|entry| entry.name.to_ascii_lowercase());
        Ok(Self(entries))
    }
}

impl CommandEntry {
    fn new(name: String, text: String) -> Result<Self, String> {
        let malformed =
            || format!("{name}: {text:?} is not of the form \"synopsis (Priv: class,all)\"");
        let (_, privileges) = text.rsplit_once("(Priv: ").ok_or_else(malformed)?;
        let list = privileges.strip_suffix(')').ok_or_else(malformed)?;
        let classes = match list.strip_suffix(",all") {
            Some(classes) => Classes::from_list(classes),
            None => Classes::NONE,
        };
        Ok(Self {
            name,
            text,
            classes,
        })
    }
}

#[derive(Debug, Error)]
pub enum ProfileError {
    #[error("failed to read the simulator profile: {0}")]
    Invalid(#[from] toml::de::Error),
    #[error("the simulator profile extends {name:?}, which is no profile")]
    UnknownBase { name: String },
}

impl Profile {
    /// The steps of an extension, in its context or in one that the context includes.
    pub(crate) fn steps(&self, context: &str, exten: &str) -> Option<&[Step]> {
        let included = self.includes.get(context).into_iter().flatten();
        std::iter::once(context)
            .chain(included.map(String::as_str))
            .find_map(|context| find(&self.extensions, context, exten))
    }

    pub fn names() -> impl Iterator<Item = &'static str> {
        layers::names()
    }

    pub fn named(name: &str) -> Option<Self> {
        let table = layers::embedded(name)?;
        Some(Self::from_table(table).expect("a test parses every embedded profile"))
    }

    pub fn from_toml(text: &str) -> Result<Self, ProfileError> {
        Self::from_table(layers::given(text)?)
    }

    /// Every value of an embedded profile with its origin.
    pub fn explain(name: &str) -> Option<Vec<Explained>> {
        layers::explain(name)
    }

    fn from_table(table: toml::Table) -> Result<Self, ProfileError> {
        let mut profile: Self = table.try_into()?;
        for extension in &mut profile.extensions {
            if extension.contexts.is_empty() {
                extension.contexts.clone_from(&profile.contexts);
            }
        }
        Ok(profile)
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
        for name in Profile::names() {
            let table = layers::embedded(name).unwrap();
            let profile =
                Profile::from_table(table).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(profile.name, name);
            assert!(profile.commands.find("login").is_some());
        }
        assert!(Profile::named("asterisk-1").is_none());
        assert!(Profile::named("stock").is_none());
    }

    #[test]
    fn unknown_keys_and_malformed_commands_are_refused() {
        let good = "extends = \"asterisk-22\"\n";
        assert!(Profile::from_toml(good).is_ok());
        for bad in ["colour = 1", "commands.Ping = \"Keepalive (Priv none)\""] {
            assert!(
                Profile::from_toml(&format!("{good}{bad}\n")).is_err(),
                "{bad}"
            );
        }
    }

    #[test]
    fn a_profile_may_have_faults_and_defects() {
        let text = |fault: &str| {
            format!(
                "extends = \"asterisk-22\"\nfaults = [\"{fault}\"]\ndefects = [\"list.complete.missing\"]\n"
            )
        };
        let profile = Profile::from_toml(&text("wire.cuts:7")).unwrap();
        assert_eq!(profile.faults, ["wire.cuts:7".parse().unwrap()]);
        assert_eq!(profile.defects, ["list.complete.missing".parse().unwrap()]);
        assert!(Profile::from_toml(&text("wire.cut")).is_err());
    }

    #[test]
    fn actions_are_listed_without_regard_to_case_and_can_be_taken_away() {
        let text =
            "extends = \"asterisk-22\"\n[commands]\nPing = \"\"\nagZ = \" (Priv: <none>)\"\n";
        let profile = Profile::from_toml(text).unwrap();
        let names: Vec<&str> = profile.commands.names().take(4).collect();
        assert_eq!(names, ["AbsoluteTimeout", "AGI", "agZ", "AOCMessage"]);
        assert!(profile.commands.find("Ping").is_none());
    }

    #[test]
    fn a_command_keeps_its_text_and_gets_its_classes() {
        let check = |text: &str, classes: &str| {
            let entry = CommandEntry::new("Status".to_owned(), text.to_owned()).unwrap();
            assert_eq!(entry.text, text);
            assert_eq!(entry.classes, Classes::from_list(classes));
        };
        check(
            "List channel status.  (Priv: system,call,reporting,all)",
            "system,call,reporting",
        );
        check("Keepalive command.  (Priv: <none>)", "none");
    }
}
