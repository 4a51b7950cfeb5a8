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

/// How arrivals keep a schedule.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Kept {
    /// Distance from the schedule of the rate asked for, at the offset that fits best.
    pub(super) asked: Figures,
    /// The same at the rate that fits best: what is left when its being slow or fast is forgiven.
    pub(super) own_rate: Figures,
    /// How much faster than asked for, in percent; slower is negative.
    pub(super) rate_error: f64,
}

/// None of fewer than two arrivals.
pub(super) fn kept(arrivals: &[(u64, i64)], rate: u32) -> Option<Kept> {
    let asked_period = period(rate).as_nanos() as f64;
    let own_period = fitted_period(arrivals)?;
    Some(Kept {
        asked: distances(arrivals, asked_period)?,
        own_rate: distances(arrivals, own_period)?,
        rate_error: (asked_period / own_period - 1.0) * 100.0,
    })
}

fn distances(arrivals: &[(u64, i64)], period: f64) -> Option<Figures> {
    let offset = |&(number, at): &(u64, i64)| at as f64 - number as f64 * period;
    let mut offsets: Vec<f64> = arrivals.iter().map(offset).collect();
    offsets.sort_by(f64::total_cmp);
    // The median is the offset with the least sum of distances.
    let best = *offsets.get(offsets.len() / 2)?;
    let distance = |it: &f64| Duration::from_secs_f64((it - best).abs() / 1e9).as_nanos();
    let distances = offsets.iter().map(distance);
    let fitting = distances.map(|it| u64::try_from(it).expect("a bench lasts under 500 years"));
    Figures::of_samples(fitting.collect())
}

/// The slope of the least squares.
fn fitted_period(arrivals: &[(u64, i64)]) -> Option<f64> {
    let count = arrivals.len() as f64;
    let mean = |of: fn(&(u64, i64)) -> f64| arrivals.iter().map(of).sum::<f64>() / count;
    let (mean_number, mean_at) = (mean(|it| it.0 as f64), mean(|it| it.1 as f64));
    let (mut product, mut square) = (0.0, 0.0);
    for &(number, at) in arrivals {
        let number = number as f64 - mean_number;
        product += number * (at as f64 - mean_at);
        square += number * number;
    }
    (square > 0.0 && product > 0.0).then_some(product / square)
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
            let figures = kept(&arrivals, 1000).unwrap().asked;
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
        check(&[2000, 1500, 1000, 500, 0], (500, 1000));
    }

    #[test]
    fn a_lost_message_does_not_move_those_behind_it() {
        let kept_by = kept(&[(1, 1_000_000), (3, 3_000_000)], 1000).unwrap();
        assert_eq!(kept_by.asked.max, 0);
        assert_eq!(kept(&[], 1000), None);
    }

    #[test]
    fn a_slow_sender_misses_the_schedule_but_keeps_its_own() {
        let arrivals: Vec<(u64, i64)> = (0u64..1001).zip((0..).step_by(1_010_000)).collect();
        let slow = kept(&arrivals, 1000).unwrap();
        assert_eq!(slow.asked.max / 1000, 5000);
        assert!(slow.own_rate.max < 1000, "{slow:?}");
        assert_eq!(format!("{:.2}", slow.rate_error), "-0.99");
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
