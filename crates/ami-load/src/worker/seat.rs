//! A seat is what a session is for: load of a group, or watching the calls of a target. It outlives the connection.

use std::net::TcpStream;

use ami_client::connection::Parts;
use ami_client::open::OpenError;
use ami_client::wire::Wire;
use ami_proto::frame::decode::Decoder;
use ami_proto::session::{Session, Slot};
use ami_results::record::Record;

use crate::run_tag::CallKey;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seat {
    pub(crate) target: u16,
    pub(crate) duty: Duty,
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
    pub(crate) stream: TcpStream,
    pub(crate) decoder: Decoder,
    pub(crate) session: Session,
    pub(crate) work: Work,
    /// Tells it from other sessions that had the same key.
    pub(crate) born: u64,
    /// Turns taken in closed loops.
    pub(crate) turns: u64,
    /// Bytes the kernel did not take yet.
    pub(crate) unsent: Vec<u8>,
}

/// What a session does at the moment.
#[derive(Debug)]
pub(crate) enum Work {
    Free,
    Busy(InFlight),
    /// The action `seq` timed out: nothing is sent until its late answer comes.
    Stuck {
        seq: u32,
    },
    LoggingOff,
}

#[derive(Debug)]
pub(crate) struct InFlight {
    pub(crate) slot: Slot,
    pub(crate) record: Record,
    pub(crate) call: Option<CallKey>,
}

/// How opening a seat ended.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) seat: Seat,
    pub(crate) result: Result<Parts, OpenError>,
}

impl Seated {
    pub(crate) fn new(seat: Seat, parts: Parts, born: u64) -> std::io::Result<(Self, Vec<u8>)> {
        let Wire::Tcp(stream) = parts.wire else {
            return Err(std::io::Error::other(
                "the load worker drives TCP connections",
            ));
        };
        let stream = stream.into_std()?;
        let seated = Self {
            seat,
            stream,
            decoder: parts.decoder,
            session: parts.session,
            work: Work::Free,
            born,
            turns: 0,
            unsent: Vec::new(),
        };
        Ok((seated, parts.unread))
    }
}
