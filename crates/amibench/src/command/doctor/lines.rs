//! Text in lines that a terminal of 80 columns takes.

const COLUMNS: usize = 80;
const NO_BREAK: &str = "\u{a0}";

/// `text` behind `head`, its further lines behind `indent`. Words and `key = value` are kept whole; what is too long for
/// a line behind the indent has one of its own, from which it can be copied.
pub(super) fn wrap(head: &str, text: &str, indent: &str) -> String {
    let mut lines = vec![head.to_owned()];
    let mut is_begun = false;
    let text = text.replace(" = ", &[NO_BREAK, "=", NO_BREAK].concat());
    for word in text.split(' ') {
        let line = lines.last_mut().expect("the head is a line");
        let length = word.chars().count();
        if length > COLUMNS.saturating_sub(indent.chars().count()) {
            lines.extend([word.to_owned(), indent.to_owned()]);
            is_begun = false;
        } else if is_begun && line.chars().count() + 1 + length > COLUMNS {
            lines.push(format!("{indent}{word}"));
        } else {
            if is_begun {
                line.push(' ');
            }
            line.push_str(word);
            is_begun = true;
        }
    }
    lines.retain(|line| !line.trim().is_empty());
    let joined = lines
        .iter()
        .map(|line| line.trim_end())
        .collect::<Vec<_>>()
        .join("\n");
    joined.replace(NO_BREAK, " ") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fit_a_terminal_and_words_stay_whole() {
        let text = "word ".repeat(40) + &"x".repeat(100);
        let wrapped = wrap("  ✗ login  ", &text, "    ");
        let lines: Vec<&str> = wrapped.lines().collect();
        assert!(lines[0].starts_with("  ✗ login  word word"));
        assert!(lines[1].starts_with("    word"));
        let (last, fitting) = lines.split_last().unwrap();
        assert!(fitting.iter().all(|line| line.chars().count() <= COLUMNS));
        assert_eq!(*last, "x".repeat(100));
    }

    #[test]
    fn what_is_to_be_copied_stands_alone() {
        let pin = format!("pin_sha256 = \"{}\"", "ab".repeat(32));
        let wrapped = wrap("  → ", &format!("add {pin} in [tls]"), "    ");
        assert_eq!(wrapped, format!("  → add\n{pin}\n    in [tls]\n"));
    }
}
