//! One worker: a task that owns its sessions, keeps the schedule by a timerfd and reads by its own epoll set.
//!
//! It decides nothing about the run: it follows orders, and tells what happened by notices and by its ledger.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::iter::Peekable;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use ami_client::open::OpenError;
use ami_client::stream::READ_BYTES;
use ami_results::interval::Gauge;
use ami_results::outcome::Outcome;
use slab::Slab;
use tokio::sync::mpsc;

mod alarm;
mod closed_loop;
mod door;
mod event;
mod flow;
mod lane;
mod opener;
mod pace;
mod poller;
mod running;
mod seat;
mod seating;
mod standing;
mod sweep;
mod traffic;
mod visit;

use alarm::Alarm;
use closed_loop::ClosedLoop;
use lane::Lane;
use opener::Opener;
use poller::Poller;
use seat::{Due, Opened, Seated};
use standing::Standing;
use sweep::{ReadDelay, Sweep};
use visit::{Guest, Visits};

use crate::arrival::OpenLoop;
use crate::call_table::CallTable;
use crate::fan_out::Until;
use crate::feed::Dealer;
use crate::ledger::{Batch, Ledger};
use crate::plan::feed::Dealt;
use crate::plan::{Plan, nanos};
use crate::run::Setup;
use crate::sight::Sight;

/// How often overdue calls are looked for and the ledger is handed on.
const TICK: Duration = Duration::from_millis(100);
/// After the last arrival, how long answers are waited for.
const DRAIN_MAX: Duration = Duration::from_secs(10);
/// How long a PBX may take to say goodbye.
const LOGOFF_MAX: Duration = Duration::from_secs(2);

/// What a worker is told.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Order {
    /// Offer the load; instants count from `base` on the clock.
    Start { base: Duration },
    /// A target is in danger: send it nothing more.
    Halt { target: u16 },
    /// A target has failed: leave it, and what the plan offers to it.
    Leave { target: u16 },
    /// No further arrivals; wait for answers, then say `Drained`.
    Stop,
    /// Calls that end from now on were hung up by the run.
    HangingUp,
    /// Log off and end.
    Finish,
}

/// What a worker tells.
#[derive(Debug)]
pub(crate) enum Notice {
    /// Every seat is taken.
    Ready,
    /// A seat could not be opened, or not opened again.
    SeatFailed { target: u16, error: OpenError },
    /// A session ended that nobody of us had ended.
    SessionLost { target: u16, why: String },
    /// Calls are made, and their events cannot be seen.
    Blind { target: u16 },
    /// The last session of a target on this worker was lost, or the first came back.
    Sessions { worker: u16, target: u16, up: u32 },
    /// All arrivals are over and answered, or given up.
    Drained,
    /// The worker has ended on an error, which joining its thread tells.
    Broken,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Opening,
    Offering,
    Draining { until: Duration },
    Drained,
    Finishing { until: Duration },
}

#[derive(Debug)]
pub(crate) struct Worker {
    setup: Arc<Setup>,
    /// Among the workers of this process.
    index: u16,
    /// Among the workers of all segments, and how many those are.
    member: u16,
    crew: u32,
    orders: mpsc::UnboundedReceiver<Order>,
    notices: mpsc::UnboundedSender<Notice>,
    ledger: Ledger,
    alarm: Alarm,
    poller: Poller,
    opener: Opener,
    opened: mpsc::UnboundedReceiver<Opened>,
    visits: Visits,
    guests: mpsc::UnboundedReceiver<Guest>,
    stage: Stage,
    base: Duration,
    ticked_at: Duration,
    /// Seats that are being opened for the first time.
    missing: usize,
    sessions: Slab<Seated>,
    born: u64,
    /// Sessions of groups that are up, and how many of them wait for an answer, by target.
    up: Vec<u32>,
    in_flight: Vec<u32>,
    standing: Vec<Standing>,
    sights: Vec<Sight>,
    /// Sockets have more than the last turn could read.
    behind: bool,
    sweep: Sweep,
    /// By target.
    read_delay: Vec<ReadDelay>,
    lanes: Vec<Lane>,
    calls: CallTable,
    schedule: Schedule,
    closed: ClosedLoop,
    /// Deals the rows of feeds in closed phases.
    dealer: Dealer,
    phase: Option<u16>,
    /// Deadlines of answers and alarms of flows: instant, session, its birth, what is due.
    expiries: BinaryHeap<Reverse<(Duration, usize, u64, Due)>>,
    /// Alarms of flows so far: each is told from the others.
    alarms: u32,
    out: Vec<u8>,
    input: Vec<u8>,
}

type Schedule = Peekable<Dealt<Arc<Plan>, OpenLoop<Arc<Plan>>>>;

