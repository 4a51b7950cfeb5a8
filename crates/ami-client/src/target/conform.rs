//! The `[conform]` table of a target file: what an operator knows of a PBX that is judged, and where else it is reached.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use toml::Spanned;

use super::lesser::{Lesser, LesserFile, Standing, resolve};
use super::tls::TlsFile;
use super::{Endpoint, address};
use crate::document::{Document, DocumentError};
use crate::tls::TlsSettings;

/// What the operator knows of a PBX that does not always show: it goes before what is read from the wire.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// The Asterisk that it is or is made of, such as `16.28`.
    pub asterisk: Option<String>,
    /// Classes of events that the account hears.
    pub read: Option<BTreeSet<String>>,
    /// Where it speaks AMI over TLS, beside its own address.
    pub tls: Option<(String, TlsSettings)>,
    /// Where it speaks AMI over HTTP.
    pub web: Option<WebPlace>,
    /// Accounts that lack something.
    pub accounts: BTreeMap<Standing, Lesser>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebPlace {
    /// `host:port`.
    pub address: String,
    /// Empty, or as `/asterisk`.
    pub prefix: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KnownFile {
    asterisk: Option<String>,
    read: Option<BTreeSet<String>>,
    tls_address: Option<Spanned<String>>,
    tls: Option<Spanned<TlsFile>>,
    http_address: Option<Spanned<String>>,
    http_prefix: Option<Spanned<String>>,
    #[serde(default)]
    accounts: BTreeMap<Standing, Spanned<LesserFile>>,
}

impl KnownFile {
    /// `tls` is what the target itself is reached with.
    pub(super) fn resolve(
        self,
        document: &Document,
        endpoint: &Endpoint,
        tls: Option<&TlsSettings>,
    ) -> Result<Known, DocumentError> {
        let given = self.tls_address.as_ref().or(self.http_address.as_ref());
        if let (Endpoint::Simulated(_), Some(given)) = (endpoint, given) {
            let message = "a simulated PBX is judged over TLS and HTTP without being told where";
            return Err(document.error_at(given.span(), message));
        }
        Ok(Known {
            tls: self.tls(document, tls)?,
            web: self.web(document)?,
            asterisk: self.asterisk,
            read: self.read,
            accounts: resolve(self.accounts, document, endpoint)?,
        })
    }

    fn tls(
        &self,
        document: &Document,
        own: Option<&TlsSettings>,
    ) -> Result<Option<(String, TlsSettings)>, DocumentError> {
        let Some(given) = &self.tls_address else {
            return match &self.tls {
                Some(tls) => Err(document.error_at(
                    tls.span(),
                    "[conform.tls] says whom to trust at `tls_address`, which is missing",
                )),
                None => Ok(None),
            };
        };
        if own.is_some() {
            let message =
                "a target with [tls] is judged over TLS as it is: leave `tls_address` out";
            return Err(document.error_at(given.span(), message));
        }
        let address = address::read(document, given, address::PORT_TLS)?;
        let usual = TlsFile::default();
        let tls = self.tls.as_ref().map_or(&usual, Spanned::get_ref);
        let settings = tls.resolve(document, &Endpoint::Address(address.clone()))?;
        Ok(Some((address, settings)))
    }

    fn web(&self, document: &Document) -> Result<Option<WebPlace>, DocumentError> {
        let Some(given) = &self.http_address else {
            return match &self.http_prefix {
                Some(prefix) => Err(document.error_at(
                    prefix.span(),
                    "`http_prefix` is a path at `http_address`, which is missing",
                )),
                None => Ok(None),
            };
        };
        let prefix = match &self.http_prefix {
            None => String::new(),
            Some(prefix) => address::prefix(prefix.get_ref()).ok_or_else(|| {
                let message =
                    "`http_prefix` is a path such as \"/asterisk\", the prefix in http.conf";
                document.error_at(prefix.span(), message)
            })?,
        };
        Ok(Some(WebPlace {
            address: address::read(document, given, address::PORT_HTTP)?,
            prefix,
        }))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::Target;
    use crate::tls::Trust;

    fn parse(text: &str) -> Result<Known, DocumentError> {
        let document = Document::embedded("pbx", Path::new(""), text);
        Target::parse("pbx", &document).map(|target| target.conform)
    }

    fn check_error(text: &str, expected: &str) {
        let text = format!("address = \"pbx\"\naccount = \"qa\"\n{text}");
        let error = parse(&text).expect_err("a bad target").to_string();
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn other_addresses_have_the_usual_ports_and_a_trust_of_their_own() {
        let known = parse(
            "address = \"pbx\"\naccount = \"qa\"\n[conform]\nread = [\"call\"]\ntls_address = \"pbx\"\n\
             http_address = \"pbx\"\nhttp_prefix = \"/asterisk/\"\n[conform.tls]\nserver_name = \"ami.lab\"",
        )
        .unwrap();
        let (address, settings) = known.tls.unwrap();
        assert_eq!((&*address, settings.trust), ("pbx:5039", Trust::Platform));
        assert_eq!(settings.server_name.to_str(), "ami.lab");
        let web = known.web.unwrap();
        assert_eq!((&*web.address, &*web.prefix), ("pbx:8088", "/asterisk"));
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_its_place() {
        let tls = "[conform.tls]\nserver_name = \"a\"";
        check_error(tls, "says whom to trust at `tls_address`, which is missing");
        check_error(
            "[conform]\nhttp_prefix = \"/x\"",
            "4:15: `http_prefix` is a path at `http_address`, which is missing",
        );
        check_error(
            "[conform]\nhttp_address = \"http://pbx\"",
            "4:16: address \"http://pbx\" is not of the form",
        );
        check_error(
            "[tls]\n[conform]\ntls_address = \"pbx\"",
            "5:15: a target with [tls] is judged over TLS as it is",
        );
        let simulated = "simulate = \"asterisk-22\"\n[conform]\nhttp_address = \"pbx\"";
        let error = parse(simulated).unwrap_err().to_string();
        assert!(error.contains("3:16: a simulated PBX is judged"), "{error}");
    }
}
