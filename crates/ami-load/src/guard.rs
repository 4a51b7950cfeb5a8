//! Watches a PBX that people use while it is loaded, and says when the load must stop. Pure: what is seen, and when, goes in.
//!
//! It knows nothing of thresholds: they judge what was measured, the guard protects who has nothing to do with it.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use ami_proto::frame::Frame;
use thiserror::Error;

use crate::run_tag::{CallKey, RunTag};

/// A ping is slow when it takes this many times what pings took before the load …
const SLOWER: u32 = 10;
/// … but never below this: ten times the 0.2 ms of a quiet network is nothing that anybody notices, and a busy machine of
/// ours may itself be late by tens of milliseconds …
const SLOW_MIN: Duration = Duration::from_millis(100);
/// … and always above this.
const SLOW_MAX: Duration = Duration::from_secs(1);
/// A PBX may be slow for a moment, as when it reloads; it is endangered when no ping is quick for so long.
const SLOW_FOR: Duration = Duration::from_secs(5);

/// How long ago a call may have ended to tell how calls fare now.
const WINDOW: Duration = Duration::from_secs(30);
/// Ends of calls that are remembered; more within the window only make it shorter.
const WINDOW_MAX: usize = 10_000;
/// Fewer failures than this are chance.
const FAILED_MIN: usize = 5;
/// Calls fail when the share that does rises by so much over what it was before the load.
const RISE: f64 = 0.25;
/// Where fewer calls than this ended before the load, their share says nothing; then this is taken for it.
const BEFORE_MIN: u64 = 20;
const BEFORE_USUAL: f64 = 0.1;

/// Our own count of the calls that are up may be ahead of the canary's for a moment, when one ends and the next begins.
const OVER_FOR: Duration = Duration::from_secs(1);

/// Why the load on a target had to stop.
#[derive(Clone, Debug, Error, PartialEq)]
pub enum Trip {
    #[error(
        "for {} s each ping took over {} ms; before the load it took {} ms",
        SLOW_FOR.as_secs(), .limit.as_millis(), milliseconds(*.base)
    )]
    Slow { limit: Duration, base: Duration },
    #[error("the session of the guard was lost: {why}")]
    CanaryLost { why: String },
    #[error("a session was lost: {why}")]
    SessionLost { why: String },
    #[error(
        "{failed} of {ended} calls that are not ours failed within {} s, before the load {:.0} % did",
        WINDOW.as_secs(), .before * 100.0
    )]
    ForeignCalls {
        failed: usize,
        ended: usize,
        before: f64,
    },
    #[error("{up} calls of this run are up, and max_calls_up is {permitted}")]
    CallsUp { up: usize, permitted: u32 },
}

fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e4).round() / 10.0
}

/// What the canary, or somebody else, sees of the PBX.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// The ping that was sent at that instant is answered now.
    Pong {
        sent_at: Duration,
    },
    /// It is not answered yet.
    NoPong {
        sent_at: Duration,
    },
    Foreign(CallEnd),
    OurChannelUp(CallKey),
    OurChannelDown(CallKey),
    CanaryLost {
        why: String,
    },
    SessionLost {
        why: String,
    },
}

/// How a channel that is not ours ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CallEnd {
    /// By people: somebody hung up, was busy, did not answer, dialled wrong.
    Usual,
    /// By the PBX, or by what it is connected to.
    Failed,
}

#[derive(Debug)]
pub(crate) struct Guard {
    base: Duration,
    slow_since: Option<Duration>,
    foreign: Foreign,
    /// Channels of our calls that are up.
    ours: BTreeMap<CallKey, u32>,
    permitted: u32,
    over_since: Option<Duration>,
}

impl Guard {
    /// `base` is what a ping took before the load, `permitted` how many of our calls may be up.
    pub(crate) fn new(base: Duration, permitted: u32) -> Self {
        Self {
            base,
            slow_since: None,
            foreign: Foreign::default(),
            ours: BTreeMap::new(),
            permitted,
            over_since: None,
        }
    }

    /// From here on calls that fail are held against the load.
    pub(crate) fn load_begins(&mut self) {
        self.foreign.loaded = true;
    }

    pub(crate) fn see(&mut self, now: Duration, seen: Seen) -> Option<Trip> {
        match seen {
            Seen::Pong { sent_at } => {
                if now.saturating_sub(sent_at) <= self.slow_over() {
                    self.slow_since = None;
                } else {
                    self.slow_since.get_or_insert(sent_at);
                }
            }
            Seen::NoPong { sent_at } => {
                if now.saturating_sub(sent_at) > self.slow_over() {
                    self.slow_since.get_or_insert(sent_at);
                }
            }
            Seen::Foreign(end) => self.foreign.ended(now, end),
            Seen::OurChannelUp(call) => *self.ours.entry(call).or_default() += 1,
            Seen::OurChannelDown(call) => self.channel_down(call),
            Seen::CanaryLost { why } => return Some(Trip::CanaryLost { why }),
            Seen::SessionLost { why } => return Some(Trip::SessionLost { why }),
        }
        self.judge(now)
    }

