//! The calls of one worker that are not over, followed by the events that its observers see. Pure.
//!
//! An Originate is answered at once and completes on another session, by OriginateResponse; that event is no fence, it
//! may come before the answer is read or after the call has ended.

use std::collections::BTreeMap;

use ami_proto::frame::Frame;
use ami_results::call::{CallRecord, CallResult, HungUpBy};
use ami_results::outcome::Outcome;
use ami_results::record::Record;

use crate::run_tag::{CallKey, RunTag};

/// Legs of one call that are followed; a dialplan that makes more is not what a load test calls.
const CHANNELS_MAX: usize = 32;

#[derive(Debug)]
pub(crate) struct CallTable {
    tag: RunTag,
    worker: u16,
    next: u64,
    calls: BTreeMap<u64, Call>,
    /// Calls that are not over, by target.
    up: Vec<u32>,
    ended_by: HungUpBy,
}

/// Instants after which nothing more is expected of a call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub(crate) completion_due: u64,
    pub(crate) gone_by: u64,
}

/// What an event or an answer settled.
#[derive(Debug, Default)]
pub(crate) struct Settled {
    pub(crate) record: Option<Record>,
    pub(crate) call: Option<CallRecord>,
}

#[derive(Debug)]
struct Call {
    record: CallRecord,
    /// The Originate's record, once the PBX has accepted it and until its completion is seen.
    accepted: Option<Record>,
    /// When OriginateResponse was seen.
    completed_at: Option<u64>,
    channels: Vec<Box<[u8]>>,
    completion_due: u64,
    /// The PBX has ended it by then, by the bound that the Originate carried.
    gone_by: u64,
}

impl CallTable {
    pub(crate) fn new(tag: RunTag, worker: u16, targets: usize) -> Self {
        Self {
            tag,
            worker,
            next: 0,
            calls: BTreeMap::new(),
            up: vec![0; targets],
            ended_by: HungUpBy::Pbx,
        }
    }

    pub(crate) fn calls_up(&self, target: u16) -> u32 {
        self.up[usize::from(target)]
    }

    /// Whether some Originate that was accepted has not completed.
    pub(crate) fn is_awaiting(&self) -> bool {
        self.calls.values().any(|call| call.accepted.is_some())
    }

    /// Enters a call that is about to be originated.
    pub(crate) fn place(
        &mut self,
        target: u16,
        phase: u16,
        intended_at: u64,
        bounds: Bounds,
    ) -> CallKey {
        let key = CallKey {
            worker: self.worker,
            number: self.next,
        };
        self.next += 1;
        let record = CallRecord {
            target,
            phase,
            id: self.tag.channel_id(key),
            intended_at,
            result: CallResult::Unknown,
            reason: None,
            answered_at: None,
            ended_at: None,
            cause: None,
            hung_up_by: HungUpBy::Unknown,
        };
        let call = Call {
            record,
            accepted: None,
            completed_at: None,
            channels: Vec::new(),
            completion_due: bounds.completion_due,
            gone_by: bounds.gone_by,
        };
        self.calls.insert(key.number, call);
        self.up[usize::from(target)] += 1;
        key
    }

    /// The PBX took the Originate: its record waits here for the completion.
    pub(crate) fn accepted(&mut self, key: CallKey, record: Record) -> Settled {
        let call = self
            .calls
            .get_mut(&key.number)
            .expect("a call stays in the table until its answer is seen");
        call.accepted = Some(record);
        self.settle(key.number)
    }

    /// The PBX did not take the Originate, or nobody knows: there is no call to follow.
    pub(crate) fn not_accepted(&mut self, key: CallKey) {
        self.remove(key.number);
    }

    /// The answer to the Originate was lost: the call may be up, so it is followed, but its record has ended elsewhere.
    pub(crate) fn answer_lost(&mut self, key: CallKey) {
        if let Some(call) = self.calls.get_mut(&key.number) {
            call.completion_due = u64::MAX;
        }
    }

    /// Follows one event; events of calls that are not this worker's are nothing.
    pub(crate) fn handle_event(&mut self, now: u64, frame: &Frame<'_>) -> Settled {
        let Some(key) = self
            .tag
            .key_of(frame)
            .filter(|key| key.worker == self.worker)
        else {
            return Settled::default();
        };
        let Some(call) = self.calls.get_mut(&key.number) else {
            return Settled::default();
        };
        let Some(name) = frame.get("Event") else {
            return Settled::default();
        };
        match name {
            b"Newchannel" => call.channel_up(frame),
            b"Hangup" => call.channel_down(now, frame, self.ended_by),
            b"OriginateResponse" => call.originate_response(now, frame),
            _ => return Settled::default(),
        }
        self.settle(key.number)
    }

