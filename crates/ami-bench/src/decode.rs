//! How fast bytes become messages. What each contender makes of a message is said by its name: httparse and memchr make
//! less than we do, asterisk-rs-ami a list of strings.

use std::hint::black_box;
use std::rc::Rc;

use ami_proto::{Decoder, Frame, Limits};
use asterisk_rs_ami::AmiCodec;
use bytes::BytesMut;
use tokio_util::codec::Decoder as _;

use crate::{Contender, Counting, Group, Scale, stream};

/// More than the caches of a core hold.
const STREAM_LEN: usize = 16_000_000;
/// For who is ten times slower, so that its turn takes as long.
const SHORT_LEN: usize = 2_000_000;
/// What ami-client reads at a time.
pub(crate) const READ_LEN: usize = 64 * 1024;
/// The payload of one Ethernet segment.
const SEGMENT_LEN: usize = 1460;
const LOOKUPS: [&str; 3] = ["Event", "Uniqueid", "Channel"];

const BORROWED: &str = "borrowed, 3 lookups";
const OWNED: &str = "owned, 3 lookups";
const SEGMENTS: &str = "borrowed, 1460-byte reads";
const RS_AMI: &str = "asterisk-rs-ami, 3 lookups";
const HTTPARSE: &str = "httparse, headers only";
const LINES: &str = "memchr, lines only";

pub(crate) fn group(scale: Scale) -> Group {
    let long: Rc<[u8]> = stream::events(scale.of(STREAM_LEN)).into();
    let short: Rc<[u8]> = stream::events(scale.of(SHORT_LEN)).into();
    let messages = |stream: &[u8]| count(&mut decoder(), stream, READ_LEN) as u64;
    let peer = |name, stream: &Rc<[u8]>, run: fn(&[u8]) -> usize| {
        let stream = Rc::clone(stream);
        Contender::new(name, messages(&stream), move || run(&stream))
    };
    // Its buffers have grown after the first pass.
    let ours = |name, run: fn(&mut Decoder, &[u8]) -> usize| {
        let (stream, mut decoder) = (Rc::clone(&long), decoder());
        Contender::new(name, messages(&stream), move || run(&mut decoder, &stream))
    };
    assert_eq!(httparse_blocks(&short) as u64, messages(&short));
    let found = borrowed_with_lookups(&mut decoder(), &short);
    assert_eq!(rs_ami_with_lookups(&short), found);
    Group {
        name: "decode",
        unit: "message",
        contenders: vec![
            peer(HTTPARSE, &long, httparse_blocks),
            ours(BORROWED, borrowed_with_lookups),
            ours(OWNED, owned_with_lookups),
            ours("borrowed", |decoder, it| count(decoder, it, READ_LEN)),
            ours(SEGMENTS, |decoder, it| count(decoder, it, SEGMENT_LEN)),
            peer(LINES, &long, |it| memchr::memchr_iter(b'\n', it).count()),
            peer(RS_AMI, &short, rs_ami_with_lookups),
            long_message("one message of 1 MB", 1_000_000, scale),
            long_message("one message of 4 MB", 4_000_000, scale),
        ],
        pairs: &[
            (BORROWED, HTTPARSE),
            (OWNED, HTTPARSE),
            (SEGMENTS, HTTPARSE),
            (BORROWED, RS_AMI),
            (OWNED, RS_AMI),
        ],
        counting: Counting::Repeatable,
    }
}

pub(crate) fn decoder() -> Decoder {
    Decoder::client(Limits::default())
}

/// The messages of the stream.
pub(crate) fn count(decoder: &mut Decoder, stream: &[u8], read_len: usize) -> usize {
    let mut frames = 0;
    for mut read in stream.chunks(read_len) {
        while let Some(frame) = decoder.decode(&mut read) {
            black_box(frame.bytes());
            frames += 1;
        }
    }
    frames
}

/// The bytes found.
pub(crate) fn look_up(frame: Frame<'_>) -> usize {
    LOOKUPS
        .iter()
        .filter_map(|name| frame.get(name))
        .map(<[u8]>::len)
        .sum()
}

fn borrowed_with_lookups(decoder: &mut Decoder, stream: &[u8]) -> usize {
    let mut found = 0;
    for mut read in stream.chunks(READ_LEN) {
        while let Some(frame) = decoder.decode(&mut read) {
            found += look_up(frame);
        }
    }
    found
}

fn owned_with_lookups(decoder: &mut Decoder, stream: &[u8]) -> usize {
    let mut found = 0;
    for mut read in stream.chunks(READ_LEN) {
        while let Some(frame) = decoder.decode(&mut read) {
            let owned = frame.to_owned();
            found += look_up(black_box(&owned).as_frame());
        }
    }
    found
}

/// The headers only, and no copy: httparse has neither owned blocks nor lookup. The array is used again.
fn httparse_blocks(stream: &[u8]) -> usize {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut rest = stream;
    let mut blocks = 0;
    while !rest.is_empty() {
        match httparse::parse_headers(rest, &mut headers) {
            Ok(httparse::Status::Complete((len, parsed))) => {
                black_box(parsed);
                rest = &rest[len..];
                blocks += 1;
            }
            other => panic!("the generated stream is one that httparse takes: {other:?}"),
        }
    }
    blocks
}

/// As its connection drives it: what was read is appended, messages are taken off the front.
fn rs_ami_with_lookups(stream: &[u8]) -> usize {
    let mut codec = AmiCodec::new();
    let mut buffer = BytesMut::from(&b"Asterisk Call Manager/11.0.0\r\n"[..]);
    let mut found = 0;
    for read in stream.chunks(READ_LEN) {
        buffer.extend_from_slice(read);
        while let Some(message) = codec.decode(&mut buffer).expect("the stream is sound") {
            found += LOOKUPS
                .iter()
                .filter_map(|name| message.get(name))
                .map(str::len)
                .sum::<usize>();
        }
    }
    found
}

/// The unit is a line, of which both lengths have the same: as many instructions for one means that the time is linear.
fn long_message(name: &'static str, len: usize, scale: Scale) -> Contender {
    const LINE: &[u8] = b"Output: PJSIP/1000-00000001  default  1000  Up\r\n";
    let lines = scale.of(len) / LINE.len();
    let message = [b"Response: Success\r\n", &*LINE.repeat(lines), b"\r\n"].concat();
    let mut decoder = decoder();
    assert_eq!(count(&mut decoder, &message, SEGMENT_LEN), 1);
    Contender::new(name, lines as u64, move || {
        count(&mut decoder, &message, SEGMENT_LEN)
    })
}
