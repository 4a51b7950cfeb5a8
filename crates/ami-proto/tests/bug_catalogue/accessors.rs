//! What the strict views make of the catalogue's messages.

use ami_proto::event::Event;
use ami_proto::message::Message;
use ami_proto::response::{Response, Status};
use ami_proto::transcript::Provenance;
use ami_proto::{Action, ActionId, Decoder, Frame, Limits};

fn with_frame(wire: &[u8], look: impl FnOnce(Frame<'_>)) {
    let mut decoder = Decoder::client(Limits::default());
    let mut banner = &b"Asterisk Call Manager/11.0.0\r\n"[..];
    assert!(decoder.decode(&mut banner).is_some());
    let mut input = wire;
    look(decoder.decode(&mut input).expect("the wire is one frame"));
}

fn with_event(wire: &str, look: impl FnOnce(Event<'_>)) {
    with_frame(wire.as_bytes(), |frame| match frame.message() {
        Message::Event(event) => look(event),
        _ => panic!("not an event: {frame:?}"),
    });
}

fn with_response(wire: &str, look: impl FnOnce(Response<'_>)) {
    with_frame(wire.as_bytes(), |frame| match frame.message() {
        Message::Response(response) => look(response),
        _ => panic!("not a response: {frame:?}"),
    });
}

fn check_output(wire: &str, expected: &[&str], status: Status<'_>) {
    with_response(wire, |response| {
        let output: Vec<_> = response.output().map(String::from_utf8_lossy).collect();
        assert_eq!(output, expected);
        assert_eq!(response.status(), status);
    });
}

#[test]
fn w17_w18_output_of_raw_text_is_its_lines() {
    let body = |text: &str| {
        format!("Response: Follows\r\nPrivilege: Command\r\n{text}--END COMMAND--\r\n\r\n")
    };
    check_output(
        &body("a: b\n\r\n  c\n"),
        &["a: b", "", "  c"],
        Status::Follows,
    );
    check_output(
        &body("No such command "),
        &["No such command "],
        Status::Follows,
    );
    check_output(&body(""), &[], Status::Follows);
}

#[test]
fn w29_a_failed_command_is_an_error_with_output() {
    let wire = "Response: Error\r\nMessage: Command output follows\r\nOutput: No such\r\n\r\n";
    check_output(wire, &["No such"], Status::Error);
}

#[test]
fn w30_empty_output_lines_are_lines() {
    let wire = "Response: Success\r\nOutput: a\r\nOutput: \r\nOutput:\r\noutput: b\r\n\r\n";
    check_output(wire, &["a", "", "", "b"], Status::Success);
}

#[test]
fn w08_text_is_lossy_and_bytes_are_not() {
    with_frame(b"Event: UserEvent\r\nLat1: caf\xe9!\r\n\r\n", |frame| {
        assert_eq!(frame.get("Lat1"), Some(&b"caf\xe9!"[..]));
        assert_eq!(frame.text("lat1").as_deref(), Some("caf\u{fffd}!"));
        assert!(!frame.is_utf8());
    });
}

#[test]
fn w02_one_space_after_the_colon_is_stripped_and_nothing_else() {
    let wire = b"Event: X\r\nA:\r\nB:b\r\nC:  c \r\nD:\td\r\nE: \r\r\nF: f\n\r\n";
    with_frame(wire, |frame| {
        let values: Vec<_> = frame
            .headers()
            .map(|header| header.value.escape_ascii().to_string())
            .collect();
        assert_eq!(values, ["X", "", "b", " c ", "\\td", "\\r", "f"]);
    });
}

#[test]
fn w06_headers_leave_out_lines_without_a_colon_and_a_name_is_never_such_a_line() {
    with_frame(b"Event: X\r\nReason\nReason: 1\r\n\r\n", |frame| {
        assert_eq!(frame.headers().count(), 2);
        assert_eq!(frame.lines().count(), 3);
        assert_eq!(frame.get("Reason"), Some(&b"1"[..]));
    });
}

#[test]
fn w07_w13_lookup_is_by_whole_name_in_any_case_and_the_first_wins() {
    with_frame(
        b"Event: Status\r\nVariables: 0\r\nVARIABLE: A=1\r\nvariable: B=2\r\n\r\n",
        |frame| {
            assert_eq!(frame.get("Variable"), Some(&b"A=1"[..]));
            assert_eq!(
                frame.get_all("Variable").collect::<Vec<_>>(),
                [b"A=1", b"B=2"]
            );
            assert_eq!(frame.get("Variabl"), None);
            assert_eq!(frame.get("toString"), None);
            assert_eq!(frame.get(""), None);
        },
    );
}

#[test]
fn d04_an_action_id_may_be_the_last_header() {
    with_event(
        "Event: DBGetResponse\r\nVal: v\r\nActionID: d2\r\n\r\n",
        |event| {
            assert_eq!(event.action_id(), Some(&b"d2"[..]));
            assert!(event.is("dbgetresponse"));
            assert!(!event.is("DBGet"));
        },
    );
}

#[test]
fn d10_the_first_of_two_is_picked() {
    with_frame(
        b"Event: Status\r\nChannelState: 6\r\nChannelState: 7\r\n\r\n",
        |frame| {
            assert_eq!(frame.get("ChannelState"), Some(&b"6"[..]));
        },
    );
}

#[test]
fn an_owned_frame_is_the_frame() {
    let wire = b"\r\nEvent: X\nA: 1\r\nno colon\r\n\r\n";
    with_frame(wire, |frame| {
        let owned = frame.to_owned();
        let again = owned.as_frame();
        assert_eq!(again.bytes(), wire);
        assert_eq!(again.offset(), frame.offset());
        assert_eq!(again.anomalies(), frame.anomalies());
        assert_eq!(again.anomalies().len(), 3);
        assert!(again.headers().eq(frame.headers()));
        assert!(again.lines().eq(frame.lines()));
        assert_eq!(again.kind(), frame.kind());
    });
}

#[test]
fn an_event_says_who_may_see_it_and_where_in_a_list_it_stands() {
    let last = "Event: Done\r\nPrivilege: call,all\r\nEventList: Complete\r\nListItems: 12\r\n\r\n";
    with_event(last, |event| {
        assert_eq!(event.name(), b"Done");
        assert_eq!(event.privilege().as_deref(), Some("call,all"));
        assert_eq!(event.frame().get("ListItems"), Some(&b"12"[..]));
        assert_eq!((event.closes_list(), event.list_items()), (true, Some(12)));
    });
    with_event(
        "Event: X\r\nEventList: cancelled\r\nListItems: many\r\n\r\n",
        |event| {
            assert_eq!(event.privilege(), None);
            assert_eq!((event.closes_list(), event.list_items()), (true, None));
        },
    );
    with_event("Event: X\r\nEventList: start\r\n\r\n", |event| {
        assert_eq!((event.closes_list(), event.action_id()), (false, None));
    });
}

#[test]
fn a_response_says_what_it_is_and_opens_a_list_or_not() {
    let wire =
        "Response: Success\r\nActionID: \r\nEventList: start\r\nMessage: list follows\r\n\r\n";
    with_response(wire, |response| {
        assert_eq!(response.message().as_deref(), Some("list follows"));
        assert_eq!((response.opens_list(), response.action_id()), (true, None));
        assert_eq!(response.output().count(), 0);
    });
    with_response("Response: Maybe\r\nActionID: 7\r\n\r\n", |response| {
        assert_eq!(response.status(), Status::Unrecognised(b"Maybe"));
        assert_eq!((response.opens_list(), response.message()), (false, None));
        assert_eq!(response.action_id(), Some(&b"7"[..]));
    });
}

#[test]
fn names_and_values_are_shown_as_text() {
    with_frame(b"Event: X\r\nName: v\xe9\r\n\r\n", |frame| {
        let header = frame.headers().nth(1).expect("it has two");
        assert_eq!(header.text(), "v\u{fffd}");
        assert!(header.is("NAME") && !header.is("Nam"));
        let shown = format!("{frame:?}");
        assert!(shown.contains(r"Name: v\\xe9\\r\\n"), "{shown}");
    });
    with_frame("Event: \u{e9}\r\n\r\n".as_bytes(), |frame| {
        assert!(frame.is_utf8())
    });
    let id = ActionId::checked("a-1").expect("it is short and printable");
    assert_eq!(
        (id.to_string(), format!("{id:?}")),
        ("a-1".to_owned(), "ActionId(a-1)".to_owned())
    );
    assert_eq!(Action::new("Ping").name(), "Ping");
    assert_eq!(
        format!("{:>13}|", Provenance::Reconstructed),
        "reconstructed|"
    );
    assert_eq!(format!("{:>9}|", Provenance::Captured), " captured|");
}

#[test]
fn s10_a_greeting_behind_empty_lines_may_have_a_colon() {
    let mut decoder = Decoder::client(Limits::default());
    let mut input = &b"\r\n\nHello: there/1.0\r\n"[..];
    let frame = decoder.decode(&mut input).expect("it is a greeting");
    let headers: Vec<_> = frame
        .headers()
        .map(|header| (header.name, header.value))
        .collect();
    assert_eq!(headers, [(&b"Hello"[..], &b"there/1.0"[..])]);
    assert_eq!(frame.lines().collect::<Vec<_>>(), [b"Hello: there/1.0"]);
}
