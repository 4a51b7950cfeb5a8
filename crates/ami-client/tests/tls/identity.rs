//! Certificates for every occasion, with their keys.

use std::path::Path;

use ami_client::document::Place;
use ami_client::tls::{CaFile, Fingerprint, Trust};
use rcgen::{BasicConstraints, Certificate, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tempfile::NamedTempFile;

#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) certificate: CertificateDer<'static>,
    pub(crate) key: PrivateKeyDer<'static>,
    pub(crate) pem: String,
}

/// For these names, from 2020 to 2120.
pub(crate) fn params(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(2120, 1, 1);
    params
}

impl Identity {
    fn new(certificate: &Certificate, key: &KeyPair) -> Self {
        Self {
            certificate: certificate.der().clone(),
            key: PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
            pem: certificate.pem(),
        }
    }

    pub(crate) fn self_signed(params: &CertificateParams) -> Self {
        let key = KeyPair::generate().unwrap();
        Self::new(&params.self_signed(&key).unwrap(), &key)
    }

    /// As files of `tests/data`.
    pub(crate) fn of_files(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
        let file = |ending| folder.join(format!("{name}.{ending}"));
        Self {
            certificate: CertificateDer::from_pem_file(file("pem")).unwrap(),
            key: PrivateKeyDer::from_pem_file(file("key")).unwrap(),
            pem: std::fs::read_to_string(file("pem")).unwrap(),
        }
    }

    pub(crate) fn pin(&self) -> Trust {
        Trust::Pin(Fingerprint::of(&self.certificate))
    }
}

fn named(mut params: CertificateParams, name: &str) -> CertificateParams {
    let names = &mut params.distinguished_name;
    names.push(rcgen::DnType::CommonName, name);
    params
}

/// Who issues certificates.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub(crate) pem: String,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = named(params(&[]), name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self {
            issuer: Issuer::new(params, key),
            pem,
        }
    }

    pub(crate) fn issue(&self, params: CertificateParams) -> Identity {
        let params = named(params, "pbx");
        let key = KeyPair::generate().unwrap();
        Identity::new(&params.signed_by(&key, &self.issuer).unwrap(), &key)
    }
}

/// A file with what is to be trusted; it lives as long as the test holds it.
pub(crate) fn ca_file(pem: &str) -> (NamedTempFile, Trust) {
    let file = NamedTempFile::new().unwrap();
    std::fs::write(file.path(), pem).unwrap();
    let trust = trust_in(file.path());
    (file, trust)
}

pub(crate) fn trust_in(path: &Path) -> Trust {
    let place = Place {
        origin: "pbx.toml".to_owned(),
        line: 4,
        column: 11,
    };
    let path = path.to_owned();
    Trust::Authorities(CaFile { path, place })
}
