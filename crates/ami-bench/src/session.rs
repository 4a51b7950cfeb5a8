//! What the client session adds to decoding: a Ping sent and its answer found, an event that answers nobody.

use std::time::Duration;

use ami_proto::Decoder;
use ami_proto::action::system;
use ami_proto::session::{Answer, Disposition, LoginForm, Secret, Session, SessionConfig, Slot};

use crate::decode::{self, READ_LEN};
use crate::{Contender, Counting, Group, Scale, stream};

/// Actions that wait at a time.
const BATCH: usize = 32;
const ACTIONS: usize = 20_000;
const STREAM_LEN: usize = 8_000_000;
const WELCOME: &[u8] =
    b"Asterisk Call Manager/11.0.0\r\nResponse: Success\r\nMessage: Authentication accepted\r\n\r\n";
const FAR: Duration = Duration::from_secs(3600);

const ANSWERS: &str = "pings sent and answered";
const ANSWERS_DECODED: &str = "their answers decoded only";
const EVENTS: &str = "events dispatched";
const EVENTS_DECODED: &str = "events decoded only";

pub(crate) fn group(scale: Scale) -> Group {
    let batches = scale.of(ACTIONS) / BATCH;
    let answers = answers(batches);
    let joined = answers.concat();
    let events = stream::events(scale.of(STREAM_LEN));
    let count = decode::count(&mut decode::decoder(), &events, READ_LEN) as u64;
    let actions = (batches * BATCH) as u64;
    Group {
        name: "session",
        unit: "message",
        contenders: vec![
            Contender::new(ANSWERS, actions, move || exchange(&answers)),
            decoded_only(ANSWERS_DECODED, actions, joined),
            Contender::new(EVENTS, count, {
                let (events, mut peer) = (events.clone(), Peer::ready());
                move || peer.hear_all(&events)
            }),
            decoded_only(EVENTS_DECODED, count, events),
        ],
        pairs: &[(ANSWERS, ANSWERS_DECODED), (EVENTS, EVENTS_DECODED)],
        counting: Counting::Repeatable,
    }
}

struct Peer {
    session: Session,
    decoder: Decoder,
    out: Vec<u8>,
}

impl Peer {
    fn ready() -> Self {
        let config = SessionConfig {
            username: "bench".into(),
            secret: Secret::new("secret"),
            login: LoginForm::Plain,
            events: "on".into(),
            connection_id: 7,
            login_deadline: FAR,
        };
        let mut peer = Self {
            session: Session::new(config, Duration::ZERO).expect("the config is well formed"),
            decoder: decode::decoder(),
            out: Vec::new(),
        };
        peer.hear(WELCOME);
        assert!(peer.session.is_ready());
        peer.write();
        peer
    }

    fn hear(&mut self, mut bytes: &[u8]) -> usize {
        let mut answered = 0;
        while let Some(frame) = self.decoder.decode(&mut bytes) {
            let disposition = self.session.handle_frame(Duration::ZERO, &frame);
            answered += usize::from(matches!(disposition, Disposition::Answer { .. }));
        }
        answered
    }

    fn hear_all(&mut self, stream: &[u8]) -> usize {
        stream.chunks(READ_LEN).map(|read| self.hear(read)).sum()
    }

    fn write(&mut self) {
        self.out.clear();
        while self.session.take_transmit(&mut self.out) {}
    }

    fn send_batch(&mut self) -> [Slot; BATCH] {
        let ping = system::ping();
        let slots = std::array::from_fn(|_| {
            let sent = self
                .session
                .send(Duration::ZERO, &ping, Answer::Single, FAR);
            sent.expect("there is room for a batch")
        });
        self.write();
        slots
    }
}

/// Sessions alike give the same ActionIDs: one is asked beforehand what the answers to all will be.
fn answers(batches: usize) -> Vec<Vec<u8>> {
    let mut peer = Peer::ready();
    let mut batch = || {
        let mut text = String::new();
        for slot in peer.send_batch() {
            let id = peer.session.action_id(slot);
            text += "Response: Success\r\nActionID: ";
            text += id.as_str();
            text += "\r\nPing: Pong\r\nTimestamp: 1795248936.123456\r\n\r\n";
        }
        assert_eq!(peer.hear(text.as_bytes()), BATCH);
        text.into_bytes()
    };
    (0..batches).map(|_| batch()).collect()
}

fn exchange(answers: &[Vec<u8>]) -> usize {
    let mut peer = Peer::ready();
    let mut answered = 0;
    for batch in answers {
        peer.send_batch();
        answered += peer.hear(batch);
    }
    answered
}

fn decoded_only(name: &'static str, messages: u64, stream: Vec<u8>) -> Contender {
    let mut decoder = decode::decoder();
    Contender::new(name, messages, move || {
        decode::count(&mut decoder, &stream, READ_LEN)
    })
}
