//! Security events: who logged in, who was refused and why.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use crate::action::Act;
use crate::class::Classes;
use crate::message::Headers;
use crate::server_session::Addresses;

/// `2026-11-21T08:15:37.250+0000`.
struct EventTime(Duration);

impl fmt::Display for EventTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = i64::try_from(self.0.as_secs()).unwrap_or_default();
        let nanos = i32::try_from(self.0.subsec_nanos()).expect("under 10^9");
        let stamp = jiff::Timestamp::new(seconds, nanos).unwrap_or_default();
        write!(
            f,
            "{}.{:03}+0000",
            stamp.strftime("%Y-%m-%dT%H:%M:%S"),
            self.0.subsec_millis()
        )
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Severity {
    Informational,
    Error,
}

pub(crate) fn successful_auth(act: &mut Act<'_>, user: &str) {
    let Some(headers) = head(act, "SuccessfulAuth", (Severity::Informational, 1)) else {
        return;
    };
    let headers = with_addresses(act, headers.with("AccountID", user)).with("UsingPassword", "0");
    publish(act, headers);
}

pub(crate) fn invalid_account(act: &mut Act<'_>, user: &str) {
    let Some(headers) = head(act, "InvalidAccountID", (Severity::Error, 1)) else {
        return;
    };
    let headers = with_addresses(act, headers.with("AccountID", user));
    publish(act, headers);
}

pub(crate) fn invalid_password(act: &mut Act<'_>, user: &str) {
    let Some(headers) = head(act, "InvalidPassword", (Severity::Error, 2)) else {
        return;
    };
    let headers = with_addresses(act, headers.with("AccountID", user));
    publish(act, headers);
}

pub(crate) fn failed_acl(act: &mut Act<'_>, user: &str) {
    let Some(headers) = head(act, "FailedACL", (Severity::Error, 1)) else {
        return;
    };
    let headers = with_addresses(act, headers.with("AccountID", user));
    publish(act, headers);
}

/// Too many logins of an account, which it does not name.
pub(crate) fn session_limit(act: &mut Act<'_>) {
    let Some(headers) = head(act, "SessionLimit", (Severity::Error, 1)) else {
        return;
    };
    let headers = with_addresses(act, headers.with("AccountID", ""));
    publish(act, headers);
}

/// As in Asterisk it names no account and discloses the right answer to whoever reads class security.
pub(crate) fn challenge_response_failed(act: &mut Act<'_>, challenge: &str, expected: &str) {
    let Some(headers) = head(act, "ChallengeResponseFailed", (Severity::Error, 1)) else {
        return;
    };
    let headers = with_addresses(act, headers.with("AccountID", ""))
        .with("Challenge", challenge)
        .with("Response", act.request.bytes("Key"))
        .with("ExpectedResponse", expected);
    publish(act, headers);
}

pub(crate) fn request_not_allowed(act: &mut Act<'_>, action: &str) {
    let Some(headers) = head(act, "RequestNotAllowed", (Severity::Error, 1)) else {
        return;
    };
    let user = user(act);
    let headers = with_addresses(act, headers.with("AccountID", user));
    publish(
        act,
        headers.with_display("RequestType", format_args!("Action: {action}")),
    );
}

pub(crate) fn request_bad_format(act: &mut Act<'_>, action: &str) {
    let Some(headers) = head(act, "RequestBadFormat", (Severity::Error, 1)) else {
        return;
    };
    let headers =
        with_addresses(act, headers).with_display("RequestType", format_args!("Action: {action}"));
    let headers = headers
        .with_display("SessionTV", session_time(act))
        .with("AccountID", user(act));
    act.pbx.publish(Classes::SECURITY, headers);
}

fn head(act: &Act<'_>, name: &str, (severity, version): (Severity, u8)) -> Option<Headers> {
    if !act.pbx.wants(Classes::SECURITY) && !act.session.hears().contains(Classes::SECURITY) {
        return None;
    }
    let severity = if severity == Severity::Error {
        "Error"
    } else {
        "Informational"
    };
    let headers = act
        .pbx
        .event(act.now, name, Classes::SECURITY)
        .with_display("EventTV", EventTime(act.pbx.wall(act.now)))
        .with("Severity", severity)
        .with("Service", "AMI")
        .with_display("EventVersion", version);
    Some(headers)
}

fn user(act: &Act<'_>) -> String {
    act.session
        .account()
        .map(|account| account.name.clone())
        .unwrap_or_default()
}

fn with_addresses(act: &Act<'_>, headers: Headers) -> Headers {
    let Addresses { local, remote } = act.session.addresses;
    let socket = |address: IpAddr, port: u16| format!("IPV4/TCP/{address}/{port}");
    headers
        .with_display(
            "SessionID",
            format_args!("0x7f30e4{:06x}", act.session.key.0 << 4 & 0xff_ffff),
        )
        .with(
            "LocalAddress",
            socket(act.pbx.profile.bind_address, local.port()),
        )
        .with("RemoteAddress", socket(remote.ip(), remote.port()))
}

fn publish(act: &mut Act<'_>, headers: Headers) {
    let headers = headers.with_display("SessionTV", session_time(act));
    act.pbx.publish(Classes::SECURITY, headers);
}

/// When the session logged in; before that the beginning of time.
fn session_time(act: &Act<'_>) -> EventTime {
    EventTime(
        act.session
            .logged_in_at()
            .map_or(Duration::ZERO, |at| act.pbx.wall(at)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_as_in_the_captures() {
        let at = Duration::from_millis(1_795_248_937_250);
        assert_eq!(EventTime(at).to_string(), "2026-11-21T08:15:37.250+0000");
    }
}
