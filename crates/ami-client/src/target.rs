//! Who is tested: a target file as written, and the resolved `Target` that everything after it uses.

use std::collections::BTreeMap;
use std::fmt;

use ami_proto::session::LoginForm;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::dial::DialPattern;
use crate::document::{Document, DocumentError};
use crate::secret::SecretSource;
use crate::tls::TlsSettings;

mod address;
mod conform;
mod lesser;
mod secret_keys;
mod tls;
mod uri;

pub use conform::{Known, WebPlace};
pub use lesser::{Lesser, Standing};
pub use uri::UriError;

use conform::KnownFile;
use secret_keys::SecretKeys;
use tls::TlsFile;

#[derive(Clone, Debug)]
pub struct Target {
    pub name: String,
    pub endpoint: Endpoint,
    /// Without it nothing is encrypted. Of a simulated PBX only whether it is there counts: its certificate is made, and
    /// pinned, when it starts.
    pub tls: Option<TlsSettings>,
    /// AMI is spoken over HTTP, below this prefix: empty, or as `/asterisk`.
    pub http: Option<String>,
    pub account: String,
    pub secret: SecretSource,
    pub login: LoginForm,
    pub limits: Limits,
    pub dial: Vec<DialPattern>,
    pub roles: BTreeMap<String, Role>,
    pub labels: BTreeMap<String, String>,
    pub environment: Environment,
    pub conform: Known,
    /// The file it came from, for errors found later.
    pub origin: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// `host:port`, resolved when a connection is opened.
    Address(String),
    /// A simulator profile that the binary starts before the run.
    Simulated(String),
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => f.write_str(address),
            Self::Simulated(profile) => write!(f, "simulated {profile}"),
        }
    }
}

/// Whether people depend on the PBX while it is tested.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Environment {
    #[default]
    Test,
    /// A load needs a confirmation by name, and a guard watches it.
    Production,
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Test => "test",
            Self::Production => "production",
        })
    }
}

/// What a run may do to this target. A scenario can only lower these.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Limits {
    pub max_sessions: u32,
    pub max_actions_per_s: u32,
    pub max_calls_up: u32,
    pub max_calls_per_s: u32,
    pub max_calls_total: u64,
}

impl Default for Limits {
    /// What a PBX that people use bears without noticing: 50 sessions of a load and a few of its own.
    fn default() -> Self {
        Self {
            max_sessions: 60,
            max_actions_per_s: 100,
            max_calls_up: 10,
            max_calls_per_s: 1,
            max_calls_total: 100,
        }
    }
}

/// How a target reaches what a scenario calls `answers`, `busy` or `rings`.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Role {
    pub channel: String,
    pub context: Option<String>,
    pub exten: Option<String>,
    #[serde(default = "first_priority")]
    pub priority: String,
    pub application: Option<String>,
    pub data: Option<String>,
}

fn first_priority() -> String {
    "1".to_owned()
}

