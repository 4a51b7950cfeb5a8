//! asterisk-ami, as the documentation of its few functions tells.

use asterisk_ami::{AmiConnection, Packet, Tag};
use serde_json::Value;
use xtask_peers::{Asked, COMMAND, GRACE, HOST, SECRET, USERNAME, failed, is_last, refused, say};

fn main() {
    xtask_peers::run(run);
}

async fn run(port: u16, asked: Asked) {
    let connection = match AmiConnection::connect((HOST, port)).await {
        Ok(connection) => connection,
        Err(error) => return refused(error),
    };
    // Whether it takes what comes behind a greeting for the answer to a login that is sent at once is chance.
    tokio::time::sleep(GRACE).await;
    let login = [
        ("Action", "Login"),
        ("Username", USERNAME),
        ("Secret", SECRET),
    ];
    let Some(answer) = connection.send(packet(&login)).await else {
        return refused("no answer to the login");
    };
    let response = |packet: &Packet| asterisk_ami::find_tag(packet, "Response").cloned();
    if answer.first().and_then(response).as_deref() != Some("Success") {
        return refused(format!("the login was answered by {answer:?}"));
    }
    let mut events = connection.events();
    let action = connection.send(match asked {
        Asked::Ping => packet(&[("Action", "Ping"), ("ActionID", "1")]),
        Asked::Command => packet(&[
            ("Action", "Command"),
            ("ActionID", "1"),
            ("Command", COMMAND),
        ]),
    });
    tokio::pin!(action);
    let (mut answered, mut last) = (false, false);
    while !(answered && last) {
        tokio::select! {
            answer = &mut action, if !answered => {
                answered = true;
                match answer {
                    Some(packets) => {
                        packets.into_iter().for_each(|packet| say("answer", headers(packet), None));
                    }
                    None => failed("no answer, the connection should be established again"),
                }
            }
            event = events.recv() => match event {
                Ok(Some(packet)) => {
                    let headers = headers(packet);
                    last = is_last(&headers);
                    say("event", headers, None);
                }
                Ok(None) => {
                    failed("the end of the events");
                    break;
                }
                Err(error) => {
                    failed(error);
                    break;
                }
            },
            () = tokio::time::sleep(GRACE), if last => break,
        }
    }
}

fn packet(tags: &[(&str, &str)]) -> Packet {
    tags.iter()
        .map(|(key, value)| Tag::from(key, value))
        .collect()
}

fn headers(packet: Packet) -> Vec<(String, Value)> {
    packet
        .into_iter()
        .map(|tag| (tag.key, tag.value.into()))
        .collect()
}
