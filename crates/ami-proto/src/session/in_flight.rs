//! The actions that wait for their answers, each in a slot that its ActionID names.
//! A slot whose action timed out stays taken until the late answer comes, so that no other action can get that answer.

use std::time::Duration;

use super::event_list::EventList;
use super::{Answer, Slot};
use crate::action::ActionId;
use crate::response::Response;

/// Actions in flight on one session. AMI runs them one after the other, so more only queue on the server; 256 of the
/// smallest fill a quarter of a usual socket buffer.
pub const IN_FLIGHT_MAX: usize = 256;

#[derive(Debug)]
pub(super) struct InFlight {
    connection_id: u64,
    next_seq: u32,
    entries: Vec<Option<Entry>>,
    open: usize,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    seq: u32,
    timing: Timing,
    progress: Progress,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Timing {
    Until(Duration),
    Expired,
}

#[derive(Debug, Clone, Copy)]
enum Progress {
    Answer,
    ListAnswer,
    Items(EventList),
    Text { frames: u32 },
}

/// What would answer an action next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Awaiting {
    Answer,
    ListAnswer,
    Items,
    Text,
}

impl InFlight {
    pub(super) fn new(connection_id: u64) -> Self {
        Self {
            connection_id,
            next_seq: 0,
            entries: Vec::new(),
            open: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.open
    }

    pub(super) fn open(&mut self, answer: Answer, deadline: Duration) -> Option<Slot> {
        let free = if self.open == self.entries.len() {
            self.entries.len()
        } else {
            self.entries.iter().position(Option::is_none)?
        };
        if free == IN_FLIGHT_MAX {
            return None;
        }
        if free == self.entries.len() {
            self.entries.push(None);
        }
        let seq = self.next_seq;
        self.next_seq = seq.wrapping_add(1);
        let progress = match answer {
            Answer::Single => Progress::Answer,
            Answer::List => Progress::ListAnswer,
            Answer::Raw => Progress::Text { frames: 0 },
        };
        self.entries[free] = Some(Entry {
            seq,
            timing: Timing::Until(deadline),
            progress,
        });
        self.open += 1;
        Some(Slot {
            index: u16::try_from(free).expect("IN_FLIGHT_MAX fits"),
            seq,
        })
    }

    pub(super) fn close(&mut self, slot: Slot) {
        if self.entry(slot).is_some() {
            self.entries[usize::from(slot.index)] = None;
            self.open -= 1;
        }
    }

    /// The whole text must be the ActionID that was sent.
    pub(super) fn find(&self, action_id: &[u8]) -> Option<Slot> {
        let index = ActionId::slot_index(self.connection_id, action_id)?;
        let seq = self.entries.get(usize::from(index))?.as_ref()?.seq;
        let slot = Slot { index, seq };
        let sent = ActionId::of_slot(self.connection_id, slot);
        (sent.as_bytes() == action_id).then_some(slot)
    }

    pub(super) fn awaiting(&self, slot: Slot) -> Option<Awaiting> {
        Some(match self.entry(slot)?.progress {
            Progress::Answer => Awaiting::Answer,
            Progress::ListAnswer => Awaiting::ListAnswer,
            Progress::Items(_) => Awaiting::Items,
            Progress::Text { .. } => Awaiting::Text,
        })
    }

    pub(super) fn is_expired(&self, slot: Slot) -> bool {
        self.entry(slot)
            .is_some_and(|entry| entry.timing == Timing::Expired)
    }

    pub(super) fn has_expired(&self) -> bool {
        self.entries
            .iter()
            .flatten()
            .any(|entry| entry.timing == Timing::Expired)
    }

    /// AMI answers in order: an answer without ActionID belongs to the oldest action that has none yet.
    pub(super) fn oldest_unanswered(&self) -> Option<Slot> {
        self.slots()
            .filter(|(_, entry)| !matches!(entry.progress, Progress::Items(_)))
            .map(|(slot, _)| slot)
            .max_by_key(|slot| self.next_seq.wrapping_sub(slot.seq))
    }

    pub(super) fn open_list(&mut self, slot: Slot, response: &Response<'_>) {
        if let Some(entry) = self.entry_mut(slot) {
            entry.progress = Progress::Items(EventList::opened_by(response));
        }
    }

    pub(super) fn list_mut(&mut self, slot: Slot) -> Option<&mut EventList> {
        match &mut self.entry_mut(slot)?.progress {
            Progress::Items(list) => Some(list),
            Progress::Answer | Progress::ListAnswer | Progress::Text { .. } => None,
        }
    }

    /// Counts a frame of raw text; its number from 0.
    pub(super) fn count_text(&mut self, slot: Slot) -> Option<u32> {
        match &mut self.entry_mut(slot)?.progress {
            Progress::Text { frames } => {
                *frames = frames.saturating_add(1);
                Some(*frames - 1)
            }
            Progress::Answer | Progress::ListAnswer | Progress::Items(_) => None,
        }
    }

    pub(super) fn texts(&self, slot: Slot) -> u32 {
        match self.entry(slot).map(|entry| entry.progress) {
            Some(Progress::Text { frames }) => frames,
            _ => 0,
        }
    }

    pub(super) fn next_deadline(&self) -> Option<Duration> {
        self.entries
            .iter()
            .flatten()
            .filter_map(Entry::deadline)
            .min()
    }

    /// The most overdue action that was not reported yet.
    pub(super) fn expire(&mut self, now: Duration) -> Option<Slot> {
        let (_, slot) = self
            .slots()
            .filter_map(|(slot, entry)| Some((entry.deadline()?, slot)))
            .filter(|&(deadline, _)| deadline <= now)
            .min_by_key(|&(deadline, slot)| (deadline, slot.seq))?;
        self.entry_mut(slot)?.timing = Timing::Expired;
        Some(slot)
    }

    /// Empties every slot; those that had not expired, in the order sent.
    pub(super) fn drain(&mut self) -> Vec<Slot> {
        let mut slots: Vec<Slot> = self
            .slots()
            .filter(|(_, entry)| entry.timing != Timing::Expired)
            .map(|(slot, _)| slot)
            .collect();
        slots.sort_by_key(|slot| std::cmp::Reverse(self.next_seq.wrapping_sub(slot.seq)));
        self.entries.clear();
        self.open = 0;
        slots
    }

    fn slots(&self) -> impl Iterator<Item = (Slot, &Entry)> {
        (0..).zip(&self.entries).filter_map(|(index, entry)| {
            let entry = entry.as_ref()?;
            Some((
                Slot {
                    index,
                    seq: entry.seq,
                },
                entry,
            ))
        })
    }

    fn entry(&self, slot: Slot) -> Option<&Entry> {
        self.entries
            .get(usize::from(slot.index))?
            .as_ref()
            .filter(|entry| entry.seq == slot.seq)
    }

    fn entry_mut(&mut self, slot: Slot) -> Option<&mut Entry> {
        self.entries
            .get_mut(usize::from(slot.index))?
            .as_mut()
            .filter(|entry| entry.seq == slot.seq)
    }
}

impl Entry {
    fn deadline(&self) -> Option<Duration> {
        match self.timing {
            Timing::Until(deadline) => Some(deadline),
            Timing::Expired => None,
        }
    }
}
