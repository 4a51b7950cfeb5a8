//! `cargo xtask tidy`: rules of the house that neither rustc nor clippy knows.
//!
//! A rule is a pure function of one file. It says the line and what is wrong with it.

mod data;
mod edges;
mod names;
mod paths;
mod scan;
mod shape;
mod sleeps;

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::workspace;

const RULES: [Rule; 9] = [
    Rule {
        name: "crate-edge",
        check: edges::check,
    },
    Rule {
        name: "file-name",
        check: shape::check_name,
    },
    Rule {
        name: "file-head",
        check: shape::check_head,
    },
    Rule {
        name: "file-length",
        check: shape::check_length,
    },
    Rule {
        name: "pbx-name",
        check: names::check,
    },
    Rule {
        name: "sleep-in-test",
        check: sleeps::check,
    },
    Rule {
        name: "toml",
        check: data::check_toml,
    },
    Rule {
        name: "json-lines",
        check: data::check_json_lines,
    },
    Rule {
        name: "workplace-path",
        check: paths::check,
    },
];

struct Rule {
    name: &'static str,
    check: fn(&File) -> Vec<Breach>,
}

/// A text file of the repository.
#[derive(Debug)]
struct File {
    /// Relative to the workspace, with `/`.
    path: String,
    text: String,
}

/// Where a rule is broken, and how.
#[derive(Debug, PartialEq, Eq)]
struct Breach {
    line: usize,
    text: String,
}

impl File {
    fn is_rust(&self) -> bool {
        self.has_extension("rs")
    }

    fn has_extension(&self, wanted: &str) -> bool {
        Path::new(&self.path)
            .extension()
            .is_some_and(|extension| extension == wanted)
    }

    /// Tests and benches beside `src`, and the test modules that have a file of their own.
    fn is_test(&self) -> bool {
        self.path
            .split('/')
            .any(|part| matches!(part, "tests" | "benches" | "tests.rs"))
    }
}

impl Breach {
    fn new(line: usize, text: impl Into<String>) -> Self {
        Self {
            line,
            text: text.into(),
        }
    }
}

pub(crate) fn run() -> Result<ExitCode> {
    let files = read_files(&workspace::dir())?;
    let mut breaches = 0;
    for file in &files {
        for rule in &RULES {
            for Breach { line, text } in (rule.check)(file) {
                breaches += 1;
                println!("{}:{line}: {}: {text}", file.path, rule.name);
            }
        }
    }
    println!(
        "tidy: {} files, {breaches} breaches of {} rules",
        files.len(),
        RULES.len()
    );
    Ok(if breaches == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Every text file, sorted; what git ignores is passed over (git itself may not be there).
fn read_files(workspace: &Path) -> Result<Vec<File>> {
    let mut files = Vec::new();
    let mut dirs = vec![workspace.to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(&dir).with_context(|| format!("listing {}", dir.display()))? {
            let path = entry.context("listing a directory")?.path();
            let relative = path
                .strip_prefix(workspace)
                .expect("the walk stays in the workspace");
            let relative = relative.to_string_lossy().into_owned();
            if is_ignored(&relative) || path.is_symlink() {
                continue;
            }
            if path.is_dir() {
                dirs.push(path);
            } else if let Ok(text) = fs::read_to_string(&path) {
                files.push(File {
                    path: relative,
                    text,
                });
            }
        }
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(files)
}

fn is_ignored(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let output = path.starts_with("results/") && path != "results/README.md";
    let fuzzed = path.strip_prefix("crates/ami-proto/fuzz/");
    let grown = matches!(fuzzed, Some("corpus" | "coverage" | "seeds"));
    output || grown || path == "lab" || matches!(name, ".git" | "target" | "artifacts")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Breaches that one rule finds in a file, as (line, text).
    pub(super) fn found(
        check: fn(&File) -> Vec<Breach>,
        path: &str,
        text: &str,
    ) -> Vec<(usize, String)> {
        let file = File {
            path: path.to_owned(),
            text: text.to_owned(),
        };
        check(&file)
            .into_iter()
            .map(|breach| (breach.line, breach.text))
            .collect()
    }

    #[test]
    fn what_git_ignores_is_passed_over() {
        for path in [
            "lab",
            "target",
            "results/x",
            ".git",
            "crates/ami-proto/fuzz/target",
            "crates/ami-proto/fuzz/seeds",
        ] {
            assert!(is_ignored(path), "{path}");
        }
        for path in [
            "crates/xtask/lab",
            "crates/ami-proto/fuzz/regressions",
            "results",
            "results/README.md",
            "scenarios",
        ] {
            assert!(!is_ignored(path), "{path}");
        }
    }
}
