//! Carries out flows on their sessions: sends what a step sends, sets its alarms, keeps the books of steps and whole.

use std::cmp::Reverse;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use ami_proto::action::{Action, ActionError, channel};
use ami_proto::session::{Answer, AnswerOutcome};
use ami_results::outcome::Outcome;
use ami_results::record::{Record, Skipped};

use super::lane::Waiting;
use super::running::{Doing, Running, StepInFlight, lot};
use super::seat::{Due, Seated, Work};
use super::traffic::{Acted, TOOK_NONE};
use super::{Stage, Worker};
use crate::arrival::Arrival;
use crate::call_table::ended;
use crate::flow::{Instance, Origin, Progress};
use crate::plan::{PlannedStep, nanos};
use crate::run_tag::CallKey;
use crate::script::{Ready, StepLine};

/// What the next step comes to.
enum Built {
    Send {
        action: Action,
        answer: Answer,
        call: Option<CallKey>,
    },
    Listen,
    /// The target has as many calls as it permits.
    Full,
}

/// Whether a flow still has its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Goes {
    On,
    Over,
}

impl Worker {
    /// Starts the flow of an arrival on a free session.
    pub(super) fn start_flow(
        &mut self,
        key: usize,
        waiting: Waiting,
        flow: u16,
    ) -> io::Result<Acted> {
        let setup = Arc::clone(&self.setup);
        let arrival = waiting.arrival;
        if self.stage != Stage::Offering {
            self.skip(&arrival);
            return Ok(Acted::Skipped);
        }
        let planned = &setup.plan.flows[usize::from(flow)];
        let feed = planned
            .feed
            .map(|feed| &setup.plan.feeds[usize::from(feed)]);
        let row = match feed {
            None => Some(&[][..]),
            Some(feed) => feed.row(setup.plan.seed, arrival.target, waiting.row),
        };
        let Some(row) = row else {
            self.skip(&arrival);
            return Ok(Acted::Spent);
        };
        let whole = self.begin_record(waiting, key);
        let lot = planned
            .draws_lots()
            .then(|| lot(&setup.plan, &arrival, whole.session));
        let origin = Origin {
            number: arrival.number,
            session: whole.session,
            row,
            lot,
        };
        let mut instance = Instance::new(planned, origin);
        let due = instance.first(planned, nanos(arrival.at));
        let running = Running {
            flow,
            arrival,
            instance,
            whole,
            doing: Doing::Thinking { due },
            alarm: Due::Flow(0),
        };
        self.sessions[key].work = Work::Flow(Box::new(running));
        match self.go_on_at(key, due, waiting.picked_at)? {
            Goes::On => Ok(Acted::Taken),
            Goes::Over => Ok(Acted::Skipped),
        }
    }

    /// Begins the next step now, or sets the alarm for it; it was picked up at `picked_at` at the earliest.
    fn go_on_at(&mut self, key: usize, due: u64, picked_at: u64) -> io::Result<Goes> {
        let now = self.ns(self.now());
        if due <= now {
            return self.begin_step(key, due, picked_at.max(due));
        }
        let at = self.base + Duration::from_nanos(due);
        let seated = &mut self.sessions[key];
        if let Work::Flow(running) = &mut seated.work {
            running.doing = Doing::Thinking { due };
            self.alarms = self.alarms.wrapping_add(1);
            running.alarm = Due::Flow(self.alarms);
            self.expiries
                .push(Reverse((at, key, seated.born, running.alarm)));
        }
        // Events are read as they come, also while it thinks: the next step awaits only those that come after its begin.
        self.attend(key)?;
        Ok(Goes::On)
    }

    fn begin_step(&mut self, key: usize, due: u64, picked_at: u64) -> io::Result<Goes> {
        let setup = Arc::clone(&self.setup);
        let Some(mut running) = self.take_flow(key) else {
            return Ok(Goes::On);
        };
        let flow = running.plan(&setup.plan);
        let step = &flow.steps[running.instance.step()];
        let record = Record {
            action: step.action,
            intended_at: due,
            picked_at,
            sent_at: None,
            ..running.whole.clone()
        };
        self.plan_counts(running.arrival.phase);
        let built = match self.build(&running, due) {
            Ok(built) => built,
            Err(error) => {
                let why = error.to_string();
                let at = self.ns(self.now());
                self.ledger
                    .record(ended(record, at, Outcome::Rejected, Some(&why)));
                self.break_off(&running, Outcome::Rejected, &why);
                return Ok(Goes::Over);
            }
        };
        match built {
            Built::Full => {
                self.ledger.skipped(skipped(&record));
                self.ledger.skipped(skipped(&running.whole));
                Ok(Goes::Over)
            }
            Built::Listen => {
                running.instance.begin(flow, None);
                running.doing = Doing::Step(StepInFlight {
                    record,
                    slot: None,
                    call: None,
                });
                self.in_flight[usize::from(running.arrival.target)] += 1;
                self.await_event(key, running, step);
                self.attend(key)?;
                Ok(Goes::On)
            }
            Built::Send {
                action,
                answer,
                call,
            } => {
                let step = StepInFlight {
                    record,
                    slot: None,
                    call,
                };
                self.send_step(key, running, step, (&action, answer))?;
                Ok(Goes::On)
            }
        }
    }

