//! A request on a connection, with all that came as its answer.

use std::collections::{BTreeMap, VecDeque};

use ami_proto::frame::FrameKind;

use crate::log::Side;
use crate::observed::{Connection, Seen};

#[derive(Debug)]
pub(super) struct Exchange<'a> {
    pub(super) request: &'a Seen,
    /// Response, items of a list and its end, other events with its ActionID; as they came.
    pub(super) answers: Vec<&'a Seen>,
}

impl<'a> Exchange<'a> {
    pub(super) fn asks(&self, action: &str) -> bool {
        let asked = self.request.frame().get("Action").unwrap_or_default();
        asked.eq_ignore_ascii_case(action.as_bytes())
    }

    fn response(&self) -> Option<&'a Seen> {
        let mut answers = self.answers.iter().copied();
        answers.find(|seen| seen.kind() == FrameKind::Response)
    }

    pub(super) fn is_refused(&self) -> bool {
        let said = self
            .response()
            .and_then(|seen| seen.frame().get("Response"));
        said.is_some_and(|word| word != b"Success")
    }
}

/// Requests that bear the same ActionID, or none.
#[derive(Default)]
struct Named {
    unanswered: VecDeque<usize>,
    answered: Option<usize>,
}

/// In the order in which they were asked. An answer is that of the oldest request with its ActionID; one without any may be
/// that of a request with one.
pub(super) fn exchanges(connection: &Connection) -> Vec<Exchange<'_>> {
    let mut exchanges: Vec<Exchange<'_>> = Vec::new();
    let mut by_id: BTreeMap<Option<&[u8]>, Named> = BTreeMap::new();
    let mut unanswered = VecDeque::new();
    for seen in &connection.messages {
        let id = seen.frame().get("ActionID");
        let whose = match (seen.side, seen.kind()) {
            (Side::Client, FrameKind::Action) => {
                by_id
                    .entry(id)
                    .or_default()
                    .unanswered
                    .push_back(exchanges.len());
                unanswered.push_back(exchanges.len());
                exchanges.push(Exchange {
                    request: seen,
                    answers: Vec::new(),
                });
                continue;
            }
            (Side::Server, FrameKind::Response) => {
                let named = by_id.get_mut(&id);
                let own = named.and_then(|named| {
                    let own = named.unanswered.pop_front()?;
                    named.answered = Some(own);
                    Some(own)
                });
                let nameless = || unanswered.front().copied().filter(|_| id.is_none());
                own.or_else(nameless)
            }
            (Side::Server, FrameKind::Event) if id.is_some() => by_id
                .get(&id)
                .and_then(|named| named.answered.or_else(|| named.unanswered.front().copied())),
            _ => None,
        };
        if let Some(whose) = whose {
            exchanges[whose].answers.push(seen);
            unanswered.retain(|&one| one != whose);
        }
    }
    exchanges
}
