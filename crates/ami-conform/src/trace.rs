//! What a case leaves on a PBX, noted before it is made, removed after the case, and looked for again.

use std::time::Duration;

use crate::bench::Bench;
use crate::finding::Finding;
use crate::probe::Probe;

const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Three seconds: no PBX that answers needs longer to end a channel.
const LOOKS_MAX: u32 = 60;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trace {
    DatabaseKey {
        family: String,
        key: String,
    },
    QueueMember {
        queue: String,
        interface: String,
    },
    /// By the Uniqueid that we gave it, or by that of its other half.
    Channel {
        uniqueid: String,
    },
}

/// What could not be removed, in words.
pub(crate) async fn remove(bench: &mut Bench<'_>) -> Vec<String> {
    bench.leave_web().await;
    let traces = bench.take_traces();
    if traces.is_empty() {
        return Vec::new();
    }
    let mut probe = match bench.session().await {
        Ok(probe) => probe,
        Err(why) => return traces.iter().map(|trace| trace.left(&why)).collect(),
    };
    let mut left = Vec::new();
    for trace in traces {
        if let Err(why) = trace.remove(&mut probe).await {
            left.push(trace.left(&why));
        }
    }
    left
}

/// A channel that is hung up is gone a little later.
async fn is_gone(uniqueid: &str, probe: &mut Probe) -> Result<(), Finding> {
    let mut looks = 0;
    loop {
        let list = probe.list("CoreShowChannels", &[]).await?;
        let mut items = list.items.iter();
        let Some(item) = items.find(|item| item.has("Uniqueid", uniqueid)) else {
            return Ok(());
        };
        looks += 1;
        if looks == LOOKS_MAX {
            return Err(Finding::fail("gone", "still up").with(item.evidence()));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

impl Trace {
    async fn remove(&self, probe: &mut Probe) -> Result<(), Finding> {
        match self {
            Self::DatabaseKey { family, key } => {
                let entry = [("Family", family.as_str()), ("Key", key.as_str())];
                probe.ask("DBDel", &entry).await?;
                let gone = probe.ask("DBGet", &entry).await?;
                gone.expect("Response", "Error")
            }
            Self::QueueMember { queue, interface } => {
                let member = [("Queue", queue.as_str()), ("Interface", interface.as_str())];
                probe.ask("QueueRemove", &member).await?;
                // Whether it was there or not, a second removal finds nothing.
                let gone = probe.ask("QueueRemove", &member).await?;
                gone.expect("Response", "Error")
            }
            Self::Channel { uniqueid } => {
                let channel = [("Channel", uniqueid.as_str())];
                probe.ask("Hangup", &channel).await?;
                is_gone(uniqueid, probe).await
            }
        }
    }

    fn left(&self, why: &Finding) -> String {
        let what = match self {
            Self::DatabaseKey { family, key } => format!("the database key {family}/{key}"),
            Self::QueueMember { queue, interface } => {
                format!("the member {interface} of queue {queue}")
            }
            Self::Channel { uniqueid } => format!("the channel {uniqueid}"),
        };
        format!("{what}: {}", why.got)
    }
}
