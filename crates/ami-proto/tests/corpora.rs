//! Known answers: every captured transcript decodes, joins to the same bytes, classifies, and replays through a session.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use ami_proto::message::Message;
use ami_proto::session::{
    Answer, AnswerOutcome, Disposition, Done, LoginForm, Secret, Session, SessionConfig,
};
use ami_proto::transcript::{Mark, Transcript, What};
use ami_proto::{Action, Anomaly, Decoder, FrameKind, Limits, OwnedFrame};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../corpora/transcripts");

fn each_transcript(mut with: impl FnMut(&str, &Transcript)) {
    let mut count = 0;
    let mut folders = vec![PathBuf::from(ROOT)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path
                .strip_prefix(ROOT)
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned();
            let text = fs::read_to_string(&path).unwrap();
            let transcript = Transcript::parse(&text).unwrap_or_else(|e| panic!("{name}: {e}"));
            with(&name, &transcript);
            count += 1;
        }
    }
    assert!(count >= 13, "the corpus is there");
}

fn transcript(name: &str) -> Transcript {
    let path = format!("{ROOT}/asterisk-13.7.0/{name}.ami.jsonl");
    Transcript::parse(&fs::read_to_string(path).unwrap()).unwrap()
}

fn decode<'b>(mut decoder: Decoder, reads: impl Iterator<Item = &'b [u8]>) -> Vec<OwnedFrame> {
    let mut frames = Vec::new();
    for mut read in reads {
        while let Some(frame) = decoder.decode(&mut read) {
            frames.push(frame.to_owned());
        }
    }
    let rest = decoder.finish();
    assert!(
        matches!(rest, None | Some(Anomaly::ExtraBlankLines { .. })),
        "{rest:?}"
    );
    frames
}

fn joined(frames: &[OwnedFrame]) -> Vec<u8> {
    frames
        .iter()
        .flat_map(|frame| frame.as_frame().bytes().to_vec())
        .collect()
}

/// The reads as captured, the whole at once, and reads of one byte.
#[test]
fn every_transcript_decodes_to_the_same_frames_and_the_same_bytes() {
    each_transcript(|name, transcript| {
        let server: Vec<u8> = transcript.server_chunks(0).flatten().copied().collect();
        let new = || Decoder::client(Limits::default());
        let frames = decode(new(), transcript.server_chunks(0));
        assert_eq!(joined(&frames), server, "{name}");
        assert_eq!(decode(new(), [&server[..]].into_iter()), frames, "{name}");
        assert_eq!(decode(new(), server.chunks(1)), frames, "{name}");

        let client: Vec<u8> = transcript.client_chunks(0).flatten().copied().collect();
        let frames = decode(
            Decoder::server(Limits::default()),
            transcript.client_chunks(0),
        );
        assert_eq!(joined(&frames), client, "{name}");
    });
}

/// The one raw text in the captures is the answer to `Queues`.
#[test]
fn every_frame_of_the_captures_is_classified() {
    each_transcript(|name, transcript| {
        let frames = decode(
            Decoder::client(Limits::default()),
            transcript.server_chunks(0),
        );
        for (number, frame) in frames.iter().enumerate() {
            let frame = frame.as_frame();
            match frame.kind() {
                FrameKind::Banner => assert_eq!(number, 0, "{name}"),
                FrameKind::Event | FrameKind::Response => assert_ne!(number, 0, "{name}"),
                FrameKind::Action | FrameKind::Unclassified => {
                    assert_eq!(frame.bytes(), b"No queues.\r\n\r\n", "{name}");
                }
            }
        }
    });
}

