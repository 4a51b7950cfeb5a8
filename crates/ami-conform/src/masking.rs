//! A log as it may be written down: secrets are gone, and everything else stands where it stood.

use std::collections::BTreeMap;
use std::ops::Range;

use ami_proto::session::Secret;
use ami_proto::transcript::{Entry, What};
use memchr::memmem::find;

use crate::finding::Evidence;
use crate::log::Side;

const MASK: u8 = b'*';
/// Shorter words stand everywhere by chance; such a secret is known by the name in front of it.
const VALUE_MIN: usize = 4;
/// No line with a secret is longer.
const AROUND: u64 = 4096;
/// Names of headers, and of parameters and cookies of HTTP, whose values are secret wherever they stand.
const NAMES: [&str; 8] = [
    "authorization",
    "expectedresponse",
    "mansession_id",
    "md5secret",
    "password",
    "receivedhash",
    "remotesecret",
    "secret",
];

/// The same entries, of the same lengths: offsets lead to the same places.
pub(crate) fn masked(entries: &[Entry], secrets: &[Secret]) -> Vec<Entry> {
    let mut entries = entries.to_vec();
    let mut streams: BTreeMap<(u32, Side), Vec<usize>> = BTreeMap::new();
    for (index, entry) in entries.iter().enumerate() {
        if let Some((side, _)) = chunk(&entry.what) {
            streams.entry((entry.conn, side)).or_default().push(index);
        }
    }
    for indices in streams.into_values() {
        // A secret may be cut anywhere between two chunks: only the whole stream shows it.
        let chunks = indices.iter().filter_map(|&at| chunk(&entries[at].what));
        let mut stream: Vec<u8> = chunks.flat_map(|(_, bytes)| bytes.to_vec()).collect();
        mask(&mut stream, secrets);
        let mut rest = stream.as_slice();
        for at in indices {
            if let What::Client(bytes) | What::Server(bytes) = &mut entries[at].what {
                let (own, behind) = rest.split_at(bytes.len());
                bytes.copy_from_slice(own);
                rest = behind;
            }
        }
    }
    entries
}

/// A stretch of what passed, without secrets: what `evidence` leads to, as far as it is there.
pub(crate) fn excerpt(entries: &[Entry], evidence: &Evidence, secrets: &[Secret]) -> Vec<u8> {
    let Range { start, end } = evidence.bytes;
    // A secret that reaches into the stretch is only known by what stands around it.
    let around = start.saturating_sub(AROUND)..end + AROUND;
    let mut bytes = Vec::new();
    let mut offset = 0;
    for entry in entries.iter().filter(|entry| entry.conn == evidence.conn) {
        let Some((side, chunk)) = chunk(&entry.what) else {
            continue;
        };
        if side != evidence.side {
            continue;
        }
        let within = |at: u64| usize::try_from(at.saturating_sub(offset)).unwrap_or(usize::MAX);
        let (from, to) = (within(around.start), within(around.end));
        bytes.extend_from_slice(&chunk[from.min(chunk.len())..to.min(chunk.len())]);
        offset += chunk.len() as u64;
    }
    mask(&mut bytes, secrets);
    let length = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
    let from = length(start - around.start).min(bytes.len());
    let to = from.saturating_add(length(end - start)).min(bytes.len());
    bytes[from..to].to_vec()
}

fn chunk(what: &What) -> Option<(Side, &[u8])> {
    match what {
        What::Client(bytes) => Some((Side::Client, bytes)),
        What::Server(bytes) => Some((Side::Server, bytes)),
        What::Mark(_) => None,
    }
}

