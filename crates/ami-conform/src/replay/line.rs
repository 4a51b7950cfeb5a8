//! A connection of a replay, and what is waited for on it.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future as _;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use ami_proto::frame::{Frame, FrameKind};
use tokio::time::{Instant, sleep_until};

use crate::observed::closes_list;
use crate::probe::{ANSWER_WITHIN, Heard, Probe};
use crate::trace::Trace;

pub(super) struct Line {
    pub(super) probe: Probe,
    pub(super) stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Open,
    /// Logoff was sent.
    Leaving,
    Over,
}

/// A request that was sent, and what is waited for.
pub(super) struct Sent {
    pub(super) conn: u32,
    pub(super) id: Option<String>,
    pub(super) at: Instant,
    /// When it was in the recording.
    pub(super) then: Duration,
    /// What the recording has as its answers, and how long after the request.
    pub(super) expected: Vec<(Duration, Answer)>,
    pub(super) came: BTreeSet<Answer>,
    pub(super) given_up: bool,
    /// What is there once the answer is a success.
    pub(super) makes: Option<Trace>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Answer {
    Response,
    /// The end of a list.
    End,
    Event(String),
}

impl Answer {
    pub(super) fn of(frame: Frame<'_>) -> Self {
        match frame.kind() {
            FrameKind::Event if closes_list(frame) => Self::End,
            FrameKind::Event => Self::Event(frame.text("Event").unwrap_or_default().into_owned()),
            _ => Self::Response,
        }
    }
}

impl Sent {
    /// Until when it is waited for what is missing, if anything is that the recording has `before`.
    pub(super) fn patience(&self, before: Duration) -> Option<Instant> {
        let missing = self.expected.iter().filter(|(after, answer)| {
            !self.given_up && self.then + *after <= before && !self.came.contains(answer)
        });
        missing
            .map(|(after, _)| self.at + *after + ANSWER_WITHIN)
            .max()
    }
}

/// What comes next on any of them.
pub(super) async fn next_of(
    lines: &mut BTreeMap<u32, Line>,
    until: Instant,
) -> Option<(u32, Heard)> {
    let open = lines
        .iter_mut()
        .filter(|(_, line)| line.stage != Stage::Over);
    let mut nexts: Vec<(u32, Pin<Box<_>>)> = open
        .map(|(conn, line)| (*conn, Box::pin(line.probe.next_by(until))))
        .collect();
    if nexts.is_empty() {
        sleep_until(until).await;
        return None;
    }
    let next = std::future::poll_fn(|context| {
        for (conn, next) in &mut nexts {
            if let Poll::Ready(heard) = next.as_mut().poll(context) {
                return Poll::Ready((*conn, heard));
            }
        }
        Poll::Pending
    });
    Some(next.await)
}