impl Role {
    /// Everything in it that holds what is dialled.
    pub fn dialled(&self) -> impl Iterator<Item = &str> {
        let parts = [
            Some(self.channel.as_str()),
            self.exten.as_deref(),
            self.data.as_deref(),
        ];
        parts.into_iter().flatten()
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TargetFile {
    address: Option<Spanned<String>>,
    simulate: Option<Spanned<String>>,
    account: Option<Spanned<String>>,
    tls: Option<TlsFile>,
    ami_http: Option<Spanned<String>>,
    secret_env: Option<String>,
    secret_file: Option<String>,
    secret_command: Option<String>,
    #[serde(default)]
    login: LoginWord,
    environment: Option<Spanned<Environment>>,
    #[serde(default)]
    limits: LimitsFile,
    #[serde(default)]
    roles: BTreeMap<String, Spanned<Role>>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    conform: KnownFile,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum LoginWord {
    Plain,
    #[default]
    Md5,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitsFile {
    max_sessions: Option<u32>,
    max_actions_per_s: Option<u32>,
    max_calls_up: Option<u32>,
    max_calls_per_s: Option<u32>,
    max_calls_total: Option<u64>,
    #[serde(default)]
    dial: Vec<DialPattern>,
}

impl Target {
    pub fn parse(name: &str, document: &Document) -> Result<Self, DocumentError> {
        let file: TargetFile = document.parse()?;
        let endpoint = file.endpoint(document)?;
        let tls = file
            .tls
            .as_ref()
            .map(|tls| tls.resolve(document, &endpoint));
        let tls = tls.transpose()?;
        let secret = file.secret(document, &endpoint)?;
        let http = file.http(document)?;
        let environment = file.environment(document, &endpoint)?;
        let conform = file.conform.resolve(document, &endpoint, tls.as_ref())?;
        let account = match (&file.account, &endpoint) {
            (Some(account), _) => account.get_ref().clone(),
            (None, Endpoint::Simulated(_)) => "bench".to_owned(),
            (None, Endpoint::Address(_)) => {
                return Err(
                    document.error_at(0..0, "missing key `account`: the manager.conf login to use")
                );
            }
        };
        let mut roles = BTreeMap::new();
        for (name, role) in file.roles {
            check_role(document, &role)?;
            roles.insert(name, role.into_inner());
        }
        Ok(Self {
            name: name.to_owned(),
            http,
            endpoint,
            tls,
            account,
            secret,
            login: match file.login {
                LoginWord::Plain => LoginForm::Plain,
                LoginWord::Md5 => LoginForm::Md5,
            },
            dial: file.limits.dial.clone(),
            limits: file.limits.resolve(),
            roles,
            labels: file.labels,
            environment,
            conform,
            origin: document.origin().to_owned(),
        })
    }
}

impl TargetFile {
    fn endpoint(&self, document: &Document) -> Result<Endpoint, DocumentError> {
        match (&self.address, &self.simulate) {
            (Some(address), None) => {
                let port = match (&self.tls, &self.ami_http) {
                    (None, None) => address::PORT_PLAIN,
                    (Some(_), None) => address::PORT_TLS,
                    (None, Some(_)) => address::PORT_HTTP,
                    (Some(_), Some(_)) => address::PORT_HTTPS,
                };
                let address = address::read(document, address, port)?;
                Ok(Endpoint::Address(address))
            }
            (None, Some(profile)) => Ok(Endpoint::Simulated(profile.get_ref().clone())),
            (Some(_), Some(simulate)) => Err(document.error_at(
                simulate.span(),
                "a target has either `address` or `simulate`, not both",
            )),
            (None, None) => Err(document.error_at(
                0..0,
                "missing key `address` (host or host:port) or `simulate` (a profile)",
            )),
        }
    }

    fn http(&self, document: &Document) -> Result<Option<String>, DocumentError> {
        let Some(prefix) = &self.ami_http else {
            return Ok(None);
        };
        if self.simulate.is_some() {
            let message = "a simulated PBX of a run speaks no HTTP: give the address of one that `amibench sim --http` runs";
            return Err(document.error_at(prefix.span(), message));
        }
        match address::prefix(prefix.get_ref()) {
            Some(prefix) => Ok(Some(prefix)),
            None => {
                let message =
                    "`ami_http` is empty or a path such as \"/asterisk\", the prefix in http.conf";
                Err(document.error_at(prefix.span(), message))
            }
        }
    }

    fn environment(
        &self,
        document: &Document,
        endpoint: &Endpoint,
    ) -> Result<Environment, DocumentError> {
        match (&self.environment, endpoint) {
            (Some(given), Endpoint::Simulated(_))
                if *given.get_ref() == Environment::Production =>
            {
                Err(document.error_at(given.span(), "a simulated PBX is never in production"))
            }
            (given, _) => Ok(given
                .as_ref()
                .map_or_else(Environment::default, |given| *given.get_ref())),
        }
    }

    fn secret(
        &self,
        document: &Document,
        endpoint: &Endpoint,
    ) -> Result<SecretSource, DocumentError> {
        let keys = SecretKeys {
            env: self.secret_env.clone(),
            file: self.secret_file.clone(),
            command: self.secret_command.clone(),
        };
        let source = keys.source(document, 0..0)?;
        Ok(source.unwrap_or_else(|| match endpoint {
            Endpoint::Simulated(_) => SecretSource::Prompt,
            Endpoint::Address(_) => SecretSource::Environment("AMIBENCH_SECRET".to_owned()),
        }))
    }
}

impl LimitsFile {
    fn resolve(self) -> Limits {
        let usual = Limits::default();
        Limits {
            max_sessions: self.max_sessions.unwrap_or(usual.max_sessions),
            max_actions_per_s: self.max_actions_per_s.unwrap_or(usual.max_actions_per_s),
            max_calls_up: self.max_calls_up.unwrap_or(usual.max_calls_up),
            max_calls_per_s: self.max_calls_per_s.unwrap_or(usual.max_calls_per_s),
            max_calls_total: self.max_calls_total.unwrap_or(usual.max_calls_total),
        }
    }
}

fn check_role(document: &Document, role: &Spanned<Role>) -> Result<(), DocumentError> {
    let Role {
        channel,
        context,
        exten,
        application,
        ..
    } = role.get_ref();
    let refused = |message: &str| Err(document.error_at(role.span(), message));
    if !channel.contains('/') {
        return refused(
            "the channel of a role has the form technology/data, such as Local/100@internal",
        );
    }
    match (context, exten, application) {
        (Some(_), Some(_), None) | (None, None, Some(_)) => Ok(()),
        _ => refused("a role leads either to `context` and `exten` or to an `application`"),
    }
}

/// Lower-case letters, digits and single dashes: what histogram tags and file names are made of.
pub fn slug(text: &str) -> String {
    let mut slug = String::new();
    for c in text.chars() {
        match c {
            'a'..='z' | '0'..='9' => slug.push(c),
            'A'..='Z' => slug.push(c.to_ascii_lowercase()),
            _ if !slug.ends_with('-') => slug.push('-'),
            _ => {}
        }
    }
    slug.trim_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn parse(text: &str) -> Result<Target, DocumentError> {
        Target::parse("pbx", &Document::embedded("pbx", Path::new(""), text))
    }

    fn check_error(text: &str, expected: &str) {
        let error = parse(text).expect_err("a bad target").to_string();
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn a_target_without_dial_patterns_keeps_modest_limits() {
        let target = parse("address = \"pbx\"\naccount = \"qa\"").unwrap();
        assert_eq!(target.endpoint, Endpoint::Address("pbx:5038".to_owned()));
        assert_eq!(target.limits, Limits::default());
        assert!(target.dial.is_empty());
    }

    #[test]
    fn errors_name_line_and_column() {
        check_error(
            "address = \"pbx\"",
            "<embedded pbx>:1:1: missing key `account`",
        );
        check_error("account = \"qa\"", "missing key `address`");
        check_error(
            "address = \"a\"\nsimulate = \"b\"",
            "2:12: a target has either",
        );
        check_error("address = \"http://a\"\naccount = \"qa\"", "1:11: address");
        check_error(
            "address = \"a\"\naccount = \"qa\"\n[roles.answers]\nchannel = \"Local/1@a\"\n",
            "a role leads either to",
        );
        check_error(
            "address = \"a\"\nacount = \"qa\"",
            "2:1: unknown field `acount`",
        );
        check_error(
            "address = \"a\"\n[limits]\nmax_session = 1",
            "3:1: unknown field `max_session`",
        );
    }

    #[test]
    fn a_target_is_in_production_when_its_file_says_so() {
        let of = |text: &str| parse(text).unwrap().environment;
        let pbx = "address = \"pbx\"\naccount = \"qa\"\n";
        assert_eq!(of(pbx), Environment::Test);
        let production = format!("{pbx}environment = \"production\"");
        assert_eq!(of(&production), Environment::Production);
        check_error(
            &format!("{pbx}environment = \"live\""),
            "3:15: unknown variant `live`, expected `test` or `production`",
        );
        check_error(
            "simulate = \"pbx\"\nenvironment = \"production\"",
            "2:15: a simulated PBX is never in production",
        );
    }
}
