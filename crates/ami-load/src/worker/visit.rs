//! The action `login`: a visitor opens a connection of its own, logs in, and logs off again. It takes no seat.

use std::cell::Cell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use ami_client::Connection;
use ami_client::open::{OpenError, Reached, open_noting};
use ami_results::outcome::Outcome;
use ami_results::record::Record;
use slab::Slab;
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;

use super::lane::{WAITING_MAX, Waiting};
use super::opener::Opener;
use super::standing::HALTED;
use super::{LOGOFF_MAX, Notice, Worker};
use crate::call_table::ended;

/// How many visitors a worker has at a target, and who waits to be one.
#[derive(Debug, Default)]
struct Hall {
    inside: u32,
    waiting: VecDeque<Waiting>,
    /// A login was refused: the PBX might ban us for more of them.
    shut: bool,
}

#[derive(Debug)]
pub(super) struct Visits {
    /// By target.
    halls: Vec<Hall>,
    under_way: Slab<Visit>,
    tell: mpsc::UnboundedSender<Guest>,
}

#[derive(Debug)]
struct Visit {
    waiting: Waiting,
    progress: Rc<Progress>,
    task: AbortHandle,
}

/// When a visitor was let in at the gate, and when it was greeted.
#[derive(Debug, Default)]
struct Progress {
    let_in_at: Cell<Option<Duration>>,
    greeted_at: Cell<Option<Duration>>,
}

/// What a visitor tells.
#[derive(Debug)]
pub(super) enum Guest {
    /// It is logged in, or it is not to be.
    Answered {
        key: usize,
        at: Duration,
        result: Result<(), VisitError>,
    },
    Left {
        target: u16,
    },
}

#[derive(Debug)]
pub(super) enum VisitError {
    Open(OpenError),
    TimedOut,
}

impl Visits {
    pub(super) fn new(targets: usize, tell: mpsc::UnboundedSender<Guest>) -> Self {
        Self {
            halls: std::iter::repeat_with(Hall::default)
                .take(targets)
                .collect(),
            under_way: Slab::new(),
            tell,
        }
    }

    pub(super) fn are_over(&self) -> bool {
        self.halls.iter().all(|hall| hall.inside == 0)
    }

    pub(super) fn is_waiting(&self) -> bool {
        self.halls.iter().any(|hall| !hall.waiting.is_empty())
    }
}

impl Worker {
    /// An arrival that is to log in: it enters, waits, or finds too many that wait.
    pub(super) fn visit(&mut self, waiting: Waiting) {
        let target = waiting.arrival.target;
        let permitted = self.setup.plan.visitors_max(target, self.member);
        let hall = &mut self.visits.halls[usize::from(target)];
        if hall.shut || hall.waiting.len() >= WAITING_MAX {
            self.skip(&waiting.arrival);
        } else if hall.inside < permitted {
            self.enter(waiting);
        } else {
            hall.waiting.push_back(waiting);
        }
    }

    fn enter(&mut self, waiting: Waiting) {
        let arrival = waiting.arrival;
        self.visits.halls[usize::from(arrival.target)].inside += 1;
        self.in_flight[usize::from(arrival.target)] += 1;
        let progress = Rc::new(Progress::default());
        let entry = self.visits.under_way.vacant_entry();
        let visitor = Visitor {
            key: entry.key(),
            target: arrival.target,
            within: self.setup.plan.entry(arrival.phase, arrival.mix).timeout,
            opener: self.opener.clone(),
            progress: Rc::clone(&progress),
            tell: self.visits.tell.clone(),
        };
        let task = tokio::task::spawn_local(visitor.visit()).abort_handle();
        entry.insert(Visit {
            waiting,
            progress,
            task,
        });
    }

