//! What a session must make of what happens to it, with a list of all actions and nothing clever: no slots, no reuse.
//! The invariant: each action that was sent ends exactly once, and a late answer to one that expired is told once.

use std::time::Duration;

use ami_proto::session::{AnswerOutcome, Disposition, Done, IN_FLIGHT_MAX, SendError, Slot};

use super::{Kind, Operation, Reply, pick, tenths};

#[derive(Debug, Clone, Default)]
pub struct Model {
    sent: Vec<Sent>,
    now: Duration,
    closing: bool,
}

/// An action, from when it was sent.
#[derive(Debug, Clone)]
struct Sent {
    state: State,
    deadline: Duration,
    expired: bool,
    /// Told to whoever sent it: its answer, its timeout, or that the connection ended.
    ends: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Single,
    List,
    Items { announced: bool, items: u32 },
    Raw { texts: u32 },
    Over,
}

/// What came of an operation. Actions are numbered in the order in which they were sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    Nothing,
    /// The names of what was written.
    Sent(Result<Vec<String>, SendError>),
    Heard(Option<usize>, Heard),
    Expired(Vec<usize>),
    Abandoned(Vec<usize>),
}

/// A disposition without its slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    Answer(AnswerOutcome, Done),
    Item(u32),
    Complete {
        items: u32,
        listed: Option<u32>,
    },
    Late,
    Event,
    Unmatched,
    Closing,
    /// Nothing that a session does once it is logged in.
    OfTheLogin,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    pub in_flight: usize,
    pub has_expired: bool,
    pub next_timeout: Option<Duration>,
    pub is_closing: bool,
}

impl Model {
    pub fn apply(&mut self, operation: Operation) -> Seen {
        match operation {
            Operation::Send { answer, patience } => Seen::Sent(self.send(answer, patience)),
            Operation::Deliver { reply, to, .. } => match pick(to, self.sent.len()) {
                Some(number) if reply != Reply::Text => self.hear(reply, Some(number)),
                Some(_) => self.hear(reply, None),
                None => Seen::Nothing,
            },
            Operation::Nameless { reply, .. } => self.hear(reply, None),
            Operation::Wait { span } => Seen::Expired(self.wait(span)),
            Operation::EndList { of } => {
                if let Some(number) = pick(of, self.sent.len())
                    && let State::Items { .. } = self.sent[number].state
                {
                    self.sent[number].end();
                }
                Seen::Nothing
            }
            Operation::Close => Seen::Abandoned(self.close()),
        }
    }

    pub fn standing(&self) -> Standing {
        let open = || self.sent.iter().filter(|sent| sent.state != State::Over);
        Standing {
            in_flight: open().count(),
            has_expired: open().any(|sent| sent.expired),
            next_timeout: open()
                .filter(|sent| !sent.expired)
                .map(|sent| sent.deadline)
                .min(),
            is_closing: self.closing,
        }
    }

    /// Once it is closed.
    pub fn assert_all_ended_once(&self) {
        assert!(self.sent.iter().all(|sent| sent.ends == 1), "{self:?}");
    }

    pub fn is_closing(&self) -> bool {
        self.closing
    }

    fn send(&mut self, answer: Kind, patience: u8) -> Result<Vec<String>, SendError> {
        if self.closing {
            return Err(SendError::NotReady);
        }
        if self.standing().in_flight == IN_FLIGHT_MAX {
            return Err(SendError::InFlightFull);
        }
        let mut written = vec![format!("Probe{}", self.sent.len())];
        let state = match answer {
            Kind::Single => State::Single,
            Kind::List => State::List,
            Kind::Raw => State::Raw { texts: 0 },
        };
        if answer == Kind::Raw {
            written.push("Ping".to_owned());
        }
        self.sent.push(Sent {
            state,
            deadline: self.now + tenths(patience),
            expired: false,
            ends: 0,
        });
        Ok(written)
    }

    fn hear(&mut self, reply: Reply, number: Option<usize>) -> Seen {
        match reply {
            Reply::Item | Reply::OnlyItem | Reply::Complete { .. } | Reply::NamedComplete => {
                self.event(reply, number)
            }
            Reply::Text => self.text(),
            Reply::Success | Reply::Error | Reply::ListStart | Reply::Pong | Reply::Goodbye => {
                self.response(reply, number)
            }
        }
    }

    fn event(&mut self, reply: Reply, number: Option<usize>) -> Seen {
        let nobodys = Seen::Heard(None, Heard::Event);
        let Some(number) = number else {
            return nobodys;
        };
        let sent = &mut self.sent[number];
        let State::Items { announced, items } = &mut sent.state else {
            return nobodys;
        };
        let index = *items;
        let complete = match reply {
            Reply::Complete { listed } => Some((index, Some(u32::from(listed)))),
            Reply::NamedComplete => Some((index, None)),
            Reply::OnlyItem if !*announced => Some((index + 1, None)),
            _ => None,
        };
        match complete {
            Some((items, listed)) => Seen::Heard(
                Some(number),
                sent.end().unwrap_or(Heard::Complete { items, listed }),
            ),
            None => {
                *items += 1;
                if sent.expired {
                    nobodys
                } else {
                    Seen::Heard(Some(number), Heard::Item(index))
                }
            }
        }
    }

