//! What may be done to the target, from its file alone: the roles it maps, each against the dial patterns, and the limits.

use ami_client::Target;
use ami_client::dial::{Forbidden, permit};
use ami_client::target::Role;

use super::Purpose;
use super::page::Finding;
use crate::exit_code::Exit;

pub(super) fn roles(target: &Target) -> Vec<Finding> {
    let roles = target.roles.iter();
    roles
        .map(|(name, role)| of_role(name, role, target))
        .collect()
}

pub(super) fn limits(target: &Target, purpose: Purpose) -> Finding {
    too_low(target, purpose).unwrap_or_else(|| permitted(target, purpose))
}

/// What the target permits, where that is less than what the purpose cannot do without.
fn too_low(target: &Target, purpose: Purpose) -> Option<Finding> {
    let (limits, needs) = (&target.limits, purpose.needs());
    let table = [
        ("max_sessions", limits.max_sessions, needs.sessions),
        (
            "max_actions_per_s",
            limits.max_actions_per_s,
            needs.actions_per_s,
        ),
    ];
    let (key, permitted, needed) = table.into_iter().find(|(_, has, needs)| has < needs)?;
    let fact = format!("{key} permits {permitted}, and {purpose} needs {needed}");
    let found = Finding::mend("limits", fact, Exit::BadInput).caused_by("limits");
    Some(found.advise(format!("raise `{key}` under [limits] in {}", target.origin)))
}

fn permitted(target: &Target, purpose: Purpose) -> Finding {
    let limits = &target.limits;
    let quiet = format!(
        "{} sessions, {} actions/s",
        limits.max_sessions, limits.max_actions_per_s
    );
    if !purpose.calls() {
        return Finding::good("limits", quiet);
    }
    if target.dial.is_empty() {
        return Finding::note("limits", format!("{quiet}, no calls")).advise(format!(
            "a [[limits.dial]] in {} permits some",
            target.origin
        ));
    }
    let calls = format!(
        "{} calls/s, {} calls up, {} calls in all",
        limits.max_calls_per_s, limits.max_calls_up, limits.max_calls_total
    );
    Finding::good("limits", format!("{quiet}, {calls}"))
}

fn of_role(name: &str, role: &Role, target: &Target) -> Finding {
    let leads_to = match &role.application {
        Some(application) => application.clone(),
        None => format!(
            "{}@{}",
            role.exten.as_deref().unwrap_or_default(),
            role.context.as_deref().unwrap_or_default()
        ),
    };
    let fact = format!("{} → {leads_to}", role.channel);
    let subject = format!("role {name}");
    let mend = |why: &str| {
        Finding::mend(&subject, format!("{fact}: {why}"), Exit::BadInput).caused_by("dial")
    };
    let origin = &target.origin;
    match permit(role, &target.dial) {
        Ok(()) => Finding::good(&subject, format!("{fact}, permitted")),
        Err(Forbidden::NoPattern) => mend("not permitted")
            .advise(format!("add a [[limits.dial]] that matches it to {origin}")),
        Err(Forbidden::TrunkNeedsExactPattern { name }) => mend("leads out of the PBX").advise(
            format!("only a [[limits.dial]] with {name:?} and no `*` opens it, in {origin}"),
        ),
        Err(Forbidden::Emergency { number }) => mend(&format!(
            "{number} is an emergency number, which no test may dial"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ami_client::Document;
    use std::path::Path;

    fn check(dial: &str, channel: &str, expected: Option<&str>) {
        let text = format!(
            "address = \"pbx\"\naccount = \"qa\"\n{dial}\n[roles.answers]\nchannel = \"{channel}\"\ncontext = \"a\"\nexten = \"1\"\n"
        );
        let document = Document::embedded("pbx", Path::new(""), &text);
        let target = Target::parse("pbx", &document).unwrap();
        let found = &roles(&target)[0];
        let fact = format!("{channel} → 1@a");
        let good = Finding::good("role answers", format!("{fact}, permitted"));
        match expected {
            None => assert_eq!(*found, good),
            Some(why) => assert!(format!("{found:?}").contains(why), "{found:?}"),
        }
    }

    #[test]
    fn each_role_is_held_against_the_patterns() {
        let all = "[[limits.dial]]\nchannel = \"*\"";
        check("", "Local/1000@a", Some("not permitted"));
        check(all, "Local/1000@a", None);
        check(all, "PJSIP/1000@trunk", Some("leads out of the PBX"));
        check(all, "Local/112@a", Some("112 is an emergency number"));
    }

    #[test]
    fn a_limit_below_what_the_purpose_needs_is_named() {
        let text = "address = \"pbx\"\naccount = \"qa\"\n[limits]\nmax_sessions = 4";
        let document = Document::embedded("pbx", Path::new(""), text);
        let target = Target::parse("pbx", &document).unwrap();
        let said = |purpose| format!("{:?}", limits(&target, purpose));
        assert!(said(Purpose::Conform).contains("max_sessions permits 4, and conform needs 5"));
        assert!(!said(Purpose::Snapshot).contains("Mend"));
    }
}
