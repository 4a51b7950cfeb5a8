//! Defects of events: what they look like, who hears them, and when.

use std::sync::Arc;

use super::super::{Hearing, Row, Telling, Turn};
use super::{UNJUDGED, action, answer, event, hearing, input};
use crate::class::Classes;
use crate::message::Event;
use crate::server_session::Auth;
use crate::text::Text;

pub(super) const ROWS: &[Row] = &[
    event(
        (
            "event.shape.no-privilege",
            "event.shape.privilege",
            "events have no Privilege",
        ),
        |telling| each(telling, |text| text.remove("Privilege")),
    ),
    event(
        (
            "event.privilege.without-all",
            "event.shape.privilege-ends-with-all",
            "a Privilege does not end with all",
        ),
        |telling| {
            each(telling, |text| {
                let privilege = text.text("Privilege");
                text.change("Privilege", privilege.trim_end_matches(",all"));
            })
        },
    ),
    event(
        (
            "event.timestamp.backwards",
            "event.shape.timestamp",
            "the Timestamps of events go backwards",
        ),
        |telling| {
            telling.notes.count += 1;
            let stamp = format!("{}.000000", 2_000_000_000 - telling.notes.count);
            each(telling, |text| text.set("Timestamp", &stamp));
        },
    ),
    event(
        (
            "event.userevent.reordered",
            "event.user.round-trip",
            "the headers of a UserEvent come in another order",
        ),
        |telling| {
            of_user(telling, |text| {
                text.edit_lines(|lines| lines[2..].reverse())
            })
        },
    ),
    event(
        (
            "event.userevent.action-told",
            "event.user.not-its-action",
            "a UserEvent bears the Action of its sender",
        ),
        |telling| of_user(telling, |text| text.add("Action", "UserEvent")),
    ),
    answer(
        (
            "event.userevent.not-to-self",
            "event.user.answer-first",
            "who sends a UserEvent does not hear it",
        ),
        |turn| {
            if turn.is("UserEvent") && turn.session.hears().contains(Classes::USER) {
                turn.notes().deaf = turn.pbx.events_to_tell();
            }
        },
    ),
    hearing(
        (
            "event.fanout.reordered",
            "event.order.same-for-all",
            "of four sessions, every other hears events in pairs the wrong way round",
        ),
        |hearing| {
            if hearing.sessions == 4 && hearing.key.0.is_multiple_of(2) {
                swap(hearing);
            }
        },
    ),
    hearing(
        (
            "event.producer.reordered",
            "event.order.by-sender",
            "everybody hears events in pairs the wrong way round",
        ),
        swap,
    ),
    action(
        (
            "event.mask.off-ignored",
            "event.mask.off",
            "EventMask: off changes nothing",
        ),
        |turn| of_mask(turn, |mask| mask.eq_ignore_ascii_case("off"), "on"),
    ),
    action(
        (
            "event.mask.list-ignored",
            "event.mask.classes",
            "a list of classes is all of them",
        ),
        |turn| {
            of_mask(
                turn,
                |mask| !["on", "off"].contains(&mask) && mask.starts_with(char::is_alphabetic),
                "on",
            )
        },
    ),
    action(
        (
            "event.mask.empty-accepted",
            "event.mask.empty",
            "an empty mask is accepted",
        ),
        |turn| of_mask(turn, str::is_empty, "off"),
    ),
    action(
        (
            "event.mask.empty-item-off",
            "event.mask.empty-item",
            "an empty item of a list is no class",
        ),
        |turn| of_mask(turn, |mask| mask.starts_with(','), "off"),
    ),
    answer(
        (
            "event.mask.number-refused",
            "event.mask.number",
            "a number is no mask",
        ),
        |turn| {
            if turn.is("Events")
                && turn
                    .asks("EventMask")
                    .starts_with(|first: char| first.is_ascii_digit())
            {
                turn.answer("Error", "Invalid event mask");
            }
        },
    ),
    action(
        (
            "event.mask.escalates",
            "event.mask.within-rights",
            "a mask gives more than the account may read",
        ),
        |turn| {
            if turn.is("Events")
                && let Auth::User { account, .. } = &mut turn.session.auth
            {
                account.read = Classes::ALL;
            }
        },
    ),
    action(
        (
            "event.filter.include-ignored",
            "event.filter.include",
            "a filter that includes has no effect",
        ),
        |turn| feign_filter(turn, |filter| !filter.starts_with('!')),
    ),
    action(
        (
            "event.filter.exclude-ignored",
            "event.filter.exclude",
            "a filter that excludes has no effect",
        ),
        |turn| feign_filter(turn, |filter| filter.starts_with('!')),
    ),
    action(
        (
            "event.filter.second-ignored",
            "event.filter.both",
            "the first filter of a session counts alone",
        ),
        |turn| {
            if turn.is("Filter") {
                turn.notes().count += 1;
                if turn.notes().count > 1 {
                    turn.answer("Success", "Success");
                }
            }
        },
    ),
    action(
        (
            "event.filter.any-regex",
            "event.filter.bad-pattern",
            "a filter that is no regular expression is accepted",
        ),
        |turn| feign_filter(turn, |filter| filter == "["),
    ),
    answer(
        (
            "event.filter.empty-otherwise",
            "event.filter.empty",
            "an empty filter is answered the other way",
        ),
        |turn| {
            if turn.is("Filter") && turn.request.bytes("Filter").is_empty() {
                if turn.is_error() {
                    turn.answer("Success", "Success");
                } else {
                    turn.answer("Error", "Filter not added");
                }
            }
        },
    ),
    action(
        (
            "event.filter.criteria-unknown",
            "event.filter.match-criteria",
            "MatchCriteria does not count",
        ),
        |turn| {
            if turn.is("Filter") && !turn.request.bytes("MatchCriteria").is_empty() {
                turn.answer("Success", "Success");
            }
        },
    ),
    action(
        (
            "event.filter.methods-ignored",
            "event.filter.match-criteria",
            "a filter with a method has no effect",
        ),
        |turn| {
            if turn.is("Filter") && turn.asks("MatchCriteria").contains("method(") {
                turn.answer("Success", "Success");
            }
        },
    ),
    answer(
        (
            "event.waitevent.mute",
            "event.wait.times-out",
            "WaitEvent gets no answer",
        ),
        |turn| of_wait(turn, |turn| turn.texts.clear()),
    ),
    answer(
        (
            "event.waitevent.empty",
            "event.wait.wakes",
            "WaitEvent tells of no event",
        ),
        |turn| {
            of_wait(turn, |turn| {
                turn.texts
                    .retain(|text| !text.is_event() || text.is("WaitEventComplete"));
            })
        },
    ),
    input(
        (
            "event.waitevent.deaf",
            "event.wait.interrupted",
            "what comes during WaitEvent is lost",
        ),
        |incoming| {
            if !incoming.session.is_reading() {
                incoming.bytes.clear();
            }
        },
    ),
    event(
        (
            "event.reload.missing",
            "event.reload.told",
            "a reload is not told",
        ),
        |telling| telling.texts.retain(|text| !text.is("Reload")),
    ),
    event(
        (
            "event.shutdown.missing",
            UNJUDGED,
            "the end of the PBX is not told",
        ),
        |telling| telling.texts.retain(|text| !text.is("Shutdown")),
    ),
    event(
        (
            "event.shape.name-last",
            "event.shape.name-first",
            "the name of an event stands last",
        ),
        |telling| {
            each(telling, |text| {
                text.edit_lines(|lines| lines.rotate_left(1))
            })
        },
    ),
    answer(
        (
            "event.mask.wordless",
            "event.mask.answer",
            "the answer to Events does not tell whether they are on",
        ),
        |turn| {
            if turn.is("Events") {
                turn.each(|text| text.remove("Events"));
            }
        },
    ),
    action(
        (
            "event.mask.unknown-refused",
            "event.mask.unknown-word",
            "a mask of an unknown word is an error, where stock Asterisk has none",
        ),
        |turn| {
            if turn.is("Events") && turn.asks("EventMask").starts_with("nosuch") {
                turn.answer("Error", "Invalid event mask");
            }
        },
    ),
    action(
        (
            "event.mask.shared",
            "session.mask.own-only",
            "events cannot be switched off while the account has another session",
        ),
        |turn| {
            if turn.pbx.logins.values().sum::<usize>() > 1 {
                of_mask(turn, |mask| mask.eq_ignore_ascii_case("off"), "on");
            }
        },
    ),
];

