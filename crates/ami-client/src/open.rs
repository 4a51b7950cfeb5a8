//! From an address to a session that is ready: paced connects, deadlines, and errors that say what the peer did.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ami_proto::action::ActionError;
use ami_proto::frame::Frame;
use ami_proto::frame::decode::{Decoder, Limits};
use ami_proto::message::Message;
use ami_proto::session::{Disposition, Session, SessionConfig};
use thiserror::Error;
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpStream, lookup_host};
use tokio::sync::Semaphore;

use crate::clock::Clock;
use crate::connection::{Connection, Step};
use crate::peer::{Peer, Transport};
use crate::tls::trouble::is_alert;
use crate::tls::{TlsClient, TlsTrouble};
use crate::wire::Wire;

/// Connections to one target that are not logged in yet. The listen backlog of a stock PBX is 10: more connects at once
/// wait for a SYN retransmit of a second. It also keeps us far from the 50 that it lets be, and is what a wrong secret
/// can cost in failed logins.
const LOGINS_MAX: usize = 10;

/// What one session may hold of a frame that never ends: thousands of sessions stay within a few gigabytes at the very
/// worst, and no answer to an action that we send comes near it.
const LIMITS: Limits = Limits {
    line_max: 64 * 1024,
    frame_max: 1024 * 1024,
    headers_max: 32 * 1024,
};

/// Of what greets us and is no AMI.
const FIRST_LINE_CHARS: usize = 120;

const CONNECT_WITHIN: Duration = Duration::from_secs(10);
const BANNER_WITHIN: Duration = Duration::from_secs(5);

/// Paces the logins to one target. Clones are the same gate.
#[derive(Clone, Debug)]
pub struct Gate {
    logins: Arc<Semaphore>,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            logins: Arc::new(Semaphore::new(LOGINS_MAX)),
        }
    }
}

impl Gate {
    /// Lets nobody in any more; those who are on their way may arrive.
    pub fn shut(&self) {
        self.logins.close();
    }
}

#[derive(Debug, Error)]
pub enum OpenError {
    #[error("the account or its secret cannot be sent")]
    Credentials(#[from] ActionError),
    #[error("no address is known for {address}")]
    Resolve { address: String, source: io::Error },
    #[error("failed to connect to {address}")]
    Connect { address: String, source: io::Error },
    #[error("failed to connect to {address}: no answer within {} s", CONNECT_WITHIN.as_secs())]
    ConnectTimedOut { address: String },
    #[error("failed to agree on TLS with {address}")]
    Tls {
        address: String,
        #[source]
        trouble: Box<TlsTrouble>,
    },
    #[error("{address} sent no banner within {} s: it is not AMI, or it hangs", BANNER_WITHIN.as_secs())]
    NoBanner { address: String },
    #[error(
        "{address} closed the connection before a banner: an access list, or too many sessions that are not logged in"
    )]
    ClosedBeforeBanner { address: String },
    #[error("{address} is not AMI: it began with {first_line:?}")]
    NotAmi { address: String, first_line: String },
    #[error("{address} refused the login of account {account}: {message}")]
    Refused {
        address: String,
        account: String,
        message: String,
    },
    #[error("{address} did not answer the login within {} s", .within.as_secs())]
    LoginTimedOut { address: String, within: Duration },
    #[error("{address} closed the connection during the login")]
    ClosedDuringLogin { address: String },
    #[error("the connection to {address} broke during the login")]
    Broke { address: String, source: io::Error },
    #[error("{address} is not tried any more")]
    Shut { address: String },
}

impl OpenError {
    /// Whether a later try may succeed; a refused login is never retried, the PBX might ban us.
    pub fn is_worth_retrying(&self) -> bool {
        match self {
            Self::Refused { .. }
            | Self::NotAmi { .. }
            | Self::Credentials(_)
            | Self::Shut { .. } => false,
            Self::Tls { trouble, .. } => trouble.is_passing(),
            _ => true,
        }
    }

    fn broke(address: &str, source: io::Error) -> Self {
        match TlsTrouble::of_read(&source) {
            Some(trouble) => Self::tls(address, trouble),
            None => Self::Broke {
                address: address.to_owned(),
                source,
            },
        }
    }

    pub(crate) fn tls(address: &str, trouble: TlsTrouble) -> Self {
        Self::Tls {
            address: address.to_owned(),
            trouble: Box::new(trouble),
        }
    }
}

