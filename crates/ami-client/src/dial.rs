//! Which calls a target permits: patterns for Channel and destination, and the numbers that no pattern opens.

use std::net::Ipv4Addr;

use serde::Deserialize;
use thiserror::Error;

use crate::target::Role;

/// Numbers that reach emergency services somewhere; a test must never dial one, whatever the patterns say. 100 to 108
/// are such numbers too in some countries, but also the first extensions of most PBXs: these are left to the patterns.
const EMERGENCY: [&str; 21] = [
    "000", "110", "111", "112", "113", "115", "117", "118", "119", "120", "122", "133", "144",
    "190", "192", "193", "911", "995", "997", "998", "999",
];

/// What a dialplan may strip before it hands a number to the network: 9112 is 112 on many a PBX.
const ACCESS_CODES: [&str; 4] = ["0", "00", "8", "9"];

/// Channel technologies and name parts that lead outside a PBX; only a pattern without `*` opens them.
const TRUNK_SHAPES: [&str; 15] = [
    "trunk", "dahdi/", "zap/", "iax2/", "misdn/", "capi/", "dongle/", "ooh323/", "h323/",
    "outbound", "outrt", "callout", "/g0/", "/g1/", "/r1/",
];

/// With these technologies a number behind a name, as in `PJSIP/2001@provider` or `SIP/provider/2001`, goes to that name.
const BY_NAME: [&str; 2] = ["pjsip/", "sip/"];

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct DialPattern {
    pub channel: String,
    #[serde(default = "anything")]
    pub context: String,
    #[serde(default = "anything")]
    pub exten: String,
    #[serde(default = "nothing")]
    pub application: String,
}

fn anything() -> String {
    "*".to_owned()
}

fn nothing() -> String {
    String::new()
}

/// Why a role may not be called.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Forbidden {
    #[error("{number} is an emergency number")]
    Emergency { number: String },
    #[error("no pattern of `limits.dial` permits it")]
    NoPattern,
    #[error("{name} leads out of the PBX, which only an exact pattern of `limits.dial` permits")]
    TrunkNeedsExactPattern { name: String },
}

/// Checks a role against the patterns of its target.
pub fn permit(role: &Role, patterns: &[DialPattern]) -> Result<(), Forbidden> {
    for text in role.dialled() {
        if let Some(number) = emergency_in(text) {
            return Err(Forbidden::Emergency { number });
        }
    }
    let mut matched = false;
    let mut inexact = None;
    for pattern in patterns.iter().filter(|pattern| pattern.matches(role)) {
        matched = true;
        match pattern.opens_trunk_by_wildcard(role) {
            None => return Ok(()),
            Some(name) => inexact = Some(name),
        }
    }
    match inexact {
        Some(name) if matched => Err(Forbidden::TrunkNeedsExactPattern { name }),
        _ => Err(Forbidden::NoPattern),
    }
}

/// The emergency number that somebody, or a dialplan, could read in a text.
fn emergency_in(text: &str) -> Option<String> {
    let text = without_addresses(text);
    // Who dials 9-911 or (11) 2 means a number without these.
    let is_part = |c: char| c.is_ascii_digit() || "-. ()".contains(c);
    text.split(|c| !is_part(c))
        .flat_map(|piece| {
            let joined: String = piece.chars().filter(char::is_ascii_digit).collect();
            let apart = piece
                .split(|c: char| !c.is_ascii_digit())
                .map(str::to_owned);
            apart.chain([joined])
        })
        .find(|number| is_emergency(number))
}

/// 10.0.0.112 is no number that is dialled.
fn without_addresses(text: &str) -> String {
    text.split(|c: char| !c.is_ascii_digit() && c != '.')
        .filter(|word| word.parse::<Ipv4Addr>().is_ok())
        .fold(text.to_owned(), |text, address| text.replace(address, "_"))
}

fn is_emergency(number: &str) -> bool {
    let behind = |code: &str| {
        let rest = number.strip_prefix(code);
        // 8000 and 9000 are extensions everywhere; where 000 is dialled, the access code is 0.
        rest.is_some_and(|rest| {
            EMERGENCY.contains(&rest) && (rest != "000" || code.starts_with('0'))
        })
    };
    EMERGENCY.contains(&number) || ACCESS_CODES.iter().any(|code| behind(code))
}

fn is_trunk_shaped(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let by_name = |technology: &&str| {
        lower
            .strip_prefix(*technology)
            .is_some_and(|rest| rest.contains(['@', '/']))
    };
    TRUNK_SHAPES.iter().any(|shape| lower.contains(shape)) || BY_NAME.iter().any(by_name)
}

impl DialPattern {
    fn matches(&self, role: &Role) -> bool {
        let destination = match (&role.context, &role.application) {
            (_, Some(application)) => wildcard(&self.application, application),
            (Some(context), None) => {
                wildcard(&self.context, context)
                    && wildcard(&self.exten, role.exten.as_deref().unwrap_or_default())
            }
            (None, None) => false,
        };
        wildcard(&self.channel, &role.channel) && destination
    }

    fn opens_trunk_by_wildcard(&self, role: &Role) -> Option<String> {
        let parts = [
            (&self.channel, Some(&role.channel)),
            (&self.context, role.context.as_ref()),
        ];
        parts.into_iter().find_map(|(pattern, name)| {
            let name = name?;
            (is_trunk_shaped(name) && pattern.contains('*')).then(|| name.clone())
        })
    }
}

