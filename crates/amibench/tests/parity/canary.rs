//! The comparison itself must be able to fail: one planted difference of each kind, and each is found.

use ami_proto::transcript::{Entry, Mark, Transcript, TranscriptHeader, What};
use libtest_mimic::{Failed, Trial};

use crate::compare::differences;
use crate::differences::Differences;
use crate::normalise::sessions;

const HEARD: &str = "Asterisk Call Manager/1\r\n\
    Response: Success\r\nActionID: 1\r\nMessage: Queued\r\n\r\n\
    Event: Newchannel\r\nPrivilege: call,all\r\nTimestamp: 1795248963.523809\r\nChannel: Local/a@b-00000004;1\r\nUniqueid: 1795248963.7\r\nLinkedid: 1795248963.7\r\n\r\n\
    Event: Newchannel\r\nPrivilege: call,all\r\nTimestamp: 1795248963.523810\r\nChannel: Local/a@b-00000004;2\r\nUniqueid: 1795248963.8\r\nLinkedid: 1795248963.7\r\n\r\n\
    Event: VarSet\r\nPrivilege: dialplan,all\r\nTimestamp: 1795248963.600000\r\nUniqueid: 1795248963.8\r\nVariable: BRIDGEID\r\nValue: 7d33a7f4-0c50-4ea5-b19d-6a1bf77a5a52\r\n\r\n\
    Event: Hangup\r\nPrivilege: call,all\r\nTimestamp: 1795248964.000001\r\nUniqueid: 1795248963.8\r\nCause: 16\r\n\r\n";

/// What is replaced by what, and what the comparison must say then: nothing, or a line with this in it.
const PLANTED: [(&str, &str, &str, Option<&str>); 13] = [
    ("nothing", "", "", None),
    ("later", "17952489", "17952511", None),
    ("another-serial", "b-00000004", "b-0000000a", None),
    ("another-uuid", "7d33a7f4", "7d33a7f5", None),
    (
        "value",
        "Cause: 16",
        "Cause: 17",
        Some("Hangup: Cause is \"17\", real \"16\""),
    ),
    (
        "type",
        "1795248964.000001",
        "soon",
        Some("Timestamp is \"soon\""),
    ),
    (
        "linkedid",
        "Uniqueid: 1795248963.8\r\nLinkedid: 1795248963.7",
        "Uniqueid: 1795248963.8\r\nLinkedid: 1795248963.8",
        Some("Linkedid is \"<id of Local/a@b-#0;2>\""),
    ),
    ("name", "Cause:", "Reason:", Some("no Cause")),
    (
        "repeated",
        "Cause: 16",
        "Cause: 16\r\nCause: 16",
        Some("surplus Cause"),
    ),
    (
        "header-order",
        "ActionID: 1\r\nMessage: Queued",
        "Message: Queued\r\nActionID: 1",
        Some("headers Response Message ActionID, real"),
    ),
    (
        "message-lost",
        "Event: VarSet",
        "Event: Another",
        Some("no Event: VarSet"),
    ),
    ("empty-line", "Event: Hangup", "\r\nEvent: Hangup", None),
    (
        "answer",
        "Response: Success",
        "Response: Error",
        Some("no Response: Success"),
    ),
];

pub(crate) fn trials() -> Vec<Trial> {
    let planted = PLANTED.iter().map(|(name, from, to, expected)| {
        Trial::test(format!("canary/{name}"), move || {
            let text = HEARD.replace(from, to);
            let lines = differences(
                &sessions(&heard(&text, "")),
                &sessions(&heard(HEARD, "")),
                &[],
            );
            told(&lines, *expected)
        })
    });
    let mut trials: Vec<Trial> = planted.collect();
    trials.push(Trial::test("canary/order", order));
    trials.push(Trial::test("canary/end", end));
    trials.push(Trial::test("canary/sent", sent));
    trials.push(Trial::test("canary/known", known));
    trials.push(Trial::test("canary/twice", twice));
    trials
}

