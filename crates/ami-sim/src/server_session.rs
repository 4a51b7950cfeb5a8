//! The PBX's side of one AMI session, without a socket: who is logged in, what is being answered, what waits.
//!
//! As in Asterisk, one action at a time: while one is served, neither further input nor events get through.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::account::Account;
use crate::action::{self, Act};
use crate::class::Classes;
use crate::fault::Fault;
use crate::message::{Event, Headers, Message};
use crate::outbox::{Outbox, Output};
use crate::pbx::{OriginateEnd, Pbx, SessionKey};
use crate::request::{Damage, Reader};

/// Events that pile up behind a blocking action; Asterisk has no bound here, a simulator on a small machine needs one.
const HELD_EVENTS_MAX: usize = 100_000;
/// A failed login is answered after so long, and the session ends.
pub(crate) const FAILURE_DELAY: Duration = Duration::from_secs(1);

/// The two ends of a session, as security events name them.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    pub local: SocketAddr,
    pub remote: SocketAddr,
}

#[derive(Debug)]
pub struct ServerSession {
    input: VecDeque<u8>,
    reader: Reader,
    dialogue: Dialogue,
}

/// All that an action may look at and change.
#[derive(Debug)]
pub(crate) struct Dialogue {
    pub(crate) key: SessionKey,
    pub(crate) addresses: Addresses,
    pub(crate) opened_at: Duration,
    pub(crate) auth: Auth,
    /// What the client asked to see; its rights limit it further.
    pub(crate) mask: Classes,
    phase: Phase,
    outbox: Outbox,
    held: VecDeque<Arc<Event>>,
}

#[derive(Debug)]
pub(crate) enum Auth {
    Anonymous {
        challenge: Option<String>,
    },
    User {
        account: Account,
        challenge: Option<String>,
    },
}

#[derive(Debug)]
enum Phase {
    Reading,
    /// The request in the reader takes its time.
    Serving {
        until: Duration,
    },
    /// A synchronous Originate is under way.
    Originating {
        action_id: Vec<u8>,
    },
    /// This will be said at last, and the session ends.
    Failing {
        at: Duration,
        message: Headers,
    },
    Closed,
}

/// Whether a session did something, so that others may have something to hear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    Acted,
    Idle,
}

impl Dialogue {
    pub(crate) fn answer(&mut self, message: impl Into<Message>) {
        self.outbox.answer(message);
    }

    pub(crate) fn account(&self) -> Option<&Account> {
        match &self.auth {
            Auth::User { account, .. } => Some(account),
            Auth::Anonymous { .. } => None,
        }
    }

    pub(crate) fn challenge(&mut self) -> &mut Option<String> {
        match &mut self.auth {
            Auth::Anonymous { challenge } | Auth::User { challenge, .. } => challenge,
        }
    }

    /// The classes of the events that this session gets.
    pub(crate) fn hears(&self) -> Classes {
        self.account()
            .map_or(Classes::NONE, |account| account.read & self.mask)
    }

    pub(crate) fn suffer(&mut self, fault: Fault) {
        match fault {
            Fault::Reset => self.outbox.reset(),
            // It is not this session's alone.
            Fault::Late(_) => {}
        }
    }

    pub(crate) fn close(&mut self) {
        self.outbox.push(Output::Fin);
        self.phase = Phase::Closed;
    }

    pub(crate) fn fail(&mut self, now: Duration, message: Headers) {
        self.phase = Phase::Failing {
            at: now + FAILURE_DELAY,
            message,
        };
    }

    pub(crate) fn wait_for_call(&mut self, action_id: &[u8]) {
        self.phase = Phase::Originating {
            action_id: action_id.to_vec(),
        };
    }

    fn release_held(&mut self) {
        while let Some(event) = self.held.pop_front() {
            self.outbox.event(event);
        }
    }
}

impl ServerSession {
    pub(crate) fn open(now: Duration, key: SessionKey, addresses: Addresses, pbx: &Pbx) -> Self {
        let mut outbox = Outbox::new(pbx.profile.command_framing);
        outbox.write(format!("{}\r\n", pbx.profile.banner).into_bytes());
        let dialogue = Dialogue {
            key,
            addresses,
            opened_at: now,
            auth: Auth::Anonymous { challenge: None },
            mask: Classes::ALL,
            phase: Phase::Reading,
            outbox,
            held: VecDeque::new(),
        };
        let reader = Reader::new(pbx.profile.base.overlong_line());
        Self {
            input: VecDeque::new(),
            reader,
            dialogue,
        }
    }

    pub(crate) fn hears(&self) -> Classes {
        self.dialogue.hears()
    }

    pub(crate) fn account(&self) -> Option<&Account> {
        self.dialogue.account()
    }

