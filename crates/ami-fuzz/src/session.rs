//! A session under any order of actions, answers, time and ends, beside a model of what must come of it.
//!
//! The subject is the session with the decoders of both sides; what it puts on the wire is read there, so that an answer bears
//! the ActionID that the peer really saw.

use std::fmt::Write as _;
use std::time::Duration;

use ami_proto::session::{
    Answer, Disposition, Expired, LoginForm, Secret, SendError, Session, SessionConfig, Slot,
};
use ami_proto::{Action, Decoder, Limits};
use arbitrary::{Arbitrary, Unstructured};

pub mod bytes;
mod encoding;
pub mod model;

use model::{Model, Seen};

/// So many are tried at most: what more would show, fewer show too.
const OPERATIONS_MAX: usize = 2000;
pub const BANNER: &[u8] = b"Asterisk Call Manager/2.8.0\r\n";

/// What happens to a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Arbitrary)]
pub enum Operation {
    Send {
        answer: Kind,
        patience: u8,
    },
    /// To the action that was sent as the `to`th, over and over; answered or not, so that answers come twice, late and in any
    /// order. The bytes come in two reads, cut at `cut`.
    Deliver {
        reply: Reply,
        to: u8,
        cut: u8,
    },
    /// Without an ActionID.
    Nameless {
        reply: Reply,
        cut: u8,
    },
    /// Time passes, in deciseconds.
    Wait {
        span: u8,
    },
    EndList {
        of: u8,
    },
    Close,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Arbitrary)]
pub enum Kind {
    Single,
    List,
    Raw,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Arbitrary)]
pub enum Reply {
    Success,
    Error,
    /// `EventList: start`.
    ListStart,
    Pong,
    Goodbye,
    Item,
    /// Of a DBGet: a whole list where none was announced.
    OnlyItem,
    Complete {
        listed: u8,
    },
    /// Of an old server: without `EventList`.
    NamedComplete,
    Text,
}

/// The session and its peer.
#[derive(Debug)]
pub struct Subject {
    session: Session,
    now: Duration,
    to_client: Decoder,
    to_server: Decoder,
    /// The ActionIDs that the peer saw, in the order of the actions.
    ids: Vec<String>,
    slots: Vec<Slot>,
}

impl Kind {
    fn answer(self) -> Answer {
        match self {
            Self::Single => Answer::Single,
            Self::List => Answer::List,
            Self::Raw => Answer::Raw,
        }
    }
}

impl Reply {
    /// As it goes over the wire, with an ActionID or without.
    fn wire(self, id: Option<&str>) -> String {
        let (first, more) = match self {
            Self::Success => ("Response: Success", String::new()),
            Self::Error => ("Response: Error", String::new()),
            Self::ListStart => ("Response: Success", "EventList: start\r\n".to_owned()),
            Self::Pong => ("Response: Success", "Ping: Pong\r\n".to_owned()),
            Self::Goodbye => ("Response: Goodbye", String::new()),
            Self::Item => ("Event: Thing", String::new()),
            Self::OnlyItem => ("Event: DBGetResponse", String::new()),
            Self::Complete { listed } => (
                "Event: Done",
                format!("EventList: Complete\r\nListItems: {listed}\r\n"),
            ),
            Self::NamedComplete => ("Event: ThingsComplete", String::new()),
            Self::Text => return "some text\r\n\r\n".to_owned(),
        };
        let mut wire = format!("{first}\r\n");
        if let Some(id) = id {
            write!(wire, "ActionID: {id}\r\n").expect("a String takes everything");
        }
        wire + &more + "\r\n"
    }
}

impl Default for Subject {
    fn default() -> Self {
        Self::new()
    }
}

impl Subject {
    /// Logged in.
    pub fn new() -> Self {
        let config = SessionConfig {
            username: "fuzz".into(),
            secret: Secret::new("secret"),
            login: LoginForm::Plain,
            events: "on".into(),
            connection_id: 0xfeed,
            login_deadline: Duration::from_secs(5),
        };
        let mut subject = Self {
            session: Session::new(config, Duration::ZERO).expect("the values are literals"),
            now: Duration::ZERO,
            to_client: Decoder::client(Limits::default()),
            to_server: Decoder::server(Limits::default()),
            ids: Vec::new(),
            slots: Vec::new(),
        };
        assert_eq!(subject.hear(BANNER, BANNER.len()), [Disposition::Banner]);
        assert_eq!(subject.written(), ["Login"]);
        subject.ids.clear();
        let accepted = b"Response: Success\r\nMessage: Authentication accepted\r\n\r\n";
        assert_eq!(subject.hear(accepted, 7), [Disposition::Ready]);
        subject
    }

