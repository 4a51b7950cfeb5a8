//! A relay between an application and a PBX, both played here: what passes, how each end is carried over, and what the
//! capture says of it.

use std::fs;
use std::path::PathBuf;

use ami_proto::session::Secret;
use ami_proto::transcript::{Transcript, TranscriptHeader, What};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::Capture;
use crate::capture::BYTES_MAX;

struct Desk {
    _folder: TempDir,
    path: PathBuf,
    capture: Capture,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.ami.jsonl");
        let header = TranscriptHeader::captured("pbx", "2026-11-21");
        let secrets = [Secret::new("hunter2")];
        Self {
            capture: Capture::create(&path, &header, &secrets, BYTES_MAX).unwrap(),
            path,
            _folder: folder,
        }
    }

    fn rows(self) -> Vec<What> {
        self.capture.finish().unwrap();
        let text = fs::read_to_string(&self.path).unwrap();
        let rows = Transcript::parse(&text).unwrap().entries;
        rows.into_iter().map(|entry| entry.what).collect()
    }
}

async fn read(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut buffer = [0; 256];
    let length = stream.read(&mut buffer).await.unwrap();
    String::from_utf8(buffer[..length].to_vec()).unwrap()
}

/// In memory, where chunks stay as they are written.
fn in_memory() -> (DuplexStream, DuplexStream, DuplexStream, Wire) {
    let (application, inner) = tokio::io::duplex(1024);
    let (pbx, outer) = tokio::io::duplex(1024);
    (application, inner, pbx, Wire::Memory(outer))
}

#[tokio::test]
async fn every_chunk_passes_unchanged_and_a_closed_half_lets_the_other_speak() {
    let desk = Desk::new();
    let (mut application, mut inner, mut pbx, mut wire) = in_memory();
    let tap = desk.capture.connection();
    let relay = tokio::spawn(async move { carry(&mut inner, &mut wire, &tap).await });
    pbx.write_all(b"Banner\r\n").await.unwrap();
    assert_eq!(read(&mut application).await, "Banner\r\n");
    application
        .write_all(b"Action: Login\r\nSec")
        .await
        .unwrap();
    assert_eq!(read(&mut pbx).await, "Action: Login\r\nSec");
    application
        .write_all(b"ret: hunter2\r\n\r\n\xff")
        .await
        .unwrap();
    let mut buffer = [0; 64];
    let length = pbx.read(&mut buffer).await.unwrap();
    assert_eq!(&buffer[..length], b"ret: hunter2\r\n\r\n\xff");
    application.shutdown().await.unwrap();
    assert_eq!(read(&mut pbx).await, "", "the half is closed here too");
    pbx.write_all(b"Response: Goodbye\r\n\r\n").await.unwrap();
    assert_eq!(read(&mut application).await, "Response: Goodbye\r\n\r\n");
    pbx.shutdown().await.unwrap();
    assert_eq!(read(&mut application).await, "");
    assert_eq!(relay.await.unwrap(), Parting::Closed);
    let client = |bytes: &[u8]| What::Client(bytes.to_vec());
    let server = |text: &str| What::Server(text.into());
    let expected = [
        What::Mark(Mark::Open),
        server("Banner\r\n"),
        client(b"Action: Login\r\nSec"),
        client(b"ret: <secret>\r\n\r\n\xff"),
        What::Mark(Mark::ClientFin),
        server("Response: Goodbye\r\n\r\n"),
        What::Mark(Mark::Fin),
    ];
    assert_eq!(desk.rows(), expected);
}

/// Two ends of a connection over loopback.
async fn over_tcp() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (ours, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
    (ours.unwrap(), accepted.unwrap().0)
}

/// Both ends play; who resets is `resetting`, and the other one must see it.
async fn check_reset(by: Parting, expected: Mark) {
    let desk = Desk::new();
    let (mut application, mut inner) = over_tcp().await;
    let (outer, mut pbx) = over_tcp().await;
    let tap = desk.capture.connection();
    let relay = tokio::spawn(async move {
        let mut wire = Wire::Tcp(outer);
        let parting = carry(&mut inner, &mut wire, &tap).await;
        inner.set_zero_linger().unwrap();
        wire.reset();
        parting
    });
    pbx.write_all(b"Banner\r\n").await.unwrap();
    assert_eq!(read(&mut application).await, "Banner\r\n");
    let left = match by {
        Parting::ByClient => {
            application.set_zero_linger().unwrap();
            drop(application);
            pbx.read(&mut [0; 8]).await
        }
        _ => {
            pbx.set_zero_linger().unwrap();
            drop(pbx);
            application.read(&mut [0; 8]).await
        }
    };
    assert_eq!(left.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    assert_eq!(relay.await.unwrap(), by);
    assert_eq!(desk.rows().last(), Some(&What::Mark(expected)));
}

#[tokio::test]
async fn a_reset_is_carried_over_in_both_directions() {
    check_reset(Parting::ByClient, Mark::ClientRst).await;
    check_reset(Parting::ByServer, Mark::Rst).await;
}
