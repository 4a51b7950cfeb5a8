//! A simulator on a thread of its own, for a program that embeds it beside other work.

use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::mpsc as std_mpsc;
use std::thread::JoinHandle;

use tokio::sync::mpsc;

use crate::account::Accounts;
use crate::counters::Counters;
use crate::defect::Defect;
use crate::fault::Planted;
use crate::profile::Profile;
use crate::replaying::Replaying;
use crate::server::{Server, Simulator, Tls, http, listen, replaying, spawn as spawn_task};

/// Questions that may wait for the simulator's thread.
const QUESTIONS_MAX: usize = 64;

enum Question {
    /// AMI over HTTP, on this port.
    Web(StdListener, Option<Tls>, std_mpsc::SyncSender<()>),
    /// AMI over TLS, on this port.
    Tls(StdListener, Tls, std_mpsc::SyncSender<()>),
    Counters(std_mpsc::SyncSender<Counters>),
    Plant(Planted, std_mpsc::SyncSender<()>),
    Spoil(Defect, std_mpsc::SyncSender<()>),
}

/// Stops the simulator when dropped.
#[derive(Debug)]
pub struct Handle {
    address: SocketAddr,
    /// `None` once it was told to stop.
    questions: Option<mpsc::Sender<Question>>,
    thread: Option<JoinHandle<()>>,
}

impl Handle {
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// What it did so far; the default if it has ended.
    pub fn counters(&self) -> Counters {
        self.ask(Question::Counters)
    }

    /// From then on, or from an action on, something goes wrong with what it says.
    pub fn plant(&self, planted: Planted) {
        self.ask(|done| Question::Plant(planted, done));
    }

    /// From then on it behaves wrongly.
    pub fn spoil(&self, defect: Defect) {
        self.ask(|done| Question::Spoil(defect, done));
    }

    /// The answer of the simulator's thread; the default of one that has ended.
    fn ask<T: Default>(&self, question: impl FnOnce(std_mpsc::SyncSender<T>) -> Question) -> T {
        let (sender, receiver) = std_mpsc::sync_channel(1);
        let asked = self
            .questions
            .as_ref()
            .is_some_and(|questions| questions.try_send(question(sender)).is_ok());
        if asked {
            receiver.recv().unwrap_or_default()
        } else {
            T::default()
        }
    }

    /// Speaks AMI over HTTP too, if the profile has it. Binds at once, so that an error is the caller's.
    pub fn serve_web(&self, address: SocketAddr, tls: Option<Tls>) -> io::Result<SocketAddr> {
        let listener = listen(address)?;
        let address = listener.local_addr()?;
        self.ask(|served| Question::Web(listener, tls, served));
        Ok(address)
    }

    /// Speaks AMI over TLS too, on a port of its own. Binds at once, so that an error is the caller's.
    pub fn serve_tls(&self, address: SocketAddr, tls: Tls) -> io::Result<SocketAddr> {
        let listener = listen(address)?;
        let address = listener.local_addr()?;
        self.ask(|served| Question::Tls(listener, tls, served));
        Ok(address)
    }

    /// Closes every session and waits for the thread to end.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.questions = None;
        if let Some(thread) = self.thread.take() {
            // A panic in the simulator has printed itself; the embedding program goes on.
            let _ = thread.join();
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.end();
    }
}

/// Binds at once, so that the address is known and an error is the caller's; then serves on a new thread.
pub fn spawn_thread(
    profile: Profile,
    address: SocketAddr,
    accounts: Accounts,
    seed: u64,
) -> io::Result<Handle> {
    spawn(profile, address, accounts, seed, None)
}

/// As [`spawn_thread`], on a port for TLS.
pub fn spawn_tls_thread(
    profile: Profile,
    address: SocketAddr,
    accounts: Accounts,
    seed: u64,
    tls: Tls,
) -> io::Result<Handle> {
    spawn(profile, address, accounts, seed, Some(tls))
}

/// As [`spawn_thread`], of a PBX that only says again what was recorded.
pub fn spawn_replaying_thread(pbx: Replaying, address: SocketAddr) -> io::Result<Handle> {
    let listener = listen(address)?;
    let address = listener.local_addr()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (sender, mut questions) = mpsc::channel::<Question>(QUESTIONS_MAX);
    // It has nothing to be asked for: whoever asks is answered by the default.
    let told_to_stop = async move { while questions.recv().await.is_some() {} };
    let thread = std::thread::Builder::new()
        .name("sim replaying".to_owned())
        .spawn(move || runtime.block_on(replaying::serve(pbx, listener, told_to_stop)))?;
    Ok(Handle {
        address,
        questions: Some(sender),
        thread: Some(thread),
    })
}

fn spawn(
    profile: Profile,
    address: SocketAddr,
    accounts: Accounts,
    seed: u64,
    tls: Option<Tls>,
) -> io::Result<Handle> {
    let listener = listen(address)?;
    let address = listener.local_addr()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (sender, receiver) = mpsc::channel(QUESTIONS_MAX);
    let name = format!("sim {}", profile.name);
    let thread = std::thread::Builder::new().name(name).spawn(move || {
        runtime.block_on(async move {
            let simulator = Simulator::new(profile, accounts, seed);
            let server =
                Server::on(listener, tls, simulator.clone()).expect("the listener is non-blocking");
            server.run(answer(receiver, &simulator)).await;
        });
    })?;
    Ok(Handle {
        address,
        questions: Some(sender),
        thread: Some(thread),
    })
}

/// Answers questions until nobody can ask any more.
async fn answer(mut questions: mpsc::Receiver<Question>, simulator: &Simulator) {
    while let Some(question) = questions.recv().await {
        match question {
            Question::Web(listener, tls, served) => {
                spawn_task(http::accept_all(simulator.clone(), listener, tls));
                let _ = served.send(());
            }
            Question::Tls(listener, tls, served) => {
                let server = Server::on(listener, Some(tls), simulator.clone())
                    .expect("the listener is non-blocking");
                spawn_task(server.accept_all());
                let _ = served.send(());
            }
            Question::Counters(sender) => {
                // Whoever asked may have gone.
                let _ = sender.send(simulator.counters());
            }
            Question::Plant(planted, done) => {
                simulator.plant_on_port(planted).await;
                let _ = done.send(());
            }
            Question::Spoil(defect, done) => {
                simulator.spoil(defect);
                let _ = done.send(());
            }
        }
    }
}