    fn response(&mut self, reply: Reply, number: Option<usize>) -> Seen {
        let goodbye = reply == Reply::Goodbye;
        self.closing |= goodbye;
        let number = number.or_else(|| self.oldest().filter(|_| !goodbye));
        let nobodys = Seen::Heard(
            None,
            if goodbye {
                Heard::Closing
            } else {
                Heard::Unmatched
            },
        );
        let Some(number) = number else {
            return nobodys;
        };
        let outcome = if reply == Reply::Error {
            AnswerOutcome::Error
        } else {
            AnswerOutcome::Success
        };
        let sent = &mut self.sent[number];
        let heard = match sent.state {
            State::Items { .. } | State::Over => return nobodys,
            State::List if outcome == AnswerOutcome::Success => {
                let announced = reply == Reply::ListStart;
                sent.state = State::Items {
                    announced,
                    items: 0,
                };
                sent.unless_expired(Heard::Answer(outcome, Done::No))
            }
            State::Single | State::List => {
                Some(sent.end().unwrap_or(Heard::Answer(outcome, Done::Yes)))
            }
            State::Raw { texts } if reply == Reply::Pong => {
                Some(sent.end().unwrap_or(Heard::Complete {
                    items: texts,
                    listed: None,
                }))
            }
            State::Raw { .. } => sent.unless_expired(Heard::Answer(outcome, Done::No)),
        };
        heard.map_or(Seen::Heard(None, Heard::Unmatched), |heard| {
            Seen::Heard(Some(number), heard)
        })
    }

    fn text(&mut self) -> Seen {
        let unmatched = Seen::Heard(None, Heard::Unmatched);
        let Some(number) = self.oldest() else {
            return unmatched;
        };
        let sent = &mut self.sent[number];
        let State::Raw { texts } = &mut sent.state else {
            return unmatched;
        };
        *texts += 1;
        let index = *texts - 1;
        if sent.expired {
            unmatched
        } else {
            Seen::Heard(Some(number), Heard::Item(index))
        }
    }

    fn oldest(&self) -> Option<usize> {
        let waits =
            |sent: &Sent| matches!(sent.state, State::Single | State::List | State::Raw { .. });
        self.sent.iter().position(waits)
    }

    fn wait(&mut self, span: u8) -> Vec<usize> {
        self.now += tenths(span);
        let mut due: Vec<usize> = (0..self.sent.len())
            .filter(|&number| {
                let sent = &self.sent[number];
                sent.state != State::Over && !sent.expired && sent.deadline <= self.now
            })
            .collect();
        due.sort_by_key(|&number| self.sent[number].deadline);
        for &number in &due {
            self.sent[number].expired = true;
            self.sent[number].ends += 1;
        }
        due
    }

    fn close(&mut self) -> Vec<usize> {
        self.closing = true;
        let mut abandoned = Vec::new();
        for (number, sent) in self.sent.iter_mut().enumerate() {
            if sent.state == State::Over {
                continue;
            }
            if sent.end().is_none() {
                abandoned.push(number);
            }
        }
        abandoned
    }
}

impl Sent {
    /// Late, if it had ended by its timeout.
    fn end(&mut self) -> Option<Heard> {
        self.state = State::Over;
        self.ends += u32::from(!self.expired);
        self.expired.then_some(Heard::Late)
    }

    fn unless_expired(&self, heard: Heard) -> Option<Heard> {
        (!self.expired).then_some(heard)
    }
}

pub(super) fn slot_of(disposition: &Disposition) -> Option<Slot> {
    match disposition {
        Disposition::Answer { slot, .. }
        | Disposition::Item { slot, .. }
        | Disposition::Complete { slot, .. }
        | Disposition::Late { slot } => Some(*slot),
        _ => None,
    }
}

pub(super) fn without_slot(disposition: &Disposition) -> Heard {
    match disposition {
        Disposition::Answer { outcome, done, .. } => Heard::Answer(*outcome, *done),
        Disposition::Item { index, .. } => Heard::Item(*index),
        Disposition::Complete { items, listed, .. } => Heard::Complete {
            items: *items,
            listed: *listed,
        },
        Disposition::Late { .. } => Heard::Late,
        Disposition::Event => Heard::Event,
        Disposition::Unmatched => Heard::Unmatched,
        Disposition::Closing => Heard::Closing,
        Disposition::Banner
        | Disposition::NotAmi { .. }
        | Disposition::Progress
        | Disposition::Ready
        | Disposition::Refused { .. } => Heard::OfTheLogin,
    }
}