    pub fn apply(&mut self, operation: Operation) -> Seen {
        match operation {
            Operation::Send { answer, patience } => Seen::Sent(self.send(answer, patience)),
            Operation::Deliver { reply, to, cut } => {
                let Some(number) = pick(to, self.ids.len()) else {
                    return Seen::Nothing;
                };
                let wire = reply.wire(Some(&self.ids[number]));
                self.heard(&wire, cut)
            }
            Operation::Nameless { reply, cut } => self.heard(&reply.wire(None), cut),
            Operation::Wait { span } => Seen::Expired(self.wait(span)),
            Operation::EndList { of } => {
                if let Some(number) = pick(of, self.slots.len()) {
                    self.session.end_list(self.slots[number]);
                }
                Seen::Nothing
            }
            Operation::Close => {
                let abandoned: Vec<Slot> = self.session.abandon().collect();
                Seen::Abandoned(
                    abandoned
                        .into_iter()
                        .map(|slot| self.number_of(slot))
                        .collect(),
                )
            }
        }
    }

    /// What can be asked of the session at any time.
    pub fn standing(&self) -> model::Standing {
        model::Standing {
            in_flight: self.session.in_flight(),
            has_expired: self.session.has_expired(),
            next_timeout: self.session.poll_timeout(),
            is_closing: self.session.is_closing(),
        }
    }

    fn send(&mut self, answer: Kind, patience: u8) -> Result<Vec<String>, SendError> {
        let deadline = self.now + tenths(patience);
        let name = format!("Probe{}", self.slots.len());
        let slot = self
            .session
            .send(self.now, &Action::new(&name), answer.answer(), deadline)?;
        self.slots.push(slot);
        let written = self.written();
        let id = self.ids.last().expect("an action was written");
        assert_eq!(
            *id,
            self.session.action_id(slot).to_string(),
            "the wire says what the session says"
        );
        assert_eq!(
            self.ids.iter().filter(|known| *known == id).count(),
            1,
            "no ActionID is used twice"
        );
        Ok(written)
    }

    /// The names of the actions that wait to be written; the first of each send brings its ActionID.
    fn written(&mut self) -> Vec<String> {
        let mut names = Vec::new();
        let mut wire = Vec::new();
        while self.session.take_transmit(&mut wire) {
            let mut input = wire.as_slice();
            let frame = self
                .to_server
                .decode(&mut input)
                .expect("a write is an action");
            let text = |name: &str| frame.text(name).unwrap_or_default().into_owned();
            let (name, id) = (text("Action"), text("ActionID"));
            assert!(
                frame.anomalies().is_empty() && input.is_empty(),
                "a write is one sound action"
            );
            if names.is_empty() {
                self.ids.push(id);
            } else {
                assert_eq!(
                    self.ids.last(),
                    Some(&id),
                    "the fence bears the ActionID of what it fences"
                );
            }
            names.push(name);
            wire.clear();
        }
        names
    }

    fn heard(&mut self, wire: &str, cut: u8) -> Seen {
        let mut dispositions = self.hear(wire.as_bytes(), usize::from(cut));
        assert_eq!(dispositions.len(), 1, "a message is one message");
        let disposition = dispositions.remove(0);
        let slot = model::slot_of(&disposition);
        Seen::Heard(
            slot.map(|slot| self.number_of(slot)),
            model::without_slot(&disposition),
        )
    }

    fn hear(&mut self, wire: &[u8], cut: usize) -> Vec<Disposition> {
        let (head, tail) = wire.split_at(cut.min(wire.len()));
        let mut dispositions = Vec::new();
        for mut read in [head, tail] {
            while let Some(frame) = self.to_client.decode(&mut read) {
                dispositions.push(self.session.handle_frame(self.now, &frame));
            }
        }
        dispositions
    }

    fn wait(&mut self, span: u8) -> Vec<usize> {
        self.now += tenths(span);
        let mut expired = Vec::new();
        while let Some(Expired::Action(slot)) = self.session.handle_timeout(self.now) {
            expired.push(self.number_of(slot));
        }
        expired
    }

    /// Which action has the slot: the last, should the session give a slot twice.
    fn number_of(&self, slot: Slot) -> usize {
        self.slots
            .iter()
            .rposition(|sent| *sent == slot)
            .expect("a slot was given out")
    }
}

/// One of so many, if there is any.
pub(crate) fn pick(byte: u8, among: usize) -> Option<usize> {
    usize::from(byte).checked_rem(among)
}

pub(crate) fn tenths(span: u8) -> Duration {
    Duration::from_millis(100 * u64::from(span))
}

pub fn run(data: &[u8]) {
    let mut rest = Unstructured::new(data);
    let (mut subject, mut model) = (Subject::new(), Model::default());
    for _ in 0..OPERATIONS_MAX {
        if rest.is_empty() {
            break;
        }
        let Ok(operation) = Operation::arbitrary(&mut rest) else {
            break;
        };
        step(&mut subject, &mut model, operation);
    }
    step(&mut subject, &mut model, Operation::Close);
    model.assert_all_ended_once();
}

/// The session and its model do the same.
fn step(subject: &mut Subject, model: &mut Model, operation: Operation) {
    let expected = model.apply(operation);
    assert_eq!(subject.apply(operation), expected, "{operation:?}");
    assert_eq!(subject.standing(), model.standing(), "after {operation:?}");
}
