//! The shape of a source file: what it may be called, how it begins, how long it may get.

use super::scan::scan;
use super::{Breach, File};

/// Names that say nothing, or that invite everything.
const BANNED: [&str; 12] = [
    "mod", "util", "utils", "common", "helper", "helpers", "misc", "types", "manager", "core",
    "handler", "handlers",
];

/// Beyond this a file has a second subject.
const CODE_LINES: usize = 500;

pub(super) fn check_name(file: &File) -> Vec<Breach> {
    let name = file.path.rsplit('/').next().unwrap_or(&file.path);
    match name.strip_suffix(".rs") {
        Some(stem) if BANNED.contains(&stem) => {
            vec![Breach::new(
                1,
                format!("{name} says nothing of what is in it"),
            )]
        }
        _ => Vec::new(),
    }
}

pub(super) fn check_head(file: &File) -> Vec<Breach> {
    if file.is_rust() && !file.text.starts_with("//!") {
        return vec![Breach::new(
            1,
            "the file does not begin with a //! that says what it is for",
        )];
    }
    Vec::new()
}

/// Blank lines, comments and tests do not count.
pub(super) fn check_length(file: &File) -> Vec<Breach> {
    if !file.is_rust() || file.is_test() {
        return Vec::new();
    }
    let lines = scan(&file.text);
    let code = lines.iter().enumerate().filter(|(_, line)| {
        let blank = line.text.trim().is_empty();
        !blank && !line.in_test
    });
    let code: Vec<usize> = code.map(|(index, _)| index + 1).collect();
    match code.get(CODE_LINES) {
        Some(&line) => {
            let text = format!("{} lines of code, at most {CODE_LINES}", code.len());
            vec![Breach::new(line, text)]
        }
        None => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::found;
    use super::*;

    #[test]
    fn a_name_that_says_nothing_is_a_breach() {
        for path in [
            "crates/a/src/util.rs",
            "crates/a/src/x/mod.rs",
            "crates/a/tests/common.rs",
        ] {
            assert_eq!(found(check_name, path, "").len(), 1, "{path}");
        }
        for path in ["crates/a/src/session.rs", "crates/xtask/lab/manager.conf"] {
            assert_eq!(found(check_name, path, ""), [], "{path}");
        }
    }

    #[test]
    fn a_file_without_a_head_is_a_breach() {
        assert_eq!(found(check_head, "a.rs", "use std::fs;\n").len(), 1);
        assert_eq!(found(check_head, "a.rs", "//! A.\n"), []);
        assert_eq!(found(check_head, "a.toml", "a = 1\n"), []);
    }

    #[test]
    fn only_code_outside_tests_counts_for_length() {
        let code = "let a = 1;\n".repeat(CODE_LINES);
        let tests = format!("#[cfg(test)]\nmod tests {{\n{code}}}\n");
        assert_eq!(
            found(check_length, "a.rs", &format!("// x\n\n{code}{tests}")),
            []
        );
        let breach = (CODE_LINES + 1, "501 lines of code, at most 500".to_owned());
        assert_eq!(
            found(check_length, "a.rs", &format!("{code}let b = 1;\n")),
            [breach]
        );
        assert_eq!(
            found(
                check_length,
                "crates/a/tests/b.rs",
                &format!("{code}{code}")
            ),
            []
        );
    }
}
