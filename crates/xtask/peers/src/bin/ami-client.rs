//! Our own client, under the rule of all others.

use ami_client::connection::Step;
use ami_client::{Clock, Connection, Gate, Peer, open};
use ami_proto::frame::Frame;
use ami_proto::session::{Answer, Disposition, LoginForm, Secret, SessionConfig};
use ami_proto::{Action, FrameKind};
use serde_json::{Value, json};
use xtask_peers::{
    Asked, COMMAND, GRACE, HOST, SECRET, USERNAME, WITHIN, failed, is_last, refused, say,
};

fn main() {
    xtask_peers::run(run);
}

async fn run(port: u16, asked: Asked) {
    let config = SessionConfig {
        username: USERNAME.to_owned(),
        secret: Secret::new(SECRET.to_owned()),
        login: LoginForm::Md5,
        events: "on".to_owned(),
        connection_id: 1,
        login_deadline: WITHIN,
    };
    let peer = Peer::plain(format!("{HOST}:{port}"));
    let clock = Clock::start();
    match open(&peer, config, &Gate::default(), clock).await {
        Ok(connection) => talk(connection, asked, clock).await,
        Err(error) => refused(error),
    }
}

async fn talk(mut connection: Connection, asked: Asked, clock: Clock) {
    let ends = clock.now() + WITHIN;
    let action = match asked {
        Asked::Ping => Action::new("Ping"),
        Asked::Command => Action::new("Command")
            .with("Command", COMMAND)
            .expect("a sound value"),
    };
    if let Err(error) = connection.send(&action, Answer::Single, WITHIN).await {
        return failed(error);
    }
    let (mut answered, mut last) = (false, false);
    while !(answered && last) {
        let until = if last { clock.now() + GRACE } else { ends };
        let mut look = |frame: &Frame<'_>, disposition: &Disposition| {
            let headers = headers(frame);
            last |= is_last(&headers);
            answered |= matches!(disposition, Disposition::Answer { .. });
            let text = frame.body().map(|body| {
                let text = String::from_utf8_lossy(body);
                text.lines().map(str::to_owned).collect()
            });
            say(kind(frame, disposition), headers, text);
        };
        match connection.step(until.min(ends), &mut look).await {
            Ok(Step::Disposition(_)) => {}
            Ok(Step::Ended | Step::DeadlinePassed) => break,
            Err(error) => return failed(error),
        }
    }
}

fn kind(frame: &Frame<'_>, disposition: &Disposition) -> &'static str {
    match disposition {
        Disposition::Answer { .. } => "answer",
        _ if frame.kind() == FrameKind::Event => "event",
        _ => "other",
    }
}

fn headers(frame: &Frame<'_>) -> Vec<(String, Value)> {
    let text = |bytes: &[u8]| match std::str::from_utf8(bytes) {
        Ok(text) => Value::from(text),
        Err(_) => json!({ "bytes": bytes }),
    };
    let pair = |header: ami_proto::header::Header<'_>| {
        let name = String::from_utf8_lossy(header.name).into_owned();
        (name, text(header.value))
    };
    frame.headers().map(pair).collect()
}
