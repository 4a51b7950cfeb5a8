//! Bytes out and bytes in: sends the actions that the schedule places, and reads what answers them.

use std::cmp::Reverse;
use std::io::{self, ErrorKind, Read, Write};
use std::time::Duration;

use ami_proto::action::Action;
use ami_proto::frame::Frame;
use ami_proto::session::{Answer, AnswerOutcome, Disposition, Done, Expired};
use ami_results::outcome::Outcome;

use super::lane::Waiting;
use super::opener::Patience;
use super::poller::Interest;
use super::seat::{Duty, InFlight, Work};
use super::{LOGOFF_MAX, Stage, Worker};
use crate::call_table::{Bounds, ended};
use crate::script::Line;

/// After its answer, an OriginateResponse may be this much later than the ringing time allows.
const COMPLETION_GRACE: Duration = Duration::from_secs(10);
/// A call is over so long after its own bound at the latest.
const END_GRACE: Duration = Duration::from_secs(10);
/// An error class longer than this is cut: it is a Message, not a document.
const ERROR_CHARS_MAX: usize = 120;

/// What a frame meant for the action in flight.
enum Advance {
    Nothing,
    /// It was answered to its end.
    Ended(InFlight, Answered),
    /// The late answer came: the session can be used again.
    Unstuck,
}

enum Answered {
    Success,
    Rejected(Box<str>),
}

impl Worker {
    /// Sends the action of an arrival on a free session.
    pub(super) fn act(&mut self, key: usize, waiting: Waiting) -> io::Result<()> {
        let setup = std::sync::Arc::clone(&self.setup);
        let arrival = waiting.arrival;
        let entry = &setup.plan.phases[usize::from(arrival.phase)].mix[usize::from(arrival.mix)];
        let line = setup
            .script
            .line(arrival.phase, arrival.mix, arrival.target);
        let Duty::Load { number, .. } = self.sessions[key].seat.duty else {
            return Ok(());
        };
        let now = self.now();
        let (action, answer, call) = match line {
            Line::Same { action, answer } => (std::borrow::Cow::Borrowed(action), *answer, None),
            Line::Call {
                originate,
                hold,
                ring,
            } => {
                let up = self.calls.calls_up(arrival.target);
                if up >= setup.plan.calls_up_max(arrival.target) {
                    self.skip(&arrival);
                    return self.freed(key);
                }
                let bounds = Bounds {
                    completion_due: self.ns(now + *ring + COMPLETION_GRACE),
                    gone_by: self.ns(now + *ring + *hold + END_GRACE),
                };
                let intended_at =
                    u64::try_from(arrival.at.as_nanos()).expect("a run lasts under 500 years");
                let call = self
                    .calls
                    .place(arrival.target, arrival.phase, intended_at, bounds);
                let mut originate = originate.clone();
                originate.channel_id = Some(setup.tag.channel_id(call));
                let action = originate
                    .action()
                    .expect("the script was built with a longer text");
                (std::borrow::Cow::Owned(action), Answer::Single, Some(call))
            }
        };
        let mut record = self.begin_record(waiting, number);
        let deadline = now + entry.timeout;
        let seated = &mut self.sessions[key];
        match seated.session.send(now, &action, answer, deadline) {
            Ok(slot) => {
                if let Some(call) = call {
                    self.calls
                        .sent_as(call, seated.session.action_id(slot).as_bytes());
                }
                let sent_at = self.setup.clock.now().saturating_sub(self.base);
                record.sent_at =
                    Some(u64::try_from(sent_at.as_nanos()).expect("a run lasts under 500 years"));
                seated.work = Work::Busy(InFlight { slot, record, call });
                self.expiries
                    .push(Reverse((deadline, key, seated.born, slot.seq)));
                self.transmit(key)
            }
            Err(_) => {
                // A session that is free but takes no action is one the PBX has said goodbye to.
                if let Some(call) = call {
                    self.calls.not_accepted(call);
                }
                let at = self.ns(now);
                let why = Some("the session took no action");
                self.ledger
                    .record(ended(record, at, Outcome::Disconnected, why));
                self.lose(key, "the session took no action")
            }
        }
    }

