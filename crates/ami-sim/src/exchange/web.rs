//! Sessions over HTTP: who a request belongs to, what it is answered, and when an event that somebody waits for is told.
//!
//! Unlike on a wire, a session outlives its connections, and a WaitEvent does not keep other requests from being answered.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use rand_chacha::rand_core::Rng;

use super::Exchange;
use crate::account::Account;
use crate::manager_settings::Web;
use crate::message::{Headers, IdBuffer};
use crate::outbox::Output;
use crate::pbx::SessionKey;
use crate::request::Request;
use crate::server_session::{Addresses, ServerSession, Wait};
use crate::web::{After, Method, Naming, Refusal, Resource, Site, WebRequest, WebResponse};

mod nonce;

use nonce::DigestUse;

/// WaitEvent over HTTP ends so long before its session would.
const WAIT_MARGIN: Duration = Duration::from_secs(10);
/// WaitEvent looks once in so long whether there is an event.
const WAIT_STEP: Duration = Duration::from_secs(1);
/// Asterisk has no bound, but every request without a cookie makes a session of five seconds.
const SESSIONS_MAX: usize = 10_000;
/// Requests of one session that wait for the one that is being served.
const JOBS_MAX: usize = 100;

#[derive(Debug, Default)]
pub(super) struct WebSessions {
    /// By the number in their cookie, or their nonce.
    sessions: BTreeMap<u32, WebSession>,
    /// Who waits for an answer.
    asked: BTreeSet<SessionKey>,
    /// Answers that were not taken yet.
    answers: BTreeMap<SessionKey, WebResponse>,
}

#[derive(Debug)]
struct WebSession {
    seat: SessionKey,
    expires_at: Duration,
    lifetime: Duration,
    digest: Option<DigestUse>,
    /// The first is being served.
    jobs: VecDeque<Job>,
    serving: Serving,
    wait: Option<Waiting>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Serving {
    Nothing,
    FirstJob,
}

/// One request, and what its answer will look like.
#[derive(Debug)]
struct Job {
    ticket: SessionKey,
    request: Request,
    style: Style,
}

#[derive(Clone, Debug)]
struct Style {
    resource: Resource,
    naming: Naming,
    method: Method,
    after: After,
}

#[derive(Debug)]
struct Waiting {
    ticket: SessionKey,
    style: Style,
    action_id: Vec<u8>,
    /// When it looks again.
    looks_at: Duration,
    until: Duration,
}

impl WebSessions {
    pub(super) fn next_at(&self) -> Option<Duration> {
        let due = |session: &WebSession| match &session.wait {
            Some(wait) => Some(wait.looks_at),
            None if session.serving == Serving::Nothing => Some(session.expires_at),
            None => None,
        };
        self.sessions.values().filter_map(due).min()
    }
}

impl Exchange {
    /// Takes a request; its answer is fetched with what this returns, perhaps only once that was woken.
    pub fn ask_web(
        &mut self,
        now: Duration,
        addresses: Addresses,
        request: &WebRequest,
    ) -> SessionKey {
        let ticket = self.next_key();
        self.web.asked.insert(ticket);
        let request = &self.pbx.rewrite_web_request(ticket, request);
        match self.web_session(now, addresses, request) {
            Err(refusal) => {
                let response = self.refusal_page(now, &refusal, After::of(request));
                self.web.answers.insert(ticket, response);
            }
            Ok((id, resource)) => {
                let job = Job {
                    ticket,
                    request: Request::of(&request.parameters),
                    style: Style::of(request, resource),
                };
                if let Some(session) = self.web.sessions.get_mut(&id) {
                    session.expires_at = now + session.lifetime;
                    session.jobs.push_back(job);
                }
                self.pump_session(now, id);
                self.pump_web(now);
            }
        }
        ticket
    }

    /// The answer, if it is there.
    pub fn take_web(&mut self, ticket: SessionKey) -> Option<WebResponse> {
        let answer = self.web.answers.remove(&ticket)?;
        self.web.asked.remove(&ticket);
        Some(self.pbx.rewrite_web_answer(Some(ticket), answer))
    }

    /// Whoever asked does not wait for the answer any more. What was asked goes on.
    pub fn forget_web(&mut self, ticket: SessionKey) {
        self.web.asked.remove(&ticket);
        self.web.answers.remove(&ticket);
        self.pbx.defects.forget_web(ticket);
    }

    /// What bytes that are no request are answered.
    pub fn web_refusal(&mut self, now: Duration, refusal: &Refusal, after: After) -> WebResponse {
        let page = self.refusal_page(now, refusal, after);
        self.pbx.rewrite_web_answer(None, page)
    }

    fn refusal_page(&self, now: Duration, refusal: &Refusal, after: After) -> WebResponse {
        self.site(now, after).refusal(refusal)
    }

    fn site(&self, now: Duration, after: After) -> Site {
        Site {
            server: format!("Asterisk/{}", self.pbx.profile.asterisk_version),
            wall: self.pbx.wall(now),
            after,
        }
    }

