//! Defects that show under load, or when a client is rude.

use std::sync::Arc;
use std::time::Duration;

use super::super::Row;
use super::{action, answer, hearing, input, plant, setup};
use crate::message::Event;
use crate::text::Text;

/// A tenth of a second more is seen by anybody who measures.
const SLOW_PING: Duration = Duration::from_millis(100);
/// Longer than any check waits for a reader that stands still to be put out.
const PATIENCE: Duration = Duration::from_secs(3600);
/// Of so many events a session misses one.
const LOST_OF: u64 = 4;
/// Sessions after which no more are taken.
const SESSIONS_MAX: u64 = 40;
/// Unanswered bytes of its own after which a session makes the PBX give up.
const BACKLOG_BYTES: usize = 64 << 10;

pub(super) const ROWS: &[Row] = &[
    setup(
        (
            "load.ping.slow",
            "load.ping.latency",
            "every Ping takes 100 ms",
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
            "load.fanout.latency",
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
            "load.slow-reader.disconnected",
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
            "load.slow-reader.isolated",
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
            "load.slow-reader.torn-tail",
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
            "load.slow-reader.memory",
            "manager show eventq shows events that nobody waits for",
        ),
        |turn| {
            if turn.is("Command") && turn.asks("Command").contains("eventq") {
                turn.each(|text| {
                    text.edit_lines(|lines| {
                        lines.extend(vec![b"Output: Usecount: 0\r\n".to_vec(); 1000])
                    })
                });
            }
        },
    ),
    answer(
        (
            "load.backpressure.gives-up",
            "load.backpressure.own-output",
            "a client that asks for 64 KiB at once ends every session",
        ),
        |turn| {
            let bytes: usize = turn.texts.iter().map(|text| text.0.len()).sum();
            let waiting = turn.waiting;
            let notes = turn.notes();
            notes.bytes = if waiting == 0 { 0 } else { notes.bytes + bytes };
            if notes.bytes > BACKLOG_BYTES {
                plant(turn.pbx, "restart.once");
            }
        },
    ),
    action(
        (
            "load.churn.leaks",
            "load.churn",
            "after 40 sessions no login is accepted",
        ),
        |turn| {
            if turn.is("Login") && turn.pbx.counters.sessions_accepted > SESSIONS_MAX {
                turn.answer("Error", "Too many sessions");
            }
        },
    ),
    action(
        (
            "load.sessions.few",
            "load.sessions.max",
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
            "load.fuzz.random-bytes",
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
            "load.fuzz.action-grammar",
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
