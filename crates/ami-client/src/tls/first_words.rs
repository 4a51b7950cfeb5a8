//! A TCP stream that remembers how the peer began: a port that speaks no TLS is best told by what it said instead.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Longer than any banner, and all of an alert.
const FIRST_BYTES: usize = 64;

#[derive(Debug)]
pub struct FirstWords {
    stream: TcpStream,
    heard: Vec<u8>,
}

impl FirstWords {
    pub fn of(stream: TcpStream) -> Self {
        Self {
            stream,
            heard: Vec::new(),
        }
    }

    pub fn heard(&self) -> &[u8] {
        &self.heard
    }

    pub(crate) fn socket(&self) -> &TcpStream {
        &self.stream
    }

    pub fn into_stream(self) -> TcpStream {
        self.stream
    }
}

impl AsyncRead for FirstWords {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        let missing = FIRST_BYTES - self.heard.len();
        let read = &buffer.filled()[before..];
        self.heard
            .extend_from_slice(&read[..read.len().min(missing)]);
        polled
    }
}

impl AsyncWrite for FirstWords {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
