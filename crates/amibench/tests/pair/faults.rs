//! What becomes of a client session on a PBX with each fault: it goes on, or it ends with a cause that names what happened;
//! it never hangs, and nothing of a broken message is taken for an answer.

use std::time::Duration;

use ami_client::Connection;
use ami_client::connection::{Reply, RequestError};
use ami_client::open::OpenError;
use ami_proto::action::originate::{Completion, Destination, Originate};
use ami_proto::action::{Action, channel, system};
use ami_proto::session::{Answer, LoginForm};
use ami_sim::{Fault, Planted};

use crate::line::{Manner, Pbx, beside};

const WITHIN: Duration = Duration::from_secs(5);
/// Every wait of this conversation at its longest: banner, login, five requests, an event, and the goodbye.
const LONGEST: Duration = Duration::from_secs(5 + 10 + 7 * 5);

/// How far a client comes, one word for each step.
async fn conversation(pbx: &Pbx) -> String {
    let manner = Manner {
        login: LoginForm::Md5,
        events: "user",
        ..Manner::default()
    };
    let mut connection = match pbx.log_in(manner).await {
        Ok(connection) => connection,
        Err(error) => return format!("login {}", of_open(&error)),
    };
    let mut words = Vec::new();
    for (action, answer) in [
        (system::ping(), Answer::Single),
        (channel::core_show_channels(), Answer::List),
        (
            system::command("core show version").unwrap(),
            Answer::Single,
        ),
        (mark(), Answer::Single),
    ] {
        words.push(ask(&mut connection, &action, answer).await);
    }
    words.push(match marked(&mut connection).await {
        Ok(true) => "heard".to_owned(),
        Ok(false) => "unheard".to_owned(),
        Err(_) => "broke".to_owned(),
    });
    connection.logoff(WITHIN).await;
    words.join(", ")
}

/// It is up as long as the conversation takes: two channels.
fn call() -> Originate {
    let destination = Destination::Extension {
        context: "amibench".to_owned(),
        exten: "hold".to_owned(),
        priority: "1".to_owned(),
    };
    let mut call = Originate::new("Local/answer@amibench".to_owned(), destination);
    call.completion = Completion::Response;
    call
}

fn mark() -> Action {
    system::user_event("Mark", &[("Key", "value")]).unwrap()
}

async fn ask(connection: &mut Connection, action: &Action, answer: Answer) -> String {
    match connection.request(action, answer, WITHIN).await {
        Ok(reply) => of_reply(&reply),
        Err(RequestError::TimedOut { .. }) => "timed out".to_owned(),
        Err(RequestError::Ended { .. }) => "ended".to_owned(),
        Err(RequestError::Broke { .. }) => "broke".to_owned(),
        Err(RequestError::NotReady { .. }) => "not sent".to_owned(),
    }
}

fn of_reply(reply: &Reply) -> String {
    let items = reply.events("CoreShowChannel").count();
    let mut complete = reply.events("CoreShowChannelsComplete");
    let listed = complete.find_map(|event| Some(event.text("ListItems")?.into_owned()));
    match (reply.is_success(), listed) {
        (false, _) => "refused".to_owned(),
        (true, Some(listed)) if listed != items.to_string() => {
            format!("ok of {items}, not {listed}")
        }
        (true, _) if reply.frames.len() > 1 => format!("ok of {}", reply.frames.len()),
        (true, _) => "ok".to_owned(),
    }
}

/// Whether the session hears its own mark, as it was sent.
async fn marked(connection: &mut Connection) -> std::io::Result<bool> {
    while let Some(event) = connection.next_event(WITHIN).await? {
        let event = event.as_frame();
        if event.get("UserEvent") == Some(b"Mark") && event.get("Key") == Some(b"value") {
            return Ok(true);
        }
    }
    Ok(false)
}

fn of_open(error: &OpenError) -> &'static str {
    match error {
        OpenError::NoBanner { .. } => "without banner",
        OpenError::ClosedBeforeBanner { .. } => "closed before banner",
        OpenError::NotAmi { .. } => "not AMI",
        OpenError::Refused { .. } => "refused",
        OpenError::LoginTimedOut { .. } => "timed out",
        OpenError::ClosedDuringLogin { .. } => "closed",
        OpenError::Broke { .. } => "broke",
        OpenError::Tls { trouble, .. } => trouble.slug(),
        _ => "otherwise",
    }
}

async fn outcome(planted: Planted) -> String {
    let mut outcome = String::new();
    beside("asterisk-22", async |pbx: Pbx| {
        let mut caller = pbx.log_in(Manner::default()).await.unwrap();
        let call = call().action().unwrap();
        caller.request(&call, Answer::Single, WITHIN).await.unwrap();
        pbx.simulator().plant(planted);
        let (words, took) = pbx.time(conversation(&pbx)).await;
        assert!(took <= LONGEST, "{took:?}");
        outcome = words;
    })
    .await;
    outcome
}

