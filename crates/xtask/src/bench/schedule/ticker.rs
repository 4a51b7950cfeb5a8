//! What one writes first: `tokio::time::interval`, a tick for each action, over plain sessions.
//!
//! Built for release and run as a process of its own, like the contenders it stands beside.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::Notify;
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};

use super::period;
use crate::bench::figures::Figures;

/// The environment variable that holds the simulator's secret.
pub(crate) const SECRET: &str = "XTASK_TICKER_SECRET";
/// How long the last answers may take.
const DRAIN: Duration = Duration::from_secs(10);
const END: &[u8] = b"\r\n\r\n";

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[arg(long)]
    address: String,
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    rate: u32,
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    sessions: u32,
    #[arg(long)]
    seconds: u32,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    let secret = std::env::var(SECRET).with_context(|| format!("reading {SECRET}"))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("making a runtime")?;
    let figures = runtime.block_on(tick(options, &secret))?;
    println!(
        "{}",
        serde_json::to_string(&figures).context("writing the figures")?
    );
    Ok(())
}

async fn tick(options: &Options, secret: &str) -> Result<Figures> {
    let answers = Arc::new(Answers::default());
    let mut sessions = Vec::new();
    for _ in 0..options.sessions {
        let (reader, writer) = log_in(&options.address, secret).await?;
        tokio::spawn(count_answers(reader, Arc::clone(&answers)));
        sessions.push(writer);
    }
    let total = options.rate * options.seconds;
    let period = period(options.rate);
    let mut lateness = Vec::with_capacity(total as usize);
    let mut interval = interval_at(Instant::now() + period, period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Burst);
    for number in 0..total {
        let deadline = interval.tick().await;
        let late = deadline.elapsed().as_nanos();
        lateness.push(u64::try_from(late).expect("a run lasts under 500 years"));
        let ping = format!("Action: Ping\r\nActionID: tick-{number}\r\n\r\n");
        let session = (number % options.sessions) as usize;
        sessions[session]
            .write_all(ping.as_bytes())
            .await
            .context("sending a ping")?;
    }
    if timeout(DRAIN, answers.reach(total)).await.is_err() {
        let answered = answers.count.load(Ordering::Relaxed);
        bail!("{answered} of {total} pings were answered");
    }
    Figures::of_samples(lateness).context("no tick in no time")
}

async fn log_in(address: &str, secret: &str) -> Result<(OwnedReadHalf, OwnedWriteHalf)> {
    let mut stream = TcpStream::connect(address)
        .await
        .with_context(|| format!("connecting to {address}"))?;
    stream.set_nodelay(true).context("setting TCP_NODELAY")?;
    let login =
        format!("Action: Login\r\nUsername: bench\r\nSecret: {secret}\r\nEvents: off\r\n\r\n");
    stream
        .write_all(login.as_bytes())
        .await
        .context("logging in")?;
    let mut said = Vec::new();
    while !said.ends_with(END) {
        if stream.read_buf(&mut said).await.context("logging in")? == 0 {
            bail!("the PBX closed the connection");
        }
    }
    let said = String::from_utf8_lossy(&said);
    if !said.contains("Response: Success") {
        bail!("login was refused: {said}");
    }
    Ok(stream.into_split())
}

#[derive(Debug, Default)]
struct Answers {
    count: AtomicU32,
    more: Notify,
}

impl Answers {
    async fn reach(&self, total: u32) {
        while self.count.load(Ordering::Relaxed) < total {
            self.more.notified().await;
        }
    }
}

/// Counts the message ends that carry an answer of ours: each begins with `Response:`.
async fn count_answers(mut reader: OwnedReadHalf, answers: Arc<Answers>) {
    const HEAD: &[u8] = b"Response: ";
    let mut unread = Vec::new();
    while reader
        .read_buf(&mut unread)
        .await
        .is_ok_and(|length| length > 0)
    {
        let mut done = 0;
        while let Some(length) = unread[done..].windows(END.len()).position(|it| it == END) {
            if unread[done..].starts_with(HEAD) {
                answers.count.fetch_add(1, Ordering::Relaxed);
                answers.more.notify_one();
            }
            done += length + END.len();
        }
        unread.drain(..done);
    }
}
