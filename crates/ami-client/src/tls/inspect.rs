//! A look at a port without trusting it: which TLS it speaks and what its certificate says. Nothing is sent but the
//! handshake.

use std::time::Duration;

use rustls::ProtocolVersion;
use tokio::time::Instant;

use super::certificate::ServerCertificate;
use super::client::TlsClient;
use super::trouble::TlsTrouble;
use crate::open::{self, OpenError};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// Such as `TLS 1.3`.
    pub protocol: &'static str,
    /// Such as `TLS13_AES_256_GCM_SHA384`.
    pub cipher: String,
    pub certificate: ServerCertificate,
    /// The handshake alone.
    pub took: Duration,
}

/// Connects and shakes hands, whoever answers. A port that speaks no TLS is [`OpenError::Tls`], with what it showed.
pub async fn inspect(address: &str) -> Result<Inspection, OpenError> {
    let stream = open::connect(address).await?;
    let began_at = Instant::now();
    let client = TlsClient::trusting_anyone();
    let shaken = client.shake_hands(stream).await;
    let took = began_at.elapsed();
    let inspected = shaken.and_then(|stream| {
        let (_, session) = stream.get_ref();
        let leaf = session.peer_certificates().and_then(<[_]>::first);
        let leaf = leaf.ok_or(TlsTrouble::Unreadable)?;
        Ok(Inspection {
            protocol: match session.protocol_version() {
                Some(ProtocolVersion::TLSv1_3) => "TLS 1.3",
                _ => "TLS 1.2",
            },
            cipher: session
                .negotiated_cipher_suite()
                .map(|suite| format!("{:?}", suite.suite()))
                .unwrap_or_default(),
            certificate: ServerCertificate::read(leaf)?,
            took,
        })
    });
    inspected.map_err(|trouble| OpenError::tls(address, trouble))
}
