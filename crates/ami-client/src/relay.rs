//! Carries the connection of an application to a PBX and back, unchanged, chunk by chunk, and tells a capture what passes.

use std::io;

use ami_proto::transcript::Mark;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use crate::capture::Tap;
use crate::wire::{Wire, mark_of};

/// One read takes what either side sends in a burst. No more is under way in one direction: who sends faster than the
/// other reads has to wait, as without us.
const READ_BYTES: usize = 64 * 1024;

/// How a connection ended; a side that was reset has its counterpart in the other, which the caller resets too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parting {
    Closed,
    ByClient,
    ByServer,
}

/// Until both sides have closed, or one broke off. A side that only closes its own half is let go on reading.
pub async fn carry<A>(application: &mut A, pbx: &mut Wire, tap: &Tap) -> Parting
where
    A: AsyncRead + AsyncWrite + Unpin,
{
    let (mut from_application, mut to_application) = tokio::io::split(application);
    let (mut from_pbx, mut to_pbx) = tokio::io::split(pbx);
    let forth = Pump {
        from: &mut from_application,
        to: &mut to_pbx,
        chunk: |bytes: &[u8]| tap.client(bytes),
        fin: || tap.mark(Mark::ClientFin),
        source: Parting::ByClient,
        sink: Parting::ByServer,
    };
    let back = Pump {
        from: &mut from_pbx,
        to: &mut to_application,
        chunk: |bytes: &[u8]| tap.server(bytes),
        fin: || tap.mark(Mark::Fin),
        source: Parting::ByServer,
        sink: Parting::ByClient,
    };
    match tokio::try_join!(forth.run(), back.run()) {
        Ok(_) => Parting::Closed,
        Err((parting, error)) => {
            tap.mark(match (parting, mark_of(&error)) {
                (Parting::ByClient, Mark::Rst) => Mark::ClientRst,
                (_, mark) => mark,
            });
            parting
        }
    }
}

/// One direction.
struct Pump<'a, R, W, C, F> {
    from: &'a mut R,
    to: &'a mut W,
    chunk: C,
    fin: F,
    /// Who broke off when reading fails, and when writing does.
    source: Parting,
    sink: Parting,
}

impl<R, W, C, F> Pump<'_, R, W, C, F>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
    C: Fn(&[u8]),
    F: Fn(),
{
    async fn run(self) -> Result<(), (Parting, io::Error)> {
        let mut buffer = vec![0; READ_BYTES];
        loop {
            let read = self.from.read(&mut buffer).await;
            let chunk = &buffer[..read.map_err(|error| (self.source, error))?];
            if chunk.is_empty() {
                (self.fin)();
                // One that is gone already is heard of by the other direction.
                let _ = self.to.shutdown().await;
                return Ok(());
            }
            (self.chunk)(chunk);
            let written = async {
                self.to.write_all(chunk).await?;
                self.to.flush().await
            };
            written.await.map_err(|error| (self.sink, error))?;
        }
    }
}

#[cfg(test)]
mod tests;
