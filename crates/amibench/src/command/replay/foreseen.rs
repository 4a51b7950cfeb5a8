//! What would be sent, before anything is.

use std::fmt::Write as _;

use ami_conform::replay::drive::Plan;
use ami_conform::replay::request::Request;
use ami_conform::replay::script::Deed;
use ami_proto::session::Secret;

use crate::command::verdicts::masked;

/// Of a request on its line.
const SHOWN: usize = 100;

pub(super) fn list(plan: &Plan<'_>, secrets: &[Secret]) -> String {
    let mut text = format!("{:>9} {:>5}  what\n", "at s", "conn");
    let (mut sent, mut all) = (0, 0);
    for step in &plan.script.steps {
        let what = match &step.what {
            Deed::LogIn { events } => format!("log in as the target says, events `{events}`"),
            Deed::Leave => "leave".to_owned(),
            Deed::Ask(asked) => {
                all += 1;
                match plan.foreseen(asked) {
                    Ok(request) => {
                        sent += 1;
                        shown(&request, secrets)
                    }
                    Err(why) => format!("not sent: {}: {why}", asked.action()),
                }
            }
        };
        let _ = writeln!(
            text,
            "{:>9.3} {:>5}  {}",
            step.at.as_secs_f64(),
            step.conn,
            masked(&what, secrets)
        );
    }
    let _ = writeln!(text, "{sent} of {all} requests would be sent");
    text
}

fn shown(request: &Request, secrets: &[Secret]) -> String {
    let mut line = request.action().to_owned();
    for (name, value) in &request.headers {
        if !["action", "actionid"].contains(&name.to_ascii_lowercase().as_str()) {
            let _ = write!(line, ", {name}: {value}");
        }
    }
    // Of a secret that is cut off, what is left would not be known for one.
    let line = masked(&line, secrets);
    match line.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_hidden_wherever_the_line_is_cut() {
        let secrets = [Secret::new("hunter22")];
        for length in SHOWN - 40..SHOWN {
            let request = Request {
                headers: vec![
                    ("Action".to_owned(), "UserEvent".to_owned()),
                    ("X".to_owned(), "x".repeat(length) + "hunter22"),
                ],
            };
            let shown = masked(&shown(&request, &secrets), &secrets);
            assert!(!shown.contains('h'), "{shown}");
        }
    }
}
