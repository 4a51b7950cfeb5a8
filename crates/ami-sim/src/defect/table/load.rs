//! Defects that show under load, or when a client is rude.

use std::sync::Arc;
use std::time::Duration;

use super::super::{LostSession, Row};
use super::{action, answer, hearing, input, setup};
use crate::message::Event;
use crate::text::Text;

/// Seen by anybody, and still no silence.
const SLOW_PING: Duration = Duration::from_millis(1500);
/// Longer than any check waits for a reader that stands still to be put out.
const PATIENCE: Duration = Duration::from_secs(3600);
/// Of so many events a session misses one.
const LOST_OF: u64 = 4;
/// So many may log off.
const LOGOFFS_MAX: u64 = 70;
/// Unanswered bytes of its own after which a session ends all.
const BACKLOG_BYTES: usize = 256 << 10;

pub(super) const ROWS: &[Row] = &[
    setup(
        (
            "load.ping.slow",
            "response.ping.soon",
            "every Ping takes 1.5 s",
        ),
        |pbx| {
            Arc::make_mut(&mut pbx.profile)
                .timing
                .set_service("Ping", SLOW_PING)
        },
    ),
    hearing(
        (
            "load.fanout.loses",
            "event.order.same-for-all",
            "each session misses one event in four",
        ),
        |hearing| {
            hearing.notes.count += 1;
            if hearing.notes.count.is_multiple_of(LOST_OF) {
                hearing.events.clear();
            }
        },
    ),
    setup(
        (
            "load.slow-reader.kept",
            "limit.output.unread-session",
            "a client that does not read is not put out",
        ),
        |pbx| {
            for account in pbx.accounts.iter_mut() {
                account.write_timeout = PATIENCE;
            }
        },
    ),
    hearing(
        (
            "load.slow-reader.delays-all",
            "event.user.round-trip",
            "events come to every session one event late",
        ),
        |hearing| {
            let held = std::mem::replace(
                &mut hearing.notes.held_events,
                std::mem::take(&mut hearing.events),
            );
            hearing.events = held;
        },
    ),
    hearing(
        (
            "load.slow-reader.torn-middle",
            "event.order.same-for-all",
            "one event in four is torn, and others follow",
        ),
        |hearing| {
            hearing.notes.count += 1;
            if hearing.notes.count.is_multiple_of(LOST_OF) {
                for event in &mut hearing.events {
                    *event = Arc::new(Event {
                        classes: event.classes,
                        bytes: event.bytes[..event.bytes.len() / 2].into(),
                    });
                }
            }
        },
    ),
    answer(
        (
            "load.eventq.grows",
            "limit.events.released",
            "manager show eventq shows events that nobody waits for",
        ),
        |turn| {
            if turn.is("Command") && turn.asks("Command").contains("eventq") {
                turn.each(|text| {
                    let kept = b"Usecount: 0\r\nOutput: ".repeat(1000);
                    text.replace(b"Usecount: 1", &[&kept[..], b"Usecount: 1"].concat());
                });
            }
        },
    ),
    answer(
        (
            "load.backpressure.gives-up",
            "limit.output.unread",
            "a client that asks for 256 KiB at once ends every session",
        ),
        |turn| {
            let bytes: usize = turn.texts.iter().map(|text| text.0.len()).sum();
            let waiting = turn.waiting;
            let notes = turn.notes();
            notes.bytes = if waiting == 0 { 0 } else { notes.bytes + bytes };
            if notes.bytes > BACKLOG_BYTES {
                turn.pbx.flaws.lost_session = LostSession::AllAtOnce;
            }
        },
    ),
    action(
        (
            "load.churn.leaks",
            "limit.sessions.one-after-another",
            "who logs off is counted on: after 70 of them no login is accepted",
        ),
        |turn| {
            let notes = turn.pbx.defects.notes();
            if turn.request.action() == b"Logoff" {
                notes.count += 1;
            } else if turn.request.action() == b"Login" && notes.count > LOGOFFS_MAX {
                turn.answer("Error", "Too many sessions");
            }
        },
    ),
    action(
        (
            "load.sessions.few",
            "limit.sessions.at-once",
            "the 21st session that is logged in at once is turned away",
        ),
        |turn| {
            let now: usize = turn.pbx.logins.values().sum();
            if turn.is("Login") && now >= 20 {
                turn.answer("Error", "Too many sessions");
            }
        },
    ),
    input(
        (
            "load.fuzz.binary-ends",
            "framing.bytes.noise",
            "a byte over 127 outside a header ends the session without an answer",
        ),
        |incoming| {
            let text = Text(incoming.bytes.clone());
            if text
                .lines()
                .any(|line| !line.contains(&b':') && !line.is_ascii())
            {
                incoming.bytes.clear();
                incoming.session.close();
            }
        },
    ),
    answer(
        (
            "load.fuzz.doubles",
            "response.count.one-per-request",
            "an action with two equal headers is answered twice",
        ),
        |turn| {
            let mut names: Vec<Vec<u8>> = turn
                .request
                .lines()
                .filter_map(|line| {
                    Some(
                        line.split(|byte| *byte == b':')
                            .next()?
                            .to_ascii_lowercase(),
                    )
                })
                .collect();
            let count = names.len();
            names.sort();
            names.dedup();
            if names.len() < count {
                turn.texts.extend_from_within(..);
            }
        },
    ),
];
