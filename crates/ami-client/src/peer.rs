//! `Peer`: where a manager is reached, and whether TLS is spoken there.

use crate::Capture;
use crate::tls::{TlsClient, TlsSettings, TlsSetupError};

#[derive(Clone, Debug)]
pub struct Peer {
    /// `host:port`, resolved when a connection is opened.
    pub address: String,
    pub transport: Transport,
    /// Where everything that passes is written, if anywhere.
    pub capture: Option<Capture>,
}

#[derive(Clone, Debug)]
pub enum Transport {
    Plain,
    Tls(TlsClient),
}

impl Peer {
    /// Reads the certificates that the settings name.
    pub fn new(
        address: impl Into<String>,
        tls: Option<&TlsSettings>,
    ) -> Result<Self, TlsSetupError> {
        let transport = match tls {
            None => Transport::Plain,
            Some(settings) => Transport::Tls(TlsClient::new(settings)?),
        };
        Ok(Self {
            address: address.into(),
            transport,
            capture: None,
        })
    }

    pub fn plain(address: impl Into<String>) -> Self {
        Self {
            address: address.into(),
            transport: Transport::Plain,
            capture: None,
        }
    }
}
