//! Plans: what a dry run says, and what it does not depend on.

use std::io::ErrorKind;
use std::net::TcpListener;

use crate::desk::{Desk, SMALL};
use crate::sim;

#[test]
fn a_plan_as_it_is_read() {
    let desk = Desk::new().with("small.toml", SMALL);
    insta::assert_snapshot!(desk.transcript(&["load", "small.toml", "--dry-run"]));
}

/// Each way to spread arrivals, as a scenario has it.
const SHAPES: [&str; 7] = [
    "constant = { rate = \"40/s\" }",
    "ramp = { from = \"0/s\", to = \"50/s\" }",
    "step = { from = \"10/s\", by = \"20/s\", every = \"250ms\", to = \"50/s\" }",
    "step = { from = \"40/s\", down-by = \"10/s\", every = \"250ms\" }",
    "poisson = { rate = \"40/s\" }",
    "burst = { size = 10, every = \"500ms\" }",
    "closed = { think = \"100ms\" }",
];

/// A desk with `small.toml`, which has these arrivals.
fn shaped(shape: &str) -> Desk {
    let scenario = SMALL.replace(SHAPES[0], shape);
    assert!(scenario.contains(shape));
    Desk::new().with("small.toml", &scenario)
}

#[test]
fn every_shape_is_read_in_a_plan() {
    let mut told = String::new();
    for shape in SHAPES {
        told.extend(["# ", shape, "\n"]);
        let ran = shaped(shape).run(&["load", "small.toml", "--dry-run"]);
        let lines = ran.check(0, "").out;
        for line in lines.lines() {
            if ["phase", "planned", "arrival", "sha256"]
                .iter()
                .any(|head| line.starts_with(head))
            {
                told.extend([line, "\n"]);
            }
        }
    }
    insta::assert_snapshot!(told);
}

#[test]
fn a_rate_is_the_peak_of_every_shape_that_has_one() {
    let mut told = String::new();
    for shape in &SHAPES[..5] {
        let ran = shaped(shape).run(&["load", "small.toml", "--rate", "100/s", "--dry-run"]);
        let out = ran.check(0, "").out;
        let phase = out.lines().find(|line| line.starts_with("phase"));
        told.extend([shape, "\n  ", phase.unwrap(), "\n"]);
    }
    insta::assert_snapshot!(told);
    shaped(SHAPES[5])
        .run(&["load", "small.toml", "--rate", "100/s", "--dry-run"])
        .check(
            2,
            "small.toml:10:11: --rate cannot scale a burst, which has a size and no rate",
        );
}

#[test]
fn a_warm_up_comes_first_and_keeps_its_length() {
    let desk = Desk::new().with("small.toml", SMALL);
    let args = [
        "load",
        "small.toml",
        "--warm-up",
        "3s",
        "-d",
        "2s",
        "--dry-run",
    ];
    insta::assert_snapshot!(desk.transcript(&args));
    let own = SMALL.replace("duration = \"1s\"", "duration = \"1s\"\nwarm-up = true");
    let both = own.clone() + "[[phase]]" + SMALL.rsplit_once("[[phase]]").unwrap().1;
    let both = both.replacen("\"steady\"", "\"warm\"", 1);
    let desk = desk.with("own.toml", &own).with("both.toml", &both);
    desk.run(&["load", "own.toml", "--dry-run"]).check(
        2,
        "own.toml:8:8: every phase is a warm-up: nothing would be measured",
    );
    let ran = desk
        .run(&["load", "both.toml", "-d", "2s", "--dry-run"])
        .check(0, "");
    assert!(ran.out.contains("warm-up  warm: 1s, ") && ran.out.contains("phase    steady: 2s, "));
    desk.run(&["load", "both.toml", "--warm-up", "1s", "--dry-run"])
        .check(
            2,
            "--warm-up is for a scenario without a warm-up of its own",
        );
}

#[test]
fn segments_share_one_plan_and_add_up_to_it() {
    for shape in SHAPES {
        let desk = shaped(shape);
        let told = |args: &[&str]| {
            let all = [&["load", "small.toml", "-s", "24", "--dry-run"], args].concat();
            desk.run(&all).check(0, "").out
        };
        let line = |out: &str, head: &str| {
            let found = out.lines().find(|line| line.starts_with(head));
            found.map(|line| line[9..].to_owned())
        };
        let whole = told(&[]);
        let number = |text: String| text.split(' ').next().unwrap().parse::<u64>().unwrap();
        let planned = line(&whole, "planned").map_or(0, number);
        let (mut arrivals, mut sessions) = (0, 0);
        for segment in 1..=4 {
            let out = told(&["--segment", &format!("{segment}/4"), "--workers", "3"]);
            assert_eq!(line(&out, "sha256"), line(&whole, "sha256"));
            let own = line(&out, "segment").unwrap();
            let (_, own) = own.split_once(": ").unwrap();
            let (of_sessions, of_arrivals) = own.split_once(" sessions on each target, ").unwrap();
            arrivals += number(of_arrivals.to_owned());
            sessions += number(of_sessions.to_owned());
        }
        assert_eq!((arrivals, sessions), (planned, 24), "{shape}");
    }
}

#[test]
fn the_plan_depends_on_the_load_and_not_on_the_workers() {
    let desk = Desk::new();
    let sha256 = |args: &[&str]| {
        let all = [&["load", "quickstart", "--dry-run"], args].concat();
        let ran = desk.run(&all).check(0, "");
        ran.out.lines().last().unwrap().to_owned()
    };
    let plan = sha256(&[]);
    assert!(plan.starts_with("sha256"), "{plan}");
    for workers in ["1", "2", "7"] {
        assert_eq!(sha256(&["--workers", workers]), plan);
    }
    let others: [&[&str]; 4] = [
        &["--seed", "8"],
        &["--rate", "106/s"],
        &["-s", "99"],
        &["-d", "19s"],
    ];
    for other in others {
        assert_ne!(sha256(other), plan, "{other:?}");
    }
}

#[test]
fn a_dry_run_sends_nothing_and_leaves_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let desk = Desk::new().with("small.toml", SMALL).with(
        "pbx.toml",
        &sim::target(&listener.local_addr().unwrap().to_string()),
    );
    desk.run(&["load", "small.toml", "-t", "pbx.toml", "--dry-run"])
        .check(0, "");
    assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
    assert!(!desk.path("results").exists());
}