/// How a message ends that has a line without a colon.
const NO_COLON: [&[u8]; 4] = [
    b"No queues.\r\n\r\n",
    b"\r\nNo categories found\r\n\r\n",
    // A UserEvent repeats what was sent.
    b"\r\nHeader\r\n\r\n",
    b"\r\n--END SMS EVENT--\r\n\r\n",
];
/// The texts of some answers end in a line feed of their own.
fn ends_in_bare_lf(message: &[u8]) -> bool {
    let start = message.trim_ascii_start();
    start.starts_with(b"Response: ")
        && message.ends_with(b"\n\r\n")
        && !message.ends_with(b"\r\n\r\n")
}

#[test]
fn the_transcripts_are_odd_only_where_the_server_was() {
    each_transcript(|name, transcript| {
        let frames = decode(
            Decoder::client(Limits::default()),
            transcript.server_chunks(0),
        );
        for frame in &frames {
            let frame = frame.as_frame();
            let mut found = frame.anomalies().to_vec();
            if frame.bytes().starts_with(b"\r\n") {
                let blank = Anomaly::ExtraBlankLines { lines: 1 };
                assert!(found.contains(&blank), "{name}: {frame:?}");
                found.retain(|anomaly| *anomaly != blank);
            }
            let ends = |known: &&[u8]| frame.bytes().ends_with(known);
            let as_known = match found.as_slice() {
                [] => !NO_COLON.iter().any(ends) && !ends_in_bare_lf(frame.bytes()),
                [Anomaly::NoColon { .. }] => NO_COLON.iter().any(ends),
                [Anomaly::BareLf { .. }] => ends_in_bare_lf(frame.bytes()),
                _ => false,
            };
            assert!(as_known, "{name}: {frame:?}");
        }
    });
}

#[test]
fn command_text_of_13_7_is_a_body() {
    let frames = decode(
        Decoder::client(Limits::default()),
        transcript("read-only-actions").server_chunks(0),
    );
    let outputs: Vec<_> = frames
        .iter()
        .filter_map(|frame| match frame.as_frame().message() {
            Message::Response(response) if response.frame().body().is_some() => Some(
                response
                    .output()
                    .map(|line| String::from_utf8_lossy(line).into_owned())
                    .collect(),
            ),
            _ => None,
        })
        .collect::<Vec<Vec<String>>>();
    assert_eq!(outputs.len(), 3);
    assert!(outputs[0][0].starts_with("Asterisk 13.7.0 built by root"));
    assert_eq!(outputs[1].len(), 2);
    assert!(outputs[2][0].starts_with("No such command 'no such command'"));
}

/// The client bytes of the captures, decoded as a server does, are the actions that were sent.
#[test]
fn malformed_requests_decode_as_a_server_reads_them() {
    let frames = decode(
        Decoder::server(Limits::default()),
        transcript("malformed").client_chunks(0),
    );
    let kinds: Vec<_> = frames.iter().map(|frame| frame.as_frame().kind()).collect();
    assert_eq!(&kinds[..2], [FrameKind::Action, FrameKind::Unclassified]);
    assert_eq!(
        frames[1].as_frame().bytes(),
        b"\r\n",
        "an empty line alone is a frame"
    );
    let names: Vec<_> = frames
        .iter()
        .filter_map(|frame| frame.as_frame().get("Action").map(<[u8]>::to_vec))
        .collect();
    assert_eq!(names.first().map(Vec::as_slice), Some(&b"Login"[..]));
    assert_eq!(names.last().map(Vec::as_slice), Some(&b"Logoff"[..]));
}

