//! A peer that says nothing, or not enough: every wait of the client has its bound, and keeps it.

use std::time::Duration;

use ami_client::connection::RequestError;
use ami_client::open::OpenError;
use ami_proto::action::system;
use ami_proto::session::Answer;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use crate::line::{Manner, beside};

const BANNER: &[u8] = b"Asterisk Call Manager/11.0.0\r\n";

fn about(took: Duration, seconds: u64) -> bool {
    let least = Duration::from_secs(seconds);
    (least..least + Duration::from_millis(2)).contains(&took)
}

/// Reads until an action is whole.
async fn heard(peer: &mut DuplexStream) -> String {
    let mut text = Vec::new();
    while !text.ends_with(b"\r\n\r\n") {
        assert_ne!(peer.read_buf(&mut text).await.unwrap(), 0);
    }
    String::from_utf8(text).unwrap()
}

fn id_of(action: &str) -> &str {
    let line = action.lines().find(|line| line.starts_with("ActionID: "));
    &line.unwrap()["ActionID: ".len()..]
}

#[tokio::test(start_paused = true)]
async fn without_a_banner_the_login_is_given_up() {
    beside("asterisk-22", |pbx| async move {
        let (near, _far) = tokio::io::duplex(1024);
        let (error, took) = pbx.time(pbx.log_in_over(near, Manner::default())).await;
        let error = error.unwrap_err();
        assert!(matches!(error, OpenError::NoBanner { .. }), "{error:?}");
        assert!(about(took, 5), "{took:?}");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn without_an_answer_the_login_is_given_up() {
    beside("asterisk-22", |pbx| async move {
        let (near, mut far) = tokio::io::duplex(1024);
        far.write_all(BANNER).await.unwrap();
        let (error, took) = pbx.time(pbx.log_in_over(near, Manner::default())).await;
        let error = error.unwrap_err();
        assert!(
            matches!(error, OpenError::LoginTimedOut { .. }),
            "{error:?}"
        );
        assert!(about(took, 10), "{took:?}");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_takes_no_bytes_does_not_hold_us() {
    beside("asterisk-22", |pbx| async move {
        // The login does not fit in.
        let (near, mut far) = tokio::io::duplex(32);
        let banner = tokio::task::spawn_local(async move {
            far.write_all(BANNER).await.unwrap();
            far
        });
        let (error, _) = pbx.time(pbx.log_in_over(near, Manner::default())).await;
        assert!(matches!(error.unwrap_err(), OpenError::Broke { .. }));
        drop(banner);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_action_without_answer_ends_at_its_deadline_and_its_late_answer_harms_nobody() {
    beside("asterisk-22", |pbx| async move {
        let (near, mut far) = tokio::io::duplex(1024);
        let peer = tokio::task::spawn_local(async move {
            far.write_all(BANNER).await.unwrap();
            let login = heard(&mut far).await;
            let answer = format!("Response: Success\r\nActionID: {}\r\n\r\n", id_of(&login));
            far.write_all(answer.as_bytes()).await.unwrap();
            let first = heard(&mut far).await;
            let second = heard(&mut far).await;
            for (action, word) in [(first, "late"), (second, "in time")] {
                let answer = format!(
                    "Response: Success\r\nActionID: {}\r\nMessage: {word}\r\n\r\n",
                    id_of(&action)
                );
                far.write_all(answer.as_bytes()).await.unwrap();
            }
            far
        });
        let mut connection = pbx.log_in_over(near, Manner::default()).await.unwrap();
        let second = Duration::from_secs(1);
        let ping = system::ping();
        let request = connection.request(&ping, Answer::Single, second);
        let (error, took) = pbx.time(request).await;
        assert!(matches!(error.unwrap_err(), RequestError::TimedOut { .. }));
        assert!(about(took, 1), "{took:?}");
        let reply = connection.request(&ping, Answer::Single, second).await;
        assert_eq!(reply.unwrap().message(), "in time");
        drop(peer.await.unwrap());
        let gone = connection.request(&ping, Answer::Single, second).await;
        assert!(matches!(
            gone.unwrap_err(),
            RequestError::Ended { .. } | RequestError::Broke { .. }
        ));
    })
    .await;
}
