//! Properties of the decoder over streams made of what breaks decoders; of views and dialects in files beside.
#![expect(clippy::unwrap_used, reason = "what a test did not expect ends it")]

mod dialect;
mod views;

use ami_proto::{Action, ActionId, Anomaly, Decoder, FrameKind, Limits, OwnedFrame};
use proptest::prelude::*;

const SMALL: Limits = Limits {
    line_max: 64,
    frame_max: 300,
    headers_max: 5,
};

/// Streams of fragments that matter, with some random bytes between them.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    const FRAGMENTS: &[&str] = &[
        "\r\n",
        "\n",
        "\r",
        ":",
        ": ",
        " ",
        "a",
        "\r\n\r\n",
        "\n\n",
        "\r\n\n",
        "\0",
        "Event: A\r\n",
        "event:B\n",
        "Response: Success\r\n",
        "Response: Follows\r\n",
        "response:follows\n",
        "Privilege: Command\r\n",
        "ActionID: 1\r\n",
        "Action: Ping\r\n",
        "--END COMMAND--",
        "--END COMMAND--\r\n\r\n",
        "Asterisk Call Manager/2.8.0\r\n",
        "no colon\r\n",
        "\u{e9}\u{20ac}",
        "0123456789012345678901234567890123456789012345678901234567",
    ];
    let fragment = prop_oneof![
        8 => prop::sample::select(FRAGMENTS).prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..90),
    ];
    prop::collection::vec(fragment, 0..60).prop_map(|fragments| fragments.concat())
}

fn limits() -> impl Strategy<Value = Limits> {
    prop_oneof![Just(Limits::default()), Just(SMALL)]
}

fn run<'b>(mut decoder: Decoder, reads: impl Iterator<Item = &'b [u8]>) -> Run {
    let mut frames = Vec::new();
    for mut read in reads {
        while let Some(frame) = decoder.decode(&mut read) {
            frames.push(frame.to_owned());
        }
        assert!(read.is_empty(), "None means that all was taken");
    }
    let pending = decoder.pending().to_vec();
    Run {
        frames,
        pending,
        end: decoder.finish(),
    }
}

#[derive(Debug, PartialEq)]
struct Run {
    frames: Vec<OwnedFrame>,
    pending: Vec<u8>,
    end: Option<Anomaly>,
}

