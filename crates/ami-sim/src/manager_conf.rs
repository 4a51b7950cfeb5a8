//! `manager.conf` → accounts and settings, as Asterisk reads that file: what it refuses is an error, what it passes over in
//! silence or with a line in its log is a warning.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

use crate::account::{Account, Accounts, MultipleLogin, Notices};
use crate::account_rules::WithoutPermit;
use crate::acl::{Acl, Sense};
use crate::class::Classes;
use crate::manager_settings::{EventsAnswer, ManagerSettings, Web};
use crate::profile::Profile;

mod sections;

use sections::{Entry, Place, Section};

/// Where named access lists stand.
const ACL_FILE: &str = "acl.conf";

/// A `writetimeout` below is not taken.
const WRITE_TIMEOUT_MS_MIN: i64 = 100;

#[derive(Clone, Debug)]
pub struct ManagerConf {
    pub accounts: Accounts,
    pub settings: ManagerSettings,
    pub timestamp_events: bool,
    pub channel_variables: Vec<String>,
    pub warnings: Vec<Note>,
}

/// Files that others name, each with its name and text: one, those that a `*` stands for, or none.
pub type Files<'a> = dyn Fn(&str) -> Vec<(String, String)> + 'a;

/// Something about a place in the file or in one that it includes, line and column counted from 1.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{line}:{column}: {text}")]
pub struct Note {
    /// The included one.
    pub file: Option<Arc<str>>,
    pub line: usize,
    pub column: usize,
    pub text: String,
}

impl Note {
    fn at(place: &Place, text: impl fmt::Display) -> Self {
        Self {
            file: place.file.clone(),
            line: place.line,
            column: place.column,
            text: text.to_string(),
        }
    }
}

impl ManagerConf {
    /// The file of a PBX that behaves as `profile`, where no other file is.
    pub fn parse(text: &str, profile: &Profile) -> Result<Self, Note> {
        Self::parse_among(text, &|_| Vec::new(), profile)
    }

    /// The same among those that it may include, and beside an acl.conf.
    pub fn parse_among(text: &str, files: &Files<'_>, profile: &Profile) -> Result<Self, Note> {
        let mut warnings = Vec::new();
        let sections = sections::read(text, files, &mut warnings)?;
        let mut lists = Vec::new();
        for (name, text) in files(ACL_FILE) {
            let whole = |note: Note| Note {
                file: note.file.or_else(|| Some(name.as_str().into())),
                ..note
            };
            lists.extend(sections::read(&text, files, &mut warnings).map_err(whole)?);
        }
        let mut reading = Reading {
            profile,
            lists,
            conf: Self {
                accounts: Accounts::none(),
                settings: ManagerSettings::default(),
                timestamp_events: false,
                channel_variables: Vec::new(),
                warnings,
            },
            users: Vec::new(),
        };
        let is_general = |section: &&Section| section.name.eq_ignore_ascii_case("general");
        for entry in sections
            .iter()
            .filter(is_general)
            .flat_map(|section| &section.entries)
        {
            reading.general(entry);
        }
        for section in sections.iter().filter(|section| !is_general(section)) {
            reading.user(section)?;
        }
        let Reading {
            mut conf, users, ..
        } = reading;
        conf.accounts = users.into_iter().fold(conf.accounts, Accounts::with);
        Ok(conf)
    }

    /// Makes `profile` what the file says, and returns who may log in.
    pub fn apply(self, profile: &mut Profile) -> Accounts {
        profile.timestamp_events = self.timestamp_events;
        profile.channel_variables = self.channel_variables;
        profile.manager = self.settings;
        self.accounts
    }
}

struct Reading<'a> {
    profile: &'a Profile,
    /// Of acl.conf.
    lists: Vec<Section>,
    conf: ManagerConf,
    users: Vec<Account>,
}

