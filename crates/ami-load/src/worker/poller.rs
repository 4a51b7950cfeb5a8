//! Which sessions have bytes: the worker's own epoll set, itself watched by the runtime as one descriptor.

use std::io;
use std::os::fd::OwnedFd;

use ami_client::Stream;
use rustix::event::epoll;
use tokio::io::unix::AsyncFd;

/// Sessions that one look brings at most.
pub(crate) const BATCH: usize = 64;

pub(crate) struct Poller {
    set: AsyncFd<OwnedFd>,
    events: Vec<epoll::Event>,
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
    Read,
    ReadAndWrite,
}

impl Interest {
    fn flags(self) -> epoll::EventFlags {
        match self {
            Self::Read => epoll::EventFlags::IN | epoll::EventFlags::RDHUP,
            Self::ReadAndWrite => {
                epoll::EventFlags::IN | epoll::EventFlags::RDHUP | epoll::EventFlags::OUT
            }
        }
    }
}

impl Poller {
    pub(crate) fn new() -> io::Result<Self> {
        let set = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        Ok(Self {
            set: watch(set)?,
            events: Vec::with_capacity(BATCH),
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
        self.events.clear();
        let now = rustix::event::Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        let room = rustix::buffer::spare_capacity(&mut self.events);
        match epoll::wait(&self.set, room, Some(&now)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(self.events.len()),
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) fn at(&self, index: usize) -> Readiness {
        let event = &self.events[index];
        Readiness {
            session: usize::try_from(event.data.u64()).expect("it was a usize"),
            flags: event.flags,
        }
    }
}

fn key(session: usize) -> u64 {
    u64::try_from(session).expect("usize fits 64 bits")
}
