//! TLS that is wrong in one way each, as the doctor tells it first.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use ami_sim::{Account, Accounts, Handle, Profile, Tls, TlsFault, spawn_thread, spawn_tls_thread};
use rcgen::{CertificateParams, KeyPair};

use crate::desk::{Desk, Ran};
use crate::doctor_finds::check;
use crate::sim::{SECRET, target};

/// What it says when it asks for the port without TLS.
const PLAIN: &str = "";
/// Trusts what stands in a file beside the target.
const LISTED: &str = "[tls]\nca_file = \"ca.pem\"\n";

fn accounts() -> Accounts {
    Accounts::new(Account::new("bench", SECRET, "all", "all"))
}

fn serve(tls: Tls) -> Handle {
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let profile = Profile::named("asterisk-22").unwrap();
    spawn_tls_thread(profile, listen, accounts(), 1, tls).unwrap()
}

/// A certificate and key as PEM.
fn made(change: impl FnOnce(&mut CertificateParams), names: &[&str]) -> (String, String) {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

fn doctor(address: &str, tls: &str, listed: &str) -> Ran {
    let desk = Desk::new()
        .with("secret", SECRET)
        .with("ca.pem", listed)
        .with("pbx.toml", &(target(address) + tls));
    desk.run(&["doctor", "pbx.toml"])
}

/// A peer that answers a hello with bytes that were recorded.
fn recorded(flight: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(flight);
            let _ = stream.read(&mut [0; 4096]);
        }
    });
    address
}

#[test]
fn certificates_are_told_by_what_is_wrong_with_them() {
    let local = ["localhost", "127.0.0.1"];
    let expired = made(
        |cert| cert.not_after = rcgen::date_time_ymd(2021, 2, 3),
        &local,
    );
    let early = made(
        |cert| cert.not_before = rcgen::date_time_ymd(2119, 2, 3),
        &local,
    );
    let table = [
        (
            expired,
            "its certificate expired at 2021-02-03",
            "→ renew it on the PBX",
        ),
        (
            early,
            "its certificate is valid from 2119-02-03",
            "→ the clock of this machine is wrong",
        ),
        (
            made(|_| {}, &["pbx.lab"]),
            "its certificate is for pbx.lab, not for 127.0.0.1",
            "→ server_name = \"pbx.lab\" in [tls]",
        ),
        (
            made(|_| {}, &[]),
            "its certificate (",
            "has no subject alternative name",
        ),
    ];
    for ((certificate, key), what, advice) in table {
        let pbx = serve(Tls::from_pem(certificate.as_bytes(), key.as_bytes()).unwrap());
        let ran = doctor(&pbx.addr().to_string(), LISTED, &certificate);
        check(&ran, 3, &format!("✗ tls {}: {what}", pbx.addr()), advice);
        assert!(ran.out.contains("pin_sha256 = \""), "{}", ran.out);
    }
}

#[test]
fn who_issued_a_certificate_is_not_trusted() {
    let pbx = serve(Tls::self_signed());
    let name = |cert: &mut CertificateParams| {
        cert.distinguished_name
            .push(rcgen::DnType::CommonName, "other")
    };
    let (other, _) = made(name, &["localhost"]);
    let ran = doctor(&pbx.addr().to_string(), LISTED, &other);
    check(
        &ran,
        3,
        &format!("✗ tls {}: its certificate is self-signed", pbx.addr()),
        "→ to trust exactly this certificate: pin_sha256 = \"",
    );
}

#[test]
fn the_pin_is_another_certificate_s() {
    let pbx = serve(Tls::self_signed());
    let pin = "ab".repeat(32);
    let ran = doctor(
        &pbx.addr().to_string(),
        &format!("[tls]\npin_sha256 = \"{pin}\"\n"),
        "",
    );
    check(
        &ran,
        3,
        &format!(
            "✗ tls {}: its certificate has the SHA-256 fingerprint ",
            pbx.addr()
        ),
        "→ if the PBX has a new certificate: pin_sha256 = \"",
    );
    assert!(ran.out.contains(&pin), "both are told: {}", ran.out);
}

#[test]
fn the_pin_that_is_printed_lets_us_in() {
    let pbx = serve(Tls::self_signed());
    let address = pbx.addr().to_string();
    let refused = doctor(&address, "[tls]\n", "")
        .out
        .split_whitespace()
        .collect::<String>();
    let (_, behind) = refused.split_once("pin_sha256=\"").unwrap();
    let (pin, _) = behind.split_once('"').unwrap();
    let ran = doctor(&address, &format!("[tls]\npin_sha256 = \"{pin}\"\n"), "");
    assert_eq!(ran.code, 0, "{}", ran.out);
    assert!(
        ran.out.contains("✓ tls           TLS 1.3 in "),
        "{}",
        ran.out
    );
    assert!(
        ran.out.contains(&format!("pin_sha256 = \"{pin}\"")),
        "{}",
        ran.out
    );
}

#[test]
fn a_certificate_or_a_tls_that_is_too_old_is_told() {
    let old = include_str!("../../../ami-client/tests/data/v1.pem");
    let address = recorded(include_bytes!("../data/v1-tls12.flight"));
    let ran = doctor(&address, LISTED, old);
    check(
        &ran,
        3,
        &format!("✗ tls {address}: its certificate (CN=old PBX) is X.509 version 1"),
        "→ to trust exactly this certificate: pin_sha256 = \"",
    );
    let small = include_str!("../../../ami-client/tests/data/rsa1024.pem");
    let address = recorded(include_bytes!(
        "../../../ami-client/tests/data/rsa1024-tls12.flight"
    ));
    let ran = doctor(&address, LISTED, small);
    check(
        &ran,
        3,
        &format!("✗ tls {address}: its certificate has a key too short"),
        "→ a new certificate on the PBX, with a key of 2048 bits",
    );
    let address = recorded(include_bytes!(
        "../../../ami-client/tests/data/tls10.flight"
    ));
    let ran = doctor(&address, "[tls]\n", "");
    check(
        &ran,
        3,
        &format!("✗ tls {address}: it speaks no TLS newer than 1.1"),
        "→ newer firmware on the PBX",
    );
}

#[test]
fn tls_is_spoken_to_the_plain_port() {
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let profile = Profile::named("asterisk-22").unwrap();
    let pbx = spawn_thread(profile, listen, accounts(), 1).unwrap();
    let ran = doctor(&pbx.addr().to_string(), "[tls]\n", "");
    check(
        &ran,
        3,
        &format!(
            "✗ tls {}: it speaks AMI without TLS on this port",
            pbx.addr()
        ),
        "→ use the port for TLS",
    );
}

#[test]
fn the_tls_port_is_spoken_to_without_tls() {
    let pbx = serve(Tls::self_signed());
    let ran = doctor(&pbx.addr().to_string(), PLAIN, "");
    check(
        &ran,
        3,
        &format!(
            "✗ tls {}: it speaks TLS on this port, and the target does not",
            pbx.addr()
        ),
        "→ give the target a [tls] table",
    );
}

#[test]
fn the_handshake_is_cut_off() {
    let pbx = serve(Tls::self_signed().with_fault(TlsFault::Close));
    let ran = doctor(&pbx.addr().to_string(), "[tls]\n", "");
    check(
        &ran,
        3,
        &format!(
            "✗ tls {}: it closed the connection during the TLS handshake",
            pbx.addr()
        ),
        "→ the PBX's access list does not hold our address",
    );
}
