//! What a session has to say, in order, with a bound: the end of the way model → encoder → defects → faults.
//!
//! A sound session's answers are joined as they come. Where a fault struck, `pop` lets it make outputs of what was said.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::encode::{CommandFraming, encode};
use crate::fault::{Appetite, Delivery, Moment, Planted};
use crate::message::{Event, Message};
use crate::text::Text;

/// A peer that lets this much pile up reads too slowly to be kept; the kernel's buffers come on top.
const OUTBOX_BYTES_MAX: usize = 16 << 20;

/// What the driver of a session does next.
#[derive(Debug)]
pub enum Output {
    Write(Chunk),
    /// Close in an orderly way, after all that was written.
    Fin,
    /// End our direction alone; what comes is still read.
    HalfClose,
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
    queue: VecDeque<Said>,
    bytes: usize,
    delivery: Delivery,
}

#[derive(Debug)]
enum Said {
    /// Answers, joined.
    Answers(Vec<u8>),
    /// All that was said at one moment, where its messages matter one by one.
    Moment(Moment, Vec<Text>),
    Event(SharedEvent),
    End,
}

impl Said {
    fn len(&self) -> usize {
        match self {
            Self::Answers(bytes) => bytes.len(),
            Self::Moment(_, texts) => texts.iter().map(|text| text.0.len()).sum(),
            Self::Event(event) => event.0.bytes.len(),
            Self::End => 0,
        }
    }
}

impl Outbox {
    pub(crate) fn new(framing: CommandFraming) -> Self {
        Self {
            framing,
            queue: VecDeque::new(),
            bytes: 0,
            delivery: Delivery::default(),
        }
    }

    pub(crate) fn framing(&self) -> CommandFraming {
        self.framing
    }

    pub(crate) fn answer(&mut self, message: impl Into<Message>) {
        let bytes = encode(message.into(), self.framing);
        self.bytes += bytes.len();
        if let Some(Said::Answers(last)) = self.queue.back_mut() {
            last.extend_from_slice(&bytes);
        } else {
            self.queue.push_back(Said::Answers(bytes));
        }
    }

    pub(crate) fn say(&mut self, moment: Moment, texts: Vec<Text>) {
        self.push(Said::Moment(moment, texts));
    }

    pub(crate) fn event(&mut self, event: Arc<Event>) {
        self.push(Said::Event(SharedEvent(event)));
    }

    /// The session ends behind what was said.
    pub(crate) fn end(&mut self) {
        self.push(Said::End);
    }

    fn push(&mut self, said: Said) {
        self.bytes += said.len();
        self.queue.push_back(said);
    }

    pub(crate) fn suffer(&mut self, planted: &Planted) {
        self.delivery.suffer(planted);
    }

    pub(crate) fn appetite(&self) -> Appetite {
        self.delivery.appetite()
    }

    pub(crate) fn leaves_at_input(&self) -> bool {
        self.delivery.leaves_at_input()
    }

    pub(crate) fn pop(&mut self) -> Option<Output> {
        loop {
            if let Some(output) = self.delivery.pop() {
                return Some(output);
            }
            let said = self.queue.pop_front()?;
            self.bytes -= said.len();
            if self.delivery.is_usual() {
                return Some(said.into());
            }
            self.deliver(said);
        }
    }

    fn deliver(&mut self, said: Said) {
        match said {
            Said::Answers(bytes) => self.delivery.pass(bytes),
            Said::End => self.delivery.end(),
            Said::Moment(moment, mut texts) => {
                if self.delivery.gathers() {
                    texts.extend(self.take_texts());
                }
                self.delivery.say(moment, texts);
            }
            Said::Event(event) => {
                let mut texts = vec![Text(event.0.bytes.to_vec())];
                if self.delivery.gathers() {
                    texts.extend(self.take_texts());
                }
                self.delivery.say(Moment::Event, texts);
            }
        }
    }

    /// All that waits to be said, up to the session's end.
    fn take_texts(&mut self) -> Vec<Text> {
        let mut taken = Vec::new();
        while let Some(Said::Moment(..) | Said::Event(_)) = self.queue.front() {
            let said = self.queue.pop_front().expect("it was just seen");
            self.bytes -= said.len();
            match said {
                Said::Moment(_, texts) => taken.extend(texts),
                Said::Event(event) => taken.push(Text(event.0.bytes.to_vec())),
                Said::Answers(_) | Said::End => unreachable!("only the others are taken"),
            }
        }
        taken
    }

    pub(crate) fn is_overfull(&self) -> bool {
        self.bytes > OUTBOX_BYTES_MAX
    }
}

impl From<Said> for Output {
    fn from(said: Said) -> Self {
        match said {
            Said::Answers(bytes) => Self::Write(Chunk::Owned(bytes)),
            Said::Moment(_, texts) => {
                let bytes = texts.into_iter().flat_map(|text| text.0).collect();
                Self::Write(Chunk::Owned(bytes))
            }
            Said::Event(event) => Self::Write(Chunk::Shared(event)),
            Said::End => Self::Fin,
        }
    }
}
