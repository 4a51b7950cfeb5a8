//! Takes numbered UDP messages, stamps them, and tells how far from a perfect schedule they came.

use std::net::{Ipv4Addr, UdpSocket};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::net::sockopt::set_socket_recv_buffer_size_force;

use super::period;
use crate::bench::figures::Figures;

/// Holds what comes in a few seconds, should the sink not be scheduled.
const RECEIVE_BUFFER: usize = 16 << 20;
/// How long the sink waits for a message before it looks whether it is done.
const PATIENCE: Duration = Duration::from_millis(300);
/// Above every contender: a late stamp would be blamed on the sender.
const PRIORITY: &str = "20";

/// Arrivals: the number of the message, and nanoseconds since the sink began.
type Arrivals = Vec<(u64, i64)>;

#[derive(Debug)]
pub(super) struct Sink {
    pub(super) port: u16,
    done: Arc<AtomicBool>,
    thread: JoinHandle<Arrivals>,
}

impl Sink {
    pub(super) fn open() -> Result<Self> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).context("binding the sink")?;
        let port = socket.local_addr().context("asking for the port")?.port();
        set_socket_recv_buffer_size_force(&socket, RECEIVE_BUFFER)
            .context("enlarging the sink's buffer")?;
        socket
            .set_read_timeout(Some(PATIENCE))
            .context("setting a read timeout")?;
        let done = Arc::new(AtomicBool::new(false));
        let (tell, told) = mpsc::channel();
        let thread = std::thread::spawn({
            let done = Arc::clone(&done);
            move || {
                // The listener waits for exactly this.
                let _ = tell.send(rustix::thread::gettid());
                receive(&socket, &done)
            }
        });
        let thread_id = told.recv().context("starting the sink")?;
        // Without the right to it the stamps are a little later; the figures stay usable.
        let _ = Command::new("chrt")
            .args(["--fifo", "--pid", PRIORITY])
            .arg(thread_id.as_raw_nonzero().to_string())
            .stderr(Stdio::null())
            .status();
        Ok(Self { port, done, thread })
    }

    /// What came, once nothing more comes.
    pub(super) fn close(self) -> Arrivals {
        self.done.store(true, Ordering::Relaxed);
        self.thread.join().expect("the sink does not panic")
    }
}

fn receive(socket: &UdpSocket, done: &AtomicBool) -> Arrivals {
    let start = Instant::now();
    let mut arrivals = Vec::new();
    let mut message = [0; 2048];
    loop {
        match socket.recv(&mut message) {
            Ok(length) => {
                let at = start.elapsed().as_nanos();
                let at = i64::try_from(at).expect("a bench lasts under 200 years");
                if let Some(number) = call_number(&message[..length]) {
                    arrivals.push((number, at));
                }
            }
            Err(_) if done.load(Ordering::Relaxed) => return arrivals,
            Err(_) => {}
        }
    }
}

/// The number that follows `Call-ID: `.
fn call_number(message: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(message).ok()?;
    let (_, rest) = text.split_once("Call-ID: ")?;
    rest.lines().next()?.trim().parse().ok()
}

/// Distance of each arrival from the schedule of `rate` whose offset fits best; None of no arrivals.
pub(super) fn schedule_error(arrivals: &[(u64, i64)], rate: u32) -> Option<Figures> {
    let period = i64::try_from(period(rate).as_nanos()).expect("at most a second");
    let offset = |&(number, at): &(u64, i64)| {
        at - i64::try_from(number).expect("a bench sends under 10¹⁸ messages") * period
    };
    let mut offsets: Vec<i64> = arrivals.iter().map(offset).collect();
    offsets.sort_unstable();
    // The median is the offset with the least sum of distances.
    let best = *offsets.get(offsets.len() / 2)?;
    Figures::of_samples(offsets.iter().map(|it| it.abs_diff(best)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// At 1,000/s: `late` microseconds after the perfect schedule, whatever that began with.
    fn check(late: &[i64], p50_max: (u64, u64)) {
        for began in [0, 5_000_000] {
            let arrivals: Vec<(u64, i64)> = (1..)
                .zip(late)
                .map(|(number, late)| (number, began + number as i64 * 1_000_000 + late * 1000))
                .collect();
            let figures = schedule_error(&arrivals, 1000).unwrap();
            assert_eq!(
                (figures.p50 / 1000, figures.max / 1000),
                p50_max,
                "{late:?}"
            );
        }
    }

    #[test]
    fn a_constant_delay_is_no_error() {
        check(&[0, 0, 0, 0, 0], (0, 0));
        check(&[700; 9], (0, 0));
    }

    #[test]
    fn a_late_message_and_a_burst_are_errors() {
        check(&[0, 0, 0, 0, 400], (0, 400));
        check(&[4000, 3000, 2000, 1000, 0], (1000, 2000));
    }

    #[test]
    fn a_lost_message_does_not_move_those_behind_it() {
        let figures = schedule_error(&[(1, 1_000_000), (3, 3_000_000)], 1000).unwrap();
        assert_eq!(figures.max, 0);
        assert_eq!(schedule_error(&[], 1000), None);
    }

    #[test]
    fn a_message_is_known_by_its_call_id() {
        for (message, expected) in [
            ("OPTIONS sip:a SIP/2.0\r\nCall-ID: 17\r\n\r\n", Some(17)),
            ("OPTIONS sip:a SIP/2.0\r\n\r\n", None),
            ("Call-ID: x", None),
        ] {
            assert_eq!(call_number(message.as_bytes()), expected, "{message}");
        }
    }
}
