//! Opens the seats of a worker, each in a task of its own, paced by the gate of its target.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use ami_client::backoff::Backoff;
use ami_client::connection::Parts;
use ami_client::open::{OpenError, open};
use ami_proto::session::SessionConfig;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use tokio::sync::mpsc;

use super::door::Door;
use super::seat::{Duty, Opened, Seat};
use crate::run::{Setup, Site};
use crate::run_tag::random_bits;

const LOGIN_WITHIN: Duration = Duration::from_secs(10);
/// At the start of a run a target that turns a session away so often has failed.
const TRIES_MAX: u32 = 5;

/// How long to go on trying.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    /// At the start: a few tries, then the target has failed.
    Start { failed: u32 },
    /// Lost once all sessions of the worker had been up, before the load began: as long as the run lasts.
    Again { failed: u32 },
    /// Lost in mid-run: as long as the run lasts.
    Run { failed: u32 },
}

impl Patience {
    /// Tries and sessions that did not last, in a row; after any of them a pause comes first.
    fn failed(self) -> u32 {
        match self {
            Self::Start { failed } | Self::Again { failed } | Self::Run { failed } => failed,
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Opener {
    pub(super) setup: Arc<Setup>,
    opened: Rc<mpsc::UnboundedSender<Opened>>,
    /// By target.
    doors: Rc<[Door]>,
}

impl Opener {
    pub(crate) fn new(setup: Arc<Setup>, opened: mpsc::UnboundedSender<Opened>) -> Self {
        Self {
            doors: setup.sites.iter().map(|_| Door::default()).collect(),
            setup,
            opened: Rc::new(opened),
        }
    }

    pub(crate) fn open(&self, seat: Seat, patience: Patience) {
        let opener = self.clone();
        tokio::task::spawn_local(async move {
            let opened = opener.try_until(seat, patience).await;
            // The worker is gone when nobody receives: then nobody needs the session either.
            let _ = opener.opened.send(opened);
        });
    }

    async fn try_until(&self, seat: Seat, patience: Patience) -> Opened {
        let rng = ChaCha8Rng::seed_from_u64(random_bits());
        let mut backoff = match patience.failed() {
            0 => Backoff::after(0, rng),
            failed => {
                let mut backoff = Backoff::after(failed - 1, rng);
                tokio::time::sleep(backoff.pause()).await;
                backoff
            }
        };
        let door = &self.doors[usize::from(seat.target)];
        let mut knocking = None;
        loop {
            let result = self.try_once(seat).await;
            let at_start = matches!(patience, Patience::Start { .. });
            let last = at_start && backoff.attempts() + 1 >= TRIES_MAX;
            match result {
                Err(error) if error.is_worth_retrying() && !last => {}
                result => {
                    drop(knocking);
                    door.open();
                    return Opened {
                        seat,
                        patience,
                        failed: backoff.attempts(),
                        result: result.map(Box::new),
                    };
                }
            }
            match patience {
                Patience::Start { .. } => tokio::time::sleep(backoff.pause()).await,
                Patience::Again { .. } | Patience::Run { .. } => door.wait(&mut knocking).await,
            }
        }
    }

    async fn try_once(&self, seat: Seat) -> Result<Parts, OpenError> {
        let site = &self.setup.sites[usize::from(seat.target)];
        let config = self.config_of(site, self.events(seat));
        let connection = open(&site.peer, config, &site.gate, self.setup.clock).await?;
        Ok(connection.into_parts())
    }

    fn events(&self, seat: Seat) -> &str {
        match seat.duty {
            Duty::Observer => "call",
            Duty::Load { group, .. } => &self.setup.plan.groups[usize::from(group)].events,
        }
    }

    pub(super) fn config_of(&self, site: &Site, events: &str) -> SessionConfig {
        SessionConfig {
            username: site.account.clone(),
            secret: site.secret.clone(),
            login: site.login,
            events: events.to_owned(),
            connection_id: random_bits(),
            login_deadline: LOGIN_WITHIN,
        }
    }
}