    /// Hands the kernel what the session wants written; the rest waits for the socket.
    fn transmit(&mut self, key: usize) -> io::Result<()> {
        let seated = &mut self.sessions[key];
        self.out.clear();
        while seated.session.take_transmit(&mut self.out) {}
        if !seated.unsent.is_empty() {
            seated.unsent.extend_from_slice(&self.out);
            return Ok(());
        }
        match (&seated.stream).write(&self.out) {
            Ok(written) if written == self.out.len() => Ok(()),
            Ok(written) => self.keep_unsent(key, written),
            Err(error) if error.kind() == ErrorKind::WouldBlock => self.keep_unsent(key, 0),
            Err(error) => self.lose(key, &error.kind().to_string()),
        }
    }

    fn keep_unsent(&mut self, key: usize, written: usize) -> io::Result<()> {
        let seated = &mut self.sessions[key];
        seated.unsent.extend_from_slice(&self.out[written..]);
        self.poller
            .change(&seated.stream, key, Interest::ReadAndWrite)
    }

    fn flush(&mut self, key: usize) -> io::Result<()> {
        let Some(seated) = self.sessions.get_mut(key) else {
            return Ok(());
        };
        match (&seated.stream).write(&seated.unsent) {
            Ok(written) => {
                seated.unsent.drain(..written);
                if seated.unsent.is_empty() {
                    let now = self.setup.clock.now().saturating_sub(self.base);
                    if let Work::Busy(in_flight) = &mut seated.work {
                        in_flight.record.sent_at = u64::try_from(now.as_nanos()).ok();
                    }
                    self.poller.change(&seated.stream, key, Interest::Read)?;
                }
                Ok(())
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
            Err(error) => self.lose(key, &error.kind().to_string()),
        }
    }

    /// Reads every session that has bytes, with a look at the schedule after each batch.
    pub(super) fn drain_sockets(&mut self) -> io::Result<()> {
        loop {
            let ready = self.poller.ready()?;
            if ready.is_empty() {
                return Ok(());
            }
            for readiness in ready {
                if readiness.writable {
                    self.flush(readiness.session)?;
                }
                if readiness.readable {
                    self.read(readiness.session)?;
                }
            }
            if self.stage == Stage::Offering {
                self.offer()?;
            }
        }
    }

    fn read(&mut self, key: usize) -> io::Result<()> {
        let Some(seated) = self.sessions.get(key) else {
            return Ok(());
        };
        let mut input = std::mem::take(&mut self.input);
        let read = (&seated.stream).read(&mut input);
        let done = match read {
            Ok(0) => self.lose(key, "the PBX closed the connection"),
            Ok(length) => self.digest(key, &input[..length]),
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) =>
            {
                Ok(())
            }
            Err(error) => self.lose(key, &error.kind().to_string()),
        };
        self.input = input;
        done
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
            let advance = match (seated.seat.duty, &disposition) {
                (Duty::Observer, Disposition::Event) => {
                    self.ledger.settled(self.calls.handle_event(at, &frame));
                    Advance::Nothing
                }
                _ => advance(&mut seated.work, &disposition, &frame, at),
            };
            match advance {
                Advance::Nothing => {}
                Advance::Ended(in_flight, answered) => {
                    self.conclude(in_flight, answered, at);
                    self.freed(key)?;
                }
                Advance::Unstuck => self.freed(key)?,
            }
        }
    }

    fn conclude(&mut self, in_flight: InFlight, answered: Answered, at: u64) {
        let InFlight { record, call, .. } = in_flight;
        match (answered, call) {
            (Answered::Success, None) => {
                self.ledger
                    .record(ended(record, at, Outcome::Success, None))
            }
            (Answered::Success, Some(call)) => {
                let settled = self.calls.accepted(call, record);
                self.ledger.settled(settled);
            }
            (Answered::Rejected(why), call) => {
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
        while let Some(Reverse((deadline, key, born, seq))) = self.expiries.peek().copied() {
            if deadline > now {
                return Ok(());
            }
            self.expiries.pop();
            let Some(seated) = self
                .sessions
                .get_mut(key)
                .filter(|seated| seated.born == born)
            else {
                continue;
            };
            match &seated.work {
                Work::Busy(in_flight) if in_flight.slot.seq == seq => self.time_out(key, now),
                Work::Stuck { seq: since } if *since == seq => {
                    self.lose(key, "no answer at all")?
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn time_out(&mut self, key: usize, now: Duration) {
        let at = self.ns(now);
        let seated = &mut self.sessions[key];
        while let Some(Expired::Action(_)) = seated.session.handle_timeout(now) {}
        let Work::Busy(in_flight) = std::mem::replace(&mut seated.work, Work::Free) else {
            return;
        };
        let seq = in_flight.slot.seq;
        seated.work = Work::Stuck { seq };
        let patience = Duration::from_nanos(at - in_flight.record.sent_at.unwrap_or(at).min(at));
        self.expiries.push(Reverse((
            now + patience.max(LOGOFF_MAX),
            key,
            seated.born,
            seq,
        )));
        if let Some(call) = in_flight.call {
            self.calls.answer_lost(call);
        }
        self.ledger.record(ended(
            in_flight.record,
            at,
            Outcome::TimedOut,
            Some("no answer in time"),
        ));
    }

    /// The connection is gone: its action ends, and in mid-run its seat is opened again.
    pub(super) fn lose(&mut self, key: usize, why: &str) -> io::Result<()> {
        let Some(seated) = self.sessions.try_remove(key) else {
            return Ok(());
        };
        self.poller.remove(&seated.stream)?;
        let at = self.ns(self.now());
        let seat = seated.seat;
        self.count_down(seat);
        match seat.duty {
            Duty::Load { group, .. } => {
                let lane = self.lane_index(seat.target, group);
                self.lanes[lane].lost(key);
            }
            Duty::Observer => {
                for settled in self.calls.blinded(seat.target, at) {
                    self.ledger.settled(settled);
                }
            }
        }
        if let Work::Busy(in_flight) = seated.work {
            let outcome = if seated.unsent.is_empty() {
                Outcome::Indeterminate
            } else {
                Outcome::Disconnected
            };
            if let Some(call) = in_flight.call {
                self.calls.answer_lost(call);
            }
            self.ledger
                .record(ended(in_flight.record, at, outcome, Some(why)));
        }
        let leaving = self.left[usize::from(seat.target)] || self.is_finishing();
        if !leaving {
            self.opener.open(seat, Patience::Run);
        }
        Ok(())
    }

    /// Says goodbye on a session that is free; one that is not is closed as it is.
    pub(super) fn log_off(&mut self, key: usize) -> io::Result<()> {
        let now = self.now();
        let seated = &mut self.sessions[key];
        let polite = matches!(seated.work, Work::Free)
            && seated
                .session
                .send(
                    now,
                    &Action::new("Logoff"),
                    Answer::Single,
                    now + LOGOFF_MAX,
                )
                .is_ok();
        if !polite {
            return self.lose(key, "the run ended before the answer");
        }
        seated.work = Work::LoggingOff;
        self.transmit(key)
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
                AnswerOutcome::Error => Answered::Rejected(error_class(frame)),
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

fn error_class(frame: &Frame<'_>) -> Box<str> {
    let message = frame.text("Message").unwrap_or_default();
    message
        .trim()
        .chars()
        .take(ERROR_CHARS_MAX)
        .collect::<String>()
        .into()
}
