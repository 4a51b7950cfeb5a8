//! Each trouble is told from the others, and says what there is to know.

use ami_client::open::connect;
use ami_client::tls::{TlsTrouble, Trust, inspect};
use ami_client::{OpenError, Peer};

use crate::identity::{Authority, Identity, ca_file, params};
use crate::peer::{BANNER, BOTH, When, say, serve, shake};

/// The rest of a text says what the trouble is about.
fn check(shaken: Result<(), TlsTrouble>, slug: &str, said: &[&str]) {
    let trouble = shaken.expect_err(slug);
    let text = format!("{trouble}\n{}", trouble.remedies().join("\n"));
    assert_eq!(trouble.slug(), slug, "{text}");
    for said in said {
        assert!(text.contains(said), "{said}: {text}");
    }
}

#[tokio::test]
async fn dates_are_told() {
    let authority = Authority::new("lab");
    let mut past = params(&["127.0.0.1"]);
    past.not_after = rcgen::date_time_ymd(2021, 2, 3);
    let mut future = params(&["127.0.0.1"]);
    future.not_before = rcgen::date_time_ymd(2119, 2, 3);
    let issued = |params| authority.issue(params);
    // Both ways to be trusted look at the dates.
    let cases = [
        (
            issued(past.clone()),
            None,
            "tls-expired",
            "expired at 2021-02-03T00:00:00Z, and it is 2",
        ),
        (
            issued(future.clone()),
            None,
            "tls-not-yet-valid",
            "valid from 2119-02-03T00:00:00Z",
        ),
        (
            Identity::self_signed(&past),
            Some(()),
            "tls-expired",
            "renew it on the PBX",
        ),
        (
            Identity::self_signed(&future),
            Some(()),
            "tls-not-yet-valid",
            "the clock of this machine",
        ),
    ];
    for (identity, listed, slug, said) in cases {
        let pem = listed.map_or(&authority.pem, |()| &identity.pem);
        let (_file, trust) = ca_file(pem);
        let address = serve(&identity, BOTH).await;
        check(
            shake(&address, trust, "127.0.0.1").await,
            slug,
            &[said, "pin_sha256 = \""],
        );
    }
}

#[tokio::test]
async fn names_are_told() {
    let authority = Authority::new("lab");
    let (_file, trust) = ca_file(&authority.pem);
    let address = serve(&authority.issue(params(&["pbx.lab", "10.0.0.5"])), BOTH).await;
    check(
        shake(&address, trust.clone(), "127.0.0.1").await,
        "tls-wrong-name",
        &[
            "is for pbx.lab, 10.0.0.5, not for 127.0.0.1",
            "server_name = \"pbx.lab\"",
        ],
    );
    shake(&address, trust.clone(), "pbx.lab").await.unwrap();
    let listed = Identity::self_signed(&params(&["pbx.lab"]));
    let (_listed_file, trust_listed) = ca_file(&listed.pem);
    check(
        shake(&serve(&listed, BOTH).await, trust_listed, "localhost").await,
        "tls-wrong-name",
        &["is for pbx.lab, not for localhost"],
    );
    let address = serve(&authority.issue(params(&[])), BOTH).await;
    check(
        shake(&address, trust, "localhost").await,
        "tls-no-names",
        &["CN=pbx) has no subject alternative name, so it is not for localhost"],
    );
}

#[tokio::test]
async fn issuers_are_told() {
    let (_file, trust) = ca_file(&Authority::new("lab").pem);
    let elsewhere = serve(
        &Authority::new("elsewhere").issue(params(&["localhost"])),
        BOTH,
    )
    .await;
    let anew = serve(&Authority::new("lab").issue(params(&["localhost"])), BOTH).await;
    for (address, trust, issuer) in [
        (&elsewhere, trust.clone(), "(CN=elsewhere)"),
        (&elsewhere, Trust::Platform, "(CN=elsewhere)"),
        (&anew, trust.clone(), "(CN=lab)"),
    ] {
        check(
            shake(address, trust, "localhost").await,
            "tls-unknown-authority",
            &[issuer, "`ca_file`", "pin_sha256"],
        );
    }
    let itself = Identity::self_signed(&params(&["localhost"]));
    check(
        shake(&serve(&itself, BOTH).await, trust, "localhost").await,
        "tls-self-signed",
        &["is self-signed"],
    );
}

