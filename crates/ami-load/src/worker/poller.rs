//! Which sessions have bytes: the worker's own epoll set, itself watched by the runtime as one descriptor.

use std::io;
use std::net::TcpStream;
use std::os::fd::OwnedFd;

use rustix::event::epoll;
use tokio::io::unix::AsyncFd;

/// Sessions handled between two looks at the schedule.
const BATCH: usize = 64;

#[derive(Debug)]
pub(crate) struct Poller {
    set: AsyncFd<OwnedFd>,
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
    pub(crate) writable: bool,
    pub(crate) readable: bool,
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
        Ok(Self { set: watch(set)? })
    }

    pub(crate) fn add(&self, stream: &TcpStream, session: usize) -> io::Result<()> {
        let data = epoll::EventData::new_u64(key(session));
        Ok(epoll::add(&self.set, stream, data, Interest::Read.flags())?)
    }

    pub(crate) fn change(
        &self,
        stream: &TcpStream,
        session: usize,
        interest: Interest,
    ) -> io::Result<()> {
        let data = epoll::EventData::new_u64(key(session));
        Ok(epoll::modify(&self.set, stream, data, interest.flags())?)
    }

    pub(crate) fn remove(&self, stream: &TcpStream) -> io::Result<()> {
        Ok(epoll::delete(&self.set, stream)?)
    }

    /// Waits until some session is ready; drain with `ready` afterwards.
    pub(crate) async fn wait(&self) -> io::Result<()> {
        self.set.readable().await?.clear_ready();
        Ok(())
    }

    /// Up to a batch of sessions that are ready now.
    pub(crate) fn ready(&self) -> io::Result<Vec<Readiness>> {
        let mut events = Vec::with_capacity(BATCH);
        let now = rustix::event::Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        match epoll::wait(
            &self.set,
            rustix::buffer::spare_capacity(&mut events),
            Some(&now),
        ) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(events.iter().map(readiness).collect())
    }
}

fn readiness(event: &epoll::Event) -> Readiness {
    let flags = event.flags;
    Readiness {
        session: usize::try_from(event.data.u64()).expect("it was a usize"),
        writable: flags.contains(epoll::EventFlags::OUT),
        readable: flags.intersects(
            epoll::EventFlags::IN
                | epoll::EventFlags::RDHUP
                | epoll::EventFlags::HUP
                | epoll::EventFlags::ERR,
        ),
    }
}

fn key(session: usize) -> u64 {
    u64::try_from(session).expect("usize fits 64 bits")
}
