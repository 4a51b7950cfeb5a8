//! Why we are not let in: what the peer did, and the likely causes of it, the likeliest first.

use std::io;
use std::net::SocketAddr;

use ami_client::Target;
use ami_client::open::OpenError;
use ami_client::secret::SecretSource;
use ami_proto::session::LoginForm;

use super::page::Finding;
use crate::exit_code::Exit;

pub(super) fn finding(error: &OpenError, target: &Target, local: Option<SocketAddr>) -> Finding {
    let us = local.map_or_else(|| "our address".to_owned(), |local| local.ip().to_string());
    let (subject, causes) = match error {
        OpenError::Credentials(_) | OpenError::Shut { .. } => ("login", vec![]),
        OpenError::Connect { source, .. } => ("connect", of_connect(source)),
        OpenError::ConnectTimedOut { .. } => (
            "connect",
            texts(&["a firewall drops what we send", "nothing has that address"]),
        ),
        OpenError::NoBanner { .. } => (
            "banner",
            texts(&[
                "it is the web server of the PBX (8088 is usual), not the manager (5038 is usual)",
                "the PBX hangs, or is still starting",
            ]),
        ),
        OpenError::Tls { trouble, .. } => ("tls", trouble.remedies()),
        OpenError::ClosedBeforeBanner { .. } => (
            "banner",
            vec![
                format!(
                    "the PBX's access list does not hold {us}; some vendors close without a word, also with an empty list"
                ),
                "over `authlimit` connections are waiting to log in (50 on stock Asterisk)"
                    .to_owned(),
                format!("{us} was banned after failed logins"),
            ],
        ),
        OpenError::NotAmi { .. } => (
            "banner",
            texts(&["the port is another service's: 5038 is usual for the manager"]),
        ),
        OpenError::Refused { .. } => ("login", of_login(target, &us)),
        OpenError::LoginTimedOut { .. } => ("login", texts(&["the PBX hangs or is overloaded"])),
        OpenError::ClosedDuringLogin { .. } | OpenError::Broke { .. } => (
            "login",
            vec![
                "the PBX restarts".to_owned(),
                format!("something between us and the PBX bans {us}"),
            ],
        ),
    };
    let fact = match error {
        OpenError::Connect { address, source } => format!("{address}: {source}"),
        OpenError::Refused {
            message, account, ..
        } => format!("account {account} refused: {message}"),
        OpenError::Tls { trouble, .. } => trouble.to_string(),
        error => error.to_string(),
    };
    let found = Finding::mend(subject, fact, Exit::Unreachable);
    causes.into_iter().fold(found, Finding::advise)
}

fn texts(causes: &[&str]) -> Vec<String> {
    causes.iter().map(|cause| (*cause).to_owned()).collect()
}

fn of_connect(source: &io::Error) -> Vec<String> {
    match source.kind() {
        io::ErrorKind::ConnectionRefused => texts(&[
            "the manager is disabled: `enabled = yes` under [general] of manager.conf",
            "it listens on another port (`port`, 5038 is usual) or address (`bindaddr`)",
            "the PBX is down",
        ]),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            texts(&["nothing has that address, or no route leads there"])
        }
        _ => texts(&["is the name or address right?"]),
    }
}

fn of_login(target: &Target, us: &str) -> Vec<String> {
    let (account, source) = (&target.account, origin(&target.secret));
    let mut causes = vec![
        format!("no account {account} in manager.conf, or another secret than that from {source}"),
        format!(
            "its `deny` and `permit` do not let {us} in: stock Asterisk answers that like a wrong secret"
        ),
    ];
    if target.login == LoginForm::Md5 {
        causes.push("the PBX cannot do MD5 logins: try `login = \"plain\"`".to_owned());
    }
    causes
}

fn origin(secret: &SecretSource) -> String {
    match secret {
        SecretSource::Environment(variable) => format!("the environment ({variable})"),
        SecretSource::File(path) => path.display().to_string(),
        SecretSource::Command(_) => "`secret_command`".to_owned(),
        SecretSource::Prompt | SecretSource::Given(_) => "the prompt".to_owned(),
    }
}