impl Reading<'_> {
    fn warn(&mut self, entry: &Entry, text: impl fmt::Display) {
        self.conf.warnings.push(Note::at(&entry.at, text));
    }

    fn general(&mut self, entry: &Entry) {
        let value = entry.value.as_str();
        let conf = &mut self.conf;
        match entry.name.as_str() {
            "allowmultiplelogin" => conf.accounts.multiple_login = multiple_login(value),
            "displayconnects" => conf.accounts.notices = notices(value),
            "timestampevents" => conf.timestamp_events = is_true(value),
            "brokeneventsaction" if is_true(value) => {
                conf.settings.events_answer = EventsAnswer::Broken;
            }
            "webenabled" if is_true(value) => conf.settings.web = Web::Enabled,
            "channelvars" => {
                conf.channel_variables = value.split(',').map(str::to_owned).collect();
            }
            "disabledevents" if self.profile.base.has_disabled_events() => {
                let names = value.split(',').map(|name| name.trim().to_owned());
                conf.settings.disabled_events = names.collect();
            }
            "authtimeout" | "authlimit" | "httptimeout" => self.limit(entry),
            "debug" if is_true(value) => self.warn(entry, "debug headers are not simulated"),
            name if is_elsewhere(name) => {}
            name => self.warn(entry, format_args!("{name} is no key of [general]")),
        }
    }

    fn limit(&mut self, entry: &Entry) {
        let number = leading_number(&entry.value).and_then(|number| u64::try_from(number).ok());
        let Some(number) = number.filter(|number| *number > 0) else {
            let text = format_args!("{} is a number from 1: the default stands", entry.name);
            return self.warn(entry, text);
        };
        let accounts = &mut self.conf.accounts;
        match entry.name.as_str() {
            "authtimeout" => accounts.auth_timeout = Duration::from_secs(number),
            "authlimit" => accounts.auth_limit = usize::try_from(number).unwrap_or(usize::MAX),
            _ => self.conf.settings.set_http_timeout(number),
        }
    }

    /// Sections of one name make one account, the later ones over the earlier.
    fn user(&mut self, section: &Section) -> Result<(), Note> {
        let known = |user: &Account| user.name.eq_ignore_ascii_case(&section.name);
        let mut account = self.fresh(&section.name);
        if let Some(at) = self.users.iter().position(known) {
            // Access lists and filters begin anew, everything else stays.
            let before = self.users.remove(at);
            account = Account {
                acl: account.acl,
                filters: account.filters,
                ..before
            };
        }
        for entry in &section.entries {
            if !self.user_entry(&mut account, entry) {
                return Ok(());
            }
        }
        let rules = &self.profile.account_rules;
        rules
            .check(&account.name, account.secret.as_deref().unwrap_or_default())
            .map_err(|refused| Note::at(&section.at, refused))?;
        self.users.push(account);
        Ok(())
    }

    fn fresh(&self, name: &str) -> Account {
        let mut account = Account {
            secret: None,
            ..Account::new(name, "", "none", "none")
        };
        account.multiple_login = self.conf.accounts.multiple_login;
        account.notices = self.conf.accounts.notices;
        if self.profile.account_rules.without_permit == WithoutPermit::Denied {
            account.acl = Acl::closed();
        }
        account
    }

    /// `false`: there is no such account, as Asterisk sees it.
    fn user_entry(&mut self, account: &mut Account, entry: &Entry) -> bool {
        let value = entry.value.as_str();
        match entry.name.as_str() {
            "secret" => account.secret = Some(value.to_owned()),
            "read" => {
                account.read = Classes::from_list(value);
                account.strict[0] = Classes::from_strict_list(value);
            }
            "write" => {
                account.write = Classes::from_list(value);
                account.strict[1] = Classes::from_strict_list(value);
            }
            "deny" | "permit" => {
                if let Err(error) = account.acl.add(sense(entry), value) {
                    self.warn(
                        entry,
                        format_args!("there is no account {:?}: {error}", account.name),
                    );
                    return false;
                }
            }
            "acl" => {
                let list = self.named_list(entry);
                account.acl.add_named(value, list);
            }
            "writetimeout" => match leading_number(value) {
                Some(ms) if ms >= WRITE_TIMEOUT_MS_MIN => {
                    account.write_timeout = Duration::from_millis(ms.unsigned_abs());
                }
                _ => self.warn(
                    entry,
                    format_args!(
                        "writetimeout is a number from {WRITE_TIMEOUT_MS_MIN}: it is not taken"
                    ),
                ),
            },
            "allowmultiplelogin" => account.multiple_login = multiple_login(value),
            "displayconnects" => account.notices = notices(value),
            "setvar" => {
                let variable = value.split_once('=');
                let variable = variable.map(|(name, value)| (name.to_owned(), value.to_owned()));
                account.variables.extend(variable);
            }
            name => self.filter(account, name, entry),
        }
        true
    }

    /// A list of acl.conf; one that is not there lets nobody in.
    fn named_list(&mut self, entry: &Entry) -> Acl {
        let name = entry.value.as_str();
        let known = |list: &&Section| list.name.eq_ignore_ascii_case(name);
        let Some(list) = self.lists.iter().find(known) else {
            let text = format_args!("there is no list {name:?} in {ACL_FILE}: nobody may log in");
            self.warn(entry, text);
            return Acl::closed();
        };
        let rules: Vec<Entry> = list.entries.clone();
        let mut acl = Acl::default();
        let rules = rules.iter();
        for rule in rules.filter(|rule| ["deny", "permit"].contains(&rule.name.as_str())) {
            if let Err(error) = acl.add(sense(rule), &rule.value) {
                self.warn(rule, format_args!("nobody may log in: {error}"));
                return Acl::closed();
            }
        }
        acl
    }

    fn filter(&mut self, account: &mut Account, name: &str, entry: &Entry) {
        let criteria = match name.strip_prefix("eventfilter") {
            Some("") => "",
            Some(criteria)
                if self.profile.base.has_filter_criteria() && criteria.starts_with('(') =>
            {
                let criteria = &criteria[1..];
                criteria.strip_suffix(')').unwrap_or(criteria)
            }
            _ => return self.warn(entry, format_args!("{name} is no key of an account")),
        };
        let added = if self.profile.base.has_filter_criteria() {
            account.filters.add(criteria, &entry.value)
        } else {
            account.filters.add_legacy(&entry.value)
        };
        if let Err(error) = added {
            self.warn(entry, format_args!("this filter is left out: {error}"));
        }
    }
}

