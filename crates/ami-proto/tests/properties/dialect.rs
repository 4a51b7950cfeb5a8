//! Properties of what is concluded from a banner, and from all that was seen of a PBX.

use ami_proto::dialect::Dialect;
use ami_proto::dialect::recognition::Recognition;
use ami_proto::message::Message;
use ami_proto::session::Answer;
use ami_proto::{Decoder, Limits};
use proptest::prelude::*;

fn dialect_of(banner: &str) -> Dialect {
    let mut decoder = Decoder::client(Limits::default());
    let line = format!("{banner}\r\n");
    let frame = decoder.decode(&mut line.as_bytes()).unwrap();
    match frame.message() {
        Message::Banner(banner) => Dialect::of_banner(&banner),
        other => panic!("{other:?} is no banner"),
    }
}

/// Around what versions bring: 2.2 and 4.0.
fn number() -> impl Strategy<Value = u16> {
    prop_oneof![4 => 0..6_u16, 1 => any::<u16>()]
}

/// What PBXs of several makes and ages say; only one of it is CoreSettings, of which the last would stand.
const SAID: [&str; 10] = [
    "Response: Success\r\nAMIversion: 5.0.4\r\nAsteriskVersion: 16.30.0\r\n\r\n",
    "Response: Success\r\nMessage: Command output follows\r\nOutput: a\r\n\r\n",
    "Response: Follows\r\nPrivilege: Command\r\na\n--END COMMAND--\r\n\r\n",
    "Response: Follows\r\nPrivilege: Command\r\na\nb\r\n--END COMMAND--\r\n\r\n",
    "Response: Success\r\nGSAgents:  (Priv: agent,all)\r\n\r\n",
    "Event: Newstate\r\nContext: from-internal\r\n\r\n",
    "Event: Newstate\r\nContext: DLPN_DialPlan1\r\n\r\n",
    "Event: SIPRinging\r\n\r\n",
    "Event: X\r\nPageFlag: true\r\n\r\n",
    "Event: UpdateSMSSend\r\n--END SMS EVENT--\r\n\r\n",
];
const BANNERS: [&str; 3] = [
    "Asterisk Call Manager/5.0.4",
    "Asterisk Call Manager/2.8.0",
    "PBX Call Manager/11.0.0",
];

fn conclusions(said: &[&str]) -> (Option<String>, Vec<String>, Vec<String>) {
    let mut recognition = Recognition::default();
    for said in said {
        if BANNERS.contains(said) {
            recognition.greeted(said);
            continue;
        }
        let mut decoder = Decoder::client(Limits::default());
        let mut wire = said.as_bytes();
        while let Some(frame) = decoder.decode(&mut wire) {
            recognition.see(&frame);
        }
    }
    let (dialect, conflicts) = (recognition.dialect(), recognition.conflicts());
    (dialect, recognition.reasons(), conflicts)
}

proptest! {
    /// version(banner) is what stands behind its last slash; what a version brings, it and all later ones have.
    #[test]
    fn a_banner_tells_its_version_and_what_that_brings(
        product in "[a-zA-Z/]{1,8}",
        (major, minor, patch) in (number(), number(), number()),
    ) {
        let dialect = dialect_of(&format!("{product} Call Manager/{major}.{minor}.{patch}"));
        let found = dialect.version().map(|version| (version.major, version.minor, version.patch));
        prop_assert_eq!(found, Some((major, minor, patch)));
        prop_assert_eq!(dialect.accepts_channel_id(), (major, minor) >= (2, 2));
        let is_raw = dialect.answer_to("Queues") == Answer::Raw;
        prop_assert_eq!(is_raw, major < 4);
    }

    /// What is no number behind the last slash is no version, and without one nothing is taken for granted.
    #[test]
    fn a_stranger_has_no_version(banner in "[0-9./a]{1,12}") {
        let dialect = dialect_of(&banner);
        let behind = banner.rsplit_once('/').map(|(_, behind)| behind);
        let is_number = |text: &str| text.starts_with(|c: char| c.is_ascii_digit()) && !text.contains('a');
        prop_assert!(dialect.version().is_none() || behind.is_some_and(is_number));
        prop_assert!(dialect.version().is_some() || !dialect.accepts_channel_id());
    }

    /// What was seen of a PBX counts, not in which order nor how often.
    #[test]
    fn a_pbx_is_recognised_by_what_was_seen_in_any_order(
        seen in prop::sample::subsequence([&SAID[..], &BANNERS].concat(), 0..=SAID.len() + BANNERS.len()),
        other in any::<prop::sample::Index>(),
        again in any::<prop::sample::Index>(),
    ) {
        let expected = conclusions(&seen);
        let mut turned = seen.clone();
        if !seen.is_empty() {
            turned.rotate_left(other.index(seen.len()));
            turned.push(*again.get(&seen));
        }
        turned.reverse();
        prop_assert_eq!(conclusions(&turned), expected);
    }
}
