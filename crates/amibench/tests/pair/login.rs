//! From the banner to the goodbye.

use std::time::Duration;

use ami_client::open::OpenError;
use ami_proto::action::system;
use ami_proto::session::{Answer, LoginForm};
use tokio::io::AsyncReadExt;

use crate::line::{Manner, beside};

const BANNERS: [(&str, &str); 3] = [
    ("asterisk-22", "Asterisk Call Manager/11.0.0"),
    ("ucm6xxx", "Asterisk Call Manager/5.0.1"),
    ("yeastar-s", "Asterisk Call Manager/2.8.0"),
];
const FORMS: [LoginForm; 2] = [LoginForm::Plain, LoginForm::Md5];
const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn the_right_secret_opens_in_either_form() {
    for (profile, banner) in BANNERS {
        beside(profile, |pbx| async move {
            for login in FORMS {
                let manner = Manner {
                    login,
                    ..Manner::default()
                };
                let mut connection = pbx.log_in(manner).await.unwrap();
                assert_eq!(connection.session().banner(), Some(banner), "{profile}");
                let pong = connection
                    .request(&system::ping(), Answer::Single, SECOND)
                    .await
                    .unwrap();
                assert!(pong.is_success());
            }
            assert_eq!(pbx.simulator().counters().actions_of("Challenge"), 1);
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_wrong_secret_is_refused_after_a_second() {
    for (profile, _) in BANNERS {
        beside(profile, |pbx| async move {
            for login in FORMS {
                let manner = Manner {
                    secret: "wrong",
                    login,
                    ..Manner::default()
                };
                let (refused, took) = pbx.time(pbx.log_in(manner)).await;
                let Err(error) = refused else {
                    panic!("{profile} let us in with a wrong secret");
                };
                assert!(!error.is_worth_retrying());
                let OpenError::Refused { message, .. } = error else {
                    panic!("{error:?}");
                };
                assert_eq!(message, "Authentication failed");
                // Tokio's timers are a millisecond coarse.
                assert!(
                    (SECOND..SECOND + Duration::from_millis(2)).contains(&took),
                    "{took:?}"
                );
            }
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn who_does_not_log_in_is_put_out_after_thirty_seconds() {
    beside("asterisk-22", |pbx| async move {
        let mut wire = pbx.connect();
        let mut heard = String::new();
        let (read, took) = pbx.time(wire.read_to_string(&mut heard)).await;
        read.unwrap();
        assert_eq!(heard, "Asterisk Call Manager/11.0.0\r\n");
        let limit = Duration::from_secs(30);
        assert!(
            (limit..limit + Duration::from_millis(2)).contains(&took),
            "{took:?}"
        );
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn over_the_limit_of_strangers_a_connection_is_closed_without_a_banner() {
    beside("asterisk-22", |pbx| async move {
        let mut strangers = Vec::new();
        for _ in 0..50 {
            let mut wire = pbx.connect();
            let mut banner = [0; 30];
            wire.read_exact(&mut banner).await.unwrap();
            strangers.push(wire);
        }
        let error = pbx.log_in(Manner::default()).await.unwrap_err();
        assert!(
            matches!(error, OpenError::ClosedBeforeBanner { .. }),
            "{error:?}"
        );
        assert!(error.is_worth_retrying());
        drop(strangers.pop());
        assert!(pbx.log_in(Manner::default()).await.is_ok());
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_logoff_ends_the_session_on_both_sides() {
    beside("asterisk-22", |pbx| async move {
        let connection = pbx.log_in(Manner::default()).await.unwrap();
        let ((), took) = pbx.time(connection.logoff(SECOND)).await;
        assert!(took < SECOND, "the PBX said goodbye: {took:?}");
        assert_eq!(pbx.simulator().counters().actions_of("Logoff"), 1);
    })
    .await;
}