    /// When to look at a ping that is not answered, if that is sooner than usual.
    pub(crate) fn next_look(&self) -> Option<Duration> {
        self.slow_since.map(|since| since + SLOW_FOR)
    }

    fn judge(&mut self, now: Duration) -> Option<Trip> {
        let lasts = |since: Option<Duration>, long: Duration| {
            since.is_some_and(|since| now.saturating_sub(since) >= long)
        };
        let up = self.ours.len();
        let is_over = up > usize::try_from(self.permitted).unwrap_or(usize::MAX);
        self.over_since = is_over.then(|| self.over_since.unwrap_or(now));
        if lasts(self.slow_since, SLOW_FOR) {
            let (limit, base) = (self.slow_over(), self.base);
            return Some(Trip::Slow { limit, base });
        }
        if lasts(self.over_since, OVER_FOR) {
            let permitted = self.permitted;
            return Some(Trip::CallsUp { up, permitted });
        }
        self.foreign.failing()
    }

    fn slow_over(&self) -> Duration {
        (self.base * SLOWER).clamp(SLOW_MIN, SLOW_MAX)
    }

    fn channel_down(&mut self, call: CallKey) {
        if let Some(channels) = self.ours.get_mut(&call) {
            *channels -= 1;
            if *channels == 0 {
                self.ours.remove(&call);
            }
        }
    }
}

/// How the calls of others end.
#[derive(Debug, Default)]
struct Foreign {
    loaded: bool,
    before: Tally,
    window: VecDeque<(Duration, CallEnd)>,
    /// How many of those in the window failed.
    failed: usize,
}

#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    ended: u64,
    failed: u64,
}

impl Foreign {
    fn ended(&mut self, now: Duration, end: CallEnd) {
        if !self.loaded {
            self.before.ended += 1;
            self.before.failed += u64::from(end == CallEnd::Failed);
            return;
        }
        let is_old = |(at, _): &(Duration, CallEnd)| *at + WINDOW < now;
        while self.window.front().is_some_and(is_old) || self.window.len() >= WINDOW_MAX {
            if let Some((_, CallEnd::Failed)) = self.window.pop_front() {
                self.failed -= 1;
            }
        }
        self.failed += usize::from(end == CallEnd::Failed);
        self.window.push_back((now, end));
    }

    fn failing(&self) -> Option<Trip> {
        let (failed, ended) = (self.failed, self.window.len());
        let before = self.before.share();
        is_failing(failed, ended, before).then_some(Trip::ForeignCalls {
            failed,
            ended,
            before,
        })
    }
}

impl Tally {
    /// How many of the calls before the load failed.
    fn share(self) -> f64 {
        if self.ended < BEFORE_MIN {
            BEFORE_USUAL
        } else {
            self.failed as f64 / self.ended as f64
        }
    }
}

/// Whether so many failures among the calls that ended lately are more than a share of `before` explains.
fn is_failing(failed: usize, ended: usize, before: f64) -> bool {
    failed >= FAILED_MIN && failed as f64 >= (before + RISE).min(1.0) * ended as f64
}

/// What an event tells the guard of a run.
pub(crate) fn seen_in(frame: &Frame<'_>, tag: &RunTag) -> Option<Seen> {
    let ours = tag.key_of(frame);
    match (frame.get("Event")?, ours) {
        (b"Newchannel", Some(call)) => Some(Seen::OurChannelUp(call)),
        (b"Hangup", Some(call)) => Some(Seen::OurChannelDown(call)),
        (b"Hangup", None) if !tag.owns(frame) => Some(Seen::Foreign(end_by_cause(frame))),
        (b"OriginateResponse", None) => end_by_reason(frame).map(Seen::Foreign),
        _ => None,
    }
}

/// Q.850 groups its causes: from 32 on, resources, services or the protocol are at fault. Below that people are, but for
/// 20 (the phone is not registered any more) and 27 (out of order).
fn end_by_cause(frame: &Frame<'_>) -> CallEnd {
    match number(frame, "Cause") {
        Some(20 | 27 | 32..) => CallEnd::Failed,
        _ => CallEnd::Usual,
    }
}

/// A call that was placed through the manager, failed, and has an id: without one it might be ours. Its channels tell of
/// all other ends. Reason 0 is a failure, 8 a congestion; 1, 3 and 5 are people that do not answer or are busy.
fn end_by_reason(frame: &Frame<'_>) -> Option<CallEnd> {
    let has_id = frame
        .get("Uniqueid")
        .is_some_and(|id| !id.is_empty() && !id.starts_with(b"<"));
    let failed = frame
        .get("Response")
        .is_some_and(|value| value.eq_ignore_ascii_case(b"Failure"));
    (has_id && failed && matches!(number(frame, "Reason"), Some(0 | 8))).then_some(CallEnd::Failed)
}

fn number(frame: &Frame<'_>, header: &str) -> Option<u16> {
    frame.text(header)?.trim().parse().ok()
}

#[cfg(test)]
mod tests;
