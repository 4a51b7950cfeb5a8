//! What the verbs that listen have in common: the TLS of their port, the files that they are given.

use std::path::Path;

use ami_sim::Tls;
use anyhow::Context as _;

use crate::args::ServerTls;
use crate::exit_code::{Exit, Failure, OrExit};

pub(crate) fn tls(asked: &ServerTls) -> Result<Option<Tls>, Failure> {
    match (asked.tls, &asked.cert, &asked.key) {
        (false, ..) => Ok(None),
        (true, Some(cert), Some(key)) => Tls::from_pem(&read(cert)?, &read(key)?)
            .with_context(|| format!("failed to use {} and {}", cert.display(), key.display()))
            .or_exit(Exit::BadInput)
            .map(Some),
        (true, ..) => Ok(Some(Tls::self_signed())),
    }
}

pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path)
        .with_context(|| format!("failed to read {}", path.display()))
        .or_exit(Exit::BadInput)
}
