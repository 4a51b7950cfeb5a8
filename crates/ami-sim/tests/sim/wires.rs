//! The same over wires: in memory with paused time, and over real sockets.
#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "clients need sockets and clocks"
)]

use std::net::{Ipv4Addr, SocketAddr};

use ami_sim::{
    Accounts, Addresses, Ending, Profile, Server, Simulator, Tls, TlsFault, spawn_thread,
    spawn_tls_thread,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::LocalSet;

use crate::talk::SECRET;

const LOGIN: &[u8] = b"Action: Login\r\nUsername: bench\r\nSecret: <secret>\r\nEvents: off\r\n\r\n";
const LOOPBACK: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

fn addresses() -> Addresses {
    Addresses {
        local: LOOPBACK,
        remote: LOOPBACK,
    }
}

async fn read_until(wire: &mut (impl AsyncReadExt + Unpin), end: &str) -> String {
    let mut heard = Vec::new();
    while !heard.ends_with(end.as_bytes()) {
        assert_ne!(
            wire.read_buf(&mut heard).await.unwrap(),
            0,
            "{}",
            String::from_utf8_lossy(&heard)
        );
    }
    String::from_utf8(heard).unwrap()
}

fn profile() -> Profile {
    Profile::named("asterisk-22").unwrap()
}

#[tokio::test(start_paused = true)]
async fn an_in_memory_session_keeps_virtual_time() {
    let simulator = Simulator::new(profile(), Accounts::bench(SECRET), 1);
    let (mut wire, far) = tokio::io::duplex(1 << 16);
    let tasks = LocalSet::new();
    let timers = simulator.clone();
    tasks.spawn_local(async move { timers.run_timers().await });
    let serving = simulator.clone();
    let session = tasks.spawn_local(async move { serving.serve_wire(far, addresses()).await });
    tasks
        .run_until(async {
            read_until(&mut wire, "Manager/11.0.0\r\n").await;
            wire.write_all(LOGIN).await.unwrap();
            read_until(&mut wire, "\r\n\r\n").await;
            let start = tokio::time::Instant::now();
            let originate = "Action: Originate\r\nChannel: Local/answer-2s@amibench\r\nApplication: Wait\r\n\
                             Data: 1\r\n\r\nAction: Logoff\r\n\r\n";
            wire.write_all(originate.as_bytes()).await.unwrap();
            let answers = read_until(&mut wire, "fish.\r\n\r\n").await;
            assert!(answers.starts_with("Response: Success\r\nMessage: Originate successfully queued\r\n"));
            assert_eq!(start.elapsed().as_secs(), 2);
            assert_eq!(session.await.unwrap(), Ending::Closed);
        })
        .await;
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_stands_still_loses_its_session() {
    let simulator = Simulator::new(profile(), Accounts::bench(SECRET), 1);
    let (mut wire, far) = tokio::io::duplex(1024);
    let serving = simulator.clone();
    let tasks = LocalSet::new();
    let session = tasks.spawn_local(async move { serving.serve_wire(far, addresses()).await });
    tasks
        .run_until(async {
            wire.write_all(LOGIN).await.unwrap();
            wire.write_all(b"Action: ListCommands\r\n\r\n")
                .await
                .unwrap();
            assert_eq!(session.await.unwrap(), Ending::Closed);
        })
        .await;
    assert_eq!(simulator.counters().sessions_too_slow, 1);
}

#[tokio::test]
async fn a_server_on_tcp_serves_many_sessions_and_stops() {
    let accounts = Accounts::bench(SECRET);
    let server = Server::bind(profile(), LOOPBACK, accounts, 1).unwrap();
    let (address, simulator) = (server.local_addr().unwrap(), server.simulator().clone());
    let clients = async {
        for _ in 0..20 {
            let mut wire = TcpStream::connect(address).await.unwrap();
            wire.write_all(LOGIN).await.unwrap();
            read_until(&mut wire, "accepted\r\n\r\n").await;
            wire.write_all(b"Action: Ping\r\n\r\n").await.unwrap();
            read_until(&mut wire, "\r\n\r\n").await;
        }
    };
    server.run(clients).await;
    assert_eq!(simulator.counters().actions_of("Ping"), 20);
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn an_embedded_simulator_serves_until_it_is_stopped() {
    let handle = spawn_thread(profile(), LOOPBACK, Accounts::bench(SECRET), 1).unwrap();
    let mut wire = TcpStream::connect(handle.addr()).await.unwrap();
    wire.write_all(LOGIN).await.unwrap();
    read_until(&mut wire, "accepted\r\n\r\n").await;
    let originate = "Action: Originate\r\nChannel: Local/answer@amibench\r\nApplication: Wait\r\nData: 60\r\n\r\n";
    wire.write_all(originate.as_bytes()).await.unwrap();
    read_until(&mut wire, "queued\r\n\r\n").await;
    let counters = handle.counters();
    assert_eq!(
        (counters.sessions_accepted, counters.calls_answered),
        (1, 1)
    );
    handle.stop();
    assert_eq!(wire.read(&mut [0; 1]).await.unwrap(), 0);
}

#[tokio::test]
async fn a_silent_port_for_tls_says_nothing_until_its_client_has_left() {
    let tls = Tls::self_signed().with_fault(TlsFault::Silence);
    let handle = spawn_tls_thread(profile(), LOOPBACK, Accounts::default(), 1, tls).unwrap();
    let mut wire = TcpStream::connect(handle.addr()).await.unwrap();
    for _ in 0..3 {
        wire.write_all(LOGIN).await.unwrap();
    }
    wire.shutdown().await.unwrap();
    let mut heard = Vec::new();
    wire.read_to_end(&mut heard).await.unwrap();
    assert!(heard.is_empty(), "{heard:?}");
    assert_eq!(handle.counters().sessions_accepted, 0);
}

#[tokio::test]
async fn a_port_for_http_answers_one_request_after_the_other() {
    let handle = spawn_thread(profile(), LOOPBACK, Accounts::bench("hunter2"), 1).unwrap();
    let address = handle.serve_web(LOOPBACK, None).unwrap();
    let mut wire = TcpStream::connect(address).await.unwrap();
    let login = "GET /rawman?action=login&username=bench&secret=hunter2 HTTP/1.1\r\n\r\n";
    wire.write_all(login.as_bytes()).await.unwrap();
    let answer = read_until(&mut wire, "accepted\r\n\r\n").await;
    let (_, cookie) = answer.split_once("Set-Cookie: ").unwrap();
    let (cookie, _) = cookie.split_once(';').unwrap();
    let wait =
        format!("GET /rawman?action=waitevent&timeout=1 HTTP/1.1\r\nCookie: {cookie}\r\n\r\n");
    let ping = wait
        .replace("waitevent", "ping")
        .replace("HTTP/1.1\r\n", "HTTP/1.1\r\nConnection: close\r\n");
    wire.write_all((wait + &ping).as_bytes()).await.unwrap();
    let mut heard = String::new();
    wire.read_to_string(&mut heard).await.unwrap();
    let (waited, pong) = heard
        .split_once("Event: WaitEventComplete\r\n\r\nHTTP/1.1 200 OK\r\n")
        .unwrap_or_else(|| panic!("{heard}"));
    assert!(waited.starts_with("HTTP/1.1 200 OK\r\n"), "{heard}");
    assert!(pong.contains("\r\nPing: Pong\r\n"), "{heard}");
}

/// The real ones listen with a backlog of 10, and the kernel holds one more.
#[tokio::test]
async fn eleven_connections_wait_to_be_accepted_and_no_more() {
    let server = Server::bind(profile(), LOOPBACK, Accounts::default(), 1).unwrap();
    let address = server.local_addr().unwrap().into();
    let knock = || {
        let socket =
            socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        socket.set_nonblocking(true).unwrap();
        // On loopback the other end has answered, or not, when this returns.
        let _ = socket.connect(&address);
        socket
    };
    let sockets: Vec<_> = (0..15).map(|_| knock()).collect();
    let connected = sockets.iter().filter(|socket| socket.peer_addr().is_ok());
    assert_eq!(connected.count(), 11);
}

#[test]
fn an_address_in_use_is_an_error_at_once() {
    let first = spawn_thread(profile(), LOOPBACK, Accounts::default(), 1).unwrap();
    let second = spawn_thread(profile(), first.addr(), Accounts::default(), 1);
    assert_eq!(second.unwrap_err().kind(), std::io::ErrorKind::AddrInUse);
    drop(first);
}
