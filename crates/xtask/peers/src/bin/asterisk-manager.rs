//! asterisk-manager, as its README tells.

use asterisk_manager::{AmiAction, AmiEvent, Manager, ManagerOptions};
use tokio_stream::StreamExt as _;
use xtask_peers::{
    Asked, COMMAND, GRACE, HOST, SECRET, USERNAME, failed, is_last, pairs, refused, say,
};

fn main() {
    xtask_peers::run(run);
}

async fn run(port: u16, asked: Asked) {
    let mut manager = Manager::new();
    let options = ManagerOptions {
        port,
        host: HOST.to_owned(),
        username: USERNAME.to_owned(),
        password: SECRET.to_owned(),
        events: true,
    };
    if let Err(error) = manager.connect_and_login(options).await {
        return refused(error);
    }
    let mut events = manager.all_events_stream().await;
    let action = manager.send_action(match asked {
        Asked::Ping => AmiAction::Ping { action_id: None },
        Asked::Command => AmiAction::Command {
            command: COMMAND.to_owned(),
            action_id: None,
        },
    });
    tokio::pin!(action);
    let (mut answered, mut last) = (false, false);
    while !(answered && last) {
        tokio::select! {
            answer = &mut action, if !answered => {
                answered = true;
                match answer {
                    Ok(mut answer) => {
                        let text = answer.command_output.take();
                        // It keeps the last line there too, for those who know no other place.
                        answer.fields.remove("Output");
                        let value = serde_json::to_value(&answer).unwrap_or_default();
                        say("answer", pairs(&value), text);
                    }
                    Err(error) => failed(error),
                }
            }
            event = events.next() => match event {
                Some(Ok(AmiEvent::InternalConnectionLost { error })) => failed(error),
                Some(Ok(event)) => {
                    let headers = pairs(&serde_json::to_value(&event).unwrap_or_default());
                    last = is_last(&headers);
                    say("event", headers, None);
                }
                Some(Err(error)) => failed(error),
                None => break,
            },
            () = tokio::time::sleep(GRACE), if last => break,
        }
    }
}