    pub(crate) fn is_closed(&self) -> bool {
        matches!(self.dialogue.phase, Phase::Closed)
    }

    /// While false the driver leaves the bytes in the socket, as Asterisk does.
    pub(crate) fn wants_input(&self) -> bool {
        matches!(self.dialogue.phase, Phase::Reading) && self.input.is_empty()
    }

    pub(crate) fn push_input(&mut self, bytes: &[u8]) {
        if !self.is_closed() {
            self.input.extend(bytes);
        }
    }

    /// Reads and answers at most one request.
    pub(crate) fn step(&mut self, now: Duration, pbx: &mut Pbx) -> Progress {
        match &self.dialogue.phase {
            Phase::Reading => {
                self.dialogue.release_held();
                self.read_request(now, pbx)
            }
            Phase::Serving { until } if *until <= now => {
                self.dialogue.phase = Phase::Reading;
                self.act(now, pbx);
                Progress::Acted
            }
            Phase::Failing { at, .. } if *at <= now => {
                if let Phase::Failing { message, .. } =
                    std::mem::replace(&mut self.dialogue.phase, Phase::Closed)
                {
                    self.dialogue.answer(message);
                }
                self.dialogue.close();
                Progress::Acted
            }
            _ => Progress::Idle,
        }
    }

    fn read_request(&mut self, now: Duration, pbx: &mut Pbx) -> Progress {
        let (mut front, _) = self.input.as_slices();
        if front.is_empty() {
            return Progress::Idle;
        }
        let before = front.len();
        let service = self
            .reader
            .read(&mut front)
            .map(|request| action::service_time(request, pbx));
        self.input.drain(..before - front.len());
        match service {
            None => return Progress::Acted,
            Some(Duration::ZERO) => self.act(now, pbx),
            Some(service) => {
                self.dialogue.phase = Phase::Serving {
                    until: now + service,
                }
            }
        }
        Progress::Acted
    }

    /// Answers the request that the reader holds.
    fn act(&mut self, now: Duration, pbx: &mut Pbx) {
        let request = self.reader.request();
        let session = &mut self.dialogue;
        match request.damage() {
            Damage::None => action::perform(&mut Act {
                now,
                request,
                session,
                pbx,
            }),
            Damage::LineTooLong => session.answer(Headers::error(
                request.action_id(),
                "Failed to parse message: line too long",
            )),
            Damage::TooManyLines => session.answer(Headers::error(
                request.action_id(),
                "Too many lines in message or allocation failure",
            )),
        }
    }

    /// The synchronous Originate that this session waits for has ended.
    pub(crate) fn originate_ended(&mut self, end: OriginateEnd) {
        if let Phase::Originating { action_id } = &self.dialogue.phase {
            let message = match end {
                OriginateEnd::Answered => {
                    Headers::success(action_id, "Originate successfully queued")
                }
                OriginateEnd::Failed => Headers::error(action_id, "Originate failed"),
            };
            self.dialogue.answer(message);
            self.dialogue.phase = Phase::Reading;
        }
    }

    /// An event that this session may hear: said at once, or after the action that is being served.
    pub(crate) fn hear(&mut self, event: &Arc<Event>) {
        match self.dialogue.phase {
            Phase::Reading => {
                self.dialogue.release_held();
                self.dialogue.outbox.event(Arc::clone(event));
            }
            Phase::Closed => {}
            _ if self.dialogue.held.len() == HELD_EVENTS_MAX => self.dialogue.close(),
            _ => self.dialogue.held.push_back(Arc::clone(event)),
        }
    }

    /// When something is to happen without input.
    pub(crate) fn poll_timeout(&self, pbx: &Pbx) -> Option<Duration> {
        match (&self.dialogue.phase, &self.dialogue.auth) {
            (Phase::Serving { until }, _) => Some(*until),
            (Phase::Failing { at, .. }, _) => Some(*at),
            (Phase::Reading, Auth::Anonymous { .. }) => {
                Some(self.dialogue.opened_at + pbx.accounts.auth_timeout)
            }
            _ => None,
        }
    }

    /// Ends a session that did not log in in time, without a word.
    pub(crate) fn handle_timeout(&mut self, now: Duration, pbx: &Pbx) {
        let anonymous = matches!(self.dialogue.auth, Auth::Anonymous { .. });
        let reading = matches!(self.dialogue.phase, Phase::Reading);
        if anonymous && reading && now >= self.dialogue.opened_at + pbx.accounts.auth_timeout {
            self.dialogue.close();
        }
    }

    pub(crate) fn poll_output(&mut self, late: Option<Duration>) -> Option<Output> {
        self.dialogue.outbox.pop(late)
    }

    pub(crate) fn is_too_slow(&self) -> bool {
        self.dialogue.outbox.is_overfull()
    }
}