/// What the client wrote is what `Action::encode` writes, but for the ActionID and the order of its header.
#[test]
fn an_encoded_action_decodes_to_what_was_sent() {
    each_transcript(|name, transcript| {
        for frame in decode(
            Decoder::server(Limits::default()),
            transcript.client_chunks(0),
        ) {
            let frame = frame.as_frame();
            let Some(action) = frame
                .text("Action")
                .and_then(|name| Action::named(&name).ok())
            else {
                continue;
            };
            let others = || {
                frame
                    .headers()
                    .filter(|header| !header.is("Action") && !header.is("ActionID"))
            };
            let built = others().try_fold(action, |action, header| {
                action.with(&String::from_utf8_lossy(header.name), header.value)
            });
            let Ok(built) = built else {
                let breaks_rules =
                    name.ends_with("/malformed.ami.jsonl") || name.ends_with("/limits.ami.jsonl");
                assert!(breaks_rules, "{name}: {frame:?}");
                continue;
            };
            let mut bytes = Vec::new();
            built.encode(&ami_proto::ActionId::checked("id").unwrap(), &mut bytes);
            let again = decode(Decoder::server(Limits::default()), [&bytes[..]].into_iter());
            let again = again[0].as_frame();
            let sent = again
                .headers()
                .filter(|header| !header.is("Action") && !header.is("ActionID"));
            assert!(sent.eq(others()), "{name}: {frame:?}");
        }
    });
}

/// A session fed with the server's bytes, whose ActionIDs are replaced in both directions by the order of sending.
struct Replay {
    session: Session,
    decoder: Decoder,
    dispositions: Vec<Disposition>,
}

impl Replay {
    fn new(login: LoginForm) -> Self {
        let config = SessionConfig {
            username: "bench".into(),
            secret: Secret::new("bench-secret"),
            login,
            events: "off".into(),
            connection_id: 7,
            login_deadline: Duration::from_secs(10),
        };
        let session = Session::new(config, Duration::ZERO).unwrap();
        let decoder = Decoder::client(Limits::default());
        Self {
            session,
            decoder,
            dispositions: Vec::new(),
        }
    }

    fn server(&mut self, at: Duration, text: &str) {
        let mut read = text.as_bytes();
        while let Some(frame) = self.decoder.decode(&mut read) {
            self.dispositions
                .push(self.session.handle_frame(at, &frame));
        }
    }

    fn written(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        while self.session.take_transmit(&mut out) {}
        out
    }
}

/// The captured ActionIDs of the login, and what a session of connection 7 sends in their place.
const LOGIN_IDS: [(&str, &str); 3] = [
    (
        "ActionID: c1\r\n",
        "ActionID: 0000000000000007-challenge\r\n",
    ),
    ("ActionID: l1\r\n", "ActionID: 0000000000000007-login\r\n"),
    (
        "ActionID: login-1\r\n",
        "ActionID: 0000000000000007-login\r\n",
    ),
];

fn replay_login(name: &str, login: LoginForm) -> Replay {
    let mut replay = Replay::new(login);
    for entry in &transcript(name).entries {
        match &entry.what {
            What::Client(bytes) => {
                let action = String::from_utf8_lossy(bytes);
                if action.starts_with("Action: Login") || action.starts_with("Action: Challenge") {
                    let ours = String::from_utf8(replay.written()).unwrap();
                    assert_eq!(ours.lines().next(), action.lines().next());
                }
            }
            What::Server(bytes) => {
                let text = String::from_utf8_lossy(bytes).into_owned();
                let text = LOGIN_IDS
                    .iter()
                    .fold(text, |text, (was, is)| text.replace(was, is));
                replay.server(entry.at, &text);
            }
            What::Mark(mark) => assert_eq!(*mark, Mark::Fin),
        }
    }
    replay
}

#[test]
fn the_captured_plain_login_is_accepted() {
    let replay = replay_login("login-plain", LoginForm::Plain);
    assert_eq!(
        &replay.dispositions[..2],
        [Disposition::Banner, Disposition::Ready]
    );
    assert_eq!(replay.session.banner(), Some("Asterisk Call Manager/2.8.0"));
}

#[test]
fn the_captured_md5_login_is_accepted() {
    let replay = replay_login("login-md5", LoginForm::Md5);
    let expected = [
        Disposition::Banner,
        Disposition::Progress,
        Disposition::Ready,
        Disposition::Event,
        Disposition::Event,
        Disposition::Closing,
    ];
    assert_eq!(replay.dispositions, expected);
}

