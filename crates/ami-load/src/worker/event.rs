//! Events that a session of the run sends, and that others of it read.

use std::time::Duration;

use ami_proto::action::Action;
use ami_proto::frame::Frame;
use ami_results::interval::Cell;

use super::seat::Duty;
use crate::arrival::Arrival;
use crate::fan_out::{Ear, EventKey, Mark};
use crate::ledger::EventDelay;
use crate::plan::{USER_EVENT, nanos};
use crate::run::Setup;

impl Setup {
    /// The next event of the session that has this duty, with this very instant in it.
    pub(super) fn make_event(
        &self,
        arrival: &Arrival,
        duty: Duty,
        filler: &[String],
        base: Duration,
    ) -> (EventKey, Action) {
        let sender = match duty {
            Duty::Load { group, number } => self.board.sender(group, number),
            Duty::Observer => None,
        };
        let sender = sender.expect("its group has a user-event in its mix");
        let key = self.board.next(arrival.target, sender);
        let mark = Mark {
            key,
            phase: arrival.phase,
            sent_at: nanos(self.clock.now().saturating_sub(base)),
        };
        let action = mark.action(&self.tag, filler);
        (key, action.expect("a mark has no line end"))
    }

    /// An event that a measuring session read, when it is one of this run.
    pub(super) fn heard(
        &self,
        frame: &Frame<'_>,
        ear: &mut Ear,
        read_at: u64,
    ) -> Option<EventDelay> {
        let mark = Mark::of(frame, &self.tag)?;
        if !ear.is_of(mark.key.target) {
            return None;
        }
        ear.hear(mark.key);
        let mut actions = (0..).zip(&self.plan.actions);
        let (action, _) = actions.find(|(_, name)| *name == USER_EVENT)?;
        let phases = self.plan.phases.len();
        (usize::from(mark.phase) < phases).then_some(EventDelay {
            cell: Cell {
                target: mark.key.target,
                phase: mark.phase,
                action,
            },
            read_at,
            delay: read_at.saturating_sub(mark.sent_at),
        })
    }
}
