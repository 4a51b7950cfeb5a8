//! Events that the run sends to itself: what each carries, which of them each listening session should read, and what it
//! did read. Pure, but for the board that workers share.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use ami_proto::action::system::user_event;
use ami_proto::action::{Action, ActionError};
use ami_proto::frame::Frame;
use ami_results::delivery::Delivery;

use crate::plan::{Plan, What};
use crate::run_tag::RunTag;

/// The name of our events, and the header that says which one it is.
const NAME: &str = "Amibench";
const MARK: &str = "Mark";
const FILLER: &str = "Filler";
/// Stock PBXs take lines of a thousand bytes.
const FILLER_LINE: usize = 900;
/// What an event may carry: beyond it a PBX may cut it, or refuse the action.
pub(crate) const BYTES_MAX: u32 = 8000;
/// Gaps that one session remembers of one sender; in older ones nothing is expected to come any more.
const GAPS_MAX: usize = 256;
/// Stretches of failed sends that are remembered of one sender.
const VOIDS_MAX: usize = 1024;

/// What one event says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) key: EventKey,
    pub(crate) phase: u16,
    /// Just before it was written, in nanoseconds of the run.
    pub(crate) sent_at: u64,
}

/// The `number`-th event of a sender; senders are the sessions of a target that send events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EventKey {
    pub(crate) target: u16,
    pub(crate) sender: u32,
    pub(crate) number: u64,
}

impl Mark {
    /// The action that makes the event.
    pub(crate) fn action(&self, tag: &RunTag, filler: &[String]) -> Result<Action, ActionError> {
        let Self {
            key,
            phase,
            sent_at,
        } = self;
        let EventKey {
            target,
            sender,
            number,
        } = key;
        let mark = format!(
            "{} {target} {sender} {number} {phase} {sent_at}",
            tag.as_str()
        );
        let mut headers = vec![(MARK, mark.as_str())];
        headers.extend(filler.iter().map(|line| (FILLER, line.as_str())));
        user_event(NAME, &headers)
    }

    /// What an event says, when it is one of this run.
    pub(crate) fn of(frame: &Frame<'_>, tag: &RunTag) -> Option<Self> {
        let mark = frame.get(MARK)?.strip_prefix(tag.as_str().as_bytes())?;
        let mut words = std::str::from_utf8(mark).ok()?.trim_start().split(' ');
        let mut number = || words.next()?.parse::<u64>().ok();
        Some(Self {
            key: EventKey {
                target: u16::try_from(number()?).ok()?,
                sender: u32::try_from(number()?).ok()?,
                number: number()?,
            },
            phase: u16::try_from(number()?).ok()?,
            sent_at: number()?,
        })
    }
}

/// Lines that make an event so much longer.
pub(crate) fn filler(bytes: u32) -> Vec<String> {
    let bytes = usize::try_from(bytes).expect("a bound of some thousand");
    let lengths = (0..bytes).step_by(FILLER_LINE);
    lengths
        .map(|from| "x".repeat(FILLER_LINE.min(bytes - from)))
        .collect()
}

/// How many events each sender has sent, for all workers to see.
#[derive(Debug, Default)]
pub(crate) struct Board {
    /// By target, then by sender.
    senders: Vec<Vec<Sender>>,
    /// By group: the first of its senders, if its sessions send events.
    first_of: Vec<Option<u32>>,
}

#[derive(Debug, Default)]
struct Sender {
    given: AtomicU64,
    /// Numbers whose events need not come: the PBX did not take them, or nobody knows.
    void: Mutex<Vec<Range<u64>>>,
}

impl Board {
    pub(crate) fn new(plan: &Plan) -> Self {
        let (first_of, senders) = senders(plan);
        let of_target = || (0..senders).map(|_| Sender::default()).collect();
        Self {
            senders: plan.targets.iter().map(|_| of_target()).collect(),
            first_of,
        }
    }

    /// The sender that a session of a group is.
    pub(crate) fn sender(&self, group: u16, session: u32) -> Option<u32> {
        Some(self.first_of[usize::from(group)]? + session)
    }

    pub(crate) fn next(&self, target: u16, sender: u32) -> EventKey {
        let number = self.of(target, sender).given.fetch_add(1, Ordering::SeqCst);
        EventKey {
            target,
            sender,
            number,
        }
    }

    /// Nobody need read this event.
    pub(crate) fn void(&self, key: EventKey) {
        let void = &self.of(key.target, key.sender).void;
        let mut void = void.lock().unwrap_or_else(PoisonError::into_inner);
        let full = void.len() >= VOIDS_MAX;
        match void.last_mut() {
            // Sends end in their order. Past the bound a wider stretch is void: what cannot be told is not called lost.
            Some(last) if last.end == key.number || full => last.end = key.number + 1,
            _ => void.push(key.number..key.number + 1),
        }
    }

