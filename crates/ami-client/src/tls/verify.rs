//! Which certificates a target accepts. A refusal is a [`TlsTrouble`] that knows the certificate it is about.

use std::sync::Arc;

use jiff::Timestamp;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls13_signature_with_raw_key};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, DigitallySignedStruct, Error, OtherError, PeerMisbehaved, SignatureScheme,
};
use webpki::RawPublicKeyEntity;

use super::certificate::{ServerCertificate, key_of};
use super::fingerprint::Fingerprint;
use super::trouble::TlsTrouble;

#[derive(Debug)]
pub(super) struct Verifier {
    pub(super) trusts: Trusts,
    pub(super) algorithms: WebPkiSupportedAlgorithms,
}

#[derive(Debug)]
pub(super) enum Trusts {
    /// Whoever it is: nothing is sent but the handshake.
    Anyone,
    /// This certificate, whatever is in it.
    Pinned(Fingerprint),
    /// Certificates that lead to an authority, and the authorities' own: who makes a certificate with one command of
    /// openssl has one that is both.
    Chains {
        authorities: Arc<dyn ServerCertVerifier>,
        listed: Vec<CertificateDer<'static>>,
    },
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        stapled: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let checked = ServerCertificate::read(leaf)
            .map_err(TlsTrouble::from)
            .and_then(|seen| match &self.trusts {
                _ if seen.has_weak_key() => Err(TlsTrouble::WeakKey(Box::new(seen))),
                Trusts::Anyone => Ok(()),
                Trusts::Pinned(pinned) if *pinned == seen.fingerprint => Ok(()),
                Trusts::Pinned(pinned) => Err(TlsTrouble::WrongPin {
                    certificate: Box::new(seen),
                    pinned: *pinned,
                }),
                Trusts::Chains { .. } if seen.x509_version < 3 => {
                    Err(TlsTrouble::OldCertificate(Box::new(seen)))
                }
                Trusts::Chains {
                    authorities,
                    listed,
                } => {
                    let verified = if listed.iter().any(|listed| listed == leaf) {
                        check_listed(&seen, leaf, name, now)
                    } else {
                        let verified =
                            authorities.verify_server_cert(leaf, intermediates, name, stapled, now);
                        verified.map(|_| ())
                    };
                    verified.map_err(|error| refusal(error, seen, name, now))
                }
            });
        match checked {
            Ok(()) => Ok(ServerCertVerified::assertion()),
            Err(trouble) => Err(CertificateError::Other(OtherError(Arc::new(trouble))).into()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let key = key_of(certificate).map_err(|_| CertificateError::BadEncoding)?;
        let key = RawPublicKeyEntity::try_from(&key).map_err(|_| CertificateError::BadEncoding)?;
        let mut mapping = self.algorithms.mapping.iter();
        let (_, candidates) = mapping
            .find(|(scheme, _)| *scheme == signed.scheme)
            .ok_or(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme)?;
        // TLS 1.2 names the hash but not the curve: the one that fits the key is meant.
        let verified = candidates.iter().any(|algorithm| {
            key.verify_signature(*algorithm, message, signed.signature())
                .is_ok()
        });
        if verified {
            Ok(HandshakeSignatureValid::assertion())
        } else {
            Err(CertificateError::BadSignature.into())
        }
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let key = key_of(certificate).map_err(|_| CertificateError::BadEncoding)?;
        verify_tls13_signature_with_raw_key(message, &key, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// A certificate that stands in the `ca_file` itself needs no other, but its dates and names still count.
fn check_listed(
    seen: &ServerCertificate,
    leaf: &CertificateDer<'_>,
    name: &ServerName<'_>,
    now: UnixTime,
) -> Result<(), Error> {
    let at = timestamp(now);
    if at > seen.valid_until {
        return Err(CertificateError::Expired.into());
    }
    if at < seen.valid_from {
        return Err(CertificateError::NotValidYet.into());
    }
    verify_server_name(&ParsedCertificate::try_from(leaf)?, name)
}

fn refusal(
    error: Error,
    certificate: ServerCertificate,
    name: &ServerName<'_>,
    now: UnixTime,
) -> TlsTrouble {
    let certificate = Box::new(certificate);
    let now = timestamp(now);
    let wanted = name.to_str().into_owned();
    let Error::InvalidCertificate(why) = error else {
        return TlsTrouble::Other(error);
    };
    match why {
        // The dates may be those of an authority: then what the leaf says explains nothing.
        CertificateError::Expired | CertificateError::ExpiredContext { .. }
            if now > certificate.valid_until =>
        {
            TlsTrouble::Expired { certificate, now }
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. }
            if now < certificate.valid_from =>
        {
            TlsTrouble::NotYetValid { certificate, now }
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            if certificate.names.is_empty() {
                TlsTrouble::NoNames {
                    certificate,
                    wanted,
                }
            } else {
                TlsTrouble::WrongName {
                    certificate,
                    wanted,
                }
            }
        }
        // An authority's certificate as a server's is the form that openssl gives a self-signed one.
        CertificateError::UnknownIssuer
        | CertificateError::Other(_)
        | CertificateError::BadSignature
            if certificate.is_self_signed() =>
        {
            TlsTrouble::SelfSigned(certificate)
        }
        // One of that name is trusted, but has another key: it was made anew.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            TlsTrouble::UnknownAuthority(certificate)
        }
        why => TlsTrouble::Invalid { certificate, why },
    }
}

fn timestamp(time: UnixTime) -> Timestamp {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX)
}
