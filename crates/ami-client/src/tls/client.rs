//! TLS towards one target: the configuration that all its sessions share, and the handshake.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use rustls::client::WebPkiServerVerifier;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::ServerName;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, DEFAULT_VERSIONS, RootCertStore, SupportedProtocolVersion};
use thiserror::Error;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::first_words::FirstWords;
use super::record::{HEADER_BYTES, RECORD_MAX};
use super::settings::{CaFileError, TlsSettings, Trust};
use super::trouble::TlsTrouble;
use super::verify::{Trusts, Verifier};
use crate::wire::{Carrier, Wire};

/// A PBX under load shakes hands slowly, but one that needs longer cannot be measured either.
pub(super) const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);

/// Versions of TLS that are offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Versions {
    Usual,
    Only12,
    Only13,
}

impl Versions {
    fn all(self) -> Vec<&'static SupportedProtocolVersion> {
        match self {
            Self::Usual => DEFAULT_VERSIONS.to_vec(),
            Self::Only12 => vec![&TLS12],
            Self::Only13 => vec![&TLS13],
        }
    }
}

/// Clones and sessions share what makes it possible to resume one.
#[derive(Clone, Debug)]
pub struct TlsClient {
    config: Arc<ClientConfig>,
    verifier: Arc<Verifier>,
    server_name: ServerName<'static>,
}

/// What the user wrote cannot be used.
#[derive(Debug, Error)]
pub enum TlsSetupError {
    #[error(transparent)]
    CaFile(#[from] CaFileError),
    #[error(
        "failed to load the authorities that this machine trusts: name a `ca_file` or a `pin_sha256` in [tls]"
    )]
    Platform(#[source] rustls::Error),
}

impl TlsClient {
    pub fn new(settings: &TlsSettings) -> Result<Self, TlsSetupError> {
        let provider = Arc::new(ring::default_provider());
        let trusts = match &settings.trust {
            Trust::Pin(fingerprint) => Trusts::Pinned(*fingerprint),
            Trust::Platform => Trusts::Chains {
                authorities: Arc::new(
                    rustls_platform_verifier::Verifier::new(Arc::clone(&provider))
                        .map_err(TlsSetupError::Platform)?,
                ),
                listed: Vec::new(),
            },
            Trust::Authorities(file) => {
                let listed = file.read()?;
                let mut roots = RootCertStore::empty();
                roots.add_parsable_certificates(listed.iter().cloned());
                let builder = WebPkiServerVerifier::builder_with_provider(
                    roots.into(),
                    Arc::clone(&provider),
                );
                let authorities = builder.build().map_err(|_| file.unusable())?;
                Trusts::Chains {
                    authorities,
                    listed,
                }
            }
        };
        Ok(Self::with(trusts, provider, settings.server_name.clone()))
    }

    /// Trusts whoever answers: to look at a target, not to log in.
    pub(crate) fn trusting_anyone() -> Self {
        let nobody = ServerName::IpAddress(IpAddr::from(Ipv4Addr::UNSPECIFIED).into());
        Self::with(Trusts::Anyone, Arc::new(ring::default_provider()), nobody)
    }

    fn with(
        trusts: Trusts,
        provider: Arc<CryptoProvider>,
        server_name: ServerName<'static>,
    ) -> Self {
        let verifier = Arc::new(Verifier {
            trusts,
            algorithms: provider.signature_verification_algorithms,
        });
        let mut config = config(provider, Versions::Usual, Arc::clone(&verifier));
        config.max_fragment_size = Some(RECORD_MAX + HEADER_BYTES);
        Self {
            config: Arc::new(config),
            verifier,
            server_name,
        }
    }

    /// For who judges a PBX: what is written at once is one record, and an end that TLS does not announce is an error.
    pub async fn bare<S>(&self, stream: S, versions: Versions) -> io::Result<Wire>
    where
        S: Carrier + 'static,
    {
        let provider = Arc::new(ring::default_provider());
        let config = config(provider, versions, Arc::clone(&self.verifier));
        let connector = TlsConnector::from(Arc::new(config));
        let shaking = connector.connect(self.server_name.clone(), stream);
        let shaken = timeout(HANDSHAKE_WITHIN, shaking).await;
        let stream = shaken.map_err(|_| io::Error::other(TlsTrouble::TimedOut))??;
        Ok(Wire::Bare(Box::new(stream)))
    }

    /// Whether TLS is spoken at all, however the handshake ends.
    pub(crate) async fn answers(&self, stream: TcpStream) -> bool {
        match self.shake_hands(stream).await {
            Ok(_) => true,
            Err(trouble) => trouble.is_spoken_in_tls(),
        }
    }

    pub async fn shake_hands(
        &self,
        stream: TcpStream,
    ) -> Result<TlsStream<FirstWords>, TlsTrouble> {
        let connector = TlsConnector::from(Arc::clone(&self.config));
        let handshake = connector
            .connect(self.server_name.clone(), FirstWords::of(stream))
            .into_fallible();
        match timeout(HANDSHAKE_WITHIN, handshake).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err((error, words))) => Err(TlsTrouble::of(&error, words.heard())),
            Err(_) => Err(TlsTrouble::TimedOut),
        }
    }

    #[cfg(test)]
    pub(super) fn connection(&self) -> rustls::ClientConnection {
        let config = Arc::clone(&self.config);
        rustls::ClientConnection::new(config, self.server_name.clone()).expect("a valid name")
    }
}

fn config(
    provider: Arc<CryptoProvider>,
    versions: Versions,
    verifier: Arc<Verifier>,
) -> ClientConfig {
    ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&versions.all())
        .expect("ring supports TLS 1.2 and 1.3")
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth()
}
