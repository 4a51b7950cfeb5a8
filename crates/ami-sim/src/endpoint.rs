//! PJSIP endpoints as they are configured, and the headers that describe them.

use md5::{Digest, Md5};
use serde::Deserialize;

use crate::device_state::DeviceState;
use crate::message::Headers;
use crate::release::Release;

/// One `[[endpoint]]` of a profile, with an address of record of its own name.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    pub name: String,
    pub transport: String,
    /// Of the transport.
    pub bind: String,
    pub context: String,
    /// Codecs, as `ulaw|alaw`.
    pub allow: String,
    /// None where nobody has to say who he is.
    #[serde(default)]
    pub password: Option<String>,
    pub max_contacts: u32,
    /// Where it is reached, if that is written down.
    #[serde(default)]
    pub contact: String,
    #[serde(default)]
    pub mailboxes: String,
    pub callerid: String,
}

/// What describes an object: one header a line. `+ ` begins what only newer releases say, `- ` what only older ones do.
/// The order is that of a hash table, the same in both releases of the lab; everything but the marks in braces is the default.
const ENDPOINT: &str = include_str!("endpoint/endpoint.txt");
const AUTH: &str = include_str!("endpoint/auth.txt");
const AOR: &str = include_str!("endpoint/aor.txt");
const TRANSPORT: &str = include_str!("endpoint/transport.txt");

impl Endpoint {
    /// Nobody registers with the model: only a written address makes an endpoint reachable.
    pub(crate) fn state(&self) -> DeviceState {
        if self.contact.is_empty() {
            DeviceState::Unavailable
        } else {
            DeviceState::NotInUse
        }
    }

    pub(crate) fn endpoint_lines(&self, base: Release, headers: Headers) -> Headers {
        self.fill(ENDPOINT, base, headers)
    }

    pub(crate) fn auth_lines(&self, base: Release, headers: Headers) -> Headers {
        self.fill(AUTH, base, headers)
    }

    pub(crate) fn aor_lines(&self, base: Release, headers: Headers) -> Headers {
        self.fill(AOR, base, headers)
    }

    /// `aor/address`, as far as an address is written down.
    pub(crate) fn contact_name(&self) -> String {
        if self.contact.is_empty() {
            String::new()
        } else {
            format!("{}/{}", self.name, self.contact)
        }
    }

    /// The names of all contacts, each with a comma.
    pub(crate) fn contact_list(&self) -> String {
        let name = self.contact_name();
        if name.is_empty() { name } else { name + "," }
    }

    /// What tells contacts of one address apart.
    pub(crate) fn contact_hash(&self) -> String {
        let digest = Md5::digest(self.contact.as_bytes());
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Of a registration: the address of record, with the name of one header changed and its value repeated at the end.
    pub(crate) fn inbound_lines(&self, base: Release, headers: Headers) -> Headers {
        let text = AOR.replace("\nContacts: ", "\nContact: ");
        self.fill(&text, base, headers)
            .with("Contacts", self.contact_list())
    }

    pub(crate) fn transport_lines(&self, base: Release, headers: Headers) -> Headers {
        self.fill(TRANSPORT, base, headers)
    }

    /// The section that it must authenticate with, which bears its own name.
    pub(crate) fn auth(&self) -> &str {
        self.password.as_ref().map_or("", |_| &self.name)
    }

    fn fill(&self, text: &str, base: Release, headers: Headers) -> Headers {
        let unwanted = if base.has_newer_pjsip_settings() {
            "- "
        } else {
            "+ "
        };
        let lines = text.lines().filter(|line| !line.starts_with(unwanted));
        let fields = lines.filter_map(|line| {
            let line = line.strip_prefix(['+', '-']).unwrap_or(line);
            line.trim_start().split_once(": ")
        });
        fields.fold(headers, |headers, (name, value)| {
            headers.with(name, self.value(value).as_bytes())
        })
    }

    fn value<'a>(&'a self, text: &'a str) -> std::borrow::Cow<'a, str> {
        match text {
            "{name}" => self.name.as_str().into(),
            "{transport}" => self.transport.as_str().into(),
            "{bind}" => self.bind.as_str().into(),
            "{context}" => self.context.as_str().into(),
            "{allow}" => format!("({})", self.allow).into(),
            "{auth}" => self.auth().into(),
            "{password}" => self.password.as_deref().unwrap_or_default().into(),
            "{max_contacts}" => self.max_contacts.to_string().into(),
            "{contact}" => self.contact_name().into(),
            "{mailboxes}" => self.mailboxes.as_str().into(),
            "{callerid}" => self.callerid.as_str().into(),
            literal => literal.into(),
        }
    }
}
