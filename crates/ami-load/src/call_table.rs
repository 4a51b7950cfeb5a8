//! The calls of one worker that are not over, followed by the events that its observers see. Pure.
//!
//! An Originate is answered at once and completes on another session, by OriginateResponse; that event is no fence, it
//! may come before the answer is read or after the call has ended.

use std::collections::{BTreeMap, HashMap};

use ami_proto::frame::Frame;
use ami_results::call::{CallRecord, CallResult, HungUpBy};
use ami_results::outcome::Outcome;
use ami_results::record::Record;

use crate::run_tag::{CallKey, RunTag};

/// Legs of one call that are followed; a dialplan that makes more is not what a load test calls.
const CHANNELS_MAX: usize = 32;

const OBSERVER_LOST: &str = "the observing session was lost";

#[derive(Debug)]
pub(crate) struct CallTable {
    tag: RunTag,
    worker: u16,
    next: u64,
    calls: BTreeMap<u64, Call>,
    /// Older PBXs name no channel in the OriginateResponse of a call that failed: then its ActionID leads to the call.
    by_action: HashMap<Box<[u8]>, u64>,
    /// Calls that are not over, by target.
    up: Vec<u32>,
    /// Who ends calls that end now, by target.
    ended_by: Vec<HungUpBy>,
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
    action_id: Box<[u8]>,
    channels: Vec<Box<[u8]>>,
    /// None when no completion is waited for: it came, or it was given up.
    completion_due: Option<u64>,
    /// The PBX has ended it by then, by the bound that the Originate carried.
    gone_by: u64,
    /// Who ends it, when that is decided for this call alone.
    ended_by: Option<HungUpBy>,
}

impl CallTable {
    pub(crate) fn new(tag: RunTag, worker: u16, targets: usize) -> Self {
        Self {
            tag,
            worker,
            next: 0,
            calls: BTreeMap::new(),
            by_action: HashMap::new(),
            up: vec![0; targets],
            ended_by: vec![HungUpBy::Pbx; targets],
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
            action_id: Box::default(),
            channels: Vec::new(),
            completion_due: Some(bounds.completion_due),
            gone_by: bounds.gone_by,
            ended_by: None,
        };
        self.calls.insert(key.number, call);
        self.up[usize::from(target)] += 1;
        key
    }

    /// The Originate of the call was sent under this ActionID.
    pub(crate) fn sent_as(&mut self, key: CallKey, action_id: &[u8]) {
        if let Some(call) = self.calls.get_mut(&key.number) {
            call.action_id = action_id.into();
            self.by_action.insert(action_id.into(), key.number);
        }
    }

    /// The PBX took the Originate: its record waits here for the completion.
    pub(crate) fn accepted(&mut self, key: CallKey, record: Record) -> Settled {
        let Some(call) = self.calls.get_mut(&key.number) else {
            let at = record.acked_at.unwrap_or(record.picked_at);
            let why = "answered after the call was over";
            let record = Some(ended(record, at, Outcome::Indeterminate, Some(why)));
            return Settled { record, call: None };
        };
        let at = record.acked_at.unwrap_or(record.picked_at);
        call.accepted = Some(record);
        if call.completion_due.is_none() && call.completed_at.is_none() {
            let record = call.give_up(at, OBSERVER_LOST);
            return Settled { record, call: None };
        }
        self.settle(key.number)
    }

    /// The PBX did not take the Originate, or nobody knows: there is no call to follow.
    pub(crate) fn not_accepted(&mut self, key: CallKey) {
        self.remove(key.number);
    }

    /// The answer to the Originate was lost: the call may be up, so it is followed, but its record has ended elsewhere.
    pub(crate) fn answer_lost(&mut self, key: CallKey) {
        if let Some(call) = self.calls.get_mut(&key.number) {
            call.completion_due = None;
        }
    }

