//! Bytes out and bytes in: sends the actions that the schedule places, and reads what answers them.

use std::cmp::Reverse;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use ami_client::stream::{READ_BYTES, Sent, is_passing};
use ami_proto::action::Action;
use ami_proto::frame::Frame;
use ami_proto::session::{Answer, AnswerOutcome, Disposition, Done, Expired};
use ami_results::outcome::Outcome;
use ami_results::record::Record;

use super::lane::Waiting;
use super::poller::{BATCH, Interest};
use super::seat::{Due, Duty, InFlight, Work};
use super::{LOGOFF_MAX, Worker};
use crate::call_table::{Bounds, ended};
use crate::flow::{Progress, message_of};
use crate::plan::nanos;
use crate::run_tag::CallKey;
use crate::script::{CallLine, Line, Ready};

/// Looks at the sockets before deadlines and orders have their turn: a peer that floods us must not hold them up.
const LOOKS_PER_TURN: usize = 4;

/// After its answer, an OriginateResponse may be this much later than the ringing time allows.
const COMPLETION_GRACE: Duration = Duration::from_secs(10);
/// A call is over so long after its own bound at the latest.
const END_GRACE: Duration = Duration::from_secs(10);

pub(super) const TOOK_NONE: &str = "the session took no action";

/// What a frame meant for the action in flight.
enum Advance {
    Nothing,
    /// It was answered to its end.
    Ended(InFlight, Answered),
    /// The late answer came: the session can be used again.
    Unstuck,
    /// It was the business of a flow.
    Flow(Progress),
}

enum Answered {
    Success,
    Rejected(Box<str>),
}

/// What became of an arrival that a session was to take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Acted {
    Taken,
    /// The target has as many calls as it permits, or is loaded no more: the session is as free as before.
    Skipped,
    /// Its feed has no row left, and will have none.
    Spent,
}

impl Worker {
    /// Sends the action of an arrival on a free session, or starts its flow there.
    pub(super) fn act(&mut self, key: usize, waiting: Waiting) -> io::Result<Acted> {
        let setup = Arc::clone(&self.setup);
        let arrival = waiting.arrival;
        if !self.is_loaded(arrival.target) {
            self.skip(&arrival);
            return Ok(Acted::Skipped);
        }
        let now = self.now();
        let deadline = now + setup.plan.entry(arrival.phase, arrival.mix).timeout;
        let mut event = None;
        let (sent, call) = match setup
            .script
            .line(arrival.phase, arrival.mix, arrival.target)
        {
            Line::Ready(Ready::Same { action, answer }) => {
                let session = &mut self.sessions[key].session;
                (session.send(now, action, *answer, deadline), None)
            }
            Line::Ready(Ready::Call(line)) => {
                let (target, phase) = (arrival.target, arrival.phase);
                let Some((call, action)) =
                    self.place_call(line, (target, phase), nanos(arrival.at))
                else {
                    self.skip(&arrival);
                    return Ok(Acted::Skipped);
                };
                let session = &mut self.sessions[key].session;
                let sent = session.send(now, &action, Answer::Single, deadline);
                if let Ok(slot) = sent {
                    self.calls.sent_as(call, session.action_id(slot).as_bytes());
                }
                (sent, Some(call))
            }
            Line::Event { filler } => {
                let seated = &mut self.sessions[key];
                let (made, action) =
                    setup.make_event(&arrival, seated.seat.duty, filler, self.base);
                event = Some(made);
                let session = &mut seated.session;
                (session.send(now, &action, Answer::Single, deadline), None)
            }
            Line::Visit => unreachable!("a visitor needs no session"),
            Line::Flow(flow) => return self.start_flow(key, waiting, *flow),
        };
        let record = self.begin_record(waiting, key);
        match sent {
            Ok(slot) => {
                let in_flight = InFlight {
                    slot,
                    record,
                    call,
                    event,
                };
                self.begin(key, in_flight);
                let born = self.sessions[key].born;
                let due = Due::Answer(slot.seq);
                self.expiries.push(Reverse((deadline, key, born, due)));
                self.transmit(key)?;
            }
            Err(_) => {
                if let Some(event) = event {
                    setup.board.void(event);
                }
                self.took_none(key, record, call)?;
            }
        }
        Ok(Acted::Taken)
    }

    /// A session that is free but takes no action is one the PBX has said goodbye to.
    pub(super) fn took_none(
        &mut self,
        key: usize,
        record: Record,
        call: Option<CallKey>,
    ) -> io::Result<()> {
        if let Some(call) = call {
            self.calls.not_accepted(call);
        }
        let at = self.ns(self.now());
        self.ledger
            .record(ended(record, at, Outcome::Disconnected, Some(TOOK_NONE)));
        self.lose(key, TOOK_NONE)
    }

