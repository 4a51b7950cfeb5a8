//! TLS in front of a simulated PBX, and its certificate.

use std::io::Cursor;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::server::{Ending, Simulator, wire};
use crate::server_session::{Addresses, Transport};

mod certificate;
mod fault;
mod record;

pub use fault::TlsFault;
use fault::{HANDSHAKE, Unclosed};
use record::Sips;

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

    fn answers_in_plain(&self) -> bool {
        self.fault == Some(TlsFault::PlainToo)
    }

    fn says_close_notify(&self) -> bool {
        self.fault != Some(TlsFault::NoCloseNotify)
    }

    /// The certificate of the server itself, as DER.
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// The stream once both sides have agreed; none when the client did not.
    pub async fn shake_hands<S>(&self, stream: S) -> Option<TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        self.shake_hands_within(HANDSHAKE_MAX, stream).await
    }

    async fn shake_hands_within<S>(&self, patience: Duration, stream: S) -> Option<TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let acceptor = TlsAcceptor::from(Arc::clone(&self.config));
        let accepted = timeout(patience, acceptor.accept(stream)).await;
        accepted.ok()?.ok()
    }

    /// As [`Self::shake_hands`], with what goes wrong there.
    async fn accept<S>(&self, mut stream: S, simulator: &Simulator) -> Option<TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let Some(play) = self.fault.and_then(TlsFault::play) else {
            let gives_up = simulator.shared.exchange.borrow().gives_handshakes_up();
            let patience = match self.fault {
                Some(TlsFault::Patient) => FOREVER,
                _ if gives_up => HANDSHAKE_MAX,
                _ => FOREVER,
            };
            return self.shake_hands_within(patience, stream).await;
        };
        // Whatever goes wrong while a fault is played, the connection ends.
        let banner = simulator.banner();
        let _ = play.run(&mut stream, &self.config, &banner).await;
        None
    }
}

impl Simulator {
    /// As [`Self::serve_wire`], over TLS.
    pub async fn serve_tls<S>(&self, tls: &Tls, mut stream: S, addresses: Addresses) -> Ending
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let tls = match self.tls_fault() {
            Some(fault) => &tls.clone().with_fault(fault),
            None => tls,
        };
        if !tls.answers_in_plain() {
            return self.serve_secured(tls, stream, addresses).await;
        }
        let mut first = [0];
        let begun = timeout(HANDSHAKE_MAX, stream.read(&mut first)).await;
        if !matches!(begun, Ok(Ok(1))) {
            return Ending::Closed;
        }
        let (reader, writer) = tokio::io::split(stream);
        let mut stream = tokio::io::join(Cursor::new(first).chain(reader), writer);
        if first[0] == HANDSHAKE {
            self.serve_secured(tls, stream, addresses).await
        } else {
            wire::serve(self, &mut stream, addresses, Transport::Plain).await
        }
    }

    async fn serve_secured<S>(&self, tls: &Tls, stream: S, addresses: Addresses) -> Ending
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let Some(mut secured) = tls.accept(stream, self).await else {
            return Ending::Closed;
        };
        let mut stream = Sips::new(&mut secured, self.record_bytes());
        if tls.says_close_notify() {
            wire::serve(self, &mut stream, addresses, Transport::Tls).await
        } else {
            wire::serve(self, &mut Unclosed(&mut stream), addresses, Transport::Tls).await
        }
    }
}