/// How far an opening has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reached {
    /// The gate let it in: the connection is begun.
    Gate,
    /// From the address `local`, which is ours as the PBX sees it where nothing in between changes it.
    Connected {
        local: SocketAddr,
        remote: SocketAddr,
    },
    Banner,
}

/// Connects and logs in. A refused login shuts the gate: the other sessions would only add to the failures for which a
/// PBX bans an address.
pub async fn open(
    peer: &Peer,
    config: SessionConfig,
    gate: &Gate,
    clock: Clock,
) -> Result<Connection, OpenError> {
    open_noting(peer, config, gate, clock, &mut |_| {}).await
}

/// As [`open`], for who wants to know how long each part takes.
pub async fn open_noting(
    peer: &Peer,
    config: SessionConfig,
    gate: &Gate,
    clock: Clock,
    note: &mut impl FnMut(Reached),
) -> Result<Connection, OpenError> {
    let address = &peer.address;
    let permit = gate.logins.acquire().await;
    let _permit = permit.map_err(|_| OpenError::Shut {
        address: address.clone(),
    })?;
    note(Reached::Gate);
    let stream = connect(address).await?;
    if let (Ok(local), Ok(remote)) = (stream.local_addr(), stream.peer_addr()) {
        note(Reached::Connected { local, remote });
    }
    let wire = secure(peer, stream).await?;
    let opened = log_in(address, wire, config, clock, note).await;
    match (&opened, &peer.transport) {
        (Err(OpenError::Refused { .. }), _) => gate.shut(),
        (Err(OpenError::NoBanner { .. }), Transport::Plain) if speaks_tls(address).await => {
            return Err(OpenError::tls(address, TlsTrouble::PortIsTls));
        }
        _ => {}
    }
    opened
}

/// Connects over TCP alone.
pub async fn connect(address: &str) -> Result<TcpStream, OpenError> {
    let failed = |source| OpenError::Connect {
        address: address.to_owned(),
        source,
    };
    let connecting = async {
        let known = lookup_host(address).await;
        let known = known.map_err(|source| OpenError::Resolve {
            address: address.to_owned(),
            source,
        })?;
        let known: Vec<SocketAddr> = known.collect();
        TcpStream::connect(known.as_slice()).await.map_err(failed)
    };
    let stream = tokio::time::timeout(CONNECT_WITHIN, connecting)
        .await
        .map_err(|_| OpenError::ConnectTimedOut {
            address: address.to_owned(),
        })??;
    stream.set_nodelay(true).map_err(failed)?;
    Ok(stream)
}

/// Shakes hands where the peer speaks TLS, and begins to record where it is recorded.
pub async fn secure(peer: &Peer, stream: TcpStream) -> Result<Wire, OpenError> {
    let wire = match &peer.transport {
        Transport::Plain => Wire::Tcp(stream),
        Transport::Tls(client) => match client.shake_hands(stream).await {
            Ok(stream) => Wire::Tls(Box::new(stream)),
            Err(trouble) => return Err(OpenError::tls(&peer.address, trouble)),
        },
    };
    Ok(match &peer.capture {
        None => wire,
        Some(capture) => wire.recorded(capture.connection()),
    })
}

/// Connects, reads the banner and leaves, without a login.
pub async fn greeting(peer: &Peer) -> Result<(), OpenError> {
    let address = peer.address.clone();
    let mut wire = secure(peer, connect(&address).await?).await?;
    let mut heard = Vec::new();
    let read = async {
        while !heard.contains(&b'\n') && heard.len() < LIMITS.line_max {
            if wire.read_buf(&mut heard).await? == 0 {
                break;
            }
        }
        Ok(())
    };
    match tokio::time::timeout(BANNER_WITHIN, read).await {
        Err(_) => match &peer.transport {
            Transport::Plain if speaks_tls(&address).await => {
                Err(OpenError::tls(&address, TlsTrouble::PortIsTls))
            }
            _ => Err(OpenError::NoBanner { address }),
        },
        Ok(Err(source)) => Err(OpenError::Broke { address, source }),
        Ok(Ok(())) if is_alert(&heard) => Err(OpenError::tls(&address, TlsTrouble::PortIsTls)),
        Ok(Ok(())) if heard.is_empty() => Err(OpenError::ClosedBeforeBanner { address }),
        Ok(Ok(())) => {
            let mut input = heard.as_slice();
            let mut decoder = Decoder::client(LIMITS);
            let frame = decoder.decode(&mut input);
            match frame.as_ref().map(Frame::message) {
                Some(Message::Banner(banner)) if banner.is_manager() => Ok(()),
                _ => Err(OpenError::NotAmi {
                    address,
                    first_line: first_line(&heard),
                }),
            }
        }
    }
}

