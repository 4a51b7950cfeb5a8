//! Sessions as conversations: server bytes in, client bytes and dispositions out.

mod answers;
mod lists;
mod login;

use std::time::Duration;

use super::*;
use crate::frame::decode::{Decoder, Limits};

const LOGIN_DEADLINE: Duration = Duration::from_secs(5);
const FAR: Duration = Duration::from_secs(3600);
const SECOND: Duration = Duration::from_secs(1);

/// A session with its decoder; the instant is always zero unless a test says otherwise.
struct Peer {
    session: Session,
    decoder: Decoder,
}

impl Peer {
    fn new(login: LoginForm) -> Self {
        let config = SessionConfig {
            username: "bench".into(),
            secret: Secret::new("s3cret"),
            login,
            events: "off".into(),
            connection_id: 0xc0ffee,
            login_deadline: LOGIN_DEADLINE,
        };
        let session = Session::new(config, Duration::ZERO).unwrap();
        Self {
            session,
            decoder: Decoder::client(Limits::default()),
        }
    }

    fn ready() -> Self {
        let mut peer = Self::new(LoginForm::Plain);
        peer.server("Asterisk Call Manager/2.8.0\r\n");
        peer.client();
        let login = "Response: Success\r\nMessage: Authentication accepted\r\n\r\n";
        assert_eq!(peer.server(login), [Disposition::Ready]);
        peer
    }

    /// What the session makes of these bytes.
    fn server(&mut self, bytes: &str) -> Vec<Disposition> {
        let mut input = bytes.as_bytes();
        let mut dispositions = Vec::new();
        while let Some(frame) = self.decoder.decode(&mut input) {
            dispositions.push(self.session.handle_frame(Duration::ZERO, &frame));
        }
        dispositions
    }

    /// What the session writes, without the connection's part of the ActionIDs.
    fn client(&mut self) -> Vec<String> {
        let mut writes = Vec::new();
        let mut out = Vec::new();
        while self.session.take_transmit(&mut out) {
            let text = String::from_utf8(std::mem::take(&mut out)).unwrap();
            writes.push(text.replace("0000000000c0ffee-", "#"));
        }
        writes
    }

    fn send(&mut self, name: &str, answer: Answer) -> Slot {
        self.send_until(FAR, name, answer)
    }

    fn send_until(&mut self, deadline: Duration, name: &str, answer: Answer) -> Slot {
        let slot = self
            .session
            .send(Duration::ZERO, &Action::new(name), answer, deadline)
            .unwrap();
        self.client();
        slot
    }
}

/// `#n` in a text is the ActionID of the slot.
fn with_ids(text: &str, slots: &[Slot]) -> String {
    slots
        .iter()
        .enumerate()
        .fold(text.to_owned(), |text, (n, slot)| {
            text.replace(
                &format!("#{n}"),
                ActionId::of_slot(0xc0ffee, *slot).as_str(),
            )
        })
}

fn answer(slot: Slot, outcome: AnswerOutcome) -> Disposition {
    Disposition::Answer {
        slot,
        outcome,
        done: Done::Yes,
    }
}

const fn list_opened(slot: Slot) -> Disposition {
    Disposition::Answer {
        slot,
        outcome: AnswerOutcome::Success,
        done: Done::No,
    }
}
