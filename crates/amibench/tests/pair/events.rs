//! Who hears what: the mask of the login, and only that.

use std::time::Duration;

use ami_client::Connection;
use ami_proto::action::login;
use ami_proto::action::system;
use ami_proto::session::Answer;

use crate::line::{Manner, Pbx, beside};

const SECOND: Duration = Duration::from_secs(1);

async fn session(pbx: &Pbx, events: &str) -> Connection {
    let manner = Manner {
        events,
        ..Manner::default()
    };
    pbx.log_in(manner).await.unwrap()
}

/// How many events of that name the session hears until nothing comes for a second.
async fn hears(connection: &mut Connection, name: &str) -> usize {
    let mut heard = 0;
    while let Some(event) = connection.next_event(SECOND).await.unwrap() {
        heard += usize::from(event.as_frame().get("Event") == Some(name.as_bytes()));
    }
    heard
}

#[tokio::test(start_paused = true)]
async fn an_event_goes_to_those_who_asked_for_its_class() {
    for profile in ["asterisk-22", "ucm6xxx", "yeastar-s"] {
        beside(profile, |pbx| async move {
            let mut sessions = Vec::new();
            for (events, expected) in [("off", 0), ("user", 3), ("call", 0), ("on", 3)] {
                sessions.push((events, session(&pbx, events).await, expected));
            }
            let mut speaker = session(&pbx, "off").await;
            for _ in 0..3 {
                let action = system::user_event("Test", &[("Key", "value")]).unwrap();
                let reply = speaker.request(&action, Answer::Single, SECOND).await;
                assert!(reply.unwrap().is_success());
            }
            for (events, connection, expected) in &mut sessions {
                let heard = hears(connection, "UserEvent").await;
                assert_eq!(heard, *expected, "{profile}, {events}");
            }
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_mask_can_be_changed_in_mid_session() {
    beside("asterisk-22", |pbx| async move {
        let mut connection = session(&pbx, "on").await;
        let off = login::events("off").unwrap();
        connection
            .request(&off, Answer::Single, SECOND)
            .await
            .unwrap();
        let mut speaker = session(&pbx, "off").await;
        let action = system::user_event("Test", &[]).unwrap();
        speaker
            .request(&action, Answer::Single, SECOND)
            .await
            .unwrap();
        assert_eq!(hears(&mut connection, "UserEvent").await, 0);
    })
    .await;
}
