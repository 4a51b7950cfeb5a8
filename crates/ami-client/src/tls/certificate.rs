//! What a PBX's certificate says of itself, whether it is trusted or not.

use std::fmt;
use std::net::IpAddr;

use jiff::Timestamp;
use rustls::pki_types::SubjectPublicKeyInfoDer;
use thiserror::Error;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::oid_registry::{
    OID_KEY_TYPE_EC_PUBLIC_KEY, OID_PKCS1_RSAENCRYPTION, OID_SIG_ED25519,
};
use x509_parser::prelude::FromDer as _;
use x509_parser::time::ASN1Time;
use x509_parser::x509::{SubjectPublicKeyInfo, X509Name};

use super::fingerprint::Fingerprint;

/// RSA signatures that the cryptography we use verifies: by keys of 2048 to 8192 bits.
const RSA_BITS_MIN: usize = 2048;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerCertificate {
    pub subject: String,
    pub issuer: String,
    /// The host names and addresses that it is for: its subject alternative names.
    pub names: Vec<String>,
    pub valid_from: Timestamp,
    pub valid_until: Timestamp,
    pub key: PublicKey,
    /// 1 or 3.
    pub x509_version: u32,
    pub fingerprint: Fingerprint,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicKey {
    Rsa { bits: usize },
    Ec { bits: usize },
    Ed25519,
    Other { algorithm: String },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the certificate cannot be read as X.509")]
pub struct UnreadableCertificate;

impl ServerCertificate {
    pub fn read(der: &[u8]) -> Result<Self, UnreadableCertificate> {
        let certificate = parse(der)?;
        let validity = certificate.validity();
        Ok(Self {
            subject: name(certificate.subject()),
            issuer: name(certificate.issuer()),
            names: alternative_names(&certificate),
            valid_from: timestamp(validity.not_before),
            valid_until: timestamp(validity.not_after),
            key: public_key(certificate.public_key()),
            x509_version: certificate.version().0.saturating_add(1),
            fingerprint: Fingerprint::of(der),
        })
    }

    pub fn is_self_signed(&self) -> bool {
        self.subject == self.issuer
    }

    /// An RSA key so short that nothing it signs can be verified.
    pub fn has_weak_key(&self) -> bool {
        matches!(self.key, PublicKey::Rsa { bits } if bits < RSA_BITS_MIN)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa { bits } => write!(f, "RSA {bits}"),
            Self::Ec { bits } => write!(f, "EC {bits}"),
            Self::Ed25519 => f.write_str("Ed25519"),
            Self::Other { algorithm } => f.write_str(algorithm),
        }
    }
}

/// The key alone, which is all that a signature needs, whatever the rest of the certificate is like.
pub(super) fn key_of(der: &[u8]) -> Result<SubjectPublicKeyInfoDer<'_>, UnreadableCertificate> {
    let certificate = parse(der)?;
    Ok(SubjectPublicKeyInfoDer::from(
        certificate.tbs_certificate.subject_pki.raw,
    ))
}

fn parse(der: &[u8]) -> Result<X509Certificate<'_>, UnreadableCertificate> {
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) => Ok(certificate),
        _ => Err(UnreadableCertificate),
    }
}

fn name(name: &X509Name<'_>) -> String {
    printable(&name.to_string())
}

/// A certificate may hold anything, but not steer the terminal that it is shown on.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_control() {
                char::REPLACEMENT_CHARACTER
            } else {
                c
            }
        })
        .collect()
}

fn alternative_names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(extension)) = certificate.subject_alternative_name() else {
        return Vec::new();
    };
    let names = extension.value.general_names.iter();
    names.filter_map(alternative_name).collect()
}

fn alternative_name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(host) => Some(printable(host)),
        GeneralName::IPAddress(bytes) => match bytes.len() {
            4 => <[u8; 4]>::try_from(*bytes)
                .ok()
                .map(|ip| IpAddr::from(ip).to_string()),
            _ => <[u8; 16]>::try_from(*bytes)
                .ok()
                .map(|ip| IpAddr::from(ip).to_string()),
        },
        _ => None,
    }
}

fn timestamp(time: ASN1Time) -> Timestamp {
    // A year that jiff does not know is as good as its last one.
    Timestamp::from_second(time.timestamp()).unwrap_or(Timestamp::MAX)
}

fn public_key(key: &SubjectPublicKeyInfo<'_>) -> PublicKey {
    let bits = || key.parsed().map_or(0, |key| key.key_size());
    let algorithm = &key.algorithm.algorithm;
    if *algorithm == OID_PKCS1_RSAENCRYPTION {
        PublicKey::Rsa { bits: bits() }
    } else if *algorithm == OID_KEY_TYPE_EC_PUBLIC_KEY {
        PublicKey::Ec { bits: bits() }
    } else if *algorithm == OID_SIG_ED25519 {
        PublicKey::Ed25519
    } else {
        PublicKey::Other {
            algorithm: algorithm.to_id_string(),
        }
    }
}
