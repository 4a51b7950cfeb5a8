//! A session that reads any bytes, from its banner on: it stays consistent, and the login is behind nothing but the wire.

use std::time::Duration;

use ami_proto::session::{Answer, Disposition, Done, LoginForm, Secret, Session, SessionConfig};
use ami_proto::{Action, Decoder};

use crate::decoder::SMALL;

/// Bytes between two sends.
const READ_LEN: usize = 32;
const SECRET: &str = "hunter2";
/// Within what a fuzzer's input takes, a second a read.
const LOGIN_DEADLINE: Duration = Duration::from_secs(100);

/// The first byte picks the login; before each read an action is sent, as the read's first byte says.
pub fn run(data: &[u8]) {
    ends(data);
}

/// How many actions ended.
pub fn ends(data: &[u8]) -> usize {
    let Some((first, stream)) = data.split_first() else {
        return 0;
    };
    let login = if first & 1 == 0 {
        LoginForm::Plain
    } else {
        LoginForm::Md5
    };
    let (mut session, mut decoder) = (session(login), Decoder::client(SMALL));
    let (mut out, mut ends, mut opened) = (Vec::new(), 0, 0);
    for (now, mut read) in (0..).map(Duration::from_secs).zip(stream.chunks(READ_LEN)) {
        let answer = [Answer::Single, Answer::List, Answer::Raw][usize::from(read[0]) % 3];
        let deadline = now + Duration::from_secs(u64::from(read[0]));
        let sent = session.send(now, &Action::new("Ping"), answer, deadline);
        opened += usize::from(sent.is_ok());
        while session.take_transmit(&mut out) {}
        while let Some(frame) = decoder.decode(&mut read) {
            ends += usize::from(is_end(&session.handle_frame(now, &frame)));
        }
        while session.handle_timeout(now).is_some() {}
        assert_eq!(session.in_flight(), opened - ends);
        assert!(session.poll_timeout().is_none_or(|at| at > now));
        assert!(!String::from_utf8_lossy(&out).contains(SECRET) || login == LoginForm::Plain);
        assert!(session.banner().is_some() || session.dialect().version().is_none());
    }
    assert!(
        !format!("{session:?}").contains(SECRET),
        "a secret does not show"
    );
    let left = session.in_flight();
    assert!(session.abandon().count() <= left && session.in_flight() == 0);
    ends
}

fn session(login: LoginForm) -> Session {
    let config = SessionConfig {
        username: "fuzz".into(),
        secret: Secret::new(SECRET),
        login,
        events: "on".into(),
        connection_id: 0,
        login_deadline: LOGIN_DEADLINE,
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
