//! Who sits where: seats are taken at the start, kept while the run lasts, and left at its end.

use std::io;
use std::time::Duration;

use ami_client::open::OpenError;
use ami_proto::action::Action;
use ami_proto::session::Answer;
use ami_results::delivery::DeliveryRow;
use ami_results::outcome::Outcome;
use ami_results::record::Record;

use super::opener::Patience;
use super::seat::{Duty, Opened, Seat, Seated, Work};
use super::{LOGOFF_MAX, Notice, Stage, Worker};
use crate::call_table::ended;
use crate::fan_out::{Ear, Until};
use crate::plan::Reading;
use crate::run_tag::CallKey;
use crate::scenario::Measure;

/// A session that ends sooner after its login was turned away, as far as pauses between attempts are concerned.
const SETTLED_AFTER: Duration = Duration::from_secs(10);

impl Worker {
    pub(super) fn take_seats(&mut self) {
        for seat in self.seats() {
            self.missing += 1;
            self.opener.open(seat, Patience::Start { failed: 0 });
        }
        if self.missing == 0 {
            self.tell(Notice::Ready);
        }
    }

    /// The seats of this worker: an observer on each target where calls are made, and its share of every group.
    fn seats(&self) -> Vec<Seat> {
        let plan = &self.setup.plan;
        let mut duties = Vec::new();
        if plan.originates() {
            duties.push(Duty::Observer);
        }
        for (group, planned) in (0..).zip(&plan.groups) {
            let mine = (0..planned.sessions)
                .filter(|number| number % plan.crew() == u32::from(self.member));
            duties.extend(mine.map(|number| Duty::Load { group, number }));
        }
        let on_target = |target| {
            duties.iter().map(move |duty| Seat {
                target,
                duty: *duty,
                turns: 0,
            })
        };
        plan.target_indices().flat_map(on_target).collect()
    }

    /// A connection attempt ended: take the seat, or tell that it stays empty.
    pub(super) fn seat(&mut self, opened: Opened) -> io::Result<()> {
        let Opened {
            seat,
            patience,
            failed,
            result,
        } = opened;
        let first = matches!(patience, Patience::Start { .. });
        let back = matches!(patience, Patience::Run { .. });
        if first {
            self.missing -= 1;
        }
        let wanted = self.is_loaded(seat.target) && !self.is_finishing();
        match result {
            Ok(parts) if wanted => {
                self.born += 1;
                let reading = self.reading(seat);
                let (seated, unread) = Seated::new(seat, *parts, reading, self.born, self.now())?;
                let ear = self.ear(seat);
                let seated = Seated {
                    failed,
                    ear,
                    ..seated
                };
                let key = self.sessions.insert(seated);
                self.poller.add(&self.sessions[key].stream, key)?;
                self.join_sweep(key)?;
                if seat.duty == Duty::Observer {
                    self.sights[usize::from(seat.target)].open();
                }
                self.count_up(seat);
                if back && matches!(seat.duty, Duty::Load { .. }) {
                    self.ledger.back(seat.target, self.ns(self.now()));
                }
                self.digest(key, &unread)?;
                self.freed(key)?;
            }
            // Why it is shut was told when it was.
            Ok(_) | Err(OpenError::Shut { .. }) => {}
            Err(error) => self.tell(Notice::SeatFailed {
                target: seat.target,
                error,
            }),
        }
        if first && self.missing == 0 {
            self.tell(Notice::Ready);
        }
        Ok(())
    }

    fn ear(&self, seat: Seat) -> Option<Ear> {
        let Duty::Load { group, .. } = seat.duty else {
            return None;
        };
        let measure = self.setup.plan.groups[usize::from(group)].measure;
        measure.map(|Measure::EventDelay| Ear::begin(&self.setup.board, seat.target))
    }

    /// What a session read while it was up.
    pub(super) fn settle_ear(&mut self, seated: &Seated) {
        let until = if self.is_finishing() {
            Until::Now
        } else {
            Until::LastRead
        };
        if let Some(ear) = &seated.ear {
            let row = DeliveryRow {
                target: seated.seat.target,
                at: self.ns(self.now()),
                delivery: ear.delivery(&self.setup.board, until),
            };
            self.ledger.delivered(row);
        }
    }

    fn reading(&self, seat: Seat) -> Reading {
        match seat.duty {
            Duty::Observer => Reading::Prompt,
            Duty::Load { group, .. } => self.setup.plan.groups[usize::from(group)].reading(),
        }
    }