/// By value, and by the name in front.
pub(crate) fn mask(bytes: &mut [u8], secrets: &[Secret]) {
    for secret in secrets {
        let value = secret.expose().as_bytes();
        if value.len() < VALUE_MIN {
            continue;
        }
        let mut from = 0;
        while let Some(at) = find(&bytes[from..], value) {
            let at = from + at;
            bytes[at..at + value.len()].fill(MASK);
            from = at + value.len();
        }
    }
    let lower = bytes.to_ascii_lowercase();
    for name in NAMES {
        for value in values(&lower, name.as_bytes()) {
            bytes[value].fill(MASK);
        }
    }
    for value in login_keys(&lower) {
        bytes[value].fill(MASK);
    }
}

/// What stands behind `name: `, up to the end of the line, and behind `name=`, up to the end of the parameter.
fn values(lower: &[u8], name: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = find(&lower[from..], name) {
        let behind = from + at + name.len();
        from = behind;
        let ends: &[u8] = match lower.get(behind) {
            Some(b':') => b"\r\n",
            Some(b'=') => b"\r\n&;, ",
            _ => continue,
        };
        let start = lower[behind + 1..]
            .iter()
            .position(|byte| !b" \"".contains(byte))
            .map_or(lower.len(), |spaces| behind + 1 + spaces);
        let length = lower[start..].iter().position(|byte| ends.contains(byte));
        let end = length.map_or(lower.len(), |length| start + length);
        found.push(start..end);
        from = end;
    }
    found
}

/// `Key` is a digest of the secret in a login, and that of a database elsewhere.
fn login_keys(lower: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    let mut is_login = false;
    let mut keys = Vec::new();
    for line in lower.split_inclusive(|&byte| byte == b'\n') {
        let text = line.trim_ascii_end();
        if text.is_empty() {
            keys.clear();
            is_login = false;
        } else if let Some(action) = text.strip_prefix(b"action:") {
            is_login = action.trim_ascii_start().starts_with(b"login");
        } else if let Some(key) = text.strip_prefix(b"key:") {
            let spaces = key.len() - key.trim_ascii_start().len();
            keys.push(at + b"key:".len() + spaces..at + text.len());
        }
        if is_login {
            found.append(&mut keys);
        }
        at += line.len();
    }
    found
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn check(text: &str, expected: &str) {
        let secrets = [Secret::new("hunter22"), Secret::new("abc")];
        let mut bytes = text.as_bytes().to_vec();
        mask(&mut bytes, &secrets);
        assert_eq!(String::from_utf8(bytes).unwrap(), expected);
    }

    #[test]
    fn secrets_are_known_by_value_and_by_name() {
        check("Command: x hunter22 abc\r\n", "Command: x ******** abc\r\n");
        check("Secret: abc\r\nX: y\r\n", "Secret: ***\r\nX: y\r\n");
        check("SECRET:abc", "SECRET:***");
        check("GET /rawman?secret=abc&x=1 ", "GET /rawman?secret=***&x=1 ");
        check(
            "Set-Cookie: mansession_id=\"0a1b\"; Version=1",
            "Set-Cookie: mansession_id=\"*****; Version=1",
        );
        check("a secret is kept", "a secret is kept");
        let login = "Key: 0f0f\r\nAction: Login\r\nKey: 1e\r\n\r\n";
        check(login, "Key: ****\r\nAction: Login\r\nKey: **\r\n\r\n");
        let put = "Action: DBPut\r\nKey: mine\r\n\r\n";
        check(put, put);
    }

    #[test]
    fn a_secret_between_two_chunks_is_masked_in_both() {
        let entry = |bytes: &[u8], conn| Entry {
            at: Duration::ZERO,
            conn,
            what: What::Client(bytes.to_vec()),
        };
        let entries = [
            entry(b"Secret", 0),
            entry(b"hunter", 1),
            entry(b": hun", 0),
            entry(b"ter22\r\n", 0),
        ];
        let expected = [
            entry(b"Secret", 0),
            entry(b"hunter", 1),
            entry(b": ***", 0),
            entry(b"*****\r\n", 0),
        ];
        let masked = masked(&entries, &[Secret::new("hunter22")]);
        assert_eq!(masked, expected);
    }
}
