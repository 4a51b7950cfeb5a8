//! What goes wrong between the connect and the end of the login.

use std::time::Duration;

use super::super::parcel::{On, Then};
use super::super::{Kind, Row};
use super::{rewrite, row};
use crate::text::Text;

/// Clients wait some seconds for a banner: one of these is within that, one beyond any.
const BANNER_LATE: Duration = Duration::from_secs(3);
const BANNER_TOO_LATE: Duration = Duration::from_secs(20);
const LOGIN_LATE: Duration = Duration::from_secs(3);
const HUGE_BANNER: usize = 100_000;
/// Events that pour in before the answer to a login.
const FLOOD: usize = 10_000;
/// The fatal alert `unexpected_message`, as a service for TLS answers plain words.
const UNEXPECTED_MESSAGE: [u8; 7] = [21, 3, 3, 0, 2, 2, 10];

pub(super) const ROWS: &[Row] = &[
    rewrite("banner.late", 3, "greets after 3 s", On::Banner, |parcel| {
        parcel.pause = BANNER_LATE
    }),
    rewrite(
        "banner.too-late",
        3,
        "greets after 20 s",
        On::Banner,
        |parcel| parcel.pause = BANNER_TOO_LATE,
    ),
    rewrite(
        "banner.missing",
        4,
        "does not greet, and is there all the same",
        On::Banner,
        |parcel| parcel.nothing(),
    ),
    rewrite(
        "banner.lf",
        4,
        "its banner ends with LF alone",
        On::Banner,
        |parcel| parcel.each(|text| text.replace(b"\r", b"")),
    ),
    rewrite(
        "banner.unterminated",
        4,
        "its banner has no end",
        On::Banner,
        |parcel| parcel.each(|text| text.replace(b"\r\n", b"")),
    ),
    rewrite(
        "banner.other-product",
        4,
        "greets as something else than a manager port",
        On::Banner,
        |parcel| parcel.say("Welcome to PBX 1.0\r\n"),
    ),
    rewrite(
        "banner.huge",
        4,
        "its banner has 100,000 bytes more than usual",
        On::Banner,
        |parcel| {
            let more = "x".repeat(HUGE_BANNER) + "\r\n";
            parcel.each(|text| text.replace(b"\r\n", more.as_bytes()));
        },
    ),
    rewrite(
        "banner.endless",
        17,
        "its banner does not end",
        On::Banner,
        |parcel| {
            parcel.each(|text| text.replace(b"\r\n", b""));
            parcel.then = Then::Endless(vec![b'x'; 1 << 16]);
        },
    ),
    rewrite(
        "banner.bom",
        22,
        "a byte order mark comes before its banner",
        On::Banner,
        |parcel| parcel.each(|text| text.0.splice(..0, *b"\xef\xbb\xbf").for_each(drop)),
    ),
    rewrite(
        "banner.ssh",
        5,
        "greets as an SSH server",
        On::Banner,
        |parcel| {
            parcel.say("SSH-2.0-OpenSSH_9.2p1\r\n");
            parcel.then = Then::Silence;
        },
    ),
    rewrite(
        "banner.http",
        5,
        "answers as a web server, and closes",
        On::Banner,
        |parcel| {
            parcel.say("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
            parcel.then = Then::Fin;
        },
    ),
    rewrite(
        "banner.tls-alert",
        5,
        "answers with a TLS alert, and closes",
        On::Banner,
        |parcel| {
            parcel.say(UNEXPECTED_MESSAGE);
            parcel.then = Then::Fin;
        },
    ),
    rewrite(
        "login.late",
        32,
        "answers a login after 3 s",
        On::Login,
        |parcel| parcel.pause = LOGIN_LATE,
    ),
    rewrite(
        "login.silent",
        32,
        "does not answer a login",
        On::Login,
        |parcel| {
            parcel.nothing();
            parcel.then = Then::Silence;
        },
    ),
    rewrite(
        "login.close",
        32,
        "closes in place of the answer to a login",
        On::Login,
        |parcel| {
            parcel.nothing();
            parcel.then = Then::Fin;
        },
    ),
    rewrite(
        "login.reset",
        32,
        "ends with RST in place of the answer to a login",
        On::Login,
        |parcel| {
            parcel.nothing();
            parcel.then = Then::Reset;
        },
    ),
    rewrite(
        "login.refused",
        32,
        "refuses the right secret, and closes",
        On::Login,
        |parcel| {
            parcel.texts.truncate(1);
            parcel.each(|text| {
                text.set("Response", "Error");
                text.set("Message", "Authentication failed");
            });
            parcel.then = Then::Fin;
        },
    ),
    rewrite(
        "login.no-message",
        32,
        "accepts a login without a Message",
        On::Login,
        |parcel| parcel.each(|text| text.remove("Message")),
    ),
    rewrite(
        "login.twice",
        32,
        "answers a login twice",
        On::Login,
        |parcel| {
            let answer = parcel.texts.first().cloned();
            parcel.texts.extend(answer);
        },
    ),
    rewrite(
        "login.events-first",
        33,
        "an event comes before the answer to a login",
        On::Login,
        |parcel| parcel.texts.insert(0, odd_event()),
    ),
    rewrite(
        "login.challenge-empty",
        32,
        "its challenge has no characters",
        On::Login,
        |parcel| parcel.each(|text| text.change("Challenge", "")),
    ),
    rewrite(
        "flood.login",
        33,
        "10,000 events come before the answer to a login",
        On::Login,
        |parcel| {
            parcel
                .texts
                .splice(..0, vec![odd_event(); FLOOD])
                .for_each(drop)
        },
    ),
    row(
        "close.at-byte",
        12,
        "closes after SEED bytes of the session",
        Kind::Rewrite(On::All, |parcel| {
            let bytes = parcel.bytes();
            let room = parcel.seed.saturating_sub(parcel.memory.bytes);
            let room = usize::try_from(room).unwrap_or(usize::MAX);
            parcel.memory.bytes += bytes.len() as u64;
            if let Some(kept) = bytes.get(..room) {
                parcel.say(kept);
                parcel.then = Then::Fin;
            }
        }),
    ),
];

/// An event that nobody asked for.
pub(super) fn odd_event() -> Text {
    Text::new(&[
        "Event: UserEvent",
        "Privilege: user,all",
        "UserEvent: Fault",
    ])
}
