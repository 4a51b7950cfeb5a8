//! A defect that no conformance case sees yet changes what a session sees; a sound PBX is the same each time.

use std::time::Duration;

use ami_sim::{Defect, Fault};

use crate::talk::{Talk, lines};

/// What two sessions hear until the PBX restarts, with that defect or without.
fn seen(defect: Option<Defect>) -> [String; 2] {
    let mut talk = Talk::with("asterisk-22");
    if let Some(defect) = defect {
        talk.exchange.spoil(defect);
    }
    let keys = [talk.login("Events: on"), talk.login("Events: user,system")];
    let restart = Fault::named("restart.once").unwrap();
    talk.exchange.plant(restart.planted());
    talk.send(keys[0], &["Action: UserEvent", "UserEvent: Mark"]);
    talk.pass(Duration::from_secs(1));
    keys.map(|key| talk.hear(key).text())
}

#[test]
fn defects_without_a_case_change_what_a_session_sees() {
    let usual = seen(None);
    assert_eq!(usual, seen(None), "a sound PBX is the same twice");
    let idle: Vec<&str> = Defect::all()
        .filter(|defect| defect.case().is_none() && seen(Some(*defect)) == usual)
        .map(Defect::name)
        .collect();
    assert!(idle.is_empty(), "these change nothing: {idle:?}");
}

#[test]
fn two_defects_act_side_by_side() {
    let mut talk = Talk::with("asterisk-22");
    for name in ["list.items.count-wrong", "actionid.list.missing"] {
        talk.exchange.spoil(name.parse().unwrap());
    }
    let key = talk.login("Events: off");
    let list = talk.ask(key, &["Action: CoreShowChannels", "ActionID: 1"]);
    let complete = lines(&list).pop().unwrap();
    assert_eq!(
        complete,
        "Event: CoreShowChannelsComplete | EventList: Complete | ListItems: 1"
    );
}
