//! How to get into a target: its secret from where the target says, and the login of a session beside the load.

use std::io::IsTerminal as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use ami_client::Target;
use ami_client::secret::{SecretError, SecretSource};
use ami_proto::session::{Secret, SessionConfig};
use anyhow::Context as _;

use crate::exit_code::{Exit, Failure, OrExit};
use crate::simulators;

/// Banner and login together; a PBX that needs longer cannot be measured either.
const LOGIN_WITHIN: Duration = Duration::from_secs(10);

/// The secret of a target's account; asked for where nothing names it and somebody sits at the terminal.
pub(crate) fn secret(target: &Target) -> Result<Secret, Failure> {
    let resolved = match simulators::secret_source(target) {
        SecretSource::Prompt => return prompt(target),
        source => source.resolve(),
    };
    match resolved {
        Err(SecretError::Environment { .. }) if std::io::stdin().is_terminal() => prompt(target),
        resolved => resolved
            .with_context(|| format!("target {}", target.name))
            .or_exit(Exit::BadInput),
    }
}

fn prompt(target: &Target) -> Result<Secret, Failure> {
    let question = format!("secret of account {} on {}: ", target.account, target.name);
    let secret = rpassword::prompt_password(question)
        .context("failed to ask for the secret")
        .or_exit(Exit::BadInput)?;
    Ok(Secret::new(secret))
}

/// A session that this program drives itself; `events` is the mask it logs in with.
pub(crate) fn session(target: &Target, secret: Secret, events: &str) -> SessionConfig {
    SessionConfig {
        username: target.account.clone(),
        secret,
        login: target.login,
        events: events.to_owned(),
        connection_id: ami_load::run_tag::random_bits(),
        login_deadline: LOGIN_WITHIN,
    }
}

/// The address that this machine would speak to another from; none for a name, which only a resolver knows. Nothing is
/// sent to learn it.
pub(crate) fn our_address(address: &str) -> Option<IpAddr> {
    let peer: SocketAddr = address.parse().ok()?;
    let any: IpAddr = match peer {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect(peer).ok()?;
    Some(socket.local_addr().ok()?.ip())
}
