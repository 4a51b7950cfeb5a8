//! What a session has to say, in order, with a bound: the end of the way model → defects → encoder → faults.
//!
//! Faults turn an `Output::Write` into other outputs where `pop` hands it out. Defects will rewrite the messages that answer
//! one action where `answer` takes them; there are none yet.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::encode::{CommandFraming, encode};
use crate::message::{Event, Message};

/// A peer that lets this much pile up reads too slowly to be kept; the kernel's buffers come on top.
const OUTBOX_BYTES_MAX: usize = 16 << 20;

/// What the driver of a session does next.
#[derive(Debug)]
pub enum Output {
    Write(Chunk),
    /// Close in an orderly way, after all that was written.
    Fin,
    /// Close with RST.
    Reset,
    /// Write nothing for so long.
    Stall(Duration),
}

#[derive(Clone, Debug)]
pub enum Chunk {
    Owned(Vec<u8>),
    /// The bytes of an event, shared by all sessions that get it.
    Shared(SharedEvent),
}

#[derive(Clone, Debug)]
pub struct SharedEvent(pub(crate) Arc<Event>);

impl Chunk {
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Owned(bytes) => bytes,
            Self::Shared(event) => &event.0.bytes,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Outbox {
    framing: CommandFraming,
    queue: VecDeque<Output>,
    bytes: usize,
    fate: Fate,
}

/// What a fault does to the next thing that is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Usual,
    /// The pause before it is over.
    Paused,
    Reset,
}

impl Outbox {
    pub(crate) fn new(framing: CommandFraming) -> Self {
        Self {
            framing,
            queue: VecDeque::new(),
            bytes: 0,
            fate: Fate::Usual,
        }
    }

    pub(crate) fn answer(&mut self, message: impl Into<Message>) {
        self.write(encode(message.into(), self.framing));
    }

    pub(crate) fn write(&mut self, bytes: Vec<u8>) {
        self.bytes += bytes.len();
        if let Some(Output::Write(Chunk::Owned(last))) = self.queue.back_mut() {
            last.extend_from_slice(&bytes);
        } else {
            self.push(Output::Write(Chunk::Owned(bytes)));
        }
    }

    pub(crate) fn event(&mut self, event: Arc<Event>) {
        self.bytes += event.bytes.len();
        self.push(Output::Write(Chunk::Shared(SharedEvent(event))));
    }

    pub(crate) fn push(&mut self, output: Output) {
        self.queue.push_back(output);
    }

    /// The session ends with what it says next.
    pub(crate) fn reset(&mut self) {
        self.fate = Fate::Reset;
    }

    /// `late` is how much later than it could everything is written.
    pub(crate) fn pop(&mut self, late: Option<Duration>) -> Option<Output> {
        if let Some(Output::Write(_)) = self.queue.front() {
            match (std::mem::replace(&mut self.fate, Fate::Usual), late) {
                (Fate::Reset, _) => return Some(Output::Reset),
                (Fate::Usual, Some(pause)) => {
                    self.fate = Fate::Paused;
                    return Some(Output::Stall(pause));
                }
                (Fate::Usual, None) | (Fate::Paused, _) => {}
            }
        }
        let output = self.queue.pop_front();
        if let Some(Output::Write(chunk)) = &output {
            self.bytes -= chunk.bytes().len();
        }
        output
    }

    pub(crate) fn is_overfull(&self) -> bool {
        self.bytes > OUTBOX_BYTES_MAX
    }
}
