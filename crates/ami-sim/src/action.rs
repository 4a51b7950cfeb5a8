//! From a request to the code that answers it: existence, rights, then one function for each action.

use std::time::Duration;

use crate::message::{Headers, Message};
use crate::pbx::Pbx;
use crate::request::Request;
use crate::security;
use crate::server_session::Dialogue;

mod agent;
mod bridge;
mod channel;
mod channel_map;
mod command;
mod conference;
mod config;
mod core_state;
mod database;
mod dialplan;
mod dialplan_change;
mod endpoint;
mod event_flow;
mod hangup;
mod login;
mod mailbox;
mod module;
mod originate;
mod originate_rights;
mod park;
mod queue;
mod queue_member;
mod signal;
mod sip_peer;
mod sms;
mod state;
mod transfer;
mod variable;

/// One request being answered.
pub(crate) struct Act<'a> {
    pub(crate) now: Duration,
    pub(crate) request: &'a Request,
    pub(crate) session: &'a mut Dialogue,
    pub(crate) pbx: &'a mut Pbx,
}

impl Act<'_> {
    pub(crate) fn answer(&mut self, message: impl Into<Message>) {
        self.session.answer(message);
    }

    /// Unix time.
    pub(crate) fn wall_seconds(&self) -> u64 {
        self.pbx.wall(self.now).as_secs()
    }

    pub(crate) fn success(&mut self, message: &str) {
        self.session
            .answer(Headers::success(self.request.action_id(), message));
    }

    pub(crate) fn error(&mut self, message: &str) {
        self.session
            .answer(Headers::error(self.request.action_id(), message));
    }
}

pub(crate) type Handler = fn(&mut Act<'_>);

/// What the simulator can do, if the profile lists it: each family has its table.
const FAMILIES: &[&[(&str, Handler)]] = &[
    agent::HANDLERS,
    bridge::HANDLERS,
    channel::HANDLERS,
    channel_map::HANDLERS,
    command::HANDLERS,
    conference::HANDLERS,
    config::HANDLERS,
    core_state::HANDLERS,
    database::HANDLERS,
    dialplan::HANDLERS,
    dialplan_change::HANDLERS,
    endpoint::HANDLERS,
    event_flow::HANDLERS,
    hangup::HANDLERS,
    login::HANDLERS,
    mailbox::HANDLERS,
    module::HANDLERS,
    originate::HANDLERS,
    queue::HANDLERS,
    queue_member::HANDLERS,
    park::HANDLERS,
    signal::HANDLERS,
    sip_peer::HANDLERS,
    transfer::HANDLERS,
    sms::HANDLERS,
    state::HANDLERS,
    variable::HANDLERS,
];

/// The text around an unknown name fills a buffer of 512 bytes with its terminating NUL.
const UNKNOWN_TEXT_MAX: usize = 511;

/// How long the request occupies its session before it is answered.
pub(crate) fn service_time(request: &Request, pbx: &Pbx) -> Duration {
    std::str::from_utf8(request.action())
        .map_or(Duration::ZERO, |name| pbx.profile.timing.service(name))
}

/// `process_message`.
pub(crate) fn perform(act: &mut Act<'_>) {
    let action = act.request.action();
    if action.is_empty() {
        security::request_bad_format(act, "NONE");
        return act.error("Missing action in request");
    }
    let name = String::from_utf8_lossy(action);
    let opens = ["Login", "Logoff", "Challenge"]
        .iter()
        .any(|open| name.eq_ignore_ascii_case(open));
    if act.session.account().is_none() && !opens {
        security::request_not_allowed(act, &name);
        return act.error("Permission denied");
    }
    if act.session.account().is_none()
        && !name.eq_ignore_ascii_case("Logoff")
        && login::is_refused_as_in_use(act)
    {
        return;
    }
    let profile = std::sync::Arc::clone(&act.pbx.profile);
    let Some(entry) = profile.commands.find(&name) else {
        act.pbx.counters.count_action("unknown");
        security::request_bad_format(act, &name);
        return act.answer(unknown(act.request));
    };
    let count = act.pbx.counters.count_action(&entry.name);
    for planted in act.pbx.faults.brought_on(&entry.name, count) {
        let wall = act.pbx.wall(act.now);
        act.pbx.counters.faults_at.push(wall);
        if planted.is_everywhere() {
            act.pbx.faults.spread(planted);
        } else {
            act.session.suffer(&planted);
        }
    }
    let rights = act.session.account().map(|account| account.write);
    if !entry.classes.is_empty() && !rights.is_some_and(|rights| rights.intersects(entry.classes)) {
        security::request_not_allowed(act, &name);
        return act.error("Permission denied");
    }
    let mut handlers = FAMILIES.iter().copied().flatten();
    match handlers.find(|(known, _)| *known == entry.name) {
        Some((_, handler)) => handler(act),
        // No PBX says this; it is better than an invented answer.
        None => act.error("Not simulated"),
    }
}

fn unknown(request: &Request) -> Headers {
    let mut text = b"Invalid/unknown command: ".to_vec();
    text.extend_from_slice(request.action());
    text.extend_from_slice(b". Use Action: ListCommands to show available commands.");
    text.truncate(UNKNOWN_TEXT_MAX);
    Headers::response("Error", request.action_id()).with("Message", text)
}
