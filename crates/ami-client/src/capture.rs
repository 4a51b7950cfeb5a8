//! `Capture`: what passes on connections, written to a transcript as it comes, without secrets.
//!
//! It is bounded in bytes and holds nothing back but what may be the beginning of a secret. Until it is finished the file has
//! the name `….part`: one that was killed is readable as far as it came.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ami_proto::session::Secret;
use ami_proto::transcript::{Entry, Mark, TranscriptHeader, What};
use thiserror::Error;
use tokio::sync::Notify;

use crate::clock::Clock;
use redact::{Redactor, Secrets, Side};

mod redact;

/// Hours of a busy PBX; a larger file is opened by nobody.
pub const BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Clones write to the same file.
#[derive(Clone, Debug)]
pub struct Capture {
    shared: Arc<Shared>,
}

/// One connection of a capture. Who drops it has closed the connection.
#[derive(Debug)]
pub struct Tap {
    shared: Arc<Shared>,
    conn: u32,
}

/// What a capture holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Captured {
    pub connections: u32,
    /// As they were, before secrets were taken out.
    pub client_bytes: u64,
    pub server_bytes: u64,
    pub extent: Extent,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Extent {
    #[default]
    Whole,
    /// It reached its bound; what came later is not in it.
    CutOff,
}

#[derive(Debug, Error)]
pub enum CaptureError {
    #[error("failed to write {path}: it is there already")]
    Exists { path: PathBuf },
    #[error("failed to write {path}")]
    Write { path: PathBuf, source: io::Error },
}

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    part: PathBuf,
    clock: Clock,
    recording: Mutex<Recording>,
    ended: Notify,
}

#[derive(Debug)]
struct Recording {
    state: State,
    written: u64,
    bytes_max: u64,
    secrets: Secrets,
    open: BTreeMap<u32, Connection>,
    captured: Captured,
}

#[derive(Debug)]
enum State {
    Writing(File),
    Ended,
    Broke(io::Error),
}

/// A connection whose end has not been seen.
#[derive(Debug)]
struct Connection {
    client: Option<Redactor>,
    server: Option<Redactor>,
}

impl Capture {
    /// Begins a file that is not there yet; `secrets` are taken out wherever they stand. Its time begins now.
    pub fn create(
        path: &Path,
        header: &TranscriptHeader,
        secrets: &[Secret],
        bytes_max: u64,
    ) -> Result<Self, CaptureError> {
        let failed = |source: io::Error| match source.kind() {
            io::ErrorKind::AlreadyExists => CaptureError::Exists {
                path: path.to_owned(),
            },
            _ => CaptureError::Write {
                path: path.to_owned(),
                source,
            },
        };
        if path.exists() {
            return Err(failed(io::ErrorKind::AlreadyExists.into()));
        }
        let mut part = path.as_os_str().to_owned();
        part.push(".part");
        let part = PathBuf::from(part);
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&part)
            .map_err(failed)?;
        let header = header.to_line();
        file.write_all(header.as_bytes()).map_err(failed)?;
        let recording = Recording {
            state: State::Writing(file),
            written: header.len() as u64,
            bytes_max,
            secrets: Secrets::of(secrets),
            open: BTreeMap::new(),
            captured: Captured::default(),
        };
        Ok(Self {
            shared: Arc::new(Shared {
                path: path.to_owned(),
                part,
                clock: Clock::start(),
                recording: Mutex::new(recording),
                ended: Notify::new(),
            }),
        })
    }

    /// A connection that was opened now.
    pub fn connection(&self) -> Tap {
        let conn = self.shared.locked().captured.connections;
        self.shared.note(|recording, at| recording.open(conn, at));
        Tap {
            shared: Arc::clone(&self.shared),
            conn,
        }
    }

    pub fn so_far(&self) -> Captured {
        self.shared.locked().captured
    }

    /// Until nothing more is written: the bound was reached, or writing failed.
    pub async fn ended(&self) {
        self.shared.ended.notified().await;
    }

    /// Ends the file and gives it its name. Connections that are still open are said to be cut off.
    pub fn finish(&self) -> Result<Captured, CaptureError> {
        self.shared.note(|recording, at| recording.end(at));
        let failed = |source| CaptureError::Write {
            path: self.shared.path.clone(),
            source,
        };
        let mut recording = self.shared.locked();
        if let State::Broke(error) = &mut recording.state {
            let error = std::mem::replace(error, io::ErrorKind::Other.into());
            return Err(failed(error));
        }
        fs::rename(&self.shared.part, &self.shared.path).map_err(failed)?;
        Ok(recording.captured)
    }

    /// Ends it and leaves no file.
    pub fn discard(&self) {
        self.shared.locked().state = State::Ended;
        // A file that cannot be removed is a `.part` that is left, as of one that was killed.
        let _ = fs::remove_file(&self.shared.part);
    }
}

impl Tap {
    /// What the client wrote, in one piece.
    pub fn client(&self, bytes: &[u8]) {
        self.chunk(Side::Client, bytes);
    }