/// The ends of the channels between a worker and its run.
#[derive(Debug)]
pub(crate) struct Links {
    pub(crate) orders: mpsc::UnboundedReceiver<Order>,
    pub(crate) notices: mpsc::UnboundedSender<Notice>,
    pub(crate) collector: SyncSender<Batch>,
}

enum Wake {
    Alarm,
    Sockets,
    Order(Option<Order>),
    Opened(Box<Opened>),
    Guest(Guest),
}

impl Worker {
    pub(crate) fn new(setup: Arc<Setup>, index: u16, links: Links) -> io::Result<Self> {
        let (opened_sender, opened) = mpsc::unbounded_channel();
        let (told, guests) = mpsc::unbounded_channel();
        let plan = Arc::clone(&setup.plan);
        let targets = plan.targets.len();
        Ok(Self {
            index,
            member: plan.member(index),
            crew: plan.crew(),
            orders: links.orders,
            notices: links.notices,
            ledger: Ledger::new(links.collector),
            alarm: Alarm::new(setup.clock)?,
            poller: Poller::new()?,
            opener: Opener::new(Arc::clone(&setup), opened_sender),
            opened,
            visits: Visits::new(targets, told),
            guests,
            stage: Stage::Opening,
            base: Duration::ZERO,
            ticked_at: Duration::ZERO,
            missing: 0,
            sessions: Slab::new(),
            born: 0,
            up: vec![0; targets],
            in_flight: vec![0; targets],
            standing: vec![Standing::default(); targets],
            sights: vec![Sight::default(); targets],
            behind: false,
            sweep: Sweep::default(),
            read_delay: vec![ReadDelay::default(); targets],
            lanes: std::iter::repeat_with(Lane::default)
                .take(targets * plan.groups.len())
                .collect(),
            calls: CallTable::new(setup.tag.clone(), plan.member(index), targets),
            closed: ClosedLoop::new(&plan),
            dealer: Dealer::default(),
            schedule: Dealt::new(Arc::clone(&plan), OpenLoop::new(plan)).peekable(),
            phase: None,
            expiries: BinaryHeap::new(),
            alarms: 0,
            out: Vec::new(),
            input: vec![0; READ_BYTES],
            setup,
        })
    }

    /// Runs until the order to finish was carried out, or nobody gives orders any more.
    pub(crate) async fn run(mut self) -> io::Result<()> {
        self.take_seats();
        while !self.is_done() {
            self.turn()?;
            let deadline = self.next_deadline();
            self.alarm.set(deadline)?;
            let wake = tokio::select! {
                biased;
                // Before the sockets: what an order leads to is read only after it.
                order = self.orders.recv() => Wake::Order(order),
                rang = self.alarm.rang() => { rang?; Wake::Alarm }
                ready = self.poller.wait() => { ready?; Wake::Sockets }
                () = tokio::task::yield_now(), if self.behind => Wake::Sockets,
                Some(opened) = self.opened.recv() => Wake::Opened(Box::new(opened)),
                Some(guest) = self.guests.recv() => Wake::Guest(guest),
            };
            match wake {
                Wake::Alarm => self.alarm.rearm(),
                Wake::Sockets => self.drain_sockets()?,
                Wake::Order(Some(order)) => self.obey(order)?,
                Wake::Order(None) => break,
                Wake::Opened(opened) => self.seat(*opened)?,
                Wake::Guest(guest) => self.heard_from(guest),
            }
        }
        self.close_books();
        Ok(())
    }

    fn now(&self) -> Duration {
        self.setup.clock.now()
    }

    /// An instant as records count it: nanoseconds since the load began.
    fn ns(&self, at: Duration) -> u64 {
        nanos(at.saturating_sub(self.base))
    }

    fn tell(&self, notice: Notice) {
        // Without a listener the run is over, which the worker learns from its orders.
        let _ = self.notices.send(notice);
    }

    fn obey(&mut self, order: Order) -> io::Result<()> {
        match order {
            Order::Start { base } => {
                self.base = base;
                self.ticked_at = base;
                self.stage = Stage::Offering;
                self.gauge(0);
            }
            Order::Halt { target } => self.halt(target)?,
            Order::Leave { target } => self.leave(target)?,
            Order::Stop => self.stop()?,
            Order::HangingUp => {
                for target in self.setup.plan.target_indices() {
                    self.calls.hanging_up(target);
                }
            }
            Order::Finish => self.finish()?,
        }
        Ok(())
    }

    fn is_finishing(&self) -> bool {
        matches!(self.stage, Stage::Finishing { .. })
    }

    fn is_done(&self) -> bool {
        match self.stage {
            Stage::Finishing { until } => {
                self.sessions.is_empty() && self.visits.are_over() || self.now() >= until
            }
            _ => false,
        }
    }