    pub(super) fn heard_from(&mut self, guest: Guest) {
        match guest {
            Guest::Answered { key, at, result } => self.visited(key, at, result),
            Guest::Left { target } => {
                let hall = &mut self.visits.halls[usize::from(target)];
                // One that was cut off in the meantime is not counted any more.
                hall.inside = hall.inside.saturating_sub(1);
                if let Some(next) = hall.waiting.pop_front() {
                    self.enter(next);
                }
            }
        }
    }

    fn visited(&mut self, key: usize, at: Duration, result: Result<(), VisitError>) {
        let Some(visit) = self.visits.under_way.try_remove(key) else {
            return;
        };
        let arrival = visit.waiting.arrival;
        self.in_flight[usize::from(arrival.target)] -= 1;
        let (outcome, why) = match result {
            Ok(()) => (Outcome::Success, None),
            Err(VisitError::TimedOut) => {
                (Outcome::TimedOut, Some("not logged in in time".to_owned()))
            }
            // Nothing was begun: the gate is shut since another login was refused, or the target was left.
            Err(VisitError::Open(OpenError::Shut { .. })) => return self.skip(&arrival),
            Err(VisitError::Open(error)) => {
                let told = (outcome_of(&error), Some(class_of(&error)));
                if matches!(error, OpenError::Refused { .. }) {
                    self.turned_away(arrival.target, error);
                }
                told
            }
        };
        let record = self.visit_record(&visit, outcome);
        let record = ended(record, self.ns(at), outcome, why.as_deref());
        self.ledger.record(record);
    }

    /// Nobody of this run logs in to that target any more.
    fn turned_away(&mut self, target: u16, error: OpenError) {
        self.no_more_visits(target);
        self.tell(Notice::SeatFailed { target, error });
    }

    pub(super) fn no_more_visits(&mut self, target: u16) {
        let hall = &mut self.visits.halls[usize::from(target)];
        hall.shut = true;
        for waiting in std::mem::take(&mut hall.waiting) {
            self.skip(&waiting.arrival);
        }
    }

    /// Those who are being logged in are cut off too.
    pub(super) fn halt_visits(&mut self, target: u16) {
        self.no_more_visits(target);
        let at = self.ns(self.now());
        for visit in self.take_visits(|visit| visit.waiting.arrival.target == target) {
            if visit.progress.let_in_at.get().is_none() {
                self.skip(&visit.waiting.arrival);
                continue;
            }
            let record = self.visit_record(&visit, Outcome::Indeterminate);
            let record = ended(record, at, Outcome::Indeterminate, Some(HALTED));
            self.ledger.record(record);
        }
    }

    fn visit_record(&self, visit: &Visit, outcome: Outcome) -> Record {
        let instant = |at: &Cell<Option<Duration>>| at.get().map(|at| self.ns(at));
        let mut record = self.blank_record(visit.waiting, 0);
        if outcome != Outcome::Disconnected {
            record.sent_at = instant(&visit.progress.let_in_at);
            record.acked_at = instant(&visit.progress.greeted_at);
        }
        record
    }

    /// Those who still wait to be let in need not come any more.
    pub(super) fn skip_visits(&mut self) {
        for hall in 0..self.visits.halls.len() {
            for waiting in std::mem::take(&mut self.visits.halls[hall].waiting) {
                self.skip(&waiting.arrival);
            }
        }
        let at_the_gate = |visit: &Visit| visit.progress.let_in_at.get().is_none();
        for visit in self.take_visits(at_the_gate) {
            self.skip(&visit.waiting.arrival);
        }
    }

    /// The run ends while they are being logged in.
    pub(super) fn cut_off_visits(&mut self) {
        let at = self.ns(self.now());
        self.skip_visits();
        for visit in self.take_visits(|_| true) {
            let record = self.visit_record(&visit, Outcome::Indeterminate);
            let why = "the run ended before the answer";
            let record = ended(record, at, Outcome::Indeterminate, Some(why));
            self.ledger.record(record);
        }
    }

