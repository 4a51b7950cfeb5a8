//! A relay that records: applications connect here instead of to the PBX. It never logs in itself and changes no byte.

use std::net::SocketAddr;
use std::time::Duration;

use ami_client::capture::Capture;
use ami_client::open::{OpenError, connect, greeting, secure};
use ami_client::relay::{Parting, carry};
use ami_client::tls::Fingerprint;
use ami_client::wire::Wire;
use ami_client::{Peer, Target};
use ami_sim::Tls;
use anyhow::{Context as _, anyhow};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::output::Output;
use super::told;
use crate::args::Record;
use crate::exit_code::{Exit, Failure, OrExit};
use crate::operator::Stop;
use crate::{listening, print};

/// More than any application has, and far below the files that a process may open.
const CONNECTIONS_MAX: usize = 256;
/// Where no connection can be accepted, as for want of files, the next try is not at once.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

pub(super) async fn run(
    record: &Record,
    target: &Target,
    peer: Peer,
    listen: SocketAddr,
) -> Result<Exit, Failure> {
    if !listen.ip().is_loopback() && !record.expose {
        let error = anyhow!(
            "{listen} is not loopback: what an application sends there, secrets too, crosses the network as it is; say --expose if that is meant"
        );
        return Err(error).or_exit(Exit::BadInput);
    }
    let tls = listening::tls(&record.tls)?;
    let mut stop = Stop::listen().or_exit(Exit::Bug)?;
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("failed to listen on {listen}"))
        .or_exit(Exit::BadInput)?;
    let address = listener.local_addr().or_exit(Exit::Bug)?;
    let greeted = tokio::select! {
        greeted = greeting(&peer) => greeted,
        () = stop.wished() => return Ok(Exit::Interrupted),
    };
    if let Err(error) = greeted {
        print::error(told(&error, target));
        return Ok(Exit::Unreachable);
    }
    let output = Output::begin(record, target, &[])?;
    print::line(format_args!(
        "{address} leads to {} at {}; stop with Ctrl-C",
        target.name, peer.address
    ));
    if let Some(tls) = &tls {
        let pin = Fingerprint::of(tls.certificate());
        print::line(format_args!("its certificate has the SHA-256 {pin}"));
    }
    let relay = Relay {
        target: target.clone(),
        peer,
        tls,
        capture: output.capture().clone(),
    };
    tokio::select! {
        () = relay.serve(&listener) => {}
        () = stop.wished() => {}
        () = over(record.duration) => {}
    }
    output.conclude(Exit::Held)
}

/// Never, when it is to last until it is stopped.
async fn over(duration: Option<Duration>) {
    match duration {
        Some(duration) => sleep(duration).await,
        None => std::future::pending().await,
    }
}

#[derive(Clone)]
struct Relay {
    target: Target,
    peer: Peer,
    tls: Option<Tls>,
    capture: Capture,
}

impl Relay {
    /// Until it is dropped, and every connection with it.
    async fn serve(&self, listener: &TcpListener) {
        let mut carried = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((application, _)) if carried.len() < CONNECTIONS_MAX => {
                        let relay = self.clone();
                        carried.spawn(async move { relay.take(application).await });
                    }
                    Ok((application, _)) => {
                        reset(&application);
                        print::error(format_args!("more than {CONNECTIONS_MAX} connections: one is turned away"));
                    }
                    Err(error) => {
                        print::error(format_args!("failed to accept a connection: {error}"));
                        sleep(ACCEPT_AGAIN).await;
                    }
                },
                Some(_) = carried.join_next() => {}
            }
        }
    }

    /// An application is not left waiting for a PBX that is not there.
    async fn take(&self, application: TcpStream) {
        let _ = application.set_nodelay(true);
        match &self.tls {
            None => {
                let socket = |application: &TcpStream| reset(application);
                self.carry(application, socket).await;
            }
            Some(tls) => {
                if let Some(application) = tls.shake_hands(application).await {
                    self.carry(application, |stream| reset(stream.get_ref().0))
                        .await;
                }
            }
        }
    }

    async fn carry<A>(&self, mut application: A, reset: impl FnOnce(&A))
    where
        A: AsyncRead + AsyncWrite + Unpin,
    {
        let mut pbx = match self.open().await {
            Ok(pbx) => pbx,
            Err(error) => {
                print::error(told(&error, &self.target));
                return reset(&application);
            }
        };
        let tap = self.capture.connection();
        match carry(&mut application, &mut pbx, &tap).await {
            Parting::Closed => {}
            Parting::ByClient => pbx.reset(),
            Parting::ByServer => reset(&application),
        }
    }

    async fn open(&self) -> Result<Wire, OpenError> {
        secure(&self.peer, connect(&self.peer.address).await?).await
    }
}

/// Its other end sees a connection that broke off.
fn reset(stream: &TcpStream) {
    // One that is gone already needs none.
    let _ = stream.set_zero_linger();
}
