//! asterisk-rs-ami, as its README tells.

use asterisk_rs_ami::{AmiClient, AmiEvent};
use asterisk_rs_core::event::EventReceive;
use serde_json::Value;
use xtask_peers::{
    Asked, COMMAND, GRACE, HOST, SECRET, USERNAME, failed, is_last, pairs, refused, say,
};

fn main() {
    xtask_peers::run(run);
}

async fn run(port: u16, asked: Asked) {
    let builder = AmiClient::builder().host(HOST).port(port);
    let client = match builder.credentials(USERNAME, SECRET).build().await {
        Ok(client) => client,
        Err(error) => return refused(error),
    };
    let mut events = client.subscribe();
    let action = async {
        match asked {
            Asked::Ping => client.ping().await,
            Asked::Command => client.command(COMMAND).await,
        }
    };
    tokio::pin!(action);
    let (mut answered, mut last) = (false, false);
    while !(answered && last) {
        tokio::select! {
            answer = &mut action, if !answered => {
                answered = true;
                match answer {
                    Ok(answer) => {
                        let headers = answer.headers.into_iter();
                        let headers = headers.map(|(name, value)| (name, value.into()));
                        let variables = answer.channel_variables.into_iter();
                        let variables = variables
                            .map(|(name, value)| (format!("ChanVariable({name})"), value.into()));
                        say("answer", headers.chain(variables).collect(), Some(answer.output));
                    }
                    Err(error) => failed(error),
                }
            }
            event = events.recv() => match event {
                EventReceive::Event(event) => {
                    let headers = headers(event);
                    last = is_last(&headers);
                    say("event", headers, None);
                }
                EventReceive::Lagged(count) => failed(format!("{count} events lost")),
                EventReceive::Closed => break,
            },
            () = tokio::time::sleep(GRACE), if last => break,
        }
    }
}

/// An event that it knows has fields; one that it does not know, or misses a field of, has its headers.
fn headers(event: AmiEvent) -> Vec<(String, Value)> {
    let name = event.event_name().to_owned();
    let map = match event {
        AmiEvent::Unknown { headers, .. } => headers.into_inner(),
        AmiEvent::Malformed { headers, .. } => headers,
        typed => {
            let value = serde_json::to_value(&typed).unwrap_or_default();
            let mut found = vec![("Event".to_owned(), name.into())];
            found.extend(pairs(&value));
            return found;
        }
    };
    map.into_iter()
        .map(|(name, value)| (name, value.into()))
        .collect()
}
