//! Peers on loopback: servers that speak TLS and then greet, and ones that say what they were made to say.

use std::sync::Arc;

use ami_client::open::{connect, secure};
use ami_client::tls::{TlsSettings, TlsTrouble, Trust};
use ami_client::wire::Wire;
use ami_client::{OpenError, Peer};
use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ServerConfig, SupportedProtocolVersion};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::identity::Identity;

pub(crate) const BANNER: &[u8] = b"Asterisk Call Manager/11.0.0\r\n";
pub(crate) const BOTH: &[&SupportedProtocolVersion] = rustls::ALL_VERSIONS;

/// Speaks TLS with whoever connects, and then greets. Takes any certificate, also one that rustls would refuse to serve.
pub(crate) async fn serve(
    identity: &Identity,
    versions: &[&'static SupportedProtocolVersion],
) -> String {
    let provider = Arc::new(ring::default_provider());
    let key = provider
        .key_provider
        .load_private_key(identity.key.clone_key())
        .unwrap();
    let certified = CertifiedKey::new(vec![identity.certificate.clone()], key);
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                if let Ok(mut stream) = acceptor.accept(stream).await {
                    stream.write_all(BANNER).await.unwrap();
                    stream.flush().await.unwrap();
                    let _ = stream.read(&mut [0; 64]).await;
                }
            });
        }
    });
    address
}

/// When a peer says what it was made to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// As soon as somebody connects; then it only listens.
    Connected,
    /// Likewise, and then it leaves.
    Farewell,
    /// Once it has heard something; then it leaves.
    Heard,
}

/// Says the same to everybody.
pub(crate) async fn say(words: &'static [u8], when: When) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut heard = vec![0; 4096];
                if when == When::Heard {
                    let _ = stream.read(&mut heard).await;
                }
                let _ = stream.write_all(words).await;
                while when == When::Connected
                    && stream.read(&mut heard).await.is_ok_and(|length| length > 0)
                {
                }
            });
        }
    });
    address
}

/// Connects and shakes hands as a session does, and reads the greeting.
pub(crate) async fn shake(address: &str, trust: Trust, name: &str) -> Result<(), TlsTrouble> {
    let server_name = ServerName::try_from(name.to_owned()).unwrap();
    let peer = Peer::new(address, Some(&TlsSettings { trust, server_name })).unwrap();
    let stream = connect(address).await.unwrap();
    match secure(&peer, stream).await {
        Ok(wire) => {
            assert!(matches!(wire, Wire::Tls(_)));
            greeted(wire).await;
            Ok(())
        }
        Err(OpenError::Tls { trouble, .. }) => Err(*trouble),
        Err(error) => panic!("{error}"),
    }
}

async fn greeted(mut wire: Wire) {
    let mut heard = vec![0; BANNER.len()];
    wire.read_exact(&mut heard).await.unwrap();
    assert_eq!(heard, BANNER);
    wire.write_all(b"Action: Logoff\r\n\r\n").await.unwrap();
    // The peer leaves without a word of TLS, as many do: an end like any other.
    assert_eq!(wire.read(&mut heard).await.unwrap(), 0);
}
