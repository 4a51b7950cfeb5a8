//! A TOML file that a user wrote, and errors that say where in it something is wrong.
//!
//! Parsing is strict (unknown and duplicate keys are errors); semantic errors found later use the same position format.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use thiserror::Error;

/// A file is read whole: one larger than this is no configuration.
const DOCUMENT_BYTES_MAX: u64 = 4 << 20;

#[derive(Clone, Debug)]
pub struct Document {
    origin: String,
    folder: PathBuf,
    text: String,
}

#[derive(Debug, Error)]
pub enum DocumentError {
    #[error("failed to read {path}")]
    Read {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("failed to read {path}: it has over {DOCUMENT_BYTES_MAX} bytes")]
    TooLarge { path: PathBuf },
    #[error("{place}: {message}")]
    Invalid { place: Place, message: String },
}

/// Where in a document, shown as compilers do: `file:line:column`, and the line itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub origin: String,
    pub line: usize,
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.origin, self.line, self.column)
    }
}

impl Document {
    pub fn read(path: &Path) -> Result<Self, DocumentError> {
        let read = |source| DocumentError::Read {
            path: path.to_owned(),
            source,
        };
        if std::fs::metadata(path).map_err(read)?.len() > DOCUMENT_BYTES_MAX {
            return Err(DocumentError::TooLarge {
                path: path.to_owned(),
            });
        }
        let bytes = std::fs::read(path).map_err(read)?;
        let folder = path.parent().map(Path::to_owned).unwrap_or_default();
        let origin = path.display().to_string();
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Self {
                origin,
                folder,
                text,
            }),
            Err(error) => {
                let start = error.utf8_error().valid_up_to();
                let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
                Err(Self {
                    origin,
                    folder,
                    text,
                }
                .error_at(start..start, "the file is not UTF-8 text"))
            }
        }
    }

    /// A document that is built into the binary; files it names are looked up in `folder`.
    pub fn embedded(name: &str, folder: &Path, text: &str) -> Self {
        Self {
            origin: format!("<embedded {name}>"),
            folder: folder.to_owned(),
            text: text.to_owned(),
        }
    }

    pub fn origin(&self) -> &str {
        &self.origin
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// A path written in this document: relative ones count from the folder the document lies in.
    pub fn resolve(&self, path: &str) -> PathBuf {
        self.folder.join(path)
    }

    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, DocumentError> {
        toml::from_str(&self.text)
            .map_err(|error| self.error_at(error.span().unwrap_or(0..0), plain(error.message())))
    }

    pub fn error_at(&self, span: Range<usize>, message: impl Into<String>) -> DocumentError {
        DocumentError::Invalid {
            place: self.place(span),
            message: message.into(),
        }
    }

    pub fn place(&self, span: Range<usize>) -> Place {
        let mut start = span.start.min(self.text.len());
        while !self.text.is_char_boundary(start) {
            start -= 1;
        }
        let before = &self.text[..start];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Place {
            origin: self.origin.clone(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }
}

/// The parser names types of the language that this program is written in.
fn plain(message: &str) -> String {
    let mut plain = message.to_owned();
    for (type_name, words) in [
        ("expected u16", "expected a whole number from 0 to 65535"),
        ("expected u32", "expected a whole number, 0 or more"),
        ("expected u64", "expected a whole number, 0 or more"),
    ] {
        plain = plain.replace(type_name, words);
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Example {
        #[expect(dead_code, reason = "only its parsing is tested")]
        sessions: u32,
    }

    fn check(text: &str, expected: &str) {
        let document = Document::embedded("example", Path::new(""), text);
        let error = document.parse::<Example>().expect_err("a bad document");
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn errors_name_the_place_and_what_was_expected() {
        check(
            "\n  sesions = 3\n",
            "<embedded example>:2:3: unknown field `sesions`, expected `sessions`",
        );
        check(
            "sessions = \"ü\"",
            "<embedded example>:1:12: invalid type: string \"ü\", expected a whole number, 0 or more",
        );
        check(
            "sessions = 1\nsessions = 2",
            "<embedded example>:2:1: duplicate key",
        );
    }

    #[test]
    fn a_file_that_is_not_text_is_refused_with_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("latin1.toml");
        std::fs::write(&path, b"# caf\xe9\n").unwrap();
        let error = Document::read(&path).expect_err("not UTF-8");
        assert!(
            error
                .to_string()
                .ends_with("latin1.toml:1:6: the file is not UTF-8 text"),
            "{error}"
        );
    }
}
