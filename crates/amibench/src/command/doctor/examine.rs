//! The conversation with a target: two sessions, one that listens and one that asks; each answer becomes a finding.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use ami_client::connection::RequestError;
use ami_client::open::{Gate, OpenError, open, open_wire, secure};
use ami_client::{Clock, Connection, Peer, Target, Transport};
use ami_proto::action::{channel, system};
use ami_proto::session::{Answer, LoginForm, Secret};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::page::{Finding, Page};
use super::{ANSWER_WITHIN, clock, listen, refusal, rights};
use crate::access;
use crate::exit_code::Exit;

const CONNECT_WITHIN: Duration = Duration::from_secs(10);
const BANNER_WITHIN: Duration = Duration::from_secs(5);
const LOGOFF_WITHIN: Duration = Duration::from_secs(2);

/// Fills the page as far as the target lets us.
pub(super) async fn examine(
    target: &Target,
    peer: &Peer,
    secret: Secret,
    clock: Clock,
    page: &mut Page,
) {
    let (mut listening, local) = match enter(target, peer, secret.clone(), clock, page).await {
        Ok(entered) => entered,
        Err(Refusal { error, local }) => {
            page.add(refusal::finding(&error, target, local));
            return;
        }
    };
    let config = access::session(target, secret, "off");
    let mut asking = match open(peer, config, &Gate::default(), clock).await {
        Ok(asking) => asking,
        Err(error) => {
            page.add(refusal::finding(&error, target, Some(local)));
            return;
        }
    };
    if let Err(error) = ask(target, &mut asking, page).await {
        let chain = anyhow::Error::from(error);
        page.add(Finding::mend(
            "answers",
            format!("{chain:#}"),
            Exit::Unreachable,
        ));
    } else {
        page.add_all(listen::findings(&mut listening, local).await);
    }
    asking.logoff(LOGOFF_WITHIN).await;
    listening.logoff(LOGOFF_WITHIN).await;
}

/// Why we are not in, and from which address we came, if the connection stood.
struct Refusal {
    error: OpenError,
    local: Option<SocketAddr>,
}

/// Connects and logs in step by step, with the time of each.
async fn enter(
    target: &Target,
    peer: &Peer,
    secret: Secret,
    clock: Clock,
    page: &mut Page,
) -> Result<(Connection, SocketAddr), Refusal> {
    let refused = |error, local| Refusal { error, local };
    let began_at = clock.now();
    let address = &peer.address;
    let (stream, local) = connect(address)
        .await
        .map_err(|error| refused(error, None))?;
    let connected_at = clock.now();
    let remote = stream
        .peer_addr()
        .map_or_else(|_| address.clone(), |remote| remote.to_string());
    let took = Milliseconds(connected_at - began_at);
    page.add(Finding::good(
        "connect",
        format!("{remote} in {took}, from {}", local.ip()),
    ));
    if let Transport::Plain = peer.transport {
        // How much there is to read does not matter: the login finds out what it is.
        let greeted = timeout(BANNER_WITHIN, stream.peek(&mut [0; 1])).await;
        if greeted.is_err() {
            let address = address.clone();
            return Err(refused(OpenError::NoBanner { address }, Some(local)));
        }
    }
    let wire = secure(peer, stream)
        .await
        .map_err(|error| refused(error, Some(local)))?;
    let greeted_at = clock.now();
    let config = access::session(target, secret, "on");
    let connection = open_wire(address, wire, config, clock)
        .await
        .map_err(|error| refused(error, Some(local)))?;
    let banner = connection.session().banner().unwrap_or("none");
    let after = Milliseconds(greeted_at - connected_at);
    page.add(Finding::good("banner", format!("{banner}, after {after}")));
    let form = match target.login {
        LoginForm::Plain => "plain: the secret crossed the wire as it is",
        LoginForm::Md5 => "MD5 challenge",
    };
    let (account, took) = (&target.account, Milliseconds(clock.now() - greeted_at));
    page.add(Finding::good(
        "login",
        format!("{account} accepted in {took}, {form}"),
    ));
    Ok((connection, local))
}

async fn connect(address: &str) -> Result<(TcpStream, SocketAddr), OpenError> {
    let address = || address.to_owned();
    let failed = |source: io::Error| OpenError::Connect {
        address: address(),
        source,
    };
    let stream = timeout(CONNECT_WITHIN, TcpStream::connect(address()))
        .await
        .map_err(|_| OpenError::ConnectTimedOut { address: address() })?
        .map_err(failed)?;
    let local = stream.local_addr().map_err(failed)?;
    Ok((stream, local))
}

/// What the PBX says of itself. `Err` when it stopped answering.
async fn ask(
    target: &Target,
    connection: &mut Connection,
    page: &mut Page,
) -> Result<(), RequestError> {
    let settings = connection
        .request(&system::core_settings(), Answer::Single, ANSWER_WITHIN)
        .await?;
    page.add(match settings.response().text("AsteriskVersion") {
        Some(version) => Finding::good("version", format!("Asterisk {version}")),
        None => Finding::note("version", format!("not told: {}", settings.message())),
    });
    let commands = connection
        .request(&system::list_commands(), Answer::Single, ANSWER_WITHIN)
        .await?;
    page.add_all(rights::findings(&commands, target));
    page.add(clock::finding(connection).await?);
    let channels = connection
        .request(&channel::core_show_channels(), Answer::List, ANSWER_WITHIN)
        .await?;
    page.add(rights::channels_up(&channels));
    Ok(())
}

/// Durations of a first look: three digits are more than they are worth.
pub(super) struct Milliseconds(pub(super) Duration);

impl std::fmt::Display for Milliseconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ms = self.0.as_secs_f64() * 1000.0;
        match ms {
            _ if ms < 10.0 => write!(f, "{ms:.2} ms"),
            _ => write!(f, "{ms:.0} ms"),
        }
    }
}
