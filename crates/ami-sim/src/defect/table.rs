//! Every defect there is, by area.

use super::{Hearing, How, Incoming, Notes, Row, Telling, Turn, WebAnswer};
use crate::pbx::Pbx;
use crate::web::WebRequest;

mod account;
mod auth;
mod call;
mod channel;
mod command;
mod connect;
mod event;
mod framing;
mod list;
mod load;
mod response;
mod store;
mod tls;
mod web;

pub(super) const ROWS: &[&[Row]] = &[
    connect::ROWS,
    framing::ROWS,
    response::ROWS,
    list::ROWS,
    command::ROWS,
    auth::ROWS,
    account::ROWS,
    event::ROWS,
    call::ROWS,
    channel::ROWS,
    store::ROWS,
    tls::ROWS,
    web::ROWS,
    load::ROWS,
];

/// Its name, the conformance case that it fails, and what is wrong.
type Texts = (&'static str, &'static str, &'static str);

/// In the place of a case: none sees it yet.
pub(super) const UNJUDGED: &str = "";

const fn row((name, case, what): Texts, how: How) -> Row {
    Row {
        name,
        case,
        what,
        how,
    }
}

const fn setup(texts: Texts, set_up: fn(&mut Pbx)) -> Row {
    row(texts, How::Setup(set_up))
}

const fn input(texts: Texts, rewrite: fn(&mut Incoming<'_>)) -> Row {
    row(texts, How::Input(rewrite))
}

const fn action(texts: Texts, rewrite: fn(&mut Turn<'_>)) -> Row {
    row(texts, How::Action(rewrite))
}

const fn answer(texts: Texts, rewrite: fn(&mut Turn<'_>)) -> Row {
    row(texts, How::Answer(rewrite))
}

const fn event(texts: Texts, rewrite: fn(&mut Telling<'_>)) -> Row {
    row(texts, How::Event(rewrite))
}

const fn hearing(texts: Texts, rewrite: fn(&mut Hearing<'_>)) -> Row {
    row(texts, How::Hearing(rewrite))
}

/// A request over HTTP.
const fn ask(texts: Texts, ask: fn(&mut WebRequest, &mut Notes)) -> Row {
    let answer = |_: &mut WebAnswer<'_>| {};
    row(texts, How::Web { ask, answer })
}

/// An answer over HTTP.
const fn web(texts: Texts, answer: fn(&mut WebAnswer<'_>)) -> Row {
    let ask = |_: &mut WebRequest, _: &mut Notes| {};
    row(texts, How::Web { ask, answer })
}
