//! Which sessions have bytes: the worker's own epoll set, itself watched by the runtime as one descriptor, and a second
//! set for the sweep, which nobody watches.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use ami_client::Stream;
use rustix::event::epoll;
use tokio::io::unix::AsyncFd;

/// Sessions that one look brings at most.
pub(crate) const BATCH: usize = 64;
/// Sessions that are swept before those that wait for an answer are looked after again.
const SLICE: usize = 16;

/// Looking twice at a session that was read costs more than telling when it was not read to its end.
const SWEPT: epoll::EventFlags = epoll::EventFlags::IN.union(epoll::EventFlags::ET);

pub(crate) struct Poller {
    set: AsyncFd<OwnedFd>,
    events: Vec<epoll::Event>,
    swept: OwnedFd,
    swept_events: Vec<epoll::Event>,
}

impl std::fmt::Debug for Poller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Poller")
            .field("set", &self.set)
            .finish_non_exhaustive()
    }
}

/// Lets the runtime wait for a descriptor.
#[expect(
    deprecated,
    reason = "its replacement is unsafe for types whose descriptor may change; that of an OwnedFd never does"
)]
pub(super) fn watch(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::new(fd)
}

/// A session that can go on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Readiness {
    pub(crate) session: usize,
    flags: epoll::EventFlags,
}

impl Readiness {
    pub(crate) fn is_writable(self) -> bool {
        self.flags.contains(epoll::EventFlags::OUT)
    }

    pub(crate) fn is_readable(self) -> bool {
        self.flags.contains(epoll::EventFlags::IN) || self.is_ended()
    }

    /// The peer sends no more: the end stands behind the last bytes, and is not told of again.
    pub(crate) fn is_ended(self) -> bool {
        let ended = epoll::EventFlags::RDHUP | epoll::EventFlags::HUP | epoll::EventFlags::ERR;
        self.flags.intersects(ended)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interest {
    /// Only that the peer ends: what it sends is read by the sweep.
    Nothing,
    Read,
    Write,
    ReadAndWrite,
}

impl Interest {
    fn flags(self) -> epoll::EventFlags {
        match self {
            Self::Nothing => epoll::EventFlags::RDHUP,
            Self::Write => epoll::EventFlags::RDHUP | epoll::EventFlags::OUT,
            Self::Read => epoll::EventFlags::IN | epoll::EventFlags::RDHUP,
            Self::ReadAndWrite => {
                epoll::EventFlags::IN | epoll::EventFlags::RDHUP | epoll::EventFlags::OUT
            }
        }
    }
}

impl Poller {
    pub(crate) fn new() -> io::Result<Self> {
        let create = || epoll::create(epoll::CreateFlags::CLOEXEC);
        Ok(Self {
            set: watch(create()?)?,
            events: Vec::with_capacity(BATCH),
            swept: create()?,
            swept_events: Vec::with_capacity(SLICE),
        })
    }

    pub(crate) fn add(&self, stream: &Stream, session: usize) -> io::Result<()> {
        let data = epoll::EventData::new_u64(key(session));
        Ok(epoll::add(&self.set, stream, data, Interest::Read.flags())?)
    }

    pub(crate) fn change(
        &self,
        stream: &Stream,
        session: usize,
        interest: Interest,
    ) -> io::Result<()> {
        let data = epoll::EventData::new_u64(key(session));
        Ok(epoll::modify(&self.set, stream, data, interest.flags())?)
    }

    /// Leaves what it sends to the sweep too, which is told once of what has come.
    pub(crate) fn add_to_sweep(&self, stream: &Stream, session: usize) -> io::Result<()> {
        let data = epoll::EventData::new_u64(key(session));
        Ok(epoll::add(&self.swept, stream, data, SWEPT)?)
    }

    /// The sweep is told again: not everything was read.
    pub(crate) fn sweep_again(&self, stream: &Stream, session: usize) -> io::Result<()> {
        let data = epoll::EventData::new_u64(key(session));
        Ok(epoll::modify(&self.swept, stream, data, SWEPT)?)
    }

    pub(crate) fn remove_from_sweep(&self, stream: &Stream) -> io::Result<()> {
        Ok(epoll::delete(&self.swept, stream)?)
    }

    pub(crate) fn remove(&self, stream: &Stream) -> io::Result<()> {
        Ok(epoll::delete(&self.set, stream)?)
    }

    /// Waits until some session becomes ready. It is told of that once: whoever does not read everything must come back.
    pub(crate) async fn wait(&self) -> io::Result<()> {
        self.set.readable().await?.clear_ready();
        Ok(())
    }

    /// Looks which sessions are ready now: how many, up to a batch; `at` tells them.
    pub(crate) fn look(&mut self) -> io::Result<usize> {
        look(&self.set, &mut self.events)
    }

    /// Looks which sessions the sweep would find bytes at, a slice of them; `swept_at` tells them.
    pub(crate) fn look_for_sweep(&mut self) -> io::Result<usize> {
        look(&self.swept, &mut self.swept_events)
    }

    pub(crate) fn swept_at(&self, index: usize) -> usize {
        session(&self.swept_events[index])
    }

    pub(crate) fn at(&self, index: usize) -> Readiness {
        let event = &self.events[index];
        Readiness {
            session: session(event),
            flags: event.flags,
        }
    }
}

fn look(set: impl AsFd, events: &mut Vec<epoll::Event>) -> io::Result<usize> {
    events.clear();
    let now = rustix::event::Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    match epoll::wait(set, rustix::buffer::spare_capacity(events), Some(&now)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(events.len()),
        Err(error) => Err(error.into()),
    }
}

fn session(event: &epoll::Event) -> usize {
    usize::try_from(event.data.u64()).expect("it was a usize")
}

fn key(session: usize) -> u64 {
    u64::try_from(session).expect("usize fits 64 bits")
}
