//! How a PBX reads the records of TLS. Stock Asterisk has a buffer for one line and takes no more of a record than fits; what
//! it leaves waits inside its TLS library, which nobody asks again before another record has come.

use std::io::{self, Read};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::server::TlsStream;

/// A stream of TLS of which so many bytes are read at once.
pub(super) struct Sips<'a, S> {
    stream: &'a mut TlsStream<S>,
    at_once: usize,
    /// Bytes of a line whose end was not read yet: they take up room.
    line: usize,
    rest: Rest,
}

/// What was left of the record that was read last.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rest {
    Nothing,
    /// No other record was there yet.
    Forgotten,
}

impl<'a, S: AsyncRead + AsyncWrite + Unpin> Sips<'a, S> {
    pub(super) fn new(stream: &'a mut TlsStream<S>, at_once: usize) -> Self {
        Self {
            stream,
            at_once,
            line: 0,
            rest: Rest::Nothing,
        }
    }

    fn poll_another_record(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let (stream, session) = self.stream.get_mut();
        match session.read_tls(&mut Polled { stream, cx }) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Poll::Pending,
            read => read?,
        };
        session.process_new_packets().map_err(io::Error::other)?;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Sips<'_, S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let me = &mut *self;
        if me.rest == Rest::Forgotten {
            ready!(me.poll_another_record(cx))?;
            me.rest = Rest::Nothing;
        }
        let room = (me.at_once - me.line).min(buffer.remaining());
        let record = ready!(Pin::new(&mut *me.stream).poll_fill_buf(cx))?;
        let left = record.len().saturating_sub(room);
        let taken = &record[..record.len() - left];
        buffer.put_slice(taken);
        me.line = match taken.iter().rposition(|byte| *byte == b'\n') {
            Some(end) => taken.len() - end - 1,
            None => me.line + taken.len(),
        };
        // A line that fills the buffer is thrown away.
        me.line %= me.at_once;
        let taken = taken.len();
        Pin::new(&mut *me.stream).consume(taken);
        let (_, session) = me.stream.get_mut();
        let state = session.process_new_packets().map_err(io::Error::other)?;
        if left > 0 && state.plaintext_bytes_to_read() == left {
            me.rest = Rest::Forgotten;
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Sips<'_, S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.stream).poll_shutdown(cx)
    }
}

/// A stream as rustls reads it.
struct Polled<'a, 'b, S> {
    stream: &'a mut S,
    cx: &'a mut Context<'b>,
}

impl<S: AsyncRead + Unpin> Read for Polled<'_, '_, S> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let mut buffer = ReadBuf::new(bytes);
        match Pin::new(&mut *self.stream).poll_read(self.cx, &mut buffer) {
            Poll::Ready(read) => read.map(|()| buffer.filled().len()),
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }
}
