//! The grammar of `corpora/README.md`, as a recogniser: it says of a whole stream whether the grammar derives it.
//! It shares no code with the decoder, which is lenient where the grammar is not.

/// What is left behind a part, if the part is there.
type Rest<'s> = Option<&'s [u8]>;

const END_OF_COMMAND: &[u8] = b"--END COMMAND--\r\n\r\n";

pub(crate) fn derives(stream: &[u8]) -> bool {
    let Some(mut rest) = banner(stream) else {
        return false;
    };
    while !rest.is_empty() {
        let Some(behind) = output(rest).or_else(|| block(rest)) else {
            return false;
        };
        rest = behind;
    }
    true
}

fn banner(stream: &[u8]) -> Rest<'_> {
    let (line, rest) = line(stream)?;
    let slash = line.iter().rposition(|&byte| byte == b'/')?;
    let (greeting, version) = line.split_at(slash);
    let says_manager = greeting
        .to_ascii_lowercase()
        .windows(7)
        .any(|word| word == b"manager");
    let is_version = version[1..]
        .split(|&byte| byte == b'.')
        .all(|number| !number.is_empty() && number.iter().all(u8::is_ascii_digit));
    (says_manager && is_version).then_some(rest)
}

fn block(stream: &[u8]) -> Rest<'_> {
    let mut rest = stream;
    let mut named = false;
    while !rest.starts_with(b"\r\n") {
        let (name, behind) = header(rest)?;
        named |= is(name, "Event") || is(name, "Response");
        rest = behind;
    }
    if named {
        rest.strip_prefix(b"\r\n")
    } else {
        None
    }
}

fn output(stream: &[u8]) -> Rest<'_> {
    let (first, mut rest) = line(stream)?;
    if !first.eq_ignore_ascii_case(b"Response: Follows") {
        return None;
    }
    let mut heads = vec!["Privilege", "ActionID"];
    loop {
        let starts = |head: &&str| {
            let name = rest.get(..head.len());
            name.is_some_and(|name| is(name, head)) && rest.get(head.len()) == Some(&b':')
        };
        let Some(head) = heads.iter().position(starts) else {
            break;
        };
        heads.remove(head);
        rest = header(rest)?.1;
    }
    let end = rest
        .windows(END_OF_COMMAND.len())
        .position(|window| window == END_OF_COMMAND)?;
    Some(&rest[end + END_OF_COMMAND.len()..])
}

fn header(stream: &[u8]) -> Option<(&[u8], &[u8])> {
    let (line, rest) = line(stream)?;
    let colon = line.iter().position(|&byte| byte == b':')?;
    let (name, value) = line.split_at(colon);
    let spaced = value == b":" || value.starts_with(b": ");
    (!name.is_empty() && spaced).then_some((name, rest))
}

/// TEXT CRLF: UTF-8 without CR, LF and NUL.
fn line(stream: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = stream.windows(2).position(|window| window == b"\r\n")?;
    let line = &stream[..end];
    let is_text =
        std::str::from_utf8(line).is_ok() && !line.iter().any(|byte| b"\r\n\0".contains(byte));
    is_text.then_some((line, &stream[end + 2..]))
}

fn is(name: &[u8], wanted: &str) -> bool {
    name.eq_ignore_ascii_case(wanted.as_bytes())
}
