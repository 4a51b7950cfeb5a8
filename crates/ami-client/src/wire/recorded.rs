//! A wire that tells a capture what passes, as it is read and written.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use ami_proto::transcript::Mark;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::Wire;
use crate::capture::Tap;

#[derive(Debug)]
pub struct Recorded {
    wire: Wire,
    tap: Tap,
}

impl Recorded {
    pub(super) fn new(wire: Wire, tap: Tap) -> Self {
        Self { wire, tap }
    }

    pub(super) fn wire(&self) -> &Wire {
        &self.wire
    }
}

impl AsyncRead for Recorded {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let recorded = self.get_mut();
        let before = buffer.filled().len();
        let polled = Pin::new(&mut recorded.wire).poll_read(cx, buffer);
        match &polled {
            Poll::Ready(Ok(())) => match &buffer.filled()[before..] {
                [] => recorded.tap.mark(Mark::Fin),
                bytes => recorded.tap.server(bytes),
            },
            Poll::Ready(Err(error)) => recorded.tap.mark(mark_of(error)),
            Poll::Pending => {}
        }
        polled
    }
}

impl AsyncWrite for Recorded {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let recorded = self.get_mut();
        let polled = Pin::new(&mut recorded.wire).poll_write(cx, bytes);
        if let Poll::Ready(Ok(written)) = polled {
            recorded.tap.client(&bytes[..written]);
        }
        polled
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().wire).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let recorded = self.get_mut();
        let polled = Pin::new(&mut recorded.wire).poll_shutdown(cx);
        if polled.is_ready() {
            recorded.tap.mark(Mark::ClientFin);
        }
        polled
    }
}

/// How a connection ended, other than by a FIN.
pub(crate) fn mark_of(error: &io::Error) -> Mark {
    match error.get_ref().and_then(|error| error.downcast_ref()) {
        Some(rustls::Error::AlertReceived(_)) => Mark::TlsAlert,
        _ => Mark::Rst,
    }
}
