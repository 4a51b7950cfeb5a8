//! Faults that need sockets: how a port, its TLS, or the end of a connection goes wrong, and what a client makes of each.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use ami_client::connection::RequestError;
use ami_client::document::Place;
use ami_client::open::open;
use ami_client::tls::{CaFile, Fingerprint, TlsSettings, Trust, inspect};
use ami_client::{Clock, Connection, Gate, OpenError, Peer};
use ami_proto::action::system;
use ami_proto::session::{Answer, LoginForm, Secret, SessionConfig};
use ami_sim::{Account, Accounts, Fault, Handle, Profile, Tls, spawn_thread, spawn_tls_thread};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tempfile::NamedTempFile;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::bench::SECRET;

const WITHIN: Duration = Duration::from_secs(5);

fn accounts() -> Accounts {
    Accounts::new(Account::new("bench", SECRET, "all", "all"))
}

/// A port in the clear with one fault.
fn plain(fault: &str) -> (Handle, Peer) {
    let handle = spawn_thread(profile(), loopback(), accounts(), 1).unwrap();
    let fault = Fault::named(fault).unwrap();
    handle.plant(fault.planted());
    let peer = Peer::plain(handle.addr().to_string());
    (handle, peer)
}

/// A port for TLS with one fault, and a client that trusts whom the platform trusts, or this certificate alone.
fn secured(fault: &str, trust: impl FnOnce(&Tls) -> Trust) -> (Handle, Peer) {
    let fault = Fault::named(fault).unwrap().tls().unwrap();
    let tls = Tls::self_signed().with_fault(fault);
    let settings = TlsSettings {
        trust: trust(&tls),
        server_name: "localhost".try_into().unwrap(),
    };
    let handle = spawn_tls_thread(profile(), loopback(), accounts(), 1, tls).unwrap();
    let peer = Peer::new(handle.addr().to_string(), Some(&settings)).unwrap();
    (handle, peer)
}

fn pinned(tls: &Tls) -> Trust {
    Trust::Pin(Fingerprint::of(tls.certificate()))
}

/// Trust in whoever this certificate belongs to, if it is valid.
fn listed(tls: &Tls, file: &NamedTempFile) -> Trust {
    let pem = STANDARD.encode(tls.certificate());
    let pem = format!("-----BEGIN CERTIFICATE-----\n{pem}\n-----END CERTIFICATE-----\n");
    std::fs::write(file.path(), pem).unwrap();
    let place = Place {
        origin: "pbx.toml".to_owned(),
        line: 1,
        column: 1,
    };
    let path = file.path().to_owned();
    Trust::Authorities(CaFile { path, place })
}

fn profile() -> Profile {
    Profile::named("asterisk-22").unwrap()
}

fn loopback() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
}

async fn log_in(peer: &Peer) -> Result<Connection, OpenError> {
    let config = SessionConfig {
        username: "bench".to_owned(),
        secret: Secret::new(SECRET),
        login: LoginForm::Plain,
        events: "off".to_owned(),
        connection_id: 0x5eed,
        login_deadline: Duration::from_secs(10),
    };
    open(peer, config, &Gate::default(), Clock::start()).await
}

/// How far a client comes.
async fn outcome(peer: &Peer) -> &'static str {
    let mut connection = match log_in(peer).await {
        Ok(connection) => connection,
        Err(OpenError::Tls { trouble, .. }) => return trouble.slug(),
        Err(OpenError::Connect { .. }) => return "not connected",
        Err(OpenError::ConnectTimedOut { .. }) => return "connect timed out",
        Err(OpenError::NoBanner { .. }) => return "no banner",
        Err(OpenError::ClosedBeforeBanner { .. }) => return "closed before banner",
        Err(error) => panic!("{error:?}"),
    };
    let ping = system::ping();
    match connection.request(&ping, Answer::Single, WITHIN).await {
        Ok(_) => {}
        Err(RequestError::Ended { .. }) => return "ended",
        Err(RequestError::Broke { .. }) => return "broke",
        Err(error) => panic!("{error:?}"),
    }
    match connection.request(&ping, Answer::Single, WITHIN).await {
        Ok(_) => "goes on",
        Err(RequestError::Ended { .. }) => "ended behind its answer",
        Err(RequestError::Broke { .. }) => "broke behind its answer",
        Err(error) => panic!("{error:?}"),
    }
}

#[tokio::test]
async fn faults_of_a_port_are_told() {
    for (fault, expected) in [
        ("accept.refused", "not connected"),
        ("accept.closed", "closed before banner"),
        ("reset.instead", "broke"),
        ("reset.in-answer", "broke"),
        ("reset.after-answer", "broke behind its answer"),
        ("wire.half-close", "ended behind its answer"),
    ] {
        let (_pbx, peer) = plain(fault);
        assert_eq!(outcome(&peer).await, expected, "{fault}");
    }
}

/// Whether the kernel says RST or the reads are over first is its own affair.
#[tokio::test]
async fn a_pbx_that_leaves_without_reading_ends_the_session() {
    let (_pbx, peer) = plain("close.unread");
    assert!(["ended", "broke"].contains(&outcome(&peer).await));
}

