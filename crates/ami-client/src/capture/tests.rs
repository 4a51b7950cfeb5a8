//! Captures as files: what is in them, where they end, and what they are called meanwhile.

use std::fs;
use std::path::Path;

use ami_proto::transcript::{Entry, Transcript};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::wire::Wire;

fn header() -> TranscriptHeader {
    TranscriptHeader::captured("pbx", "2026-11-21")
}

fn begun(path: &Path, bytes_max: u64) -> Capture {
    Capture::create(path, &header(), &[Secret::new("hunter2-abc")], bytes_max).unwrap()
}

fn read(path: &Path) -> Vec<(u32, What)> {
    let transcript = Transcript::parse(&fs::read_to_string(path).unwrap()).unwrap();
    let what = |Entry { conn, what, .. }| (conn, what);
    transcript.entries.into_iter().map(what).collect()
}

fn client(text: &str) -> What {
    What::Client(text.into())
}

fn server(text: &str) -> What {
    What::Server(text.into())
}

#[test]
fn a_capture_has_its_name_when_it_is_finished() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.ami.jsonl");
    let capture = begun(&path, BYTES_MAX);
    let again = Capture::create(&path, &header(), &[], BYTES_MAX).unwrap_err();
    assert!(matches!(again, CaptureError::Exists { .. }));
    let tap = capture.connection();
    tap.server(b"Banner\r\n");
    assert!(!path.exists());
    let part = folder.path().join("a.ami.jsonl.part");
    assert_eq!(
        read(&part),
        [(0, What::Mark(Mark::Open)), (0, server("Banner\r\n"))]
    );
    let captured = capture.finish().unwrap();
    assert_eq!((captured.connections, captured.server_bytes), (1, 8));
    assert!(path.exists() && !part.exists());
    tap.server(b"too late");
    drop(tap);
    assert_eq!(read(&path).last(), Some(&(0, What::Mark(Mark::CaptureEnd))));
    let again = Capture::create(&path, &header(), &[], BYTES_MAX).unwrap_err();
    assert!(matches!(again, CaptureError::Exists { .. }));
}

#[test]
fn a_secret_that_straddles_chunks_and_connections_is_in_no_row() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.ami.jsonl");
    let capture = begun(&path, BYTES_MAX);
    let (one, two) = (capture.connection(), capture.connection());
    one.client(b"Secret: app-");
    two.server(b"Output: hunter2");
    one.client(b"secret\r\n\r\n");
    two.server(b"-abc\r\n");
    two.server(b"Output: app-secret, hunt");
    drop(one);
    drop(two);
    capture.finish().unwrap();
    let open = |conn| (conn, What::Mark(Mark::Open));
    let expected = [
        open(0),
        open(1),
        (0, client("Secret: <secret>")),
        (1, server("Output: ")),
        (0, client("\r\n\r\n")),
        (1, server("<secret>\r\n")),
        (1, server("Output: <secret>, ")),
        (0, What::Mark(Mark::ClientFin)),
        (1, What::Mark(Mark::ClientFin)),
        (1, server("hunt")),
    ];
    assert_eq!(read(&path), expected);
}

#[tokio::test]
async fn a_capture_that_is_full_says_where_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.ami.jsonl");
    let capture = begun(&path, 400);
    let (one, two) = (capture.connection(), capture.connection());
    for _ in 0..100 {
        one.server(b"Event: A\r\n\r\n");
    }
    capture.ended().await;
    two.server(b"too late");
    let captured = capture.finish().unwrap();
    assert_eq!(captured.extent, Extent::CutOff);
    let rows = read(&path);
    let end = |conn| (conn, What::Mark(Mark::CaptureEnd));
    assert_eq!(rows[rows.len() - 2..], [end(0), end(1)]);
    assert!(fs::metadata(&path).unwrap().len() < 500);
}

#[tokio::test]
async fn a_wire_tells_what_passes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.ami.jsonl");
    let capture = begun(&path, BYTES_MAX);
    let (ours, mut theirs) = tokio::io::duplex(8);
    let mut wire = Wire::Memory(ours).recorded(capture.connection());
    theirs.write_all(b"Banner\r\n").await.unwrap();
    let mut buffer = [0; 64];
    assert_eq!(wire.read(&mut buffer).await.unwrap(), 8);
    let taken = wire.write(b"Action: Ping\r\n\r\n").await.unwrap();
    assert_eq!(taken, 8, "no more than the pipe holds");
    drop(theirs);
    assert_eq!(wire.read(&mut buffer).await.unwrap(), 0);
    assert_eq!(wire.read(&mut buffer).await.unwrap(), 0);
    drop(wire);
    capture.finish().unwrap();
    let expected = [
        (0, What::Mark(Mark::Open)),
        (0, server("Banner\r\n")),
        (0, client("Action: ")),
        (0, What::Mark(Mark::Fin)),
        (0, What::Mark(Mark::ClientFin)),
    ];
    assert_eq!(read(&path), expected);
}
