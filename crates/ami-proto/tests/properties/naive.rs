//! The oracle: messages by splitting at every LF, slow and plain, sharing no code with the decoder.

use ami_proto::OwnedFrame;

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Message {
    lines: Vec<Vec<u8>>,
    body: Option<Vec<u8>>,
}

impl Message {
    pub(crate) fn of(frame: &OwnedFrame) -> Self {
        let frame = frame.as_frame();
        Self {
            lines: frame.lines().map(<[u8]>::to_vec).collect(),
            body: frame.body().map(<[u8]>::to_vec),
        }
    }
}

/// The complete messages of a server's stream behind its banner.
pub(crate) fn messages(stream: &[u8]) -> Vec<Message> {
    let mut messages = Vec::new();
    let mut lines: Vec<Vec<u8>> = Vec::new();
    let mut rest: Vec<&[u8]> = stream.split_inclusive(|&byte| byte == b'\n').collect();
    rest.retain(|line| line.ends_with(b"\n"));
    let mut at = 0;
    while at < rest.len() {
        let line = chomp(rest[at]);
        at += 1;
        if line.is_empty() {
            if !lines.is_empty() {
                messages.push(Message {
                    lines: std::mem::take(&mut lines),
                    body: None,
                });
            }
            continue;
        }
        lines.push(line.to_vec());
        if lines.len() == 1 && is_follows(line) {
            let Some((message, used)) = command_output(line, &rest[at..]) else {
                break;
            };
            messages.push(message);
            lines.clear();
            at += used;
        }
    }
    messages
}

/// The message that begins with `Response: Follows`, and how many lines it takes after that one.
fn command_output(first: &[u8], rest: &[&[u8]]) -> Option<(Message, usize)> {
    let mut lines = vec![first.to_vec()];
    let mut names: Vec<String> = vec!["privilege".into(), "actionid".into()];
    let mut head = 0;
    while let Some(line) = rest.get(head) {
        let text = String::from_utf8_lossy(line).to_lowercase();
        let Some(name) = names
            .iter()
            .position(|name| text.starts_with(&format!("{name}:")))
        else {
            break;
        };
        names.remove(name);
        lines.push(chomp(line).to_vec());
        head += 1;
    }
    let end = (head + 1..rest.len()).find(|&at| {
        chomp(rest[at]).is_empty() && chomp(rest[at - 1]).ends_with(b"--END COMMAND--")
    })?;
    let text = rest[head..end].concat();
    let marker = text.len() - (rest[end - 1].len() - chomp(rest[end - 1]).len()) - 15;
    Some((
        Message {
            lines,
            body: Some(text[..marker].to_vec()),
        },
        end + 1,
    ))
}

fn is_follows(line: &[u8]) -> bool {
    let line = line.to_ascii_lowercase();
    line == b"response: follows" || line == b"response:follows"
}

fn chomp(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}
