//! Hangs up the calls of a run, and no others: each by the Uniqueid of a channel that bears the run's tag.

use std::collections::BTreeSet;
use std::time::Duration;

use ami_client::Connection;
use ami_client::connection::RequestError;
use ami_proto::action::Action;
use ami_proto::session::Answer;
use tokio::time::MissedTickBehavior;

use crate::run_tag::RunTag;

/// Twenty hang-ups a second: a PBX that is close to its limit is not pushed over it by the cleaning.
const PACE: Duration = Duration::from_millis(50);
/// Channels take a moment to go; a list is asked for this often at most.
const PASSES_MAX: usize = 10;
const BETWEEN_PASSES: Duration = Duration::from_millis(250);
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// What a cleaning did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cleaned {
    pub hung_up: u64,
    /// Channels of the run that were still there at the end, by name.
    pub left: Vec<String>,
}

/// Hangs up until the PBX lists no channel of the run.
pub async fn hang_up(connection: &mut Connection, tag: &RunTag) -> Result<Cleaned, RequestError> {
    let mut cleaned = Cleaned::default();
    let mut pace = tokio::time::interval(PACE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for pass in 0..PASSES_MAX {
        if pass > 0 {
            tokio::time::sleep(BETWEEN_PASSES).await;
        }
        let ours = list(connection, tag, ANSWER_WITHIN).await?;
        cleaned.left = ours.iter().map(|channel| channel.name.clone()).collect();
        if ours.is_empty() {
            break;
        }
        for id in one_a_call(&ours) {
            pace.tick().await;
            let Ok(action) = Action::new("Hangup").with("Channel", id) else {
                continue;
            };
            let reply = connection
                .request(&action, Answer::Single, ANSWER_WITHIN)
                .await?;
            cleaned.hung_up += u64::from(reply.is_success());
        }
    }
    Ok(cleaned)
}

/// A channel of the run.
#[derive(Debug)]
pub struct OurChannel {
    pub name: String,
    pub unique_id: String,
}

/// The channels of the run that the PBX lists now.
pub async fn list(
    connection: &mut Connection,
    tag: &RunTag,
    within: Duration,
) -> Result<Vec<OurChannel>, RequestError> {
    let reply = connection
        .request(&Action::new("CoreShowChannels"), Answer::List, within)
        .await?;
    let ours = reply
        .events("CoreShowChannel")
        .filter(|frame| tag.owns(frame))
        .map(|frame| OurChannel {
            name: frame.text("Channel").unwrap_or_default().into_owned(),
            unique_id: frame.text("Uniqueid").unwrap_or_default().into_owned(),
        });
    Ok(ours.collect())
}

/// The second half of a Local channel goes with the first.
fn one_a_call(channels: &[OurChannel]) -> BTreeSet<&str> {
    channels
        .iter()
        .map(|channel| channel.unique_id.as_str())
        .map(|id| {
            id.strip_suffix(";2")
                .filter(|first| channels.iter().any(|c| c.unique_id == *first))
                .unwrap_or(id)
        })
        .collect()
}
