//! The words of the protocol for libFuzzer: without them an uninstrumented comparison is never passed.
//!
//! They are taken from what is on the wire: the corpora name every header and action, the simulated PBXs every action.

use std::collections::BTreeSet;
use std::io;

use ami_proto::{Decoder, Limits};
use ami_sim::Profile;

use crate::seeds::Seeds;

/// Longer names are none.
const WORD_MAX: usize = 40;
/// What decides anything, beside the names.
pub const WORDS: [&str; 48] = [
    "\r\n",
    "\n",
    "\r",
    ":",
    ": ",
    " ",
    "a",
    "\0",
    "\r\n\r\n",
    "\n\n",
    "\r\r\n",
    "\r\n\n",
    "Event: A\r\n",
    "event:B\n",
    "no colon\r\n",
    "ActionID: 1\n",
    "Action: Ping\r\n",
    "response:follows\n",
    "Response: Follows\r\n",
    "Response: Success\r\n",
    "Response: Error\r\n",
    "Response: Goodbye\r\n",
    "EventList: start\r\n",
    "EventList: Complete\r\n",
    "ListItems: 1\r\n",
    "Ping: Pong\r\n",
    "Challenge: 1\r\n",
    "Privilege: Command\r\n",
    "--END COMMAND--",
    "--END COMMAND--\r\n\r\n",
    "Asterisk Call Manager/2.8.0\r\n",
    "000000000000feed-0-0",
    "0000000000000000-0-0",
    "0000000000000000-login",
    "0000000000000000-challenge",
    "\u{e9}\u{20ac}",
    "0123456789012345678901234567890123456789012345678901234567",
    "[[",
    "]]",
    "\"",
    "= [",
    "{\"b64\": \"",
    "{\"hex\": \"",
    "\"capture-end\"",
    "0.000001",
    "rate = \"20/s\"",
    "duration = \"1s\"",
    "10.0.0.1:5038",
];

/// In libFuzzer's own format, a word a line.
pub fn text() -> io::Result<String> {
    let mut words: BTreeSet<Vec<u8>> = WORDS.iter().map(|word| word.as_bytes().to_vec()).collect();
    for (_, stream) in (Seeds::Streams { prefix: &[] }).read()? {
        headers(&stream, &mut words);
    }
    for (_, stream) in Seeds::Requests.read()? {
        headers(&stream, &mut words);
    }
    for profile in Profile::names().filter_map(Profile::named) {
        words.extend(
            profile
                .commands
                .names()
                .map(|name| name.as_bytes().to_vec()),
        );
    }
    for (_, file) in (Seeds::Files {
        folder: "scenarios",
        suffix: ".toml",
    })
    .read()?
    {
        keys(&file, &mut words);
    }
    let line = |word: &Vec<u8>| {
        let escaped: String = word.iter().map(|&byte| escaped(byte)).collect();
        format!("\"{escaped}\"\n")
    };
    Ok(words
        .iter()
        .filter(|word| !word.is_empty())
        .map(line)
        .collect())
}

/// Names of headers, and the values of those that name what a message is.
fn headers(stream: &[u8], words: &mut BTreeSet<Vec<u8>>) {
    let mut decoder = Decoder::client(Limits::default());
    let mut input = stream;
    while let Some(frame) = decoder.decode(&mut input) {
        for header in frame.headers() {
            let names = header.is("Action") || header.is("Event");
            for word in [Some(header.name), names.then_some(header.value)]
                .into_iter()
                .flatten()
            {
                if word.len() <= WORD_MAX && word.iter().all(u8::is_ascii_graphic) {
                    words.insert(word.to_vec());
                }
            }
        }
    }
}

/// Of a TOML file.
fn keys(file: &[u8], words: &mut BTreeSet<Vec<u8>>) {
    for line in file.split(|&byte| byte == b'\n') {
        let key = line
            .split(|&byte| byte == b'=')
            .next()
            .unwrap_or_default()
            .trim_ascii();
        if key.len() <= WORD_MAX && !key.starts_with(b"#") {
            words.insert(key.to_vec());
        }
    }
}

fn escaped(byte: u8) -> String {
    match byte {
        b'"' | b'\\' => format!("\\{}", char::from(byte)),
        b' '..=b'~' => char::from(byte).to_string(),
        _ => format!("\\x{byte:02X}"),
    }
}
