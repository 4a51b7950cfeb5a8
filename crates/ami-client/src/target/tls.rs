//! The `[tls]` table of a target file.

use rustls::pki_types::ServerName;
use serde::Deserialize;
use toml::Spanned;

use super::{Endpoint, address};
use crate::document::{Document, DocumentError};
use crate::tls::{CaFile, Fingerprint, TlsSettings, Trust};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TlsFile {
    ca_file: Option<Spanned<String>>,
    server_name: Option<Spanned<String>>,
    pin_sha256: Option<Spanned<String>>,
}

impl TlsFile {
    pub(super) fn resolve(
        &self,
        document: &Document,
        endpoint: &Endpoint,
    ) -> Result<TlsSettings, DocumentError> {
        let trust = self.trust(document)?;
        let given = [&self.ca_file, &self.server_name, &self.pin_sha256];
        let host = match endpoint {
            Endpoint::Address(address) => address::host(address),
            Endpoint::Simulated(_) => match given.into_iter().flatten().next() {
                Some(key) => {
                    let message = "a simulated PBX makes its own certificate, which is trusted without a word: leave [tls] empty";
                    return Err(document.error_at(key.span(), message));
                }
                None => "localhost",
            },
        };
        let (name, span) = match &self.server_name {
            Some(name) => (name.get_ref().as_str(), name.span()),
            None => (host, 0..0),
        };
        let server_name = ServerName::try_from(name.to_owned()).map_err(|_| {
            let message = format!("{name:?} is no server name: a host name or an IP address");
            document.error_at(span, message)
        })?;
        Ok(TlsSettings { trust, server_name })
    }

    fn trust(&self, document: &Document) -> Result<Trust, DocumentError> {
        match (&self.ca_file, &self.pin_sha256) {
            (Some(_), Some(pin)) => Err(document.error_at(
                pin.span(),
                "[tls] has either `ca_file` or `pin_sha256`: a pin trusts one certificate, whoever issued it",
            )),
            (Some(file), None) => Ok(Trust::Authorities(CaFile {
                path: document.resolve(file.get_ref()),
                place: document.place(file.span()),
            })),
            (None, Some(pin)) => match pin.get_ref().parse::<Fingerprint>() {
                Ok(fingerprint) => Ok(Trust::Pin(fingerprint)),
                Err(error) => Err(document.error_at(pin.span(), error.to_string())),
            },
            (None, None) => Ok(Trust::Platform),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Target;
    use std::path::Path;

    const PIN: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn parse(text: &str) -> Result<Target, DocumentError> {
        let document = Document::embedded("pbx", Path::new("targets"), text);
        Target::parse("pbx", &document)
    }

    fn check(tls: &str, trust: &Trust, server_name: &str) {
        let target = parse(&format!(
            "address = \"pbx\"\naccount = \"qa\"\n[tls]\n{tls}"
        ))
        .unwrap();
        assert_eq!(target.endpoint, Endpoint::Address("pbx:5039".to_owned()));
        let settings = target.tls.unwrap();
        assert_eq!(&settings.trust, trust);
        assert_eq!(settings.server_name.to_str(), server_name);
    }

    fn check_error(text: &str, expected: &str) {
        let error = parse(text).expect_err("a bad target").to_string();
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn a_table_says_whom_to_trust_and_under_which_name() {
        check("", &Trust::Platform, "pbx");
        check("server_name = \"ami.lab\"", &Trust::Platform, "ami.lab");
        let fingerprint = PIN.parse().unwrap();
        check(
            &format!("pin_sha256 = \"{PIN}\""),
            &Trust::Pin(fingerprint),
            "pbx",
        );
        let place = crate::document::Place {
            origin: "<embedded pbx>".to_owned(),
            line: 4,
            column: 11,
        };
        let path = Path::new("targets/lab.crt").to_owned();
        check(
            "ca_file = \"lab.crt\"",
            &Trust::Authorities(CaFile { path, place }),
            "pbx",
        );
        let simulated = parse("simulate = \"asterisk-22\"\n[tls]").unwrap();
        assert!(simulated.tls.is_some());
        assert!(parse("simulate = \"asterisk-22\"").unwrap().tls.is_none());
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_its_place() {
        let pbx = "address = \"pbx\"\naccount = \"qa\"\n[tls]\n";
        for (tls, expected) in [
            (
                "pin_sha256 = \"e3b0\"".to_owned(),
                "4:14: \"e3b0\" is no SHA-256 fingerprint",
            ),
            (
                format!("ca_file = \"a\"\npin_sha256 = \"{PIN}\""),
                "5:14: [tls] has either",
            ),
            (
                "server_name = \"a b\"".to_owned(),
                "4:15: \"a b\" is no server name",
            ),
            ("verify = false".to_owned(), "4:1: unknown field `verify`"),
        ] {
            check_error(&format!("{pbx}{tls}"), expected);
        }
        let simulated = "simulate = \"asterisk-22\"\n[tls]\nca_file = \"a\"";
        check_error(simulated, "3:11: a simulated PBX makes its own certificate");
    }
}
