//! Hangs up what the run left on its targets: at the end on all of them, earlier on one whose load was halted.

use std::sync::Arc;
use std::time::Duration;

use ami_client::Connection;
use ami_client::connection::RequestError;
use ami_client::open::Gate;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::preflight::{self, Control};
use super::{FailureWhy, LOGOFF_WITHIN, LeftUp, Setup, TargetFailure, Wish, lead};
use crate::cleanup;

/// An operator who leaves at once waits no longer than this to learn what is left.
const LOOK_WITHIN: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(super) struct Cleaning {
    setup: Arc<Setup>,
    controls: Vec<Option<Control>>,
    wish: watch::Receiver<Wish>,
    early: JoinSet<(u16, Control)>,
}

type CleaningError = Box<dyn std::error::Error + Send + Sync>;

impl Cleaning {
    pub(super) fn new(
        setup: Arc<Setup>,
        controls: Vec<Option<Control>>,
        wish: watch::Receiver<Wish>,
    ) -> Self {
        Self {
            setup,
            controls,
            wish,
            early: JoinSet::new(),
        }
    }

    /// Hangs up on one target while the others are loaded. What an Originate on its way makes later is for the end.
    pub(super) fn begin(&mut self, target: u16) {
        let Some(mut control) = self.controls[usize::from(target)].take() else {
            return;
        };
        let (setup, mut wish) = (Arc::clone(&self.setup), self.wish.clone());
        self.early.spawn(async move {
            tokio::select! {
                biased;
                () = lead::wished(&mut wish, Wish::Abandon) => {}
                // How it went is found again at the end.
                _ = clean_target(&setup, target, &mut control.connection) => {}
            }
            (target, control)
        });
    }

    /// All targets at once; an operator who leaves learns what is left.
    pub(super) async fn finish(mut self, failures: &mut Vec<TargetFailure>) -> LeftUp {
        while let Some(joined) = self.early.join_next().await {
            let (target, control) = joined.expect("a cleaning does not panic");
            self.controls[usize::from(target)] = Some(control);
        }
        let mut cleanings = JoinSet::new();
        for (target, control) in (0u16..).zip(self.controls) {
            let Some(control) = control else { continue };
            let setup = Arc::clone(&self.setup);
            let mut wish = self.wish.clone();
            cleanings.spawn(async move {
                let mut connection = control.connection;
                let result = tokio::select! {
                    biased;
                    () = lead::wished(&mut wish, Wish::Abandon) => None,
                    result = clean_target(&setup, target, &mut connection) => Some(result),
                };
                let result = match result {
                    Some(result) => result,
                    None => look_behind(&setup, &mut connection).await,
                };
                connection.logoff(LOGOFF_WITHIN).await;
                let name = setup.plan.targets[usize::from(target)].target.name.clone();
                (name, result)
            });
        }
        let mut left = Vec::new();
        while let Some(joined) = cleanings.join_next().await {
            let (target, result) = joined.expect("a cleaning does not panic");
            match result {
                Ok(channels) if channels.is_empty() => {}
                Ok(channels) => left.push((target, channels)),
                Err(error) => failures.push(TargetFailure {
                    target,
                    why: FailureWhy::Cleaning(error),
                }),
            }
        }
        left
    }
}

/// The control session may have been idle for long, or lost with a PBX that is back: then a new one is opened.
async fn clean_target(
    setup: &Setup,
    target: u16,
    connection: &mut Connection,
) -> Result<Vec<String>, CleaningError> {
    if !setup.plan.originates() {
        return Ok(Vec::new());
    }
    let cleaned = match cleanup::hang_up(connection, &setup.tag).await {
        Ok(cleaned) => cleaned,
        Err(RequestError::Ended { .. } | RequestError::Broke { .. }) => {
            // The gate of the load is shut where that was halted.
            *connection = preflight::connect(setup, target, "off", &Gate::default()).await?;
            cleanup::hang_up(connection, &setup.tag).await?
        }
        Err(error) => return Err(error.into()),
    };
    Ok(cleaned.left)
}

/// Names what is left without touching it.
async fn look_behind(
    setup: &Setup,
    connection: &mut Connection,
) -> Result<Vec<String>, CleaningError> {
    if !setup.plan.originates() {
        return Ok(Vec::new());
    }
    let channels = cleanup::list(connection, &setup.tag, LOOK_WITHIN).await?;
    Ok(channels.into_iter().map(|channel| channel.name).collect())
}
