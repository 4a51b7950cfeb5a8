//! TLS to real Asterisks: pins, what they say to who speaks the other language, and records that they can read.

use std::fs;

use ami_client::tls::{Fingerprint, TlsSettings, Trust, inspect};
use ami_client::{Clock, Gate, Peer, open};
use ami_load::run_tag::random_bits;
use ami_proto::action::Action;
use ami_proto::session::{Answer, LoginForm, Secret, SessionConfig};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::lab::{Pbx, WITHIN};

fn pin() -> Fingerprint {
    Fingerprint::of(&CertificateDer::from_pem_file(Pbx::certificate()).unwrap())
}

fn target(port: u16, tls: &str) -> String {
    let secret = Pbx::secret().display().to_string();
    format!(
        "address = \"127.0.0.1:{port}\"\naccount = \"bench\"\nsecret_file = \"{secret}\"\n{tls}"
    )
}

fn pins(name: &str) {
    let Some(pbx) = Pbx::running(name) else {
        return;
    };
    let (right, wrong) = (pin(), Fingerprint::of(b"another certificate"));
    let (tls, plain) = (pbx.tls_port(), pbx.tls_port() - 1);
    let pinned = |pin| format!("[tls]\npin_sha256 = \"{pin}\"\n");
    let both = format!("fingerprint {right}, and the target pins {wrong}");
    let table = [
        (tls, pinned(right), [0, 4], ""),
        (tls, pinned(wrong), [3, 3], both.as_str()),
        (
            tls,
            "[tls]\n".to_owned(),
            [3, 3],
            "self-signed (CN=amibench lab)",
        ),
        (tls, String::new(), [3, 3], "it speaks TLS on this port"),
        (
            plain,
            pinned(right),
            [3, 3],
            "began with \"Asterisk Call Manager/",
        ),
    ];
    for (index, (port, tls, codes, said)) in table.into_iter().enumerate() {
        let target = pbx.write("target.toml", &target(port, &tls));
        let out = pbx.path(&format!("run-{index}")).display().to_string();
        let ran = pbx.run(&[
            "load", "--ping", "20/s", "-s", "3", "-d", "1s", "-t", &target, "--out", &out,
        ]);
        let told = String::from_utf8_lossy(&ran.stderr);
        assert!(codes.contains(&ran.status.code().unwrap()), "{tls}: {told}");
        assert!(told.contains(said), "{said}: {told}");
    }
}

#[test]
fn a_pin_trusts_its_certificate_and_no_other_on_asterisk_22() {
    pins("asterisk-22");
}

#[test]
fn a_pin_trusts_its_certificate_and_no_other_on_asterisk_16() {
    pins("asterisk-16");
}

/// Asterisk leaves in its TLS library what it could not take of a record, and goes on only when another one comes.
async fn long_actions(name: &str) {
    let Some(pbx) = Pbx::running(name) else {
        return;
    };
    let address = format!("127.0.0.1:{}", pbx.tls_port());
    let seen = inspect(&address).await.unwrap();
    assert_eq!(seen.certificate.fingerprint, pin());
    let settings = TlsSettings {
        trust: Trust::Pin(pin()),
        server_name: "localhost".try_into().unwrap(),
    };
    let peer = Peer::new(address, Some(&settings)).unwrap();
    let config = SessionConfig {
        username: "bench".to_owned(),
        secret: Secret::new(fs::read_to_string(Pbx::secret()).unwrap().trim_end()),
        login: LoginForm::Md5,
        events: "off".to_owned(),
        connection_id: random_bits(),
        login_deadline: WITHIN,
    };
    let mut session = open(&peer, config, &Gate::default(), Clock::start())
        .await
        .unwrap();
    // Lines that end where they hurt most: cut anywhere, one would begin in one record and end in the next.
    for lines in [
        [10, 10, 10],
        [950, 950, 950],
        [700, 700, 700],
        [400, 990, 10],
        [990, 990, 400],
    ] {
        let mut ping = Action::new("Ping");
        for length in lines {
            ping = ping.with("Variable", "x".repeat(length)).unwrap();
        }
        let reply = session.request(&ping, Answer::Single, WITHIN).await;
        assert!(reply.unwrap().is_success(), "{lines:?}");
    }
    session.logoff(WITHIN).await;
}

#[tokio::test]
async fn actions_longer_than_a_record_are_answered_on_asterisk_22() {
    long_actions("asterisk-22").await;
}

#[tokio::test]
async fn actions_longer_than_a_record_are_answered_on_asterisk_16() {
    long_actions("asterisk-16").await;
}
