//! An action and its answer as one piece, where defects and faults want to see it whole.

use std::time::Duration;

use super::ServerSession;
use crate::defect::{self, Course, Turn};
use crate::fault::Moment;
use crate::pbx::Pbx;

impl ServerSession {
    /// The answer is whole once the session reads again, or has ended.
    pub(super) fn end_turn(&mut self, now: Duration, pbx: &mut Pbx) {
        let over = self.is_closed() || self.dialogue.is_reading();
        if self.dialogue.turn.is_none() || !over {
            return;
        }
        let moment = if self.account().is_none() || defect::is_login(self.reader.request()) {
            Moment::Login
        } else {
            Moment::Answer
        };
        self.rewrite_turn(now, pbx, defect::after);
        let texts = self.dialogue.turn.take().unwrap_or_default();
        self.dialogue.outbox.say(moment, texts);
        if self.is_closed() {
            self.dialogue.outbox.end();
        }
    }

    pub(super) fn rewrite_turn(
        &mut self,
        now: Duration,
        pbx: &mut Pbx,
        rewrite: impl FnOnce(&mut Turn<'_>),
    ) -> Course {
        let texts = self.dialogue.turn.take().unwrap_or_default();
        let mut turn = Turn {
            now,
            request: self.reader.request_mut(),
            session: &mut self.dialogue,
            pbx,
            texts,
            waiting: self.input.len(),
            course: Course::GoOn,
        };
        rewrite(&mut turn);
        let (texts, course) = (turn.texts, turn.course);
        self.dialogue.turn = Some(texts);
        course
    }
}