    /// Follows one event; events of calls that are not this worker's are nothing.
    pub(crate) fn handle_event(&mut self, now: u64, frame: &Frame<'_>) -> Settled {
        let Some(number) = self.number_of(frame) else {
            return Settled::default();
        };
        let Some(call) = self.calls.get_mut(&number) else {
            return Settled::default();
        };
        let Some(name) = frame.get("Event") else {
            return Settled::default();
        };
        match name {
            b"Newchannel" => call.channel_up(frame),
            b"Hangup" => {
                let by = self.ended_by[usize::from(call.record.target)];
                call.channel_down(now, frame, by);
            }
            b"OriginateResponse" => call.originate_response(now, frame),
            _ => return Settled::default(),
        }
        self.settle(number)
    }

    /// What did not come in time: completions, and calls whose end nobody saw.
    pub(crate) fn overdue(&mut self, now: u64) -> Vec<Settled> {
        let is_late =
            |call: &Call| call.gone_by <= now || call.completion_due.is_some_and(|due| due <= now);
        let late = self.calls.iter().filter(|(_, call)| is_late(call));
        let late: Vec<u64> = late.map(|(number, _)| *number).collect();
        let mut settled = Vec::new();
        for number in late {
            let Some(call) = self.calls.get_mut(&number) else {
                continue;
            };
            let gone = call.gone_by <= now;
            let record = call.give_up(now, "no OriginateResponse in time");
            let call = if gone { self.remove(number) } else { None };
            settled.push(Settled { record, call });
        }
        settled
    }

    /// The events of a target cannot be seen any more: completions of its Originates stay unknown.
    pub(crate) fn blinded(&mut self, target: u16, now: u64) -> Vec<Settled> {
        let calls = self.calls.values_mut();
        calls
            .filter(|call| call.record.target == target && call.completed_at.is_none())
            .map(|call| Settled {
                record: call.give_up(now, OBSERVER_LOST),
                call: None,
            })
            .collect()
    }

    /// A flow hangs up its call.
    pub(crate) fn hang_up(&mut self, key: CallKey) {
        if let Some(call) = self.calls.get_mut(&key.number) {
            call.ended_by = Some(HungUpBy::Us);
        }
    }

    /// From now on calls of the target that end were hung up by this run.
    pub(crate) fn hanging_up(&mut self, target: u16) {
        self.ended_by[usize::from(target)] = HungUpBy::Us;
    }

    /// Closes the books on one target: what is still open was never seen to end.
    pub(crate) fn close(&mut self, target: u16, now: u64, why: &str) -> Vec<Settled> {
        let open = self
            .calls
            .iter()
            .filter(|(_, call)| call.record.target == target);
        let open: Vec<u64> = open.map(|(number, _)| *number).collect();
        let mut settled = Vec::new();
        for number in open {
            let Some(call) = self.calls.get_mut(&number) else {
                continue;
            };
            let record = call.give_up(now, why);
            if !call.channels.is_empty() {
                call.record.hung_up_by = HungUpBy::Nobody;
            }
            let call = self.remove(number);
            settled.push(Settled { record, call });
        }
        settled
    }

    /// Ends the record when the completion has come, and the call when nothing more is to come of it.
    fn settle(&mut self, number: u64) -> Settled {
        let Some(call) = self.calls.get_mut(&number) else {
            return Settled::default();
        };
        let mut settled = Settled::default();
        if let Some(completed_at) = call.completed_at
            && let Some(record) = call.accepted.take()
        {
            call.completion_due = None;
            let completed_at = completed_at.max(record.acked_at.unwrap_or(0));
            settled.record = Some(ended(record, completed_at, Outcome::Success, None));
        }
        let has_ended = call.completed_at.is_some() || call.record.ended_at.is_some();
        if call.completion_due.is_none() && call.channels.is_empty() && has_ended {
            settled.call = self.remove(number);
        }
        settled
    }

    /// The call that an event speaks of, when it is one of this worker's.
    fn number_of(&self, frame: &Frame<'_>) -> Option<u64> {
        match self.tag.key_of(frame) {
            Some(key) => (key.worker == self.worker).then_some(key.number),
            None => self.by_action.get(frame.get("ActionID")?).copied(),
        }
    }

