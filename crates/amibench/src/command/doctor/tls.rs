//! How the connection is encrypted, and the certificate it is trusted by.

use ami_client::tls::{Inspection, inspect};

use super::examine::Milliseconds;
use super::page::Finding;

/// Looks at a port on which a handshake has succeeded.
pub(super) async fn finding(address: &str) -> Finding {
    match inspect(address).await {
        Ok(inspection) => describe(&inspection),
        Err(error) => Finding::note(
            "tls",
            format!("not looked at: {:#}", anyhow::Error::from(error)),
        ),
    }
}

fn describe(inspection: &Inspection) -> Finding {
    let certificate = &inspection.certificate;
    let until = certificate.valid_until.strftime("%Y-%m-%d");
    let names = match certificate.names.as_slice() {
        [] => "no name".to_owned(),
        [name] => name.clone(),
        [name, others @ ..] => format!("{name} and {} more", others.len()),
    };
    Finding::good(
        "tls",
        format!(
            "{} in {}, {}; certificate {} ({}) for {names}, until {until}",
            inspection.protocol,
            Milliseconds(inspection.took),
            inspection.cipher,
            certificate.subject,
            certificate.key,
        ),
    )
    .advise(format!(
        "its pin: pin_sha256 = \"{}\"",
        certificate.fingerprint
    ))
}
