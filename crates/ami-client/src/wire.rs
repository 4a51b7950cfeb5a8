//! `Wire`: the bytes of one AMI connection, over TCP, TLS or in memory, recorded or not.

use std::fmt::Debug;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::capture::Tap;
use crate::tls::first_words::FirstWords;
use crate::tls::record::next_lines;

mod recorded;

pub use recorded::Recorded;
pub(crate) use recorded::mark_of;

#[derive(Debug)]
pub enum Wire {
    Tcp(TcpStream),
    Tls(Box<TlsStream<FirstWords>>),
    Memory(DuplexStream),
    /// As whoever made it left it: nothing is cut into records, and its end is told as it came.
    Bare(Box<dyn Carrier>),
    Recorded(Box<Recorded>),
}

/// What bytes can be carried over.
pub trait Carrier: AsyncRead + AsyncWrite + Unpin + Send + Debug {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send + Debug> Carrier for T {}

impl Wire {
    /// From now on what passes is captured.
    pub fn recorded(self, tap: Tap) -> Self {
        Self::Recorded(Box::new(Recorded::new(self, tap)))
    }

    /// Ends it at once, with an RST where there is a socket: what the kernel still has to send is lost.
    pub fn reset(self) {
        if let Some(socket) = self.socket() {
            // A socket that is gone already needs none.
            let _ = socket.set_zero_linger();
        }
    }

    fn socket(&self) -> Option<&TcpStream> {
        match self {
            Self::Tcp(stream) => Some(stream),
            Self::Tls(stream) => Some(stream.get_ref().0.socket()),
            Self::Memory(_) | Self::Bare(_) => None,
            Self::Recorded(recorded) => recorded.wire().socket(),
        }
    }
}

macro_rules! either {
    ($wire:expr, $method:ident, $($argument:expr),+) => {
        match $wire.get_mut() {
            Wire::Tcp(stream) => Pin::new(stream).$method($($argument),+),
            Wire::Tls(stream) => Pin::new(stream).$method($($argument),+),
            Wire::Memory(stream) => Pin::new(stream).$method($($argument),+),
            Wire::Bare(stream) => Pin::new(stream).$method($($argument),+),
            Wire::Recorded(stream) => Pin::new(stream).$method($($argument),+),
        }
    };
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let is_bare = matches!(&*self, Self::Bare(_));
        match either!(self, poll_read, cx, buffer) {
            // Closed without a word of TLS: to AMI the same as any other end.
            Poll::Ready(Err(error)) if !is_bare && error.kind() == io::ErrorKind::UnexpectedEof => {
                Poll::Ready(Ok(()))
            }
            polled => polled,
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let bytes = match &*self {
            Self::Tls(_) => next_lines(bytes),
            Self::Tcp(_) | Self::Memory(_) | Self::Bare(_) | Self::Recorded(_) => bytes,
        };
        either!(self, poll_write, cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, poll_flush, cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, poll_shutdown, cx)
    }
}
