//! A target given as one line: `ami://account@host[:port]`, `amis://` for TLS, `http://` and `https://` for AMI over HTTP.

use std::collections::BTreeMap;

use ami_proto::session::LoginForm;
use rustls::pki_types::ServerName;

use super::{Endpoint, Environment, Known, Limits, Target, address, slug};
use crate::secret::SecretSource;
use crate::tls::{Fingerprint, TlsSettings, Trust};

#[derive(Debug, thiserror::Error)]
#[error("{uri:?} is no target: {reason}")]
pub struct UriError {
    pub uri: String,
    pub reason: String,
}

impl Target {
    pub fn from_uri(uri: &str) -> Result<Self, UriError> {
        let refused = |reason: &str| UriError {
            uri: without_secret(uri),
            reason: reason.to_owned(),
        };
        let (scheme, rest) = uri.split_once("://").unwrap_or_default();
        let Some(scheme) = Scheme::named(scheme) else {
            return Err(refused(
                "it must begin with ami://, amis://, http:// or https://",
            ));
        };
        let (account, host) = rest
            .rsplit_once('@')
            .ok_or_else(|| refused("it must name the account: ami://account@host[:port]"))?;
        if account.contains(':') {
            return Err(refused(
                "a secret never stands on the command line; set AMIBENCH_SECRET instead",
            ));
        }
        let (host, query) = match host.split_once('?') {
            Some((host, query)) => (host, Some(query)),
            None => (host, None),
        };
        let (host, path) = match host.find('/') {
            Some(at) if scheme.is_http() => host.split_at(at),
            _ => (host, ""),
        };
        let prefix = address::prefix(path).ok_or_else(|| refused("its path is none"))?;
        if host.is_empty() || account.is_empty() || host.contains('/') {
            return Err(refused("it must have the form ami://account@host[:port]"));
        }
        let address = address::with_port(host, scheme.port());
        let trust = trust(query).map_err(|reason| refused(&reason))?;
        let tls = match (scheme.is_secure(), trust) {
            (false, None) => None,
            (false, Some(_)) => {
                return Err(refused("a pin needs TLS: amis://account@host[:port]?pin=…"));
            }
            (_, trust) => Some(TlsSettings {
                trust: trust.unwrap_or(Trust::Platform),
                server_name: ServerName::try_from(address::host(&address).to_owned())
                    .map_err(|_| refused("its host is no host name and no IP address"))?,
            }),
        };
        Ok(Self {
            name: slug(host),
            endpoint: Endpoint::Address(address),
            tls,
            http: scheme.is_http().then_some(prefix),
            account: account.to_owned(),
            secret: SecretSource::Environment("AMIBENCH_SECRET".to_owned()),
            login: LoginForm::Md5,
            limits: Limits::default(),
            dial: Vec::new(),
            roles: BTreeMap::new(),
            labels: BTreeMap::new(),
            environment: Environment::Test,
            conform: Known::default(),
            origin: uri.to_owned(),
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scheme {
    Ami,
    Amis,
    Http,
    Https,
}

impl Scheme {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "ami" => Self::Ami,
            "amis" => Self::Amis,
            "http" => Self::Http,
            "https" => Self::Https,
            _ => return None,
        })
    }

    fn port(self) -> u16 {
        match self {
            Self::Ami => address::PORT_PLAIN,
            Self::Amis => address::PORT_TLS,
            Self::Http => address::PORT_HTTP,
            Self::Https => address::PORT_HTTPS,
        }
    }

    fn is_secure(self) -> bool {
        matches!(self, Self::Amis | Self::Https)
    }

    fn is_http(self) -> bool {
        matches!(self, Self::Http | Self::Https)
    }
}

fn trust(query: Option<&str>) -> Result<Option<Trust>, String> {
    let Some(query) = query else {
        return Ok(None);
    };
    let pin = query
        .strip_prefix("pin=")
        .ok_or("behind the host only ?pin=… may stand, the SHA-256 of a certificate")?;
    let fingerprint: Fingerprint = pin.parse().map_err(|error| format!("{error}"))?;
    Ok(Some(Trust::Pin(fingerprint)))
}

/// A URI as an error may show it: with what stands between account and host masked.
fn without_secret(uri: &str) -> String {
    let account_at = uri.find("://").map_or(0, |at| at + 3);
    let (scheme, rest) = uri.split_at(account_at);
    match rest.rsplit_once('@') {
        Some((credentials, host)) => match credentials.split_once(':') {
            Some((account, _secret)) => format!("{scheme}{account}:***@{host}"),
            None => uri.to_owned(),
        },
        None => uri.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIN: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn check(uri: &str, address: &str, name: &str, trust: Option<&Trust>) {
        let target = Target::from_uri(uri).unwrap();
        assert_eq!(target.endpoint, Endpoint::Address(address.to_owned()));
        assert_eq!(target.name, name);
        assert_eq!(target.tls.as_ref().map(|tls| &tls.trust), trust);
    }

    fn check_error(uri: &str, expected: &str) {
        let error = Target::from_uri(uri).expect_err(uri).to_string();
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn a_uri_names_account_address_and_trust() {
        check(
            "ami://qa@10.0.0.5:7777",
            "10.0.0.5:7777",
            "10-0-0-5-7777",
            None,
        );
        check("amis://qa@pbx", "pbx:5039", "pbx", Some(&Trust::Platform));
        let pinned = Trust::Pin(PIN.parse().unwrap());
        let uri = format!("amis://qa@[::1]:15039?pin={PIN}");
        check(&uri, "[::1]:15039", "1-15039", Some(&pinned));
    }

    #[test]
    fn a_web_server_may_have_a_prefix() {
        check("http://qa@pbx", "pbx:8088", "pbx", None);
        check(
            "https://qa@pbx:443/pbx/",
            "pbx:443",
            "pbx-443",
            Some(&Trust::Platform),
        );
        let prefix = |uri: &str| Target::from_uri(uri).unwrap().http;
        assert_eq!(prefix("https://qa@pbx:443/pbx/"), Some("/pbx".to_owned()));
        assert_eq!(prefix("http://qa@pbx"), Some(String::new()));
        assert_eq!(prefix("ami://qa@pbx"), None);
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        check_error(&format!("ami://qa@pbx?pin={PIN}"), "a pin needs TLS");
        check_error("amis://qa@pbx?pin=e3b0", "64 hexadecimal digits");
        check_error("amis://qa@pbx?verify=no", "only ?pin=");
        check_error("amis://qa@a b", "no host name");
        check_error("ftp://qa@pbx", "ami://, amis://, http:// or https://");
        check_error("ami://qa@pbx/asterisk", "must have the form");
        check_error("amis://pbx", "must name the account");
    }

    #[test]
    fn a_uri_never_carries_a_secret() {
        for uri in [
            "ami://qa:hunter2@10.0.0.5",
            "amis://qa:hunter2@pbx",
            "qa:hunter2@pbx",
        ] {
            let error = Target::from_uri(uri).unwrap_err().to_string();
            assert!(
                error.contains("***") && !error.contains("hunter2"),
                "{error}"
            );
        }
    }
}
