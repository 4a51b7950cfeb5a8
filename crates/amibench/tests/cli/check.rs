//! Recorded sessions from outside: verdicts, exit codes, and what is written.

use crate::desk::Desk;

const SOUND: &str = "{\"amibench_transcript\":2,\"target\":\"t\"}\n[0,0,\"!\",\"open\"]\n\
    [0.1,0,\"S\",\"Asterisk Call Manager/5.0.1\\r\\n\"]\n[0.2,0,\"C\",\"Action: Ping\\r\\nActionID: 1\\r\\nSecret: x\\r\\n\\r\\n\"]\n\
    [0.3,0,\"S\",\"Response: Success\\r\\nActionID: 1\\r\\nPing: Pong\\r\\n\\r\\n\"]\n";

#[test]
fn a_sound_session_holds_and_another_fails_with_its_bytes() {
    let wrong = SOUND.replace("ActionID: 1\\r\\nPing", "ActionID: 2\\r\\nPing");
    let desk = Desk::new().with("sound", SOUND).with("wrong", &wrong);
    let ran = desk.run(&["check", "sound"]).check(0, "");
    assert!(
        ran.out
            .contains("pass            action-id.echo.every-answer"),
        "{ran:?}"
    );
    assert!(ran.out.contains("0 fail"), "{ran:?}");
    let ran = desk
        .run(&["check", "sound", "wrong", "--out", "run"])
        .check(1, "");
    assert!(ran.out.contains("bytes 29..75 of the PBX:"), "{ran:?}");
    let rows = std::fs::read_to_string(desk.path("run/judgements.jsonl")).unwrap();
    let row = rows.lines().find(|row| row.contains("\"fail\"")).unwrap();
    assert!(row.contains("ActionID: 2"), "{row}");
}

#[test]
fn what_cannot_be_read_or_judged_is_told_apart() {
    let desk = Desk::new()
        .with("empty", "")
        .with("torn", &SOUND[..120])
        .with("other", "hello\n");
    desk.run(&["check", "empty"]).check(4, "");
    desk.run(&["check", "torn"])
        .check(2, "torn: failed to read a transcript: line ");
    desk.run(&["check", "other"])
        .check(2, "other: failed to recognise it");
    desk.run(&["check", "none"]).check(2, "failed to open none");
    desk.run(&["check", "empty", "--only", "banner.lin"])
        .check(2, "banner.line");
}