    fn remove(&mut self, number: u64) -> Option<CallRecord> {
        let call = self.calls.remove(&number)?;
        self.by_action.remove(&call.action_id);
        self.up[usize::from(call.record.target)] -= 1;
        Some(call.record)
    }
}

impl Call {
    /// No completion is waited for any more.
    fn give_up(&mut self, now: u64, why: &str) -> Option<Record> {
        self.completion_due = None;
        let record = self.accepted.take()?;
        Some(ended(record, now, Outcome::Indeterminate, Some(why)))
    }

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
            self.record.hung_up_by = self.ended_by.unwrap_or(by);
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

#[cfg(test)]
mod tests {
    use super::*;
    use ami_proto::frame::decode::{Decoder, Limits};

    const BOUNDS: Bounds = Bounds {
        completion_due: 1_000,
        gone_by: 2_000,
    };

    fn table() -> (CallTable, CallKey) {
        let mut table = CallTable::new(RunTag::parse("amib-0011aaff").unwrap(), 0, 1);
        let key = table.place(0, 0, 10, BOUNDS);
        table.sent_as(key, b"id-1");
        (table, key)
    }

    fn record() -> Record {
        Record {
            target: 0,
            phase: 0,
            action: 0,
            session: 0,
            seq: 0,
            intended_at: 10,
            picked_at: 11,
            sent_at: Some(12),
            acked_at: Some(20),
            first_item_at: None,
            completed_at: None,
            items: None,
            outcome: Outcome::Disconnected,
            error: None,
        }
    }

    fn event(table: &mut CallTable, now: u64, text: &str) -> Settled {
        let mut decoder = Decoder::server(Limits::default());
        let wire = text.replace('\n', "\r\n") + "\r\n\r\n";
        let mut bytes = wire.as_bytes();
        let frame = decoder.decode(&mut bytes).expect("a whole frame");
        table.handle_event(now, &frame)
    }

    fn up(table: &mut CallTable, now: u64, id: &str) -> Settled {
        event(
            table,
            now,
            &format!("Event: Newchannel\nUniqueid: {id}\nLinkedid: amib-0011aaff-0-0"),
        )
    }

    fn down(table: &mut CallTable, now: u64, id: &str) -> Settled {
        event(
            table,
            now,
            &format!("Event: Hangup\nUniqueid: {id}\nLinkedid: amib-0011aaff-0-0\nCause: 16"),
        )
    }

    fn answered(table: &mut CallTable, now: u64) -> Settled {
        let text =
            "Event: OriginateResponse\nResponse: Success\nReason: 4\nUniqueid: amib-0011aaff-0-0";
        event(table, now, text)
    }

    #[test]
    fn a_call_is_over_when_its_last_channel_is_gone() {
        let (mut table, key) = table();
        assert!(table.accepted(key, record()).record.is_none());
        up(&mut table, 30, "amib-0011aaff-0-0");
        up(&mut table, 31, "amib-0011aaff-0-0;2");
        let settled = answered(&mut table, 40);
        let completed = settled.record.expect("the Originate has completed");
        assert_eq!(
            (completed.outcome, completed.completed_at),
            (Outcome::Success, Some(40))
        );
        assert!(down(&mut table, 50, "amib-0011aaff-0-0").call.is_none());
        assert_eq!(table.calls_up(0), 1);
        let call = down(&mut table, 51, "amib-0011aaff-0-0;2")
            .call
            .expect("the call is over");
        assert_eq!(
            (call.result, call.cause, call.ended_at),
            (CallResult::Answered, Some(16), Some(51))
        );
        assert_eq!((call.hung_up_by, table.calls_up(0)), (HungUpBy::Pbx, 0));
    }

    #[test]
    fn the_completion_is_no_fence() {
        let (mut table, key) = table();
        up(&mut table, 15, "amib-0011aaff-0-0");
        down(&mut table, 16, "amib-0011aaff-0-0");
        assert!(
            answered(&mut table, 17).record.is_none(),
            "the answer has not been read"
        );
        let settled = table.accepted(key, record());
        assert_eq!(
            settled.record.map(|record| record.completed_at),
            Some(Some(20))
        );
        assert!(settled.call.is_some());
    }

