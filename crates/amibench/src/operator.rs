//! What the operator wants while a run is under way: the first Ctrl-C ends it properly, the second leaves at once.

use ami_load::run::Wish;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::print;

/// Listens until the process ends; SIGTERM is as Ctrl-C.
pub(crate) fn listen() -> std::io::Result<watch::Receiver<Wish>> {
    let (sender, wish) = watch::channel(Wish::Go);
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::spawn(async move {
        for wish in [Wish::Stop, Wish::Abandon] {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            tell(wish);
            sender.send_replace(wish);
        }
        sender.closed().await;
    });
    Ok(wish)
}

/// For a verb that runs until it is told to end, and has nothing to clean up.
pub(crate) struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

impl Stop {
    pub(crate) fn listen() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// May be dropped and called again.
    pub(crate) async fn wished(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

fn tell(wish: Wish) {
    match wish {
        Wish::Go => {}
        Wish::Stop => print::error(
            "stopping: waiting for answers, hanging up own calls; once more to leave at once",
        ),
        Wish::Abandon => {
            print::error("leaving at once; `amibench cleanup` hangs up later what is left");
        }
    }
}
