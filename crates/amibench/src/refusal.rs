//! Why a target does not let us in: what it did, the likely causes with the likeliest first, and what to do. Both `doctor`
//! and `load` say it.

use std::io;
use std::net::IpAddr;

use ami_client::Target;
use ami_client::open::OpenError;
use ami_client::secret::SecretSource;
use ami_client::target::Endpoint;
use ami_client::tls::TlsTrouble;
use ami_proto::dialect::vendor::{AccessList, USUAL_PORTS, Vendor};

mod greeting;

pub(crate) use greeting::{Silence, silent};

use crate::access;

/// What is known besides the error.
#[derive(Debug)]
pub(crate) struct Circumstances<'a> {
    pub(crate) target: &'a Target,
    /// Our address, as the PBX sees it where nothing in between changes it.
    pub(crate) us: Option<IpAddr>,
    pub(crate) vendor: Vendor,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Diagnosis {
    /// A word for programs; it does not change.
    pub(crate) cause: &'static str,
    /// Which step of getting in failed.
    pub(crate) subject: &'static str,
    pub(crate) fact: String,
    /// Causes that look the same from here, the likeliest first.
    pub(crate) likely: Vec<String>,
    /// What to do, or what tells the causes apart.
    pub(crate) steps: Vec<String>,
}

impl Diagnosis {
    pub(crate) fn new(cause: &'static str, subject: &'static str, fact: impl Into<String>) -> Self {
        Self {
            cause,
            subject,
            fact: fact.into(),
            likely: Vec::new(),
            steps: Vec::new(),
        }
    }

    pub(crate) fn likely(mut self, cause: impl Into<String>) -> Self {
        self.likely.push(cause.into());
        self
    }

    pub(crate) fn step(mut self, step: impl Into<String>) -> Self {
        self.steps.push(step.into());
        self
    }

    /// The first thing to look at.
    pub(crate) fn first_advice(&self) -> Option<&str> {
        self.likely
            .first()
            .or_else(|| self.steps.first())
            .map(String::as_str)
    }
}

impl<'a> Circumstances<'a> {
    pub(crate) fn of(target: &'a Target, us: Option<IpAddr>) -> Self {
        let port = match &target.endpoint {
            Endpoint::Address(address) => address
                .rsplit_once(':')
                .and_then(|(_, port)| port.parse().ok()),
            Endpoint::Simulated(_) => None,
        };
        let contexts = target
            .roles
            .values()
            .filter_map(|role| role.context.as_deref());
        Self {
            target,
            us,
            vendor: Vendor::of_target(port, contexts),
        }
    }

    pub(crate) fn us(&self) -> String {
        self.us
            .map_or_else(|| "our address".to_owned(), |us| us.to_string())
    }

    /// A vendor's words with what is meant by their marks.
    pub(crate) fn filled(&self, words: &str) -> String {
        words
            .replace("{us}", &self.us())
            .replace("{account}", &self.target.account)
    }
}

pub(crate) fn of_open(error: &OpenError, at: &Circumstances<'_>) -> Diagnosis {
    match error {
        OpenError::Resolve { address, .. } => {
            let (host, _) = address.rsplit_once(':').unwrap_or((address, ""));
            Diagnosis::new(
                "name",
                "connect",
                format!("no address is known for the name {host}"),
            )
            .step(format!(
                "check `address` in {}, or give the IP address there",
                at.target.origin
            ))
        }
        OpenError::Connect { address, source } => of_connect(address, source, at),
        OpenError::ConnectTimedOut { address } => timed_out(address, at),
        OpenError::NoBanner { address } => silent(address, Silence::Unexplained, at),
        OpenError::Tls { address, trouble } => of_tls(address, trouble),
        OpenError::ClosedBeforeBanner { address } => greeting::closed(address, at),
        OpenError::NotAmi {
            address,
            first_line,
        } => greeting::not_ami(address, first_line, at),
        OpenError::Refused { message, .. } => of_login(message, at),
        OpenError::LoginTimedOut { .. } => {
            Diagnosis::new("login-time-out", "login", error.to_string())
                .step("the PBX hangs or is overloaded: does its console answer?")
        }
        OpenError::Broke { address, source } if is_reset(source) => reset(address, at),
        OpenError::ClosedDuringLogin { .. } | OpenError::Broke { .. } => {
            Diagnosis::new("login-cut", "login", chain(error))
                .likely("the PBX stops or restarts")
                .likely(format!(
                    "a firewall between us and the PBX cuts off {}",
                    at.us()
                ))
        }
        OpenError::Credentials(_) => Diagnosis::new("credentials", "login", chain(error))
            .step("neither may hold a line end or a NUL"),
        OpenError::Shut { .. } => Diagnosis::new("shut", "login", error.to_string()),
    }
}

/// What stands below the error of a verb that is not let in.
pub(crate) fn referral(error: &OpenError, target: &Target) -> String {
    let us = match &target.endpoint {
        Endpoint::Address(address) => access::our_address(address),
        Endpoint::Simulated(_) => None,
    };
    let found = of_open(error, &Circumstances::of(target, us));
    let likely = found
        .first_advice()
        .map(|advice| format!("\n  likely: {advice}"));
    likely.unwrap_or_default() + &more(target)
}

/// The command that says more, for the target as it was given.
pub(crate) fn more(target: &Target) -> String {
    let given = if target.origin.starts_with('<') {
        &target.name
    } else {
        &target.origin
    };
    format!("\n  `amibench doctor {given}` says more")
}

