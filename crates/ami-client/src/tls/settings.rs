//! How far a target trusts who answers, as its file says it.

use std::fs::File;
use std::io::{self, Read as _};
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use thiserror::Error;

use super::fingerprint::Fingerprint;
use crate::document::Place;

/// All authorities of a Linux distribution together are 250 kB.
const CA_FILE_BYTES_MAX: u64 = 4 << 20;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsSettings {
    pub trust: Trust,
    /// Who the certificate must be for.
    pub server_name: ServerName<'static>,
}

impl TlsSettings {
    /// Of a certificate that is known: whom it is for does not matter.
    pub fn pinned(fingerprint: Fingerprint) -> Self {
        Self {
            trust: Trust::Pin(fingerprint),
            server_name: ServerName::IpAddress(IpAddr::from(Ipv4Addr::LOCALHOST).into()),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// What this machine trusts.
    Platform,
    /// The authorities in a file and no others.
    Authorities(CaFile),
    /// One certificate.
    Pin(Fingerprint),
}

/// Read when it is needed: a target that is only listed needs no certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaFile {
    pub path: PathBuf,
    /// Where it is named.
    pub place: Place,
}

#[derive(Debug, Error)]
pub enum CaFileError {
    #[error("{}: failed to read the certificates of {}", .file.place, .file.path.display())]
    Read { file: CaFile, source: io::Error },
    #[error("{}: {} has over {CA_FILE_BYTES_MAX} bytes", .file.place, .file.path.display())]
    TooLarge { file: CaFile },
    #[error(
        "{}: {} holds no certificate that can be used: it must be PEM, with lines -----BEGIN CERTIFICATE-----",
        .file.place, .file.path.display()
    )]
    Unusable { file: CaFile },
}

impl CaFile {
    pub(super) fn read(&self) -> Result<Vec<CertificateDer<'static>>, CaFileError> {
        let failed = |source| CaFileError::Read {
            file: self.clone(),
            source,
        };
        let file = File::open(&self.path).map_err(failed)?;
        let mut text = Vec::new();
        let mut bounded = file.take(CA_FILE_BYTES_MAX + 1);
        let length = bounded.read_to_end(&mut text).map_err(failed)?;
        if u64::try_from(length).is_ok_and(|length| length > CA_FILE_BYTES_MAX) {
            return Err(CaFileError::TooLarge { file: self.clone() });
        }
        let certificates = CertificateDer::pem_slice_iter(&text).collect::<Result<Vec<_>, _>>();
        certificates.map_err(|_| self.unusable())
    }

    pub(super) fn unusable(&self) -> CaFileError {
        CaFileError::Unusable { file: self.clone() }
    }
}
