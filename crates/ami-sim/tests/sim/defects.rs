//! Every defect changes what a client sees that looks where its check looks; a sound PBX is the same each time.

use ami_sim::Defect;

use crate::scene::{Scene, script};

/// What they change is not simulated yet.
const AWAIT_THE_MODEL: [&str; 0] = [];

fn seen(check: &str, defect: Option<Defect>) -> Vec<String> {
    let mut scene = Scene::new(check, defect);
    script(check)(&mut scene);
    scene.log
}

#[test]
fn every_defect_changes_what_a_session_sees() {
    let mut sound: Vec<(&str, Vec<String>)> = Vec::new();
    let mut wrong = Vec::new();
    for defect in Defect::all() {
        let check = defect.check();
        let usual = match sound.iter().find(|(known, _)| *known == check) {
            Some((_, log)) => log.clone(),
            None => {
                let log = seen(check, None);
                assert_eq!(
                    log,
                    seen(check, None),
                    "{check}: a sound PBX is the same twice"
                );
                sound.push((check, log.clone()));
                log
            }
        };
        let changes = seen(check, Some(defect)) != usual;
        if changes == AWAIT_THE_MODEL.contains(&defect.name()) {
            wrong.push(defect.name());
        }
    }
    assert!(
        wrong.is_empty(),
        "these change nothing, or no longer await the model: {wrong:?}"
    );
}

#[test]
fn two_defects_act_side_by_side() {
    let mut scene = Scene::new("list.count", None);
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
