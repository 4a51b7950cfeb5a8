//! HTTP Digest (RFC 2617, MD5) as Asterisk checks it: the nonce is the id of a session, or will be.

use std::time::Duration;

use md5::{Digest as _, Md5};

/// A nonce is stale then.
pub(crate) const NONCE_LIFETIME: Duration = Duration::from_secs(62);
/// Without a system name.
const REALM: &str = "asterisk";

/// An `Authorization` header.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Credentials {
    pub(crate) username: String,
    pub(crate) nonce: u32,
    /// How often the client used the nonce.
    pub(crate) count: u32,
    realm: String,
    nonce_text: String,
    uri: String,
    response: String,
    protection: Option<Protection>,
}

/// `qop=auth` and what belongs to it, as it was written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Protection {
    count: String,
    client_nonce: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Freshness {
    New,
    Stale,
}

/// What a client without the right answer is told.
pub(crate) fn challenge(nonce: u32, freshness: Freshness) -> String {
    let stale = match freshness {
        Freshness::New => "",
        Freshness::Stale => ", stale=true",
    };
    format!(
        "Digest algorithm=MD5, realm=\"{REALM}\", nonce=\"{nonce:08x}\", qop=\"auth\", opaque=\"{nonce:08x}\"{stale}"
    )
}

impl Credentials {
    pub(crate) fn parse(header: &str) -> Option<Self> {
        let fields = header.strip_prefix("Digest ")?;
        let mut found = Self::default();
        let (mut protection, mut protected) = (Protection::default(), false);
        for field in fields.split(',') {
            let (name, value) = field.trim().split_once('=')?;
            let value = value.trim_matches('"');
            match name {
                "username" => value.clone_into(&mut found.username),
                "realm" => value.clone_into(&mut found.realm),
                "nonce" => value.clone_into(&mut found.nonce_text),
                "uri" => value.clone_into(&mut found.uri),
                "response" => value.clone_into(&mut found.response),
                "nc" => value.clone_into(&mut protection.count),
                "cnonce" => value.clone_into(&mut protection.client_nonce),
                "qop" => protected = true,
                _ => {}
            }
        }
        found.nonce = u32::from_str_radix(&found.nonce_text, 16).ok()?;
        if protected {
            found.count = u32::from_str_radix(&protection.count, 16).ok()?;
            found.protection = Some(protection);
        }
        Some(found)
    }

    /// Whether this is the answer of who knows the secret.
    pub(crate) fn prove(&self, secret: &str, method: &str) -> bool {
        let Self {
            username,
            nonce_text,
            ..
        } = self;
        let user = md5(&format!("{username}:{REALM}:{secret}"));
        let what = md5(&format!("{method}:{}", self.uri));
        let expected = match &self.protection {
            Some(Protection {
                count,
                client_nonce,
            }) => md5(&format!(
                "{user}:{nonce_text}:{count}:{client_nonce}:auth:{what}"
            )),
            None => md5(&format!("{user}:{nonce_text}:{what}")),
        };
        self.realm == REALM && self.response == expected
    }

    /// Without `qop` the nonce may be used again.
    pub(crate) fn counts(&self) -> bool {
        self.protection.is_some()
    }
}

fn md5(text: &str) -> String {
    let digest = Md5::new().chain_update(text).finalize();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_the_right_one_for_its_secret_method_and_realm() {
        // `printf 'bench:asterisk:1' | md5sum` and so on.
        let answer = md5(&format!(
            "{}:0000000f:00000001:abcd:auth:{}",
            md5("bench:asterisk:1"),
            md5("GET:/arawman")
        ));
        let header = format!(
            "Digest username=\"bench\", realm=\"asterisk\", nonce=\"0000000f\", uri=\"/arawman\", qop=auth, nc=00000001, \
             cnonce=\"abcd\", response=\"{answer}\", opaque=\"x\""
        );
        let credentials = Credentials::parse(&header).unwrap();
        assert_eq!((credentials.nonce, credentials.count), (15, 1));
        assert!(credentials.prove("1", "GET"));
        assert!(!credentials.prove("2", "GET") && !credentials.prove("1", "POST"));
        let elsewhere =
            Credentials::parse(&header.replace("realm=\"asterisk\"", "realm=\"x\"")).unwrap();
        assert!(!elsewhere.prove("1", "GET"));
        assert_eq!(Credentials::parse("Basic YTpi"), None);
    }
}