/// `*` stands for any run of characters; everything else for itself.
fn wildcard(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, rest)) => text.strip_prefix(head).is_some_and(|tail| {
            let ends = tail.char_indices().map(|(at, _)| at).chain([tail.len()]);
            ends.into_iter().any(|at| wildcard(rest, &tail[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(channel: &str, context: &str, exten: &str) -> Role {
        Role {
            channel: channel.to_owned(),
            context: Some(context.to_owned()),
            exten: Some(exten.to_owned()),
            ..Role::default()
        }
    }

    fn pattern(channel: &str, context: &str, exten: &str) -> DialPattern {
        DialPattern {
            channel: channel.to_owned(),
            context: context.to_owned(),
            exten: exten.to_owned(),
            application: String::new(),
        }
    }

    fn check(role: &Role, patterns: &[DialPattern], expected: Result<(), Forbidden>) {
        assert_eq!(permit(role, patterns), expected, "{role:?}");
    }

    #[test]
    fn without_a_pattern_no_call_is_permitted() {
        check(&role("Local/1@a", "a", "1"), &[], Err(Forbidden::NoPattern));
        check(
            &role("Local/1@b", "a", "1"),
            &[pattern("Local/*@a", "*", "*")],
            Err(Forbidden::NoPattern),
        );
        check(
            &role("Local/1@a", "a", "1"),
            &[pattern("Local/*@a", "*", "*")],
            Ok(()),
        );
    }

    #[test]
    fn no_pattern_opens_an_emergency_number() {
        let all = [pattern("*", "*", "*")];
        let by_channel = [
            "112", "911", "9-911", "9911", "9,911", "9w911", "0112", "00112", "8112", "0000",
            "+112", "(1)12", "1 1 2", "112#", "*112",
        ];
        let channels = by_channel.iter().flat_map(|number| {
            [
                format!("Local/{number}@a"),
                format!("PJSIP/{number}@trunk"),
                format!("SIP/provider/{number}"),
            ]
        });
        let others = [
            "DAHDI/g1/911",
            "DAHDI/1/w911",
            "PJSIP/trunk/sip:112@10.0.0.1",
            "IAX2/user:secret@host/999",
        ];
        for channel in channels.chain(others.map(str::to_owned)) {
            let called = permit(&role(&channel, "a", "1"), &all);
            assert!(
                matches!(called, Err(Forbidden::Emergency { .. })),
                "{channel}"
            );
        }
        for number in by_channel {
            let sent = permit(&role("Local/1@a", "a", number), &all);
            assert!(matches!(sent, Err(Forbidden::Emergency { .. })), "{number}");
        }
        let dials = Role {
            channel: "Local/1@a".to_owned(),
            application: Some("Dial".to_owned()),
            data: Some("PJSIP/0112@trunk,30".to_owned()),
            ..Role::default()
        };
        assert!(matches!(
            permit(&dials, &all),
            Err(Forbidden::Emergency { .. })
        ));
    }

    #[test]
    fn other_numbers_are_left_to_the_patterns() {
        let all = [pattern("*", "*", "*")];
        for channel in [
            "Local/8000@a",
            "Local/9000@a",
            "Local/1112@a",
            "Local/2911@a",
            "Local/1120@a",
            "Local/91120@a",
            "Local/100@a",
            "Local/108@a",
            "Local/01127@a",
            "Local/sip-10.0.0.112@a",
            "Local/7000-192.168.1.110@a",
        ] {
            check(&role(channel, "a", "1"), &all, Ok(()));
        }
    }

    #[test]
    fn a_trunk_needs_a_pattern_without_wildcard() {
        let trunk = role("PJSIP/100200@trunk_2", "from-internal", "100");
        let refused = Err(Forbidden::TrunkNeedsExactPattern {
            name: trunk.channel.clone(),
        });
        check(&trunk, &[pattern("PJSIP/*", "from-internal", "*")], refused);
        check(
            &trunk,
            &[pattern("PJSIP/100200@trunk_2", "from-internal", "*")],
            Ok(()),
        );
    }

    #[test]
    fn ways_out_of_a_pbx_are_known_by_their_shape() {
        for channel in [
            "DAHDI/g1/2001",
            "dahdi/1",
            "IAX2/peer/2001",
            "SIP/trunk-test1/2001",
            "SIP/provider/2001",
            "PJSIP/2001@provider",
            "PJSIP/provider/sip:2001@10.0.0.1",
            "Local/2001@outbound-allroutes",
            "Local/2001@outrt-1",
            "Dongle/g0/2001",
        ] {
            let called = role(channel, "a", "1");
            let name = channel.to_owned();
            let refused = Err(Forbidden::TrunkNeedsExactPattern { name });
            check(&called, &[pattern("*", "a", "1")], refused);
            check(&called, &[pattern(channel, "*", "*")], Ok(()));
        }
        for channel in [
            "PJSIP/2001",
            "SIP/2001",
            "Local/2001@internal",
            "Local/2001@from-internal/n",
        ] {
            check(&role(channel, "a", "1"), &[pattern("*", "a", "1")], Ok(()));
        }
        let context = role("PJSIP/2001", "from-trunk", "1");
        let name = "from-trunk".to_owned();
        let refused = Err(Forbidden::TrunkNeedsExactPattern { name });
        check(&context, &[pattern("*", "*", "*")], refused);
    }
}