#[tokio::test]
async fn both_fingerprints_are_told() {
    let ours = Identity::self_signed(&params(&["localhost"]));
    let other = Identity::self_signed(&params(&["localhost"]));
    let address = serve(&ours, BOTH).await;
    let (Trust::Pin(ours), Trust::Pin(other)) = (ours.pin(), other.pin()) else {
        panic!("pins");
    };
    check(
        shake(&address, Trust::Pin(other), "localhost").await,
        "tls-wrong-pin",
        &[&format!("fingerprint {ours}, and the target pins {other}")],
    );
}

#[tokio::test]
async fn what_is_too_old_is_told() {
    let v1 = Identity::of_files("v1");
    let (_file, trust) = ca_file(&Authority::new("lab").pem);
    check(
        shake(&serve(&v1, BOTH).await, trust.clone(), "localhost").await,
        "tls-old-certificate",
        &[
            "(CN=old PBX) is X.509 version 1",
            "to trust exactly this certificate",
        ],
    );
    let weak = include_bytes!("../data/rsa1024-tls12.flight");
    check(
        shake(&say(weak, When::Heard).await, trust.clone(), "localhost").await,
        "tls-weak-key",
        &["(RSA 1024): 2048 bits are needed", "no pin helps"],
    );
    let error = inspect(&say(weak, When::Heard).await).await.unwrap_err();
    let OpenError::Tls { trouble, .. } = error else {
        panic!("{error}");
    };
    assert_eq!(trouble.certificate().unwrap().subject, "CN=small key");
    let alert: &[u8] = &[21, 3, 1, 0, 2, 2, 70];
    for old in [include_bytes!("../data/tls10.flight"), alert] {
        check(
            shake(&say(old, When::Heard).await, trust.clone(), "localhost").await,
            "tls-old-protocol",
            &["no TLS newer than 1.1", "stunnel"],
        );
    }
}

#[tokio::test]
async fn what_the_peer_does_instead_is_told() {
    let no_cipher: &[u8] = &[21, 3, 3, 0, 2, 2, 40];
    let unrecognized_name: &[u8] = &[21, 3, 3, 0, 2, 2, 112];
    for (words, when, slug, said) in [
        (
            no_cipher,
            When::Heard,
            "tls-no-common-cipher",
            "`tlscipher`",
        ),
        (
            unrecognized_name,
            When::Heard,
            "tls-alert",
            "UnrecognisedName",
        ),
        (b"", When::Heard, "tls-closed", "closed the connection"),
        (
            BANNER,
            When::Connected,
            "tls-port-is-plain",
            "began with \"Asterisk Call Manager/11.0.0\"",
        ),
        (
            b"SSH-2.0-OpenSSH_9.2\r\n",
            When::Connected,
            "tls-not-spoken",
            "\"SSH-2.0-OpenSSH_9.2\"",
        ),
        (
            b"HTTP/1.1 400 Bad Request\r\n\r\n",
            When::Heard,
            "tls-not-spoken",
            "\"HTTP/1.1 400",
        ),
    ] {
        let address = say(words, when).await;
        check(
            shake(&address, Trust::Platform, "localhost").await,
            slug,
            &[said],
        );
    }
}

#[tokio::test]
async fn silence_is_told() {
    let address = say(b"", When::Connected).await;
    // Only once nothing is under way any more, virtual time jumps to the deadline.
    let stream = connect(&address).await.unwrap();
    let settings = ami_client::tls::TlsSettings {
        trust: Trust::Platform,
        server_name: "localhost".try_into().unwrap(),
    };
    let peer = Peer::new(address, Some(&settings)).unwrap();
    tokio::time::pause();
    let began_at = tokio::time::Instant::now();
    let error = ami_client::open::secure(&peer, stream).await.unwrap_err();
    let OpenError::Tls { trouble, .. } = error else {
        panic!("{error}");
    };
    check(Err(*trouble), "tls-timed-out", &["within 10 s"]);
    assert_eq!(began_at.elapsed().as_secs(), 10, "of virtual time");
}