    fn web_session(
        &mut self,
        now: Duration,
        addresses: Addresses,
        request: &WebRequest,
    ) -> Result<(u32, Resource), Refusal> {
        let is_on = self.pbx.profile.manager.web == Web::Enabled;
        let resource = request
            .resource
            .filter(|_| is_on)
            .ok_or(Refusal::NotFound)?;
        if request.method == Method::Other {
            return Err(Refusal::NotImplemented);
        }
        let id = if resource.by_digest {
            self.digest_session(now, addresses, request)?
        } else {
            let known = request.cookie.filter(|id| {
                let session = self.web.sessions.get(id);
                session.is_some_and(|session| session.digest.is_none())
            });
            match known {
                Some(id) => id,
                None => self.new_web_session(now, addresses, None)?,
            }
        };
        let full = self
            .web
            .sessions
            .get(&id)
            .is_some_and(|session| session.jobs.len() >= JOBS_MAX);
        if full {
            Err(Refusal::Busy)
        } else {
            Ok((id, resource))
        }
    }

    fn new_web_session(
        &mut self,
        now: Duration,
        addresses: Addresses,
        digest: Option<(u32, Account)>,
    ) -> Result<u32, Refusal> {
        if self.web.sessions.len() >= SESSIONS_MAX {
            return Err(Refusal::Busy);
        }
        let seat = self.next_key();
        let mut session = ServerSession::open_web(now, seat, addresses, &self.pbx);
        let (id, digest) = match digest {
            None => (self.next_web_id(), None),
            Some((nonce, account)) => {
                let user = account.name.clone();
                session.dialogue().let_in(now, account);
                (nonce, Some(DigestUse::begin(now, user)))
            }
        };
        self.seat(now, seat, session);
        let lifetime = self.pbx.flaws.web_patience;
        self.web.sessions.insert(
            id,
            WebSession {
                seat,
                expires_at: now + lifetime,
                lifetime,
                digest,
                jobs: VecDeque::new(),
                serving: Serving::Nothing,
                wait: None,
            },
        );
        self.renew(now, id);
        Ok(id)
    }

    fn next_web_id(&mut self) -> u32 {
        loop {
            let id = self.pbx.rng.next_u32() & 0x7fff_ffff;
            if id != 0 && !self.web.sessions.contains_key(&id) {
                return id;
            }
        }
    }

    /// Lets a session live on, as long as befits it.
    fn renew(&mut self, now: Duration, id: u32) {
        let patience = self.pbx.flaws.web_patience;
        let (Some(session), timeout) = (
            self.web.sessions.get_mut(&id),
            self.pbx.profile.manager.http_timeout(),
        ) else {
            return;
        };
        let seat = self.sessions.get(&session.seat);
        let known = seat.is_some_and(|seat| seat.session.account().is_some());
        session.lifetime = match known {
            true => self.pbx.flaws.web_lifetime.unwrap_or(timeout),
            false => patience,
        };
        session.expires_at = now + session.lifetime;
    }

    /// Takes up what sessions have come to.
    pub(super) fn pump_web(&mut self, now: Duration) {
        let serving = |(id, session): (&u32, &WebSession)| {
            (session.serving == Serving::FirstJob).then_some(*id)
        };
        let ids: Vec<u32> = self.web.sessions.iter().filter_map(serving).collect();
        for id in ids {
            self.pump_session(now, id);
        }
    }

    /// Serves one request of a session after the other, until one takes its time.
    fn pump_session(&mut self, now: Duration, id: u32) {
        loop {
            let Some(session) = self.web.sessions.get_mut(&id) else {
                return;
            };
            let key = session.seat;
            let Some(seat) = self.sessions.get_mut(&key) else {
                return self.end_web(now, id);
            };
            match session.serving {
                Serving::FirstJob if seat.session.is_idle() || seat.session.is_closed() => {
                    session.serving = Serving::Nothing;
                    self.answer_web(now, id);
                }
                Serving::FirstJob => return,
                Serving::Nothing => {
                    let Some(job) = session.jobs.front_mut() else {
                        return;
                    };
                    let request = std::mem::take(&mut job.request);
                    session.serving = Serving::FirstJob;
                    seat.session.put_request(now, request, &mut self.pbx);
                    self.run_session(now, key);
                }
            }
        }
    }

    /// The first request of a session was answered, waits for an event, or ended the session.
    fn answer_web(&mut self, now: Duration, id: u32) {
        let Some(session) = self.web.sessions.get_mut(&id) else {
            return;
        };
        let (Some(job), Some(seat)) = (
            session.jobs.pop_front(),
            self.sessions.get_mut(&session.seat),
        ) else {
            return;
        };
        let messages = said(&mut seat.session);
        let (wait, closed) = (
            seat.session.dialogue().take_wait(),
            seat.session.is_closed(),
        );
        match wait {
            Some(wait) => self.wait_on_web(now, id, job, wait),
            None => {
                self.renew(now, id);
                self.respond(now, Some(id), (job.ticket, &job.style), &messages);
            }
        }
        if closed {
            self.end_web(now, id);
        }
    }

