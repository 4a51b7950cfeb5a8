//! Sockets, clock and tasks around an `Exchange`: the only part of the simulator that is not pure.
//!
//! Everything runs on one thread: a task for each session, one for the deadlines, one that accepts.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};
#[expect(clippy::disallowed_types, reason = "servers own sockets")]
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::LocalSet;
use tokio::time::Instant;

use crate::account::Accounts;
use crate::counters::Counters;
use crate::defect::{ClientEnd, Defect};
use crate::exchange::Exchange;
use crate::fault::{AcceptFault, Planted};
use crate::outbox::Output;
use crate::pbx::{Pbx, SessionKey};
use crate::profile::Profile;
use crate::server_session::{Addresses, Transport};

mod http;
mod replaying;
mod thread;
mod tls;
mod wire;

pub use thread::{Handle, spawn_replaying_thread, spawn_thread, spawn_tls_thread};
pub use tls::{Tls, TlsError, TlsFault};
pub use wire::Ending;

/// Connections that the kernel holds until they are accepted: as `ss -l` shows of 16.28 and 22.10.
const BACKLOG: i32 = 10;
/// More than a queue of length 0 takes.
const QUEUE_FILLED: usize = 4;
/// Pause after a failed accept, for example when there are no file descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// A simulated PBX that takes sessions over any wire. Clones are the same PBX.
#[derive(Clone, Debug)]
pub struct Simulator {
    shared: Rc<Shared>,
}

#[derive(Debug)]
struct Shared {
    exchange: RefCell<Exchange>,
    wakers: RefCell<BTreeMap<SessionKey, Rc<Notify>>>,
    /// The deadline that the timer task waits for, and how to tell it of an earlier one.
    armed: Cell<Option<Duration>>,
    timer: Notify,
    /// That a fault was planted, for the task that accepts.
    planted: Notify,
    /// That it has shut its port.
    shut: Notify,
    origin: Instant,
}

impl Simulator {
    /// A PBX whose clock starts now. Wall time is read here and never again.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is where the model's clock begins"
    )]
    pub fn new(profile: Profile, accounts: Accounts, seed: u64) -> Self {
        let epoch = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let shared = Shared {
            exchange: RefCell::new(Exchange::new(Pbx::new(profile, accounts, seed, epoch))),
            wakers: RefCell::default(),
            armed: Cell::new(None),
            timer: Notify::new(),
            planted: Notify::new(),
            shut: Notify::new(),
            origin: Instant::now(),
        };
        Self {
            shared: Rc::new(shared),
        }
    }

    pub fn counters(&self) -> Counters {
        self.shared.exchange.borrow().counters().clone()
    }

    fn banner(&self) -> String {
        self.shared.exchange.borrow().banner().to_owned()
    }

    /// From then on, or from an action on, something goes wrong with what it says.
    pub fn plant(&self, planted: Planted) {
        self.with(None, |exchange, _| exchange.plant(planted));
        self.shared.planted.notify_one();
    }

    /// From then on it behaves wrongly.
    pub fn spoil(&self, defect: Defect) {
        self.with(None, |exchange, _| exchange.spoil(defect));
    }

    /// As [`Self::plant`]; once it returns, a fault that shuts the port has done so.
    async fn plant_on_port(&self, planted: Planted) {
        self.plant(planted);
        if let Some(AcceptFault::Refused | AcceptFault::Unanswered) = self.accept_fault() {
            self.shared.shut.notified().await;
        }
    }

    fn at_end(&self) -> ClientEnd {
        self.shared.exchange.borrow().handle_end()
    }

    fn accept_fault(&self) -> Option<AcceptFault> {
        self.shared.exchange.borrow().accept_fault()
    }

    fn tls_fault(&self) -> Option<TlsFault> {
        self.shared.exchange.borrow().tls_fault()
    }

    /// So many bytes of a record of TLS are read at once.
    fn record_bytes(&self) -> usize {
        self.shared.exchange.borrow().tls_record_bytes()
    }

    fn now(&self) -> Instant {
        self.shared.origin + self.shared.origin.elapsed()
    }

    /// Serves one session until it ends. Deadlines need `run_timers` beside it.
    pub async fn serve_wire<S>(&self, mut wire: S, addresses: Addresses) -> Ending
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        wire::serve(self, &mut wire, addresses, Transport::Plain).await
    }

    /// Does what is due when it is due; never returns.
    pub async fn run_timers(&self) {
        loop {
            let next = self.shared.exchange.borrow().poll_timeout();
            self.shared.armed.set(next);
            match next {
                None => self.shared.timer.notified().await,
                Some(at) => {
                    let due = tokio::time::sleep_until(self.shared.origin + at);
                    tokio::select! {
                        () = due => {}
                        () = self.shared.timer.notified() => {}
                    }
                }
            }
            self.with(None, |exchange, now| exchange.handle_timeout(now));
        }
    }

    /// Uses the exchange, then wakes whom that concerns: other sessions than `own`, and the timer.
    fn with<T>(
        &self,
        own: Option<SessionKey>,
        act: impl FnOnce(&mut Exchange, Duration) -> T,
    ) -> T {
        let mut exchange = self.shared.exchange.borrow_mut();
        let result = act(&mut exchange, self.shared.origin.elapsed());
        for key in exchange.take_woken() {
            if Some(key) != own
                && let Some(waker) = self.shared.wakers.borrow().get(&key)
            {
                waker.notify_one();
            }
        }
        let next = exchange.poll_timeout();
        if next.is_some_and(|next| self.shared.armed.get().is_none_or(|armed| next < armed)) {
            self.shared.timer.notify_one();
        }
        result
    }

    fn poll_output(&self, key: SessionKey) -> Option<Output> {
        self.shared.exchange.borrow_mut().poll_output(key)
    }
}

