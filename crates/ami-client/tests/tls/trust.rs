//! Who is let in: by an authority, by standing in the `ca_file` itself, by a pin whatever the certificate is like.

use ami_client::Peer;
use ami_client::tls::{TlsSettings, inspect};
use rcgen::{BasicConstraints, IsCa};
use rustls::version::{TLS12, TLS13};

use crate::identity::{Authority, Identity, ca_file, params, trust_in};
use crate::peer::{BOTH, serve, shake};

#[tokio::test]
async fn what_an_authority_of_the_file_issued_is_trusted() {
    let authority = Authority::new("lab");
    let (_file, trust) = ca_file(&authority.pem);
    for names in [["localhost"], ["127.0.0.1"]] {
        let address = serve(&authority.issue(params(&names)), BOTH).await;
        shake(&address, trust.clone(), names[0]).await.unwrap();
    }
}

/// `openssl req -x509` makes such certificates: self-signed, and authorities besides.
#[tokio::test]
async fn what_stands_in_the_file_itself_is_trusted() {
    for is_ca in [IsCa::NoCa, IsCa::Ca(BasicConstraints::Unconstrained)] {
        let mut params = params(&["127.0.0.1"]);
        params.is_ca = is_ca;
        let identity = Identity::self_signed(&params);
        let (_file, trust) = ca_file(&identity.pem);
        let address = serve(&identity, BOTH).await;
        shake(&address, trust, "127.0.0.1").await.unwrap();
    }
}

#[tokio::test]
async fn a_pin_trusts_one_certificate_whatever_it_is_like() {
    let mut expired = params(&["elsewhere"]);
    expired.not_after = rcgen::date_time_ymd(2021, 1, 1);
    for identity in [
        Identity::self_signed(&expired),
        Identity::self_signed(&params(&[])),
        Identity::of_files("v1"),
    ] {
        for version in [&TLS12, &TLS13] {
            let address = serve(&identity, &[version]).await;
            shake(&address, identity.pin(), "127.0.0.1").await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_look_tells_the_facts_and_trusts_nobody() {
    let identity = Identity::of_files("v1");
    let address = serve(&identity, &[&TLS12]).await;
    let seen = inspect(&address).await.unwrap();
    assert_eq!(seen.protocol, "TLS 1.2");
    assert!(
        seen.cipher.starts_with("TLS_ECDHE_RSA_WITH_"),
        "{}",
        seen.cipher
    );
    let certificate = seen.certificate;
    assert_eq!(certificate.subject, "CN=old PBX");
    assert_eq!(certificate.x509_version, 1);
    assert_eq!(certificate.key.to_string(), "RSA 2048");
    assert!(certificate.is_self_signed() && certificate.names.is_empty());
    let address = serve(
        &Identity::self_signed(&params(&["pbx.lab", "::1"])),
        &[&TLS13],
    )
    .await;
    let seen = inspect(&address).await.unwrap();
    assert_eq!(
        (seen.protocol, seen.certificate.x509_version),
        ("TLS 1.3", 3)
    );
    assert_eq!(seen.certificate.names, ["pbx.lab", "::1"]);
    assert_eq!(
        seen.certificate.valid_from.to_string(),
        "2020-01-01T00:00:00Z"
    );
    assert_eq!(seen.certificate.key.to_string(), "EC 256");
}

#[test]
fn a_file_that_cannot_be_used_is_told_with_its_place() {
    let (garbage, trust) = ca_file("no certificate");
    let missing = garbage.path().with_extension("missing");
    for (trust, expected) in [
        (trust, "holds no certificate that can be used"),
        (trust_in(&missing), "failed to read the certificates of"),
    ] {
        let server_name = "pbx".try_into().unwrap();
        let error = Peer::new("pbx:5039", Some(&TlsSettings { trust, server_name }));
        let error = error.expect_err("a bad file").to_string();
        assert!(error.starts_with("pbx.toml:4:11: "), "{error}");
        assert!(error.contains(expected), "{error}");
    }
}
