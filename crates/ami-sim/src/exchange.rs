//! A PBX and the sessions on it: carries requests to the model and its events to every session that may hear them.
//!
//! Contract: after each call that takes `now`, drain `poll_output` of the session in question and of every session that
//! `take_woken` names, and call `handle_timeout` again by `poll_timeout`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::account::WRITE_TIMEOUT;
use crate::account_rules::WithoutPermit;
use crate::agenda::{Agenda, Ticket};
use crate::class::Classes;
use crate::counters::Counters;
use crate::defect::{ClientEnd, Defect, LostSession, Overhearing};
use crate::fault::{AcceptFault, Appetite, Planted};
use crate::outbox::Output;
use crate::pbx::{Pbx, SessionKey};
use crate::server::TlsFault;
use crate::server_session::{Addresses, Progress, ServerSession, Transport};

mod web;

use web::WebSessions;

#[derive(Debug)]
pub struct Exchange {
    pbx: Pbx,
    sessions: BTreeMap<SessionKey, Seat>,
    /// Sessions that hear anything at all.
    listeners: BTreeSet<SessionKey>,
    /// Below zero where sessions over HTTP logged in: as in Asterisk a login takes one off, whether or not it was counted.
    anonymous: isize,
    web: WebSessions,
    agenda: Agenda<SessionKey>,
    woken: BTreeSet<SessionKey>,
    next_key: u64,
}

#[derive(Debug)]
struct Seat {
    session: ServerSession,
    hears: Classes,
    /// Whose login is counted, once there is one.
    user: Option<String>,
    deadline: Option<(Duration, Ticket)>,
}

impl Exchange {
    /// A PBX with the faults and defects of its profile.
    pub fn new(mut pbx: Pbx) -> Self {
        let profile = Arc::clone(&pbx.profile);
        for planted in &profile.faults {
            pbx.faults.plant(planted.clone());
        }
        for defect in &profile.defects {
            pbx.spoil(*defect);
        }
        Self {
            pbx,
            sessions: BTreeMap::new(),
            listeners: BTreeSet::new(),
            anonymous: 0,
            web: WebSessions::default(),
            agenda: Agenda::new(),
            woken: BTreeSet::new(),
            next_key: 0,
        }
    }

    pub fn banner(&self) -> &str {
        &self.pbx.profile.banner
    }

    /// A new session, or `None` when too many have not logged in, or a vendor lets nobody in from there: its connection is
    /// closed without a word.
    pub fn accept(&mut self, now: Duration, addresses: Addresses) -> Option<SessionKey> {
        let down = self.pbx.faults.down_until.is_some_and(|until| now < until);
        let limit = isize::try_from(self.pbx.accounts.auth_limit).unwrap_or(isize::MAX);
        let full = self.anonymous >= limit;
        if down || full || !self.admits(addresses) {
            self.pbx.counters.sessions_refused += 1;
            return None;
        }
        self.pbx.counters.sessions_accepted += 1;
        self.anonymous += 1;
        let key = self.next_key();
        let session = ServerSession::open(now, key, addresses, &self.pbx);
        self.seat(now, key, session);
        Some(key)
    }

    fn next_key(&mut self) -> SessionKey {
        self.next_key += 1;
        SessionKey(self.next_key)
    }

    fn seat(&mut self, now: Duration, key: SessionKey, session: ServerSession) {
        let seat = Seat {
            session,
            hears: Classes::NONE,
            user: None,
            deadline: None,
        };
        self.sessions.insert(key, seat);
        self.settle(now, key);
    }

    /// The connection is gone.
    pub fn leave(&mut self, key: SessionKey) {
        if let Some(seat) = self.sessions.remove(&key) {
            if seat.user.is_none() {
                self.anonymous -= 1;
            }
            self.forget(key, seat);
        }
    }

    fn forget(&mut self, key: SessionKey, seat: Seat) {
        match seat.user {
            None => {}
            Some(user) => {
                let left = self
                    .pbx
                    .logins
                    .get_mut(&user)
                    .expect("the login was counted");
                *left -= 1;
                if *left == 0 {
                    self.pbx.logins.remove(&user);
                }
            }
        }
        if let Some((_, ticket)) = seat.deadline {
            self.agenda.cancel(ticket);
        }
        if self.listeners.remove(&key) {
            self.update_wanted();
        }
        if self.pbx.flaws.lost_session == LostSession::EndsAll && !seat.session.is_closed() {
            self.end_all();
        }
    }