/// A simulated PBX on a TCP port.
#[derive(Debug)]
pub struct Server {
    simulator: Simulator,
    #[expect(clippy::disallowed_types, reason = "servers own sockets")]
    listener: TcpListener,
    tls: Option<Tls>,
}

impl Server {
    /// Must be called in a tokio runtime.
    pub fn bind(
        profile: Profile,
        address: SocketAddr,
        accounts: Accounts,
        seed: u64,
    ) -> io::Result<Self> {
        Self::on(
            listen(address)?,
            None,
            Simulator::new(profile, accounts, seed),
        )
    }

    #[expect(clippy::disallowed_types, reason = "servers own sockets")]
    fn on(listener: StdListener, tls: Option<Tls>, simulator: Simulator) -> io::Result<Self> {
        Ok(Self {
            simulator,
            listener: TcpListener::from_std(listener)?,
            tls,
        })
    }

    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    pub fn simulator(&self) -> &Simulator {
        &self.simulator
    }

    /// Serves until `shutdown` is done; every session is closed then. Needs a current-thread runtime.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let tasks = LocalSet::new();
        tasks
            .run_until(async {
                let timers = self.simulator.clone();
                spawn(async move { timers.run_timers().await });
                tokio::select! {
                    () = self.accept_all() => {}
                    () = shutdown => {}
                }
            })
            .await;
    }

    /// What is spoken on this port at the moment.
    fn tls(&self) -> Option<Tls> {
        match self.simulator.accept_fault() {
            Some(AcceptFault::SpeaksTls) => Some(Tls::self_signed()),
            _ => self.tls.clone(),
        }
    }

    async fn accept_all(self) {
        loop {
            match self.simulator.accept_fault() {
                Some(AcceptFault::Refused) => {
                    drop(self.listener);
                    self.simulator.shared.shut.notify_one();
                    return std::future::pending().await;
                }
                Some(AcceptFault::Unanswered) => {
                    let _queue = fill_queue(&self.listener);
                    self.simulator.shared.shut.notify_one();
                    return std::future::pending().await;
                }
                _ => {}
            }
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                () = self.simulator.shared.planted.notified() => continue,
            };
            let Ok((stream, remote)) = accepted else {
                #[expect(
                    clippy::disallowed_methods,
                    reason = "nothing can be accepted until others close"
                )]
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            };
            let local = stream.local_addr().unwrap_or(remote);
            // A session without this option only has a larger delay.
            let _ = stream.set_nodelay(true);
            let (simulator, tls) = (self.simulator.clone(), self.tls());
            spawn(async move {
                let addresses = Addresses { local, remote };
                serve(&simulator, tls.as_ref(), stream, addresses).await;
            });
        }
    }
}

#[expect(clippy::disallowed_types, reason = "servers own sockets")]
async fn serve(
    simulator: &Simulator,
    tls: Option<&Tls>,
    mut stream: TcpStream,
    addresses: Addresses,
) {
    match simulator.accept_fault() {
        Some(AcceptFault::Closed) => return,
        Some(AcceptFault::Silent) => return hear_out(&mut stream).await,
        _ => {}
    }
    let ending = match tls {
        None => simulator.serve_wire(&mut stream, addresses).await,
        Some(tls) => simulator.serve_tls(tls, &mut stream, addresses).await,
    };
    if ending == Ending::Reset {
        // Lingering for no time makes the close an RST.
        let _ = SockRef::from(&stream).set_linger(Some(Duration::ZERO));
    }
}

#[expect(clippy::disallowed_methods, reason = "the server's tasks start here")]
fn spawn(task: impl Future<Output = ()> + 'static) {
    tokio::task::spawn_local(task);
}

/// Takes what comes and says nothing until the client has left.
async fn hear_out(stream: &mut (impl AsyncRead + Unpin)) {
    let mut heard = vec![0; 4096];
    while stream.read(&mut heard).await.is_ok_and(|length| length > 0) {}
}

/// Connections that nobody accepts fill the queue of a port: the kernel drops what else comes. They last as long as what
/// is returned.
#[expect(clippy::disallowed_types, reason = "servers own sockets")]
fn fill_queue(listener: &TcpListener) -> Vec<Socket> {
    let filled = || -> io::Result<Vec<Socket>> {
        SockRef::from(listener).listen(0)?;
        let address = listener.local_addr()?;
        let connect = || -> io::Result<Socket> {
            let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
            socket.set_nonblocking(true)?;
            // It is under way, or already one too many: both fill the queue.
            let _ = socket.connect(&address.into());
            Ok(socket)
        };
        (0..QUEUE_FILLED).map(|_| connect()).collect()
    };
    // Without descriptors the queue has room, and that is a fault too.
    filled().unwrap_or_default()
}

fn listen(address: SocketAddr) -> io::Result<StdListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}
