//! Recorded sessions from outside: verdicts, exit codes, and what is written.

use crate::desk::Desk;

const SOUND: &str = "{\"amibench_transcript\":2,\"target\":\"t\"}\n[0,0,\"!\",\"open\"]\n\
    [0.1,0,\"S\",\"Asterisk Call Manager/5.0.1\\r\\n\"]\n[0.2,0,\"C\",\"Action: Ping\\r\\nActionID: 1\\r\\nSecret: x\\r\\n\\r\\n\"]\n\
    [0.3,0,\"S\",\"Response: Success\\r\\nActionID: 1\\r\\nPing: Pong\\r\\n\\r\\n\"]\n";

#[test]
fn a_sound_session_holds_and_another_fails_with_its_bytes() {
    let wrong = SOUND.replace("ActionID: 1\\r\\nPing", "ActionID: 2\\r\\nPing");
    let desk = Desk::new().with("sound", SOUND).with("wrong", &wrong);
    let ran = desk.run(&["check", "sound", "--show-all"]).check(0, "");
    assert!(ran.out.contains("✓ action-id.echo.every-answer"), "{ran:?}");
    assert!(ran.out.contains("HOLDS  sound: 0 fail"), "{ran:?}");
    let ran = desk
        .run(&["check", "sound", "wrong", "--out", "run"])
        .check(1, "");
    assert!(
        ran.out.contains("FAILS  wrong") && ran.out.contains("PBX, bytes 29"),
        "{ran:?}"
    );
    let rows = std::fs::read_to_string(desk.path("run/judgements.jsonl")).unwrap();
    let row = rows.lines().find(|row| row.contains("\"fail\"")).unwrap();
    assert!(row.contains("ActionID: 2"), "{row}");
    for report in ["run/junit.xml", "run/report.md", "run/matrix.html"] {
        let text = std::fs::read_to_string(desk.path(report)).unwrap();
        assert!(text.contains("action-id.echo.every-answer"), "{report}");
    }
    let again = desk.run(&["report", "run"]).check(0, "");
    assert!(again.out.contains("HOLDS  sound"), "{again:?}");
}

/// A secret that the PBX says again, behind another name, is known by its value.
#[test]
fn what_the_client_gave_as_a_secret_is_shown_nowhere() {
    let leaking = SOUND
        .replace("Secret: x", "Secret: hunter22")
        .replace("ActionID: 1\\r\\nPing", "ActionID: hunter22\\r\\nPing");
    assert_eq!(leaking.matches("hunter22").count(), 2);
    let desk = Desk::new().with("leaking", &leaking);
    let ran = desk
        .run(&["check", "leaking", "--show-all", "--raw", "--out", "run"])
        .check(1, "");
    assert!(ran.out.contains("ActionID: ********"), "{ran:?}");
    assert!(!format!("{ran:?}").contains("hunter22"), "{ran:?}");
    for (path, bytes) in desk.files("run") {
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains("hunter22"), "{}", path.display());
    }
}

#[test]
fn what_cannot_be_read_or_judged_is_told_apart() {
    let desk = Desk::new()
        .with("empty", "")
        .with("torn", &SOUND[..120])
        .with("other", "hello\n");
    desk.run(&["check", "empty"]).check(4, "");
    desk.run(&["check", "."])
        .check(2, ".: failed to read it: Is a directory");
    desk.run(&["check", "torn"])
        .check(2, "torn: failed to read a transcript: line ");
    desk.run(&["check", "other"])
        .check(2, "other: failed to recognise it");
    desk.run(&["check", "none"]).check(2, "failed to open none");
    desk.run(&["check", "empty", "--only", "banner.lin"])
        .check(2, "banner.line");
}
