//! A client and a server in memory, with every cut between them that a network can make.

use std::collections::VecDeque;
use std::sync::Arc;

use ami_proto::frame::OwnedFrame;
use ami_proto::frame::decode::{Decoder, Limits};
use proptest::prelude::*;
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection};

use super::*;
use crate::stream::READ_BYTES;
use crate::tls::client::TlsClient;

/// What comes, in the pieces in which it comes; what goes, as far as there is room.
#[derive(Debug, Default)]
struct Line {
    coming: VecDeque<Vec<u8>>,
    /// Whether the peer has closed behind what is coming.
    closed: bool,
    gone: Vec<u8>,
    room: usize,
}

impl Read for Line {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(piece) = self.coming.front_mut() else {
            if self.closed {
                return Ok(0);
            }
            return Err(ErrorKind::WouldBlock.into());
        };
        let length = piece.len().min(buffer.len());
        buffer[..length].copy_from_slice(&piece[..length]);
        piece.drain(..length);
        // A piece that was read to its end is followed by a pause: an empty one.
        if length == 0 {
            self.coming.pop_front();
            return Err(ErrorKind::WouldBlock.into());
        }
        Ok(length)
    }
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = bytes.len().min(self.room);
        if length == 0 {
            return Err(ErrorKind::WouldBlock.into());
        }
        self.gone.extend_from_slice(&bytes[..length]);
        self.room -= length;
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn connected() -> (TlsStream<Line>, ServerConnection) {
    let provider = Arc::new(ring::default_provider());
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let mut server = ServerConnection::new(Arc::new(config)).unwrap();
    let mut client = TlsClient::trusting_anyone().connection();
    while client.is_handshaking() || server.is_handshaking() {
        let mut bytes = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut bytes).unwrap();
        }
        give(&mut server, &bytes);
        let mut bytes = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut bytes).unwrap();
        }
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            client.read_tls(&mut rest).unwrap();
            client.process_new_packets().unwrap();
        }
    }
    let (stream, unread) = TlsStream::take_over(Line::default(), client);
    assert!(unread.is_empty());
    (stream, server)
}

fn give(server: &mut ServerConnection, mut bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    while !bytes.is_empty() {
        server.read_tls(&mut bytes).unwrap();
        server.process_new_packets().unwrap();
        let _ = server.reader().read_to_end(&mut plain);
    }
    plain
}

fn encrypt(server: &mut ServerConnection, plain: &[u8]) -> Vec<u8> {
    server.set_buffer_limit(None);
    server.writer().write_all(plain).unwrap();
    let mut bytes = Vec::new();
    while server.wants_write() {
        server.write_tls(&mut bytes).unwrap();
    }
    bytes
}

fn frames(decoder: &mut Decoder, mut bytes: &[u8]) -> Vec<OwnedFrame> {
    std::iter::from_fn(|| decoder.decode(&mut bytes).map(|frame| frame.to_owned())).collect()
}

fn decoder() -> Decoder {
    Decoder::client(Limits::default())
}

