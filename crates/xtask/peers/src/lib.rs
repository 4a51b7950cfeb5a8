//! What the adapters share: what they are asked, and how they write down what a library gave them.
//!
//! An adapter judges nothing: every message that the library hands to its user becomes one line of JSON, as it was given.

use std::future::Future;
use std::time::Duration;

use serde_json::{Value, json};

pub const HOST: &str = "127.0.0.1";
pub const USERNAME: &str = "bench";
pub const SECRET: &str = "a-secret-of-peers";
/// What is asked in place of a command of the console: the case is its answer.
pub const COMMAND: &str = "core show version";
/// No case takes longer; who is still there then waits for what never comes.
pub const WITHIN: Duration = Duration::from_secs(5);
/// An answer that was on the wire before the last event may be handed over behind it.
pub const GRACE: Duration = Duration::from_millis(200);

/// Which action is sent once the session is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    Ping,
    Command,
}

/// Runs an adapter for the port and the action of the command line.
pub fn run<F: Future<Output = ()>>(adapter: impl FnOnce(u16, Asked) -> F) {
    let mut arguments = std::env::args().skip(1);
    let port = arguments.next().and_then(|port| port.parse().ok());
    let asked = match arguments.next().as_deref() {
        Some("ping") => Some(Asked::Ping),
        Some("command") => Some(Asked::Command),
        _ => None,
    };
    let (Some(port), Some(asked)) = (port, asked) else {
        panic!("usage: ADAPTER PORT ping|command");
    };
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().build().expect("a runtime can be made");
    runtime.block_on(async {
        let _ = tokio::time::timeout(WITHIN, adapter(port, asked)).await;
    });
}

/// One message, `as` an event, an answer, or neither.
pub fn say(how: &str, headers: Vec<(String, Value)>, text: Option<Vec<String>>) {
    println!("{}", json!({ "as": how, "headers": headers, "text": text }));
}

/// The connection or the login failed.
pub fn refused(error: impl std::fmt::Display) {
    println!("{}", json!({ "refused": error.to_string() }));
}

/// The library told its user of something else that went wrong.
pub fn failed(error: impl std::fmt::Display) {
    println!("{}", json!({ "failed": error.to_string() }));
}

/// The event behind which nothing follows.
pub fn is_last(headers: &[(String, Value)]) -> bool {
    let has = |name: &str, value: &str| {
        let is = |(key, found): &(String, Value)| key.eq_ignore_ascii_case(name) && found == value;
        headers.iter().any(is)
    };
    has("Event", "Next") && has("Num", "2")
}

/// The pairs of a map, those of maps and lists in it beside them.
pub fn pairs(value: &Value) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for (name, value) in value.as_object().into_iter().flatten() {
        match value {
            Value::Object(_) => found.extend(pairs(value)),
            Value::Array(values) => {
                found.extend(values.iter().map(|value| (name.clone(), value.clone())));
            }
            Value::Null => {}
            Value::String(_) => found.push((name.clone(), value.clone())),
            other => found.push((name.clone(), other.to_string().into())),
        }
    }
    found
}
