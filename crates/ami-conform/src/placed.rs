//! A call that a case places: where the target's role leads, under an id of ours, with a bound of its own, and gone afterwards.

use ami_client::target::Role;
use ami_results::verdict::State;

use crate::bench::Bench;
use crate::finding::Finding;
use crate::probe::{Got, Probe};
use crate::trace::Trace;

/// A call ends by itself after so many seconds, whatever becomes of us.
const CALL_SECONDS: u32 = 30;

/// What was asked for.
#[derive(Debug, Clone)]
pub(crate) struct Placed {
    pub(crate) action_id: String,
    /// Of the channel that is dialled.
    pub(crate) uniqueid: String,
}

/// The headers of an Originate to a role, that of its ids last.
pub(crate) fn headers(role: &Role, uniqueid: &str) -> Vec<(String, String)> {
    let mut headers = vec![("Channel".to_owned(), role.channel.clone())];
    let mut add = |name: &str, value: &str| headers.push((name.to_owned(), value.to_owned()));
    match (&role.application, &role.context, &role.exten) {
        (Some(application), ..) => add("Application", application),
        (None, context, exten) => {
            add("Context", context.as_deref().unwrap_or_default());
            add("Exten", exten.as_deref().unwrap_or_default());
            add("Priority", &role.priority);
        }
    }
    add("Timeout", "10000");
    add("Variable", &format!("TIMEOUT(absolute)={CALL_SECONDS}"));
    add("ChannelId", uniqueid);
    headers
}

/// Places a call to a role without waiting for it; its events come to `probe`, if that one hears any.
pub(crate) async fn place(
    bench: &mut Bench<'_>,
    probe: &mut Probe,
    role: &str,
    more: &[(&str, &str)],
) -> Result<Placed, Finding> {
    let Some(role) = bench.device.roles.get(role).cloned() else {
        return Err(Finding::not_applicable(format!(
            "the target maps no role `{role}`"
        )));
    };
    let uniqueid = bench.id();
    for half in [uniqueid.clone(), format!("{uniqueid};2")] {
        bench.will_leave(Trace::Channel { uniqueid: half });
    }
    let headers = headers(&role, &uniqueid);
    let mut all: Vec<(&str, &str)> = headers
        .iter()
        .map(|(name, value)| (&**name, &**value))
        .collect();
    all.extend_from_slice(more);
    let action_id = probe.send("Originate", &all).await;
    Ok(Placed {
        action_id,
        uniqueid,
    })
}

impl Placed {
    /// A call that is taken up, asynchronously, with the answer to its request.
    pub(crate) async fn begin(
        bench: &mut Bench<'_>,
        probe: &mut Probe,
        role: &str,
    ) -> Result<(Self, Got), Finding> {
        let placed = place(bench, probe, role, &[("Async", "true")]).await?;
        let answer = probe.answer_to(&placed.action_id).await?;
        answer.expect("Response", "Success")?;
        Ok((placed, answer))
    }

    /// A call that was answered, with the event that says so; without one there is nothing to try the rest on.
    pub(crate) async fn answered(
        bench: &mut Bench<'_>,
        probe: &mut Probe,
    ) -> Result<(Self, Got), Finding> {
        let no_call = |why: Finding| Finding {
            state: State::Inconclusive,
            got: format!("there is no call to try it on: {}", why.got),
            ..why
        };
        let (placed, _) = Self::begin(bench, probe, "answers")
            .await
            .map_err(no_call)?;
        let response = placed.response(probe).await.map_err(no_call)?;
        response.expect("Response", "Success").map_err(no_call)?;
        Ok((placed, response))
    }

    pub(crate) async fn response(&self, probe: &mut Probe) -> Result<Got, Finding> {
        probe
            .event("OriginateResponse", |got| {
                got.is_event("OriginateResponse") && got.has("ActionID", &self.action_id)
            })
            .await
    }

    /// Whether an event is about a channel of this call.
    pub(crate) fn is_in(&self, got: &Got) -> bool {
        got.text("Uniqueid")
            .is_some_and(|id| id.starts_with(&self.uniqueid))
    }

    pub(crate) async fn hung_up(&self, probe: &mut Probe) -> Result<Got, Finding> {
        probe
            .event("the Hangup of the channel", |got| {
                got.is_event("Hangup") && got.has("Uniqueid", &self.uniqueid)
            })
            .await
    }
}
