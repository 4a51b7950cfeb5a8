//! The session of our own that is recorded: on a wire, or over HTTP where events come only to who asks for them.

use std::time::Duration;

use ami_client::connection::{Reply, RequestError, Step};
use ami_client::open::{Gate, open};
use ami_client::{Clock, Connection, HttpError, HttpSession, OpenError, Peer, Target};
use ami_proto::action::{Action, system};
use ami_proto::session::{Answer, SessionConfig};
use anyhow::anyhow;

use super::{ANSWER_WITHIN, End, FOREVER, LOGOFF_WITHIN};

/// A WaitEvent of this length ends before the session does, whatever its timeout.
const WAIT: Duration = Duration::from_secs(20);

pub(super) enum Line {
    Wire(Box<Connection>),
    Web(HttpSession),
}

/// Whether the PBX only was too slow to answer.
pub(super) fn is_timeout(error: &anyhow::Error) -> bool {
    let on_wire = matches!(error.downcast_ref(), Some(RequestError::TimedOut { .. }));
    on_wire || matches!(error.downcast_ref(), Some(HttpError::TimedOut { .. }))
}

/// Why there is no session.
pub(super) enum Unopened {
    Wire(OpenError),
    Web(HttpError),
}

impl Line {
    pub(super) async fn open(
        peer: Peer,
        target: &Target,
        config: SessionConfig,
        clock: Clock,
    ) -> Result<Self, Unopened> {
        match &target.http {
            None => {
                let opened = open(&peer, config, &Gate::default(), clock).await;
                let connection = opened.map_err(Unopened::Wire)?;
                Ok(Self::Wire(Box::new(connection)))
            }
            Some(prefix) => {
                let opened = HttpSession::open(peer, prefix, &config).await;
                opened.map(Self::Web).map_err(Unopened::Web)
            }
        }
    }

    pub(super) async fn request(
        &mut self,
        action: &Action,
        answer: Answer,
    ) -> anyhow::Result<Reply> {
        Ok(match self {
            Self::Wire(connection) => connection.request(action, answer, ANSWER_WITHIN).await?,
            Self::Web(session) => session.request(action, ANSWER_WITHIN).await?,
        })
    }

    pub(super) async fn listen(&mut self, clock: Clock, duration: Option<Duration>) -> End {
        let until = clock.now() + duration.unwrap_or(FOREVER);
        match self {
            Self::Wire(connection) => listen(connection, until).await,
            Self::Web(session) => loop {
                let left = until.saturating_sub(clock.now());
                let wait = left.min(WAIT);
                let action = system::wait_event(wait.as_secs());
                if let Err(error) = session.request(&action, wait + ANSWER_WITHIN).await {
                    return End::Lost(error.into());
                }
                // What is left is less than the server can count.
                if left < Duration::from_secs(1) {
                    return End::Complete;
                }
            },
        }
    }

    pub(super) async fn logoff(self) {
        match self {
            Self::Wire(connection) => connection.logoff(LOGOFF_WITHIN).await,
            Self::Web(session) => session.logoff(LOGOFF_WITHIN).await,
        }
    }
}

async fn listen(connection: &mut Connection, until: Duration) -> End {
    loop {
        match connection.step(until, &mut |_, _| {}).await {
            Ok(Step::Disposition(_)) => {}
            Ok(Step::DeadlinePassed) => return End::Complete,
            Ok(Step::Ended) => return End::Lost(anyhow!("the PBX closed the connection")),
            Err(error) => {
                return End::Lost(anyhow::Error::from(error).context("the connection broke"));
            }
        }
    }
}