    #[test]
    fn a_failure_that_names_no_channel_is_found_by_its_action_id() {
        let (mut table, key) = table();
        table.accepted(key, record());
        let text = "Event: OriginateResponse\nActionID: id-1\nResponse: Failure\nReason: 5\nUniqueid: <null>";
        let settled = event(&mut table, 30, text);
        assert_eq!(settled.call.map(|call| call.result), Some(CallResult::Busy));
        assert_eq!(
            settled.record.map(|record| record.outcome),
            Some(Outcome::Success)
        );
    }

    #[test]
    fn foreign_events_are_nothing() {
        let (mut table, key) = table();
        table.accepted(key, record());
        for text in [
            "Event: OriginateResponse\nActionID: id-2\nResponse: Success\nUniqueid: 1795248963.2",
            "Event: Hangup\nUniqueid: amib-0011aafe-0-0\nLinkedid: amib-0011aafe-0-0",
            "Event: Hangup\nUniqueid: amib-0011aaff-1-0",
        ] {
            let settled = event(&mut table, 30, text);
            assert!(settled.call.is_none() && settled.record.is_none(), "{text}");
        }
        assert_eq!(table.calls_up(0), 1);
    }

    #[test]
    fn an_originate_without_completion_is_indeterminate_and_its_call_is_still_followed() {
        let (mut table, key) = table();
        table.accepted(key, record());
        up(&mut table, 30, "amib-0011aaff-0-0");
        assert!(table.overdue(999).is_empty());
        let late = table.overdue(1_000);
        let outcomes: Vec<_> = late
            .iter()
            .filter_map(|late| late.record.as_ref())
            .map(|r| r.outcome)
            .collect();
        assert_eq!(outcomes, [Outcome::Indeterminate]);
        assert_eq!(table.calls_up(0), 1);
        let gone = table.overdue(2_000);
        assert_eq!(gone.len(), 1);
        assert_eq!(
            gone[0].call.as_ref().map(|call| call.result),
            Some(CallResult::Unknown)
        );
        assert_eq!(table.calls_up(0), 0);
    }

    #[test]
    fn after_a_lost_answer_the_call_is_followed_but_has_no_second_record() {
        let (mut table, key) = table();
        table.answer_lost(key);
        up(&mut table, 30, "amib-0011aaff-0-0");
        assert!(answered(&mut table, 40).record.is_none());
        let settled = down(&mut table, 50, "amib-0011aaff-0-0");
        assert!(settled.record.is_none());
        assert_eq!(
            settled.call.map(|call| call.result),
            Some(CallResult::Answered)
        );
    }

    #[test]
    fn without_an_observer_nothing_is_waited_for() {
        let (mut table, key) = table();
        let before: Vec<_> = table.blinded(0, 15);
        assert!(before.iter().all(|settled| settled.record.is_none()));
        let settled = table.accepted(key, record());
        assert_eq!(
            settled.record.map(|record| record.outcome),
            Some(Outcome::Indeterminate)
        );
        assert!(!table.is_awaiting());
        assert_eq!(table.calls_up(0), 1, "it may be up");
        up(&mut table, 30, "amib-0011aaff-0-0");
        let settled = down(&mut table, 50, "amib-0011aaff-0-0");
        assert_eq!(settled.call.map(|call| call.cause), Some(Some(16)));
    }

    #[test]
    fn closing_the_books_leaves_no_record_open() {
        let (mut table, key) = table();
        table.accepted(key, record());
        up(&mut table, 30, "amib-0011aaff-0-0");
        let settled = table.close(0, 60, "the run ended");
        assert_eq!(settled.len(), 1);
        assert_eq!(
            settled[0].record.as_ref().map(|record| record.outcome),
            Some(Outcome::Indeterminate)
        );
        assert_eq!(
            settled[0].call.as_ref().map(|call| call.hung_up_by),
            Some(HungUpBy::Nobody)
        );
    }
}
