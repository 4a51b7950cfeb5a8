//! A secret goes to the PBX and nowhere else: not to a terminal, not to a log, not to a file.

use crate::desk::{Desk, Ran, SMALL};
use crate::sim::{SECRET, Sim};

fn check(name: &str, text: &[u8]) {
    let found = text
        .windows(SECRET.len())
        .any(|window| window == SECRET.as_bytes());
    assert!(!found, "{name} has the secret");
}

/// Also when everything is logged, with both login forms, and when it is the wrong one.
#[test]
fn the_secret_is_in_no_output_and_in_no_file() {
    let desk = Desk::new().with("small.toml", SMALL).with("secret", SECRET);
    let sim = Sim::start(&desk);
    let plain = format!("login = \"plain\"\n{}", sim.target());
    let other_account = sim.target().replace("\"bench\"", "\"nobody\"");
    let desk = desk
        .with("md5.toml", &sim.target())
        .with("plain.toml", &plain)
        .with("refused.toml", &other_account);
    let commands = [
        "load small.toml -t md5.toml --records --out run-md5",
        "load small.toml -t plain.toml --records --out run-plain",
        "load small.toml -t refused.toml --out run-refused",
        "load small.toml -t md5.toml --dry-run",
        "doctor md5.toml plain.toml",
        "doctor refused.toml",
        "report run-md5",
        "record -t md5.toml -d 100ms -o md5.ami.jsonl",
        "record -t plain.toml -d 100ms -o plain.ami.jsonl",
        "cleanup --run run-md5 -t md5.toml",
        "cleanup --run run-md5 -t refused.toml",
    ];
    for command in commands {
        let words: Vec<&str> = "-vv".split(' ').chain(command.split(' ')).collect();
        let mut logged = desk.command(&words);
        logged.env("AMIBENCH_LOG", "trace");
        let Ran { out, err, .. } = crate::desk::ran(logged);
        check(&format!("{command}: output"), out.as_bytes());
        check(&format!("{command}: errors"), err.as_bytes());
    }
    for name in ["md5.ami.jsonl", "plain.ami.jsonl"] {
        check(name, &std::fs::read(desk.path(name)).unwrap());
    }
    for run in ["run-md5", "run-plain"] {
        for (path, bytes) in desk.files(run) {
            check(&path.display().to_string(), &bytes);
        }
    }
}
