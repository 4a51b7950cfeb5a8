//! Messages → bytes: line ends, the blank line, and the framing of Command that the profile has.

use serde::Deserialize;

use crate::message::{CliStatus, Message};

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub enum CommandFraming {
    /// Up to 13: raw text, then `--END COMMAND--`.
    Follows,
    /// As before, but the last line of the text ends in CRLF.
    FollowsCrlf,
    /// 14 and later: each line in an `Output:` header.
    Output,
}

pub(crate) fn encode(message: Message, framing: CommandFraming) -> Vec<u8> {
    match message {
        Message::Headers(headers) => {
            let mut bytes = headers.into_lines();
            bytes.extend_from_slice(b"\r\n");
            bytes
        }
        Message::Raw(bytes) => bytes,
        Message::CliOutput {
            action_id,
            status,
            text,
        } => match framing {
            CommandFraming::Follows => follows("Command", &action_id, &text),
            CommandFraming::FollowsCrlf => {
                follows("Command", &action_id, &last_line_in_crlf(&text))
            }
            CommandFraming::Output => output(&action_id, status, &text),
        },
        Message::Follows {
            privilege,
            action_id,
            text,
        } => follows(privilege, &action_id, &text),
    }
}

fn follows(privilege: &str, action_id: &[u8], text: &str) -> Vec<u8> {
    let mut bytes = format!("Response: Follows\r\nPrivilege: {privilege}\r\n").into_bytes();
    push_action_id(&mut bytes, action_id);
    bytes.extend_from_slice(text.as_bytes());
    bytes.extend_from_slice(b"--END COMMAND--\r\n\r\n");
    bytes
}

fn last_line_in_crlf(text: &str) -> String {
    text.strip_suffix('\n')
        .map_or_else(|| text.to_owned(), |lines| format!("{lines}\r\n"))
}

fn output(action_id: &[u8], status: CliStatus, text: &str) -> Vec<u8> {
    let mut bytes = match status {
        CliStatus::Success => b"Response: Success\r\n".to_vec(),
        CliStatus::Error => b"Response: Error\r\n".to_vec(),
    };
    push_action_id(&mut bytes, action_id);
    bytes.extend_from_slice(b"Message: Command output follows\r\n");
    for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
        bytes.extend_from_slice(b"Output: ");
        bytes.extend_from_slice(line.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    bytes
}

fn push_action_id(bytes: &mut Vec<u8>, action_id: &[u8]) {
    if !action_id.is_empty() {
        bytes.extend_from_slice(b"ActionID: ");
        bytes.extend_from_slice(action_id);
        bytes.extend_from_slice(b"\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Headers;

    fn check(message: impl Into<Message>, framing: CommandFraming, expected: &str) {
        assert_eq!(
            String::from_utf8(encode(message.into(), framing)).unwrap(),
            expected
        );
    }

    fn version() -> Message {
        Message::CliOutput {
            action_id: b"r3".to_vec(),
            status: CliStatus::Success,
            text: "a\n\nb\n".to_owned(),
        }
    }

    #[test]
    fn command_is_framed_in_three_ways() {
        let head = "Response: Follows\r\nPrivilege: Command\r\nActionID: r3\r\n";
        check(
            version(),
            CommandFraming::Follows,
            &format!("{head}a\n\nb\n--END COMMAND--\r\n\r\n"),
        );
        check(
            version(),
            CommandFraming::FollowsCrlf,
            &format!("{head}a\n\nb\r\n--END COMMAND--\r\n\r\n"),
        );
        let output = "Response: Success\r\nActionID: r3\r\nMessage: Command output follows\r\n\
                      Output: a\r\nOutput: \r\nOutput: b\r\n\r\n";
        check(version(), CommandFraming::Output, output);
    }

    #[test]
    fn an_absent_action_id_leaves_no_line() {
        let message = Headers::error(b"", "Permission denied");
        check(
            message,
            CommandFraming::Output,
            "Response: Error\r\nMessage: Permission denied\r\n\r\n",
        );
    }
}
