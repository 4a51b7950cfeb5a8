//! Why TLS could not be agreed on, told apart as far as the wire shows it, with what to do about each.

use std::io;
use std::sync::Arc;

use jiff::Timestamp;
use rustls::{AlertDescription, CertificateError, PeerIncompatible};
use thiserror::Error;

use super::certificate::{ServerCertificate, UnreadableCertificate};
use super::client::HANDSHAKE_WITHIN;
use super::fingerprint::Fingerprint;

/// A certificate for a whole farm may have hundreds of names.
const NAMES_SHOWN: usize = 5;

#[derive(Clone, Debug, Error)]
pub enum TlsTrouble {
    #[error("it speaks AMI without TLS on this port: it began with {said:?}")]
    PortIsPlain { said: String },
    #[error("it does not speak TLS: it began with {said:?}")]
    NotTls { said: String },
    #[error("it speaks TLS on this port, and the target does not")]
    PortIsTls,
    #[error("it closed the connection during the TLS handshake")]
    Closed,
    #[error("no answer to the TLS handshake within {} s", HANDSHAKE_WITHIN.as_secs())]
    TimedOut,
    #[error("the connection broke during the TLS handshake")]
    Broke(#[source] Arc<io::Error>),
    #[error("it speaks no TLS newer than 1.1, and 1.2 is the oldest that is safe to speak")]
    OldProtocol,
    #[error("it has no cipher in common with us")]
    NoCommonCipher,
    #[error("it refused the TLS handshake: alert {0:?}")]
    Alert(AlertDescription),
    #[error("it demands a certificate of its clients, and we have none to show")]
    WantsCertificate,
    #[error("its certificate cannot be read as X.509")]
    Unreadable,
    #[error("its certificate is self-signed ({})", .0.subject)]
    SelfSigned(Box<ServerCertificate>),
    #[error("its certificate is from an authority that is not trusted ({})", .0.issuer)]
    UnknownAuthority(Box<ServerCertificate>),
    #[error("its certificate expired at {}, and it is {now} here", .certificate.valid_until)]
    Expired {
        certificate: Box<ServerCertificate>,
        now: Timestamp,
    },
    #[error("its certificate is valid from {}, and it is {now} here", .certificate.valid_from)]
    NotYetValid {
        certificate: Box<ServerCertificate>,
        now: Timestamp,
    },
    #[error("its certificate is for {}, not for {wanted}", names(.certificate))]
    WrongName {
        certificate: Box<ServerCertificate>,
        wanted: String,
    },
    #[error("its certificate ({}) has no subject alternative name, so it is not for {wanted}", .certificate.subject)]
    NoNames {
        certificate: Box<ServerCertificate>,
        wanted: String,
    },
    #[error("its certificate ({}) is X.509 version {}, of which names cannot be checked", .0.subject, .0.x509_version)]
    OldCertificate(Box<ServerCertificate>),
    #[error("its certificate has a key too short to be verified with ({}): 2048 bits are needed", .0.key)]
    WeakKey(Box<ServerCertificate>),
    #[error("its certificate has the SHA-256 fingerprint {}, and the target pins {pinned}", .certificate.fingerprint)]
    WrongPin {
        certificate: Box<ServerCertificate>,
        pinned: Fingerprint,
    },
    #[error("its certificate ({}) is not valid: {why}", .certificate.subject)]
    Invalid {
        certificate: Box<ServerCertificate>,
        why: CertificateError,
    },
    #[error("the TLS handshake failed")]
    Other(#[source] rustls::Error),
}

impl From<UnreadableCertificate> for TlsTrouble {
    fn from(_: UnreadableCertificate) -> Self {
        Self::Unreadable
    }
}

impl TlsTrouble {
    /// Why a handshake failed, from its error and from how the peer had begun.
    pub(super) fn of(error: &io::Error, heard: &[u8]) -> Self {
        if let Some(said) = said_in_plain(heard) {
            return if said.starts_with("Asterisk Call Manager") {
                Self::PortIsPlain { said }
            } else {
                Self::NotTls { said }
            };
        }
        let inner = error.get_ref();
        match inner.and_then(|error| error.downcast_ref::<rustls::Error>()) {
            Some(error) => Self::of_rustls(error),
            None => match error.kind() {
                io::ErrorKind::UnexpectedEof
                | io::ErrorKind::ConnectionReset
                | io::ErrorKind::ConnectionAborted
                | io::ErrorKind::BrokenPipe => Self::Closed,
                kind => Self::Broke(Arc::new(kind.into())),
            },
        }
    }

    /// What a read tells where the peer agreed at first, and then sent an alert: in TLS 1.3 a handshake is over for us
    /// before the peer has seen all of it.
    pub(crate) fn of_read(error: &io::Error) -> Option<Self> {
        match error.get_ref()?.downcast_ref::<rustls::Error>()? {
            alert @ rustls::Error::AlertReceived(_) => Some(Self::of_rustls(alert)),
            _ => None,
        }
    }

    fn of_rustls(error: &rustls::Error) -> Self {
        use rustls::Error;
        match error {
            Error::InvalidCertificate(CertificateError::Other(ours)) => {
                match ours.0.downcast_ref::<Self>() {
                    Some(trouble) => trouble.clone(),
                    None => Self::Other(error.clone()),
                }
            }
            Error::AlertReceived(AlertDescription::ProtocolVersion)
            | Error::PeerIncompatible(
                PeerIncompatible::ServerDoesNotSupportTls12Or13
                | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
            ) => Self::OldProtocol,
            Error::AlertReceived(
                AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity,
            )
            | Error::PeerIncompatible(
                PeerIncompatible::NoCipherSuitesInCommon | PeerIncompatible::NoKxGroupsInCommon,
            ) => Self::NoCommonCipher,
            Error::AlertReceived(AlertDescription::CertificateRequired) => Self::WantsCertificate,
            Error::AlertReceived(alert) => Self::Alert(*alert),
            error => Self::Other(error.clone()),
        }
    }

    /// A word for programs; it does not change.
    pub fn slug(&self) -> &'static str {
        match self {
            Self::PortIsPlain { .. } => "tls-port-is-plain",
            Self::NotTls { .. } => "tls-not-spoken",
            Self::PortIsTls => "tls-port-is-tls",
            Self::Closed => "tls-closed",
            Self::TimedOut => "tls-timed-out",
            Self::Broke(_) => "tls-broke",
            Self::OldProtocol => "tls-old-protocol",
            Self::NoCommonCipher => "tls-no-common-cipher",
            Self::Alert(_) => "tls-alert",
            Self::WantsCertificate => "tls-wants-certificate",
            Self::Unreadable => "tls-certificate-unreadable",
            Self::SelfSigned(_) => "tls-self-signed",
            Self::UnknownAuthority(_) => "tls-unknown-authority",
            Self::Expired { .. } => "tls-expired",
            Self::NotYetValid { .. } => "tls-not-yet-valid",
            Self::WrongName { .. } => "tls-wrong-name",
            Self::NoNames { .. } => "tls-no-names",
            Self::OldCertificate(_) => "tls-old-certificate",
            Self::WeakKey(_) => "tls-weak-key",
            Self::WrongPin { .. } => "tls-wrong-pin",
            Self::Invalid { .. } => "tls-certificate-invalid",
            Self::Other(_) => "tls-failed",
        }
    }

    /// Whether a later try may succeed without anybody mending something.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Closed | Self::TimedOut | Self::Broke(_))
    }

