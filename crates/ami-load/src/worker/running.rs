//! A flow on its session: what it is at, and what a frame means to it.

use ami_proto::frame::Frame;
use ami_proto::session::{Disposition, Slot};
use ami_results::record::Record;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::seat::Due;
use crate::arrival::Arrival;
use crate::flow::{Around, Heard, Instance, Progress};
use crate::plan::{Plan, PlannedFlow};
use crate::run::Setup;
use crate::run_tag::CallKey;

/// Streams of the seed for think times, past those of rows.
const THINK_STREAMS: u64 = 1 << 63;

/// A flow on its session.
#[derive(Debug)]
pub(crate) struct Running {
    pub(super) flow: u16,
    pub(super) arrival: Arrival,
    pub(super) instance: Instance,
    /// Of the whole flow.
    pub(super) whole: Record,
    pub(super) doing: Doing,
    /// The one alarm that it waits for.
    pub(super) alarm: Due,
}

#[derive(Debug)]
pub(super) enum Doing {
    /// The next step begins at that instant.
    Thinking {
        due: u64,
    },
    Step(StepInFlight),
}

#[derive(Debug)]
pub(super) struct StepInFlight {
    pub(super) record: Record,
    /// None when it only awaits an event.
    pub(super) slot: Option<Slot>,
    pub(super) call: Option<CallKey>,
}

impl Running {
    pub(super) fn plan<'a>(&self, plan: &'a Plan) -> &'a PlannedFlow {
        &plan.flows[usize::from(self.flow)]
    }

    pub(super) fn awaits(&self, due: Due) -> bool {
        self.alarm == due
    }

    /// The action that is under way.
    pub(super) fn record_mut(&mut self) -> Option<&mut Record> {
        match &mut self.doing {
            Doing::Step(step) => Some(&mut step.record),
            Doing::Thinking { .. } => None,
        }
    }

    /// The step under way, which ends now.
    pub(super) fn take_step(&mut self) -> Option<StepInFlight> {
        match std::mem::replace(&mut self.doing, Doing::Thinking { due: 0 }) {
            Doing::Step(step) => {
                self.whole.sent_at = self.whole.sent_at.or(step.record.sent_at);
                Some(step)
            }
            Doing::Thinking { due } => {
                self.doing = Doing::Thinking { due };
                None
            }
        }
    }

    pub(super) fn hear(
        &mut self,
        setup: &Setup,
        disposition: &Disposition,
        frame: &Frame<'_>,
        at: u64,
    ) -> Progress {
        let Doing::Step(StepInFlight { record, slot, .. }) = &mut self.doing else {
            return Progress::Nothing;
        };
        let mine = *slot;
        let heard = match disposition {
            Disposition::Event => Heard::Event(frame),
            Disposition::Answer {
                slot,
                outcome,
                done,
            } if Some(*slot) == mine => {
                record.acked_at = Some(at);
                Heard::Answer {
                    outcome: *outcome,
                    done: *done,
                    frame,
                }
            }
            Disposition::Item { slot, index } if Some(*slot) == mine => {
                record.first_item_at.get_or_insert(at);
                record.items = Some(*index);
                Heard::Item(frame)
            }
            Disposition::Complete { slot, items, .. } if Some(*slot) == mine => {
                record.items = Some(*items);
                Heard::Complete
            }
            _ => return Progress::Nothing,
        };
        self.tell(setup, heard)
    }

    pub(super) fn tell(&mut self, setup: &Setup, heard: Heard<'_>) -> Progress {
        let around = setup.around(self.arrival.target);
        self.instance.hear(self.plan(&setup.plan), around, heard)
    }

    /// Which step, in words.
    pub(super) fn place(&self, plan: &Plan) -> String {
        let flow = self.plan(plan);
        let index = self.instance.step();
        let (name, count) = (&flow.steps[index].name, flow.steps.len());
        format!("{name}, step {} of {count}", index + 1)
    }
}

impl Setup {
    pub(super) fn around(&self, target: u16) -> Around<'_> {
        Around {
            tag: &self.tag,
            target: &self.plan.targets[usize::from(target)].target.name,
        }
    }
}

/// The think times of a flow depend on its arrival, not on who carries it out.
pub(super) fn lot(plan: &Plan, arrival: &Arrival, session: u32) -> ChaCha8Rng {
    let closed = plan.phases[usize::from(arrival.phase)].is_closed();
    let session = if closed { u64::from(session) } else { 0 };
    let place = u64::from(arrival.target) << 8 | u64::from(arrival.phase);
    let mut lot = ChaCha8Rng::seed_from_u64(plan.seed.wrapping_add(place << 32 | session));
    lot.set_stream(THINK_STREAMS + arrival.number);
    lot
}
