//! AMI over HTTP on its port: connections, how long they may idle, and how many there may be.

use std::cell::Cell;
use std::net::TcpListener as StdListener;
use std::rc::Rc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
#[expect(clippy::disallowed_types, reason = "servers own sockets")]
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::pbx::SessionKey;
use crate::server::{ACCEPT_PAUSE, Simulator, Tls, spawn};
use crate::server_session::Addresses;
use crate::web::{After, Reading, WebReader, WebRequest, WebResponse};

/// `sessionlimit`: connections beyond are closed without a word.
const CONNECTIONS_MAX: usize = 100;
/// `session_inactivity`: how long a request may take to come.
const INACTIVITY: Duration = Duration::from_secs(30);
/// `session_keep_alive`: how long a connection waits for its next request.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
const READ_BYTES: usize = 4096;

/// Serves whoever connects; never returns.
#[expect(clippy::disallowed_types, reason = "servers own sockets")]
pub(super) async fn accept_all(simulator: Simulator, listener: StdListener, tls: Option<Tls>) {
    let listener = TcpListener::from_std(listener).expect("the listener is non-blocking");
    let connections = Rc::new(Cell::new(0_usize));
    loop {
        let Ok((stream, remote)) = listener.accept().await else {
            #[expect(
                clippy::disallowed_methods,
                reason = "nothing can be accepted until others close"
            )]
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let Some(place) = Place::take(&connections) else {
            continue;
        };
        let local = stream.local_addr().unwrap_or(remote);
        let addresses = Addresses { local, remote };
        // A connection without this option only has a larger delay.
        let _ = stream.set_nodelay(true);
        let (simulator, tls) = (simulator.clone(), tls.clone());
        spawn(async move {
            let _place = place;
            match tls {
                None => simulator.serve_web(stream, addresses).await,
                Some(tls) => {
                    if let Some(secured) = tls.shake_hands(stream).await {
                        simulator.serve_web(secured, addresses).await;
                    }
                }
            }
        });
    }
}

/// One of the connections that there may be at once.
struct Place(Rc<Cell<usize>>);

impl Place {
    fn take(taken: &Rc<Cell<usize>>) -> Option<Self> {
        (taken.get() < CONNECTIONS_MAX).then(|| {
            taken.set(taken.get() + 1);
            Self(Rc::clone(taken))
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

impl Simulator {
    /// Answers the requests of one connection until either side closes it. Deadlines need `run_timers` beside it.
    pub async fn serve_web<S>(&self, mut stream: S, addresses: Addresses)
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let mut reader = WebReader::default();
        let mut patience = INACTIVITY;
        loop {
            let response = match reader.read() {
                Reading::Request(request) => self.ask_web(addresses, &request).await,
                Reading::Refused(refusal) => self.with(None, |exchange, now| {
                    exchange.web_refusal(now, &refusal, After::Close)
                }),
                Reading::Partial => {
                    let mut bytes = [0; READ_BYTES];
                    match timeout(patience, stream.read(&mut bytes)).await {
                        Ok(Ok(length)) if length > 0 => reader.push(&bytes[..length]),
                        _ => return,
                    }
                    patience = INACTIVITY;
                    continue;
                }
            };
            patience = KEEP_ALIVE;
            let written = stream.write_all(&response.bytes).await;
            if written.is_err() || stream.flush().await.is_err() {
                return;
            }
            if response.after == After::Close {
                let _ = stream.shutdown().await;
                return;
            }
        }
    }

    async fn ask_web(&self, addresses: Addresses, request: &WebRequest) -> WebResponse {
        let woken = Rc::new(Notify::new());
        let ticket = self.with(None, |exchange, now| {
            exchange.ask_web(now, addresses, request)
        });
        let _asking = Asking::new(self, ticket, Rc::clone(&woken));
        loop {
            let answer = self.shared.exchange.borrow_mut().take_web(ticket);
            match answer {
                Some(response) => return response,
                None => woken.notified().await,
            }
        }
    }
}

/// Says good-bye to the exchange however the request ends, also when its task is dropped.
struct Asking<'a> {
    simulator: &'a Simulator,
    ticket: SessionKey,
}

impl<'a> Asking<'a> {
    fn new(simulator: &'a Simulator, ticket: SessionKey, woken: Rc<Notify>) -> Self {
        simulator.shared.wakers.borrow_mut().insert(ticket, woken);
        Self { simulator, ticket }
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.simulator
            .shared
            .wakers
            .borrow_mut()
            .remove(&self.ticket);
        self.simulator
            .shared
            .exchange
            .borrow_mut()
            .forget_web(self.ticket);
    }
}