    /// Whether the peer answered in TLS, if only to refuse.
    pub(super) fn is_spoken_in_tls(&self) -> bool {
        let unspoken = matches!(self, Self::PortIsPlain { .. } | Self::NotTls { .. });
        !unspoken && !self.is_passing()
    }

    /// What the peer showed of itself before it was turned down.
    pub fn certificate(&self) -> Option<&ServerCertificate> {
        match self {
            Self::SelfSigned(certificate)
            | Self::UnknownAuthority(certificate)
            | Self::Expired { certificate, .. }
            | Self::NotYetValid { certificate, .. }
            | Self::WrongName { certificate, .. }
            | Self::NoNames { certificate, .. }
            | Self::OldCertificate(certificate)
            | Self::WeakKey(certificate)
            | Self::WrongPin { certificate, .. }
            | Self::Invalid { certificate, .. } => Some(certificate),
            _ => None,
        }
    }

    /// What to do about it, the likeliest first.
    pub fn remedies(&self) -> Vec<String> {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        match self {
            Self::PortIsPlain { .. } => texts(&[
                "use the port for TLS (`tlsbindaddr`, 5039 is usual), which may have to be enabled (`tlsenable = yes`)",
                "or take [tls] out of the target (`ami://` instead of `amis://`): the load is then readable on the way",
            ]),
            Self::NotTls { .. } => {
                texts(&["the port is another service's: 5039 is usual for the manager over TLS"])
            }
            Self::PortIsTls => texts(&[
                "give the target a [tls] table (`amis://` instead of `ami://`)",
                "or use the port without TLS (5038 is usual)",
            ]),
            Self::Closed => texts(&[
                "the PBX's access list does not hold our address",
                "the port may be another service's",
            ]),
            Self::TimedOut => texts(&[
                "the port may not be for TLS: 5039 is usual for the manager over TLS",
                "the PBX hangs, or is still starting",
            ]),
            Self::OldProtocol => texts(&[
                "newer firmware on the PBX, or `tlsdisablev12` taken out of its manager.conf",
                "or a TLS proxy such as stunnel in front of it",
            ]),
            Self::NoCommonCipher => texts(&[
                "let `tlscipher` on the PBX permit ECDHE with AES-GCM or ChaCha20",
                "or put a TLS proxy such as stunnel in front of it",
            ]),
            Self::WantsCertificate => texts(&[
                "let the PBX, or the proxy in front of it, take clients without a certificate",
            ]),
            Self::WeakKey(_) => texts(&[
                "a new certificate on the PBX, with a key of 2048 bits: no pin helps here",
                "or a TLS proxy such as stunnel in front of it",
            ]),
            Self::WrongPin { certificate, .. } => vec![
                format!(
                    "if the PBX has a new certificate: pin_sha256 = \"{}\"",
                    certificate.fingerprint
                ),
                "if not, somebody is in between".to_owned(),
            ],
            Self::NotYetValid { certificate, .. } => vec![
                "the clock of this machine is wrong, or that of the PBX was".to_owned(),
                pin(certificate),
            ],
            Self::Expired { certificate, .. } => {
                vec!["renew it on the PBX".to_owned(), pin(certificate)]
            }
            Self::WrongName { certificate, .. } => {
                let server_name = certificate.names.first();
                let server_name =
                    server_name.map(|name| format!("server_name = \"{name}\" in [tls]"));
                server_name.into_iter().chain([pin(certificate)]).collect()
            }
            Self::UnknownAuthority(certificate) => vec![
                "name the authority's certificate as `ca_file` in [tls]".to_owned(),
                pin(certificate),
            ],
            Self::SelfSigned(certificate)
            | Self::NoNames { certificate, .. }
            | Self::OldCertificate(certificate)
            | Self::Invalid { certificate, .. } => vec![pin(certificate)],
            Self::Broke(_) | Self::Alert(_) | Self::Unreadable | Self::Other(_) => Vec::new(),
        }
    }
}

fn pin(certificate: &ServerCertificate) -> String {
    format!(
        "to trust exactly this certificate: pin_sha256 = \"{}\" in [tls]",
        certificate.fingerprint
    )
}

fn names(certificate: &ServerCertificate) -> String {
    let names = &certificate.names;
    let shown = names[..names.len().min(NAMES_SHOWN)].join(", ");
    match names.len().saturating_sub(NAMES_SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// The first line of a peer that speaks no TLS: records begin with their type, 20 to 23, and the version 3.
fn said_in_plain(heard: &[u8]) -> Option<String> {
    match heard {
        [] | [20..=23] | [20..=23, 3, ..] => None,
        _ => {
            let line = heard.split(|byte| *byte == b'\n').next().unwrap_or(heard);
            Some(String::from_utf8_lossy(line).trim_end().to_owned())
        }
    }
}

/// Whether a peer that was to speak first in plain words began with a TLS alert instead.
pub(crate) fn is_alert(heard: &[u8]) -> bool {
    matches!(heard, [21, 3, ..])
}