fn sense(entry: &Entry) -> Sense {
    if entry.name == "deny" {
        Sense::Deny
    } else {
        Sense::Permit
    }
}

/// Keys that a simulator has no use for, or is told in other ways.
fn is_elsewhere(name: &str) -> bool {
    let exact = [
        "enabled",
        "port",
        "bindaddr",
        "debug",
        "disabledevents",
        "webenabled",
        "brokeneventsaction",
    ];
    exact.contains(&name) || name.starts_with("tls") || name.starts_with("ssl")
}

/// The words that Asterisk takes for yes.
fn is_true(value: &str) -> bool {
    ["yes", "true", "y", "t", "1", "on"]
        .iter()
        .any(|word| value.eq_ignore_ascii_case(word))
}

fn multiple_login(value: &str) -> MultipleLogin {
    if is_true(value) {
        MultipleLogin::Allowed
    } else {
        MultipleLogin::Refused
    }
}

fn notices(value: &str) -> Notices {
    if is_true(value) {
        Notices::Shown
    } else {
        Notices::Hidden
    }
}

/// What `%d` takes of a text.
fn leading_number(text: &str) -> Option<i64> {
    let signs = usize::from(text.starts_with(['-', '+']));
    let digits = text[signs..].bytes().take_while(u8::is_ascii_digit).count();
    text[..signs + digits].parse().ok()
}

#[cfg(test)]
mod tests;
