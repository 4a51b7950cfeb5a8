//! Defects between the connect and the first action.

use std::sync::Arc;
use std::time::Duration;

use super::super::{ClientEnd, LostSession, Row};
use super::{answer, input, setup};
use crate::pbx::Pbx;

/// Longer than any check waits.
const NEVER: Duration = Duration::from_secs(24 * 3600);

pub(super) const ROWS: &[Row] = &[
    setup(
        (
            "connect.banner.empty",
            "banner.line.present",
            "greets with an empty line",
        ),
        |pbx| set_banner(pbx, |_| String::new()),
    ),
    setup(
        (
            "connect.banner.worded",
            "banner.version.dotted",
            "its version is a word",
        ),
        |pbx| set_banner(pbx, |product| format!("{product}/eleven")),
    ),
    setup(
        (
            "connect.banner.unheard-of",
            "banner.version.of-the-release",
            "its version belongs to no release",
        ),
        |pbx| set_banner(pbx, |product| format!("{product}/99.0.0")),
    ),
    answer(
        (
            "connect.banner.other-version",
            "response.settings.version",
            "CoreSettings tells another AMI version than the banner",
        ),
        |turn| turn.each(|text| text.change("AMIversion", "1.0")),
    ),
    setup(
        (
            "connect.banner.blank-line",
            "banner.line.alone",
            "an empty line follows the banner",
        ),
        |pbx| pbx.flaws.greet = |banner, _| format!("{banner}\r\n\r\n"),
    ),
    setup(
        (
            "connect.authlimit.none",
            "limit.login.sessions",
            "any number may be without a login",
        ),
        |pbx| pbx.accounts.auth_limit = usize::MAX,
    ),
    setup(
        (
            "connect.authtimeout.never",
            "limit.login.time",
            "nobody is put out for want of a login",
        ),
        |pbx| pbx.accounts.auth_timeout = NEVER,
    ),
    input(
        (
            "connect.authtimeout.extended",
            "limit.login.time-is-fixed",
            "each byte of somebody without a login gives him the whole time again",
        ),
        |incoming| incoming.session.opened_at = incoming.now,
    ),
    setup(
        (
            "connect.backlog.short",
            "limit.connect.ten-at-once",
            "the sixth connection without a login is turned away",
        ),
        |pbx| pbx.accounts.auth_limit = 5,
    ),
    setup(
        (
            "connect.half-close.stays",
            "session.end.after-ours",
            "keeps a session whose client has ended its direction",
        ),
        |pbx| pbx.flaws.client_end = ClientEnd::StayOpen,
    ),
    setup(
        (
            "connect.abrupt.ends-all",
            "session.end.others-go-on",
            "a client that goes without a word takes all others along",
        ),
        |pbx| pbx.flaws.lost_session = LostSession::EndsAll,
    ),
    setup(
        (
            "connect.banner.lf",
            "banner.line.crlf",
            "the banner ends with LF alone",
        ),
        |pbx| pbx.flaws.greet = |banner, _| format!("{banner}\n"),
    ),
    setup(
        (
            "connect.banner.varies",
            "banner.version.same",
            "every second connection is greeted by another version",
        ),
        |pbx| {
            pbx.flaws.greet = |banner, key| {
                let more = if key.0.is_multiple_of(2) { ".9" } else { "" };
                format!("{}{more}\r\n", banner.trim_end_matches(".0"))
            };
        },
    ),
    setup(
        (
            "connect.banner.other-name",
            "banner.product.name",
            "it calls itself otherwise",
        ),
        |pbx| {
            let profile = Arc::make_mut(&mut pbx.profile);
            profile.banner = profile.banner.replace("Asterisk", "Another");
        },
    ),
];

fn set_banner(pbx: &mut Pbx, make: impl Fn(&str) -> String) {
    let profile = Arc::make_mut(&mut pbx.profile);
    let product = profile.banner.split('/').next().unwrap_or_default();
    profile.banner = make(product);
}
