//! Flows as users write them: the example of the documentation, and what can be wrong with one.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::desk::Desk;

const FLOW: &str = r#"targets = ["sim-asterisk-22"]
[[group]]
name = "load"
sessions = 3
events = "call"
[[feed]]
name = "boxes"
file = "boxes.csv"
order = "unique"
[[flow]]
name = "agent"
[[flow.step]]
name = "count"
query = { action = "MailboxCount", Mailbox = "${boxes.number}" }
capture = { new = "NewMessages" }
[[flow.step]]
name = "dial"
originate = { role = "answers", hold = "1s" }
[[flow.step]]
name = "end"
hangup = { call = "dial" }
await = { event = "Hangup", where = { Uniqueid = "${call.dial}" } }
[[phase]]
name = "steady"
duration = "1s"
arrival = { constant = { rate = "2/s" } }
mix = [{ share = 1, flow = "agent" }]
"#;
const BOXES: &str = "number,name\n1000,Sales\n1001,Support\n";

/// The first fenced block of that language below the heading.
fn example(language: &str) -> String {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/scenario-files.md");
    let text = fs::read_to_string(docs).unwrap();
    let (_, flows) = text.split_once("\n## Flows\n").unwrap();
    let (_, block) = flows.split_once(&format!("```{language}\n")).unwrap();
    block.split_once("```").unwrap().0.to_owned()
}

#[test]
fn the_documented_flow_runs() {
    let desk = Desk::new()
        .with("agents.toml", &example("toml"))
        .with("boxes.csv", &example("csv"));
    let args = [
        "load",
        "agents.toml",
        "-d",
        "2s",
        "-q",
        "--out",
        "run",
        "--records",
    ];
    let ran = desk.run(&args);
    // A machine that tests much else may be late, which is 4 and no fault of the flow.
    assert!([0, 4].contains(&ran.code), "{ran:?}");
    let records = fs::read_to_string(desk.path("run").join("records.jsonl")).unwrap();
    assert!(records.lines().count() > 30, "{records}");
    for line in records.lines() {
        assert!(line.contains("\"outcome\":\"success\""), "{line}");
    }
    assert!(ran.out.contains("agent-mailbox"), "{ran:?}");
}

#[test]
fn a_plan_with_flows_as_it_is_read() {
    let desk = Desk::new().with("flow.toml", FLOW).with("boxes.csv", BOXES);
    insta::assert_snapshot!(desk.transcript(&["load", "flow.toml", "--dry-run"]));
}

#[test]
fn the_plan_covers_the_steps_and_the_rows() {
    let sha256 = |flow: &str, boxes: &str| {
        let desk = Desk::new().with("flow.toml", flow).with("boxes.csv", boxes);
        let ran = desk.run(&["load", "flow.toml", "--dry-run"]).check(0, "");
        ran.out.lines().last().unwrap().to_owned()
    };
    let plan = sha256(FLOW, BOXES);
    assert_eq!(sha256(FLOW, BOXES), plan);
    assert_ne!(sha256(FLOW, &BOXES.replace("Sales", "Sails")), plan);
    for (from, to) in [
        ("\"NewMessages\"", "\"OldMessages\""),
        ("name = \"end\"", "name = \"end\"\nthink = \"1s\""),
        ("\"Hangup\"", "\"Newstate\""),
        ("${boxes.number}", "${boxes.name}"),
    ] {
        assert_ne!(sha256(&FLOW.replacen(from, to, 1), BOXES), plan, "{to}");
    }
}

#[test]
fn a_flow_is_read_strictly() {
    let desk = Desk::new();
    let mut told = String::new();
    let mut broken = |file: &str, text: &str, from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        fs::write(desk.path("flow.toml"), FLOW).unwrap();
        fs::write(desk.path("boxes.csv"), BOXES).unwrap();
        fs::write(desk.path(file), text.replacen(from, to, 1)).unwrap();
        let said = desk.transcript(&["load", "flow.toml"]);
        assert!(said.ends_with("exit 2\n\n"), "{said}");
        writeln!(told, "# {from} → {to}\n{said}").unwrap();
    };
    let query = "query = { action = \"MailboxCount\", Mailbox = \"${boxes.number}\" }";
    let wait = "await = { event = \"Hangup\", where = { Uniqueid = \"${call.dial}\" } }";
    for (from, to) in [
        ("flow = \"agent\"", "flow = \"agnet\""),
        ("flow = \"agent\"", "ping = {}"),
        ("flow = \"agent\"", "flow = \"agent\", timeout = \"1s\""),
        ("events = \"call\"\n", ""),
        ("${boxes.number}", "${boxes.numbr}"),
        ("${boxes.number}", "${call.dial}"),
        ("${boxes.number}", "${boxes.number"),
        ("Mailbox =", "Mailbx ="),
        ("MailboxCount", "Reload"),
        (
            query,
            "query = { action = \"Getvar\", Variable = \"SHELL(id)\" }",
        ),
        (query, "command = \"core stop now\""),
        (query, "ping = {}\nquery = \"Status\""),
        (query, "timeout = \"1s\""),
        (query, "ping = {}\nuntil = \"Last\""),
        (
            query,
            "ping = {}\nexpect = { where = { A = { matches = \"(\" } } }",
        ),
        (query, "ping = {}\nexpect = { response = \"Maybe\" }"),
        (query, "ping = {}\nthink = { from = \"3s\", to = \"1s\" }"),
        (query, "ping = {}\nthink = \"long\""),
        ("{ new =", "{ run ="),
        ("{ new =", "{ New ="),
        (
            "hold = \"1s\" }",
            "hold = \"1s\" }\nawait = { event = \"Hangup\" }",
        ),
        ("role = \"answers\"", "role = \"${boxes.number}\""),
        ("call = \"dial\"", "call = \"count\""),
        (wait, "awaits = \"Hangup\""),
        ("name = \"end\"", "name = \"dial\""),
        ("name = \"agent\"", "name = \"ping\""),
        ("rate = \"2/s\"", "rate = \"3/s\""),
        ("order = \"unique\"", "order = \"once\""),
        ("file = \"boxes.csv\"", "file = \"bxes.csv\""),
    ] {
        let to = match to {
            "name = \"ping\"" => {
                "name = \"agent\"\n[[flow.step]]\nname = \"x\"\nping = {}\n[[flow]]\nname = \"agent-x\""
            }
            to => to,
        };
        broken("flow.toml", FLOW, from, to);
    }
    for (from, to) in [
        ("1001,Support", "1001"),
        ("number,name", "number,number"),
        ("Sales", "\"Sa\nles\""),
        ("1000,Sales\n1001,Support\n", ""),
    ] {
        broken("boxes.csv", BOXES, from, to);
    }
    insta::assert_snapshot!(told);
}
