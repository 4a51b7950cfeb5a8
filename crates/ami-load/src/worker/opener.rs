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

use super::seat::{Duty, Opened, Seat};
use crate::run::Setup;
use crate::run_tag::random_bits;

const LOGIN_WITHIN: Duration = Duration::from_secs(10);
/// At the start of a run a target that turns a session away so often has failed.
const TRIES_MAX: u32 = 5;

/// How long to go on trying.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Patience {
    /// At the start: a few tries, then the target has failed.
    Start,
    /// In mid-run: as long as the run lasts.
    Run,
}

#[derive(Clone, Debug)]
pub(crate) struct Opener {
    setup: Arc<Setup>,
    opened: Rc<mpsc::UnboundedSender<Opened>>,
}

impl Opener {
    pub(crate) fn new(setup: Arc<Setup>, opened: mpsc::UnboundedSender<Opened>) -> Self {
        Self {
            setup,
            opened: Rc::new(opened),
        }
    }

    pub(crate) fn open(&self, seat: Seat, patience: Patience) {
        let opener = self.clone();
        tokio::task::spawn_local(async move {
            let result = opener.try_until(seat, patience).await;
            // The worker is gone when nobody receives: then nobody needs the session either.
            let _ = opener.opened.send(Opened { seat, result });
        });
    }

    async fn try_until(&self, seat: Seat, patience: Patience) -> Result<Parts, OpenError> {
        let mut backoff = Backoff::new(ChaCha8Rng::seed_from_u64(random_bits()));
        let mut tries = 0;
        loop {
            let site = &self.setup.sites[usize::from(seat.target)];
            let config = self.config(seat);
            match open(&site.address, config, &site.gate, self.setup.clock).await {
                Ok(connection) => return Ok(connection.into_parts()),
                Err(error) if !error.is_worth_retrying() => return Err(error),
                Err(error) => {
                    tries += 1;
                    if patience == Patience::Start && tries == TRIES_MAX {
                        return Err(error);
                    }
                }
            }
            tokio::time::sleep(backoff.pause()).await;
        }
    }

    fn config(&self, seat: Seat) -> SessionConfig {
        let site = &self.setup.sites[usize::from(seat.target)];
        let events = match seat.duty {
            Duty::Observer => "call".to_owned(),
            Duty::Load { group, .. } => self.setup.plan.groups[usize::from(group)].events.clone(),
        };
        SessionConfig {
            username: site.account.clone(),
            secret: site.secret.clone(),
            login: site.login,
            events,
            connection_id: random_bits(),
            login_deadline: LOGIN_WITHIN,
        }
    }
}
