//! One session on each target that is guarded: it logs in first, pings once a second, hears the calls, and says when the
//! load must stop.

use std::sync::Arc;
use std::time::Duration;

use ami_client::Connection;
use ami_client::connection::{RequestError, Step};
use ami_proto::action::Action;
use ami_proto::session::{Answer, Disposition, Slot};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::preflight::{self, PreflightError};
use super::{LOGOFF_WITHIN, Setup};
use crate::guard::{Guard, Seen, Trip, seen_in};

const PING_EVERY: Duration = Duration::from_secs(1);
/// Their median is what a ping takes before the load.
const BASE_PINGS: usize = 5;
const BETWEEN_BASE_PINGS: Duration = Duration::from_millis(100);
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// Losses that a canary is still to hear of: one is enough to trip it.
const WORDS_MAX: usize = 4;

#[derive(Debug)]
pub(super) struct Canary {
    setup: Arc<Setup>,
    connection: Connection,
    guard: Guard,
    asked: Option<(Slot, Duration)>,
}

/// What a canary is told.
#[derive(Debug)]
enum Word {
    LoadBegins,
    SessionLost { why: String },
}

impl Canary {
    /// Logs in and takes the base.
    pub(super) async fn open(setup: &Arc<Setup>, target: u16) -> Result<Self, PreflightError> {
        let gate = &setup.sites[usize::from(target)].gate;
        let mut connection = preflight::connect(setup, target, "call", gate).await?;
        let mut took = Vec::new();
        for _ in 0..BASE_PINGS {
            let sent_at = setup.clock.now();
            connection
                .request(&Action::new("Ping"), Answer::Single, ANSWER_WITHIN)
                .await?;
            took.push(setup.clock.now() - sent_at);
            tokio::time::sleep(BETWEEN_BASE_PINGS).await;
        }
        took.sort_unstable();
        let limits = &setup.plan.targets[usize::from(target)].target.limits;
        Ok(Self {
            setup: Arc::clone(setup),
            connection,
            guard: Guard::new(took[BASE_PINGS / 2], limits.max_calls_up),
            asked: None,
        })
    }

    /// Until the guard trips, or nobody has a word for it any more.
    async fn watch(&mut self, mut words: mpsc::Receiver<Word>) -> Option<Trip> {
        let mut ping_at = self.setup.clock.now();
        loop {
            let now = self.setup.clock.now();
            let looked = match self.asked {
                Some((_, sent_at)) => self.guard.see(now, Seen::NoPong { sent_at }),
                None => None,
            };
            if looked.is_some() {
                return looked;
            }
            if now >= ping_at {
                ping_at = now + PING_EVERY;
                if let Err(error) = self.ping(now).await {
                    return Some(lost(&error.to_string()));
                }
            }
            let look = self.guard.next_look().filter(|look| *look > now);
            let until = look.map_or(ping_at, |look| look.min(ping_at));
            let mut heard = Vec::new();
            tokio::select! {
                word = words.recv() => match word? {
                    Word::LoadBegins => self.guard.load_begins(),
                    Word::SessionLost { why } => heard.push(Seen::SessionLost { why }),
                },
                seen = listen(&mut self.connection, &self.setup, until, &mut self.asked) => heard.extend(seen),
            }
            let now = self.setup.clock.now();
            if let Some(trip) = heard.into_iter().find_map(|seen| self.guard.see(now, seen)) {
                return Some(trip);
            }
        }
    }

    async fn ping(&mut self, now: Duration) -> Result<(), RequestError> {
        if self.asked.is_none() {
            let ping = Action::new("Ping");
            let slot = self
                .connection
                .send(&ping, Answer::Single, ANSWER_WITHIN)
                .await?;
            self.asked = Some((slot, now));
        }
        Ok(())
    }
}

fn lost(why: &str) -> Trip {
    Trip::CanaryLost {
        why: why.to_owned(),
    }
}

/// One frame, or none until then.
async fn listen(
    connection: &mut Connection,
    setup: &Setup,
    until: Duration,
    asked: &mut Option<(Slot, Duration)>,
) -> Option<Seen> {
    let mut seen = None;
    let step = connection
        .step(
            until,
            &mut |frame, disposition| match (disposition, *asked) {
                (Disposition::Event, _) => seen = seen_in(frame, &setup.tag),
                (Disposition::Answer { slot, .. }, Some((of, sent_at))) if *slot == of => {
                    *asked = None;
                    seen = Some(Seen::Pong { sent_at });
                }
                _ => {}
            },
        )
        .await;
    let lost = |why: String| Some(Seen::CanaryLost { why });
    match step {
        Ok(Step::Ended | Step::Disposition(Disposition::Closing)) => {
            lost("the PBX closed the connection".to_owned())
        }
        Err(error) => lost(error.to_string()),
        Ok(Step::Disposition(_) | Step::DeadlinePassed) => seen,
    }
}

/// The canaries of a run, each in a task of its own.
#[derive(Debug)]
pub(super) struct Watch {
    words: Vec<Option<mpsc::Sender<Word>>>,
    trips: mpsc::UnboundedReceiver<(u16, Trip)>,
    tasks: JoinSet<()>,
}

impl Watch {
    pub(super) fn start(canaries: Vec<Option<Canary>>) -> Self {
        // Each canary trips once at most.
        let (tripped, trips) = mpsc::unbounded_channel();
        let mut tasks = JoinSet::new();
        let mut start = |target: u16, mut canary: Canary| {
            let (sender, words) = mpsc::channel(WORDS_MAX);
            let tripped = tripped.clone();
            tasks.spawn(async move {
                if let Some(trip) = canary.watch(words).await {
                    // Without a listener the run is over.
                    let _ = tripped.send((target, trip));
                }
                canary.connection.logoff(LOGOFF_WITHIN).await;
            });
            sender
        };
        let words = (0..)
            .zip(canaries)
            .map(|(target, canary)| canary.map(|canary| start(target, canary)))
            .collect();
        Self {
            words,
            trips,
            tasks,
        }
    }

    pub(super) fn load_begins(&self) {
        for words in self.words.iter().flatten() {
            let _ = words.try_send(Word::LoadBegins);
        }
    }

    pub(super) fn session_lost(&self, target: u16, why: String) {
        if let Some(words) = &self.words[usize::from(target)] {
            // With so many words before it the canary has trips enough.
            let _ = words.try_send(Word::SessionLost { why });
        }
    }

    /// The next trip; waits for ever where no canary is left.
    pub(super) async fn tripped(&mut self) -> (u16, Trip) {
        match self.trips.recv().await {
            Some(trip) => trip,
            None => std::future::pending().await,
        }
    }

    /// Every canary logs off.
    pub(super) async fn end(mut self) {
        self.words.clear();
        while self.tasks.join_next().await.is_some() {}
    }
}
