//! AMI messages as plain text, as XML and as a page to try it out (`xml_translate`).

use std::fmt::Write as _;

/// What the answer is told in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Raw,
    Xml,
    Html,
}

/// How the elements of XML are called, which a client may choose.
#[derive(Clone, Debug)]
pub(crate) struct Naming {
    pub(crate) id: Vec<u8>,
    pub(crate) kind: Vec<u8>,
}

const HTML_HEAD: &str = "<title>Asterisk&trade; Manager Interface</title><body bgcolor=\"#ffffff\"><table align=center bgcolor=\"#f1f1f1\" width=\"500\">\r\n\
    <tr><td colspan=\"2\" bgcolor=\"#f1f1ff\"><h1>Manager Tester</h1></td></tr>\r\n\
    <tr><td colspan=\"2\" bgcolor=\"#f1f1ff\"><form action=\"manager\" method=\"post\">\n\
    \tAction: <select name=\"action\">\n\
    \t\t<option value=\"\">-----&gt;</option>\n\
    \t\t<option value=\"login\">login</option>\n\
    \t\t<option value=\"command\">Command</option>\n\
    \t\t<option value=\"waitevent\">waitevent</option>\n\
    \t\t<option value=\"listcommands\">listcommands</option>\n\
    \t</select>\n\
    \tor <input name=\"action\"><br/>\n\
    \tCLI Command <input name=\"command\"><br>\n\
    \tuser <input name=\"username\"> pass <input type=\"password\" name=\"secret\"><br>\n\
    \t<input type=\"submit\">\n\
    </form>\n\
    </td></tr>\r\n";

impl Format {
    pub(crate) fn subtype(self) -> &'static str {
        match self {
            Self::Raw => "plain",
            Self::Xml => "xml",
            Self::Html => "html",
        }
    }

    /// The body of a response that tells `messages`, the bytes of a TCP session.
    pub(crate) fn body(self, messages: &[u8], naming: &Naming) -> Vec<u8> {
        match self {
            Self::Raw => messages.to_vec(),
            Self::Xml => {
                let mut body = b"<ajax-response>\n".to_vec();
                xml(messages, naming, &mut body);
                body.extend_from_slice(b"</ajax-response>\n");
                body
            }
            Self::Html => {
                let mut body = HTML_HEAD.as_bytes().to_vec();
                html(messages, &mut body);
                body.extend_from_slice(b"</table></body>\r\n");
                body
            }
        }
    }
}

impl Default for Naming {
    fn default() -> Self {
        Self {
            id: b"unknown".to_vec(),
            kind: b"generic".to_vec(),
        }
    }
}

/// The names that one message had so far: one that comes again is numbered.
#[derive(Default)]
struct Names(Vec<(String, usize)>);

impl Names {
    fn next(&mut self, name: String) -> String {
        let known = self
            .0
            .iter_mut()
            .find(|(known, _)| known.eq_ignore_ascii_case(&name));
        match known {
            Some((_, count)) => {
                *count += 1;
                format!("{name}-{count}")
            }
            None => {
                self.0.push((name.clone(), 1));
                name
            }
        }
    }
}

fn xml(messages: &[u8], naming: &Naming, body: &mut Vec<u8>) {
    each(
        messages,
        |fields| {
            body.extend_from_slice(b"<response type='object' id='");
            body.extend_from_slice(&naming.id);
            body.extend_from_slice(b"'><");
            body.extend_from_slice(&naming.kind);
            for (name, value) in fields {
                body.extend_from_slice(format!(" {name}='").as_bytes());
                escape(value, body);
                body.push(b'\'');
            }
            body.extend_from_slice(b" /></response>\n");
        },
        xml_name,
    );
}

fn html(messages: &[u8], body: &mut Vec<u8>) {
    each(
        messages,
        |fields| {
            for (name, value) in fields {
                body.extend_from_slice(format!("<tr><td>{name}</td><td>").as_bytes());
                escape(value, body);
                body.extend_from_slice(b"</td></tr>\n");
            }
            body.extend_from_slice(b"<tr><td colspan=\"2\"><hr></td></tr>\r\n");
        },
        str::to_owned,
    );
}

/// Hands over the fields of each message; a line without a colon is `Opaque-data`.
fn each(messages: &[u8], mut tell: impl FnMut(&[(String, &[u8])]), named: impl Fn(&str) -> String) {
    let mut fields = Vec::new();
    let mut names = Names::default();
    for line in lines(messages) {
        if line.is_empty() {
            if !fields.is_empty() {
                tell(&std::mem::take(&mut fields));
            }
            names = Names::default();
            continue;
        }
        let (name, value) = match line.iter().position(|byte| *byte == b':') {
            Some(colon) => (&line[..colon], line[colon + 1..].trim_ascii_start()),
            None => (&b"Opaque-data"[..], line),
        };
        let name = named(&String::from_utf8_lossy(name));
        fields.push((names.next(name), value));
    }
    if !fields.is_empty() {
        tell(&fields);
    }
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let lines = text.split(|byte| *byte == b'\n');
    lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}

/// In lower case, with `_` for what is neither letter nor digit, and before a digit that would come first.
fn xml_name(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    if name.starts_with(|letter: char| letter.is_ascii_digit()) {
        text.push('_');
    }
    for letter in name.chars() {
        let kept = if letter.is_ascii_alphanumeric() || (letter == '-' && name == "Opaque-data") {
            letter.to_ascii_lowercase()
        } else {
            '_'
        };
        write!(text, "{kept}").expect("writing to memory does not fail");
    }
    text
}

fn escape(value: &[u8], body: &mut Vec<u8>) {
    for byte in value {
        match byte {
            b'&' => body.extend_from_slice(b"&amp;"),
            b'<' => body.extend_from_slice(b"&lt;"),
            b'>' => body.extend_from_slice(b"&gt;"),
            b'"' => body.extend_from_slice(b"&quot;"),
            b'\'' => body.extend_from_slice(b"&apos;"),
            other => body.push(*other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What 16.28 and 22.10 made of such messages.
    fn check(messages: &str, expected: &str) {
        let body = Format::Xml.body(messages.as_bytes(), &Naming::default());
        let expected = format!("<ajax-response>\n{expected}</ajax-response>\n");
        assert_eq!(String::from_utf8(body).unwrap(), expected);
    }

    #[test]
    fn names_become_attributes_and_the_second_of_a_name_a_number() {
        check(
            "Event: UserEvent\r\nUserEvent: A\r\n9Foo-Bar: 1\r\nFoo Bar: 2\r\nOutput: \r\nOutput: <b>&\"'\r\n\r\nEvent: X\r\nOutput: 3\r\n\r\n",
            "<response type='object' id='unknown'><generic event='UserEvent' userevent='A' _9foo_bar='1' foo_bar='2' \
             output='' output-2='&lt;b&gt;&amp;&quot;&apos;' /></response>\n\
             <response type='object' id='unknown'><generic event='X' output='3' /></response>\n",
        );
    }

    #[test]
    fn nothing_is_told_of_nothing() {
        check("", "");
    }
}
