//! Reads the line files of a run directory. A run may have been killed at any byte: a last line without its end is
//! not an error, it is reported as [`Torn`]; a file that was never made has no rows.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

/// The longest line we write is a histogram with every bucket filled, some 100 kB.
const LINE_MAX: u64 = 4 * 1024 * 1024;

#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("read {}", path.display())]
    Io {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("understand {}, line {line}", path.display())]
    Row {
        path: PathBuf,
        line: u64,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// The piece of a line at the end of a file whose writer was killed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Torn {
    pub path: PathBuf,
    pub line: u64,
    pub bytes: usize,
}

/// The whole lines of a file, one at a time.
#[derive(Debug)]
pub(crate) struct Lines {
    path: PathBuf,
    reader: Option<BufReader<File>>,
    line: u64,
    torn: Option<Torn>,
}

impl Lines {
    pub(crate) fn open(path: PathBuf) -> Result<Self, ReadError> {
        let reader = match File::open(&path) {
            Ok(file) => Some(BufReader::new(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(source) => return Err(ReadError::Io { path, source }),
        };
        Ok(Self {
            path,
            reader,
            line: 0,
            torn: None,
        })
    }

    pub(crate) fn torn(&self) -> Option<&Torn> {
        self.torn.as_ref()
    }

    /// For an error in the line that was read last.
    pub(crate) fn row_error(
        &self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> ReadError {
        ReadError::Row {
            path: self.path.clone(),
            line: self.line,
            source: source.into(),
        }
    }

    /// Fills `buffer` with the next line, its end included; None at the end of the file.
    pub(crate) fn next_into(&mut self, buffer: &mut Vec<u8>) -> Option<Result<(), ReadError>> {
        buffer.clear();
        let reader = self.reader.as_mut()?;
        let read = reader.by_ref().take(LINE_MAX).read_until(b'\n', buffer);
        self.line += 1;
        match read {
            Err(source) => {
                self.reader = None;
                Some(Err(ReadError::Io {
                    path: self.path.clone(),
                    source,
                }))
            }
            Ok(_) if buffer.ends_with(b"\n") => Some(Ok(())),
            Ok(bytes) if bytes as u64 == LINE_MAX => {
                self.reader = None;
                Some(Err(self.row_error("the line is too long to be ours")))
            }
            Ok(bytes) => {
                self.reader = None;
                self.torn = (bytes > 0).then(|| Torn {
                    path: self.path.clone(),
                    line: self.line,
                    bytes,
                });
                None
            }
        }
    }
}

/// The rows of a JSON Lines file; after the last one [`Rows::torn`] tells of a torn end.
#[derive(Debug)]
pub struct Rows<T> {
    lines: Lines,
    buffer: Vec<u8>,
    row: PhantomData<T>,
}

impl<T: DeserializeOwned> Rows<T> {
    pub(crate) fn open(path: &Path) -> Result<Self, ReadError> {
        Ok(Self {
            lines: Lines::open(path.to_owned())?,
            buffer: Vec::new(),
            row: PhantomData,
        })
    }

    pub fn torn(&self) -> Option<&Torn> {
        self.lines.torn()
    }
}

impl<T: DeserializeOwned> Iterator for Rows<T> {
    type Item = Result<T, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Err(error) = self.lines.next_into(&mut self.buffer)? {
            return Some(Err(error));
        }
        Some(serde_json::from_slice(&self.buffer).map_err(|source| self.lines.row_error(source)))
    }
}

#[cfg(test)]
mod tests {
    use super::Rows;

    fn check(text: &str, expected: &[u32], torn: Option<(u64, usize)>) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("rows.jsonl");
        std::fs::write(&path, text).unwrap();
        let mut rows = Rows::<u32>::open(&path).unwrap();
        let read: Vec<u32> = rows.by_ref().map(Result::unwrap).collect();
        assert_eq!(read, expected);
        assert_eq!(rows.torn().map(|torn| (torn.line, torn.bytes)), torn);
    }

    #[test]
    fn a_torn_last_line_is_left_out_and_reported() {
        check("", &[], None);
        check("1\n22\n", &[1, 22], None);
        check("1\n22", &[1], Some((2, 2)));
        check("1", &[], Some((1, 1)));
    }

    #[test]
    fn a_file_that_was_never_made_has_no_rows() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(
            Rows::<u32>::open(&dir.path().join("none")).unwrap().count(),
            0
        );
    }

    #[test]
    fn a_broken_whole_line_is_an_error_with_its_number() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("rows.jsonl");
        std::fs::write(&path, "1\nx\n").unwrap();
        let error = Rows::<u32>::open(&path)
            .unwrap()
            .find_map(Result::err)
            .unwrap();
        assert!(error.to_string().ends_with("rows.jsonl, line 2"));
    }
}
