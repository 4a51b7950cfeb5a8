//! Steps of flows as conversations: what is heard, and what comes of it.

use std::path::Path;

use ami_client::{Document, Target};
use ami_proto::frame::decode::{Decoder, Limits};
use proptest::prelude::*;

use super::*;
use crate::{Overrides, Plan, Scenario};

/// The flow `f` of these steps.
fn plan(steps: &str) -> Plan {
    let text = format!(
        "[[group]]\nname = \"g\"\nsessions = 1\nevents = \"on\"\n[[flow]]\nname = \"f\"\n{steps}\n[[phase]]\nname = \"p\"\n\
         duration = \"1s\"\narrival = {{ closed = {{}} }}\nmix = [{{ flow = \"f\" }}]\n"
    );
    let document = Document::embedded("scenario", Path::new(""), &text);
    let target = "address = \"pbx\"\naccount = \"qa\"";
    let target = Target::parse("pbx", &Document::embedded("pbx", Path::new(""), target)).unwrap();
    let scenario = Scenario::parse(&document).unwrap();
    Plan::resolve(
        "s",
        &document,
        scenario,
        vec![target],
        &Overrides::default(),
    )
    .unwrap()
}

fn instance(flow: &PlannedFlow) -> Instance {
    let origin = Origin {
        number: 3,
        session: 0,
        row: &[],
        lot: None,
    };
    Instance::new(flow, origin)
}

/// What the flow makes of a message: `A` is a whole answer, `L` one that opens a list, `I` an item, `C` the end of a
/// list, `E` an event.
fn hear(flow: &PlannedFlow, instance: &mut Instance, kind: char, text: &str) -> Progress {
    let tag = RunTag::parse("amib-0011aaff").unwrap();
    let around = Around {
        tag: &tag,
        target: "pbx",
    };
    let mut decoder = Decoder::client(Limits::default());
    let mut banner = &b"Asterisk Call Manager/5.0.4\r\n"[..];
    decoder.decode(&mut banner).unwrap();
    let wire = text.replace('|', "\r\n") + "\r\n\r\n";
    let mut bytes = wire.as_bytes();
    let frame = decoder.decode(&mut bytes).unwrap();
    let outcome = if text.starts_with("Response: Error") {
        AnswerOutcome::Error
    } else {
        AnswerOutcome::Success
    };
    let answer = |done| Heard::Answer {
        outcome,
        done,
        frame: &frame,
    };
    let heard = match kind {
        'A' => answer(Done::Yes),
        'L' => answer(Done::No),
        'I' => Heard::Item(&frame),
        'C' => Heard::Complete,
        _ => Heard::Event(&frame),
    };
    instance.hear(flow, around, heard)
}

/// One step, and what each thing that it hears comes to.
fn check(keys: &str, told: &[(char, &str, &str)]) {
    let plan = plan(&format!("[[flow.step]]\nname = \"s\"\n{keys}"));
    let flow = &plan.flows[0];
    let mut instance = instance(flow);
    assert_eq!(instance.first(flow, 5), 5);
    instance.begin(flow, None);
    for (kind, text, expected) in told {
        let progress = match hear(flow, &mut instance, *kind, text) {
            Progress::Broken { why, .. } => why.into(),
            progress => format!("{progress:?}"),
        };
        assert_eq!(progress, *expected, "{text}");
    }
}

const OK: &str = "Response: Success|Message: fine|Status: 4|Name: Anne Smith";
const NO: &str = "Response: Error|Message: No such channel";

#[test]
fn an_answer_ends_a_step_when_it_is_as_expected() {
    check(
        "ping = {}",
        &[('E', "Event: Hangup", "Nothing"), ('A', OK, "Done")],
    );
    check("ping = {}", &[('A', NO, "No such channel")]);
    check(
        "ping = {}\nexpect = { response = \"Error\" }",
        &[('A', NO, "Done")],
    );
    check(
        "ping = {}\nexpect = { response = \"Error\" }",
        &[('A', OK, "expected an error, got success")],
    );
    let status = |test: &str| format!("ping = {{}}\nexpect = {{ where = {{ {test} }} }}");
    check(
        &status("Status = \"4\", Message = { matches = \"^f\" }"),
        &[('A', OK, "Done")],
    );
    check(
        &status("Status = \"0\""),
        &[('A', OK, "expected Status to be \"0\", got \"4\"")],
    );
    check(
        &status("Name = { matches = \"^Bob\" }"),
        &[(
            'A',
            OK,
            "expected Name to match \"^Bob\", got another value",
        )],
    );
    check(
        &status("Hint = \"x\""),
        &[('A', OK, "expected Hint to be \"x\", got no such header")],
    );
}

