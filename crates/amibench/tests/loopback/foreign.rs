//! Somebody else on the same PBX, who places calls from the first call of a run on; all of them fail.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::thread::JoinHandle;

use jiff::Timestamp;

use crate::bench::SECRET;

/// Enough for any guard.
const FAILURES: usize = 40;

pub(crate) struct Foreign {
    thread: JoinHandle<Vec<Timestamp>>,
}

impl Foreign {
    pub(crate) fn start(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        let thread = std::thread::spawn(move || place_calls(stream));
        Self { thread }
    }

    /// When each of the failures was heard of.
    pub(crate) fn end(self) -> Vec<Timestamp> {
        self.thread.join().unwrap()
    }
}

fn place_calls(mut stream: TcpStream) -> Vec<Timestamp> {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    write!(
        stream,
        "Action: Login\r\nUsername: bench\r\nSecret: {SECRET}\r\nEvents: call\r\n\r\n"
    )
    .unwrap();
    let mut failed_at = Vec::new();
    let mut event = Vec::new();
    while failed_at.len() < FAILURES {
        let line = lines.next().unwrap().unwrap();
        if !line.is_empty() {
            event.push(line);
            continue;
        }
        let has = |text: &str| event.iter().any(|line: &String| line.starts_with(text));
        let first_of_the_run =
            failed_at.is_empty() && has("Event: Newchannel") && has("Uniqueid: amib-");
        let ours_ended = has("Event: Hangup") && has("Uniqueid: foreign-");
        if ours_ended {
            failed_at.push(Timestamp::now());
        }
        if first_of_the_run || ours_ended {
            originate(&mut stream, failed_at.len());
        }
        event.clear();
    }
    failed_at
}

fn originate(stream: &mut TcpStream, number: usize) {
    write!(
        stream,
        "Action: Originate\r\nChannel: Local/congestion@amibench\r\nContext: amibench\r\nExten: hold\r\nPriority: 1\r\n\
         ChannelId: foreign-{number}-{}\r\nAsync: true\r\n\r\n",
        Timestamp::now().as_nanosecond()
    )
    .unwrap();
}
