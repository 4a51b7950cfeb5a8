//! TLS over a stream that never waits. Nothing is kept back: what a call decrypts it returns, so that whoever watches
//! the socket is told of everything that is left.

use std::io::{self, ErrorKind, Read, Write};

use rustls::ClientConnection;

use super::record::next_lines;
use crate::stream::{Sent, is_passing};

/// One look at the socket decrypts no more: the largest record with its header, 2¹⁴ + 2048 + 5 bytes.
const PLAINTEXT_MAX: usize = 18_437;

#[derive(Debug)]
pub(crate) struct TlsStream<S> {
    socket: S,
    session: ClientConnection,
}

impl<S: Read + Write> TlsStream<S> {
    /// Takes over a session after its handshake; returns with it what was decrypted but not read yet.
    pub(crate) fn take_over(socket: S, mut session: ClientConnection) -> (Self, Vec<u8>) {
        // A worker has one action of a session in flight, which bounds this better.
        session.set_buffer_limit(None);
        let mut unread = Vec::new();
        // Always ends in an error, since the connection is still open: there is nothing more for now.
        let _ = session.reader().read_to_end(&mut unread);
        (Self { socket, session }, unread)
    }

    pub(crate) fn socket(&self) -> &S {
        &self.socket
    }

    pub(crate) fn has_unsent(&self) -> bool {
        self.session.wants_write()
    }

    pub(crate) fn send(&mut self, mut bytes: &[u8]) -> io::Result<Sent> {
        while !bytes.is_empty() {
            let taken = self.session.writer().write(next_lines(bytes))?;
            bytes = &bytes[taken..];
        }
        self.flush()
    }

    pub(crate) fn flush(&mut self) -> io::Result<Sent> {
        while self.session.wants_write() {
            match self.session.write_tls(&mut self.socket) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(_) => {}
                Err(error) if is_passing(&error) => return Ok(Sent::Part),
                Err(error) => return Err(error),
            }
        }
        Ok(Sent::All)
    }

    /// Fills the buffer as far as there are bytes, and stops early only when a further record might not fit.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        loop {
            match self.session.reader().read(&mut buffer[filled..]) {
                Ok(0) => return Ok(filled),
                Ok(length) => filled += length,
                Err(error) if is_passing(&error) => {}
                // Closed without a word of TLS: to AMI the same as any other end.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(filled),
                Err(error) => return Err(error),
            }
            if buffer.len() - filled < PLAINTEXT_MAX {
                return Ok(filled);
            }
            match self.session.read_tls(&mut self.socket) {
                Ok(_) => self.process()?,
                Err(error) if filled > 0 && is_passing(&error) => return Ok(filled),
                Err(error) => return Err(error),
            }
        }
    }

    /// What TLS itself has to say, an alert or new keys, goes out as far as the kernel takes it.
    fn process(&mut self) -> io::Result<()> {
        let processed = self.session.process_new_packets();
        let flushed = self.flush();
        processed.map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
        flushed.map(|_| ())
    }
}

#[cfg(test)]
mod tests;