    /// Everything that is due, in the order in which it can wait least.
    fn turn(&mut self) -> io::Result<()> {
        if self.stage == Stage::Offering {
            self.offer()?;
        }
        self.expire()?;
        self.sweep()?;
        let now = self.now();
        if now >= self.ticked_at + TICK && self.stage != Stage::Opening {
            self.tick(now);
        }
        match self.stage {
            Stage::Draining { until } if self.is_quiet() || now >= until => {
                self.skip_waiting();
                self.ledger.flush();
                self.stage = Stage::Drained;
                self.tell(Notice::Drained);
            }
            _ => {}
        }
        Ok(())
    }

    fn next_deadline(&mut self) -> Option<Duration> {
        let expiry = self.next_expiry();
        let tick = (self.stage != Stage::Opening).then(|| self.ticked_at + TICK);
        let stage = match self.stage {
            Stage::Offering => self.next_arrival(),
            Stage::Finishing { until } => Some(until),
            Stage::Opening | Stage::Draining { .. } | Stage::Drained => None,
        };
        [expiry, tick, stage, self.sweep.due_at()]
            .into_iter()
            .flatten()
            .min()
    }

    /// The deadline of an action that is still waited for; those that were answered are dropped on the way.
    fn next_expiry(&mut self) -> Option<Duration> {
        while let Some(Reverse((at, key, born, due))) = self.expiries.peek().copied() {
            if self.awaits(key, born, due) {
                return Some(at);
            }
            self.expiries.pop();
        }
        None
    }

    fn awaits(&self, key: usize, born: u64, due: Due) -> bool {
        let seated = self.sessions.get(key).filter(|seated| seated.born == born);
        seated.is_some_and(|seated| seated.awaits(due))
    }

    fn tick(&mut self, now: Duration) {
        let at = self.ns(now);
        for settled in self.calls.overdue(at) {
            self.ledger.settled(settled);
        }
        self.look_for_the_blind(at);
        if self.ns(self.ticked_at) / 1_000_000_000 != at / 1_000_000_000 {
            self.gauge(at / 1_000_000_000);
        }
        self.ledger.flush();
        self.ticked_at = now;
    }

    fn gauge(&mut self, second: u64) {
        for target in self.setup.plan.target_indices() {
            let index = usize::from(target);
            let read_delay = std::mem::take(&mut self.read_delay[index]);
            self.ledger.gauge(Gauge {
                target,
                second,
                sessions_ready: self.up[index],
                in_flight: self.in_flight[index],
                calls_up: self.calls.calls_up(target),
                answer_read_delay_max_ns: nanos(read_delay.answers),
                event_read_delay_max_ns: nanos(read_delay.events),
            });
        }
    }

    /// Nothing is waited for any more.
    fn is_quiet(&self) -> bool {
        self.in_flight.iter().all(|busy| *busy == 0)
            && !self.calls.is_awaiting()
            && !self.lanes.iter().any(Lane::is_waiting)
            && !self.visits.is_waiting()
            && !self
                .sessions
                .iter()
                .any(|(_, seated)| self.is_listening(seated))
    }

    /// Events that were sent have not been read yet.
    fn is_listening(&self, seated: &Seated) -> bool {
        let board = &self.setup.board;
        let ear = seated.ear.as_ref();
        ear.is_some_and(|ear| ear.delivery(board, Until::Now).lost > 0)
    }

    fn stop(&mut self) -> io::Result<()> {
        self.skip_waiting();
        match self.stage {
            Stage::Offering => self.drain(self.now())?,
            Stage::Opening => {
                self.stage = Stage::Drained;
                self.tell(Notice::Drained);
            }
            Stage::Draining { .. } | Stage::Drained | Stage::Finishing { .. } => {}
        }
        Ok(())
    }

    fn drain(&mut self, now: Duration) -> io::Result<()> {
        self.closed.clear();
        self.stage = Stage::Draining {
            until: now + DRAIN_MAX,
        };
        self.cut_thinking(|_| true)
    }

    fn finish(&mut self) -> io::Result<()> {
        let until = self.now() + LOGOFF_MAX;
        self.stage = Stage::Finishing { until };
        for key in self.keys(|_| true) {
            self.log_off(key)?;
        }
        Ok(())
    }

    /// Every action that was sent has its record, every call its line.
    fn close_books(&mut self) {
        self.skip_waiting();
        self.cut_off_visits();
        for (_, seated) in std::mem::take(&mut self.sessions) {
            self.settle_ear(&seated);
            let why = "the run ended before the answer";
            self.cut_work(seated.work, Outcome::Indeterminate, why);
        }
        let now = self.ns(self.now());
        for target in self.setup.plan.target_indices() {
            let why = "the run ended before the completion";
            for settled in self.calls.close(target, now, why) {
                self.ledger.settled(settled);
            }
        }
        self.ledger.flush();
    }
}
