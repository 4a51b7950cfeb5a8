//! Events that a session of the run sends, and that others of it read.

use ami_proto::frame::Frame;
use ami_results::interval::Cell;

use super::seat::Duty;
use crate::fan_out::{Ear, EventKey, Mark};
use crate::ledger::EventDelay;
use crate::plan::USER_EVENT;
use crate::run::Setup;

impl Setup {
    /// The next event of the session that has this duty.
    pub(super) fn next_event(&self, target: u16, duty: Duty) -> EventKey {
        let sender = match duty {
            Duty::Load { group, number } => self.board.sender(group, number),
            Duty::Observer => None,
        };
        let sender = sender.expect("its group has a user-event in its mix");
        self.board.next(target, sender)
    }

    /// An event that a measuring session read, when it is one of this run.
    pub(super) fn heard(
        &self,
        frame: &Frame<'_>,
        ear: Option<&mut Ear>,
        read_at: u64,
    ) -> Option<EventDelay> {
        let mark = Mark::of(frame, &self.tag)?;
        let ear = ear.filter(|ear| ear.is_of(mark.key.target))?;
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