fn told(lines: &[String], expected: Option<&str>) -> Result<(), Failed> {
    match expected {
        None if lines.is_empty() => Ok(()),
        Some(expected) if lines.iter().any(|line| line.contains(expected)) => Ok(()),
        expected => Err(format!("expected {expected:?}, found {lines:#?}").into()),
    }
}

fn heard(server: &str, client: &str) -> Transcript {
    let entry = |what| Entry {
        at: std::time::Duration::ZERO,
        conn: 0,
        what,
    };
    let header = TranscriptHeader::captured("canary", "");
    let entries = vec![
        entry(What::Client(client.as_bytes().to_vec())),
        entry(What::Server(server.as_bytes().to_vec())),
    ];
    Transcript { header, entries }
}

/// Two events of one channel may not change places unless they race; two of different channels may.
fn order() -> Result<(), Failed> {
    let mut blocks: Vec<&str> = HEARD.split_inclusive("\r\n\r\n").collect();
    blocks.swap(3, 4);
    let same_channel = blocks.concat();
    let real = sessions(&heard(HEARD, ""));
    let lines = differences(&sessions(&heard(&same_channel, "")), &real, &[]);
    told(
        &lines,
        Some("order Newchannel Hangup VarSet, real Newchannel VarSet Hangup"),
    )?;
    let swaps = [["VarSet".to_owned(), "Hangup".to_owned()]];
    told(
        &differences(&sessions(&heard(&same_channel, "")), &real, &swaps),
        None,
    )?;
    blocks.swap(3, 4);
    blocks.swap(1, 2);
    let other_channel = blocks.concat();
    told(
        &differences(&sessions(&heard(&other_channel, "")), &real, &[]),
        None,
    )
}

fn end() -> Result<(), Failed> {
    let mut ended = heard(HEARD, "");
    let last = Entry {
        what: What::Mark(Mark::Fin),
        ..ended.entries[0].clone()
    };
    ended.entries.push(last);
    let lines = differences(&sessions(&ended), &sessions(&heard(HEARD, "")), &[]);
    told(&lines, Some("the session is ended by Pbx"))
}

fn sent() -> Result<(), Failed> {
    let (one, two) = ("Action: Ping\r\n\r\n", "Action: Logoff\r\n\r\n");
    let lines = differences(
        &sessions(&heard(HEARD, one)),
        &sessions(&heard(HEARD, two)),
        &[],
    );
    told(&lines, Some("the client says something else"))
}

/// A known difference is no complaint, an unknown one, one that is gone and a scene that is no longer pending are.
fn known() -> Result<(), Failed> {
    let known = Differences::of(
        "difference = [{ scenes = [\"s\"], what = \"a * c\", reason = \"r\" }]\n\
         pending = [{ scenes = [\"p\"], pbx = [\"asterisk-16\"], reason = \"r\" }]",
    );
    let judge = |scene: &str, lines: &[&str]| {
        let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        known.judge(scene, "asterisk-16", &lines).is_some()
    };
    let told = [
        judge("s", &["a b c"]),
        judge("s", &["a b c", "d"]),
        judge("s", &[]),
        judge("t", &["a b c"]),
        judge("p", &["x"]),
        judge("p", &[]),
    ];
    if told == [false, true, true, true, false, true] {
        return Ok(());
    }
    Err(format!("complaints: {told:?}").into())
}

/// What stands twice for a scene is a complaint, whatever its reasons and patterns are.
fn twice() -> Result<(), Failed> {
    let between = "between = [\"A\", \"B\"], reason = \"r\" }";
    let idle = |scenes: [&str; 2]| {
        let rows = scenes.map(|scene| format!("{{ scenes = [\"{scene}\"], {between}"));
        let known = Differences::of(&format!("race = [{}]", rows.join(", ")));
        let names = ["queue-a".to_owned(), "queue-b".to_owned()];
        known.idle(&names, &[]).unwrap_or_default()
    };
    told(
        &[idle(["queue-a", "queue-*"])],
        Some("said twice of \"queue-a\": race between A and B"),
    )?;
    match idle(["queue-a", "queue-b"]) {
        empty if empty.is_empty() => Ok(()),
        other => Err(format!("two scenes: {other}").into()),
    }
}