    pub fn handle_input(&mut self, now: Duration, key: SessionKey, bytes: &[u8]) {
        if let Some(seat) = self.sessions.get_mut(&key) {
            seat.session.push_input(now, bytes, &self.pbx);
            self.run_session(now, key);
            self.pump_web(now);
        }
    }

    /// The client has ended its direction.
    pub fn handle_end(&self) -> ClientEnd {
        self.pbx.flaws.client_end
    }

    pub fn handle_timeout(&mut self, now: Duration) {
        self.pbx.handle_timeout(now);
        self.carry(now);
        while let Some((_, key)) = self.agenda.take_due(now) {
            if let Some(seat) = self.sessions.get_mut(&key) {
                seat.deadline = None;
                seat.session.handle_timeout(now, &self.pbx);
                self.run_session(now, key);
                self.woken.insert(key);
            }
        }
        self.web_timeout(now);
    }

    pub fn poll_timeout(&self) -> Option<Duration> {
        let due = [
            self.pbx.poll_timeout(),
            self.agenda.next_at(),
            self.web.next_at(),
        ];
        due.into_iter().flatten().min()
    }

    pub fn poll_output(&mut self, key: SessionKey) -> Option<Output> {
        self.sessions.get_mut(&key)?.session.poll_output()
    }

    /// From then on, or from an action on, something goes wrong.
    pub fn plant(&mut self, planted: Planted) {
        self.pbx.faults.plant(planted);
        self.spread_faults();
    }

    pub fn spoil(&mut self, defect: Defect) {
        self.pbx.spoil(defect);
    }

    pub(crate) fn accept_fault(&self) -> Option<AcceptFault> {
        self.pbx.faults.accept()
    }

    /// What is wrong with TLS, before there is a session and at its end.
    pub fn tls_fault(&self) -> Option<TlsFault> {
        self.pbx.faults.tls().or(self.pbx.flaws.tls)
    }

    /// So many bytes of a record of TLS are read at once.
    pub fn tls_record_bytes(&self) -> usize {
        self.pbx.flaws.tls_record_bytes
    }

    /// Whether a handshake that comes to no end is given up.
    pub fn gives_handshakes_up(&self) -> bool {
        self.pbx.profile.base.gives_handshakes_up()
    }

    /// What is said on this session is said over TLS.
    pub fn secure(&mut self, key: SessionKey) {
        if let Some(seat) = self.sessions.get_mut(&key) {
            seat.session.dialogue().transport = Transport::Tls;
        }
    }

    pub fn appetite(&self, key: SessionKey) -> Appetite {
        self.sessions
            .get(&key)
            .map_or(Appetite::None, |seat| seat.session.appetite())
    }

    /// A session whose peer let too much pile up.
    pub fn is_too_slow(&self, key: SessionKey) -> bool {
        self.sessions
            .get(&key)
            .is_some_and(|seat| seat.session.is_too_slow())
    }

    pub fn count_too_slow(&mut self) {
        self.pbx.counters.sessions_too_slow += 1;
    }

    /// Sessions that have something to say since this was last asked.
    pub fn take_woken(&mut self) -> BTreeSet<SessionKey> {
        std::mem::take(&mut self.woken)
    }

    pub fn counters(&self) -> &Counters {
        &self.pbx.counters
    }

    fn admits(&self, addresses: Addresses) -> bool {
        self.pbx.profile.account_rules.without_permit == WithoutPermit::Allowed
            || self.pbx.accounts.permit(addresses.remote.ip())
    }

    /// How long a session may take no bytes.
    pub fn write_timeout(&self, key: SessionKey) -> Duration {
        let account = self
            .sessions
            .get(&key)
            .and_then(|seat| seat.session.account());
        account.map_or(WRITE_TIMEOUT, |account| account.write_timeout)
    }

