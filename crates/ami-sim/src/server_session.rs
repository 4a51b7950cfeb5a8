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
use crate::defect::{self, Course, Incoming, Notes};
use crate::encode::CommandFraming;
use crate::event_filter::EventFilters;
use crate::fault::{Appetite, Moment, Planted};
use crate::message::{Event, Headers, IdBuffer, Message};
use crate::outbox::{Outbox, Output};
use crate::pbx::{OriginateEnd, Pbx, SessionKey};
use crate::request::{Damage, Reader, Request};
use crate::text::Text;

mod turn;

/// Events that pile up behind a blocking action; Asterisk has no bound here, a simulator on a small machine needs one.
const HELD_EVENTS_MAX: usize = 100_000;

/// The two ends of a session, as security events name them.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    pub local: SocketAddr,
    pub remote: SocketAddr,
}

/// What carries a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    Plain,
    Tls,
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
    pub(crate) transport: Transport,
    pub(crate) auth: Auth,
    /// What the client asked to see; its rights limit it further.
    pub(crate) mask: Classes,
    phase: Phase,
    door: Door,
    outbox: Outbox,
    held: VecDeque<Arc<Event>>,
    /// What answers the action that is served, where defects or faults want to see it whole.
    turn: Option<Vec<Text>>,
    notes: Notes,
}

#[derive(Debug)]
pub(crate) enum Auth {
    Anonymous {
        challenge: Option<String>,
    },
    User {
        account: Box<Account>,
        challenge: Option<String>,
        since: Duration,
    },
}

/// How a client comes in.
#[derive(Debug)]
enum Door {
    Wire,
    /// Over HTTP: nothing is said but answers, and events wait until they are asked for.
    Web {
        waits: Option<Wait>,
    },
}

/// What a WaitEvent over HTTP asked for.
#[derive(Debug)]
pub(crate) struct Wait {
    pub(crate) action_id: Vec<u8>,
    pub(crate) until: Option<Duration>,
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
    /// A WaitEvent is under way.
    Waiting {
        action_id: Vec<u8>,
        until: Option<Duration>,
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
        match &mut self.turn {
            None => self.outbox.answer(message),
            Some(turn) => turn.push(Text::of(message.into(), self.outbox.framing())),
        }
    }

    pub(crate) fn framing(&self) -> CommandFraming {
        self.outbox.framing()
    }

    pub(crate) fn notes(&mut self) -> &mut Notes {
        &mut self.notes
    }

    pub(crate) fn is_reading(&self) -> bool {
        matches!(self.phase, Phase::Reading)
    }

    /// As after a login.
    pub(crate) fn let_in(&mut self, now: Duration, account: Account) {
        let challenge = self.challenge().take();
        self.auth = Auth::User {
            account: Box::new(account),
            challenge,
            since: now,
        };
        self.phase = Phase::Reading;
    }

    pub(crate) fn account(&self) -> Option<&Account> {
        match &self.auth {
            Auth::User { account, .. } => Some(account),
            Auth::Anonymous { .. } => None,
        }
    }

    pub(crate) fn logged_in_at(&self) -> Option<Duration> {
        match &self.auth {
            Auth::User { since, .. } => Some(*since),
            Auth::Anonymous { .. } => None,
        }
    }

