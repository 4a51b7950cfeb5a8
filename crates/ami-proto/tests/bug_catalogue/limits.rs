//! Over a limit a message is cut or flagged, memory stays bounded, and the stream goes on in step.

use ami_proto::{Anomaly, Decoder, FrameKind, Limits};

const LIMITS: Limits = Limits {
    line_max: 100,
    frame_max: 2048,
    headers_max: 16,
};

/// What is left of a frame when only its size matters.
#[derive(Debug, PartialEq, Eq)]
struct Size {
    kind: FrameKind,
    offset: u64,
    len: usize,
    lines: usize,
    anomalies: Vec<Anomaly>,
}

fn sizes(wire: &[u8], read_len: usize) -> Vec<Size> {
    let mut decoder = Decoder::client(LIMITS);
    let mut sizes = Vec::new();
    for mut read in wire.chunks(read_len) {
        while let Some(frame) = decoder.decode(&mut read) {
            sizes.push(Size {
                kind: frame.kind(),
                offset: frame.offset(),
                len: frame.bytes().len(),
                lines: frame.lines().count(),
                anomalies: frame.anomalies().to_vec(),
            });
        }
        assert!(decoder.pending().len() <= LIMITS.frame_max);
    }
    assert_eq!(decoder.finish(), None);
    sizes
}

/// Between a banner and a message that shows that the stream is in step.
fn check(message: &str, expected: Size) {
    let banner = "Asterisk Call Manager/11.0.0\r\n";
    let next = "Event: Next\r\n\r\n";
    let wire = format!("{banner}{message}{next}");
    for read_len in [wire.len(), 1460, 7, 1] {
        let sizes = sizes(wire.as_bytes(), read_len);
        assert_eq!(sizes.len(), 3, "{sizes:?}");
        assert_eq!(sizes[1], expected, "reads of {read_len}");
        let in_step = Size {
            kind: FrameKind::Event,
            offset: (banner.len() + message.len()) as u64,
            len: next.len(),
            lines: 1,
            anomalies: vec![],
        };
        assert_eq!(sizes[2], in_step, "reads of {read_len}");
    }
}

const OFFSET: u64 = "Asterisk Call Manager/11.0.0\r\n".len() as u64;

#[test]
fn w16_a_long_line_is_flagged_and_kept() {
    let message = format!("Event: X\r\nA: {}\r\nB: 1\r\n\r\n", "a".repeat(200));
    let anomalies = vec![Anomaly::LineTooLong { line: 2 }];
    let len = message.len();
    check(
        &message,
        Size {
            kind: FrameKind::Event,
            offset: OFFSET,
            len,
            lines: 3,
            anomalies,
        },
    );
}

#[test]
fn w15_w16_surplus_headers_stay_in_the_bytes() {
    let message = format!("Event: X\r\n{}\r\n", "A: 1\r\n".repeat(20));
    let anomalies = vec![Anomaly::TooManyHeaders { dropped: 5 }];
    let len = message.len();
    check(
        &message,
        Size {
            kind: FrameKind::Event,
            offset: OFFSET,
            len,
            lines: 16,
            anomalies,
        },
    );
}

#[test]
fn w16_a_message_of_exactly_the_limit_is_whole_and_one_byte_more_is_cut() {
    let whole = |len: usize| {
        let mut message = "Event: X\r\n".to_owned();
        while message.len() + 90 < len {
            message = message + "A: " + &"a".repeat(70) + "\r\n";
        }
        let rest = len - message.len() - "A: \r\n\r\n".len();
        message + &format!("A: {}\r\n\r\n", "a".repeat(rest))
    };
    let limit = Limits {
        headers_max: 100,
        ..LIMITS
    }
    .frame_max;
    for (len, dropped) in [
        (limit, None),
        (limit + 1, Some(1)),
        (limit + 500, Some(500)),
    ] {
        let message = whole(len);
        assert_eq!(message.len(), len);
        let banner = b"Asterisk Call Manager/11.0.0\r\n";
        let wire = [&banner[..], message.as_bytes()].concat();
        for read_len in [wire.len(), 1460, 7] {
            let frame = &sizes(&wire, read_len)[1];
            assert_eq!(frame.len, len.min(limit));
            let is_cut = |anomaly: &&Anomaly| matches!(anomaly, Anomaly::FrameTooLong { .. });
            let cut = dropped.map(|dropped| Anomaly::FrameTooLong { dropped });
            assert_eq!(frame.anomalies.iter().find(is_cut).copied(), cut);
        }
    }
}

#[test]
fn w16_one_endless_line_is_cut_and_its_frame_is_unclassified() {
    let message = format!("{}\r\nEvent: inside\r\n\r\n", "x".repeat(10_000));
    let anomalies = vec![Anomaly::FrameTooLong {
        dropped: message.len() as u64 - 2048,
    }];
    let kind = FrameKind::Unclassified;
    check(
        &message,
        Size {
            kind,
            offset: OFFSET,
            len: 2048,
            lines: 0,
            anomalies,
        },
    );
}

