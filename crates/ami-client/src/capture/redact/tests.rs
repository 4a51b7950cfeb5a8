//! What is taken out and what stays, however it comes.

use ami_proto::session::Secret;
use proptest::prelude::{prop_assert, prop_assert_eq, prop_oneof, proptest};
use proptest::sample::Index;
use proptest::strategy::{Just, Strategy};

use super::{Redactor, Secrets, Side};

const ACCOUNT: &str = "hunter2-abc";

fn redacted<'b>(side: Side, chunks: impl Iterator<Item = &'b [u8]>) -> String {
    let mut secrets = Secrets::of(&[Secret::new(ACCOUNT)]);
    let mut redactor = Redactor::new(side);
    let mut out = Vec::new();
    for chunk in chunks {
        out.extend(redactor.redact(chunk, &mut secrets));
    }
    out.extend(redactor.finish(&mut secrets));
    String::from_utf8(out).unwrap()
}

fn check(side: Side, text: &str, expected: &str) {
    assert_eq!(redacted(side, [text.as_bytes()].into_iter()), expected);
}

#[test]
fn a_header_is_taken_by_its_name() {
    for (text, expected) in [
        ("Secret: a b\"c\r\nX: 1\r\n", "Secret: <secret>\r\nX: 1\r\n"),
        ("sEcReT:abc\n", "sEcReT:<secret>\n"),
        ("Secret: \r\n", "Secret: \r\n"),
        ("Key: 0f0f\r\n", "Key: <secret>\r\n"),
        ("Password: a\rb\r\n", "Password: <secret>\r\r\n"),
        ("ExpectedResponse: 0f\r\n", "ExpectedResponse: <secret>\r\n"),
        (
            "Authorization: Digest username=\"a\"\r\n",
            "Authorization: <secret>\r\n",
        ),
    ] {
        check(Side::Client, text, expected);
    }
}

#[test]
fn values_within_a_line_are_taken_by_their_name() {
    for (text, expected) in [
        (
            "Line-000001-000002: secret=abc\r\n",
            "Line-000001-000002: secret=<secret>\r\n",
        ),
        (
            "Output:  password             : abc\r\n",
            "Output:  password             : <secret>\r\n",
        ),
        (
            "JSON: {\"secret\":\"a\\\"b\",\"x\":\"y\"}\r\n",
            "JSON: {\"secret\":\"<secret>\",\"x\":\"y\"}\r\n",
        ),
        (
            "JSON: {\"secret\": \"\"}\r\n",
            "JSON: {\"secret\": \"\"}\r\n",
        ),
        (
            "GET /raw?action=login&secret=abc&x=1 HTTP/1.1\r\n",
            "GET /raw?action=login&secret=<secret>&x=1 HTTP/1.1\r\n",
        ),
        (
            "GET /raw?secret=abc HTTP/1.1\r\n",
            "GET /raw?secret=<secret> HTTP/1.1\r\n",
        ),
        (
            "Cookie: mansession_id=\"0a0b\"; x\r\n",
            "Cookie: mansession_id=\"<secret>\"; x\r\n",
        ),
        (
            "Var-000000: secret\r\nValue-000000: abc\r\nValue-000001: d\r\n",
            "Var-000000: secret\r\nValue-000000: <secret>\r\nValue-000001: d\r\n",
        ),
    ] {
        check(Side::Client, text, expected);
    }
}

#[test]
fn what_only_looks_alike_stays() {
    for text in [
        "SecretExist: Y\r\n",
        "UsingPassword: 0\r\n",
        "Family: a\r\nKey: b\r\n",
        "Message: no secret here\r\n",
        "Response: Success\r\nChallenge: 123\r\n\r\nResponse: Success\r\n",
        "Var-000000: nat\r\nValue-000000: yes\r\n",
    ] {
        check(Side::Client, text, text);
    }
    check(
        Side::Server,
        "Key: /cidname/123\r\n",
        "Key: /cidname/123\r\n",
    );
}

#[test]
fn a_digest_is_taken_where_a_challenge_was() {
    check(
        Side::Server,
        "Challenge: 12\r\nResponse: 0f0f\r\n\r\nResponse: Error\r\n",
        "Challenge: 12\r\nResponse: <secret>\r\n\r\nResponse: Error\r\n",
    );
}

#[test]
fn a_secret_is_taken_by_its_value_and_is_learnt_from_its_use() {
    check(
        Side::Server,
        "Output: hunter2-abc\r\n",
        "Output: <secret>\r\n",
    );
    check(Side::Server, "hunter2-ab", "hunter2-ab");
    check(
        Side::Client,
        "Secret: app-secret\r\nX: app-secret\r\nY: app-secrex\r\n",
        "Secret: <secret>\r\nX: <secret>\r\nY: app-secrex\r\n",
    );
}

#[test]
fn the_longer_of_two_secrets_is_taken() {
    let mut secrets = Secrets::of(&[Secret::new("abcd"), Secret::new("abcdef")]);
    let mut redactor = Redactor::new(Side::Server);
    let mut out = redactor.redact(b"abcd", &mut secrets);
    out.extend(redactor.redact(b"ef abcdeX", &mut secrets));
    assert_eq!(out, b"<secret> <secret>eX");
}

/// Texts out of pieces that matter.
fn texts() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("Secret: "),
        Just("secret=\""),
        Just("&secret="),
        Just("Key: "),
        Just("Var-1: secret\r\n"),
        Just("Value-1: "),
        Just("Challenge: 1\r\n"),
        Just("Response: "),
        Just("hunter2-abc"),
        Just("hunter2"),
        Just("app-secret"),
        Just("\""),
        Just("\\"),
        Just("&"),
        Just(" "),
        Just("\r\n"),
        Just("\r"),
        Just("x")
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    /// Any cut of the bytes gives the same text, and none shows the secret.
    #[test]
    fn cuts_hide_no_secret(text in texts(), cuts in proptest::collection::vec(proptest::prelude::any::<Index>(), 0..6)) {
        for side in [Side::Client, Side::Server] {
            let whole = redacted(side, [text.as_bytes()].into_iter());
            let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
            ends.push(0);
            ends.push(text.len());
            ends.sort_unstable();
            let chunks = ends.windows(2).map(|ends| &text.as_bytes()[ends[0]..ends[1]]);
            let cut = redacted(side, chunks);
            prop_assert_eq!(&cut, &whole);
            prop_assert!(!cut.contains(ACCOUNT), "{}", cut);
        }
    }
}
