//! Certificates that are made here, right ones and wrong ones.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Simulated PBXs are on loopback.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

pub(super) type Identity = (CertificateDer<'static>, PrivateKeyDer<'static>);

pub(super) fn usual() -> Identity {
    self_signed(&params(&NAMES))
}

pub(super) fn expired() -> Identity {
    let mut params = params(&NAMES);
    params.not_after = date_time_ymd(2021, 2, 3);
    self_signed(&params)
}

pub(super) fn not_yet_valid() -> Identity {
    let mut params = params(&NAMES);
    params.not_before = date_time_ymd(2119, 2, 3);
    self_signed(&params)
}

pub(super) fn for_another_host() -> Identity {
    self_signed(&params(&["elsewhere.invalid"]))
}

/// Issued by an authority that exists for this certificate alone.
pub(super) fn of_unknown_authority() -> Identity {
    let (params, key) = (params(&NAMES), new_key());
    let issuer = Issuer::new(authority_params(), new_key());
    let certificate = params
        .signed_by(&key, &issuer)
        .expect("the names are valid and the keys were just made");
    (certificate.der().clone(), private(&key))
}

/// A certificate that may issue others.
pub(super) fn authority() -> CertificateDer<'static> {
    self_signed(&authority_params()).0
}

fn authority_params() -> CertificateParams {
    let mut params = params(&[]);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
        .distinguished_name
        .push(DnType::CommonName, "simulated authority");
    params
}

fn params(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    CertificateParams::new(names).expect("the names are valid")
}

fn self_signed(params: &CertificateParams) -> Identity {
    let key = new_key();
    let certificate = params
        .self_signed(&key)
        .expect("the names are valid and the key was just made");
    (certificate.der().clone(), private(&key))
}

fn new_key() -> KeyPair {
    KeyPair::generate().expect("there is randomness")
}

fn private(key: &KeyPair) -> PrivateKeyDer<'static> {
    PrivateKeyDer::try_from(key.serialize_der()).expect("it was just made")
}
