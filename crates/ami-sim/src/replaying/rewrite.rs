//! What of a recorded message is otherwise each time.

use memchr::memmem;

const NAME: &[u8] = b"actionid:";

/// The message with the ActionID of the request that came, instead of the one that was recorded.
pub(super) fn action_id(message: &[u8], recorded: Option<&[u8]>, asked: Option<&[u8]>) -> Vec<u8> {
    let mut text = Vec::with_capacity(message.len());
    let mut is_named = false;
    let mut rest = message;
    while !rest.is_empty() {
        let length = memchr::memchr(b'\n', rest).map_or(rest.len(), |feed| feed + 1);
        let (line, behind) = rest.split_at(length);
        rest = behind;
        let is_id = line.len() > NAME.len() && line[..NAME.len()].eq_ignore_ascii_case(NAME);
        let value = is_id.then(|| line[NAME.len()..].trim_ascii());
        if value.is_none() || value != recorded || is_named {
            text.extend_from_slice(line);
            continue;
        }
        is_named = true;
        if let Some(asked) = asked {
            text.extend_from_slice(b"ActionID: ");
            text.extend_from_slice(asked);
            text.extend_from_slice(b"\r\n");
        }
    }
    match asked {
        Some(asked) if !is_named && recorded.is_none() => named(&text, asked),
        _ => text,
    }
}

/// An answer to a request without an ActionID has none; one with it has it behind its first line.
fn named(message: &[u8], id: &[u8]) -> Vec<u8> {
    let begin = b"Response:";
    let is_answer =
        message.len() > begin.len() && message[..begin.len()].eq_ignore_ascii_case(begin);
    match memchr::memchr(b'\n', message) {
        Some(feed) if is_answer => {
            let (first, rest) = message.split_at(feed + 1);
            [first, b"ActionID: ", id, b"\r\n", rest].concat()
        }
        _ => message.to_vec(),
    }
}

/// Replaces an id where it stands by itself, and not in a longer one.
pub(super) fn word(text: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let is_word =
        |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'.');
    let mut replaced = Vec::with_capacity(text.len());
    let mut rest = 0;
    for at in memmem::find_iter(text, old) {
        let end = at + old.len();
        let before = at.checked_sub(1).and_then(|before| text.get(before));
        if is_word(before) || is_word(text.get(end)) {
            continue;
        }
        replaced.extend_from_slice(&text[rest..at]);
        replaced.extend_from_slice(new);
        rest = end;
    }
    replaced.extend_from_slice(&text[rest..]);
    replaced
}