    /// Enters a call and says how to originate it; none when the target has as many as it permits.
    pub(super) fn place_call(
        &mut self,
        line: &CallLine,
        (target, phase): (u16, u16),
        intended_at: u64,
    ) -> Option<(CallKey, Action)> {
        let permitted = self.setup.plan.calls_up_max(target, self.member);
        if self.calls.calls_up(target) >= permitted {
            return None;
        }
        let now = self.now();
        let bounds = Bounds {
            completion_due: self.ns(now + line.ring + COMPLETION_GRACE),
            gone_by: self.ns(now + line.ring + line.hold + END_GRACE),
        };
        let call = self.calls.place(target, phase, intended_at, bounds);
        let mut originate = line.originate.clone();
        originate.channel_id = Some(self.setup.tag.channel_id(call));
        let action = originate
            .action()
            .expect("the script was built with a longer text");
        Some((call, action))
    }

    /// The last thing before the bytes go to the kernel: this is when the action was sent.
    fn begin(&mut self, key: usize, mut in_flight: InFlight) {
        self.in_flight[usize::from(in_flight.record.target)] += 1;
        in_flight.record.sent_at = Some(self.ns(self.now()));
        self.sessions[key].work = Work::Busy(in_flight);
    }

    /// Hands the kernel what the session wants written; the rest waits for the socket.
    pub(super) fn transmit(&mut self, key: usize) -> io::Result<()> {
        let seated = &mut self.sessions[key];
        self.out.clear();
        while seated.session.take_transmit(&mut self.out) {}
        if self.out.is_empty() {
            return self.attend(key);
        }
        let sent = seated.stream.send(&self.out);
        if !matches!(sent, Ok(Sent::All))
            && let Some(record) = seated.work.record_mut()
        {
            record.sent_at = None;
        }
        match sent {
            Ok(_) => self.attend(key),
            Err(error) => self.lose(key, &error.kind().to_string()),
        }
    }

    /// Tells the poller what this session is to be told of, where that has changed.
    pub(super) fn attend(&mut self, key: usize) -> io::Result<()> {
        let seated = &mut self.sessions[key];
        let wanted = seated.wanted_interest();
        if wanted == seated.interest {
            return Ok(());
        }
        seated.interest = wanted;
        self.poller.change(&seated.stream, key, wanted)?;
        match wanted {
            Interest::Nothing => self.sweep_again(key),
            Interest::Read | Interest::Write | Interest::ReadAndWrite => Ok(()),
        }
    }

    fn flush(&mut self, key: usize) -> io::Result<()> {
        let Some(seated) = self.sessions.get_mut(key) else {
            return Ok(());
        };
        match seated.stream.flush() {
            Ok(Sent::Part) => Ok(()),
            Ok(Sent::All) => {
                if let Some(record) = seated.work.record_mut() {
                    let elapsed = self.setup.clock.now().saturating_sub(self.base);
                    record.sent_at.get_or_insert_with(|| nanos(elapsed));
                }
                self.attend(key)
            }
            Err(error) => self.lose(key, &error.kind().to_string()),
        }
    }

    /// Reads every session that has bytes, with a look at the schedule after each; what a turn leaves, the next one reads.
    pub(super) fn drain_sockets(&mut self) -> io::Result<()> {
        for _ in 0..LOOKS_PER_TURN {
            self.behind = self.drain_batch()?;
            if !self.behind {
                break;
            }
        }
        Ok(())
    }

    /// Reads a batch of sessions that have bytes; whether there may be more.
    pub(super) fn drain_batch(&mut self) -> io::Result<bool> {
        let ready = self.poller.look()?;
        let looked_at = self.now();
        let mut more = ready == BATCH;
        for index in 0..ready {
            let readiness = self.poller.at(index);
            more |= readiness.is_ended();
            if readiness.is_writable() {
                self.flush(readiness.session)?;
            }
            if readiness.is_readable() {
                self.note_read_delay(readiness.session, looked_at);
                more |= self.read(readiness.session)? >= READ_BYTES / 2;
            }
            self.keep_schedule()?;
        }
        Ok(more)
    }

    /// How many bytes there were.
    pub(super) fn read(&mut self, key: usize) -> io::Result<usize> {
        let Some(seated) = self.sessions.get_mut(key) else {
            return Ok(0);
        };
        let mut input = std::mem::take(&mut self.input);
        let read = seated.stream.read(&mut input);
        if seated.stream.has_unsent() {
            self.attend(key)?;
        }
        let done = match &read {
            Ok(0) => self.lose(key, "the PBX closed the connection"),
            Ok(length) => self.digest(key, &input[..*length]),
            Err(error) if is_passing(error) => Ok(()),
            Err(error) => self.lose(key, &error.kind().to_string()),
        };
        self.input = input;
        done.map(|()| read.unwrap_or(0))
    }

