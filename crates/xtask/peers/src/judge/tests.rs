//! What the judge must see.

use super::*;
use crate::case::Case;

const HANGUP: &str =
    "Event: Hangup\r\nUniqueid: 1.1\r\nVariable: A=1\r\nVariable: B=2\r\nPad:  x \r\n\r\n";
const OUTPUT: &str = "Response: Success\r\nActionID: 1\r\nMessage: Command output follows\r\n\
                      Output: one\r\nOutput:  two\r\n\r\n";
const BODY: &str =
    "Response: Follows\r\nPrivilege: Command\r\nActionID: 1\r\none\n two\n--END COMMAND--\r\n\r\n";
const RAW: &str = "Queue has no calls\r\n   Members: \r\n\r\n";

fn case(label: Label, bytes: &str) -> Case {
    let next = "Event: Next\r\nNum: 1\r\n\r\n";
    let bytes = format!("Asterisk Call Manager/11.0.0\r\n{bytes}{next}");
    Case::new("x", label, String::new(), bytes.as_bytes()).unwrap()
}

/// An account with everything around the case in order; `said` are its lines.
fn account(case: &Case, said: &[&str]) -> Account {
    let pong =
        r#"{"as":"answer","headers":[["Response","Success"],["ActionID","7"],["Ping","Pong"]]}"#;
    let booted = r#"{"as":"event","headers":[["Event","FullyBooted"]]}"#;
    let next = |num| format!(r#"{{"as":"event","headers":[["Event","Next"],["Num","{num}"]]}}"#);
    let (one, two) = (next(1), next(2));
    let mut lines = vec![booted];
    if case.expected[0] == Expected::of_text("Response: Success\r\nPing: Pong\r\n\r\n", None) {
        lines.push(pong);
    }
    lines.extend(said);
    lines.extend([one.as_str(), two.as_str()]);
    Account::parse(&lines.join("\n")).unwrap()
}

fn check(label: Label, bytes: &str, said: &[&str], verdict: Verdict, why: &[&str]) {
    let case = case(label, bytes);
    let found = judge(&case, &account(&case, said), &[]);
    assert_eq!(
        (found.verdict, found.why),
        (verdict, why.iter().map(|why| (*why).to_owned()).collect())
    );
}

fn hangup(headers: &str, verdict: Verdict, why: &[&str]) {
    let line = format!(r#"{{"as":"event","headers":[["Event","Hangup"],{headers}]}}"#);
    check(Label::Valid, HANGUP, &[&line], verdict, why);
}

#[test]
fn a_message_is_right_in_any_order_of_names_and_in_any_case_of_them() {
    let headers = r#"["pad"," x "],["variable","A=1"],["variable","B=2"],["uniqueid","1.1"]"#;
    hangup(headers, Verdict::Right, &[]);
}

#[test]
fn each_change_of_a_message_is_seen() {
    let id = r#"["Uniqueid","1.1"]"#;
    let pad = r#"["Pad"," x "]"#;
    let variables = r#"["Variable","A=1"],["Variable","B=2"]"#;
    for (headers, why) in [
        (format!("{variables},{pad}"), "no `Uniqueid`"),
        (
            format!(r#"["Uniqueid","1.2"],{variables},{pad}"#),
            "`Uniqueid` is `1.2`",
        ),
        (
            format!(r#"{id},["Variable","B=2"],{pad}"#),
            "of `Variable` only `B=2`",
        ),
        (
            format!(r#"{id},["Variable","B=2"],["Variable","A=1"],{pad}"#),
            "`Variable` is `B=2`, `A=1`",
        ),
        (
            format!(r#"{id},{variables},["Pad","x"]"#),
            "blanks of `Pad` trimmed",
        ),
        (
            format!(r#"{id},{variables},{pad},["New","1"]"#),
            "a header `New: 1`",
        ),
    ] {
        hangup(&headers, Verdict::Wrong, &[why]);
    }
}

#[test]
fn what_is_not_given_is_lost_and_a_stream_without_its_end_is_dead() {
    check(
        Label::Valid,
        HANGUP,
        &[],
        Verdict::Lost,
        &["not given: `Event: Hangup`"],
    );
    let case = case(Label::Valid, HANGUP);
    let silent = judge(&case, &Account::default(), &[]);
    assert_eq!(silent.verdict, Verdict::Dead);
    let refused = Account {
        refused: Some("127.0.0.1:40000 is no PBX".to_owned()),
        ..Account::default()
    };
    let refused = judge(&case, &refused, &[]);
    assert_eq!(
        (refused.verdict, refused.why),
        (Verdict::Refused, vec!["the PBX is no PBX".to_owned()])
    );
}

#[test]
fn who_takes_an_event_for_the_answer_is_wrong_or_documents_it() {
    let event = r#"[["Event","UserEvent"],["ActionID","7"]]"#;
    let bytes = "Event: UserEvent\r\nActionID: 7\r\n\r\n";
    let only = format!(r#"{{"as":"answer","headers":{event}}}"#);
    check(
        Label::Valid,
        bytes,
        &[&only],
        Verdict::Wrong,
        &["an event is the answer"],
    );
    let twice = [format!(r#"{{"as":"event","headers":{event}}}"#), only];
    let twice: Vec<&str> = twice.iter().map(String::as_str).collect();
    let why = ["`UserEvent` also as an answer"];
    check(Label::Valid, bytes, &twice, Verdict::Wrong, &why);
    let case = case(Label::Valid, bytes);
    let account = account(&case, &twice);
    let documented = judge(&case, &account, &[Design::RelatedEvents]);
    assert_eq!(documented.verdict, Verdict::ByDesign);
}

#[test]
fn text_is_right_as_headers_as_lines_and_with_the_lines_before_it() {
    for (bytes, answer) in [
        (
            OUTPUT,
            r#""headers":[["Response","Success"],["Message","Command output follows"],["Output","one"],["Output"," two"]]"#,
        ),
        (
            OUTPUT,
            r#""headers":[["Response","Success"],["Message","Command output follows"]],"text":["one"," two"]"#,
        ),
        (
            BODY,
            r#""headers":[["Response","Follows"],["Privilege","Command"]],"text":["one\n two\n"]"#,
        ),
        (
            BODY,
            r#""headers":[["response","follows"]],"text":["Response: Follows","Privilege: Command","ActionID: 9","one"," two"]"#,
        ),
    ] {
        let line = format!(r#"{{"as":"answer",{answer}}}"#);
        check(Label::Valid, bytes, &[&line], Verdict::Right, &[]);
    }
}

#[test]
fn each_change_of_a_text_is_seen() {
    for (text, why) in [
        (r#"["one"]"#, "of 2 lines only `one`"),
        (r#"["one","two"]"#, "blanks of the text trimmed"),
        (
            r#"["one"," two","--END COMMAND--"]"#,
            "the marker in the text",
        ),
        (r#"[]"#, "no text"),
    ] {
        let headers = r#""headers":[["Response","Follows"],["Privilege","Command"]]"#;
        let line = format!(r#"{{"as":"answer",{headers},"text":{text}}}"#);
        check(Label::Valid, BODY, &[&line], Verdict::Wrong, &[why]);
    }
}

#[test]
fn raw_text_may_be_dropped_and_must_not_become_an_event() {
    check(Label::Malformed, RAW, &[], Verdict::Right, &[]);
    let other = r#"{"as":"other","headers":[["   Members",""]]}"#;
    check(Label::Malformed, RAW, &[other], Verdict::Right, &[]);
    let event = r#"{"as":"event","headers":[["Event","Queue"]]}"#;
    check(
        Label::Malformed,
        RAW,
        &[event],
        Verdict::Wrong,
        &["invented: an event `Event: Queue`"],
    );
}

#[test]
fn what_is_another_each_time_is_not_shown() {
    let shown = shortened("127.0.0.1:40000 said ActionID: id-17\r\nand | went");
    assert_eq!(shown, "the PBX said ActionID: …\\r\\nand ¦ went");
    assert_eq!(shortened(&"\"".repeat(61)), format!("{}…", "\"".repeat(60)));
}

#[test]
fn an_adapter_that_says_something_else_is_no_witness() {
    assert!(Account::parse("Traceback").is_err());
    assert!(Account::parse(r#"{"as":"thing","headers":[]}"#).is_err());
}
