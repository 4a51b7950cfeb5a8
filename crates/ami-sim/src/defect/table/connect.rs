//! Defects between the connect and the first action.

use std::sync::Arc;
use std::time::Duration;

use super::super::{ClientEnd, LostSession, Row};
use super::{answer, input, plant, setup};
use crate::pbx::Pbx;

/// Longer than any check waits.
const NEVER: Duration = Duration::from_secs(24 * 3600);

pub(super) const ROWS: &[Row] = &[
    setup(
        (
            "connect.banner.empty",
            "connect.banner.present",
            "greets with an empty line",
        ),
        |pbx| set_banner(pbx, |_| String::new()),
    ),
    setup(
        (
            "connect.banner.worded",
            "connect.banner.format",
            "its version is a word",
        ),
        |pbx| set_banner(pbx, |product| format!("{product}/eleven")),
    ),
    setup(
        (
            "connect.banner.unheard-of",
            "connect.banner.known",
            "its version belongs to no release",
        ),
        |pbx| set_banner(pbx, |product| format!("{product}/99.0.0")),
    ),
    answer(
        (
            "connect.banner.other-version",
            "connect.banner.consistent-with-version",
            "CoreSettings tells another AMI version than the banner",
        ),
        |turn| turn.each(|text| text.change("AMIversion", "1.0")),
    ),
    setup(
        (
            "connect.banner.blank-line",
            "connect.banner.no-blank-line",
            "an empty line follows the banner",
        ),
        |pbx| {
            let profile = Arc::make_mut(&mut pbx.profile);
            profile.banner.push_str("\r\n");
        },
    ),
    setup(
        (
            "connect.authlimit.none",
            "connect.authlimit.silent-close",
            "any number may be without a login",
        ),
        |pbx| pbx.accounts.auth_limit = usize::MAX,
    ),
    setup(
        (
            "connect.authtimeout.never",
            "connect.authtimeout.closes",
            "nobody is put out for want of a login",
        ),
        |pbx| pbx.accounts.auth_timeout = NEVER,
    ),
    input(
        (
            "connect.authtimeout.extended",
            "connect.authtimeout.not-extendable",
            "each byte of somebody without a login gives him the whole time again",
        ),
        |incoming| incoming.session.opened_at = incoming.now,
    ),
    setup(
        (
            "connect.backlog.slow",
            "connect.backlog.storm",
            "every banner takes 3 s",
        ),
        |pbx| plant(pbx, "banner.late"),
    ),
    setup(
        (
            "connect.half-close.stays",
            "connect.half-close",
            "keeps a session whose client has ended its direction",
        ),
        |pbx| pbx.flaws.client_end = ClientEnd::StayOpen,
    ),
    setup(
        (
            "connect.abrupt.ends-all",
            "connect.abrupt-rst",
            "a client that goes without a word takes all others along",
        ),
        |pbx| pbx.flaws.lost_session = LostSession::EndsAll,
    ),
];

fn set_banner(pbx: &mut Pbx, make: impl Fn(&str) -> String) {
    let profile = Arc::make_mut(&mut pbx.profile);
    let product = profile.banner.split('/').next().unwrap_or_default();
    profile.banner = make(product);
}