    fn of(&self, target: u16, sender: u32) -> &Sender {
        let sender = usize::try_from(sender).expect("senders are few");
        &self.senders[usize::from(target)][sender]
    }
}

impl Sender {
    fn given(&self) -> u64 {
        self.given.load(Ordering::SeqCst)
    }

    fn void_in(&self, range: &Range<u64>) -> u64 {
        let void = self.void.lock().unwrap_or_else(PoisonError::into_inner);
        void.iter().map(|void| overlap(void, range)).sum()
    }
}

/// The first sender of each group that sends events, and how many senders a target has.
pub(crate) fn senders(plan: &Plan) -> (Vec<Option<u32>>, u32) {
    let entries = || plan.phases.iter().flat_map(|phase| &phase.mix);
    let mut senders = 0;
    let first_of = (0..)
        .zip(&plan.groups)
        .map(|(index, group)| {
            let sends = |what: &What| matches!(what, What::UserEvent { .. });
            let mut own = entries().filter(|entry| entry.group == index);
            own.any(|entry| sends(&entry.what)).then(|| {
                let first = senders;
                senders += group.sessions;
                first
            })
        })
        .collect();
    (first_of, senders)
}

/// Until when a session should have read what was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    /// It is up: until now.
    Now,
    /// It was lost: until the last event that it read. What it would have read next nobody knows.
    LastRead,
}

/// What one listening session has read, by sender.
#[derive(Debug)]
pub(crate) struct Ear {
    target: u16,
    heard: Vec<Heard>,
    duplicated: u64,
    reordered: u64,
}

#[derive(Debug, Default)]
struct Heard {
    /// What was sent before the session was up is not expected.
    from: u64,
    next: u64,
    missing: Vec<Range<u64>>,
    /// Missing for so long that they are forgotten.
    given_up: u64,
}

impl Ear {
    /// Of a session that is up from now on.
    pub(crate) fn begin(board: &Board, target: u16) -> Self {
        let senders = board.senders[usize::from(target)].iter();
        Self {
            target,
            heard: senders
                .map(|sender| {
                    // Read once: other workers send meanwhile.
                    let from = sender.given();
                    Heard {
                        from,
                        next: from,
                        ..Heard::default()
                    }
                })
                .collect(),
            duplicated: 0,
            reordered: 0,
        }
    }

    /// Two targets of a run may be one PBX: its events go to the sessions of both.
    pub(crate) fn is_of(&self, target: u16) -> bool {
        self.target == target
    }

    pub(crate) fn hear(&mut self, key: EventKey) {
        let sender = usize::try_from(key.sender).unwrap_or(usize::MAX);
        let Some(heard) = self.heard.get_mut(sender) else {
            return;
        };
        let number = key.number;
        if number >= heard.next {
            heard.skip_to(number);
            heard.next = number + 1;
        } else if heard.fill(number) {
            self.reordered += 1;
        } else if number >= heard.from {
            self.duplicated += 1;
        }
    }

    pub(crate) fn delivery(&self, board: &Board, until: Until) -> Delivery {
        let mut delivery = Delivery {
            duplicated: self.duplicated,
            reordered: self.reordered,
            ..Delivery::default()
        };
        for (heard, sender) in self
            .heard
            .iter()
            .zip(&board.senders[usize::from(self.target)])
        {
            let end = match until {
                Until::Now => sender.given().max(heard.next),
                Until::LastRead => heard.next,
            };
            let live = |range: &Range<u64>| range.end - range.start - sender.void_in(range);
            let missing: u64 = heard.missing.iter().map(live).sum();
            delivery.expected += live(&(heard.from..end));
            delivery.lost += heard.given_up + missing + live(&(heard.next..end));
        }
        delivery
    }
}

impl Heard {
    fn skip_to(&mut self, number: u64) {
        if number == self.next {
            return;
        }
        if self.missing.len() >= GAPS_MAX {
            let oldest = self.missing.remove(0);
            self.given_up += oldest.end - oldest.start;
        }
        self.missing.push(self.next..number);
    }

    /// Whether it was missing until now.
    fn fill(&mut self, number: u64) -> bool {
        let Some(index) = self.missing.iter().position(|gap| gap.contains(&number)) else {
            return false;
        };
        let gap = self.missing.remove(index);
        let parts = [gap.start..number, number + 1..gap.end];
        let parts = parts.into_iter().filter(|part| !part.is_empty());
        self.missing.splice(index..index, parts);
        true
    }
}

fn overlap(one: &Range<u64>, other: &Range<u64>) -> u64 {
    let (start, end) = (one.start.max(other.start), one.end.min(other.end));
    end.saturating_sub(start)
}

#[cfg(test)]
mod tests;