/// As much of it as one wants to read.
fn first_line(heard: &[u8]) -> String {
    let line = String::from_utf8_lossy(heard);
    let line = line.lines().next().unwrap_or_default();
    line.trim_end().chars().take(FIRST_LINE_CHARS).collect()
}

/// A port that waits for us to speak first may be the one for TLS.
async fn speaks_tls(address: &str) -> bool {
    let Ok(stream) = connect(address).await else {
        return false;
    };
    TlsClient::trusting_anyone().answers(stream).await
}

/// Logs in over a wire that is connected already.
pub async fn open_wire(
    address: &str,
    wire: Wire,
    config: SessionConfig,
    clock: Clock,
) -> Result<Connection, OpenError> {
    log_in(address, wire, config, clock, &mut |_| {}).await
}

async fn log_in(
    address: &str,
    wire: Wire,
    config: SessionConfig,
    clock: Clock,
    note: &mut impl FnMut(Reached),
) -> Result<Connection, OpenError> {
    let mut login = Login::begin(address, wire, config, clock)?;
    login.banner().await?;
    note(Reached::Banner);
    login.finish().await
}

struct Login {
    address: String,
    account: String,
    within: Duration,
    connection: Connection,
    clock: Clock,
}

impl Login {
    fn begin(
        address: &str,
        wire: Wire,
        config: SessionConfig,
        clock: Clock,
    ) -> Result<Self, OpenError> {
        let within = config.login_deadline;
        let account = config.username.clone();
        let session = Session::new(config, clock.now())?;
        let connection = Connection::new(wire, Decoder::client(LIMITS), session, clock);
        Ok(Self {
            address: address.to_owned(),
            account,
            within,
            connection,
            clock,
        })
    }

    async fn banner(&mut self) -> Result<(), OpenError> {
        let address = self.address.clone();
        let mut first_line = String::new();
        let mut look = |frame: &Frame<'_>, _: &Disposition| {
            first_line = String::from_utf8_lossy(frame.bytes())
                .trim_end()
                .chars()
                .take(FIRST_LINE_CHARS)
                .collect();
        };
        match self
            .connection
            .step(self.clock.now() + BANNER_WITHIN, &mut look)
            .await
        {
            Err(source) => Err(OpenError::broke(&address, source)),
            Ok(Step::DeadlinePassed) => Err(OpenError::NoBanner { address }),
            Ok(Step::Ended) if is_alert(self.connection.undecoded()) => {
                Err(OpenError::tls(&address, TlsTrouble::PortIsTls))
            }
            Ok(Step::Ended) => Err(OpenError::ClosedBeforeBanner { address }),
            Ok(Step::Disposition(Disposition::Banner)) => Ok(()),
            // Its description may be a line feed.
            Ok(Step::Disposition(_)) if is_alert(first_line.as_bytes()) => {
                Err(OpenError::tls(&address, TlsTrouble::PortIsTls))
            }
            Ok(Step::Disposition(_)) => Err(OpenError::NotAmi {
                address,
                first_line,
            }),
        }
    }

    async fn finish(mut self) -> Result<Connection, OpenError> {
        let address = self.address.clone();
        let deadline = self.clock.now() + self.within;
        loop {
            match self.connection.step(deadline, &mut |_, _| {}).await {
                Err(source) => return Err(OpenError::broke(&address, source)),
                Ok(Step::DeadlinePassed) => {
                    return Err(OpenError::LoginTimedOut {
                        address,
                        within: self.within,
                    });
                }
                Ok(Step::Ended) => return Err(OpenError::ClosedDuringLogin { address }),
                Ok(Step::Disposition(Disposition::Ready)) => return Ok(self.connection),
                Ok(Step::Disposition(Disposition::Refused { message })) => {
                    return Err(OpenError::Refused {
                        address,
                        account: self.account,
                        message,
                    });
                }
                Ok(Step::Disposition(_)) => {}
            }
        }
    }
}
