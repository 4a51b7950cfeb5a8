//! The decoder alone: any bytes in any reads are safe and bounded, and how they were cut changes nothing.

use ami_proto::message::Message;
use ami_proto::{Anomaly, Decoder, Frame, Limits, OwnedFrame};

/// So small that a short input meets every limit.
pub const SMALL: Limits = Limits {
    line_max: 64,
    frame_max: 300,
    headers_max: 5,
};

/// A look-up reads the headers before; more of them would be quadratic.
const LOOKED_UP_MAX: usize = 64;

/// Which side's bytes, and within which limits, as a byte of an input says.
pub(crate) fn setup(byte: u8) -> (Side, Limits) {
    let side = if byte & 1 == 0 {
        Side::Server
    } else {
        Side::Client
    };
    let limits = if byte & 2 == 0 {
        SMALL
    } else {
        Limits::default()
    };
    (side, limits)
}

/// Who sends what is decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Server,
    Client,
}

impl Side {
    pub fn decoder(self, limits: Limits) -> Decoder {
        match self {
            Self::Server => Decoder::client(limits),
            Self::Client => Decoder::server(limits),
        }
    }
}

/// All that a decoder made of a stream.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Decoded {
    pub(crate) frames: Vec<OwnedFrame>,
    pub(crate) pending: usize,
    pub(crate) end: Option<Anomaly>,
}

pub(crate) fn decoded<'d>(
    mut decoder: Decoder,
    reads: impl IntoIterator<Item = &'d [u8]>,
) -> Decoded {
    let mut frames = Vec::new();
    for mut read in reads {
        while let Some(frame) = decoder.decode(&mut read) {
            frames.push(frame.to_owned());
        }
        assert!(read.is_empty(), "None means that all was taken");
    }
    let pending = decoder.pending().len();
    let end = decoder.finish();
    assert!(decoder.pending().is_empty(), "nothing stays behind the end");
    Decoded {
        frames,
        pending,
        end,
    }
}

/// The reads of a stream: their lengths repeat `lens`, zeros for single bytes.
pub(crate) fn reads<'d>(stream: &'d [u8], lens: &[u8]) -> Vec<&'d [u8]> {
    let mut rest = stream;
    let mut reads = Vec::new();
    for len in lens.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (read, more) = rest.split_at(usize::from(*len).max(1).min(rest.len()));
        reads.push(read);
        rest = more;
    }
    if lens.is_empty() && !stream.is_empty() {
        reads.push(stream);
    }
    reads
}

/// One byte for the setup, then the stream, in one read.
pub fn decode(data: &[u8]) {
    let Some((&first, stream)) = data.split_first() else {
        return;
    };
    let (side, limits) = setup(first);
    let mut decoder = side.decoder(limits);
    let mut input = stream;
    let (mut at, mut lost) = (0, 0);
    while let Some(frame) = decoder.decode(&mut input) {
        assert!(
            frame.bytes().len() <= limits.frame_max && frame.lines().count() <= limits.headers_max
        );
        assert_eq!(frame.offset(), at + lost, "offsets count every byte");
        look_at(&frame);
        at += frame.bytes().len() as u64;
        lost += frame.anomalies().iter().map(dropped).sum::<u64>();
    }
    let end = decoder.finish();
    let left = stream.len() as u64 - at - lost;
    match end {
        None => assert_eq!(left, 0, "bytes were lost"),
        Some(Anomaly::TornFrame { bytes }) => assert_eq!(left, bytes, "bytes were lost"),
        Some(Anomaly::ExtraBlankLines { lines }) => assert!(left >= u64::from(lines)),
        Some(other) => panic!("{other} is nothing to end with"),
    }
}

/// Every view agrees with every other.
fn look_at(frame: &Frame<'_>) {
    for header in frame.headers().take(LOOKED_UP_MAX) {
        let Ok(name) = std::str::from_utf8(header.name) else {
            continue;
        };
        assert!(
            header.is(name) && frame.get(name).is_some(),
            "what is there is found"
        );
        assert_eq!(frame.get_all(name).next(), frame.get(name));
        assert!(!frame.is_utf8() || header.text().as_bytes() == header.value);
    }
    match frame.message() {
        Message::Event(event) => {
            let name = String::from_utf8_lossy(event.name());
            assert!(event.is(&name) || name.as_bytes() != event.name());
            assert_eq!(
                event.privilege().is_some(),
                event.frame().get("Privilege").is_some()
            );
        }
        Message::Response(response) => {
            let lines = frame.get_all("Output").count();
            assert!(response.output().count() >= lines);
        }
        Message::Banner(_) | Message::Unclassified(_) => {}
    }
    assert!(!format!("{frame:?} {:?} {:?}", frame.message(), frame.anomalies()).is_empty());
}

fn dropped(anomaly: &Anomaly) -> u64 {
    match anomaly {
        Anomaly::FrameTooLong { dropped } => *dropped,
        _ => 0,
    }
}

/// A byte for the setup, one that says how many lengths of reads follow, those, then the stream.
pub fn split(data: &[u8]) {
    let [first, count, rest @ ..] = data else {
        return;
    };
    let (lens, stream) = rest.split_at(usize::from(count % 16).min(rest.len()));
    let (side, limits) = setup(*first);
    let whole = decoded(side.decoder(limits), [stream]);
    assert_eq!(decoded(side.decoder(limits), reads(stream, lens)), whole);
    assert_eq!(decoded(side.decoder(limits), stream.chunks(1)), whole);
}
