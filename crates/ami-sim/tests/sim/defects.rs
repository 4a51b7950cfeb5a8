//! A defect that no conformance case sees yet changes what a session sees; a sound PBX is the same each time.

use ami_sim::Defect;

use crate::scene::{Scene, script};

/// What the conversation for that defect shows, with it or without.
fn seen(name: &str, defect: Option<Defect>) -> Vec<String> {
    let mut scene = Scene::new(name, defect);
    script(name)(&mut scene);
    scene.log
}

#[test]
fn defects_without_a_case_change_what_a_session_sees() {
    let mut wrong = Vec::new();
    for defect in Defect::all().filter(|defect| defect.case().is_none()) {
        let name = defect.name();
        let usual = seen(name, None);
        assert_eq!(
            usual,
            seen(name, None),
            "{name}: a sound PBX is the same twice"
        );
        if seen(name, Some(defect)) == usual {
            wrong.push(name);
        }
    }
    assert!(wrong.is_empty(), "these change nothing: {wrong:?}");
}

#[test]
fn two_defects_act_side_by_side() {
    let mut scene = Scene::new("list.items.count-wrong", None);
    for name in ["list.items.count-wrong", "actionid.list.missing"] {
        scene.talk.exchange.spoil(name.parse().unwrap());
    }
    let key = scene.login("bench", "Events: off");
    let list = scene
        .talk
        .ask(key, &["Action: CoreShowChannels", "ActionID: 1"]);
    let complete = crate::talk::lines(&list).pop().unwrap();
    assert_eq!(
        complete,
        "Event: CoreShowChannelsComplete | EventList: Complete | ListItems: 1"
    );
}
