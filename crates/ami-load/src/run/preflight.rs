//! The first session on each target: does it let us in, may the account do what the plan needs, who is it?

use std::collections::BTreeSet;
use std::time::Duration;

use ami_client::Connection;
use ami_client::connection::RequestError;
use ami_client::open::{Gate, OpenError, open};
use ami_proto::action::Action;
use ami_proto::session::{Answer, SessionConfig};
use thiserror::Error;

use super::{Setup, Site};
use crate::plan::{Plan, What};
use crate::run_tag::random_bits;

const LOGIN_WITHIN: Duration = Duration::from_secs(10);
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// A target's own session of the run, kept for the cleaning at the end.
#[derive(Debug)]
pub(super) struct Control {
    pub(super) connection: Connection,
    pub(super) banner: Option<String>,
    pub(super) version: Option<String>,
}

#[derive(Debug, Error)]
pub enum PreflightError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Request(#[from] RequestError),
    #[error(
        "the PBX does not tell what account {account} may do: ListCommands was answered {message:?}"
    )]
    RightsUntold { account: String, message: String },
    #[error(
        "account {account} may not run {}: give it the write classes for them ({classes}), in the PBX's words `write = …`",
        .missing.join(", ")
    )]
    Rights {
        account: String,
        missing: Vec<&'static str>,
        classes: &'static str,
    },
}

pub(super) async fn check(setup: &Setup, target: u16) -> Result<Control, PreflightError> {
    let site = &setup.sites[usize::from(target)];
    let mut connection = connect(setup, target, "off", &site.gate).await?;
    let banner = connection.session().banner().map(str::to_owned);
    check_rights(&mut connection, &setup.plan, site).await?;
    let settings = connection
        .request(&Action::new("CoreSettings"), Answer::Single, ANSWER_WITHIN)
        .await?;
    let version = settings
        .response()
        .text("AsteriskVersion")
        .map(std::borrow::Cow::into_owned);
    Ok(Control {
        connection,
        banner,
        version,
    })
}

/// A session for what the run does beside the load; `events` is the mask it logs in with.
pub(super) async fn connect(
    setup: &Setup,
    target: u16,
    events: &str,
    gate: &Gate,
) -> Result<Connection, OpenError> {
    let site = &setup.sites[usize::from(target)];
    let config = SessionConfig {
        username: site.account.clone(),
        secret: site.secret.clone(),
        login: site.login,
        events: events.to_owned(),
        connection_id: random_bits(),
        login_deadline: LOGIN_WITHIN,
    };
    open(&site.peer, config, gate, setup.clock).await
}

/// An account that may originate but neither list nor hang up would leave calls behind.
async fn check_rights(
    connection: &mut Connection,
    plan: &Plan,
    site: &Site,
) -> Result<(), PreflightError> {
    let reply = connection
        .request(&Action::new("ListCommands"), Answer::Single, ANSWER_WITHIN)
        .await?;
    if !reply.is_success() {
        return Err(PreflightError::RightsUntold {
            account: site.account.clone(),
            message: reply.message(),
        });
    }
    let response = reply.response();
    let permitted = |action: &str| response.get(action).is_some();
    let missing: Vec<&'static str> = needed(plan)
        .into_iter()
        .filter(|action| !permitted(action))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(PreflightError::Rights {
        account: site.account.clone(),
        missing,
        classes: "originate, call, system, reporting, user, command",
    })
}

fn needed(plan: &Plan) -> BTreeSet<&'static str> {
    plan.all_whats().flat_map(What::needs).copied().collect()
}
