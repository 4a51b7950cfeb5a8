//! A file of a run directory that only grows: whole lines are collected and handed to the kernel in one write, so a
//! killed run loses no line that was flushed. When a write fails the file is cut back to its last whole line.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

/// Lines are handed over early beyond this; bounds the memory between two flushes.
const BUFFER_MAX: usize = 256 * 1024;

#[derive(Debug)]
pub(crate) struct AppendFile {
    path: PathBuf,
    /// None after a failed write: what comes later would leave a gap.
    file: Option<File>,
    buffer: Vec<u8>,
    written: u64,
}

impl AppendFile {
    pub(crate) fn create(path: PathBuf) -> io::Result<Self> {
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&path)?;
        Ok(Self {
            path,
            file: Some(file),
            buffer: Vec::new(),
            written: 0,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn json_line(&mut self, row: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer(&mut self.buffer, row)
            .expect("rows are plain structs, which always serialise");
        self.buffer.push(b'\n');
        self.flush_beyond(BUFFER_MAX)
    }

    pub(crate) fn json_lines(&mut self, rows: &[impl Serialize]) -> io::Result<()> {
        rows.iter().try_for_each(|row| self.json_line(row))
    }

    pub(crate) fn lines(&mut self, lines: &[u8]) -> io::Result<()> {
        self.buffer.extend_from_slice(lines);
        self.flush_beyond(BUFFER_MAX)
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.flush_beyond(0)
    }

    /// Onto the disk: some file systems only now tell that it is full.
    pub(crate) fn sync(&mut self) -> io::Result<()> {
        self.flush()?;
        self.file.as_ref().map_or(Ok(()), File::sync_data)
    }

    fn flush_beyond(&mut self, kept: usize) -> io::Result<()> {
        if self.buffer.len() <= kept {
            return Ok(());
        }
        let lines = std::mem::take(&mut self.buffer);
        let Some(file) = &mut self.file else {
            return Ok(());
        };
        if let Err(error) = file.write_all(&lines) {
            // Best effort: a torn last line is tolerated by the readers anyway.
            let _ = file.set_len(self.written);
            self.file = None;
            return Err(error);
        }
        self.written += lines.len() as u64;
        self.buffer = lines;
        self.buffer.clear();
        Ok(())
    }
}

#[cfg(test)]
impl AppendFile {
    /// Every write fails as on a full disk.
    pub(crate) fn full() -> Self {
        let path = PathBuf::from("/dev/full");
        let file = OpenOptions::new().write(true).open(&path).unwrap();
        Self {
            path,
            file: Some(file),
            buffer: Vec::new(),
            written: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::AppendFile;

    #[test]
    fn a_full_disk_is_an_error_once_and_nothing_is_written_after_it() {
        let mut file = AppendFile::full();
        file.json_line(&1).unwrap();
        assert!(file.flush().is_err());
        file.json_line(&2).unwrap();
        assert!(file.flush().is_ok());
    }

    #[test]
    fn lines_reach_the_file_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("rows.jsonl");
        let mut file = AppendFile::create(path.clone()).unwrap();
        file.json_line(&"a").unwrap();
        file.lines(b"b\n").unwrap();
        file.flush().unwrap();
        assert_eq!(std::fs::read_to_string(path).unwrap(), "\"a\"\nb\n");
    }
}