    /// The action of the current step, with its values as they are now.
    fn build(&mut self, running: &Running, due: u64) -> Result<Built, ActionError> {
        let setup = Arc::clone(&self.setup);
        let Arrival { target, phase, .. } = running.arrival;
        let index = running.instance.step();
        let (action, answer) = match setup.script.step(running.flow, index, target) {
            StepLine::Listen => return Ok(Built::Listen),
            StepLine::Ready(Ready::Same { action, answer }) => (action.clone(), *answer),
            StepLine::Filled(asked) => {
                let values = running.instance.values(setup.around(target));
                (
                    asked.action(|value| value.render(&values))?,
                    asked.query.answer(),
                )
            }
            StepLine::Ready(Ready::Call(line)) => {
                return Ok(match self.place_call(line, (target, phase), due) {
                    None => Built::Full,
                    Some((call, action)) => Built::Send {
                        action,
                        answer: Answer::Single,
                        call: Some(call),
                    },
                });
            }
            StepLine::Hangup { step } => {
                let call = running
                    .instance
                    .call_of(*step)
                    .expect("that step ended well");
                self.calls.hang_up(call);
                (
                    channel::hangup(&setup.tag.channel_id(call))?,
                    Answer::Single,
                )
            }
        };
        Ok(Built::Send {
            action,
            answer,
            call: None,
        })
    }

    fn send_step(
        &mut self,
        key: usize,
        mut running: Box<Running>,
        mut step: StepInFlight,
        (action, answer): (&Action, Answer),
    ) -> io::Result<()> {
        let setup = Arc::clone(&self.setup);
        let flow = running.plan(&setup.plan);
        let sends = flow.steps[running.instance.step()].sends.as_ref();
        let now = self.now();
        let deadline = now + sends.map_or(Duration::ZERO, |sends| sends.timeout);
        let seated = &mut self.sessions[key];
        let Ok(slot) = seated.session.send(now, action, answer, deadline) else {
            self.break_off(&running, Outcome::Disconnected, TOOK_NONE);
            return self.took_none(key, step.record, step.call);
        };
        if let Some(call) = step.call {
            self.calls
                .sent_as(call, seated.session.action_id(slot).as_bytes());
        }
        running.instance.begin(flow, step.call);
        step.slot = Some(slot);
        step.record.sent_at = Some(nanos(self.setup.clock.now().saturating_sub(self.base)));
        running.doing = Doing::Step(step);
        running.alarm = Due::Answer(slot.seq);
        self.in_flight[usize::from(running.arrival.target)] += 1;
        self.expiries
            .push(Reverse((deadline, key, seated.born, running.alarm)));
        seated.work = Work::Flow(running);
        self.transmit(key)
    }

    fn await_event(&mut self, key: usize, mut running: Box<Running>, step: &PlannedStep) {
        let patience = step.awaits.as_ref().map(|awaits| awaits.timeout);
        let at = self.now() + patience.unwrap_or_default();
        self.alarms = self.alarms.wrapping_add(1);
        running.alarm = Due::Flow(self.alarms);
        let seated = &mut self.sessions[key];
        self.expiries
            .push(Reverse((at, key, seated.born, running.alarm)));
        seated.work = Work::Flow(running);
    }

    /// What a frame meant for the flow of a session.
    pub(super) fn flow_on(&mut self, key: usize, progress: Progress, at: u64) -> io::Result<()> {
        if progress == Progress::Nothing {
            return Ok(());
        }
        let setup = Arc::clone(&self.setup);
        let Some(mut running) = self.take_flow(key) else {
            return Ok(());
        };
        let flow = running.plan(&setup.plan);
        let planned = &flow.steps[running.instance.step()];
        if let Doing::Step(StepInFlight {
            slot: Some(slot), ..
        }) = running.doing
        {
            // A list that ended by an event of its own is still open for the session.
            self.sessions[key].session.end_list(slot);
        }
        if progress == Progress::Answered {
            self.await_event(key, running, planned);
            return Ok(());
        }
        let Some(step) = running.take_step() else {
            return Ok(());
        };
        self.in_flight[usize::from(running.arrival.target)] -= 1;
        if let Progress::Broken { why, answer } = progress {
            match step.call {
                // There is a call, though the step has ended: it is followed.
                Some(call) if answer == AnswerOutcome::Success => self.calls.answer_lost(call),
                Some(call) => self.calls.not_accepted(call),
                None => {}
            }
            self.ledger
                .record(ended(step.record, at, Outcome::Rejected, Some(&why)));
            self.break_off(&running, Outcome::Rejected, &why);
            return self.flow_over(key);
        }
        match step.call {
            Some(call) => {
                let settled = self.calls.accepted(call, step.record);
                self.ledger.settled(settled);
            }
            None => self
                .ledger
                .record(ended(step.record, at, Outcome::Success, None)),
        }
        self.next_step(key, running, at)
    }

