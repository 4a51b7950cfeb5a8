//! What the program says of itself.

use crate::desk::Desk;

#[test]
fn the_verbs_and_the_flags_of_load() {
    let desk = Desk::new();
    let told = desk.transcript(&["--help"]) + &desk.transcript(&["load", "--help"]);
    insta::assert_snapshot!(told);
}

#[test]
fn completions_name_the_verbs() {
    let ran = Desk::new().run(&["completions", "bash"]).check(0, "");
    assert!(ran.out.contains("doctor") && ran.out.contains("cleanup"));
}