/// Those that act on sockets have tests there.
fn of_sessions() -> impl Iterator<Item = Fault> {
    Fault::all().filter(|fault| fault.tls().is_none() && !fault.name().starts_with("accept."))
}

/// The session goes on as if nothing were.
const HARMLESS: &str = "ok, ok of 4, ok, ok, heard";
/// Nothing that is said after the login is an answer.
const LOST: &str = "timed out, timed out, timed out, timed out, unheard";

/// What becomes of the conversation, and with which faults.
const OUTCOMES: &[(&str, &[&str])] = &[
    (
        HARMLESS,
        &[
            "banner.late",
            "banner.lf",
            "login.late",
            "login.no-message",
            "login.twice",
            "login.events-first",
            "flood.login",
            "wire.bytes",
            "wire.gathered",
            "wire.cuts",
            "wire.cut-ends",
            "link.late",
            "link.jitter",
            "link.narrow",
            "reader.slow",
            "answer.twice",
            "list.event-inside",
            "list.interleaved",
            "flood.answer",
            "oversize.value",
            "oversize.headers",
            "empty.key",
            "empty.lines",
            "ends.lf",
            "ends.lf-last",
            "ends.three",
            "bytes.nul",
            "bytes.latin1",
            "bytes.broken-utf8",
            "lines.no-colon",
            "lines.end-command",
            "lines.end-sms",
            "lines.no-blank",
            "banner.bom",
        ],
    ),
    (
        "login without banner",
        &[
            "banner.too-late",
            "banner.missing",
            "banner.unterminated",
            "wire.drip",
        ],
    ),
    (
        "login not AMI",
        &[
            "banner.other-product",
            "banner.huge",
            "banner.endless",
            "banner.ssh",
            "banner.http",
        ],
    ),
    ("login tls-port-is-tls", &["banner.tls-alert"]),
    ("login timed out", &["login.silent"]),
    ("login closed", &["login.close", "login.reset"]),
    ("login refused", &["login.refused", "login.challenge-empty"]),
    ("login closed before banner", &["close.at-byte"]),
    (
        "ended, broke, broke, broke, unheard",
        &[
            "close.unread",
            "reset.in-answer",
            "reset.instead",
            "close.in-answer",
            "answer.close-instead",
        ],
    ),
    (
        "ok, broke, broke, broke, unheard",
        &["restart.once", "reset.after-answer", "answer.then-close"],
    ),
    ("ok, ended, ended, ended, unheard", &["wire.half-close"]),
    (
        "ended, not sent, not sent, not sent, unheard",
        &["close.farewell"],
    ),
    (
        "refused, broke, broke, broke, unheard",
        &["answer.error-then-close"],
    ),
    ("timed out, timed out, ok, ok, heard", &["answer.torn"]),
    (
        "timed out, ok of 4, timed out, ok, heard",
        &["answer.swapped"],
    ),
    (
        "ok, timed out, ok, ok, heard",
        &["id.missing", "list.unfinished"],
    ),
    (
        "ok, timed out, timed out, timed out, unheard",
        &["id.previous", "endless.list", "flood.endless"],
    ),
    (
        "timed out, ok of 4, ok, ok, heard",
        &["output.event-inside"],
    ),
    (
        "ok, ok of 0, not 2, ok, ok, heard",
        &["list.late-opening", "list.early-end"],
    ),
    ("ok, ok of 2, not 3, ok, ok, heard", &["list.count-wrong"]),
    (
        LOST,
        &[
            "reader.stopped",
            "wire.half-open",
            "answer.none",
            "id.foreign",
            "id.case",
            "id.cut",
            "id.longer",
            "endless.line",
            "endless.message",
            "ends.cr",
            "bytes.bom",
        ],
    ),
];

#[tokio::test(start_paused = true)]
async fn every_fault_has_the_outcome_that_names_it() {
    let mut wrong = Vec::new();
    for fault in of_sessions() {
        let found = outcome(fault.planted()).await;
        let expected = OUTCOMES
            .iter()
            .find(|(_, faults)| faults.contains(&fault.name()));
        if expected.map(|(outcome, _)| *outcome) != Some(found.as_str()) {
            wrong.push(format!("{}: {found}", fault.name()));
        }
    }
    assert!(
        wrong.is_empty(),
        "otherwise than expected:\n{}",
        wrong.join("\n")
    );
}

/// Wherever a session is cut, it ends at once, and the more of it came the further the client was.
#[tokio::test(start_paused = true)]
async fn a_session_cut_at_any_byte_ends_where_it_was_cut() {
    let mut furthest = 0;
    for bytes in (0..2000).step_by(13) {
        let fault = Fault::named("close.at-byte").unwrap();
        let words = outcome(fault.planted().seeded(bytes)).await;
        assert!(!words.contains("timed out"), "{bytes}: {words}");
        let came = words.matches("ok").count() + words.matches("heard").count();
        assert!(came >= furthest, "{bytes}: {words}");
        furthest = came;
    }
    assert!(furthest > 4, "the last cut was behind the answers");
}
