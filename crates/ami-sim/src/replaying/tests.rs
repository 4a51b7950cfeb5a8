//! A short call, said again.

use std::time::Duration;

use ami_proto::transcript::Transcript;

use super::{Replaying, Silent};

const CALL: &str = r#"{"amibench_transcript":2,"target":"t"}
[0,0,"!","open"]
[0.1,0,"S","Asterisk Call Manager/5.0.1\r\n"]
[0.2,0,"C","Action: Login\r\nActionID: l\r\nUsername: qa\r\nSecret: ****\r\n\r\n"]
[0.3,0,"S","Response: Success\r\nActionID: l\r\nMessage: Authentication accepted\r\n\r\n"]
[1.0,0,"C","Action: Originate\r\nActionID: o\r\nChannel: Local/1@a\r\n\r\n"]
[1.1,0,"S","Response: Success\r\nActionID: o\r\n\r\nEvent: Newchannel\r\nChannel: Local/1@a-01;1\r\nUniqueid: 17.5\r\n\r\n"]
[1.2,0,"C","Action: Ping\r\n\r\n"]
[1.3,0,"S","Response: Success\r\nPing: Pong\r\n\r\nEvent: Hangup\r\nUniqueid: 17.5\r\nLinkedid: 17.51\r\n\r\n"]
[1.4,0,"C","Action: Nix\r\nActionID: n\r\n\r\n"]
[1.5,0,"S","Response: Error\r\nActionID: n\r\nMessage: Invalid/unknown command: Nix.\r\n\r\n"]
[1.5,0,"C","Action: Hangup\r\nChannel: 17.5\r\n\r\n"]
[1.55,0,"S","Response: Success\r\nMessage: Channel Hungup\r\n\r\n"]
[1.6,0,"C","Action: Logoff\r\n\r\n"]
[1.7,0,"S","Response: Goodbye\r\n\r\n"]
[1.8,0,"!","fin"]
"#;

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

struct Talk {
    pbx: Replaying,
    key: u32,
    now: Duration,
}

impl Talk {
    fn begin() -> Self {
        let transcript = Transcript::parse(CALL).unwrap();
        let mut pbx = Replaying::of(&transcript.entries).unwrap();
        let key = pbx.accept(Duration::ZERO);
        let mut talk = Self {
            pbx,
            key,
            now: Duration::ZERO,
        };
        assert_eq!(talk.hear(0.1), "Asterisk Call Manager/5.0.1\r\n");
        talk
    }

    /// All that is said until then.
    fn hear(&mut self, more: f64) -> String {
        self.now += seconds(more);
        let bytes = self.pbx.poll_output(self.now, self.key);
        String::from_utf8(bytes.unwrap_or_default()).unwrap()
    }

    fn ask(&mut self, request: &str) -> String {
        let request = request.replace('\n', "\r\n");
        self.pbx
            .handle_input(self.now, self.key, request.as_bytes());
        self.hear(0.1)
    }
}

#[test]
fn the_same_request_has_the_same_answer_and_what_followed() {
    let mut talk = Talk::begin();
    let login = talk.ask("Action: login\nUsername: other\nSecret: any\nActionID: 1\n\n");
    assert_eq!(
        login,
        "Response: Success\r\nActionID: 1\r\nMessage: Authentication accepted\r\n\r\n"
    );
    let call = talk.ask("Action: Originate\nChannel: Local/1@a\nChannelId: mine\nActionID: 2\n\n");
    assert_eq!(
        call,
        "Response: Success\r\nActionID: 2\r\n\r\nEvent: Newchannel\r\nChannel: Local/1@a-01;1\r\nUniqueid: mine\r\n\r\n"
    );
    let ping = "Response: Success\r\nActionID: 3\r\nPing: Pong\r\n\r\nEvent: Hangup\r\nUniqueid: mine\r\nLinkedid: 17.51\r\n\r\n";
    assert_eq!(
        talk.ask("Action: Ping\nActionID: 3\nCommandID: 4\n\n"),
        ping
    );
    assert_eq!(talk.ask("Action: Ping\nActionID: 3\n\n"), ping);
    let hangup = talk.ask("Action: Hangup\nChannel: mine\n\n");
    assert_eq!(
        hangup,
        "Response: Success\r\nMessage: Channel Hungup\r\n\r\n"
    );
    assert_eq!(talk.ask("Action: Logoff\n\n"), "Response: Goodbye\r\n\r\n");
    assert!(!talk.pbx.is_over(talk.now, talk.key));
    assert!(talk.pbx.is_over(talk.now + seconds(0.1), talk.key));
}

#[test]
fn what_is_not_recorded_is_refused() {
    let mut talk = Talk::begin();
    let check = |talk: &mut Talk, request: &str, message: &str| {
        let expected = format!("Response: Error\r\nActionID: 9\r\nMessage: {message}\r\n\r\n");
        assert_eq!(talk.ask(request), expected);
    };
    check(
        &mut talk,
        "Action: Status\nActionID: 9\n\n",
        "Invalid/unknown command: Nix.",
    );
    check(
        &mut talk,
        "Action: Originate\nChannel: Local/2@a\nActionID: 9\n\n",
        "Not in the recording: Originate with these headers",
    );
    assert_eq!(Replaying::of(&[]).unwrap_err(), Silent);
}

#[test]
fn what_followed_comes_after_the_same_time() {
    let mut talk = Talk::begin();
    let ping = b"Action: Ping\r\n\r\n";
    talk.pbx.handle_input(talk.now, talk.key, ping);
    assert_eq!(talk.pbx.poll_output(talk.now, talk.key), None);
    assert_eq!(
        talk.pbx.poll_timeout(talk.key),
        Some(talk.now + seconds(0.1))
    );
}

#[test]
fn a_faster_client_hears_what_stands_before_its_request_first() {
    let mut talk = Talk::begin();
    let both = b"Action: Originate\r\nChannel: Local/1@a\r\n\r\nAction: Ping\r\n\r\n";
    talk.pbx.handle_input(talk.now, talk.key, both);
    let said = talk.hear(0.1);
    let place = |what: &str| said.find(what).unwrap();
    assert!(place("Newchannel") < place("Pong"), "{said}");
}

#[test]
fn a_call_that_is_asked_for_again_has_the_id_of_its_own_request() {
    let mut talk = Talk::begin();
    for id in ["one", "two"] {
        let call = talk.ask(&format!(
            "Action: Originate\nChannel: Local/1@a\nChannelId: {id}\nActionID: 2\n\n"
        ));
        assert!(call.contains(&format!("Uniqueid: {id}\r\n")), "{call}");
    }
    for id in ["one", "two"] {
        let hangup = talk.ask(&format!("Action: Hangup\nChannel: {id}\n\n"));
        assert!(hangup.contains("Channel Hungup"), "{id}: {hangup}");
    }
}

#[test]
fn a_recording_that_ends_in_a_message_does_so_again() {
    let cut = CALL.replace(r"Goodbye\r\n\r\n", r"Goodbye\r\n\r\nEvent: Shut");
    let transcript = Transcript::parse(&cut).unwrap();
    let mut pbx = Replaying::of(&transcript.entries).unwrap();
    let key = pbx.accept(Duration::ZERO);
    pbx.handle_input(seconds(1.0), key, b"Action: Logoff\r\n\r\n");
    assert!(!pbx.is_over(seconds(1.1), key));
    let said = pbx.poll_output(seconds(2.0), key).unwrap();
    assert!(said.ends_with(b"Goodbye\r\n\r\nEvent: Shut"));
    assert!(pbx.is_over(seconds(2.0), key));
}
