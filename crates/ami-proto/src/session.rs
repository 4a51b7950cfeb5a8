//! The client side of one AMI connection: banner → (challenge) → login → ready → closing.
//! Frames and the time come in, bytes to write and a `Disposition` for each frame go out; no frame is kept.
//! Which answer an action has is declared by its sender, never guessed from the server's words.

use std::time::Duration;

use crate::action::{Action, ActionError, ActionId, system};
use crate::dialect::Dialect;
use crate::event::Event;
use crate::frame::Frame;
use crate::message::Message;
use crate::response::{Response, Status};

mod event_list;
mod in_flight;
mod login;
mod transmit;

pub(crate) use event_list::Announced;
use in_flight::{Awaiting, InFlight};
use login::{Login, Step};
use transmit::Transmit;

pub use in_flight::IN_FLIGHT_MAX;
pub use login::{LoginForm, Secret, SessionConfig, key};

#[derive(Debug)]
pub struct Session {
    state: State,
    banner: Option<String>,
    dialect: Dialect,
    connection_id: u64,
    in_flight: InFlight,
    transmit: Transmit,
}

#[derive(Debug)]
enum State {
    LoggingIn(Box<Login>),
    Ready,
    Closing,
}

/// An action of a session: `index` says where it is kept, `seq` counts the actions sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot {
    pub index: u16,
    pub seq: u32,
}

/// What the server sends for an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Answer {
    /// One Response.
    Single,
    /// A Response, then an event list, unless the Response is an error.
    List,
    /// Text without Response or ActionID (old `Queues`). The session sends a Ping behind it; the text ends at its answer.
    Raw,
}

/// What a frame was to this session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disposition {
    Banner,
    /// The first line is no banner of a manager port.
    NotAmi {
        banner: String,
    },
    /// One step of the login done.
    Progress,
    Ready,
    /// The login, or the challenge before it.
    Refused {
        message: String,
    },
    Answer {
        slot: Slot,
        outcome: AnswerOutcome,
        done: Done,
    },
    /// `index` counts from 0.
    Item {
        slot: Slot,
        index: u32,
    },
    /// `listed` is the server's own count, where it gives one.
    Complete {
        slot: Slot,
        items: u32,
        listed: Option<u32>,
    },
    /// The final answer to an action that had timed out.
    Late {
        slot: Slot,
    },
    /// An event that answers nothing.
    Event,
    /// A response, or raw text, that nobody waits for.
    Unmatched,
    /// A Goodbye that nobody asked for.
    Closing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AnswerOutcome {
    Success,
    Error,
}

