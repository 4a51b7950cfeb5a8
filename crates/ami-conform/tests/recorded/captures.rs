//! Captures of packets from the real ones on loopback, see `captures/README.md`; and logs.

use ami_conform::import::{self, Content, Format, ImportError, LineEnds, Recording};
use ami_results::verdict::State;

use super::{judge, state};

fn capture(name: &str) -> Recording {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded/captures");
    super::read(&std::fs::read(folder.join(name)).unwrap())
}

fn sound(name: &str) {
    let recording = capture(name);
    assert_eq!(recording.format, Format::Packets);
    assert_eq!(recording.notes, Vec::<String>::new());
    assert_eq!(recording.sessions.len(), 1);
    let session = &recording.sessions[0];
    assert_eq!(
        (session.content, session.begun, session.missing),
        (Content::Ami, true, 0)
    );
    for one in judge(&recording) {
        let finding = &one.finding;
        assert_ne!(
            finding.state,
            State::Fail,
            "{}: {}",
            one.case.id,
            finding.got
        );
    }
    for case in [
        "banner.line.present",
        "action-id.echo.every-answer",
        "list.count.matches",
        "response.count.one-per-request",
        "framing.output.crlf",
    ] {
        assert_eq!(state(&recording, case), State::Pass, "{case}");
    }
}

#[test]
fn a_session_in_pcapng_on_ethernet() {
    sound("asterisk-16.pcapng");
}

#[test]
fn a_session_in_pcap_from_any() {
    sound("asterisk-22-any.pcap");
}

#[test]
fn what_is_encrypted_is_said_to_be_so() {
    let recording = capture("asterisk-22-tls.pcap");
    assert_eq!(recording.sessions[0].content, Content::Tls);
    assert!(recording.entries.is_empty());
}

const LOG: &str = "Trying 127.0.0.1...\nConnected.\nAsterisk Call Manager/5.0.1\nAction: Ping\nActionID: 7\n\nResponse: Success\n\
                   ActionID: 7\nPing: Pong\n\nEvent: FullyBooted\nPrivilege: system,all\n\n";

#[test]
fn a_log_shows_no_line_ends() {
    let recording = super::read(LOG.as_bytes());
    assert_eq!(
        (recording.format, recording.line_ends),
        (Format::TextLog, LineEnds::Lost)
    );
    for case in [
        "framing.output.crlf",
        "framing.output.whole",
        "banner.line.crlf",
    ] {
        assert_eq!(state(&recording, case), State::NotApplicable, "{case}");
    }
    for case in [
        "banner.line.present",
        "action-id.echo.every-answer",
        "event.shape.privilege",
    ] {
        assert_eq!(state(&recording, case), State::Pass, "{case}");
    }
    let wrong = LOG.replace("ActionID: 7\nPing", "ActionID: 8\nPing");
    let recording = super::read(wrong.as_bytes());
    assert_eq!(
        state(&recording, "action-id.echo.every-answer"),
        State::Fail
    );
}

#[test]
fn a_log_of_the_pbx_alone_says_nothing_about_requests() {
    let log = "Response: Success\nActionID: 7\nPing: Pong\n\n";
    let recording = super::read(log.as_bytes());
    for case in [
        "action-id.echo.every-answer",
        "response.count.one-per-request",
        "banner.line.present",
    ] {
        assert_eq!(state(&recording, case), State::Inconclusive, "{case}");
    }
}

#[test]
fn other_files_are_told_apart() {
    let error = |bytes: &[u8]| import::read(bytes, None).unwrap_err();
    assert!(matches!(error(b"hello\n"), ImportError::Unknown));
    assert!(matches!(
        error(b"\x1f\x8b\x08"),
        ImportError::Packed("gzip")
    ));
    assert!(matches!(
        error(b"\x16\x03\x01\x00"),
        ImportError::Ciphertext
    ));
    let bad = error(b"{\"amibench_transcript\":2,\"target\":\"t\"}\n[0,0,\"S\",\"\xff\"]\n");
    assert!(
        matches!(
            bad,
            ImportError::Utf8 {
                line: 2,
                column: 11
            }
        ),
        "{bad:?}"
    );
    assert!(import::read(&b" \n"[..], None).unwrap().entries.is_empty());
}
