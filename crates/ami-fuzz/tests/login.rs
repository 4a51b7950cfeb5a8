//! The login beside its rules: who is let in, and what of the credentials crosses the wire.

use std::time::Duration;

use ami_proto::session::{Expired, LoginForm, Secret, Session, SessionConfig, key};
use ami_proto::{Decoder, Limits};
use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};

const SECRET: &str = "s3cret";
const DEADLINE: Duration = Duration::from_secs(5);

/// A message of the server before anybody is logged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    Banner,
    /// Of something else that greets.
    Stranger,
    Event,
    Text,
    Response {
        status: &'static str,
        id: Id,
        challenge: bool,
    },
}

/// Whose answer it says that it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Id {
    None,
    Login,
    Challenge,
    Other,
}

/// What the rules say of a login, as far as it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Greeting,
    Challenge,
    Answer,
    In,
    Out,
}

fn said() -> impl Strategy<Value = Said> {
    let id = prop_oneof![
        Just(Id::None),
        Just(Id::Login),
        Just(Id::Challenge),
        Just(Id::Other)
    ];
    let status = prop_oneof![3 => Just("Success"), 1 => Just("Error"), 1 => Just("Goodbye"), 1 => Just("What")];
    let response = (status, id, any::<bool>()).prop_map(|(status, id, challenge)| Said::Response {
        status,
        id,
        challenge,
    });
    prop_oneof![1 => Just(Said::Event), 1 => Just(Said::Text), 6 => response]
}

fn greeting() -> impl Strategy<Value = Said> {
    let response = Said::Response {
        status: "Success",
        id: Id::None,
        challenge: true,
    };
    prop_oneof![
        6 => Just(Said::Banner),
        1 => Just(Said::Stranger),
        1 => Just(Said::Event),
        1 => Just(response),
    ]
}

fn wire(said: Said) -> String {
    match said {
        Said::Banner => "Asterisk Call Manager/2.8.0\r\n".to_owned(),
        Said::Stranger => "220 mail.example ESMTP\r\n".to_owned(),
        Said::Event => "Event: FullyBooted\r\n\r\n".to_owned(),
        Said::Text => "some text\r\n\r\n".to_owned(),
        Said::Response {
            status,
            id,
            challenge,
        } => {
            let id = match id {
                Id::None => String::new(),
                Id::Login => format!("ActionID: {:016x}-login\r\n", 1),
                Id::Challenge => format!("ActionID: {:016x}-challenge\r\n", 1),
                Id::Other => "ActionID: another\r\n".to_owned(),
            };
            let challenge = if challenge {
                "Challenge: 12345\r\n"
            } else {
                ""
            };
            format!("Response: {status}\r\n{id}{challenge}\r\n")
        }
    }
}

/// The rules.
fn next(stage: Stage, form: LoginForm, said: Said) -> Stage {
    let first = match form {
        LoginForm::Plain => Stage::Answer,
        LoginForm::Md5 => Stage::Challenge,
    };
    match (stage, said) {
        (Stage::Greeting, Said::Stranger) => Stage::Out,
        (Stage::Greeting, _) => first,
        (
            Stage::Challenge,
            Said::Response {
                status,
                id: Id::None | Id::Challenge,
                challenge,
            },
        ) => {
            if status == "Success" && challenge {
                Stage::Answer
            } else {
                Stage::Out
            }
        }
        (
            Stage::Answer,
            Said::Response {
                status,
                id: Id::None | Id::Login,
                ..
            },
        ) => {
            if status == "Success" {
                Stage::In
            } else {
                Stage::Out
            }
        }
        (stage, _) => stage,
    }
}

fn session(form: LoginForm) -> Session {
    let config = SessionConfig {
        username: "bench".into(),
        secret: Secret::new(SECRET),
        login: form,
        events: "off".into(),
        connection_id: 1,
        login_deadline: DEADLINE,
    };
    Session::new(config, Duration::ZERO).expect("the values are literals")
}

proptest! {
    /// A session is ready after a Success that answers its own login and never otherwise; a secret crosses the wire once, as it
    /// is or as its MD5 with the challenge, as the target says; and a login that did not end is over at its deadline.
    #[test]
    fn who_is_let_in_and_what_crosses_the_wire(
        md5 in any::<bool>(),
        greeting in greeting(),
        said in proptest::collection::vec(said(), 0..8),
    ) {
        let form = if md5 { LoginForm::Md5 } else { LoginForm::Plain };
        let mut session = session(form);
        let mut decoder = Decoder::client(Limits::default());
        let mut stage = Stage::Greeting;
        let mut written = Vec::new();
        for said in std::iter::once(greeting).chain(said) {
            if matches!(stage, Stage::In | Stage::Out) {
                break;
            }
            let wire = wire(said);
            let mut input = wire.as_bytes();
            while let Some(frame) = decoder.decode(&mut input) {
                session.handle_frame(Duration::ZERO, &frame);
            }
            while session.take_transmit(&mut written) {}
            stage = next(stage, form, said);
            prop_assert_eq!(session.is_ready(), stage == Stage::In);
            prop_assert_eq!(session.is_closing(), stage == Stage::Out);
        }
        let text = String::from_utf8_lossy(&written).into_owned();
        let asked = matches!(stage, Stage::Answer | Stage::In) || text.contains("Action: Login");
        let (plain, digest) = (format!("Secret: {SECRET}\r\n"), format!("Key: {}\r\n", key(b"12345", &Secret::new(SECRET))));
        prop_assert_eq!(text.matches(&plain).count(), usize::from(asked && !md5));
        prop_assert_eq!(text.matches(&digest).count(), usize::from(asked && md5));
        let open = matches!(stage, Stage::Greeting | Stage::Challenge | Stage::Answer);
        prop_assert_eq!(session.handle_timeout(DEADLINE - Duration::from_nanos(1)), None);
        prop_assert_eq!(session.handle_timeout(DEADLINE), open.then_some(Expired::Login));
        prop_assert!(!session.is_ready() || stage == Stage::In);
    }
}