/// Whether more frames of the same answer follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Done {
    Yes,
    No,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Expired {
    Login,
    Action(Slot),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum SendError {
    #[error("send an action: the session is not logged in")]
    NotReady,
    #[error("send an action: {IN_FLIGHT_MAX} are waiting for their answers")]
    InFlightFull,
}

impl Session {
    /// Fails if a value of `config` cannot be a header value.
    pub fn new(config: SessionConfig, now: Duration) -> Result<Self, ActionError> {
        let connection_id = config.connection_id;
        Ok(Self {
            state: State::LoggingIn(Box::new(Login::new(config, now)?)),
            banner: None,
            dialect: Dialect::default(),
            connection_id,
            in_flight: InFlight::new(connection_id),
            transmit: Transmit::default(),
        })
    }

    pub fn is_ready(&self) -> bool {
        matches!(self.state, State::Ready)
    }

    /// After a refusal, a Goodbye, a login that took too long, or [`Session::abandon`].
    pub fn is_closing(&self) -> bool {
        matches!(self.state, State::Closing)
    }

    pub fn dialect(&self) -> &Dialect {
        &self.dialect
    }

    pub fn banner(&self) -> Option<&str> {
        self.banner.as_deref()
    }

    /// Actions whose answer is not complete, timed out or not.
    pub fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Whether an action that timed out still occupies its slot.
    pub fn has_expired(&self) -> bool {
        self.in_flight.has_expired()
    }

    /// Appends the bytes of one action to `out`; false when there is none. One action is one write.
    pub fn take_transmit(&mut self, out: &mut Vec<u8>) -> bool {
        self.transmit.take(out)
    }

    /// `deadline` is an instant on the clock of `now`.
    pub fn send(
        &mut self,
        _now: Duration,
        action: &Action,
        answer: Answer,
        deadline: Duration,
    ) -> Result<Slot, SendError> {
        if !self.is_ready() {
            return Err(SendError::NotReady);
        }
        let slot = self
            .in_flight
            .open(answer, deadline)
            .ok_or(SendError::InFlightFull)?;
        let action_id = self.action_id(slot);
        self.transmit.push(action, &action_id);
        if answer == Answer::Raw {
            self.transmit.push(&system::ping(), &action_id);
        }
        Ok(slot)
    }

    /// What the action of a slot is called on the wire.
    pub fn action_id(&self, slot: Slot) -> ActionId {
        ActionId::of_slot(self.connection_id, slot)
    }

    /// The sender knows that a list is over, by an item that the dialect does not know for its end.
    pub fn end_list(&mut self, slot: Slot) {
        if self.in_flight.awaiting(slot) == Some(Awaiting::Items) {
            self.in_flight.close(slot);
        }
    }

    pub fn poll_timeout(&self) -> Option<Duration> {
        match &self.state {
            State::LoggingIn(login) => Some(login.deadline()),
            State::Ready | State::Closing => self.in_flight.next_deadline(),
        }
    }

    /// Call it until it returns `None`. An expired action keeps its slot until its late answer comes.
    pub fn handle_timeout(&mut self, now: Duration) -> Option<Expired> {
        match &self.state {
            State::LoggingIn(login) => (login.deadline() <= now).then(|| {
                self.state = State::Closing;
                Expired::Login
            }),
            State::Ready | State::Closing => self.in_flight.expire(now).map(Expired::Action),
        }
    }

    /// At disconnect: every action that has neither its answer nor a timeout, in the order sent, each once.
    pub fn abandon(&mut self) -> impl Iterator<Item = Slot> + use<> {
        self.state = State::Closing;
        self.in_flight.drain().into_iter()
    }

    pub fn handle_frame(&mut self, _now: Duration, frame: &Frame<'_>) -> Disposition {
        if let State::LoggingIn(_) = self.state {
            return self.handle_login(frame);
        }
        match frame.message() {
            Message::Event(event) => self.handle_event(&event),
            Message::Response(response) => self.handle_response(&response),
            Message::Unclassified(_) => self.handle_text(),
            Message::Banner(_) => Disposition::Unmatched,
        }
    }

    fn handle_login(&mut self, frame: &Frame<'_>) -> Disposition {
        let State::LoggingIn(login) = &mut self.state else {
            return Disposition::Unmatched;
        };
        if let Message::Banner(banner) = frame.message() {
            self.banner = Some(String::from_utf8_lossy(banner.line()).into_owned());
            self.dialect = Dialect::of_banner(&banner);
        }
        match login.handle(frame) {
            Step::Send {
                action,
                action_id,
                disposition,
            } => {
                self.transmit.push(&action, &action_id);
                disposition
            }
            Step::Pass(disposition) => disposition,
            Step::Ready => {
                self.state = State::Ready;
                Disposition::Ready
            }
            Step::Closed(disposition) => {
                self.state = State::Closing;
                disposition
            }
        }
    }

    fn handle_event(&mut self, event: &Event<'_>) -> Disposition {
        let Some(slot) = event.action_id().and_then(|id| self.in_flight.find(id)) else {
            return Disposition::Event;
        };
        let Some(list) = self.in_flight.list_mut(slot) else {
            return Disposition::Event;
        };
        let step = list.take(event, &self.dialect);
        let expired = self.in_flight.is_expired(slot);
        match step {
            event_list::Step::Item { .. } if expired => Disposition::Event,
            event_list::Step::Item { index } => Disposition::Item { slot, index },
            event_list::Step::Complete { items, listed } => {
                self.in_flight.close(slot);
                if expired {
                    Disposition::Late { slot }
                } else {
                    Disposition::Complete {
                        slot,
                        items,
                        listed,
                    }
                }
            }
        }
    }

    fn handle_response(&mut self, response: &Response<'_>) -> Disposition {
        let goodbye = response.status() == Status::Goodbye;
        if goodbye {
            self.state = State::Closing;
        }
        let slot = match response.action_id() {
            Some(id) => self.in_flight.find(id),
            None if goodbye => None,
            None => self.in_flight.oldest_unanswered(),
        };
        let awaiting = slot.and_then(|slot| Some((slot, self.in_flight.awaiting(slot)?)));
        match awaiting {
            Some((slot, Awaiting::Answer)) => self.close_with(slot, response),
            Some((slot, Awaiting::ListAnswer)) => self.open_list(slot, response),
            Some((slot, Awaiting::Text)) => self.handle_fence(slot, response),
            Some((_, Awaiting::Items)) | None if goodbye => Disposition::Closing,
            Some((_, Awaiting::Items)) | None => Disposition::Unmatched,
        }
    }

    fn close_with(&mut self, slot: Slot, response: &Response<'_>) -> Disposition {
        let expired = self.in_flight.is_expired(slot);
        self.in_flight.close(slot);
        if expired {
            return Disposition::Late { slot };
        }
        Disposition::Answer {
            slot,
            outcome: AnswerOutcome::of(response),
            done: Done::Yes,
        }
    }

    fn open_list(&mut self, slot: Slot, response: &Response<'_>) -> Disposition {
        let outcome = AnswerOutcome::of(response);
        if outcome == AnswerOutcome::Error {
            return self.close_with(slot, response);
        }
        self.in_flight.open_list(slot, response);
        if self.in_flight.is_expired(slot) {
            return Disposition::Unmatched;
        }
        Disposition::Answer {
            slot,
            outcome,
            done: Done::No,
        }
    }

    /// A server that does not know the action answers it with an error, and the Ping behind it with a Pong.
    fn handle_fence(&mut self, slot: Slot, response: &Response<'_>) -> Disposition {
        let expired = self.in_flight.is_expired(slot);
        let is_pong = response.frame().get("Ping").is_some()
            || matches!(response.status(), Status::Legacy(b"Pong"));
        if is_pong {
            let items = self.in_flight.texts(slot);
            self.in_flight.close(slot);
            if expired {
                return Disposition::Late { slot };
            }
            return Disposition::Complete {
                slot,
                items,
                listed: None,
            };
        }
        if expired {
            return Disposition::Unmatched;
        }
        Disposition::Answer {
            slot,
            outcome: AnswerOutcome::of(response),
            done: Done::No,
        }
    }

    /// AMI answers in order, so raw text belongs to the oldest action, if that one has raw text for an answer.
    fn handle_text(&mut self) -> Disposition {
        let Some(slot) = self.in_flight.oldest_unanswered() else {
            return Disposition::Unmatched;
        };
        match self.in_flight.count_text(slot) {
            Some(index) if !self.in_flight.is_expired(slot) => Disposition::Item { slot, index },
            _ => Disposition::Unmatched,
        }
    }
}

impl AnswerOutcome {
    fn of(response: &Response<'_>) -> Self {
        match response.status() {
            Status::Success | Status::Goodbye | Status::Follows | Status::Legacy(_) => {
                Self::Success
            }
            Status::Error | Status::Unrecognised(_) => Self::Error,
        }
    }
}

#[cfg(test)]
mod tests;