fn events(count: usize) -> Vec<u8> {
    let event = |n| format!("Event: Newchannel\r\nUniqueid: {n}\r\nChannel: Local/{n}@x;1\r\n\r\n");
    (0..count).flat_map(|n| event(n).into_bytes()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// However the records are cut on their way, the same frames come, and nothing stays behind in a read.
    #[test]
    fn any_cut_of_the_stream_gives_the_same_frames(
        written in prop::collection::vec(1_usize..40, 1..20),
        cuts in prop::collection::vec(1_usize..3000, 1..40),
    ) {
        let (mut stream, mut server) = connected();
        let mut plain = Vec::new();
        let mut cipher = Vec::new();
        for count in written {
            let events = events(count);
            cipher.extend(encrypt(&mut server, &events));
            plain.extend(events);
        }
        let mut rest = cipher.as_slice();
        for cut in cuts.iter().cycle() {
            let (piece, behind) = rest.split_at(rest.len().min(*cut));
            stream.socket.coming.push_back(piece.to_vec());
            rest = behind;
            if rest.is_empty() {
                break;
            }
        }
        let expected = frames(&mut decoder(), &plain);
        let (mut decoder, mut got) = (decoder(), Vec::new());
        let mut buffer = vec![0; READ_BYTES];
        while !stream.socket.coming.is_empty() {
            match stream.read(&mut buffer) {
                Ok(length) => got.extend(frames(&mut decoder, &buffer[..length])),
                Err(error) => prop_assert!(is_passing(&error), "{error}"),
            }
            let left = stream.session.reader().read(&mut [0]);
            prop_assert!(left.is_err_and(|error| is_passing(&error)), "decrypted and kept back");
        }
        prop_assert_eq!(got, expected);
    }

    /// However little the kernel takes at a time, the PBX gets what was sent, in records that it can take, and it is
    /// said that all is sent when all is.
    #[test]
    fn whatever_room_there_is_what_is_sent_arrives(
        lines in prop::collection::vec(1_usize..1020, 1..12),
        rooms in prop::collection::vec(1_usize..2000, 1..20),
    ) {
        let (mut stream, mut server) = connected();
        let line = |length: &usize| format!("{}\r\n", "x".repeat(*length)).into_bytes();
        let plain = lines.iter().flat_map(line).collect::<Vec<u8>>();
        let mut sent = stream.send(&plain).unwrap();
        for room in rooms.iter().cycle() {
            prop_assert_eq!(sent == Sent::Part, stream.has_unsent());
            if sent == Sent::All {
                break;
            }
            stream.socket.room = *room;
            sent = stream.flush().unwrap();
        }
        let gone = std::mem::take(&mut stream.socket.gone);
        let mut rest = gone.as_slice();
        let mut arrived = Vec::new();
        while !rest.is_empty() {
            let length = 5 + usize::from(u16::from_be_bytes([rest[3], rest[4]]));
            let record = give(&mut server, &rest[..length]);
            prop_assert!(record.len() <= 1000, "a record of {}", record.len());
            arrived.extend(record);
            rest = &rest[length..];
        }
        prop_assert_eq!(arrived, plain);
    }
}

/// Who reads on while a read brought half a buffer or more reads everything.
#[test]
fn a_read_that_leaves_bytes_in_the_socket_is_at_least_half_full() {
    let (mut stream, mut server) = connected();
    let plain = events(20_000);
    stream.socket.coming.push_back(encrypt(&mut server, &plain));
    let mut buffer = vec![0; READ_BYTES];
    let mut got = 0;
    while got < plain.len() {
        let length = stream.read(&mut buffer).unwrap();
        got += length;
        assert!(length >= READ_BYTES / 2 || got == plain.len(), "{length}");
    }
}

#[test]
fn the_end_is_an_end_with_and_without_a_word_of_tls() {
    let (mut stream, mut server) = connected();
    server.send_close_notify();
    stream.socket.coming.push_back(encrypt(&mut server, b""));
    assert_eq!(stream.read(&mut vec![0; READ_BYTES]).unwrap(), 0);
    let (mut stream, _) = connected();
    stream.socket.closed = true;
    assert_eq!(stream.read(&mut vec![0; READ_BYTES]).unwrap(), 0);
}

/// Without it the peer would never learn why we have gone.
#[test]
fn an_alert_goes_out_before_a_broken_stream_is_given_up() {
    let (mut stream, mut server) = connected();
    let mut broken = encrypt(&mut server, b"Response: Success\r\n\r\n");
    *broken.last_mut().unwrap() ^= 1;
    stream.socket.coming.push_back(broken);
    stream.socket.room = usize::MAX;
    let error = stream.read(&mut vec![0; READ_BYTES]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidData);
    let mut alert = stream.socket.gone.as_slice();
    server.read_tls(&mut alert).unwrap();
    let told = server.process_new_packets().unwrap_err();
    assert!(matches!(told, rustls::Error::AlertReceived(_)), "{told}");
}

#[test]
fn new_keys_in_mid_stream_change_nothing() {
    let (mut stream, mut server) = connected();
    server.refresh_traffic_keys().unwrap();
    let pong = b"Response: Success\r\nPing: Pong\r\n\r\n";
    stream.socket.coming.push_back(encrypt(&mut server, pong));
    let mut buffer = vec![0; READ_BYTES];
    let length = stream.read(&mut buffer).unwrap();
    assert_eq!(&buffer[..length], pong);
}
