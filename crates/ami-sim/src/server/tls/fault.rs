//! What may go wrong with TLS: certificates and settings that rustls serves, and handshakes that are played by hand.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::server::WebPkiClientVerifier;
use rustls::version::TLS12;
use rustls::{RootCertStore, ServerConfig, ServerConnection};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};

use super::certificate::{self, Identity};
use crate::server::hear_out;

/// A ClientHello fits, and so does a client's second flight.
const FLIGHT_BYTES: usize = 16 * 1024;
/// Records of TLS with fatal alerts.
const HANDSHAKE_FAILURE: [u8; 7] = [21, 3, 3, 0, 2, 2, 40];
const ACCESS_DENIED: [u8; 7] = [21, 3, 3, 0, 2, 2, 49];
const PROTOCOL_VERSION: [u8; 7] = [21, 3, 1, 0, 2, 2, 70];
const TICKETS: usize = 64;
/// The type of a record that belongs to a handshake.
pub(super) const HANDSHAKE: u8 = 22;

/// How a port for TLS misbehaves.
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
    /// Stops in the middle of the first flight.
    TornFlight,
    /// Says nothing behind the first flight.
    Unfinished,
    /// Answers the client's second flight with an alert.
    LateAlert,
    /// Knows nothing newer than TLS 1.1.
    OldVersion,
    Expired,
    NotYetValid,
    WrongName,
    UnknownAuthority,
    WantsCertificate,
    NoCloseNotify,
    Tickets,
    /// Knows nothing newer than TLS 1.2.
    OnlyTls12,
    /// A handshake may take for ever.
    Patient,
    /// Who begins in plain words is answered in plain words.
    PlainToo,
}

/// A handshake that does not come to an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Play(TlsFault);

impl TlsFault {
    /// What is served in place of a sound configuration.
    pub(super) fn serves(
        self,
        sound: &Arc<ServerConfig>,
        certificate: CertificateDer<'static>,
    ) -> (Arc<ServerConfig>, CertificateDer<'static>) {
        match self {
            Self::Expired => with(certificate::expired()),
            Self::NotYetValid => with(certificate::not_yet_valid()),
            Self::WrongName => with(certificate::for_another_host()),
            Self::UnknownAuthority => with(certificate::of_unknown_authority()),
            Self::WantsCertificate => wanting_certificate(),
            // In TLS 1.3 the first flight of a server is its last.
            Self::Unfinished | Self::LateAlert | Self::OnlyTls12 => {
                (only_tls12(sound), certificate)
            }
            Self::Tickets => {
                let mut config = ServerConfig::clone(sound);
                config.send_tls13_tickets = TICKETS;
                (Arc::new(config), certificate)
            }
            _ => (Arc::clone(sound), certificate),
        }
    }

    pub(super) fn play(self) -> Option<Play> {
        match self {
            Self::Close
            | Self::Silence
            | Self::Alert
            | Self::PlainBanner
            | Self::TornFlight
            | Self::Unfinished
            | Self::LateAlert
            | Self::OldVersion => Some(Play(self)),
            _ => None,
        }
    }
}

impl Play {
    pub(super) async fn run<S>(
        self,
        stream: &mut S,
        config: &Arc<ServerConfig>,
        banner: &str,
    ) -> io::Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        if self.0 == TlsFault::PlainBanner {
            stream.write_all(format!("{banner}\r\n").as_bytes()).await?;
        }
        let mut hello = vec![0; FLIGHT_BYTES];
        let length = stream.read(&mut hello).await?;
        match self.0 {
            TlsFault::Alert => stream.write_all(&HANDSHAKE_FAILURE).await?,
            TlsFault::OldVersion => stream.write_all(&PROTOCOL_VERSION).await?,
            TlsFault::Silence => hear_out(stream).await,
            TlsFault::TornFlight => {
                let flight = answer(config, &hello[..length])?;
                stream.write_all(&flight[..flight.len() / 2]).await?;
                hear_out(stream).await;
            }
            TlsFault::Unfinished => {
                stream.write_all(&answer(config, &hello[..length])?).await?;
                hear_out(stream).await;
            }
            TlsFault::LateAlert => {
                stream.write_all(&answer(config, &hello[..length])?).await?;
                let heard = stream.read(&mut hello).await?;
                if heard > 0 {
                    stream.write_all(&ACCESS_DENIED).await?;
                    hear_out(stream).await;
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// The first flight of a server to this hello.
fn answer(config: &Arc<ServerConfig>, mut hello: &[u8]) -> io::Result<Vec<u8>> {
    let mut connection = ServerConnection::new(Arc::clone(config)).map_err(io::Error::other)?;
    connection.read_tls(&mut hello)?;
    connection.process_new_packets().map_err(io::Error::other)?;
    let mut flight = Vec::new();
    while connection.wants_write() {
        connection.write_tls(&mut flight)?;
    }
    Ok(flight)
}

fn with((certificate, key): Identity) -> (Arc<ServerConfig>, CertificateDer<'static>) {
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider has these versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .expect("they were made for each other");
    (Arc::new(config), certificate)
}

fn only_tls12(sound: &ServerConfig) -> Arc<ServerConfig> {
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&TLS12])
        .expect("the provider has this version")
        .with_no_client_auth()
        .with_cert_resolver(Arc::clone(&sound.cert_resolver));
    Arc::new(config)
}

fn wanting_certificate() -> (Arc<ServerConfig>, CertificateDer<'static>) {
    let (certificate, key) = certificate::usual();
    let provider = Arc::new(ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots
        .add(certificate::authority())
        .expect("it was just made");
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .build()
            .expect("there is a root");
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has these versions")
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![certificate.clone()], key)
        .expect("they were made for each other");
    (Arc::new(config), certificate)
}

/// A stream whose end is not said in TLS.
pub(super) struct Unclosed<'a, S>(pub(super) &'a mut S);

impl<S: AsyncRead + Unpin> AsyncRead for Unclosed<'_, S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Unclosed<'_, S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.0).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