fn each(telling: &mut Telling<'_>, edit: impl FnMut(&mut Text)) {
    telling.texts.iter_mut().for_each(edit);
}

fn of_user(telling: &mut Telling<'_>, edit: impl FnMut(&mut Text)) {
    telling
        .texts
        .iter_mut()
        .filter(|text| text.is("UserEvent"))
        .for_each(edit);
}

/// Holds one event back until the next has come.
fn swap(hearing: &mut Hearing<'_>) {
    if hearing.notes.held_events.is_empty() {
        hearing.notes.held_events = std::mem::take(&mut hearing.events);
    } else {
        let held: Vec<Arc<Event>> = std::mem::take(&mut hearing.notes.held_events);
        hearing.events.extend(held);
    }
}

fn of_mask(turn: &mut Turn<'_>, meant: impl Fn(&str) -> bool, instead: &str) {
    if turn.is("Events") && meant(&turn.asks("EventMask")) {
        turn.ask_instead("EventMask", instead);
    }
}

/// Says that a filter was added, and adds none.
fn feign_filter(turn: &mut Turn<'_>, meant: impl Fn(&str) -> bool) {
    let filter = turn.asks("Filter");
    if turn.is("Filter") && !filter.is_empty() && meant(&filter) {
        turn.answer("Success", "Success");
    }
}

fn of_wait(turn: &mut Turn<'_>, edit: impl FnOnce(&mut Turn<'_>)) {
    if turn.is("WaitEvent") {
        edit(turn);
    }
}
