//! Reads Rust text just well enough to tell code from comments, strings and test modules.

/// One source line.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    /// Without comments and with the content of strings and characters taken out.
    pub(super) code: String,
    /// Without comments, strings as they stand.
    pub(super) text: String,
    /// In an item under `#[cfg(test)]`.
    pub(super) in_test: bool,
}

pub(super) fn scan(source: &str) -> Vec<Line> {
    let mut lines = split(source);
    mark_tests(&mut lines);
    lines
}

enum State {
    Code,
    LineComment,
    /// How deep block comments are nested.
    BlockComment(usize),
    /// The text that ends it, and whether a backslash escapes.
    Quoted {
        end: String,
        escapes: Escapes,
    },
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Escapes {
    Backslash,
    None,
}

fn split(source: &str) -> Vec<Line> {
    let mut lines = vec![Line::default()];
    let mut state = State::Code;
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let line = lines.last_mut().expect("there is always a current line");
        let taken = if first == '\n' {
            lines.push(Line::default());
            if matches!(state, State::LineComment) {
                state = State::Code;
            }
            1
        } else {
            step(&mut state, rest, line)
        };
        rest = &rest[taken..];
    }
    lines
}

/// Takes the next token or character, which never crosses the end of a line.
fn step(state: &mut State, rest: &str, line: &mut Line) -> usize {
    let first = rest.chars().next().expect("the caller saw a character");
    match state {
        State::Code => {
            let (next, taken) = begin(rest, line.code.chars().last());
            if matches!(next, State::Code | State::Quoted { .. }) {
                line.code.push_str(&rest[..taken]);
                line.text.push_str(&rest[..taken]);
            }
            *state = next;
            taken
        }
        State::LineComment => first.len_utf8(),
        State::BlockComment(depth) => {
            if rest.starts_with("/*") {
                *depth += 1;
                return 2;
            }
            if !rest.starts_with("*/") {
                return first.len_utf8();
            }
            *depth -= 1;
            if *depth == 0 {
                *state = State::Code;
            }
            2
        }
        State::Quoted { end, escapes } => {
            if rest.starts_with(end.as_str()) {
                let taken = end.len();
                line.code.push_str(end);
                line.text.push_str(end);
                *state = State::Code;
                return taken;
            }
            let escaped = rest.chars().nth(1).filter(|&next| next != '\n');
            let taken = match escaped {
                Some(next) if first == '\\' && *escapes == Escapes::Backslash => {
                    1 + next.len_utf8()
                }
                _ => first.len_utf8(),
            };
            line.text.push_str(&rest[..taken]);
            taken
        }
    }
}

/// What begins at `rest`, in code, and how long its opening is.
fn begin(rest: &str, before: Option<char>) -> (State, usize) {
    if rest.starts_with("//") {
        return (State::LineComment, 2);
    }
    if rest.starts_with("/*") {
        return (State::BlockComment(1), 2);
    }
    if rest.starts_with('"') {
        let end = "\"".to_owned();
        return (
            State::Quoted {
                end,
                escapes: Escapes::Backslash,
            },
            1,
        );
    }
    let in_word = before.is_some_and(|it| it == '_' || it.is_alphanumeric());
    if let Some(raw) = rest
        .strip_prefix('r')
        .filter(|_| !in_word || before == Some('b'))
    {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        if raw[hashes..].starts_with('"') {
            let end = format!("\"{}", "#".repeat(hashes));
            return (
                State::Quoted {
                    end,
                    escapes: Escapes::None,
                },
                2 + hashes,
            );
        }
    }
    // A quote is a character if another closes it behind one (perhaps escaped) character, else
    // a lifetime.
    let mut behind = rest.chars().skip(1);
    if rest.starts_with('\'') && (behind.next() == Some('\\') || behind.next() == Some('\'')) {
        let end = "'".to_owned();
        return (
            State::Quoted {
                end,
                escapes: Escapes::Backslash,
            },
            1,
        );
    }
    (State::Code, rest.chars().next().map_or(0, char::len_utf8))
}

/// Follows braces from each `#[cfg(test)]` to the end of the item under it.
fn mark_tests(lines: &mut [Line]) {
    let mut next = 0;
    while next < lines.len() {
        if lines[next].code.trim() == "#[cfg(test)]" {
            let mut depth = 0_usize;
            while next < lines.len() {
                lines[next].in_test = true;
                let code = &lines[next].code;
                depth += code.matches('{').count();
                depth = depth.saturating_sub(code.matches('}').count());
                let ends = code.trim_end().ends_with(['}', ';']);
                if depth == 0 && ends {
                    break;
                }
                next += 1;
            }
        }
        next += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: &str, code: &[&str], text: &[&str]) {
        let lines = scan(source);
        assert_eq!(
            lines
                .iter()
                .map(|line| line.code.as_str())
                .collect::<Vec<_>>(),
            code
        );
        assert_eq!(
            lines
                .iter()
                .map(|line| line.text.as_str())
                .collect::<Vec<_>>(),
            text
        );
    }

    #[test]
    fn comments_and_strings_are_taken_out() {
        check("let a = 1; // two", &["let a = 1; "], &["let a = 1; "]);
        check("a /* b /* c */\n d */ e", &["a ", " e"], &["a ", " e"]);
        check(
            r#"f("http://x", 'y')"#,
            &[r#"f("", '')"#],
            &[r#"f("http://x", 'y')"#],
        );
        check(
            r#"f("\"//", b'\'', b)"#,
            &[r#"f("", b'', b)"#],
            &[r#"f("\"//", b'\'', b)"#],
        );
        check(r##"r#"a"b"# c"##, &[r##"r#""# c"##], &[r##"r#"a"b"# c"##]);
        check("f(\"ü\") // ü", &["f(\"\") "], &["f(\"ü\") "]);
        check("&'a str // x", &["&'a str "], &["&'a str "]);
        check("\"a\\\nb\" c", &["\"", "\" c"], &["\"a\\", "b\" c"]);
    }

    #[test]
    fn the_item_under_cfg_test_is_a_test() {
        let source = "fn a() {}\n#[cfg(test)]\nmod tests {\n fn b() {}\n}\nfn c() {}\n\
                      #[cfg(test)]\nuse x;\nfn d() {}";
        let tests: Vec<bool> = scan(source).iter().map(|line| line.in_test).collect();
        assert_eq!(
            tests,
            [false, true, true, true, true, false, true, true, false]
        );
    }
}
