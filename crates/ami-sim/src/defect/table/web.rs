//! Defects of AMI over HTTP.

use std::sync::Arc;
use std::time::Duration;

use super::super::{How, Row, WebAnswer};
use super::{UNJUDGED, ask, row, setup, web};
use crate::text::contains;
use crate::web::{Method, WebRequest};

/// Longer than any check waits for a session to end.
const NEVER_S: u64 = 24 * 3600;

pub(super) const ROWS: &[Row] = &[
    ask(
        (
            "http.session.forgotten",
            UNJUDGED,
            "cookies name no session",
        ),
        |request, _| request.cookie = None,
    ),
    web(
        (
            "http.status.of-action",
            UNJUDGED,
            "an action that fails is answered with status 403",
        ),
        |answer| {
            if contains(&answer.body, b"Response: Error") {
                answer.change_head("200 OK", "403 Forbidden");
            }
        },
    ),
    web(
        (
            "http.body.other",
            UNJUDGED,
            "over HTTP, names of headers are in small letters",
        ),
        |answer| answer.change_body("Response: ", "response: "),
    ),
    web(
        (
            "http.cookie.brief",
            UNJUDGED,
            "a cookie is said to live for 6 s",
        ),
        |answer| answer.change_head("Max-Age=60", "Max-Age=6"),
    ),
    setup(
        (
            "http.session.lasting",
            UNJUDGED,
            "a session that nobody uses lives on for a day",
        ),
        |pbx| {
            Arc::make_mut(&mut pbx.profile)
                .manager
                .set_http_timeout(NEVER_S)
        },
    ),
    setup(
        (
            "http.session.stranger-lasting",
            UNJUDGED,
            "a session without a login lives for an hour",
        ),
        |pbx| pbx.flaws.web_patience = Duration::from_secs(3600),
    ),
    row(
        (
            "http.cookie.counted",
            UNJUDGED,
            "sessions are numbered one after the other",
        ),
        How::Web {
            ask: |request, notes| {
                let real = request.cookie.and_then(|number| {
                    let place = usize::try_from(number).ok()?.checked_sub(1)?;
                    std::str::from_utf8(notes.keys.get(place)?).ok()
                });
                if let Some(real) = real {
                    request.cookie = u32::from_str_radix(real, 16).ok();
                }
            },
            answer: count_cookies,
        },
    ),
    web(
        ("http.mxml.unclosed", UNJUDGED, "XML has no end"),
        |answer| answer.change_body("</ajax-response>", ""),
    ),
    web(
        (
            "http.mxml.doubled",
            UNJUDGED,
            "an attribute comes twice by the same name",
        ),
        |answer| answer.change_body("output-2=", "output="),
    ),
    web(
        (
            "http.digest.no-qop",
            UNJUDGED,
            "a challenge for digest has no qop",
        ),
        |answer| answer.change_head(" qop=\"auth\",", ""),
    ),
    ask(
        (
            "http.digest.count-ignored",
            UNJUDGED,
            "the same count of a nonce is taken again",
        ),
        |request, notes| {
            if let Some(credentials) = &mut request.credentials {
                notes.count += 1;
                credentials.count = u32::try_from(notes.count).unwrap_or(u32::MAX);
            }
        },
    ),
    web(
        (
            "http.digest.unknown-breaks",
            UNJUDGED,
            "a digest that proves nothing is answered with status 500",
        ),
        |answer| {
            let proved = answer.asked.is_none_or(|asked| asked.credentials.is_none());
            if !proved && !answer.head.contains("stale=true") {
                answer.change_head("401 Unauthorized", "500 Internal Server Error");
            }
        },
    ),
    web(
        (
            "http.post.vague",
            UNJUDGED,
            "a body that is too large is a bad request",
        ),
        |answer| answer.change_head("413 Request Entity Too Large", "400 Bad Request"),
    ),
    ask(
        ("http.method.any", UNJUDGED, "any method is GET"),
        |request, _| {
            if request.method == Method::Other {
                request.method = Method::Get;
            }
        },
    ),
    web(
        (
            "http.waitevent.mute",
            UNJUDGED,
            "WaitEvent over HTTP tells of no event",
        ),
        |answer| {
            if answer.is("waitevent") {
                answer.change_body("Event: UserEvent", "Lost: UserEvent");
            }
        },
    ),
    web(
        (
            "http.waitevent.kicked-error",
            UNJUDGED,
            "a WaitEvent that another one ends is an error",
        ),
        |answer| {
            if answer.is("waitevent") && answer.body.is_empty() {
                answer.body = b"Response: Error\r\n\r\n".to_vec();
            }
        },
    ),
    ask(
        (
            "http.inject.actionid-cleaned",
            UNJUDGED,
            "line ends in an ActionID are taken out, as stock Asterisk does not",
        ),
        |request, _| clean(request, "actionid"),
    ),
    ask(
        (
            "http.inject.userevent-cleaned",
            UNJUDGED,
            "line ends in a UserEvent are taken out, as stock Asterisk does not",
        ),
        |request, _| clean(request, "userevent"),
    ),
];

/// Gives each session that a cookie names the next number.
fn count_cookies(answer: &mut WebAnswer<'_>) {
    let id = answer.head.split("mansession_id=\"").nth(1);
    let Some(id) = id
        .and_then(|rest| rest.split('"').next())
        .map(str::to_owned)
    else {
        return;
    };
    let keys = &mut answer.notes.keys;
    let known = keys.iter().position(|key| key == id.as_bytes());
    let place = known.unwrap_or_else(|| {
        keys.push(id.clone().into_bytes());
        keys.len() - 1
    });
    answer.change_head(&id, &format!("{:08x}", place + 1));
}

fn clean(request: &mut WebRequest, name: &str) {
    for (key, value) in &mut request.parameters {
        if key.eq_ignore_ascii_case(name.as_bytes()) {
            value.retain(|byte| !b"\r\n".contains(byte));
        }
    }
}
