//! What a client did in a recording, step by step, as far as it can be done again.

use std::collections::BTreeMap;
use std::time::Duration;

use ami_proto::frame::FrameKind;
use ami_proto::transcript::{Mark, What};

use super::exchange::{Exchange, exchanges};
use super::names::Calls;
use super::request::Request;
use crate::log::Side;
use crate::observed::{Connection, Observed, Seen};

#[derive(Debug)]
pub struct Script<'a> {
    /// In the order in which they were done.
    pub steps: Vec<Step<'a>>,
    /// When the last byte passed.
    pub ended: Duration,
    pub(super) calls: Calls,
}

#[derive(Debug)]
pub struct Step<'a> {
    pub at: Duration,
    pub conn: u32,
    pub what: Deed<'a>,
}

#[derive(Debug)]
pub enum Deed<'a> {
    /// Connects and logs in, with the events of this mask.
    LogIn {
        events: String,
    },
    Ask(Asked<'a>),
    Leave,
}

/// A request of the recording.
#[derive(Debug)]
pub struct Asked<'a> {
    /// Counted over the whole recording, from 1.
    pub number: usize,
    pub(super) exchange: Exchange<'a>,
    /// Or why it cannot be asked again.
    pub request: Result<Request, String>,
    /// Its number among the calls of the recording, if it placed one.
    pub(super) call: Option<usize>,
}

impl<'a> Script<'a> {
    pub fn of(observed: &'a Observed<'a>) -> Self {
        let mut steps: Vec<Step<'a>> = observed.connections.iter().flat_map(steps).collect();
        steps.sort_by_key(|step| (step.at, step.conn));
        let asked = steps.iter_mut().filter_map(|step| match &mut step.what {
            Deed::Ask(asked) => Some(asked),
            Deed::LogIn { .. } | Deed::Leave => None,
        });
        for (index, asked) in asked.enumerate() {
            asked.number = index + 1;
        }
        let calls = calls(observed, &mut steps);
        let leaves = observed
            .entries()
            .iter()
            .filter_map(|entry| match entry.what {
                What::Mark(Mark::ClientFin | Mark::ClientRst) => Some(Step {
                    at: entry.at,
                    conn: entry.conn,
                    what: Deed::Leave,
                }),
                _ => None,
            });
        steps.extend(leaves);
        steps.sort_by_key(|step| (step.at, step.conn));
        let last = observed.entries().last();
        Self {
            steps,
            ended: last.map_or(Duration::ZERO, |entry| entry.at),
            calls,
        }
    }

    pub fn asked(&self) -> impl Iterator<Item = &Asked<'a>> {
        self.steps.iter().filter_map(|step| match &step.what {
            Deed::Ask(asked) => Some(asked),
            Deed::LogIn { .. } | Deed::Leave => None,
        })
    }
}

impl Asked<'_> {
    pub fn action(&self) -> String {
        let action = self.exchange.request.frame().text("Action");
        action.unwrap_or_default().into_owned()
    }
}

/// What was done on one connection.
fn steps<'a>(connection: &'a Connection) -> Vec<Step<'a>> {
    let step = |at, what| Step {
        at,
        conn: connection.conn,
        what,
    };
    let exchanges = exchanges(connection);
    let is_login = |exchange: &Exchange<'_>| exchange.asks("Login");
    let logged_in = exchanges
        .iter()
        .position(|exchange| is_login(exchange) && !exchange.is_refused());
    let (from, obstacle) = match logged_in {
        Some(at) => (at, "it was asked before the login"),
        // The recording begins behind it.
        None if !connection.begun && !exchanges.iter().any(&is_login) => (0, ""),
        None if exchanges.iter().any(&is_login) => (exchanges.len(), "its login was refused"),
        None => (exchanges.len(), "nobody logged in"),
    };
    let mut steps = Vec::new();
    for (index, exchange) in exchanges.into_iter().enumerate() {
        let at = exchange.request.at;
        if index == from {
            let events = events(connection, logged_in.map(|_| exchange.request));
            steps.push(step(at, Deed::LogIn { events }));
        }
        if exchange.asks("Challenge") || Some(index) == logged_in {
            continue;
        }
        let request = if index < from {
            Err(format!("{obstacle} in the recording"))
        } else if is_login(&exchange) {
            Err("there is one login on a connection".to_owned())
        } else {
            Request::of(exchange.request.frame())
        };
        let asked = Asked {
            number: 0,
            exchange,
            request,
            call: None,
        };
        steps.push(step(at, Deed::Ask(asked)));
    }
    steps
}

/// Which events are wanted: as the login says, or as it shows.
fn events(connection: &Connection, login: Option<&Seen>) -> String {
    let told = login.and_then(|login| login.frame().text("Events"));
    let mut said = connection.said();
    let hears =
        said.any(|seen| seen.kind() == FrameKind::Event && seen.frame().get("ActionID").is_none());
    match (told, login) {
        (Some(told), _) => told.into_owned(),
        (None, None) if !hears => "off".to_owned(),
        (None, _) => "on".to_owned(),
    }
}

/// Learns which channels the calls of the recording had, and tells each Originate which call it placed.
fn calls(observed: &Observed<'_>, steps: &mut [Step<'_>]) -> Calls {
    let mut originates: BTreeMap<(u32, u64), &mut Asked<'_>> = BTreeMap::new();
    for step in steps {
        if let Deed::Ask(asked) = &mut step.what
            && asked
                .request
                .as_ref()
                .is_ok_and(|request| request.is("Originate"))
        {
            let place = (step.conn, asked.exchange.request.frame().offset());
            originates.insert(place, asked);
        }
    }
    let mut all: Vec<(u32, &Seen)> = Vec::new();
    for connection in &observed.connections {
        all.extend(
            connection
                .messages
                .iter()
                .map(|seen| (connection.conn, seen)),
        );
    }
    all.sort_by_key(|(_, seen)| seen.at);
    let mut calls = Calls::default();
    for (conn, seen) in all {
        let frame = seen.frame();
        let text = |name| frame.text(name).map(|text| text.into_owned());
        match seen.side {
            Side::Server => calls.hear(frame),
            Side::Client => {
                if let Some(asked) = originates.get_mut(&(conn, frame.offset())) {
                    let dialled = text("Channel").unwrap_or_default();
                    let call = calls.place(&dialled, text("ActionID"), text("ChannelId"));
                    asked.call = Some(call);
                }
            }
        }
    }
    calls
}
