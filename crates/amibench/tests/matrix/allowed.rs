//! What cases send stands on a list, and each safety class keeps to its part of it.

use ami_conform::allowed::{ACTIONS, class_of};
use ami_conform::case::Safety;
use ami_conform::suite::Selection;

use crate::pbx;

/// What a simulated PBX was asked in a run that allowed these classes.
fn asked(allow: &[Safety]) -> Vec<String> {
    let selection = Selection {
        allow: allow.iter().copied().collect(),
        ..Selection::default()
    };
    let mut simulator = None;
    pbx::judge(
        "asterisk-22",
        |judged| simulator = Some(judged.clone()),
        &selection,
    );
    let counters = simulator.expect("one was judged").counters();
    let actions = counters.actions.keys().cloned();
    actions.filter(|name| name != "unknown").collect()
}

#[test]
fn each_class_sends_only_what_it_may() {
    for allow in Safety::ALL {
        let asked = asked(&[*allow]);
        let may = |action: &&String| class_of(action).is_some_and(|class| class <= *allow);
        let others: Vec<&String> = asked.iter().filter(|action| !may(action)).collect();
        assert!(others.is_empty(), "--allow {allow} sends {others:?}");
    }
}

#[test]
fn what_is_listed_is_sent_by_some_case() {
    let asked = asked(Safety::ALL);
    let profile = ami_sim::Profile::named("asterisk-22").unwrap();
    let listed = profile.commands.names().map(str::to_owned);
    let listed: Vec<String> = listed.collect();
    let idle =
        |name: &&str| listed.iter().any(|one| one == name) && !asked.iter().any(|one| one == name);
    let idle: Vec<&str> = ACTIONS.iter().map(|(name, _)| *name).filter(idle).collect();
    assert!(idle.is_empty(), "no case sends {idle:?}");
}
