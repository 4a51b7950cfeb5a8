//! Which calls a target permits: patterns for Channel and destination, and the numbers that no pattern opens.

use serde::Deserialize;

use crate::target::Role;

/// Numbers that reach emergency services somewhere; a test must never dial one, whatever the patterns say. 100 to 108
/// are such numbers too in some countries, but also the first extensions of most PBXs: these are left to the patterns.
const EMERGENCY: [&str; 12] = [
    "000", "110", "111", "112", "113", "115", "117", "118", "119", "120", "911", "999",
];

/// Channel technologies and name parts that lead outside a PBX; only a pattern without `*` opens them.
const TRUNK_SHAPES: [&str; 8] = [
    "trunk",
    "dahdi/",
    "iax2/",
    "outbound",
    "outrt",
    "from-trunk",
    "/g0/",
    "callout",
];

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Forbidden {
    Emergency { number: String },
    NoPattern,
    TrunkNeedsExactPattern { name: String },
}

/// Checks a role against the patterns of its target.
pub fn permit(role: &Role, patterns: &[DialPattern]) -> Result<(), Forbidden> {
    for number in role.numbers() {
        if EMERGENCY.contains(&number) {
            return Err(Forbidden::Emergency {
                number: number.to_owned(),
            });
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
            let lower = name.to_ascii_lowercase();
            let trunk = TRUNK_SHAPES.iter().any(|shape| lower.contains(shape));
            (trunk && pattern.contains('*')).then(|| name.clone())
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
        for bad in [
            role("Local/112@a", "a", "1"),
            role("Local/1@a", "a", "911"),
            role("PJSIP/999", "a", "1"),
        ] {
            assert!(
                matches!(permit(&bad, &all), Err(Forbidden::Emergency { .. })),
                "{bad:?}"
            );
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
}
