//! A load over TLS: troubles end it before it begins, and each session that is lost is known to be.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

use ami_client::OpenError;
use ami_load::run::{FailureWhy, PreflightError, RunError};
use ami_results::outcome::Outcome;
use ami_sim::{Account, Accounts, Handle, Profile, Tls, TlsFault, spawn_tls_thread};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::bench::{Bench, PING, Ran, SECRET, constant, scenario};

fn start(tls: Tls) -> Handle {
    let accounts = Accounts::new(Account::new("bench", SECRET, "all", "all"));
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let profile = Profile::named("asterisk-22").unwrap();
    spawn_tls_thread(profile, address, accounts, 1, tls).unwrap()
}

fn pings(sim: &Handle) -> Bench {
    Bench::new(scenario(3, "1s", &constant("50/s"), PING)).target(sim.addr())
}

fn check(ran: &Ran, slug: &str) {
    let Err(RunError::NoTarget { failures }) = &ran.result else {
        panic!("the run should have had no target: {:?}", ran.result);
    };
    match &failures[0].why {
        FailureWhy::Preflight(PreflightError::Open(OpenError::Tls { trouble, .. })) => {
            assert_eq!(trouble.slug(), slug);
        }
        why => panic!("{why:?}"),
    }
}

#[test]
fn what_goes_wrong_at_the_port_for_tls_is_told() {
    for (fault, slug) in [
        (TlsFault::Close, "tls-closed"),
        (TlsFault::Alert, "tls-no-common-cipher"),
        (TlsFault::PlainBanner, "tls-port-is-plain"),
    ] {
        let tls = Tls::self_signed().with_fault(fault);
        let certificate = tls.certificate().to_owned();
        let sim = start(tls);
        check(&pings(&sim).pin(&certificate).run(), slug);
        assert_eq!(sim.counters().sessions_accepted, 0);
    }
}

#[test]
fn another_certificate_gets_no_login() {
    let sim = start(Tls::self_signed());
    check(
        &pings(&sim).pin(Tls::self_signed().certificate()).run(),
        "tls-wrong-pin",
    );
    assert_eq!(sim.counters().sessions_accepted, 0);
}

/// More than two reads of a worker hold.
const FLOOD_BYTES: usize = 300_000;

/// A PBX that pours events over the session of each Ping before it answers; its address and its certificate.
fn flooding() -> (SocketAddr, Vec<u8>) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (config, stream) = (Arc::clone(&config), stream.unwrap());
            // The client may go at any moment; what it saw is in its records.
            std::thread::spawn(move || talk(config, stream));
        }
    });
    (address, cert.der().to_vec())
}

fn talk(config: Arc<ServerConfig>, stream: TcpStream) -> io::Result<()> {
    let event = b"Event: Newchannel\r\nUniqueid: 1\r\nChannel: Local/1@x;1\r\n\r\n";
    let flood = event.repeat(FLOOD_BYTES / event.len());
    let mut line = StreamOwned::new(ServerConnection::new(config).unwrap(), stream);
    line.write_all(b"Asterisk Call Manager/11.0.0\r\n")?;
    let mut input = BufReader::new(line);
    let (mut action, mut id) = (String::new(), String::new());
    loop {
        let mut text = String::new();
        if input.read_line(&mut text)? == 0 {
            return Ok(());
        }
        match text.trim_end().split_once(": ") {
            Some(("Action", name)) => action = name.to_owned(),
            Some(("ActionID", given)) => id = given.to_owned(),
            Some(_) => {}
            None => {
                if action == "Ping" {
                    input.get_mut().write_all(&flood)?;
                }
                let answer = format!("Response: Success\r\nActionID: {id}\r\nPing: Pong\r\n\r\n");
                input.get_mut().write_all(answer.as_bytes())?;
            }
        }
    }
}

/// One session, so that no other wakes the worker for the bytes it has left.
#[test]
fn what_a_read_leaves_in_the_socket_is_read_without_being_told_again() {
    let (address, certificate) = flooding();
    let hasty = "{ ping = {}, timeout = \"5s\" }";
    let ran = Bench::new(scenario(1, "1s", &constant("10/s"), hasty))
        .target(address)
        .pin(&certificate)
        .run();
    ran.check_books();
    assert_eq!(ran.count(Outcome::Success), 10, "{:?}", ran.records);
}