    /// What the account's filters have become in this session.
    pub(crate) fn filters(&mut self) -> Option<&mut EventFilters> {
        match &mut self.auth {
            Auth::User { account, .. } => Some(&mut account.filters),
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

    /// Whether an event that concerns the session is for its client too. Those who have not logged in hear none, unless a
    /// defect tells them.
    fn is_told(&self, event: &Event) -> bool {
        let hears = self.hears().contains(event.classes);
        self.account()
            .is_none_or(|account| hears && account.filters.pass(&event.bytes))
    }

    pub(crate) fn suffer(&mut self, planted: &Planted) {
        self.outbox.suffer(planted);
    }

    /// Behind the answer that is being given, if there is one.
    pub(crate) fn close(&mut self) {
        if self.turn.is_none() {
            self.outbox.end();
        }
        self.phase = Phase::Closed;
    }

    pub(crate) fn fail(&mut self, at: Duration, message: Headers) {
        self.phase = Phase::Failing { at, message };
    }

    pub(crate) fn wait_for_call(&mut self, action_id: &[u8]) {
        self.phase = Phase::Originating {
            action_id: action_id.to_vec(),
        };
    }

    pub(crate) fn wait_for_event(&mut self, action_id: &[u8], until: Option<Duration>) {
        let action_id = action_id.to_vec();
        match &mut self.door {
            Door::Wire => self.phase = Phase::Waiting { action_id, until },
            Door::Web { waits } => *waits = Some(Wait { action_id, until }),
        }
    }

    pub(crate) fn take_wait(&mut self) -> Option<Wait> {
        match &mut self.door {
            Door::Wire => None,
            Door::Web { waits } => waits.take(),
        }
    }

    fn is_on_the_web(&self) -> bool {
        matches!(self.door, Door::Web { .. })
    }

    pub(crate) fn has_events(&self) -> bool {
        !self.held.is_empty()
    }

    /// The events that came since this was last asked, and whether the client may see them.
    pub(crate) fn take_events(&mut self) -> Vec<Arc<Event>> {
        if self.mask.is_empty() {
            self.mask = Classes::ALL;
        }
        let held = std::mem::take(&mut self.held);
        held.into_iter()
            .filter(|event| self.is_told(event))
            .collect()
    }

    /// Answers a WaitEvent, with the event that ended it if the session may see it.
    fn end_waiting(&mut self, event: Option<&Arc<Event>>) {
        if !matches!(self.phase, Phase::Waiting { .. }) {
            return;
        }
        let Phase::Waiting { action_id, .. } = std::mem::replace(&mut self.phase, Phase::Reading)
        else {
            return;
        };
        self.answer(Headers::success(&action_id, "Waiting for Event completed."));
        match (event, &mut self.turn) {
            (None, _) => {}
            (Some(event), None) => self.outbox.event(Arc::clone(event)),
            (Some(event), Some(turn)) => turn.push(Text(event.bytes.to_vec())),
        }
        self.answer(Headers::event("WaitEventComplete").with_id_in(IdBuffer::List, &action_id));
    }

    fn release_held(&mut self) {
        if self.is_on_the_web() {
            return;
        }
        while let Some(event) = self.held.pop_front() {
            self.outbox.event(event);
        }
    }
}

impl ServerSession {
    pub(crate) fn open(now: Duration, key: SessionKey, addresses: Addresses, pbx: &Pbx) -> Self {
        let mut outbox = Outbox::new(pbx.profile.command_framing);
        for planted in pbx.faults.standing() {
            outbox.suffer(planted);
        }
        let banner = (pbx.flaws.greet)(&pbx.profile.banner, key);
        outbox.say(Moment::Banner, vec![Text(banner.into_bytes())]);
        let dialogue = Dialogue {
            key,
            addresses,
            opened_at: now,
            transport: Transport::Plain,
            auth: Auth::Anonymous { challenge: None },
            mask: Classes::ALL,
            phase: Phase::Reading,
            door: Door::Wire,
            outbox,
            held: VecDeque::new(),
            turn: None,
            notes: Notes::default(),
        };
        let reader = Reader::new(pbx.profile.base.overlong_line());
        Self {
            input: VecDeque::new(),
            reader,
            dialogue,
        }
    }

    /// A session of somebody who comes in over HTTP.
    pub(crate) fn open_web(
        now: Duration,
        key: SessionKey,
        addresses: Addresses,
        pbx: &Pbx,
    ) -> Self {
        let mut session = Self::open(now, key, addresses, pbx);
        session.dialogue.outbox = Outbox::new(pbx.profile.command_framing);
        session.dialogue.door = Door::Web { waits: None };
        session.dialogue.mask = Classes::NONE;
        session
    }

    /// Begins to answer a request that came in another way than as input.
    pub(crate) fn put_request(&mut self, now: Duration, request: Request, pbx: &mut Pbx) {
        let service = action::service_time(&request, pbx);
        self.reader.put(request);
        self.begin(now, service, pbx);
    }

    /// Whether nothing is being answered.
    pub(crate) fn is_idle(&self) -> bool {
        self.dialogue.is_reading() && self.dialogue.turn.is_none()
    }

    pub(crate) fn dialogue(&mut self) -> &mut Dialogue {
        &mut self.dialogue
    }

    /// The events that concern this session: any at all ends a WaitEvent.
    pub(crate) fn hears(&self) -> Classes {
        match self.dialogue.phase {
            Phase::Waiting { .. } => Classes::ALL,
            _ if self.dialogue.is_on_the_web() => Classes::ALL,
            _ => self.dialogue.hears(),
        }
    }

    pub(crate) fn account(&self) -> Option<&Account> {
        self.dialogue.account()
    }

    /// Whether an action was answered after the login.
    pub(crate) fn has_acted(&self) -> bool {
        self.account().is_some() && !defect::is_login(self.reader.request())
    }

    pub(crate) fn is_closed(&self) -> bool {
        matches!(self.dialogue.phase, Phase::Closed)
    }

    /// How much the driver may read; while it is nothing the bytes stay in the socket, as with Asterisk.
    pub(crate) fn appetite(&self) -> Appetite {
        let waits = matches!(self.dialogue.phase, Phase::Waiting { .. });
        let reads = self.dialogue.is_reading() && self.input.is_empty();
        if !waits && !reads {
            Appetite::None
        } else if self.account().is_none() {
            Appetite::Usual
        } else {
            self.dialogue.outbox.appetite()
        }
    }

    pub(crate) fn push_input(&mut self, now: Duration, bytes: &[u8], pbx: &Pbx) {
        if self.is_closed() {
            return;
        }
        if self.account().is_some() && self.dialogue.outbox.leaves_at_input() {
            return self.dialogue.close();
        }
        if pbx.defects.is_empty() {
            self.dialogue.end_waiting(None);
            self.input.extend(bytes);
            return;
        }
        let mut incoming = Incoming {
            now,
            bytes: bytes.to_vec(),
            session: &mut self.dialogue,
        };
        defect::receive(&mut incoming, pbx);
        let bytes = incoming.bytes;
        if !bytes.is_empty() {
            self.dialogue.end_waiting(None);
        }
        self.input.extend(bytes);
    }

    /// Reads and answers at most one request.
    pub(crate) fn step(&mut self, now: Duration, pbx: &mut Pbx) -> Progress {
        self.end_turn(now, pbx);
        let progress = self.go_on(now, pbx);
        self.end_turn(now, pbx);
        progress
    }

    fn go_on(&mut self, now: Duration, pbx: &mut Pbx) -> Progress {
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
            Phase::Waiting {
                until: Some(until), ..
            } if *until <= now => {
                self.dialogue.end_waiting(None);
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
            None => {}
            Some(service) => self.begin(now, service, pbx),
        }
        Progress::Acted
    }

    fn begin(&mut self, now: Duration, service: Duration, pbx: &mut Pbx) {
        if service == Duration::ZERO {
            return self.act(now, pbx);
        }
        let until = now + service;
        self.dialogue.phase = Phase::Serving { until };
    }

    /// Answers the request that the reader holds.
    fn act(&mut self, now: Duration, pbx: &mut Pbx) {
        if !pbx.is_sound() {
            self.dialogue.turn = Some(Vec::new());
            if self.rewrite_turn(now, pbx, defect::before) == Course::Answered {
                return;
            }
        }
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

    /// An event that concerns this session: said at once, or after the action that is being served.
    pub(crate) fn hear(&mut self, event: &Arc<Event>) -> Progress {
        let told = self.dialogue.is_told(event);
        match self.dialogue.phase {
            Phase::Waiting { .. } => {
                self.dialogue.end_waiting(told.then_some(event));
                return Progress::Acted;
            }
            _ if !told && !self.dialogue.is_on_the_web() => {}
            Phase::Reading if self.is_idle() && !self.dialogue.is_on_the_web() => {
                self.dialogue.release_held();
                self.dialogue.outbox.event(Arc::clone(event));
            }
            Phase::Closed => {}
            _ if self.dialogue.held.len() == HELD_EVENTS_MAX => self.dialogue.close(),
            _ => self.dialogue.held.push_back(Arc::clone(event)),
        }
        Progress::Idle
    }

    /// When something is to happen without input.
    pub(crate) fn poll_timeout(&self, pbx: &Pbx) -> Option<Duration> {
        match (&self.dialogue.phase, &self.dialogue.auth) {
            (Phase::Serving { until }, _) => Some(*until),
            (Phase::Failing { at, .. }, _) => Some(*at),
            (Phase::Waiting { until, .. }, _) => *until,
            (Phase::Reading, Auth::Anonymous { .. }) if !self.dialogue.is_on_the_web() => {
                Some(self.dialogue.opened_at + pbx.accounts.auth_timeout)
            }
            _ => None,
        }
    }

    /// Ends a session that did not log in in time, without a word.
    pub(crate) fn handle_timeout(&mut self, now: Duration, pbx: &Pbx) {
        let anonymous =
            matches!(self.dialogue.auth, Auth::Anonymous { .. }) && !self.dialogue.is_on_the_web();
        let reading = matches!(self.dialogue.phase, Phase::Reading);
        if anonymous && reading && now >= self.dialogue.opened_at + pbx.accounts.auth_timeout {
            self.dialogue.close();
        }
    }

    pub(crate) fn poll_output(&mut self) -> Option<Output> {
        self.dialogue.outbox.pop()
    }

    pub(crate) fn is_too_slow(&self) -> bool {
        self.dialogue.outbox.is_overfull()
    }
}
