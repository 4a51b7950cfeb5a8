//! `Stream`: the bytes of a session that its driver reads and writes without ever waiting, plain or over TLS.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd};

use crate::tls::stream::TlsStream;
use crate::wire::Wire;

/// A buffer of this size is at least half full after a read that left bytes in the socket.
pub const READ_BYTES: usize = 64 * 1024;

#[derive(Debug)]
pub struct Stream {
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Plain(Plain),
    Tls(Box<TlsStream<TcpStream>>),
}

#[derive(Debug)]
struct Plain {
    socket: TcpStream,
    /// Bytes the kernel did not take yet.
    unsent: Vec<u8>,
}

/// Whether the kernel has taken every byte that was ever sent here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    All,
    /// The rest goes out with [`Stream::flush`], once the socket can be written.
    Part,
}

impl Stream {
    /// The stream of a wire, and the bytes that it had read ahead.
    pub fn of(wire: Wire) -> io::Result<(Self, Vec<u8>)> {
        let (kind, unread) = match wire {
            Wire::Tcp(stream) => {
                let plain = Plain {
                    socket: stream.into_std()?,
                    unsent: Vec::new(),
                };
                (Kind::Plain(plain), Vec::new())
            }
            Wire::Tls(stream) => {
                let (stream, session) = stream.into_inner();
                let socket = stream.into_stream().into_std()?;
                let (stream, unread) = TlsStream::take_over(socket, session);
                (Kind::Tls(Box::new(stream)), unread)
            }
            Wire::Memory(_) | Wire::Bare(_) | Wire::Recorded(_) => {
                return Err(io::Error::other(
                    "a wire that is no mere socket cannot be watched",
                ));
            }
        };
        Ok((Self { kind }, unread))
    }

    /// Sends bytes behind those that are still unsent.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<Sent> {
        match &mut self.kind {
            Kind::Plain(plain) => plain.send(bytes),
            Kind::Tls(tls) => tls.send(bytes),
        }
    }

    pub fn flush(&mut self) -> io::Result<Sent> {
        match &mut self.kind {
            Kind::Plain(plain) => plain.flush(),
            Kind::Tls(tls) => tls.flush(),
        }
    }

    /// Also after a read: TLS may have something of its own to send.
    pub fn has_unsent(&self) -> bool {
        match &self.kind {
            Kind::Plain(plain) => !plain.unsent.is_empty(),
            Kind::Tls(tls) => tls.has_unsent(),
        }
    }

    /// What has come; 0 at the end. What it leaves is in the socket, which then stays readable.
    pub fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.kind {
            Kind::Plain(plain) => plain.socket.read(buffer),
            Kind::Tls(tls) => tls.read(buffer),
        }
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.kind {
            Kind::Plain(plain) => plain.socket.as_fd(),
            Kind::Tls(tls) => tls.socket().as_fd(),
        }
    }
}

impl Plain {
    fn send(&mut self, bytes: &[u8]) -> io::Result<Sent> {
        let written = if self.unsent.is_empty() {
            write_some(&mut self.socket, bytes)?
        } else {
            0
        };
        self.unsent.extend_from_slice(&bytes[written..]);
        Ok(self.sent())
    }

    fn flush(&mut self) -> io::Result<Sent> {
        let written = write_some(&mut self.socket, &self.unsent)?;
        self.unsent.drain(..written);
        Ok(self.sent())
    }

    fn sent(&self) -> Sent {
        if self.unsent.is_empty() {
            Sent::All
        } else {
            Sent::Part
        }
    }
}

fn write_some(socket: &mut TcpStream, bytes: &[u8]) -> io::Result<usize> {
    match socket.write(bytes) {
        Err(error) if is_passing(&error) => Ok(0),
        written => written,
    }
}

/// Errors that say to try again later.
pub fn is_passing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
