//! TLS in front of a simulated PBX: its certificate, and what may go wrong before a session begins.

use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use thiserror::Error;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
#[expect(clippy::disallowed_types, reason = "servers own sockets")]
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// What stock Asterisk gives a handshake since 20.17 and 22.7.
const HANDSHAKE_MAX: Duration = Duration::from_secs(30);
/// Names of a certificate that is made here: simulated PBXs are on loopback.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];
/// A ClientHello fits.
const HELLO_BYTES: usize = 4096;
/// A record of TLS 1.2 with the fatal alert `handshake_failure`.
const HANDSHAKE_FAILURE: [u8; 7] = [21, 3, 3, 0, 2, 2, 40];

/// Clones share the certificate.
#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
    certificate: CertificateDer<'static>,
    fault: Option<TlsFault>,
}

/// How a port for TLS misbehaves before a session begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsFault {
    /// Closes once the client has said hello.
    Close,
    /// Takes everything and says nothing.
    Silence,
    /// Answers the client's hello with an alert.
    Alert,
    /// Greets in plain words: the port is not for TLS at all.
    PlainBanner,
}

#[derive(Debug, Error)]
pub enum TlsError {
    #[error("the certificate is no PEM with lines -----BEGIN CERTIFICATE-----")]
    Certificate,
    #[error("the key is no PEM with lines -----BEGIN PRIVATE KEY-----")]
    Key,
    #[error("a certificate and key that TLS cannot use")]
    Unusable(#[from] rustls::Error),
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls")
            .field("fault", &self.fault)
            .finish_non_exhaustive()
    }
}

impl Tls {
    /// With a new certificate of its own.
    pub fn self_signed() -> Self {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(NAMES.map(str::to_owned)).expect("the names are valid");
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).expect("it was just made");
        Self::new(vec![cert.der().clone()], key).expect("they were made for each other")
    }

    pub fn from_pem(certificate: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        let chain = CertificateDer::pem_slice_iter(certificate)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| TlsError::Certificate)?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| TlsError::Key)?;
        Self::new(chain, key)
    }

    fn new(
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> Result<Self, TlsError> {
        let certificate = chain.first().cloned().ok_or(TlsError::Certificate)?;
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            certificate,
            fault: None,
        })
    }

    pub fn with_fault(self, fault: TlsFault) -> Self {
        Self {
            fault: Some(fault),
            ..self
        }
    }

    /// The certificate of the server itself, as DER.
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// The stream once both sides have agreed; none when the client did not.
    #[expect(clippy::disallowed_types, reason = "servers own sockets")]
    pub async fn shake_hands(&self, stream: TcpStream) -> Option<TlsStream<TcpStream>> {
        let accepted = timeout(HANDSHAKE_MAX, self.acceptor.accept(stream)).await;
        accepted.ok()?.ok()
    }

    /// As [`Self::shake_hands`], with what goes wrong there.
    #[expect(clippy::disallowed_types, reason = "servers own sockets")]
    pub(super) async fn accept(
        &self,
        mut stream: TcpStream,
        banner: &str,
    ) -> Option<TlsStream<TcpStream>> {
        let mut hello = vec![0; HELLO_BYTES];
        match self.fault {
            None => self.shake_hands(stream).await,
            // Whatever goes wrong while a fault is played, the connection ends.
            Some(TlsFault::Close) => {
                let _ = stream.read(&mut hello).await;
                None
            }
            Some(TlsFault::Silence) => {
                while stream.read(&mut hello).await.is_ok_and(|length| length > 0) {}
                None
            }
            Some(TlsFault::Alert) => {
                let _ = stream.read(&mut hello).await;
                let _ = stream.write_all(&HANDSHAKE_FAILURE).await;
                None
            }
            Some(TlsFault::PlainBanner) => {
                let _ = stream.write_all(format!("{banner}\r\n").as_bytes()).await;
                let _ = stream.read(&mut hello).await;
                None
            }
        }
    }
}