#[test]
fn the_captured_refusal_is_one() {
    let replay = replay_login("login-rejected", LoginForm::Plain);
    let message = "Authentication failed".to_owned();
    assert_eq!(
        replay.dispositions,
        [Disposition::Banner, Disposition::Refused { message }]
    );
}

/// Every captured action after the login, sent again by a session that knows only its dialect: all are answered.
#[test]
fn every_captured_action_is_answered_in_full() {
    for name in [
        "read-only-actions",
        "userevent-and-db",
        "pipelined",
        "call-control",
    ] {
        let mut replay = Replay::new(LoginForm::Plain);
        let mut ids = LOGIN_IDS
            .map(|(was, is)| (was.to_owned(), is.to_owned()))
            .to_vec();
        let mut sent = 0;
        for entry in &transcript(name).entries {
            match &entry.what {
                What::Client(bytes) => {
                    for action in
                        decode(Decoder::server(Limits::default()), [&bytes[..]].into_iter())
                    {
                        sent += send_again(&mut replay, &action, &mut ids);
                    }
                }
                What::Server(bytes) => {
                    let text = String::from_utf8_lossy(bytes).into_owned();
                    let text = ids
                        .iter()
                        .fold(text, |text, (was, is)| text.replace(was, is));
                    replay.server(entry.at, &text);
                }
                What::Mark(_) => {}
            }
        }
        let finals = replay.dispositions.iter().filter(|disposition| {
            let answered = matches!(
                disposition,
                Disposition::Answer {
                    done: Done::Yes,
                    ..
                }
            );
            answered || matches!(disposition, Disposition::Complete { .. })
        });
        assert_eq!(finals.count(), sent, "{name}: {:#?}", replay.dispositions);
        assert_eq!(replay.session.in_flight(), 0, "{name}");
        for disposition in &replay.dispositions {
            if let Disposition::Complete {
                items,
                listed: Some(listed),
                ..
            } = disposition
            {
                assert_eq!(items, listed, "{name}");
            }
        }
    }
}

/// `Queues` alone is left out: its fence is not in the capture, so nothing would end it.
fn send_again(replay: &mut Replay, action: &OwnedFrame, ids: &mut Vec<(String, String)>) -> usize {
    let frame = action.as_frame();
    let name = frame.text("Action").unwrap();
    let is_first_login = name == "Login" && !replay.session.is_ready();
    let answer = replay.session.dialect().answer_to(&name);
    if is_first_login || answer == Answer::Raw {
        replay.written();
        return 0;
    }
    let built = Action::named(&name).unwrap();
    replay
        .session
        .send(Duration::ZERO, &built, answer, Duration::from_secs(60))
        .unwrap();
    let written = String::from_utf8(replay.written()).unwrap();
    let ours = written
        .lines()
        .find(|line| line.starts_with("ActionID"))
        .unwrap();
    ids.push((
        format!("ActionID: {}\r\n", frame.text("ActionID").unwrap()),
        format!("{ours}\r\n"),
    ));
    1
}

#[test]
fn an_error_of_the_captures_is_an_error() {
    let frames = decode(
        Decoder::client(Limits::default()),
        transcript("before-login").server_chunks(0),
    );
    let mut replay = Replay::new(LoginForm::Plain);
    replay.server(
        Duration::ZERO,
        "Asterisk Call Manager/2.8.0\r\nResponse: Success\r\n\r\n",
    );
    let ping = Action::new("Ping");
    let slot = replay
        .session
        .send(Duration::ZERO, &ping, Answer::Single, Duration::MAX)
        .unwrap();
    let refused = String::from_utf8(frames[1].as_frame().bytes().to_vec()).unwrap();
    replay.server(Duration::ZERO, &refused.replace("ActionID: p1\r\n", ""));
    let answer = Disposition::Answer {
        slot,
        outcome: AnswerOutcome::Error,
        done: Done::Yes,
    };
    assert_eq!(replay.dispositions.last(), Some(&answer));
}