    /// Lets a session act until it waits for something; what it caused reaches everybody between two of its actions.
    fn run_session(&mut self, now: Duration, key: SessionKey) {
        loop {
            let Some(seat) = self.sessions.get_mut(&key) else {
                return;
            };
            let progress = seat.session.step(now, &mut self.pbx);
            self.settle(now, key);
            self.spread_faults();
            self.restart_if_due(now, key);
            if self.pbx.flaws.lost_session == LostSession::AllAtOnce {
                self.pbx.flaws.lost_session = LostSession::Nothing;
                self.end_all();
            }
            self.carry(now);
            if progress == Progress::Idle {
                return;
            }
        }
    }

    /// Brings the books up to date with what a session has become.
    fn settle(&mut self, now: Duration, key: SessionKey) {
        let Some(seat) = self.sessions.get_mut(&key) else {
            return;
        };
        if seat.user.is_none()
            && let Some(account) = seat.session.account()
        {
            let user = account.name.to_ascii_lowercase();
            *self.pbx.logins.entry(user.clone()).or_default() += 1;
            seat.user = Some(user);
            self.anonymous -= 1;
        }
        let deadline = seat.session.poll_timeout(&self.pbx);
        if deadline != seat.deadline.map(|(at, _)| at) {
            if let Some((_, ticket)) = seat.deadline.take() {
                self.agenda.cancel(ticket);
            }
            seat.deadline = deadline.map(|at| (at, self.agenda.add(at.max(now), key)));
        }
        let strangers = self.pbx.flaws.overhearing == Overhearing::Strangers;
        let hears = if seat.session.is_closed() {
            Classes::NONE
        } else if strangers && seat.session.account().is_none() {
            Classes::ALL
        } else {
            seat.session.hears()
        };
        if hears != seat.hears {
            seat.hears = hears;
            if hears.is_empty() {
                self.listeners.remove(&key);
            } else {
                self.listeners.insert(key);
            }
            self.update_wanted();
        }
    }

    fn update_wanted(&mut self) {
        let heard = self
            .listeners
            .iter()
            .filter_map(|key| self.sessions.get(key))
            .map(|seat| seat.hears);
        self.pbx.wanted = heard.fold(Classes::NONE, |sum, classes| sum | classes);
    }

    /// Answers the sessions whose Originate has ended, then carries the model's events to all that may hear them.
    fn carry(&mut self, now: Duration) {
        let finished = std::mem::take(&mut self.pbx.finished);
        for (key, end) in &finished {
            if let Some(seat) = self.sessions.get_mut(key) {
                seat.session.originate_ended(*end);
                self.woken.insert(*key);
            }
        }
        let acted = self.tell();
        for key in finished.into_iter().map(|(key, _)| key).chain(acted) {
            self.run_session(now, key);
        }
    }

    /// Returns the sessions that an event set going again.
    fn tell(&mut self) -> Vec<SessionKey> {
        let mut acted = Vec::new();
        for event in self.pbx.take_events() {
            for key in &self.listeners {
                let Some(seat) = self.sessions.get_mut(key) else {
                    continue;
                };
                if !seat.hears.contains(event.classes) {
                    continue;
                }
                self.woken.insert(*key);
                if self.pbx.defects.is_empty() {
                    if seat.session.hear(&event) == Progress::Acted {
                        acted.push(*key);
                    }
                    continue;
                }
                let notes = seat.session.dialogue().notes();
                for heard in self.pbx.rewrite_hearing(*key, &event, notes) {
                    if seat.session.hear(&heard) == Progress::Acted {
                        acted.push(*key);
                    }
                }
            }
        }
        acted
    }

    fn spread_faults(&mut self) {
        for planted in self.pbx.faults.take_spreading() {
            for seat in self.sessions.values_mut() {
                seat.session.dialogue().suffer(&planted);
            }
        }
    }

    /// Whoever is logged in brings a restart on with his first action.
    fn restart_if_due(&mut self, now: Duration, key: SessionKey) {
        let acted = self
            .sessions
            .get(&key)
            .is_some_and(|seat| seat.session.has_acted());
        if !acted || !self.pbx.faults.take_restart() {
            return;
        }
        self.pbx.announce_shutdown(now);
        self.tell();
        self.pbx.restart(now);
        self.end_all();
    }

    fn end_all(&mut self) {
        for (key, seat) in &mut self.sessions {
            if !seat.session.is_closed() {
                seat.session.dialogue().close();
                seat.hears = Classes::NONE;
                self.woken.insert(*key);
            }
        }
        self.listeners.clear();
        self.update_wanted();
    }
}
