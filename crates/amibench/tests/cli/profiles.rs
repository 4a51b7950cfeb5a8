//! The simulated PBXs as the command line offers them.

use ami_sim::Profile;

use crate::desk::Desk;

#[test]
fn the_list_names_every_pbx_and_what_stands_behind_it() {
    let listed = Desk::new().run(&["sim", "--list"]).check(0, "").out;
    for name in Profile::names() {
        assert!(listed.contains(&format!("\n  {name} ")), "{name}: {listed}");
    }
    let captured = listed.lines().find(|line| line.contains(" asterisk-13 "));
    assert!(captured.unwrap().ends_with(" captured"), "{listed}");
}

#[test]
fn every_value_is_explained() {
    let desk = Desk::new();
    for name in Profile::names() {
        let told = desk.run(&["sim", "--explain", name]).check(0, "").out;
        let profile = Profile::named(name).unwrap();
        for line in [
            format!("\n  banner = \"{}\"\n", profile.banner),
            format!("\n  port = {}\n", profile.port),
            "\n  commands.Login = \"".to_owned(),
            "\n  extension = {".to_owned(),
        ] {
            assert!(told.contains(&line), "{name}: {line:?}");
        }
    }
    let told = desk.run(&["sim", "--explain", "ucm6xxx"]).check(0, "").out;
    let head = "\ndocumented: the guide's table of settings\n  port = 7777\n  tls_port = 5039\n";
    assert!(told.contains(head), "{told}");
    desk.run(&["sim", "--explain", "stock"]).check(2, "");
}

#[test]
fn every_pbx_has_a_target_that_takes_the_quickstart() {
    let targets = Profile::names().flat_map(|name| ["-t".to_owned(), format!("sim-{name}")]);
    let targets: Vec<String> = targets.collect();
    let mut args = vec!["load", "quickstart", "-d", "1s", "--rate", "60/s", "-q"];
    args.extend(targets.iter().map(String::as_str));
    let ran = Desk::new().run(&args);
    assert!(
        [0, 4].contains(&ran.code),
        "a busy machine may be late: {ran:?}"
    );
    let thresholds = 3 * Profile::names().count();
    let held = format!("{thresholds} of {thresholds} thresholds held");
    assert!(ran.out.contains(&held), "{ran:?}");
}