    fn count_up(&mut self, seat: Seat) {
        if matches!(seat.duty, Duty::Load { .. }) {
            let up = &mut self.up[usize::from(seat.target)];
            *up += 1;
            if *up == 1 {
                self.tell_sessions(seat.target);
            }
        }
    }

    fn count_down(&mut self, seat: Seat) {
        if matches!(seat.duty, Duty::Load { .. }) {
            let up = &mut self.up[usize::from(seat.target)];
            *up -= 1;
            if *up == 0 {
                self.tell_sessions(seat.target);
            }
        }
    }

    fn tell_sessions(&self, target: u16) {
        self.tell(Notice::Sessions {
            worker: self.index,
            target,
            up: self.up[usize::from(target)],
        });
    }

    pub(super) fn keys(&self, wanted: impl Fn(&Seated) -> bool) -> Vec<usize> {
        let those = self.sessions.iter().filter(|(_, seated)| wanted(seated));
        those.map(|(key, _)| key).collect()
    }

    /// The connection is gone: its action ends, and in mid-run its seat is opened again.
    pub(super) fn lose(&mut self, key: usize, why: &str) -> io::Result<()> {
        let Some(mut seated) = self.sessions.try_remove(key) else {
            return Ok(());
        };
        self.poller.remove(&seated.stream)?;
        self.leave_sweep(&seated)?;
        let now = self.now();
        let seat = seated.seat;
        self.count_down(seat);
        self.settle_ear(&seated);
        let stays_away = !self.is_loaded(seat.target) || self.is_finishing();
        match seat.duty {
            Duty::Load { group, .. } => {
                if !stays_away && self.stage != Stage::Opening {
                    self.ledger.lost(seat.target, self.ns(now));
                }
                let lane = self.lane_index(seat.target, group);
                self.lanes[lane].lost(key);
            }
            // At the end of a run the observer logs off like the others: its open calls are closed with the books.
            Duty::Observer if self.is_finishing() => {}
            Duty::Observer => {
                self.sights[usize::from(seat.target)].shut();
                for settled in self.calls.blinded(seat.target, self.ns(now)) {
                    self.ledger.settled(settled);
                }
            }
        }
        let sent = seated.work.record_mut().and_then(|record| record.sent_at);
        let outcome = match sent {
            Some(_) => Outcome::Indeterminate,
            None => Outcome::Disconnected,
        };
        self.cut_work(seated.work, outcome, why);
        if !stays_away {
            self.tell(Notice::SessionLost {
                target: seat.target,
                why: why.to_owned(),
            });
            let settled = now >= seated.opened_at + SETTLED_AFTER;
            let failed = if settled { 0 } else { seated.failed + 1 };
            let patience = match self.stage {
                Stage::Opening if self.missing > 0 => {
                    self.missing += 1;
                    Patience::Start { failed }
                }
                Stage::Opening => Patience::Again { failed },
                _ => Patience::Run { failed },
            };
            self.opener.open(seat, patience);
        }
        Ok(())
    }

    /// What a session did ends with the session.
    pub(super) fn cut_work(&mut self, work: Work, outcome: Outcome, why: &str) {
        match work {
            Work::Busy(in_flight) => {
                if let Some(event) = in_flight.event {
                    self.setup.board.void(event);
                }
                self.cut_off((in_flight.record, in_flight.call), outcome, why);
            }
            Work::Flow(running) => self.cut_flow(running, outcome, why),
            Work::Free | Work::Stuck { .. } | Work::LoggingOff => {}
        }
    }

    /// The action ends without its answer.
    pub(super) fn cut_off(
        &mut self,
        (record, call): (Record, Option<CallKey>),
        outcome: Outcome,
        why: &str,
    ) {
        self.in_flight[usize::from(record.target)] -= 1;
        match call {
            Some(call) if outcome == Outcome::Disconnected => self.calls.not_accepted(call),
            Some(call) => self.calls.answer_lost(call),
            None => {}
        }
        let at = self.ns(self.now());
        self.ledger.record(ended(record, at, outcome, Some(why)));
    }

    /// Says goodbye on a session that is free; one that is not is closed as it is.
    pub(super) fn log_off(&mut self, key: usize) -> io::Result<()> {
        let now = self.now();
        let seated = &mut self.sessions[key];
        let logoff = Action::new("Logoff");
        let polite = matches!(seated.work, Work::Free)
            && seated
                .session
                .send(now, &logoff, Answer::Single, now + LOGOFF_MAX)
                .is_ok();
        if !polite {
            return self.lose(key, "the run ended before the answer");
        }
        seated.work = Work::LoggingOff;
        self.transmit(key)
    }
}