    fn next_step(&mut self, key: usize, mut running: Box<Running>, at: u64) -> io::Result<()> {
        let setup = Arc::clone(&self.setup);
        let Some(due) = running.instance.next(running.plan(&setup.plan), at) else {
            self.ledger
                .record(ended(running.whole, at, Outcome::Success, None));
            return self.flow_over(key);
        };
        if self.stage != Stage::Offering || !self.is_loaded(running.arrival.target) {
            self.ledger.skipped(skipped(&running.whole));
            return self.flow_over(key);
        }
        let seated = &mut self.sessions[key];
        seated.work = Work::Flow(running);
        if seated.session.is_closing() {
            // Whoever loses the session ends its flow.
            return Ok(());
        }
        let now = self.ns(self.now());
        match self.go_on_at(key, due, now)? {
            Goes::On => Ok(()),
            Goes::Over => self.flow_over(key),
        }
    }

    /// The session is free again, unless the PBX has said goodbye on it.
    fn flow_over(&mut self, key: usize) -> io::Result<()> {
        match self.sessions.get(key) {
            Some(seated) if !seated.session.is_closing() => self.freed(key),
            _ => Ok(()),
        }
    }

    /// The alarm of a flow: its next step is due, or its event did not come.
    pub(super) fn flow_due(&mut self, key: usize) -> io::Result<()> {
        let now = self.ns(self.now());
        let Some(mut running) = self.take_flow(key) else {
            return Ok(());
        };
        let Some(step) = running.take_step() else {
            let Doing::Thinking { due } = running.doing else {
                return Ok(());
            };
            self.sessions[key].work = Work::Flow(running);
            return match self.begin_step(key, due, now)? {
                Goes::On => Ok(()),
                Goes::Over => self.flow_over(key),
            };
        };
        let why = {
            let flow = running.plan(&self.setup.plan);
            let awaits = flow.steps[running.instance.step()].awaits.as_ref();
            format!(
                "no {} in time",
                awaits.map_or("event", |awaits| &*awaits.event)
            )
        };
        self.cut_off((step.record, step.call), Outcome::TimedOut, &why);
        self.break_off(&running, Outcome::TimedOut, &why);
        self.flow_over(key)
    }

    /// The flow has no session any more, or no answer: its action ends, and so does the whole.
    pub(super) fn cut_flow(&mut self, mut running: Box<Running>, outcome: Outcome, why: &str) {
        match running.take_step() {
            Some(step) => {
                self.cut_off((step.record, step.call), outcome, why);
                self.break_off(&running, outcome, why);
            }
            None => {
                let why = format!("not begun: {why}");
                self.break_off(&running, Outcome::Disconnected, &why);
            }
        }
    }

    /// The record of a flow that did not come to its end names the step.
    fn break_off(&mut self, running: &Running, outcome: Outcome, why: &str) {
        let why = format!("{}: {why}", running.place(&self.setup.plan));
        let at = self.ns(self.now());
        let outcome = match (outcome, running.whole.sent_at) {
            // Something of it was sent before.
            (Outcome::Disconnected, Some(_)) => Outcome::Indeterminate,
            (outcome, _) => outcome,
        };
        let whole = running.whole.clone();
        self.ledger.record(ended(whole, at, outcome, Some(&why)));
    }

    /// No further steps on such sessions: flows that think end, those that wait for an answer finish that step.
    pub(super) fn cut_thinking(&mut self, on: impl Fn(&Seated) -> bool) -> io::Result<()> {
        for key in self.keys(|seated| seated.is_thinking() && on(seated)) {
            if let Some(running) = self.take_flow(key) {
                self.ledger.skipped(skipped(&running.whole));
            }
            self.freed(key)?;
        }
        Ok(())
    }

    fn take_flow(&mut self, key: usize) -> Option<Box<Running>> {
        let work = &mut self.sessions.get_mut(key)?.work;
        match std::mem::replace(work, Work::Free) {
            Work::Flow(running) => Some(running),
            other => {
                *work = other;
                None
            }
        }
    }
}

impl Seated {
    fn is_thinking(&self) -> bool {
        matches!(&self.work, Work::Flow(running) if matches!(running.doing, Doing::Thinking { .. }))
    }
}

fn skipped(record: &Record) -> Skipped {
    Skipped {
        target: record.target,
        phase: record.phase,
        action: record.action,
        intended_at: record.intended_at,
    }
}
