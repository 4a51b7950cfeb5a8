//! Dialplan functions, as Getvar and Setvar reach them: `NAME(argument)`.
//!
//! What a function may not do for an outsider (DB, SHELL, ENV) or cannot do without a channel reads as empty, as an unknown
//! function does, and is refused when written.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};

use crate::channel::ChannelKey;
use crate::device_state::{
    CUSTOM, CUSTOM_FAMILY, DeviceState, PRESENCE, PRESENCE_FAMILY, Presence,
};
use crate::hint::ExtensionState;
use crate::pbx::Pbx;

mod of_channel;

pub(crate) use of_channel::built_in;

/// Where a function is called.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) now: Duration,
    pub(crate) channel: Option<ChannelKey>,
}

/// `NAME(argument)`, or none where it is no call of a function.
pub(crate) fn call(text: &str) -> Option<(&str, &str)> {
    let (name, rest) = text.split_once('(')?;
    Some((name, rest.strip_suffix(')')?))
}

impl Pbx {
    pub(crate) fn read_function(&mut self, place: Place, name: &str, argument: &str) -> String {
        if let Some(text) = pure(name, argument) {
            return text;
        }
        if let Some(text) = self.read_state(name, argument) {
            return text;
        }
        match name {
            "GLOBAL" => self.globals.get(argument).cloned().unwrap_or_default(),
            "DB_EXISTS" => self.database_exists(place, argument),
            "AST_CONFIG" => self.config_value(argument),
            "VERSION" => match argument {
                "ASTERISK_VERSION_NUM" => self.profile.base.number().to_string(),
                _ => self.profile.asterisk_version.clone(),
            },
            "DIALPLAN_EXISTS" => self.dialplan_exists(argument),
            "GROUP_COUNT" => "0".to_owned(),
            "MAILBOX_EXISTS" if self.profile.base.has_mailbox_exists() => {
                let found = self
                    .profile
                    .mailboxes
                    .iter()
                    .any(|known| known.address() == argument);
                if found { "1" } else { "0" }.to_owned()
            }
            _ => place
                .channel
                .and_then(|key| self.read_of_channel(place.now, key, name, argument))
                .unwrap_or_default(),
        }
    }

    /// False where the function does not exist, cannot be written or does not like the value.
    pub(crate) fn write_function(
        &mut self,
        place: Place,
        (name, argument): (&str, &str),
        value: &str,
    ) -> bool {
        match name {
            "GLOBAL" => self.set_global(place.now, argument, value),
            "DEVICE_STATE" => {
                let custom = argument.strip_prefix(CUSTOM);
                let state = DeviceState::from_name(value);
                let (Some(custom), Some(state)) = (custom, state) else {
                    return false;
                };
                if state == DeviceState::Unknown
                    || !self.database.put(CUSTOM_FAMILY, custom, state.name())
                {
                    return false;
                }
                self.tell_device(place.now, argument, state);
                true
            }
            "PRESENCE_STATE" => {
                let custom = argument.strip_prefix(PRESENCE);
                let (Some(custom), Some(presence)) = (custom, Presence::parse(value)) else {
                    return false;
                };
                if !self.database.put(PRESENCE_FAMILY, custom, value) {
                    return false;
                }
                self.tell_presence(place.now, argument, &presence);
                true
            }
            _ => place
                .channel
                .is_some_and(|key| self.write_of_channel(place.now, key, (name, argument), value)),
        }
    }

    /// States of devices, extensions and people.
    fn read_state(&self, name: &str, argument: &str) -> Option<String> {
        let text = match name {
            "DEVICE_STATE" => self.device_state_of(argument).name().to_owned(),
            "EXTENSION_STATE" => {
                let hint = self.hint_at(argument);
                let state = hint.map_or(ExtensionState::Unknown, |hint| self.hint_state(hint));
                state.function_text().to_owned()
            }
            "HINT" => self
                .hint_at(argument)
                .map(|hint| hint.watched.clone())
                .unwrap_or_default(),
            "PRESENCE_STATE" => {
                let (provider, field) = argument.split_once(',').unwrap_or((argument, "value"));
                let presence = self.presence(provider)?;
                match field {
                    "value" => presence.state,
                    "subtype" => presence.subtype,
                    "message" => presence.message,
                    _ => String::new(),
                }
            }
            "PJSIP_ENDPOINT" | "PJSIP_AOR" => self.endpoint_setting(name, argument),
            _ => return None,
        };
        Some(text)
    }

    fn hint_at(&self, place: &str) -> Option<&crate::hint::Hint> {
        let (exten, context) = place.split_once('@').unwrap_or((place, "default"));
        self.hint(context, exten)
    }

    /// Only the settings that a profile has.
    fn endpoint_setting(&self, function: &str, argument: &str) -> String {
        let (name, setting) = argument.split_once(',').unwrap_or((argument, ""));
        let mut endpoints = self.profile.endpoints.iter();
        let Some(endpoint) = endpoints.find(|endpoint| endpoint.name == name) else {
            return String::new();
        };
        match (function, setting) {
            ("PJSIP_ENDPOINT", "context") => endpoint.context.clone(),
            ("PJSIP_ENDPOINT", "transport") => endpoint.transport.clone(),
            ("PJSIP_ENDPOINT", "aors") => endpoint.name.clone(),
            ("PJSIP_AOR", "max_contacts") => endpoint.max_contacts.to_string(),
            ("PJSIP_AOR", "contact") => endpoint.contact.clone(),
            _ => String::new(),
        }
    }