    fn wait_on_web(&mut self, now: Duration, id: u32, job: Job, wait: Wait) {
        let longest = self
            .pbx
            .profile
            .manager
            .http_timeout()
            .saturating_sub(WAIT_MARGIN);
        let until = wait
            .until
            .map_or(now + longest, |until| until.min(now + longest));
        let waiting = Waiting {
            ticket: job.ticket,
            style: job.style,
            action_id: wait.action_id,
            looks_at: now,
            until,
        };
        let before = self
            .web
            .sessions
            .get_mut(&id)
            .and_then(|session| session.wait.replace(waiting));
        // Whoever waits already is answered with nothing at all.
        if let Some(kicked) = before {
            self.respond(now, Some(id), (kicked.ticket, &kicked.style), b"");
        }
        self.look_for_events(now, id);
    }

    /// A WaitEvent looks whether it may end.
    fn look_for_events(&mut self, now: Duration, id: u32) {
        let Some(session) = self.web.sessions.get_mut(&id) else {
            return;
        };
        let Some(seat) = self.sessions.get_mut(&session.seat) else {
            return;
        };
        let dialogue = seat.session.dialogue();
        let Some(mut wait) = session.wait.take() else {
            return;
        };
        if !dialogue.has_events() && now < wait.until {
            wait.looks_at = (wait.looks_at + WAIT_STEP).min(wait.until);
            session.wait = Some(wait);
            return;
        }
        let events = dialogue.take_events();
        dialogue.answer(Headers::success(
            &wait.action_id,
            "Waiting for Event completed.",
        ));
        let mut messages = said(&mut seat.session);
        for event in events {
            messages.extend_from_slice(&event.bytes);
        }
        seat.session.dialogue().answer(
            Headers::event("WaitEventComplete").with_id_in(IdBuffer::List, &wait.action_id),
        );
        messages.extend(said(&mut seat.session));
        self.renew(now, id);
        self.respond(now, Some(id), (wait.ticket, &wait.style), &messages);
    }

    pub(super) fn web_timeout(&mut self, now: Duration) {
        self.pump_web(now);
        let due = |(id, session): (&u32, &WebSession)| match &session.wait {
            Some(wait) => (wait.looks_at <= now).then_some(*id),
            None => {
                let idle = session.serving == Serving::Nothing;
                (idle && session.expires_at <= now).then_some(*id)
            }
        };
        let ids: Vec<u32> = self.web.sessions.iter().filter_map(due).collect();
        for id in ids {
            match self
                .web
                .sessions
                .get(&id)
                .map(|session| session.wait.is_some())
            {
                Some(true) => self.look_for_events(now, id),
                _ => self.end_web(now, id),
            }
        }
    }

    fn end_web(&mut self, now: Duration, id: u32) {
        let Some(session) = self.web.sessions.remove(&id) else {
            return;
        };
        if let Some(seat) = self.sessions.remove(&session.seat) {
            self.forget(session.seat, seat);
        }
        let waiting = session.wait.map(|wait| (wait.ticket, wait.style));
        let queued = session.jobs.into_iter().map(|job| (job.ticket, job.style));
        for (ticket, style) in waiting.into_iter().chain(queued) {
            self.respond(now, None, (ticket, &style), b"");
        }
    }

    fn respond(
        &mut self,
        now: Duration,
        id: Option<u32>,
        (ticket, style): (SessionKey, &Style),
        messages: &[u8],
    ) {
        let timeout = self.pbx.profile.manager.http_timeout();
        let cookie = id
            .filter(|_| !style.resource.by_digest)
            .map(|id| (id, timeout));
        let body = style.resource.format.body(messages, &style.naming);
        // An answer of nothing has no frame around it either.
        let body = if messages.is_empty() {
            Vec::new()
        } else {
            body
        };
        let response = self
            .site(now, style.after)
            .answer(style.resource.format, cookie, &body);
        let response = match style.method {
            Method::Head => response.without_body(),
            _ => response,
        };
        if self.web.asked.contains(&ticket) {
            self.web.answers.insert(ticket, response);
            self.woken.insert(ticket);
        }
    }
}

impl Style {
    fn of(request: &WebRequest, resource: Resource) -> Self {
        let mut naming = Naming::default();
        if let Some(id) = request.parameter("ajaxdest") {
            naming.id = id.to_vec();
        }
        if let Some(kind) = request.parameter("ajaxobjtype") {
            naming.kind = kind.to_vec();
        }
        Self {
            resource,
            naming,
            method: request.method,
            after: After::of(request),
        }
    }
}

/// Everything that a session has said.
fn said(session: &mut ServerSession) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Some(output) = session.poll_output() {
        if let Output::Write(chunk) = output {
            bytes.extend_from_slice(chunk.bytes());
        }
    }
    bytes
}