    fn take_visits(&mut self, wanted: impl Fn(&Visit) -> bool) -> Vec<Visit> {
        let visits = &mut self.visits;
        let those = visits.under_way.iter().filter(|(_, visit)| wanted(visit));
        let those: Vec<usize> = those.map(|(key, _)| key).collect();
        let mut taken = Vec::new();
        for key in those {
            let visit = visits.under_way.remove(key);
            let target = usize::from(visit.waiting.arrival.target);
            visit.task.abort();
            visits.halls[target].inside -= 1;
            self.in_flight[target] -= 1;
            taken.push(visit);
        }
        taken
    }
}

/// The task of one visit.
struct Visitor {
    key: usize,
    target: u16,
    within: Duration,
    opener: Opener,
    progress: Rc<Progress>,
    tell: mpsc::UnboundedSender<Guest>,
}

impl Visitor {
    async fn visit(self) {
        let opened = self.open().await;
        let at = self.opener.setup.clock.now();
        let (connection, result) = match opened {
            Ok(connection) => (Some(connection), Ok(())),
            Err(error) => (None, Err(error)),
        };
        // The worker is gone when nobody listens: then the visit is closed with its books.
        let _ = self.tell.send(Guest::Answered {
            key: self.key,
            at,
            result,
        });
        if let Some(connection) = connection {
            connection.logoff(LOGOFF_MAX).await;
        }
        let target = self.target;
        let _ = self.tell.send(Guest::Left { target });
    }

    /// The time that it may take counts from when it is let in.
    async fn open(&self) -> Result<Connection, VisitError> {
        let (enters, let_in) = oneshot::channel();
        let mut enters = Some(enters);
        let clock = self.opener.setup.clock;
        let progress = &self.progress;
        let mut note = |reached| match reached {
            Reached::Gate => {
                progress.let_in_at.set(Some(clock.now()));
                let _ = enters.take().map(|enters| enters.send(()));
            }
            Reached::Connected { .. } => {}
            Reached::Banner => progress.greeted_at.set(Some(clock.now())),
        };
        let overdue = async {
            match let_in.await {
                Ok(()) => tokio::time::sleep(self.within).await,
                // Not let in: the opening says why.
                Err(_) => std::future::pending().await,
            }
        };
        let site = &self.opener.setup.sites[usize::from(self.target)];
        let config = self.opener.config_of(site, "off");
        tokio::select! {
            opened = open_noting(&site.peer, config, &site.gate, clock, &mut note) => {
                opened.map_err(VisitError::Open)
            }
            () = overdue => Err(VisitError::TimedOut),
        }
    }
}

/// Whether a failed login was refused, took too long, was never written, or nobody knows.
fn outcome_of(error: &OpenError) -> Outcome {
    match error {
        OpenError::Refused { .. } | OpenError::NotAmi { .. } => Outcome::Rejected,
        OpenError::ConnectTimedOut { .. }
        | OpenError::NoBanner { .. }
        | OpenError::LoginTimedOut { .. } => Outcome::TimedOut,
        OpenError::ClosedDuringLogin { .. } | OpenError::Broke { .. } => Outcome::Indeterminate,
        _ => Outcome::Disconnected,
    }
}

/// Without addresses, so that the same failure counts as the same.
fn class_of(error: &OpenError) -> String {
    match error {
        OpenError::Refused { message, .. } => message.clone(),
        OpenError::Connect { source, .. } => source.kind().to_string(),
        OpenError::Broke { source, .. } => source.kind().to_string(),
        OpenError::ConnectTimedOut { .. } => "no connection in time".to_owned(),
        OpenError::NoBanner { .. } => "no banner in time".to_owned(),
        OpenError::LoginTimedOut { .. } => "no answer to the login in time".to_owned(),
        OpenError::ClosedBeforeBanner { .. } => "closed before the banner".to_owned(),
        OpenError::ClosedDuringLogin { .. } => "closed during the login".to_owned(),
        OpenError::NotAmi { .. } => "not AMI".to_owned(),
        OpenError::Tls { trouble, .. } => trouble.to_string(),
        other => other.to_string(),
    }
}
