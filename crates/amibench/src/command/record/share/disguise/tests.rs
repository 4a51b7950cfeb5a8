//! What may be passed on, and what must not.

use ami_proto::transcript::{Entry, TranscriptHeader};
use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};
use std::time::Duration;

use super::*;

fn transcript(chunks: &[&str]) -> Transcript {
    let entry = |chunk: &&str| Entry {
        at: Duration::ZERO,
        conn: 0,
        what: What::Server(chunk.as_bytes().to_vec()),
    };
    Transcript {
        header: TranscriptHeader::captured("acme-hq", "2026-11-21"),
        entries: chunks.iter().map(entry).collect(),
    }
}

fn shared(chunks: &[&str]) -> Vec<String> {
    let shared = disguised(&transcript(chunks));
    let chunks = shared.server_chunks(0);
    chunks
        .map(|chunk| String::from_utf8(chunk.to_vec()).unwrap())
        .collect()
}

fn check(text: &str, expected: &str) {
    assert_eq!(shared(&[text]).concat(), expected);
}

#[test]
fn what_is_someones_gets_a_pseudonym_that_lasts() {
    check(
        "Channel: PJSIP/2001-0000002a\r\nCallerIDNum: 2001\r\nCallerIDName: Alice Smith\r\n\r\n",
        "Channel: PJSIP/number-a-0000002a\r\nCallerIDNum: number-a\r\nCallerIDName: name-a name-b\r\n\r\n",
    );
    check(
        "Contact: <sip:alice@10.0.0.7:5060>\r\nRemoteAddress: IPV4/TCP/10.0.0.7/5038\r\nHost: [fe80::1]\r\n",
        "Contact: <sip:name-a@address-a:number-a>\r\nRemoteAddress: IPV4/TCP/address-a/number-b\r\nHost: [address-b]\r\n",
    );
    check(
        "Message: No such queue as sales\r\nQueue: sales\r\n",
        "Message: No such queue as name-a\r\nQueue: name-a\r\n",
    );
}

#[test]
fn content_is_masked_and_its_key_stays() {
    for (text, expected) in [
        (
            "Line-000001-000002: exten=2001,1,Dial(x)\r\n",
            "Line-000001-000002: <masked>\r\n",
        ),
        ("Value: 2001\r\n", "Value: <masked>\r\n"),
        ("Variable: X=2001\r\n", "Variable: X=<masked>\r\n"),
        (
            "Command: core show version\r\n",
            "Command: core show version\r\n",
        ),
        (
            "Command: sip show peer alice\r\n",
            "Command: sip name-a name-b name-c\r\n",
        ),
        ("Output: Alice\r\n", "Output: <masked>\r\n"),
        (
            "Response: Follows\r\nPrivilege: Command\r\nName: Alice\n\n2001\n--END COMMAND--\r\n\r\nExten: 2001\r\n",
            "Response: Follows\r\nPrivilege: Command\r\n<masked>\n\n<masked>\n--END COMMAND--\r\n\r\nExten: number-a\r\n",
        ),
    ] {
        check(text, expected);
    }
}

#[test]
fn what_the_protocol_says_stays() {
    let text = "Asterisk Call Manager/11.0.0\r\nResponse: Success\r\nEventList: start\r\nMessage: Authentication accepted\r\n\r\nEvent: Hangup\r\nChannelState: 6\r\nUniqueid: 1795248981.12\r\nListItems: 123\r\nContext: default\r\nCallerIDName: <unknown>\r\nKey: <secret>\r\nStatus: Show the status of Alice  (Priv: system)\r\n\r\n";
    check(text, text);
}

#[test]
fn the_header_says_so_and_names_nobody() {
    let shared = disguised(&transcript(&[]));
    assert!(shared.header.shared);
    assert_eq!(shared.header.target, "target-a");
}

proptest! {
    /// As many chunks as before, with the same text as if it had come at once.
    #[test]
    fn cuts_stay(cut in 0..70_usize, again in 0..70_usize) {
        let text = "Exten: 2001\r\nCallerIDName: Bob\r\nMessage: Hello Bob\r\n\r\nValue: 20011\r\n\r\n";
        let (low, high) = (cut.min(again).min(text.len()), cut.max(again).min(text.len()));
        let chunks = [&text[..low], &text[low..high], &text[high..]];
        let parts = shared(&chunks);
        prop_assert_eq!(parts.len(), 3);
        prop_assert_eq!(parts.concat(), shared(&[text]).concat());
    }

    /// Whatever the header, a name or number in a value that we do not know is not passed on.
    #[test]
    fn an_unknown_header_is_disguised(name in "[A-Z][a-z]{3,9}Zq", value in "[b-z]{3}[0-9]{3}") {
        let text = format!("{name}: {value}\r\n");
        prop_assert!(!shared(&[&text]).concat().contains(&value));
    }

    /// Any bytes at all.
    #[test]
    fn nothing_breaks_it(bytes in any::<Vec<u8>>()) {
        let mut transcript = transcript(&[""]);
        transcript.entries[0].what = What::Server(bytes);
        disguised(&transcript);
    }
}
