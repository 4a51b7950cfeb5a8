//! Turns results into something to read: tables, Markdown, SVG plots, and JSON, CSV, JUnit, hgrm for other programs.
//!
//! [`summary::Summary::read`] is the one way in; every renderer and plot is a pure function of it, and [`write()`] puts
//! what they made into a folder. Reports can be made again at any time.

use std::io;
use std::path::PathBuf;

use ami_results::rows::ReadError;
use ami_results::run_dir::{OpenError, WriteError};

use crate::summary::SummaryError;

pub mod conformance;
pub mod export;
pub mod format;
pub mod plot;
pub mod pseudonym;
pub mod quantity;
pub mod render;
pub mod summary;
mod write;

pub use format::Format;
pub use pseudonym::Naming;
pub use write::write;

#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    #[error(transparent)]
    Summary(#[from] SummaryError),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error("write the rows of a table")]
    Table(#[from] io::Error),
    #[error("make {}", path.display())]
    Folder {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}