#[test]
fn a_console_command_is_judged_by_its_lines_in_both_forms() {
    let keys =
        "command = \"core show uptime\"\nexpect = { where = { Output = { matches = \"^Last\" } } }";
    check(
        keys,
        &[(
            'A',
            "Response: Success|Output: System|Output: Last reload",
            "Done",
        )],
    );
    let follows = "Response: Follows|Privilege: Command|System\nLast reload\n--END COMMAND--";
    check(keys, &[('A', follows, "Done")]);
    check(
        keys,
        &[(
            'A',
            "Response: Success|Output: none",
            "expected Output to match \"^Last\", got another value",
        )],
    );
}

#[test]
fn a_list_ends_by_its_own_end_or_by_the_event_that_is_named() {
    let item = "Event: PeerEntry";
    check(
        "query = \"SIPpeers\"",
        &[
            ('L', OK, "Nothing"),
            ('I', item, "Nothing"),
            ('C', "Event: X", "Done"),
        ],
    );
    check(
        "query = \"SIPpeers\"\nuntil = \"peerentry\"",
        &[
            ('L', OK, "Nothing"),
            ('I', "Event: Y", "Nothing"),
            ('I', item, "Done"),
        ],
    );
    check("query = \"SIPpeers\"", &[('A', NO, "No such channel")]);
}

#[test]
fn an_awaited_event_may_come_first() {
    let keys = "ping = {}\nawait = { event = \"Hangup\", where = { Uniqueid = \"u${number}\" } }";
    let (ours, other) = ("Event: Hangup|Uniqueid: u3", "Event: Hangup|Uniqueid: u33");
    check(
        keys,
        &[
            ('E', other, "Nothing"),
            ('A', OK, "Answered"),
            ('E', other, "Nothing"),
            ('E', ours, "Done"),
        ],
    );
    check(keys, &[('E', ours, "Nothing"), ('A', OK, "Done")]);
    check(
        keys,
        &[('E', ours, "Nothing"), ('A', NO, "No such channel")],
    );
    let alone = "await = { event = \"Hangup\", capture = { cause = \"Cause\" } }";
    check(alone, &[('E', "Event: Hangup|Cause: 16", "Done")]);
    check(
        alone,
        &[
            ('E', "Event: Newchannel|Cause: 16", "Nothing"),
            ('E', ours, "no header Cause to capture"),
        ],
    );
}

#[test]
fn what_is_captured_is_bounded() {
    let keys = "ping = {}\ncapture = { x = \"Value\" }";
    let of = |bytes: usize| format!("Response: Success|Value: {}", "x".repeat(bytes));
    check(keys, &[('A', &of(512), "Done")]);
    check(
        keys,
        &[(
            'A',
            &of(513),
            "the value of Value has more than the 512 bytes that are captured",
        )],
    );
}

#[test]
fn the_next_step_is_due_after_its_think_time() {
    let plan = plan(
        "[[flow.step]]\nname = \"a\"\nthink = \"1s\"\nping = {}\n[[flow.step]]\nname = \"b\"\nthink = \"20ms\"\nping = {}",
    );
    let flow = &plan.flows[0];
    let mut instance = instance(flow);
    assert_eq!(instance.first(flow, 7), 1_000_000_007);
    instance.begin(flow, None);
    assert_eq!(hear(flow, &mut instance, 'A', OK), Progress::Done);
    assert_eq!(instance.next(flow, 9), Some(20_000_009));
    assert_eq!(instance.next(flow, 9), None);
}

proptest! {
    /// Whatever is heard, in any order: a step ends at most once, never before its answer, and an event after the end
    /// of one step is not taken for the next.
    #[test]
    fn a_step_ends_once(heard in prop::collection::vec(0usize..6, 0..30), awaits: bool) {
        let event = if awaits { "await = { event = \"Hangup\" }" } else { "" };
        let steps = format!("[[flow.step]]\nname = \"a\"\nquery = \"Status\"\n{event}\n[[flow.step]]\nname = \"b\"\nping = {{}}");
        let plan = plan(&steps);
        let flow = &plan.flows[0];
        let mut instance = instance(flow);
        instance.begin(flow, None);
        let told = [('L', OK), ('I', "Event: Status"), ('C', "Event: X"), ('E', "Event: Hangup"), ('E', "Event: Dial"), ('A', NO)];
        let (mut complete, mut hung_up) = (false, false);
        for index in heard {
            let (kind, text) = told[index];
            let waits_for_event = complete && awaits;
            complete |= kind == 'C';
            hung_up |= index == 3;
            match hear(flow, &mut instance, kind, text) {
                Progress::Done => {
                    prop_assert!(complete && (!awaits || hung_up));
                    prop_assert_eq!(instance.next(flow, 0), Some(0));
                    prop_assert_eq!(hear(flow, &mut instance, kind, text), Progress::Nothing);
                    return Ok(());
                }
                Progress::Answered => prop_assert!(complete && awaits && !hung_up),
                Progress::Broken { .. } => {
                    prop_assert!(kind == 'A' && !waits_for_event);
                    return Ok(());
                }
                Progress::Nothing => {}
            }
        }
        prop_assert!(!complete || (awaits && !hung_up));
    }
}
