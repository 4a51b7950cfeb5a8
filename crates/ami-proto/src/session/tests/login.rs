//! From the banner to ready, or to a refusal.

use super::*;

#[test]
fn a_plain_login() {
    let mut peer = Peer::new(LoginForm::Plain);
    assert_eq!(peer.client(), [""; 0]);
    assert_eq!(
        peer.server("Asterisk Call Manager/2.8.0\r\n"),
        [Disposition::Banner]
    );
    assert_eq!(peer.session.banner(), Some("Asterisk Call Manager/2.8.0"));
    assert_eq!(
        peer.client(),
        [
            "Action: Login\r\nActionID: #login\r\nUsername: bench\r\nSecret: s3cret\r\nEvents: off\r\n\r\n"
        ]
    );
    let accepted = "Response: Success\r\nActionID: 0000000000c0ffee-login\r\n\r\n";
    assert_eq!(peer.server(accepted), [Disposition::Ready]);
    assert!(peer.session.is_ready());
    assert_eq!(peer.session.poll_timeout(), None);
}

#[test]
fn an_md5_login() {
    let mut peer = Peer::new(LoginForm::Md5);
    peer.server("Asterisk Call Manager/2.8.0\r\n");
    assert_eq!(
        peer.client(),
        ["Action: Challenge\r\nActionID: #challenge\r\nAuthType: MD5\r\n\r\n"]
    );
    let challenge =
        "Response: Success\r\nActionID: 0000000000c0ffee-challenge\r\nChallenge: 162428164\r\n\r\n";
    assert_eq!(peer.server(challenge), [Disposition::Progress]);
    // printf 162428164s3cret | md5sum
    assert_eq!(
        peer.client(),
        [
            "Action: Login\r\nActionID: #login\r\nAuthType: MD5\r\nUsername: bench\r\nKey: df9d0c4ce4a3a0d54fddd961b07b8a14\r\nEvents: off\r\n\r\n"
        ]
    );
    assert_eq!(
        peer.server("Response: Success\r\n\r\n"),
        [Disposition::Ready]
    );
}

#[test]
fn a_refused_login_or_challenge_closes_the_session() {
    let refusal = "Response: Error\r\nMessage: Authentication failed\r\n\r\n";
    for login in [LoginForm::Plain, LoginForm::Md5] {
        let mut peer = Peer::new(login);
        peer.server("Asterisk Call Manager/2.8.0\r\n");
        let message = "Authentication failed".to_owned();
        assert_eq!(peer.server(refusal), [Disposition::Refused { message }]);
        assert!(peer.session.is_closing());
        assert_eq!(peer.session.poll_timeout(), None);
    }
}

#[test]
fn s10_proxies_and_renamed_banners_are_accepted_and_other_services_are_not() {
    let accepted = [
        "Asterisk Call Manager/1.1",
        "PBX Call Manager/11.0.0",
        "Asterisk Call Manager Proxy/1.21",
        "OpenPBX Call Manager/1.0",
        "CallWeaver Call Manager/1.0",
    ];
    for banner in accepted {
        let mut peer = Peer::new(LoginForm::Plain);
        assert_eq!(
            peer.server(&format!("{banner}\r\n")),
            [Disposition::Banner],
            "{banner}"
        );
    }
    let long = "x".repeat(4096);
    for banner in [
        "SSH-2.0-OpenSSH_9.2",
        "HTTP/1.1 400 Bad Request",
        "220 mail ready",
        &long,
    ] {
        let mut peer = Peer::new(LoginForm::Plain);
        let dispositions = peer.server(&format!("{banner}\r\n"));
        assert!(
            matches!(dispositions[0], Disposition::NotAmi { .. }),
            "{banner}"
        );
        assert!(peer.session.is_closing());
        assert_eq!(peer.client(), [""; 0], "no secret goes to a stranger");
    }
}

#[test]
fn s10_without_a_banner_the_login_starts_at_the_first_message() {
    for (first, disposition) in [
        ("Event: FullyBooted\r\n\r\n", Disposition::Event),
        ("Response: Success\r\n\r\n", Disposition::Unmatched),
    ] {
        let mut peer = Peer::new(LoginForm::Plain);
        assert_eq!(peer.server(first), [disposition]);
        assert_eq!(peer.client().len(), 1);
        assert_eq!(
            peer.server("Response: Success\r\n\r\n"),
            [Disposition::Ready]
        );
        assert_eq!(peer.session.banner(), None);
    }
}

