//! A target without TLS that leads to the port for TLS.

use std::time::Duration;

use ami_client::{Clock, Gate, OpenError, Peer, open};
use ami_proto::session::{LoginForm, Secret, SessionConfig};

use crate::identity::{Identity, params};
use crate::peer::{BOTH, When, say, serve};

async fn check(address: String, slug: Option<&str>) {
    let config = SessionConfig {
        username: "bench".to_owned(),
        secret: Secret::new("hunter2"),
        login: LoginForm::Md5,
        events: "off".to_owned(),
        connection_id: 1,
        login_deadline: Duration::from_secs(10),
    };
    // What is awaited in vain is awaited in virtual time.
    tokio::time::pause();
    let opened = open(
        &Peer::plain(address),
        config,
        &Gate::default(),
        Clock::start(),
    )
    .await;
    match (opened.expect_err("no AMI is spoken there"), slug) {
        (OpenError::Tls { trouble, .. }, Some(slug)) => {
            assert_eq!(trouble.slug(), slug);
            assert!(trouble.remedies()[0].contains("[tls]"));
        }
        (OpenError::NoBanner { .. }, None) => {}
        (error, _) => panic!("{error}"),
    }
}

#[tokio::test]
async fn a_port_that_waits_for_us_to_begin_is_tried_with_tls() {
    let identity = Identity::self_signed(&params(&["localhost"]));
    check(serve(&identity, BOTH).await, Some("tls-port-is-tls")).await;
}

#[tokio::test]
async fn a_port_that_is_silent_in_every_language_is_only_silent() {
    check(say(b"", When::Connected).await, None).await;
}

#[tokio::test]
async fn an_alert_instead_of_a_banner_is_tls() {
    let unexpected_message: &[u8] = &[21, 3, 3, 0, 2, 2, 10];
    check(
        say(unexpected_message, When::Farewell).await,
        Some("tls-port-is-tls"),
    )
    .await;
}

#[tokio::test]
async fn any_alert_is_tls() {
    let handshake_failure: &[u8] = &[21, 3, 3, 0, 2, 2, 40];
    check(
        say(handshake_failure, When::Farewell).await,
        Some("tls-port-is-tls"),
    )
    .await;
}
