//! Functions and variables that a channel has by itself: CALLERID(), CONNECTEDLINE(), CHANNEL(), CDR().

use std::time::Duration;

use crate::channel::{Channel, ChannelKey, Party};
use crate::pbx::Pbx;

impl Pbx {
    /// `None` where there is no such function.
    pub(super) fn read_of_channel(
        &self,
        now: Duration,
        key: ChannelKey,
        name: &str,
        argument: &str,
    ) -> Option<String> {
        let channel = self.channels.get(&key)?;
        match name {
            "CALLERID" => Some(party(&channel.caller, argument)),
            "CONNECTEDLINE" => Some(party(&channel.connected, argument)),
            "CHANNEL" => Some(setting(channel, argument).to_owned()),
            "CDR" => Some(self.record(now, channel, argument)),
            _ => None,
        }
    }

    fn record(&self, now: Duration, channel: &Channel, field: &str) -> String {
        let place = &channel.place;
        let seconds = now.saturating_sub(channel.created_at).as_secs();
        match field {
            "src" => channel.caller.number.clone().unwrap_or_default(),
            "clid" => party(&channel.caller, "all"),
            "dst" => place.exten.clone(),
            "dcontext" => place.context.clone(),
            "channel" => channel.name.clone(),
            "lastapp" => channel.application.clone(),
            "lastdata" => channel.application_data.clone(),
            "duration" | "billsec" => seconds.to_string(),
            "disposition" if channel.state == crate::channel::ChannelState::Up => {
                "ANSWERED".to_owned()
            }
            "disposition" => "NO ANSWER".to_owned(),
            "amaflags" => "DOCUMENTATION".to_owned(),
            "accountcode" => channel.account.clone(),
            "uniqueid" => channel.uniqueid.clone(),
            "linkedid" => channel.linkedid.clone(),
            own => channel
                .variable(&format!("CDR({own})"))
                .unwrap_or_default()
                .to_owned(),
        }
    }

    pub(super) fn write_of_channel(
        &mut self,
        now: Duration,
        key: ChannelKey,
        (name, argument): (&str, &str),
        value: &str,
    ) -> bool {
        let Some(channel) = self.channels.get_mut(&key) else {
            return false;
        };
        match (name, argument) {
            ("CALLERID", _) => {
                let known = set_party(&mut channel.caller, argument, value);
                if known {
                    self.new_caller(now, key);
                }
                known
            }
            ("CONNECTEDLINE", _) => {
                let known = set_party(&mut channel.connected, argument, value);
                if known {
                    self.new_connected_line(now, key);
                }
                known
            }
            ("CHANNEL", "accountcode") => {
                let old = std::mem::replace(&mut channel.account, value.to_owned());
                self.changed_account(now, key, &old);
                true
            }
            ("CHANNEL", "language") => true,
            ("CDR", _) => {
                channel.set_variable(&format!("CDR({argument})"), value);
                true
            }
            _ => false,
        }
    }
}

fn party(party: &Party, field: &str) -> String {
    let (number, name) = (party.number.as_deref(), party.name.as_deref());
    match field {
        "num" | "number" => number.unwrap_or_default().to_owned(),
        "name" => name.unwrap_or_default().to_owned(),
        "all" => format!(
            "\"{}\" <{}>",
            name.unwrap_or_default(),
            number.unwrap_or_default()
        ),
        _ => String::new(),
    }
}

fn set_party(party: &mut Party, field: &str, value: &str) -> bool {
    let slot = match field {
        "num" | "number" => &mut party.number,
        "name" => &mut party.name,
        _ => return false,
    };
    *slot = Some(value.to_owned()).filter(|value| !value.is_empty());
    true
}

fn setting<'a>(channel: &'a Channel, name: &str) -> &'a str {
    match name {
        "name" => &channel.name,
        "state" => channel.state.description(),
        "channeltype" => channel.technology(),
        "uniqueid" => &channel.uniqueid,
        "linkedid" => &channel.linkedid,
        "language" => "en",
        "accountcode" => &channel.account,
        "context" => &channel.place.context,
        "exten" => &channel.place.exten,
        "appname" => &channel.application,
        "appdata" => &channel.application_data,
        "audioreadformat" | "audiowriteformat" => "slin",
        _ => "",
    }
}

/// Variables that exist without having been set.
pub(crate) fn built_in(channel: &Channel, name: &str) -> Option<String> {
    let text = match name {
        "EXTEN" => channel.place.exten.clone(),
        "CONTEXT" => channel.place.context.clone(),
        "PRIORITY" => channel.place.priority.to_string(),
        "CHANNEL" => channel.name.clone(),
        "UNIQUEID" => channel.uniqueid.clone(),
        "HANGUPCAUSE" => channel.hangup_cause.to_string(),
        _ => return None,
    };
    Some(text)
}