#[test]
fn w17_command_text_without_its_marker_costs_the_limit_and_no_more() {
    let message = format!("Response: Follows\r\n{}\r\n", "text\n".repeat(1000));
    let anomalies = vec![Anomaly::FrameTooLong {
        dropped: message.len() as u64 - 2048,
    }];
    let kind = FrameKind::Response;
    check(
        &message,
        Size {
            kind,
            offset: OFFSET,
            len: 2048,
            lines: 1,
            anomalies,
        },
    );
}

#[test]
fn w05_endless_empty_lines_are_bounded() {
    let wire = format!(
        "Asterisk Call Manager/11.0.0\r\n{}Event: X\r\n\r\n",
        "\r\n".repeat(5000)
    );
    for read_len in [wire.len(), 1460, 7] {
        let sizes = sizes(wire.as_bytes(), read_len);
        assert!(sizes.iter().all(|size| size.len <= LIMITS.frame_max));
        assert_eq!(
            sizes.last().map(|size| (size.kind, size.lines)),
            Some((FrameKind::Event, 1))
        );
    }
}

#[test]
fn s10_an_endless_first_line_is_given_up_at_a_kilobyte() {
    let mut decoder = Decoder::client(Limits::default());
    let mut read = &[b'x'; 5000][..];
    let frame = decoder
        .decode(&mut read)
        .expect("no line end is waited for");
    assert_eq!(
        (frame.kind(), frame.bytes().len()),
        (FrameKind::Banner, 1024)
    );
}

/// The limit is that of its line, wherever that begins.
#[test]
fn s10_empty_lines_before_a_greeting_do_not_make_it_long() {
    let wire = format!("{}M/1\r\n", "\r\n".repeat(1000));
    let mut decoder = Decoder::client(Limits::default());
    let mut read = wire.as_bytes();
    let frame = decoder.decode(&mut read).expect("it is a greeting");
    let anomalies = [Anomaly::ExtraBlankLines { lines: 1000 }];
    assert_eq!(frame.anomalies(), anomalies);
    assert_eq!(frame.lines().collect::<Vec<_>>(), [b"M/1"]);
}

#[test]
fn w16_a_line_and_a_list_of_headers_of_exactly_the_limit_are_whole() {
    // The limit counts what stands before the line feed.
    let line = format!("A: {}\r\n", "a".repeat(LIMITS.line_max - "A: \r".len()));
    for (message, lines, anomalies) in [
        (format!("Event: X\r\n{line}\r\n"), 2, vec![]),
        (
            format!("Event: X\r\nA{line}\r\n"),
            2,
            vec![Anomaly::LineTooLong { line: 2 }],
        ),
        (
            format!("Event: X\r\n{}\r\n", "A: 1\r\n".repeat(15)),
            16,
            vec![],
        ),
    ] {
        let size = Size {
            kind: FrameKind::Event,
            offset: OFFSET,
            len: message.len(),
            lines,
            anomalies,
        };
        check(&message, size);
    }
}

/// Lines that are read one by one have the limit of those that are read by blocks.
#[test]
fn w16_the_limit_of_a_line_holds_for_a_banner_and_before_command_text() {
    for over in [0, 1] {
        let of_length = |start: &str, end: &str| {
            let fill = LIMITS.line_max + over - start.len() - end.len() - 1;
            format!("{start}{}{end}\r\n", "a".repeat(fill))
        };
        let wire = [
            of_length("Asterisk ", "/11.0.0"),
            "Response: Follows\r\n".to_owned(),
            of_length("ActionID: ", ""),
            "text\n--END COMMAND--\r\n\r\n".to_owned(),
        ];
        let sizes = sizes(wire.concat().as_bytes(), 7);
        let too_long = |line| vec![Anomaly::LineTooLong { line }; over];
        assert_eq!(sizes[0].anomalies, too_long(1));
        assert_eq!(sizes[1].anomalies, too_long(2));
    }
}

/// What is kept of it and what is not are both a part of what was torn, be it nothing but empty lines.
#[test]
fn s03_a_message_that_is_too_long_and_does_not_end_is_torn() {
    for line in ["\r\n", "Event: X\r\n"] {
        let banner = "M/1\r\n";
        let lines = line.repeat(LIMITS.frame_max / line.len());
        let rest = LIMITS.frame_max - lines.len();
        let wire = format!("{banner}{lines}{}text", "x".repeat(rest));
        for read_len in [wire.len(), 7] {
            let mut decoder = Decoder::client(LIMITS);
            for mut read in wire.as_bytes().chunks(read_len) {
                while decoder.decode(&mut read).is_some() {}
            }
            assert_eq!(decoder.pending().len(), LIMITS.frame_max);
            let bytes = (wire.len() - banner.len()) as u64;
            assert_eq!(decoder.finish(), Some(Anomaly::TornFrame { bytes }));
        }
    }
}

#[test]
fn w16_the_limit_holds_wherever_a_message_that_is_too_long_is_cut() {
    let limits = Limits {
        frame_max: 100,
        ..LIMITS
    };
    let wire = format!("Action: {}\r\n\r\n", "x".repeat(200));
    for cut in 1..limits.frame_max {
        let mut decoder = Decoder::server(limits);
        let (mut head, mut tail) = wire.as_bytes().split_at(cut);
        assert!(decoder.decode(&mut head).is_none());
        let frame = decoder.decode(&mut tail).expect("the empty line ends it");
        assert_eq!(frame.bytes().len(), limits.frame_max, "cut at {cut}");
    }
}