    /// Leaves the value in a variable, which is told.
    fn database_exists(&mut self, place: Place, argument: &str) -> String {
        let (family, key) = argument.split_once('/').unwrap_or((argument, ""));
        let Some(value) = self.database.get(family, key).map(str::to_owned) else {
            return "0".to_owned();
        };
        match place.channel {
            Some(key) => self.set_of_channel(place.now, key, "DB_RESULT", &value),
            None => self.tell_variable(place.now, "DB_RESULT", &value),
        }
        "1".to_owned()
    }

    fn config_value(&self, argument: &str) -> String {
        let mut parts = argument.splitn(3, ',');
        let mut next = || parts.next().unwrap_or_default();
        let (file, category, variable) = (next(), next(), next());
        let file = self.config_files.get(file);
        let category = file.and_then(|file| file.category(category));
        let value = category.and_then(|category| category.value(variable));
        value.unwrap_or_default().to_owned()
    }

    fn dialplan_exists(&self, argument: &str) -> String {
        let mut parts = argument.splitn(3, ',');
        let mut next = || parts.next().unwrap_or_default();
        let (context, exten, priority) = (next(), next(), next());
        let steps = self.profile.steps(context, exten);
        let wanted = priority.parse::<usize>().unwrap_or(1);
        let there = steps.is_some_and(|steps| (1..=steps.len()).contains(&wanted));
        if there { "1" } else { "0" }.to_owned()
    }
}

/// Functions of their argument alone.
fn pure(name: &str, argument: &str) -> Option<String> {
    let text = match name {
        "LEN" => argument.len().to_string(),
        "TOUPPER" => argument.to_ascii_uppercase(),
        "TOLOWER" => argument.to_ascii_lowercase(),
        "MD5" => {
            let digest = Md5::digest(argument.as_bytes());
            digest.iter().map(|byte| format!("{byte:02x}")).collect()
        }
        "MATH" => math(argument)?,
        "FILTER" => {
            let (allowed, text) = argument.split_once(',')?;
            filter(allowed.as_bytes(), text)
        }
        "BASE64_ENCODE" => STANDARD.encode(argument),
        "BASE64_DECODE" => {
            let decoded = STANDARD.decode(argument).unwrap_or_default();
            String::from_utf8_lossy(&decoded).into_owned()
        }
        "URIENCODE" => argument.bytes().map(encoded).collect(),
        _ => return None,
    };
    Some(text)
}

/// Two numbers and a sign between them.
fn math(argument: &str) -> Option<String> {
    let at = argument
        .char_indices()
        .skip(1)
        .find(|(_, letter)| "+-*/".contains(*letter))
        .map(|(at, _)| at)?;
    let (left, rest) = argument.split_at(at);
    let right: f64 = rest.get(1..)?.trim().parse().ok()?;
    let left: f64 = left.trim().parse().ok()?;
    let value = match rest.as_bytes().first()? {
        b'+' => left + right,
        b'-' => left - right,
        b'*' => left * right,
        _ => left / right,
    };
    Some(format!("{value:.6}"))
}

fn filter(allowed: &[u8], text: &str) -> String {
    fn fits(allowed: &[u8], letter: u8) -> bool {
        match allowed {
            [first, b'-', last, rest @ ..] => {
                (*first..=*last).contains(&letter) || fits(rest, letter)
            }
            [one, rest @ ..] => *one == letter || fits(rest, letter),
            [] => false,
        }
    }
    let kept = text
        .chars()
        .filter(|letter| u8::try_from(*letter).is_ok_and(|letter| fits(allowed, letter)));
    kept.collect()
}

fn encoded(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte) {
        char::from(byte).to_string()
    } else {
        format!("%{byte:02X}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_of_their_argument_say_what_asterisk_says() {
        let check = |name: &str, argument: &str, expected: Option<&str>| {
            assert_eq!(
                pure(name, argument).as_deref(),
                expected,
                "{name}({argument})"
            );
        };
        check("LEN", "abc", Some("3"));
        check("TOUPPER", "abc", Some("ABC"));
        check("MATH", "1+2", Some("3.000000"));
        check("MATH", "nonsense", None);
        check("MD5", "abc", Some("900150983cd24fb0d6963f7d28e17f72"));
        check("FILTER", "0-9,a1b2", Some("12"));
        check("URIENCODE", "a b", Some("a%20b"));
        check("BASE64_ENCODE", "a\r\n", Some("YQ0K"));
        check("BASE64_DECODE", "YQ0K", Some("a\r\n"));
        check("NOSUCH", "x", None);
    }

    #[test]
    fn a_call_needs_both_brackets() {
        assert_eq!(call("LEN(abc)"), Some(("LEN", "abc")));
        assert_eq!(call("A(B(c))"), Some(("A", "B(c)")));
        assert_eq!(call("LEN(abc"), None);
        assert_eq!(call("LEN"), None);
    }
}
