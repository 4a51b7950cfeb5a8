//! A seat is what a session is for: load of a group, or watching the calls of a target. It outlives the connection.

use std::time::Duration;

use ami_client::Stream;
use ami_client::connection::Parts;
use ami_client::open::OpenError;
use ami_proto::frame::decode::Decoder;
use ami_proto::session::{Session, Slot};
use ami_results::record::Record;

use super::opener::Patience;
use super::poller::Interest;
use super::running::Running;
use crate::fan_out::{Ear, EventKey};
use crate::plan::Reading;
use crate::run_tag::CallKey;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seat {
    pub(crate) target: u16,
    pub(crate) duty: Duty,
    /// Turns taken in closed loops.
    pub(crate) turns: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Duty {
    /// Sees the call events of its target.
    Observer,
    /// The `number`-th session of a group on its target, over all workers.
    Load { group: u16, number: u32 },
}

/// A session that is up.
#[derive(Debug)]
pub(crate) struct Seated {
    pub(crate) seat: Seat,
    pub(crate) stream: Stream,
    pub(crate) decoder: Decoder,
    pub(crate) session: Session,
    pub(crate) work: Work,
    /// Tells it from other sessions that had the same key.
    pub(crate) born: u64,
    pub(crate) opened_at: Duration,
    /// Attempts to fill this seat that failed, the last in a row.
    pub(crate) failed: u32,
    /// Of a session that measures events.
    pub(crate) ear: Option<Ear>,
    pub(crate) reading: Reading,
    /// When it was last read, where that is only every so often.
    pub(crate) read_at: Duration,
    /// What the poller was last told.
    pub(crate) interest: Interest,
}

/// What a session does at the moment.
#[derive(Debug)]
pub(crate) enum Work {
    Free,
    Busy(InFlight),
    Flow(Box<Running>),
    /// The action `seq` timed out: nothing is sent until its late answer comes.
    Stuck {
        seq: u32,
    },
    LoggingOff,
}

/// What an alarm of a session is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Due {
    /// The answer to the action of that sequence.
    Answer(u32),
    /// The next step of its flow, or the event that a step awaits; alarms are counted.
    Flow(u32),
}

#[derive(Debug)]
pub(crate) struct InFlight {
    pub(crate) slot: Slot,
    pub(crate) record: Record,
    pub(crate) call: Option<CallKey>,
    pub(crate) event: Option<EventKey>,
}

/// How opening a seat ended.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) seat: Seat,
    pub(crate) patience: Patience,
    pub(crate) failed: u32,
    pub(crate) result: Result<Box<Parts>, OpenError>,
}

impl Seated {
    /// The session in its seat, and the bytes that were read but not decoded yet.
    pub(crate) fn new(
        seat: Seat,
        parts: Parts,
        reading: Reading,
        born: u64,
        opened_at: Duration,
    ) -> std::io::Result<(Self, Vec<u8>)> {
        let (stream, read_ahead) = Stream::of(parts.wire)?;
        let mut unread = parts.unread;
        unread.extend_from_slice(&read_ahead);
        let seated = Self {
            seat,
            stream,
            decoder: parts.decoder,
            session: parts.session,
            work: Work::Free,
            born,
            opened_at,
            failed: 0,
            ear: None,
            reading,
            read_at: opened_at,
            interest: Interest::Read,
        };
        Ok((seated, unread))
    }

    /// What to be told of at once: events of a session that waits for nothing can wait for the sweep.
    pub(crate) fn wanted_interest(&self) -> Interest {
        let reads = match self.reading {
            Reading::Prompt => true,
            Reading::WhenAwaited => !self.is_quiet(),
            Reading::Every(_) => matches!(self.work, Work::LoggingOff),
        };
        match (reads, self.stream.has_unsent()) {
            (true, false) => Interest::Read,
            (true, true) => Interest::ReadAndWrite,
            (false, false) => Interest::Nothing,
            (false, true) => Interest::Write,
        }
    }

    pub(crate) fn is_free(&self) -> bool {
        matches!(self.work, Work::Free)
    }

    /// Nothing is measured by what it reads next: a goodbye can wait as events can.
    pub(crate) fn is_quiet(&self) -> bool {
        matches!(self.work, Work::Free | Work::LoggingOff)
    }

    /// Whether what an alarm is about is still waited for, in time or late.
    pub(crate) fn awaits(&self, due: Due) -> bool {
        match &self.work {
            Work::Busy(in_flight) => due == Due::Answer(in_flight.slot.seq),
            Work::Flow(running) => running.awaits(due),
            Work::Stuck { seq } => due == Due::Answer(*seq),
            Work::Free | Work::LoggingOff => false,
        }
    }
}

impl Work {
    /// The action that is under way.
    pub(crate) fn record_mut(&mut self) -> Option<&mut Record> {
        match self {
            Self::Busy(in_flight) => Some(&mut in_flight.record),
            Self::Flow(running) => running.record_mut(),
            Self::Free | Self::Stuck { .. } | Self::LoggingOff => None,
        }
    }
}