#[test]
fn d01_the_answer_to_another_action_is_not_that_to_the_login() {
    for login in [LoginForm::Plain, LoginForm::Md5] {
        let mut peer = Peer::new(login);
        peer.server("Asterisk Call Manager/2.8.0\r\n");
        peer.client();
        for status in ["Success", "Error"] {
            let others = format!("Response: {status}\r\nActionID: another\r\nChallenge: 1\r\n\r\n");
            assert_eq!(peer.server(&others), [Disposition::Unmatched]);
        }
        assert_eq!(peer.client(), [""; 0]);
        assert!(!peer.session.is_ready() && !peer.session.is_closing());
    }
}

#[test]
fn s11_the_login_answer_counts_wherever_fully_booted_stands() {
    let booted = "Event: FullyBooted\r\nPrivilege: system,all\r\n\r\n";
    let accepted = "Response: Success\r\nMessage: Authentication accepted\r\n\r\n";
    let cases = [
        (
            format!("{accepted}{booted}"),
            [Disposition::Ready, Disposition::Event],
        ),
        (
            format!("{booted}{accepted}"),
            [Disposition::Event, Disposition::Ready],
        ),
    ];
    for (wire, expected) in cases {
        let mut peer = Peer::new(LoginForm::Plain);
        peer.server("Asterisk Call Manager/11.0.0\r\n");
        assert_eq!(peer.server(&wire), expected);
    }
}

#[test]
fn s06_nothing_is_sent_before_the_login_is_answered() {
    let mut peer = Peer::new(LoginForm::Plain);
    let ping = system::ping();
    let early = peer
        .session
        .send(Duration::ZERO, &ping, Answer::Single, FAR);
    assert_eq!(early, Err(SendError::NotReady));
    peer.server("Asterisk Call Manager/11.0.0\r\n");
    let early = peer
        .session
        .send(Duration::ZERO, &ping, Answer::Single, FAR);
    assert_eq!(early, Err(SendError::NotReady));
    assert_eq!(peer.client().len(), 1, "only the login");
}

#[test]
fn s03_a_login_that_takes_too_long_expires_once() {
    for greeting in ["", "Asterisk Call Manager/11.0.0\r\n"] {
        let mut peer = Peer::new(LoginForm::Plain);
        peer.server(greeting);
        assert_eq!(peer.session.poll_timeout(), Some(LOGIN_DEADLINE));
        let early = LOGIN_DEADLINE - Duration::from_nanos(1);
        assert_eq!(peer.session.handle_timeout(early), None);
        assert_eq!(
            peer.session.handle_timeout(LOGIN_DEADLINE),
            Some(Expired::Login)
        );
        assert_eq!(peer.session.handle_timeout(LOGIN_DEADLINE), None);
        assert!(peer.session.is_closing());
    }
}

#[test]
fn o01_a_user_name_cannot_smuggle_an_action() {
    let config = SessionConfig {
        username: "bench\r\nAction: Logoff".into(),
        secret: Secret::new("s3cret"),
        login: LoginForm::Md5,
        events: "off".into(),
        connection_id: 1,
        login_deadline: LOGIN_DEADLINE,
    };
    let error = Session::new(config, Duration::ZERO).unwrap_err();
    assert!(matches!(error, ActionError::ForbiddenByte { .. }));
}

#[test]
fn the_secret_never_shows() {
    let mut peer = Peer::new(LoginForm::Plain);
    peer.server("Asterisk Call Manager/2.8.0\r\n");
    assert!(!format!("{:?}", peer.session).contains("s3cret"));
    peer.client();
    peer.server("Response: Success\r\n\r\n");
    assert!(!format!("{:?}", peer.session).contains("s3cret"));
}

#[test]
fn a_session_that_is_ready_is_not_closing_and_knows_whom_it_met() {
    let mut peer = Peer::ready();
    assert!(peer.session.is_ready() && !peer.session.is_closing());
    assert!(!peer.session.has_expired());
    assert_eq!(peer.session.banner(), Some("Asterisk Call Manager/2.8.0"));
    let version = peer
        .session
        .dialect()
        .version()
        .map(|version| version.major);
    assert_eq!(version, Some(2));
    assert_eq!(peer.session.abandon().count(), 0);
    assert!(peer.session.is_closing() && !peer.session.is_ready());
}

#[test]
fn s10_a_greeting_that_does_not_end_is_none_whatever_it_says() {
    let mut peer = Peer::new(LoginForm::Plain);
    let endless = format!(
        "{}Call Manager/1",
        "x".repeat(1024 - "Call Manager/1".len())
    );
    let dispositions = peer.server(&endless);
    assert!(
        matches!(dispositions[..], [Disposition::NotAmi { .. }]),
        "{dispositions:?}"
    );
}