fn chain(error: &OpenError) -> String {
    let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

fn of_connect(address: &str, source: &io::Error, at: &Circumstances<'_>) -> Diagnosis {
    match source.kind() {
        io::ErrorKind::ConnectionRefused => {
            let enable = at.filled(at.vendor.words().enable);
            let found = Diagnosis::new(
                "connection-refused",
                "connect",
                format!("nothing listens on {address}: the manager is off, or elsewhere"),
            )
            .likely(format!(
                "it is off, or on another port or address: {enable}"
            ))
            .likely(format!(
                "`address` names another port than the PBX has: {USUAL_PORTS}"
            ))
            .likely("the PBX is down, or still starting");
            match at.us {
                Some(us) if us.is_loopback() => found,
                _ => found.likely(format!(
                    "a firewall or a ban of {} says so: does another machine get in?",
                    at.us()
                )),
            }
        }
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => Diagnosis::new(
            "no-route",
            "connect",
            format!("no route leads to {address}"),
        )
        .step("is the address right, is the PBX on, is a VPN needed?"),
        _ if is_reset(source) => reset(address, at),
        _ => Diagnosis::new("connect", "connect", format!("{address}: {source}"))
            .step(format!("is `address` in {} right?", at.target.origin)),
    }
}

fn is_reset(source: &io::Error) -> bool {
    source.kind() == io::ErrorKind::ConnectionReset
}

fn reset(address: &str, at: &Circumstances<'_>) -> Diagnosis {
    let us = at.us();
    Diagnosis::new(
        "reset",
        "connect",
        format!("{address} resets the connection: something turns {us} away"),
    )
    .likely(format!(
        "a firewall, or the PBX's ban of {us} after failed logins: does another machine get in?"
    ))
    .likely("the PBX stops or restarts")
}

fn of_tls(address: &str, trouble: &TlsTrouble) -> Diagnosis {
    let causes = std::iter::successors(std::error::Error::source(trouble), |cause| cause.source());
    let text = causes.fold(format!("{address}: {trouble}"), |text, cause| {
        format!("{text}: {cause}")
    });
    let found = Diagnosis::new(trouble.slug(), "tls", text);
    trouble.remedies().into_iter().fold(found, Diagnosis::step)
}

fn timed_out(address: &str, at: &Circumstances<'_>) -> Diagnosis {
    let us = at.us();
    Diagnosis::new(
        "connect-time-out",
        "connect",
        format!("{address} does not answer: it is off, or something drops what {us} sends"),
    )
    .likely("nothing has that address, or the PBX is off: does it answer a ping?")
    .likely("a firewall on the way, or on the PBX, does not let us through")
    .likely(format!(
        "the PBX has banned {us} after failed logins (fail2ban, static defence)"
    ))
    .step("if another machine gets in, it is one of the last two: unban or permit us there")
}

fn of_login(message: &str, at: &Circumstances<'_>) -> Diagnosis {
    let (account, words) = (&at.target.account, at.vendor.words());
    if is_in_use(message) {
        return in_use(at);
    }
    if message.eq_ignore_ascii_case("Asterisk is shutting down") {
        return Diagnosis::new("shutting-down", "login", "the PBX is shutting down")
            .step("wait until it is back");
    }
    let source = origin(&at.target.secret);
    let mut found = Diagnosis::new(
        "login-refused",
        "login",
        format!("account {account} is refused, and the PBX does not say why: {message}"),
    )
    .likely(format!("its secret is not the one from {source}"))
    .likely(format!(
        "there is no account {account} in {}, or not reloaded yet",
        words.accounts
    ));
    if words.access_list == AccessList::LikeAWrongSecret {
        let permit = at.filled(words.permit);
        found = found.likely(format!(
            "its access list does not hold {}: {permit}",
            at.us()
        ));
    }
    match words.log {
        Some(log) => found.step(at.filled(log)),
        None => found.step(format!("set the secret in {} anew", words.accounts)),
    }
}

/// Why a second session is refused beside one that is open.
pub(crate) fn of_second(error: &OpenError, at: &Circumstances<'_>) -> Diagnosis {
    match error {
        OpenError::Refused { message, .. } if is_in_use(message) => Diagnosis::new(
            "single-session",
            "sessions",
            format!(
                "account {} may have one session only, and a test needs several",
                at.target.account
            ),
        )
        .step(at.filled(at.vendor.words().multiple_login)),
        error => of_open(error, at),
    }
}

fn is_in_use(message: &str) -> bool {
    message.eq_ignore_ascii_case("Login Already In Use")
}

/// Decided before the secret is looked at.
fn in_use(at: &Circumstances<'_>) -> Diagnosis {
    let account = &at.target.account;
    Diagnosis::new(
        "in-use",
        "login",
        format!("account {account} is in use, and may log in once only"),
    )
    .step(at.filled(at.vendor.words().multiple_login))
    .step("or give amibench an account that nothing else uses, if one session is enough")
}

fn origin(secret: &SecretSource) -> String {
    match secret {
        SecretSource::Environment(variable) => format!("the environment ({variable})"),
        SecretSource::File(path) => path.display().to_string(),
        SecretSource::Command(_) => "`secret_command`".to_owned(),
        SecretSource::Prompt | SecretSource::Given(_) => "the prompt".to_owned(),
    }
}

#[cfg(test)]
mod tests;
