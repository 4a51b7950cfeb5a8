//! TLS to a PBX: how far it is trusted, and what went wrong when it could not be agreed on.
//!
//! Read `settings` (whom a target trusts), `client` (the handshake), `verify` (which certificates are accepted),
//! `trouble` (why not), `inspect` (a look without trust), `stream` (TLS without waiting, for a load worker).

mod certificate;
mod client;
mod fingerprint;
pub mod first_words;
mod inspect;
pub(crate) mod record;
mod settings;
pub(crate) mod stream;
pub(crate) mod trouble;
mod verify;

pub use certificate::{PublicKey, ServerCertificate, UnreadableCertificate};
pub use client::{TlsClient, TlsSetupError, Versions};
pub use fingerprint::{Fingerprint, FingerprintError};
pub use inspect::{Inspection, inspect};
pub use settings::{CaFile, CaFileError, TlsSettings, Trust};
pub use trouble::TlsTrouble;
