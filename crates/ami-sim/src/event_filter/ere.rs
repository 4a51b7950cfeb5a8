//! POSIX extended regular expressions, as the C library of a PBX compiles them, on an engine that bounds its time.

use std::fmt::{self, Write as _};
use std::iter::Peekable;
use std::str::Chars;

use regex_lite::{Regex, RegexBuilder};

/// Larger ones would need more memory than an event filter is worth.
const COMPILED_BYTES_MAX: usize = 1 << 20;

/// `None` if the C library refuses it, or if it uses what no automaton does, such as references to groups.
pub(super) fn compile(pattern: &str) -> Option<Regex> {
    let translated = Translation::default().run(pattern)?;
    RegexBuilder::new(&translated)
        .dot_matches_new_line(true)
        .size_limit(COMPILED_BYTES_MAX)
        .build()
        .ok()
}

#[derive(Default)]
struct Translation {
    text: String,
    open_groups: usize,
    /// Whether there is something that could be repeated.
    repeatable: bool,
}

impl Translation {
    fn run(mut self, pattern: &str) -> Option<String> {
        let mut rest = pattern.chars().peekable();
        while let Some(next) = rest.next() {
            match next {
                '*' | '+' | '?' | '{' if !self.repeatable => return None,
                '*' | '+' | '?' => self.repeat(next),
                '{' => self.interval(&mut rest)?,
                '(' => {
                    self.open_groups += 1;
                    self.join("(");
                }
                // One that closes nothing stands for itself.
                ')' if self.open_groups == 0 => self.literal(next),
                ')' => {
                    self.open_groups -= 1;
                    self.atom(")");
                }
                '|' | '^' => self.join(&next.to_string()),
                '$' | '.' => self.atom(&next.to_string()),
                '[' => self.bracket(&mut rest)?,
                '\\' => self.escape(rest.next()?)?,
                other => self.literal(other),
            }
        }
        (self.open_groups == 0).then_some(self.text)
    }

    fn push(&mut self, text: fmt::Arguments<'_>) {
        self.text
            .write_fmt(text)
            .expect("writing to memory does not fail");
    }

    fn atom(&mut self, text: &str) {
        self.text.push_str(text);
        self.repeatable = true;
    }

    fn join(&mut self, text: &str) {
        self.text.push_str(text);
        self.repeatable = false;
    }

    /// The group keeps a second repetition from becoming a modifier of the first.
    fn repeat(&mut self, operator: char) {
        if self.text.ends_with(['*', '+', '?', '}']) && !self.text.ends_with("\\}") {
            self.text.push_str("{1}");
        }
        self.text.push(operator);
    }

    fn literal(&mut self, letter: char) {
        if r".+*?()|[]{}^$\".contains(letter) {
            self.text.push('\\');
        }
        self.text.push(letter);
        self.repeatable = true;
    }

    fn escape(&mut self, letter: char) -> Option<()> {
        match letter {
            'w' | 'W' | 's' | 'S' | 'b' | 'B' => self.atom(&format!("\\{letter}")),
            '<' | '>' => self.join("\\b"),
            '`' => self.join("\\A"),
            '\'' => self.join("\\z"),
            '1'..='9' => return None,
            other => self.literal(other),
        }
        Some(())
    }

    fn interval(&mut self, rest: &mut Peekable<Chars<'_>>) -> Option<()> {
        let mut inside = String::new();
        loop {
            match rest.next()? {
                '}' => break,
                letter => inside.push(letter),
            }
        }
        let (low, high) = inside.split_once(',').unwrap_or((&inside, &inside));
        let low: u16 = if low.is_empty() { 0 } else { low.parse().ok()? };
        match high {
            "" => self.push(format_args!("{{{low},}}")),
            high => {
                let high: u16 = high.parse().ok().filter(|high| *high >= low)?;
                self.push(format_args!("{{{low},{high}}}"));
            }
        }
        Some(())
    }

    /// A backslash is a letter like any other here, and `]` is one where it comes first.
    fn bracket(&mut self, rest: &mut Peekable<Chars<'_>>) -> Option<()> {
        self.text.push('[');
        if rest.next_if_eq(&'^').is_some() {
            self.text.push('^');
        }
        let mut first = true;
        loop {
            match rest.next()? {
                ']' if !first => break,
                '[' if rest.peek() == Some(&':') => self.named_class(rest)?,
                '-' => self.text.push('-'),
                letter => {
                    if r"[]^&~\".contains(letter) {
                        self.text.push('\\');
                    }
                    self.text.push(letter);
                }
            }
            first = false;
        }
        self.atom("]");
        Some(())
    }

    fn named_class(&mut self, rest: &mut Peekable<Chars<'_>>) -> Option<()> {
        let mut name = String::from("[");
        while !name.ends_with(":]") {
            name.push(rest.next()?);
        }
        self.text.push_str(&name);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Event: UserEvent\r\nPrivilege: user,all\r\nUserEvent: A\r\nN: 1\r\n\r\n";

    /// `None`: the filter is refused. Each as 16.28 and 22.10 answered, and as that event came or did not.
    fn check(pattern: &str, expected: Option<bool>) {
        let found = compile(pattern).map(|regex| regex.is_match(TEXT));
        assert_eq!(found, expected, "{pattern:?}");
    }

    #[test]
    fn what_the_c_library_refuses_is_refused() {
        for refused in [
            "*A",
            "+A",
            "(?A",
            "{A",
            "A{",
            "A{2",
            "a|*b",
            "[[:alpha:]",
            "[a",
            "\\1",
            "a{3,1}",
            "\\",
            "^*A",
            "(*A)",
            "[b-a]",
            "[[:foo:]]",
            "(",
        ] {
            check(refused, None);
        }
    }

    #[test]
    fn what_means_something_else_than_elsewhere() {
        check("a)", Some(false));
        check("a\\d", Some(false));
        check("\\<A", Some(true));
        check("()", Some(true));
        check("a||A", Some(true));
        check("a**", Some(true));
        check("a{1,2}{2}", Some(false));
        check("x{,2}", Some(true));
        check("[a&&b]", Some(true));
        check("[\\d]ser", Some(false));
        check("[\\]x", Some(false));
        check("[]r]Event", Some(true));
        check("[[:upper:]]:", Some(true));
        check("user.all.*A", Some(true));
    }
}
