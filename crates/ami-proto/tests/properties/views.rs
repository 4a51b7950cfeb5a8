//! Properties of the strict views of a frame: its headers and the status and output of a response.

use ami_proto::message::Message;
use ami_proto::response::Status;
use ami_proto::{Decoder, Limits, OwnedFrame};
use proptest::prelude::*;

fn only_frame(mut decoder: Decoder, mut wire: &[u8]) -> OwnedFrame {
    let frame = decoder.decode(&mut wire).unwrap().to_owned();
    assert!(wire.is_empty(), "it is one frame");
    frame
}

/// As a server sends it behind its banner.
fn sent_by_a_server(message: &str) -> OwnedFrame {
    let mut decoder = Decoder::client(Limits::default());
    let mut banner = &b"Asterisk Call Manager/2.8.0\r\n"[..];
    decoder.decode(&mut banner).unwrap();
    only_frame(decoder, message.as_bytes())
}

fn without_line_feed(max: usize) -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![
        3 => any::<u8>().prop_filter("a line feed", |byte| *byte != b'\n'),
        1 => prop::sample::select(&b"\r :"[..]),
    ];
    prop::collection::vec(byte, 0..max)
}

fn name() -> impl Strategy<Value = Vec<u8>> {
    without_line_feed(12).prop_map(|mut name| {
        name.retain(|byte| *byte != b':');
        name
    })
}

/// Names of which many are the same but for case, or nearly.
fn alike() -> impl Strategy<Value = String> {
    prop_oneof!["[aAbB@`]{1,2}", "[kK\u{212a}]", "(?i)channel"]
}

/// Words of a status in any case, with letters that are the same only beyond ASCII, and others.
fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        "(?i)(success|error|goodbye|follows|pong|events on|events off)[ !]?",
        "[ a-zA-Z]{0,9}",
    ]
}

fn meaning(word: &str) -> Status<'_> {
    match word.to_ascii_lowercase().as_str() {
        "success" => Status::Success,
        "error" => Status::Error,
        "goodbye" => Status::Goodbye,
        "follows" => Status::Follows,
        "pong" => Status::Legacy(b"Pong"),
        "events on" => Status::Legacy(b"Events On"),
        "events off" => Status::Legacy(b"Events Off"),
        _ => Status::Unrecognised(word.as_bytes()),
    }
}

proptest! {
    /// headers(n1:v1 … nk:vk) = those, in order: of a value only its line end and one blank before it are taken away.
    #[test]
    fn headers_are_what_their_lines_were_made_of(
        headers in prop::collection::vec((name(), without_line_feed(90), prop::sample::select(vec!["\r\n", "\n"])), 1..9),
    ) {
        let mut wire = Vec::new();
        for (name, value, end) in &headers {
            wire.extend([name, &b": "[..], value, end.as_bytes()].concat());
        }
        wire.extend(b"\r\n");
        let frame = only_frame(Decoder::server(Limits::default()), &wire);
        let found = frame.as_frame().headers().map(|header| (header.name, header.value));
        let expected = headers.iter().map(|(name, value, end)| match *end {
            "\n" => (&name[..], value.strip_suffix(b"\r").unwrap_or(value)),
            _ => (&name[..], &value[..]),
        });
        prop_assert_eq!(found.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
    }

    /// get(n) is the first header whose name is n but for ASCII case, and get_all(n) all of them in order.
    #[test]
    fn a_name_is_found_in_any_case_and_no_other_is(
        names in prop::collection::vec(alike(), 1..9),
        wanted in alike(),
    ) {
        let lines: String = names.iter().enumerate().map(|(at, name)| format!("{name}: {at}\r\n")).collect();
        let frame = only_frame(Decoder::server(Limits::default()), format!("{lines}\r\n").as_bytes());
        let alike = (0..).zip(&names).filter(|(_, name)| name.eq_ignore_ascii_case(&wanted));
        let expected: Vec<String> = alike.map(|(at, _): (u32, _)| at.to_string()).collect();
        let found: Vec<_> = frame.as_frame().get_all(&wanted).collect();
        prop_assert_eq!(&found, &expected.iter().map(String::as_bytes).collect::<Vec<_>>());
        prop_assert_eq!(frame.as_frame().get(&wanted), found.first().copied());
    }

    /// A status is known in any case; every other word is kept as it came, and so is an ActionID, unless it is empty.
    #[test]
    fn a_status_is_one_that_is_known_or_what_stands_there(
        word in word(),
        id in "[!-~]{0,12}",
    ) {
        // Not first, where `Response: Follows` would open a text.
        let frame = sent_by_a_server(&format!("ActionID: {id}\r\nResponse: {word}\r\n\r\n"));
        let Message::Response(response) = frame.as_frame().message() else {
            return Err(TestCaseError::fail("it is a response"));
        };
        prop_assert_eq!(response.status(), meaning(&word));
        prop_assert_eq!(response.action_id(), Some(id.as_bytes()).filter(|id| !id.is_empty()));
    }

    /// Both ways to frame what Command prints give the same lines, also where the last does not end.
    #[test]
    fn the_output_of_a_command_is_its_lines_in_both_framings(
        lines in prop::collection::vec("[ -9A-Za-z]{0,20}", 0..9),
        last in prop::option::of("[ -9A-Za-z]{1,20}"),
    ) {
        let old: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let old = old + last.as_deref().unwrap_or_default();
        let lines: Vec<String> = lines.into_iter().chain(last).collect();
        let new: String = lines.iter().map(|line| format!("Output: {line}\r\n")).collect();
        for wire in [
            format!("Response: Follows\r\nPrivilege: Command\r\n{old}--END COMMAND--\r\n\r\n"),
            format!("Response: Success\r\nMessage: Command output follows\r\n{new}\r\n"),
        ] {
            let frame = sent_by_a_server(&wire);
            let Message::Response(response) = frame.as_frame().message() else {
                return Err(TestCaseError::fail("it is a response"));
            };
            let found: Vec<_> = response.output().collect();
            prop_assert_eq!(found, lines.iter().map(String::as_bytes).collect::<Vec<_>>());
        }
    }
}
