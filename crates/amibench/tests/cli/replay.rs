//! Recorded sessions sent again: to the same PBX, to a worse one, to one in production, and to the recording itself.

use std::path::Path;

use ami_proto::transcript::{Transcript, What};

use crate::desk::{Desk, Ran};
use crate::sim::{self, SECRET, Sim};

/// A real session, from the corpora.
fn captured(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpora/transcripts");
    std::fs::read_to_string(folder.join(name).with_extension("ami.jsonl")).unwrap()
}

fn desk(capture: &str) -> Desk {
    Desk::new()
        .with("capture", &captured(capture))
        .with("secret", SECRET)
}

fn replay(desk: &Desk, target: &str, more: &[&str]) -> Ran {
    let mut args = vec![
        "replay",
        "capture",
        "-t",
        target,
        "--longest-pause",
        "200ms",
    ];
    args.extend(more);
    desk.run(&args)
}

const CALLS: [&str; 2] = ["--allow", "originates-call,creates-state"];

/// What was sent in a run, in order.
fn sent(desk: &Desk, run: &str) -> String {
    let text = std::fs::read_to_string(desk.path(run).join("transcript.ami.jsonl")).unwrap();
    let transcript = Transcript::parse(&text).unwrap();
    let chunks = transcript
        .entries
        .iter()
        .filter_map(|entry| match &entry.what {
            What::Client(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
            _ => None,
        });
    chunks.collect()
}

#[test]
fn a_call_is_made_again_under_new_names_and_nothing_is_different() {
    let desk = desk("asterisk-16.28.0/variables");
    let mut args = CALLS.to_vec();
    args.extend(["--show-all", "--out", "run"]);
    let ran = replay(&desk, "sim-asterisk-16", &args).check(0, "");
    for action in ["originate", "setvar", "getvar", "hangup"] {
        let passes = format!("✓ replay.answer.{action}");
        assert!(ran.out.contains(&passes), "{action}: {ran:?}");
    }
    let sent = sent(&desk, "run");
    // Only what the recorded client said of its call, and never its names.
    assert!(!sent.contains("parity-1"), "{sent}");
    let id = sent.split("ChannelId: ").nth(1).unwrap();
    let id = id.split("\r\n").next().unwrap();
    assert!(sent.contains("Action: Setvar\r\nActionID: "), "{sent}");
    assert!(
        sent.contains(&format!("Channel: {id}\r\nVariable: B\r\n")),
        "{sent}"
    );
    assert!(sent.contains("Variable: TIMEOUT(absolute)="), "{sent}");
    assert!(!sent.contains("Variable: PARITY\r\nValue"), "{sent}");
}

#[test]
fn what_another_version_and_a_defect_change_is_named() {
    let desk = desk("asterisk-16.28.0/lists-idle");
    let ran = replay(&desk, "sim-asterisk-22", &[]).check(1, "");
    assert!(ran.out.contains("✗ replay.answer.corestatus"), "{ran:?}");
    assert!(
        ran.out.contains("`CoreProcessedCalls` in the answer"),
        "{ran:?}"
    );

    // One that was recorded by ourselves.
    let desk = Desk::new().with("secret", SECRET);
    let record = [
        "record",
        "-t",
        "sim-asterisk-22",
        "-o",
        "capture",
        "-d",
        "1ms",
        "--action",
    ];
    desk.run(&[&record[..], &["CoreShowChannels"]].concat())
        .check(0, "");
    replay(&desk, "sim-asterisk-22", &["--out", "sound"]).check(0, "");
    let wrong = Sim::of(
        &desk,
        &[
            "--profile",
            "asterisk-22",
            "--defect",
            "list.complete.missing",
        ],
    );
    let desk = desk.with("wrong.toml", &wrong.target());
    let ran = replay(&desk, "wrong.toml", &["--out", "run"]).check(1, "");
    assert!(ran.out.contains("no end of a list"), "{ran:?}");
    let again = desk.run(&["report", "run"]).check(0, "");
    assert!(again.out.contains("FAILS  wrong"), "{again:?}");
    for report in ["junit.xml", "report.md", "matrix.html"] {
        let text = std::fs::read_to_string(desk.path("run").join(report)).unwrap();
        assert!(text.contains("replay.answer."), "{report}");
    }
}

#[test]
fn a_pbx_in_production_is_only_told_of() {
    let desk = desk("asterisk-22.10.1/lists-idle");
    let pbx = Sim::start(&desk);
    let production = format!("environment = \"production\"\n{}", pbx.target());
    let desk = desk.with("pbx.toml", &production);
    let ran = replay(&desk, "pbx.toml", &["--out", "run"]).check(0, "");
    assert!(ran.out.contains("nothing was sent"), "{ran:?}");
    assert!(!desk.path("run").exists());
    replay(&desk, "pbx.toml", &["--confirm", "pbx", "--out", "run"]).check(0, "");
    assert!(sent(&desk, "run").contains("Action: CoreShowChannels"));
}

#[test]
fn what_is_not_permitted_is_not_sent_and_says_why() {
    let desk = desk("asterisk-22.10.1/variables");
    let ran = replay(&desk, "sim-asterisk-22", &["--out", "run", "--show-all"]).check(0, "");
    assert!(ran.out.contains("needs --allow originates-call"), "{ran:?}");
    assert!(!sent(&desk, "run").contains("Originate"));

    let listed = replay(&desk, "sim-asterisk-22", &["--dry-run"])
        .check(0, "")
        .out;
    assert!(
        listed.contains("not sent: Originate: needs --allow"),
        "{listed}"
    );

    // A role that no pattern of the target opens.
    let elsewhere = desk.with(
        "capture",
        &captured("asterisk-22.10.1/variables").replace("answer@amibench", "answer@outside"),
    );
    let ran = replay(
        &elsewhere,
        "sim-asterisk-22",
        &["--dry-run", CALLS[0], CALLS[1]],
    );
    let listed = ran.check(0, "").out;
    assert!(
        listed.contains("no pattern of `limits.dial` permits it"),
        "{listed}"
    );
}

#[test]
fn extensions_are_mapped_and_an_emergency_number_is_never_dialled() {
    let desk = desk("asterisk-22.10.1/originate-answer");
    let dry = |map: &str| {
        let args = ["--dry-run", CALLS[0], CALLS[1], "--map-exten", map];
        replay(&desk, "sim-asterisk-22", &args).check(0, "").out
    };
    let mapped = dry("answer=busy");
    assert!(
        mapped.contains("Originate, Channel: Local/busy@amibench"),
        "{mapped}"
    );
    let emergency = dry("answer=112");
    assert!(
        emergency.contains("112 is an emergency number"),
        "{emergency}"
    );
    let bad = ["--map-exten", "1=2\r\nAction: x"];
    replay(&desk, "sim-asterisk-22", &bad).check(2, "old=new");
}

#[test]
fn what_cannot_be_sent_at_all_is_told_apart() {
    let silent = "{\"amibench_transcript\":2,\"target\":\"t\"}\n";
    let desk = Desk::new().with("capture", silent).with("secret", SECRET);
    replay(&desk, "sim-asterisk-22", &[]).check(4, "nothing of this recording would be sent");
    let desk = self::desk("asterisk-22.10.1/login-refused");
    replay(&desk, "sim-asterisk-22", &[]).check(4, "nothing of this recording would be sent");
    let desk =
        self::desk("asterisk-22.10.1/lists-idle").with("gone.toml", &sim::target("127.0.0.1:1"));
    replay(&desk, "gone.toml", &["--out", "run"]).check(3, "gone: ");
    desk.run(&["replay", "none", "-t", "sim-asterisk-22"])
        .check(2, "failed to open none");
}

/// A PBX that is the recording answers as the recording.
#[test]
fn a_recording_answers_itself() {
    for capture in [
        "asterisk-22.10.1/lists-idle",
        "asterisk-22.10.1/variables",
        "asterisk-16.28.0/originate-answer",
        "yeastar-s-13.7.0/login",
    ] {
        let desk = desk(capture);
        let pbx = Sim::of(&desk, &["--replay", "capture"]);
        let desk = desk.with("pbx.toml", &pbx.target());
        let mut args = CALLS.to_vec();
        args.extend(["--out", "run", "--show-all"]);
        let ran = replay(&desk, "pbx.toml", &args);
        assert!(ran.code == 0, "{capture}: {ran:?}");
        assert!(ran.out.contains("replay.answer."), "{capture}: {ran:?}");
    }
}

#[test]
fn a_recording_without_a_pbx_answers_nobody() {
    let silent = "{\"amibench_transcript\":2,\"target\":\"t\"}\n";
    let desk = Desk::new().with("silent", silent);
    let silent = desk.run(&["sim", "--replay", "silent"]);
    silent.check(4, "no PBX says anything in it");
    desk.run(&[
        "sim",
        "--replay",
        "silent",
        "--defect",
        "list.complete.missing",
    ])
    .check(2, "cannot be used with");
}