/// The stream in reads whose lengths repeat `lens`.
fn reads<'s>(stream: &'s [u8], lens: &[usize]) -> Vec<&'s [u8]> {
    let mut rest = stream;
    let mut reads = Vec::new();
    for len in lens.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (read, more) = rest.split_at((*len).min(rest.len()));
        reads.push(read);
        rest = more;
    }
    reads
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    /// frames(any split of s) = frames(s), anomalies and leftovers included.
    #[test]
    fn any_split_gives_the_same_frames(
        stream in stream(),
        lens in prop::collection::vec(1_usize..150, 1..8),
        limits in limits(),
    ) {
        for new in [Decoder::client, Decoder::server] {
            let whole = run(new(limits), [&stream[..]].into_iter());
            prop_assert_eq!(&run(new(limits), reads(&stream, &lens).into_iter()), &whole);
            prop_assert_eq!(&run(new(limits), stream.chunks(1)), &whole);
        }
    }

    /// Without a limit in the way, the frames joined with what is pending are the stream, and offsets count it.
    #[test]
    fn no_byte_is_lost_or_made_up(stream in stream(), lens in prop::collection::vec(1_usize..150, 1..8)) {
        for new in [Decoder::client, Decoder::server] {
            let run = run(new(Limits::default()), reads(&stream, &lens).into_iter());
            let mut joined = Vec::new();
            for frame in &run.frames {
                prop_assert_eq!(frame.as_frame().offset(), joined.len() as u64);
                joined.extend_from_slice(frame.as_frame().bytes());
            }
            joined.extend_from_slice(&run.pending);
            prop_assert_eq!(joined, stream.clone());
            prop_assert_eq!(run.end.is_none(), run.pending.is_empty());
        }
    }

    /// Frames keep within the limits, and every byte that is not kept is in an anomaly.
    #[test]
    fn memory_is_bounded_and_losses_are_counted(stream in stream()) {
        let mut decoder = Decoder::client(SMALL);
        let mut counted = 0;
        for mut read in stream.chunks(33) {
            while let Some(frame) = decoder.decode(&mut read) {
                prop_assert!(frame.bytes().len() <= SMALL.frame_max);
                prop_assert!(frame.lines().count() <= SMALL.headers_max);
                prop_assert_eq!(frame.offset(), counted);
                counted += frame.bytes().len() as u64;
                for anomaly in frame.anomalies() {
                    if let Anomaly::FrameTooLong { dropped } = anomaly {
                        counted += dropped;
                    }
                }
            }
            prop_assert!(decoder.pending().len() <= SMALL.frame_max);
        }
        let left = match decoder.finish() {
            Some(Anomaly::TornFrame { bytes }) => bytes,
            _ => 0,
        };
        prop_assert!(counted + left <= stream.len() as u64);
    }

    /// Looking at a frame in any way never panics, and the kinds agree with the headers.
    #[test]
    fn every_view_of_any_bytes_is_safe(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        for frame in run(Decoder::client(SMALL), bytes.chunks(50)).frames {
            let frame = frame.as_frame();
            let has = |name: &str| frame.headers().any(|header| header.is(name));
            match frame.kind() {
                FrameKind::Banner => prop_assert_eq!(frame.lines().count(), 1),
                FrameKind::Event => prop_assert!(has("Event")),
                FrameKind::Response => prop_assert!(has("Response") && !has("Event")),
                FrameKind::Action => prop_assert!(false, "servers send no actions"),
                FrameKind::Unclassified => prop_assert!(!has("Response") && !has("Event")),
            }
            for header in frame.headers() {
                let name = String::from_utf8_lossy(header.name);
                if name.as_bytes() == header.name {
                    prop_assert_eq!(frame.get_all(&name).next(), frame.get(&name));
                    prop_assert!(frame.get(&name).is_some());
                }
            }
            let shown = format!("{frame:?} {:?}", frame.message());
            prop_assert!(!shown.is_empty());
        }
    }

    /// decode(encode(a)) = a: name, ActionID and headers in order, and nothing odd.
    #[test]
    fn an_encoded_action_decodes_to_itself(
        name in "[A-Za-z]{1,20}",
        headers in prop::collection::vec(("[A-Za-z(/) -]{0,12}", prop::collection::vec(any::<u8>(), 0..40)), 0..20),
        split in any::<prop::sample::Index>(),
    ) {
        let mut action = Action::named(&name).unwrap();
        let mut kept = Vec::new();
        for (name, value) in &headers {
            if let Ok(longer) = action.clone().with(name, value) {
                action = longer;
                kept.push((name.as_bytes(), value.as_slice()));
            }
        }
        let id = ActionId::checked("id-1").unwrap();
        let mut wire = Vec::new();
        action.encode(&id, &mut wire);
        let (head, tail) = wire.split_at(split.index(wire.len()));
        let run = run(Decoder::server(Limits::default()), [head, tail].into_iter());
        prop_assert_eq!(run.frames.len(), 1);
        let frame = run.frames[0].as_frame();
        prop_assert_eq!(frame.bytes(), &wire[..]);
        prop_assert_eq!(frame.anomalies(), &[]);
        prop_assert_eq!(frame.kind(), FrameKind::Action);
        let mut expected = vec![(&b"Action"[..], name.as_bytes()), (b"ActionID", id.as_bytes())];
        expected.extend(kept);
        let found: Vec<_> = frame.headers().map(|header| (header.name, header.value)).collect();
        prop_assert_eq!(found, expected);
    }
}