    /// Decodes what one read brought; its one time stamp is taken here, after the system call.
    pub(super) fn digest(&mut self, key: usize, mut bytes: &[u8]) -> io::Result<()> {
        let now = self.now();
        let at = self.ns(now);
        loop {
            let Some(seated) = self.sessions.get_mut(key) else {
                return Ok(());
            };
            let Some(frame) = seated.decoder.decode(&mut bytes) else {
                return Ok(());
            };
            let disposition = seated.session.handle_frame(now, &frame);
            if let (Some(ear), Disposition::Event) = (&mut seated.ear, &disposition) {
                let heard = self.setup.heard(&frame, ear, at);
                heard.into_iter().for_each(|heard| self.ledger.event(heard));
            }
            let advance = match (seated.seat.duty, &disposition) {
                (Duty::Observer, Disposition::Event) => {
                    self.sights[usize::from(seated.seat.target)].event_seen();
                    self.ledger.settled(self.calls.handle_event(at, &frame));
                    Advance::Nothing
                }
                _ => match &mut seated.work {
                    Work::Flow(running) => {
                        Advance::Flow(running.hear(&self.setup, &disposition, &frame, at))
                    }
                    work => advance(work, &disposition, &frame, at),
                },
            };
            let is_over = seated.session.is_closing();
            match advance {
                Advance::Nothing => {}
                Advance::Ended(in_flight, answered) => {
                    self.conclude(in_flight, answered, at);
                    if !is_over {
                        self.freed(key)?;
                    }
                }
                Advance::Unstuck => self.freed(key)?,
                Advance::Flow(progress) => self.flow_on(key, progress, at)?,
            }
            if is_over {
                return self.lose(key, "the PBX said goodbye");
            }
        }
    }

    fn conclude(&mut self, in_flight: InFlight, answered: Answered, at: u64) {
        let InFlight {
            record,
            call,
            event,
            ..
        } = in_flight;
        self.in_flight[usize::from(record.target)] -= 1;
        match (answered, call) {
            (Answered::Success, None) => {
                self.ledger
                    .record(ended(record, at, Outcome::Success, None))
            }
            (Answered::Success, Some(call)) => {
                self.sights[usize::from(record.target)].call_accepted(at);
                let settled = self.calls.accepted(call, record);
                self.ledger.settled(settled);
            }
            (Answered::Rejected(why), call) => {
                if let Some(event) = event {
                    self.setup.board.void(event);
                }
                if let Some(call) = call {
                    self.calls.not_accepted(call);
                }
                self.ledger
                    .record(ended(record, at, Outcome::Rejected, Some(&why)));
            }
        }
    }

    /// Actions whose deadline has passed.
    pub(super) fn expire(&mut self) -> io::Result<()> {
        let now = self.now();
        while self.next_expiry().is_some_and(|at| at <= now) {
            let Some(Reverse((_, key, _, due))) = self.expiries.pop() else {
                break;
            };
            match (due, &self.sessions[key].work) {
                (Due::Flow(_), _) => self.flow_due(key)?,
                (Due::Answer(_), Work::Stuck { .. }) => self.lose(key, "no answer at all")?,
                (Due::Answer(seq), _) => self.time_out(key, seq, now),
            }
        }
        Ok(())
    }

    /// The session takes nothing more until the late answer comes, for which it is given as long again.
    fn time_out(&mut self, key: usize, seq: u32, now: Duration) {
        let at = self.ns(now);
        let seated = &mut self.sessions[key];
        while let Some(Expired::Action(_)) = seated.session.handle_timeout(now) {}
        let mut work = std::mem::replace(&mut seated.work, Work::Stuck { seq });
        let sent_at = work
            .record_mut()
            .map_or(at, |record| record.sent_at.unwrap_or(record.picked_at));
        let waited = at.saturating_sub(sent_at);
        let patience = Duration::from_nanos(waited).max(LOGOFF_MAX);
        let born = seated.born;
        self.expiries
            .push(Reverse((now + patience, key, born, Due::Answer(seq))));
        self.cut_work(work, Outcome::TimedOut, "no answer in time");
    }
}

/// Moves the action in flight on by one frame.
fn advance(work: &mut Work, disposition: &Disposition, frame: &Frame<'_>, at: u64) -> Advance {
    if let (Work::Stuck { .. }, Disposition::Late { .. }) = (&work, disposition) {
        return Advance::Unstuck;
    }
    let Work::Busy(in_flight) = work else {
        return Advance::Nothing;
    };
    let answered = match disposition {
        Disposition::Answer {
            slot,
            outcome,
            done,
        } if *slot == in_flight.slot => {
            in_flight.record.acked_at = Some(at);
            match outcome {
                AnswerOutcome::Error => Answered::Rejected(message_of(frame)),
                AnswerOutcome::Success if *done == Done::Yes => Answered::Success,
                AnswerOutcome::Success => return Advance::Nothing,
            }
        }
        Disposition::Item { slot, .. } if *slot == in_flight.slot => {
            in_flight.record.first_item_at.get_or_insert(at);
            return Advance::Nothing;
        }
        Disposition::Complete { slot, items, .. } if *slot == in_flight.slot => {
            in_flight.record.items = Some(*items);
            Answered::Success
        }
        _ => return Advance::Nothing,
    };
    match std::mem::replace(work, Work::Free) {
        Work::Busy(in_flight) => Advance::Ended(in_flight, answered),
        other => {
            *work = other;
            Advance::Nothing
        }
    }
}
