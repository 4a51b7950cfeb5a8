//! The bodies of the fuzz targets. `tests/fuzz_seeds.rs` runs the same functions over the corpora on stable.

use std::time::Duration;

use ami_proto::session::{Answer, Disposition, Done, LoginForm, Secret, Session, SessionConfig};
use ami_proto::transcript::Transcript;
use ami_proto::{Action, ActionId, Decoder, Limits, OwnedFrame};

const SMALL: Limits = Limits {
    line_max: 64,
    frame_max: 1024,
    headers_max: 16,
};

pub(crate) fn decode(data: &[u8]) {
    let mut decoder = Decoder::client(SMALL);
    for mut read in data.chunks(100) {
        while let Some(frame) = decoder.decode(&mut read) {
            assert!(frame.bytes().len() <= SMALL.frame_max);
            for header in frame.headers() {
                let name = String::from_utf8_lossy(header.name);
                assert!(frame.get(&name).is_some() || name.as_bytes() != header.name);
            }
            let _ = format!("{:?} {:?}", frame, frame.message());
        }
        assert!(read.is_empty() && decoder.pending().len() <= SMALL.frame_max);
    }
    let _ = decoder.finish();
}

/// The first byte says how long the reads are.
pub(crate) fn split(data: &[u8]) {
    let Some((&len, stream)) = data.split_first() else {
        return;
    };
    let frames = |decoder: &mut Decoder, read_len: usize| -> Vec<OwnedFrame> {
        let mut frames = Vec::new();
        for mut read in stream.chunks(read_len) {
            while let Some(frame) = decoder.decode(&mut read) {
                frames.push(frame.to_owned());
            }
        }
        frames
    };
    for new in [Decoder::client, Decoder::server] {
        let (mut whole, mut parts) = (new(SMALL), new(SMALL));
        assert_eq!(
            frames(&mut whole, usize::MAX),
            frames(&mut parts, usize::from(len).max(1))
        );
        assert_eq!(whole.finish(), parts.finish());
    }
}

/// Lines of the data are offered as headers.
pub(crate) fn round_trip(data: &[u8]) {
    let mut action = Action::new("Fuzz");
    let mut kept = Vec::new();
    for line in data.split(|&byte| byte == b'\n') {
        let at = line
            .iter()
            .position(|&byte| byte == b':')
            .unwrap_or(line.len());
        let (name, value) = (String::from_utf8_lossy(&line[..at]), &line[at..]);
        if let Ok(longer) = action.clone().with(&name, value) {
            action = longer;
            kept.push((name.into_owned().into_bytes(), value));
        }
    }
    let mut wire = Vec::new();
    action.encode(
        &ActionId::checked("id").expect("it is short and printable"),
        &mut wire,
    );
    let mut decoder = Decoder::server(Limits::default());
    let frame = decoder
        .decode(&mut &wire[..])
        .expect("an action is a frame");
    let headers: Vec<_> = frame
        .headers()
        .skip(2)
        .map(|h| (h.name.to_vec(), h.value))
        .collect();
    assert_eq!(
        (frame.bytes(), headers, frame.anomalies()),
        (&wire[..], kept, &[][..])
    );
}

/// Each chunk is read by the session, and its first byte says what is sent before. Returns how many actions ended.
pub(crate) fn session_ops(data: &[u8]) -> usize {
    let (mut session, mut decoder) = (session(data.len()), Decoder::client(SMALL));
    let (mut out, mut ends, mut opened) = (Vec::new(), 0, 0);
    for (now, chunk) in (0..).map(Duration::from_secs).zip(data.chunks(32)) {
        let answer = [Answer::Single, Answer::List, Answer::Raw][usize::from(chunk[0]) % 3];
        let deadline = now + Duration::from_secs(u64::from(chunk[0]));
        opened += usize::from(
            session
                .send(now, &Action::new("Ping"), answer, deadline)
                .is_ok(),
        );
        while session.take_transmit(&mut out) {}
        let mut read = chunk;
        while let Some(frame) = decoder.decode(&mut read) {
            ends += usize::from(is_end(&session.handle_frame(now, &frame)));
        }
        while session.handle_timeout(now).is_some() {}
        assert_eq!(session.in_flight(), opened - ends);
        assert!(session.poll_timeout().is_none_or(|at| at > now));
    }
    let left = session.in_flight();
    assert!(session.abandon().count() <= left && session.in_flight() == 0);
    ends
}

pub(crate) fn transcript(data: &[u8]) {
    match Transcript::parse(&String::from_utf8_lossy(data)) {
        Ok(transcript) => {
            let bytes: usize = transcript.server_chunks(0).map(<[u8]>::len).sum();
            assert!(bytes <= 3 * data.len());
        }
        Err(error) => assert!(error.to_string().starts_with("read a transcript")),
    }
}

fn session(seed: usize) -> Session {
    let config = SessionConfig {
        username: "fuzz".into(),
        secret: Secret::new("secret"),
        login: if seed.is_multiple_of(2) {
            LoginForm::Plain
        } else {
            LoginForm::Md5
        },
        events: "on".into(),
        connection_id: 0,
        login_deadline: Duration::from_secs(1 << 20),
    };
    Session::new(config, Duration::ZERO).expect("the values are literals")
}

fn is_end(disposition: &Disposition) -> bool {
    matches!(
        disposition,
        Disposition::Answer {
            done: Done::Yes,
            ..
        } | Disposition::Complete { .. }
            | Disposition::Late { .. }
    )
}