    /// What the server wrote, as it was read.
    pub fn server(&self, bytes: &[u8]) {
        self.chunk(Side::Server, bytes);
    }

    pub fn mark(&self, mark: Mark) {
        let conn = self.conn;
        self.shared
            .note(|recording, at| recording.mark(conn, at, mark));
    }

    fn chunk(&self, side: Side, bytes: &[u8]) {
        let conn = self.conn;
        self.shared
            .note(|recording, at| recording.chunk(conn, at, side, bytes));
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.mark(Mark::ClientFin);
        let conn = self.conn;
        self.shared.note(|recording, at| recording.forget(conn, at));
    }
}

impl Shared {
    fn locked(&self) -> MutexGuard<'_, Recording> {
        self.recording
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, note: impl FnOnce(&mut Recording, Duration) -> io::Result<()>) {
        let mut recording = self.locked();
        if !matches!(recording.state, State::Writing(_)) {
            return;
        }
        let at = self.clock.now();
        let mut noted = note(&mut recording, at);
        if noted.is_ok() && recording.written >= recording.bytes_max {
            recording.captured.extent = Extent::CutOff;
            noted = recording.end(at);
        }
        if let Err(error) = noted {
            recording.state = State::Broke(error);
        }
        if !matches!(recording.state, State::Writing(_)) {
            self.ended.notify_one();
        }
    }
}

impl Recording {
    fn open(&mut self, conn: u32, at: Duration) -> io::Result<()> {
        self.captured.connections += 1;
        let connection = Connection {
            client: Some(Redactor::new(Side::Client)),
            server: Some(Redactor::new(Side::Server)),
        };
        self.open.insert(conn, connection);
        self.write(conn, at, What::Mark(Mark::Open))
    }

    fn chunk(&mut self, conn: u32, at: Duration, side: Side, bytes: &[u8]) -> io::Result<()> {
        let Some(connection) = self.open.get_mut(&conn) else {
            return Ok(());
        };
        let (redactor, count) = match side {
            Side::Client => (&mut connection.client, &mut self.captured.client_bytes),
            Side::Server => (&mut connection.server, &mut self.captured.server_bytes),
        };
        let Some(redactor) = redactor else {
            return Ok(());
        };
        *count += bytes.len() as u64;
        let bytes = redactor.redact(bytes, &mut self.secrets);
        self.write(conn, at, said_by(side, bytes))
    }

    /// A side that ended says nothing more, and ends once.
    fn mark(&mut self, conn: u32, at: Duration, mark: Mark) -> io::Result<()> {
        let ending: &[Side] = match mark {
            Mark::ClientFin => &[Side::Client],
            Mark::Fin => &[Side::Server],
            Mark::Rst | Mark::ClientRst | Mark::CaptureEnd => &[Side::Client, Side::Server],
            Mark::Open | Mark::TlsAlert => &[],
        };
        let mut ended = ending.is_empty();
        for &side in ending {
            ended |= self.end_side(conn, at, side)?;
        }
        if ended {
            self.write(conn, at, What::Mark(mark))?;
        }
        Ok(())
    }

    /// Whether it had not ended yet. Gives out what was held back.
    fn end_side(&mut self, conn: u32, at: Duration, side: Side) -> io::Result<bool> {
        let Some(connection) = self.open.get_mut(&conn) else {
            return Ok(false);
        };
        let redactor = match side {
            Side::Client => connection.client.take(),
            Side::Server => connection.server.take(),
        };
        if connection.client.is_none() && connection.server.is_none() {
            self.open.remove(&conn);
        }
        let Some(mut redactor) = redactor else {
            return Ok(false);
        };
        let held = redactor.finish(&mut self.secrets);
        self.write(conn, at, said_by(side, held))?;
        Ok(true)
    }

    /// Nobody will hear of that connection any more.
    fn forget(&mut self, conn: u32, at: Duration) -> io::Result<()> {
        self.end_side(conn, at, Side::Server).map(|_| ())
    }

    fn end(&mut self, at: Duration) -> io::Result<()> {
        let open: Vec<u32> = self.open.keys().copied().collect();
        for conn in open {
            self.mark(conn, at, Mark::CaptureEnd)?;
        }
        if let State::Writing(file) = &self.state {
            file.sync_all()?;
            self.state = State::Ended;
        }
        Ok(())
    }

    fn write(&mut self, conn: u32, at: Duration, what: What) -> io::Result<()> {
        let empty = matches!(&what, What::Client(bytes) | What::Server(bytes) if bytes.is_empty());
        let State::Writing(file) = &mut self.state else {
            return Ok(());
        };
        if empty {
            return Ok(());
        }
        let line = Entry { at, conn, what }.to_line();
        self.written += line.len() as u64;
        file.write_all(line.as_bytes())
    }
}

fn said_by(side: Side, bytes: Vec<u8>) -> What {
    match side {
        Side::Client => What::Client(bytes),
        Side::Server => What::Server(bytes),
    }
}

#[cfg(test)]
mod tests;
