//! What stands on a port where a manager should have greeted.

use ami_proto::dialect::vendor::{AccessList, USUAL_PORTS};

use super::{Circumstances, Diagnosis};

/// Why a port is silent, where somebody has looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Silence {
    /// Nobody has looked, or it answers nothing else either.
    Unexplained,
    /// It answers HTTP.
    Web,
}

const SIP_PORTS: [&str; 2] = ["5060", "5061"];

pub(crate) fn silent(address: &str, silence: Silence, at: &Circumstances<'_>) -> Diagnosis {
    let (_, port) = address.rsplit_once(':').unwrap_or_default();
    match silence {
        Silence::Web => Diagnosis::new(
            "http-port",
            "banner",
            format!("{address} is a web server, not the manager"),
        )
        .step(other_port(at)),
        Silence::Unexplained if SIP_PORTS.contains(&port) => Diagnosis::new(
            "sip-port",
            "banner",
            format!("{address} is silent: {port} is the port of SIP, not of the manager"),
        )
        .step(other_port(at)),
        Silence::Unexplained => speechless(address, at),
    }
}

fn speechless(address: &str, at: &Circumstances<'_>) -> Diagnosis {
    let mut found = Diagnosis::new(
        "silent",
        "banner",
        format!("{address} takes the connection and says nothing: no manager greets there"),
    )
    .likely(format!("it is another service's port: {USUAL_PORTS}"));
    if at.target.tls.is_some() {
        found = found.likely("it is the web server's port for TLS (8089 is usual)");
    }
    found.likely("the PBX hangs, is starting, or has more connections than it takes")
}

pub(super) fn closed(address: &str, at: &Circumstances<'_>) -> Diagnosis {
    let us = at.us();
    let words = at.vendor.words();
    let pending = "too many connections wait to log in (`authlimit`, 50 on stock Asterisk)";
    match words.access_list {
        AccessList::WithoutAWord => Diagnosis::new(
            "access-list",
            "banner",
            format!("{address} closes without a word: its permitted IPs do not hold {us}"),
        )
        .step(at.filled(words.permit))
        .step(format!("if {us} is in that list: {pending}")),
        AccessList::LikeAWrongSecret => Diagnosis::new(
            "closed",
            "banner",
            format!("{address} closes without a banner: it turns away every connection now"),
        )
        .likely(pending)
        .likely(format!("a list of permitted addresses does not hold {us}; with some makes an empty one holds nobody"))
        .likely(format!("a firewall or proxy on the way, or a ban of {us} after failed logins"))
        .step("try again in 30 s: connections that do not log in are gone by then, lists and bans are not"),
    }
}

pub(super) fn not_ami(address: &str, first_line: &str, at: &Circumstances<'_>) -> Diagnosis {
    let what = match first_line {
        line if line.starts_with("SSH-") => ("ssh-port", "an SSH server"),
        line if line.starts_with("HTTP/") => ("http-port", "a web server"),
        line if line.starts_with("SIP/") => ("sip-port", "a SIP server"),
        _ => ("not-ami", "another service"),
    };
    let (cause, service) = what;
    Diagnosis::new(
        cause,
        "banner",
        format!("{address} is {service}, not the manager: it began with {first_line:?}"),
    )
    .step(other_port(at))
}

fn other_port(at: &Circumstances<'_>) -> String {
    format!(
        "give the manager's port in {}: {USUAL_PORTS}",
        at.target.origin
    )
}
