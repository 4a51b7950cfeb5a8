//! One session on its wire: what was read goes to the exchange, what it answers is written in one piece.

use std::rc::Rc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout};

use crate::defect::ClientEnd;
use crate::fault::Appetite;
use crate::outbox::Output;
use crate::pbx::SessionKey;
use crate::server::Simulator;
use crate::server_session::{Addresses, Transport};

/// A client's action fits in; a pipelining one is read in several turns.
const READ_BYTES: usize = 4096;
/// Answers and events are joined into writes of about this size.
const WRITE_BYTES: usize = 64 << 10;

/// How a session ended, as far as the wire is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    Closed,
    /// To be closed with RST.
    Reset,
}

/// What a session's wire is to do once it has written what it could.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Wait,
    WriteAt(Instant),
    End(Ending),
}

/// Says good-bye to the exchange however the session ends, also when its task is dropped.
struct Seat<'a> {
    simulator: &'a Simulator,
    key: SessionKey,
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        self.simulator.shared.wakers.borrow_mut().remove(&self.key);
        self.simulator
            .with(None, |exchange, _| exchange.leave(self.key));
    }
}

pub(super) async fn serve<S>(
    simulator: &Simulator,
    wire: &mut S,
    addresses: Addresses,
    transport: Transport,
) -> Ending
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let Some(key) = simulator.with(None, |exchange, now| exchange.accept(now, addresses)) else {
        let _ = wire.shutdown().await;
        return Ending::Closed;
    };
    if transport == Transport::Tls {
        simulator.with(Some(key), |exchange, _| exchange.secure(key));
    }
    let seat = Seat { simulator, key };
    let woken = Rc::new(Notify::new());
    simulator
        .shared
        .wakers
        .borrow_mut()
        .insert(key, Rc::clone(&woken));
    let mut input = vec![0; READ_BYTES];
    let mut written = Vec::new();
    let mut next = Next::Wait;
    let mut reads = true;
    loop {
        if next == Next::Wait {
            next = flush(&seat, wire, &mut written).await;
        }
        let (stalls, resume) = match next {
            Next::End(ending) => return ending,
            Next::WriteAt(at) => (true, at),
            Next::Wait => (false, simulator.shared.origin),
        };
        let room = match simulator.shared.exchange.borrow().appetite(key) {
            Appetite::None => 0,
            Appetite::OneByte => 1,
            Appetite::Usual => READ_BYTES,
        };
        tokio::select! {
            () = sleep_until(resume), if stalls => next = Next::Wait,
            read = wire.read(&mut input[..room]), if reads && room > 0 => match read {
                Ok(0) if simulator.at_end() == ClientEnd::StayOpen => reads = false,
                Ok(0) | Err(_) => return Ending::Closed,
                Ok(length) => simulator.with(Some(key), |exchange, now| {
                    exchange.handle_input(now, key, &input[..length]);
                }),
            },
            () = woken.notified() => {}
        }
    }
}

/// Writes all that the session has to say.
async fn flush<S>(seat: &Seat<'_>, wire: &mut S, joined: &mut Vec<u8>) -> Next
where
    S: AsyncWrite + Unpin,
{
    loop {
        joined.clear();
        let mut last = None;
        while joined.len() < WRITE_BYTES {
            match seat.simulator.poll_output(seat.key) {
                Some(Output::Write(chunk)) => joined.extend_from_slice(chunk.bytes()),
                other => {
                    last = other;
                    break;
                }
            }
        }
        if !joined.is_empty()
            && let Err(ending) = write(seat, wire, joined).await
        {
            return Next::End(ending);
        }
        match last {
            None if joined.len() < WRITE_BYTES => return Next::Wait,
            None => {}
            Some(Output::Write(_)) => unreachable!("writes were joined"),
            Some(Output::Fin) => {
                let _ = wire.shutdown().await;
                return Next::End(Ending::Closed);
            }
            Some(Output::HalfClose) => {
                // A peer that has gone is seen by the next read.
                let _ = wire.shutdown().await;
            }
            Some(Output::Reset) => return Next::End(Ending::Reset),
            // Nothing but a new write.
            Some(Output::Stall(Duration::ZERO)) => tokio::task::yield_now().await,
            Some(Output::Stall(pause)) => return Next::WriteAt(seat.simulator.now() + pause),
        }
    }
}

/// A peer that takes no bytes for the write timeout loses its session.
async fn write<S>(seat: &Seat<'_>, wire: &mut S, bytes: &[u8]) -> Result<(), Ending>
where
    S: AsyncWrite + Unpin,
{
    let (limit, too_slow) = {
        let exchange = seat.simulator.shared.exchange.borrow();
        (
            exchange.write_timeout(seat.key),
            exchange.is_too_slow(seat.key),
        )
    };
    let mut rest = bytes;
    while !rest.is_empty() && !too_slow {
        match timeout(limit, wire.write(rest)).await {
            Ok(Ok(0) | Err(_)) => return Err(Ending::Closed),
            Ok(Ok(length)) => rest = &rest[length..],
            Err(_) => break,
        }
    }
    // Below TLS, bytes that were taken may still wait to be written.
    if rest.is_empty() && timeout(limit, wire.flush()).await.is_ok() {
        return Ok(());
    }
    seat.simulator.shared.exchange.borrow_mut().count_too_slow();
    Err(Ending::Closed)
}
