//! Defects of AMI over HTTP.

use std::time::Duration;

use super::super::{How, Row, WebAnswer};
use super::{ask, row, setup, web};
use crate::text::contains;
use crate::web::{Method, WebRequest};

/// Longer than any check waits for a session to end.
const NEVER: Duration = Duration::from_secs(24 * 3600);

pub(super) const ROWS: &[Row] = &[
    ask(
        (
            "http.session.forgotten",
            "http.login.session",
            "cookies name no session",
        ),
        |request, _| request.cookie = None,
    ),
    web(
        (
            "http.status.of-action",
            "http.status.of-error",
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
            "http.body.as-on-the-wire",
            "over HTTP, names of headers are in small letters",
        ),
        |answer| answer.change_body("Response: ", "response: "),
    ),
    web(
        (
            "http.cookie.brief",
            "http.cookie.max-age",
            "a cookie is said to live for 6 s",
        ),
        |answer| answer.change_head("Max-Age=60", "Max-Age=6"),
    ),
    setup(
        (
            "http.session.lasting",
            "http.session.expires",
            "a session that nobody uses lives on for a day",
        ),
        |pbx| pbx.flaws.web_lifetime = Some(NEVER),
    ),
    setup(
        (
            "http.session.stranger-lasting",
            "http.session.stranger",
            "a session without a login lives for an hour",
        ),
        |pbx| pbx.flaws.web_patience = Duration::from_secs(3600),
    ),
    row(
        (
            "http.cookie.counted",
            "http.cookie.unpredictable",
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
        (
            "http.mxml.unclosed",
            "http.mxml.well-formed",
            "XML has no end",
        ),
        |answer| answer.change_body("</ajax-response>", ""),
    ),
    web(
        (
            "http.mxml.doubled",
            "http.mxml.numbered",
            "an attribute comes twice by the same name",
        ),
        |answer| answer.change_body("output-2=", "output="),
    ),
    web(
        (
            "http.digest.no-qop",
            "http.digest.challenge",
            "a challenge for digest has no qop",
        ),
        |answer| answer.change_head(" qop=\"auth\",", ""),
    ),
    ask(
        (
            "http.digest.count-ignored",
            "http.digest.count-rises",
            "the same count of a nonce is taken again",
        ),
        |request, notes| {
            if let Some(credentials) = &mut request.credentials {
                notes.count += 1;
                credentials.count = u32::try_from(notes.count).unwrap_or(u32::MAX);
            }
        },
    ),
    ask(
        (
            "http.digest.first-counted",
            "http.digest.count-once",
            "a digest is taken once, as in stock Asterisk the first one of a nonce is not",
        ),
        |request, notes| {
            if let Some(credentials) = &mut request.credentials {
                let key = format!("{}/{}", credentials.nonce, credentials.count).into_bytes();
                if notes.keys.contains(&key) {
                    credentials.count = 0;
                }
                notes.keys.push(key);
            }
        },
    ),
    web(
        (
            "http.digest.unknown-breaks",
            "http.digest.unknown-user",
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
            "http.limit.body",
            "a body that is too large is a bad request",
        ),
        |answer| answer.change_head("413 Request Entity Too Large", "400 Bad Request"),
    ),
    ask(
        (
            "http.method.any",
            "http.method.unknown",
            "any method is GET",
        ),
        |request, _| {
            if request.method == Method::Other {
                request.method = Method::Get;
            }
        },
    ),
    web(
        (
            "http.waitevent.mute",
            "http.wait.delivers-once",
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
            "http.wait.one-at-a-time",
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
            "http.inject.action-id",
            "line ends in an ActionID are taken out, as stock Asterisk does not",
        ),
        |request, _| clean(request, |name| name.eq_ignore_ascii_case(b"actionid")),
    ),
    ask(
        (
            "http.inject.userevent-cleaned",
            "http.inject.user-event",
            "line ends in a UserEvent are taken out, as stock Asterisk does not",
        ),
        |request, _| {
            let action = request.parameter("action").unwrap_or_default();
            if action.eq_ignore_ascii_case(b"userevent") {
                clean(request, |_| true);
            }
        },
    ),
    ask(
        (
            "http.query.ignored",
            "http.form.as-query",
            "parameters count only in a form",
        ),
        |request, _| {
            if request.method == Method::Get {
                request.parameters.clear();
            }
        },
    ),
    row(
        (
            "http.session.shared",
            "http.session.own",
            "who has no cookie gets the session of who had one last",
        ),
        How::Web {
            ask: |request, notes| {
                let last = notes.keys.last();
                let last = last.and_then(|id| std::str::from_utf8(id).ok());
                let last = last.and_then(|id| u32::from_str_radix(id, 16).ok());
                request.cookie = request.cookie.or(last);
            },
            answer: |answer| {
                let id = cookie(answer).map(String::into_bytes);
                answer.notes.keys = id.into_iter().collect();
            },
        },
    ),
    ask(
        (
            "http.logoff.stays",
            "http.logoff.ends",
            "a session that logs off stays",
        ),
        |request, _| {
            for (name, value) in &mut request.parameters {
                if name.eq_ignore_ascii_case(b"action") && value.eq_ignore_ascii_case(b"logoff") {
                    *value = b"Ping".to_vec();
                }
            }
        },
    ),
    web(
        (
            "http.page.formless",
            "http.page.form",
            "the page to try it out has no form",
        ),
        |answer| answer.change_body("<form ", "<div "),
    ),
    web(
        (
            "http.mxml.bare",
            "http.mxml.values",
            "in XML, an apostrophe in a value becomes a blank",
        ),
        |answer| answer.change_body("&apos;", " "),
    ),
    ask(
        (
            "http.digest.refused",
            "http.digest.accepted",
            "no digest is the right one",
        ),
        |request, _| request.credentials = None,
    ),
];

/// The id of the session that an answer names.
fn cookie(answer: &WebAnswer<'_>) -> Option<String> {
    let id = answer.head.split("mansession_id=\"").nth(1)?;
    id.split('"').next().map(str::to_owned)
}

/// Gives each session that a cookie names the next number.
fn count_cookies(answer: &mut WebAnswer<'_>) {
    let Some(id) = cookie(answer) else {
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

fn clean(request: &mut WebRequest, is_cleaned: fn(&[u8]) -> bool) {
    for (name, value) in &mut request.parameters {
        if is_cleaned(name) {
            value.retain(|byte| !b"\r\n".contains(byte));
        }
    }
}
