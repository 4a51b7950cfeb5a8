//! The descriptors that a run needs, looked after before it begins: a session that finds none left looks like a fault of
//! the PBX.

use ami_client::target::Endpoint;
use ami_load::Plan;
use ami_load::plan::VISITORS_MAX;
use anyhow::{Context as _, anyhow};
use rustix::process::{Resource, getrlimit, setrlimit};

use crate::exit_code::{Exit, Failure, OrExit};

/// Result files, epoll sets, timers, libraries.
const OTHERS: u64 = 64;

/// Raises the soft limit as far as the run needs and the system permits.
pub(crate) fn provide(plan: &Plan) -> Result<(), Failure> {
    let needed = needed(plan);
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    if let Some(maximum) = limit.maximum.filter(|maximum| *maximum < needed) {
        return Err(anyhow!(
            "this run needs {needed} file descriptors, one for each session and {OTHERS} besides, and the system permits \
             {maximum}: raise the limit (`ulimit -Hn`, or LimitNOFILE= of a service), or use fewer sessions"
        ))
        .or_exit(Exit::BadInput);
    }
    limit.current = Some(needed);
    setrlimit(Resource::Nofile, limit)
        .context("failed to raise the limit of open files")
        .or_exit(Exit::Bug)
}

/// A session is a descriptor; of one to an embedded simulator the other end is ours too.
fn needed(plan: &Plan) -> u64 {
    let visitors = if plan.logs_in() { VISITORS_MAX } else { 0 };
    // The canary of a guard and the control session.
    let sessions =
        u64::from(plan.own_sessions_per_target() + visitors + u32::from(plan.workers) + 2);
    let ends = |endpoint: &Endpoint| match endpoint {
        Endpoint::Address(_) => 1,
        Endpoint::Simulated(_) => 2,
    };
    let of_targets = plan
        .targets
        .iter()
        .map(|planned| sessions * ends(&planned.target.endpoint));
    OTHERS + of_targets.sum::<u64>()
}
