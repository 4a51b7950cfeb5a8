//! TLS in front of a simulated PBX, and its certificate.

use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use thiserror::Error;
#[expect(clippy::disallowed_types, reason = "servers own sockets")]
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

mod certificate;
mod fault;

pub use fault::TlsFault;
pub(super) use fault::{Unclosed, begins_in_tls};

/// Longer than anybody waits for a handshake to be given up.
const FOREVER: Duration = Duration::from_secs(24 * 3600);
/// What stock Asterisk gives a handshake since 20.17 and 22.7.
const HANDSHAKE_MAX: Duration = Duration::from_secs(30);
/// Clones share the certificate.
#[derive(Clone)]
pub struct Tls {
    config: Arc<ServerConfig>,
    certificate: CertificateDer<'static>,
    fault: Option<TlsFault>,
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
        let (certificate, key) = certificate::usual();
        Self::new(vec![certificate], key).expect("they were made for each other")
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
            config: Arc::new(config),
            certificate,
            fault: None,
        })
    }

    /// Where the fault is the certificate's, with one that has it.
    pub fn with_fault(self, fault: TlsFault) -> Self {
        if self.fault == Some(fault) {
            return self;
        }
        let (config, certificate) = fault.serves(&self.config, self.certificate);
        Self {
            config,
            certificate,
            fault: Some(fault),
        }
    }

    pub(super) fn answers_in_plain(&self) -> bool {
        self.fault == Some(TlsFault::PlainToo)
    }

    pub(super) fn says_close_notify(&self) -> bool {
        self.fault != Some(TlsFault::NoCloseNotify)
    }

    /// The certificate of the server itself, as DER.
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// The stream once both sides have agreed; none when the client did not.
    #[expect(clippy::disallowed_types, reason = "servers own sockets")]
    pub async fn shake_hands(&self, stream: TcpStream) -> Option<TlsStream<TcpStream>> {
        let acceptor = TlsAcceptor::from(Arc::clone(&self.config));
        let patience = match self.fault {
            Some(TlsFault::Patient) => FOREVER,
            _ => HANDSHAKE_MAX,
        };
        let accepted = timeout(patience, acceptor.accept(stream)).await;
        accepted.ok()?.ok()
    }

    /// As [`Self::shake_hands`], with what goes wrong there.
    #[expect(clippy::disallowed_types, reason = "servers own sockets")]
    pub(super) async fn accept(
        &self,
        mut stream: TcpStream,
        banner: &str,
    ) -> Option<TlsStream<TcpStream>> {
        let Some(play) = self.fault.and_then(TlsFault::play) else {
            return self.shake_hands(stream).await;
        };
        // Whatever goes wrong while a fault is played, the connection ends.
        let _ = play.run(&mut stream, &self.config, banner).await;
        None
    }
}
