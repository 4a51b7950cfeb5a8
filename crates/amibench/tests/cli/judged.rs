//! Judgements from the run to every report: what `conform` leaves, and what `report` makes of it again.

use crate::desk::Desk;

const JUDGE: [&str; 8] = [
    "conform",
    "--target",
    "sim-asterisk-22",
    "--only",
    "banner,auth.login",
    "--quiet",
    "--out",
    "one",
];

fn names(desk: &Desk, folder: &str) -> Vec<String> {
    let files = desk.files(folder).into_iter();
    let mut names: Vec<String> = files
        .map(|(path, _)| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn a_run_leaves_its_reports_and_they_can_be_made_again() {
    let desk = Desk::new();
    let ran = desk.run(&JUDGE).check(0, "");
    assert!(ran.out.contains("HOLDS  sim-asterisk-22"), "{ran:?}");
    let left = [
        "judgements.jsonl",
        "junit.xml",
        "matrix.html",
        "report.md",
        "transcript.ami.jsonl",
    ];
    assert_eq!(names(&desk, "one"), left);
    let before = desk.files("one");
    let again = desk.run(&["report", "one", "--show-all"]).check(0, "");
    assert!(again.out.contains("✓ banner.line.present"), "{again:?}");
    assert_eq!(desk.files("one"), before);
    let printed = desk
        .run(&["report", "one", "--format", "junit"])
        .check(0, "");
    let junit = std::fs::read_to_string(desk.path("one/junit.xml")).unwrap();
    assert_eq!(printed.out, junit);
    assert!(!junit.contains("127.0.0.1"), "{junit}");
    let raw = desk
        .run(&["report", "one", "--format", "html", "--raw"])
        .check(0, "");
    assert!(
        raw.out.contains("127.0.0.1") && raw.out.contains("RAW:"),
        "{raw:?}"
    );
}

#[test]
fn several_runs_make_one_matrix() {
    let desk = Desk::new();
    desk.run(&JUDGE).check(0, "");
    let mut other = JUDGE;
    other[2] = "sim-ucm6xxx";
    other[7] = "two";
    desk.run(&other).check_any(&[0, 1, 4], "");
    let made = [
        "report", "one", "two", "--format", "html,csv", "--out", "both",
    ];
    desk.run(&made).check(0, "");
    assert_eq!(names(&desk, "both"), ["judgements.csv", "matrix.html"]);
    let page = std::fs::read_to_string(desk.path("both/matrix.html")).unwrap();
    assert!(page.contains("sim-asterisk-22, sim-ucm6xxx"));
    let printed = desk.run(&["report", "one", "two"]).check(0, "");
    assert!(printed.out.contains("sim-ucm6xxx: "), "{printed:?}");
}

#[test]
fn what_cannot_be_made_says_why() {
    let desk = Desk::new();
    desk.run(&JUDGE).check(0, "");
    for (args, expected) in [
        (
            &["report", "one", "--format", "svg"][..],
            "there is no `svg` of judgements, only text, markdown, json, junit, csv, html",
        ),
        (
            &["report", "one", "nowhere"],
            "several runs make one matrix of judgements, and nowhere holds none",
        ),
        (
            &["report", "one", "one", "--format", "csv,html"],
            "say with --out where the files of several runs go",
        ),
        (
            &["report", "nowhere", "--format", "html"],
            "there is no `html` of a load",
        ),
    ] {
        desk.run(args).check(2, expected);
    }
    let path = desk.path("one/judgements.jsonl");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(
        &path,
        text.replacen("\"state\":\"pass\"", "\"state\":\"fine\"", 1),
    )
    .unwrap();
    desk.run(&["report", "one"])
        .check(2, "judgements.jsonl, line 4: unknown variant `fine`");
}