    /// What did not come in time: completions, and calls whose end nobody saw.
    pub(crate) fn overdue(&mut self, now: u64) -> Vec<Settled> {
        let mut settled = Vec::new();
        let late: Vec<u64> = self
            .calls
            .iter()
            .filter(|(_, call)| call.completion_due.min(call.gone_by) <= now)
            .map(|(number, _)| *number)
            .collect();
        for number in late {
            let Some(call) = self.calls.get_mut(&number) else {
                continue;
            };
            call.completion_due = u64::MAX;
            let over = call.gone_by <= now;
            let why = "no OriginateResponse in time";
            let record = call
                .accepted
                .take()
                .map(|record| ended(record, now, Outcome::Indeterminate, Some(why)));
            let call = if over {
                self.remove(number).map(|call| call.record)
            } else {
                None
            };
            settled.push(Settled { record, call });
        }
        settled
    }

    /// The events of a target cannot be seen any more: completions of its Originates stay unknown.
    pub(crate) fn blinded(&mut self, target: u16, now: u64) -> Vec<Settled> {
        let calls = self
            .calls
            .values_mut()
            .filter(|call| call.record.target == target);
        calls
            .filter_map(|call| call.accepted.take())
            .map(|record| {
                ended(
                    record,
                    now,
                    Outcome::Indeterminate,
                    Some("the observing session was lost"),
                )
            })
            .map(|record| Settled {
                record: Some(record),
                call: None,
            })
            .collect()
    }

    /// From now on calls that end were hung up by this run.
    pub(crate) fn hanging_up(&mut self) {
        self.ended_by = HungUpBy::Us;
    }

    /// Closes the books on one target: what is still open was never seen to end.
    pub(crate) fn close(&mut self, target: u16, now: u64, why: &str) -> Vec<Settled> {
        let open: Vec<u64> = self
            .calls
            .iter()
            .filter(|(_, call)| call.record.target == target)
            .map(|(number, _)| *number)
            .collect();
        let mut settled = Vec::new();
        for number in open {
            let Some(mut call) = self.remove(number) else {
                continue;
            };
            let record = call
                .accepted
                .take()
                .map(|record| ended(record, now, Outcome::Indeterminate, Some(why)));
            if !call.channels.is_empty() {
                call.record.hung_up_by = HungUpBy::Nobody;
            }
            settled.push(Settled {
                record,
                call: Some(call.record),
            });
        }
        settled
    }

    fn settle(&mut self, number: u64) -> Settled {
        let Some(call) = self.calls.get_mut(&number) else {
            return Settled::default();
        };
        let Some(completed_at) = call.completed_at else {
            return Settled::default();
        };
        let Some(record) = call.accepted.take() else {
            let lost = call.completion_due == u64::MAX;
            let over = call.channels.is_empty();
            let call = if lost && over {
                self.remove(number).map(|call| call.record)
            } else {
                None
            };
            return Settled { record: None, call };
        };
        call.completion_due = u64::MAX;
        let completed_at = completed_at.max(record.acked_at.unwrap_or(0));
        let record = Some(ended(record, completed_at, Outcome::Success, None));
        let over = call.channels.is_empty();
        let call = if over {
            self.remove(number).map(|call| call.record)
        } else {
            None
        };
        Settled { record, call }
    }

    fn remove(&mut self, number: u64) -> Option<Call> {
        let call = self.calls.remove(&number)?;
        self.up[usize::from(call.record.target)] -= 1;
        Some(call)
    }
}

impl Call {
    fn channel_up(&mut self, frame: &Frame<'_>) {
        let Some(id) = frame.get("Uniqueid") else {
            return;
        };
        if self.channels.len() < CHANNELS_MAX && !self.channels.iter().any(|known| **known == *id) {
            self.channels.push(id.into());
        }
    }

    fn channel_down(&mut self, now: u64, frame: &Frame<'_>, by: HungUpBy) {
        let Some(id) = frame.get("Uniqueid") else {
            return;
        };
        self.channels.retain(|known| **known != *id);
        if self.channels.is_empty() {
            self.record.ended_at = Some(now);
            self.record.cause = number(frame, "Cause");
            self.record.hung_up_by = by;
        }
    }

    fn originate_response(&mut self, now: u64, frame: &Frame<'_>) {
        let success = frame
            .get("Response")
            .is_some_and(|value| value.eq_ignore_ascii_case(b"Success"));
        self.completed_at = Some(now);
        self.record.reason = number(frame, "Reason");
        self.record.result = match self.record.reason {
            _ if success => CallResult::Answered,
            Some(3) => CallResult::NoAnswer,
            Some(5) => CallResult::Busy,
            Some(8) => CallResult::Congestion,
            _ => CallResult::Failed,
        };
        if success {
            self.record.answered_at = Some(now);
        }
    }
}

fn number<T: std::str::FromStr>(frame: &Frame<'_>, header: &str) -> Option<T> {
    std::str::from_utf8(frame.get(header)?)
        .ok()?
        .trim()
        .parse()
        .ok()
}

/// The record as it ended.
pub(crate) fn ended(mut record: Record, at: u64, outcome: Outcome, error: Option<&str>) -> Record {
    record.completed_at = Some(at);
    record.outcome = outcome;
    record.error = error.map(Into::into);
    record
}
