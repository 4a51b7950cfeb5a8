//! One set-up at a time, held by the kernel: a lock ends with the processes that hold it.
//!
//! A child that writes into what the lock guards gets a copy as its standard input, so that it
//! goes on holding when the xtask that started it is killed.

use std::fs::{self, File};
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result};
use rustix::fs::{FlockOperation, flock};

#[derive(Debug)]
pub(crate) struct Lock(File);

impl Lock {
    /// Waits until nobody else holds the lock at `path`.
    pub(crate) fn take(path: &Path) -> Result<Self> {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).with_context(|| format!("making {}", parent.display()))?;
        }
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .read(true)
            .open(path)
            .with_context(|| format!("opening the lock {}", path.display()))?;
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            eprintln!("waiting for another xtask that holds {}", path.display());
            flock(&file, FlockOperation::LockExclusive)
                .with_context(|| format!("waiting for the lock {}", path.display()))?;
        }
        Ok(Self(file))
    }

    /// An empty standard input that keeps the lock.
    pub(crate) fn as_stdin(&self) -> Result<Stdio> {
        Ok(self.0.try_clone().context("copying a lock")?.into())
    }
}