/// Where nothing comes, virtual time jumps to the deadline.
#[tokio::test(start_paused = true)]
async fn silence_is_told_from_the_place_where_it_begins() {
    for (fault, expected) in [
        ("accept.unanswered", "connect timed out"),
        ("accept.silent", "no banner"),
    ] {
        let (_pbx, peer) = plain(fault);
        assert_eq!(outcome(&peer).await, expected, "{fault}");
    }
    for fault in ["tls.silent", "tls.torn-hello", "tls.unfinished"] {
        let (_pbx, peer) = secured(fault, pinned);
        assert_eq!(outcome(&peer).await, "tls-timed-out", "{fault}");
    }
}

#[tokio::test]
async fn a_port_that_speaks_tls_instead_is_found_out() {
    let (_pbx, peer) = plain("accept.tls");
    let found = inspect(&peer.address).await.unwrap();
    assert!(
        found.certificate.names.contains(&"localhost".to_owned()),
        "{found:?}"
    );
}

#[tokio::test]
async fn faults_of_tls_are_told() {
    let mut told = Vec::new();
    for (fault, expected) in [
        ("tls.close", "tls-closed"),
        ("tls.alert", "tls-no-common-cipher"),
        ("tls.alert-late", "tls-alert"),
        ("tls.plain", "tls-port-is-plain"),
        ("tls.old", "tls-old-protocol"),
        ("tls.wants-certificate", "tls-wants-certificate"),
        ("tls.no-close-notify", "goes on"),
        ("tls.tickets", "goes on"),
    ] {
        let (_pbx, peer) = secured(fault, pinned);
        assert_eq!(outcome(&peer).await, expected, "{fault}");
        told.push(fault);
    }
    for (fault, expected) in [
        ("tls.expired", "tls-expired"),
        ("tls.not-yet", "tls-not-yet-valid"),
        ("tls.wrong-name", "tls-wrong-name"),
    ] {
        let file = NamedTempFile::new().unwrap();
        let (_pbx, peer) = secured(fault, |tls| listed(tls, &file));
        assert_eq!(outcome(&peer).await, expected, "{fault}");
        told.push(fault);
    }
    let (_pbx, peer) = secured("tls.unknown-authority", |_| Trust::Platform);
    assert_eq!(outcome(&peer).await, "tls-unknown-authority");
    told.push("tls.unknown-authority");
    let silent = ["tls.silent", "tls.torn-hello", "tls.unfinished"];
    let tls = Fault::all().filter(|fault| fault.tls().is_some());
    for fault in tls.map(Fault::name) {
        assert!(told.contains(&fault) || silent.contains(&fault), "{fault}");
    }
}

/// Defects of a port for TLS: the certificate is the same, what is spoken is not.
#[tokio::test]
async fn defects_of_tls_are_seen() {
    let start = |defect: Option<&str>| {
        let tls = Tls::self_signed();
        let pin = Fingerprint::of(tls.certificate());
        let pbx = spawn_tls_thread(profile(), loopback(), accounts(), 1, tls).unwrap();
        if let Some(defect) = defect {
            pbx.spoil(defect.parse().unwrap());
        }
        (pbx, pin)
    };
    for (defect, protocol) in [
        (None, "TLS 1.3"),
        (Some("tls.versions.old-only"), "TLS 1.2"),
    ] {
        let (pbx, pin) = start(defect);
        let found = inspect(&pbx.addr().to_string()).await.unwrap();
        assert_eq!(
            (found.protocol, found.certificate.fingerprint),
            (protocol, pin)
        );
    }
    let (pbx, _) = start(Some("tls.plaintext.answered"));
    let plain = Peer::plain(pbx.addr().to_string());
    assert_eq!(
        said_to_plain_words(&plain).await,
        "Asterisk Call Manager/11.0.0"
    );
    let (pbx, _) = start(None);
    let plain = Peer::plain(pbx.addr().to_string());
    assert!(!said_to_plain_words(&plain).await.contains("Manager"));
}

/// The first line that a port says to an action in the clear.
async fn said_to_plain_words(peer: &Peer) -> String {
    let mut wire = TcpStream::connect(&peer.address).await.unwrap();
    wire.write_all(b"Action: Logoff\r\n\r\n").await.unwrap();
    let mut said = Vec::new();
    // The end may be an RST, since not all was read.
    let _ = wire.read_to_end(&mut said).await;
    let said = String::from_utf8_lossy(&said);
    said.lines().next().unwrap_or_default().to_owned()
}

/// The end of a session without a word of TLS is an end, and at once.
#[tokio::test]
async fn a_session_that_ends_without_close_notify_has_ended() {
    let (pbx, peer) = secured("tls.no-close-notify", pinned);
    let close = Fault::named("answer.close-instead").unwrap();
    pbx.plant(close.planted_at("Ping", 1));
    assert_eq!(outcome(&peer).await, "ended");
}
