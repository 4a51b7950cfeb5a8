//! The table of the sessions that a capture of packets holds.

use std::fmt::Write as _;

use ami_conform::import::{Content, Session};

pub(super) fn table(sessions: &[Session]) -> String {
    let mut text = format!(
        "  {:>3} {:>9} {:>9}  {:<22} {:<22} {:>9} {:>9}  {}\n",
        "N", "from s", "to s", "client", "server", "asked", "told", "what"
    );
    for session in sessions {
        let _ = writeln!(
            text,
            "  {:>3} {:>9.3} {:>9.3}  {:<22} {:<22} {:>9} {:>9}  {}",
            session.number,
            session.started.as_secs_f64(),
            session.ended.as_secs_f64(),
            session.client,
            session.server,
            session.client_bytes,
            session.server_bytes,
            what(session),
        );
    }
    text
}

fn what(session: &Session) -> String {
    let mut words = vec![
        match session.content {
            Content::Ami => "AMI",
            Content::Tls => "TLS, encrypted",
            Content::Http => "HTTP, not judged",
            Content::Other => "something else",
            Content::Nothing => "no bytes",
        }
        .to_owned(),
    ];
    if !session.begun {
        words.push("met in the middle".to_owned());
    }
    for (count, what) in [
        (session.missing, "bytes missing"),
        (session.resent, "segments again"),
        (session.reordered, "out of order"),
    ] {
        if count > 0 {
            words.push(format!("{count} {what}"));
        }
    }
    words.join(", ")
}
