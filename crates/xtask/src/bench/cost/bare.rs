//! The least that pings can cost: one thread that writes when an answer has come, and measures nothing.
//!
//! Built for release and run as a process of its own, like the contender it stands beside.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::event::epoll;

/// The environment variable that holds the PBX's secret.
pub(crate) const SECRET: &str = "XTASK_BARE_SECRET";
const END: &[u8] = b"\r\n\r\n";
/// A PBX that has not answered for so long is not there any more.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[arg(long)]
    port: u16,
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    sessions: u32,
    #[arg(long)]
    seconds: u64,
}

struct Session {
    stream: TcpStream,
    /// As much of one as has been read.
    answer: Vec<u8>,
    pings: u64,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let secret = std::env::var(SECRET).with_context(|| format!("reading {SECRET}"))?;
    let set = epoll::create(epoll::CreateFlags::CLOEXEC).context("making an epoll set")?;
    let mut sessions = Vec::new();
    for index in 0..options.sessions {
        let session = Session::open(options.port, &secret)?;
        let data = epoll::EventData::new_u64(u64::from(index));
        epoll::add(&set, &session.stream, data, epoll::EventFlags::IN)
            .context("watching a session")?;
        sessions.push(session);
    }
    let until = Instant::now() + Duration::from_secs(options.seconds);
    for session in &mut sessions {
        session.ping()?;
    }
    let patience = epoll_timeout(PATIENCE);
    let mut events = Vec::with_capacity(64);
    let mut input = vec![0; 64 * 1024];
    while Instant::now() < until {
        events.clear();
        epoll::wait(
            &set,
            rustix::buffer::spare_capacity(&mut events),
            Some(&patience),
        )
        .context("waiting for answers")?;
        if events.is_empty() {
            bail!("no answer within {} s", PATIENCE.as_secs());
        }
        for event in &events {
            let index = usize::try_from(event.data.u64()).expect("it was an index");
            sessions[index].go_on(&mut input)?;
        }
    }
    let pings: u64 = sessions.iter().map(|session| session.pings).sum();
    println!("{pings}");
    Ok(())
}

impl Session {
    fn open(port: u16, secret: &str) -> Result<Self> {
        let mut stream =
            TcpStream::connect((Ipv4Addr::LOCALHOST, port)).context("connecting to the PBX")?;
        stream.set_nodelay(true).context("setting TCP_NODELAY")?;
        let login =
            format!("Action: Login\r\nUsername: bench\r\nSecret: {secret}\r\nEvents: off\r\n\r\n");
        stream.write_all(login.as_bytes()).context("logging in")?;
        let mut said = Vec::new();
        let mut byte = [0];
        while !said.ends_with(END) {
            stream.read_exact(&mut byte).context("logging in")?;
            said.extend_from_slice(&byte);
        }
        if !String::from_utf8_lossy(&said).contains("Response: Success") {
            bail!("the login was refused");
        }
        stream
            .set_nonblocking(true)
            .context("making it non-blocking")?;
        Ok(Self {
            stream,
            answer: Vec::new(),
            pings: 0,
        })
    }

    fn ping(&mut self) -> Result<()> {
        let ping = format!("Action: Ping\r\nActionID: bare-{}\r\n\r\n", self.pings);
        self.stream
            .write_all(ping.as_bytes())
            .context("sending a ping")
    }

    fn go_on(&mut self, input: &mut [u8]) -> Result<()> {
        let length = match self.stream.read(input) {
            Ok(0) => bail!("the PBX closed the connection"),
            Ok(length) => length,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error).context("reading an answer"),
        };
        self.answer.extend_from_slice(&input[..length]);
        if self.answer.ends_with(END) {
            self.answer.clear();
            self.pings += 1;
            self.ping()?;
        }
        Ok(())
    }
}

fn epoll_timeout(duration: Duration) -> rustix::event::Timespec {
    rustix::event::Timespec {
        tv_sec: i64::try_from(duration.as_secs()).expect("a few seconds"),
        tv_nsec: 0,
    }
}
